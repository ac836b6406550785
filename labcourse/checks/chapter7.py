"""Checks of chapter 7, significance."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from labcourse import significance
from labcourse.checks.report import Report, exercise

__all__ = [
    "exercise_7_1",
    "exercise_7_2",
    "exercise_7_3",
    "exercise_7_4",
    "exercise_7_5",
    "exercise_7_6",
    "exercise_7_7",
    "exercise_7_9",
    "exercise_7_10",
    "exercise_7_11",
]

Floats = NDArray[np.float64]


def _same(answer: Any, expected: Any, *, relative: float = 1e-6) -> bool:
    """Whether two numbers or arrays agree in shape and value; NaN agrees with nothing."""
    values = np.asarray(answer, dtype=np.float64)
    wanted = np.asarray(expected, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        return values.shape == wanted.shape and bool(np.allclose(values, wanted, rtol=relative, atol=1e-12))


def _named(report: Report, answer: Any, mistakes: list[tuple[Any, str, str]]) -> bool:
    """Report the first of ``(wrong result, mistake, hint)`` that the answer equals, and return whether one did."""
    for wrong, mistake, hint in mistakes:
        if _same(answer, wrong):
            report.wrong(mistake, hint)
            return True
    return False


def _p_value(n: Any, b: Any) -> Any:
    """The course's own answer to exercise 7.1."""
    return stats.poisson.sf(np.asarray(n) - 1, b)


@exercise("7.1", fallback=_p_value)
def exercise_7_1(answer: Any, report: Report) -> None:
    """The Poisson p-value of a count."""
    n, b = np.array([3, 9, 12, 18]), 9.0
    mistakes = [
        (stats.poisson.sf(n, b), "this is the probability of more than n events", "n itself counts: use sf(n - 1, b)"),
        (stats.poisson.pmf(n, b), "this is the probability of exactly n events", "add up n, n + 1, n + 2 …"),
        (stats.poisson.cdf(n, b), "this is the lower tail, n events or fewer", "an excess is in the upper tail"),
        (1 - stats.poisson.pmf(n, b), "this is the probability of any other count", "only n and above: use sf"),
        (stats.norm.sf((n - b) / np.sqrt(b)), "this is a Gaussian", "counts follow scipy.stats.poisson"),
        (stats.poisson.sf(b - 1, n), "mean and count are swapped", "the mean of the distribution is b"),
    ]
    result = answer(n, b)
    if _named(report, result, mistakes):
        return
    report.holds(lambda: _same(answer(0, 3.5), 1.0), "n = 0 or more is certain", hint="P(N ≥ 0) = 1")
    report.holds(
        lambda: _same(answer(1, 0.25), 1 - np.exp(-0.25)),
        "one event or more: everything but zero events",
        hint="P(N ≥ 1) = 1 − P(N = 0)",
    )
    report.holds(_same(result, _p_value(n, b)), "an array of counts gives an array of p-values", hint="sf(n - 1, b)")
    grid = np.arange(12).reshape(4, 3), np.array([0.5, 2.0, 7.0])
    report.holds(
        lambda: _same(answer(*grid), _p_value(*grid)),
        "works for several backgrounds at once",
        hint="leave loops and if-clauses to scipy: it works on arrays",
    )
    report.holds(
        lambda: abs(float(answer(60, 9.0)) / _p_value(60, 9.0) - 1) < 1e-6,
        "stays precise far out in the tail",
        hint="1 - cdf rounds to zero there: use sf",
    )


