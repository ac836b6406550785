"""From the chunks of all samples to one event table: weights, signs, and fewer rows of next to no weight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from azh.events import COLUMNS, LUMINOSITY, MEASURED, PROCESSES, REGIONS
from factory.azh import processes
from factory.azh.generation import PASS
from factory.tables import Table, rounded
from labcourse import splitting

if TYPE_CHECKING:
    import pandas as pd

LIGHTEST = 0.1
"""Rows of less than this share of the weight that an expected event has on average are thinned, the rest made heavier
for it: most are of events whose tags are false."""


def generated(chunks: Sequence[Table]) -> tuple[int, int]:
    """Return how many events of a sample were generated, and in how many of them the two b quarks are near."""
    number, merged = np.sum([table["generated"] for table in chunks], axis=0)
    return int(number), int(merged)


def assemble(chunks: Mapping[str, Sequence[Table]], *, seed: int, independent: bool = False) -> pd.DataFrame:
    """Return the event table of all samples (columns: see `azh.events`).

    Parameters
    ----------
    chunks : mapping
        By sample: what came of its chunks.
    seed : int
        Of the signs and of the thinning.
    independent : bool
        All weights are positive, and the column ``pass`` says which pass through the detector a row is of.
    """
    import pandas as pd

    tables = []
    for name, parts in chunks.items():
        process = processes.get(name)
        columns = {column: np.concatenate([table[column] for table in parts]) for column in parts[0]}
        table = pd.DataFrame({column: columns[column] for column in (*MEASURED, PASS)}).assign(
            process=pd.Categorical([process.kind] * len(columns[PASS]), PROCESSES),
            region=pd.Categorical(np.array(REGIONS)[columns["region"]], REGIONS),
            m_a_true=np.float32(process.mass),
            run=np.int32(process.number),
            event=columns["event"].astype(np.int64),
            weight=columns["factor"] * process.cross_section * 1000 * LUMINOSITY / generated(parts)[0],
        )
        table = _thinned(table, [seed, process.number])
        tables.append(table if independent else _signed(table, process.negative, seed))
    events = pd.concat(tables, ignore_index=True)
    events["weight"] = rounded(events["weight"].to_numpy(), 10)
    return events[[*COLUMNS, *([PASS] if independent else [])]]


def _thinned(table: pd.DataFrame, seed: Sequence[int]) -> pd.DataFrame:
    """Drop light entries at random, and let those that stay count for them: sums stay what they are on average."""
    least = LIGHTEST * (table["weight"] ** 2).sum() / table["weight"].sum() if len(table) else 0.0
    kept = table["weight"] >= least * np.random.default_rng(seed).random(len(table))
    return table[kept].assign(weight=table["weight"][kept].clip(lower=least))


def _signed(table: pd.DataFrame, negative: float, seed: int) -> pd.DataFrame:
    """Make some weights negative, as in a calculation at next-to-leading order, and keep the sum on average."""
    sign = np.where(splitting.uniform(table, seed=seed, salt="sign") < negative, -1, 1)
    return table.assign(weight=table["weight"] * sign / (1 - 2 * negative))
