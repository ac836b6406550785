"""The checks of chapter 7: right answers in several idioms, and the mistakes that students make."""

from __future__ import annotations

import math

import numpy as np
from scipy import special, stats

from course import checks
from labcourse import significance
from tests.course.answers import Exercise, make_tests


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


def asimov(s, b):
    return np.sqrt(2 * ((s + b) * np.log(1 + s / b) - s))


def from_data(n_below, b_below, b_above):
    scale = n_below / b_below
    return scale * b_above, math.sqrt(n_below) * b_above / b_below


S, B = 5.0, 50.0
EVIDENCE = 10 * (3 / float(significance.asimov(S, B))) ** 2

EXERCISES = {
    "7.1": Exercise(
        [
            lambda n, b: stats.poisson.sf(np.asarray(n) - 1, b),
            lambda n, b: stats.poisson.sf(n, b) + stats.poisson.pmf(n, b),
            lambda n, b: [stats.poisson.sf(k - 1, b) for k in n] if np.ndim(n) else stats.poisson.sf(n - 1, b),
        ],
        (lambda n, b: 1.0, "✗ one event or more"),
        (lambda n, b: stats.poisson.sf(np.asarray(n) - 1, np.ravel(b)[0]), "✗ works for tables of counts"),
        (lambda n, b: 1 - sum(stats.poisson.pmf(k, b) for k in range(int(np.max(n)))), ""),
    ),
    "7.2": Exercise(
        [
            lambda p: stats.norm.isf(p),
            lambda p: -stats.norm.ppf(p),
            lambda p: np.array([stats.norm.isf(x) for x in np.atleast_1d(p)]).reshape(np.shape(p)),
            lambda p: np.sqrt(2) * special.erfcinv(2 * p),
        ],
        (lambda p: 1.0, "✗ p = 0.5 is no significance"),
        (lambda p: np.ptp(np.atleast_1d(p)), "✗ an array of p-values gives an array"),
    ),
    "7.3": Exercise(
        [lambda s, b: s / np.sqrt(b), lambda s, b: s * b**-0.5, lambda s, b: np.float32(s / np.sqrt(b))],
        (lambda s, b: s / math.sqrt(b), "hint: for arrays use the functions of np"),
        (lambda s, b: s // np.sqrt(b), "✗ works on arrays"),
        (lambda s, b: (np.sqrt(s + b) - np.sqrt(b)) * 2, ""),
        (lambda s, b: s / 3, ""),
    ),
    "7.4": Exercise(
        [25, 30.0, np.float32(20)],
        (2.73, "this is the significance"),
        (1.4, "this is the exponent"),
        (1.1, "by how much s/√b is too high"),
        ((0, 25), "decimals take a point"),
        ("x", "leave out the quotes"),
        (300, "✗ there the curve passes 2.73"),
        (10, ""),
        (8, ""),
        (-25, ""),
        (1e6, ""),
        (float("nan"), ""),
    ),
    "7.5": Exercise(
        [yields_above, yields_with_lists, yields_with_matrices],
        (lambda s, y, w, cuts: yields_above(s, y, w, cuts)[::-1], "the order is another one"),
        (lambda s, y, w, cuts: yields_above(s, y, w, cuts)[0], "4 values are given"),
        (lambda s, y, w, cuts: (w.sum() + 1, w.sum()), "hint: one number per cut"),
        (lambda s, y, w, cuts: [[w[s >= c & y == k].sum() for c in cuts] for k in (1, 0)], "hint: in brackets"),
        (lambda s, y, w, cuts: yields_with_lists(s, y, w, np.sort(cuts)), "✗ cuts may come in any order"),
        (lambda s, y, w, cuts: np.array(yields_with_lists(s, y, w, cuts)).T, "4 values are given"),
    ),
    "7.6": Exercise(
        [
            error_of(root_of_squares),
            lambda w: [sum(w), math.sqrt(sum(x * x for x in w))],
            lambda w: (np.float32(w.sum()), np.float32(np.linalg.norm(w))),
            error_by_loop,
        ],
        (lambda w: w.sum(), "one value is given"),
        (lambda w: (np.mean(w) * len(w), root_of_squares(w)), "not 0 ± 0"),
        (lambda w: (np.sum(w), np.std(w) * np.sqrt(len(w))), "✗ the error is the root"),
        (lambda w: (np.round(w.sum()), root_of_squares(w)), "✗ the total"),
        (lambda w: (np.max(np.cumsum(w)), root_of_squares(w)), "✗ no event at all"),
    ),
    "7.7": Exercise(
        [best_cut, best_cut_with_mask, lambda scan, min_effective=25: np.float32(best_cut(scan, min_effective))],
        (lambda scan, min_effective=25: scan.cut, "of shape"),
        (lambda scan, min_effective=25: 0.5, "✗ a stricter guard is obeyed"),
        (lambda scan, min_effective=25: best_cut(scan, max(min_effective, 25)), "✗ exactly min_effective"),
        (lambda scan, min_effective=25: round(best_cut(scan, min_effective)), ""),
    ),
    "7.9": Exercise(
        [
            lambda s, b: np.sqrt(2 * ((s + b) * np.log1p(s / b) - s)),
            asimov,
            lambda s, b: np.power(2 * (s + b) * np.log((s + b) / b) - 2 * s, 0.5),
        ],
        (lambda s, b: np.sqrt(2 * ((s + b) * np.log(s / b) - s)), "negative number stands under the root"),
        (lambda s, b: s / np.sqrt(b) * (1 - s / b / 6), "✗ follows the formula"),
        (lambda s, b: np.round(asimov(s, b), 2), ""),
        (lambda s, b: asimov(np.sum(s), np.sum(b)), ""),
        (lambda s, b: np.sort(asimov(s, b)), ""),
    ),
    "7.10": Exercise(
        [EVIDENCE * 1.1, EVIDENCE * 0.85, round(EVIDENCE)],
        (EVIDENCE * 25 / 9, "Z = 5"),
        (EVIDENCE / 10, "factor by which"),
        (10 * np.sqrt(EVIDENCE / 10), "in proportion"),
        (3.0, "this is the significance"),
        (1000 * EVIDENCE, "in pb⁻¹"),
        (EVIDENCE * 1.6, "✗ there the curve"),
        (EVIDENCE * 0.7, ""),
        (-EVIDENCE, ""),
        (10, ""),
        ((1, 8), ""),
        context=lambda: {"s": S, "b": B},
    ),
    "7.11": Exercise(
        [
            from_data,
            lambda n, low, high: [n * high / low, high / low * n**0.5],
            lambda n, low, high: np.array([n, np.sqrt(n)]) * high / low,
            lambda n, low, high: (np.float32(n / low * high), np.float32(n / low * high / math.sqrt(n))),
        ],
        (lambda n, below, above: from_data(n, below, above)[0], "one value is given"),
        (lambda n, below, above: (n * (above // below), above / below * n**0.5), "✗ as much more data"),
        (lambda n, below, above: (n * above / below, above / below * np.sqrt(below)), "✗ the relative uncertainty"),
        (lambda n, below, above: (n * above / below, n * above / below / np.sqrt(412)), "✗ right for other"),
    ),
}

test_right, test_wrong, test_open, test_absurd = make_tests(EXERCISES)


def test_the_course_goes_on_with_its_own_formulas():
    assert checks.exercise_7_2(...) is significance.z_value
    assert checks.exercise_7_3(...) is significance.simple
    assert checks.exercise_7_9(...) is significance.asimov
