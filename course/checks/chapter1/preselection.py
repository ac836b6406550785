"""Exercises 1.4 to 1.6: flavour, charge, and what the preselection keeps."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from course.checks import crafted
from course.checks.report import Mistake, Report, exercise
from labcourse import selection

__all__ = ["exercise_1_4", "exercise_1_5", "exercise_1_6"]

Test = Callable[[Any], Any]


def _sum(events: pd.DataFrame, quantity: str, leptons: tuple[int, ...] = (1, 2, 3, 4)) -> Any:
    return np.sum([events[f"lep{i}_{quantity}"] for i in leptons], axis=0)


def _on_sum(quantity: str, test: Test, leptons: tuple[int, ...] = (1, 2, 3, 4)) -> Callable[[pd.DataFrame], Any]:
    """Return a requirement on the sum of a quantity, over four leptons or others."""
    return lambda events: test(_sum(events, quantity, leptons))


def _other_leptons(quantity: str, test: Test) -> Iterator[Mistake]:
    """Return the mistakes of adding up other leptons than the four of the candidate."""
    all_five = _on_sum(quantity, test, (1, 2, 3, 4, 5))
    yield all_five, "a fifth lepton is counted", "only lep1 to lep4 belong to the candidate"
    for missing in (4, 3, 2, 1):
        others = tuple(i for i in (1, 2, 3, 4) if i != missing)
        what, hint = f"lep{missing} is left out", "the candidate has four leptons: add up lep1 to lep4"
        yield _on_sum(quantity, test, others), f"only three leptons are added up: {what}", hint
        for twice in others:
            yield _on_sum(quantity, test, (*others, twice)), f"lep{twice} is added twice, and {what}", hint
    for pair in itertools.combinations((1, 2, 3, 4), 2):
        yield _on_sum(quantity, test, pair), f"only lep{pair[0]} and lep{pair[1]} are added up", hint


def _probe(quantity: str, values: tuple[int, ...]) -> pd.DataFrame:
    """Return events with all combinations of values, also such as no lepton has.

    They tell apart which columns an answer adds up, and serve only to name the mistake of a wrong one.
    """
    rows = list(itertools.product(values, repeat=5))
    other = [(11,) * 5 if quantity == "charge" else (1, -1, 1, -1, 1)] * len(rows)
    return crafted.leptons(other, rows) if quantity == "charge" else crafted.leptons(rows, other)


def _all_rows(*values: int) -> list[tuple[int, ...]]:
    """Return all combinations of four values; the first three also come last, so that the order is no mirror image."""
    rows = list(itertools.product(values, repeat=4))
    return rows + rows[:3]


def _allowed(total: Any) -> Any:
    return np.isin(total, (44, 48, 52))


@exercise("1.4", fallback=selection.is_flavour_allowed)
def exercise_1_4(answer: Any, report: Report) -> None:
    """The flavour requirement."""
    rows = _all_rows(11, 13)
    n_muons = np.array([row.count(13) for row in rows])
    events = crafted.leptons([(*row, 13) for row in rows], [(1, -1, 1, -1, 1)] * len(rows))
    right = selection.is_flavour_allowed(events)
    mask = _mask(answer(events), events, report)
    if mask is None:
        return
    if not np.array_equal(mask, right):
        probe = _probe("pdgid", (0, 11, 13, 24))
        if report.recognises(
            np.asarray(answer(probe)),
            (_on_sum("pdgid", lambda n: np.isin(n, (44, 52))), "mixed events, eeµµ, are dropped", "their sum is 48"),
            (_on_sum("pdgid", lambda n: n == 48), "only eeµµ is kept", "eeee (44) and µµµµ (52) are allowed as well"),
            (_on_sum("pdgid", lambda n: n == 44), "only eeee is kept", "eeµµ (48) and µµµµ (52) are allowed as well"),
            (_on_sum("pdgid", lambda n: np.isin(n, (44, 48))), "µµµµ is dropped", "four times 13 make 52"),
            (_on_sum("pdgid", lambda n: np.isin(n, (48, 52))), "eeee is dropped", "four times 11 make 44"),
            (_on_sum("pdgid", lambda n: ~_allowed(n)), "the mask is upside down", "true means: keep the event"),
            (
                _on_sum("pdgid", lambda n: n % 2 == 0),
                "every event is kept",
                "all sums are even: compare with 44, 48, 52",
            ),
            (
                lambda events: (
                    (events["lep1_pdgid"] == events["lep2_pdgid"]) & (events["lep3_pdgid"] == events["lep4_pdgid"])
                ),
                "flavours are compared in pairs of a fixed order",
                "leptons are ordered by momentum, so eµµe is possible: the sum of the codes knows no order",
            ),
            *_other_leptons("pdgid", _allowed),
            given=(probe,),
        ):
            return
    if mask.all():
        report.wrong("every event is kept", "`x == 44 or 48` is always true: compare with each number, and join with |")
        return
    report.holds(mask[n_muons == 0], "keeps eeee", hint="four times 11 make 44")
    report.holds(
        mask[n_muons == 2], "keeps eeµµ in any order", hint="the sum of the codes does not depend on the order: 48"
    )
    report.holds(mask[n_muons == 4], "keeps µµµµ", hint="four times 13 make 52")
    report.holds(~mask[n_muons == 1], "drops eeeµ", hint="three electrons and a muon make 46")
    report.holds(~mask[n_muons == 3], "drops eµµµ", hint="an electron and three muons make 50")
    _works_without_events(answer, events, report)


def _is_zero(total: Any) -> Any:
    return total == 0


@exercise("1.5", fallback=selection.is_neutral)
def exercise_1_5(answer: Any, report: Report) -> None:
    """The charge requirement."""
    # The fifth lepton and the flavours differ from event to event: neither is to be looked at.
    rows = _all_rows(1, -1)
    total = np.sum(rows, axis=1)
    flavours = [((11,) * 5, (13,) * 5, (11, 11, 13, 13, 13))[i % 3] for i in range(len(rows))]
    events = crafted.leptons(flavours, [(*row, (1, -1)[i % 2]) for i, row in enumerate(rows)])
    mask = _mask(answer(events), events, report)
    if mask is None:
        return
    if not np.array_equal(mask, selection.is_neutral(events)):
        # Sums of three or of five charges are never zero; leptons without charge tell them apart.
        probe = _probe("charge", (-1, 0, 1))
        if report.recognises(
            np.asarray(answer(probe)),
            *_other_leptons("charge", _is_zero),
            (_on_sum("charge", lambda q: q != 0), "the mask is upside down", "true means: keep the event"),
            (
                lambda events: np.prod([events[f"lep{i}_charge"] for i in (1, 2, 3, 4)], axis=0) == 1,
                "the charges are multiplied",
                "(+1)⁴ is 1 as well: the total charge is a sum",
            ),
            (_on_sum("charge", lambda q: q <= 0), "negative total charges are kept", "the sum is to be exactly 0"),
            (_on_sum("charge", lambda q: q >= 0), "positive total charges are kept", "the sum is to be exactly 0"),
            (
                lambda events: _sum(events, "charge").astype(int) % 2 == 0,
                "every event is kept",
                "four odd numbers always have an even sum: compare it with 0",
            ),
            (
                lambda events: (
                    (events["lep1_charge"] + events["lep2_charge"] == 0)
                    & (events["lep3_charge"] + events["lep4_charge"] == 0)
                ),
                "charges are compared in pairs of a fixed order",
                "the two positive leptons may be any two: add up all four",
            ),
            (
                lambda events: _sum(events.abs(), "charge") == 0,
                "the signs of the charges are lost",
                "no abs(): opposite charges are to cancel",
            ),
            given=(probe,),
        ):
            return
    report.holds(
        mask[total == 0],
        "keeps two positive and two negative leptons, in any order",
        hint="compare the sum with 0",
    )
    report.holds(~mask[total == 2], "drops a total charge of +2", hint="three positive and one negative")
    report.holds(~mask[np.abs(total) == 4], "drops total charges of +4 and −4", hint="== 0, not: an even number")
    report.holds(~mask[total == -2], "drops a total charge of −2", hint="a comparison with <= would keep it")
    _works_without_events(answer, events, report)


def _mask(result: Any, events: pd.DataFrame, report: Report) -> np.ndarray | None:
    """Return the answer as a boolean array, or None if it is no mask."""
    array = np.asarray(result)
    if isinstance(result, pd.DataFrame) or array.ndim == 2:
        report.wrong("this is a table of events", "return the mask itself, one True or False per event")
    elif array.shape == () and array.dtype == bool:
        report.wrong(
            "this is one value for all events",
            "`is` asks whether two objects are the same one: compare whole columns with ==, event by event",
        )
    elif array.shape == ():
        report.wrong(f"this is one value for all events, of type {type(result).__name__}", "return a mask")
    elif array.shape != (len(events),):
        report.wrong(
            f"{array.shape[0]} entries for {len(events)} events",
            "one True or False per event, also for those that fail",
        )
    elif array.dtype != bool:
        report.wrong(f"the entries are of type {array.dtype}", "end with a comparison, so that they are True or False")
    else:
        return array
    return None


def _works_without_events(answer: Any, events: pd.DataFrame, report: Report) -> None:
    report.also(lambda: np.size(answer(events[:0])) == 0, "works on an empty table", hint="avoid loops and indices")


@exercise("1.6")
def exercise_1_6(answer: Any, report: Report, *, cut_flow: pd.DataFrame) -> None:
    """The share of top pairs that the preselection keeps."""
    raw, expected = cut_flow["raw"], cut_flow["expected"]
    start, flavour, charge = (float(expected[step]) for step in ("four leptons", "flavour", "charge"))
    report.reading(
        answer,
        charge / start,
        "the share of top pairs that passes",
        (100 * charge / start, "this is in per cent", "give a number between 0 and 1"),
        (1 - charge / start, "this is the share that fails", "we ask for the share that passes"),
        (flavour / start, "this is the share after the flavour requirement alone", "take the last row"),
        (charge / flavour, "this is the share of the last requirement alone", "divide by the events of the first row"),
        (start / charge, "the fraction is upside down", "what is left, over what there was"),
        (charge, "this is the number of events that pass", "divide it by the number in the first row"),
        (
            float(raw["charge"] / raw["four leptons"]),
            "these are raw events",
            "the expected numbers are the sums of weights",
        ),
        tolerance=0.05,
        hint="divide the last expected number by the first",
    )
