"""One file from the first mirror that gives it whole: asked for until it is complete, checked, and put in its place.

The bytes go to ``NAME.part``. It may end anywhere, also by kill -9 or a power cut: the next transfer goes
on behind its last byte, from whichever mirror, and only size and checksum of the whole decide whether it
becomes ``NAME``.
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from labcourse.errors import StorageError
from workshop.opendata.manifest import Official, checksum
from workshop.opendata.request import Interrupted, Patience, Refused, Report, Request, Stopped, size_of

if TYPE_CHECKING:
    import httpx


@dataclass
class Transfer:
    """Fetches files with one HTTP client; used by several threads at once.

    Parameters
    ----------
    client : httpx.Client
        Made by `open_client`.
    mirrors : list of str
        Asked in this order.
    sleep : callable
        Waits for so many seconds. By default it ends at once when ``stop`` is set.
    """

    client: httpx.Client
    mirrors: list[str]
    patience: Patience = field(default_factory=Patience)
    rng: random.Random = field(default_factory=random.Random)
    stop: threading.Event = field(default_factory=threading.Event)
    sleep: Callable[[float], object] | None = None
    unreachable: set[str] = field(default_factory=set)

    def fetch(self, file: Official, folder: Path, report: Report) -> tuple[str, list[str]]:
        """Bring ``file`` whole into ``folder``; return the mirror that gave it, and what went wrong before.

        If no mirror has it whole, the first is empty; what was received is kept, unless its checksum was wrong.

        Raises
        ------
        StorageError
            If it cannot be written.
        Stopped
            If ``stop`` was set.
        """
        part, notes = folder / file.part, list[str]()
        for mirror in self.mirrors:
            if mirror in self.unreachable:
                notes.append(f"{_shown(mirror)} could not be reached")
                continue
            try:
                with storage_errors(part):
                    self._from_mirror(mirror, file, part, report, notes)
                    _put_in_place(part, folder / file.name)
                return mirror, notes
            except Refused as refused:
                notes.append(f"{_shown(mirror)} {refused}")
        return "", notes

    def _from_mirror(self, mirror: str, file: Official, part: Path, report: Report, notes: list[str]) -> None:
        """Complete ``part`` from one mirror, its checksum included."""
        request = Request(self.client, f"{mirror}/{file.path}", file, part, report, self.stop)
        if part.is_symlink():
            part.unlink()  # in a folder of several users it could lead to any file of this one
        own = size_of(part) == 0  # whether all bytes of the part come from this mirror
        furthest, failures = size_of(part), 0
        while True:
            try:
                if size_of(part) > file.bytes:
                    part.unlink()
                    own, furthest = True, 0
                if not part.exists() or size_of(part) < file.bytes:
                    request.run()
                found = checksum(part)
                if found == file.adler32:
                    return
                part.unlink()
                report(0)
                what = f"wrong checksum {found} instead of {file.adler32}, deleted"
                if own or request.gave_all:
                    raise Refused(f"sent a {what}")
                notes.append(f"what was here before: {what}")
                own, furthest, failures = True, 0, 0
            except Interrupted as interrupted:
                failures = 0 if size_of(part) > furthest else failures + 1
                furthest = max(furthest, size_of(part))
                if failures >= self.patience.attempts:
                    if not interrupted.connected:
                        self.unreachable.add(mirror)
                    raise Refused(f"{interrupted}, {failures} times in a row") from interrupted
                report(size_of(part), f"{_shown(mirror)} {interrupted}, asking again")
                self._wait(failures, interrupted.after)

    def _wait(self, failures: int, after: float) -> None:
        if after > self.patience.longest_wait:
            raise Refused(f"asks to come back in {after:.0f} s")
        longest = min(self.patience.longest_wait, self.patience.wait * 2 ** max(0, failures - 1))
        (self.sleep or self.stop.wait)(max(after, longest * self.rng.uniform(0.5, 1.0)))
        if self.stop.is_set():
            raise Stopped


def _shown(mirror: str) -> str:
    """A mirror's host: an address may hold a password."""
    return urlsplit(mirror).hostname or mirror


def _put_in_place(part: Path, target: Path) -> None:
    with part.open("rb+") as stream:
        os.fsync(stream.fileno())
    os.replace(part, target)


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Raise `StorageError` for what the disk refuses.

    Raises
    ------
    StorageError
        Naming the file and its folder.
    """
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{path.name} could not be read or written: {error.strerror or error}.",
            where=str(path.parent),
            next_step="Make room on the disk or choose another folder (--out); what was received is kept.",
        ) from error
