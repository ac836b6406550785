"""Checks of chapter 4, early stopping."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from course.checks.compare import alike
from course.checks.crafted import identities, same_rows
from course.checks.registry import course_answer
from course.checks.report import Report, exercise
from course.checks.tables import caught, changed, gives, hold, losses, part, parts_follow, with_argument

_three_parts = course_answer("4.2")
_shares = course_answer("4.9")

PATIENCE = 10


@exercise("4.1")
def exercise_4_1(answer: Any, report: Report, *, history: Mapping[str, Sequence[float]]) -> None:
    """The epoch from which on a network overtrains."""
    validation = np.asarray(history["val_loss"], float)
    training = np.asarray(history.get("loss", validation), float)
    last, best = len(validation), int(np.argmin(validation)) + 1
    epoch = report.number(answer, "the number of an epoch, such as turning_point = 12")
    # The curve is flat around its minimum: any epoch is right whose loss lies within a fiftieth of the
    # rise that follows.
    near = np.flatnonzero(validation <= validation.min() + 0.02 * (validation[best - 1 :].max() - validation.min())) + 1
    margin = max(1.0, 0.02 * last)
    turns, numbered = "the validation loss turns there", f"they are numbered from 1 to {last}"
    if near.min() - margin <= epoch <= near.max() + margin:
        report.holds(True, turns)
        return
    is_loss = "this is the value of the loss", "we ask for the epoch: the horizontal axis"
    lowest, highest = int(np.argmin(training)) + 1, int(np.argmax(validation)) + 1
    crossing = int(np.argmax(validation > training)) + 1
    mistakes = (
        (validation.min(), *is_loss),
        (training[best - 1], *is_loss),
        (last, "this is the last epoch", "there the training loss is lowest; look at the validation loss"),
        (lowest, "there the training loss is lowest", "it always falls: look at the validation loss"),
        (highest, "there the validation loss is highest", "where it is lowest the network begins to get worse"),
        (crossing, "this is where the two curves part", "the validation loss may still fall after that"),
        (epoch if epoch < 1 or epoch > last else np.nan, "there is no such epoch", numbered),
    )
    what, hint = turns, "left of it the validation loss still falls, right of it it rises"
    report.reading(epoch, best, what, *mistakes, hint=hint)


@exercise("4.2")
def exercise_4_2(answer: Any, report: Report) -> None:
    """Events to fit, to validate and to test."""
    numbers = np.random.default_rng(42).permutation(4000)
    events = pd.DataFrame({"run": 284500, "event": numbers.astype(np.int64), "value": numbers * 0.5})
    result = report.parts(answer(events), "fit_events, validation, test", 3)
    if not all(isinstance(part, pd.DataFrame) for part in result):
        report.wrong("these are no event tables", "both functions of splitting return tables: pass them on")
    fit, validation, test = parts = [identities(part) for part in result]
    right = [identities(part) for part in _three_parts(events)]
    from_train = "split first, and then validation_split(train)"
    caught(
        report,
        (right[1] in (fit, test), "the order is another one", "return fit_events, validation, test"),
        (validation & test, "some events are for validation and for test", from_train),
        (fit == right[0] | right[1], "the network is fitted to the validation events as well", "fit only to the first"),
        (fit & test, "the network is fitted to test events", "only the training events may be divided again"),
    )
    report.holds(not fit & validation, "no event is for fitting and for validation", hint="divide, do not copy")
    report.holds(set.union(*parts) == identities(events), "no event is lost", hint="use every part that you get")
    if [identities(part) for part in answer(events.sample(frac=1, random_state=1))] != parts:
        report.wrong("an event's part depends on its place in the table", "use splitting, which goes by the event")
    share = len(validation) / max(len(fit) + len(validation), 1)
    whole, default = "the parts hold whole rows, with all columns", "validation_split(train), with its default"
    hold(
        report,
        (lambda: same_rows(pd.concat(result), events), whole, "hand on the tables as splitting returns them"),
        (test == right[2], "the test events are those of chapters 2 and 3", "splitting.split(events)"),
        (abs(share - 1 / 3) < 0.05, "a third of the training events are for validation", default),
        (parts == right, "the parts are those of the later chapters", f"{default} seed"),
    )


def _stop(losses: Sequence[float], patience: int, rule: str = "") -> tuple[int, int]:
    """The course's own answer to exercise 4.4: the best and the last epoch; rules are variants that students write."""
    best, best_epoch, waited = np.inf, 0, 0
    reference = np.inf
    for epoch, loss in enumerate(losses, start=1):
        is_better = loss <= reference if rule == "ties" else loss < reference
        if loss < best:
            best, best_epoch = loss, epoch
        if not is_better:
            waited += 1
        elif rule != "never reset":
            waited = 0
        reference = loss if rule == "previous" else min(reference, loss)
        if waited >= patience:
            return best_epoch, epoch
    return best_epoch, len(losses)


