"""Exercises 9.5 and 9.6: the binned significance, and what a curve says about a blind mass."""

from __future__ import annotations

from typing import Any

import numpy as np

from course.checks.compare import alike
from course.checks.report import Report, exercise
from labcourse import significance

__all__ = ["exercise_9_5", "exercise_9_6"]


def _binned(signal: Any, background: Any) -> float:
    """The course's own answer to exercise 9.5."""
    s, b = np.asarray(signal) / np.sum(signal), np.asarray(background) / np.sum(background)
    return float(np.sqrt(np.sum(2 * ((s + b) * np.log(1 + s / b) - s))))


@exercise("9.5", fallback=_binned)
def exercise_9_5(answer: Any, report: Report) -> None:
    """The significance of a histogram."""
    given = np.array([3.0, 6.0, 1.0]), np.array([30.0, 10.0, 60.0])
    s, b = given[0] / 10, given[1] / 100
    z = significance.asimov(s, b)
    result = report.number(answer(*given), "return one number")
    if result is None:
        return
    if report.recognises(
        result,
        (float(z.sum()), "the bins are added", "independent significances add in quadrature"),
        (float((z**2).sum()), "the root is missing", "take √ of the sum"),
        (float(np.sqrt((s**2 / b).sum())), "this is s/√b in each bin", "use the formula of Asimov"),
        (
            float(np.sqrt((significance.asimov(*given) ** 2).sum())),
            "the yields are not normalised",
            "divide each histogram by its sum first",
        ),
        (float(np.sqrt((z**2).mean())), "this is a mean over the bins", "add the squares, do not average them"),
        (
            float(significance.asimov(1.0, 1.0)),
            "the bins are summed first",
            "one significance a bin, then their squares",
        ),
        (float(np.sqrt((z**2).sum() / 2)), "the factor 2 is missing", "2 [(s + b) ln(1 + s/b) − s]"),
    ):
        return
    report.close(result, _binned(*given), "the squares of the bins are added", hint="√Σ 2 [(s + b) ln(1 + s/b) − s]")
    report.also(
        lambda: alike(answer(given[0] * 0.7, given[1] * 0.37), _binned(*given)),
        "yields do not matter, shapes do",
        hint="divide signal and background by their own sums",
    )
    report.also(
        lambda: alike(answer(np.array([0.0, 1.0]), np.array([3.0, 1.0])), _binned([0.0, 1.0], [3.0, 1.0])),
        "a bin without signal contributes nothing",
        hint="no special case is needed: the formula gives 0 for s = 0",
    )


def _ratio(points: Any) -> float:
    return float(points["parameterised"] / points["single"])


@exercise("9.6", make_fallback=lambda points: _ratio(points))
def exercise_9_6(answer: Any, report: Report, points: Any) -> None:
    """How well the network does at a mass that it has never seen."""
    report.reading(
        answer,
        _ratio(points),
        "the significance at the blind mass, relative to that of a network trained there",
        (points["single"] / points["parameterised"], "this is the inverse", "divide by the network of the single mass"),
        (
            points["parameterised"] - points["single"],
            "this is the difference",
            "divide the one significance by the other",
        ),
        (points["parameterised"], "this is the significance itself", "divide it by that of the single-mass network"),
        (100 * _ratio(points), "this is in per cent", "give a ratio, about 1"),
        tolerance=0.005,
        hint="the two numbers are in the table",
    )
