"""Checks of chapter 4, early stopping."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from course.checks.registry import course_answer
from course.checks.report import Report, exercise
from course.checks.tables import caught, follows, gives, hold, listed, parts_follow, variants

_needed, _stop, _paired, _chi_square = map(course_answer, ("4.2", "4.4", "4.5", "4.9"))

_NONE = "none of them"
_CHANGES = ("size", "epochs", "rate")


@exercise("4.1")
def exercise_4_1(answer: Any, report: Report, *, histories: Mapping[str, Mapping[str, Sequence[float]]]) -> None:
    """Which change alone is enough to learn a thousand events by heart."""
    rises = {name: float(loss[-1] - np.min(loss)) for name in _CHANGES if (loss := histories[name]["val_loss"])}
    right = {name for name, rise in rises.items() if rise > 0.01} or {_NONE}
    stays = "alone it is not enough: its dashed curve has not turned"
    report.name(
        answer,
        [*_CHANGES, _NONE],
        right,
        "the losses of the unknown events say so",
        ("size", stays, "there is room now; what else does it take to fill it with a thousand events?"),
        ("epochs", stays, "there is time now; what can two neurons keep in mind, however long they train?"),
        ("rate", stays, "in ten epochs it comes as far as before in some more; what does learning by heart take?"),
        (_NONE, "one of them is enough", "look for a dashed curve that rises at its end"),
        hint="compare the dashed curve with its own lowest point",
    )


_GROWS = "the error of a mean of n events is the spread divided by √n: solve for n"
_MISTAKES_4_2 = (
    (lambda values, error: np.var(values) / error, "the error is not squared", _GROWS),
    (lambda values, error: (np.mean(values) / error) ** 2, "this takes the loss itself", "its spread, np.std, matters"),
    (lambda values, error: 1 / error**2, "this is right for a spread of 1", "the losses have a spread of their own"),
    (lambda values, error: np.mean(values) / error**2, "this is right for counts", "a mean loss is no Poisson count"),
    (lambda values, error: np.var(values) / error**2 / len(values), "the events you have divide it", _GROWS),
    (lambda values, error: len(values) * np.var(values) / error**2, "the events you have multiply it", _GROWS),
)


@exercise("4.2")
def exercise_4_2(answer: Any, report: Report) -> None:
    """How many events a mean loss needs for a given error."""
    rng = np.random.default_rng(42)
    values = rng.exponential(0.4, 300) + 0.2
    what, hint = "the error shrinks with the root of the number", _GROWS
    # n and n − 1 in the standard deviation are both in use, and a number of events may be rounded.
    follows(report, answer, _needed, (values, 0.004), _MISTAKES_4_2, what, hint, relative=0.005)
    more = (rng.normal(5.0, 2.0, 2000), 0.01), (values, 0.002)
    report.agrees(answer, _needed, *more, hint="use both arguments", relative=0.006)


_FROM_1, _LEAVE = "the first epoch has the number 1", "leave the loop when patience is used up: return or break"
_BEFORE, _BEST, _STOPS = "loss < losses[epoch - 2]", "loss < losses[best_epoch - 1]", "return best_epoch, epoch"
_MISTAKES_4_4 = variants(
    "4.4",
    (_STOPS, "return best_epoch - 1, epoch - 1", "epochs are counted from 0", _FROM_1),
    (_STOPS, "return best_epoch - 1, epoch", "the best epoch is counted from 0", _FROM_1),
    (_STOPS, f"{_STOPS} - 1", "one epoch too few", "train `patience` epochs more"),
    (_STOPS, f"{_STOPS} + 1", "one epoch too many", "stop when patience is reached"),
    (_STOPS, "return losses[best_epoch - 1], epoch", "this is the best loss", "return its epoch"),
    (_BEST, _BEFORE, "each loss is compared with the epoch before", "compare with the best so far"),
    ("loss < ", "loss <= ", "an equal loss counts as a gain", "only a lower loss is better: use <"),
    (_STOPS, "return losses.index(min(losses)) + 1, epoch", "the best epoch lies after the end", "forget what follows"),
    (_STOPS, "pass", "the training does not stop", _LEAVE),
    (_STOPS, "return best_epoch, len(losses)", "the training does not stop", _LEAVE),
    (_STOPS, "return epoch, epoch", "both are the last epoch", "the best lies `patience` epochs before"),
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
    report.holds(
        are_whole, "both are whole numbers", hint="epochs are counted: losses[best_epoch - 1] is the best loss"
    )
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


def _unpaired(a: Any, b: Any, weight: Any) -> float:
    return float(np.hypot(_paired(a, 0 * a, weight)[1], _paired(b, 0 * b, weight)[1]))


_EVENT_BY_EVENT = "take the difference of each event first, and then its spread"
_PAIRED_MEAN = variants(
    "4.5",
    (lambda a, b, w: np.mean(a - b), "the weights are not used", "Σ w (a − b) / Σ w"),
    (lambda a, b, w: np.sum(w * (a - b)), "this is the sum", "divide by the sum of the weights"),
    (lambda a, b, w: np.mean(w * (a - b)), "this is divided by the number of events", "by the sum of the weights"),
    ("difference = a - b", "difference = abs(a - b)", "the signs are lost", "gains and losses may cancel"),
    result=0,
)
_ALIKE = "this takes light and heavy events to scatter alike", "let each deviation count with its weight: Σ w² (d − d̄)²"
_ERROR, _SPREAD = "np.sum((weight * (difference - mean)) ** 2)", "np.average((difference - mean) ** 2, weights=weight)"
_PAIRED_ERROR = variants(
    "4.5",
    (_unpaired, "both errors are added in squares", f"a and b are of the same events: {_EVENT_BY_EVENT}"),
    (lambda a, b, w: np.std(a - b) / np.sqrt(len(a)), "the weights are not used", "√Σ (w (d − d̄))² / Σ w"),
    (_ERROR, "np.var(difference) * np.sum(weight**2)", *_ALIKE),
    (_ERROR, f"{_SPREAD} * np.sum(weight**2)", *_ALIKE),
    (lambda a, b, w: np.std(a - b), "this is the spread of single events", "the mean of n events is known better"),
    (f"np.sqrt({_ERROR}) / np.sum(weight)", f"np.sqrt({_SPREAD})", "this is a spread", "of the mean"),
    ("(difference - mean)", "difference", "the mean is not subtracted", "d − d̄"),
    ("(weight * (difference - mean)) ** 2", "weight * (difference - mean) ** 2", "Σw in place of Σw²", "w²"),
    (f"{_ERROR}) / np.sum(weight)", f"{_ERROR})", "this is the error of the sum", "divide by Σ w as well"),
    result=1,
)


@exercise("4.5")
def exercise_4_5(answer: Any, report: Report) -> None:
    """The mean difference of two networks on the same events, and its error."""
    rng = np.random.default_rng(45)

    def case(n: int) -> tuple[Any, Any, Any]:
        a = rng.exponential(0.5, n)
        return a, a + rng.normal(0.05, 0.1, n), rng.uniform(0.2, 2.0, n) * rng.choice([1.0, 1.0, 1.0, -0.5], n)

    mean = _PAIRED_MEAN, "the mean difference", "Σ w (a − b) / Σ w"
    error = _PAIRED_ERROR, "its error", "√Σ (w (d − d̄))² / Σ w, with d = a − b"
    # n and n − 1 are both in use.
    parts_follow(report, answer, _paired, case(200), "mean, error", mean, error, relative=0.004)
    a, b, _ = case(80)
    report.agrees(answer, _paired, case(1000), (a, b, np.ones(80)), hint="use all three arguments", relative=0.008)


@exercise("4.6", make_fallback=lambda excess_gap, n_fit: excess_gap * n_fit)
def exercise_4_6(answer: Any, report: Report, *, excess_gap: float, n_fit: int) -> None:
    """The number of parameters that would make the gap beyond chance."""
    gap = "fitted events lie lower by p/2n, new ones higher by p/2n: together p/n"
    report.reading(
        answer,
        excess_gap * n_fit,
        "the number of effective parameters",
        (2 * excess_gap * n_fit, "this is twice as many", gap),
        (excess_gap * n_fit / 2, "this is half as many", gap),
        (excess_gap, "this is the gap", gap),
        (excess_gap / n_fit, "the gap is divided by n", gap),
        (4021, "these are all parameters", "how many of them does the gap betray?"),
        relative=0.02,
        hint=gap,
    )


_KEEP = "what stays is a share 1 − rate: divide by it, and the mean is what it was"


@exercise("4.7")
def exercise_4_7(answer: Any, report: Report) -> None:
    """What dropout does to the outputs of a layer."""
    x, rate = np.random.default_rng(47).uniform(0.5, 2.0, (400, 60)), 0.3

    def of(rate: float, seed: int) -> Any:
        return np.asarray(answer(x, rate, np.random.default_rng(seed)), float)

    result = of(rate, 1)
    report.holds(result.shape == x.shape, "keeps the shape", hint="np.where(stays, …, 0) keeps it")
    gone = result == 0
    factor, share = float(np.median(result[~gone] / x[~gone])), float(gone.mean())
    own, swapped = "one draw per number: rng.random(x.shape)", "`rate` is the probability to be switched off"
    caught(
        report,
        (share < 0.01, "nothing is switched off", "each number with the probability rate"),
        (np.all(gone == gone[:1]), "all events lose the same neurons", own),
        (np.all(gone == gone[:, :1]), "whole events are lost", own),
        (abs(share - (1 - rate)) < 0.03, "this is the share that stays", swapped),
        (abs(factor - 1) < 0.01, "the sums get smaller", f"what stays must grow: {_KEEP}"),
        (abs(factor - (1 - rate)) < 0.01, "what stays is multiplied by 1 − rate", f"then the sums shrink: {_KEEP}"),
        (abs(factor - 1 / rate) < 0.01, "what stays is divided by rate", _KEEP),
    )
    follows_rng = np.array_equal(of(rate, 1), result) and not np.array_equal(of(rate, 2), result)

    def is_right_for(rate: float) -> bool:
        other = of(rate, 3)
        return abs(np.mean(other == 0) - rate) < 0.03 and abs(other.mean() / x.mean() - 1) < 0.04

    hold(
        report,
        (abs(share - rate) < 0.03, "a share `rate` is switched off", "rng.random(x.shape) < rate"),
        (np.allclose(result[~gone], x[~gone] / (1 - rate), rtol=1e-4), "what stays keeps the mean", _KEEP),
        (follows_rng, "the same rng switches off the same, another one others", "draw from rng"),
        (lambda: all(map(is_right_for, (0.0, 0.5, 0.8))), "right for other rates", "use the argument rate"),
    )


@exercise("4.8")
def exercise_4_8(answer: Any, report: Report, *, table: pd.DataFrame) -> None:
    """The remedies that cannot be told from the best one."""
    difference, error = table["above the best"], table["its error"]
    right, given = set(table.index[difference <= 2 * error]), listed(report, answer, list(table.index))
    best, twice = str(difference.idxmin()), "«above the best» against twice «its error»"
    within_one = set(table.index[difference <= error])
    caught(
        report,
        (given == {best} != right, "this is the best one alone", "others are no more than two errors above it"),
        (given == within_one != right, "these lie within one error", "chance exceeds it every third time: take two"),
        (given == right - {best}, "the best one is missing", "it is as good as itself"),
        (given == set(table.index) != right, "these are all", "some are worse by more than two errors"),
        *((name not in right, f"{name!r} is more than two errors above the best", twice) for name in sorted(given)),
    )
    report.holds(given == right, "no others are as good", hint=twice)


_FILLED, _BOTH = "count only the bins that are filled, minus one", "both fluctuate"
_SHAPE, _VARIANCE, _SUM = " / content.sum()", " / content.sum() ** 2", "variances[0] + variances[1]"
_MISTAKES_CHI2 = variants(
    "4.9",
    (lambda *_: np.nan, "χ² is not a number", "leave out bins in which both histograms are empty: there it is 0/0"),
    (((_VARIANCE, ""), (_SHAPE, "")), "the histograms are not normalised", "divide each by its sum first"),
    (_VARIANCE, "", "the errors are not normalised", "σ scales as its histogram: divide it as well"),
    ("(squares", "(abs(content)", "errors are √content", "with weights, the squared error is Σw²"),
    (_SUM, "sum(np.sqrt(variances)) ** 2", "the errors are added linearly", "add their squares"),
    (_SUM, "variances[0]", "only the first histogram has errors", _BOTH),
    (_SUM, "variances[1]", "only the second histogram has errors", _BOTH),
    ("variance > 0", "np.minimum(*variances) > 0", "only bins filled in both samples count", "both must be empty"),
    ("** 2 / variance[filled]", "/ np.sqrt(variance[filled])", "the differences are not squared", "signs would cancel"),
    ("content =", "weight = weight**0; content =", "events are counted, not weighted", "weights=weight"),
    (lambda *g: np.divide(*_chi_square(*g)), "χ² is divided by the degrees of freedom", "return both by themselves"),
    result=0,
)
_MISTAKES_NDF = (
    (lambda *g: _chi_square(*g)[1] + 1, "one degree of freedom too many", "normalising fixes the sum: subtract 1"),
    (lambda *g: len(g[4]) - 2, "empty bins count as degrees of freedom", _FILLED),
    (lambda *g: len(g[4]) - 1, "empty bins count as degrees of freedom", _FILLED),
    (lambda *g: len(g[4]), "edges are counted, and not bins", _FILLED),
)


@exercise("4.9")
def exercise_4_9(answer: Any, report: Report) -> None:
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
