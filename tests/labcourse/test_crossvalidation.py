"""Cross-validation: fresh models, no leak between folds, results that depend on a fold alone."""

import keras
import numpy as np
import pytest

from labcourse import compiled, network, training
from labcourse.crossvalidation import cross_validate
from labcourse.errors import BadInput

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
    assert folds.mean == pytest.approx(sum(folds.losses) / 3)
    assert folds.spread == pytest.approx(np.sqrt(sum((folds.losses - folds.mean) ** 2) / 2))
    for number, model in enumerate(folds.models):
        own = number == FOLD
        loss = model.evaluate(X[own], Y[own], sample_weight=WEIGHT[own], verbose=0)[0]
        assert folds.losses[number] == pytest.approx(loss, rel=1e-4)
        assert folds.losses[number] == folds.histories[number]["val_loss"][-1]


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


def test_folds_of_different_sizes_compile_once_and_normalise_by_their_training_events():
    seen = []

    def build_from(x):
        seen.append(x)
        return build(normalise=x)

    compiled.program_from.cache_clear()
    unequal = np.where(RNG.random(len(FOLD)) < 0.03, 0, FOLD)
    assert len(set(np.bincount(unequal))) == 3
    cross_validate(build_from, X, Y, unequal, epochs=1, batch_size=32)
    for number, x in enumerate(seen):
        assert np.array_equal(x, X[number != unequal])
    assert compiled.program_from.cache_info().misses == 1
    program = compiled.program_of(build(normalise=X), (X, Y))
    assert {f.experimental_get_tracing_count() for f in program._functions.values()} == {1}


def test_patience_keeps_the_best_epoch():
    y = RNG.integers(0, 2, N)  # nothing to learn: the validation loss soon rises
    result = cross_validate(
        lambda: network.build(3, (50,), learning_rate=0.03), X, y, FOLD, epochs=30, patience=3, batch_size=64
    )
    for number, (history, model) in enumerate(zip(result.histories, result.models, strict=True)):
        losses = history["val_loss"]
        assert len(losses) < 30
        assert result.losses[number] == min(losses)
        own = number == FOLD
        assert model.evaluate(X[own], y[own], verbose=0)[0] == pytest.approx(min(losses), rel=1e-4)


def test_the_users_random_numbers_are_left_alone():
    import random

    random.seed(1)
    expected = random.random()
    random.seed(1)
    cross_validate(build, X, Y, FOLD, epochs=1, batch_size=256)
    assert random.random() == expected


def test_what_was_trained_before_is_refused():
    model, trained, optimizer = build(), build(), keras.optimizers.Adam()
    training.fit(trained, X, Y, epochs=1, batch_size=256)

    def build_with_one():
        network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
        network.compile(optimizer, "mse")
        return network

    for build_model in (lambda: model, lambda: trained, build_with_one):
        with pytest.raises(BadInput, match="model or an optimizer that was trained before"):
            cross_validate(build_model, X, Y, FOLD, epochs=1, batch_size=256)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fold": FOLD[:10]}, r"the arrays hold \[300, 300\]"),
        ({"fold": FOLD * 0}, r"hold \[300\] events"),
        ({"y": Y[:10]}, r"the arrays hold \[300, 10\]"),
        ({"build_model": lambda: keras.Sequential([keras.Input((3,))])}, "compiled False"),
    ],
)
def test_bad_input_is_named(changes, message):
    arguments = {"build_model": build, "x": X, "y": Y, "fold": FOLD, "epochs": 1, "batch_size": 256} | changes
    with pytest.raises(BadInput, match=message):
        cross_validate(**arguments)
