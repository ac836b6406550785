"""Checks of chapter 3, evaluation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from course.checks import crafted
from course.checks.registry import course_answer
from course.checks.report import Report, exercise
from course.checks.tables import follows, gives, variants
from labcourse import features
from labcourse.metrics import roc_curve

Array = NDArray[np.float64]


_best_score, _purity, _auc, _gaussian_auc, _cut_for, _to_mixture = map(
    course_answer, ("3.1", "3.4", "3.5", "3.6", "3.8", "3.10")
)

_SIMPLIFY = "s/b is exp(d x): the squares cancel. Then p = π s / (π s + (1 − π) b)"
_MISTAKES_3_1 = variants(
    "3.1",
    (" + np.log(share / (1 - share))", "", "the share of signal is missing", "π and 1 − π stand before s and b"),
    ("share / (1 - share)", "(1 - share) / share", "the share is that of background", "π belongs to s"),
    ("distance * x", "distance / 2 * x", "the exponent is half of what it is", _SIMPLIFY),
    ("distance * x", "2 * distance * x", "the exponent is twice what it is", _SIMPLIFY),
    ("distance * x", "-distance * x", "signal and background are swapped", "signal lies at + distance/2"),
    (lambda x, d, f: np.exp(d * x), "this is s/b", "the probability is π s / (π s + (1 − π) b)"),
    ("1 / (1 + np.exp(-log_odds))", "log_odds", "this is the logarithm of the odds", "put it into a sigmoid"),
)


@exercise("3.1")
def exercise_3_1(answer: Any, report: Report) -> None:
    """The probability of signal between two Gaussians."""
    given = np.linspace(-3, 3, 25), 1.4, 0.3
    follows(report, answer, _best_score, given, _MISTAKES_3_1, "the probability of signal", _SIMPLIFY)
    more = (np.linspace(-2, 5, 11), 3.0, 0.5), (np.array([0.0, 0.7]), 0.0, 0.9)
    report.agrees(answer, _best_score, *more, hint="use x, distance and share")


@exercise("3.2")
def exercise_3_2(answer: Any, report: Report, *, score: ArrayLike, label: ArrayLike) -> None:
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
    report.reading(answer, b / s, what, *mistakes, relative=0.02, hint=hint)


_BAYES = "of all events, ε_s π are signal that passes, ε_b (1 − π) are background that passes"
_MISTAKES_3_4 = (
    (lambda e, b, f: e, "this is the signal efficiency", "you are asked for those who passed: " + _BAYES),
    (lambda e, b, f: e * f, "this is the share of all events that is signal and passes", "divide by all that pass"),
    (lambda e, b, f: e / (e + b), "the share of signal is missing", _BAYES),
    (lambda e, b, f: e * f / (e * f + b), "the share of background is missing", _BAYES),
    (lambda e, b, f: e * f / (e * f + (1 - b) * (1 - f)), "this takes the background that fails", _BAYES),
    (lambda e, b, f: 1 - b, "this is the share of background that fails", _BAYES),
    (lambda e, b, f: e * (1 - f) / (e * (1 - f) + b * f), "the shares are swapped", "`share` is that of signal"),
)


@exercise("3.4")
def exercise_3_4(answer: Any, report: Report) -> None:
    """The purity that follows from two efficiencies and the share of signal."""
    what, hint = "the share of signal among those that pass", _BAYES
    follows(report, answer, _purity, (0.8, 0.1, 0.2), _MISTAKES_3_4, what, hint)
    more = (0.95, 0.05, 0.01), (0.3, 0.001, 0.4), (0.5, 0.5, 0.7), (1.0, 0.0, 0.3)
    report.agrees(answer, _purity, *more, hint="use all three arguments")


_HALF, _PAIR = "they count one half", "a pair has the weight w_i · w_j, one factor from each class"
_DIVIDE = "divide by the sum of w_i · w_j over all pairs of signal and background"
_SIGNAL, _BACKGROUND = "weight[signal][:, None]", "weight[background][None, :]"
_MISTAKES_3_5 = variants(
    "3.5",
    ("difference > 0", "difference < 0", "signal and background are swapped", "count pairs where signal is higher"),
    (f"{_SIGNAL} * {_BACKGROUND}", "1.0 + 0 * difference", "pairs are counted, not weighted", _PAIR),
    ("weight[", "abs(weight)[", "negative weights count as positive", "no abs() in a sum of weights"),
    (" + 0.5 * (difference == 0)", "", "pairs with equal scores count nothing", _HALF),
    ("0.5 * ", "", "pairs with equal scores count as won", _HALF),
    (f"* {_BACKGROUND}", "+ 0 * difference", "only the weights of the signal are used", _PAIR),
    (f"{_SIGNAL} *", "0 * difference +", "only the weights of the background are used", _PAIR),
    (" / pairs.sum()", "", "the sum is not divided", _DIVIDE),
    ("pairs.sum()", "pairs.size", "the sum is divided by the number of pairs", _DIVIDE),
    ("pairs.sum()", "weight.sum() ** 2", "the sum is divided by the square of all weights", _DIVIDE),
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


_WIDTH = "a difference of two independent Gaussians of width 1 is a Gaussian of width √2"
_MISTAKES_3_6 = variants(
    "3.6",
    (" / np.sqrt(2)", "", "the width of the difference is taken to be 1", _WIDTH),
    ("np.sqrt(2)", "2", "the width of the difference is taken to be 2", _WIDTH),
    ("/ np.sqrt(2)", "* np.sqrt(2)", "the root is on the wrong side", _WIDTH),
    ("np.sqrt(2)", "np.sqrt(8)", "half the distance is taken", "the difference lies around d"),
    ("cdf", "pdf", "this is a density", "norm.cdf is the probability"),
)


@exercise("3.6")
def exercise_3_6(answer: Any, report: Report) -> None:
    """The AUC of two Gaussians of width 1."""
    what, hint = "the probability that signal lies above background", _WIDTH
    follows(report, answer, _gaussian_auc, (1.3,), _MISTAKES_3_6, what, hint)
    report.agrees(answer, _gaussian_auc, (0.0,), (0.4,), (3.0,), hint="use the argument distance")


_HIGHEST, _FIRST = "add up the weights, highest score first", "np.argmax(kept >= efficiency - 1e-9)"
_MISTAKES_3_8 = variants(
    "3.8",
    (_FIRST, f"{_FIRST} - 1", "this cut keeps too little signal", "it must be *at least* that asked for"),
    (_FIRST, f"{_FIRST} + 1", "this cut keeps more signal than it has to", "take the tightest that is enough"),
    ("label == 1", "label >= 0", "background events are counted as well", "take only label 1"),
    ("label == 1", "label == 0", "this keeps that share of the background", "take label 1"),
    ("weight[label == 1]", "weight[label == 1] ** 0", "signal events are counted, not weighted", _HIGHEST),
    ("-signal_score", "signal_score", "the weights are added from the lowest score up", _HIGHEST),
    (lambda s, y, w, e: np.quantile(s[y == 1], 1 - e), "this is a quantile of the raw events", _HIGHEST),
    (lambda s, y, w, e: np.quantile(s[y == 1], e), "this is a quantile of the raw events, from below", _HIGHEST),
    (lambda s, y, w, e: s[y == 1].min(), "this cut keeps all of the signal", "np.argmax finds the *first* True"),
    (lambda s, y, w, e: e, "this is the efficiency", "return the score that belongs to it"),
)


@exercise("3.8")
def exercise_3_8(answer: Any, report: Report) -> None:
    """The tightest cut that keeps a given share of the expected signal."""
    rng = np.random.default_rng(38)
    score, label = rng.random(400), (rng.random(400) < 0.4).astype(np.float32)
    weight = rng.exponential(1.0, 400) * np.where(score > 0.5, 0.3, 1.0)
    given = score, label, weight, 0.55
    report.recognises(answer(*given), *_MISTAKES_3_8, given=given, right=_cut_for(*given))
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


_FACTOR = "the background takes the factor (1 − π′)/(1 − π)"
_MISTAKES_3_10 = variants(
    "3.10",
    (" / (signal + background)", "", "this only scales the score", "divide by the sum of both terms"),
    (lambda p, old, new: _to_mixture(p, new, old), "the two shares are swapped", "share is that of the training"),
    (((" / share", ""), (" / (1 - share)", "")), "the share of the training is left out", "divide by π and 1 − π"),
    (((" * new_share", ""), (" * (1 - new_share)", "")), "the new share is left out", "multiply by π′ and 1 − π′"),
    (" * (1 - new_share) / (1 - share)", "", "the term of the background is not scaled", _FACTOR),
    (lambda p, old, new: p, "signal and background have the same factor", _FACTOR),
)


@exercise("3.10")
def exercise_3_10(answer: Any, report: Report) -> None:
    """A probability, carried over from one mixture of signal and background to another."""
    score = np.array([0.0, 0.1, 0.4, 0.5, 0.9, 1.0])
    given = score[:-1], 0.4, 0.02  # odds of a certain event are infinite
    what, hint = "follows Bayes' theorem", "p·π′/π over the sum of both terms"
    follows(report, answer, _to_mixture, given, _MISTAKES_3_10, what, hint)
    if np.any(np.isnan(answer(score, 0.4, 0.02))):
        infinite = "its odds p/(1 − p) are infinite: multiply numerator and denominator by 1 − p"
        report.wrong("a score of exactly 1 gives NaN", infinite)
    same, no_news = "the same share changes nothing", "an event that tells nothing has the new share as its probability"
    gives(
        report,
        answer,
        ((score[[0, -1]], 0.4, 0.02), [0.0, 1.0], "certainty stays certainty", "0 stays 0, and 1 stays 1"),
        ((score, 0.4, 0.4), score, same, "then π′/π and (1 − π′)/(1 − π) are both 1"),
        ((np.array([0.4]), 0.4, 0.02), [0.02], no_news, "a score of π becomes π′"),
    )
    other = np.linspace(0.05, 0.95, 9)[::-1], 0.3, 0.11
    report.agrees(answer, _to_mixture, other, hint="use all the arguments: score, share and new_share")
