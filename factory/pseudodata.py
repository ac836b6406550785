"""Pseudo-data: what an experiment would record, drawn from events that no sample contains."""

from __future__ import annotations

import numpy as np

from factory import bundle, recipes, tables
from factory.chunks import PSEUDO_DATA, Chunk
from factory.tables import Table

PERIODS = {"A": 39, "B": 156, "C": 237, "D": 400}
"""Shares of the four data-taking periods: events in the release's files."""
RUNS = {"A": (298687, 299584), "B": (300415, 300908), "C": (301932, 302393), "D": (302737, 303560)}
"""First and last run of the release's periods."""
_RUNS_A_PERIOD = 10


def number(process: str, seed: int) -> int:
    """Return how many preselected events of a process happen: a Poisson number about its yield, always the same."""
    rng = np.random.default_rng([seed, recipes.place(process), PSEUDO_DATA, _NUMBER])
    return int(rng.poisson(recipes.RECIPES[process].expected))


def draw(chunk: Chunk, table: Table) -> Table:
    """Return the events of a chunk that happen: drawn in proportion to their corrections, always the same."""
    sequence = [chunk.seed, recipes.place(chunk.sample), chunk.purpose, chunk.index, _DRAW]
    rng = np.random.default_rng(sequence)
    weight = tables.scale_factors(table)
    return tables.take(table, rng.random(len(weight)) * _LARGEST < weight)


def until(table: Table, number: int) -> Table:
    """Return the events up to the one with which ``number`` have passed the preselection."""
    passed = tables.preselected(table)
    return tables.take(table, np.cumsum(passed) - passed < number)


_NUMBER, _DRAW, _SPLIT = 2, 4, 3
"""Purposes of the random numbers of `number`, `draw` and `split`."""
_LARGEST = 2.0
"""No product of corrections is larger, or its event would count as one of this size."""


def split(table: Table, seed: int) -> dict[str, Table]:
    """Distribute events over files as the periods of data taking: file name to table."""
    rng = np.random.default_rng([seed, len(recipes.RECIPES), _SPLIT])
    n_events = len(table["lep_n"])
    order = rng.permutation(n_events)
    share = np.array(list(PERIODS.values())) / sum(PERIODS.values())
    period = rng.choice(len(PERIODS), n_events, p=share)
    number = rng.choice(2**31 - 2, n_events, replace=False) + 1
    files = {}
    for i, (name, (first, last)) in enumerate(RUNS.items()):
        members = order[period[order] == i]
        chosen = tables.take(table, members)
        run = np.sort(rng.choice(np.linspace(first, last, _RUNS_A_PERIOD).astype(int), len(members)))
        chosen = chosen | {"eventNumber": number[members]}
        files[f"data_{name}.4lep.root"] = bundle.as_data(chosen, run)
    return files