def _lowest(losses: Sequence[float], _: int) -> int:
    return int(np.argmin(losses)) + 1


_FROM_1, _LEAVE = "the first epoch has the number 1", "leave the loop when patience is used up: return or break"
_MISTAKES_4_4 = (
    (changed(_stop, lambda pair: np.array(pair) - 1), "epochs are counted from 0", _FROM_1),
    (changed(_stop, lambda pair: (pair[0] - 1, pair[1])), "the best epoch is counted from 0", _FROM_1),
    (changed(_stop, lambda pair: (pair[0], pair[1] - 1)), "one epoch too few", "train `patience` epochs more"),
    (changed(_stop, lambda pair: (pair[0], pair[1] + 1)), "one epoch too many", "stop when patience is reached"),
    (changed(_stop, lambda pair: pair[::-1]), "the order is another one", "return best_epoch, last_epoch"),
    (lambda *g: (g[0][_stop(*g)[0] - 1], _stop(*g)[1]), "this is the best loss", "return its epoch"),
    (partial(_stop, rule="previous"), "each loss is compared with the epoch before", "compare with the best so far"),
    (partial(_stop, rule="ties"), "an equal loss counts as a gain", "only a lower loss is better: use <"),
    (partial(_stop, rule="never reset"), "the waiting is never reset", "after a new best epoch, count from zero again"),
    (lambda *g: (_lowest(*g), _stop(*g)[1]), "the best epoch lies after the end", "forget what follows"),
    (lambda *g: (_lowest(*g), len(g[0])), "the training does not stop", _LEAVE),
    (lambda *g: (_stop(*g)[0], len(g[0])), "the training does not stop", _LEAVE),
    (changed(_stop, lambda pair: (pair[1],) * 2), "both are the last epoch", "the best lies `patience` epochs before"),
)


@exercise("4.4")
def exercise_4_4(answer: Any, report: Report) -> None:
    """The rule of early stopping."""
    losses = [0.9, 0.7, 0.8, 0.75, 0.74, 0.6, 0.5, 0.55, 0.54, 0.5, 0.53]  # the best is epoch 7, the end epoch 11
    losses += [0.52, 0.51, 0.505, 0.4, 0.3, 0.31, 0.32, 0.33, 0.34, 0.35, 0.2]  # never looked at
    pair = report.parts(answer(losses, 4), "best_epoch, last_epoch")
    report.recognises(pair, *_MISTAKES_4_4, given=(losses, 4), right=_stop(losses, 4))
    finds = "finds the best epoch and the one at which training stops"
    gives(report, answer, ((losses, 4), (7, 11), finds, "go through 0.9, 0.7, 0.8, 0.75 by hand"))
    are_whole = all(isinstance(number, (int, np.integer)) for number in pair)
    report.holds(are_whole, "both are whole numbers", hint="epochs are counted: the best is losses[best_epoch - 1]")
    falling, large = [1.0, 0.8, 0.7, 0.65], [250.0, 240.0, 239.999, 240.0, 241.0, 230.0]
    gives(
        report,
        answer,
        ((falling, 2), (4, 4), "a loss that always falls is followed to its end", "return len(losses)"),
        (([0.5, 0.6, 0.4], 1), (1, 2), "patience 1 stops at the first epoch without gain", "use the argument patience"),
        ((falling[::-1], 3), (1, 4), "the first epoch can be the best one", "start with it"),
        ((large, 2), (3, 5), "losses of any size are followed", "begin with the first loss as best"),
    )
    walks = np.random.default_rng(44).normal(-0.5, 1.0, (4, 30)).cumsum(axis=1).round(3).tolist()
    report.agrees(answer, _stop, *itertools.product(walks, (1, 3, 8)), hint="use the arguments losses and patience")


