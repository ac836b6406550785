"""Tables of simulated events: choose, join, round, preselect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labcourse import selection

Table = dict[str, NDArray[Any]]
"""Columns of events: one entry per event; ``lep_…`` and ``jet_…`` are flat, ``lep_n`` and ``jet_n`` say how many."""

MANTISSA_BITS = {
    "lep_pt": 10,
    "lep_E": 16,
    "lep_ptcone30": 5,
    "lep_z0": 4,
    "lep_trackd0pvunbiased": 4,
    "lep_tracksigd0pvunbiased": 4,
    "jet_pt": 7,
    "jet_E": 14,
    "met_et": 7,
}
"""How many bits of a number are kept; others keep 8 (relative precision 2e-3). All is finer than the resolution."""
GRID = {
    "lep_eta": 2**-10,
    "lep_phi": 2**-10,
    "jet_eta": 2**-5,
    "jet_phi": 2**-5,
    "jet_MV2c10": 2**-6,
    "met_phi": 2**-5,
}
"""What is a multiple of a step, since its size says nothing of its precision."""
CELLS = {"lep_etcone20": 128.0}
"""What is the middle of a cell: a calorimeter's energy is never exactly zero, as multiples of a step would often be."""


def group_of(column: str) -> str:
    """Return ``lep`` or ``jet`` for a column with an entry a lepton or jet, else an empty text."""
    group = column.split("_")[0]
    return group if group in ("lep", "jet") and not column.endswith("_n") else ""


def take(table: Table, chosen: NDArray[Any] | slice) -> Table:
    """Return the events of a mask, of a slice or at positions, with their leptons and jets."""
    positions = np.arange(len(table["lep_n"]))[chosen]
    rows = {}
    for group in ("lep", "jet"):
        counts = table[f"{group}_n"]
        number = counts[positions]
        # The first row of each event, and how far a row is behind it.
        start, behind = (np.cumsum(counts) - counts)[positions], np.cumsum(number) - number
        rows[group] = np.repeat(start - behind, number) + np.arange(number.sum())
    return {name: values[rows.get(group_of(name), positions)] for name, values in table.items()}


def join(parts: Sequence[Table]) -> Table:
    """Return the events of several tables, one after the other."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def leading_four(table: Table, name: str) -> np.ndarray:
    """Return a lepton quantity of the four leading leptons, shape (n, 4)."""
    start = np.cumsum(table["lep_n"]) - table["lep_n"]
    return table[name][start[:, None] + np.arange(4)]


def preselected(table: Table) -> np.ndarray:
    """Return which events have charge sum zero and four electrons, four muons, or two and two."""
    flavour = leading_four(table, "lep_type").sum(axis=1)
    return (leading_four(table, "lep_charge").sum(axis=1) == 0) & np.isin(flavour, list(selection.CHANNELS))


def scale_factors(table: Table) -> np.ndarray:
    """Return the product of all corrections, whose names begin with a small letter in 2020 and a large one in 2025."""
    names = [name for name in table if name.lower().startswith("scalefactor_")]
    return np.prod([table[name].astype(np.float64) for name in names], axis=0)


def rounded(values: np.ndarray, bits: int = 8, *, step: float | None = None) -> np.ndarray:
    """Round to float32 with ``bits`` bits of mantissa, or to multiples of ``step``; what is cut off does not compress.

    Examples
    --------
    >>> float(rounded(np.array([1000.3]), 10)[0])
    1000.5
    """
    if step is not None:
        return (np.round(values / step) * step).astype(np.float32)
    as_integer = np.asarray(values, np.float32).view(np.uint32).astype(np.uint64)
    drop = 23 - bits
    half = np.uint64(1 << (drop - 1)) if drop else np.uint64(0)
    mask = np.uint64(0xFFFFFFFF ^ ((1 << drop) - 1))
    return ((as_integer + half) & mask).astype(np.uint32).view(np.float32)


def finished(table: Table) -> Table:
    """Return the table with rounded floats, and the energies of leptons as they follow from the rounded momenta."""
    done: Table = {}
    for name, values in table.items():
        if name in CELLS:
            done[name] = ((np.floor(values / CELLS[name]) + 0.5) * CELLS[name]).astype(np.float32)
        elif np.issubdtype(values.dtype, np.floating):
            done[name] = rounded(values, MANTISSA_BITS.get(name, 8), step=GRID.get(name))
        else:
            done[name] = values
    mass = np.where(done["lep_type"] == 11, 0.510999, 105.65837)
    momentum = done["lep_pt"].astype(np.float64) * np.cosh(done["lep_eta"].astype(np.float64))
    done["lep_E"] = rounded(np.hypot(momentum, mass), MANTISSA_BITS["lep_E"])
    return done
