"""Checks of chapter 2, training."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labcourse import features, samples, splitting
from labcourse.checks import crafted
from labcourse.checks.report import Report, exercise

__all__ = [
    "exercise_2_1",
    "exercise_2_2",
    "exercise_2_3",
    "exercise_2_4",
    "exercise_2_5",
    "exercise_2_6",
    "exercise_2_7",
    "exercise_2_8",
    "exercise_2_10",
]

Array = NDArray[np.float64]
Layers = Sequence[tuple[Array, Array]]


def _split(events: pd.DataFrame, train_fraction: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The course's own answer to exercise 2.1."""
    train, test = splitting.split(events, train_fraction=train_fraction)
    return train, test


@exercise("2.1", fallback=_split)
def exercise_2_1(answer: Any, report: Report) -> None:
    """The split into training and test events, by identity."""
    events = _many_events()
    parts = answer(events, 0.6)
    if not report.holds(
        isinstance(parts, (tuple, list)) and len(parts) == 2 and all(isinstance(p, pd.DataFrame) for p in parts),
        "returns two event tables",
        hint="return train, test",
    ):
        return
    train, test = map(_identities, parts)
    whole = _identities(events)
    if train & test:
        report.wrong("some events are in both parts", "test events are those that do not train: the mask with ~")
        return
    if not report.holds(
        (train | test) == whole and sum(map(len, parts)) == len(events),
        "every event is in exactly one of the two parts",
        hint="use one mask for both: events[mask] and events[~mask]",
    ):
        return
    share = len(train) / len(whole)
    if abs(share - 0.4) < 0.05:
        report.wrong("the two parts are swapped", "training events come first, and are 60 % of all")
        return
    report.holds(abs(share - 0.6) < 0.05, "about 60 % of the events train", hint="compare the numbers with 0.6")
    report.holds(
        lambda: abs(len(answer(events, 0.9)[0]) / len(events) - 0.9) < 0.03,
        "another fraction gives another share",
        hint="use the argument train_fraction",
    )
    if _identities(answer(events, 0.6)[0]) != train:
        report.wrong("a second call gives other parts", "no random numbers: the events' own numbers decide")
        return
    shuffled = events.sample(frac=1.0, random_state=5)
    if _identities(answer(shuffled, 0.6)[0]) != train:
        report.wrong(
            "the parts change when the rows are put in another order",
            "an event's side must not depend on its position: use splitting.uniform",
        )
        return
    half = events[::2]
    report.holds(
        lambda: _identities(answer(half, 0.6)[0]) == train & _identities(half),
        "an event keeps its side when others are removed",
        hint="its side depends on run and event number alone",
    )
    report.holds(
        train == _identities(splitting.split(events).train),
        "the parts are those of all later chapters",
        hint='call splitting.uniform(events, salt="test"), and leave its seed alone',
    )


@exercise("2.2")
def exercise_2_2(answer: Any, report: Report, *, shares: pd.DataFrame) -> None:
    """The sample whose expected share in the training part is farthest from 0.6."""
    if not report.holds(isinstance(answer, str), "the answer is a name", hint='a string such as "llll"'):
        return
    if not report.holds(answer in shares.index, "it is the name of a sample", hint="as in the first column"):
        return
    distance = (shares["expected"] - 0.6).abs()
    if answer == distance.idxmin():
        report.wrong("this one is closest to 0.6", "we ask for the one that is farthest away")
        return
    raw_distance = (shares["raw"] - 0.6).abs()
    if answer == raw_distance.idxmax() and answer != distance.idxmax():
        report.wrong("this one is farthest in raw events", "read the column of expected events")
        return
    # Two samples that lie within a thousandth of each other cannot be told apart in the figure.
    report.holds(
        distance[answer] >= distance.max() - 0.001,
        "no other sample is farther away from 0.6",
        hint="above or below 0.6 both count",
    )


