"""Exercises 6.4, 6.5, 6.8 and 6.9: leaks, spreads, and what the folds say about two networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from course.checks.compare import alike
from course.checks.report import Report, exercise

__all__ = ["exercise_6_4", "exercise_6_5", "exercise_6_8", "exercise_6_9"]


@exercise("6.4")
def exercise_6_4(answer: Any, report: Report, *, losses: Mapping[str, ArrayLike]) -> None:
    """How much too good the reused model looks in the last fold."""
    fresh, reused = (np.asarray(losses[name], np.float64) for name in ("fresh", "reused"))
    fresh_others, reused_others = (float(np.asarray(losses[f"{n}, other events"])[-1]) for n in ("fresh", "reused"))
    gains = fresh - reused
    right = float(gains[-1])
    itself = "this is the loss itself", "we ask for a difference of two losses"
    report.reading(
        answer,
        right,
        "loss of the fresh minus loss of the reused model in the last fold",
        (100 * right / fresh[-1], "this is in per cent", "give the difference of the two losses itself"),
        (-right, "the sign is the other way round", "fresh minus reused: positive if the reused model looks better"),
        (float(reused[-1]), *itself),
        (float(fresh[-1]), *itself),
        (float(gains[0]), "this is the first fold", "there both are fresh; look at the last one"),
        (
            float(gains.mean()),
            "this is the mean over the folds",
            "we ask for the last fold; in the first one nothing leaks",
        ),
        (fresh_others - reused_others, "these are the open points", "the validation losses are the filled ones"),
        (reused_others - fresh_others, "these are the open points", "the validation losses are the filled ones"),
        (fresh_others - float(reused[-1]), "one of the points is an open one", "read both filled points"),
        (float(reused[0] - reused[-1]), "only the reused network is compared", "subtract it from the fresh one"),
        tolerance=max(0.005, 0.1 * abs(right)),
        hint="read both points of the last fold",
    )


def _mean_and_spread(losses: ArrayLike) -> tuple[float, float]:
    """The course's own answer to exercise 6.5."""
    losses = np.asarray(losses, np.float64)
    return float(losses.mean()), float(losses.std(ddof=1))


@exercise("6.5", fallback=_mean_and_spread)
def exercise_6_5(answer: Any, report: Report) -> None:
    """Mean and sample standard deviation."""
    losses = np.array([0.51, 0.49, 0.53, 0.50, 0.55])
    pair = report.parts(answer(losses), "mean, spread")
    if pair is None:
        return
    right_mean, right_spread = _mean_and_spread(losses)
    if report.recognises(
        pair[0],
        (right_spread, "the order is another one", "return mean, spread"),
        (losses.sum(), "this is the sum", "divide it by the number of losses"),
        (np.median(losses), "this is the median", "the mean is the sum over the number"),
        (losses, "these are the losses themselves", "take their mean"),
        right=right_mean,
    ) or report.recognises(
        pair[1],
        (losses.std(), "the sum is divided by k", "the mean is taken from the same losses: k − 1, so ddof=1"),
        (right_spread / np.sqrt(5), "the spread is divided by √k", "that is no longer the spread of the folds"),
        (right_spread**2, "this is the variance", "take the root"),
        (np.ptp(losses), "this is the largest difference", "the standard deviation counts all folds"),
        (np.ptp(losses) / 2, "this is half the largest difference", "the standard deviation counts all folds"),
        (
            np.abs(losses - losses.mean()).mean(),
            "this is the mean absolute deviation",
            "the standard deviation is the root of the mean square",
        ),
        right=right_spread,
    ):
        return
    if not report.close(pair[0], right_mean, "the mean", hint="the sum of the losses over their number"):
        return
    report.close(
        pair[1], right_spread, "the spread, with k − 1", relative=1e-4, hint="the root of the sum of squares over k − 1"
    )
    report.also(
        lambda: alike(answer([0.2, 0.4]), (0.3, np.sqrt(0.02))),
        "works for a list of two losses too",
        hint="np.mean and np.std take lists as well; a list has no .mean()",
    )


