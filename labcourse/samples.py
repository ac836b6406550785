"""The course's samples: what they are, how they look in figures, where they are found. One is added here only.

They are those of the 4-lepton collection of the ATLAS Open Data of 2020 (13 TeV, 10 fb⁻¹ of 2016; CERN Open Data
record 15005, DOI 10.7483/OPENDATA.ATLAS.2Y1T.TLGL), and for the encore those with exactly four leptons of the release
of 2025 (13 TeV, 36 fb⁻¹ of 2015 and 2016, DOI 10.7483/OPENDATA.ATLAS.B5M9.44TN), whose table is `release_2025.json`.
The bundle of the course holds files of the same names, simulated for it.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from labcourse import settings
from labcourse.errors import BadFile, BadInput, MissingSample, UnknownSample
from labcourse.files import read_json

LUMINOSITIES = {"2020": 10.0, "2025": 36.1}
"""Integrated luminosity of the collision data of each release in fb⁻¹. (For 2025 the release's own notebooks use 36.0,
36.1 and 36.6; here it is that of the measurement which ATLAS published with these data, arXiv:1708.02810.)"""
LUMINOSITY = LUMINOSITIES["2020"]
MANIFEST = "manifest.json"
"""In a folder of simulated samples: which file is what, how it was made, and its checksum."""


class Sample(NamedTuple):
    """One sample of the catalogue.

    ``cross_section`` (pb, with filter efficiency and k-factor) and ``sum_of_weights`` are those of the release; a
    file's own branches decide in a calculation. ``official_raw`` counts the release's events, ``official_bytes`` are
    the sizes of its files in both builds (2020-08-19 and January 2020), as far as they are known. A sample that is
    ``optional`` is used where its file is found, and not missed where it is not. In 2025 there are two more roles, for
    what must not be added to the rest: ``twin``, the same process by another generator, and ``replaced``, a handful of
    events of a process that has a larger sample. ``named`` are files whose names no rule gives.
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
    release: str = "2020"
    named: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """The names of its files in the release: one of a simulated sample, one per period of collision data."""
        return self.named or (f"mc_{self.dsid}.{self.name}.4lep.root",)


class Process(NamedTuple):
    """How a group of samples appears in figures; ``label`` is for matplotlib, the colour from Okabe and Ito."""

    label: str
    color: str
    hatch: str


TABLE_2025: dict[str, Any] = read_json(Path(__file__).with_name("release_2025.json"))
"""The release of 2025: where it is, what each sample is, and of each file its name, size, adler32 and events."""


def _of_table(release: str, table: dict[str, Any]) -> Iterator[Sample]:
    """Samples of a table; their cross-sections and sums of weights are in the files only."""
    for row in table["samples"]:
        (name, dsid, role, process), (paths, sizes, _, events) = row["sample"], zip(*row["files"], strict=True)
        yield Sample(name, dsid, role, process, 0.0, 0.0, sum(events), sizes, True, release, paths)


_DATA = tuple(f"data_{period}.4lep.root" for period in "ABCD")
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
    Sample("data", 0, "data", "data", 0.0, 0.0, 832, _DATA_BYTES, named=_DATA),
    *_of_table("2025", TABLE_2025),
)
_BY_NAME = {sample.name: sample for sample in CATALOGUE}
SIGNAL = tuple(sample.name for sample in CATALOGUE if sample.role == "signal" and sample.release == "2020")

PROCESSES = {
    "ttbar": Process(r"$t\bar{t}$", "#CC79A7", "\\\\\\"),
    "Z": Process(r"$Z \to \ell\ell$", "#009E73", "..."),
    "ZZ": Process(r"$ZZ^{*} \to 4\ell$", "#2C94D1", ""),
    "Higgs": Process(r"$H \to ZZ^{*} \to 4\ell$", "#D55E00", "///"),
    "data": Process("data", "#000000", ""),
}
"""The physics processes in the order in which they are stacked, the signal on top."""

_ROLES = {"BACKGROUND": ("background",), "SIMULATED": ("signal", "background"), "ALL": ("signal", "background", "data")}


def __getattr__(name: str) -> tuple[str, ...]:
    """Return the names of the samples of 2020 of a kind, the optional ones among them that are found now."""
    if name not in _ROLES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return names("2020", *_ROLES[name])


def names(release: str, *roles: str) -> tuple[str, ...]:
    """Return the names of a release's samples of these roles (of all for none), of the optional ones those found now.

    Raises BadInput if there is no such release, and as `settings.search_path`.
    """
    if release not in LUMINOSITIES:
        advice = f"The releases are {' and '.join(LUMINOSITIES)}."
        raise BadInput(f"There is no release {release!r}.", where="labcourse.samples", next_step=advice)
    own = (s for s in CATALOGUE if s.release == release and (not roles or s.role in roles))
    return tuple(s.name for s in own if not s.optional or _folder(s))


def get(name: str) -> Sample:
    """Return the sample called ``name``, whether or not its files are found.

    Raises UnknownSample with the nearest names of the catalogue.

    Examples
    --------
    >>> get("llll").dsid
    363490
    """
    if name in _BY_NAME:
        return _BY_NAME[name]
    near = difflib.get_close_matches(str(name), _BY_NAME, n=2, cutoff=0.4)
    raise UnknownSample(
        f"There is no sample {name!r}.",
        where="labcourse.samples",
        next_step=f"Did you mean {' or '.join(near)}?" if near else f"The samples are {', '.join(_BY_NAME)}.",
    )


