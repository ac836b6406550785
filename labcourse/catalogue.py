"""The course's samples: what they are, and how they look in figures. A sample is added here, and nowhere else.

They are those of the 4-lepton collection of the ATLAS Open Data of 2020 (13 TeV, 10 fb⁻¹ of 2016; CERN Open Data
record 15005, DOI 10.7483/OPENDATA.ATLAS.2Y1T.TLGL). The bundle of the course holds files of the same names, simulated
for it.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

from labcourse.errors import UnknownSample

LUMINOSITY = 10.0
"""Integrated luminosity of the collision data in fb⁻¹."""


@dataclass(frozen=True)
class Sample:
    """One sample of the catalogue.

    ``cross_section`` (pb, with filter efficiency and k-factor) and ``sum_of_weights`` are those of the release; a
    file's own branches decide in a calculation. ``official_raw`` counts the release's events, ``official_bytes`` are
    the sizes of its files in both builds (2020-08-19 and January 2020), as far as they are known. A sample that is
    ``optional`` is used where its file is found, and not missed where it is not.
    """

    name: str
    dsid: int
    role: str
    process: str
    cross_section: float
    sum_of_weights: float
    official_raw: int
    official_bytes: tuple[int, ...]
    optional: bool = False

    @property
    def files(self) -> tuple[str, ...]:
        """The names of its files in the release: one of a simulated sample, one per period of collision data."""
        if self.role == "data":
            return tuple(f"data_{period}.4lep.root" for period in "ABCD")
        return (f"mc_{self.dsid}.{self.name}.4lep.root",)


@dataclass(frozen=True)
class Process:
    """How a group of samples appears in figures; ``label`` is for matplotlib, the colour from Okabe and Ito."""

    name: str
    label: str
    color: str
    hatch: str


_DATA_BYTES = (33765, 68738, 92295, 139606, 25826, 60364, 84525, 131190)
CATALOGUE = (
    Sample("ggH125_ZZ4lep", 345060, "signal", "Higgs", 0.0060239, 27881776.6536, 164716, (50518236,)),
    Sample("VBFH125_ZZ4lep", 344235, "signal", "Higgs", 0.0004633012, 3680490.83243, 191126, (60503237,)),
    Sample("WH125_ZZ4lep", 341964, "signal", "Higgs", 0.0003769, 149400, 15379, (5528294,)),
    # The release gives ZH a cross-section about a hundred times too small. It is kept, so that yields agree.
    Sample("ZH125_ZZ4lep", 341947, "signal", "Higgs", 2.1424784e-06, 150000, 14485, (5293850,)),
    Sample("llll", 363490, "background", "ZZ", 1.2578, 7538705.8077, 554279, (179082866,)),
    Sample("Zee", 361106, "background", "Z", 1950.5295, 150277594200, 898, (299577, 291797)),
    Sample("Zmumu", 361107, "background", "Z", 1950.6321, 147334691090, 684, (233914, 227821)),
    Sample("Ztautau", 361108, "background", "Z", 1950.6321, 56171651072, 9, (23858, 16903), optional=True),
    Sample("ttbar_lep", 410000, "background", "ttbar", 452.693559, 49386600, 1031, (391352, 388096)),
    Sample("data", 0, "data", "data", 0.0, 0.0, 832, _DATA_BYTES),
)
_BY_NAME = {sample.name: sample for sample in CATALOGUE}

SIGNAL = tuple(sample.name for sample in CATALOGUE if sample.role == "signal")

_PROCESSES = (
    Process("ttbar", r"$t\bar{t}$", "#CC79A7", "\\\\\\"),
    Process("Z", r"$Z \to \ell\ell$", "#009E73", "..."),
    Process("ZZ", r"$ZZ^{*} \to 4\ell$", "#2C94D1", ""),
    Process("Higgs", r"$H \to ZZ^{*} \to 4\ell$", "#D55E00", "///"),
    Process("data", "data", "#000000", ""),
)
PROCESSES = {process.name: process for process in _PROCESSES}
"""The physics processes in the order in which they are stacked, the signal on top."""


def get(name: str) -> Sample:
    """Return the sample called ``name``, whether or not its files are found.

    Raises
    ------
    UnknownSample
        With the nearest names of the catalogue.

    Examples
    --------
    >>> get("llll").dsid
    363490
    """
    if name in _BY_NAME:
        return _BY_NAME[name]
    lower = {known.lower(): known for known in _BY_NAME}
    near = [lower[match] for match in difflib.get_close_matches(str(name).lower(), lower, n=2, cutoff=0.4)]
    raise UnknownSample(
        f"There is no sample {name!r}.",
        where="labcourse.samples",
        next_step=f"Did you mean {' or '.join(near)}?" if near else f"The samples are {', '.join(_BY_NAME)}.",
    )


def of_file(path: Path | str) -> Sample:
    """Return the sample to which a file of an official name belongs.

    Raises
    ------
    UnknownSample
        If the file has no official name.
    """
    for sample in CATALOGUE:
        if Path(path).name in sample.files:
            return sample
    raise UnknownSample(
        f"{Path(path).name} is not the name of an official file.",
        where=str(path),
        next_step="Name it as the release does (for instance mc_363490.llll.4lep.root), or say which sample it is.",
    )
