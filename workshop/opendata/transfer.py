"""Official files, one after the other, each from the first mirror that gives it whole.

The bytes go to ``NAME.part``. It may end anywhere, also by kill -9 or a power cut: the next request goes on behind
its last byte, and only size and checksum of the whole decide whether it becomes ``NAME``.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies

from labcourse.errors import DownloadError, StorageError
from labcourse.files import alone_in, refused
from labcourse.progress import Line, seconds
from workshop.opendata.manifest import OFFICIAL_2025, Official, checksum, is_whole, mirrors

if TYPE_CHECKING:
    import httpx

SPARE = 50_000_000
"""Bytes of the disk that a download leaves free."""

CONNECT, SILENCE = 10.0, 30.0
"""Seconds after which a mirror that does not answer, or sends nothing more, is asked again."""

ATTEMPTS = 5
"""Requests in a row that bring a file no further before the next mirror is asked."""

WAIT = 1.0
"""Seconds before the next request to the same mirror; they double each time."""

_PASSING = {408, 425, 429, 500, 502, 503, 504}
"""Answers of a server that may be well again in a moment."""

Report = Callable[[str, int, str], None]
"""Is told a file's name, how many bytes of it are there, and why nothing comes."""


class Outcome(NamedTuple):
    """What became of a file: ``downloaded``, ``already whole`` or ``failed``, and what to know of it."""

    file: str
    sample: str
    state: str
    bytes: int
    origin: str = ""
    note: str = ""


class _Interrupted(Exception):
    """A request that ended early: the same mirror may do better."""


