"""Small event tables with known answers, on which the checks try a student's functions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labcourse import samples

Array = NDArray[np.float64]


def leptons(flavours: Sequence[Sequence[int]], charges: Sequence[Sequence[int]]) -> pd.DataFrame:
    """Return a table of the given PDG codes and charges: one row per event, four leptons each."""
    columns: dict[str, list[float]] = {}
    for name, rows in (("pdgid", flavours), ("charge", charges)):
        for i in range(len(rows[0])):
            columns[f"lep{i + 1}_{name}"] = [float(row[i]) for row in rows]
    # Rows are numbered as after a selection: an answer must not rely on an index that begins at 0.
    return pd.DataFrame(columns, index=range(10, 10 + len(flavours)), dtype=np.float32)


def weighted(names: Sequence[str], weight: Sequence[float], **columns: Sequence[float]) -> pd.DataFrame:
    """Return a table with samples, weights and further columns."""
    table = pd.DataFrame({"weight": np.asarray(weight, np.float32), **columns}, index=range(5, 5 + len(names)))
    return table.assign(sample=pd.Categorical(list(names), categories=list(samples.ALL)))


def identities(events: pd.DataFrame) -> set[tuple[int, int]]:
    """Return what identifies the events of a table: their run and event numbers."""
    return set(zip(events["run"].tolist(), events["event"].tolist(), strict=True))


def same_rows(part: pd.DataFrame, events: pd.DataFrame) -> bool:
    """Return whether two tables have the same rows, in any order; the first may have more columns."""
    if not set(events.columns) <= set(part.columns):
        return False
    first, second = (
        table[list(events.columns)].sort_values(["run", "event"], ignore_index=True) for table in (part, events)
    )
    return first.equals(second)


def scored(n: int, seed: int) -> tuple[Array, Array, Array]:
    """Return labels, scores and weights of a few events: signal is light, and some weights are negative."""
    rng = np.random.default_rng(seed)
    label = (rng.random(n) < 0.4).astype(float)
    weight = rng.exponential(1.0, n) * np.where(label == 1, 0.1, 1.0)
    weight[::12] *= -1
    return label, rng.uniform(0.05, 0.95, n), weight
