"""Checks of chapter 2, training."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from course.checks import crafted
from course.checks.compare import alike, as_number
from course.checks.registry import course_answer
from course.checks.report import Report, exercise
from course.checks.tables import caught, changed, follows, gives, hold, losses, with_argument
from labcourse import features, samples, splitting

_split = course_answer("2.1")
_arrays = course_answer("2.3")
_batches = course_answer("2.4")
_standardise = course_answer("2.5")

Array = NDArray[np.float64]


def _many_events(n: int = 3000) -> pd.DataFrame:
    """Return events of two samples with identities that no chapter uses, sorted by sample."""
    names = ["ggH125_ZZ4lep"] * (n // 3) + ["llll"] * (n - n // 3)
    events = crafted.weighted(names, [0.5] * n)
    events["run"] = np.array([samples.get(name).dsid for name in names], np.int64)
    # Event numbers repeat from sample to sample: only run and event together identify an event.
    events["event"] = np.concatenate([np.arange(n // 3), np.arange(n - n // 3)]) * 7 + 31
    return events


@exercise("2.1", library=[splitting.split])
def exercise_2_1(answer: Any, report: Report) -> None:
    """The split into training and test events, by identity."""
    events = _many_events()
    half, shuffled = events[::2], events.sample(frac=1.0, random_state=5)
    parts = report.parts(answer(events, 0.6), "train, test")
    if not all(isinstance(part, pd.DataFrame) for part in parts):
        report.wrong("these are no event tables", "a mask selects rows: events[mask] and events[~mask]")
    train, test = map(crafted.identities, parts)
    share = len(train) / len(events)

    def trains(events: pd.DataFrame, fraction: float = 0.6) -> set[tuple[int, int]]:
        return crafted.identities(answer(events, fraction)[0])

    every, whole = "every event is in exactly one of the two parts", "the parts hold whole rows, with all columns"
    caught(report, (train & test, "some events are in both parts", "test events do not train: the mask with ~"))
    report.holds(sum(map(len, parts)) == len(events), every, hint="events[mask] and events[~mask]")
    report.holds(lambda: crafted.same_rows(pd.concat(parts), events), whole, hint="events[mask] keeps them")
    caught(report, (abs(share - 0.4) < 0.05, "the two parts are swapped", "training events come first: 60 %"))
    report.holds(abs(share - 0.6) < 0.05, "about 60 % of the events train", hint="compare the numbers with 0.6")
    report.holds(
        lambda: all(abs(len(trains(events, f)) / len(events) - f) < 0.03 for f in (0.9, 0.3)),
        "another fraction gives another share",
        hint="use the argument train_fraction",
    )
    without_salt = crafted.identities(events[splitting.uniform(events) < 0.6])
    moved = "the parts change when the rows are put in another order"
    caught(
        report,
        (lambda: trains(events) != train, "a second call gives other parts", "no random numbers: splitting.uniform"),
        (lambda: trains(shuffled) != train, moved, "not the position but the event decides: use splitting.uniform"),
        (train == without_salt, "the salt is missing", 'without salt="test" the numbers serve another purpose'),
    )
    kept, same = "an event keeps its side when others are removed", "the parts are those of all later chapters"
    own = {f: crafted.identities(_split(events, f)[0]) for f in (0.6, 0.3)}
    call = 'call splitting.uniform(events, salt="test"), and leave its seed alone'
    hold(
        report,
        (lambda: trains(half) == train & crafted.identities(half), kept, "run and event number alone decide"),
        (lambda: all(trains(events, f) == own[f] for f in own), same, call),
    )


@exercise("2.2")
def exercise_2_2(answer: Any, report: Report, *, shares: pd.DataFrame) -> None:
    """The sample whose expected share in the training part is farthest from 0.6."""
    expected, distance = shares["expected"], (shares["expected"] - 0.6).abs()
    raw, error = (shares["raw"] - 0.6).abs(), shares.get("error", distance)
    report.name(
        answer,
        list(shares.index),
        # Two samples that lie within a thousandth of each other cannot be told apart in the figure.
        set(shares.index[distance >= distance.max() - 0.001]),
        "no other sample is farther away from 0.6",
        (distance.idxmin(), "this one is closest to 0.6", "we ask for the one that is farthest away"),
        (raw.idxmax(), "this one is farthest in raw events", "read the column of expected events"),
        (error.idxmax(), "this one has the largest error", "look at the position of its point, not at the bar"),
        (expected.idxmax(), "this one is farthest above 0.6", "one below may be farther: both directions count"),
        (expected.idxmin(), "this one is farthest below 0.6", "one above may be farther: both directions count"),
        hint="above or below 0.6 both count",
    )


_MISTAKES_X = (
    (np.transpose, "the input array lies on its side", "one row per event: shape (n_events, n_columns)"),
    (lambda x: x[:, 0], "x holds one variable only", "events[columns] selects several columns at once"),
    (lambda x: x[:, [1, 2, 0]], "the columns are sorted", "take them as listed: events[columns]"),
    (lambda x: x[:, ::-1], "the columns are in reverse order", "take them as listed: events[columns]"),
    (lambda x: (x - x.mean(0)) / x.std(0), "x is standardised already", "that comes later, in section 2.3"),
)
_MISTAKES_Y = (
    (lambda y: y[:, None], "y has a second dimension", "one number per event: shape (n_events,)"),
    (lambda y: 1 - y, "signal and background are swapped", "1 is signal, 0 is background"),
    (lambda y: 2 * y - 1, "background has the label −1", "1 is signal, 0 is background"),
    (lambda y: np.eye(len(y))[0] + np.eye(len(y))[-1], "only one of the signal samples counts as signal", "all do"),
)


@exercise("2.3", library=[features.arrays])
def exercise_2_3(answer: Any, report: Report) -> None:
    """From the event table to the input array and the labels."""
    names = [*samples.SIGNAL, "llll", "Zee", "Zmumu", "ttbar_lep", "llll", "ggH125_ZZ4lep"]
    rng = np.random.default_rng(23)
    columns = ["lep3_pt", "lep1_pt", "lep2_pt"]
    values = {name: rng.uniform(-40, 90, len(names)).tolist() for name in [*sorted(columns), "m_llll"]}
    events = crafted.weighted(names, rng.normal(0.0, 1.0, len(names)).tolist(), **values)
    parts = report.parts(answer(events, columns), "x, y")
    x, y = parts
    are_arrays = isinstance(x, np.ndarray) and isinstance(y, np.ndarray)
    report.holds(are_arrays, "both are NumPy arrays", hint="end with .to_numpy() of the columns")
    caught(
        report,
        (y.dtype.kind in "OU", "y holds names", "a network takes numbers: 1 for samples.SIGNAL, else 0"),
        (y.dtype == bool, "y holds True and False", "turn them into the numbers 1 and 0: .astype(np.float32)"),
    )
    wanted, labels = _arrays(events, columns)
    report.recognises(x, *_MISTAKES_X, given=(wanted,), right=wanted)
    report.recognises(y, *_MISTAKES_Y, given=(labels,), right=labels)
    shape = "x has one row per event and one column per variable"
    report.holds(x.shape == wanted.shape, shape, hint="events[columns] selects several columns at once")
    report.holds(np.array_equal(y, labels), "y is 1 for the four Higgs samples, else 0", hint="samples.SIGNAL")
    report.holds(np.allclose(x, wanted), "x holds the columns asked for, in their order", hint="events[columns]")
    is_single = x.dtype == np.float32 and y.dtype == np.float32
    report.holds(is_single, "both are float32, as in networks", hint=".to_numpy(np.float32), or .astype(np.float32)")
    twice = pd.concat([events, events]), ["m_llll", "lep2_pt"]
    report.agrees(answer, _arrays, twice, hint="use the arguments events and columns")


_CASES_2_4 = {
    (1000, 128): "8 batches, the last with 104 events",
    (256, 128): "2 batches, both full",
    (100, 128): "one batch that holds all",
    (150, 128): "2 batches, the last with 22",
}


def _of_cases(function: Callable[[int, int], Any]) -> list[Any]:
    return [function(*case) for case in _CASES_2_4]


_MISTAKES_N = (
    (_of_cases(lambda n, size: n // size), "the last, partial batch is left out", "1000 − 7 × 128 = 104 train, too"),
    (_of_cases(lambda n, size: n / size), "this is a fraction of a batch", "round up to a whole number"),
    (_of_cases(lambda n, size: round(n / size)), "the number of batches is rounded", "round up: no event is left out"),
    (_of_cases(lambda n, size: n // size + 1), "there is an empty batch at the end", "256 = 2 × 128 make two batches"),
    (_of_cases(lambda *case: _batches(*case)[1]), "the two numbers are in the wrong order", "the number comes first"),
)
_MISTAKES_LAST = (
    (_of_cases(lambda n, size: n % size), "the last batch is empty where all are full", "256: it holds 128, and not 0"),
    (_of_cases(lambda n, size: size), "the last batch always counts as full", "1000 = 7 × 128 + 104"),
    (_of_cases(lambda n, size: size - n % size), "this is what the last batch lacks", "we ask for what is in it"),
)


@exercise("2.4")
def exercise_2_4(answer: Any, report: Report) -> None:
    """The number of batches in an epoch, and the size of the last one."""
    report.parts(answer(1000, 128), "n_batches, last_size")
    results, right = _of_cases(answer), _of_cases(_batches)
    for i, mistakes in enumerate((_MISTAKES_N, _MISTAKES_LAST)):
        report.recognises([result[i] for result in results], *mistakes, right=[own[i] for own in right])
    for (n, size), what in _CASES_2_4.items():
        gives(report, answer, ((n, size), _batches(n, size), f"{n} events: {what}", f"in batches of {size}"))
    report.holds(
        lambda: all(isinstance(number, (int, np.integer)) for result in results for number in result),
        "both are whole numbers",
        hint="int(np.ceil(…)) rounds up to a whole number; // divides and rounds down",
    )
    others = (90, 30), (1000, 300), (7, 1), (5, 8), (10001, 10000)
    report.agrees(answer, _batches, *others, hint="use the argument batch_size", relative=1e-9)


def _by_event(x: Array, _: Array) -> Array:
    return _standardise(x.T, x.T).T


_MISTAKES_2_5 = (
    (lambda x, r: (x - r.mean()) / r.std(), "all columns share one mean", "take mean and std over axis=0"),
    (lambda x, r: (x - r.mean()) / r.std(axis=0), "the mean of all columns is subtracted", "each has its own: axis=0"),
    (lambda x, r: (x - r.mean(axis=0)) / r.std(), "all columns are divided by one width", "each has its own: axis=0"),
    (lambda x, r: (x - x.mean(axis=0)) / r.std(axis=0), "the mean is that of x itself", "take it from `reference`"),
    (lambda x, r: (x - r.mean(axis=0)) / x.std(axis=0), "the width is that of x itself", "take it from `reference`"),
    (lambda x, r: _standardise(x, x), "mean and width are those of x itself", "take both from `reference`"),
    (lambda x, r: _standardise(r, r), "this is the reference, and not x", "move x, with the numbers of reference"),
    (lambda x, r: (x - r.mean(axis=0)) / r.var(axis=0), "this divides by the variance", "the width is its root: std"),
    (lambda x, r: x - r.mean(axis=0), "the widths are left", "divide by the standard deviation"),
    (lambda x, r: x / r.std(axis=0), "the mean is left", "subtract the mean first"),
    (lambda x, r: x - r.mean(axis=0) / r.std(axis=0), "the division comes before the subtraction", "mind the brackets"),
    (_by_event, "the mean is taken over the columns of each event", "an input has one mean for all events: axis=0"),
    (lambda x, r: (x - r.min(0)) / np.ptp(r, 0), "the range is scaled to 0 … 1", "one extreme event would squeeze all"),
)


@exercise("2.5")
def exercise_2_5(answer: Any, report: Report) -> None:
    """Standardised inputs, with mean and width of the training events."""
    rng = np.random.default_rng(25)
    reference = rng.normal([60.0, 40.0, 5.0], [20.0, 10.0, 0.5], (500, 3))
    x = rng.normal([80.0, 35.0, 6.0], [30.0, 5.0, 1.0], (200, 3))
    result, right = np.asarray(answer(x, reference), float), _standardise(x, reference)
    report.recognises(result, *_MISTAKES_2_5, given=(x, reference), right=right)
    report.holds(result.shape == x.shape, "keeps the shape", hint="(x − mean) / width, column by column")
    own = np.asarray(answer(reference, reference), float)
    # n and n − 1 in the denominator of the standard deviation are both in use.
    precision = 0.002
    hold(
        report,
        (np.abs(own.mean(axis=0)) < precision, "the reference gets mean 0 in every column", "reference.mean(axis=0)"),
        (np.abs(own.std(axis=0) - 1) < precision, "it gets width 1 in every column", "divide by reference.std(axis=0)"),
        (alike(result, right, relative=precision), "other events are moved and scaled alike", "use x once"),
    )
    other = rng.normal(3.0, 2.0, (30, 5)), rng.normal(3.0, 2.0, (600, 5))
    hint = "mean and std over axis=0 treat all columns at once, however many there are"
    report.agrees(answer, _standardise, other, hint=hint, relative=precision)


_BIASED = ("a bias belongs to a neuron, and not to its inputs", "60 neurons have 60 biases")
_MISTAKES_2_6 = (
    ((240, 3600, 60), "the biases are missing", "every neuron has a bias in addition to its weights"),
    ((60, 60, 1), "these are the neurons", "every neuron has a weight for each of its inputs, and a bias"),
    ((244, 3660, 61), *_BIASED),
    ((244, 3660, 120), *_BIASED),
    ((241, 3601, 61), "there is one bias per layer", "every neuron has a bias of its own"),
    ((64, 120, 61), "inputs and neurons are added", "every neuron has a weight for *each* input: multiply"),
    ((300, 3960, 4021), "the layers are added up", "give the parameters of each layer by itself"),
    ((61, 3660, 300), "the order is turned round", "begin with the layer next to the inputs"),
)


@exercise("2.6")
def exercise_2_6(answer: Any, report: Report) -> None:
    """The parameters of the layers of the network 4-60-60-1, counted by hand."""
    report.parts(answer, "the three layers", 3)
    report.recognises(answer, *_MISTAKES_2_6)
    report.close(answer[0], 300, "the first hidden layer", hint="60 neurons with 4 weights and a bias each")
    report.close(answer[1], 3660, "the second hidden layer", hint="60 neurons with 60 weights and a bias each")
    report.close(answer[2], 61, "the output layer", hint="one neuron with 60 weights and a bias")


Layers = Sequence[tuple[Array, Array]]


def _relu(z: Any) -> Any:
    return np.maximum(0, z)


def _sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-np.asarray(z, float)))


def _forward(x: Array, layers: Layers, hidden: Any = _relu, last: Any = _sigmoid, late: bool = False) -> Array:
    """The course's own answer to exercise 2.7; the options are the variants that students write."""
    for kernel, bias in layers[:-1]:
        x = hidden(x @ kernel) + bias if late else hidden(x @ kernel + bias)
    return np.asarray(last(x @ layers[-1][0] + layers[-1][1]))[:, 0]


