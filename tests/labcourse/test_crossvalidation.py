"""Cross-validation: fresh models, no leak between folds, results that depend on a fold alone."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from labcourse import crossvalidation, network, training
from labcourse.crossvalidation import cross_validate
from labcourse.errors import BadInput
from labcourse.training import epoch

RNG = np.random.default_rng(2)
N = 300
X = RNG.normal(size=(N, 3)).astype(np.float32)
Y = (X[:, 0] > 0).astype(np.float32)
WEIGHT = RNG.uniform(0.5, 2, N).astype(np.float32)
FOLD = RNG.integers(0, 3, N)


def build(**options):
    return network.build(3, (6,), learning_rate=0.01, **options)


def assert_same(a, b):
    for ours, theirs in zip(a.get_weights(), b.get_weights(), strict=True):
        assert np.array_equal(ours, theirs)


@pytest.fixture(scope="module")
def folds():
    return cross_validate(build, X, Y, FOLD, sample_weight=WEIGHT, epochs=3, batch_size=32, seed=7)


def test_each_fold_validates_on_its_own_events(folds):
    assert len(folds.models) == len(folds.histories) == 3
    for number, model in enumerate(folds.models):
        own = number == FOLD
        loss = model.evaluate(X[own], Y[own], sample_weight=WEIGHT[own], verbose=0)[0]
        assert folds.losses[number] == pytest.approx(loss, rel=1e-4)
        assert folds.losses[number] == folds.histories[number]["val_loss"][-1]
    assert folds.best_epochs.tolist() == [3, 3, 3]


def test_mean_and_spread(folds):
    assert folds.mean == pytest.approx(sum(folds.losses) / 3)
    assert folds.spread == pytest.approx(np.sqrt(sum((folds.losses - folds.mean) ** 2) / 2))


def test_one_seed_repeats_bitwise_whatever_ran_before(folds):
    keras.utils.set_random_seed(99)
    training.fit(build(), X, Y, epochs=1, batch_size=256)
    again = cross_validate(build, X, Y, FOLD, sample_weight=WEIGHT, epochs=3, batch_size=32, seed=7)
    assert np.array_equal(again.losses, folds.losses)
    for a, b in zip(again.models, folds.models, strict=True):
        assert_same(a, b)
    other = cross_validate(build, X, Y, FOLD, sample_weight=WEIGHT, epochs=3, batch_size=32, seed=8)
    assert not np.array_equal(other.losses, folds.losses)


def test_a_fold_does_not_depend_on_the_folds_before_it(folds):
    """Swap folds 0 and 1: fold 2 stays what it was, bit for bit."""
    swapped = np.array([1, 0, 2])[FOLD]
    again = cross_validate(build, X, Y, swapped, sample_weight=WEIGHT, epochs=3, batch_size=32, seed=7)
    assert_same(again.models[2], folds.models[2])
    assert again.losses[2] == folds.losses[2]


def test_models_differ_from_fold_to_fold(folds):
    starts = [crossvalidation._fresh(build, X, seed, []).get_weights()[0] for seed in (1, 2)]
    assert not np.array_equal(*starts)
    assert len({id(model.optimizer) for model in folds.models}) == 3


def test_folds_compile_once():
    epoch._engines.clear()
    cross_validate(build, X, Y, FOLD, epochs=1, batch_size=32)
    (engine,) = epoch._engines.values()
    traces = engine.traces
    cross_validate(build, X, Y, RNG.permutation(FOLD), epochs=2, batch_size=32, seed=1)
    assert engine.traces == traces


def test_folds_of_different_sizes_with_their_own_normalisation_compile_once():
    epoch._engines.clear()
    unequal = np.where(RNG.random(len(FOLD)) < 0.1, 0, FOLD)
    assert len(set(np.bincount(unequal))) == 3
    cross_validate(lambda x: build(normalise=x), X, Y, unequal, epochs=1, batch_size=32)
    assert len(epoch._engines) == 1


def test_normalisation_sees_the_training_events_only():
    seen = []

    def build_from(x):
        seen.append(x)
        return build(normalise=x)

    cross_validate(build_from, X, Y, FOLD, epochs=1, batch_size=256)
    for number, x in enumerate(seen):
        assert np.array_equal(x, X[number != FOLD])


def test_patience_keeps_the_best_epoch():
    y = RNG.integers(0, 2, N)  # nothing to learn: the validation loss soon rises
    result = cross_validate(
        lambda: network.build(3, (50,), learning_rate=0.03), X, y, FOLD, epochs=30, patience=3, batch_size=64
    )
    for number, (history, model) in enumerate(zip(result.histories, result.models, strict=True)):
        losses = history["val_loss"]
        assert len(losses) < 30
        assert result.losses[number] == min(losses)
        assert result.best_epochs[number] == 1 + int(np.argmin(losses))
        own = number == FOLD
        assert model.evaluate(X[own], y[own], verbose=0)[0] == pytest.approx(min(losses), rel=1e-4)


def test_callbacks_are_made_for_each_fold():
    made = []

    def callbacks():
        made.append(keras.callbacks.EarlyStopping())
        return [made[-1]]

    cross_validate(build, X, Y, FOLD, epochs=1, batch_size=256, callbacks=callbacks)
    assert len(made) == 3


def test_the_users_random_numbers_are_left_alone():
    import random

    random.seed(1)
    expected = random.random()
    random.seed(1)
    cross_validate(build, X, Y, FOLD, epochs=1, batch_size=256)
    assert random.random() == expected


def test_a_used_model_is_refused():
    model = build()
    with pytest.raises(BadInput, match="trained before"):
        cross_validate(lambda: model, X, Y, FOLD, epochs=1, batch_size=256)
    trained = build()
    training.fit(trained, X, Y, epochs=1, batch_size=256)
    with pytest.raises(BadInput, match="trained before"):
        cross_validate(lambda: trained, X, Y, FOLD, epochs=1, batch_size=256)


def test_one_optimizer_for_all_folds_is_refused():
    optimizer = keras.optimizers.Adam()

    def build_with_one():
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
        model.compile(optimizer, "mse")
        return model

    with pytest.raises(BadInput, match="optimizer that was trained before"):
        cross_validate(build_with_one, X, Y, FOLD, epochs=1, batch_size=256)


def test_interrupt_ends_all_folds():
    def interrupt(number, logs=None):
        if number == 1:
            raise KeyboardInterrupt

    def callbacks():
        return [keras.callbacks.LambdaCallback(on_epoch_begin=interrupt)]

    with pytest.raises(KeyboardInterrupt):
        cross_validate(build, X, Y, FOLD, epochs=3, batch_size=256, callbacks=callbacks)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fold": FOLD[:10]}, r"shape \(10,\)"),
        ({"fold": FOLD * 1.0}, "float64"),
        ({"fold": FOLD * 0}, r"hold \[300\] events"),
        ({"fold": FOLD * 2}, "0, "),
        ({"fold": FOLD - 1}, "hold"),
        ({"y": Y[:10]}, "y 10"),
        ({"sample_weight": WEIGHT[:10]}, "sample_weight 10"),
        ({"x": np.where(X > 2, np.nan, X)}, "holds nan"),
        ({"epochs": 0}, "epochs is 0"),
        ({"patience": 0}, "patience is 0"),
        ({"build_model": lambda: keras.Sequential([keras.Input((3,))])}, "loss and optimizer"),
    ],
)
def test_bad_input_is_named(changes, message):
    arguments = {"build_model": build, "x": X, "y": Y, "fold": FOLD, "epochs": 1, "batch_size": 256} | changes
    with pytest.raises(BadInput, match=message):
        cross_validate(**arguments)
