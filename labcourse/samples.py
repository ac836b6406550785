"""Where the samples of the catalogue are found, and from which source; all of `labcourse.catalogue` is here, too."""

from __future__ import annotations

import functools
import hashlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from labcourse import settings
from labcourse.catalogue import CATALOGUE, LUMINOSITY, PROCESSES, SIGNAL, Process, Sample, get, of_file
from labcourse.errors import BadFile, BadInput, MissingSample
from labcourse.files import read_json

__all__ = ["ALL", "BACKGROUND", "CATALOGUE", "LUMINOSITY", "MANIFEST", "PROCESSES", "SIGNAL", "SIMULATED"]
__all__ += ["Located", "Process", "Sample", "fingerprint", "get", "get_again", "holds_samples", "locate"]
__all__ += ["of_file", "read_manifest", "same_file", "source"]

MANIFEST = "manifest.json"
"""In a folder of simulated samples: which file is what, how it was made, and its checksum."""

_ROLES = {"BACKGROUND": ("background",), "SIMULATED": ("signal", "background"), "ALL": ("signal", "background", "data")}

if TYPE_CHECKING:
    SIMULATED: tuple[str, ...]
    BACKGROUND: tuple[str, ...]
    ALL: tuple[str, ...]
else:

    def __getattr__(name: str) -> tuple[str, ...]:
        """Return the names of the samples of a kind, the optional ones among them that are found now."""
        if name not in _ROLES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return tuple(s.name for s in CATALOGUE if s.role in _ROLES[name] and (_folder(s) or not s.optional))


class Located(NamedTuple):
    """Where a sample was found: its files, and what they are (see `source`)."""

    paths: tuple[Path, ...]
    source: str


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
    sample, folders = get(name), settings.search_path()
    _say_what_is_used(tuple(folder for folder in folders[:-1] if folder != settings.official_folder()))
    folder = _folder(sample)
    if folder is None:
        raise MissingSample(
            f"The sample {name} was not found: no folder holds {', '.join(sample.files)}.",
            where=", ".join(map(str, folders)),
            next_step=f"{settings.get_back('data')} Or point LABCOURSE_DATA at the folder that has it.",
        )
    return Located(tuple(folder / file for file in sample.files), source(folder, sample))


def _folder(sample: Sample) -> Path | None:
    """The first folder of the search path that holds all files of a sample."""
    try:
        folders = settings.search_path()
    except BadInput:  # a wrong setting, which whoever reads a sample is told of
        folders = [settings.data_folder()]
    return next((folder for folder in folders if all((folder / file).is_file() for file in sample.files)), None)


def holds_samples(folder: Path) -> bool:
    """Say whether a folder holds any file of the catalogue."""
    return any((folder / file).is_file() for sample in CATALOGUE for file in sample.files)


@functools.cache
def _say_what_is_used(named: tuple[Path, ...]) -> None:
    """Say, once, which folders that somebody named are of no use, and what is mixed if they lack some samples."""
    for folder in named:
        if not holds_samples(folder):
            print(f"labcourse: {folder} holds none of the course's sample files: others are used.", file=sys.stderr)
    own = [s.name for s in CATALOGUE if any(all((f / file).is_file() for file in s.files) for f in named)]
    if own and (others := [s.name for s in CATALOGUE if s.name not in own and not s.optional]):
        print(
            f"labcourse: your own files are those of {', '.join(own)} only; mixed with them are the course's of "
            f"{', '.join(others)} (`labcourse data where`).",
            file=sys.stderr,
        )


def fingerprint(name: str) -> str:
    """Return a text that changes when a sample's files do: their source, and a checksum of names, sizes and headers.

    The header of every ROOT file has an identifier, made when it was written. Of a sample that is nowhere the text is
    ``missing``.

    Raises
    ------
    BadFile
        If a file may not be read.
    """
    try:
        paths, source = locate(name)
    except MissingSample:
        return "missing"
    content = "".join(f"{path.name} {path.stat().st_size} {_header(path).hex()}\n" for path in paths)
    return f"{source} {hashlib.sha256(content.encode()).hexdigest()}"


def _header(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(100)
    except OSError as error:
        what = f"{path.name} cannot be read: {error.strerror or error}."
        raise BadFile(what, where=str(path), next_step=get_again(path)) from error


def same_file(path: Path, other: Path) -> bool:
    """Say whether two ROOT files are copies of each other, by size and header."""
    try:
        return path.stat().st_size == other.stat().st_size and _header(path) == _header(other)
    except (OSError, BadFile):
        return False


def get_again(path: Path) -> str:
    """Say how to get a damaged file back: from the repository, or from wherever its folder came."""
    folder = path.absolute().parent
    if folder == settings.data_folder():
        return settings.get_back("data")
    if folder == settings.official_folder():
        return "Delete the file and get it again with `labcourse data download`."
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
    here = [folder / file for file in sample.files if (folder / file).is_file()]
    if folder == settings.data_folder() or (
        here and all(same_file(path, settings.data_folder() / path.name) for path in here)
    ):
        return "bundle"
    if (folder / MANIFEST).is_file() and set(sample.files) <= {entry["file"] for entry in read_manifest(folder)}:
        return "simulated"
    is_official = all(path.stat().st_size in sample.official_bytes for path in here)
    return "official" if is_official or folder == settings.official_folder() else "foreign"


def read_manifest(folder: Path) -> list[dict[str, Any]]:
    """Return what the manifest of a folder of simulated samples says of each file; ``file`` is its name.

    Raises
    ------
    BadFile
        If it is damaged, or may not be read.
    """
    path = folder / MANIFEST
    try:
        entries: list[dict[str, Any]] = read_json(path)["files"]
        _ = {entry["file"] for entry in entries}
    except (OSError, ValueError, KeyError, TypeError) as error:
        again = "Delete the file, and make the samples again with `labcourse simulate`."
        raise BadFile(
            f"The manifest of a sample folder is damaged, or may not be read: {error}.",
            where=str(path),
            next_step=get_again(path) if folder == settings.data_folder() else again,
        ) from error
    return entries
