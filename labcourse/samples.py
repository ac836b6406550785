"""The catalogue of the course's samples, and where the file of each is found.

The eight simulated samples and the collision data are the 4-lepton collection of the ATLAS Open Data of
2020 (13 TeV, 10 fb⁻¹ of 2016; CERN Open Data record 15005, DOI 10.7483/OPENDATA.ATLAS.2Y1T.TLGL). The
bundle of the course holds files of the same names, simulated for it.
"""

from __future__ import annotations

import difflib
import functools
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from labcourse import settings
from labcourse.errors import BadFile, BadInput, MissingSample, UnknownSample

LUMINOSITY = 10.0
"""Integrated luminosity of the collision data in fb⁻¹."""
MANIFEST = "manifest.json"
"""In a folder of simulated samples: which file is what, how it was made, and its checksum."""


@dataclass(frozen=True)
class Sample:
    """One sample of the catalogue.

    ``cross_section`` (pb, with filter efficiency and k-factor) and ``sum_of_weights`` are those of the
    release; a file's own branches decide in a calculation. ``official_raw`` counts the release's events.
    """

    name: str
    files: tuple[str, ...]
    dsid: int
    role: str
    process: str
    cross_section: float
    sum_of_weights: float
    official_raw: int


@dataclass(frozen=True)
class Process:
    """How a group of samples appears in figures; ``label`` is for matplotlib, the colour after Okabe and Ito."""

    name: str
    label: str
    color: str
    hatch: str


def _simulated(
    name: str, dsid: int, role: str, process: str, cross_section: float, sum_of_weights: float, raw: int
) -> Sample:
    file = f"mc_{dsid}.{name}.4lep.root"
    return Sample(name, (file,), dsid, role, process, cross_section, sum_of_weights, raw)


_CATALOGUE = (
    _simulated("ggH125_ZZ4lep", 345060, "signal", "Higgs", 0.0060239, 27881776.6536, 164716),
    _simulated("VBFH125_ZZ4lep", 344235, "signal", "Higgs", 0.0004633012, 3680490.83243, 191126),
    _simulated("WH125_ZZ4lep", 341964, "signal", "Higgs", 0.0003769, 149400, 15379),
    # The release gives ZH a cross-section about a hundred times too small. It is kept, so that yields agree.
    _simulated("ZH125_ZZ4lep", 341947, "signal", "Higgs", 2.1424784e-06, 150000, 14485),
    _simulated("llll", 363490, "background", "ZZ", 1.2578, 7538705.8077, 554279),
    _simulated("Zee", 361106, "background", "Z", 1950.5295, 150277594200, 898),
    _simulated("Zmumu", 361107, "background", "Z", 1950.6321, 147334691090, 684),
    _simulated("ttbar_lep", 410000, "background", "ttbar", 452.693559, 49386600, 1031),
    Sample("data", tuple(f"data_{p}.4lep.root" for p in "ABCD"), 0, "data", "data", 0.0, 0.0, 832),
)
_BY_NAME = {sample.name: sample for sample in _CATALOGUE}

_OFFICIAL_BYTES: dict[str, tuple[int, ...]] = {
    "mc_345060.ggH125_ZZ4lep.4lep.root": (50518236,),
    "mc_344235.VBFH125_ZZ4lep.4lep.root": (60503237,),
    "mc_341964.WH125_ZZ4lep.4lep.root": (5528294,),
    "mc_341947.ZH125_ZZ4lep.4lep.root": (5293850,),
    "mc_363490.llll.4lep.root": (179082866,),
    "mc_361106.Zee.4lep.root": (299577, 291797),
    "mc_361107.Zmumu.4lep.root": (233914, 227821),
    "mc_410000.ttbar_lep.4lep.root": (391352, 388096),
    "data_A.4lep.root": (33765, 25826),
    "data_B.4lep.root": (68738, 60364),
    "data_C.4lep.root": (92295, 84525),
    "data_D.4lep.root": (139606, 131190),
}
"""Sizes of the release's files, and after them, where known, those of the earlier build of January 2020."""

