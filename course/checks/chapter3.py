"""Checks of chapter 3, evaluation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from course.checks import crafted
from course.checks.compare import alike
from course.checks.report import Report, exercise
from labcourse import features
from labcourse.plotting import roc_curve

__all__ = [
    "exercise_3_1",
    "exercise_3_3",
    "exercise_3_4",
    "exercise_3_5",
    "exercise_3_6",
    "exercise_3_7",
    "exercise_3_9",
]


def _auc(score: Any, label: Any, weight: Any, *, tie: float = 0.5) -> float:
    """The course's own answer to exercise 3.5."""
    s, b = label == 1, label == 0
    difference = score[s][:, None] - score[b][None, :]
    wins = (difference > 0) + tie * (difference == 0)
    return float(weight[s] @ wins @ weight[b] / (weight[s].sum() * weight[b].sum()))


@exercise("3.5", fallback=_auc)
def exercise_3_5(answer: Any, report: Report) -> None:
    """The AUC as the probability that a signal event scores higher than a background event."""
    rng = np.random.default_rng(35)
    label = (rng.random(120) < 0.4).astype(np.float32)  # as in the chapter
    # Sixteenths are exact in any precision, and often equal.
    score = np.round(16 * rng.normal(label, 1.0)) / 16
    weight = rng.uniform(0.2, 3.0, 120) * rng.choice([1, 1, 1, 1, -1], 120)
    given = score, label, weight
    right = float(roc_curve(label, score, weight).auc)
    result = answer(*given)
    if np.shape(result) != ():
        report.wrong(f"this is an array of shape {np.shape(result)}", "add up over all pairs and divide: one number")
        return
    half = "they count one half"
    signal, n_background = weight[label == 1].sum(), int((label == 0).sum())
    won = right * signal * weight[label == 0].sum()
    if report.recognises(
        result,
        (1 - right, "signal and background are swapped", "count the pairs in which the signal scores higher"),
        (
            lambda s, y, w: _auc(s, y, np.ones(len(w))),
            "pairs are counted, not weighted",
            "a pair has the weight w_i · w_j",
        ),
        (lambda s, y, w: _auc(s, y, np.abs(w)), "negative weights count as positive", "no abs() in a sum of weights"),
        (lambda *given: _auc(*given, tie=0.0), "pairs with equal scores count nothing", half),
        (lambda *given: _auc(*given, tie=1.0), "pairs with equal scores count as won", half),
        (
            lambda s, y, w: _auc(s, y, np.where(y == 1, w, 1.0)),
            "only the weights of the signal are used",
            "a pair has the weight w_i · w_j, one factor from each class",
        ),
        (
            lambda s, y, w: _auc(s, y, np.where(y == 0, w, 1.0)),
            "only the weights of the background are used",
            "a pair has the weight w_i · w_j, one factor from each class",
        ),
        (won, "the sum is not divided", "divide by the sum of w_i · w_j over all pairs"),
        (
            won / (label.sum() * n_background),
            "the sum is divided by the number of pairs",
            "divide by the sum of w_i · w_j over all pairs",
        ),
        (
            won / weight.sum() ** 2,
            "the sum is divided by the square of all weights",
            "only pairs of signal and background",
        ),
        given=given,
        right=right,
    ):
        return
    report.also(
        lambda: alike(answer(np.array([0.1, 0.2, 0.8, 0.9]), np.array([0, 0, 1, 1]), np.ones(4)), 1.0),
        "perfect separation gives 1",
        hint="every signal event then scores higher than every background event",
    )
    report.also(
        lambda: alike(answer(np.array([0.5, 0.5, 0.25]), np.array([1, 0, 0]), np.ones(3)), 0.75),
        "one pair won, one equal: 0.75",
        hint="equal scores count one half",
    )
    report.also(alike(result, right), "weighted events: right", hint="Σ w_i w_j over won pairs, over all pairs")
    report.also(
        lambda: all(alike(answer(factor * score, label, weight), right) for factor in (8, 2**-12)),
        "depends on the order of the scores alone",
        hint="compare scores; their differences do not matter",
    )
    report.also(
        lambda: alike(answer(-score, label, weight), 1 - right),
        "scores the wrong way round give one minus the area",
        hint="an area below one half is an answer as well",
    )
    report.also(
        lambda: alike(
            [answer(s * np.array([0.2, 0.8, 0.5]), np.array([1, 1, 0]), np.array([-1.0, 3.0, 1.0])) for s in (1, -1)],
            [1.5, -0.5],
        ),
        "with negative weights the formula stands, also below 0 and above 1",
        hint="leave the weights and the result as they are",
    )
    classes, scores, weights = crafted.scored(150, 350)
    report.agrees(answer, _auc, (scores, classes, weights), hint="take all events that are given")