class _Refused(Exception):
    """A mirror that does not give this file: another one may."""


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
    BadInput
        If a mirror's address is wrong.
    DownloadError
        If the machine's proxy or certificates cannot be used.
    StorageError
        If another process downloads into the folder, or the disk has too little room, which is found before anything
        is fetched, or refuses.
    KeyboardInterrupt
        At Ctrl-C. What was received is kept, and the next call goes on from there.
    """
    addresses = mirrors(from_mirrors, "2025" if set(files) & set(OFFICIAL_2025) else "2020")
    outcomes = []
    with _client() as client, alone_in(folder, "download"), Line() as line:
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
                report(file.name, outcome.bytes, "")
                outcomes.append(outcome)
        except OSError as error:
            raise refused(folder, "The files could not be read or written", error) from error
    return outcomes


def _from_mirrors(client: httpx.Client, addresses: list[str], file: Official, folder: Path, report: Report) -> Outcome:
    """Try one mirror after the other; one that cannot be reached is taken out of ``addresses``."""
    notes: list[str] = []
    part = folder / file.part
    for address in list(addresses):
        host = urlsplit(address).hostname or address  # the address may hold a password
        try:
            _complete(client, f"{address}/{file.path}", file, part, report)
        except _Refused as refusal:
            notes.append(f"{host} {refusal}")
            if "could not be reached" in str(refusal):
                addresses.remove(address)
        else:
            with part.open("rb+") as stream:
                os.fsync(stream.fileno())
            os.replace(part, folder / file.name)
            notes += [] if file.adler32 else ["no checksum is published: its size was checked"]
            return Outcome(file.name, file.sample, "downloaded", file.bytes, host, "; ".join(notes))
    return Outcome(file.name, file.sample, "failed", 0, "", "; ".join(notes) or "no mirror could be reached")


def _complete(client: httpx.Client, url: str, file: Official, part: Path, report: Report) -> None:
    """Ask one mirror until ``part`` is whole, checksum included."""
    is_inherited, failures = _size(part) > 0, 0
    while True:
        before = _size(part)
        try:
            if before != file.bytes:
                _request(client, url, file, part, report)
            if file.is_right(found := checksum(part)):
                return
            part.unlink()
            if not is_inherited:
                raise _Refused(f"sent a wrong checksum: {found} instead of {file.adler32}")
            is_inherited = False  # what was there before may be to blame
        except _Interrupted as interrupted:
            failures = 1 if _size(part) > before else failures + 1
            if failures >= ATTEMPTS:
                raise _Refused(f"{interrupted}, {failures} times in a row") from interrupted
            report(file.name, _size(part), f"{urlsplit(url).hostname} {interrupted}, asking again")
            time.sleep(WAIT * 2 ** (failures - 1))


def _request(client: httpx.Client, url: str, file: Official, part: Path, report: Report) -> None:
    """Ask once for what ``part`` lacks, and write what comes; raise unless it is as long as the file then."""
    import httpx

    size = _size(part) if _size(part) < file.bytes else 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={size}-"} if size else {})
    try:
        with client.stream("GET", url, headers=headers) as response:
            size = _first_byte(response, url, file, size)
            with part.open("ab" if size else "wb") as stream:
                for block in response.iter_raw():  # as they come: what is collected first is lost in a cut
                    size += len(block)
                    stream.write(block)
                    report(file.name, size, "")
                    if size > file.bytes:
                        raise _Refused(f"sends more than the {file.bytes} bytes of the file")
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        via = " through the proxy of this machine" if getproxies().keys() & {url.partition(":")[0], "all"} else ""
        raise _Interrupted(f"could not be reached{via} ({error})") from error
    except (httpx.ProxyError, httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.TooManyRedirects, ValueError) as error:
        raise _Refused(f"cannot be used ({error})") from error
    except httpx.HTTPError as error:
        silent = f"sent nothing for {SILENCE:g} s" if isinstance(error, httpx.TimeoutException) else ""
        raise _Interrupted(silent or "broke the connection off") from error
    if size < file.bytes:
        raise _Interrupted(f"ended after {size} of {file.bytes} bytes")


def _first_byte(response: httpx.Response, url: str, file: Official, asked: int) -> int:
    """Judge an answer before its body is read, and return the position in the file at which it begins."""
    status, headers = response.status_code, response.headers
    if url.startswith("https:") and response.url.scheme != "https":
        raise _Refused("redirects from https to http")
    if status in _PASSING:
        raise _Interrupted(f"answers {status}")
    if status not in (200, 206):
        raise _Refused(f"answers {status} {response.reason_phrase}".rstrip())
    if headers.get("Content-Type", "").startswith("text/html"):
        raise _Refused("sends a web page instead of the file (does this network ask for a login?)")
    if status == 200:
        asked, length = 0, headers.get("Content-Length", str(file.bytes))
    else:
        span, _, length = headers.get("Content-Range", "").partition("/")
        if not span.startswith(f"bytes {asked}-"):
            raise _Refused("sends another range than it was asked for")
    if length != str(file.bytes):
        raise _Refused(f"has a file of {length} bytes instead of {file.bytes}: another build")
    return asked


@contextmanager
def _client() -> Iterator[httpx.Client]:
    """Open an HTTP client; proxies come from the environment (``HTTPS_PROXY``, ``NO_PROXY``, …)."""
    import httpx

    from labcourse import __version__

    timeout, agent = httpx.Timeout(SILENCE, connect=CONNECT), {"User-Agent": f"labcourse/{__version__}"}
    try:
        client = httpx.Client(timeout=timeout, headers=agent, follow_redirects=True, max_redirects=5)
    except (OSError, ValueError, ImportError, httpx.InvalidURL) as error:
        raise DownloadError(
            f"The proxy or the certificates that this machine names cannot be used: {error}",
            where="HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY, SSL_CERT_FILE or SSL_CERT_DIR",
            next_step="Let a proxy be an address such as http://proxy.my.school:3128, or unset these variables.",
        ) from error
    with client:
        yield client


def _shown(files: Sequence[Official], line: Line) -> Report:
    """Return what is told of each file's bytes, and says how far all files are."""
    sizes, total, begin = dict[str, int](), sum(file.bytes for file in files), monotonic()

    def report(name: str, size: int, note: str) -> None:
        sizes[name] = size
        done = max(sum(sizes.values()), 1)
        left = seconds((monotonic() - begin) * (total / done - 1))
        line.show(f"{done / 1e6:.0f} of {total / 1e6:.0f} MB, {left} left  {note or name.removesuffix('.4lep.root')}")

    return report


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
