"""Exercises 3.1, 3.3, 3.4 and 3.7: distributions of the score, and cuts on it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from course.checks import crafted
from course.checks.compare import alike
from course.checks.report import Report, exercise
from labcourse import features

__all__ = ["exercise_3_1", "exercise_3_3", "exercise_3_4", "exercise_3_7"]

Array = NDArray[np.float64]


@exercise("3.1")
def exercise_3_1(answer: Any, report: Report, *, score: ArrayLike, label: ArrayLike) -> None:
    """The score at which the normalised distributions of signal and background cross."""
    # Where the densities cross, the difference of the cumulative distributions is largest.
    score, label = np.asarray(score, float), np.asarray(label)
    order = np.argsort(score, kind="stable")
    is_signal = label[order] == 1
    difference = np.cumsum(~is_signal) / (~is_signal).sum() - np.cumsum(is_signal) / is_signal.sum()
    crossing = float(score[order][np.argmax(difference)])
    # As the figure shows them: the share of the events in each bin.
    densities = [np.histogram(score[label == y], 40, (0, 1))[0] / (label == y).sum() for y in (0, 1)]
    peaks = [(int(np.argmax(density)) + 0.5) / 40 for density in densities]
    height = float(densities[1][min(int(40 * crossing), 39)])
    report.reading(
        answer,
        crossing,
        "the curves cross there",
        (100 * crossing, "this is in per cent", "scores lie between 0 and 1"),
        *(
            (peak, "this is where one of the curves has its maximum", "look for the score where both are equally high")
            for peak in peaks
        ),
        (height, "this is the height of the curves", "we ask for the score: the horizontal axis"),
        (40 * crossing, "this is the number of a bin", "the bins are 1/40 wide: read the horizontal axis"),
        tolerance=0.06,
        hint="to the left of it the background is higher, to the right the signal",
    )


#: `passed & label == 0` is `(passed & label) == 0`, and `label == 0 & passed` is `label == (0 & passed)`.
_BRACKETS = (
    "brackets are missing around a comparison",
    "& is done before ==, so put each comparison in brackets: passed & (label == 0)",
)


@exercise("3.3")
def exercise_3_3(answer: Any, report: Report, *, events: pd.DataFrame, score: ArrayLike, cut: float) -> None:
    """The number of expected background events for each signal event above a score."""
    passed = np.asarray(score) >= cut
    label, weight = features.labels(events), events["weight"].to_numpy(float)

    def ratio(chosen: Any, weight: Array) -> float:
        return float(weight[chosen & (label == 0)].sum() / weight[chosen & (label == 1)].sum())

    s, b = (float(weight[passed & (label == y)].sum()) for y in (1, 0))
    each = "we ask for background events for each signal event"
    report.reading(
        answer,
        b / s,
        "background events for each signal event",
        (s / b, "this is signal over background", each),
        (s / (s + b), "this is the purity", each),
        (ratio(passed, np.ones(len(weight))), "these are raw events", "expected events are sums of weights"),
        (b, "this is the number of background events", "divide it by the number of signal events"),
        (s, "this is the number of signal events", each),
        (1 + b / s, "this is all events for each signal event", "the signal itself does not belong to the background"),
        (ratio(passed | True, weight), "the cut is not applied", f"take the events with a score of at least {cut}"),
        (ratio(~passed, weight), "these are the events below the cut", f"take those with a score of at least {cut}"),
        (ratio(passed, np.abs(weight)), "negative weights count as positive", "add the weights as they are"),
        (weight[label == 0].sum() / weight[(label == 1) & passed | (label == 0) & ~passed].sum(), *_BRACKETS),
        (weight[~passed | (label == 0)].sum() / s, *_BRACKETS),
        relative=0.1,
        hint="sums of weights of events that pass",
    )


def _efficiencies(score: Any, label: Any, weight: Any, cut: float, *, passes: Any = np.greater_equal) -> Any:
    """The course's own answer to exercise 3.4."""
    passed = passes(score, cut)
    return tuple(float(weight[passed & (label == y)].sum() / weight[label == y].sum()) for y in (1, 0))


def _passing(score: Any, label: Any, weight: Any, cut: float) -> Array:
    return np.array([weight[(score >= cut) & (label == y)].sum() for y in (1, 0)])


