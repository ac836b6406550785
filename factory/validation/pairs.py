"""Which events are compared with which, in which variables, and the table of test results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from factory import recipes
from factory.validation import columns, two_sample
from labcourse import ntuple, samples, selection
from labcourse.progress import each

if TYPE_CHECKING:
    import pandas as pd

VARIABLES = (
    *(f"lep{i}_{quantity}" for quantity in ("pt", "eta", "phi", "e") for i in (1, 2, 3, 4)),
    *("m_llll", "m_z1", "m_z2", "jet_n", "jet1_pt", "met"),
    *columns.ISOLATION,
    "channel",
)
"""What is compared, in this order. The azimuths are a control: they can only be flat."""
THRESHOLD = 0.01
"""Probability below which a test is pointed out; divided by the number of a sample's tests, their `limit`."""


class Pair(NamedTuple):
    """A real sample and the simulation that stands for it, preselected; of «data», all simulation together.

    The column ``group`` is the same for events that share a pair of leptons (see `columns.groups`).
    """

    sample: str
    real: pd.DataFrame
    simulated: pd.DataFrame


class Row(NamedTuple):
    """Results of both tests in one variable; with one bin only, ``ndf`` is 0 and ``p_chi2`` is None."""

    sample: str
    variable: str
    chi2: float
    ndf: int
    p_chi2: float | None
    p_ks: float

    @property
    def probabilities(self) -> list[float]:
        """Those of the tests that were made."""
        return [p for p in (self.p_chi2, self.p_ks) if p is not None]

    def is_below(self, threshold: float = THRESHOLD) -> bool:
        """Whether one of the probabilities lies below ``threshold``."""
        return any(p < threshold for p in self.probabilities)


def load(real: Path, simulated: Path, names: Sequence[str] = ()) -> list[Pair]:
    """Read and preselect the samples to compare.

    Parameters
    ----------
    real : path
        Folder of real files.
    simulated : path
        Folder of simulated files; for «data» it has to hold all simulated samples.
    names : sequence of str
        Names of the catalogue; by default all of which there are real files.

    Raises
    ------
    UnknownSample
        If a name is not in the catalogue.
    BadFile, BadEvents
        If a file that the comparison needs is missing or cannot be read.
    EmptySelection
        If no event of a sample passes the preselection.
    """
    there = [name for name in (*recipes.RECIPES, "data") if (real / samples.get(name).files[0]).is_file()]
    names = names or there or ["data"]
    parts = tuple(recipes.RECIPES) if "data" in names else names
    wanted = [*((real, name) for name in names), *((simulated, name) for name in parts)]
    tables = {key: _read(*key) for key in each(wanted, "reading {0[1]} in {0[0]}")}
    return [
        Pair(
            name,
            tables[real, name],
            _together([tables[simulated, part] for part in (parts if name == "data" else [name])]),
        )
        for name in names
    ]


def rows(pairs: Sequence[Pair]) -> list[Row]:
    """Test each pair in all variables that both of its samples have."""
    return [
        test(pair, variable)
        for pair in pairs
        for variable in VARIABLES
        if all(variable in events and events[variable].notna().any() for events in pair[1:])
    ]


def limit(rows: Sequence[Row], sample: str) -> float:
    """Return the probability below which a test of a sample fails: `THRESHOLD` divided by the number of its tests.

    So a sample fails with the probability `THRESHOLD` at most if the simulation is right (Bonferroni). Of sixty
    tests some lie below it by chance.
    """
    return THRESHOLD / max(sum(len(row.probabilities) for row in rows if row.sample == sample), 1)


def failing(rows: Sequence[Row]) -> list[Row]:
    """Return the rows below the `limit` of their sample, in which the simulation is not good enough."""
    return [row for row in rows if row.is_below(limit(rows, row.sample))]


def values_of(events: pd.DataFrame, variable: str) -> two_sample.Sample:
    """Return a variable of the events in which it is defined; those that share leptons are alike in it, or not."""
    defined = events[events[variable].notna()]
    values, weight = (defined[column].to_numpy(np.float64) for column in (variable, "weight"))
    return two_sample.Sample(values, weight, two_sample.design_effect(values, weight, defined["group"]))


def test(pair: Pair, variable: str) -> Row:
    """Test all events of a pair in one variable."""
    both = values_of(pair.simulated, variable), values_of(pair.real, variable)
    chi2, p_ks = two_sample.chi_square(*both), two_sample.kolmogorov_smirnov(*both)
    return Row(pair.sample, variable, chi2.value, chi2.ndf, chi2.p_value if chi2.ndf else None, p_ks)


def _read(folder: Path, name: str) -> pd.DataFrame:
    import pandas as pd

    tables = (ntuple.read(folder / file, sample=name, extra=ntuple.EXTRA) for file in samples.get(name).files)
    events = columns.added(selection.preselect(pd.concat(tables, ignore_index=True, join="inner")))
    return events.assign(group=columns.groups(events))


def _together(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Join tables; their columns ``group`` are counted on, so that no group reaches over two samples."""
    import pandas as pd

    starts = np.cumsum([0, *(len(table) for table in tables)])
    groups = [table["group"] + start for table, start in zip(tables, starts, strict=False)]
    return pd.concat(tables, ignore_index=True, join="inner").assign(group=np.concatenate(groups))
