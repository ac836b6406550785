"""Checks of chapter 3, evaluation."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from course.checks import crafted
from course.checks.compare import alike
from course.checks.registry import course_answer
from course.checks.report import Report, exercise
from course.checks.tables import PER_CENT, changed, follows, gives, hold, just_above, parts_follow, with_argument
from labcourse import features
from labcourse.metrics import roc_curve

_efficiencies = course_answer("3.4")
_to_mixture = course_answer("3.9")

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
    is_peak = "this is where one of the curves has its maximum", "look where both are equally high"
    mistakes = (
        (100 * crossing, "this is in per cent", "scores lie between 0 and 1"),
        *((peak, *is_peak) for peak in peaks),
        (height, "this is the height of the curves", "we ask for the score: the horizontal axis"),
        (40 * crossing, "this is the number of a bin", "the bins are 1/40 wide: read the horizontal axis"),
    )
    what, hint = "the curves cross there", "to the left of it the background is higher, to the right the signal"
    report.reading(answer, crossing, what, *mistakes, tolerance=0.06, hint=hint)


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
    first_bare = weight[label == 0].sum() / weight[(label == 1) & passed | (label == 0) & ~passed].sum()
    each = "we ask for background events for each signal event"
    above = f"take the events with a score of at least {cut}"
    mistakes = (
        (s / b, "this is signal over background", each),
        (s / (s + b), "this is the purity", each),
        (ratio(passed, np.ones(len(weight))), "these are raw events", "expected events are sums of weights"),
        (b, "this is the number of background events", "divide it by the number of signal events"),
        (s, "this is the number of signal events", each),
        (1 + b / s, "this is all events for each signal event", "the signal itself does not belong to the background"),
        (ratio(passed | True, weight), "the cut is not applied", above),
        (ratio(~passed, weight), "these are the events below the cut", above),
        (ratio(passed, np.abs(weight)), "negative weights count as positive", "add the weights as they are"),
        (first_bare, *_BRACKETS),
        (weight[~passed | (label == 0)].sum() / s, *_BRACKETS),
    )
    what, hint = "background events for each signal event", "sums of weights of events that pass"
    report.reading(answer, b / s, what, *mistakes, relative=0.1, hint=hint)


def _passing(score: Any, label: Any, weight: Any, cut: float) -> Array:
    return np.array([weight[(score >= cut) & (label == y)].sum() for y in (1, 0)])


def _bare(s: Any, y: Any, w: Any, cut: float) -> Any:
    return [w[y == (k & (s >= cut))].sum() / w[y == k].sum() for k in (1, 0)]


def _bare_behind(s: Any, y: Any, w: Any, cut: float) -> Any:
    return [w[((s >= cut) & (y == 1)) == k].sum() / w[y == k].sum() for k in (1, 0)]


_MISTAKES_3_4 = (
    (with_argument(_efficiencies, 2, np.ones_like), "events are counted, not weighted", "add up the weights"),
    (with_argument(_efficiencies, 2, np.abs), "negative weights count as positive", "add the weights without abs()"),
    (with_argument(_efficiencies, 3, just_above), "an event right at the cut fails", "score >= cut passes"),
    (changed(_efficiencies, lambda pair: 1 - np.array(pair)), "this is the share that fails", "score >= cut passes"),
    (lambda *g: _passing(*g) / g[2].sum(), "both are divided by the sum over all events", "by that of the class"),
    (lambda *g: _passing(*g) / _passing(*g).sum(), "these are purities", "divide by those *without* the cut"),
    (lambda *g: _passing(*g) / np.bincount(g[1].astype(int))[::-1], "weights are divided by numbers of events", "Σw"),
    (_bare, *_BRACKETS),
    (_bare_behind, *_BRACKETS),
    (_passing, "the yields are not divided by those without the cut", "divide by the sum of the same class"),
    (changed(_efficiencies, lambda pair: 100 * np.array(pair)), *PER_CENT),
)


@exercise("3.4")
def exercise_3_4(answer: Any, report: Report) -> None:
    """Weighted efficiencies of a cut for signal and background."""
    score = np.array([0.9, 0.5, 0.2, 0.8, 0.5, 0.4, 0.1, 0.3])
    label = np.array([1, 1, 1, 0, 0, 0, 0, 0], np.float32)  # as in the chapter
    weight = np.array([0.5, 0.3, 0.2, 1.0, 2.0, -0.5, 4.0, 1.5])
    given = score, label, weight, 0.5
    names, signal = "signal_efficiency, background_efficiency", "signal: passed weights over all weights"
    tables = ((), signal, "of events with label 1"), ((), "background: likewise", "of events with label 0")
    parts_follow(report, answer, _efficiencies, given, names, *tables, of_all=_MISTAKES_3_4)
    gives(report, answer, ((score, label, weight, 0.0), (1, 1), "a cut at 0 keeps everything", "score >= cut"))
    gives(report, answer, ((score, label, weight, 0.95), (0, 0), "a tight cut keeps nothing", "a sum of nothing is 0"))
    classes, scores, weights = crafted.scored(200, 34)
    others = [(scores, classes, weights, cut) for cut in (0.2, 0.7, 0.93)]
    # With negative weights a share may be larger than one.
    others.append((np.array([0.9, 0.1, 0.9, 0.1]), np.array([1, 1, 0, 0]), np.array([2.0, -1.0, 1.0, 1.0]), 0.5))
    report.agrees(answer, _efficiencies, *others, hint="use all the arguments: score, label, weight and cut")


def _auc(score: Any, label: Any, weight: Any, *, tie: float = 0.5) -> float:
    """The course's own answer to exercise 3.5."""
    s, b = label == 1, label == 0
    difference = score[s][:, None] - score[b][None, :]
    wins = (difference > 0) + tie * (difference == 0)
    return float(weight[s] @ wins @ weight[b] / (weight[s].sum() * weight[b].sum()))