@exercise("7.2", fallback=significance.z_value)
def exercise_7_2(answer: Any, report: Report) -> None:
    """The significance of a p-value."""
    p = np.array([0.4, 0.02, 1.35e-3])
    right = stats.norm.isf(p)
    mistakes = [
        (stats.norm.isf(p / 2), "this is two-sided", "only an excess counts: do not halve p"),
        (-right, "the sign is turned round", "a small p-value is a large positive Z: isf, and not ppf"),
        (stats.norm.sf(p), "this takes Z and gives p", "the inverse is wanted: isf"),
        (stats.norm.cdf(p), "this is the area below a value", "the inverse of the area above is wanted: isf"),
        (stats.norm.pdf(p), "this is the height of the Gaussian", "an area is wanted: isf"),
    ]
    result = answer(p)
    if _named(report, result, mistakes):
        return
    report.holds(
        lambda: _same(answer(0.5), 0.0), "p = 0.5 is no significance at all", hint="half the area lies above 0"
    )
    report.holds(_same(result, right), "an array of p-values gives an array", hint="scipy.stats.norm.isf(p)")
    report.holds(
        lambda: abs(float(answer(2.866516e-7)) - 5) < 1e-4, "p = 2.9·10⁻⁷ is five sigma", hint="scipy.stats.norm.isf(p)"
    )
    report.holds(
        lambda: _same(answer(1e-20), stats.norm.isf(1e-20)),
        "stays precise for tiny p-values",
        hint="1 - p rounds to one: use isf instead of ppf",
    )


@exercise("7.3", fallback=significance.simple)
def exercise_7_3(answer: Any, report: Report) -> None:
    """The estimate s/√b."""
    s, b = np.array([2.0, 5.0, 9.0]), np.array([4.0, 16.0, 100.0])
    mistakes = [
        (s / b, "this is s/b", "divide by the square root of b"),
        (s / np.sqrt(s + b), "this is s/√(s+b)", "without a signal only the background fluctuates: √b"),
        (np.sqrt(s / b), "the root is taken of everything", "only b stands under the root"),
        (s**2 / b, "this is the square", "divide s by √b"),
        (np.sqrt(b) / s, "numerator and denominator are swapped", "more signal is more significant"),
        (s * np.sqrt(b), "this multiplies", "more background is less significant: divide by √b"),
    ]
    result = answer(s, b)
    if _named(report, result, mistakes):
        return
    report.holds(lambda: _same(answer(9.0, 9.0), 3.0), "s = b = 9 gives 3", hint="9/√9")
    report.holds(_same(result, s / np.sqrt(b)), "works on arrays", hint="np.sqrt, and not math.sqrt")


@exercise("7.4")
def exercise_7_4(answer: Any, report: Report) -> None:
    """Reading: the background at which s/√b = 3 is ten per cent too high."""

    def excess(log_b: float) -> float:
        b = np.exp(log_b)
        return float(significance.asimov(3 * np.sqrt(b), b)) - 3 / 1.1

    expected = float(np.exp(optimize.brentq(excess, 0.0, np.log(1000.0))))
    if _is_number(answer) and 2 < float(answer) < 3.3:
        report.wrong("this is the significance", "the background on the horizontal axis is asked for")
        return
    if _is_number(answer) and float(answer) > 0:
        report.holds(
            expected / 2 <= float(answer) <= expected * 2,
            "there the curve passes 2.73, within the precision of a reading",
            hint="go along the height 2.73 to the curve, and down; a tick of the axis between 10 and 100 is 10 more",
        )
        return
    report.close(answer, expected, "a positive number of events", hint="read it from the horizontal axis")


def _yields_above(score: Any, label: Any, weight: Any, cuts: Any) -> tuple[Floats, Floats]:
    """The course's own answer to exercise 7.5."""
    result = significance.scan(score, label, weight, cuts=np.asarray(cuts))
    return result.signal, result.background


