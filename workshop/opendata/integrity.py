"""What is there, from which source, and whether it is whole.

A file is ``whole`` (size and checksum of the release, or of its own manifest for simulated samples), ``another build``
(other bytes than the release of 2020-08-19, but it reads to its end and has the sample's channel and, where known, its
number of events), ``foreign`` (not the events that its name says), ``damaged`` (it cannot be read to its end, or has
other bytes than its manifest says) or ``missing``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from labcourse import ntuple, samples, settings
from labcourse.errors import BadFile, BadInput, ForeignFile, MissingSample
from labcourse.files import sha256
from workshop.opendata.manifest import Official, choose, is_whole, official

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


def verify(files: Iterable[Official] | None = None, folder: Path | None = None) -> list[Verdict]:
    """Check files to the last byte; return a verdict per file.

    Parameters
    ----------
    files : iterable of Official, optional
        From `choose`; by default those of the course, and whatever else of the collection was downloaded.
    folder : path, optional
        Where they are looked for; by default where the course reads them, and in `settings.official_folder`.

    Raises
    ------
    BadInput
        If there is no such folder.
    """
    if folder is not None:
        if not os.path.isdir(folder):
            raise BadInput(f"{folder} is not a folder.", next_step="Give a folder that holds ROOT files.")
        return [_verdict(file, folder) for file in (choose() if files is None else files)]
    downloads = settings.official_folder()
    named = choose() if files is None else list(files)
    pairs = [(file, _folder_of(file, downloads)) for file in named]
    # What was downloaded but is not read, since its sample is not complete or is found elsewhere first.
    more = official() if files is None else named
    pairs += [(file, downloads) for file in more if (downloads / file.name).is_file()]
    return [_verdict(file, place) for file, place in dict.fromkeys(pairs)]


def examine(path: Path, file: Official) -> tuple[str, str]:
    """Compare a file with the release; return its state and what was found."""
    if not path.is_file():
        return "missing", ""
    try:
        if is_whole(path, file):
            return "whole", ""
        if (size := path.stat().st_size) == file.bytes:
            return "damaged", f"its checksum is not {file.adler32}"
        events, channels = _survey(path, "data" if file.dsid is None else "simulated")
    except ForeignFile as error:
        return "foreign", error.what
    except BadFile as error:
        return "damaged", error.what
    except OSError as error:
        return "damaged", f"it cannot be read: {error.strerror or error}"
    if file.dsid is not None and channels != {file.dsid}:
        return "foreign", f"holds channel {', '.join(map(str, sorted(channels)[:3])) or 'none'}, not {file.dsid}"
    if file.events is not None and events != file.events:
        return "foreign", f"holds {events} events, not {file.events}"
    unsure = "" if file.events is not None else "; the release's number is not known here"
    return "another build", f"{size} bytes instead of {file.bytes}, {events} events{unsure}"


def _survey(path: Path, role: str) -> tuple[int, set[int]]:
    """Read every branch to its end; return the number of events and the values of ``channelNumber``."""
    import numpy as np

    events, channels = 0, set[int]()
    for chunk in ntuple.chunks(path, ntuple.needed(role), None):
        values = np.asarray(chunk["channelNumber"])
        events += len(values)
        channels |= set(np.unique(values).tolist())
    return events, channels


def _verdict(file: Official, folder: Path) -> Verdict:
    path = folder / file.name
    if not os.path.isfile(path):
        return Verdict(file.name, file.sample, "–", "missing", "", str(folder))
    source = samples.source(folder, samples.get(file.sample)) if file.sample in samples.ALL else "official"
    try:
        if source in ("official", "foreign"):
            state, detail = examine(path, file)
        elif sha256(path) == ntuple.recorded_sha256(path):
            state, detail = "whole", ""
        else:
            state, detail = "damaged", f"its bytes are not those that {samples.MANIFEST} says"
    except OSError as error:
        state, detail = "damaged", f"it cannot be read: {error.strerror or error}"
    return Verdict(file.name, file.sample, source, state, detail, str(folder))


def _folder_of(file: Official, otherwise: Path) -> Path:
    try:
        return samples.locate(file.sample).paths[0].parent if file.sample in samples.ALL else otherwise
    except MissingSample:
        return otherwise