def _arrays(events: pd.DataFrame, columns: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The course's own answer to exercise 2.3."""
    return features.arrays(events, columns)[:2]


@exercise("2.3", fallback=_arrays)
def exercise_2_3(answer: Any, report: Report) -> None:
    """From the event table to the input array and the labels."""
    names = [*samples.SIMULATED, "llll", "ggH125_ZZ4lep"]
    rng = np.random.default_rng(23)
    columns = ["lep1_pt", "lep2_pt", "lep3_pt"]
    values = {name: rng.uniform(10, 90, len(names)).tolist() for name in [*columns, "m_llll"]}
    events = crafted.weighted(names, rng.normal(0.0, 1.0, len(names)).tolist(), **values)
    result = answer(events, columns)
    if not report.holds(
        isinstance(result, (tuple, list)) and len(result) == 2, "returns two arrays", hint="return x, y"
    ):
        return
    x, y = result
    if not report.holds(
        isinstance(x, np.ndarray) and isinstance(y, np.ndarray),
        "both are NumPy arrays",
        hint="end with .to_numpy() of the columns",
    ):
        return
    if x.shape == (len(columns), len(events)):
        report.wrong("the input array lies on its side", "one row an event: shape (n_events, n_columns)")
        return
    if not report.holds(
        x.shape == (len(events), len(columns)),
        "x has one row an event and one column a variable",
        hint="events[columns] selects several columns at once",
    ):
        return
    right = np.array([name in samples.SIGNAL for name in names], float)
    if y.shape == (len(events), 1):
        report.wrong("y has a second dimension", "one number an event: shape (n_events,)")
        return
    if not report.holds(y.shape == (len(events),), "y has one label an event", hint="shape (n_events,)"):
        return
    if np.array_equal(y, 1 - right):
        report.wrong("signal and background are swapped", "1 is signal, 0 is background")
        return
    if np.array_equal(y, np.array(names) == "ggH125_ZZ4lep"):
        report.wrong("only one of the signal samples counts as signal", "all samples in samples.SIGNAL are signal")
        return
    report.holds(np.array_equal(y, right), "y is 1 for the four Higgs samples, else 0", hint="isin(samples.SIGNAL)")
    report.holds(
        np.allclose(x, np.column_stack([values[name] for name in columns])),
        "x holds the columns asked for, in their order",
        hint="use the argument columns",
    )
    report.holds(
        x.dtype == np.float32 and y.dtype == np.float32,
        "both are float32, the type that networks compute with",
        hint=".to_numpy(np.float32), or .astype(np.float32)",
    )


def _batches(n_events: int, batch_size: int) -> tuple[int, int]:
    """The course's own answer to exercise 2.4."""
    n_batches = -(-n_events // batch_size)
    return n_batches, n_events - (n_batches - 1) * batch_size


@exercise("2.4", fallback=_batches)
def exercise_2_4(answer: Any, report: Report) -> None:
    """The number of batches in an epoch, and the size of the last one."""
    result = answer(1000, 128)
    if not report.holds(
        isinstance(result, (tuple, list)) and len(result) == 2,
        "returns two numbers",
        hint="return n_batches, last_size",
    ):
        return
    n_batches, last = result
    if n_batches == 7:
        report.wrong("the last, partial batch is left out", "7 × 128 = 896 events: 104 still have to be trained on")
        return
    if n_batches == 1000 / 128:
        report.wrong("this is a fraction of a batch", "round up to a whole number")
        return
    if (n_batches, last) == (104, 8):
        report.wrong("the two numbers are in the wrong order", "the number of batches comes first")
        return
    report.holds(
        n_batches == 8 and last == 104, "1000 events: 8 batches, the last with 104 events", hint="1000 = 7 × 128 + 104"
    )
    even = tuple(answer(256, 128))
    if even[0] == 3 or even[1] == 0:
        report.wrong("there is an empty batch at the end", "256 events make exactly two full batches of 128")
        return
    report.holds(even == (2, 128), "256 events: 2 batches, both full", hint="the last batch then has 128 events")
    report.holds(
        lambda: tuple(answer(100, 128)) == (1, 100),
        "100 events: one batch that holds all",
        hint="1 batch of 100 events",
    )
    report.holds(
        lambda: all(isinstance(number, (int, np.integer)) for number in answer(1000, 128)),
        "both are whole numbers",
        hint="// divides and rounds down; math.ceil rounds up",
    )


def _standardise(x: Array, reference: Array) -> Array:
    """The course's own answer to exercise 2.5."""
    return (x - reference.mean(axis=0)) / reference.std(axis=0)


@exercise("2.5", fallback=_standardise)
def exercise_2_5(answer: Any, report: Report) -> None:
    """Standardised inputs, with mean and width of the training events."""
    rng = np.random.default_rng(25)
    reference = rng.normal([60.0, 40.0, 5.0], [20.0, 10.0, 0.5], (500, 3))
    x = rng.normal([80.0, 35.0, 6.0], [30.0, 5.0, 1.0], (200, 3))
    before = x.copy(), reference.copy()
    right = _standardise(x, reference)
    result = np.asarray(answer(x, reference), float)
    if not report.holds(result.shape == x.shape, "keeps the shape", hint="(x − mean) / width, column by column"):
        return
    for wrong, mistake, hint in (
        ((x - reference.mean()) / reference.std(), "all columns share one mean", "take mean and std over axis=0"),
        (_standardise(x, x), "mean and width are those of x itself", "take both from the argument reference"),
        (
            (x - reference.mean(axis=0)) / reference.var(axis=0),
            "this divides by the variance",
            "the width is the standard deviation, the root of the variance",
        ),
        (x - reference.mean(axis=0), "the mean is gone, but the widths are left", "divide by the standard deviation"),
        (x / reference.std(axis=0), "the widths are one, but the mean is left", "subtract the mean first"),
        (
            x - reference.mean(axis=0) / reference.std(axis=0),
            "the division comes before the subtraction",
            "put brackets around the difference",
        ),
    ):
        if np.allclose(result, wrong):
            report.wrong(mistake, hint)
            return
    own = np.asarray(answer(reference, reference), float)
    report.holds(np.allclose(own.mean(axis=0), 0), "the reference itself gets mean 0", hint="subtract the mean")
    # n and n − 1 in the denominator of the standard deviation are both in use.
    report.holds(np.allclose(own.std(axis=0), 1, atol=0.002), "and width 1, in every column", hint="divide by the std")
    report.holds(np.allclose(result, right, rtol=0.002, atol=0.002), "other events are moved by the same amount")
    report.holds(
        np.array_equal(x, before[0]) and np.array_equal(reference, before[1]),
        "leaves its arguments as they are",
        hint="compute in new variables; -= and /= change the array you were given",
    )


@exercise("2.6")
def exercise_2_6(answer: Any, report: Report) -> None:
    """The parameters of the layers of the network 4-60-60-1, counted by hand."""
    if not report.holds(
        isinstance(answer, (tuple, list)) and len(answer) == 3, "three numbers, one a layer", hint="(…, …, …)"
    ):
        return
    if tuple(answer) == (240, 3600, 60):
        report.wrong("the biases are missing", "every neuron has a bias in addition to its weights")
        return
    if tuple(answer) == (60, 60, 1):
        report.wrong("these are the neurons", "every neuron has a weight for each of its inputs, and a bias")
        return
    if tuple(answer) == (244, 3660, 61) or tuple(answer) == (244, 3660, 120):
        report.wrong("a bias belongs to a neuron, and not to its inputs", "60 neurons have 60 biases")
        return
    if tuple(answer) == (240 + 1, 3600 + 1, 60 + 1):
        report.wrong("there is one bias a layer", "every neuron has a bias of its own")
        return
    for number, right, what, hint in zip(
        answer,
        (300, 3660, 61),
        ("the first hidden layer", "the second hidden layer", "the output layer"),
        ("60 neurons with 4 weights and a bias each", "60 neurons with 60 weights and a bias each", "1 neuron"),
        strict=True,
    ):
        report.close(number, right, what, hint=hint)


def _forward(x: Array, layers: Layers) -> Array:
    """The course's own answer to exercise 2.7."""
    for kernel, bias in layers[:-1]:
        x = np.maximum(0, x @ kernel + bias)
    kernel, bias = layers[-1]
    return _sigmoid(x @ kernel + bias)[:, 0]


@exercise("2.7", fallback=_forward)
def exercise_2_7(answer: Any, report: Report) -> None:
    """The forward pass of a small network."""
    rng = np.random.default_rng(27)
    neuron = [(np.array([[0.5], [-0.25]]), np.array([0.1]))]
    one = np.asarray(answer(np.array([[1.0, 2.0], [0.0, 0.0]]), neuron), float)
    if one.shape == (2, 1):
        report.wrong("the result has a second dimension", "one number an event: take column 0, [:, 0]")
        return
    if not report.holds(one.shape == (2,), "gives one number an event", hint="the last layer has a single neuron"):
        return
    for wrong, mistake, hint in (
        (_sigmoid(np.array([0.0, 0.0])), "the bias is left out", "z = x @ kernel + bias"),
        (np.array([0.1, 0.1]), "the last neuron has no sigmoid", "its output is 1 / (1 + exp(−z))"),
        (1 - _sigmoid(np.array([0.1, 0.1])), "the exponent has the wrong sign", "1 / (1 + exp(−z))"),
    ):
        if np.allclose(one, wrong):
            report.wrong(mistake, hint)
            return
    report.holds(np.allclose(one, _sigmoid(0.1)), "a single neuron gives the sigmoid of w·x + b", hint="no ReLU here")
    x = rng.normal(0, 1, (40, 3))
    for sizes in ((3, 5, 1), (3, 4, 6, 1)):
        layers = [(rng.normal(0, 1, shape), rng.normal(0, 1, shape[1])) for shape in itertools.pairwise(sizes)]
        result = np.asarray(answer(x.copy(), list(layers)), float)
        wrong_hidden = {
            "the hidden layers have no activation": lambda z: z,
            "the hidden layers have a sigmoid": _sigmoid,
        }
        for mistake, activation in wrong_hidden.items():
            if np.allclose(result, _network(x, layers, activation, lambda z: z)):
                report.wrong(mistake, "ReLU sets negative numbers to zero: np.maximum(0, z)")
                return
        if np.allclose(result, _network(x, layers, _relu, _relu)):
            report.wrong("the last layer has a ReLU as well", "only hidden layers have one")
            return
        hidden = len(sizes) - 2
        report.holds(
            np.allclose(result, _forward(x, layers)),
            f"{hidden} hidden layer{'s' if hidden > 1 else ''}: right for all events",
            hint="go through the layers in a loop; the output of one is the input of the next",
        )
    given = x.copy()
    answer(given, layers)
    report.holds(np.array_equal(x, given), "leaves its input as it is", hint="out= and *= change the array")


def _relu(z: Array) -> Array:
    return np.maximum(0, z)


def _sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-np.asarray(z, float)))