_RELU = "ReLU sets negative numbers to zero: np.maximum(0, z)"
_unbiased = with_argument(_forward, 1, lambda layers: [(kernel, 0 * bias) for kernel, bias in layers])
_MISTAKES_2_7 = (
    (_unbiased, "the biases are left out", "z = x @ kernel + bias"),
    (partial(_forward, last=np.asarray), "the last neuron has no sigmoid", "its output is 1 / (1 + exp(−z))"),
    (changed(_forward, lambda p: 1 - p), "the exponent has the wrong sign", "1 / (1 + exp(−z))"),
    (partial(_forward, hidden=np.asarray), "the hidden layers have no activation", _RELU),
    (partial(_forward, hidden=_sigmoid), "the hidden layers have a sigmoid", _RELU),
    (partial(_forward, hidden=partial(np.minimum, 0)), "the ReLU is turned round", _RELU),
    (partial(_forward, hidden=np.abs), "negative sums are turned positive", _RELU),
    (partial(_forward, late=True), "the bias is added after the ReLU", "the ReLU is applied to the sum with the bias"),
    (partial(_forward, last=lambda z: _sigmoid(_relu(z))), "the last layer has a ReLU as well", "only hidden ones do"),
    (partial(_forward, last=_relu), "the last layer has a ReLU in place of the sigmoid", "the loop ends before it"),
)


