"""The checks of chapter 7: right answers in several idioms, and the mistakes that students make."""

from __future__ import annotations

import math

import numpy as np
from scipy import special, stats

from course import checks
from labcourse import significance
from tests.course.answers import Exercise, make_tests


def p_value_by_sum(n, b):
    return np.vectorize(lambda count: sum(stats.poisson.pmf(k, b) for k in range(int(count), int(count) + 200)))(n)


def yields_above(score, label, weight, cuts):
    signal, background = np.zeros(len(cuts)), np.zeros(len(cuts))
    for i, cut in enumerate(cuts):
        for s, y, w in zip(score, label, weight, strict=True):
            if s >= cut and y == 1:
                signal[i] += w
            elif s >= cut:
                background[i] += w
    return signal, background


def yields_with_lists(score, label, weight, cuts):
    return [[sum(weight[(score >= c) & (label == y)]) for c in cuts] for y in (1, 0)]


def yields_with_matrices(score, label, weight, cuts):
    passed = score >= cuts[:, None]
    return np.stack([passed @ (weight * (label == 1)), passed @ (weight * (label == 0))]).astype(np.float32)


def yields_strictly_above(score, label, weight, cuts):
    return yields_with_lists(score, label, weight, np.nextafter(cuts, 2))


def yields_below(score, label, weight, cuts):
    return [[weight[(score < cut) & (label == y)].sum() for cut in cuts] for y in (1, 0)]


def yields_of_sorted_events(score, label, weight, cuts):
    first = np.searchsorted(score, cuts)
    return [[(weight * (label == y))[i:].sum() for i in first] for y in (1, 0)]


def returning_inside_the_loop(score, label, weight, cuts):
    for cut in cuts:
        passed = score >= cut
        return weight[passed & (label == 1)].sum(), weight[passed & (label == 0)].sum()
    return None


def keeping_the_last(score, label, weight, cuts):
    for cut in cuts:
        passed = score >= cut
        signal, background = weight[passed & (label == 1)].sum(), weight[passed & (label == 0)].sum()
    return signal, background


def error_of(function):
    return lambda weight: (weight.sum(), function(weight))


def error_by_loop(weight):
    total = squares = 0
    for w in weight:
        total += w
        squares += w**2
    return total, squares**0.5


def root_of_squares(weight):
    return np.sqrt((weight**2).sum())


def best_cut(scan, min_effective=25):
    best, best_z = None, -math.inf
    for i in range(len(scan.cut)):
        b, error, z = scan.background[i], scan.background_error[i], scan.significance[i]
        if error > 0 and (b / error) ** 2 >= min_effective and z > best_z:
            best, best_z = scan.cut[i], z
    return best


def best_cut_with_mask(scan, min_effective=25):
    with np.errstate(all="ignore"):
        usable = (scan.background / scan.background_error) ** 2 >= min_effective
    usable &= np.isfinite(scan.significance)
    return scan.cut[usable][scan.significance[usable].argmax()]


def best_cut_without_guard(scan, min_effective=25):
    return scan.cut[np.nanargmax(scan.significance)]


def best_cut_not_squared(scan, min_effective=25):
    usable = scan.background / scan.background_error >= min_effective
    return scan.cut[np.argmax(np.where(usable & np.isfinite(scan.significance), scan.significance, -np.inf))]


def best_cut_of_raw_events(scan, min_effective=25):
    usable = (scan.raw_background >= min_effective) & np.isfinite(scan.significance)
    return scan.cut[np.argmax(np.where(usable, scan.significance, -np.inf))]


def best_cut_of_expected_background(scan, min_effective=25):
    usable = (scan.background >= min_effective) & np.isfinite(scan.significance)
    return scan.cut[np.argmax(np.where(usable, scan.significance, -np.inf))]


def best_cut_with_nan(scan, min_effective=25):
    usable = (scan.background / scan.background_error) ** 2 >= min_effective
    return scan.cut[np.argmax(np.where(usable, scan.significance, -np.inf))]


def best_cut_misplaced(scan, min_effective=25):
    usable = ((scan.background / scan.background_error) ** 2 >= min_effective) & np.isfinite(scan.significance)
    return scan.cut[np.argmax(scan.significance[usable])]


def position_among_usable(scan, min_effective=25):
    usable = (scan.background / scan.background_error) ** 2 >= min_effective
    return np.nanargmax(scan.significance[usable])


