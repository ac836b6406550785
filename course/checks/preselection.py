"""Checks of the two requirements of chapter 1's preselection: masks, made of sums over the four leptons."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from course.checks import crafted
from course.checks.report import Report, Row, exercise
from course.checks.tables import caught, changed, hold
from labcourse import selection

__all__ = ["all_rows", "exercise_1_4", "exercise_1_5"]

_FOUR = (1, 2, 3, 4)


def _sum(events: pd.DataFrame, quantity: str, leptons: tuple[int, ...] = _FOUR) -> Any:
    return np.sum([events[f"lep{i}_{quantity}"] for i in leptons], axis=0)


def _on_sum(quantity: str, test: Callable[[Any], Any], leptons: tuple[int, ...] = _FOUR) -> Callable[..., Any]:
    """Return a requirement on the sum of a quantity, over four leptons or others."""
    return lambda events: test(_sum(events, quantity, leptons))


def _other_leptons(quantity: str, test: Callable[[Any], Any]) -> Iterator[Row]:
    """Return the mistakes of adding up other leptons than all four."""
    hint = "an event has four leptons: add up lep1 to lep4"
    for missing in _FOUR:
        others, what = tuple(i for i in _FOUR if i != missing), f"lep{missing} is left out"
        yield _on_sum(quantity, test, others), f"only three leptons are added up: {what}", hint
        for twice in others:
            yield _on_sum(quantity, test, (*others, twice)), f"lep{twice} is added twice, and {what}", hint
    for pair in itertools.combinations(_FOUR, 2):
        yield _on_sum(quantity, test, pair), f"only lep{pair[0]} and lep{pair[1]} are added up", hint


def all_rows(values: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Return all combinations of four values; the first three also come last, so that the order is no mirror image."""
    rows = list(itertools.product(values, repeat=4))
    return rows + rows[:3]


