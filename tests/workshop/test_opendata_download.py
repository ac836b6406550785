"""Downloading official files from mirrors that misbehave in every way we know, and once from a real server."""

import functools
import os
import random
import threading
import zlib
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from labcourse import samples, settings
from labcourse.errors import StorageError
from labcourse.files import alone_in
from workshop.opendata import transfer
from workshop.opendata.manifest import Official, mirrors
from workshop.opendata.transfer import Outcome, download

Behaviour = Callable[[httpx.Request, bytes], httpx.Response]


class Mirrors:
    """Answers with the next behaviour of its script, and well once that is empty."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.script: dict[str, list[Behaviour]] = {}
        self.requests: list[tuple[str, str | None]] = []

    def offer(self, mirror: str, file: Official, content: bytes) -> str:
        self.files[f"/{mirror}/{file.path}"] = content
        return f"http://mirror.invalid/{mirror}"

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        self.requests.append((path, request.headers.get("Range")))
        script = self.script.get(path) or self.script.get("*") or []
        return (script.pop(0) if script else good)(request, self.files.get(path, b""))


def good(
    request: httpx.Request, content: bytes, *, until: int | None = None, then: Exception | None = None
) -> httpx.Response:
    """Answer as a file server does, ranges included; ``then`` is raised at that byte."""
    start, headers = 0, {}
    if wanted := request.headers.get("Range"):
        start = int(wanted.removeprefix("bytes=").rstrip("-"))
        headers = {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}

    def body() -> Iterator[bytes]:
        yield content[start:until]
        if then is not None:
            raise then

    headers["Content-Length"] = str(len(content) - start)
    return httpx.Response(206 if wanted else 200, headers=headers, content=body())


def cut(at: int, then: type[httpx.TransportError] = httpx.RemoteProtocolError) -> Behaviour:
    return functools.partial(good, until=at, then=then("the connection is closed"))


def status(code: int, **headers: str) -> Behaviour:
    return lambda *_: httpx.Response(code, headers=headers)


def other(change: Callable[[bytes], bytes], *, length: bool = True) -> Behaviour:
    """Send other bytes than the file's, with or without saying how many; no ranges."""

    def behave(_: httpx.Request, content: bytes) -> httpx.Response:
        sent = change(content)
        said = {"Content-Length": str(len(sent))} if length else {}
        return httpx.Response(200, headers=said, content=iter([sent]))

    return behave


def altered(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


ignores_range = other(lambda content: content)


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
def server(monkeypatch: pytest.MonkeyPatch) -> Mirrors:
    found = Mirrors()
    client = functools.partial(httpx.Client, transport=httpx.MockTransport(found))
    monkeypatch.setattr(httpx, "Client", client)
    return found


def made(size: int = 300_000, name: str = "MC/mc_361106.Zee.4lep.root") -> tuple[Official, bytes]:
    content = random.Random(f"{name}{size}").randbytes(size)
    return Official(name, size, f"{zlib.adler32(content):08x}"), content


def fetch(file: Official, folder: Path, *addresses: str) -> Outcome:
    return download([file], folder, from_mirrors=addresses)[0]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


# What goes well.


def test_several_files_arrive_whole_from_a_server_and_are_not_fetched_again(tmp_path: Path) -> None:
    pairs = [made(size, f"MC/mc_{size}.name.4lep.root") for size in (1, 65536, 65537, 200_000)]
    files, folder = [file for file, _ in pairs], tmp_path / "new"
    (tmp_path / "mirror" / "MC").mkdir(parents=True)
    for file, content in pairs:
        (tmp_path / "mirror" / file.path).write_bytes(content)
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "mirror"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}).start()
        mirror = f"http://127.0.0.1:{running.server_port}"
        outcomes = download(files, folder, from_mirrors=[mirror])
        running.shutdown()
    assert outcomes == [Outcome(file.name, file.sample, "downloaded", file.bytes, mirror[7:]) for file in files]
    assert all((folder / file.name).read_bytes() == content for file, content in pairs)
    assert names(folder) == sorted(file.name for file in files)
    assert {outcome.state for outcome in download(files, folder, from_mirrors=[mirror])} == {"already whole"}


# What breaks off, and goes on.


