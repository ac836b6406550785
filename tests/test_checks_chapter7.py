"""The checks of chapter 7: right answers in several idioms, and the mistakes that students make."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from labcourse import checks, significance
from tests.answers import Exercise, make_tests


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


def best_cut_with_nan(scan, min_effective=25):
    usable = (scan.background / scan.background_error) ** 2 >= min_effective
    return scan.cut[np.argmax(np.where(usable, scan.significance, -np.inf))]


def best_cut_misplaced(scan, min_effective=25):
    usable = ((scan.background / scan.background_error) ** 2 >= min_effective) & np.isfinite(scan.significance)
    return scan.cut[np.argmax(scan.significance[usable])]


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
            p_value_by_sum,
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
        fails=[(lambda n, b: 1.0, "✗ one event or more")],
    ),
    "7.2": Exercise(
        right=[
            lambda p: stats.norm.isf(p),
            lambda p: -stats.norm.ppf(p),
            lambda p: np.array([stats.norm.isf(x) for x in np.atleast_1d(p)]).reshape(np.shape(p)),
        ],
        mistakes=[
            (lambda p: stats.norm.isf(p / 2), "two-sided"),
            (lambda p: stats.norm.isf(2 * p), "p is doubled"),
            (lambda p: stats.norm.ppf(p), "sign is turned round"),
            (lambda p: stats.norm.sf(p), "takes Z and gives p"),
            (lambda p: stats.norm.pdf(p), "the height of the Gaussian"),
            (lambda p: stats.norm.ppf(1 - p), "lost its digits"),
        ],
        fails=[(lambda p: 1.0, "✗ an array of p-values gives an array")],
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
        fails=[(lambda s, b: s / math.sqrt(b), "your code raised TypeError")],
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
        fails=[(300, "✗ there the curve passes 2.73")],
    ),
    "7.5": Exercise(
        right=[yields_above, yields_with_lists, yields_with_matrices],
        mistakes=[
            (yields_strictly_above, "exactly at the cut"),
            (yields_below, "below the cut"),
            (lambda s, y, w, cuts: yields_above(s, y, np.abs(w), cuts), "lost their sign"),
            (lambda s, y, w, cuts: yields_above(s, y, np.ones_like(w), cuts), "raw events"),
            (lambda s, y, w, cuts: yields_above(s, y, w, cuts)[::-1], "are swapped"),
            (returning_inside_the_loop, "only the first cut is used"),
            (keeping_the_last, "only the last cut is kept"),
            (lambda s, y, w, cuts: yields_above(s, y, w, cuts)[0], "4 values are given"),
        ],
        fails=[(lambda s, y, w, cuts: (w.sum() + 1, w.sum()), "one number a cut")],
    ),
    "7.6": Exercise(
        right=[
            error_of(root_of_squares),
            lambda w: [sum(w), math.sqrt(sum(x * x for x in w))],
            lambda w: (np.float32(w.sum()), np.float32(np.linalg.norm(w))),
            lambda w: np.array([np.sum(w), np.sqrt(w @ w)]),
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
        ],
    ),
    "7.7": Exercise(
        right=[best_cut, best_cut_with_mask, lambda scan, min_effective=25: np.float32(best_cut(scan, min_effective))],
        mistakes=[
            (best_cut_without_guard, "few heavy background events"),
            (best_cut_not_squared, "is not squared"),
            (best_cut_of_raw_events, "raw background events"),
            (best_cut_with_nan, "a NaN wins"),
            (best_cut_misplaced, "counted among the usable cuts"),
            (lambda scan, min_effective=25: list(scan.cut).index(best_cut(scan)), "position of the cut"),
            (
                lambda scan, min_effective=25: scan.significance[scan.cut == best_cut(scan)][0],
                "this is the significance",
            ),
        ],
        fails=[
            (best_cut_beyond, "exactly min_effective"),
            (lambda scan, min_effective=25: best_cut(scan), "✗ a stricter guard is obeyed"),
            (lambda scan, min_effective=25: scan.cut, "of shape"),
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
        fails=[(EVIDENCE * 1.6, "✗ there the curve")],
        context=lambda: {"s": S, "b": B},
    ),
    "7.11": Exercise(
        right=[from_data, lambda n, low, high: [n * high / low, high / low * n**0.5]],
        mistakes=[
            (lambda n, below, above: from_data(n, above, below), "upside down"),
            (lambda n, below, above: (above, above / np.sqrt(n)), "data do not enter"),
            (lambda n, below, above: (n * above / below, np.sqrt(n * above / below)), "root of the estimate"),
            (lambda n, below, above: (n * above / below, 1 / np.sqrt(n)), "relative error"),
            (lambda n, below, above: (n * above / below, np.sqrt(n)), "the error of n_below itself"),
            (lambda n, below, above: (n * above / (above + below), 1.0), "all of the background"),
            (lambda n, below, above: from_data(n, below, above)[0], "one value is given"),
        ],
    ),
}

test_right, test_mistakes, test_fails, test_open, test_absurd = make_tests(EXERCISES)


def test_the_course_goes_on_with_its_own_formulas():
    assert checks.exercise_7_2(...) is significance.z_value
    assert checks.exercise_7_3(...) is significance.simple
    assert checks.exercise_7_9(...) is significance.asimov