def _in_pairs(quantity: str, test: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    return lambda e: np.logical_and(*(test(e[f"lep{i}_{quantity}"], e[f"lep{i + 1}_{quantity}"]) for i in (1, 3)))


def _mask(
    answer: Any, report: Report, events: pd.DataFrame, right: Any, probe: pd.DataFrame, mistakes: tuple[Row, ...]
) -> Any:
    """Return the answer's mask of events; None if it is no mask, or one of the mistakes.

    The ``probe`` also has values such as no lepton has: with all combinations of them it tells apart which columns an
    answer adds up, and serves only to name the mistake of a wrong one.
    """
    result = answer(events)
    mask, one, per_event = np.asarray(result), "this is one value for all events", "one True or False per event"
    use_equal = "`is` asks whether two objects are the same one: compare whole columns with ==, event by event"
    if caught(
        report,
        (mask.ndim > 1, "this is a table of events", f"return the mask itself, {per_event}"),
        (mask.shape == () and mask.dtype == bool, one, use_equal),
        (mask.shape == (), f"{one}, of type {type(result).__name__}", f"return a mask, {per_event}"),
        (mask.size != len(events), f"{mask.size} entries for {len(events)} events", per_event),
        (mask.dtype != bool, f"the entries are of type {mask.dtype}", "end with a comparison: True or False"),
    ):
        return None
    if not np.array_equal(mask, right) and report.recognises(answer(probe), *mistakes, given=(probe,)):
        return None
    return mask


def _works_without_events(answer: Any, events: pd.DataFrame) -> tuple[Any, str, str]:
    return lambda: np.size(answer(events[:0])) == 0, "works on an empty table", "avoid loops and indices"


def _flavour(*sums: int) -> Callable[..., Any]:
    return _on_sum("pdgid", lambda n: np.isin(n, sums))


_MISTAKES_1_4 = (
    (_flavour(44, 52), "mixed events, eeµµ, are dropped", "their sum is 48"),
    (_flavour(48), "only eeµµ is kept", "eeee (44) and µµµµ (52) are allowed as well"),
    (_flavour(44), "only eeee is kept", "eeµµ (48) and µµµµ (52) are allowed as well"),
    (_flavour(44, 48), "µµµµ is dropped", "four times 13 make 52"),
    (_flavour(48, 52), "eeee is dropped", "four times 11 make 44"),
    (changed(_flavour(44, 48, 52), np.logical_not), "the mask is upside down", "true means: keep the event"),
    (_on_sum("pdgid", lambda n: n % 2 == 0), "every event is kept", "all sums are even: compare with 44, 48, 52"),
    (_in_pairs("pdgid", np.equal), "flavours are compared in pairs of a fixed order", "eµµe is possible: add up codes"),
    *_other_leptons("pdgid", lambda n: np.isin(n, (44, 48, 52))),
)


@exercise("1.4", fallback=selection.is_flavour_allowed)
def exercise_1_4(answer: Any, report: Report) -> None:
    """The flavour requirement."""
    rows, codes = all_rows((11, 13)), all_rows((0, 11, 13, 24))
    events = crafted.leptons(rows, [(1, -1, 1, -1)] * len(rows))
    probe = crafted.leptons(codes, [(1, -1, 1, -1)] * len(codes))
    mask = _mask(answer, report, events, selection.is_flavour_allowed(events), probe, _MISTAKES_1_4)
    if mask is None:
        return
    if mask.all():
        report.wrong("every event is kept", "`x == 44 or 48` is always true: compare with each number, and join with |")
    n_muons = np.array([row.count(13) for row in rows])
    report.holds(mask[n_muons == 0], "keeps eeee", hint="four times 11 make 44")
    report.holds(mask[n_muons == 2], "keeps eeµµ in any order", hint="the sum is 48, in whatever order")
    report.holds(mask[n_muons == 4], "keeps µµµµ", hint="four times 13 make 52")
    report.holds(~mask[n_muons == 1], "drops eeeµ", hint="three electrons and a muon make 46")
    report.holds(~mask[n_muons == 3], "drops eµµµ", hint="an electron and three muons make 50")
    hold(report, _works_without_events(answer, events))


def _charges(events: pd.DataFrame) -> Any:
    return np.array([events[f"lep{i}_charge"] for i in _FOUR])


_MISTAKES_1_5 = (
    *_other_leptons("charge", lambda q: q == 0),
    (_on_sum("charge", lambda q: q != 0), "the mask is upside down", "true means: keep the event"),
    (changed(_charges, lambda q: np.prod(q, axis=0) == 1), "the charges are multiplied", "(+1)⁴ is 1 as well: add up"),
    (_on_sum("charge", lambda q: q <= 0), "negative total charges are kept", "the sum is to be exactly 0"),
    (_on_sum("charge", lambda q: q >= 0), "positive total charges are kept", "the sum is to be exactly 0"),
    (_on_sum("charge", lambda q: q % 2 == 0), "every event is kept", "an even sum may be 4: compare it with 0"),
    (_in_pairs("charge", lambda a, b: a + b == 0), "charges are compared in pairs of a fixed order", "add up all four"),
    (changed(_charges, lambda q: np.abs(q).sum(axis=0) == 0), "the signs of the charges are lost", "no abs()"),
)


@exercise("1.5", fallback=selection.is_neutral)
def exercise_1_5(answer: Any, report: Report) -> None:
    """The charge requirement."""
    # The flavours differ from event to event: they are not to be looked at.
    rows, charges = all_rows((1, -1)), all_rows((-1, 0, 1))
    flavours = [((11,) * 4, (13,) * 4, (11, 11, 13, 13))[i % 3] for i in range(len(rows))]
    events = crafted.leptons(flavours, rows)
    # Sums of three charges are never zero; leptons without charge tell them apart.
    probe = crafted.leptons([(11,) * 4] * len(charges), charges)
    mask = _mask(answer, report, events, selection.is_neutral(events), probe, _MISTAKES_1_5)
    if mask is None:
        return
    total, keeps = np.sum(rows, axis=1), "keeps two positive and two negative leptons, in any order"
    report.holds(mask[total == 0], keeps, hint="compare the sum with 0")
    report.holds(~mask[total == 2], "drops a total charge of +2", hint="three positive and one negative")
    report.holds(~mask[np.abs(total) == 4], "drops total charges of +4 and −4", hint="== 0, not: an even number")
    report.holds(~mask[total == -2], "drops a total charge of −2", hint="a comparison with <= would keep it")
    hold(report, _works_without_events(answer, events))
