"""What the official collections hold: names, sizes and checksums of files, and the addresses that offer them."""

from __future__ import annotations

import json
import os
import re
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from labcourse import samples
from labcourse.errors import UnknownSample

_MANIFEST = json.loads(Path(__file__).with_name("manifest.json").read_text("utf-8"))


class Official(NamedTuple):
    """One file of a collection: its address below a mirror, and what its bytes must be.

    ``adler32`` is the checksum of the release, as eight hexadecimal digits, or None for the few of 2025 that have none
    there; ``events`` is known for the samples of the course. ``sample`` is ``data`` or the name behind the dataset
    identifier ``dsid``, in 2025 that of the table; collision data have no identifier.
    """

    path: str
    bytes: int
    adler32: str | None
    events: int | None = None
    sample: str = "data"
    dsid: int | None = None

    @property
    def name(self) -> str:
        """The name of the file, without folders."""
        return self.path.rpartition("/")[2]

    @property
    def part(self) -> str:
        """The name under which it is kept while it is not whole."""
        return f"{self.name}.part"


def _of_2020(entry: dict[str, Any]) -> Official:
    file = Official(**entry)
    if simulated := re.match(r"mc_(\d+)\.(\w+)", file.name):
        return file._replace(dsid=int(simulated[1]), sample=simulated[2])
    return file


OFFICIAL = tuple(map(_of_2020, _MANIFEST["files"]))
"""The 4-lepton collection of the ATLAS Open Data of 2020 (CERN Open Data record 15005)."""

OFFICIAL_2025 = tuple(
    Official(*file)._replace(sample=row["sample"][0], dsid=row["sample"][1] or None)
    for row in samples.TABLE_2025["samples"]
    for file in row["files"]
)
"""The files with exactly four leptons of the release of 2025."""

_RELEASES = {"2020": (OFFICIAL, _MANIFEST["mirrors"]), "2025": (OFFICIAL_2025, samples.TABLE_2025["mirrors"])}


def choose(names: Iterable[str] = (), release: str = "2020") -> list[Official]:
    """Return the files of samples, in the order of the collection.

    Parameters
    ----------
    names : iterable of str
        Samples (also those that the course does not use), names of files, or ``all``; by default the samples of the
        course, and of 2025 all.
    release : str
        ``2020`` or ``2025``.

    Raises
    ------
    UnknownSample
        If there is none of such a name.
    BadInput
        If there is no such release.
    """
    samples.names(release, "none")  # raises
    official, _ = _RELEASES[release]
    wanted = set(names) or (set(samples.ALL) if release == "2020" else {"all"})
    known = {name for file in official for name in (file.sample, file.name)} | {"all"}
    if unknown := sorted(wanted - known):
        raise UnknownSample(
            f"The official collection has no sample {unknown[0]!r}.",
            where="labcourse data",
            next_step="`labcourse data verify --samples all` shows all of them.",
        )
    return [file for file in official if wanted & {file.sample, file.name, "all"}]


def mirrors(given: Iterable[str] = (), release: str = "2020") -> list[str]:
    """Return the addresses to download from, in order: those given, else ``LABCOURSE_MIRROR``, else those of CERN.

    A mirror is the folder that holds ``Data/`` and ``MC/``, of 2025 the files; several in ``LABCOURSE_MIRROR`` are
    separated by spaces.
    """
    named = list(given) or os.environ.get("LABCOURSE_MIRROR", "").split() or _RELEASES[release][1]
    return [address.rstrip("/") for address in named]


def checksum(path: Path) -> str:
    """Return the adler32 of a file as eight hexadecimal digits.

    adler32 finds accidents of transfer and storage, which is what the release publishes it for; that
    nobody changed a file on purpose is what https stands for.
    """
    value = 1
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            value = zlib.adler32(block, value)
    return f"{value:08x}"


def is_whole(path: Path, file: Official) -> bool:
    """Say whether a file has the size of the release and its checksum, if there is one: else the size must do."""
    is_there = path.is_file() and path.stat().st_size == file.bytes
    return is_there and (file.adler32 is None or file.adler32 == checksum(path))
