"""Which events are compared with which, in which variables, and the table of test results."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from factory import recipes
from factory.validation import columns, two_sample
from labcourse import ntuple, samples, selection
from labcourse.errors import BadInput, EmptySelection, MissingSample
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
CHANNEL_EDGES = (42.0, 46.0, 50.0, 54.0)
"""Bins of the channel, a sum of four PDG codes: eeee, eeµµ, µµµµ."""
CONTROL = "control"
"""Name of the pair of the collision data and all simulation with the release's own samples where there are real files:
where it differs from the data as well, ours of these samples are not the cause. It is shown and not judged."""
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
    """Results of both tests in one variable; None where it is not simulated, or a test does not apply."""

    sample: str
    variable: str
    chi2: float | None = None
    ndf: int | None = None
    p_chi2: float | None = None
    p_ks: float | None = None

    @property
    def probabilities(self) -> list[float]:
        """Those of the tests that were made."""
        return [p for p in (self.p_chi2, self.p_ks) if p is not None]

    def is_below(self, threshold: float = THRESHOLD) -> bool:
        """Whether one of the probabilities lies below ``threshold``."""
        return any(p < threshold for p in self.probabilities)


class Loaded(NamedTuple):
    """Pairs to compare, and the simulated signal samples (preselected) whose mass peak is known without a real file."""

    pairs: list[Pair]
    signals: dict[str, pd.DataFrame]


def load(real: Path | None, simulated: Path, names: Sequence[str] = ()) -> Loaded:
    """Read and preselect the samples to compare.

    Parameters
    ----------
    real : path or None
        Folder of real files; None takes those that the search path finds.
    simulated : path
        Folder of simulated files; for «data» it has to hold all simulated samples.
    names : sequence of str
        Names of the catalogue; by default all of which there are real files.

    Raises
    ------
    BadInput
        If ``real`` is not a folder.
    UnknownSample, MissingSample
        If a name is not in the catalogue; if there is no real file, or a file that the comparison needs is missing.
    BadFile, BadEvents
        If a file cannot be read.
    EmptySelection
        If no event of a sample passes the preselection.
    """
    files = _real_files(real, names)
    signals = [name for name in samples.SIGNAL if name in names or not names]
    parts = tuple(recipes.RECIPES) if "data" in files else tuple(dict.fromkeys([*files, *signals]))
    paths = {("real", name): found for name, found in files.items()}
    paths |= {("simulated", name): _simulated_files(simulated, name) for name in parts}
    tables = {key: _read(key[1], paths[key]) for key in each(list(paths), "reading {0[0]} {0[1]}")}
    stand_for = {name: [("simulated", part) for part in (parts if name == "data" else [name])] for name in files}
    if "data" in files and len(files) > 1:
        stand_for[CONTROL] = [("real" if part in files else "simulated", part) for part in parts]
    pairs = [
        Pair(name, tables["real", "data" if name == CONTROL else name], _together([tables[key] for key in keys]))
        for name, keys in stand_for.items()
    ]
    return Loaded(pairs, {name: tables["simulated", name] for name in signals})


def rows(pairs: Sequence[Pair]) -> list[Row]:
    """Test each pair in all variables that its real sample has."""
    return [test(pair, variable) for pair in pairs for variable in VARIABLES if variable in pair.real]


def limit(rows: Sequence[Row], sample: str) -> float:
    """Return the probability below which a test of a sample fails: `THRESHOLD` divided by the number of its tests.

    So a sample fails with the probability `THRESHOLD` at most if the simulation is right (Bonferroni). Of sixty
    tests some lie below it by chance.
    """
    return THRESHOLD / max(sum(len(row.probabilities) for row in rows if row.sample == sample), 1)


def failing(rows: Sequence[Row]) -> list[Row]:
    """Return the rows below the `limit` of their sample, in which the simulation is not good enough."""
    return [row for row in rows if row.sample != CONTROL and row.is_below(limit(rows, row.sample))]


def values_of(events: pd.DataFrame, variable: str) -> two_sample.Sample:
    """Return a variable of the events in which it is defined; those that share leptons are alike in it, or not."""
    defined = events[events[variable].notna()]
    values, weight = (defined[column].to_numpy(np.float64) for column in (variable, "weight"))
    return two_sample.Sample(values, weight, two_sample.design_effect(values, weight, defined["group"]))


def test(pair: Pair, variable: str) -> Row:
    """Test all events of a pair in one variable."""
    if not all(variable in events and events[variable].notna().any() for events in pair[1:]):
        return Row(pair.sample, variable)
    both = values_of(pair.simulated, variable), values_of(pair.real, variable)
    is_channel = variable == "channel"
    chi2 = two_sample.chi_square(*both, edges=CHANNEL_EDGES if is_channel else None)
    p_ks = None if is_channel else two_sample.kolmogorov_smirnov(*both)
    return Row(pair.sample, variable, chi2.value, chi2.ndf, chi2.p_value if chi2.ndf else None, p_ks)


def _read(name: str, paths: Sequence[Path]) -> pd.DataFrame:
    import pandas as pd

    tables = (ntuple.read(path, sample=name, extra=ntuple.EXTRA) for path in paths)
    try:
        events = columns.added(selection.preselect(pd.concat(tables, ignore_index=True, join="inner")))
        if not events["weight"].sum() > 0:
            raise EmptySelection(f"The weights add up to {events['weight'].sum():g}.")
    except EmptySelection as error:
        raise EmptySelection(
            f"Nothing of the sample {name} passes the preselection.",
            where=", ".join(map(str, paths)),
            next_step="Simulate more events, or compare other samples: --samples.",
        ) from error
    return events.assign(group=columns.groups(events))


def _together(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Join tables; their columns ``group`` are counted on, so that no group reaches over two samples."""
    import pandas as pd

    starts = np.cumsum([0, *(len(table) for table in tables)])
    groups = [table["group"] + start for table, start in zip(tables, starts, strict=False)]
    return pd.concat(tables, ignore_index=True, join="inner").assign(group=np.concatenate(groups))