@exercise("4.5")
def exercise_4_5(answer: Any, report: Report) -> None:
    """The callback of Keras."""
    in_list = "the callback itself; fit gets a list of callbacks, callbacks=[stopping]"
    caught(
        report,
        (isinstance(answer, type), "this is the class", "make an object of it: keras.callbacks.EarlyStopping(...)"),
        (isinstance(answer, list) and len(answer) == 1, "this is a list", in_list),
    )
    is_stopping = any(base.__name__ == "EarlyStopping" for base in type(answer).__mro__)
    report.holds(is_stopping, "it is an EarlyStopping callback", hint="keras.callbacks.EarlyStopping")
    of = "accuracy" if "accuracy" in str(answer.monitor) else "training loss" if answer.monitor == "loss" else ""
    is_watched = f"the {of} is watched" if of else ""
    watches = "it watches the validation loss", is_watched, 'the training loss always falls: monitor="val_loss"'
    goes_back = "it goes back to the best epoch", "the weights of the last epoch stay", "restore_best_weights=True"
    for is_right, what, mistake, hint in (
        (answer.monitor == "val_loss", *watches),
        (answer.patience == PATIENCE, "its patience is 10 epochs", f"its patience is {answer.patience}", "patience=10"),
        (answer.restore_best_weights, *goes_back),
        (answer.mode != "max", "a lower loss is better", "it waits for a higher loss", 'leave mode out, or "min"'),
    ):
        report.holds(is_right, what, mistake=mistake, hint=hint)
    caught(
        report,
        (answer.baseline is not None, "it has a baseline", "a loss to be reached is not asked for: leave baseline out"),
        (answer.start_from_epoch, "the first epochs are not looked at", "leave start_from_epoch out"),
        (answer.min_delta, "small gains are not counted", "any lower loss is a gain: leave min_delta out"),
    )


def _loss_and_error(y: Any, score: Any, **variant: Any) -> tuple[float, float]:
    """The course's own answer to exercise 4.6."""
    each = losses(y, score, **variant)
    return float(each.mean()), float(each.std() / np.sqrt(len(each)))


_NATURAL, _ROOT = "use the natural one, np.log", "the error of a mean is the spread divided by √n"
_MISTAKES_LOSS = (
    (losses, "there is one number per event", "take the mean over the events"),
    (changed(losses, np.sum), "the losses are added up", "take the mean"),
    (lambda *g: -_loss_and_error(*g)[0], "the sign is missing", "a logarithm of a probability is negative"),
    (part(0, _loss_and_error, log=np.log10), "the logarithm has base 10", _NATURAL),
    (part(0, _loss_and_error, log=np.log2), "the logarithm has base 2", _NATURAL),
    (part(0, _loss_and_error, background=0), "only signal events count", "background contributes -log(1 - score)"),
    (lambda y, score: losses(1 - y, score).mean(), "the labels are swapped", "log(score) belongs to y = 1"),
)
_MISTAKES_ERROR = (
    (changed(losses, np.std), "this is the spread of single events", _ROOT),
    (changed(losses, np.var), "this is a variance", "take the root, and divide by √n"),
    (lambda *g: _loss_and_error(*g)[1] ** 2, "this is the square of the error", "take the root"),
    (changed(losses, lambda each: each.std() / len(each)), "the spread is divided by n", _ROOT),
    (changed(losses, lambda each: each.mean() / np.sqrt(len(each))), "the loss itself is divided by √n", _ROOT),
    (lambda y, score: 1 / np.sqrt(len(y)), "this is 1/√n", "multiply it by the standard deviation of the losses"),
)


