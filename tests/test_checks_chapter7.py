"""The checks of chapter 7 recognise right, open and wrong answers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from labcourse import checks, significance


def raising(*_args, **_kwargs):
    raise ZeroDivisionError("division by zero")


def yields_above(passes=np.greater_equal, value=lambda w: w, order=(1, 0)):
    def answer(score, label, weight, cuts):
        return tuple(np.array([value(weight)[passes(score, cut) & (label == y)].sum() for cut in cuts]) for y in order)

    return answer


def sum_and_error(error, total=np.sum):
    return lambda weight: (total(weight), error(np.asarray(weight)))


def root_of_squares(weight):
    return np.sqrt((weight**2).sum())


def best_cut(guard="effective", fill=True, give=lambda scan, at: scan.cut[at], compare=np.greater_equal, least=None):
    def answer(scan, min_effective=25):
        with np.errstate(all="ignore"):
            ratio = scan.background / scan.background_error
            worth = {"effective": ratio**2, "ratio": ratio, "raw": scan.raw_background, "none": ratio * 0 + np.inf}
            usable = compare(worth[guard], least or min_effective)
        z = np.where(usable & (np.isfinite(scan.significance) if fill else True), scan.significance, -np.inf)
        return give(scan, np.argmax(z))

    return answer


def asimov(power=0.5, log=np.log1p, ratio=lambda s, b: s / b, minus=1.0, factor=2.0):
    def answer(s, b):
        with np.errstate(invalid="ignore"):
            return (factor * ((s + b) * log(ratio(s, b)) - minus * s)) ** power

    return answer


def from_data(n_below, b_below, b_above):
    b = n_below * b_above / b_below
    return b, b / np.sqrt(n_below)


RIGHT = {
    "7_1": lambda n, b: stats.poisson.sf(np.asarray(n) - 1, b),
    "7_2": lambda p: stats.norm.isf(p),
    "7_3": lambda s, b: s / np.sqrt(b),
    "7_5": yields_above(),
    "7_6": sum_and_error(root_of_squares),
    "7_7": best_cut(),
    "7_9": asimov(),
    "7_11": from_data,
}
WRONG = [
    ("7_1", lambda n, b: stats.poisson.sf(n, b), "more than n events"),
    ("7_1", lambda n, b: stats.poisson.pmf(n, b), "exactly n events"),
    ("7_1", lambda n, b: stats.poisson.cdf(n, b), "lower tail"),
    ("7_1", lambda n, b: stats.norm.sf((n - b) / np.sqrt(b)), "this is a Gaussian"),
    ("7_1", lambda n, b: 1 - stats.poisson.cdf(np.asarray(n) - 1, b), "1 - cdf rounds to zero"),
    ("7_1", lambda n, b: 1.0, "✗"),
    ("7_2", lambda p: stats.norm.isf(p / 2), "two-sided"),
    ("7_2", lambda p: stats.norm.ppf(p), "sign is turned round"),
    ("7_2", lambda p: stats.norm.sf(p), "takes Z and gives p"),
    ("7_2", lambda p: stats.norm.ppf(1 - p), "1 - p rounds to one"),
    ("7_3", lambda s, b: s / b, "this is s/b"),
    ("7_3", lambda s, b: s / np.sqrt(s + b), "s/√(s+b)"),
    ("7_3", lambda s, b: np.sqrt(s / b), "root is taken of everything"),
    ("7_3", lambda s, b: s / math.sqrt(b), "your code raised TypeError"),
    ("7_5", yields_above(np.greater), "exactly at the cut"),
    ("7_5", yields_above(np.less), "below the cut"),
    ("7_5", yields_above(value=np.abs), "lost their sign"),
    ("7_5", yields_above(value=np.ones_like), "raw events"),
    ("7_5", yields_above(order=(0, 1)), "are swapped"),
    ("7_5", lambda score, label, weight, cuts: yields_above()(score, label, weight, cuts)[0], "returns two things"),
    ("7_5", lambda score, label, weight, cuts: (weight.sum(), weight.sum()), "one number a cut"),
    ("7_6", sum_and_error(lambda w: np.sqrt(w.sum())), "root of the sum"),
    ("7_6", sum_and_error(lambda w: np.sqrt(len(w))), "raw count"),
    ("7_6", sum_and_error(lambda w: (w**2).sum()), "square of the error"),
    ("7_6", sum_and_error(root_of_squares, lambda w: np.abs(w).sum()), "absolute values"),
    ("7_6", sum_and_error(lambda w: np.sqrt(np.sum(w * np.abs(w)))), "negative weights reduce"),
    ("7_6", lambda w: w.sum(), "returns two numbers"),
    ("7_7", best_cut("none"), "few heavy background events"),
    ("7_7", best_cut("ratio"), "guard is too strict"),
    ("7_7", best_cut("raw"), "worth 4 events"),
    ("7_7", best_cut(fill=False), "a NaN wins"),
    ("7_7", best_cut(give=lambda scan, at: at), "position of the cut"),
    ("7_7", best_cut(give=lambda scan, at: scan.significance[at]), "this is the significance"),
    ("7_7", best_cut(compare=np.greater), "exactly min_effective"),
    ("7_7", best_cut(least=25), "min_effective"),
    ("7_9", asimov(power=1), "this is the square"),
    ("7_9", asimov(factor=1.0), "factor 2 is missing"),
    ("7_9", asimov(minus=0.0), "−s is missing"),
    ("7_9", asimov(minus=0.5), "does not reach −s"),
    ("7_9", asimov(log=np.log), "its argument is 1 + s/b"),
    ("7_9", asimov(log=lambda x: np.log10(1 + x)), "negative number stands under the root"),
    ("7_9", lambda s, b: s / np.sqrt(b), "this is s/√b"),
    ("7_11", lambda n, below, above: from_data(n, above, below), "upside down"),
    ("7_11", lambda n, below, above: (above, above / np.sqrt(n)), "data do not enter"),
    ("7_11", lambda n, below, above: (n * above / below, np.sqrt(n * above / below)), "root of the estimate"),
    ("7_11", lambda n, below, above: (n * above / below, 1 / np.sqrt(n)), "relative error"),
    *[(number, raising, "your code raised ZeroDivisionError") for number in RIGHT],
]


@pytest.mark.parametrize("number", RIGHT)
def test_right_and_open_answers(number, capsys):
    check = getattr(checks, f"exercise_{number}")
    assert check(RIGHT[number]) is RIGHT[number]
    shown = capsys.readouterr().out
    assert "solved" in shown
    assert "✗" not in shown
    fallback = check(lambda *_: ...)
    assert fallback is not None
    assert "still open" in capsys.readouterr().out
    assert check(fallback) is fallback
    assert "solved" in capsys.readouterr().out


@pytest.mark.parametrize(("number", "answer", "said"), WRONG)
def test_wrong_answers_are_named(number, answer, said, capsys):
    check = getattr(checks, f"exercise_{number}")
    assert check(answer) is not answer
    assert said in capsys.readouterr().out


def test_reading_exercises(capsys):
    for value, said in [
        (25, "solved"),
        (30.0, "solved"),
        (2.73, "significance"),
        (300, "✗"),
        ("x", "✗"),
        (..., "open"),
    ]:
        checks.exercise_7_4(value)
        assert said in capsys.readouterr().out
    s, b = 5.0, 50.0
    right = 10 * (3 / float(significance.asimov(s, b))) ** 2
    for value, said in [
        (right * 1.1, "solved"),
        (right * 25 / 9, "Z = 5"),
        (right / 10, "factor by which"),
        (10 * np.sqrt(right / 10), "in proportion"),
        (3.0, "✗"),
        (None, "✗"),
        (..., "open"),
    ]:
        checks.exercise_7_10(value, s=s, b=b)
        assert said in capsys.readouterr().out


def test_the_course_goes_on_with_its_own_formulas():
    assert checks.exercise_7_2(...) is significance.z_value
    assert checks.exercise_7_3(...) is significance.simple
    assert checks.exercise_7_9(...) is significance.asimov