def _over(denominator: Any) -> Any:
    """Return a function that divides the sum over won pairs by something else, of the weights of both classes."""
    return lambda s, y, w: _auc(s, y, w) * w[y == 1].sum() * w[y == 0].sum() / denominator(w[y == 1], w[y == 0])


_HALF, _PAIR = "they count one half", "a pair has the weight w_i · w_j, one factor from each class"
_DIVIDE = "divide by the sum of w_i · w_j over all pairs of signal and background"
_MISTAKES_3_5 = (
    (changed(_auc, lambda area: 1 - area), "signal and background are swapped", "count pairs where signal is higher"),
    (with_argument(_auc, 2, np.ones_like), "pairs are counted, not weighted", _PAIR),
    (with_argument(_auc, 2, np.abs), "negative weights count as positive", "no abs() in a sum of weights"),
    (partial(_auc, tie=0.0), "pairs with equal scores count nothing", _HALF),
    (partial(_auc, tie=1.0), "pairs with equal scores count as won", _HALF),
    (lambda s, y, w: _auc(s, y, np.where(y == 1, w, 1.0)), "only the weights of the signal are used", _PAIR),
    (lambda s, y, w: _auc(s, y, np.where(y == 0, w, 1.0)), "only the weights of the background are used", _PAIR),
    (_over(lambda s, b: 1), "the sum is not divided", _DIVIDE),
    (_over(lambda s, b: len(s) * len(b)), "the sum is divided by the number of pairs", _DIVIDE),
    (_over(lambda s, b: (s.sum() + b.sum()) ** 2), "the sum is divided by the square of all weights", _DIVIDE),
)


