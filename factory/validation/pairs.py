"""Which events are compared with which, in which variables, and the table of test results."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from factory import recipes
from factory.validation import repeats, two_sample, z_pairs
from factory.validation.two_sample import Sample
from labcourse import kinematics, ntuple, samples, selection
from labcourse.errors import BadInput, EmptySelection, MissingSample
from labcourse.progress import each

if TYPE_CHECKING:
    import pandas as pd

ISOLATION = tuple(f"lep{i}_{name}/pt" for name in ("ptcone30", "etcone20") for i in (1, 2, 3, 4))
VARIABLES = (
    *(f"lep{i}_{quantity}" for quantity in ("pt", "eta", "phi", "e") for i in (1, 2, 3, 4)),
    *("m_llll", "m_z1", "m_z2", "jet_n", "jet1_pt", "met"),
    *ISOLATION,
    "channel",
)
"""What is compared, in this order. The azimuths are a control: they can only be flat."""


CHANNEL_EDGES = (42.0, 46.0, 50.0, 54.0)
"""Bins of the channel, a sum of four PDG codes: eeee, eeµµ, µµµµ."""
CONTROL = "control"
"""Name of the pair of the collision data and all simulation with the release's own samples where there are real files:
where it differs from the data as well, ours of these samples are not the cause. It is shown and not judged."""


class Pair(NamedTuple):
    """A real sample and the simulation that stands for it, preselected; of «data», all simulation together.

    The column ``group`` is the same for events that share a pair of leptons (see `factory.validation.repeats`).
    """

    sample: str
    real: pd.DataFrame
    simulated: pd.DataFrame


class Row(NamedTuple):
    """Results of both tests in one variable; None where it is not simulated, or a test does not apply."""

    sample: str
    variable: str
    chi2: float | None
    ndf: int | None
    p_chi2: float | None
    p_ks: float | None

    @property
    def probabilities(self) -> list[float]:
        """Those of the tests that were made."""
        return [p for p in (self.p_chi2, self.p_ks) if p is not None]

    def is_below(self, threshold: float) -> bool:
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
    paths |= {("simulated", name): _files_in(simulated, name) for name in parts}
    tables = {key: _read(key[1], paths[key]) for key in each(list(paths), "reading {0[0]} {0[1]}")}
    pairs = [
        Pair(
            name,
            _together([tables["real", name]]),
            _together([tables["simulated", part] for part in (parts if name == "data" else [name])]),
        )
        for name in files
    ]
    if "data" in files and len(files) > 1:
        mixture = [tables["real" if part in files else "simulated", part] for part in parts]
        pairs.append(Pair(CONTROL, _together([tables["real", "data"]]), _together(mixture)))
    return Loaded(pairs, {name: tables["simulated", name] for name in signals})


def _together(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """All events in what all tables have (a variable that one lacks is not simulated), with numbers of their groups."""
    import pandas as pd

    groups, first = [], 0
    for table in tables:
        groups.append(first + repeats.groups(table))
        first += len(table)
    return pd.concat(tables, ignore_index=True, join="inner").assign(group=np.concatenate(groups))


def rows(pairs: Sequence[Pair]) -> list[Row]:
    """Test each pair in all variables that its real sample has."""
    return [test(pair, variable) for pair in pairs for variable in VARIABLES if variable in pair.real]


def limit(rows: Sequence[Row], sample: str, threshold: float) -> float:
    """Return the probability below which a test of a sample fails: the threshold divided by the number of its tests.

    So a sample fails with the probability ``threshold`` at most if the simulation is right (Bonferroni). Of sixty
    tests some lie below the threshold itself by chance.
    """
    return threshold / max(sum(len(row.probabilities) for row in rows if row.sample == sample), 1)


def failing(rows: Sequence[Row], threshold: float) -> list[Row]:
    """Return the rows below the `limit` of their sample, in which the simulation is not good enough."""
    return [row for row in rows if row.sample != CONTROL and row.is_below(limit(rows, row.sample, threshold))]


def values_of(events: pd.DataFrame, variable: str) -> Sample:
    """Return a variable of the events in which it is defined; those that share leptons are alike in it, or not."""
    defined = events[events[variable].notna()]
    values, weight = (defined[column].to_numpy(np.float64) for column in (variable, "weight"))
    return two_sample.sample(values, weight, two_sample.design_effect(values, weight, defined["group"]))


def test(pair: Pair, variable: str) -> Row:
    """Test all events of a pair in one variable."""
    if not all(variable in events and events[variable].notna().any() for events in pair[1:]):
        return Row(pair.sample, variable, None, None, None, None)
    both = values_of(pair.simulated, variable), values_of(pair.real, variable)
    is_channel = variable == "channel"
    chi = two_sample.chi_square(*both, edges=CHANNEL_EDGES if is_channel else None)
    p_chi2 = None if np.isnan(chi.p_value) else chi.p_value
    p_ks = None if is_channel else two_sample.kolmogorov_smirnov(*both).p_value
    return Row(pair.sample, variable, chi.value, chi.ndf, p_chi2, p_ks)


def _read(name: str, paths: Collection[Path]) -> pd.DataFrame:
    import pandas as pd

    tables = (ntuple.read(path, sample=name, extra=ntuple.EXTRA) for path in paths)
    try:
        events = selection.preselect(pd.concat(tables, ignore_index=True, join="inner"))
    except EmptySelection as error:
        raise EmptySelection(
            f"No event of the sample {name} passes the preselection.",
            where=", ".join(map(str, paths)),
            next_step="Simulate more events, or compare other samples: --samples.",
        ) from error
    first, second = z_pairs.z_pair_masses(events)
    columns: dict[str, Any] = {
        "m_z1": first,
        "m_z2": second,
        "channel": kinematics.lepton_arrays(events, "pdgid").sum(axis=1),
    }
    for variable in ISOLATION:
        sum_around = variable.removesuffix("/pt")
        if sum_around in events:
            columns[variable] = events[sum_around] / events[f"{variable[:4]}_pt"]
    return events.assign(**columns)


def _real_files(folder: Path | None, names: Sequence[str]) -> dict[str, tuple[Path, ...]]:
    """Files of each real sample asked for; of all that are there, if none is named."""
    for name in names:
        samples.get(name)
    if folder is not None and not folder.is_dir():
        raise BadInput(f"{folder} is not a folder.", where="--real", next_step="Give a folder of official files.")
    found = {}
    for name in (*recipes.RECIPES, "data"):
        if folder is not None:
            paths = tuple(folder / file for file in samples.get(name).files)
        else:
            with suppress(MissingSample):
                located = samples.locate(name)
                paths = located.paths if located.source == "official" else ()
        if paths and all(path.is_file() for path in paths):
            found[name] = paths
    # Of the signal the mass peak is known without a real file.
    missing = [name for name in names if name not in found and name not in samples.SIGNAL]
    if not found or missing:
        raise MissingSample(
            f"There are no real ATLAS files to compare with{' of ' + ', '.join(missing) if missing else ''}.",
            where=str(folder) if folder is not None else "the sample search path (labcourse data where)",
            next_step="Name a folder that holds official files of the 4-lepton collection: --real DIR.",
        )
    return {name: paths for name, paths in found.items() if name in (names or found)}


def _files_in(folder: Path, name: str) -> tuple[Path, ...]:
    paths = tuple(folder / file for file in samples.get(name).files)
    absent = [path.name for path in paths if not path.is_file()]
    if absent:
        raise MissingSample(
            f"There is no simulated file of {name} ({', '.join(absent)}).",
            where=str(folder),
            next_step="Make it with `labcourse simulate`, or compare only what is there: --samples Zee,Zmumu.",
        )
    return paths
