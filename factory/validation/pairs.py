"""Which events are compared with which, in which variables, and the table of test results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from factory import recipes
from factory.validation import two_sample
from labcourse import ntuple, samples, selection
from labcourse.kinematics import PAIRS, lepton_arrays, z_masses
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
THRESHOLD = 0.01
"""Probability below which a test is pointed out; divided by the number of a sample's tests, its limit."""
DISTANCE = 0.005
"""How far apart in η and φ the same lepton may be found twice, since the tracks around it differ."""


class Pair(NamedTuple):
    """A real sample and the simulation that stands for it, preselected; of «data», all simulation together.

    The column ``group`` of the real events is the same for those that share a pair of leptons (see `groups`).
    """

    sample: str
    real: pd.DataFrame
    simulated: pd.DataFrame


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
    pairs = []
    for name in each(names or there or ["data"], "reading {}"):
        events = _read(real, [name])
        together = _read(simulated, list(recipes.RECIPES) if name == "data" else [name])
        pairs.append(Pair(name, events.assign(group=groups(events)), together))
    return pairs


def _read(folder: Path, names: Sequence[str]) -> pd.DataFrame:
    """Read samples, and add ``m_z1``, ``m_z2``, ``channel`` (sum of PDG codes) and, where it is known, `ISOLATION`."""
    import pandas as pd

    files = [(name, folder / file) for name in names for file in samples.get(name).files]
    tables = [ntuple.read(path, sample=name, extra=ntuple.EXTRA) for name, path in files]
    events = selection.preselect(pd.concat(tables, ignore_index=True, join="inner"))
    masses = z_masses(events)
    first, second = np.where(masses > 0, masses, np.nan)  # an event of ee and µµ may have none
    columns: dict[str, Any] = {"m_z1": first, "m_z2": second, "channel": lepton_arrays(events, "pdgid").sum(axis=1)}
    for variable in ISOLATION:
        if (around := variable.removesuffix("/pt")) in events:
            columns[variable] = events[around] / events[f"{variable[:4]}_pt"]
    return events.assign(**columns)


def groups(events: pd.DataFrame) -> NDArray[np.intp]:
    """Number the groups of events that share two leptons, shape (n_events,); most events are a group of their own.

    Two leptons are shared if flavours and charges are the same and their four coordinates η, φ agree within `DISTANCE`.
    ATLAS overlays simulated events with pile-up collisions from a finite store. A rare collision with two leptons of
    its own turns every Z → ℓℓ event that it is overlaid on into a four-lepton event, so that the same two leptons are
    in up to 48 of the 257 preselected events of Zmumu: with them, even the azimuth of the fourth lepton, which can only
    be flat, differs from a flat one with a probability of 1e-7. Collision data have none.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import KDTree

    directions = np.stack([lepton_arrays(events, "eta"), lepton_arrays(events, "phi")], axis=2)
    kind = lepton_arrays(events, "pdgid") * lepton_arrays(events, "charge")
    points = []
    for i, j in PAIRS:
        pair = [i - 1, j - 1]
        # Ordered by kind: which of the two has the larger momentum may differ.
        order = np.argsort(kind[:, pair], axis=1)
        where = np.take_along_axis(directions[:, pair], order[:, :, None], axis=1)
        points.append(np.hstack([where.reshape(-1, 4), np.sort(kind[:, pair], axis=1)]))
    shared = KDTree(np.concatenate(points)).query_pairs(DISTANCE, p=np.inf, output_type="ndarray") % len(events)
    links = coo_array((np.ones(len(shared)), tuple(shared.T)), shape=(len(events), len(events)))
    return np.asarray(connected_components(links, directed=False)[1], np.intp)


def compare(pairs: Sequence[Pair]) -> pd.DataFrame:
    """Test each pair in all variables that both of its samples have.

    Returns
    -------
    DataFrame
        A row per ``sample`` and ``variable``: ``chi2``, ``ndf`` and ``p_chi2`` (NaN where there is one bin only),
        ``p_ks``, and ``limit``, the probability below which a test of the sample fails: `THRESHOLD` divided by the
        number of its tests. So a sample fails with the probability `THRESHOLD` at most if the simulation is right
        (Bonferroni); of sixty tests some lie below it by chance.
    """
    import pandas as pd

    rows = []
    for pair in pairs:
        for variable in VARIABLES:
            if all(variable in events and events[variable].notna().any() for events in pair[1:]):
                both = values_of(pair.simulated, variable), values_of(pair.real, variable)
                p_ks = two_sample.kolmogorov_smirnov(*both)
                rows.append((pair.sample, variable, *two_sample.chi_square(*both), p_ks))
    table = pd.DataFrame(rows, columns=["sample", "variable", "chi2", "ndf", "p_chi2", "p_ks"])
    tests = table.groupby("sample")[["p_chi2", "p_ks"]].count().sum(axis=1)
    return table.assign(limit=THRESHOLD / table["sample"].map(tests))


def values_of(events: pd.DataFrame, variable: str) -> two_sample.Sample:
    """Return a variable of the events in which it is defined; those that share leptons are alike in it, or not."""
    defined = events[events[variable].notna()]
    values, weight = (defined[column].to_numpy(np.float64) for column in (variable, "weight"))
    effect = two_sample.design_effect(values, weight, defined["group"]) if "group" in defined else 1.0
    return two_sample.Sample(values, weight, effect)
