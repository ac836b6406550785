"""Exercises 7.1 to 7.4, 7.9 and 7.10: from a count to a p-value and a significance, and what to expect."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import optimize, stats

from course.checks.compare import alike
from course.checks.report import Report, exercise
from labcourse import significance

__all__ = ["exercise_7_1", "exercise_7_2", "exercise_7_3", "exercise_7_4", "exercise_7_9", "exercise_7_10"]


def _p_value(n: Any, b: Any) -> Any:
    """The course's own answer to exercise 7.1."""
    return stats.poisson.sf(np.asarray(n) - 1, b)


@exercise("7.1", fallback=_p_value)
def exercise_7_1(answer: Any, report: Report) -> None:
    """The Poisson p-value of a count."""
    given = n, b = np.array([3, 9, 12, 18]), 9.0
    result = answer(*given)
    if report.recognises(
        result,
        (
            lambda n, b: stats.poisson.sf(n, b),
            "this is the probability of more than n events",
            "n itself counts as well",
        ),
        (
            lambda n, b: stats.poisson.sf(n + 1, b),
            "n + 1 is one step in the wrong direction",
            "sf(n) leaves out n itself",
        ),
        (
            lambda n, b: stats.poisson.pmf(n, b),
            "this is the probability of exactly n events",
            "an excess is n events *or more*: add up n, n + 1, n + 2 …",
        ),
        (
            lambda n, b: stats.poisson.cdf(n, b),
            "this is the lower tail, n events or fewer",
            "an excess is in the upper tail",
        ),
        (
            lambda n, b: stats.poisson.cdf(n - 1, b),
            "this is the lower tail, fewer than n events",
            "an excess is in the upper tail",
        ),
        (
            lambda n, b: 1 - stats.poisson.pmf(n, b),
            "this is the probability of any other count",
            "only n and above: use sf",
        ),
        (
            lambda n, b: stats.norm.sf((n - b) / np.sqrt(b)),
            "this is a Gaussian",
            "it is a good approximation for many events only: counts follow scipy.stats.poisson",
        ),
        (lambda n, b: stats.poisson.sf(b - 1, n), "mean and count are swapped", "the mean of the distribution is b"),
        given=given,
        right=_p_value(*given),
    ):
        return
    report.also(lambda: alike(answer(0, 3.5), 1.0), "n = 0 or more is certain", hint="P(N ≥ 0) = 1")
    report.also(
        lambda: alike(answer(1, 0.25), 1 - np.exp(-0.25)),
        "one event or more: everything but zero events",
        hint="P(N ≥ 1) = 1 − P(N = 0)",
    )
    report.also(
        lambda: alike(result, _p_value(n, b)), "an array of counts gives an array of p-values", hint="sf knows arrays"
    )
    means = np.array([2.0, 9.0, 15.0])
    report.also(
        lambda: alike(answer(np.array([[4, 9, 8], [0, 12, 30]]), means), _p_value([[4, 9, 8], [0, 12, 30]], means)),
        "works for tables of counts, each column with its own mean",
        hint="sf knows arrays for b too: no loop is needed",
    )
    if not report.is_right:
        return
    far_out = answer(60, 9.0)
    if report.recognises(
        far_out,
        (0.0, "the digits are lost far out in the tail", "1 - cdf rounds to zero there: use sf"),
        (1 - stats.poisson.cdf(59, 9.0), "the digits are lost far out in the tail", "1 - cdf rounds there: use sf"),
        right=_p_value(60, 9.0),
    ):
        return
    report.holds(
        abs(far_out / _p_value(60, 9.0) - 1) < 1e-4,
        "stays precise far out in the tail",
        hint="1 - cdf rounds to zero there: use sf",
    )