@exercise("3.5", library=[roc_curve])
def exercise_3_5(answer: Any, report: Report) -> None:
    """The AUC as the probability that a signal event scores higher than a background event."""
    rng = np.random.default_rng(35)
    label = (rng.random(120) < 0.4).astype(np.float32)  # as in the chapter
    # Sixteenths are exact in any precision, and often equal.
    score = np.round(16 * rng.normal(label, 1.0)) / 16
    weight = rng.uniform(0.2, 3.0, 120) * rng.choice([1, 1, 1, 1, -1], 120)
    given, right = (score, label, weight), float(roc_curve(label, score, weight).auc)
    if np.shape(result := answer(*given)) != ():
        report.wrong(f"this is an array of shape {np.shape(result)}", "add up over all pairs and divide: one number")
    follows(report, answer, _auc, given, _MISTAKES_3_5, "the weighted share of won pairs", _DIVIDE)
    few, ones = np.array([0.1, 0.2, 0.8, 0.9]), np.ones(4)
    below = np.array([0.2, 0.8, 0.5]), np.array([1, 1, 0]), np.array([-1.0, 3.0, 1.0])
    beyond, as_it_is = "with negative weights the formula stands, also below 0 and above 1", "leave the result as it is"
    order = "depends on the order of the scores alone", "compare scores; their differences do not matter"
    gives(
        report,
        answer,
        ((few, np.array([0, 0, 1, 1]), ones), 1.0, "perfect separation gives 1", "every signal event scores higher"),
        ((few[[1, 1, 0]], np.array([1, 0, 0]), ones[:3]), 0.75, "one pair won, one equal: 0.75", _HALF),
        ((8 * score, label, weight), right, *order),
        ((score / 2**12, label, weight), right, *order),
        ((-score, label, weight), 1 - right, "scores the wrong way round give 1 − area", "also below one half"),
        (below, 1.5, beyond, as_it_is),
        ((-below[0], *below[1:]), -0.5, beyond, as_it_is),
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
    mistakes = (
        (background, "this is the efficiency of the background", rejection),
        (100 * background, "this is the efficiency of the background, in per cent", rejection),
        (1 - background, "this is the share that is removed", rejection),
        (1 / (1 - background), "this is one over the share that is removed", rejection),
        (1 / inverse, "the axes are swapped", "the signal efficiency is on the vertical axis"),
        (1 / efficiency, "this is one over the signal efficiency", "go from there to the curve, and to the other axis"),
        (efficiency / background, "the signal efficiency stands on top", "one over the efficiency of the background"),
    )
    what = "one over the background efficiency at that point"
    hint = "go from the signal efficiency on the vertical axis to the curve, and down"
    report.reading(answer, 1 / background, what, *mistakes, relative=0.12, hint=hint)


def _cut_for(score: Any, label: Any, weight: Any, efficiency: float, *, sign: int = 1, step: int = 0) -> float:
    """The course's own answer to exercise 3.7; the options are the variants that students write."""
    score, weight = score[label == 1], weight[label == 1]
    order = np.argsort(-sign * score, kind="stable")
    kept = np.cumsum(weight[order]) / weight.sum()
    position = int(np.argmax(kept >= efficiency - 1e-9)) + step
    return float(score[order][np.clip(position, 0, len(order) - 1)])


_HIGHEST = "add up the weights, highest score first"
_MISTAKES_3_7 = (
    (partial(_cut_for, step=-1), "this cut keeps too little signal", "it must be *at least* that asked for"),
    (partial(_cut_for, step=1), "this cut keeps more signal than it has to", "take the tightest that is enough"),
    (with_argument(_cut_for, 1, np.ones_like), "background events are counted as well", "take only label 1"),
    (with_argument(_cut_for, 1, lambda y: 1 - y), "this keeps that share of the background", "take label 1"),
    (with_argument(_cut_for, 2, np.ones_like), "signal events are counted, not weighted", _HIGHEST),
    (partial(_cut_for, sign=-1), "the weights are added from the lowest score up", _HIGHEST),
    (lambda s, y, w, e: np.quantile(s[y == 1], 1 - e), "this is a quantile of the raw events", _HIGHEST),
    (lambda s, y, w, e: np.quantile(s[y == 1], e), "this is a quantile of the raw events, from below", _HIGHEST),
    (lambda s, y, w, e: s[y == 1].min(), "this cut keeps all of the signal", "np.argmax finds the *first* True"),
    (lambda s, y, w, e: e, "this is the efficiency", "return the score that belongs to it"),
)


@exercise("3.7")
def exercise_3_7(answer: Any, report: Report) -> None:
    """The tightest cut that keeps a given share of the expected signal."""
    rng = np.random.default_rng(37)
    score, label = rng.random(400), (rng.random(400) < 0.4).astype(np.float32)
    weight = rng.exponential(1.0, 400) * np.where(score > 0.5, 0.3, 1.0)
    given = score, label, weight, 0.55
    result = answer(*given)
    if np.shape(result) != ():
        report.wrong(f"this is an array of shape {np.shape(result)}", "return the score at one position")
    report.recognises(result, *_MISTAKES_3_7, given=given, right=_cut_for(*given))
    five = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.95, 0.65]), np.array([1, 1, 1, 1, 1, 0, 0])
    light, heavy = np.array([0.1, 0.2, 0.3, 0.2, 0.2, 5.0, 3.0]), np.array([0.7, 0.1, 0.1, 0.05, 0.05, 1.0, 1.0])
    mixed = np.array([0.4, -0.2, 0.5, 0.2, 0.1, 1.0, 1.0])
    equal = np.arange(8, 0, -1) / 8, np.ones(8), np.ones(8), 0.5
    gives(
        report,
        answer,
        ((*five, light, 0.55), 0.7, "five signal events, of which three are enough", "0.1 + 0.2 + 0.3 ≥ 0.55"),
        ((*five, heavy, 0.55), 0.9, "one event with a large weight is enough", "the weights add up"),
        ((*five, mixed, 0.75), 0.6, "negative weights subtract", "0.4 − 0.2 + 0.5 is less than 0.75"),
        (equal, 5 / 8, "an efficiency that is reached exactly is enough", "four of eight are one half: >= and not >"),
    )
    hint = "add up weights from the highest score down, until the efficiency is reached"
    report.agrees(answer, _cut_for, *((*given[:3], share) for share in (0.3, 0.55, 0.8)), hint=hint, relative=1e-6)
    # Ten times 0.1, added one by one, is a little less than 1.
    ten = np.arange(10, 0, -1) / 10, np.ones(10, int), np.full(10, 0.1), 1.0
    report.holds(
        lambda: np.isclose(answer(*ten), 0.1),
        "to keep everything, the cut is the lowest score of the signal",
        mistake="to keep everything, a rounding error decides",
        hint="ten times 0.1 is 0.9999999999999999: ask for kept >= efficiency - 1e-9",
    )


