"""What is there, from which source, and whether it is whole.

A file is ``whole`` (size and checksum of the release, or of its own manifest for simulated samples), ``another build``
(other bytes than the release of 2020-08-19, but it reads to its end and has the sample's channel and, where known, its
number of events), ``foreign`` (not the events that its name says), ``damaged`` (it cannot be read to its end, or has
other bytes than its manifest says) or ``missing``.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from labcourse import ntuple, samples, settings
from labcourse.errors import BadFile, ForeignFile, MissingSample
from labcourse.files import sha256
from workshop.opendata.manifest import Official, choose, is_whole

GOOD = ("whole", "another build")
"""The states in which the course can use a file."""


class Verdict(NamedTuple):
    """A file: its sample, where it comes from, its state, and what was found if it is not whole."""

    file: str
    sample: str
    source: str
    state: str
    detail: str
    folder: str


def verify(names: Iterable[str] = (), release: str = "2020") -> list[Verdict]:
    """Check files to the last byte where the course reads them, and in `settings.official_folder`; a verdict per file.

    ``names`` are those of `manifest.choose`; by default the samples of the course, and whatever else of the collection
    was downloaded; of the ``release`` 2025 what is nowhere is left out by default.
    """
    named, downloads = choose(names, release), settings.official_folder(release)
    if not names and release != "2020":
        named = [file for file in named if file.sample in samples.names(release)]
    pairs = [(file, _folder_of(file, downloads)) for file in named]
    # What was downloaded but is not read, since its sample is not complete or is found elsewhere first.
    others = named if names else choose(["all"], release)
    pairs += [(file, downloads) for file in others if (downloads / file.name).is_file()]
    return [_verdict(file, place) for file, place in dict.fromkeys(pairs)]


def examine(path: Path, file: Official) -> tuple[str, str]:
    """Compare a file with the release; return its state and what was found. Raises OSError if the disk refuses."""
    if is_whole(path, file):
        return "whole", ""
    if (size := path.stat().st_size) == file.bytes:
        return "damaged", f"its checksum is not {file.adler32}"
    events, channels = 0, set[int]()
    try:
        for _, chunk in ntuple.chunks(path, "data" if file.dsid is None else "simulated", None):
            events += len(chunk["channelNumber"])
            channels |= set(np.unique(chunk["channelNumber"]).tolist())
    except ForeignFile as error:
        return "foreign", error.what
    except BadFile as error:
        return "damaged", error.what
    if file.dsid is not None and channels != {file.dsid}:
        return "foreign", f"holds channel {', '.join(map(str, sorted(channels)[:3])) or 'none'}, not {file.dsid}"
    if file.events is not None and events != file.events:
        return "foreign", f"holds {events} events, not {file.events}"
    unsure = "" if file.events is not None else "; the release's number is not known here"
    return "another build", f"{size} bytes instead of {file.bytes}, {events} events{unsure}"


def _verdict(file: Official, folder: Path) -> Verdict:
    path, source, state, detail = folder / file.name, "–", "missing", ""
    if path.is_file():
        source = samples.source(folder, samples.get(file.sample)) if _is_read(file) else "official"
        try:
            if source in ("official", "foreign"):
                state, detail = examine(path, file)
            elif sha256(path) == ntuple.recorded_sha256(path):
                state = "whole"
            else:
                state, detail = "damaged", f"its bytes are not those that {samples.MANIFEST} says"
        except OSError as error:
            state, detail = "damaged", f"it cannot be read: {error.strerror or error}"
    return Verdict(file.name, file.sample, source, state, detail, str(folder))


def _folder_of(file: Official, otherwise: Path) -> Path:
    try:
        return samples.locate(file.sample).paths[0].parent if _is_read(file) else otherwise
    except MissingSample:
        return otherwise


def _is_read(file: Official) -> bool:
    return file.sample in samples.ALL or file.sample in samples.names("2025")
