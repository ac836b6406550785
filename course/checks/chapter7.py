"""Checks of chapter 7, significance."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from course.checks.compare import alike
from course.checks.report import Report, exercise
from labcourse import significance

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


def _best_cut(scan: significance.Scan, min_effective: float = 25) -> float:
    """The course's own answer to exercise 7.7."""
    return significance.best(scan, min_raw_background=0, min_effective_background=min_effective).cut


def _effective(scan: significance.Scan) -> Floats:
    return np.asarray((scan.background / scan.background_error) ** 2)


def _choice(
    *,
    worth: Callable[[Any], Any] = _effective,
    nan_wins: bool = False,
    give: Callable[[Any, Any, Any], Any] = lambda scan, z, usable: scan.cut[np.argmax(z)],
) -> Callable[[significance.Scan], Any]:
    """Return a choice of the best cut in one of the ways that students make it."""

    def choose(scan: significance.Scan) -> Any:
        usable = (worth(scan) >= 25) & (nan_wins | np.isfinite(scan.significance))
        return give(scan, np.where(usable, scan.significance, -np.inf), usable)

    return choose


def _crafted_scan() -> significance.Scan:
    """A scan whose highest values are of cuts that must not win: too few events, NaN."""
    z = np.array([3.0, 0.5, 0.9, 1.4, np.nan, 2.0, 1.2, 2.5, 0.3])
    background = np.array([8.0, 100.0, 60.0, 40.0, 30.0, 20.0, 35.0, 50.0, 30.0])
    error = np.array([6.0, 5.0, 3.0, 5.0, 4.0, 10.0, 1.0, 29.0, 5.0])
    cut = np.array([0.1, 0.2, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95])
    raw = np.array([18, 3600, 3600, 576, 513, 36, 11025, 20, 400])
    zeros = np.zeros(len(cut))
    return significance.Scan(cut, zeros, background, zeros, error, raw // 9, raw, z, zeros)


@exercise("7.7", fallback=_best_cut)
def exercise_7_7(answer: Any, report: Report) -> None:
    """The cut of highest significance whose background is known well enough."""
    scan = _crafted_scan()
    result = answer(scan)
    if np.ndim(result) != 0:
        report.wrong(f"returns {type(result).__name__} of shape {np.shape(result)}", "return one number, the cut")
        return
    if report.recognises(
        result,
        (
            _choice(give=lambda scan, z, usable: np.argmax(z)),
            "this is the position of the cut",
            "return scan.cut at that position",
        ),
        (
            _choice(give=lambda scan, z, usable: z.max()),
            "this is the significance",
            "return the cut that belongs to it",
        ),
        (
            _choice(give=lambda scan, z, usable: scan.cut[np.argmax(z[usable])]),
            "the position is counted among the usable cuts only",
            "take it from scan.cut[usable], or put -np.inf in the place of the others",
        ),
        (
            _choice(give=lambda scan, z, usable: np.argmax(z[usable])),
            "this is a position, counted among the usable cuts only",
            "return the cut itself: scan.cut[usable] at that position",
        ),
        (
            _choice(give=lambda scan, z, usable: scan.cut[usable][0]),
            "the first usable cut wins",
            "of those that are left, take the one of highest significance",
        ),
        (
            _choice(worth=lambda scan: scan.cut + np.inf),
            "the cut with few heavy background events wins",
            "leave out cuts with (b/σ_b)² < min_effective",
        ),
        (
            _choice(worth=lambda scan: scan.raw_background),
            "raw background events are counted",
            "a few of them may carry most of the weight: the effective number is (b/σ_b)²",
        ),
        (
            _choice(worth=lambda scan: scan.background),
            "the expected background is compared with min_effective",
            "what counts is how well it is known: the effective number is (b/σ_b)²",
        ),
        (
            _choice(worth=lambda scan: scan.background / scan.background_error),
            "the effective number is not squared",
            "25 events are a relative error of a fifth: (b/σ_b)²",
        ),
        (_choice(nan_wins=True), "a NaN wins", "np.argmax takes NaN for the largest: put -np.inf in its place"),
        (
            _choice(give=lambda scan, z, usable: scan.cut[usable][-1]),
            "the last usable cut wins",
            "of those that are left, take the one of highest significance",
        ),
        given=(scan,),
        right=_best_cut(scan),
    ):
        return
    report.holds(alike(result, 0.5), "of the cuts that are left the best wins", hint="mask, then np.argmax")
    report.also(
        lambda: alike(answer(scan, min_effective=70), 0.8),
        "a stricter guard is obeyed",
        hint="use the argument min_effective",
    )
    report.also(
        lambda: alike(answer(scan, min_effective=4), 0.7),
        "exactly min_effective is enough",
        hint="use >=, and (b/σ_b)², and not the raw count",
    )
    empty = scan._replace(
        background=np.where(scan.cut < 0.15, 0.0, scan.background),
        background_error=np.where(scan.cut < 0.15, 0.0, scan.background_error),
        significance=np.where(scan.cut < 0.15, np.inf, scan.significance),
    )
    report.also(
        lambda: alike(answer(empty), 0.5),
        "a cut without any background does not win",
        hint="0/0 is NaN, and a comparison with NaN is false; an infinite significance must not win either",
    )


def _yields_above(score: Any, label: Any, weight: Any, cuts: Any) -> tuple[Floats, Floats]:
    """The course's own answer to exercise 7.5."""
    result = significance.scan(score, label, weight, cuts=np.asarray(cuts))
    return result.signal, result.background


def _yields(
    *, passes: Any = np.greater_equal, weigh: Any = np.asarray, masks: Any = lambda label: (label == 1, label == 0)
) -> Any:
    """Return a function that sums the weights above cuts in one of the ways that students do."""

    def yields(score: Any, label: Any, weight: Any, cuts: Any) -> Any:
        return [[weigh(weight)[passes(score, cut) & mask].sum() for cut in cuts] for mask in masks(label)]

    return yields


@exercise("7.5", fallback=_yields_above)
def exercise_7_5(answer: Any, report: Report) -> None:
    """Expected signal and background above each cut."""
    score = np.array([0.9, 0.3, 0.5, 0.95, 0.5, 0.7, 0.1, 0.8])
    label = np.array([1, 1, 0, 0, 1, 0, 0, 1])
    weight = np.array([0.6, 0.3, 1.5, 0.8, 0.4, -0.7, 2.0, 0.25])
    cuts = np.array([0.0, 0.5, 0.75, 0.99])
    given = score, label, weight, cuts
    right = _yields()(*given)
    pair = report.parts(answer(*given), "signal, background")
    if pair is None:
        return
    below = "these are the events below the cut", "use score >= cut"
    if report.recognises(
        pair,
        (right[::-1], "signal and background are swapped", "return signal first; label 1 is signal"),
        (_yields(passes=np.greater), "events exactly at the cut are lost", "use score >= cut"),
        (_yields(passes=np.less), *below),
        (_yields(passes=np.less_equal), *below),
        *(
            (
                _yields(masks=masks),
                "a mask is made of whole numbers",
                "`mask & label` holds 0 and 1, which pick events by their position: compare, (label == 1)",
            )
            for masks in (
                lambda label: (label, label),
                lambda label: (label, 1 - label),
                lambda label: (label, ~label),
                lambda label: (label, label == 0),
            )
        ),
        (_yields(weigh=np.abs), "negative weights have lost their sign", "add w, and not |w|"),
        (_yields(weigh=np.ones_like), "these are raw events", "add up the weights of the events"),
        (np.array(right)[:, :1].repeat(4, axis=1), "every cut has the same yields", "use the cut of the loop"),
        (np.array(right) / np.array(right)[:, :1], "these are efficiencies", "yields are sums, divided by nothing"),
        (
            lambda score, label, weight, cuts: [
                np.histogram(score[label == y], [*cuts, np.inf], weights=weight[label == y])[0] for y in (1, 0)
            ],
            "these are the events between one cut and the next",
            "everything above a cut counts",
        ),
        ([part[-1] for part in right], "only the last cut is kept", "collect the sums of all cuts in a list"),
        ([part[0] for part in right], "only the first cut is used", "return after the loop"),
        given=given,
        right=right,
    ):
        return
    if not report.holds(
        all(np.shape(part) == cuts.shape for part in pair), "each has one number per cut", hint="loop over the cuts"
    ):
        return
    report.holds(alike(pair[0], right[0]), "the signal is right", hint="sum the weights of label 1 with score >= cut")
    report.also(alike(pair[1], right[1]), "the background is right", hint="sum the weights of label 0")
    report.also(
        lambda: alike(answer(score, label, weight, cuts[[2, 0, 3, 1]]), np.array(right)[:, [2, 0, 3, 1]]),
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
    right, error = _sum_and_error(weight)
    pair = report.parts(answer(weight), "total, error")
    if pair is None:
        return
    if report.recognises(
        pair[0],
        (np.abs(weight).sum(), "the total adds absolute values", "negative weights subtract from the sum"),
        (weight[weight > 0].sum(), "the total leaves out negative weights", "they subtract from the sum"),
        (len(weight), "the total counts raw events", "add up the weights"),
        (error, "the order is another one", "return total, error"),
        right=right,
    ) or report.recognises(
        pair[1],
        (
            np.sqrt(right),
            "the error is the root of the sum",
            "that is right only for weights of one: square each weight",
        ),
        (np.sqrt(np.abs(weight).sum()), "the error is the root of Σ|w|", "square each weight before adding"),
        (np.sqrt(len(weight)), "the error is the root of the raw count", "weights do not stand for one event each"),
        (error**2, "this is the square of the error", "take the square root at the end"),
        (right, "the squares were taken after the sum", "square each weight, then add, then take the root"),
        (np.abs(weight).sum(), "the root is taken of each weight", "add the squares first, then take the root"),
        (np.std(weight), "this is the spread of the weights", "the error of their sum is wanted: √Σw²"),
        (
            np.std(weight) / np.sqrt(len(weight)),
            "this is the error of the mean weight",
            "the error of their sum is wanted: √Σw²",
        ),
        (error / right, "this is the relative error", "do not divide by the sum"),
        (
            np.sqrt(np.sum(np.sign(weight) * weight**2)),
            "negative weights reduce your error",
            "their squares are positive: an event that subtracts fluctuates as well",
        ),
        right=error,
    ):
        return
    report.holds(alike(pair[0], right), "the total is the sum of the weights", hint="weight.sum()")
    report.also(alike(pair[1], error), "the error is the root of the sum of squares", hint="square, add, take the root")
    report.also(lambda: alike(answer(np.ones(16)), (16.0, 4.0)), "16 events of weight one: 16 ± 4", hint="√16 = 4")
    report.also(
        lambda: alike(answer(np.zeros(0)), (0.0, 0.0)),
        "no event at all: 0 ± 0",
        mistake="without any event the result is not 0 ± 0",
        hint="add up the squares: the mean of nothing is NaN",
    )


def _background_from_data(n_below: float, b_below: float, b_above: float) -> tuple[float, float]:
    """The course's own answer to exercise 7.11."""
    b = n_below * b_above / b_below
    return b, b / np.sqrt(n_below)


@exercise("7.11", fallback=_background_from_data)
def exercise_7_11(answer: Any, report: Report) -> None:
    """The background above a cut from the data below it."""
    n_below, b_below, b_above = 412, 320.5, 63.7
    b, error = right = _background_from_data(n_below, b_below, b_above)
    pair = report.parts(answer(n_below, b_below, b_above), "b, sigma_b")
    if pair is None:
        return
    scale = b_above / b_below
    if report.recognises(
        pair[0],
        (n_below / scale, "the ratio is upside down", "the cut keeps less than it rejects: above/below"),
        (b_above * b_below / n_below, "the data enter upside down", "more data below mean more background above"),
        (b_above, "the data do not enter", "multiply by n_below / b_below"),
        (n_below - b_above, "this subtracts", "multiply the data below with the ratio above/below"),
        (n_below / b_below, "this is the scale factor", "multiply the simulated background above with it"),
        (
            n_below * b_above / (b_above + b_below),
            "this divides by all of the background",
            "the data are those below the cut: divide by the background below",
        ),
        (error, "the order is another one", "return b, sigma_b"),
        (n_below * b_above // b_below, "the estimate is rounded down", "divide with /, and not with //"),
        (round(b), "the estimate is rounded", "an expectation is no whole number"),
        right=b,
    ) or report.recognises(
        pair[1],
        (np.sqrt(b), "the error is the root of the estimate", "what fluctuates is n_below: relative error 1/√n_below"),
        (np.sqrt(n_below), "this is the error of n_below itself", "scale it to the region above the cut"),
        (1 / np.sqrt(n_below), "this is the relative error", "multiply it by b"),
        (b / n_below, "this divides by n_below", "divide b by the square root of n_below"),
        (np.sqrt(b_above), "this is the error of the simulated yield", "the relative error is 1/√n_below"),
        (b * np.sqrt(n_below), "this multiplies by the root", "the relative error is 1/√n_below"),
        right=error,
    ):
        return
    report.holds(
        alike(pair[0], right[0]),
        "as much more data below as is expected means as much more background above",
        hint="the simulation says how many events lie above the cut for each one below",
    )
    report.also(
        lambda: alike(pair[1], right[1]),
        "the relative uncertainty is that of n_below",
        hint="only the count of data fluctuates here, by √n_below",
    )
    report.also(
        lambda: alike(answer(25, 8.0, 40.0), _background_from_data(25, 8.0, 40.0)),
        "works for other numbers",
        hint="use nothing but what is passed to the function",
    )


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
        (lambda s, b: s / np.sqrt(s + b), "this is s/√(s+b)", "without a signal only the background fluctuates: √b"),
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
        (expected / 10, "this is the factor by which the luminosity must grow", "multiply by the 10 fb⁻¹ we have"),
        (3.0, "this is the significance", "the luminosity on the horizontal axis is asked for"),
        (np.log10(expected), "this is the exponent", "the axis is logarithmic: its ticks say 10¹, 10² …"),
        (1000 * expected, "this is in pb⁻¹", "1 fb⁻¹ = 1000 pb⁻¹"),
        relative=0.25,
        hint="follow the solid curve to Z = 3 and go down; the axis is logarithmic",
    )