def _real_files(folder: Path | None, names: Sequence[str]) -> dict[str, tuple[Path, ...]]:
    """Files of each real sample asked for; of all that are there, if none is named."""
    if folder is not None and not folder.is_dir():
        raise BadInput(f"{folder} is not a folder.", where="--real", next_step="Give a folder of official files.")
    asked = {name: samples.get(name) for name in names or (*recipes.RECIPES, "data")}
    found: dict[str, tuple[Path, ...]] = {}
    for name, sample in asked.items():
        if folder is not None:
            found[name] = tuple(folder / file for file in sample.files)
        else:
            with suppress(MissingSample):
                located = samples.locate(name)
                found |= {name: located.paths} if located.source == "official" else {}
    found = {name: paths for name, paths in found.items() if all(path.is_file() for path in paths)}
    # Of the signal the mass peak is known without a real file.
    missing = [name for name in names if name not in found and name not in samples.SIGNAL]
    if missing or not (found or names):
        raise MissingSample(
            f"There are no real ATLAS files to compare with{' of ' + ', '.join(missing) if missing else ''}.",
            where=str(folder) if folder is not None else "the sample search path (labcourse data where)",
            next_step="Name a folder that holds official files of the 4-lepton collection: --real DIR.",
        )
    return found


def _simulated_files(folder: Path, name: str) -> tuple[Path, ...]:
    paths = tuple(folder / file for file in samples.get(name).files)
    if absent := [path.name for path in paths if not path.is_file()]:
        raise MissingSample(
            f"There is no simulated file of {name} ({', '.join(absent)}).",
            where=str(folder),
            next_step="Make it with `labcourse simulate`, or compare only what is there: --samples Zee,Zmumu.",
        )
    return paths