@exercise("7.5", fallback=_yields_above)
def exercise_7_5(answer: Any, report: Report) -> None:
    """Expected signal and background above each cut."""
    score = np.array([0.1, 0.3, 0.5, 0.5, 0.7, 0.8, 0.9, 0.95])
    label = np.array([0, 1, 0, 1, 0, 1, 1, 0])
    weight = np.array([2.0, 0.3, 1.5, 0.4, -0.7, 0.25, 0.6, 0.8])
    cuts = np.array([0.0, 0.5, 0.75, 0.99])

    def sums(keep: Any, value: Floats) -> tuple[Floats, Floats]:
        made = [[value[keep(cut) & (label == y)].sum() for cut in cuts] for y in (1, 0)]
        return np.array(made[0]), np.array(made[1])

    right = sums(lambda cut: score >= cut, weight)
    result = answer(score, label, weight, cuts)
    if not report.holds(
        isinstance(result, tuple) and len(result) == 2,
        "returns two things, signal and background",
        hint="return signal, background",
    ):
        return
    if not report.holds(
        all(np.shape(part) == cuts.shape for part in result), "each has one number a cut", hint="loop over the cuts"
    ):
        return
    mistakes = [
        (right[::-1], "signal and background are swapped", "return signal first; label 1 is signal"),
        (sums(lambda cut: score > cut, weight), "events exactly at the cut are lost", "use score >= cut"),
        (sums(lambda cut: score < cut, weight), "these are the events below the cut", "use score >= cut"),
        (sums(lambda cut: score <= cut, weight), "these are the events below the cut", "use score >= cut"),
        (sums(lambda cut: score >= cut, np.abs(weight)), "negative weights have lost their sign", "add w, and not |w|"),
        (sums(lambda cut: score >= cut, np.ones(8)), "these are raw events", "add up the weights of the events"),
    ]
    if _named(report, result, mistakes):
        return
    report.holds(_same(result[0], right[0]), "the signal is right", hint="sum the weights of label 1 with score >= cut")
    report.holds(_same(result[1], right[1]), "the background is right", hint="sum the weights of label 0")
    shuffled = np.array([0.75, 0.0, 0.99, 0.5])
    report.holds(
        lambda: _same(answer(score, label, weight, shuffled), [part[[2, 0, 3, 1]] for part in right]),
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
    total, error = _sum_and_error(weight)
    result = answer(weight)
    if not report.holds(
        isinstance(result, tuple) and len(result) == 2, "returns two numbers", hint="return total, error"
    ):
        return
    sums = [
        (np.abs(weight).sum(), "the total adds absolute values", "negative weights subtract from the sum"),
        (len(weight), "the total counts raw events", "add up the weights"),
    ]
    errors = [
        (
            np.sqrt(total),
            "the error is the root of the sum",
            "that is right only for weights of one: square each weight",
        ),
        (np.sqrt(np.abs(weight).sum()), "the error is the root of Σ|w|", "square each weight before adding"),
        (np.sqrt(len(weight)), "the error is the root of the raw count", "weights do not stand for one event each"),
        (error**2, "this is the square of the error", "take the square root at the end"),
        (np.abs(total), "the squares were taken after the sum", "square each weight, then add, then take the root"),
        (np.std(weight), "this is the spread of the weights", "the error of their sum is wanted: √Σw²"),
        (
            np.sqrt(np.sum(np.sign(weight) * weight**2)),
            "negative weights reduce your error",
            "their squares are positive: an event that subtracts fluctuates as well",
        ),
    ]
    found = [_named(report, result[0], sums), _named(report, result[1], errors)]
    if any(found):
        return
    report.holds(_same(result[0], total), "the total is the sum of the weights", hint="weight.sum()")
    report.holds(
        _same(result[1], error), "the error is the root of the sum of squares", hint="np.sqrt((weight**2).sum())"
    )
    report.holds(lambda: _same(answer(np.ones(16)), (16.0, 4.0)), "16 events of weight one: 16 ± 4", hint="√16 = 4")


def _best_cut(scan: significance.Scan, min_effective: float = 25) -> float:
    """The course's own answer to exercise 7.7."""
    return significance.best(scan, min_raw_background=0, min_effective_background=min_effective).cut


def _crafted_scan() -> significance.Scan:
    """A scan whose highest values are of cuts that must not win: too few events, NaN."""
    z = np.array([0.5, 0.9, 1.4, np.nan, 2.0, 3.0, 1.2])
    background = np.array([100.0, 60.0, 40.0, 30.0, 20.0, 8.0, 35.0])
    error = np.array([2.0, 3.0, 5.0, 4.0, 10.0, 6.0, 4.0])
    effective = (background / error) ** 2
    cut = np.array([0.1, 0.3, 0.5, 0.6, 0.7, 0.9, 0.55])
    zeros, counts = np.zeros(7), np.ceil(effective).astype(np.int64)
    return significance.Scan(cut, zeros, background, zeros, error, counts, counts * 9, z, zeros)


@exercise("7.7", fallback=_best_cut)
def exercise_7_7(answer: Any, report: Report) -> None:
    """The cut of highest significance whose background is known well enough."""
    scan = _crafted_scan()
    result = answer(scan)
    if np.ndim(result) != 0:
        report.wrong(f"returns {type(result).__name__} of shape {np.shape(result)}", "return one number, the cut")
        return
    value = float(result)
    if value == 2:
        report.wrong("this is the position of the cut", "return scan.cut at that position")
        return
    if value == 1.4:
        report.wrong("this is the significance", "return the cut that belongs to it")
        return
    if value == 0.9:
        report.wrong("the cut with few heavy background events wins", "leave out cuts with (b/σ_b)² < min_effective")
        return
    if value == 0.7:
        report.wrong(
            "a cut whose background is worth 4 events wins",
            "the effective number is (b/σ_b)²; is it squared, and the sign right?",
        )
        return
    if value == 0.1:
        report.wrong("the guard is too strict", "the effective number is the square, (b/σ_b)²")
        return
    if value == 0.6:
        report.wrong("a NaN wins", "np.argmax takes NaN for the largest: put -np.inf in its place")
        return
    report.holds(_same(value, 0.5), "of the cuts that are left the best wins", hint="mask, then np.argmax")
    report.holds(
        lambda: _same(answer(scan, min_effective=70), 0.55),
        "a stricter guard is obeyed",
        hint="use the argument min_effective",
    )
    report.holds(
        lambda: _same(answer(scan, min_effective=4), 0.7),
        "exactly min_effective is enough",
        hint="use >=, and (b/σ_b)², and not the raw count",
    )
    empty = scan._replace(
        background=np.where(scan.cut > 0.8, 0.0, scan.background),
        background_error=np.where(scan.cut > 0.8, 0.0, scan.background_error),
        significance=np.where(scan.cut > 0.8, np.inf, scan.significance),
    )
    report.holds(
        lambda: _same(_quietly(answer, empty), 0.5),
        "a cut without any background does not win",
        hint="0/0 is NaN, and a comparison with NaN is false; an infinite significance must not win either",
    )


def _quietly(function: Any, *arguments: Any) -> Any:
    with np.errstate(all="ignore"):
        return function(*arguments)


@exercise("7.9", fallback=significance.asimov)
def exercise_7_9(answer: Any, report: Report) -> None:
    """The Asimov significance."""
    s, b = np.array([2.0, 9.0, 30.0]), np.array([3.0, 10.0, 400.0])
    right = np.asarray(significance.asimov(s, b))
    square = right**2
    mistakes = [
        (square, "this is the square", "take the square root"),
        (square / 2, "this is half the square", "multiply by 2 and take the square root"),
        (right / np.sqrt(2), "the factor 2 is missing", "√(2 […])"),
        (2 * right / np.sqrt(2), "the factor 2 stands before the root", "it belongs under the root"),
        (np.sqrt(2 * (s + b) * np.log1p(s / b)), "the term −s is missing", "subtract s inside the bracket"),
        (np.sqrt(2 * (s + b) * np.log1p(s / b) - s), "the factor 2 does not reach −s", "mind the brackets"),
        (s / np.sqrt(b), "this is s/√b", "use the formula with the logarithm"),
    ]
    with np.errstate(invalid="ignore"):
        mistakes += [
            (np.sqrt(2 * ((s + b) * np.log10(1 + s / b) - s)), "this is log10", "ln is np.log, or np.log1p"),
            (np.sqrt(2 * ((s + b) * np.log1p(b / s) - s)), "s and b are swapped in the logarithm", "ln(1 + s/b)"),
        ]
        result = answer(s, b)
    if _named(report, result, mistakes):
        return
    if np.isnan(np.asarray(result, dtype=float)).any():
        report.wrong("a negative number stands under the root", "ln is np.log, and not log10; its argument is 1 + s/b")
        return
    report.holds(_same(result, right), "follows the formula, also for arrays", hint="compare bracket by bracket")
    report.holds(
        lambda: abs(float(answer(0.1, 1000.0)) / (0.1 / np.sqrt(1000)) - 1) < 1e-3,
        "becomes s/√b for a small signal",
        hint="np.log1p(s / b) keeps its digits where np.log(1 + s / b) loses them",
    )
    report.holds(
        lambda: all(float(answer(x, y)) < x / np.sqrt(y) for x, y in itertools.product((1.0, 5.0), (0.5, 20.0))),
        "is always below s/√b",
        hint="compare with the formula",
    )


@exercise("7.10")
def exercise_7_10(answer: Any, report: Report, *, s: float, b: float) -> None:
    """Reading: the luminosity at which a cut gives three sigma."""
    z = float(significance.asimov(s, b))
    expected = 10 * (3 / z) ** 2
    if _is_number(answer):
        value = float(answer)
        if abs(value / (expected * 25 / 9) - 1) < 0.1:
            report.wrong("this is where Z = 5", "evidence is Z = 3, the lower of the dotted lines")
            return
        if abs(value / (10 * 3 / z) - 1) < 0.1:
            report.wrong("Z does not grow in proportion to the luminosity", "it grows as the square root")
            return
        if abs(value / (expected / 10) - 1) < 0.1:
            report.wrong("this is the factor by which the luminosity must grow", "multiply by the 10 fb⁻¹ we have")
            return
    report.close(
        answer,
        expected,
        "there the curve of the exactly known background reaches three",
        relative=0.25,
        hint="follow the solid curve to Z = 3 and go down; the axis is logarithmic",
    )


def _background_from_data(n_below: float, b_below: float, b_above: float) -> tuple[float, float]:
    """The course's own answer to exercise 7.11."""
    b = n_below * b_above / b_below
    return b, b / np.sqrt(n_below)


@exercise("7.11", fallback=_background_from_data)
def exercise_7_11(answer: Any, report: Report) -> None:
    """The background above a cut from the data below it."""
    n_below, b_below, b_above = 400, 320.0, 64.0
    right = _background_from_data(n_below, b_below, b_above)
    result = answer(n_below, b_below, b_above)
    if not report.holds(
        isinstance(result, tuple) and len(result) == 2, "returns two numbers", hint="return b, sigma_b"
    ):
        return
    estimates = [
        (n_below * b_below / b_above, "the ratio is upside down", "the cut keeps less than it rejects: above/below"),
        (b_above * b_below / n_below, "the data enter upside down", "more data below mean more background above"),
        (b_above, "the data do not enter", "multiply by n_below / b_below"),
        (n_below - b_above, "this subtracts", "multiply the data below with the ratio above/below"),
        (n_below / b_below, "this is the scale factor", "multiply the simulated background above with it"),
    ]
    errors = [
        (
            np.sqrt(right[0]),
            "the error is the root of the estimate",
            "what fluctuates is n_below: relative error 1/√n_below",
        ),
        (np.sqrt(n_below), "this is the error of n_below itself", "scale it to the region above the cut"),
        (1 / np.sqrt(n_below), "this is the relative error", "multiply it by b"),
        (right[0] / n_below, "this divides by n_below", "divide b by the square root of n_below"),
    ]
    found = [_named(report, result[0], estimates), _named(report, result[1], errors)]
    if any(found):
        return
    report.holds(
        _same(result[0], right[0]),
        "a quarter more data below means a quarter more background above",
        hint="n_below · b_above / b_below",
    )
    report.holds(_same(result[1], right[1]), "the relative uncertainty is that of n_below", hint="b / √n_below")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