def of_file(path: Path | str) -> Sample:
    """Return the sample to which a file of an official name belongs; raises UnknownSample for another name."""
    for sample in CATALOGUE:
        if Path(path).name in sample.files:
            return sample
    raise UnknownSample(
        f"{Path(path).name} is not the name of an official file.",
        where=str(path),
        next_step="Name it as the release does (for instance mc_363490.llll.4lep.root), or say which sample it is.",
    )


class Located(NamedTuple):
    """Where a sample was found: its files, and what they are (see `source`)."""

    paths: tuple[Path, ...]
    source: str


def locate(name: str) -> Located:
    """Find the files of a sample along the search path (see `labcourse.settings`).

    The files of collision data are taken from one folder: real data and pseudo-data never mix. Of the release of 2025
    all samples are: from the first folder that holds any of its files.

    Raises UnknownSample if the catalogue has no such sample, MissingSample if no folder of the search path holds
    all its files, and BadInput if the folder holds files of another release as well.
    """
    sample = get(name)
    folder = _folder(sample)
    if folder is None:
        raise MissingSample(
            f"The sample {name} was not found: no folder holds {', '.join(sample.files)}.",
            where=", ".join(map(str, settings.search_path(sample.release))),
            next_step=f"{settings.get_back('data')} Or point LABCOURSE_DATA at the folder that has it.",
        )
    check_one_release(folder)
    return Located(tuple(folder / file for file in sample.files), source(folder, sample))


def _folder(sample: Sample) -> Path | None:
    """The first folder of the search path that holds all files of a sample."""
    folders = settings.search_path(sample.release)
    if sample.release != "2020":
        folders = [folder for folder in folders if sample.release in _releases(folder)][:1]
    return next((folder for folder in folders if all((folder / file).is_file() for file in sample.files)), None)


def _releases(folder: Path) -> set[str]:
    """The releases of which a folder holds a file."""
    return {sample.release for sample in CATALOGUE if any((folder / file).is_file() for file in sample.files)}


def check_one_release(folder: Path) -> None:
    """Raise BadInput if a folder holds files of several releases: their units and selections differ."""
    if len(_releases(folder)) > 1:
        raise BadInput(
            f"The folder {folder.name} mixes files of the releases of {' and '.join(LUMINOSITIES)}.",
            where=str(folder),
            next_step="Give each release a folder of its own; `labcourse data use` may name both.",
        )


def fingerprint(name: str) -> str:
    """Return a text that changes when a sample's files do: their source, and a checksum of names, sizes and headers.

    The header of every ROOT file has an identifier, made when it was written. Of a sample that is nowhere the text is
    ``missing``. Raises OSError if a file may not be read.
    """
    try:
        paths, source = locate(name)
    except MissingSample:
        return "missing"
    content = "".join(f"{path.name} {path.stat().st_size} {_header(path).hex()}\n" for path in paths)
    return f"{source} {hashlib.sha256(content.encode()).hexdigest()}"


def _header(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(100)


def same_file(path: Path, other: Path) -> bool:
    """Say whether two ROOT files are copies of each other, by size and header."""
    try:
        return path.stat().st_size == other.stat().st_size and _header(path) == _header(other)
    except OSError:
        return False


def get_again(path: Path) -> str:
    """Say how to get a damaged file back: from the repository, or from wherever its folder came."""
    folder = path.absolute().parent
    for release in LUMINOSITIES:
        if folder == settings.bundle_folder(release):
            return settings.get_back("data")
        if folder == settings.official_folder(release):
            return f"Delete the file and get it again with `labcourse data download --release {release}`."
    return "Replace this file, or unset LABCOURSE_DATA (or what `labcourse data use` has set) to use the bundle."


def source(folder: Path, sample: Sample) -> str:
    """Say what the files of a sample in a folder are; raises as `read_manifest`.

    ``bundle`` are the course's own, also in a copy, ``simulated`` those that a manifest in the folder lists,
    ``official`` those that were downloaded or that have the size of the release's, and ``foreign`` all others.
    """
    here = [folder / file for file in sample.files if (folder / file).is_file()]
    bundle, official = settings.bundle_folder(sample.release), settings.official_folder(sample.release)
    if folder == bundle or (here and all(same_file(path, bundle / path.name) for path in here)):
        return "bundle"
    if (folder / MANIFEST).is_file() and set(sample.files) <= {entry["file"] for entry in read_manifest(folder)}:
        return "simulated"
    is_official = all(path.stat().st_size in sample.official_bytes for path in here)
    return "official" if is_official or folder == official else "foreign"


def read_manifest(folder: Path) -> list[dict[str, Any]]:
    """Return what the manifest of a folder of simulated samples says of each file; ``file`` is its name.

    Raises BadFile if it is damaged, or may not be read.
    """
    path = folder / MANIFEST
    try:
        return list({entry["file"]: entry for entry in read_json(path)["files"]}.values())
    except (OSError, ValueError, KeyError, TypeError) as error:
        what = f"The manifest of a sample folder is damaged, or may not be read: {error}."
        raise BadFile(what, where=str(path), next_step=get_again(path)) from error
