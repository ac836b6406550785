"""One request for what is missing of a file, and what a server can answer to it."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from labcourse.errors import DownloadError
from workshop.opendata.manifest import Official, without_password

if TYPE_CHECKING:
    import httpx

REDIRECTS = 5
"""How often a server may send a request elsewhere."""

_PASSING = {408, 425, 429, 500, 502, 503, 504}
"""Answers of a server that may be well again in a moment."""


class Report(Protocol):
    """Is told how many bytes of a file are there (fewer, when it starts over), and why nothing comes."""

    def __call__(self, size: int, note: str = "") -> None: ...


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


class Interrupted(Exception):
    """A request that ended early: the same mirror may do better, at the earliest ``after`` so many seconds."""

    def __init__(self, why: str, *, after: float = 0.0, connected: bool = True) -> None:
        super().__init__(why)
        self.after, self.connected = after, connected


def _through(url: str) -> str:
    """Name the proxy that an address is reached through, if one is set: it may be the one that does not answer."""
    parts = urlsplit(url)
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all", "")
    if proxy and "://" not in proxy:
        proxy = f"http://{proxy}"  # as httpx reads it
    return f" through the proxy {without_password(proxy)}" if proxy and not proxy_bypass(parts.hostname or "") else ""


class Refused(Exception):
    """A mirror that does not give this file: another one may."""


@dataclass
class Request:
    """Asks one mirror for one file, and remembers between two times what the mirror can do.

    ``gave_all`` says that it has sent, or sent again, every byte of the part.
    """

    client: httpx.Client
    url: str
    file: Official
    part: Path
    report: Report
    stop: threading.Event
    ranges: bool = True
    etag: str = ""
    gave_all: bool = False

    def run(self) -> None:
        """Ask once for what is missing, and write what comes.

        Raises
        ------
        Interrupted, Refused
            Unless the part is as long as the file afterwards.
        Stopped
            If ``stop`` was set.
        """
        import httpx

        headers = {"Accept-Encoding": "identity"}
        start = size_of(self.part) if self.ranges else 0
        if start:
            headers["Range"] = f"bytes={start}-"
            if self.etag:
                headers["If-Range"] = self.etag
        try:
            with self._answer(headers) as response:
                self._write(response, self._first_byte(response, start))
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise Refused("shows a certificate that this machine does not trust (see SSL_CERT_FILE)") from error
            raise Interrupted(f"could not be reached{_through(self.url)}", connected=False) from error
        except httpx.ProxyError as error:
            raise Refused(f"could not be reached through the proxy ({error})") from error
        except httpx.TimeoutException as error:
            raise Interrupted(f"sent nothing for {self.client.timeout.read:g} s") from error
        except (httpx.InvalidURL, UnicodeError) as error:
            raise Refused(f"has an address that cannot be used ({error})") from error
        except httpx.HTTPError as error:
            raise Interrupted("broke the connection off") from error

    @contextmanager
    def _answer(self, headers: dict[str, str]) -> Iterator[httpx.Response]:
        """Follow a few redirects, without reading what comes with them."""
        request = self.client.build_request("GET", self.url, headers=headers)
        for _ in range(1 + REDIRECTS):
            response = self.client.send(request, stream=True, follow_redirects=False)
            try:
                following = response.next_request
                if following is None:
                    yield response
                    return
            finally:
                response.close()
            if following.url.scheme not in ("https", request.url.scheme):
                raise Refused(f"redirects from {request.url.scheme} to {following.url.scheme}")
            request = following
        raise Refused("redirects in a loop")

    def _first_byte(self, response: httpx.Response, asked: int) -> int:
        """Judge an answer before its body is read, and return the position in the file at which it begins."""
        status, headers = response.status_code, response.headers
        if status in _PASSING:
            raise Interrupted(f"answers {status}", after=_retry_after(headers.get("Retry-After", "")))
        if status == 416:
            self.ranges = False
            raise Interrupted("has no such range")
        if status not in (200, 206):
            raise Refused(f"answers {status} {response.reason_phrase}".rstrip())
        if headers.get("Content-Type", "").startswith("text/html"):
            raise Refused("sends a web page instead of the file (does this network ask for a login?)")
        if headers.get("Content-Encoding", "identity") != "identity":
            raise Refused("sends the file in an encoding that nobody asked for")
        etag = headers.get("ETag", "")
        self.etag = "" if etag.startswith("W/") else etag
        if status == 200:
            self._compare_length(headers.get("Content-Length"))
            return 0
        sent = re.fullmatch(r"bytes (\d{1,19})-\d+/(\d{1,19}|\*)", headers.get("Content-Range", ""))
        if sent is None or int(sent[1]) != asked:
            self.ranges = False
            raise Interrupted("sends another range than it was asked for")
        if sent[2] != "*":
            self._compare_length(sent[2])
        return asked

    def _compare_length(self, length: str | None) -> None:
        if length is not None and length != str(self.file.bytes):
            raise Refused(f"has a file of {length} bytes instead of {self.file.bytes}: another build")

    def _write(self, response: httpx.Response, start: int) -> None:
        """Write what comes behind ``start``. What is there already and comes again is only compared, as long as it is
        the same: a transfer that begins anew and breaks off loses nothing."""
        position = start
        self._stop_if_asked()
        with self.part.open("r+b" if self.part.exists() else "w+b") as stream:
            held = start or size_of(self.part)
            stream.truncate(held)
            self.report(start)
            for block in response.iter_raw():  # as they come: what is collected first is lost in a cut
                self._stop_if_asked()
                stream.seek(position)
                again = stream.read(max(0, min(len(block), held - position)))
                if not block.startswith(again):
                    held = position
                    stream.truncate(held)
                elif again:
                    self.etag = ""  # the same bytes under another tag: it says nothing
                position += len(block)
                if position > self.file.bytes:
                    break
                if position > held:
                    stream.seek(position - len(block))
                    stream.write(block)
                self.report(position)
        self.gave_all |= start == 0 and position >= held
        if position > self.file.bytes:
            self.part.unlink()
            raise Refused(f"sends more than the {self.file.bytes} bytes of the file")
        if position < self.file.bytes:
            raise Interrupted(f"ended after {position} of {self.file.bytes} bytes")

    def _stop_if_asked(self) -> None:
        # Before every write: after Ctrl-C in a notebook the part may belong to the next call already.
        if self.stop.is_set():
            raise Stopped


@contextmanager
def open_client(patience: Patience) -> Iterator[httpx.Client]:
    """Open an HTTP client; proxies come from the environment (``HTTPS_PROXY``, ``NO_PROXY``, …).

    Raises
    ------
    DownloadError
        If a proxy or the certificates that the environment names cannot be used.
    """
    import httpx

    from labcourse import __version__

    timeout = httpx.Timeout(patience.stall, connect=patience.connect, pool=None)
    try:
        client = httpx.Client(
            timeout=timeout,
            headers={"User-Agent": f"labcourse/{__version__}"},
        )
    except OSError as error:
        raise DownloadError(
            f"The certificates that this machine is told to trust cannot be read: {error.strerror or error}.",
            where="SSL_CERT_FILE or SSL_CERT_DIR",
            next_step="Set it to a file (or folder) of certificates in PEM form, or unset it.",
        ) from error
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        raise DownloadError(
            f"The proxy of this machine cannot be used: {error}",
            where="HTTPS_PROXY, HTTP_PROXY, ALL_PROXY or NO_PROXY",
            next_step="Set it to an address such as http://proxy.my.school:3128, or unset it.",
        ) from error
    with client:
        yield client


def _retry_after(text: str) -> float:
    """Seconds that a server asks to wait: a number, or a date (RFC 9110, 10.2.3)."""
    if text.strip().isdecimal():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return 0.0


def size_of(path: Path) -> int:
    """Return the size of a file, 0 if it does not exist."""
    return path.stat().st_size if path.exists() else 0
