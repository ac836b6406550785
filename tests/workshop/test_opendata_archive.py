"""The zip file of the collection: what is official leaves it whole, and nothing else leaves it at all."""

from __future__ import annotations

import contextlib
import random
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from factory import mini
from labcourse.errors import BadFile, StorageError
from workshop.opendata.archive import unpack
from workshop.opendata.manifest import Official

CONTENT = {name: random.Random(name).randbytes(40_000) + bytes(10_000) for name in ("data_A", "data_B", "mc_1.x")}
FILES = [
    Official(f"Data/{name}.4lep.root", len(content), f"{zlib.adler32(content):08x}")
    for name, content in CONTENT.items()
]
FIRST = FILES[0].name


def entries() -> dict[str, bytes]:
    """The archive as it should be, with a few things around it."""
    official = {f"4lep/{file.path}": content for file, content in zip(FILES, CONTENT.values(), strict=True)}
    return {"4lep/": b"", "4lep/README": b"read me", f"__MACOSX/4lep/Data/._{FIRST}": b"junk", **official}


def write(path: Path, content: dict[str, bytes] | None = None) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (entries() if content is None else content).items():
            archive.writestr(name, data)
    return path


def seen(folder: Path) -> list[str]:
    """All that is in a folder, but for the lock."""
    return sorted(path.name for path in folder.rglob("*") if path.name != ".download.lock")


def refused(archive: Path, folder: Path, match: str) -> None:
    with pytest.raises(BadFile, match=match) as raised:
        unpack(archive, FILES, folder)
    assert archive.name in str(raised.value)


def test_official_files_leave_the_archive_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    for separator in "/\\":
        content = {name.replace("/", separator): data for name, data in entries().items() if data}
        archive = write(tmp_path / "4lep.zip", content)
        outcomes = unpack(archive, FILES[:1], folder)
        before = (folder / FIRST).stat().st_mtime_ns
        (folder / FILES[1].name).write_bytes(b"another build")
        (folder / f".{Path(FILES[2].name).stem}-half.root").write_bytes(b"left by a killed call")
        outcomes += unpack(archive, FILES, folder)
        assert [outcome.state for outcome in outcomes] == ["unpacked", "already whole", "unpacked", "unpacked"]
        assert (folder / FIRST).stat().st_mtime_ns == before
        assert seen(folder) == sorted(file.name for file in FILES)
        assert [(folder / file.name).read_bytes() for file in FILES] == list(CONTENT.values())
        for file in FILES:
            (folder / file.name).unlink()


def test_what_the_archive_lacks_is_said(tmp_path: Path) -> None:
    content = {name: data for name, data in entries().items() if not name.endswith(FIRST)}
    outcomes = unpack(write(tmp_path / "4lep.zip", content), FILES, tmp_path / "out")
    assert [outcome.state for outcome in outcomes] == ["failed", "unpacked", "unpacked"]
    assert outcomes[0].note == "not in the archive"


@pytest.mark.parametrize(
    "path", [f"../{FIRST}", f"/{FIRST}", f"4lep/../../{FIRST}", f"..\\..\\{FIRST}", f"C:\\{FIRST}", "../../evil.sh"]
)
def test_no_path_of_the_archive_is_used(tmp_path: Path, path: str) -> None:
    (tmp_path / "sub").mkdir()
    unpack(write(tmp_path / "4lep.zip", entries() | {path: CONTENT["data_A"]}), FILES, tmp_path / "sub" / "out")
    assert seen(tmp_path) == sorted(["4lep.zip", "sub", "out", *(file.name for file in FILES)])


def test_links_other_sizes_and_other_bytes_change_nothing(tmp_path: Path) -> None:
    archive, folder = tmp_path / "4lep.zip", tmp_path / "out"
    folder.mkdir()
    (folder / FIRST).write_bytes(b"what was here")
    with zipfile.ZipFile(archive, "w") as opened:
        info = zipfile.ZipInfo(f"4lep/{FIRST}")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        opened.writestr(info, "/etc/passwd")
    refused(archive, folder, "has 11 bytes instead of")
    refused(write(archive, {FIRST: bytes(100_000_000)}), folder, f"has 100000000 bytes instead of {FILES[0].bytes}")
    refused(write(archive, {FIRST: bytes(FILES[0].bytes)}), folder, f"checksum is not {FILES[0].adler32}")
    assert seen(folder) == [FIRST]
    assert (folder / FIRST).read_bytes() == b"what was here"