def test_it_goes_on_where_it_stopped_in_this_call_and_in_the_next(server: Mirrors, tmp_path: Path) -> None:
    file, content = made()
    mirror = server.offer("a", file, content)
    server.script["*"] = [cut(100_000), cut(100_000, httpx.ReadTimeout), cut(250_000), *[status(500)] * 2]
    (tmp_path / file.name).write_bytes(b"another build")
    outcome = fetch(file, tmp_path, mirror)
    assert (outcome.state, outcome.note) == ("failed", "mirror.invalid: answers 500 Internal Server Error")
    assert names(tmp_path) == [file.name, file.part]
    assert (tmp_path / file.name).read_bytes() == b"another build"
    server.script["*"] = [ignores_range]
    assert fetch(file, tmp_path, mirror).state == "downloaded"
    assert (tmp_path / file.name).read_bytes() == content
    asked = [span for _, span in server.requests]
    assert asked == [None, *(f"bytes={n}-" for n in (100_000, 100_000, *[250_000] * 3))]


@pytest.mark.parametrize("had", [1000, 300_000, 300_001])
def test_a_part_of_another_build_is_dropped(server: Mirrors, tmp_path: Path, had: int) -> None:
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
        (other(altered), 1, "sends other bytes"),
        (other(lambda content: b"<html>Log in"), 1, "has 12 bytes instead of 300000"),
        (other(lambda content: content[:-1]), 1, "has 299999 bytes instead of 300000"),
        (other(lambda content: content + b"x", length=False), 1, "sends other bytes"),
        (status(429), 3, "answers 429"),
        (status(503), 3, "answers 503"),
        (cut(0), 3, "the connection is closed"),
        (other(lambda content: b"", length=False), 3, "ended after 0 of 300000 bytes"),
    ],
)
def test_the_next_mirror_is_asked_at_once_or_after_some_attempts(
    server: Mirrors, tmp_path: Path, behaviour: Behaviour, asked: int, note: str, waits: list[float]
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


def test_redirects_are_followed_but_not_to_http(server: Mirrors, tmp_path: Path) -> None:
    file, content = made()
    server.offer("b", file, content)
    server.script[f"/a/{file.path}"] = [status(302, Location=f"/b/{file.path}")]
    assert fetch(file, tmp_path, "http://mirror.invalid/a").state == "downloaded"
    server.script[f"/a/{file.path}"] = [status(302, Location=f"http://mirror.invalid/b/{file.path}")]
    assert "from https to http" in fetch(file, tmp_path / "new", "https://mirror.invalid/a").note


def test_wrong_bytes_everywhere_leave_nothing_behind_and_others_come(server: Mirrors, tmp_path: Path) -> None:
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
    assert outcomes[0].note == "127.0.0.1:9: [Errno 111] Connection refused"
    assert {outcome.note for outcome in outcomes[1:]} == {"no mirror could be reached"}
    assert waits == [1, 2]


# The machine.


def test_a_disk_that_is_full_or_refuses(server: Mirrors, tmp_path: Path) -> None:
    file, content = made()
    mirror = server.offer("a", file, content)
    with pytest.raises(StorageError, match=r"need \d+ MB and the disk has \d+ MB free"):
        fetch(file._replace(bytes=10**18), tmp_path, mirror)
    assert not server.requests
    with alone_in(tmp_path, "download"), pytest.raises(StorageError, match="Another process is at work"):
        fetch(file, tmp_path, mirror)
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be written"):
        fetch(file, tmp_path / "file", mirror)
    (tmp_path / file.part).mkdir()
    with pytest.raises(StorageError, match="could not be read"):
        fetch(file, tmp_path, mirror)


def test_a_proxy_is_asked_and_no_password_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://me:secret@127.0.0.1:9")
    outcome = fetch(made()[0], tmp_path, "http://me:secret@mirror.invalid/a")
    assert outcome.note == "mirror.invalid: [Errno 111] Connection refused"


def test_addresses_of_mirrors(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert all(address.startswith("https://") and ".cern.ch/" in address for address in mirrors())
    monkeypatch.setenv("LABCOURSE_MIRROR", "http://one/4lep/ https://two:8443/x")
    assert mirrors() == ["http://one/4lep", "https://two:8443/x"]
    assert mirrors(["http://three"]) == ["http://three"]
    for wrong in ("ftp://host/4lep", "/data", "http://", "http://[::", "http://my..school/4lep", "http://host:port"):
        assert fetch(made()[0], tmp_path, wrong).state == "failed"


def test_a_half_downloaded_sample_is_never_read(
    server: Mirrors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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
