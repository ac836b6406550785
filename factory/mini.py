"""Writing the trees of the ATLAS Open Data, which `labcourse.ntuple` reads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from labcourse.files import atomic_write

BASKET = 50_000
"""Events written at a time: small baskets compress badly and are slow to read."""


def write(
    path: Path | str,
    branches: Mapping[str, Any],
    *,
    title: str = "4-lepton events",
    tree: str = "mini",
) -> None:
    """Write branches as a tree, compressed with LZMA; a file of that name is replaced only once all is written.

    Parameters
    ----------
    path : path
        The ROOT file to make.
    branches : mapping of str to array, each of length n_events
        One-dimensional numpy arrays, and jagged awkward arrays named ``lep_…`` or ``jet_…``; their counters
        ``lep_n`` and ``jet_n`` are written by themselves.
    title : str
        Title of the tree: what the events are.
    tree : str
        Its name: ``mini`` in the release of 2020, ``analysis`` in that of 2025.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    import uproot

    arrays = _grouped(branches)
    n_events = len(next(iter(arrays.values())))

    def write_to(temporary: Path) -> None:
        # A third smaller than with zstd: LZMA finds the regular steps of the entry offsets.
        with uproot.recreate(temporary, compression=uproot.LZMA(6)) as file:
            written = file.mktree(
                tree,
                {name: a.dtype if isinstance(a, np.ndarray) else a.type for name, a in arrays.items()},
                title=title,
                counter_name=lambda counted: f"{counted}_n",
                field_name=lambda outer, inner: f"{outer}_{inner}",
            )
            for start in range(0, max(n_events, 1), BASKET):
                written.extend({name: values[start : start + BASKET] for name, values in arrays.items()})

    atomic_write(path, write_to)


def _grouped(branches: Mapping[str, Any]) -> dict[str, Any]:
    """Flat arrays as they are, and the jagged ones of each group in one array of records: they share a counter."""
    import awkward as ak

    flat = {name: values for name, values in branches.items() if isinstance(values, np.ndarray)}
    groups: dict[str, dict[str, Any]] = {}
    for name, values in branches.items():
        if name not in flat:
            group, _, field = name.partition("_")
            groups.setdefault(group, {})[field] = values
    return {**flat, **{group: ak.zip(fields) for group, fields in groups.items()}}
