"""Checks of the encore with the release of 2025."""

from __future__ import annotations

from typing import Any

import numpy as np

from course.checks.registry import course_answer
from course.checks.report import Report, exercise
from course.checks.tables import follows, parts_follow, variants

_leading_first, _factor, _reducible, _expectation, _review = map(
    course_answer, ("11.1", "11.3", "11.4", "11.5", "11.8")
)

_BY_PT = "the order of pt is applied to values"
_MISTAKES_11_1 = (
    (lambda pt, v: np.take_along_axis(v, np.argsort(pt), axis=1), "the momenta rise", "take the order of -pt"),
    (lambda pt, v: -np.sort(-v), "values are sorted by themselves", _BY_PT),
    (lambda pt, v: -np.sort(-pt), "these are the momenta", _BY_PT),
    (lambda pt, v: np.argsort(-pt), "this is the order", "np.take_along_axis(values, order, axis=1)"),
    (lambda pt, v: np.take_along_axis(v, np.argsort(-pt, axis=0), axis=0), "events are sorted", "axis=1: leptons"),
    (lambda pt, v: v[:, np.argsort(-pt[0])], "all events have the order of the first", "axis=1"),
)


@exercise("11.1")
def exercise_11_1(answer: Any, report: Report) -> None:
    """Values of leptons in the order of falling momentum."""
    pt = np.array([[30.0, 8.0, 60.0, 12.0], [25.0, 20.0, 9.0, 7.0], [15.0, 11.0, 45.0, 33.0], [9.0, 7.5, 10.0, 70.0]])
    given = pt, np.array([[11.0, -1.0, 13.0, 2.0], [3.0, 9.0, 4.0, 8.0], [5.0, 6.0, -7.0, 1.0], [0.0, 2.5, 7.0, 8.5]])
    follows(report, answer, _leading_first, given, _MISTAKES_11_1, "the hardest lepton stands first", _BY_PT)
    rng = np.random.default_rng(11)
    report.agrees(answer, _leading_first, (rng.random((9, 4)), rng.integers(0, 9, (9, 4))), hint="use both arguments")


_RATIO = "good for each failed one: (n_good − n_prompt) / n_failed"
_MISTAKES_FACTOR = (
    (lambda g, f, p: g / f, "the real leptons are left in", _RATIO),
    (lambda g, f, p: (g - p) / (g - p + f), "this is the share of all fakes that are good", _RATIO),
    (lambda g, f, p: (g + p) / f, "the real leptons are added", "they are no fakes: subtract"),
)
_BOTH = "both counts fluctuate: σ² = (σ_good / n_failed)² + (f σ_failed / n_failed)²"
_VARIANCE = "n_good + factor**2 * n_failed"
_MISTAKES_ERROR = variants(
    "11.3",
    (_VARIANCE, "n_good", "the failed ones do not fluctuate", _BOTH),
    (_VARIANCE, "factor**2 * n_failed", "the good ones do not fluctuate", _BOTH),
    (_VARIANCE, f"{_VARIANCE} - n_prompt", "the variance is that of the difference", "all good ones were counted"),
    result=1,
)


@exercise("11.3")
def exercise_11_3(answer: Any, report: Report) -> None:
    """Good fakes for each failed one, with the error."""
    given = 40.0, 90.0, 6.0
    factor = _MISTAKES_FACTOR, "the factor is that of the fakes", _RATIO
    error = _MISTAKES_ERROR, "the error is that of both counts", _BOTH
    parts_follow(report, answer, _factor, given, "the factor and its error", factor, error)
    report.agrees(answer, _factor, (12, 150, 0.0), (500, 800, 44.5), hint="use all arguments")


_TWICE = "each candidate is in the first sum twice"
_MISTAKES_NUMBER = variants(
    "11.4",
    (" - both.sum()", " + both.sum()", "the two sums are added", f"{_TWICE}: subtract the second"),
    (" - both.sum()", "", "the events with two failed leptons are left out", _TWICE),
    (" - prompt", "", "prompt is not subtracted", "real leptons fail as well"),
    (" - prompt", " + prompt", "prompt is added", "it is no fake: subtract"),
    ("np.prod", "np.sum", "the factors of two leptons are added", "both: multiply"),
    ("one.sum() - both.sum()", "len(one) - len(both)", "events are counted", "each counts with its factor"),
    result=0,
)
_SQUARES = "a sum of weights has the variance Σ weight²"
_SUM = "(one**2).sum() + (both**2).sum()"
_MISTAKES_SIGMA = variants(
    "11.4",
    (_SUM, "(one**2).sum()", "the second sum does not fluctuate", _SQUARES),
    (_SUM, "(both**2).sum()", "the first sum is left out", _SQUARES),
    (_SUM, "len(one) + len(both)", "events are counted", _SQUARES),
    result=1,
)


@exercise("11.4")
def exercise_11_4(answer: Any, report: Report) -> None:
    """The number of candidates with fakes, from failed leptons."""
    given = np.array([0.1, 0.3, 0.2, 0.25, 0.15]), np.array([[0.1, 0.3], [0.4, 0.2], [0.35, 0.3]]), 0.17
    number = _MISTAKES_NUMBER, "the estimate counts each candidate once", _TWICE
    sigma = _MISTAKES_SIGMA, "the error is that of weighted events", _SQUARES
    parts_follow(report, answer, _reducible, given, "the number and its error", number, sigma)
    rng = np.random.default_rng(114)
    report.agrees(answer, _reducible, (rng.random(40), rng.random((9, 2)), 3.0), hint="use all arguments")


