"""Exercises 2.1 and 2.2: training and test events, by identity."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from course.checks import crafted
from course.checks.report import Report, exercise
from labcourse import samples, splitting

__all__ = ["exercise_2_1", "exercise_2_2"]


def _split(events: pd.DataFrame, train_fraction: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The course's own answer to exercise 2.1."""
    train, test = splitting.split(events, train_fraction=train_fraction)
    return train, test


@exercise("2.1", fallback=_split)
def exercise_2_1(answer: Any, report: Report) -> None:
    """The split into training and test events, by identity."""
    events = _many_events()
    parts = report.parts(answer(events, 0.6), "train, test")
    if parts is None:
        return
    if not all(isinstance(part, pd.DataFrame) for part in parts):
        report.wrong("these are no event tables", "a mask selects rows: events[mask] and events[~mask]")
        return
    train, test = map(crafted.identities, parts)
    whole = crafted.identities(events)
    if train & test:
        report.wrong("some events are in both parts", "test events are those that do not train: the mask with ~")
        return
    if not report.holds(
        (train | test) == whole and sum(map(len, parts)) == len(events),
        "every event is in exactly one of the two parts",
        hint="use one mask for both: events[mask] and events[~mask]",
    ):
        return
    if not report.holds(
        lambda: crafted.same_rows(pd.concat(parts), events),
        "the parts hold whole rows of the table, with all columns",
        hint="events[mask] keeps all columns as they are",
    ):
        return
    share = len(train) / len(whole)
    if abs(share - 0.4) < 0.05:
        report.wrong("the two parts are swapped", "training events come first, and are 60 % of all")
        return
    report.holds(abs(share - 0.6) < 0.05, "about 60 % of the events train", hint="compare the numbers with 0.6")
    report.also(
        lambda: all(abs(len(answer(events, f)[0]) / len(events) - f) < 0.03 for f in (0.9, 0.3)),
        "another fraction gives another share",
        hint="use the argument train_fraction",
    )
    if crafted.identities(answer(events, 0.6)[0]) != train:
        report.wrong("a second call gives other parts", "no random numbers: the events' own numbers decide")
        return
    shuffled = events.sample(frac=1.0, random_state=5)
    if crafted.identities(answer(shuffled, 0.6)[0]) != train:
        report.wrong(
            "the parts change when the rows are put in another order",
            "an event's side must not depend on its position: use splitting.uniform",
        )
        return
    if train == crafted.identities(events[splitting.uniform(events) < 0.6]):
        report.wrong("the salt is missing", 'without salt="test" the numbers serve another purpose')
        return
    half = events[::2]
    report.also(
        lambda: crafted.identities(answer(half, 0.6)[0]) == train & crafted.identities(half),
        "an event keeps its side when others are removed",
        hint="its side depends on run and event number alone",
    )
    report.also(
        lambda: all(
            crafted.identities(answer(events, f)[0]) == crafted.identities(_split(events, f)[0]) for f in (0.6, 0.3)
        ),
        "the parts are those of all later chapters",
        hint='call splitting.uniform(events, salt="test"), and leave its seed alone',
    )


def _many_events(n: int = 3000) -> pd.DataFrame:
    """Return events of two samples with identities that no chapter uses, sorted by sample."""
    names = ["ggH125_ZZ4lep"] * (n // 3) + ["llll"] * (n - n // 3)
    events = crafted.weighted(names, [0.5] * n)
    events["run"] = np.array([samples.get(name).dsid for name in names], np.int64)
    # Event numbers repeat from sample to sample: only run and event together identify an event.
    events["event"] = np.concatenate([np.arange(n // 3), np.arange(n - n // 3)]) * 7 + 31
    return events


@exercise("2.2")
def exercise_2_2(answer: Any, report: Report, *, shares: pd.DataFrame) -> None:
    """The sample whose expected share in the training part is farthest from 0.6."""
    expected, distance = shares["expected"], (shares["expected"] - 0.6).abs()
    uncertain = shares.get("error", distance)
    report.name(
        answer,
        list(shares.index),
        # Two samples that lie within a thousandth of each other cannot be told apart in the figure.
        set(shares.index[distance >= distance.max() - 0.001]),
        "no other sample is farther away from 0.6",
        (distance.idxmin(), "this one is closest to 0.6", "we ask for the one that is farthest away"),
        (
            (shares["raw"] - 0.6).abs().idxmax(),
            "this one is farthest in raw events",
            "read the column of expected events",
        ),
        (uncertain.idxmax(), "this one has the largest error", "look at the position of its point, not at the bar"),
        (expected.idxmax(), "this one is farthest above 0.6", "one below may be farther: both directions count"),
        (expected.idxmin(), "this one is farthest below 0.6", "one above may be farther: both directions count"),
        hint="above or below 0.6 both count",
    )