def _unscaled(p: Any, old: float, new: float) -> Any:
    return (p * new / old) / (p * new / old + (1 - p))


_FACTOR = "the background takes the factor (1 − π′)/(1 − π)"
_MISTAKES_3_9 = (
    (lambda p, old, new: p * new / old, "this only scales the score", "divide by the sum of both terms"),
    (lambda p, old, new: _to_mixture(p, new, old), "the two shares are swapped", "share is that of the training"),
    (changed(_to_mixture, lambda p: 1 - p), "this is the probability of background", "the signal's term goes on top"),
    (with_argument(_to_mixture, 1, lambda _: 0.5), "the share of the training is left out", "divide by π and 1 − π"),
    (with_argument(_to_mixture, 2, lambda _: 0.5), "the new share is left out", "multiply the terms by π′ and 1 − π′"),
    (changed(_to_mixture, lambda p: p / (1 - p)), "these are odds", "turn odds r into a probability: r/(1 + r)"),
    (_unscaled, "the term of the background is not scaled", _FACTOR),
    (lambda p, old, new: p, "signal and background have the same factor", _FACTOR),
)


@exercise("3.9")
def exercise_3_9(answer: Any, report: Report) -> None:
    """A probability, carried over from one mixture of signal and background to another."""
    score = np.array([0.0, 0.1, 0.4, 0.5, 0.9, 1.0])
    given = score[:-1], 0.4, 0.02  # odds of a certain event are infinite
    report.recognises(answer(*given), *_MISTAKES_3_9, given=given, right=_to_mixture(*given))
    result = np.asarray(answer(score, 0.4, 0.02), float)
    report.holds(result.shape == score.shape, "gives one number per event", hint="work on the whole array")
    if np.isnan(result[-1]):
        report.wrong("a score of exactly 1 gives NaN", "its odds p/(1 − p) are infinite: compute the fraction as above")
    formula = "follows Bayes' theorem", "p·π′/π over the sum of both terms"
    same, no_news = "the same share changes nothing", "an event that tells nothing has the new share as its probability"
    gives(report, answer, ((score, 0.4, 0.4), score, same, "then π′/π and (1 − π′)/(1 − π) are both 1"))
    gives(report, answer, ((np.array([0.4]), 0.4, 0.02), [0.02], no_news, "a score of π becomes π′"))
    hold(
        report,
        (np.allclose(result[[0, -1]], [0, 1]), "certainty stays certainty", "0 stays 0, and 1 stays 1"),
        (alike(result, _to_mixture(score, 0.4, 0.02)), *formula),
    )
    other = np.linspace(0.05, 0.95, 9)[::-1], 0.3, 0.11
    report.agrees(answer, _to_mixture, other, hint="use all the arguments: score, share and new_share")
