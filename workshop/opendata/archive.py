"""The collection handed over as a zip file: only what is official leaves it, and only whole.

An archive may come from anywhere. Nothing is written before its table of contents was judged, no path of it
is used (a file goes by its official name into the chosen folder), and no more bytes are unpacked than
the release says. A zip of the earlier build of January 2020 is in circulation, whose files are a little smaller: they
are read to their end and must hold the sample that they are named after.
"""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from labcourse.errors import BadFile, LabCourseError
from labcourse.files import alone_in, atomic_write, remove_temporaries
from workshop.opendata.download import FileReport, Outcome, bar, check_room
from workshop.opendata.integrity import examine
from workshop.opendata.manifest import Official, is_whole
from workshop.opendata.transfer import storage_errors

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Ways of compression that need little memory; the others let an archive ask for gigabytes."""

_ENCRYPTED = 0x1
_LOCAL_HEADER = 30
_BLOCK = 1 << 20


def unpack(archive: Path, files: Sequence[Official], folder: Path, *, progress: bool = True) -> list[Outcome]:
    """Unpack official files from a zip file into a folder; return an outcome a file, in the given order.

    What the folder holds whole already stays as it is. Files that the archive lacks are outcomes with the state
    ``failed``.

    Raises
    ------
    BadFile
        If the archive is damaged or not what it should be: a path that leaves the folder, a link, an encrypted,
        repeated or overlapping entry, another checksum than the release's, another build that is not sound. Files
        that were unpacked before the fault was met are whole and stay; nothing else is changed.
    StorageError
        If the disk has too little room or refuses.
    """
    with _faults_of(archive):
        opened = zipfile.ZipFile(archive)
    with opened:
        with _faults_of(archive):
            entries = _judge(opened.infolist(), {file.name: file for file in files}, archive)
        with alone_in(folder, "download"), bar(progress, sum(file.bytes for file in files)) as report:
            with storage_errors(folder):
                whole = {file for file in files if is_whole(folder / file.name, file)}
            todo = [file for file in files if file.name in entries and file not in whole]
            check_room(folder, todo, goes_on=False)
            outcomes = []
            for file in files:
                row = Outcome(file.name, file.sample, "already whole", file.bytes)
                if file in todo:
                    note = _extract(opened, entries[file.name], file, folder, report)
                    size = entries[file.name].file_size
                    row = row._replace(state="unpacked", bytes=size, origin=str(archive), note=note)
                elif file not in whole:
                    row = row._replace(state="failed", bytes=0, note="not in the archive")
                report(file.name, file.bytes)
                outcomes.append(row)
        return outcomes


@contextmanager
def _faults_of(archive: Path) -> Iterator[None]:
    """Raise `BadFile` for whatever is wrong with the archive while it is read."""
    try:
        yield
    except LabCourseError:
        raise
    except FileNotFoundError as error:
        raise BadFile(f"{archive} does not exist.", next_step="Give the path of the zip file.") from error
    except OSError as error:
        raise _bad(archive, f"it cannot be read ({error.strerror or error})") from error
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, NotImplementedError) as error:
        raise _bad(archive, f"it is damaged, cut short or no zip file ({error})") from error


def _judge(infos: list[zipfile.ZipInfo], wanted: dict[str, Official], archive: Path) -> dict[str, zipfile.ZipInfo]:
    """Return the entry of each wanted file that the archive has, or raise if any is not as it should be."""
    chosen: dict[str, zipfile.ZipInfo] = {}
    end = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        path = PurePosixPath(info.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or info.filename[1:2] == ":":
            raise _bad(archive, f"the path {info.filename!r} leads out of the folder")
        if info.header_offset < end:
            raise _bad(archive, f"{info.filename!r} overlaps with the entry before it")
        end = info.header_offset + _LOCAL_HEADER + info.compress_size
        file = wanted.get(path.name)
        if file is None or info.is_dir():
            continue
        mode = info.external_attr >> 16
        if file.name in chosen:
            raise _bad(archive, f"it holds {file.name} twice")
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
            raise _bad(archive, f"{info.filename!r} is a link or another special file")
        if info.flag_bits & _ENCRYPTED:
            raise _bad(archive, f"{info.filename!r} is encrypted")
        if info.compress_type not in _METHODS:
            raise _bad(archive, f"{info.filename!r} is compressed in a way that the collection does not use")
        if not file.bytes // 2 <= info.file_size <= file.bytes:
            raise _bad(archive, f"{file.name} has {info.file_size} bytes instead of {file.bytes}")
        chosen[file.name] = info
    return chosen


def _extract(opened: zipfile.ZipFile, info: zipfile.ZipInfo, file: Official, folder: Path, report: FileReport) -> str:
    """Write one file whole or not at all, whatever the entry declares; return what is to be said of it."""
    archive, said = Path(opened.filename or ""), ""

    def write(temporary: Path) -> None:
        nonlocal said
        size, sum_so_far = 0, 1
        with temporary.open("wb") as target:
            for block in _blocks(opened, info, archive):
                size += len(block)
                if size > info.file_size:
                    raise _bad(archive, f"{file.name} unpacks to more than its {info.file_size} bytes")
                sum_so_far = zlib.adler32(block, sum_so_far)
                target.write(block)
                report(file.name, size)
        if size == file.bytes:
            if f"{sum_so_far:08x}" != file.adler32:
                raise _bad(archive, f"{file.name} has the checksum {sum_so_far:08x} instead of {file.adler32}")
            return
        said, detail = examine(temporary, file)
        if said != "another build":
            raise _bad(archive, f"{file.name} is {said}" + (f" ({detail})" if said == "foreign" else ""))

    with storage_errors(folder / file.name):
        remove_temporaries(folder / file.name)
        atomic_write(folder / file.name, write)
        if not said:
            (folder / file.part).unlink(missing_ok=True)
    return said


def _blocks(opened: zipfile.ZipFile, info: zipfile.ZipInfo, archive: Path) -> Iterator[bytes]:
    with _faults_of(archive), opened.open(info) as source:
        while block := source.read(_BLOCK):
            yield block


def _bad(archive: Path, why: str) -> BadFile:
    return BadFile(
        f"{archive.name} was not unpacked: {why}.",
        where=str(archive),
        next_step="Get the zip file again, or use `labcourse data download`. No file that was whole has changed.",
    )
