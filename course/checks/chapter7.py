"""Checks of chapter 7, significance."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from course.checks.compare import alike
from course.checks.registry import course_answer
from course.checks.report import Report, exercise
from course.checks.tables import changed, follows, gives, just_above, parts_follow, with_argument
from labcourse import significance

_p_value = course_answer("7.1")
_sum_and_error = course_answer("7.6")
_best_cut = course_answer("7.7")
_background_from_data = course_answer("7.11")

Floats = NDArray[np.float64]


def _gaussian(n: Any, b: Any) -> Any:
    return stats.norm.sf((n - b) / np.sqrt(b))


_UPPER, _DIGITS = "an excess is in the upper tail", "the digits are lost far out in the tail"
_MISTAKES_7_1 = (
    (stats.poisson.sf, "this is the probability of more than n events", "n itself counts as well"),
    (lambda n, b: stats.poisson.sf(n + 1, b), "n + 1 is one step in the wrong direction", "sf(n) leaves out n itself"),
    (stats.poisson.pmf, "this is the probability of exactly n events", "an excess is n *or more*: add up n, n + 1, …"),
    (stats.poisson.cdf, "this is the lower tail, n events or fewer", _UPPER),
    (lambda n, b: stats.poisson.cdf(n - 1, b), "this is the lower tail, fewer than n events", _UPPER),
    (lambda n, b: 1 - stats.poisson.pmf(n, b), "this is the probability of any other count", "only n and above: sf"),
    (_gaussian, "this is a Gaussian", "it approximates many events only: counts follow scipy.stats.poisson"),
    (lambda n, b: stats.poisson.sf(b - 1, n), "mean and count are swapped", "the mean of the distribution is b"),
)


@exercise("7.1")
def exercise_7_1(answer: Any, report: Report) -> None:
    """The Poisson p-value of a count."""
    given, arrays = (np.array([3, 9, 12, 18]), 9.0), "an array of counts gives an array of p-values"
    report.recognises(answer(*given), *_MISTAKES_7_1, given=given, right=_p_value(*given))
    tables = np.array([[4, 9, 8], [0, 12, 30]]), np.array([2.0, 9.0, 15.0])
    columns, one = "works for tables of counts, each column with its own mean", "one event or more: everything but none"
    gives(
        report,
        answer,
        ((0, 3.5), 1.0, "n = 0 or more is certain", "P(N ≥ 0) = 1"),
        ((1, 0.25), 1 - np.exp(-0.25), one, "P(N ≥ 1) = 1 − P(N = 0)"),
        (given, _p_value(*given), arrays, "sf knows arrays"),
        (tables, _p_value(*tables), columns, "sf knows arrays for b too: no loop is needed"),
    )
    far_out, use_sf = (60, 9.0), "1 - cdf rounds to zero there: use sf"
    report.recognises(
        answer(*far_out),
        (0.0, _DIGITS, use_sf),
        (1 - stats.poisson.cdf(59, 9.0), _DIGITS, use_sf),
        right=_p_value(*far_out),
    )
    gives(report, answer, (far_out, _p_value(*far_out), "stays precise far out in the tail", use_sf))


_ISF = "the inverse of the area above is wanted: isf"
_MISTAKES_7_2 = (
    (lambda p: stats.norm.isf(p / 2), "this is two-sided", "only an excess counts: do not halve p"),
    (lambda p: stats.norm.isf(2 * p), "p is doubled", "p is one-sided already: isf(p)"),
    (stats.norm.ppf, "the sign is turned round", "a small p-value is a large positive Z: isf, and not ppf"),
    (stats.norm.sf, "this takes Z and gives p", _ISF),
    (stats.norm.cdf, "this is the area below a value", _ISF),
    (stats.norm.pdf, "this is the height of the Gaussian", _ISF),
    (lambda p: 1 / p, "this is one over p", "Z is where the Gaussian has the area p above it: isf"),
    (lambda p: np.abs(stats.norm.isf(p)), "a deficit counts as an excess", "for p above one half Z is negative"),
    (lambda p: stats.norm.isf(p).clip(0), "a deficit counts as Z = 0", "for p above one half Z is negative"),
)


@exercise("7.2", fallback=significance.z_value)
def exercise_7_2(answer: Any, report: Report) -> None:
    """The significance of a p-value."""
    p = np.array([0.4, 0.02, 0.9, 1.35e-3])
    report.recognises(answer(p), *_MISTAKES_7_2, given=(p,), right=stats.norm.isf(p))
    report.holds(lambda: np.isclose(answer(0.5), 0.0), "p = 0.5 is no significance at all", hint="half lies above 0")
    gives(
        report,
        answer,
        ((p,), stats.norm.isf(p), "an array of p-values gives an array", "scipy.stats.norm knows arrays"),
        ((2.866516e-7,), 5.0, "p = 2.9·10⁻⁷ is five sigma", "scipy.stats.norm.isf(p)"),
    )
    lost = np.inf, "a tiny p-value has lost its digits", "1 - p rounds to one: use isf(p) instead of ppf(1 - p)"
    report.recognises(answer(1e-20), lost, right=stats.norm.isf(1e-20))
    gives(report, answer, ((1e-20,), stats.norm.isf(1e-20), "stays precise for tiny p-values", lost[2]))


_UNDER = "only b stands under the root"
_MISTAKES_7_3 = (
    (lambda s, b: s / b, "this is s/b", "divide by the square root of b"),
    (lambda s, b: s / np.sqrt(s + b), "this is s/√(s+b)", "without a signal only the background fluctuates: √b"),
    (lambda s, b: np.sqrt(s / b), "the root is taken of everything", _UNDER),
    (lambda s, b: np.sqrt(s) / b, "the root is taken of the signal", _UNDER),
    (lambda s, b: s**2 / b, "this is the square", "divide s by √b"),
    (lambda s, b: s / b**2, "b is squared", "the root is b**0.5, or np.sqrt(b)"),
    (lambda s, b: np.sqrt(b) / s, "numerator and denominator are swapped", "more signal is more significant"),
    (lambda s, b: b / np.sqrt(s), "s and b are swapped", "the signal over the root of the background"),
    (lambda s, b: s * np.sqrt(b), "this multiplies", "more background is less significant: divide by √b"),
)


@exercise("7.3", fallback=significance.simple)
def exercise_7_3(answer: Any, report: Report) -> None:
    """The estimate s/√b."""
    given = s, b = np.array([2.4, 5.0, 9.7]), np.array([4.0, 16.6, 100.0])
    right = s / np.sqrt(b)
    report.recognises(answer(*given), *_MISTAKES_7_3, given=given, right=right)
    gives(report, answer, ((9.0, 9.0), 3.0, "s = b = 9 gives 3", "9/√9"))
    gives(report, answer, (given, right, "works on arrays", "np.sqrt, and not math.sqrt"))


@exercise("7.4")
def exercise_7_4(answer: Any, report: Report) -> None:
    """Reading: the background at which s/√b = 3 is ten per cent too high."""

    def excess(log_b: float) -> float:
        b = np.exp(log_b)
        return float(significance.asimov(3 * np.sqrt(b), b)) - 3 / 1.1

    expected = float(np.exp(optimize.brentq(excess, 0.0, np.log(1000.0))))
    number = report.number(answer, "read it from the horizontal axis, such as b_ten_per_cent = 8")
    what = "there the curve passes 2.73, within the precision of a reading"
    if expected / 1.6 <= number <= expected * 1.6:  # neither of the ticks with a label
        report.holds(True, what)
        return
    is_z = "this is the significance", "the background on the horizontal axis is asked for"
    is_excess = "this is by how much s/√b is too high", "the background on the horizontal axis is asked for"
    mistakes = (
        (3 / 1.1, *is_z),
        (3.0, *is_z),
        (np.log10(expected), "this is the exponent", "the axis is logarithmic: its ticks say 10¹, 10² …"),
        (1.1, *is_excess),
        (0.1, *is_excess),
    )
    what = what
    hint = "go along the height 2.73 to the curve, and down; a tick of the axis between 10 and 100 is 10 more"
    report.reading(number, expected, what, *mistakes, relative=0.1, hint=hint)


def _yields(
    score: Any, label: Any, weight: Any, cuts: Any, *, passes: Any = np.greater_equal, masks: Any = None
) -> Any:
    chosen = masks(label) if masks else (label == 1, label == 0)
    return np.array([[weight[passes(score, cut) & mask].sum() for cut in cuts] for mask in chosen])


def _by_number(*masks: Callable[[Any], Any]) -> tuple[Any, str, str]:
    made = partial(_yields, masks=lambda label: [mask(label) for mask in masks])
    return made, "a mask is made of whole numbers", "`mask & label` picks events by position: compare, (label == 1)"


def _between(score: Any, label: Any, weight: Any, cuts: Any) -> Any:
    edges = [*cuts, np.inf]
    return [np.histogram(score[label == y], edges, weights=weight[label == y])[0] for y in (1, 0)]


_BELOW = "these are the events below the cut", "use score >= cut"
_MISTAKES_7_5 = (
    (with_argument(_yields, 3, just_above), "events exactly at the cut are lost", "use score >= cut"),
    (partial(_yields, passes=np.less), *_BELOW),
    (partial(_yields, passes=np.less_equal), *_BELOW),
    _by_number(np.array, np.array),
    _by_number(np.array, lambda label: 1 - label),
    _by_number(np.array, np.invert),
    _by_number(np.array, lambda label: label == 0),
    (with_argument(_yields, 2, np.abs), "negative weights have lost their sign", "add w, and not |w|"),
    (with_argument(_yields, 2, np.ones_like), "these are raw events", "add up the weights of the events"),
    (changed(_yields, lambda y: y[:, :1].repeat(4, axis=1)), "all cuts have the same yields", "use each cut"),
    (changed(_yields, lambda y: y / y[:, :1]), "these are efficiencies", "yields are sums, divided by nothing"),
    (_between, "these are the events between one cut and the next", "everything above a cut counts"),
    (changed(_yields, lambda y: y[:, -1]), "only the last cut is kept", "collect the sums of all cuts in a list"),
    (changed(_yields, lambda y: y[:, 0]), "only the first cut is used", "return after the loop"),
)


@exercise("7.5")
def exercise_7_5(answer: Any, report: Report) -> None:
    """Expected signal and background above each cut."""
    score = np.array([0.9, 0.3, 0.5, 0.95, 0.5, 0.7, 0.1, 0.8])
    label = np.array([1, 1, 0, 0, 1, 0, 0, 1])
    weight = np.array([0.6, 0.3, 1.5, 0.8, 0.4, -0.7, 2.0, 0.25])
    cuts = np.array([0.0, 0.5, 0.75, 0.99])
    given, per_cut = (score, label, weight, cuts), "one number per cut: sum the weights of label"
    tables = ((), "the signal is right", f"{per_cut} 1"), ((), "the background is right", f"{per_cut} 0")
    parts_follow(report, answer, _yields, given, "signal, background", *tables, of_all=_MISTAKES_7_5)
    mixed = score, label, weight, cuts[[2, 0, 3, 1]]
    gives(report, answer, (mixed, _yields(*mixed), "cuts may come in any order", "compute each cut on its own"))


def _root(w: Any) -> Any:
    return np.sqrt(np.sum(w**2))


_SQUARE = "square each weight, then add, then take the root"
_MISTAKES_TOTAL = (
    (lambda w: np.abs(w).sum(), "the total adds absolute values", "negative weights subtract from the sum"),
    (lambda w: w.clip(0).sum(), "the total leaves out negative weights", "they subtract from the sum"),
    (len, "the total counts raw events", "add up the weights"),
)
_MISTAKES_ERROR = (
    (lambda w: np.sqrt(w.sum()), "the error is the root of the sum", "right only for weights of one: square each"),
    (lambda w: np.sqrt(np.abs(w).sum()), "the error is the root of Σ|w|", _SQUARE),
    (lambda w: np.sqrt(len(w)), "the error is the root of the raw count", "a weight does not stand for one event"),
    (lambda w: np.sum(w**2), "this is the square of the error", "take the square root at the end"),
    (np.sum, "the squares were taken after the sum", _SQUARE),
    (lambda w: np.abs(w).sum(), "the root is taken of each weight", _SQUARE),
    (np.std, "this is the spread of the weights", "the error of their sum is wanted: √Σw²"),
    (lambda w: np.std(w) / np.sqrt(len(w)), "this is the error of the mean weight", "that of the sum is wanted: √Σw²"),
    (lambda w: _root(w) / w.sum(), "this is the relative error", "do not divide by the sum"),
    (lambda w: np.sqrt(np.sum(np.abs(w) * w)), "negative weights reduce your error", "their squares are positive"),
)


@exercise("7.6")
def exercise_7_6(answer: Any, report: Report) -> None:
    """A sum of weights and its statistical error."""
    total = _MISTAKES_TOTAL, "the total is the sum of the weights", "weight.sum()"
    error = _MISTAKES_ERROR, "the error is the root of the sum of squares", "square, add, take the root"
    given = (np.array([2.0, 1.0, -0.5, 1.5, 0.25]),)
    parts_follow(report, answer, _sum_and_error, given, "total, error", total, error)
    gives(report, answer, ((np.ones(16),), (16.0, 4.0), "16 events of weight one: 16 ± 4", "√16 = 4"))
    nothing = "without any event the result is not 0 ± 0"
    report.holds(
        lambda: alike(answer(np.zeros(0)), (0, 0)), "no event at all: 0 ± 0", mistake=nothing, hint="add up squares"
    )


def _effective(scan: significance.Scan) -> Floats:
    return np.asarray((scan.background / scan.background_error) ** 2)


def _choice(
    give: Callable[[Any, Any, Any], Any] = lambda scan, z, usable: scan.cut[np.argmax(z)],
    *,
    worth: Callable[[Any], Any] = _effective,
    nan_wins: bool = False,
) -> Callable[[significance.Scan], Any]:
    """Return a choice of the best cut in one of the ways that students make it."""

    def choose(scan: significance.Scan) -> Any:
        usable = (worth(scan) >= 25) & (nan_wins | np.isfinite(scan.significance))
        return give(scan, np.where(usable, scan.significance, -np.inf), usable)

    return choose


_AMONG = "take it from scan.cut[usable], or put -np.inf in the place of the others"
_EFFECTIVE = "what counts is how well the background is known: (b/σ_b)²"
_MISTAKES_7_7 = (
    (_choice(lambda scan, z, ok: np.argmax(z)), "this is the position of the cut", "return scan.cut at that position"),
    (_choice(lambda scan, z, ok: z.max()), "this is the significance", "return the cut that belongs to it"),
    (_choice(lambda scan, z, ok: scan.cut[np.argmax(z[ok])]), "the position is counted among the usable cuts", _AMONG),
    (_choice(lambda scan, z, ok: np.argmax(z[ok])), "this is a position, counted among the usable cuts only", _AMONG),
    (_choice(lambda scan, z, ok: scan.cut[ok][0]), "the first usable cut wins", "take that of highest significance"),
    (_choice(lambda scan, z, ok: scan.cut[ok][-1]), "the last usable cut wins", "take that of highest significance"),
    (_choice(worth=lambda scan: scan.cut + np.inf), "the cut with few heavy background events wins", _EFFECTIVE),
    (_choice(worth=lambda scan: scan.raw_background), "raw background events are counted", _EFFECTIVE),
    (_choice(worth=lambda scan: scan.background), "the expected background is compared", _EFFECTIVE),
    (_choice(worth=lambda scan: np.sqrt(_effective(scan))), "the effective number is not squared", _EFFECTIVE),
    (_choice(nan_wins=True), "a NaN wins", "np.argmax takes NaN for the largest: put -np.inf in its place"),
)


def _crafted_scan() -> significance.Scan:
    """A scan whose highest values are of cuts that must not win: too few events, NaN."""
    z = np.array([3.0, 0.5, 0.9, 1.4, np.nan, 2.0, 1.2, 2.5, 0.3])
    background = np.array([8.0, 100.0, 60.0, 40.0, 30.0, 20.0, 35.0, 50.0, 30.0])
    error = np.array([6.0, 5.0, 3.0, 5.0, 4.0, 10.0, 1.0, 29.0, 5.0])
    cut = np.array([0.1, 0.2, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95])
    raw = np.array([18, 3600, 3600, 576, 513, 36, 11025, 20, 400])
    zeros = np.zeros(len(cut))
    return significance.Scan(cut, zeros, background, zeros, error, raw // 9, raw, z, zeros)


@exercise("7.7", library=[significance.best])
def exercise_7_7(answer: Any, report: Report) -> None:
    """The cut of highest significance whose background is known well enough."""
    scan = _crafted_scan()
    result = answer(scan)
    if np.ndim(result) != 0:
        report.wrong(f"returns {type(result).__name__} of shape {np.shape(result)}", "return one number, the cut")
    report.recognises(result, *_MISTAKES_7_7, given=(scan,), right=_best_cut(scan))
    empty = scan._replace(
        background=np.where(scan.cut < 0.15, 0.0, scan.background),
        background_error=np.where(scan.cut < 0.15, 0.0, scan.background_error),
        significance=np.where(scan.cut < 0.15, np.inf, scan.significance),
    )
    no_number = "0/0 is NaN, and a comparison with NaN is false; an infinite significance must not win either"
    gives(
        report,
        answer,
        ((scan,), 0.5, "of the cuts that are left the best wins", "mask, then np.argmax"),
        ((scan, 70), 0.8, "a stricter guard is obeyed", "use the argument min_effective"),
        ((scan, 4), 0.7, "exactly min_effective is enough", "use >=, and (b/σ_b)², and not the raw count"),
        ((empty,), 0.5, "a cut without any background does not win", no_number),
    )


def _asimov(
    s: Any, b: Any, *, factor: float = 2, minus: float = 1, ratio: Any = lambda s, b: s / b, power: float = 0.5
) -> Any:
    """Return the formula of exercise 7.9 with one of the slips that students make."""
    return (factor * ((s + b) * np.log1p(ratio(s, b)) - minus * s)) ** power


_MISTAKES_7_9 = (
    (partial(_asimov, power=1), "this is the square", "take the square root"),
    (partial(_asimov, power=1, factor=1), "this is half the square", "multiply by 2 and take the square root"),
    (partial(_asimov, factor=1), "the factor 2 is missing", "√(2 […])"),
    (partial(_asimov, factor=4), "the factor 2 stands before the root", "it belongs under the root"),
    (partial(_asimov, minus=0), "the term −s is missing", "subtract s inside the bracket"),
    (partial(_asimov, minus=0.5), "the factor 2 does not reach −s", "mind the brackets"),
    (partial(_asimov, minus=-1), "s is added inside the bracket", "subtract it"),
    (partial(_asimov, ratio=lambda s, b: b / s), "s and b are swapped in the logarithm", "ln(1 + s/b)"),
    (lambda s, b: s / np.sqrt(b), "this is s/√b", "use the formula with the logarithm"),
)


@exercise("7.9", fallback=significance.asimov, library=[significance.observed])
def exercise_7_9(answer: Any, report: Report) -> None:
    """The Asimov significance."""
    given = np.array([2.0, 9.0, 30.0]), np.array([3.0, 10.0, 400.0])
    if np.isnan(np.asarray(answer(*given), dtype=float)).any():
        hint = "(s + b) stands before ln; ln is np.log, and not np.log10; its argument is 1 + s/b"
        report.wrong("a negative number stands under the root", hint)
    what = "follows the formula, also for arrays"
    follows(report, answer, _asimov, given, _MISTAKES_7_9, what, "compare bracket by bracket")
    small = "becomes s/√b for a small signal", "np.log1p(s / b) keeps digits that np.log(1 + s / b) loses"
    gives(report, answer, ((0.1, 1000.0), 0.1 / np.sqrt(1000), *small), relative=1e-3)


@exercise("7.10")
def exercise_7_10(answer: Any, report: Report, *, s: float, b: float) -> None:
    """Reading: the luminosity at which a cut gives three sigma."""
    z = float(significance.asimov(s, b))
    expected = 10 * (3 / z) ** 2
    mistakes = (
        (expected * 25 / 9, "this is where Z = 5", "evidence is Z = 3, the lower of the dotted lines"),
        (10 * 3 / z, "Z does not grow in proportion to the luminosity", "it grows as the square root"),
        (expected / 10, "this is the factor by which the luminosity must grow", "multiply by the 10 fb⁻¹ we have"),
        (3.0, "this is the significance", "the luminosity on the horizontal axis is asked for"),
        (np.log10(expected), "this is the exponent", "the axis is logarithmic: its ticks say 10¹, 10² …"),
        (1000 * expected, "this is in pb⁻¹", "1 fb⁻¹ = 1000 pb⁻¹"),
    )
    what = "there the curve of the exactly known background reaches three"
    hint = "follow the solid curve to Z = 3 and go down; the axis is logarithmic"
    report.reading(answer, expected, what, *mistakes, relative=0.25, hint=hint)


_RELATIVE = "what fluctuates is n_below: the relative error is 1/√n_below"
_MISTAKES_B = (
    (lambda n, low, up: n * low / up, "the ratio is upside down", "the cut keeps less than it rejects: above/below"),
    (lambda n, low, up: up * low / n, "the data enter upside down", "more data below mean more background above"),
    (lambda n, low, up: up, "the data do not enter", "multiply by n_below / b_below"),
    (lambda n, low, up: n - up, "this subtracts", "multiply the data below with the ratio above/below"),
    (lambda n, low, up: n / low, "this is the scale factor", "multiply the simulated background above with it"),
    (lambda n, low, up: n * up / (up + low), "this divides by all of the background", "divide by that below the cut"),
    (lambda n, low, up: n * up // low, "the estimate is rounded down", "divide with /, and not with //"),
    (lambda n, low, up: round(n * up / low), "the estimate is rounded", "an expectation is no whole number"),
)
_MISTAKES_SIGMA = (
    (lambda n, low, up: np.sqrt(n * up / low), "the error is the root of the estimate", _RELATIVE),
    (lambda n, low, up: np.sqrt(n), "this is the error of n_below itself", "scale it to the region above the cut"),
    (lambda n, low, up: 1 / np.sqrt(n), "this is the relative error", "multiply it by b"),
    (lambda n, low, up: up / low, "this divides by n_below", "divide b by the square root of n_below"),
    (lambda n, low, up: np.sqrt(up), "this is the error of the simulated yield", _RELATIVE),
    (lambda n, low, up: n**1.5 * up / low, "this multiplies by the root", _RELATIVE),
)


@exercise("7.11")
def exercise_7_11(answer: Any, report: Report) -> None:
    """The background above a cut from the data below it."""
    scales = "as much more data below as is expected means as much more background above"
    b = _MISTAKES_B, scales, "the simulation says how many events lie above the cut for each one below"
    sigma = _MISTAKES_SIGMA, "the relative uncertainty is that of n_below", _RELATIVE
    parts_follow(report, answer, _background_from_data, (412, 320.5, 63.7), "b, sigma_b", b, sigma)
    report.agrees(answer, _background_from_data, (25, 8.0, 40.0), hint="use all that is passed to the function")