@exercise("2.7")
def exercise_2_7(answer: Any, report: Report) -> None:
    """The forward pass of a small network."""
    rng = np.random.default_rng(27)
    x, more = rng.normal(0, 2, (40, 3)), rng.normal(0, 2, (60, 3))
    networks = [
        [(rng.normal(0, 1, shape), rng.normal(0, 1, shape[1])) for shape in itertools.pairwise(sizes)]
        for sizes in ((3, 1), (3, 5, 1), (3, 4, 6, 1), (3, 4, 6, 5, 1))
    ]
    deep = x, networks[2]
    result = np.asarray(answer(*deep), float)
    if result.shape == (40, 1):
        report.wrong("the result has a second dimension", "one number per event: take column 0, [:, 0]")
    report.recognises(result, *_MISTAKES_2_7, given=deep, right=_forward(*deep))
    report.holds(result.shape == (40,), "gives one number per event", hint="the last layer has a single neuron")
    alone = "one layer alone has no ReLU: the sum with its bias, and the sigmoid 1 / (1 + exp(−z))"
    loop = "go through the layers in a loop; the output of one is the input of the next"
    for n, layers in enumerate(networks):
        what = f"right with {n} hidden layer{'s' if n > 1 else ''}" if n else "right for a single neuron"
        gives(report, answer, ((more, layers), _forward(more, layers), what, loop if n else alone))


