"""Networks: the same seed gives the same model, and a file gives back what was saved or says what is wrong."""

import numpy as np
import pytest

from labcourse import network
from labcourse.errors import BadInput, DamagedOutput

RNG = np.random.default_rng(3)
X = RNG.normal([0, 50, -3, 1e5], [1, 20, 0.1, 3e4], size=(500, 4)).astype(np.float32)


def weights(model):
    return [np.copy(w) for w in model.get_weights()]


def test_shape_and_parameters():
    model = network.build(24, (30, 20, 10))
    assert model.input_shape == (None, 24)
    assert model.output_shape == (None, 1)
    assert model.count_params() == network.count_parameters([24, 30, 20, 10, 1])
    assert network.build(4, ()).count_params() == 5  # logistic regression


def test_compiled_for_weighted_classification():
    model = network.build(4, learning_rate=0.003)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.003)
    assert model.loss == "binary_crossentropy"
    logs = model.evaluate(X, X[:, 0] > 0, sample_weight=np.ones(500), return_dict=True, verbose=0)
    assert set(logs) == {"loss", "accuracy"}


def test_seed_decides_weights_and_dropout():
    import keras

    same, too, other = (network.build(4, dropout=0.5, seed=seed, normalise=X) for seed in (5, 5, 6))
    assert all(np.array_equal(a, b) for a, b in zip(weights(same), weights(too), strict=True))
    assert not np.array_equal(weights(same)[-2], weights(other)[-2])
    assert np.array_equal(same(X, training=True), too(X, training=True))
    assert [type(layer) for layer in same.layers].count(keras.layers.Dropout) == 2
    first, second = (layer.get_weights()[0] for layer in network.build(60, (60, 60), seed=1).layers[:2])
    assert not np.array_equal(first, second)


def test_normalisation_belongs_to_the_model():
    model = network.build(4, (), normalise=X)
    normalised = model.layers[0](X).numpy()
    assert normalised.mean(axis=0) == pytest.approx(0, abs=1e-3)
    assert normalised.std(axis=0) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"normalise": X[:, :3]}, r"normalise has shape \(500, 3\)"),
        ({"normalise": np.where(X > 1e5, np.nan, X)}, "normalise holds nan"),
        ({"normalise": X * [1, 0, 1, 1]}, "Column 1 of normalise"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(BadInput, match=message):
        network.build(4, **arguments)


def test_loaded_model_predicts_and_trains_the_same(tmp_path):
    from labcourse import training

    model = network.build(4, (8,), normalise=X, seed=2)
    y = X[:, 0] > 0
    training.fit(model, X, y, epochs=1, batch_size=64)
    model.save(tmp_path / "model.keras")
    loaded = network.load(tmp_path / "model.keras")
    assert np.array_equal(training.predict(loaded, X), training.predict(model, X))
    # The optimizer's memory came along: both go on alike.
    for m in (model, loaded):
        training.fit(m, X, y, epochs=1, batch_size=64)
    assert all(np.array_equal(a, b) for a, b in zip(weights(model), weights(loaded), strict=True))
    assert [p.name for p in tmp_path.iterdir()] == ["model.keras"]


def test_load_names_a_file_that_is_damaged_or_missing(tmp_path):
    path = tmp_path / "model.keras"
    network.build(4, (8,)).save(path)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(DamagedOutput, match=r"model\.keras"):
        network.load(path)
    with pytest.raises(DamagedOutput, match=r"other\.keras"):
        network.load(tmp_path / "other.keras")


@pytest.mark.filterwarnings("ignore")
def test_load_runs_no_code_of_the_file(tmp_path):
    import keras

    model = keras.Sequential([keras.Input((1,)), keras.layers.Lambda(lambda x: x + 1)])
    model.save(tmp_path / "model.keras")
    with pytest.raises(DamagedOutput, match=r"model\.keras"):
        network.load(tmp_path / "model.keras")
