"""The collection handed over as a zip file: only what is official leaves it, and only whole.

An archive may come from anywhere. No path of it is used: a file goes by its official name into the chosen folder, and
no more bytes are unpacked than the release says. A zip of the earlier build of January 2020 is in circulation, whose
files are a little smaller: they are read to their end and must hold the sample that they are named after.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from labcourse.errors import BadFile, LabCourseError
from labcourse.files import alone_in, atomic_write, remove_temporaries
from workshop.opendata.integrity import GOOD, examine
from workshop.opendata.manifest import Official, is_whole
from workshop.opendata.transfer import Outcome, bar, find_missing


def unpack(archive: Path, files: Sequence[Official], folder: Path) -> list[Outcome]:
    """Unpack official files from a zip file into a folder; return an outcome per file, in the given order.

    What the folder holds whole already stays as it is. Files that the archive lacks are outcomes with the state
    ``failed``.

    Raises
    ------
    BadFile
        If the archive is damaged or encrypted, or a file has another size or checksum than the release's and is no
        sound file of another build. Files that were unpacked before the fault was met are whole and stay; nothing
        else is changed.
    StorageError
        If the disk has too little room or refuses.
    """
    with _faults_of(archive):
        opened = zipfile.ZipFile(archive)
    # Windows' own zip program writes paths with \\.
    entries = {info.filename.replace("\\", "/").rpartition("/")[2]: info for info in opened.infolist()}
    outcomes = []
    with opened, alone_in(folder, "download"), bar(files) as report:
        missing = find_missing([file for file in files if file.name in entries], folder)
        for file in files:
            outcome = Outcome(file.name, file.sample, "already whole", file.bytes)
            if file.name not in entries and not is_whole(folder / file.name, file):
                outcome = outcome._replace(state="failed", bytes=0, note="not in the archive")
            elif file in missing:
                note = _extract(opened, entries[file.name], file, folder)
                size = entries[file.name].file_size
                outcome = outcome._replace(state="unpacked", bytes=size, origin=str(archive), note=note)
            report(file.name, outcome.bytes, "")
            outcomes.append(outcome)
    return outcomes


@contextmanager
def _faults_of(archive: Path) -> Iterator[None]:
    """Raise `BadFile` for whatever is wrong with the archive while it is read."""
    try:
        yield
    except LabCourseError:
        raise
    except OSError as error:
        raise _bad(archive, f"it cannot be read ({error.strerror or error})") from error
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, RuntimeError) as error:
        raise _bad(archive, f"it is damaged, cut short, encrypted or no zip file ({error})") from error


def _extract(opened: zipfile.ZipFile, info: zipfile.ZipInfo, file: Official, folder: Path) -> str:
    """Write one file whole or not at all; return ``another build`` if it is one, or an empty text."""
    archive = Path(opened.filename or "")
    if not file.bytes // 2 <= info.file_size <= file.bytes:
        raise _bad(archive, f"{file.name} has {info.file_size} bytes instead of {file.bytes}")
    state = ""

    def write(temporary: Path) -> None:
        nonlocal state
        with temporary.open("wb") as target:
            for block in _blocks(opened, info, archive):  # never more bytes than the entry's size
                target.write(block)
        state, detail = examine(temporary, file)
        if state not in GOOD:
            raise _bad(archive, f"{file.name} is {state} ({detail})")

    remove_temporaries(folder / file.name)
    atomic_write(folder / file.name, write)
    (folder / file.part).unlink(missing_ok=True)
    return "" if state == "whole" else state


def _blocks(opened: zipfile.ZipFile, info: zipfile.ZipInfo, archive: Path) -> Iterator[bytes]:
    with _faults_of(archive), opened.open(info) as source:
        while block := source.read(1 << 20):
            yield block


def _bad(archive: Path, why: str) -> BadFile:
    return BadFile(
        f"{archive.name} was not unpacked: {why}.",
        where=str(archive),
        next_step="Get the zip file again, or use `labcourse data download`. No file that was whole has changed.",
    )
