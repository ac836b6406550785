"""The checks of chapter 6: right answers in several idioms, and the mistakes that students make."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest

from tests.course.answers import Exercise, make_tests


def masks_by_loop(fold, number):
    trains = [f != number for f in fold]
    return trains, [not t for t in trains]


def build(x, **options):
    pytest.importorskip("keras")
    from labcourse import network

    return network.build(4, **({"normalise": x, "learning_rate": 1e-3} | options))


def compiled(x, *, output="sigmoid", optimizer=None, loss="binary_crossentropy"):
    keras = pytest.importorskip("keras")
    normalise = keras.layers.Normalization()
    normalise.adapt(x)
    layers = [normalise, keras.layers.Dense(60, "relu"), keras.layers.Dense(60, "relu")]
    model = keras.Sequential([keras.Input((4,)), *layers, keras.layers.Dense(1, output)])
    model.compile(optimizer=optimizer or keras.optimizers.Adam(1e-3), loss=loss)
    if optimizer:
        model.optimizer.learning_rate = 1e-3
    return model


def with_loss_object(x):
    keras = pytest.importorskip("keras")
    return compiled(x, loss=keras.losses.BinaryCrossentropy())


SOME_EVENTS = np.random.default_rng(0).random((50, 4)).astype(np.float32)


def loop(build_model, train_and_validate, fold):
    losses = []
    for number in range(fold.max() + 1):
        losses.append(train_and_validate(build_model(), fold != number, fold == number))
    return np.array(losses)


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


LEAK = {
    "fresh": [0.50, 0.51, 0.52],
    "reused": [0.50, 0.45, 0.40],
    "fresh, other events": [0.53, 0.54, 0.55],
    "reused, other events": [0.53, 0.70, 0.80],
}
LOSSES = {
    "60-60": [0.50, 0.52, 0.54, 0.56, 0.55],
    "20-20": [0.51, 0.53, 0.538, 0.57, 0.556],
}  # differences: mean 0.0068


def loop_with(fresh=True, masks=lambda fold, i: (fold != i, fold == i), numbers=lambda fold: range(fold.max() + 1)):
    def answer(build_model, train, fold):
        model = build_model()
        return [train(build_model() if fresh else model, *masks(fold, i)) for i in numbers(fold)]

    return answer


KEPT = {}

EXERCISES = {
    "6.1": Exercise(
        [
            lambda fold, number: (fold != number, fold == number),
            lambda fold, number: [~np.isin(fold, [number]), np.isin(fold, [number])],
            masks_by_loop,
        ],
        (lambda fold, number: fold != number, "8 values are given"),
        (lambda fold, number: (fold != 1, fold == 1), "✗ it works for the fold of number 0"),
        (lambda fold, number: ((fold != number).astype(int), (fold == number).astype(int)), "no masks"),
        (lambda fold, number: (fold != number, fold <= number), "✗ the events of the fold validate"),
    ),
    "6.2": Exercise(
        [build, compiled, with_loss_object, lambda x: build(x, seed=6), lambda x: build(x.astype(float))],
        (lambda x: KEPT.setdefault("model", build(x)), "both calls return the same model"),
        (lambda x: build(x, normalise=None), "the inputs are not normalised"),
        (lambda x: build(x, learning_rate=2e-4), "its rate is 0.0002"),
        (lambda x: build(x, hidden=(8,)), "its layers are [8, 1]"),
        (lambda x: x, "no Keras model"),
        (lambda x: build(x, activation="linear"), "its hidden layers have no activation"),
        (lambda x: build(SOME_EVENTS), "always normalised with the same events"),
        (lambda x: compiled(x, optimizer="sgd"), "its optimizer is SGD"),
        (lambda x: compiled(x, loss="mse"), "its loss is m"),
        (lambda x: build(x, activation=None), "no activation"),
        (lambda x: build(x, normalise=x[:100]), "✗ its inputs are normalised with the events that are passed in"),
        (lambda x: build(x, learning_rate=0.01), "its rate is 0.01"),
        (lambda x: build(x, hidden=(60, 60, 60)), "its layers are"),
    ),
    "6.3": Exercise(
        [
            loop,
            lambda *given: list(loop(*given)),
            lambda *given: loop(*given).astype(np.float32),
            lambda build, train, fold: [train(build(), fold != n, fold == n) for n in np.unique(fold)],
        ],
        (loop_with(fresh=False), "one model goes through all folds"),
        (loop_with(numbers=lambda fold: range(fold.max())), "only 4 of 5 folds"),
        (loop_with(numbers=lambda fold: range(5)), "three folds take 5 trainings"),
        (loop_with(numbers=lambda fold: range(len(fold))), "one training per event"),
        (loop_with(masks=lambda fold, i: (fold == i, fold != i)), "the fold trains"),
        (loop_with(masks=lambda fold, i: (fold >= 0, fold == i)), "some events train and validate"),
        (loop_with(masks=lambda fold, i: (fold != 0, fold == 0)), "the same fold validates every time"),
        (lambda *given: loop(*given).mean(), "this is the mean"),
        (lambda build, train, fold: np.zeros(5), "nothing is trained"),
        (lambda build, train, fold: loop(lambda: build(SOME_EVENTS), train, fold), "is called with an argument"),
        (lambda build, train, fold: loop(lambda: build, train, fold), "a function is trained"),
        (lambda *given: np.sort(loop(*given)), "the losses are sorted"),
        (lambda *given: sorted(loop(*given)), "the losses are sorted"),
        (lambda *given: loop(*given)[::-1], "✗ returns the loss of each fold, in order"),
        (lambda *given: np.round(loop(*given), 1), "✗ returns the loss"),
        (lambda build, train, fold: loop(build, train, fold) * len(fold) / 11, "✗ three folds"),
    ),
    "6.4": Exercise(
        [0.12, 0.115, np.float32(0.125)],
        (-0.12, "the sign is the other way round"),
        (0.40, "this is the loss itself"),
        (0.0, "this is the first fold"),
        (23.0, "per cent"),
        (0.06, "the mean over the folds"),
        (0.3, "✗ loss of the fresh"),
        (0.09, ""),
        ("0.12", "leave out the quotes"),
        ((0.52, 0.40), ""),
        context=lambda: {"losses": LEAK},
    ),
    "6.5": Exercise(
        [
            spread(lambda x: x.std(ddof=1)),
            lambda losses: [statistics.mean(losses), statistics.stdev(losses)],
            lambda losses: (sum(losses) / len(losses), np.sqrt(np.var(losses, ddof=1))),
        ],
        (lambda losses: (np.std(losses, ddof=1), np.mean(losses)), "the order is another one"),
        (lambda losses: np.mean(losses), "one value is given"),
        (lambda losses: (losses.mean(), losses.std(ddof=1)), "a list has no .mean()"),
        (lambda losses: (np.mean(losses), np.std(losses) * np.sqrt(5 / 4)), "✗ works for a list of two"),
        (lambda losses: (np.mean(losses), round(np.std(losses, ddof=1), 3)), ""),
    ),
    "6.6": Exercise(
        [shared, shared_with_sets, lambda *given: np.float32(shared(*given))],
        (lambda f, a, b: (f != a) & (f != b), "received ndarray"),
        (lambda f, a, b: (len(f) - np.sum(f == a) - np.sum(f == b)) / np.sum(f != a), "✗ a network shares"),
    ),
    "6.8": Exercise(
        [
            corrected,
            lambda losses, t, v: ((1 / len(losses) + v / t) * losses.var(ddof=1)) ** 0.5,
            lambda losses, t, v: corrected(losses.astype(np.float32), t, v),
        ],
        (lambda losses, t, v: corrected(losses[:6], t, v), "hint: J is the number of losses"),
        (lambda losses, t, v: np.std(losses, ddof=1) * np.sqrt(1 / 6 + v / t), "✗ J is the number"),
        (lambda losses, t, v: corrected(losses, 1000, 230), "✗ the numbers of events"),
    ),
    "6.9": Exercise(
        [(4, 0.0068), [np.int64(4), np.float32(0.007)], (4.0, 0.0066)],
        ((1, 0.0068), "the second model is better"),
        ((4, -0.0068), "the sign of the mean"),
        ((4, 0.034), "the differences are added up"),
        ((4, 0.54), "this is a loss"),
        (4, "one value is given"),
        ((4, 0.02), "✗ the mean difference"),
        ((3, 0.0068), "✗ the number of folds"),
        ((4, 0.0), ""),
        (("4", "0.0068"), ""),
        context=lambda: {"losses": LOSSES},
    ),
}

test_right, test_wrong, test_open, test_absurd = make_tests(EXERCISES)