def _cross_entropy(y: Any, p: Any, *, gather: Any = np.mean, **variant: Any) -> Any:
    """The course's own answer to exercise 2.8; the options are the variants that students write."""
    return gather(losses(y, p, **variant))


def _bare_log(y: Any, p: Any) -> Any:
    return -np.mean(y * np.log(p) + (1 - y) * (1 - np.log(p)))


_NATURAL = "np.log is the natural logarithm"
_MISTAKES_2_8 = (
    (changed(_cross_entropy, np.negative), "the sign is wrong", "a logarithm below one is negative: put a minus"),
    (partial(_cross_entropy, gather=np.asarray), "this is one number per event", "take the mean at the end"),
    (partial(_cross_entropy, gather=np.sum), "this is the sum", "take the mean over the events"),
    (partial(_cross_entropy, log=np.log2), "the logarithm is of base 2", _NATURAL),
    (partial(_cross_entropy, log=np.log10), "the logarithm is of base 10", _NATURAL),
    (partial(_cross_entropy, background=0), "background events do not count", "for y = 0 the loss is −log(1 − p)"),
    (lambda y, p: -np.mean((1 - y) * np.log(1 - p)), "signal events do not count", "for y = 1 the loss is −log(p)"),
    (lambda y, p: _cross_entropy(1 - y, p), "the labels are swapped", "log(p) belongs to y = 1"),
    (lambda y, p: np.mean((y - p) ** 2), "this is the mean squared error", "use the logarithms of the formula"),
    (lambda y, p: _cross_entropy(y, p) / y.mean(), "the sum is divided by the number of signal events", "by all"),
    (_bare_log, "log(1 − p) is written as 1 − log(p)", "the logarithm is of the difference: np.log(1 - p)"),
)


