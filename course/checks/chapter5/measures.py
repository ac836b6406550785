"""Exercises 5.1, 5.2, 5.6 and 5.7: weighted losses, accuracies, significances and ROC curves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from course.checks import crafted
from course.checks.compare import alike
from course.checks.report import Report, exercise

__all__ = ["exercise_5_1", "exercise_5_2", "exercise_5_6", "exercise_5_7"]


def _losses(y: Any, score: Any, *, background: bool = True) -> Any:
    score = np.asarray(score, np.float64)
    return -np.where(np.asarray(y) == 1, np.log(score), background * np.log1p(-score))


def _weighted_cross_entropy(y: Any, score: Any, weight: Any) -> float:
    """The course's own answer to exercise 5.1."""
    weight = np.asarray(weight, np.float64)
    return float(np.sum(weight * _losses(y, score)) / np.sum(weight))


@exercise("5.1", fallback=_weighted_cross_entropy)
def exercise_5_1(answer: Any, report: Report) -> None:
    """The weighted mean of the cross-entropy."""
    given = y, score, weight = crafted.scored(60, seed=5)
    score[:2] = 0.001, 0.999
    right = _weighted_cross_entropy(*given)
    result = answer(*given)
    each = weight * _losses(y, score)
    if report.recognises(
        result,
        (each, "this is one number per event", "add up over the events, and divide by the sum of weights"),
        (lambda y, p, w: _losses(y, p).mean(), "the weights are not used", "multiply each event's loss by its weight"),
        (each.mean(), "the sum is divided by the number of events", "divide by the sum of weights"),
        (each.sum(), "the sum is not divided by anything", "divide by the sum of weights"),
        (-right, "the sign is missing", "a logarithm of a probability is negative"),
        (
            lambda y, p, w: _weighted_cross_entropy(y, p, np.abs(w)),
            "negative weights count as positive",
            "no abs(): they subtract, above and below",
        ),
        (each.sum() / np.abs(weight).sum(), "the weights below are absolute", "no abs(): they subtract below as well"),
        (
            lambda y, p, w: np.sum(w * _losses(y, p, background=False)) / w.sum(),
            "only signal counts",
            "background has -log(1 - score)",
        ),
        (lambda y, p, w: _weighted_cross_entropy(1 - y, p, w), "the labels are swapped", "log(score) belongs to y = 1"),
        (
            lambda y, p, w: _losses(y, p).sum() / w.sum(),
            "the weights are only used below",
            "multiply each event's loss by its weight",
        ),
        given=given,
        right=right,
    ):
        return
    if report.number(result, "add up over the events") is None:
        return
    report.close(result, right, "the weighted mean of the losses", relative=1e-4, hint="Σ w·loss / Σ w")
    report.also(
        lambda: alike(answer(y, score, 7 * weight), result),
        "the unit of the weights does not matter",
        hint="divide by Σ w",
    )
    report.also(
        lambda: alike(answer(y, score, np.ones(len(y))), _losses(y, score).mean()),
        "with equal weights it is the loss of chapter 2",
        hint="Σ w·loss / Σ w",
    )


def _weighted_accuracy(y: Any, score: Any, weight: Any) -> float:
    """The course's own answer to exercise 5.2."""
    is_right = (np.asarray(score) >= 0.5) == (np.asarray(y) == 1)
    weight = np.asarray(weight, np.float64)
    return float(weight[is_right].sum() / weight.sum())


@exercise("5.2", fallback=_weighted_accuracy)
def exercise_5_2(answer: Any, report: Report) -> None:
    """The share of expected events on the right side of 0.5."""
    given = y, score, weight = crafted.scored(60, seed=52)
    score[3], y[3] = 0.5, 1
    right = _weighted_accuracy(*given)
    is_right = (score >= 0.5) == (y == 1)
    whole = "divide by the sum of all weights"
    result = answer(*given)
    if report.recognises(
        result,
        (is_right, "this is one answer per event", "add up the weights of the events that are called what they are"),
        (is_right.mean(), "events are counted, not weighted", "use sums of weights"),
        (100 * right, "this is in per cent", "a share lies between 0 and 1"),
        (1 - right, "this is the share of wrong answers", "count those on the right side"),
        (
            lambda y, p, w: _weighted_accuracy(y, p, np.abs(w)),
            "negative weights count as positive",
            "no abs(): they subtract, above and below",
        ),
        (weight[is_right].sum(), "this is a sum", whole),
        (weight[is_right].sum() / len(y), "divided by the number of events", whole),
        (weight[is_right].sum() / np.abs(weight).sum(), "the weights below are absolute", whole),
        (
            weight[is_right & (y == 1)].sum() / weight.sum(),
            "only signal can be right",
            "background with a score below 0.5 is right as well",
        ),
        (
            weight[score >= 0.5].sum() / weight.sum(),
            "this is the share that is called signal",
            "compare what an event is called with its label",
        ),
        (weight[(score > 0.5) == (y == 1)].sum() / weight.sum(), "0.5 itself is called background", "score >= 0.5"),
        given=given,
        right=right,
    ):
        return
    if report.number(result, "add up over the events") is None:
        return
    report.close(result, right, "weights of the right answers over all weights", relative=1e-4, hint="sums of weights")
    report.also(
        lambda: alike(answer(np.array([1.0, 0.0]), np.array([0.0, 0.0]), np.array([1.0, 9.0])), 0.9),
        "who always says background is right for the background",
        hint="signal if score >= 0.5",
    )
    other = crafted.scored(40, seed=53)
    report.also(lambda: alike(answer(*other), _weighted_accuracy(*other)), "works for other events", hint=whole)


