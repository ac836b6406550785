"""One file over http: asked for, taken up again where it broke off, checked, and put in its place.

The bytes go to ``NAME.part``. It may end anywhere, also by kill -9 or a power cut: the next transfer goes
on behind its last byte, from whichever mirror, and only size and checksum of the whole decide whether it
becomes ``NAME``.
"""

from __future__ import annotations

import os
import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from labcourse.errors import DownloadError, StorageError
from labcourse.opendata.manifest import Official, checksum

if TYPE_CHECKING:
    import httpx

_PASSING = {408, 425, 429, 500, 502, 503, 504}
"""Answers of a server that may be well again in a moment."""


@dataclass(frozen=True)
class Patience:
    """How long is waited for what, in seconds, and how often a mirror is asked again.

    ``attempts`` counts requests in a row that bring a file no further; ``wait`` before the next one doubles
    each time up to ``longest_wait``, with jitter, so that a class does not come back all at once.
    """

    connect: float = 10.0
    stall: float = 30.0
    attempts: int = 5
    wait: float = 1.0
    longest_wait: float = 60.0


class Stopped(Exception):
    """The user wants no more; what was received is kept."""


class _Interrupted(Exception):
    """A request that ended early: the same mirror may do better."""

    def __init__(self, why: str, *, after: float = 0.0, connected: bool = True) -> None:
        super().__init__(why)
        self.after, self.connected = after, connected


class _Refused(Exception):
    """A mirror that does not give this file; the next one is asked."""


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

    def fetch(self, file: Official, folder: Path, report: Callable[[int], object]) -> tuple[str, list[str]]:
        """Bring ``file`` whole into ``folder``; return the mirror that gave it, and what went wrong before.

        ``report`` is told the number of bytes that are there, which can fall when a transfer starts over.

        Raises
        ------
        DownloadError
            If no mirror has it whole. What was received is kept, unless its checksum was wrong.
        StorageError
            If it cannot be written.
        Stopped
            If ``stop`` was set.
        """
        part, notes = folder / file.part, []
        for mirror in self.mirrors:
            if mirror in self.unreachable:
                notes.append(f"{_shown(mirror)} could not be reached")
                continue
            try:
                with _storage_errors(part):
                    self._from_mirror(mirror, file, part, report, notes)
                    _put_in_place(part, folder / file.name)
                return mirror, notes
            except _Refused as refused:
                notes.append(f"{_shown(mirror)} {refused}")
        raise DownloadError(
            f"{file.name} could not be downloaded: {'; '.join(notes)}.",
            where=str(folder),
            next_step="Run the same command again later: it goes on where it stopped. Or name another --mirror.",
        )

    def _from_mirror(
        self, mirror: str, file: Official, part: Path, report: Callable[[int], object], notes: list[str]
    ) -> None:
        """Complete ``part`` from one mirror, its checksum included."""
        request = _Request(self, f"{mirror}/{file.path}", file, part, report)
        own = _size(part) == 0  # whether all bytes of the part come from this mirror
        furthest, failures = _size(part), 0
        while True:
            try:
                if _size(part) > file.bytes:
                    part.unlink()
                if not part.exists() or _size(part) < file.bytes:
                    request.run()
                found = checksum(part)
                if found == file.adler32:
                    return
                part.unlink()
                report(0)
                what = f"wrong checksum {found} instead of {file.adler32}, deleted"
                if own:
                    raise _Refused(f"sent a {what}")
                notes.append(f"what was here before: {what}")
                own, furthest, failures = True, 0, 0
            except _Interrupted as interrupted:
                failures = 0 if _size(part) > furthest else failures + 1
                furthest = max(furthest, _size(part))
                if failures >= self.patience.attempts:
                    if not interrupted.connected:
                        self.unreachable.add(mirror)
                    raise _Refused(f"{interrupted}, {failures} times in a row") from interrupted
                self._wait(failures, interrupted.after)

    def _wait(self, failures: int, after: float) -> None:
        if after > self.patience.longest_wait:
            raise _Refused(f"asks to come back in {after:.0f} s")
        longest = min(self.patience.longest_wait, self.patience.wait * 2 ** max(0, failures - 1))
        (self.sleep or self.stop.wait)(max(after, longest * self.rng.uniform(0.5, 1.0)))
        if self.stop.is_set():
            raise Stopped