@exercise("4.6")
def exercise_4_6(answer: Any, report: Report) -> None:
    """The mean cross-entropy and its statistical error."""
    rng = np.random.default_rng(46)
    y = (rng.random(50) < 0.4).astype(np.float32)
    score = rng.uniform(0.05, 0.95, 50).astype(np.float32)
    loss = _MISTAKES_LOSS, "the mean cross-entropy", "-y log(score) - (1-y) log(1-score)"
    error = _MISTAKES_ERROR, "its error, the spread divided by √n", "std / √n"
    # n and n − 1 in the denominator of the standard deviation are both in use.
    parts_follow(report, answer, _loss_and_error, (y, score), "loss, error", loss, error, relative=0.015)
    own = _loss_and_error(y, score)[0]
    report.holds(lambda: alike(answer(y, score)[0], own, relative=1e-3), "the loss to a thousandth", hint=loss[2])
    more = (rng.random(200) < 0.5).astype(np.float32), rng.uniform(0.001, 0.999, 200).astype(np.float32)
    more[1][:3] = np.abs(more[0][:3] - 0.99999)
    hint = "clip scores to 1e-7 … 1 − 1e-7 and not further in, and take all events that are given"
    report.agrees(answer, _loss_and_error, more, hint=hint, relative=0.005)
    ends = np.array([1.0, 0.0, 1.0]), np.array([0.0, 1.0, 1.0])
    report.holds(
        lambda: 4 < answer(*ends)[0] < 50 and np.isfinite(answer(*ends)).all(),
        "finite for scores of exactly 0 and 1",
        hint="np.clip(score, 1e-7, 1 - 1e-7) before the logarithm, as Keras does",
    )


def _chi_square(
    values_a: Any, weight_a: Any, values_b: Any, weight_b: Any, edges: Any, variant: str = ""
) -> tuple[float, int]:
    """The course's own answer to exercise 4.7, or one of the variants that students write."""
    contents, variances = [], []
    for values, weight in ((values_a, weight_a), (values_b, weight_b)):
        weight = np.asarray(weight, np.float64)
        content = np.histogram(values, edges, weights=weight)[0]
        squares = np.abs(content) if variant == "poisson" else np.histogram(values, edges, weights=weight**2)[0]
        total = 1.0 if variant == "not normalised" else content.sum()
        contents.append(content / total)
        variances.append(squares / (1.0 if variant == "errors not normalised" else total**2))
    a, b = variances
    variance = {"first": a, "second": b, "linear": (np.sqrt(a) + np.sqrt(b)) ** 2}.get(variant, a + b)
    filled = {"in both": np.minimum(a, b) > 0, "positive": np.maximum(*contents) > 0}.get(variant, variance > 0)
    pulls = (contents[0] - contents[1])[filled] / np.sqrt(variance[filled])
    return float(np.sum(pulls if variant == "not squared" else pulls**2)), int(filled.sum()) - 1


def _chi(variant: str) -> Any:
    return part(0, _chi_square, variant=variant)


def _counted(a: Any, u: Any, b: Any, v: Any, edges: Any) -> float:
    return _chi_square(a, np.ones(len(a)), b, np.ones(len(b)), edges)[0]


