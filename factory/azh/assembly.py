"""From the chunks of all samples to one event table: weights, signs, and fewer rows of next to no weight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from azh.events import LUMINOSITY, MEASURED
from factory.azh.generation import BB
from factory.azh.processes import K_Z, PROCESSES, Z_BB
from factory.chunks import Chunk
from factory.tables import Table, rounded
from labcourse import splitting
from labcourse.errors import SimulationError

if TYPE_CHECKING:
    import pandas as pd

LIGHTEST = 0.1
"""Entries of less than this share of the mean weight of Z + b b̄ are thinned, the rest made heavier for it."""
MANTISSA_BITS = 10
"""Of the inputs; what is cut off is a two-thousandth of the value, far less than any resolution."""


def assemble(chunks: Mapping[str, Sequence[tuple[Chunk, Table]]], *, seed: int) -> pd.DataFrame:
    """Return the event table of all samples (columns: see `azh.events`).

    Parameters
    ----------
    chunks : mapping
        By sample: its chunks and what came of them.
    seed : int
        Of the signs and of the thinning.

    Raises
    ------
    SimulationError
        If no generated event lies in the region that Z + b b̄ is normalised to.
    """
    import pandas as pd

    generated = {name: sum(chunk.events for chunk, _ in parts) for name, parts in chunks.items()}
    scale_bb = _scale_bb(chunks, generated)
    tables = []
    for name, parts in chunks.items():
        process = PROCESSES[name]
        columns = {column: np.concatenate([table[column] for _, table in parts]) for column in parts[0][1]}
        per_event = process.cross_section * 1000 * LUMINOSITY / generated[name]
        factor = np.where(columns[BB], scale_bb, K_Z) if process.kind == "Zjets" else 1.0
        table = pd.DataFrame({column: rounded(columns[column], MANTISSA_BITS) for column in MEASURED})
        table = table.assign(
            process=process.kind,
            m_a_true=np.float32(process.mass),
            run=np.int32(process.number),
            event=columns["event"].astype(np.int64),
            weight=columns["factor"] * factor * per_event,
        )
        is_z = process.kind == "Zjets"
        tables.append(_signed(_thinned(table, columns[BB], seed) if is_z else table, process.negative, seed))
    events = pd.concat(tables, ignore_index=True)
    events["process"] = pd.Categorical(events["process"], ["signal", "Zjets", "ttbar"])
    events["weight"] = rounded(events["weight"].to_numpy(), 16)
    return events[["process", "m_a_true", "run", "event", *MEASURED, "weight"]]


def _scale_bb(chunks: Mapping[str, Sequence[tuple[Chunk, Table]]], generated: Mapping[str, int]) -> float:
    """Return what Z + b b̄ is multiplied with to have the measured cross-section."""
    names = [name for name in chunks if PROCESSES[name].kind == "Zjets"]
    found = sum(
        PROCESSES[name].cross_section * float(table["fiducial"][0]) / generated[name]
        for name in names
        for _, table in chunks[name]
    )
    if names and not found:
        raise SimulationError(
            "No event of Z + jets lies where its cross-section was measured.",
            where=", ".join(names),
            next_step="Simulate more events: --scale.",
        )
    return Z_BB / found if names else 1.0


def _thinned(table: pd.DataFrame, is_bb: NDArray[np.bool_], seed: int) -> pd.DataFrame:
    """Drop light entries at random, and let those that stay count for them: sums stay what they are on average."""
    least = LIGHTEST * table["weight"][is_bb].mean() if is_bb.any() else 0.0
    rng = np.random.default_rng([seed, int(table["run"].iloc[0])]) if len(table) else np.random.default_rng(seed)
    kept = table["weight"] >= least * rng.random(len(table))
    return table[kept].assign(weight=table["weight"][kept].clip(lower=least))


def _signed(table: pd.DataFrame, negative: float, seed: int) -> pd.DataFrame:
    """Make some weights negative, as in a calculation at next-to-leading order, and keep the sum on average."""
    sign = np.where(splitting.uniform(table, seed=seed, salt="sign") < negative, -1, 1)
    return table.assign(weight=table["weight"] * sign / (1 - 2 * negative))
