"""Checks of chapter 2, training."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from course.checks import crafted
from course.checks.compare import alike, as_number
from course.checks.report import Report, exercise
from labcourse import features, samples, splitting

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


def _arrays(events: pd.DataFrame, columns: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The course's own answer to exercise 2.3."""
    return features.arrays(events, columns)[:2]


@exercise("2.3", fallback=_arrays)
def exercise_2_3(answer: Any, report: Report) -> None:
    """From the event table to the input array and the labels."""
    names = [*samples.SIMULATED, "llll", "ggH125_ZZ4lep"]
    rng = np.random.default_rng(23)
    columns = ["lep3_pt", "lep1_pt", "lep2_pt"]
    values = {name: rng.uniform(-40, 90, len(names)).tolist() for name in [*sorted(columns), "m_llll"]}
    events = crafted.weighted(names, rng.normal(0.0, 1.0, len(names)).tolist(), **values)
    parts = report.parts(answer(events, columns), "x, y")
    if parts is None:
        return
    x, y = parts
    if not report.holds(
        isinstance(x, np.ndarray) and isinstance(y, np.ndarray),
        "both are NumPy arrays",
        hint="end with .to_numpy() of the columns",
    ):
        return
    size = len(events)
    right = np.array([name in samples.SIGNAL for name in names], float)
    wanted = np.column_stack([values[name] for name in columns])
    if y.dtype.kind in "OU":
        report.wrong("y holds names", "a network takes numbers: 1 where the sample is in samples.SIGNAL, else 0")
        return
    if y.dtype == bool:
        report.wrong("y holds True and False", "turn them into the numbers 1 and 0: .astype(np.float32)")
        return
    if report.recognises(
        x,
        (wanted.T, "the input array lies on its side", "one row per event: shape (n_events, n_columns)"),
        (wanted[:, 0], "x holds one variable only", "events[columns] selects several columns at once"),
        (
            wanted[:, [1, 2, 0]],
            "the columns are sorted",
            "take them in the order in which they are listed: events[columns]",
        ),
        (wanted[:, ::-1], "the columns are in reverse order", "take them as listed: events[columns]"),
        ((wanted - wanted.mean(0)) / wanted.std(0), "x is standardised already", "that comes later, in section 2.3"),
        right=wanted,
    ) | report.recognises(
        y,
        (right[:, None], "y has a second dimension", "one number per event: shape (n_events,)"),
        (1 - right, "signal and background are swapped", "1 is signal, 0 is background"),
        (2 * right - 1, "background has the label −1", "1 is signal, 0 is background"),
        (
            (np.array(names) == "ggH125_ZZ4lep").astype(float),
            "only one of the signal samples counts as signal",
            "all samples in samples.SIGNAL are signal",
        ),
        right=right,
    ):
        return
    if not report.holds(
        x.shape == (size, len(columns)),
        "x has one row per event and one column per variable",
        hint="events[columns] selects several columns at once",
    ):
        return
    report.holds(
        np.array_equal(y, right), "y is 1 for the four Higgs samples, else 0", hint="is its name among samples.SIGNAL?"
    )
    report.holds(np.allclose(x, wanted), "x holds the columns asked for, in their order", hint="events[columns]")
    report.also(
        x.dtype == np.float32 and y.dtype == np.float32,
        "both are float32, the type that networks compute with",
        hint=".to_numpy(np.float32), or .astype(np.float32)",
    )
    twice, two = pd.concat([events, events]), ["m_llll", "lep2_pt"]
    report.agrees(answer, _arrays, (twice, two), hint="use the arguments events and columns")