@exercise("3.4", fallback=_efficiencies)
def exercise_3_4(answer: Any, report: Report) -> None:
    """Weighted efficiencies of a cut for signal and background."""
    score = np.array([0.9, 0.5, 0.2, 0.8, 0.5, 0.4, 0.1, 0.3])
    label = np.array([1, 1, 1, 0, 0, 0, 0, 0], np.float32)  # as in the chapter
    weight = np.array([0.5, 0.3, 0.2, 1.0, 2.0, -0.5, 4.0, 1.5])
    given = score, label, weight, 0.5
    pair = report.parts(answer(*given), "signal_efficiency, background_efficiency")
    if pair is None:
        return
    same_class = "divide by the sum of the same class"
    if report.recognises(
        pair,
        (lambda *given: _efficiencies(*given)[::-1], "the two are swapped", "the efficiency of the signal comes first"),
        (
            lambda s, y, w, cut: _efficiencies(s, y, np.ones(len(w)), cut),
            "events are counted, not weighted",
            "add up the weights",
        ),
        (
            lambda s, y, w, cut: _efficiencies(s, y, np.abs(w), cut),
            "negative weights count as positive",
            "add the weights as they are, without abs()",
        ),
        (
            lambda *given: _efficiencies(*given, passes=np.greater),
            "an event right at the cut fails",
            "score >= cut passes",
        ),
        (lambda *given: _efficiencies(*given, passes=np.less), "this is the share that fails", "score >= cut passes"),
        (
            lambda s, y, w, cut: _passing(s, y, w, cut) / w.sum(),
            "both are divided by the sum over all events",
            same_class,
        ),
        (
            lambda s, y, w, cut: _passing(s, y, w, cut) / w[s >= cut].sum(),
            "these are purities",
            "divide by the events of the same class *without* the cut",
        ),
        (
            lambda s, y, w, cut: _passing(s, y, w, cut) / np.bincount(y.astype(int))[::-1],
            "the sums of weights are divided by numbers of events",
            "weights above, and weights below",
        ),
        (
            lambda s, y, w, cut: [w[y == (k & (s >= cut))].sum() / w[y == k].sum() for k in (1, 0)],
            *_BRACKETS,
        ),
        (
            lambda s, y, w, cut: [w[((s >= cut) & (y == 1)) == k].sum() / w[y == k].sum() for k in (1, 0)],
            *_BRACKETS,
        ),
        (_passing, "the yields are not divided by those without the cut", same_class),
        (lambda *given: np.multiply(100, _efficiencies(*given)), "these are in per cent", "give numbers from 0 to 1"),
        given=given,
        right=_efficiencies(*given),
    ):
        return
    right = _efficiencies(*given)
    report.close(pair[0], right[0], "signal: passed weights over all weights", hint="of events with label 1")
    report.close(pair[1], right[1], "background: likewise", hint="of events with label 0")
    report.also(
        lambda: alike(answer(score, label, weight, 0.0), (1, 1)), "a cut at 0 keeps everything", hint="score >= cut"
    )
    report.also(
        lambda: alike(answer(score, label, weight, 0.95), (0, 0)), "a tight cut keeps nothing", hint="a sum of nothing"
    )
    classes, scores, weights = crafted.scored(200, 34)
    others = [(scores, classes, weights, cut) for cut in (0.2, 0.7, 0.93)]
    # With negative weights a share may be larger than one.
    others.append((np.array([0.9, 0.1, 0.9, 0.1]), np.array([1, 1, 0, 0]), np.array([2.0, -1.0, 1.0, 1.0]), 0.5))
    report.agrees(answer, _efficiencies, *others, hint="use all the arguments: score, label, weight and cut")


def _cut_for(
    score: Any,
    label: Any,
    weight: Any,
    efficiency: float,
    *,
    signal: Any = (1,),
    counted: bool = False,
    ascending: bool = False,
    step: int = 0,
) -> float:
    """The course's own answer to exercise 3.7; the options are the variants that students write."""
    chosen = np.isin(label, signal)
    score, weight = score[chosen], np.ones(chosen.sum()) if counted else weight[chosen]
    order = np.argsort(score if ascending else -score, kind="stable")
    kept = np.cumsum(weight[order]) / weight.sum()
    position = int(np.argmax(kept >= efficiency - 1e-9)) + step
    return float(score[order][np.clip(position, 0, len(order) - 1)])