_FILLED, _BOTH = "count only the bins that are filled, minus one", "both fluctuate"
_MISTAKES_CHI2 = (
    (lambda *_: np.nan, "χ² is not a number", "leave out bins in which both histograms are empty: there it is 0/0"),
    (_chi("not normalised"), "the histograms are not normalised", "divide each by its sum first"),
    (_chi("errors not normalised"), "the errors are not normalised", "σ scales as its histogram: divide it as well"),
    (_chi("poisson"), "errors are √content", "with weights, the squared error is Σw²"),
    (_chi("linear"), "the errors are added linearly", "add their squares"),
    (_chi("first"), "only the first histogram has errors", _BOTH),
    (_chi("second"), "only the second histogram has errors", _BOTH),
    (_chi("in both"), "a bin counts only where it is filled in both samples", "leave out those where *both* are empty"),
    (_chi("positive"), "bins in which negative weights prevail are left out", "a bin is empty if its Σw² is 0"),
    (_chi("not squared"), "the differences are not squared", "differences of both signs must not cancel"),
    (_counted, "events are counted, not weighted", "np.histogram(values, edges, weights=weight)"),
    (lambda *g: np.divide(*_chi_square(*g)), "χ² is divided by the degrees of freedom", "return both by themselves"),
    (lambda *g: np.sqrt(_chi_square(*g)[0]), "this is the root of χ²", "the squares are added, and stay squares"),
)
_MISTAKES_NDF = (
    (lambda *g: _chi_square(*g)[1] + 1, "one degree of freedom too many", "normalising fixes the sum: subtract 1"),
    (lambda *g: len(g[4]) - 2, "empty bins count as degrees of freedom", _FILLED),
    (lambda *g: len(g[4]) - 1, "empty bins count as degrees of freedom", _FILLED),
    (lambda *g: len(g[4]), "edges are counted, and not bins", _FILLED),
    (lambda *g: len(g[0]) + len(g[2]) - 1, "events are counted, and not bins", _FILLED),
)


@exercise("4.7")
def exercise_4_7(answer: Any, report: Report) -> None:
    """The weighted two-sample test."""
    rng = np.random.default_rng(47)
    values_a, values_b = rng.beta(2, 3, 300), rng.beta(3, 3, 200)
    weight_a, weight_b = rng.exponential(2.0, 300), rng.exponential(0.3, 200)
    weight_a[::15] *= -1
    # One bin holds events of the second sample only, one a single event of the first, with a negative weight.
    values_a, weight_a = np.append(values_a, 3.5), np.append(weight_a, -1.5)
    values_b, weight_b = np.append(values_b, np.full(10, 1.5)), np.append(weight_b, np.full(10, 0.3))
    edges = np.append(np.linspace(0, 1, 6), [2.0, 3.0, 4.0, 5.0])
    given = (values_a, weight_a, values_b, weight_b, edges)
    chi2 = _MISTAKES_CHI2, "χ² follows the formula", "Σ (a − b)² / (σ_a² + σ_b²)"
    ndf = _MISTAKES_NDF, "the degrees of freedom", "filled bins minus one"
    parts_follow(report, answer, _chi_square, given, "chi2, ndf", chi2, ndf, relative=1e-3)
    other = values_b, weight_b, values_a, weight_a, np.append(np.linspace(0, 1, 9), 5.0)
    report.agrees(answer, _chi_square, other, hint="use the argument edges", relative=1e-3)


@exercise("4.8")
def exercise_4_8(answer: Any, report: Report, *, p_values: Mapping[str, float]) -> None:
    """The network that the test calls overtrained."""
    by_size = sorted(p_values, key=lambda name: p_values[name])
    likely, suspicious = [name for name in by_size if p_values[name] > 0.05], "a small p-value is suspicious"
    mistakes = (
        (by_size[-1], "this one has the largest p-value", "a large p-value means: chance alone often does that"),
        (likely, "for this one chance is a good explanation", f"{suspicious}: chance alone rarely does that"),
    )
    what, hint = "for no other network is chance a worse explanation", suspicious
    report.name(answer, by_size, {by_size[0]}, what, *mistakes, hint=hint)


def _column(i: int) -> Any:
    """Return a function that gives one of the two shares of each process, in the order of their names."""
    return lambda *given: np.array([pair[i] for pair in _shares(*given).values()])


