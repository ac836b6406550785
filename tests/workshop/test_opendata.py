"""The manifest of the official collection, the verdicts on files, and `labcourse data …`."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot

from factory import mini
from labcourse import samples, settings
from labcourse.errors import BadFile, UnknownSample
from workshop.opendata import integrity, transfer
from workshop.opendata.integrity import examine, verify
from workshop.opendata.manifest import OFFICIAL, Official, checksum, choose

ZEE, ZTAUTAU = "mc_361106.Zee.4lep.root", "mc_361108.Ztautau.4lep.root"
(OFFICIAL_ZEE,) = choose(["Zee"])


def described(path: Path) -> Official:
    """Return the official file of Z → ee as if the one at ``path`` were it."""
    return OFFICIAL_ZEE._replace(bytes=path.stat().st_size, adler32=checksum(path))


@pytest.fixture
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder instead of the project's."""
    folder = tmp_path / "data"
    (folder / "official").mkdir(parents=True)
    monkeypatch.setattr(settings, "data_folder", lambda: folder)
    return folder


# The manifest.


def test_the_manifest_holds_every_file_of_the_catalogue() -> None:
    assert sorted(file.name for file in choose()) == sorted(name for s in samples.ALL for name in samples.get(s).files)
    for name in samples.ALL:
        own, sample = choose([name]), samples.get(name)
        assert sum(file.events or 0 for file in own) == sample.official_raw
        assert {file.dsid or 0 for file in own} == {sample.dsid}
    assert [file.name for file in choose(["data_B.4lep.root", "Ztautau"])] == ["data_B.4lep.root", ZTAUTAU]
    assert choose(["all"]) == list(OFFICIAL)
    with pytest.raises(UnknownSample, match="no sample 'Zeee'"):
        choose(["Zeee"])


# Verdicts.