_LINE = "θ = 0 is Pythia, θ = 1 the twin: Pythia + θ (twin − Pythia), also for θ < 0"
_MISTAKES_11_5 = (
    (lambda mu, t, p, h, b: mu * (h + t * (p - h)) + b, "0 and 1 are exchanged", _LINE),
    (lambda mu, t, p, h, b: mu * (p + t * h) + b, "the twin is added", "its difference to Pythia moves"),
    (lambda mu, t, p, h, b: mu * (p + t * (h - p) + b), "μ multiplies the background", "signal only"),
    (lambda mu, t, p, h, b: mu * p + t * (h - p) + b, "μ does not multiply the difference", "all signal has μ"),
    (lambda mu, t, p, h, b: mu * (p + t * (h - p)), "the background is left out", "add it"),
)


@exercise("11.5")
def exercise_11_5(answer: Any, report: Report) -> None:
    """Expected events with the generator as a parameter."""
    bins = np.array([2.0, 5.0, 7.0]), np.array([2.5, 4.0, 8.5]), np.array([40.0, 9.0, 3.0])
    given = 1.5, -0.6, *bins
    follows(report, answer, _expectation, given, _MISTAKES_11_5, "signal moves in a straight line with θ", _LINE)
    report.agrees(answer, _expectation, (0.7, 1.8, *bins), (2.0, 0.0, *(x[:2] for x in bins)), hint="use all arguments")


_CORRECTED = float((28.73 - 10.3) / np.sqrt(10.3 + 0.3 * 10.3**2))


@exercise("11.7", make_fallback=lambda: _CORRECTED)
def exercise_11_7(answer: Any, report: Report) -> None:
    """The significance of the signal alone, by the published formula."""
    s, b = 28.73 - 10.3, 10.3
    hint = "the first number is stacked.sum(): the background is in it"
    mistakes = (
        (28.73 / s * _CORRECTED, "this is the published number", hint),
        (s / np.sqrt(b), "the uncertainty of the background is left out", "take the same formula: their_significance"),
        (s / np.sqrt(b + (0.3 * b) ** 2), "0.3 is squared", "take the same formula: their_significance"),
        (s, "this is the number of signal events", "put it into their_significance"),
    )
    report.reading(answer, _CORRECTED, "the significance of the signal alone", *mistakes, tolerance=0.01, hint=hint)


_HARDEST = "compare the first column with the largest of its row"
_MISTAKES_MANY = (
    (lambda w, pt: np.abs(w).sum() / w.sum(), "this is the ratio", "by how much is it larger than one? subtract 1"),
    (lambda w, pt: np.mean(w < 0), "this is the share of negative weights", "compare the two sums"),
    (lambda w, pt: np.abs(w).sum() - w.sum(), "this is a difference of sums", "divide by the sum of w"),
    (lambda w, pt: 1 - w.sum() / np.abs(w).sum(), "the excess is divided by Σ|w|", "by which share of the sum of w?"),
)
_MISTAKES_UNSORTED = (
    (lambda w, pt: (pt[:, 0] < pt.max(axis=1)).sum(), "events are counted", "take the mean"),
    (lambda w, pt: np.mean(pt[:, 0] == pt.max(axis=1)), "these are led by their first lepton", "count the others"),
    (lambda w, pt: np.mean((np.diff(pt, axis=1) > 0).any(axis=1)), "any two that are exchanged count", _HARDEST),
    (lambda w, pt: np.mean(pt[:, 0] < pt[:, 1]), "only the second is looked at", _HARDEST),
)
_KISH = "(Σw)² / Σw²"
_MISTAKES_EFFECTIVE = (
    (lambda w, pt: len(w), "these are raw events", _KISH),
    (lambda w, pt: np.abs(w).sum() ** 2 / (w**2).sum(), "the weights are taken absolute", f"{_KISH}, with its signs"),
)


@exercise("11.8")
def exercise_11_8(answer: Any, report: Report) -> None:
    """Three numbers that give flaws away."""
    weight = np.array([0.5, 0.4, -0.3, 0.6, 0.2, -0.2, 0.7])
    rows = [[30, 20, 10, 9], [20, 12, 40, 8], [15, 25, 9, 8], [40, 20, 30, 10]]
    pt = np.array([*rows, [22, 11, 8, 33], [50, 7, 8, 9], [28, 26, 19, 14]], float)
    many = _MISTAKES_MANY, "the excess of |w| is found", "Σ|w| / Σw − 1"
    unsorted = _MISTAKES_UNSORTED, "unsorted events are found", _HARDEST
    effective = _MISTAKES_EFFECTIVE, "the effective number is right", _KISH
    parts_follow(report, answer, _review, (weight, pt), "excess, share, effective number", many, unsorted, effective)
    rng = np.random.default_rng(118)
    report.agrees(answer, _review, (rng.normal(1, 1, 50), rng.random((50, 4))), hint="use both arguments")
