"""The mass peak of the Higgs boson, of which no real file is here, beside published figures of the release."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from factory.validation.pairs import simulated_files
from labcourse import ntuple, selection

SAMPLES = ("ggH125_ZZ4lep", "VBFH125_ZZ4lep")
WINDOW = (110.0, 135.0)
RELEASE = {0.16: 120.5, 0.50: 123.8, 0.84: 126.2}
"""Quantiles of the four-lepton mass in `WINDOW`, in GeV, after preselection, of the release's samples of gluon
fusion and vector-boson fusion (ATLAS Open Data 2020, DSID 345060, 344235). Final-state radiation makes the low tail."""
TOLERANCE = 0.4
"""In GeV; the statistical errors of the simulation are a tenth of it."""


class Quantile(NamedTuple):
    """A quantile of the mass peak of a sample, simulated and in the release (GeV)."""

    sample: str
    probability: float
    simulated: float
    release: float

    @property
    def is_met(self) -> bool:
        """Whether the two agree within `TOLERANCE`."""
        return abs(self.simulated - self.release) <= TOLERANCE


def peaks(folder: Path) -> list[Quantile]:
    """Return the quantiles of the mass peak of both samples in a folder of simulated files.

    All weights of a signal sample are equal, but for corrections that do not depend on the mass. Raises MissingSample.
    """
    found = []
    for name in SAMPLES:
        (path,) = simulated_files(folder, name)
        mass = selection.preselect(ntuple.read(path, sample=name))["m_llll"]
        inside = mass[mass.between(*WINDOW, inclusive="neither")]
        found += [Quantile(name, p, float(inside.quantile(p)), release) for p, release in RELEASE.items()]
    return found