def _batches(n_events: int, batch_size: int) -> tuple[int, int]:
    """The course's own answer to exercise 2.4."""
    n_batches = -(-n_events // batch_size)
    return n_batches, n_events - (n_batches - 1) * batch_size


@exercise("2.4", fallback=_batches)
def exercise_2_4(answer: Any, report: Report) -> None:
    """The number of batches in an epoch, and the size of the last one."""
    cases = (1000, 128), (256, 128), (100, 128), (150, 128)
    if report.parts(answer(*cases[0]), "n_batches, last_size") is None:
        return
    results = [answer(*case) for case in cases]

    def of(wrong: Callable[[int, int], Any]) -> list[Any]:
        return [wrong(*case) for case in cases]

    full = "the last, partial batch is left out", "7 × 128 = 896 events: 104 still have to be trained on"
    if report.recognises(
        [result[0] for result in results],
        (of(lambda n, size: n // size), *full),
        (of(lambda n, size: n / size), "this is a fraction of a batch", "round up to a whole number"),
        (of(lambda n, size: round(n / size)), "the number of batches is rounded", "round up: no event is left out"),
        (
            of(lambda n, size: n // size + 1),
            "there is an empty batch at the end",
            "256 events make exactly two full batches of 128",
        ),
        (of(lambda n, size: _batches(n, size)[1]), "the two numbers are in the wrong order", "the number comes first"),
        right=of(lambda n, size: _batches(n, size)[0]),
    ) or report.recognises(
        [result[1] for result in results],
        (
            of(lambda n, size: n % size),
            "the last batch is empty where all are full",
            "256 events: the remainder is 0, but the last of the two batches holds 128",
        ),
        (of(lambda n, size: size), "the last batch always counts as full", "1000 = 7 × 128 + 104"),
        (of(lambda n, size: size - n % size), "this is what the last batch lacks", "we ask for what is in it"),
        right=of(lambda n, size: _batches(n, size)[1]),
    ):
        return
    for (n, size), result, what in zip(
        cases,
        results,
        (
            "8 batches, the last with 104 events",
            "2 batches, both full",
            "one batch that holds all",
            "2 batches, the last with 22",
        ),
        strict=True,
    ):
        report.also(tuple(result) == _batches(n, size), f"{n} events: {what}", hint=f"in batches of {size}")
    report.also(
        lambda: all(isinstance(number, (int, np.integer)) for result in results for number in result),
        "both are whole numbers",
        hint="int(np.ceil(…)) rounds up to a whole number; // divides and rounds down",
    )
    others = (90, 30), (1000, 300), (7, 1), (5, 8), (10001, 10000)
    report.agrees(answer, _batches, *others, hint="use the argument batch_size", relative=1e-9)


def _standardise(x: Array, reference: Array) -> Array:
    """The course's own answer to exercise 2.5."""
    return (x - reference.mean(axis=0)) / reference.std(axis=0)


@exercise("2.5", fallback=_standardise)
def exercise_2_5(answer: Any, report: Report) -> None:
    """Standardised inputs, with mean and width of the training events."""
    rng = np.random.default_rng(25)
    reference = rng.normal([60.0, 40.0, 5.0], [20.0, 10.0, 0.5], (500, 3))
    x = rng.normal([80.0, 35.0, 6.0], [30.0, 5.0, 1.0], (200, 3))
    given = x, reference
    right = _standardise(*given)
    result = np.asarray(answer(*given), float)
    if report.recognises(
        result,
        (lambda x, r: (x - r.mean()) / r.std(), "all columns share one mean", "take mean and std over axis=0"),
        (
            lambda x, r: (x - r.mean()) / r.std(axis=0),
            "the mean of all columns together is subtracted",
            "each column has a mean of its own: .mean(axis=0)",
        ),
        (
            lambda x, r: (x - r.mean(axis=0)) / r.std(),
            "all columns are divided by one width",
            "each column has a standard deviation of its own: .std(axis=0)",
        ),
        (
            lambda x, r: (x - x.mean(axis=0)) / r.std(axis=0),
            "the mean is that of x itself",
            "take it from `reference`, as the width",
        ),
        (
            lambda x, r: (x - r.mean(axis=0)) / x.std(axis=0),
            "the width is that of x itself",
            "take it from `reference`, as the mean",
        ),
        (lambda x, r: _standardise(x, x), "mean and width are those of x itself", "take both from `reference`"),
        (lambda x, r: _standardise(r, r), "this is the reference, and not x", "move x, with the numbers of reference"),
        (
            lambda x, r: (x - r.mean(axis=0)) / r.var(axis=0),
            "this divides by the variance",
            "the width is the standard deviation, the root of the variance",
        ),
        (lambda x, r: x - r.mean(axis=0), "the widths are left", "divide by the standard deviation"),
        (lambda x, r: x / r.std(axis=0), "the mean is left", "subtract the mean first"),
        (
            lambda x, r: x - r.mean(axis=0) / r.std(axis=0),
            "the division comes before the subtraction",
            "put brackets around the difference",
        ),
        (
            lambda x, r: (x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, keepdims=True),
            "the mean is taken over the columns of each event",
            "each input has a mean of its own, over all events: axis=0",
        ),
        (
            lambda x, r: (x - r.min(axis=0)) / (r.max(axis=0) - r.min(axis=0)),
            "the range is scaled to 0 … 1",
            "one extreme event would squeeze all others: use mean and standard deviation",
        ),
        given=given,
        right=right,
    ):
        return
    if not report.holds(result.shape == x.shape, "keeps the shape", hint="(x − mean) / width, column by column"):
        return
    own = np.asarray(answer(reference, reference), float)
    report.also(
        np.allclose(own.mean(axis=0), 0, atol=1e-3),
        "the reference itself gets mean 0 in every column",
        hint="what is subtracted is to be the mean of that column: reference.mean(axis=0)",
    )
    # n and n − 1 in the denominator of the standard deviation are both in use.
    report.also(
        np.allclose(own.std(axis=0), 1, atol=0.002),
        "the reference itself gets width 1 in every column",
        hint="divide by the standard deviation of that column: reference.std(axis=0)",
    )
    report.also(
        np.allclose(result, right, rtol=0.002, atol=0.002),
        "other events are moved and scaled by the same numbers",
        hint="use x once, and nowhere but in the difference",
    )
    wide, few = rng.normal(3.0, 2.0, (30, 5)), rng.normal(3.0, 2.0, (600, 5))
    hint = "mean and std over axis=0 treat all columns at once, however many there are"
    report.agrees(answer, _standardise, (wide, few), hint=hint, relative=0.002)


Layers = Sequence[tuple[Array, Array]]
Activation = Callable[[Any], Any]


@exercise("2.6")
def exercise_2_6(answer: Any, report: Report) -> None:
    """The parameters of the layers of the network 4-60-60-1, counted by hand."""
    if report.parts(answer, "the three layers", 3) is None:
        return
    inputs_biased = "a bias belongs to a neuron, and not to its inputs", "60 neurons have 60 biases"
    right = (300, 3660, 61)
    if report.recognises(
        answer,
        ((240, 3600, 60), "the biases are missing", "every neuron has a bias in addition to its weights"),
        ((60, 60, 1), "these are the neurons", "every neuron has a weight for each of its inputs, and a bias"),
        ((244, 3660, 61), *inputs_biased),
        ((244, 3660, 120), *inputs_biased),
        ((241, 3601, 61), "there is one bias per layer", "every neuron has a bias of its own"),
        ((64, 120, 61), "inputs and neurons are added", "every neuron has a weight for *each* input: multiply"),
        ((300, 3960, 4021), "the layers are added up", "give the parameters of each layer by itself"),
        (right[::-1], "the order is turned round", "begin with the layer next to the inputs"),
        right=right,
    ):
        return
    for number, wanted, what, hint in zip(
        answer,
        right,
        ("the first hidden layer", "the second hidden layer", "the output layer"),
        ("60 neurons with 4 weights and a bias each", "60 neurons with 60 weights and a bias each", "1 neuron"),
        strict=True,
    ):
        report.close(number, wanted, what, hint=hint)


def _relu(z: Any) -> Any:
    return np.maximum(0, z)


def _sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-np.asarray(z, float)))


def _linear(z: Any) -> Any:
    return z


def _network(
    *, hidden: Activation = _relu, last: Activation = _sigmoid, bias: float = 1.0, bias_after: bool = False
) -> Callable[[Array, Layers], Array]:
    """Return a network with other activations, or without biases."""

    def forward(x: Array, layers: Layers) -> Array:
        for kernel, b in layers[:-1]:
            x = hidden(x @ kernel) + b if bias_after else hidden(x @ kernel + bias * b)
        return np.asarray(last(x @ layers[-1][0] + bias * layers[-1][1]))[:, 0]

    return forward


_forward = _network()
"""The course's own answer to exercise 2.7."""


@exercise("2.7", fallback=_forward)
def exercise_2_7(answer: Any, report: Report) -> None:
    """The forward pass of a small network."""
    rng = np.random.default_rng(27)
    x, more = rng.normal(0, 2, (40, 3)), rng.normal(0, 2, (60, 3))
    networks = {
        sizes: [(rng.normal(0, 1, shape), rng.normal(0, 1, shape[1])) for shape in itertools.pairwise(sizes)]
        for sizes in ((3, 1), (3, 5, 1), (3, 4, 6, 1), (3, 4, 6, 5, 1))
    }
    deep = x, networks[3, 4, 6, 1]
    relu = "ReLU sets negative numbers to zero: np.maximum(0, z)"
    result = np.asarray(answer(*deep), float)
    if result.shape == (40, 1):
        report.wrong("the result has a second dimension", "one number per event: take column 0, [:, 0]")
        result = result[:, 0]
    if report.recognises(
        result,
        (_network(bias=0), "the biases are left out", "z = x @ kernel + bias"),
        (_network(last=_linear), "the last neuron has no sigmoid", "its output is 1 / (1 + exp(−z))"),
        (_network(last=lambda z: _sigmoid(-z)), "the exponent has the wrong sign", "1 / (1 + exp(−z))"),
        (_network(hidden=_linear), "the hidden layers have no activation", relu),
        (_network(hidden=_sigmoid), "the hidden layers have a sigmoid", relu),
        (_network(hidden=lambda z: np.minimum(0, z)), "the ReLU is turned round", relu),
        (_network(hidden=np.abs), "negative sums are turned positive", relu),
        (_network(bias_after=True), "the bias is added after the ReLU", "the ReLU is applied to the sum with the bias"),
        (
            _network(last=lambda z: _sigmoid(_relu(z))),
            "the last layer has a ReLU as well",
            "only hidden layers have one",
        ),
        (
            _network(last=_relu),
            "the last layer has a ReLU in place of the sigmoid",
            "the loop ends before the last layer",
        ),
        given=deep,
        right=_forward(*deep),
    ):
        return
    if not report.holds(result.shape == (40,), "gives one number per event", hint="the last layer has a single neuron"):
        return
    for sizes, layers in networks.items():
        n = len(sizes) - 2
        report.also(
            lambda layers=layers: np.allclose(answer(more, layers), _forward(more, layers), atol=1e-5),
            f"right with {n} hidden layer{'s' if n > 1 else ''}" if n else "right for a single neuron",
            hint="go through the layers in a loop; the output of one is the input of the next"
            if n
            else "one layer alone has no ReLU: the sum with its bias, and the sigmoid 1 / (1 + exp(−z))",
        )


def _cross_entropy(
    y: Any,
    p: Any,
    *,
    log: Activation = np.log,
    gather: Activation = np.mean,
    signal: bool = True,
    background: bool = True,
) -> Any:
    """The course's own answer to exercise 2.8; the options are the variants that students write."""
    return -gather(signal * y * log(p) + background * (1 - y) * log(1 - p))


@exercise("2.8", fallback=_cross_entropy)
def exercise_2_8(answer: Any, report: Report) -> None:
    """The mean cross-entropy of predictions."""
    rng = np.random.default_rng(28)
    y = (rng.random(300) < 0.3).astype(float)
    p = np.clip(0.5 * y + 0.5 * rng.random(300), 0.01, 0.99)
    given, right = (y, p), float(_cross_entropy(y, p))
    result = answer(*given)
    if np.shape(result) == y.shape:
        report.wrong("this is one number per event", "take the mean at the end")
        return
    natural = "np.log is the natural logarithm"
    if report.recognises(
        result,
        (-right, "the sign is wrong", "logarithms of numbers below one are negative: a minus makes the loss positive"),
        (lambda y, p: _cross_entropy(y, p, gather=np.sum), "this is the sum", "take the mean over the events"),
        (lambda y, p: _cross_entropy(y, p, log=np.log2), "the logarithm is of base 2", natural),
        (lambda y, p: _cross_entropy(y, p, log=np.log10), "the logarithm is of base 10", natural),
        (
            lambda y, p: _cross_entropy(y, p, background=False),
            "background events do not count",
            "for y = 0 the loss is −log(1 − p)",
        ),
        (
            lambda y, p: _cross_entropy(y, p, signal=False),
            "signal events do not count",
            "for y = 1 the loss is −log(p)",
        ),
        (lambda y, p: _cross_entropy(1 - y, p), "the labels are swapped", "log(p) belongs to y = 1"),
        (lambda y, p: np.mean((y - p) ** 2), "this is the mean squared error", "use the logarithms of the formula"),
        (
            lambda y, p: _cross_entropy(y, p, gather=np.sum) / y.sum(),
            "the sum is divided by the number of signal events",
            "n counts all events",
        ),
        (
            lambda y, p: -np.mean(y * np.log(p) + (1 - y) * (1 - np.log(p))),
            "log(1 − p) is written as 1 − log(p)",
            "the logarithm is of the difference: np.log(1 - p)",
        ),
        given=given,
        right=right,
    ):
        return
    if report.number(result, "take the mean over the events") is None:
        return
    report.also(
        lambda: alike(answer(y, np.full(300, 0.5)), np.log(2)),
        "p = 0.5 for all events gives log 2",
        hint="both logarithms are log 0.5 = −log 2 then",
    )
    certain = np.array([1.0, 0.0]), np.array([0.999, 0.001])
    report.also(lambda: abs(answer(*certain)) < 2e-3, "sure and right: the loss is close to zero", hint="y log(p)")
    report.also(
        lambda: answer(np.array([1.0]), np.array([1e-6])) > 13,
        "sure and wrong: the loss is large",
        hint="y log(p) + (1 − y) log(1 − p)",
    )
    report.also(alike(result, right), "the mean over all events follows the formula", hint="compare each term")
    more = (rng.random(500) < 0.6).astype(float), rng.uniform(0.01, 0.99, 500)
    report.agrees(answer, _cross_entropy, more, hint="take the mean over all events that are given")


@exercise("2.10")
def exercise_2_10(answer: Any, report: Report, *, losses: Sequence[float]) -> None:
    """How much the training loss fell in the first step of the curve and in the last."""
    if report.parts(answer, "the first fall and the last fall") is None:
        return
    if len(losses) < 5:
        report.wrong(
            f"the training was interrupted after {len(losses)} of 5 epochs",
            "run the cell that trains again, to its end",
        )
        return
    falls = -np.diff(np.asarray(losses, float))
    # A figure can be read to about a twentieth of its height.
    reading = 0.05 * (max(losses) - min(losses))
    tolerances = [max(0.2 * abs(falls[0]), reading), max(0.3 * abs(falls[-1]), reading)]
    first, last = map(as_number, answer)
    if (
        first is not None
        and last is not None
        and abs(first - falls[-1]) <= tolerances[1]
        and abs(last - falls[0]) <= tolerances[0] < abs(first - falls[0])
    ):
        report.wrong("the two falls are in the wrong order", "the first step comes first")
        return
    for number, i, what, steps in (
        (answer[0], 0, "the fall from the first epoch to the second", "the first two points"),
        (answer[1], -1, "the fall from the fourth epoch to the fifth", "the last two points"),
    ):
        fall, before = float(falls[i]), float(losses[i - (i < 0)])
        per_cent = "this is in per cent", "give the difference of the two losses itself, without a factor 100"
        report.reading(
            number,
            fall,
            what,
            (before, "this is a loss", "we ask for the difference between two epochs"),
            (before - fall, "this is a loss", "we ask for the difference between two epochs"),
            (-fall, "this is a rise", "a loss that falls from 0.6 to 0.5 falls by 0.1, without a minus"),
            (100 * fall / before, *per_cent),
            (100 * fall, *per_cent),
            (
                float(falls.sum()),
                "this is the fall over all epochs",
                "we ask for single steps: first to second, fourth to fifth",
            ),
            tolerance=float(tolerances[i]),
            hint=f"the difference of {steps}",
        )


def _split(events: pd.DataFrame, train_fraction: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The course's own answer to exercise 2.1."""
    train, test = splitting.split(events, train_fraction=train_fraction)
    return train, test


@exercise("2.1", fallback=_split)
def exercise_2_1(answer: Any, report: Report) -> None:
    """The split into training and test events, by identity."""
    events = _many_events()
    parts = report.parts(answer(events, 0.6), "train, test")
    if parts is None:
        return
    if not all(isinstance(part, pd.DataFrame) for part in parts):
        report.wrong("these are no event tables", "a mask selects rows: events[mask] and events[~mask]")
        return
    train, test = map(crafted.identities, parts)
    whole = crafted.identities(events)
    if train & test:
        report.wrong("some events are in both parts", "test events are those that do not train: the mask with ~")
        return
    if not report.holds(
        (train | test) == whole and sum(map(len, parts)) == len(events),
        "every event is in exactly one of the two parts",
        hint="use one mask for both: events[mask] and events[~mask]",
    ):
        return
    if not report.holds(
        lambda: crafted.same_rows(pd.concat(parts), events),
        "the parts hold whole rows of the table, with all columns",
        hint="events[mask] keeps all columns as they are",
    ):
        return
    share = len(train) / len(whole)
    if abs(share - 0.4) < 0.05:
        report.wrong("the two parts are swapped", "training events come first, and are 60 % of all")
        return
    report.holds(abs(share - 0.6) < 0.05, "about 60 % of the events train", hint="compare the numbers with 0.6")
    report.also(
        lambda: all(abs(len(answer(events, f)[0]) / len(events) - f) < 0.03 for f in (0.9, 0.3)),
        "another fraction gives another share",
        hint="use the argument train_fraction",
    )
    if crafted.identities(answer(events, 0.6)[0]) != train:
        report.wrong("a second call gives other parts", "no random numbers: the events' own numbers decide")
        return
    shuffled = events.sample(frac=1.0, random_state=5)
    if crafted.identities(answer(shuffled, 0.6)[0]) != train:
        report.wrong(
            "the parts change when the rows are put in another order",
            "an event's side must not depend on its position: use splitting.uniform",
        )
        return
    if train == crafted.identities(events[splitting.uniform(events) < 0.6]):
        report.wrong("the salt is missing", 'without salt="test" the numbers serve another purpose')
        return
    half = events[::2]
    report.also(
        lambda: crafted.identities(answer(half, 0.6)[0]) == train & crafted.identities(half),
        "an event keeps its side when others are removed",
        hint="its side depends on run and event number alone",
    )
    report.also(
        lambda: all(
            crafted.identities(answer(events, f)[0]) == crafted.identities(_split(events, f)[0]) for f in (0.6, 0.3)
        ),
        "the parts are those of all later chapters",
        hint='call splitting.uniform(events, salt="test"), and leave its seed alone',
    )


def _many_events(n: int = 3000) -> pd.DataFrame:
    """Return events of two samples with identities that no chapter uses, sorted by sample."""
    names = ["ggH125_ZZ4lep"] * (n // 3) + ["llll"] * (n - n // 3)
    events = crafted.weighted(names, [0.5] * n)
    events["run"] = np.array([samples.get(name).dsid for name in names], np.int64)
    # Event numbers repeat from sample to sample: only run and event together identify an event.
    events["event"] = np.concatenate([np.arange(n // 3), np.arange(n - n // 3)]) * 7 + 31
    return events


@exercise("2.2")
def exercise_2_2(answer: Any, report: Report, *, shares: pd.DataFrame) -> None:
    """The sample whose expected share in the training part is farthest from 0.6."""
    expected, distance = shares["expected"], (shares["expected"] - 0.6).abs()
    uncertain = shares.get("error", distance)
    report.name(
        answer,
        list(shares.index),
        # Two samples that lie within a thousandth of each other cannot be told apart in the figure.
        set(shares.index[distance >= distance.max() - 0.001]),
        "no other sample is farther away from 0.6",
        (distance.idxmin(), "this one is closest to 0.6", "we ask for the one that is farthest away"),
        (
            (shares["raw"] - 0.6).abs().idxmax(),
            "this one is farthest in raw events",
            "read the column of expected events",
        ),
        (uncertain.idxmax(), "this one has the largest error", "look at the position of its point, not at the bar"),
        (expected.idxmax(), "this one is farthest above 0.6", "one below may be farther: both directions count"),
        (expected.idxmin(), "this one is farthest below 0.6", "one above may be farther: both directions count"),
        hint="above or below 0.6 both count",
    )
