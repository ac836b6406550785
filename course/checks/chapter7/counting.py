"""Exercises 7.5, 7.6 and 7.11: yields above a cut, their errors, and a background from data."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from course.checks.compare import alike
from course.checks.report import Report, exercise
from labcourse import significance

__all__ = ["exercise_7_5", "exercise_7_6", "exercise_7_11"]

Floats = NDArray[np.float64]


def _yields_above(score: Any, label: Any, weight: Any, cuts: Any) -> tuple[Floats, Floats]:
    """The course's own answer to exercise 7.5."""
    result = significance.scan(score, label, weight, cuts=np.asarray(cuts))
    return result.signal, result.background


def _yields(
    *,
    passes: Any = np.greater_equal,
    weigh: Any = np.asarray,
    masks: Any = lambda label: (label == 1, label == 0),
) -> Any:
    """Return a function that sums the weights above cuts in one of the ways that students do."""

    def yields(score: Any, label: Any, weight: Any, cuts: Any) -> Any:
        return [[weigh(weight)[passes(score, cut) & mask].sum() for cut in cuts] for mask in masks(label)]

    return yields


@exercise("7.5", fallback=_yields_above)
def exercise_7_5(answer: Any, report: Report) -> None:
    """Expected signal and background above each cut."""
    score = np.array([0.9, 0.3, 0.5, 0.95, 0.5, 0.7, 0.1, 0.8])
    label = np.array([1, 1, 0, 0, 1, 0, 0, 1])
    weight = np.array([0.6, 0.3, 1.5, 0.8, 0.4, -0.7, 2.0, 0.25])
    cuts = np.array([0.0, 0.5, 0.75, 0.99])
    given = score, label, weight, cuts
    right = _yields()(*given)
    pair = report.parts(answer(*given), "signal, background")
    if pair is None:
        return
    below = "these are the events below the cut", "use score >= cut"
    if report.recognises(
        pair,
        (right[::-1], "signal and background are swapped", "return signal first; label 1 is signal"),
        (_yields(passes=np.greater), "events exactly at the cut are lost", "use score >= cut"),
        (_yields(passes=np.less), *below),
        (_yields(passes=np.less_equal), *below),
        *(
            (
                _yields(masks=masks),
                "a mask is made of whole numbers",
                "`mask & label` holds 0 and 1, which pick events by their position: compare, (label == 1)",
            )
            for masks in (
                lambda label: (label, label),
                lambda label: (label, 1 - label),
                lambda label: (label, ~label),
                lambda label: (label, label == 0),
            )
        ),
        (_yields(weigh=np.abs), "negative weights have lost their sign", "add w, and not |w|"),
        (_yields(weigh=np.ones_like), "these are raw events", "add up the weights of the events"),
        (np.array(right)[:, :1].repeat(4, axis=1), "every cut has the same yields", "use the cut of the loop"),
        (np.array(right) / np.array(right)[:, :1], "these are efficiencies", "yields are sums, divided by nothing"),
        (
            lambda score, label, weight, cuts: [
                np.histogram(score[label == y], [*cuts, np.inf], weights=weight[label == y])[0] for y in (1, 0)
            ],
            "these are the events between one cut and the next",
            "everything above a cut counts",
        ),
        ([part[-1] for part in right], "only the last cut is kept", "collect the sums of all cuts in a list"),
        ([part[0] for part in right], "only the first cut is used", "return after the loop"),
        given=given,
        right=right,
    ):
        return
    if not report.holds(
        all(np.shape(part) == cuts.shape for part in pair), "each has one number per cut", hint="loop over the cuts"
    ):
        return
    report.holds(alike(pair[0], right[0]), "the signal is right", hint="sum the weights of label 1 with score >= cut")
    report.also(alike(pair[1], right[1]), "the background is right", hint="sum the weights of label 0")
    report.also(
        lambda: alike(answer(score, label, weight, cuts[[2, 0, 3, 1]]), np.array(right)[:, [2, 0, 3, 1]]),
        "cuts may come in any order",
        hint="compute each cut on its own",
    )


def _sum_and_error(weight: Any) -> tuple[float, float]:
    """The course's own answer to exercise 7.6."""
    values = np.asarray(weight, dtype=np.float64)
    return float(values.sum()), float(np.sqrt(np.square(values).sum()))


