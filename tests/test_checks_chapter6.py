"""The checks of chapter 6: right answers in several idioms, and the mistakes that students make."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest

from tests.answers import Exercise, make_tests


def masks_by_loop(fold, number):
    trains = [f != number for f in fold]
    return trains, [not t for t in trains]


def build(x, **options):
    pytest.importorskip("keras")
    from labcourse import network

    return network.build(4, **({"normalise": x, "learning_rate": 1e-3} | options))


def build_with_keras(x):
    keras = pytest.importorskip("keras")
    normalise = keras.layers.Normalization()
    normalise.adapt(x)
    layers = [normalise, keras.layers.Dense(60, "relu"), keras.layers.Dense(60, "relu")]
    model = keras.Sequential([keras.Input((4,)), *layers, keras.layers.Dense(1, "sigmoid")])
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss="binary_crossentropy")
    return model


BUILT = {}


def one_model(x):
    if "model" not in BUILT:
        BUILT["model"] = build(x)
    return BUILT["model"]


def shared_optimizer(x):
    keras = pytest.importorskip("keras")
    BUILT.setdefault("optimizer", keras.optimizers.Adam(1e-3))
    model = build(x)
    model.optimizer = BUILT["optimizer"]
    return model


SOME_EVENTS = np.random.default_rng(0).random((50, 4)).astype(np.float32)


def loop(build_model, train_and_validate, fold):
    losses = []
    for number in range(fold.max() + 1):
        losses.append(train_and_validate(build_model(), fold != number, fold == number))
    return np.array(losses)


def loop_with_reused_model(build_model, train_and_validate, fold):
    model = build_model()
    return [train_and_validate(model, fold != number, fold == number) for number in range(fold.max() + 1)]


def loop_without_the_last(build_model, train_and_validate, fold):
    return [train_and_validate(build_model(), fold != number, fold == number) for number in range(fold.max())]


def loop_from_one(build_model, train_and_validate, fold):
    return [train_and_validate(build_model(), fold != number, fold == number) for number in range(1, fold.max() + 1)]


def loop_over_events(build_model, train_and_validate, fold):
    return [train_and_validate(build_model(), fold != number, fold == number) for number in fold]


def loop_swapped(build_model, train_and_validate, fold):
    return [train_and_validate(build_model(), fold == number, fold != number) for number in range(fold.max() + 1)]


def loop_with_all_training(build_model, train_and_validate, fold):
    return [train_and_validate(build_model(), fold >= 0, fold == number) for number in range(fold.max() + 1)]


def loop_with_one_fold(build_model, train_and_validate, fold):
    return [train_and_validate(build_model(), fold != 0, fold == 0) for number in range(fold.max() + 1)]


def returning_too_early(build_model, train_and_validate, fold):
    for number in range(fold.max() + 1):
        loss = train_and_validate(build_model(), fold != number, fold == number)
    return loss


def spread(function):
    return lambda losses: (np.mean(losses), function(np.asarray(losses)))


def shared(fold, first, second):
    return np.sum((fold != first) & (fold != second)) / np.sum(fold != first)


def shared_with_sets(fold, first, second):
    a = {i for i, f in enumerate(fold) if f != first}
    b = {i for i, f in enumerate(fold) if f != second}
    return len(a & b) / len(a)


def corrected(losses, n_training, n_validation):
    return np.std(losses, ddof=1) * math.sqrt(1 / len(losses) + n_validation / n_training)


LOSSES = {
    "60-60": [0.50, 0.52, 0.54, 0.56, 0.55],
    "20-20": [0.51, 0.53, 0.538, 0.57, 0.556],
}  # differences: mean 0.0068

EXERCISES = {
    "6.1": Exercise(
        right=[
            lambda fold, number: (fold != number, fold == number),
            lambda fold, number: [~np.isin(fold, [number]), np.isin(fold, [number])],
            masks_by_loop,
        ],
        mistakes=[
            (lambda fold, number: (fold == number, fold != number), "the fold trains"),
            (lambda fold, number: (fold < number, fold == number), "before it train"),
            (lambda fold, number: (fold > number, fold == number), "behind it train"),
            (lambda fold, number: (fold != number - 1, fold == number - 1), "counted from 1"),
            (lambda fold, number: (fold >= 0, fold == number), "train as well"),
            (lambda fold, number: (np.where(fold != number)[0], np.where(fold == number)[0]), "no masks"),
            (lambda fold, number: (fold[fold != number], fold[fold == number]), "no masks"),
            (lambda fold, number: fold != number, "8 values are given"),
        ],
    ),
    "6.2": Exercise(
        right=[build, build_with_keras],
        mistakes=[
            (one_model, "both calls return the same model"),
            (shared_optimizer, "share one optimizer"),
            (lambda x: build(x, normalise=None), "the inputs are not normalised"),
            (lambda x: build(SOME_EVENTS), "always normalised with the same events"),
            (lambda x: build(x, learning_rate=2e-4), "its learning rate is 0.0002"),
            (lambda x: build(x, hidden=(8,)), "its layers are [8, 1]"),
            (lambda x: x, "no Keras model"),
        ],
    ),
    "6.3": Exercise(
        right=[loop, lambda *given: list(loop(*given)), lambda *given: loop(*given).astype(np.float32)],
        mistakes=[
            (loop_with_reused_model, "one model goes through all folds"),
            (loop_without_the_last, "only 4 of 5 folds"),
            (loop_from_one, "only 4 of 5 folds"),
            (loop_over_events, "one training an event"),
            (loop_swapped, "the fold trains"),
            (loop_with_all_training, "some events train and validate"),
            (loop_with_one_fold, "the same fold validates every time"),
            (lambda *given: loop(*given).mean(), "this is the mean"),
            (returning_too_early, "the loss of the last fold"),
            (lambda build, train, fold: np.zeros(5), "nothing is trained"),
        ],
    ),
    "6.4": Exercise(
        right=[0.12, 0.115, np.float32(0.125)],
        mistakes=[
            (-0.12, "the sign is the other way round"),
            (0.40, "this is the loss itself"),
            (0.52, "this is the loss itself"),
            (0.0, "this is the first fold"),
            (23.0, "per cent"),
            (0.06, "the mean over the folds"),
        ],
        fails=[(0.3, "✗ loss of the fresh")],
        context=lambda: {"fresh": [0.50, 0.51, 0.52], "reused": [0.50, 0.45, 0.40]},
    ),
    "6.5": Exercise(
        right=[
            spread(lambda x: x.std(ddof=1)),
            lambda losses: [statistics.mean(losses), statistics.stdev(losses)],
            lambda losses: (sum(losses) / len(losses), np.sqrt(np.var(losses, ddof=1))),
        ],
        mistakes=[
            (spread(np.std), "divided by k"),
            (spread(lambda x: x.std(ddof=1) / np.sqrt(len(x))), "divided by √k"),
            (spread(lambda x: x.var(ddof=1)), "the variance"),
            (spread(np.ptp), "largest difference"),
            (spread(lambda x: np.abs(x - x.mean()).mean()), "mean absolute deviation"),
            (lambda losses: (np.std(losses, ddof=1), np.mean(losses)), "the order is another one"),
            (lambda losses: np.mean(losses), "one value is given"),
        ],
        fails=[(lambda losses: (losses.mean(), losses.std(ddof=1)), "a list has no .mean()")],
    ),
    "6.6": Exercise(
        right=[shared, shared_with_sets, lambda *given: np.float32(shared(*given))],
        mistakes=[
            (lambda f, a, b: np.sum((f != a) & (f != b)), "events are counted"),
            (lambda f, a, b: np.mean((f != a) & (f != b)), "divided by all events"),
            (lambda f, a, b: shared(f, b, a), "of the second network"),
            (lambda f, a, b: np.sum((f == a) & (f == b)) / np.sum(f == a), "these are validation events"),
            (lambda f, a, b: np.sum((f != a) | (f != b)) / np.sum(f != a), "this is the union"),
            (lambda f, a, b: 100 * shared(f, a, b), "per cent"),
            (lambda f, a, b: (len(np.unique(f)) - 2) / (len(np.unique(f)) - 1), "folds are counted"),
        ],
        fails=[(lambda f, a, b: (f != a) & (f != b), "received ndarray")],
    ),
    "6.8": Exercise(
        right=[
            corrected,
            lambda losses, t, v: ((1 / len(losses) + v / t) * losses.var(ddof=1)) ** 0.5,
            lambda losses, t, v: corrected(losses.astype(np.float32), t, v),
        ],
        mistakes=[
            (lambda losses, t, v: np.std(losses, ddof=1) / np.sqrt(len(losses)), "the naive error"),
            (lambda losses, t, v: corrected(losses, v, t), "upside down"),
            (lambda losses, t, v: corrected(losses, t + v, v), "divided by all events"),
            (lambda losses, t, v: np.sqrt(v / t * np.var(losses, ddof=1)), "1/J is missing"),
            (lambda losses, t, v: np.sqrt((1 / len(losses) + v / t) * np.var(losses)), "divided by J"),
            (lambda losses, t, v: corrected(losses, t, v) ** 2, "this is a variance"),
            (lambda losses, t, v: np.sqrt(1 / len(losses) + v / t * np.var(losses, ddof=1)), "brackets are missing"),
            (lambda losses, t, v: (1 / len(losses) + v / t) * np.std(losses, ddof=1), "only taken of the variance"),
        ],
        fails=[(lambda losses, t, v: corrected(losses[:6], t, v), "J is the number of losses")],
    ),
    "6.9": Exercise(
        right=[(4, 0.0068), [np.int64(4), np.float32(0.007)], (4.0, 0.0066)],
        mistakes=[
            ((1, 0.0068), "the second model is better"),
            ((4, -0.0068), "the sign of the mean"),
            ((4, 0.034), "the differences are added up"),
            ((4, 0.54), "this is a loss"),
            ((0.0068, 4), "the order is another one"),
            ((0.8, 0.0068), "the share of the folds"),
            (4, "one value is given"),
        ],
        fails=[((4, 0.02), "✗ the mean difference")],
        context=lambda: {"losses": LOSSES},
    ),
}

test_right, test_mistakes, test_fails, test_open, test_absurd = make_tests(EXERCISES)