@exercise("2.8")
def exercise_2_8(answer: Any, report: Report) -> None:
    """The mean cross-entropy of predictions."""
    rng = np.random.default_rng(28)
    y = (rng.random(300) < 0.3).astype(float)
    p = np.clip(0.5 * y + 0.5 * rng.random(300), 0.01, 0.99)
    what = "the mean over all events follows the formula"
    follows(report, answer, _cross_entropy, (y, p), _MISTAKES_2_8, what, "y log(p) + (1 − y) log(1 − p)")
    coin, wrong = np.full(300, 0.5), (np.array([1.0]), np.array([1e-6]))
    gives(report, answer, ((y, coin), np.log(2), "p = 0.5 for all events gives log 2", "−log 0.5 is log 2"))
    large = "sure and wrong: the loss is large"
    report.holds(lambda: answer(*wrong) > 13, large, hint="−log(1e-6) is 14: leave p as it is")
    more = (rng.random(500) < 0.6).astype(float), rng.uniform(0.01, 0.99, 500)
    report.agrees(answer, _cross_entropy, more, hint="take the mean over all events that are given")


@exercise("2.10")
def exercise_2_10(answer: Any, report: Report, *, losses: Sequence[float]) -> None:
    """How much the training loss fell in the first step of the curve and in the last."""
    report.parts(answer, "the first fall and the last fall")
    if (n := len(losses)) < 5:
        report.wrong(f"the training was interrupted after {n} of 5 epochs", "run its cell again, to its end")
    falls = -np.diff(np.asarray(losses, float))
    # A figure can be read to about a twentieth of its height.
    reading = 0.05 * (max(losses) - min(losses))
    tolerances = [max(0.2 * abs(falls[0]), reading), max(0.3 * abs(falls[-1]), reading)]
    first, last = ((as_number(number) or np.inf) for number in answer)
    is_swapped = abs(first - falls[-1]) <= tolerances[1] and abs(last - falls[0]) <= tolerances[0]
    if is_swapped and abs(first - falls[0]) > tolerances[0]:
        report.wrong("the two falls are in the wrong order", "the first step comes first")
    is_loss = "this is a loss", "we ask for the difference between two epochs"
    per_cent = "this is in per cent", "give the difference of the two losses itself, without a factor 100"
    for i, what, steps in (
        (0, "the fall from the first epoch to the second", "the first two points"),
        (-1, "the fall from the fourth epoch to the fifth", "the last two points"),
    ):
        fall, before = float(falls[i]), float(losses[i - (i < 0)])
        mistakes = (
            (before, *is_loss),
            (before - fall, *is_loss),
            (-fall, "this is a rise", "a loss that falls from 0.6 to 0.5 falls by 0.1, without a minus"),
            (100 * fall / before, *per_cent),
            (100 * fall, *per_cent),
            (float(falls.sum()), "this is the fall over all epochs", "we ask for single steps"),
        )
        hint = f"the difference of {steps}"
        report.reading(answer[i], fall, what, *mistakes, tolerance=float(tolerances[i]), hint=hint)