@exercise("7.6", fallback=_sum_and_error)
def exercise_7_6(answer: Any, report: Report) -> None:
    """A sum of weights and its statistical error."""
    weight = np.array([2.0, 1.0, -0.5, 1.5, 0.25])
    right, error = _sum_and_error(weight)
    pair = report.parts(answer(weight), "total, error")
    if pair is None:
        return
    if report.recognises(
        pair[0],
        (np.abs(weight).sum(), "the total adds absolute values", "negative weights subtract from the sum"),
        (weight[weight > 0].sum(), "the total leaves out negative weights", "they subtract from the sum"),
        (len(weight), "the total counts raw events", "add up the weights"),
        (error, "the order is another one", "return total, error"),
        right=right,
    ) or report.recognises(
        pair[1],
        (
            np.sqrt(right),
            "the error is the root of the sum",
            "that is right only for weights of one: square each weight",
        ),
        (np.sqrt(np.abs(weight).sum()), "the error is the root of Σ|w|", "square each weight before adding"),
        (
            np.sqrt(len(weight)),
            "the error is the root of the raw count",
            "weights do not stand for one event each",
        ),
        (error**2, "this is the square of the error", "take the square root at the end"),
        (right, "the squares were taken after the sum", "square each weight, then add, then take the root"),
        (np.abs(weight).sum(), "the root is taken of each weight", "add the squares first, then take the root"),
        (np.std(weight), "this is the spread of the weights", "the error of their sum is wanted: √Σw²"),
        (
            np.std(weight) / np.sqrt(len(weight)),
            "this is the error of the mean weight",
            "the error of their sum is wanted: √Σw²",
        ),
        (error / right, "this is the relative error", "do not divide by the sum"),
        (
            np.sqrt(np.sum(np.sign(weight) * weight**2)),
            "negative weights reduce your error",
            "their squares are positive: an event that subtracts fluctuates as well",
        ),
        right=error,
    ):
        return
    report.holds(alike(pair[0], right), "the total is the sum of the weights", hint="weight.sum()")
    report.also(alike(pair[1], error), "the error is the root of the sum of squares", hint="square, add, take the root")
    report.also(lambda: alike(answer(np.ones(16)), (16.0, 4.0)), "16 events of weight one: 16 ± 4", hint="√16 = 4")
    report.also(
        lambda: alike(answer(np.zeros(0)), (0.0, 0.0)),
        "no event at all: 0 ± 0",
        mistake="without any event the result is not 0 ± 0",
        hint="add up the squares: the mean of nothing is NaN",
    )


def _background_from_data(n_below: float, b_below: float, b_above: float) -> tuple[float, float]:
    """The course's own answer to exercise 7.11."""
    b = n_below * b_above / b_below
    return b, b / np.sqrt(n_below)


@exercise("7.11", fallback=_background_from_data)
def exercise_7_11(answer: Any, report: Report) -> None:
    """The background above a cut from the data below it."""
    n_below, b_below, b_above = 412, 320.5, 63.7
    b, error = right = _background_from_data(n_below, b_below, b_above)
    pair = report.parts(answer(n_below, b_below, b_above), "b, sigma_b")
    if pair is None:
        return
    scale = b_above / b_below
    if report.recognises(
        pair[0],
        (n_below / scale, "the ratio is upside down", "the cut keeps less than it rejects: above/below"),
        (b_above * b_below / n_below, "the data enter upside down", "more data below mean more background above"),
        (b_above, "the data do not enter", "multiply by n_below / b_below"),
        (n_below - b_above, "this subtracts", "multiply the data below with the ratio above/below"),
        (n_below / b_below, "this is the scale factor", "multiply the simulated background above with it"),
        (
            n_below * b_above / (b_above + b_below),
            "this divides by all of the background",
            "the data are those below the cut: divide by the background below",
        ),
        (error, "the order is another one", "return b, sigma_b"),
        (n_below * b_above // b_below, "the estimate is rounded down", "divide with /, and not with //"),
        (round(b), "the estimate is rounded", "an expectation is no whole number"),
        right=b,
    ) or report.recognises(
        pair[1],
        (
            np.sqrt(b),
            "the error is the root of the estimate",
            "what fluctuates is n_below: relative error 1/√n_below",
        ),
        (np.sqrt(n_below), "this is the error of n_below itself", "scale it to the region above the cut"),
        (1 / np.sqrt(n_below), "this is the relative error", "multiply it by b"),
        (b / n_below, "this divides by n_below", "divide b by the square root of n_below"),
        (np.sqrt(b_above), "this is the error of the simulated yield", "the relative error is 1/√n_below"),
        (b * np.sqrt(n_below), "this multiplies by the root", "the relative error is 1/√n_below"),
        right=error,
    ):
        return
    report.holds(
        alike(pair[0], right[0]),
        "as much more data below as is expected means as much more background above",
        hint="the simulation says how many events lie above the cut for each one below",
    )
    report.also(
        lambda: alike(pair[1], right[1]),
        "the relative uncertainty is that of n_below",
        hint="only the count of data fluctuates here, by √n_below",
    )
    report.also(
        lambda: alike(answer(25, 8.0, 40.0), _background_from_data(25, 8.0, 40.0)),
        "works for other numbers",
        hint="use nothing but what is passed to the function",
    )
