"""Official files, one after the other, each from the first mirror that gives it whole.

The bytes go to ``NAME.part``. It may end anywhere, also by kill -9 or a power cut: the next request goes on behind
its last byte, and only size and checksum of the whole decide whether it becomes ``NAME``.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import httpx

from labcourse import __version__
from labcourse.errors import LabCourseError, StorageError
from labcourse.files import alone_in, refused
from labcourse.progress import Line, seconds
from workshop.opendata.manifest import OFFICIAL_2025, Official, checksum, is_whole, mirrors

SPARE = 50_000_000
"""Bytes of the disk that a download leaves free."""

ATTEMPTS = 5
"""Requests in a row that bring a file no further before the next mirror is asked."""

Report = Callable[[str, int], None]
"""Is told a file's name, and how many bytes of it are there."""


class DownloadError(LabCourseError):
    """An official file that no mirror could hand over whole."""


class Outcome(NamedTuple):
    """What became of a file: ``downloaded``, ``already whole`` or ``failed``, and what to know of it."""

    file: str
    sample: str
    state: str
    bytes: int
    origin: str = ""
    note: str = ""


def download(files: Sequence[Official], folder: Path, *, from_mirrors: Iterable[str] = ()) -> list[Outcome]:
    """Bring official files whole into a folder, and return an outcome per file, in the given order.

    What is whole already is not fetched again, what broke off is continued. A file that fails is an outcome
    and does not keep the others from being tried.

    Parameters
    ----------
    files : sequence of Official
        From `choose`.
    folder : path
        Made if it does not exist.
    from_mirrors : iterable of str
        See `mirrors`.

    Raises
    ------
    StorageError
        If another process downloads into the folder, or the disk has too little room, which is found before anything
        is fetched, or refuses.
    KeyboardInterrupt
        At Ctrl-C. What was received is kept, and the next call goes on from there.
    """
    addresses = mirrors(from_mirrors, "2025" if set(files) & set(OFFICIAL_2025) else "2020")
    outcomes = []
    client = httpx.Client(
        timeout=httpx.Timeout(30, connect=10),  # seconds without a byte, and without an answer
        headers={"User-Agent": f"labcourse/{__version__}"},
        follow_redirects=True,
        max_redirects=5,
    )
    with client, alone_in(folder, "download"), Line() as line:
        report = _shown(files, line)
        try:
            missing = [file for file in files if not is_whole(folder / file.name, file)]
            needed = sum(max(0, file.bytes - _size(folder / file.part)) for file in missing)
            if needed and needed + SPARE > (free := shutil.disk_usage(folder).free):
                raise StorageError(
                    f"The files need {(needed + SPARE) / 1e6:.0f} MB and the disk has {free / 1e6:.0f} MB free.",
                    where=str(folder),
                    next_step="Make room, choose another folder (--out), or fewer samples (--samples).",
                )
            for file in files:
                outcome = Outcome(file.name, file.sample, "already whole", file.bytes)
                if file in missing:
                    outcome = _from_mirrors(client, addresses, file, folder, report)
                report(file.name, outcome.bytes)
                outcomes.append(outcome)
        except OSError as error:
            raise refused(folder, "The files could not be read or written", error) from error
    return outcomes


def _from_mirrors(client: httpx.Client, addresses: list[str], file: Official, folder: Path, report: Report) -> Outcome:
    """Try one mirror after the other; one that cannot be reached is taken out of ``addresses``."""
    notes: list[str] = []
    part = folder / file.part
    for address in list(addresses):
        host = re.sub(r"^\w+://([^/]*@)?|/.*", "", address) or address  # the address may hold a password
        error = _complete(client, f"{address}/{file.path}", file, part, report)
        if error is None:
            with part.open("rb+") as stream:
                os.fsync(stream.fileno())
            os.replace(part, folder / file.name)
            notes += [] if file.adler32 else ["no checksum is published: its size was checked"]
            return Outcome(file.name, file.sample, "downloaded", file.bytes, host, "; ".join(notes))
        notes.append(f"{host}: {_said(error)}")
        if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)):
            addresses.remove(address)
    return Outcome(file.name, file.sample, "failed", 0, "", "; ".join(notes) or "no mirror could be reached")


def _complete(client: httpx.Client, url: str, file: Official, part: Path, report: Report) -> Exception | None:
    """Ask one mirror until ``part`` is whole; return what went wrong last if it does not become so."""
    is_inherited, failures = _size(part) > 0, 0
    while not is_whole(part, file):
        if (before := _size(part)) >= file.bytes:
            wrong = ValueError(f"sends other bytes (adler32 {checksum(part)} instead of {file.adler32})")
            part.unlink()
            if not is_inherited:
                return wrong
            is_inherited = False  # what was there before may be to blame
        try:
            _request(client, url, file, part, report)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            failures = 1 if _size(part) > before else failures + 1
            if failures >= ATTEMPTS or not _may_pass(error):
                return error
            time.sleep(2 ** (failures - 1))
    return None


def _request(client: httpx.Client, url: str, file: Official, part: Path, report: Report) -> None:
    """Ask once for what ``part`` lacks, and write what comes; raise if it is shorter than the file then."""
    size = _size(part)
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={size}-"} if size else {})
    with client.stream("GET", url, headers=headers) as response:
        response.raise_for_status()
        if url.startswith("https:") and response.url.scheme != "https":
            raise ValueError("redirects from https to http")
        length = response.headers.get("Content-Range", response.headers.get("Content-Length", "")).rpartition("/")[2]
        if length not in ("", "*", str(file.bytes)):
            raise ValueError(f"has {length} bytes instead of {file.bytes}: another build, or a page to log in")
        size = size if response.status_code == httpx.codes.PARTIAL_CONTENT else 0
        with part.open("ab" if size else "wb") as stream:
            for block in response.iter_raw():  # as they come: what is collected first is lost in a cut
                size += stream.write(block)
                report(file.name, size)
                if size > file.bytes:
                    return
    if size < file.bytes:
        raise httpx.ReadError(f"ended after {size} of {file.bytes} bytes")


def _may_pass(error: Exception) -> bool:
    """Say whether the same mirror may do better in a moment: it is silent, overloaded, or broke off."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.is_server_error or error.response.status_code == httpx.codes.TOO_MANY_REQUESTS
    return isinstance(error, (httpx.NetworkError, httpx.TimeoutException, httpx.RemoteProtocolError))


def _said(error: Exception) -> str:
    """Say what went wrong, without the address."""
    if isinstance(error, httpx.HTTPStatusError):
        return f"answers {error.response.status_code} {error.response.reason_phrase}".rstrip()
    return str(error) or type(error).__name__


def _shown(files: Sequence[Official], line: Line) -> Report:
    """Return what is told of each file's bytes, and says how far all files are."""
    sizes, total, begin = dict[str, int](), sum(file.bytes for file in files), monotonic()

    def report(name: str, size: int) -> None:
        sizes[name] = size
        done = max(sum(sizes.values()), 1)
        left = seconds((monotonic() - begin) * (total / done - 1))
        line.show(f"{done / 1e6:.0f} of {total / 1e6:.0f} MB, {left} left  {name.removesuffix('.4lep.root')}")

    return report


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
