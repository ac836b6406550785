"""The checks of chapter 2: right answers in several idioms, and the mistakes that students make."""

import numpy as np

from labcourse import samples, splitting
from tests.course.answers import Exercise, make_tests, own


def split(events, train_fraction, number=lambda events: splitting.uniform(events, salt="test")):
    mask = number(events) < train_fraction
    return events[mask], events[~mask]


def arrays(events, columns, signal=samples.SIGNAL, dtype=np.float32):
    return events[columns].to_numpy(dtype), events["sample"].isin(signal).to_numpy(dtype)


def share_error(weights, fraction):
    return np.sqrt(fraction * (1 - fraction) * (weights**2).sum()) / weights.sum()


forward, knowing_nothing, gradient, descend = map(own, ("2.5", "2.6", "2.7", "2.8"))


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
        (lambda events, f: split(events, 0.6), "hint: another fraction"),
        (lambda events, f: split(events, f, lambda events: events["event"] % 10 / 10), "hint: all later chapters"),
        (lambda events, f: [part[["run", "event", "weight"]] for part in split(events, f)], "hint: whole rows"),
        (lambda events, f: [part.drop_duplicates("event") for part in split(events, f)], "hint: exactly one"),
    ),
    "2.2": Exercise(
        [share_error, lambda weights, f: share_error(weights.astype(np.float32), f)],
        (lambda w, f: share_error(w, 0.6), "hint: other arguments"),
        (lambda w, f: np.sqrt(0.24 * (w**2).sum()) / w.sum(), "hint: other arguments"),
        (lambda w, f: share_error(np.abs(w), f), ""),
    ),
    "2.3": Exercise(
        [
            arrays,
            lambda events, columns: (
                np.asfortranarray(events.loc[:, columns].to_numpy().astype(np.float32)),
                np.isin(events["sample"].astype(str), samples.SIGNAL).astype(np.float32),
            ),
        ],
        (lambda events, columns: arrays(events, columns, samples.BACKGROUND), "swapped"),
        (lambda events, columns: arrays(events, sorted(columns)), "the columns are sorted"),
        (lambda events, columns: arrays(events, columns, dtype=float), "hint: float32"),
        (lambda events, columns: (events[columns], events["sample"]), "hint: NumPy arrays"),
        (lambda events, columns: arrays(events, ["lep3_pt", "lep1_pt", "lep2_pt"]), "hint: other arguments"),
    ),
    "2.4": Exercise(
        [(300, 3660, 61), [300.0, 3660, np.int64(61)], np.array([300, 3660, 61])],
        ((240, 3600, 60), "biases are missing"),
        ((300, 3660, 60), "hint: the output layer"),
        ((300, 3600, 61), "hint: the second hidden layer"),
    ),
    "2.5": Exercise(
        [forward, lambda x, layers: forward(x.astype("f4"), [(k.astype("f4"), b.astype("f4")) for k, b in layers])],
        (lambda x, layers: forward(x, layers).mean(), "the mean of all"),
        (lambda x, layers: forward(x, layers[-1:]) if len(layers) < 2 else forward(x, [layers[0], layers[-1]]), ""),
    ),
    "2.6": Exercise(
        [knowing_nothing],
        (lambda share: knowing_nothing(0.3), "hint: other arguments"),
        (lambda share: (share, 0.61), ""),
        (lambda share: (0, knowing_nothing(share)[1]), ""),
    ),
    "2.7": Exercise(
        [gradient, lambda x, y, weights: gradient(*(values.astype(np.float32) for values in (x, y, weights)))],
        (lambda x, y, weights: gradient(x, y, weights) * len(y) / 200, "hint: other arguments"),
        (lambda x, y, weights: gradient(x, y, 0 * weights), ""),
    ),
    "2.8": Exercise(
        [descend, lambda x, y, weights, rate, n: descend(x, y, weights.astype(np.float32), rate, n)],
        (lambda x, y, w, rate, n: descend(x, y, w, 0.5, n), "hint: other arguments"),
        (lambda x, y, w, rate, n: descend(x, y, w, rate, 12), "hint: other arguments"),
    ),
    "2.9": Exercise(
        [12.5, np.float32(12.5), 12.45],
        (6.25, "arrives at the bottom at once"),
        (2 / 0.08, "the flattest direction"),
        (0.08, "turned round"),
        (2 / 0.24, ""),
        (2 / 0.12, "a mean curvature"),
        (13.0, ""),
        (11.9, ""),
        (-12.5, ""),
        context=lambda: {"curvatures": np.array([0.08, 0.16])},
    ),
}

test_right, test_forms, test_wrong, test_open, test_absurd = make_tests(EXERCISES)
