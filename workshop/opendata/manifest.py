"""What the official collection holds: names, sizes and checksums of its files, and the addresses that offer them."""

from __future__ import annotations

import json
import os
import re
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from labcourse import samples
from labcourse.errors import BadInput, UnknownSample

_MANIFEST = json.loads(Path(__file__).with_name("manifest.json").read_text("utf-8"))


class Official(NamedTuple):
    """One file of the collection: its address below a mirror, and what its bytes must be.

    ``adler32`` is the checksum of the release, as eight hexadecimal digits; ``events`` is known for the
    samples of the course.
    """

    path: str
    bytes: int
    adler32: str
    events: int | None = None

    @property
    def name(self) -> str:
        """The name of the file, without folders."""
        return self.path.rpartition("/")[2]

    @property
    def part(self) -> str:
        """The name under which it is kept while it is not whole."""
        return f"{self.name}.part"

    @property
    def sample(self) -> str:
        """The sample that the file belongs to: ``data``, or the name that follows the DSID."""
        return "data" if self.name.startswith("data_") else self.name.split(".")[1]

    @property
    def dsid(self) -> int | None:
        """The dataset identifier of simulated events, None for collision data."""
        return None if self.sample == "data" else int(self.name.partition(".")[0].removeprefix("mc_"))


OFFICIAL = tuple(Official(**entry) for entry in _MANIFEST["files"])
"""The 4-lepton collection of the ATLAS Open Data of 2020 (CERN Open Data record 15005)."""


def choose(names: Iterable[str] = ()) -> list[Official]:
    """Return the files of samples, in the order of the collection.

    Parameters
    ----------
    names : iterable of str
        Samples (also those that the course does not use), names of files, or ``all``; by default the samples of the
        course.

    Raises
    ------
    UnknownSample
        If there is none of such a name.
    """
    wanted = set(names) or set(samples.ALL)
    known = {name for file in OFFICIAL for name in (file.sample, file.name)} | {"all"}
    if unknown := sorted(wanted - known):
        raise UnknownSample(
            f"The official collection has no sample {unknown[0]!r}.",
            where="labcourse data",
            next_step="`labcourse data verify --samples all` shows all of them.",
        )
    return [file for file in OFFICIAL if wanted & {file.sample, file.name, "all"}]


def mirrors(given: Iterable[str] = ()) -> list[str]:
    """Return the addresses to download from, in order: those given, else ``LABCOURSE_MIRROR``, else those of CERN.

    A mirror is the folder that holds ``Data/`` and ``MC/``; several in ``LABCOURSE_MIRROR`` are separated
    by spaces.

    Raises
    ------
    BadInput
        If one of them is not an http or https address.
    """
    named = list(given) or os.environ.get("LABCOURSE_MIRROR", "").split() or _MANIFEST["mirrors"]
    for address in named:
        if not re.match(r"https?://\w", address):
            raise BadInput(
                f"{address} is not the address of a mirror.",
                where="--mirror or LABCOURSE_MIRROR",
                next_step="Give a folder that holds Data/ and MC/, such as https://my.school/atlas/4lep.",
            )
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
    """Say whether a file has the size and the checksum of the release."""
    return path.is_file() and path.stat().st_size == file.bytes and checksum(path) == file.adler32
