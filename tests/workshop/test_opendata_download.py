"""Downloading official files from a real HTTP server on this machine that misbehaves in every way we know."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from labcourse import samples, settings
from labcourse.errors import BadInput, DownloadError, StorageError
from workshop.opendata import transfer
from workshop.opendata.manifest import Official, mirrors
from workshop.opendata.transfer import Outcome, download

Behaviour = Callable[["Handler", bytes], None]


class Handler(BaseHTTPRequestHandler):
    """Answers with the next behaviour of the server's script, and well once that is empty."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        path = self.path.removeprefix("http://mirror.invalid")  # as a proxy is asked
        self.server.requests.append((path, self.headers.get("Range")))
        script = self.server.script.get(path) or self.server.script.get("*") or []
        behaviour = script.pop(0) if script else good
        with contextlib.suppress(ConnectionError):
            behaviour(self, self.server.files.get(path, b""))
        self.close_connection = True

    def begin(self, status: int, **headers: object) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.script: dict[str, list[Behaviour]] = {}
        self.requests: list[tuple[str, str | None]] = []
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def offer(self, mirror: str, file: Official, content: bytes) -> str:
        self.files[f"/{mirror}/{file.path}"] = content
        return f"{self.url}/{mirror}"


def good(handler: Handler, content: bytes, *, until: int | None = None) -> None:
    """Answer as a file server does, ranges included; ``until`` ends the connection at that byte."""
    start = 0
    if wanted := handler.headers.get("Range"):
        start = int(wanted.removeprefix("bytes=").rstrip("-"))
        span = f"bytes {start}-{len(content) - 1}/{len(content)}"
        handler.begin(206, Content_Range=span, Content_Length=len(content) - start)
    else:
        handler.begin(200, Content_Length=len(content))
    handler.wfile.write(content[start:until] if until is None or until > start else b"")


def cut(at: int, *, seconds: float = 0) -> Behaviour:
    def behave(handler: Handler, content: bytes) -> None:
        good(handler, content, until=at)
        handler.wfile.flush()
        handler.server.released.wait(seconds)

    return behave


def status(code: int, **headers: object) -> Behaviour:
    return lambda handler, content: handler.begin(code, Content_Length=0, **headers)


def other(change: Callable[[bytes], bytes], *, length: bool = True, **headers: object) -> Behaviour:
    """Send other bytes than the file's, with or without saying how many; no ranges."""

    def behave(handler: Handler, content: bytes) -> None:
        sent = change(content)
        handler.begin(200, **({"Content_Length": len(sent)} if length else {}), **headers)
        handler.wfile.write(sent)

    return behave