def test_a_bomb_that_lies_about_its_size_and_an_encrypted_entry(tmp_path: Path) -> None:
    archive = write(tmp_path / "4lep.zip", {FIRST: bytes(100_000_000)})
    content = bytearray(archive.read_bytes())
    at = content.rindex(b"PK\x01\x02")  # the entry in the table of contents
    content[at + 24 : at + 28] = FILES[0].bytes.to_bytes(4, "little")
    archive.write_bytes(content)
    refused(archive, tmp_path / "out", "damaged|checksum")
    content[at + 8] |= 1
    archive.write_bytes(content)
    refused(archive, tmp_path / "out", "encrypted")
    assert seen(tmp_path / "out") == []


def test_another_build_has_to_hold_what_its_name_says(tmp_path: Path, mini_branches: Callable[..., Any]) -> None:
    def built(dsid: int, n: int = 30) -> bytes:
        mini.write(tmp_path / "built.root", mini_branches(n, dsid=dsid))
        return (tmp_path / "built.root").read_bytes()

    content, folder = built(7), tmp_path / "out"
    file = Official("MC/mc_7.x.4lep.root", len(content) * 11 // 10, "00000000", events=30)
    wrong = {
        "is foreign .holds channel 8, not 7": built(8),
        "is foreign .holds 29 events, not 30": built(7, 29),
        "is damaged": content[: len(content) * 2 // 3],
    }
    for match, other in wrong.items():
        with pytest.raises(BadFile, match=match):
            unpack(write(tmp_path / "4lep.zip", {file.path: other}), [file], folder)
        assert seen(folder) == []
    (outcome,) = unpack(write(tmp_path / "4lep.zip", {file.path: content}), [file], folder)
    assert (outcome.state, outcome.bytes, outcome.note) == ("unpacked", len(content), "another build")
    assert (folder / file.name).read_bytes() == content


def test_no_archive_at_all_and_a_disk_that_refuses(tmp_path: Path) -> None:
    refused(tmp_path / "nowhere.zip", tmp_path / "out", "No such file")
    (tmp_path / "page.zip").write_text("<html>")
    refused(tmp_path / "page.zip", tmp_path / "out", "no zip file")
    archive = write(tmp_path / "4lep.zip")
    with pytest.raises(StorageError):
        unpack(archive, FILES, tmp_path / "page.zip")
    with pytest.raises(StorageError, match=r"need \d+ MB and the disk has \d+ MB free"):
        unpack(archive, [FILES[0]._replace(bytes=10**18)], tmp_path / "out")


@hypothesis_settings(max_examples=60)
@given(data=st.data())
def test_damage_gives_one_clear_error_or_whole_files(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "out"
        archive = write(Path(place) / "4lep.zip")
        content = bytearray(archive.read_bytes())
        # Most of an archive is data: half of the damage is done to the table at its end.
        first = data.draw(st.sampled_from([0, content.rindex(b"PK\x01\x02", 0, content.rindex(b"4lep/README"))]))
        for _ in range(data.draw(st.integers(1, 4))):
            content[data.draw(st.integers(first, len(content) - 1))] = data.draw(st.integers(0, 255))
        archive.write_bytes(content[: data.draw(st.one_of(st.just(len(content)), st.integers(0, len(content))))])
        with contextlib.suppress(BadFile):  # and nothing else
            unpack(archive, FILES, folder)
        official = {file.name: whole for file, whole in zip(FILES, CONTENT.values(), strict=True)}
        left = [path for path in folder.rglob("*") if path.name != ".download.lock"] if folder.exists() else []
        assert all(path.read_bytes() == official[path.name] for path in left)