def _network(x: Array, layers: Layers, hidden: Any, last: Any) -> Array:
    """A network with other activations than the right ones."""
    for kernel, bias in layers[:-1]:
        x = hidden(x @ kernel + bias)
    return np.asarray(_sigmoid(last(x @ layers[-1][0] + layers[-1][1])))[:, 0]


def _cross_entropy(y: Array, p: Array) -> float:
    """The course's own answer to exercise 2.8."""
    return float(-np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)))


@exercise("2.8", fallback=_cross_entropy)
def exercise_2_8(answer: Any, report: Report) -> None:
    """The mean cross-entropy of predictions."""
    rng = np.random.default_rng(28)
    y = (rng.random(300) < 0.3).astype(float)
    p = np.clip(0.5 * y + 0.5 * rng.random(300), 0.01, 0.99)
    result = answer(y, p)
    if np.shape(result) == y.shape:
        report.wrong("this is one number an event", "take the mean at the end")
        return
    right = _cross_entropy(y, p)
    for wrong, mistake, hint in (
        (-right, "the sign is wrong", "logarithms of numbers below one are negative: a minus makes the loss positive"),
        (right * len(y), "this is the sum", "take the mean over the events"),
        (right / np.log(2), "the logarithm is of base 2", "np.log is the natural logarithm"),
        (right / np.log(10), "the logarithm is of base 10", "np.log is the natural logarithm"),
        (-np.mean(y * np.log(p)), "background events do not count", "for y = 0 the loss is −log(1 − p)"),
        (_cross_entropy(1 - y, p), "the labels are swapped", "log(p) belongs to y = 1"),
        (np.mean((y - p) ** 2), "this is the mean squared error", "use the logarithms of the formula"),
    ):
        if np.ndim(result) == 0 and np.isclose(result, wrong):
            report.wrong(mistake, hint)
            return
    certain = np.array([1.0, 0.0]), np.array([0.999999, 0.000001])
    report.close(
        answer(y, np.full(300, 0.5)), np.log(2), "p = 0.5 for all events gives log 2", tolerance=1e-9, hint="by hand"
    )
    report.close(answer(*certain), 0.0, "sure and right: the loss is close to zero", tolerance=1e-5, hint="y log(p)")
    report.holds(
        lambda: answer(np.array([1.0]), np.array([0.01])) > 4,
        "sure and wrong: the loss is large",
        hint="y log(p) + (1 − y) log(1 − p)",
    )
    report.close(
        result, right, "the mean over all events follows the formula", tolerance=1e-9, hint="compare each term"
    )