SIMULATED = tuple(s.name for s in _CATALOGUE if s.role != "data")
SIGNAL = tuple(s.name for s in _CATALOGUE if s.role == "signal")
BACKGROUND = tuple(s.name for s in _CATALOGUE if s.role == "background")
ALL = tuple(_BY_NAME)

PROCESSES = {
    p.name: p
    for p in (
        Process("ttbar", r"$t\bar{t}$", "#CC79A7", "\\\\\\"),
        Process("Z", r"$Z \to \ell\ell$", "#009E73", "..."),
        Process("ZZ", r"$ZZ^{*} \to 4\ell$", "#2C94D1", ""),
        Process("Higgs", r"$H \to ZZ^{*} \to 4\ell$", "#D55E00", "///"),
        Process("data", "data", "#000000", ""),
    )
}
"""The physics processes in the order in which they are stacked, the signal on top."""


class Located(NamedTuple):
    """Where a sample was found: its files, and what they are (see `source`)."""

    paths: tuple[Path, ...]
    source: str


def get(name: str) -> Sample:
    """Return the sample called ``name``.

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
    lower = {known.lower(): known for known in ALL}
    near = [lower[match] for match in difflib.get_close_matches(str(name).lower(), lower, n=2, cutoff=0.4)]
    raise UnknownSample(
        f"There is no sample {name!r}.",
        where="labcourse.samples",
        next_step=f"Did you mean {' or '.join(near)}?" if near else f"The samples are {', '.join(ALL)}.",
    )


def of_file(path: Path | str) -> Sample:
    """Return the sample to which a file of an official name belongs.

    Raises
    ------
    UnknownSample
        If the file has no official name.
    """
    for sample in _CATALOGUE:
        if Path(path).name in sample.files:
            return sample
    raise UnknownSample(
        f"{Path(path).name} is not the name of an official file.",
        where=str(path),
        next_step="Name it as the release does (for instance mc_363490.llll.4lep.root), or say which sample it is.",
    )


def locate(name: str) -> Located:
    """Find the files of a sample along the search path (see `labcourse.settings`).

    The four files of collision data are taken from one folder: real data and pseudo-data never mix.

    Raises
    ------
    UnknownSample
        If the catalogue has no such sample.
    MissingSample
        If no folder of the search path holds all its files.
    """
    sample = get(name)
    folders = settings.search_path()
    _say_what_is_used(tuple(folder for folder in folders[:-1] if folder != settings.official_folder()))
    for folder in folders:
        paths = tuple(folder / file for file in sample.files)
        if all(path.is_file() for path in paths):
            return Located(paths, source(folder, sample))
    raise MissingSample(
        f"The sample {name} was not found: no folder holds {', '.join(sample.files)}.",
        where=", ".join(str(folder) for folder in folders),
        next_step=f"{settings.get_back('data')} Or point LABCOURSE_DATA at the folder that has it.",
    )


def holds_samples(folder: Path) -> bool:
    """Say whether a folder holds any file of the catalogue."""
    return any((folder / file).is_file() for sample in _CATALOGUE for file in sample.files)


def by_source() -> dict[str, list[str]]:
    """Return the samples by what they are (see `source`); those that are nowhere are ``missing``."""
    found: dict[str, list[str]] = {}
    for name in ALL:
        try:
            found.setdefault(locate(name).source, []).append(name)
        except MissingSample:
            found.setdefault("missing", []).append(name)
    return found


@functools.cache
def _say_what_is_used(named: tuple[Path, ...]) -> None:
    """Say, once, which folders that somebody named are of no use, and what is mixed if they lack some samples."""
    for folder in named:
        if not holds_samples(folder):
            print(f"labcourse: {folder} holds none of the course's sample files: others are used.", file=sys.stderr)
    held = [s.name for s in _CATALOGUE if any(all((f / file).is_file() for file in s.files) for f in named)]
    if held and (others := [name for name in ALL if name not in held]):
        print(
            f"labcourse: your own files are those of {', '.join(held)} only; mixed with them are the course's of "
            f"{', '.join(others)} (`labcourse data where`).",
            file=sys.stderr,
        )


def fingerprint(name: str) -> str:
    """Return a text that changes when a sample's files do: source, names and their ROOT identifiers and sizes.

    Every ROOT file carries an identifier, made when it was written. Reading it costs a few bytes, whatever
    the size of the file. Of a sample that is nowhere it is ``missing``.
    """
    try:
        located = locate(name)
    except MissingSample:
        return "missing"
    parts = [f"{path.name}:{path.stat().st_size}:{_root_identifier(path)}" for path in located.paths]
    return " ".join([located.source, *parts])


def _root_identifier(path: Path) -> str:
    """Return the TUUID in the header of a ROOT file, as hexadecimal digits."""
    try:
        with path.open("rb") as stream:
            header = stream.read(100)
    except OSError as error:
        raise BadFile(
            f"{path.name} cannot be read: {error.strerror or error}.", where=str(path), next_step=get_again(path)
        ) from error
    if header[:4] != b"root" or len(header) < 79:
        raise BadFile(
            f"{path.name} is not a ROOT file.",
            where=str(path),
            next_step=get_again(path),
        )
    # The position of the identifier depends on whether the file uses 64-bit pointers (version >= 1000000).
    start = 63 if int.from_bytes(header[4:8], "big") >= 1_000_000 else 47
    return header[start : start + 16].hex()


def get_again(path: Path) -> str:
    """Say how to get a damaged file back: from the repository, or from wherever its folder came."""
    folder = path.absolute().parent
    if folder == settings.data_folder():
        return settings.get_back("data")
    if folder == settings.official_folder():
        return "Delete the file and get it again with `labcourse data download`."
    try:
        is_searched = folder in settings.search_path()
    except BadInput:  # a wrong setting is another error than this file's
        is_searched = False
    if not is_searched:
        return "Replace this file."
    return "Replace this file, or unset LABCOURSE_DATA (or what `labcourse data use` has set) to use the bundle."


def source(folder: Path, sample: Sample) -> str:
    """Say what the files of a sample in a folder are.

    ``bundle`` are the course's own, also in a copy, ``simulated`` those that a manifest in the folder lists,
    ``official`` those that were downloaded or that have the size of the release's, and ``foreign`` all others.

    Raises
    ------
    BadFile
        If that manifest is damaged.
    """
    if folder == settings.data_folder():
        return "bundle"
    here = [folder / file for file in sample.files if (folder / file).is_file()]
    if here and all(same_file(path, settings.data_folder() / path.name) for path in here):
        return "bundle"
    if (folder / MANIFEST).is_file():
        listed = {entry["file"] for entry in read_manifest(folder)}
        if set(sample.files) <= listed:
            return "simulated"
    if folder == settings.official_folder():
        return "official"
    return "official" if all(path.stat().st_size in _OFFICIAL_BYTES[path.name] for path in here) else "foreign"


def read_manifest(folder: Path) -> list[dict[str, Any]]:
    """Return what the manifest of a folder of simulated samples says of each file; ``file`` is its name.

    Raises
    ------
    BadFile
        If it is damaged, or may not be read.
    """
    path = folder / MANIFEST
    try:
        entries: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["files"]
        _ = [entry["file"] for entry in entries]
    except OSError as error:
        raise BadFile(
            f"The manifest of a sample folder cannot be read: {error.strerror or error}.",
            where=str(path),
            next_step="Ask its owner for the right to read it.",
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise BadFile(
            "The manifest of a sample folder is damaged.",
            where=str(path),
            next_step=get_again(path)
            if folder == settings.data_folder()
            else "Delete the file, and make the samples again with `labcourse simulate`.",
        ) from error
    return entries


def same_file(path: Path, other: Path) -> bool:
    """Say whether two ROOT files are copies of each other, by size and identifier."""
    try:
        return path.stat().st_size == other.stat().st_size and _root_identifier(path) == _root_identifier(other)
    except (OSError, BadFile):
        return False
