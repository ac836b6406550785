"""Networks: the same seed gives the same model, and a file gives back what was saved or says what is wrong."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labcourse import network
from labcourse.errors import BadInput, DamagedOutput, MissingOutput, StorageError

RNG = np.random.default_rng(3)
X = RNG.normal([0, 50, -3, 1e5], [1, 20, 0.1, 3e4], size=(500, 4)).astype(np.float32)


def weights(model):
    return [np.copy(w) for w in model.get_weights()]


def test_shape_and_parameters():
    model = network.build(24, (30, 20, 10))
    assert model.input_shape == (None, 24)
    assert model.output_shape == (None, 1)
    assert model.count_params() == network.count_parameters([24, 30, 20, 10, 1])


def test_no_hidden_layer_is_logistic_regression():
    assert network.build(4, ()).count_params() == 5


@given(st.lists(st.integers(1, 40), min_size=2, max_size=6))
@settings(deadline=None)
def test_parameters_counted_one_by_one(sizes):
    expected = 0
    for before, after in itertools.pairwise(sizes):
        expected += sum(1 for _ in range(after) for _ in range(before)) + after
    assert network.count_parameters(sizes) == expected


def test_compiled_for_weighted_classification():
    model = network.build(4, learning_rate=0.003)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.003)
    assert model.loss == "binary_crossentropy"
    logs = model.evaluate(X, X[:, 0] > 0, sample_weight=np.ones(500), return_dict=True, verbose=0)
    assert set(logs) == {"loss", "accuracy"}


def test_seed_decides_the_weights():
    same = weights(network.build(4, seed=5)), weights(network.build(4, seed=5))
    other = weights(network.build(4, seed=6))
    assert all(np.array_equal(a, b) for a, b in zip(*same, strict=True))
    assert not np.array_equal(same[0][0], other[0])


def test_layers_of_one_seed_differ():
    first, second = (layer.get_weights()[0] for layer in network.build(60, (60, 60), seed=1).layers[:2])
    assert not np.array_equal(first, second)


def test_seed_decides_dropout():
    import keras

    def train_once():
        model = network.build(4, dropout=0.5, seed=1, normalise=X)
        return model(X, training=True).numpy()

    assert np.array_equal(train_once(), train_once())
    assert [type(layer) for layer in network.build(4, dropout=0.5).layers].count(keras.layers.Dropout) == 2


def test_normalisation_belongs_to_the_model():
    model = network.build(4, (), normalise=X)
    normalised = model.layers[0](X).numpy()
    assert normalised.mean(axis=0) == pytest.approx(0, abs=1e-3)
    assert normalised.std(axis=0) == pytest.approx(1, abs=1e-3)


def test_normalisation_of_large_numbers_keeps_precision():
    x = (1e6 + np.arange(1000)).astype(np.float32)[:, None]
    normalised = network.build(1, (), normalise=x).layers[0](x).numpy()
    assert normalised.std() == pytest.approx(1, rel=1e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_inputs": 0}, "n_inputs"),
        ({"n_inputs": 4, "hidden": (60, 0)}, "hidden layer size"),
        ({"n_inputs": 4, "hidden": (60, 2.5)}, "hidden layer size"),
        ({"n_inputs": 4, "dropout": 1.0}, "dropout"),
        ({"n_inputs": 4, "learning_rate": -1}, "learning_rate"),
        ({"n_inputs": 4, "learning_rate": np.nan}, "learning_rate"),
        ({"n_inputs": 4, "activation": "rleu"}, "rleu"),
        ({"n_inputs": 4, "normalise": X[:, :3]}, r"normalise has shape \(500, 3\)"),
        ({"n_inputs": 4, "normalise": np.where(X > 1e5, np.nan, X)}, "normalise holds nan"),
        ({"n_inputs": 4, "normalise": X * [1, 0, 1, 1]}, "Column 1 of normalise"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(BadInput, match=message):
        network.build(**arguments)


def test_loaded_model_predicts_and_trains_the_same(tmp_path):
    from labcourse import training

    model = network.build(4, (8,), normalise=X, seed=2)
    y = X[:, 0] > 0
    training.fit(model, X, y, epochs=1, batch_size=64)
    network.save(model, tmp_path / "model.keras")
    loaded = network.load(tmp_path / "model.keras")
    assert np.array_equal(training.predict(loaded, X), training.predict(model, X))
    # The optimizer's memory came along: both go on alike.
    for m in (model, loaded):
        training.fit(m, X, y, epochs=1, batch_size=64)
    assert all(np.array_equal(a, b) for a, b in zip(weights(model), weights(loaded), strict=True))
    assert [p.name for p in tmp_path.iterdir()] == ["model.keras"]


def test_load_names_a_missing_file(tmp_path):
    with pytest.raises(MissingOutput, match=r"model\.keras"):
        network.load(tmp_path / "model.keras")


@pytest.mark.parametrize("damage", ["empty", "text", "half", "bit"])
def test_load_names_a_damaged_file(tmp_path, damage):
    path = tmp_path / "model.keras"
    network.save(network.build(4, (8,)), path)
    whole = path.read_bytes()
    middle = len(whole) // 2
    path.write_bytes(
        {
            "empty": b"",
            "text": b"this is not a model",
            "half": whole[:middle],
            "bit": whole[:200] + bytes(255 - b for b in whole[200:400]) + whole[400:],
        }[damage]
    )
    with pytest.raises(DamagedOutput, match=r"model\.keras"):
        network.load(path)


@pytest.mark.filterwarnings("ignore")
def test_load_runs_no_code_of_the_file(tmp_path):
    import keras

    model = keras.Sequential([keras.Input((1,)), keras.layers.Lambda(lambda x: x + 1)])
    model.save(tmp_path / "model.keras")
    with pytest.raises(DamagedOutput, match=r"model\.keras"):
        network.load(tmp_path / "model.keras")


def test_save_wants_the_suffix(tmp_path):
    with pytest.raises(BadInput, match=r"\.keras"):
        network.save(network.build(1, ()), tmp_path / "model.h5")


def test_failed_save_keeps_the_old_model(tmp_path, monkeypatch):
    path = tmp_path / "model.keras"
    old = network.build(4, (8,), seed=1)
    network.save(old, path)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    new = network.build(4, (8,), seed=2)
    monkeypatch.setattr(type(new), "save", full)
    with pytest.raises(StorageError, match="No space left"):
        network.save(new, path)
    monkeypatch.undo()
    assert np.array_equal(weights(network.load(path))[0], weights(old)[0])
    assert [p.name for p in tmp_path.iterdir()] == ["model.keras"]
