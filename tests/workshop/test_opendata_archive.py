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

from labcourse import ntuple
from labcourse.errors import BadFile, StorageError
from workshop.opendata import Official, unpack

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


def write(path: Path, content: dict[str, bytes] | None = None, *, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in (entries() if content is None else content).items():
            archive.writestr(name, data)
    return path


def seen(folder: Path) -> list[str]:
    """All that is in a folder, but for the lock."""
    return sorted(path.name for path in folder.rglob("*") if path.name != ".download.lock")


def refused(archive: Path, folder: Path, match: str) -> None:
    with pytest.raises(BadFile, match=match) as raised:
        unpack(archive, FILES, folder, progress=False)
    assert archive.name in str(raised.value)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_official_files_leave_the_archive_and_nothing_else(tmp_path: Path, method: int) -> None:
    archive, folder = write(tmp_path / "4lep.zip", method=method), tmp_path / "out"
    outcomes = unpack(archive, FILES, folder, progress=False)
    assert [(o.file, o.state, o.bytes, o.origin) for o in outcomes] == [
        (file.name, "unpacked", file.bytes, str(archive)) for file in FILES
    ]
    assert seen(folder) == sorted(file.name for file in FILES)
    assert [(folder / file.name).read_bytes() for file in FILES] == list(CONTENT.values())


def test_only_what_was_asked_for_and_what_is_not_whole_yet(tmp_path: Path) -> None:
    archive, folder = write(tmp_path / "4lep.zip"), tmp_path / "out"
    unpack(archive, FILES[:1], folder, progress=False)
    assert seen(folder) == [FIRST]
    before = (folder / FIRST).stat().st_mtime_ns
    (folder / FILES[1].name).write_bytes(b"another build")
    outcomes = unpack(archive, FILES, folder, progress=False)
    assert [outcome.state for outcome in outcomes] == ["already whole", "unpacked", "unpacked"]
    assert (folder / FIRST).stat().st_mtime_ns == before


def test_what_the_archive_lacks_is_said(tmp_path: Path) -> None:
    content = {name: data for name, data in entries().items() if not name.endswith(FIRST)}
    outcomes = unpack(write(tmp_path / "4lep.zip", content), FILES, tmp_path / "out", progress=False)
    assert [outcome.state for outcome in outcomes] == ["failed", "unpacked", "unpacked"]
    assert outcomes[0].note == "not in the archive"


def test_windows_separators_are_paths_too(tmp_path: Path) -> None:
    content = {name.replace("/", "\\"): data for name, data in entries().items() if data}
    assert unpack(write(tmp_path / "4lep.zip", content), FILES, tmp_path / "out", progress=False)[0].state == "unpacked"
    assert seen(tmp_path / "out") == sorted(file.name for file in FILES)


@pytest.mark.parametrize(
    "path", [f"../{FIRST}", f"/{FIRST}", f"4lep/../../{FIRST}", f"..\\..\\{FIRST}", f"C:\\{FIRST}", "../../evil.sh"]
)
def test_paths_that_leave_the_folder(tmp_path: Path, path: str) -> None:
    (tmp_path / "sub").mkdir()
    archive = write(tmp_path / "4lep.zip", entries() | {path: CONTENT["data_A"]})
    refused(archive, tmp_path / "sub" / "out", "leads out of the folder")
    assert seen(tmp_path) == ["4lep.zip", "sub"]


def test_links(tmp_path: Path) -> None:
    archive = tmp_path / "4lep.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        info = zipfile.ZipInfo(f"4lep/{FIRST}")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        opened.writestr(info, "/etc/passwd")
    refused(archive, tmp_path / "out", "is a link")


def test_repeated_entries(tmp_path: Path) -> None:
    refused(write(tmp_path / "4lep.zip", entries() | {f"again/{FIRST}": b"x"}), tmp_path / "out", "twice")


def test_other_sizes_and_bombs(tmp_path: Path) -> None:
    for size in (10, 100_000_000):
        archive = write(tmp_path / "4lep.zip", {FIRST: bytes(size)})
        refused(archive, tmp_path / "out", f"has {size} bytes instead of {FILES[0].bytes}")


def built(path: Path, mini_branches: Callable[..., Any], dsid: int, n: int = 30) -> tuple[bytes, Official]:
    """A small file of a sample, and what the release says of it: a tenth more bytes."""
    ntuple.write(path, mini_branches(n, dsid=dsid))
    content = path.read_bytes()
    return content, Official("MC/mc_7.x.4lep.root", len(content) * 11 // 10, "00000000", events=30)


def test_another_build_has_to_hold_what_its_name_says(tmp_path: Path, mini_branches: Callable[..., Any]) -> None:
    content, file = built(tmp_path / "7.root", mini_branches, 7)
    archive, folder = write(tmp_path / "4lep.zip", {file.path: content}), tmp_path / "out"
    (outcome,) = unpack(archive, [file], folder, progress=False)
    assert outcome[2:4] == ("unpacked", len(content))
    assert outcome.note == "another build"
    assert (folder / file.name).read_bytes() == content
    (folder / file.name).unlink()

    wrong = {
        "is foreign .holds channel 8, not 7": built(tmp_path / "8.root", mini_branches, 8)[0],
        "is foreign .holds 29 events, not 30": built(tmp_path / "29.root", mini_branches, 7, 29)[0],
        "is damaged": content[: len(content) * 2 // 3],
    }
    for match, other in wrong.items():
        with pytest.raises(BadFile, match=match):
            unpack(write(tmp_path / "4lep.zip", {file.path: other}), [file], folder, progress=False)
        assert seen(folder) == []


def patch(archive: Path, change: Callable[[bytearray, int], None]) -> None:
    """Change the entry of the first official file in the table of contents at the end."""
    content = bytearray(archive.read_bytes())
    at = content.rindex(b"PK\x01\x02", 0, content.rindex(FIRST.encode()))
    change(content, at)
    archive.write_bytes(content)


def test_a_bomb_that_lies_about_its_size(tmp_path: Path) -> None:
    archive = write(tmp_path / "4lep.zip", {FIRST: bytes(100_000_000)})

    def lie(content: bytearray, at: int) -> None:
        content[at + 24 : at + 28] = FILES[0].bytes.to_bytes(4, "little")

    patch(archive, lie)
    refused(archive, tmp_path / "out", "damaged|checksum")
    assert seen(tmp_path / "out") == []


def test_encrypted_entries(tmp_path: Path) -> None:
    archive = write(tmp_path / "4lep.zip", {FIRST: CONTENT["data_A"]})

    def encrypt(content: bytearray, at: int) -> None:
        content[at + 8] |= 1

    patch(archive, encrypt)
    refused(archive, tmp_path / "out", "is encrypted")


def test_overlapping_entries(tmp_path: Path) -> None:
    names = [file.name for file in FILES[:2]]
    archive = write(tmp_path / "4lep.zip", dict.fromkeys(names, CONTENT["data_A"]), method=zipfile.ZIP_STORED)

    def same_place(content: bytearray, at: int) -> None:
        second = content.rindex(b"PK\x01\x02")
        content[second + 42 : second + 46] = content[at + 42 : at + 46]

    patch(archive, same_place)
    refused(archive, tmp_path / "out", "overlaps")


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_compression_that_asks_for_memory(tmp_path: Path, method: int) -> None:
    archive = write(tmp_path / "4lep.zip", method=method)
    refused(archive, tmp_path / "out", "compressed in a way")


def test_a_wrong_checksum_changes_nothing(tmp_path: Path) -> None:
    other = bytes(FILES[0].bytes)
    archive, folder = write(tmp_path / "4lep.zip", entries() | {f"4lep/{FILES[0].path}": other}), tmp_path / "out"
    folder.mkdir()
    (folder / FIRST).write_bytes(b"what was here")
    refused(archive, folder, f"instead of {FILES[0].adler32}")
    assert seen(folder) == [FIRST]
    assert (folder / FIRST).read_bytes() == b"what was here"


def test_no_archive_at_all(tmp_path: Path) -> None:
    refused(tmp_path / "nowhere.zip", tmp_path / "out", "does not exist")
    (tmp_path / "page.zip").write_text("<html>")
    refused(tmp_path / "page.zip", tmp_path / "out", "no zip file")
    (tmp_path / "folder.zip").mkdir()
    refused(tmp_path / "folder.zip", tmp_path / "out", "cannot be read")


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        unpack(write(tmp_path / "4lep.zip"), FILES, tmp_path / "file", progress=False)


def test_a_fault_of_the_folder_is_not_blamed_on_the_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(path: Path, file: Official) -> bool:
        raise PermissionError(13, "Permission denied")

    archive = write(tmp_path / "4lep.zip")
    with monkeypatch.context() as patch:
        patch.setattr("workshop.opendata.archive.is_whole", forbidden)
        with pytest.raises(StorageError, match="could not be read or written"):
            unpack(archive, FILES, tmp_path / "out", progress=False)
    (tmp_path / "out" / f".{Path(FIRST).stem}-half.root").write_bytes(b"left by a killed call")
    (tmp_path / "out" / FILES[0].part).write_bytes(b"half")
    unpack(archive, FILES, tmp_path / "out", progress=False)
    assert seen(tmp_path / "out") == sorted(file.name for file in FILES)


def test_too_little_room(tmp_path: Path) -> None:
    archive = tmp_path / "4lep.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr(FIRST, b"")
        opened.filelist[0].file_size = 10**18
    with pytest.raises(StorageError, match=r"need \d+ MB and the disk has \d+ MB free"):
        unpack(archive, [FILES[0]._replace(bytes=10**18)], tmp_path / "out", progress=False)


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
            unpack(archive, FILES, folder, progress=False)
        official = {file.name: whole for file, whole in zip(FILES, CONTENT.values(), strict=True)}
        left = [path for path in folder.rglob("*") if path.name != ".download.lock"] if folder.exists() else []
        assert all(path.read_bytes() == official[path.name] for path in left)
