"""Exercises 1.7 and 1.9: variables that discriminate, and the purity of a mass window."""

from __future__ import annotations

from typing import Any

import pandas as pd

from course.checks import crafted
from course.checks.compare import alike
from course.checks.report import Report, exercise
from labcourse import samples

__all__ = ["exercise_1_7", "exercise_1_9"]


@exercise("1.7")
def exercise_1_7(answer: Any, report: Report, *, separations: pd.Series) -> None:
    """The low-level variable with the largest separation."""
    low_level = separations[[str(name).startswith("lep") for name in separations.index]]
    high_level = separations.index.difference(low_level.index)
    report.name(
        answer,
        list(separations.index),
        {str(low_level.idxmax())},
        "no other low-level variable separates better",
        (high_level, "this one is high-level", "the name of a low-level variable begins with lep"),
        (low_level.idxmin(), "this one separates least", "a large separation is what we want"),
        (
            [name for name in low_level.index if str(name).endswith(("_eta", "_phi"))],
            "this is an angle, whose separation is small",
            "compare the numbers in the table: 0 means that signal and background look the same",
        ),
        hint="the table is sorted: the first name that begins with lep",
    )


def _purity(
    events: pd.DataFrame,
    low: float,
    high: float,
    *,
    signal: Any = samples.SIGNAL,
    over: str = "all",
    weigh: Any = None,
    upper: str = "neither",
    window: bool = True,
) -> float:
    """Return the purity; the options are the variants that students write."""
    mass = events["m_llll"]
    inside = (mass >= low) & ((mass <= high) if upper == "closed" else (mass < high))
    if upper == "open":
        inside &= mass > low
    weight = (events["weight"] if weigh is None else weigh(events["weight"])) * (inside if window else 1)
    is_signal = events["sample"].isin(signal)
    whole = {
        "all": weight.sum(),
        "background": weight[~is_signal].sum(),
        "all signal": events.loc[is_signal, "weight"].sum(),
        "nothing": 1.0,
    }[over]
    return float(weight[is_signal].sum() / whole) if whole else 0.0


@exercise("1.9", fallback=_purity)
def exercise_1_9(answer: Any, report: Report) -> None:
    """The purity in a window of the four-lepton mass."""
    names = ["ggH125_ZZ4lep", "VBFH125_ZZ4lep", "llll", "Zee", "llll", "ggH125_ZZ4lep", "llll", *samples.SIMULATED]
    masses = [124, 125, 120, 126, 200, 130, 115, 116, 118, 121, 122, 123, 127, 128, 129]
    weight = [1.0, 0.5, 4.0, -0.5, 7.0, 0.25, 0.75, 0.2, 0.3, 0.15, 0.35, 0.6, 0.9, 0.4, 1.1]
    # Where negative weights prevail, the formula gives shares below 0 and above 1.
    names += ["ZH125_ZZ4lep", "llll", "ggH125_ZZ4lep", "Zee"]
    weight += [-0.25, 1.0, 1.0, -0.5]
    events = crafted.weighted(names, weight, m_llll=[*masses, 140, 140, 150, 150])
    given = events, 115, 130
    result = answer(*given)

    def variant(**options: Any) -> Any:
        return lambda events, low, high: _purity(events, low, high, **options)

    if report.recognises(
        result,
        (variant(weigh=lambda w: w * 0 + 1), "events are counted, not weighted", "use the sum of the column weight"),
        (variant(over="background"), "this is s/b", "the purity is s/(s+b)"),
        (variant(weigh=abs), "negative weights count as positive", "add the weights as they are"),
        (
            variant(signal=["ggH125_ZZ4lep"]),
            "only ggH counts as signal",
            "samples.SIGNAL names all four signal samples",
        ),
        (variant(upper="closed"), "the upper edge belongs to the window", "low <= m_llll < high"),
        (variant(upper="open"), "the lower edge is left out", "low <= m_llll < high"),
        (variant(window=False), "the window is not applied", "keep only events with low <= m_llll < high"),
        (variant(signal=samples.BACKGROUND), "this is the share of background", "the signal goes into the numerator"),
        (variant(over="all signal"), "this is an efficiency", "the purity divides by all events *in the window*"),
        (variant(over="nothing"), "this is the number of signal events", "divide by all expected events in the window"),
        (100 * _purity(*given), "this is in per cent", "a share lies between 0 and 1"),
        given=given,
        right=_purity(*given),
    ):
        return
    if report.number(result, "add up the weights: one number") is None:
        return
    if not report.close(result, _purity(*given), "signal weights over all weights in the window", hint="s/(s+b)"):
        return
    report.also(
        lambda: alike(answer(events, 190, 210), 0.0),
        "a window with background only has purity 0",
        hint="use the arguments low and high",
    )
    windows = (118, 125), (118.5, 124.5), (100, 250), (135, 145), (145, 155)
    hint = "use the arguments low and high, and leave the number as it comes out"
    report.agrees(answer, _purity, *((events, *window) for window in windows), hint=hint)
    if alike(empty := answer(events, 300, 400), float("nan")):
        report.wrong("an empty window gives NaN", "0 divided by 0 is no number: test for it before you divide")
        return
    report.also(alike(empty, 0.0), "an empty window has purity 0", hint="test for it before you divide")
