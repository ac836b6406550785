"""Checks of chapter 2, training."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from course.checks import crafted
from course.checks.registry import course_answer
from course.checks.report import Report, exercise
from course.checks.tables import caught, follows, gives, hold, parts_follow, variants
from labcourse import features, samples, splitting

Array = NDArray[np.float64]


_split, _share_error, _arrays, _forward, _knowing_nothing, _gradient, _descend = map(
    course_answer, ("2.1", "2.2", "2.3", "2.5", "2.6", "2.7", "2.8")
)


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


_VARIANCE = "the variance of one coin is f (1 − f): it shows 1 with probability f, and else 0"
_COIN, _SQUARES = "fraction * (1 - fraction) * ", "np.sum(weights**2)"
_MISTAKES_2_2 = variants(
    "2.2",
    (_COIN, "", "the probability is missing", _VARIANCE),
    (_COIN, "fraction * ", "the variance of a coin is taken to be f", _VARIANCE),
    (_COIN, f"({_COIN}1) ** 2 * ", "f (1 − f) is outside the root", "σ is the root of it"),
    (" / np.sum(weights)", "", "this is the error of the yield", "a share: divide by the sum"),
    ("variance =", "weights = weights**0; variance =", "all events count the same", "a coin worth w: w² f (1 − f)"),
    (_SQUARES, "np.sum(weights)", "expected events are taken for a count", "the coins are worth w: Σw²"),
    (_SQUARES, "np.sum(abs(weights)) ** 2", "the errors are added", "variances add up: Σw²"),
)


@exercise("2.2")
def exercise_2_2(answer: Any, report: Report) -> None:
    """The error of the share of the expected events that falls on one side."""
    rng = np.random.default_rng(22)
    weights = rng.uniform(0.2, 1.0, 40) * rng.choice([1.0, 1.0, 1.0, -1.0], 40)
    what, hint = "it is how far shares spread", "Var Σ wᵢ bᵢ = Σ wᵢ² Var bᵢ, and then the share is divided by Σ wᵢ"
    follows(report, answer, _share_error, (weights, 0.6), _MISTAKES_2_2, what, hint)
    more = (np.full(100, 0.5), 0.3), (rng.uniform(0, 2, 25), 0.9), (weights, 1.0)
    report.agrees(answer, _share_error, *more, hint="use both arguments")


_ALL_COLUMNS, _ONE_IS_SIGNAL = "take them as listed: events[columns]", "1 is signal, 0 is background"
_MISTAKES_X = variants(
    "2.3",
    ("events[columns]", "events[columns[0]]", "x holds one variable only", _ALL_COLUMNS),
    ("events[columns]", "events[sorted(columns)]", "the columns are sorted", _ALL_COLUMNS),
    ("events[columns]", "events[columns[::-1]]", "the columns are in reverse order", _ALL_COLUMNS),
    result=0,
)
_MISTAKES_Y = variants(
    "2.3",
    ("samples.SIGNAL", "samples.BACKGROUND", "signal and background are swapped", _ONE_IS_SIGNAL),
    (lambda *given: 2 * _arrays(*given)[1] - 1, "background has the label −1", _ONE_IS_SIGNAL),
    ("samples.SIGNAL", "samples.SIGNAL[:1]", "only one of the signal samples counts as signal", "all four do"),
    result=1,
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
    are_arrays = all(isinstance(part, np.ndarray) for part in parts)
    report.holds(are_arrays, "both are NumPy arrays", hint="end with .to_numpy() of the columns")
    x = _MISTAKES_X, "x holds the columns asked for, in their order", "events[columns] selects several at once"
    y = _MISTAKES_Y, "y is 1 for the four Higgs samples, else 0", "numbers, not True: .astype(np.float32)"
    parts_follow(report, answer, _arrays, (events, columns), "x, y", x, y)
    are_single = all(part.dtype == np.float32 for part in parts)
    report.holds(are_single, "both are float32, as in networks", hint=".to_numpy(np.float32), or .astype(np.float32)")
    twice = pd.concat([events, events]), ["m_llll", "lep2_pt"]
    report.agrees(answer, _arrays, twice, hint="use the arguments events and columns")


_BIASED = ("a bias belongs to a neuron, and not to its inputs", "60 neurons have 60 biases")
_MISTAKES_2_4 = (
    ((240, 3600, 60), "the biases are missing", "every neuron has a bias in addition to its weights"),
    ((60, 60, 1), "these are the neurons", "every neuron has a weight for each of its inputs, and a bias"),
    ((244, 3660, 61), *_BIASED),
    ((244, 3660, 120), *_BIASED),
    ((241, 3601, 61), "there is one bias per layer", "every neuron has a bias of its own"),
    ((64, 120, 61), "inputs and neurons are added", "every neuron has a weight for *each* input: multiply"),
    ((300, 3960, 4021), "the layers are added up", "give the parameters of each layer by itself"),
    ((61, 3660, 300), "the order is turned round", "begin with the layer next to the inputs"),
)


@exercise("2.4")
def exercise_2_4(answer: Any, report: Report) -> None:
    """The parameters of the layers of the network 4-60-60-1, counted by hand."""
    report.parts(answer, "the three layers", 3)
    report.recognises(answer, *_MISTAKES_2_4)
    report.close(answer[0], 300, "the first hidden layer", hint="60 neurons with 4 weights and a bias each")
    report.close(answer[1], 3660, "the second hidden layer", hint="60 neurons with 60 weights and a bias each")
    report.close(answer[2], 61, "the output layer", hint="one neuron with 60 weights and a bias")


_RELU = "ReLU sets negative numbers to zero: np.maximum(0, z)"
_HIDDEN, _SCORE = "np.maximum(0, x @ kernel + bias)", "1 / (1 + np.exp(-(x @ kernel + bias)))"
_MISTAKES_2_5 = variants(
    "2.5",
    (" + bias", "", "the biases are left out", "z = x @ kernel + bias"),
    (_SCORE, "x @ kernel + bias", "the last neuron has no sigmoid", "its output is 1 / (1 + exp(−z))"),
    ("np.exp(-", "np.exp(", "the exponent has the wrong sign", "1 / (1 + exp(−z))"),
    (_HIDDEN, "x @ kernel + bias", "the hidden layers have no activation", _RELU),
    (_HIDDEN, _SCORE, "the hidden layers have a sigmoid", _RELU),
    ("np.maximum", "np.minimum", "the ReLU is turned round", _RELU),
    ("np.maximum(0, ", "np.abs(", "negative sums are turned positive", _RELU),
    (_HIDDEN, "np.maximum(0, x @ kernel) + bias", "the bias is added after the ReLU", "the ReLU is applied to the sum"),
    ("np.exp(-(x", "np.exp(-np.maximum(0, x", "the last layer has a ReLU as well", "only hidden ones do"),
    (_SCORE, _HIDDEN, "the last layer has a ReLU in place of the sigmoid", "the loop ends before it"),
)


@exercise("2.5")
def exercise_2_5(answer: Any, report: Report) -> None:
    """The forward pass of a small network."""
    rng = np.random.default_rng(25)
    x, more = rng.normal(0, 2, (40, 3)), rng.normal(0, 2, (60, 3))
    networks = [
        [(rng.normal(0, 1, shape), rng.normal(0, 1, shape[1])) for shape in itertools.pairwise(sizes)]
        for sizes in ((3, 1), (3, 5, 1), (3, 4, 6, 1), (3, 4, 6, 5, 1))
    ]
    deep = x, networks[2]
    alone = "one layer alone has no ReLU: the sum with its bias, and the sigmoid 1 / (1 + exp(−z))"
    loop = "go through the layers in a loop; the output of one is the input of the next"
    follows(report, answer, _forward, deep, _MISTAKES_2_5, "gives the score of each event", loop)
    for n, layers in enumerate(networks):
        what = f"right with {n} hidden layer{'s' if n > 1 else ''}" if n else "right for a single neuron"
        gives(report, answer, ((more, layers), _forward(more, layers), what, loop if n else alone))


_MISTAKES_BEST = (
    (lambda share: 0.5, "the best score is not always 0.5", "where 90 % are signal, is 0.5 a good answer?"),
)
_MISTAKES_LEAST = (
    (lambda s: np.log(2), "this is the loss of answering 0.5", "put the best score into the loss"),
    (lambda s: -np.log(s), "this is what a signal event costs", "background events count as well: −(1 − s) log(1 − s)"),
    (lambda s: -s * np.log(s), "background events are missing", "a share 1 − s of the events costs −log(1 − c)"),
    (lambda s: -np.log(s) - np.log(1 - s), "the shares are missing", "each logarithm has the share of its class"),
    (lambda s: -s * np.log2(s) - (1 - s) * np.log2(1 - s), "the logarithm is of base 2", "np.log is the natural one"),
    (lambda s: -s * np.log(1 - s) - (1 - s) * np.log(s), "the labels are swapped", "log(c) belongs to signal"),
    (lambda s: s * (1 - s), "this is the mean squared error", "the loss is the cross-entropy"),
)


@exercise("2.6")
def exercise_2_6(answer: Any, report: Report) -> None:
    """The best constant score, and its loss."""
    names, best, least = "score, loss", "the best constant score", "its loss"
    tables = (
        (_MISTAKES_BEST, best, "where is the derivative of −s log c − (1 − s) log(1 − c) zero?"),
        (_MISTAKES_LEAST, least, "put the best score into −s log c − (1 − s) log(1 − c)"),
    )
    parts_follow(report, answer, _knowing_nothing, (0.3,), names, *tables)
    report.agrees(answer, _knowing_nothing, (0.5,), (0.41,), (0.97,), hint="use the argument share")


def _neuron(rng: np.random.Generator, n: int, n_inputs: int) -> tuple[Array, Array, Array]:
    """Return inputs, labels and weights of one neuron."""
    x = rng.normal(0.2, 1.0, (n, n_inputs))
    return x, (rng.random(n) < 1 / (1 + np.exp(-x[:, 0]))).astype(float), rng.normal(0.0, 1.0, n_inputs)


_SLOPE = "(p - y) @ x / len(y)"
_MISTAKES_2_7 = variants(
    "2.7",
    (" / len(y)", "", "this is the sum", "L is a mean: divide by the number of events"),
    ("(p - y)", "((p - y) * p * (1 - p))", "p (1 − p) is left over", "it cancels with the logarithms' derivative"),
    ("(p - y)", "(2 * (p - y) * p * (1 - p))", "this is the gradient of squares", "the loss is the cross-entropy"),
    (_SLOPE, "np.full(len(weights), np.mean(p - y))", "the inputs are missing", "dz/dw is x"),
    ("1 / (1 + np.exp(-(x @ weights)))", "x @ weights", "there is no sigmoid", "p = 1 / (1 + exp(−z))"),
    ("np.exp(-", "np.exp(", "the exponent has the wrong sign", "1 / (1 + exp(−z))"),
    (_SLOPE, "(p - y)[:, None] * x", "there is one gradient per event", "take the mean over axis 0"),
    (_SLOPE, "np.mean((p - y)[:, None] * x)", "one number is given", "each weight has a derivative: axis 0"),
    ("(p - y)", "((p - y) * y)", "background events do not count", "(p − y) x for all events"),
)


@exercise("2.7")
def exercise_2_7(answer: Any, report: Report) -> None:
    """The gradient of the cross-entropy of one neuron."""
    rng = np.random.default_rng(27)

    what, hint = "it is the slope of the loss", "dL/dz = p − y, dz/dw = x, and the mean over the events"
    follows(report, answer, _gradient, _neuron(rng, 200, 2), _MISTAKES_2_7, what, hint)
    report.agrees(
        answer, _gradient, _neuron(rng, 50, 3), _neuron(rng, 30, 1), hint="use x, y and weights, of any number"
    )


_PATH, _AS_MANY = "np.array(path)", "n_steps + 1 rows: before the first step, and after each"
_MISTAKES_2_8 = variants(
    "2.8",
    ("weights - learning_rate", "weights + learning_rate", "the walk goes uphill", "the gradient points uphill"),
    (
        _PATH,
        "np.array([weights] * len(path))",
        "all rows are the same",
        "`-=` changes the array that is in the list already: w = w - …, or w.copy()",
    ),
    ("y, weights)\n", "y, path[0])\n", "all steps have the gradient of the start", "compute it anew after each step"),
    (_PATH, f"{_PATH}[1:]", "the start is missing", _AS_MANY),
    (_PATH, f"{_PATH}[:-1]", "the last step is missing", _AS_MANY),
    (_PATH, f"{_PATH}[-1]", "only the end is given", f"keep the whole path: {_AS_MANY}"),
    ("len(y)", "np.linalg.norm((p - y) @ x)", "all steps are of one length", "η times the gradient, as it is"),
    ("[weights]", "[weights := 0 * weights]", "the walk starts at zero", "at the weights that are given"),
)


@exercise("2.8")
def exercise_2_8(answer: Any, report: Report) -> None:
    """The descent of one neuron, step by step."""
    rng = np.random.default_rng(28)

    what, hint = "each step goes against the gradient", "weights = weights − learning_rate × gradient(x, y, weights)"
    follows(report, answer, _descend, (*_neuron(rng, 200, 2), 0.5, 12), _MISTAKES_2_8, what, hint)
    more = (*_neuron(rng, 60, 3), 2.0, 5), (*_neuron(rng, 40, 1), 0.1, 1), (*_neuron(rng, 40, 2), 1.0, 0)
    report.agrees(answer, _descend, *more, hint="use all arguments; with no step, the path is its start")


@exercise("2.9", make_fallback=lambda curvatures: 2 / float(np.max(curvatures)))
def exercise_2_9(answer: Any, report: Report, *, curvatures: Sequence[float]) -> None:
    """The largest learning rate with which a descent comes to rest."""
    steepest, flattest = float(np.max(curvatures)), float(np.min(curvatures))
    two = "d becomes (1 − η c) d, and that is closer as long as −1 < 1 − η c"
    report.reading(
        answer,
        2 / steepest,
        "the longest step",
        (1 / steepest, "this step arrives at the bottom at once", f"longer ones come closer, too: {two}"),
        (2 / flattest, "this is the flattest direction", "along the other one, such a walk never comes to rest"),
        (1 / flattest, "this is the flattest direction", "the steepest one decides"),
        (steepest / 2, "the fraction is turned round", two),
        (4 / (steepest + flattest), "this is a mean curvature", "the steepest direction fails first"),
        (2 / np.sqrt(steepest), "there is a root too much", two),
        tolerance=0.01 / steepest,
        hint=two,
    )
