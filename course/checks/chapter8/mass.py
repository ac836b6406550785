"""Exercises 8.7 to 8.9: a cut that is chosen and quoted on different events, and what it does to the mass."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from course.checks.compare import alike
from course.checks.report import Report, exercise
from labcourse import significance

__all__ = ["exercise_8_7", "exercise_8_8", "exercise_8_9"]

Floats = NDArray[np.float64]


def _scan(events: Any, *, groups: bool = True, **options: Any) -> significance.Scan:
    return significance.scan(*events[:3], groups=events[3] if groups else None, **options)


def _choose_and_quote(validation: Any, test: Any) -> significance.Scan:
    """The course's own answer to exercise 8.7."""
    return _scan(test, cuts=[significance.best(_scan(validation)).cut])


def _unguarded(scan: significance.Scan) -> float:
    return float(scan.cut[np.nanargmax(scan.significance)])


def _toy_scores(n: int, shift: float, seed: int) -> tuple[Any, ...]:
    """Score, label, weight and sample of signal, of a large light background, and of a small heavy one."""
    rng = np.random.default_rng(seed)
    sizes = {"signal": n, "light": 4 * n, "heavy": 60}
    sample = np.repeat(list(sizes), list(sizes.values()))
    label = (sample == "signal").astype(float)
    score = 1 / (1 + np.exp(-rng.normal(shift * label - 0.5 * (sample == "heavy"), 1.0)))
    weight = np.select([sample == "signal", sample == "light"], [40.0 / n, 50.0 / n], 0.6)
    return score, label, weight, sample


@exercise("8.7", fallback=_choose_and_quote)
def exercise_8_7(answer: Any, report: Report) -> None:
    """The best cut of the validation events, quoted on test events."""
    validation, test = given = _toy_scores(400, 2.0, 871), _toy_scores(700, 1.5, 872)
    right = _choose_and_quote(*given)
    result = answer(*given)
    if not isinstance(result, significance.Scan):
        report.wrong(f"this is no scan, but of type {type(result).__name__}", "return what significance.scan returns")
        return
    if np.ndim(result.cut) == 0:
        report.wrong("this is the best cut, and not a scan", "scan the test events with cuts=[best.cut]")
        return
    if len(result.cut) != 1:
        report.wrong("the scan has more than one cut", "hand over cuts=[best.cut]")
        return
    cut = float(result.cut[0])
    named = report.recognises(
        cut,
        (
            lambda validation, test: significance.best(_scan(test)).cut,
            "the cut was chosen on the test events",
            "scan the validation events: a cut chosen and quoted on the same events looks too good",
        ),
        (
            lambda validation, test: significance.best(_scan(test, groups=False)).cut,
            "the cut was chosen on the test events",
            "scan the validation events: a cut chosen and quoted on the same events looks too good",
        ),
        (
            lambda validation, test: _unguarded(_scan(validation)),
            "the cut was chosen without the guard",
            "use significance.best: it leaves out cuts whose background is hardly known",
        ),
        (
            lambda validation, test: significance.best(_scan(validation, groups=False)).cut,
            "the cut was chosen without the samples",
            "hand over groups=sample when you scan the validation events",
        ),
        (
            lambda validation, test: significance.best(_scan(validation, measure=significance.simple)).cut,
            "the cut was chosen by s/√b",
            "the default of significance.scan is the Asimov significance",
        ),
        (0.5, "the cut is 0.5, whatever the events", "significance.best finds the best one of the validation events"),
        given=given,
        right=float(right.cut[0]),
    )
    if not named:
        report.holds(
            np.isclose(cut, right.cut[0]), "the cut is the best of the validation events", hint="significance.best"
        )
    if np.isclose(result.background[0], _scan(validation, cuts=[cut]).background[0]):
        report.wrong("signal and background are those of the validation events", "scan the test events at the cut")
        return
    wanted = _scan(test, cuts=[cut])
    report.holds(
        np.isclose(result.significance[0], wanted.significance[0]),
        "the significance is that of the test events",
        hint="significance.scan(score, label, weight, groups=sample, cuts=[best.cut]) of the test events, Asimov",
    )
    report.holds(
        np.isclose(result.background_error[0], wanted.background_error[0]),
        "its error counts one more event of each sample",
        mistake="its error forgets samples of which nothing is left",
        hint="hand over groups=sample when you scan the test events: each then counts one more event",
    )