@exercise("7.2", fallback=significance.z_value)
def exercise_7_2(answer: Any, report: Report) -> None:
    """The significance of a p-value."""
    p = np.array([0.4, 0.02, 0.9, 1.35e-3])
    right = stats.norm.isf(p)
    result = answer(p)
    if report.recognises(
        result,
        (lambda p: stats.norm.isf(p / 2), "this is two-sided", "only an excess counts: do not halve p"),
        (lambda p: stats.norm.isf(2 * p), "p is doubled", "p is one-sided already: isf(p)"),
        (stats.norm.ppf, "the sign is turned round", "a small p-value is a large positive Z: isf, and not ppf"),
        (stats.norm.sf, "this takes Z and gives p", "the inverse is wanted: isf"),
        (stats.norm.cdf, "this is the area below a value", "the inverse of the area above is wanted: isf"),
        (stats.norm.pdf, "this is the height of the Gaussian", "an area is wanted: isf"),
        (lambda p: 1 / p, "this is one over p", "Z is where the Gaussian has the area p above it: isf"),
        (
            lambda p: np.abs(stats.norm.isf(p)),
            "a deficit counts as an excess",
            "for p above one half Z is negative: leave the sign as it is",
        ),
        (
            lambda p: np.maximum(stats.norm.isf(p), 0),
            "a deficit counts as Z = 0",
            "for p above one half Z is negative: leave it as it is",
        ),
        given=(p,),
        right=right,
    ):
        return
    report.also(
        lambda: np.isclose(answer(0.5), 0.0), "p = 0.5 is no significance at all", hint="half the area lies above 0"
    )
    report.also(
        lambda: alike(result, right), "an array of p-values gives an array", hint="scipy.stats.norm knows arrays"
    )
    report.also(
        lambda: abs(float(answer(2.866516e-7)) - 5) < 1e-3, "p = 2.9·10⁻⁷ is five sigma", hint="scipy.stats.norm.isf(p)"
    )
    if not report.is_right:
        return
    tiny = answer(1e-20)
    if report.recognises(
        tiny,
        (np.inf, "a tiny p-value has lost its digits", "1 - p rounds to one: use isf(p) instead of ppf(1 - p)"),
        right=stats.norm.isf(1e-20),
    ):
        return
    report.close(tiny, stats.norm.isf(1e-20), "stays precise for tiny p-values", hint="use isf instead of ppf(1 - p)")


@exercise("7.3", fallback=significance.simple)
def exercise_7_3(answer: Any, report: Report) -> None:
    """The estimate s/√b."""
    given = s, b = np.array([2.4, 5.0, 9.7]), np.array([4.0, 16.6, 100.0])
    result = answer(*given)
    if report.recognises(
        result,
        (lambda s, b: s / b, "this is s/b", "divide by the square root of b"),
        (
            lambda s, b: s / np.sqrt(s + b),
            "this is s/√(s+b)",
            "without a signal only the background fluctuates: √b",
        ),
        (lambda s, b: np.sqrt(s / b), "the root is taken of everything", "only b stands under the root"),
        (lambda s, b: np.sqrt(s) / b, "the root is taken of the signal", "only b stands under the root"),
        (lambda s, b: s**2 / b, "this is the square", "divide s by √b"),
        (lambda s, b: s / b**2, "b is squared", "the root is b**0.5, or np.sqrt(b)"),
        (lambda s, b: np.sqrt(b) / s, "numerator and denominator are swapped", "more signal is more significant"),
        (lambda s, b: b / np.sqrt(s), "s and b are swapped", "the signal over the root of the background"),
        (lambda s, b: s * np.sqrt(b), "this multiplies", "more background is less significant: divide by √b"),
        given=given,
        right=s / np.sqrt(b),
    ):
        return
    report.also(lambda: alike(answer(9.0, 9.0), 3.0), "s = b = 9 gives 3", hint="9/√9")
    report.also(lambda: alike(result, s / np.sqrt(b)), "works on arrays", hint="np.sqrt, and not math.sqrt")


@exercise("7.4")
def exercise_7_4(answer: Any, report: Report) -> None:
    """Reading: the background at which s/√b = 3 is ten per cent too high."""

    def excess(log_b: float) -> float:
        b = np.exp(log_b)
        return float(significance.asimov(3 * np.sqrt(b), b)) - 3 / 1.1

    expected = float(np.exp(optimize.brentq(excess, 0.0, np.log(1000.0))))
    number = report.number(answer, "read it from the horizontal axis, such as b_ten_per_cent = 8")
    if number is None:
        return
    what = "there the curve passes 2.73, within the precision of a reading"
    if expected / 2 <= number <= expected * 2:
        report.holds(True, what)
        return
    significance_itself = "this is the significance", "the background on the horizontal axis is asked for"
    overestimate = "this is by how much s/√b is too high", "the background on the horizontal axis is asked for"
    report.reading(
        number,
        expected,
        what,
        (3 / 1.1, *significance_itself),
        (3.0, *significance_itself),
        (np.log10(expected), "this is the exponent", "the axis is logarithmic: its ticks say 10¹, 10² …"),
        (1.1, *overestimate),
        (0.1, *overestimate),
        relative=0.1,
        hint="go along the height 2.73 to the curve, and down; a tick of the axis between 10 and 100 is 10 more",
    )


