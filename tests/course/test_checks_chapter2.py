"""The checks of chapter 2: right answers in several idioms, and the mistakes that students make."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from course import checks
from labcourse import samples, splitting
from tests.course.answers import Exercise, make_tests


def split(events, train_fraction, number=lambda events: splitting.uniform(events, salt="test")):
    mask = number(events) < train_fraction
    return events[mask], events[~mask]


def arrays(events, columns, signal=samples.SIGNAL, dtype=np.float32):
    return events[columns].to_numpy(dtype), events["sample"].isin(signal).to_numpy(dtype)


def arrays_by_loop(events, columns):
    x = np.zeros((len(events), len(columns)), np.float32)
    for i, name in enumerate(columns):
        x[:, i] = events[name]
    y = np.array([1.0 if name in samples.SIGNAL else 0.0 for name in events["sample"]], dtype="float32")
    return [x, y]


def batches(n_events, batch_size):
    return math.ceil(n_events / batch_size), n_events % batch_size or batch_size


def batches_by_loop(n_events, batch_size):
    n = 1
    while n_events > batch_size:
        n_events -= batch_size
        n += 1
    return [n, n_events]


def standardise_by_loop(x, reference):
    result = np.zeros_like(x)
    for i in range(x.shape[1]):
        result[:, i] = (x[:, i] - np.mean(reference[:, i])) / np.std(reference[:, i], ddof=1)
    return result


def standardise_in_place(x, reference):
    x -= reference.mean(axis=0)
    x /= reference.std(axis=0)
    return x


def relu(z):
    return np.where(z > 0, z, 0)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def forward(x, layers):
    for kernel, bias in layers[:-1]:
        x = relu(np.dot(x, kernel) + bias)
    return sigmoid(np.dot(x, layers[-1][0]) + layers[-1][1]).flatten()


def forward_through_all(x, layers, hidden=relu, last=sigmoid, bias=1):
    for i, (kernel, b) in enumerate(layers):
        x = x @ kernel + bias * b
        x = last(x) if i == len(layers) - 1 else hidden(x)
    return x[:, 0]


def forward_in_single_precision(x, layers):
    return forward(x.astype(np.float32), [(k.astype(np.float32), b.astype(np.float32)) for k, b in layers])


def forward_in_place(x, layers):
    result = forward(x, layers)
    x[:] = 0
    return result


def cross_entropy(y, p):
    return -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean()


def in_tensorflow(result):
    import tensorflow as tf

    return tf.constant(result)


def cross_entropy_by_loop(y, p):
    total = 0
    for label, score in zip(y, p, strict=True):
        total -= math.log(score) if label == 1 else math.log(1 - score)
    return total / len(y)


SHARES = pd.DataFrame(
    {"raw": [0.601, 0.55, 0.61, 0.59], "expected": [0.602, 0.57, 0.64, 0.59], "error": [0.001, 0.04, 0.02, 0.05]},
    index=["llll", "Zee", "ttbar_lep", "Zmumu"],
)

EXERCISES = {
    "2.1": Exercise(
        [
            split,
            lambda events, f: [part.reset_index(drop=True) for part in split(events, f)],
            lambda events, f: (
                events.loc[splitting.uniform(events, salt="test") < f],
                events.loc[splitting.uniform(events, salt="test") >= f],
            ),
        ],
        (lambda events, f: split(events, f, lambda events: np.arange(len(events)) / len(events)), "another order"),
        (lambda events, f: split(events, f, lambda e: np.random.default_rng().random(len(e))), "a second call"),
        (lambda events, f: split(events, f, splitting.uniform), "the salt is missing"),
        (lambda events, f: split(events, f)[::-1], "swapped"),
        (lambda events, f: (split(events, f)[0], events), "in both parts"),
        (lambda events, f: split(events, f)[0], "one value is given"),
        (lambda events, f: (splitting.uniform(events, salt="test") < f,) * 2, "no event tables"),
        (lambda events, f: split(events, 0.6), "hint: another fraction"),
        (lambda events, f: split(events, f, lambda events: events["event"] % 10 / 10), "hint: all later chapters"),
        (lambda events, f: [part[["run", "event", "weight"]] for part in split(events, f)], "hint: whole rows"),
        (lambda events, f: [part.drop_duplicates("event") for part in split(events, f)], "hint: exactly one"),
    ),
    "2.2": Exercise(
        ["ttbar_lep"],
        ("llll", "closest to 0.6"),
        ("Zee", "farthest in raw events"),
        ("Zmumu", "has the largest error"),
        (0.64, "this is a number"),
        ("ttbar", "there is no such name"),
        (["ttbar_lep"], "not a name"),
        (2, "not a name"),
        ("Zmumu, ttbar_lep", "no such name"),
        context=lambda: {"shares": SHARES},
    ),
    "2.3": Exercise(
        [
            arrays,
            arrays_by_loop,
            lambda events, columns: arrays(events, list(columns), set(samples.SIGNAL)),
            lambda events, columns: (
                np.asfortranarray(events.loc[:, columns].to_numpy().astype(np.float32)),
                np.isin(events["sample"].astype(str), samples.SIGNAL).astype(np.float32),
            ),
        ],
        (lambda events, columns: arrays(events, columns, ["ggH125_ZZ4lep"]), "only one of the signal samples"),
        (lambda events, columns: arrays(events, columns, samples.BACKGROUND), "swapped"),
        (lambda events, columns: (arrays(events, columns)[0].T, arrays(events, columns)[1]), "on its side"),
        (lambda events, columns: (arrays(events, columns)[0], arrays(events, columns)[1][:, None]), "second dim"),
        (lambda events, columns: arrays(events, sorted(columns)), "the columns are sorted"),
        (lambda events, columns: arrays(events, columns, dtype=float), "hint: float32"),
        (lambda events, columns: (events[columns], events["sample"]), "hint: NumPy arrays"),
        (lambda events, columns: arrays(events, ["lep3_pt", "lep1_pt", "lep2_pt"]), "hint: other arguments"),
        (lambda events, columns: (arrays(events, columns)[0], events["sample"] in samples.SIGNAL), "hint: .isin"),
    ),
    "2.4": Exercise(
        [
            batches,
            batches_by_loop,
            lambda n, size: (int(np.ceil(n / size)), n - (int(np.ceil(n / size)) - 1) * size),
        ],
        (lambda n, size: (n // size, size), "left out"),
        (lambda n, size: (n / size, n % size), "fraction of a batch"),
        (lambda n, size: (math.ceil(n / size), n % size), "the last batch is empty"),
        (lambda n, size: (math.ceil(n / size), size), "always counts as full"),
        (lambda n, size: n // size, "one value is given"),
        (lambda n, size: tuple(map(float, batches(n, size))), "hint: whole numbers"),
        (lambda n, size: (math.ceil(n / size), n % size or 128), "hint: other arguments"),
        (lambda n, size: (max(2, math.ceil(n / size)), batches(n, size)[1]), ""),
        (lambda n, size: (math.ceil(n / size), n - n // size * size or n), ""),
    ),
    "2.5": Exercise(
        [
            lambda x, reference: (x - reference.mean(axis=0)) / reference.std(axis=0),
            lambda x, reference: (pd.DataFrame(x) - pd.DataFrame(reference).mean()) / pd.DataFrame(reference).std(),
            lambda x, reference: ((x - reference.mean(axis=0)) / reference.std(axis=0)).astype(np.float32),
            standardise_by_loop,
            lambda x, reference: in_tensorflow((x - reference.mean(axis=0)) / reference.std(axis=0)),
        ],
        (standardise_in_place, "changes what it is given: x"),
        (lambda x, reference: x.mean(axis=0), "hint: keeps the shape"),
        (lambda x, reference: (x - reference.mean(axis=0)) / reference[:, 0].std(), "hint: divide by"),
        (lambda x, reference: (x - reference.mean(axis=0)) / x.std(axis=0), ""),
        (lambda x, reference: (x - x.mean(axis=0)) / reference.std(axis=0), ""),
    ),
    "2.6": Exercise(
        [(300, 3660, 61), [300.0, 3660, np.int64(61)], np.array([300, 3660, 61])],
        ((240, 3600, 60), "biases are missing"),
        ((60, 60, 1), "these are the neurons"),
        ((244, 3660, 61), "belongs to a neuron"),
        ((241, 3601, 61), "one bias per layer"),
        (4021, "one value is given"),
        ((300, 3660, 60), "hint: the output layer"),
        ((300, 3600, 61), "hint: the second hidden layer"),
        ((300, 3660), "2 values are given where 3"),
        ((300, 3660, 61, 4021), "4 values are given where 3"),
    ),
    "2.7": Exercise(
        [
            forward,
            forward_in_single_precision,
            lambda x, layers: list(forward(x, layers)),
            lambda x, layers: pd.Series(forward(x, layers)),
        ],
        (lambda x, layers: forward(x, layers)[:, None], "second dimension"),
        (forward_in_place, "changes what it is given: x"),
        (lambda x, layers: forward(x, layers).mean(), "hint: one number per event"),
        (lambda x, layers: forward(x, layers[-1:]) if len(layers) < 2 else forward(x, [layers[0], layers[-1]]), ""),
        (lambda x, layers: forward_through_all(x, layers, hidden=lambda z: np.max(0, z)), "hint: np.maximum(0, x)"),
        (lambda x, layers: forward_through_all(x, layers, hidden=lambda z: max(0, z)), "hint: np.maximum"),
    ),
    "2.8": Exercise(
        [
            cross_entropy,
            cross_entropy_by_loop,
            lambda y, p: cross_entropy(y.astype(np.float32), p.astype(np.float32)),
            lambda y, p: cross_entropy(pd.Series(y), pd.Series(p)),
            lambda y, p: in_tensorflow(cross_entropy(y, p)),
        ],
        (lambda y, p: abs(np.mean(y * np.log(p))) + abs(np.mean((1 - y) * np.log(p))), ""),
        (lambda y, p: cross_entropy(y, np.clip(p, 0.001, 0.999)), "hint: sure and wrong"),
        (lambda y, p: np.median(-np.log(np.where(y == 1, p, 1 - p))), ""),
        (lambda y, p: -math.log(p), "hint: functions of np"),
    ),
    "2.10": Exercise(
        [(0.05, 0.006), [np.float64(0.05), np.float32(0.006)], (0.055, 0.005), np.array([0.05, 0.006])],
        ((0.6, 0.516), "this is a loss"),
        ((-0.05, -0.006), "this is a rise"),
        ((0.09, 0.006), "the fall over all epochs"),
        (("a lot", "little"), "leave out the quotes"),
        (0.05, "one value is given"),
        ((0.02, 0.006), "✗ the fall from the first"),
        ((0.05, 0.02), "✗ the fall from the fourth"),
        ((0.05, -0.006), "this is a rise"),
        ((0.05, 0.006, 0.001), "3 values are given"),
        context=lambda: {"losses": [0.6, 0.55, 0.53, 0.516, 0.51]},
    ),
}

test_right, test_wrong, test_open, test_absurd = make_tests(EXERCISES)


def test_an_interrupted_training_has_no_curve_to_read(capsys):
    for losses in ([], [0.6], [0.6, 0.55]):
        checks.exercise_2_10((0.05, 0.006), losses=losses)
        assert f"interrupted after {len(losses)} of 5 epochs" in capsys.readouterr().out