@exercise("8.8")
def exercise_8_8(answer: Any, report: Report, *, mass: Floats, score: Floats) -> None:
    """Reading: the mass at which background gets the highest mean score."""
    edges = np.arange(80, 251, 5.0)
    number, total = np.histogram(mass, edges)[0], np.histogram(mass, edges, weights=score)[0]
    mean = np.where(number > 5, total / np.maximum(number, 1), np.nan)
    centres = edges[:-1] + 2.5
    best = int(np.nanargmax(mean))
    report.reading(
        answer,
        float(centres[best]),
        "there the mean score is highest",
        (float(mean[best]), "this is a score", "the mass on the horizontal axis is asked for, in GeV"),
        (float(np.max(score)), "this is a score", "the mass on the horizontal axis is asked for, in GeV"),
        (float(centres[np.nanargmin(mean)]), "there the mean score is lowest", "look for the maximum of the curve"),
        (
            float(centres[np.argmax(number)]),
            "most events have this mass",
            "look at the score, not at how many there are",
        ),
        (1000 * float(centres[best]), "this is in MeV", "give it in GeV"),
        (best, "this is the number of a bin", "read the mass on the horizontal axis"),
        tolerance=6,
        hint="the position of the maximum, in GeV",
    )


def _share_inside(
    mass: Any,
    weight: Any,
    low: float,
    high: float,
    *,
    from_: Any = np.greater_equal,
    below: Any = np.less,
    over: Any = lambda weight, inside: weight.sum(),
) -> float:
    """The course's own answer to exercise 8.9; the options are the variants that students write."""
    inside = from_(mass, low) & below(mass, high)
    return float(weight[inside].sum() / over(weight, inside))


@exercise("8.9", fallback=_share_inside)
def exercise_8_9(answer: Any, report: Report) -> None:
    """The share of expected events in a mass window."""
    mass = np.array([200.0, 115.0, 80.0, 129.7, 130.0, 120.0, 300.0])
    weight = np.array([3.5, 0.5, 1.0, -0.25, 2.0, 0.75, 1.0])
    given = mass, weight, 115, 130
    right = _share_inside(*given)
    result = answer(*given)

    def variant(**options: Any) -> Any:
        return lambda *given: _share_inside(*given, **options)

    if report.recognises(
        result,
        (
            lambda mass, weight, *window: _share_inside(mass, np.ones(len(weight)), *window),
            "this is the share of raw events",
            "add up the weights",
        ),
        (
            lambda mass, weight, *window: _share_inside(mass, np.abs(weight), *window),
            "negative weights lost their sign",
            "add w, and not |w|",
        ),
        (variant(over=lambda weight, inside: 1.0), "this is the number of events", "divide by the sum over all masses"),
        (
            variant(over=lambda weight, inside: weight[~inside].sum()),
            "this is inside over outside",
            "divide by the sum over all masses",
        ),
        (variant(over=lambda weight, inside: len(weight)), "this divides by a raw count", "by the sum of the weights"),
        (
            variant(over=lambda weight, inside: inside.sum()),
            "this is the mean weight in the window",
            "divide by the sum of the weights of all masses",
        ),
        (1 - right, "this is the share outside", "keep low <= mass < high"),
        (100 * right, "this is in per cent", "a share lies between 0 and 1"),
        (variant(below=np.less_equal), "the upper edge is included", "mass < high"),
        (variant(from_=np.greater), "the lower edge is left out", "low <= mass"),
        given=given,
        right=right,
    ):
        return
    if report.number(result, "add up the weights: one number") is None:
        return
    report.holds(
        alike(result, right), "the share is that of the weights inside", hint="weights inside over all weights"
    )
    report.also(
        lambda: alike(answer(mass, weight, 0, 1000), 1.0),
        "a window around everything holds everything",
        hint="divide by weight.sum()",
    )
    report.also(
        lambda: alike(answer(mass, weight, 130, 250), _share_inside(mass, weight, 130, 250)),
        "works for another window",
        hint="use low and high, and no numbers of your own",
    )
