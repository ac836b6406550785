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
from labcourse.errors import BadFile, ForeignFile
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
    """Check files to the last byte in every folder of the search path, and return a verdict for each that is there.

    ``names`` are those of `manifest.choose`; by default all of the collection. A file that is nowhere is ``missing`` if
    it was named, or is one of the samples of the course.
    """
    names = tuple(names)
    wanted, folders = choose(names or ["all"], release), settings.search_path(release)
    found = [_verdict(file, folder) for file in wanted for folder in folders if (folder / file.name).is_file()]
    absent = [file for file in wanted if file.name not in {verdict.file for verdict in found}]
    official = str(settings.official_folder(release))
    return found + [
        Verdict(file.name, file.sample, "–", "missing", "", official)
        for file in absent
        if names or file.sample in samples.names(release)
    ]


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
    path, state, detail = folder / file.name, "damaged", ""
    known = {sample.name: sample for sample in samples.CATALOGUE}
    source = samples.source(folder, known[file.sample]) if file.sample in known else "official"
    try:
        if source in ("official", "foreign"):
            state, detail = examine(path, file)
        else:
            ntuple.check_bytes(path)
            state = "whole"
    except BadFile as error:
        detail = error.what
    except OSError as error:
        detail = f"it cannot be read: {error.strerror or error}"
    return Verdict(file.name, file.sample, source, state, detail, str(folder))