def best_cut_of_last(scan, min_effective=25):
    return scan.cut[(scan.background / scan.background_error) ** 2 >= min_effective][-1]


def best_cut_with_infinity(scan, min_effective=25):
    usable = ~((scan.background / scan.background_error) ** 2 < min_effective) & ~np.isnan(scan.significance)
    return scan.cut[np.argmax(np.where(usable, scan.significance, -np.inf))]


def best_cut_beyond(scan, min_effective=25):
    return best_cut(scan, np.nextafter(min_effective, 1000))


def asimov(s, b):
    return np.sqrt(2 * ((s + b) * np.log(1 + s / b) - s))


def from_data(n_below, b_below, b_above):
    scale = n_below / b_below
    return scale * b_above, math.sqrt(n_below) * b_above / b_below


S, B = 5.0, 50.0
EVIDENCE = 10 * (3 / float(significance.asimov(S, B))) ** 2

EXERCISES = {
    "7.1": Exercise(
        right=[
            lambda n, b: stats.poisson.sf(np.asarray(n) - 1, b),
            lambda n, b: stats.poisson.sf(n, b) + stats.poisson.pmf(n, b),
            lambda n, b: stats.poisson(b).sf(np.asarray(n) - 1),
            lambda n, b: [stats.poisson.sf(k - 1, b) for k in n] if np.ndim(n) else stats.poisson.sf(n - 1, b),
            lambda n, b: special.gammainc(n, b),
        ],
        mistakes=[
            (lambda n, b: stats.poisson.sf(n, b), "more than n events"),
            (lambda n, b: stats.poisson.sf(n + 1, b), "in the wrong direction"),
            (lambda n, b: stats.poisson.pmf(n, b), "exactly n events"),
            (lambda n, b: stats.poisson.cdf(n, b), "lower tail"),
            (lambda n, b: stats.norm.sf((n - b) / np.sqrt(b)), "this is a Gaussian"),
            (lambda n, b: stats.poisson.sf(b - 1, n), "mean and count are swapped"),
            (lambda n, b: 1 - stats.poisson.cdf(np.asarray(n) - 1, b), "digits are lost far out"),
        ],
        fails=[
            (lambda n, b: 1.0, "✗ one event or more"),
            (p_value_by_sum, "✗ works for tables of counts"),
            (lambda n, b: stats.poisson.sf(np.asarray(n) - 1, np.ravel(b)[0]), "✗ works for tables of counts"),
            (lambda n, b: stats.poisson.sf(np.asarray(n) - 1, 9.0), "✗ one event or more"),
            (lambda n, b: 1 - sum(stats.poisson.pmf(k, b) for k in range(int(np.max(n)))), ""),
            (lambda n, b: stats.norm.sf((np.asarray(n) - 0.5 - b) / np.sqrt(b)), ""),
            (lambda n, b: special.gammainc(np.asarray(n) + 1, b), "more than n events"),
            (lambda n, b: np.round(stats.poisson.sf(np.asarray(n) - 1, b), 4), ""),
        ],
    ),
    "7.2": Exercise(
        right=[
            lambda p: stats.norm.isf(p),
            lambda p: -stats.norm.ppf(p),
            lambda p: np.array([stats.norm.isf(x) for x in np.atleast_1d(p)]).reshape(np.shape(p)),
            lambda p: np.sqrt(2) * special.erfcinv(2 * p),
        ],
        mistakes=[
            (lambda p: stats.norm.isf(p / 2), "two-sided"),
            (lambda p: stats.norm.isf(2 * p), "p is doubled"),
            (lambda p: stats.norm.ppf(p), "sign is turned round"),
            (lambda p: stats.norm.sf(p), "takes Z and gives p"),
            (lambda p: stats.norm.pdf(p), "the height of the Gaussian"),
            (lambda p: stats.norm.ppf(1 - p), "lost its digits"),
            (lambda p: np.abs(stats.norm.isf(p)), "a deficit counts as an excess"),
            (lambda p: np.maximum(0, stats.norm.isf(p)), "a deficit counts as Z = 0"),
        ],
        fails=[
            (lambda p: 1.0, "✗ p = 0.5 is no significance"),
            (lambda p: np.ptp(np.atleast_1d(p)), "✗ an array of p-values gives an array"),
            (lambda p: np.abs(stats.norm.ppf(p)), "a deficit counts as an excess"),
            (lambda p: np.where(np.asarray(p) < 0.5, stats.norm.isf(p), 0.0), "a deficit counts as Z = 0"),
            (lambda p: stats.norm.isf(np.maximum(p, 1e-9)), "✗ stays precise for tiny p-values"),
            (lambda p: np.round(stats.norm.isf(p), 2), ""),
            (lambda p: np.sqrt(-2 * np.log(p)), ""),
            (lambda p: stats.norm.isf(np.sort(p, axis=None)).reshape(np.shape(p)), ""),
        ],
    ),
    "7.3": Exercise(
        right=[lambda s, b: s / np.sqrt(b), lambda s, b: s * b**-0.5, lambda s, b: np.float32(s / np.sqrt(b))],
        mistakes=[
            (lambda s, b: s / b, "this is s/b"),
            (lambda s, b: s / np.sqrt(s + b), "s/√(s+b)"),
            (lambda s, b: np.sqrt(s / b), "root is taken of everything"),
            (lambda s, b: s / b**2, "b is squared"),
            (lambda s, b: b / np.sqrt(s), "s and b are swapped"),
            (lambda s, b: np.sqrt(b) / s, "numerator and denominator are swapped"),
        ],
        fails=[
            (lambda s, b: s / math.sqrt(b), "for arrays use the functions of np"),
            (lambda s, b: s // np.sqrt(b), "✗ works on arrays"),
            (lambda s, b: np.round(s / np.sqrt(b), 1), "✗ works on arrays"),
            (lambda s, b: np.mean(s) / np.sqrt(np.mean(b)), "✗ works on arrays"),
            (lambda s, b: (np.sqrt(s + b) - np.sqrt(b)) * 2, ""),
            (lambda s, b: s / 3, ""),
            (lambda s, b: np.sqrt(s**2 / b).max(), ""),
        ],
    ),
    "7.4": Exercise(
        right=[25, 30.0, np.float32(20)],
        mistakes=[
            (2.73, "this is the significance"),
            (3, "this is the significance"),
            (1.4, "this is the exponent"),
            (1.1, "by how much s/√b is too high"),
            ((0, 25), "decimals take a point"),
            ("x", "leave out the quotes"),
        ],
        fails=[(300, "✗ there the curve passes 2.73"), (8, ""), (-25, ""), (1e6, ""), (float("nan"), "")],
    ),
    "7.5": Exercise(
        right=[yields_above, yields_with_lists, yields_with_matrices],
        mistakes=[
            (yields_strictly_above, "exactly at the cut"),
            (yields_below, "below the cut"),
            (lambda s, y, w, cuts: yields_above(s, y, np.abs(w), cuts), "lost their sign"),
            (lambda s, y, w, cuts: yields_above(s, y, np.ones_like(w), cuts), "raw events"),
            (lambda s, y, w, cuts: yields_above(s, y, w, cuts)[::-1], "the order is another one"),
            (returning_inside_the_loop, "only the first cut is used"),
            (keeping_the_last, "only the last cut is kept"),
            (lambda s, y, w, cuts: yields_above(s, y, w, cuts)[0], "4 values are given"),
            (lambda s, y, w, cuts: [[w[(s >= c) & m].sum() for c in cuts] for m in (y, ~y)], "made of whole numbers"),
            (
                lambda s, y, w, cuts: [[w[(s >= c) & m].sum() for c in cuts] for m in (y, 1 - y)],
                "made of whole numbers",
            ),
            (
                lambda s, y, w, cuts: [[w[(s >= c) & m].sum() for c in cuts] for m in (y, y == 0)],
                "made of whole numbers",
            ),
        ],
        fails=[
            (lambda s, y, w, cuts: (w.sum() + 1, w.sum()), "one number per cut"),
            (yields_of_sorted_events, ""),
            (lambda s, y, w, cuts: [[w[s >= c & y == k].sum() for c in cuts] for k in (1, 0)], "in brackets"),
            (lambda s, y, w, cuts: yields_with_lists(s, y, w, np.sort(cuts)), "✗ cuts may come in any order"),
            (lambda s, y, w, cuts: yields_with_lists(s, y, w, [0.0, 0.5, 0.75, 0.99]), "✗ cuts may come in any order"),
            (lambda s, y, w, cuts: yields_with_lists(s, y, np.maximum(w, 0), cuts), "✗ the background is right"),
            (lambda s, y, w, cuts: np.cumsum(yields_with_lists(s, y, w, cuts), axis=1), ""),
            (lambda s, y, w, cuts: [[w[s >= c].sum() for c in cuts]] * 2, ""),
            (lambda s, y, w, cuts: np.array(yields_with_lists(s, y, w, cuts)).astype(int), ""),
            (lambda s, y, w, cuts: np.array(yields_with_lists(s, y, w, cuts)).T, "4 values are given"),
        ],
    ),
    "7.6": Exercise(
        right=[
            error_of(root_of_squares),
            lambda w: [sum(w), math.sqrt(sum(x * x for x in w))],
            lambda w: (np.float32(w.sum()), np.float32(np.linalg.norm(w))),
            lambda w: np.array([np.sum(w), np.sqrt(w @ w)]),
            error_by_loop,
        ],
        mistakes=[
            (error_of(lambda w: np.sqrt(w.sum())), "root of the sum"),
            (error_of(lambda w: np.sqrt(len(w))), "raw count"),
            (error_of(lambda w: (w**2).sum()), "square of the error"),
            (error_of(lambda w: np.sqrt(w.sum() ** 2)), "squares were taken after"),
            (error_of(lambda w: np.sqrt(w**2).sum()), "the root is taken of each weight"),
            (error_of(np.std), "the spread of the weights"),
            (lambda w: (np.abs(w).sum(), root_of_squares(w)), "absolute values"),
            (error_of(lambda w: np.sqrt(np.sum(w * np.abs(w)))), "negative weights reduce"),
            (lambda w: w.sum(), "one value is given"),
            (error_of(lambda w: np.sqrt(np.mean(w**2) * len(w))), "without any event the result is not 0 ± 0"),
        ],
        fails=[
            (lambda w: (np.mean(w) * len(w), root_of_squares(w)), "not 0 ± 0"),
            (lambda w: (np.sum(w), np.std(w) * np.sqrt(len(w))), "✗ the error is the root"),
            (lambda w: (np.sum(w), np.sqrt((w[w > 0] ** 2).sum())), "✗ the error is the root"),
            (lambda w: (np.round(w.sum()), root_of_squares(w)), "✗ the total"),
            (lambda w: (np.sum(w), np.sqrt((w**2).sum() - w.sum() ** 2 / len(w))), ""),
            (lambda w: (np.cumsum(w), root_of_squares(w)), ""),
            (lambda w: (np.max(np.cumsum(w)), root_of_squares(w)), "✗ no event at all"),
        ],
    ),
    "7.7": Exercise(
        right=[best_cut, best_cut_with_mask, lambda scan, min_effective=25: np.float32(best_cut(scan, min_effective))],
        mistakes=[
            (best_cut_without_guard, "few heavy background events"),
            (best_cut_not_squared, "is not squared"),
            (best_cut_of_raw_events, "raw background events"),
            (best_cut_of_expected_background, "the expected background is compared"),
            (best_cut_with_nan, "a NaN wins"),
            (best_cut_misplaced, "counted among the usable cuts"),
            (lambda scan, min_effective=25: list(scan.cut).index(best_cut(scan)), "position of the cut"),
            (
                lambda scan, min_effective=25: scan.significance[scan.cut == best_cut(scan)][0],
                "this is the significance",
            ),
            (position_among_usable, "counted among the usable cuts only"),
        ],
        fails=[
            (best_cut_beyond, "exactly min_effective"),
            (lambda scan, min_effective=25: best_cut(scan), "✗ a stricter guard is obeyed"),
            (lambda scan, min_effective=25: scan.cut, "of shape"),
            (best_cut_of_last, "the last usable cut wins"),
            (lambda scan, min_effective=25: 0.5, "✗ a stricter guard is obeyed"),
            (lambda scan, min_effective=25: best_cut(scan, min(min_effective, 25)), "✗ a stricter guard is obeyed"),
            (lambda scan, min_effective=25: best_cut(scan, max(min_effective, 25)), "✗ exactly min_effective"),
            (best_cut_with_infinity, "✗ a cut without any background"),
            (lambda scan, min_effective=25: round(best_cut(scan, min_effective)), ""),
        ],
    ),
    "7.9": Exercise(
        right=[
            lambda s, b: np.sqrt(2 * ((s + b) * np.log1p(s / b) - s)),
            asimov,
            lambda s, b: np.power(2 * (s + b) * np.log((s + b) / b) - 2 * s, 0.5),
        ],
        mistakes=[
            (lambda s, b: asimov(s, b) ** 2, "this is the square"),
            (lambda s, b: np.sqrt((s + b) * np.log(1 + s / b) - s), "factor 2 is missing"),
            (lambda s, b: 2 * np.sqrt((s + b) * np.log(1 + s / b) - s), "stands before the root"),
            (lambda s, b: np.sqrt(2 * (s + b) * np.log(1 + s / b)), "−s is missing"),
            (lambda s, b: np.sqrt(2 * (s + b) * np.log(1 + s / b) - s), "does not reach −s"),
            (lambda s, b: np.sqrt(2 * ((s + b) * np.log(s / b) - s)), "negative number stands under the root"),
            (lambda s, b: np.sqrt(2 * (b * np.log(1 + s / b) - s)), "negative number stands under the root"),
            (lambda s, b: np.sqrt(2 * ((s + b) * np.log10(1 + s / b) - s)), "negative number stands under the root"),
            (lambda s, b: s / np.sqrt(b), "this is s/√b"),
        ],
        fails=[
            (lambda s, b: s / np.sqrt(b) * (1 - s / b / 6), "✗ follows the formula"),
            (lambda s, b: s / np.sqrt(b + s / 3), "✗ follows the formula"),
            (lambda s, b: np.round(asimov(s, b), 2), ""),
            (lambda s, b: asimov(np.sum(s), np.sum(b)), ""),
            (lambda s, b: np.sort(asimov(s, b)), ""),
            (lambda s, b: np.float16(asimov(s, b)), ""),
            (lambda s, b: np.abs(asimov(b, s)), ""),
        ],
    ),
    "7.10": Exercise(
        right=[EVIDENCE * 1.1, EVIDENCE * 0.85, round(EVIDENCE)],
        mistakes=[
            (EVIDENCE * 25 / 9, "Z = 5"),
            (EVIDENCE / 10, "factor by which"),
            (10 * np.sqrt(EVIDENCE / 10), "in proportion"),
            (3.0, "this is the significance"),
            (1000 * EVIDENCE, "in pb⁻¹"),
        ],
        fails=[(EVIDENCE * 1.6, "✗ there the curve"), (EVIDENCE * 0.7, ""), (-EVIDENCE, ""), (10, ""), ((1, 8), "")],
        context=lambda: {"s": S, "b": B},
    ),
    "7.11": Exercise(
        right=[
            from_data,
            lambda n, low, high: [n * high / low, high / low * n**0.5],
            lambda n, low, high: np.array([n, np.sqrt(n)]) * high / low,
            lambda n, low, high: (np.float32(n / low * high), np.float32(n / low * high / math.sqrt(n))),
        ],
        mistakes=[
            (lambda n, below, above: from_data(n, above, below), "upside down"),
            (lambda n, below, above: (above, above / np.sqrt(n)), "data do not enter"),
            (lambda n, below, above: (n * above / below, np.sqrt(n * above / below)), "root of the estimate"),
            (lambda n, below, above: (n * above / below, 1 / np.sqrt(n)), "relative error"),
            (lambda n, below, above: (n * above / below, np.sqrt(n)), "the error of n_below itself"),
            (lambda n, below, above: (n * above / (above + below), 1.0), "all of the background"),
            (lambda n, below, above: from_data(n, below, above)[0], "one value is given"),
            (lambda n, below, above: (n * above // below, above / below * n**0.5), "rounded down"),
            (lambda n, below, above: (round(n * above / below), above / below * n**0.5), "is rounded"),
        ],
        fails=[
            (lambda n, below, above: (n * (above // below), above / below * n**0.5), "✗ as much more data"),
            (lambda n, below, above: (int(n * above / below), above / below * n**0.5), "rounded down"),
            (lambda n, below, above: from_data(n, 320.5, above), "✗ right for other arguments"),
            (lambda n, below, above: from_data(n, below, above)[::-1], "the order is another one"),
            (lambda n, below, above: (n * above / below, above / below * np.sqrt(below)), "✗ the relative uncertainty"),
            (lambda n, below, above: (n * above / below, n * above / below / np.sqrt(412)), "✗ right for other"),
            (lambda n, below, above: (above + n - below, above / below * n**0.5), ""),
        ],
    ),
}

test_right, test_mistakes, test_fails, test_open, test_absurd = make_tests(EXERCISES)


def test_the_course_goes_on_with_its_own_formulas():
    assert checks.exercise_7_2(...) is significance.z_value
    assert checks.exercise_7_3(...) is significance.simple
    assert checks.exercise_7_9(...) is significance.asimov
