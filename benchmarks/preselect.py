"""The preselection of `selection` against a Python function for each event."""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmarks.made_up import Sizes
from benchmarks.timing import Result, compare


def run(sizes: Sizes) -> dict[str, Result]:
    """Time which events pass flavour and charge, and check that both ways keep the same."""
    from labcourse import selection

    rng = np.random.default_rng(1)
    columns = {}
    for i in (1, 2, 3, 4):
        columns[f"lep{i}_pdgid"] = rng.choice([11, 13], sizes.all).astype(np.float32)
        columns[f"lep{i}_charge"] = rng.choice([-1, 1], sizes.all).astype(np.float32)
    events = pd.DataFrame(columns)

    def passes(*values: float) -> bool:
        return sum(values[:4]) in (44, 48, 52) and sum(values[4:]) == 0

    every = [events[f"lep{i}_{q}"].to_numpy() for q in ("pdgid", "charge") for i in (1, 2, 3, 4)]

    def plain() -> np.ndarray:
        return np.vectorize(passes, otypes=[bool])(*every)

    def ours() -> np.ndarray:
        return selection.is_flavour_allowed(events) & selection.is_neutral(events)

    assert np.array_equal(ours(), plain())
    timing = compare(ours, plain, rounds=2 * sizes.rounds + 1, ours_times=5)
    return {"preselect": timing._replace(note=f"flavour and charge of {sizes.all} events; plain: np.vectorize")}
