"""Downloading official files from a real HTTP server on this machine that misbehaves in every way we know."""

from __future__ import annotations

import contextlib
import email.utils
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from labcourse import samples, settings
from labcourse.errors import BadInput, DownloadError, StorageError
from workshop.opendata import Official, Outcome, Patience, download, mirrors
from workshop.opendata.transfer import Transfer

PATIENCE = Patience(attempts=3)
IMPATIENT = Patience(attempts=3, stall=0.5)

Behaviour = Callable[["Handler", bytes], None]


class Handler(BaseHTTPRequestHandler):
    """Answers with the next behaviour of the server's script, and well once that is empty."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        path = self.path.removeprefix("http://mirror.invalid")  # as a proxy is asked
        self.server.requests.append((path, dict(self.headers)))
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
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def offer(self, mirror: str, file: Official, content: bytes) -> str:
        self.files[f"/{mirror}/{file.path}"] = content
        return f"{self.url}/{mirror}"

    def ranges(self) -> list[str | None]:
        return [headers.get("Range") for _, headers in self.requests]


def good(handler: Handler, content: bytes, *, until: int | None = None) -> None:
    """Answer as a file server does, ranges and If-Range included; ``until`` ends the connection at that byte."""
    etag = f'"{zlib.adler32(content):08x}"'
    wanted, condition = handler.headers.get("Range"), handler.headers.get("If-Range", etag)
    if wanted and condition == etag:
        start = int(wanted.removeprefix("bytes=").rstrip("-"))
        if start >= len(content):
            handler.begin(416, Content_Range=f"bytes */{len(content)}", Content_Length=0)
            return
        span = f"bytes {start}-{len(content) - 1}/{len(content)}"
        handler.begin(206, Content_Range=span, Content_Length=len(content) - start, ETag=etag)
    else:
        start = 0
        handler.begin(200, Content_Length=len(content), ETag=etag)
    handler.wfile.write(content[start:until] if until is None or until > start else b"")


def cut(at: int) -> Behaviour:
    return lambda handler, content: good(handler, content, until=at)


def stall(at: int) -> Behaviour:
    def behave(handler: Handler, content: bytes) -> None:
        good(handler, content, until=at)
        handler.wfile.flush()
        handler.server.released.wait(20)

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


def wrong_range(header: str) -> Behaviour:
    def behave(handler: Handler, content: bytes) -> None:
        handler.begin(206, Content_Range=header.format(size=len(content)), Content_Length=10)
        handler.wfile.write(content[:10])

    return behave


def redirect(target: str) -> Behaviour:
    return status(302, Location=target)


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
def _own_network(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.delenv("LABCOURSE_MIRROR", raising=False)


@pytest.fixture
def server(running: Server) -> Server:
    running.script.clear()
    running.files.clear()
    running.requests.clear()
    return running


def made(size: int = 300_000, name: str = "MC/mc_361106.Zee.4lep.root") -> tuple[Official, bytes]:
    content = random.Random(f"{name}{size}").randbytes(size)
    return Official(name, size, f"{zlib.adler32(content):08x}"), content


def fetch(files: list[Official], folder: Path, *addresses: str, **options: Any) -> list[Outcome]:
    options = {"patience": PATIENCE, "progress": False, "sleep": lambda seconds: None, "seed": 1} | options
    return download(files, folder, from_mirrors=addresses, **options)


def nobody(size: int, note: str = "") -> None:
    """Is told of the progress and keeps it to itself."""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


# What goes well.


def test_several_files_arrive_whole_and_are_not_fetched_again(server: Server, tmp_path: Path) -> None:
    pairs = [made(size, f"MC/mc_{size}.name.4lep.root") for size in (1, 65536, 65537, 200_000)]
    for file, content in pairs:
        mirror = server.offer("a", file, content)
    files = [file for file, _ in pairs]
    outcomes = fetch(files, tmp_path / "new", mirror)
    assert [(o.file, o.state, o.bytes, o.origin, o.note) for o in outcomes] == [
        (file.name, "downloaded", file.bytes, mirror, "") for file in files
    ]
    assert all((tmp_path / "new" / file.name).read_bytes() == content for file, content in pairs)
    assert names(tmp_path / "new") == sorted(file.name for file in files)
    asked = len(server.requests)
    assert {o.state for o in fetch(files, tmp_path / "new", mirror)} == {"already whole"}
    assert len(server.requests) == asked


def test_another_build_is_replaced_once_the_new_one_is_whole(server: Server, tmp_path: Path) -> None:
    file, content = made()
    mirror = server.offer("a", file, content)
    (tmp_path / file.name).write_bytes(b"root of January")
    server.script["*"] = [status(404)]
    assert fetch([file], tmp_path, mirror)[0].state == "failed"
    assert (tmp_path / file.name).read_bytes() == b"root of January"
    assert fetch([file], tmp_path, mirror)[0].state == "downloaded"
    assert (tmp_path / file.name).read_bytes() == content


def test_two_files_at_a_time(server: Server, tmp_path: Path) -> None:
    pairs = [made(1000, f"MC/mc_{number}.name.4lep.root") for number in range(6)]
    now, most, lock = [0], [0], threading.Lock()

    def counted(handler: Handler, content: bytes) -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.05)
        with lock:
            now[0] -= 1
        good(handler, content)

    for file, content in pairs:
        mirror = server.offer("a", file, content)
    server.script["*"] = [counted] * 6
    fetch([file for file, _ in pairs], tmp_path, mirror)
    assert most == [2]


def test_a_redirect_is_followed(server: Server, tmp_path: Path) -> None:
    file, content = made()
    server.offer("b", file, content)
    server.script[f"/a/{file.path}"] = [redirect(f"/b/{file.path}")]
    assert fetch([file], tmp_path, f"{server.url}/a")[0].state == "downloaded"


# What breaks off, and goes on.


def test_a_cut_transfer_goes_on_where_it_stopped(server: Server, tmp_path: Path) -> None:
    file, content = made()
    mirror = server.offer("a", file, content)
    server.script["*"] = [cut(100_000), cut(100_000), cut(250_000)]
    (outcome,) = fetch([file], tmp_path, mirror)
    assert (outcome.state, outcome.note) == ("downloaded", "")
    assert (tmp_path / file.name).read_bytes() == content
    assert server.ranges() == [None, *(f"bytes={n}-" for n in (100_000, 100_000, 250_000))]


def test_a_server_that_falls_silent_is_asked_again(server: Server, tmp_path: Path) -> None:
    file, content = made()
    mirror = server.offer("a", file, content)
    server.script["*"] = [stall(100_000)]
    assert fetch([file], tmp_path, mirror, patience=IMPATIENT)[0].state == "downloaded"
    assert (tmp_path / file.name).read_bytes() == content
    assert "bytes=100000-" in server.ranges()
    server.script["*"] = [stall(0)] * 3
    silent, content = made(1000, "MC/mc_1.x.4lep.root")
    server.offer("a", silent, content)
    (outcome,) = fetch([silent], tmp_path, mirror, patience=IMPATIENT)
    assert "127.0.0.1 sent nothing for 0.5 s, 3 times in a row" in outcome.note


def test_the_next_call_goes_on_where_the_last_one_stopped(server: Server, tmp_path: Path) -> None:
    file, content = made()
    mirror = server.offer("a", file, content)
    server.script["*"] = [cut(123_456), *[status(500)] * 3]
    (outcome,) = fetch([file], tmp_path, mirror)
    assert outcome.state == "failed"
    assert "127.0.0.1 answers 500, 3 times in a row" in outcome.note
    assert names(tmp_path) == [f"{file.name}.part"]
    server.requests.clear()
    assert fetch([file], tmp_path, mirror)[0].state == "downloaded"
    assert server.ranges() == ["bytes=123456-"]
    assert names(tmp_path) == [file.name]


@hypothesis_settings(max_examples=30)
@given(size=st.integers(1, 5000), data=st.data())
def test_cut_anywhere_and_any_number_of_times_it_is_the_same_file(
    running: Server, size: int, data: st.DataObject
) -> None:
    cuts = data.draw(st.lists(st.integers(0, size - 1), max_size=6))
    had = data.draw(st.integers(0, size))
    behaviours = data.draw(st.permutations([*map(cut, cuts), *data.draw(st.sampled_from([[], [ignores_range]]))]))
    file, content = made(size)
    mirror = running.offer("a", file, content)
    running.script.clear()
    running.script["*"] = list(behaviours)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / f"{file.name}.part").write_bytes(content[:had])
        patience = Patience(stall=5, attempts=len(cuts) + 2)
        (outcome,) = fetch([file], Path(folder), mirror, patience=patience)
        assert (outcome.state, outcome.note) == ("downloaded", "")
        assert (Path(folder) / file.name).read_bytes() == content


def test_a_server_that_ignores_ranges_starts_over(server: Server, tmp_path: Path) -> None:
    file, content = made()
    mirror = server.offer("a", file, content)
    server.script["*"] = [cut(200_000), ignores_range]
    assert fetch([file], tmp_path, mirror)[0].state == "downloaded"
    assert (tmp_path / file.name).read_bytes() == content
    assert len(server.requests) == 2


def test_starting_over_forgets_what_was_there(server: Server, tmp_path: Path) -> None:
    file, content = made()
    mirror = server.offer("a", file, content)
    (tmp_path / file.part).write_bytes(b"x" * 200_000)
    server.script["*"] = [other(lambda whole: whole[:100_000], length=False)]
    (outcome,) = fetch([file], tmp_path, mirror)
    assert (outcome.state, outcome.note) == ("downloaded", "")
    assert server.ranges() == ["bytes=200000-", "bytes=100000-"]


def test_a_transfer_that_begins_anew_and_breaks_off_loses_nothing(server: Server, tmp_path: Path) -> None:
    """A mirror without ranges, and one of several machines that give the same file other tags."""

    def tagged(tag: str, until: int | None) -> Behaviour:
        def behave(handler: Handler, whole: bytes) -> None:
            start = 0
            if handler.headers.get("Range") and handler.headers.get("If-Range", tag) == tag:
                start = int(handler.headers["Range"].removeprefix("bytes=").rstrip("-"))
            span = {"Content_Range": f"bytes {start}-{len(whole) - 1}/{len(whole)}"} if start else {}
            handler.begin(206 if start else 200, Content_Length=len(whole) - start, ETag=tag, **span)
            handler.wfile.write(whole[start:until])

        return behave

    file, content = made()
    mirror = server.offer("a", file, content)
    part = tmp_path / file.part
    part.write_bytes(content[:290_000])
    server.script["*"] = [lambda handler, whole: other(lambda w: w[:5000], length=False)(handler, whole)] * 3
    (outcome,) = fetch([file], tmp_path, mirror, patience=Patience(attempts=2))
    assert outcome.state == "failed"
    assert part.read_bytes() == content[:290_000]
    part.unlink()
    server.script["*"] = [tagged('"one"', 100_000), tagged('"two"', 100_000), tagged('"one"', 200_000)]
    server.requests.clear()
    assert fetch([file], tmp_path, mirror)[0].state == "downloaded"
    assert server.ranges() == [None, "bytes=100000-", "bytes=100000-", "bytes=200000-"]
    assert (tmp_path / file.name).read_bytes() == content


def test_wrong_bytes_are_blamed_on_the_mirror_that_sent_them_all(server: Server, tmp_path: Path) -> None:
    file, content = made()
    mirror = server.offer("a", file, altered(content))
    for had in (content[:1000], b"x" * (file.bytes + 1)):
        (tmp_path / file.part).write_bytes(had)
        server.script["*"] = [ignores_range]
        server.requests.clear()
        (outcome,) = fetch([file], tmp_path, mirror)
        assert "sent a wrong checksum" in outcome.note
        assert "what was here before" not in outcome.note
        assert len(server.requests) == 1


def test_a_link_in_place_of_a_part_is_not_followed(server: Server, tmp_path: Path) -> None:
    file, content = made()
    (tmp_path / "mine").write_text("do not touch")
    (tmp_path / file.part).symlink_to(tmp_path / "mine")
    assert fetch([file], tmp_path, server.offer("a", file, content))[0].state == "downloaded"
    assert (tmp_path / "mine").read_text() == "do not touch"
    assert not (tmp_path / file.name).is_symlink()


@pytest.mark.parametrize(
    "header", ["bytes 0-9/{size}", "bytes 999-1008/{size}", "bytes */{size}", "nonsense", "bytes 1000-{size}"]
)
def test_after_a_wrong_range_it_is_asked_for_the_whole(server: Server, tmp_path: Path, header: str) -> None:
    file, content = made()
    mirror = server.offer("a", file, content)
    server.script["*"] = [cut(1000), wrong_range(header)]
    assert fetch([file], tmp_path, mirror)[0].state == "downloaded"
    assert (tmp_path / file.name).read_bytes() == content
    assert server.ranges() == [None, "bytes=1000-", None]


def test_a_range_of_a_file_of_another_size_is_not_taken(server: Server, tmp_path: Path) -> None:
    file, content = made()
    mirror = server.offer("a", file, content)
    server.script["*"] = [cut(1000), wrong_range("bytes 1000-1009/5000")]
    (outcome,) = fetch([file], tmp_path, mirror)
    assert outcome.state == "failed"
    assert "5000 bytes instead of 300000" in outcome.note
    assert (tmp_path / f"{file.name}.part").read_bytes() == content[:1000]


def test_a_server_that_knows_no_such_range_is_asked_for_the_whole(server: Server, tmp_path: Path) -> None:
    file, content = made()
    mirror = server.offer("a", file, content)
    server.script["*"] = [cut(1000), status(416)]
    assert fetch([file], tmp_path, mirror)[0].state == "downloaded"
    assert server.ranges() == [None, "bytes=1000-", None]


def test_a_file_that_changes_between_two_requests_is_not_glued(server: Server, tmp_path: Path) -> None:
    file, content = made()
    mirror = server.offer("a", file, content)
    server.script["*"] = [lambda handler, whole: good(handler, altered(whole), until=1000)]
    (outcome,) = fetch([file], tmp_path, mirror)
    assert (outcome.state, outcome.note) == ("downloaded", "")
    assert "If-Range" in server.requests[1][1]


def test_a_part_of_another_build_is_dropped(server: Server, tmp_path: Path) -> None:
    file, content = made()
    mirror = server.offer("a", file, content)
    for had in (b"x" * 1000, b"x" * file.bytes, b"x" * (file.bytes + 1)):
        (tmp_path / f"{file.name}.part").write_bytes(had)
        (outcome,) = fetch([file], tmp_path, mirror)
        assert outcome.state == "downloaded"
        assert ("what was here before: wrong checksum" in outcome.note) == (len(had) <= file.bytes)
        assert (tmp_path / file.name).read_bytes() == content
        (tmp_path / file.name).unlink()


def test_a_whole_part_only_needs_its_name(server: Server, tmp_path: Path) -> None:
    file, content = made()
    (tmp_path / f"{file.name}.part").write_bytes(content)
    assert fetch([file], tmp_path, server.url)[0].state == "downloaded"
    assert not server.requests


# A mirror that is no good, and the next one.


@pytest.mark.parametrize(
    ("behaviour", "note"),
    [
        (status(404), "answers 404 Not Found"),
        (status(403), "answers 403 Forbidden"),
        (status(503, Retry_After=3600), "asks to come back in 3600 s"),
        (other(altered), "sent a wrong checksum"),
        (other(lambda content: content[:-1]), "has a file of 299999 bytes instead of 300000: another build"),
        (other(lambda content: content + b"x", length=False), "sends more than the 300000 bytes"),
        (other(lambda content: b"<html>Log in", length=False, Content_Type="text/html; charset=utf-8"), "a web page"),
        (other(lambda content: content, Content_Encoding="gzip"), "an encoding that nobody asked for"),
        (redirect("file:///etc/passwd"), "redirects from http to file"),
    ],
)
def test_the_next_mirror_is_asked_at_once(server: Server, tmp_path: Path, behaviour: Behaviour, note: str) -> None:
    file, content = made()
    first, second = (server.offer(mirror, file, content) for mirror in "ab")
    server.script[f"/a/{file.path}"] = [behaviour]
    (outcome,) = fetch([file], tmp_path, first, second)
    assert (outcome.state, outcome.origin) == ("downloaded", second)
    assert note in outcome.note
    assert (tmp_path / file.name).read_bytes() == content
    assert [path for path, _ in server.requests] == [f"/a/{file.path}", f"/b/{file.path}"]
    assert names(tmp_path) == [file.name]


@pytest.mark.parametrize(
    ("behaviour", "note"),
    [
        (status(503), "answers 503, 3 times in a row"),
        (cut(0), "broke the connection off, 3 times in a row"),
        (other(lambda content: b"", length=False), "ended after 0 of 300000 bytes, 3 times in a row"),
    ],
)
def test_the_next_mirror_is_asked_after_some_attempts(
    server: Server, tmp_path: Path, behaviour: Behaviour, note: str
) -> None:
    file, content = made()
    first, second = (server.offer(mirror, file, content) for mirror in "ab")
    server.script[f"/a/{file.path}"] = [behaviour] * 3
    (outcome,) = fetch([file], tmp_path, first, second)
    assert (outcome.state, outcome.origin) == ("downloaded", second)
    assert note in outcome.note
    assert [path for path, _ in server.requests].count(f"/a/{file.path}") == 3


def test_a_redirect_in_a_loop(server: Server, tmp_path: Path) -> None:
    file, _ = made()
    server.script[f"/a/{file.path}"] = [redirect(f"/a/{file.path}")] * 20
    (outcome,) = fetch([file], tmp_path, f"{server.url}/a")
    assert outcome.state == "failed"
    assert "redirects in a loop" in outcome.note
    assert len(server.requests) == 6


def test_what_one_mirror_began_another_one_ends(server: Server, tmp_path: Path) -> None:
    file, content = made()
    first, second = (server.offer(mirror, file, content) for mirror in "ab")
    server.script[f"/a/{file.path}"] = [cut(200_000), status(404)]
    assert fetch([file], tmp_path, first, second)[0].origin == second
    assert server.ranges() == [None, "bytes=200000-", "bytes=200000-"]


def test_wrong_bytes_everywhere_leave_nothing_behind(server: Server, tmp_path: Path) -> None:
    file, content = made()
    first, second = (server.offer(mirror, file, altered(content)) for mirror in "ab")
    (outcome,) = fetch([file], tmp_path, first, second)
    assert (outcome.state, outcome.bytes) == ("failed", 0)
    assert outcome.note.count(f"instead of {file.adler32}, deleted") == 2
    assert names(tmp_path) == []


def test_a_failure_does_not_keep_the_others_from_coming(server: Server, tmp_path: Path) -> None:
    pairs = [made(1000, f"MC/mc_{number}.name.4lep.root") for number in range(5)]
    for file, content in pairs:
        mirror = server.offer("a", file, content)
    server.script[f"/a/{pairs[0][0].path}"] = [status(404)]
    outcomes = fetch([file for file, _ in pairs], tmp_path, mirror)
    assert [outcome.state for outcome in outcomes] == ["failed", *["downloaded"] * 4]


def test_a_mirror_out_of_reach_is_given_up_for_all_files(server: Server, tmp_path: Path) -> None:
    pairs = [made(1000, f"MC/mc_{number}.name.4lep.root") for number in range(8)]
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        dead = f"http://127.0.0.1:{closed.getsockname()[1]}"
        waits: list[float] = []
        outcomes = fetch([file for file, _ in pairs], tmp_path, dead, sleep=waits.append)
    assert {outcome.state for outcome in outcomes} == {"failed"}
    assert all("could not be reached" in outcome.note for outcome in outcomes)
    assert len(waits) <= 2 * (PATIENCE.attempts - 1)  # two files were on their way, none of the others waited


def test_https_is_not_left_for_http(tmp_path: Path) -> None:
    file, content = made()

    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.scheme)
        if request.url.scheme == "https":
            return httpx.Response(302, headers={"Location": f"http://elsewhere/{file.path}"})
        return httpx.Response(200, stream=httpx.ByteStream(content))

    with httpx.Client(transport=httpx.MockTransport(answer)) as client:
        by_https, by_http = (Transfer(client, [f"{scheme}://mirror"], PATIENCE) for scheme in ("https", "http"))
        assert by_https.fetch(file, tmp_path, nobody) == ("", ["mirror redirects from https to http"])
        assert asked == ["https"]
        assert by_http.fetch(file, tmp_path, nobody) == ("http://mirror", [])
    assert (tmp_path / file.name).read_bytes() == content


# Waiting.


def test_waits_double_with_jitter_and_a_seed_repeats_them(server: Server, tmp_path: Path) -> None:
    file, _ = made()
    patience = Patience(attempts=6, wait=2.0, longest_wait=10.0)

    def waits(seed: int) -> list[float]:
        server.script["*"] = [status(500)] * 6
        slept: list[float] = []
        fetch([file], tmp_path, server.url, patience=patience, seed=seed, sleep=slept.append)
        return slept

    first = waits(1)
    assert first == waits(1) != waits(2)
    assert len(first) == 5
    assert all(longest / 2 <= wait <= longest for wait, longest in zip(first, (2, 4, 8, 10, 10), strict=True))


def test_a_server_is_left_alone_for_as_long_as_it_asks(server: Server, tmp_path: Path) -> None:
    file, content = made()
    mirror = server.offer("a", file, content)
    later = email.utils.formatdate(time.time() + 30, usegmt=True)
    answers = (status(503, Retry_After=7), status(429, Retry_After=later), status(503, Retry_After="soon"))
    server.script["*"] = list(answers)
    slept: list[float] = []
    patience = Patience(attempts=4, wait=0.01)
    assert fetch([file], tmp_path, mirror, patience=patience, sleep=slept.append)[0].state == "downloaded"
    assert slept[0] == 7
    assert 20 < slept[1] <= 30
    assert slept[2] < 1


# The machine.


def test_too_little_room_is_said_before_anything_is_fetched(server: Server, tmp_path: Path) -> None:
    file, _ = made()
    with pytest.raises(StorageError, match=r"need \d+ MB and the disk has \d+ MB free"):
        fetch([file._replace(bytes=10**18)], tmp_path, server.url)
    assert not server.requests


def test_a_folder_that_cannot_be_written(server: Server, tmp_path: Path) -> None:
    file, content = made()
    mirror = server.offer("a", file, content)
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be written"):
        fetch([file], tmp_path / "file", mirror)
    (tmp_path / f"{file.name}.part").mkdir()
    with pytest.raises(StorageError, match="could not be read or written"):
        fetch([file], tmp_path, mirror)


def test_a_proxy_of_the_environment_is_used(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, content = made()
    server.offer("a", file, content)
    monkeypatch.setenv(
        "http_proxy", server.url
    )  # the server answers as a proxy for mirror.invalid, which no name server knows
    assert fetch([file], tmp_path, "http://mirror.invalid/a")[0].state == "downloaded"
    (tmp_path / file.name).unlink()
    # Nobody listens at the proxy: it is named, without its password.
    monkeypatch.setenv("http_proxy", "http://me:secret@127.0.0.1:9")
    note = fetch([file], tmp_path, "http://mirror.invalid/a")[0].note
    assert "could not be reached through the proxy http://127.0.0.1:9" in note
    monkeypatch.setenv("http_proxy", "me:secret@127.0.0.1:9")
    note = fetch([file], tmp_path, "http://mirror.invalid/a")[0].note
    assert "through the proxy http://127.0.0.1:9" in note
    assert "secret" not in note
    monkeypatch.setenv("no_proxy", "mirror.invalid")
    assert "could not be reached through" not in fetch([file], tmp_path, "http://mirror.invalid/a")[0].note
    assert "could not be reached" in fetch([file], tmp_path, "http://mirror.invalid/a")[0].note
    monkeypatch.setenv("http_proxy", "ftp://proxy")
    with pytest.raises(DownloadError, match="proxy of this machine cannot be used"):
        fetch([file], tmp_path, "http://mirror.invalid/a")


def test_certificates_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "no.pem").write_text("no certificate")
    for wrong in (tmp_path / "absent.pem", tmp_path / "no.pem"):
        monkeypatch.setenv("SSL_CERT_FILE", str(wrong))
        with pytest.raises(DownloadError, match=r"certificates(?s:.)*SSL_CERT_FILE"):
            fetch([made()[0]], tmp_path, "https://mirror.invalid/a")


def test_addresses_of_mirrors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LABCOURSE_MIRROR", raising=False)
    cern = mirrors()
    assert all(address.startswith("https://") and ".cern.ch/" in address for address in cern)
    monkeypatch.setenv("LABCOURSE_MIRROR", "http://one/4lep/ https://two:8443/x")
    assert mirrors() == ["http://one/4lep", "https://two:8443/x"]
    assert mirrors(["http://three"]) == ["http://three"]
    for wrong in (
        "http://my..school/4lep",
        f"http://{'a' * 64}/4lep",
        "ftp://host/4lep",
        "file:///data",
        "/data",
        "https://",
        "http://host:port",
        "root://eos//x",
    ):
        with pytest.raises(BadInput, match="not the address of a mirror"):
            mirrors([wrong])


# Stopped in the middle.

DOWNLOAD = """
import sys
from pathlib import Path
from workshop.opendata import Official, Patience, download

