"""Exercises 4.9 and 4.10: what the loss of raw events sees of the backgrounds, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from course.checks.compare import alike
from course.checks.report import Report, exercise

__all__ = ["exercise_4_9", "exercise_4_10"]


def _shares(process: Any, weight: Any) -> dict[str, tuple[float, float]]:
    """The course's own answer to exercise 4.9."""
    process, weight = np.asarray(process), np.asarray(weight, np.float64)
    return {
        str(name): (float(np.mean(process == name)), float(weight[process == name].sum() / weight.sum()))
        for name in np.unique(process)
    }


@exercise("4.9", fallback=_shares)
def exercise_4_9(answer: Any, report: Report) -> None:
    """Raw and expected shares of processes."""
    process = np.array(["ZZ"] * 5 + ["Z", "ttbar", "Z"])
    weight = np.array([0.2, 0.2, 0.2, 0.2, 0.2, 2.0, 1.0, -0.5])
    right = _shares(process, weight)
    result = answer(process, weight)
    if not isinstance(result, Mapping):
        report.wrong(f"this is of type {type(result).__name__}", "a dictionary: {name: (raw_share, expected_share), …}")
        return
    if not report.holds(
        {str(name) for name in result} == set(right),
        "a dictionary with each process once",
        hint="one entry for each of the names in np.unique(process)",
    ):
        return
    found = {str(name): pair for name, pair in result.items()}
    if any(np.shape(pair) != (2,) for pair in found.values()):
        report.wrong("there are not two numbers per process", "{name: (raw_share, expected_share), …}")
        return
    names, total, n = list(right), weight.sum(), len(weight)
    raw, expected = ({name: float(found[name][i]) for name in names} for i in (0, 1))
    right_raw, right_expected = ({name: right[name][i] for name in names} for i in (0, 1))

    def scaled(shares: Mapping[str, float], factor: float) -> dict[str, float]:
        return {name: share * factor for name, share in shares.items()}

    if report.recognises(
        (raw, expected), ((right_expected, right_raw), "the order is another one", "(raw_share, expected_share)")
    ):
        return
    wrong = [
        report.recognises(
            raw,
            (scaled(right_raw, n), "raw events are counted, not shared", "divide by the number of all events"),
            (scaled(right_raw, 100), "the raw shares are in per cent", "shares add up to one"),
            (scaled(right_raw, n / len(names)), "raw events are divided by the number of processes", "by all events"),
            right=right_raw,
        ),
        report.recognises(
            expected,
            (right_raw, "the weights are not used", "the sum of its weights over the sum of all"),
            (
                lambda process, weight: {name: pair[1] for name, pair in _shares(process, np.abs(weight)).items()},
                "negative weights count as positive",
                "add the weights as they are",
            ),
            (
                scaled(right_expected, total),
                "expected events are counted, not shared",
                "divide by the sum of all weights",
            ),
            (scaled(right_expected, total / n), "the sums are divided by the number of events", "by all weights"),
            (scaled(right_expected, 100), "the expected shares are in per cent", "shares add up to one"),
            (
                lambda process, weight: {name: weight[process == name].mean() for name in names},
                "this is the mean weight of a process",
                "add up its weights, and divide by the sum of all",
            ),
            given=(process, weight),
            right=right_expected,
        ),
    ]
    if any(wrong):
        return
    report.holds(
        alike(raw, right_raw), "raw shares: events over all events", hint="how many of all events are of this process?"
    )
    report.holds(
        alike(expected, right_expected),
        "expected shares: weights over all weights",
        hint="the sum of its weights over the sum of all",
    )
    # With negative weights a share may lie below 0, and another one above 1.
    other = np.array([*["W", "ZZ", "W", "jets"] * 3, "ZZ"]), np.array([*[1.0, 5.0, -0.5, -0.4] * 3, 2.0])
    report.agrees(answer, _shares, other, hint="go through np.unique(process), and leave the numbers as they come out")


@exercise("4.10")
def exercise_4_10(answer: Any, report: Report, *, efficiency: pd.Series, error: pd.Series) -> None:
    """The background that passes the cut most easily, or one that agrees with it within their errors."""
    background = efficiency.drop("Higgs", errors="ignore")
    most = str(background.idxmax())
    alike = background[most] - background <= np.hypot(error[background.index], error[most])
    report.name(
        answer,
        list(background.index),
        set(background.index[alike]),
        "no other background passes clearly more easily",
        ("Higgs", "the Higgs boson is the signal", "we ask for a background"),
        (background.idxmin(), "this one is rejected best", "a large efficiency means: much of it passes"),
        hint="the point furthest to the right",
    )