def altered(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


def wrong_range(handler: Handler, content: bytes) -> None:
    handler.begin(206, Content_Range=f"bytes 7-16/{len(content)}", Content_Length=10)
    handler.wfile.write(content[7:17])


ignores_range = other(lambda content: content)


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.released.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that were waited for a mirror, and no proxy or mirror of this machine."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.delenv("LABCOURSE_MIRROR", raising=False)
    monkeypatch.setattr(transfer, "ATTEMPTS", 3)
    waited: list[float] = []
    monkeypatch.setattr(transfer, "time", SimpleNamespace(sleep=waited.append))
    return waited


@pytest.fixture
def server(running: Server) -> Server:
    running.script.clear()
    running.files.clear()
    running.requests.clear()
    return running


def made(size: int = 300_000, name: str = "MC/mc_361106.Zee.4lep.root") -> tuple[Official, bytes]:
    content = random.Random(f"{name}{size}").randbytes(size)
    return Official(name, size, f"{zlib.adler32(content):08x}"), content


def fetch(file: Official, folder: Path, *addresses: str) -> Outcome:
    return download([file], folder, from_mirrors=addresses)[0]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


# What goes well.


def test_several_files_arrive_whole_and_are_not_fetched_again(server: Server, tmp_path: Path) -> None:
    pairs = [made(size, f"MC/mc_{size}.name.4lep.root") for size in (1, 65536, 65537, 200_000)]
    mirror, *_ = [server.offer("a", file, content) for file, content in pairs]
    files, folder = [file for file, _ in pairs], tmp_path / "new"
    outcomes = download(files, folder, from_mirrors=[mirror])
    assert outcomes == [Outcome(file.name, file.sample, "downloaded", file.bytes, "127.0.0.1") for file in files]
    assert all((folder / file.name).read_bytes() == content for file, content in pairs)
    assert names(folder) == sorted(file.name for file in files)
    asked = len(server.requests)
    again = download(files, folder, from_mirrors=[mirror])
    assert ({outcome.state for outcome in again}, len(server.requests)) == ({"already whole"}, asked)


# What breaks off, and goes on.


def test_it_goes_on_where_it_stopped_in_this_call_and_in_the_next(server: Server, tmp_path: Path) -> None:
    file, content = made()
    mirror = server.offer("a", file, content)
    server.script["*"] = [cut(100_000), cut(100_000), cut(250_000), *[status(500)] * 2]
    (tmp_path / file.name).write_bytes(b"another build")
    outcome = fetch(file, tmp_path, mirror)
    assert (outcome.state, outcome.note) == ("failed", "127.0.0.1 answers 500, 3 times in a row")
    assert names(tmp_path) == [file.name, file.part]
    assert (tmp_path / file.name).read_bytes() == b"another build"
    server.script["*"] = [ignores_range]
    assert fetch(file, tmp_path, mirror).state == "downloaded"
    assert (tmp_path / file.name).read_bytes() == content
    asked = [span for _, span in server.requests]
    assert asked == [None, *(f"bytes={n}-" for n in (100_000, 100_000, *[250_000] * 3))]


def test_a_server_that_falls_silent_is_asked_again(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "SILENCE", 0.5)
    file, content = made()
    mirror = server.offer("a", file, content)
    server.script["*"] = [cut(100_000, seconds=20)]
    assert fetch(file, tmp_path, mirror).state == "downloaded"
    assert server.requests[1][1] == "bytes=100000-"


@pytest.mark.parametrize("had", [1000, 300_000, 300_001])
def test_a_part_of_another_build_is_dropped(server: Server, tmp_path: Path, had: int) -> None:
    file, content = made()
    (tmp_path / file.part).write_bytes(b"x" * had)
    (tmp_path / file.name).write_bytes(b"another build, too")
    mirror = server.offer("a", file, content)
    assert fetch(file, tmp_path, mirror).state == "downloaded"
    assert (tmp_path / file.name).read_bytes() == content
    asked = len(server.requests)
    os.rename(tmp_path / file.name, tmp_path / file.part)  # whole, it only needs its name
    assert fetch(file, tmp_path, mirror).state == "downloaded"
    assert len(server.requests) == asked


# A mirror that is no good, and the next one.


@pytest.mark.parametrize(
    ("behaviour", "asked", "note"),
    [
        (status(404), 1, "answers 404 Not Found"),
        (other(altered), 1, "sent a wrong checksum"),
        (other(lambda content: content[:-1]), 1, "has a file of 299999 bytes instead of 300000: another build"),
        (other(lambda content: content + b"x", length=False), 1, "sends more than the 300000 bytes"),
        (other(lambda content: b"<html>Log in", length=False, Content_Type="text/html"), 1, "a web page"),
        (wrong_range, 1, "sends another range"),
        (status(302, Location="file:///etc/passwd"), 1, "cannot be used"),
        (status(503), 3, "answers 503, 3 times in a row"),
        (cut(0), 3, "broke the connection off, 3 times in a row"),
        (other(lambda content: b"", length=False), 3, "ended after 0 of 300000 bytes, 3 times in a row"),
    ],
)
def test_the_next_mirror_is_asked_at_once_or_after_some_attempts(
    server: Server, tmp_path: Path, behaviour: Behaviour, asked: int, note: str, waits: list[float]
) -> None:
    file, content = made()
    first, second = (server.offer(mirror, file, content) for mirror in "ab")
    server.script[f"/a/{file.path}"] = [behaviour] * 3
    outcome = fetch(file, tmp_path, first, second)
    assert (outcome.state, note in outcome.note) == ("downloaded", True), outcome.note
    assert [path for path, _ in server.requests] == [*[f"/a/{file.path}"] * asked, f"/b/{file.path}"]
    assert waits == [1, 2][: asked - 1]
    assert (tmp_path / file.name).read_bytes() == content
    assert names(tmp_path) == [file.name]


def test_redirects_are_followed(server: Server, tmp_path: Path) -> None:
    file, content = made()
    server.offer("b", file, content)
    server.script[f"/a/{file.path}"] = [status(302, Location=f"/b/{file.path}")]
    assert fetch(file, tmp_path, f"{server.url}/a").state == "downloaded"


def test_wrong_bytes_everywhere_leave_nothing_behind_and_others_come(server: Server, tmp_path: Path) -> None:
    (file, content), (second, whole) = made(), made(1000, "MC/mc_1.x.4lep.root")
    addresses = [server.offer(mirror, file, altered(content)) for mirror in "ab"]
    server.offer("a", second, whole)
    outcomes = download([file, second], tmp_path, from_mirrors=addresses)
    assert [(outcome.state, outcome.bytes) for outcome in outcomes] == [("failed", 0), ("downloaded", 1000)]
    assert outcomes[0].note.count(f"instead of {file.adler32}") == 2
    assert names(tmp_path) == [second.name]


def test_a_mirror_out_of_reach_is_given_up_for_all_files(tmp_path: Path, waits: list[float]) -> None:
    files = [made(1000, f"MC/mc_{number}.name.4lep.root")[0] for number in range(8)]
    outcomes = download(files, tmp_path, from_mirrors=["http://127.0.0.1:9"])
    assert {outcome.state for outcome in outcomes} == {"failed"}
    assert "could not be reached" in outcomes[0].note
    assert {outcome.note for outcome in outcomes[1:]} == {"no mirror could be reached"}
    assert waits == [1, 2]


# The machine.


def test_a_disk_that_is_full_or_refuses(server: Server, tmp_path: Path) -> None:
    file, content = made()
    mirror = server.offer("a", file, content)
    with pytest.raises(StorageError, match=r"need \d+ MB and the disk has \d+ MB free"):
        fetch(file._replace(bytes=10**18), tmp_path, mirror)
    assert not server.requests
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be written"):
        fetch(file, tmp_path / "file", mirror)
    (tmp_path / file.part).mkdir()
    with pytest.raises(StorageError, match="could not be read"):
        fetch(file, tmp_path, mirror)


def test_a_proxy_of_the_environment_is_used_and_named(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, content = made()
    server.offer("a", file, content)
    # The server answers as a proxy for mirror.invalid, which no name server knows.
    monkeypatch.setenv("http_proxy", server.url)
    assert fetch(file, tmp_path, "http://mirror.invalid/a").state == "downloaded"
    (tmp_path / file.name).unlink()
    monkeypatch.setenv("http_proxy", "http://me:secret@127.0.0.1:9")
    note = fetch(file, tmp_path, "http://mirror.invalid/a").note
    assert ("through the proxy of this machine" in note, "secret" in note) == (True, False)
    monkeypatch.setenv("http_proxy", "ftp://proxy")
    with pytest.raises(DownloadError, match="proxy or the certificates"):
        fetch(file, tmp_path, "http://mirror.invalid/a")
    monkeypatch.delenv("http_proxy")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "absent.pem"))
    with pytest.raises(DownloadError, match=r"certificates(?s:.)*SSL_CERT_FILE"):
        fetch(file, tmp_path, "https://mirror.invalid/a")


