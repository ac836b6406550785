"""Pseudo-data: what an experiment would record, drawn from events that no sample contains."""

from __future__ import annotations

import numpy as np

from labcourse import samples
from labcourse.simulation import bundle, tables
from labcourse.simulation.chunks import Table

PERIODS = {"A": 39, "B": 156, "C": 237, "D": 400}
"""Shares of the four data-taking periods: events in the release's files."""
RUNS = {"A": (298687, 299584), "B": (300415, 300908), "C": (301932, 302393), "D": (302737, 303560)}
"""First and last run of the release's periods."""
_RUNS_A_PERIOD = 10


def draw(table: Table, number: int, rng: np.random.Generator) -> tuple[Table, int]:
    """Draw events by their corrections until ``number`` of them pass the preselection.

    Returns
    -------
    drawn : Table
        With those that fail the preselection between them.
    passed : int
        How many pass: fewer than ``number`` if the table is too short.
    """
    weight = tables.scale_factors(table)
    kept = rng.random(len(weight)) * _LARGEST < weight
    passed = np.cumsum(kept & tables.preselected(table))
    kept &= (passed < number) | ((passed == number) & tables.preselected(table))
    kept &= number > 0
    return tables.take(table, kept), int(min(number, passed[-1] if len(passed) else 0))


_LARGEST = 2.0
"""No product of corrections is larger, or its event would count as one of this size."""


def split(table: Table, rng: np.random.Generator) -> dict[str, Table]:
    """Distribute events over files as the periods of data taking: file name to table."""
    n_events = len(table["lep_n"])
    table = tables.take(table, np.ones(n_events, bool))
    order = rng.permutation(n_events)
    share = np.array(list(PERIODS.values())) / sum(PERIODS.values())
    period = rng.choice(len(PERIODS), n_events, p=share)
    number = rng.choice(2**31 - 2, n_events, replace=False) + 1
    files = {}
    for i, (name, (first, last)) in enumerate(RUNS.items()):
        members = order[period[order] == i]
        chosen = tables.reorder(table, members)
        run = np.sort(rng.choice(np.linspace(first, last, _RUNS_A_PERIOD).astype(int), len(members)))
        chosen = chosen | {"eventNumber": number[members]}
        files[f"data_{name}.4lep.root"] = bundle.as_data(chosen, run)
    assert tuple(files) == samples.get("data").files
    return files
