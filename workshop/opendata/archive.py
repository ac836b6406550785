"""The collection handed over as a zip file: only what is official leaves it, and only whole.

An archive may come from anywhere. No path of it is used: a file goes by its official name into the chosen folder, and
no more bytes are unpacked than the release says. A zip of the earlier build of January 2020 is in circulation, whose
files are a little smaller: they are read to their end and must hold the sample that they are named after.
"""

from __future__ import annotations

import shutil
import struct
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

from labcourse.errors import BadFile, LabCourseError
from labcourse.files import atomic_write, remove_temporaries
from workshop.opendata.integrity import GOOD, examine
from workshop.opendata.manifest import Official
from workshop.opendata.transfer import Outcome, Report, bring

_FAULTS = (zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError, ValueError, RuntimeError)


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
    try:
        with zipfile.ZipFile(archive) as opened:
            # Windows' own zip program writes paths with \\.
            entries = {info.filename.replace("\\", "/").rpartition("/")[2]: info for info in opened.infolist()}

            def get(file: Official, _: Report) -> Outcome:
                if file.name not in entries:
                    return Outcome(file.name, file.sample, "failed", 0, note="not in the archive")
                state = _extract(opened, entries[file.name], file, folder)
                size, note = entries[file.name].file_size, "" if state == "whole" else state
                return Outcome(file.name, file.sample, "unpacked", size, str(archive), note)

            return bring(files, folder, get)
    except LabCourseError:
        raise
    except _FAULTS as error:
        raise _bad(archive, f"it cannot be read, is damaged, encrypted or no zip file ({error})") from error


def _extract(opened: zipfile.ZipFile, info: zipfile.ZipInfo, file: Official, folder: Path) -> str:
    """Write one file whole or not at all; return its state (see `integrity`)."""
    archive, state, detail = Path(opened.filename or ""), "", ""
    if not file.bytes // 2 <= info.file_size <= file.bytes:
        raise _bad(archive, f"{file.name} has {info.file_size} bytes instead of {file.bytes}")

    def write(temporary: Path) -> None:
        nonlocal state, detail
        with opened.open(info) as source, temporary.open("wb") as target:
            shutil.copyfileobj(source, target)  # never more bytes than the entry's size
        state, detail = examine(temporary, file)
        if state not in GOOD:
            raise _bad(archive, f"{file.name} is {state} ({detail})")

    remove_temporaries(folder / file.name)
    atomic_write(folder / file.name, write)
    (folder / file.part).unlink(missing_ok=True)
    return state


def _bad(archive: Path, why: str) -> BadFile:
    return BadFile(
        f"{archive.name} was not unpacked: {why}.",
        where=str(archive),
        next_step="Get the zip file again, or use `labcourse data download`. No file that was whole has changed.",
    )