def _significance(
    score: Any,
    label: Any,
    weight: Any,
    cut: float,
    *,
    passes: Any = np.greater_equal,
    weigh: Any = np.asarray,
    over: Any = lambda s, b: np.sqrt(b),
    b_error: Any = lambda w: np.sqrt(np.sum(w**2)),
    factor: float = 0.5,
    power: int = 1,
) -> tuple[float, float]:
    """Return s/√b and its error; the options are the variants that students write."""
    passed, weight = passes(np.asarray(score), cut), weigh(np.asarray(weight, np.float64))
    signal, background = (weight[passed & (np.asarray(label) == y)] for y in (1, 0))
    s, b = signal.sum(), background.sum()
    value = s / over(s, b)
    return float(value), float(value * factor * b_error(background) / b**power)


def _s_over_root_b(score: Any, label: Any, weight: Any, cut: float) -> tuple[float, float]:
    """The course's own answer to exercise 5.6."""
    return _significance(score, label, weight, cut)


@exercise("5.6", fallback=_s_over_root_b)
def exercise_5_6(answer: Any, report: Report) -> None:
    """s/√b above a cut, and the error that the simulation of the background gives it."""
    label, score, weight = crafted.scored(200, seed=56)
    cut = float(score[label == 0][7])
    given = (score, label, weight, cut)
    right, right_error = _significance(*given)
    pair = report.parts(answer(*given), "value, error")
    if pair is None:
        return
    value, error = pair

    def variant(i: int, **options: Any) -> Any:
        return lambda *given: _significance(*given, **options)[i]

    if report.recognises(
        value,
        (variant(0, weigh=np.abs), "negative weights count as positive", "add the weights as they are"),
        (variant(0, weigh=np.ones_like), "events are counted, not weighted", "s and b are sums of weights"),
        (variant(0, passes=np.greater), "events exactly at the cut are dropped", "an event passes if score >= cut"),
        (variant(0, passes=np.less), "the wrong side of the cut is taken", "keep score >= cut"),
        (variant(0, passes=lambda score, cut: score > -1), "the cut is not applied", "keep score >= cut"),
        (variant(0, over=lambda s, b: b), "this is s/b", "divide by the square root of b"),
        (variant(0, over=lambda s, b: np.sqrt(s + b)), "this is s/√(s+b)", "only the background is below the root"),
        (
            lambda score, label, *rest: _significance(score, 1 - label, *rest)[0],
            "s and b are swapped",
            "label 1 is signal",
        ),
        (right_error, "the order is another one", "return value, error"),
        given=given,
        right=right,
    ) or report.recognises(
        error,
        (
            variant(1, b_error=lambda w: np.sqrt(w.sum())),
            "the error of b is taken as √b",
            "simulated events: σ_b = √Σw²",
        ),
        (variant(1, b_error=lambda w: np.sum(w**2)), "σ_b is not a root", "σ_b = √Σw²"),
        (
            variant(1, b_error=lambda w: np.abs(w.sum())),
            "the squares are taken after the sum",
            "square each weight, then add, then take the root",
        ),
        (variant(1, factor=1.0), "the factor one half is missing", "√b changes half as much as b, relative to itself"),
        (variant(1, power=0), "the error is not divided by b", "it is the relative error σ_b / b that counts"),
        (
            lambda score, label, weight, cut: (
                _significance(score, label, weight, cut)[0]
                * 0.5
                * np.sqrt(np.sum(weight[score >= cut] ** 2))
                / weight[(score >= cut) & (label == 0)].sum()
            ),
            "the signal enters σ_b",
            "the sum of squares runs over the background that passes",
        ),
        given=given,
        right=right_error,
    ):
        return
    if not report.close(
        value, right, "s/√b of the events that pass", relative=1e-4, hint="sums of weights, score >= cut"
    ):
        return
    report.close(
        error, right_error, "its error from the simulated background", relative=1e-4, hint="½ · value · σ_b / b"
    )
    label, score, weight = crafted.scored(120, seed=57)
    other = (score, label, weight, 0.3)
    report.also(
        lambda: alike(answer(*other), _significance(*other)),
        "works for other events and another cut",
        hint="use nothing but what is passed to the function",
    )


@exercise("5.7")
def exercise_5_7(answer: Any, report: Report, *, efficiencies: Mapping[str, float], model: str) -> None:
    """Read the background efficiency of a model from its ROC curve."""
    right = float(efficiencies[model])
    report.reading(
        answer,
        right,
        "the share of the background that passes",
        (100 * right, "this is in per cent", "give a number between 0 and 1"),
        (0.5, "this is the signal efficiency", "read the other axis"),
        (1 - right, "this is the share of the background that is rejected", "we ask for the share that passes"),
        (1 / right, "this is the rejection", "we ask for the share that passes, not for one over it"),
        *(
            (float(value), f"this belongs to another curve: {name}", f"look for the curve of: {model}")
            for name, value in efficiencies.items()
            if name != model and abs(value - right) > 0.03
        ),
        tolerance=0.03,
        hint="go right from 0.5",
    )