path, size, adler32, folder, mirror = sys.argv[1:]
try:
    download([Official(path, int(size), adler32)], Path(folder), from_mirrors=[mirror])
except KeyboardInterrupt:
    sys.exit(130)
"""


@contextlib.contextmanager
def half_way(server: Server, file: Official, content: bytes, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that has received half of a file and waits for the rest."""
    mirror = server.offer("a", file, content)
    server.script["*"] = [stall(file.bytes // 2)]
    command = [sys.executable, "-c", DOWNLOAD, file.path, str(file.bytes), file.adler32, str(folder), mirror]
    part = folder / f"{file.name}.part"
    with subprocess.Popen(command, cwd=settings.home(), stderr=subprocess.PIPE) as process:
        try:
            while not (part.is_file() and part.stat().st_size == file.bytes // 2):
                assert process.poll() is None, process.communicate()[1]
                time.sleep(0.02)
            yield process
        finally:
            process.kill()


def test_killed_in_the_middle_it_goes_on(server: Server, tmp_path: Path) -> None:
    file, content = made()
    with half_way(server, file, content, tmp_path) as process:
        process.kill()
        process.wait(10)
    assert names(tmp_path) == [f"{file.name}.part"]
    server.requests.clear()
    assert fetch([file], tmp_path, f"{server.url}/a")[0].state == "downloaded"
    assert server.ranges() == [f"bytes={file.bytes // 2}-"]
    assert (tmp_path / file.name).read_bytes() == content


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no SIGINT for one process")
def test_interrupted_it_stops_at_once_and_goes_on_later(server: Server, tmp_path: Path) -> None:
    file, content = made()
    with half_way(server, file, content, tmp_path) as process:
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(15) == 130  # and not only when the server's silence is noticed, after 30 s
    assert names(tmp_path) == [f"{file.name}.part"]
    assert fetch([file], tmp_path, f"{server.url}/a")[0].state == "downloaded"


def test_one_download_at_a_time_in_a_folder(server: Server, tmp_path: Path) -> None:
    file, content = made()
    with (
        half_way(server, file, content, tmp_path),
        pytest.raises(StorageError, match="Another process is at work"),
    ):
        fetch([file], tmp_path, f"{server.url}/a")


def test_a_half_downloaded_sample_is_never_read(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "data_folder", lambda: tmp_path)
    sample = samples.get("data")
    pairs = [made(5000, f"Data/{name}") for name in sample.files]
    for (file, content), name in zip(pairs, sample.files, strict=True):
        mirror = server.offer("a", file, content)
        (tmp_path / name).write_bytes(b"bundle")
    server.script[f"/a/Data/{sample.files[2]}"] = [cut(4000), *[status(500)] * 3]
    files = [file for file, _ in pairs]
    fetch(files, settings.official_folder(), mirror)
    assert names(settings.official_folder()) == sorted([*sample.files[:2], f"{sample.files[2]}.part", sample.files[3]])
    assert samples.locate("data").source == "bundle"
    fetch(files, settings.official_folder(), mirror)
    assert samples.locate("data").source == "official"