def _asimov(
    *,
    factor: float = 2.0,
    minus: float = 1.0,
    log: Callable[..., Any] = np.log1p,
    ratio: Callable[..., Any] = lambda s, b: s / b,
    power: float = 0.5,
) -> Callable[..., Any]:
    """Return the formula of exercise 7.9 with one of the slips that students make."""
    return lambda s, b: (factor * ((s + b) * log(ratio(s, b)) - minus * s)) ** power


@exercise("7.9", fallback=significance.asimov)
def exercise_7_9(answer: Any, report: Report) -> None:
    """The Asimov significance."""
    given = np.array([2.0, 9.0, 30.0]), np.array([3.0, 10.0, 400.0])
    right = _asimov()(*given)
    result = answer(*given)
    if report.recognises(
        result,
        (_asimov(power=1), "this is the square", "take the square root"),
        (_asimov(power=1, factor=1), "this is half the square", "multiply by 2 and take the square root"),
        (_asimov(factor=1), "the factor 2 is missing", "√(2 […])"),
        (_asimov(factor=4), "the factor 2 stands before the root", "it belongs under the root"),
        (_asimov(minus=0), "the term −s is missing", "subtract s inside the bracket"),
        (_asimov(minus=0.5), "the factor 2 does not reach −s", "mind the brackets"),
        (_asimov(minus=-1), "s is added inside the bracket", "subtract it"),
        (_asimov(ratio=lambda s, b: b / s), "s and b are swapped in the logarithm", "ln(1 + s/b)"),
        (lambda s, b: s / np.sqrt(b), "this is s/√b", "use the formula with the logarithm"),
        given=given,
        right=right,
    ):
        return
    if np.isnan(np.asarray(result, dtype=float)).any():
        report.wrong(
            "a negative number stands under the root",
            "(s + b) stands before ln; ln is np.log, and not np.log10; its argument is 1 + s/b",
        )
        return
    report.holds(alike(result, right), "follows the formula, also for arrays", hint="compare bracket by bracket")
    report.also(
        lambda: abs(float(answer(0.1, 1000.0)) / (0.1 / np.sqrt(1000)) - 1) < 1e-3,
        "becomes s/√b for a small signal",
        hint="np.log1p(s / b) keeps its digits where np.log(1 + s / b) loses them",
    )
    report.also(
        lambda: all(float(answer(x, y)) < x / np.sqrt(y) for x, y in itertools.product((1.0, 5.0), (0.5, 20.0))),
        "is always below s/√b",
        hint="compare with the formula",
    )


@exercise("7.10")
def exercise_7_10(answer: Any, report: Report, *, s: float, b: float) -> None:
    """Reading: the luminosity at which a cut gives three sigma."""
    z = float(significance.asimov(s, b))
    expected = 10 * (3 / z) ** 2
    report.reading(
        answer,
        expected,
        "there the curve of the exactly known background reaches three",
        (expected * 25 / 9, "this is where Z = 5", "evidence is Z = 3, the lower of the dotted lines"),
        (10 * 3 / z, "Z does not grow in proportion to the luminosity", "it grows as the square root"),
        (
            expected / 10,
            "this is the factor by which the luminosity must grow",
            "multiply by the 10 fb⁻¹ we have",
        ),
        (3.0, "this is the significance", "the luminosity on the horizontal axis is asked for"),
        (np.log10(expected), "this is the exponent", "the axis is logarithmic: its ticks say 10¹, 10² …"),
        (1000 * expected, "this is in pb⁻¹", "1 fb⁻¹ = 1000 pb⁻¹"),
        relative=0.25,
        hint="follow the solid curve to Z = 3 and go down; the axis is logarithmic",
    )