def test_whole_damaged_or_foreign(tmp_path: Path, mini_branches: Callable[..., Any]) -> None:
    path = tmp_path / ZEE
    mini.write(path, mini_branches(898, dsid=361106))
    assert examine(path, described(path)) == ("whole", "")
    whole = path.read_bytes()
    found = f"{len(whole)} bytes instead of {OFFICIAL_ZEE.bytes}, 898 events"
    assert examine(path, OFFICIAL_ZEE) == ("another build", found)
    for damaged in (b"", whole[: len(whole) // 2], b"<html>", whole[:400] + bytes(3000) + whole[3400:]):
        path.write_bytes(damaged)
        assert examine(path, OFFICIAL_ZEE)[0] == "damaged"
    foreign: dict[str, dict[str, Any]] = {
        "holds 897 events, not 898": mini_branches(897, dsid=361106),
        "holds channel 361107, not 361106": mini_branches(898, dsid=361107),
    }
    for detail, branches in foreign.items():
        mini.write(path, branches)
        state, found = examine(path, OFFICIAL_ZEE)
        assert (state, detail in found) == ("foreign", True), found
    with uproot.recreate(path) as written:
        written["a histogram"] = np.histogram([1.0])
    state, found = examine(path, OFFICIAL_ZEE)
    assert (state, "neither the tree 'mini' nor 'analysis', but a histogram" in found) == ("foreign", True)
    mini.write(path, mini_branches(5, dsid=361108))
    assert "not known" in examine(path, choose(["Ztautau"])[0])[1]


def test_a_disk_that_fails_costs_one_verdict_and_not_all(
    data_folder: Path, mini_branches: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path, file: Official) -> bool:
        if path.name == ZEE:
            raise PermissionError(13, "Permission denied")
        return False

    (zmumu,) = choose(["Zmumu"])
    mini.write(data_folder / "official" / zmumu.name, mini_branches(20, dsid=zmumu.dsid))
    (data_folder / "official" / ZEE).write_bytes(b"x")
    monkeypatch.setattr(integrity, "is_whole", fail)
    zee, other = verify(["Zee", "Zmumu"])
    assert (zee.state, zee.detail, other.state) == ("damaged", "it cannot be read: Permission denied", "foreign")


def test_the_build_of_january_2020_is_another_build(real_files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABCOURSE_DATA", str(real_files))
    names = {path.name for path in real_files.glob("*.root")} & {file.name for file in choose()}
    verdicts = [verdict for verdict in verify(names) if verdict.folder == str(real_files.resolve())]
    assert len(verdicts) >= 7
    assert {(verdict.source, verdict.state) for verdict in verdicts} == {("official", "another build")}


def test_simulated_samples_go_by_their_own_manifest(data_folder: Path) -> None:
    bundle = settings.home() / "data"
    for path in bundle.glob("*.*"):
        shutil.copy(path, data_folder)
    assert {(v.source, v.state, v.folder) for v in verify()} == {("bundle", "whole", str(data_folder))}
    with (data_folder / ZEE).open("r+b") as stream:
        stream.seek(5000)
        stream.write(b"x")
    assert verify(["Zee"])[0].state == "damaged"


def test_a_damaged_manifest_is_one_error(tmp_path: Path) -> None:
    for content in ("[]", "{", '{"files": 3}', '{"files": [{"file": []}]}', "[" * 99999):
        (tmp_path / samples.MANIFEST).write_text(content)
        with pytest.raises(BadFile, match="manifest"):
            samples.read_manifest(tmp_path)


def test_verify_looks_into_every_folder(data_folder: Path, mini_branches: Callable[..., Any]) -> None:
    for name in samples.get("data").files:
        mini.write(data_folder / name, mini_branches(3))
    other = "mc_361100.Wplusenu.4lep.root"  # which the course does not use
    for name in (ZEE, ZTAUTAU, other, "data_B.4lep.root"):
        mini.write(data_folder / "official" / name, mini_branches(898, dsid=361106))
    found = {(Path(v.folder).name, v.file): (v.source, v.state) for v in verify()}
    assert found["official", ZEE] == ("official", "another build")
    assert found["official", ZTAUTAU] == found["official", other] == ("official", "foreign")
    assert found["data", "data_B.4lep.root"][0] == "bundle"  # collision data are incomplete in data/official
    assert found["official", "data_B.4lep.root"] == ("official", "foreign")
    assert found["official", "mc_363490.llll.4lep.root"] == ("–", "missing")
    assert len(found) == 12 + 3


# The commands.


def test_verify_prints(invoke: Callable[..., Any], data_folder: Path, mini_branches: Callable[..., Any]) -> None:
    result = invoke("data", "verify", "--samples", "Zee")
    assert (result.code, "missing" in result.out, "folder" in result.out) == (1, True, True)
    mini.write(data_folder / "official" / ZEE, mini_branches(898, dsid=361106))
    result = invoke("data", "verify", "--samples", "Zee", "--json")
    (row,) = json.loads(result.out)
    assert (result.code, row["state"], row["folder"]) == (0, "another build", str(data_folder / "official"))
    result = invoke("data", "verify", "--samples", "Zeee")
    assert (result.code, "no sample 'Zeee'" in result.err) == (1, True)


def test_download_says_what_failed(invoke: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[int, Path, object]] = []
    state = "failed"

    def fake(files: list[Official], folder: Path, *, from_mirrors: object) -> list[transfer.Outcome]:
        calls.append((len(files), folder, from_mirrors))
        return [transfer.Outcome(file.name, file.sample, state, 0, "", "no network") for file in files]

    monkeypatch.setattr(transfer, "download", fake)
    command = ("data", "download", "--samples", "Zee", "--out", tmp_path, "--mirror", "http://school/4lep")
    result = invoke(*command)
    assert (result.code, "no network" in result.out) == (1, True)
    assert "1 of 1 files are not there" in result.err
    state = "downloaded"
    result = invoke(*command)
    assert (result.code, f"labcourse data use {tmp_path}" in result.err) == (0, True)
    invoke("data", "download")
    assert calls == [*[(1, tmp_path, ["http://school/4lep"])] * 2, (12, settings.official_folder(), ())]