@exercise("3.7", fallback=_cut_for)
def exercise_3_7(answer: Any, report: Report) -> None:
    """The tightest cut that keeps a given share of the expected signal."""
    rng = np.random.default_rng(37)
    score, label = rng.random(400), (rng.random(400) < 0.4).astype(np.float32)
    weight = rng.exponential(1.0, 400) * np.where(score > 0.5, 0.3, 1.0)
    given = score, label, weight, 0.55
    result = answer(*given)
    if np.shape(result) != ():
        report.wrong(f"this is an array of shape {np.shape(result)}", "return the score at one position")
        return

    def variant(**options: Any) -> Any:
        return lambda *given: _cut_for(*given, **options)

    if report.recognises(
        result,
        (variant(step=-1), "this cut keeps too little signal", "the efficiency must be *at least* the one asked for"),
        (variant(step=1), "this cut keeps more signal than it has to", "the tightest cut whose efficiency is enough"),
        (variant(signal=(0, 1)), "background events are counted as well", "take only events with label 1"),
        (variant(signal=(0,)), "this keeps that share of the background", "take only events with label 1"),
        (variant(counted=True), "signal events are counted, not weighted", "add up the weights, highest score first"),
        (
            variant(ascending=True),
            "the weights are added from the lowest score up",
            "sort with the highest score first",
        ),
        (
            lambda s, y, w, efficiency: np.quantile(s[y == 1], 1 - efficiency),
            "this is a quantile of the raw events",
            "np.quantile knows no weights: add up the weights, highest score first",
        ),
        (
            lambda s, y, w, efficiency: np.quantile(s[y == 1], efficiency),
            "this is a quantile of the raw events, counted from below",
            "add up the weights, highest score first",
        ),
        (
            lambda s, y, w, efficiency: s[y == 1].min(),
            "this cut keeps all of the signal",
            "np.argmax finds the *first* True; np.argmin and [-1] find others",
        ),
        (0.55, "this is the efficiency", "return the score that belongs to it"),
        given=given,
        right=_cut_for(*given),
    ):
        return
    five = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.95, 0.65]), np.array([1, 1, 1, 1, 1, 0, 0])
    light, heavy = np.array([0.1, 0.2, 0.3, 0.2, 0.2, 5.0, 3.0]), np.array([0.7, 0.1, 0.1, 0.05, 0.05, 1.0, 1.0])
    mixed = np.array([0.4, -0.2, 0.5, 0.2, 0.1, 1.0, 1.0])
    report.also(
        lambda: alike(answer(*five, light, 0.55), 0.7),
        "five signal events, of which three are enough",
        hint="0.1 + 0.2 + 0.3 ≥ 0.55",
    )
    report.also(
        lambda: alike(answer(*five, heavy, 0.55), 0.9),
        "one event with a large weight is enough",
        hint="the weights add up",
    )
    report.also(
        lambda: alike(answer(*five, mixed, 0.75), 0.6),
        "negative weights subtract",
        hint="0.4 − 0.2 + 0.5 is less than 0.75: add the weights as they are",
    )
    report.also(
        lambda: alike(answer(np.arange(8, 0, -1) / 8, np.ones(8), np.ones(8), 0.5), 5 / 8),
        "an efficiency that is reached exactly is enough",
        hint="four of eight events are one half: >= and not >",
    )
    hint = "add up weights from the highest score down, until the efficiency is reached"
    report.agrees(answer, _cut_for, *((*given[:3], share) for share in (0.3, 0.8)), hint=hint, relative=1e-6)
    # Ten times 0.1, added one by one, is a little less than 1.
    ten = np.arange(10, 0, -1) / 10, np.ones(10, int), np.full(10, 0.1), 1.0
    report.also(
        lambda: np.isclose(answer(*ten), 0.1),
        "to keep everything, the cut is the lowest score of the signal",
        mistake="to keep everything, a rounding error decides",
        hint="ten times 0.1 is 0.9999999999999999: ask for kept >= efficiency - 1e-9",
    )