@dataclass
class _Request:
    """What is remembered between the requests for one file to one mirror."""

    transfer: Transfer
    url: str
    file: Official
    part: Path
    report: Callable[[int], object]
    ranges: bool = True
    etag: str = ""

    def run(self) -> None:
        """Ask once for what is missing, and write what comes; raise unless the part is as long as the file."""
        import httpx

        headers = {"Accept-Encoding": "identity"}
        start = _size(self.part) if self.ranges else 0
        if start:
            headers["Range"] = f"bytes={start}-"
            if self.etag:
                headers["If-Range"] = self.etag
        try:
            with self.transfer.client.stream("GET", self.url, headers=headers) as response:
                self._write(response, self._first_byte(response, start))
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise _Refused("shows a certificate that this machine does not trust (see SSL_CERT_FILE)") from error
            raise _Interrupted("could not be reached", connected=False) from error
        except httpx.ProxyError as error:
            raise _Refused(f"could not be reached through the proxy ({error})") from error
        except httpx.TimeoutException as error:
            raise _Interrupted(f"sent nothing for {self.transfer.patience.stall:g} s") from error
        except (httpx.TooManyRedirects, httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            raise _Refused("redirects in a loop or to an address that is not http") from error
        except httpx.HTTPError as error:
            raise _Interrupted("broke the connection off") from error

    def _first_byte(self, response: httpx.Response, asked: int) -> int:
        """Judge an answer before its body is read, and return the position in the file at which it begins."""
        hops = [hop.url.scheme for hop in (*response.history, response)]
        if "https" in hops and "http" in hops[hops.index("https") :]:
            raise _Refused("redirects from https to http")
        status, headers = response.status_code, response.headers
        if status in _PASSING:
            raise _Interrupted(f"answers {status}", after=_retry_after(headers.get("Retry-After", "")))
        if status == 416:
            self.ranges = False
            raise _Interrupted("has no such range")
        if status not in (200, 206):
            raise _Refused(f"answers {status} {response.reason_phrase}".rstrip())
        if headers.get("Content-Type", "").startswith("text/html"):
            raise _Refused("sends a web page instead of the file (does this network ask for a login?)")
        if headers.get("Content-Encoding", "identity") != "identity":
            raise _Refused("sends the file in an encoding that nobody asked for")
        etag = headers.get("ETag", "")
        self.etag = "" if etag.startswith("W/") else etag
        if status == 200:
            self._compare_length(headers.get("Content-Length"))
            return 0
        sent = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", headers.get("Content-Range", ""))
        if sent is None or int(sent[1]) != asked:
            self.ranges = False
            raise _Interrupted("sends another range than it was asked for")
        if sent[2] != "*":
            self._compare_length(sent[2])
        return asked

    def _compare_length(self, length: str | None) -> None:
        if length is not None and length != str(self.file.bytes):
            raise _Refused(f"has a file of {length} bytes instead of {self.file.bytes}: another build")

    def _write(self, response: httpx.Response, start: int) -> None:
        position = start
        self._stop_if_asked()
        with self.part.open("r+b" if self.part.exists() else "wb") as stream:
            stream.truncate(start)
            stream.seek(start)
            self.report(start)
            for block in response.iter_raw():  # as they come: what is collected first is lost in a cut
                self._stop_if_asked()
                position += len(block)
                if position > self.file.bytes:
                    break
                stream.write(block)
                self.report(position)
        if position > self.file.bytes:
            self.part.unlink()
            raise _Refused(f"sends more than the {self.file.bytes} bytes of the file")
        if position < self.file.bytes:
            raise _Interrupted(f"ended after {position} of {self.file.bytes} bytes")

    def _stop_if_asked(self) -> None:
        # Before every write: after Ctrl-C in a notebook the part may belong to the next call already.
        if self.transfer.stop.is_set():
            raise Stopped


@contextmanager
def open_client(patience: Patience) -> Iterator[httpx.Client]:
    """Open an HTTP client; proxies come from the environment (``HTTPS_PROXY``, ``NO_PROXY``, …).

    Raises
    ------
    DownloadError
        If a proxy in the environment cannot be used.
    """
    import httpx

    from labcourse import __version__

    timeout = httpx.Timeout(patience.stall, connect=patience.connect, pool=None)
    try:
        client = httpx.Client(
            timeout=timeout,
            follow_redirects=True,
            max_redirects=5,
            headers={"User-Agent": f"labcourse/{__version__}"},
        )
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        raise DownloadError(
            f"The proxy of this machine cannot be used: {error}",
            where="HTTPS_PROXY, HTTP_PROXY or ALL_PROXY",
            next_step="Set it to an address such as http://proxy.my.school:3128, or unset it.",
        ) from error
    with client:
        yield client


def _retry_after(text: str) -> float:
    """Seconds that a server asks to wait: a number, or a date (RFC 9110, 10.2.3)."""
    if text.strip().isdigit():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except ValueError:
        return 0.0


def _shown(mirror: str) -> str:
    """A mirror's host: an address may hold a password."""
    return urlsplit(mirror).hostname or mirror


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _put_in_place(part: Path, target: Path) -> None:
    with part.open("rb+") as stream:
        os.fsync(stream.fileno())
    os.replace(part, target)


@contextmanager
def _storage_errors(part: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{part.name} could not be written: {error.strerror or error}.",
            where=str(part.parent),
            next_step="Make room on the disk or choose another folder (--out); what was received is kept.",
        ) from error