@exercise("3.6")
def exercise_3_6(answer: Any, report: Report, *, events: pd.DataFrame, score: ArrayLike, efficiency: float) -> None:
    """The background rejection at a signal efficiency, read from the ROC curve."""
    weight = events["weight"].to_numpy(float)
    curve = roc_curve(features.labels(events), np.asarray(score), weight)
    background = float(np.interp(efficiency, curve.signal_efficiency, curve.background_efficiency))
    inverse = float(np.interp(efficiency, curve.background_efficiency, curve.signal_efficiency))
    rejection = "the rejection is one over the share that is kept"
    report.reading(
        answer,
        1 / background,
        "one over the background efficiency at that point",
        (background, "this is the efficiency of the background", "the rejection is one over it"),
        (100 * background, "this is the efficiency of the background, in per cent", "the rejection is one over it"),
        (1 - background, "this is the share that is removed", rejection),
        (1 / (1 - background), "this is one over the share that is removed", rejection),
        (1 / inverse, "the axes are swapped", "the signal efficiency is on the vertical axis"),
        (1 / efficiency, "this is one over the signal efficiency", "go from there to the curve, and to the other axis"),
        (efficiency / background, "the signal efficiency stands on top", "one over the efficiency of the background"),
        relative=0.12,
        hint="go from the signal efficiency on the vertical axis to the curve, and down",
    )


def _to_mixture(score: Any, share: float, new_share: float) -> Any:
    """The course's own answer to exercise 3.9."""
    signal, background = score * new_share / share, (1 - score) * (1 - new_share) / (1 - share)
    return signal / (signal + background)


def _odds(score: Any, share: float, new_share: float) -> Any:
    return score / (1 - score) * (new_share / (1 - new_share)) / (share / (1 - share))


@exercise("3.9", fallback=_to_mixture)
def exercise_3_9(answer: Any, report: Report) -> None:
    """A probability, carried over from one mixture of signal and background to another."""
    score = np.array([0.0, 0.1, 0.4, 0.5, 0.9, 1.0])
    given = score[:-1], 0.4, 0.02  # odds of a certain event are infinite
    if report.recognises(
        answer(*given),
        (
            lambda p, old, new: p * new / old,
            "this only scales the score",
            "divide by the sum of the signal's and the background's term",
        ),
        (lambda p, old, new: _to_mixture(p, new, old), "the two shares are swapped", "share is that of the training"),
        (
            lambda *given: 1 - _to_mixture(*given),
            "this is the probability of background",
            "the term of the signal goes on top",
        ),
        (
            lambda p, old, new: _to_mixture(p, 0.5, new),
            "the share of the training is left out",
            "divide the terms of signal and background by π and 1 − π",
        ),
        (
            lambda p, old, new: _to_mixture(p, old, 0.5),
            "the new share is left out",
            "multiply the terms of signal and background by π′ and 1 − π′",
        ),
        (_odds, "these are odds", "turn odds r into a probability: r/(1 + r)"),
        (
            lambda p, old, new: (p * new / old) / (p * new / old + (1 - p)),
            "the term of the background is not scaled",
            "it takes the factor (1 − π′)/(1 − π)",
        ),
        (
            lambda p, old, new: (p * new / old) / (p * new / old + (1 - p) * new / old),
            "signal and background have the same factor",
            "the background takes the factor (1 − π′)/(1 − π)",
        ),
        given=given,
        right=_to_mixture(*given),
    ):
        return
    result = np.asarray(answer(score, 0.4, 0.02), float)
    if not report.holds(result.shape == score.shape, "gives one number per event", hint="work on the whole array"):
        return
    if np.isnan(result[-1]):
        report.wrong("a score of exactly 1 gives NaN", "its odds p/(1 − p) are infinite: compute the fraction as above")
        return
    report.also(
        lambda: alike(answer(score, 0.4, 0.4), score),
        "the same share changes nothing",
        hint="then π′/π and (1 − π′)/(1 − π) are both 1",
    )
    report.also(
        lambda: np.allclose(answer(np.array([0.4]), 0.4, 0.02), 0.02),
        "an event that tells nothing has the new share as its probability",
        hint="a score equal to the old share becomes the new share",
    )
    report.also(np.allclose(result[[0, -1]], [0, 1]), "certainty stays certainty", hint="0 stays 0, and 1 stays 1")
    report.also(
        alike(result, _to_mixture(score, 0.4, 0.02)), "follows Bayes' theorem", hint="p·π′/π over the sum of both terms"
    )
    other = np.linspace(0.05, 0.95, 9)[::-1], 0.3, 0.11
    report.agrees(answer, _to_mixture, other, hint="use all the arguments: score, share and new_share")


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
