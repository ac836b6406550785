"""Checks of the appendix on ten digits."""

from __future__ import annotations

from typing import Any

import numpy as np

from course.checks.registry import course_answer
from course.checks.report import Report, exercise
from course.checks.tables import follows, gives, parts_follow


@exercise("10.1")
def exercise_10_1(answer: Any, report: Report) -> None:
    """The loss of ten equal probabilities."""
    mistakes = (
        (np.log(2), "this is the loss for two classes", "which probability has each of ten digits?"),
        (-np.log(10), "the sign is lost", "the loss is −ln p, and p is less than one"),
        (np.log10(10), "this is the logarithm to the base 10", "the loss takes the natural logarithm: np.log"),
        (np.log2(10), "this is the logarithm to the base 2", "the loss takes the natural logarithm: np.log"),
        (0.1, "this is the probability of the true digit", "the loss is −ln of it"),
    )
    what, hint = "it is the loss of ten equal probabilities", "put p = 1/10 into −ln p"
    report.reading(answer, np.log(10), what, *mistakes, tolerance=0.01, hint=hint)


_accuracy, _most_confused = course_answer("10.2"), course_answer("10.3")


def _right(p: Any, d: Any) -> Any:
    return np.argmax(p, axis=1) == d


_COIN = "the variance of a share is p (1 − p) / n"
_MISTAKES_SHARE = (
    (lambda p, d: _right(p, d).sum(), "the right ones are counted", "divide by the number of pictures"),
    (lambda p, d: p[np.arange(len(d)), d].mean(), "this is the mean probability of the right digit", "np.argmax"),
    (_right, "this is one truth value per picture", "take their mean"),
)
_MISTAKES_ERROR = (
    (lambda p, d: np.std(_right(p, d)), "this is the spread of one picture", f"{_COIN}: divide by n inside the root"),
    (lambda p, d: np.std(_right(p, d)) / len(d), "n stands outside of the root", _COIN),
    (lambda p, d: np.std(_right(p, d)) * np.sqrt(len(d)), "this is the error of the count", "divide by n"),
    (lambda p, d: np.sqrt(_right(p, d).sum()) / len(d), "this is Poisson's error, √k / n", f"n is given: {_COIN}"),
    (lambda p, d: 1 / np.sqrt(len(d)), "this is 1 / √n", f"it depends on the share: {_COIN}"),
)


@exercise("10.2")
def exercise_10_2(answer: Any, report: Report) -> None:
    """The share of digits that are read right, with its binomial error."""
    right_ones = [[0.6, 0.3, 0.1], [0.1, 0.2, 0.7], [0.31, 0.38, 0.31], [0.4, 0.3, 0.3]]
    rows = np.array([*right_ones, [0.4, 0.55, 0.05], [0.46, 0.54, 0.0], [0.5, 0.3, 0.2]])
    given = np.tile(rows, (100, 1)), np.tile([0, 2, 1, 0, 0, 0, 1], 100)
    share = _MISTAKES_SHARE, "the most probable digit is compared with the true one", "np.argmax(…, axis=1)"
    error = _MISTAKES_ERROR, "the error is that of a share", _COIN
    # An error that divides by n − 1 is as good.
    parts_follow(report, answer, _accuracy, given, "the share and its error", share, error, relative=2e-3)
    gives(report, answer, ((np.eye(4), np.arange(4)), (1.0, 0.0), "1 ± 0 where all are right", "np.mean of =="))
    p = np.random.default_rng(1).random((900, 10))
    more = (p, np.arange(900) % 10), (p[:400], np.argmax(p[:400], axis=1) // 2)
    report.agrees(answer, _accuracy, *more, hint="use both arguments", relative=2e-3)


def _mistaken(digits: Any, read: Any) -> Any:
    return np.histogram2d(digits, read, bins=range(11))[0] * (1 - np.eye(10))


_PAIRS = "count pairs of different digits: 3 read as 8 and 8 read as 3 together"
_MISTAKES_10_3 = (
    (lambda d, r: (np.bincount(d[d == r]).argmax(),) * 2, "those that are read right count, too", _PAIRS),
    (lambda d, r: sorted(divmod(int(_mistaken(d, r).argmax()), 10)), "only one direction is counted", _PAIRS),
    (lambda d, r: sorted(_mistaken(d, r).sum(i).argmax() for i in (0, 1)), "two digits are found one by one", _PAIRS),
)


@exercise("10.3")
def exercise_10_3(answer: Any, report: Report) -> None:
    """The two digits that are confused most."""
    pairs = {(3, 8): 9, (8, 3): 2, (1, 7): 10, (0, 5): 5, (5, 0): 5, (9, 9): 30, (4, 4): 9}
    pairs |= {(2, d): 3 for d in (0, 4, 5, 6)} | {(d, 6): 3 for d in (0, 4, 5)}
    given = tuple(np.repeat(np.array(list(pairs)), list(pairs.values()), axis=0).T)
    what = "the two digits that are confused most are found"
    follows(report, answer, _most_confused, given, _MISTAKES_10_3, what, _PAIRS)
    rng = np.random.default_rng(3)
    more = [(rng.integers(0, 10, n), rng.integers(0, 10, n) // 2) for n in (301, 500)]
    report.agrees(answer, _most_confused, *more, hint="use both arguments")
