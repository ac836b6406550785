"""The checks of chapter 2: right answers in several idioms, and the mistakes that students make."""

from __future__ import annotations

import math

import numpy as np

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


def share_error(weights, fraction):
    return np.sqrt(fraction * (1 - fraction) * (weights**2).sum()) / weights.sum()


def knowing_nothing(share):
    return share, -share * np.log(share) - (1 - share) * np.log(1 - share)


def gradient(x, y, weights):
    return x.T @ (sigmoid(x @ weights) - y) / len(y)


def gradient_by_loop(x, y, weights):
    total = [0.0] * len(weights)
    for inputs, label in zip(x, y, strict=True):
        p = 1 / (1 + math.exp(-sum(w * value for w, value in zip(weights, inputs, strict=True))))
        total = [t + (p - label) * value / len(y) for t, value in zip(total, inputs, strict=True)]
    return total


def descend(x, y, weights, learning_rate, n_steps, gradient=gradient):
    path = [weights]
    for _ in range(n_steps):
        path.append(path[-1] - learning_rate * gradient(x, y, path[-1]))
    return np.array(path)


def descend_into_an_array(x, y, weights, learning_rate, n_steps):
    path = np.zeros((n_steps + 1, len(weights)))
    path[0] = weights
    for i in range(n_steps):
        path[i + 1] = path[i] - learning_rate * gradient(x, y, path[i])
    return path


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
        [
            share_error,
            lambda weights, f: math.sqrt(f * (1 - f) * sum(w * w for w in weights)) / sum(weights),
            lambda weights, f: share_error(weights.astype(np.float32), f),
        ],
        (lambda w, f: np.sqrt((w**2).sum()) / w.sum(), "the probability is missing"),
        (lambda w, f: share_error(w, 0.6), "hint: other arguments"),
        (lambda w, f: np.sqrt(0.24 * (w**2).sum()) / w.sum(), "hint: other arguments"),
        (lambda w, f: share_error(np.abs(w), f), ""),
    ),
    "2.3": Exercise(
        [
            arrays,
            arrays_by_loop,
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
        [(300, 3660, 61), [300.0, 3660, np.int64(61)], np.array([300, 3660, 61])],
        ((240, 3600, 60), "biases are missing"),
        (4021, "one value is given"),
        ((300, 3660, 60), "hint: the output layer"),
        ((300, 3600, 61), "hint: the second hidden layer"),
        ((300, 3660), "2 values are given where 3"),
        ((300, 3660, 61, 4021), "4 values are given where 3"),
    ),
    "2.5": Exercise(
        [forward, forward_in_single_precision],
        (lambda x, layers: forward_through_all(x, layers, bias=0), "biases are left out"),
        (lambda x, layers: forward(x, layers)[:, None], "second dimension"),
        (forward_in_place, "changes what it is given: x"),
        (lambda x, layers: forward(x, layers).mean(), "hint: one number per event"),
        (lambda x, layers: forward(x, layers[-1:]) if len(layers) < 2 else forward(x, [layers[0], layers[-1]]), ""),
        (lambda x, layers: forward_through_all(x, layers, hidden=lambda z: np.max(0, z)), "hint: np.maximum(0, x)"),
        (lambda x, layers: forward_through_all(x, layers, hidden=lambda z: max(0, z)), "hint: np.maximum"),
    ),
    "2.6": Exercise(
        [knowing_nothing, lambda share: [share, -(share * math.log(share) + (1 - share) * math.log(1 - share))]],
        (lambda share: (0.5, np.log(2)), "not always 0.5"),
        (lambda share: knowing_nothing(share)[1], "one value is given"),
        (lambda share: knowing_nothing(0.3), "hint: other arguments"),
        (lambda share: (share, 0.61), ""),
        (lambda share: (0, knowing_nothing(share)[1]), ""),
    ),
    "2.7": Exercise(
        [
            gradient,
            gradient_by_loop,
            lambda x, y, weights: gradient(*(values.astype(np.float32) for values in (x, y, weights))),
        ],
        (lambda x, y, weights: -gradient(x, y, weights), "the sign"),
        (lambda x, y, weights: gradient(x, y, weights)[:1], "shape"),
        (lambda x, y, weights: gradient(x, y, weights) * len(y) / 200, "hint: other arguments"),
        (lambda x, y, weights: gradient(x, y, 0 * weights), ""),
    ),
    "2.8": Exercise(
        [
            descend,
            descend_into_an_array,
            lambda x, y, weights, rate, n: descend(x, y, weights.astype(np.float32), rate, n),
        ],
        (lambda x, y, w, rate, n: descend(x, y, w, -rate, n), "uphill"),
        (lambda x, y, w, rate, n: descend(x, y, w, 0.5, n), "hint: other arguments"),
        (lambda x, y, w, rate, n: descend(x, y, w, rate, 12), "hint: other arguments"),
        (lambda x, y, w, rate, n: descend(x, y, w, rate, n, lambda x, y, w: gradient(x, y, w) * len(y)), ""),
    ),
    "2.9": Exercise(
        [12.5, np.float32(12.5), 12.45],
        (6.25, "arrives at the bottom at once"),
        (2 / 0.08, "the flattest direction"),
        (0.08, "turned round"),
        (2 / 0.24, "both curvatures are added"),
        (2 / 0.12, "a mean curvature"),
        ("12.5", "leave out the quotes"),
        (13.0, ""),
        (11.9, ""),
        ([25.0, 12.5], ""),
        (-12.5, ""),
        context=lambda: {"curvatures": np.array([0.08, 0.16])},
    ),
}

test_right, test_forms, test_wrong, test_open, test_absurd = make_tests(EXERCISES)