def test_addresses_of_mirrors(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert all(address.startswith("https://") and ".cern.ch/" in address for address in mirrors())
    monkeypatch.setenv("LABCOURSE_MIRROR", "http://one/4lep/ https://two:8443/x")
    assert mirrors() == ["http://one/4lep", "https://two:8443/x"]
    assert mirrors(["http://three"]) == ["http://three"]
    for wrong in ("ftp://host/4lep", "/data", "http://", "http://[::"):
        with pytest.raises(BadInput, match="not the address of a mirror"):
            mirrors([wrong])
    for wrong in ("http://my..school/4lep", "http://host:port"):
        assert fetch(made()[0], tmp_path, wrong).state == "failed"


# Stopped in the middle.

DOWNLOAD = """
import sys
from pathlib import Path
from workshop.opendata.manifest import Official
from workshop.opendata.transfer import download

path, size, adler32, folder, mirror = sys.argv[1:]
try:
    download([Official(path, int(size), adler32)], Path(folder), from_mirrors=[mirror])
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no SIGINT for one process")
@pytest.mark.parametrize("how", ["SIGKILL", "SIGINT"])
def test_stopped_in_the_middle_it_goes_on_and_nobody_disturbs_it(server: Server, tmp_path: Path, how: str) -> None:
    file, content = made()
    mirror, half = server.offer("a", file, content), file.bytes // 2
    server.script["*"] = [cut(half, seconds=20)]
    command = [sys.executable, "-c", DOWNLOAD, file.path, str(file.bytes), file.adler32, str(tmp_path), mirror]
    part = tmp_path / file.part
    with subprocess.Popen(command, cwd=settings.home(), stderr=subprocess.PIPE) as process:
        try:
            while not (part.is_file() and part.stat().st_size >= half - 65536):
                assert process.poll() is None, process.communicate()[1]
                time.sleep(0.02)
            with pytest.raises(StorageError, match="Another process is at work"):
                fetch(file, tmp_path, mirror)
            os.kill(process.pid, getattr(signal, how))
            assert process.wait(15) == (130 if how == "SIGINT" else -signal.SIGKILL)
        finally:
            process.kill()
    had = part.stat().st_size
    assert (names(tmp_path), had > 0) == ([file.part], True)
    assert fetch(file, tmp_path, mirror).state == "downloaded"
    assert server.requests[-1][1] == f"bytes={had}-"
    assert (tmp_path / file.name).read_bytes() == content


def test_a_half_downloaded_sample_is_never_read(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "data_folder", lambda: tmp_path)
    pairs = [made(5000, f"Data/{name}") for name in samples.get("data").files]
    for file, content in pairs:
        mirror = server.offer("a", file, content)
        (tmp_path / file.name).write_bytes(b"bundle")
    server.script[f"/a/{pairs[2][0].path}"] = [cut(4000), *[status(500)] * 3]
    for source in ("bundle", "official"):
        download([file for file, _ in pairs], settings.official_folder(), from_mirrors=[mirror])
        assert samples.locate("data").source == source