def _corrected_error(losses: ArrayLike, n_training: float, n_validation: float) -> float:
    """The course's own answer to exercise 6.8."""
    losses = np.asarray(losses, np.float64)
    return float(np.sqrt((1 / losses.size + n_validation / n_training) * losses.var(ddof=1)))


@exercise("6.8", fallback=_corrected_error)
def exercise_6_8(answer: Any, report: Report) -> None:
    """The corrected error of a mean over folds (Nadeau and Bengio 2003)."""
    losses = np.array([0.02, 0.05, 0.01, 0.04, 0.04, 0.03])
    result = answer(losses, 1000, 230)
    right, variance = _corrected_error(losses, 1000, 230), losses.var(ddof=1)
    if report.recognises(
        result,
        (np.sqrt(variance / 6), "this is the naive error", "add n_validation / n_training to 1/J"),
        (np.sqrt(variance), "this is the spread of the losses", "multiply its square by (1/J + n_val/n_train)"),
        (np.sqrt((1 / 6 + 1000 / 230) * variance), "the ratio is upside down", "n_validation / n_training"),
        ((1 / 6 + 0.23) * variance, "this is a variance", "take the root"),
        ((1 / 6 + 0.23) * np.sqrt(variance), "the root is only taken of the variance", "the root of the whole product"),
        (np.sqrt((1 / 6 + 0.23) * losses.var()), "the variance is divided by J", "J − 1: ddof=1"),
        (np.sqrt((1 / 6 + 230 / 1230) * variance), "divided by all events", "n_validation / n_training"),
        (np.sqrt(0.23 * variance), "1/J is missing", "(1/J + n_validation / n_training)"),
        (np.sqrt(1 / 6 + 0.23 * variance), "the brackets are missing", "(1/J + n_val/n_train) times the variance"),
        (np.sqrt((1 / 6 + 0.23) * np.sqrt(variance)), "the spread is not squared", "the variance: np.var(…, ddof=1)"),
        right=right,
    ):
        return
    if report.number(result, "the variance of the losses is one number") is None:
        return
    report.close(result, right, "follows the formula", relative=1e-4, hint="√((1/J + n_val/n_train) · variance)")
    report.also(
        lambda: alike(answer(np.tile(losses, 4), 1000, 230), _corrected_error(np.tile(losses, 4), 1000, 230)),
        "J is the number of losses that are passed in",
        hint="len(losses)",
    )
    report.also(
        lambda: alike(answer(losses, 160, 40), _corrected_error(losses, 160, 40)),
        "the numbers of events are those that are passed in",
        hint="n_validation / n_training",
    )


@exercise("6.9")
def exercise_6_9(answer: Any, report: Report, *, losses: Mapping[str, ArrayLike]) -> None:
    """In how many folds the first model is better, and by how much in the mean."""
    pair = report.parts(answer, "the number of folds and the mean difference")
    if pair is None:
        return
    first, second = (np.asarray(losses[name], np.float64) for name in list(losses)[:2])
    delta = second - first
    better, mean = int((delta > 0).sum()), float(delta.mean())
    report.reading(
        pair[0],
        better,
        "the number of folds in which the first model has the lower loss",
        (
            len(delta) - better,
            "this is the number of folds in which the second model is better",
            "a lower loss is better",
        ),
        (mean, "the order is another one", "the number of folds comes first"),
        (better / len(delta), "this is the share of the folds", "count them"),
        hint="compare the two points of each fold",
    )
    if report.lines[-1][1] == "the order is another one":
        return
    report.reading(
        pair[1],
        mean,
        "the mean difference of the losses",
        (-mean, "the sign of the mean is the other way round", "loss of the second minus loss of the first"),
        (float(delta.sum()), "the differences are added up", "divide by the number of folds"),
        (float(second.mean()), "this is a loss", "we ask for the difference of two"),
        (float(first.mean()), "this is a loss", "we ask for the difference of two"),
        (100 * mean / float(second.mean()), "this is in per cent", "give the difference of the losses itself"),
        tolerance=max(0.0005, 0.15 * abs(mean)),
        hint="right panel",
    )