@exercise("2.10")
def exercise_2_10(answer: Any, report: Report, *, losses: Sequence[float]) -> None:
    """How much the training loss fell in the first step of the curve and in the last."""
    if not report.holds(
        isinstance(answer, (tuple, list)) and len(answer) == 2, "two numbers", hint="(first_fall, last_fall)"
    ):
        return
    first, last = losses[0] - losses[1], losses[-2] - losses[-1]
    if all(isinstance(number, (int, float, np.floating)) for number in answer):
        if abs(float(answer[0]) - losses[0]) < 0.01:
            report.wrong("these are losses", "we ask for differences between two epochs")
            return
        if abs(float(answer[0]) + first) < 0.2 * first:
            report.wrong("these are rises", "a loss that falls from 0.6 to 0.5 falls by 0.1, without a minus")
            return
    # A figure can be read to about a twentieth of its height.
    reading = 0.05 * (max(losses) - min(losses))
    report.close(
        answer[0],
        first,
        "the fall from the first epoch to the second",
        tolerance=max(0.2 * abs(first), reading),
        hint="the difference of the first two points",
    )
    report.close(
        answer[1],
        last,
        "the fall from the fourth epoch to the fifth",
        tolerance=max(0.3 * abs(last), reading),
        hint="the difference of the last two points",
    )


def _many_events(n: int = 3000) -> pd.DataFrame:
    """Return events of two samples with identities that no chapter uses, sorted by sample."""
    names = ["ggH125_ZZ4lep"] * (n // 3) + ["llll"] * (n - n // 3)
    events = crafted.weighted(names, [0.5] * n)
    events["run"] = np.array([samples.get(name).dsid for name in names], np.int64)
    # Event numbers repeat from sample to sample: only run and event together identify an event.
    events["event"] = np.concatenate([np.arange(n // 3), np.arange(n - n // 3)]) * 7 + 31
    return events


def _identities(events: pd.DataFrame) -> set[tuple[int, int]]:
    return set(zip(events["run"].tolist(), events["event"].tolist(), strict=True))