def _scaled(i: int, factor: Any) -> Any:
    return lambda process, weight: _column(i)(process, weight) * factor(process, weight)


def _means(process: Any, weight: Any) -> Any:
    return np.array([weight[process == name].mean() for name in np.unique(process)])


_OF_ALL = "divide by the number of all events"
_ALL_WEIGHTS = "divide by the sum of all weights"
_MISTAKES_RAW = (
    (_scaled(0, lambda p, w: len(p)), "raw events are counted, not shared", _OF_ALL),
    (_scaled(0, lambda p, w: 100), "the raw shares are in per cent", "shares add up to one"),
    (_scaled(0, lambda p, w: len(p) / 3), "raw events are divided by the number of processes", _OF_ALL),
)
_MISTAKES_EXPECTED = (
    (_column(0), "the weights are not used", "the sum of its weights over the sum of all"),
    (with_argument(_column(1), 1, np.abs), "negative weights count as positive", "add the weights as they are"),
    (_scaled(1, lambda p, w: w.sum()), "expected events are counted, not shared", _ALL_WEIGHTS),
    (_scaled(1, lambda p, w: w.mean()), "the sums are divided by the number of events", _ALL_WEIGHTS),
    (_scaled(1, lambda p, w: 100), "the expected shares are in per cent", "shares add up to one"),
    (_means, "this is the mean weight of a process", "add up its weights, and divide by the sum of all"),
)


@exercise("4.9")
def exercise_4_9(answer: Any, report: Report) -> None:
    """Raw and expected shares of processes."""
    given = np.array(["ZZ"] * 5 + ["Z", "ttbar", "Z"]), np.array([0.2, 0.2, 0.2, 0.2, 0.2, 2.0, 1.0, -0.5])
    result = answer(*given)
    form = "{name: (raw_share, expected_share), …}"
    if not isinstance(result, Mapping):
        report.wrong(f"this is of type {type(result).__name__}", f"a dictionary: {form}")
    found, names = {str(name): pair for name, pair in result.items()}, np.unique(given[0])
    report.holds(set(found) == set(names), "a dictionary with each process once", hint="the names in np.unique")
    if any(np.shape(pair) != (2,) for pair in found.values()):
        report.wrong("there are not two numbers per process", form)

    def columns(process: Any, weight: Any) -> Any:
        return [[float(found[name][i]) for name in names] for i in (0, 1)]

    def right(process: Any, weight: Any) -> Any:
        return _column(0)(process, weight), _column(1)(process, weight)

    raw = _MISTAKES_RAW, "raw shares: events over all events", "how many of all events are of this process?"
    expected = _MISTAKES_EXPECTED, "expected shares: weights over all weights", "its weights over all weights"
    parts_follow(report, columns, right, given, "raw_share, expected_share", raw, expected)
    # With negative weights a share may lie below 0, and another one above 1.
    other = np.array([*["W", "ZZ", "W", "jets"] * 3, "ZZ"]), np.array([*[1.0, 5.0, -0.5, -0.4] * 3, 2.0])
    report.agrees(answer, _shares, other, hint="go through np.unique(process), and leave the numbers as they come out")


@exercise("4.10")
def exercise_4_10(answer: Any, report: Report, *, efficiency: pd.Series, error: pd.Series) -> None:
    """The background that passes the cut most easily, or one that agrees with it within their errors."""
    background = efficiency.drop("Higgs", errors="ignore")
    most = str(background.idxmax())
    is_alike = background[most] - background <= np.hypot(error[background.index], error[most])
    mistakes = (
        ("Higgs", "the Higgs boson is the signal", "we ask for a background"),
        (background.idxmin(), "this one is rejected best", "a large efficiency means: much of it passes"),
    )
    what, hint = "no other background passes clearly more easily", "the point furthest to the right"
    report.name(answer, list(background.index), set(background.index[is_alike]), what, *mistakes, hint=hint)
