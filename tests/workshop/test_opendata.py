"""The manifest of the official collection, the verdicts on files, and `labcourse data …`."""

from __future__ import annotations

import json
import shutil
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot

from factory import mini
from labcourse import samples, settings
from labcourse.errors import BadFile, BadInput, UnknownSample
from workshop import cli, opendata
from workshop.opendata import Official, integrity
from workshop.opendata.manifest import checksum

ZEE = "mc_361106.Zee.4lep.root"


def described(path: Path, file: Official) -> Official:
    """Return the official file as if the one at ``path`` were it."""
    return file._replace(bytes=path.stat().st_size, adler32=checksum(path))


def one(name: str) -> Official:
    (file,) = opendata.choose([name])
    return file


@pytest.fixture
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder instead of the project's."""
    folder = tmp_path / "data"
    (folder / "official").mkdir(parents=True)
    monkeypatch.setattr(settings, "data_folder", lambda: folder)
    return folder


# The manifest.


def test_the_manifest_holds_every_file_of_the_catalogue() -> None:
    files = opendata.choose()
    assert sorted(file.name for file in files) == sorted(name for s in samples.ALL for name in samples.get(s).files)
    for name in samples.ALL:
        sample = samples.get(name)
        own = opendata.choose([name])
        assert sum(file.events or 0 for file in own) == sample.official_raw
        assert {file.dsid or 0 for file in own} == {sample.dsid}


def test_choosing() -> None:
    assert [file.name for file in opendata.choose(["data_B.4lep.root", "Ztautau"])] == [
        "data_B.4lep.root",
        "mc_361108.Ztautau.4lep.root",
    ]
    assert len(opendata.choose(["all"])) == len(opendata.official())
    with pytest.raises(UnknownSample, match="Did you mean Zee"):
        opendata.choose(["Zeee"])


# Verdicts.


def test_whole_damaged_foreign_missing(tmp_path: Path, mini_branches: Callable[..., Any]) -> None:
    file = one("Zee")
    path = tmp_path / file.name
    assert opendata.examine(path, file) == ("missing", "")
    mini.write(path, mini_branches(898, dsid=361106))
    assert opendata.examine(path, described(path, file)) == ("whole", "")
    whole = path.read_bytes()
    assert opendata.examine(path, file) == (
        "another build",
        f"{len(whole)} bytes instead of {file.bytes}, 898 events",
    )
    for damaged in (b"", whole[: len(whole) // 2], b"<html>", whole[:400] + bytes(3000) + whole[3400:]):
        path.write_bytes(damaged)
        assert opendata.examine(path, file)[0] == "damaged"
    foreign: dict[str, dict[str, Any]] = {
        "holds 897 events, not 898": mini_branches(897, dsid=361106),
        "holds channel 361107, not 361106": mini_branches(898, dsid=361107),
        "lep_pt": mini_branches(5, dsid=361106) | {"lep_pt": np.ones(5, "f4")},
    }
    for detail, branches in foreign.items():
        mini.write(path, branches)
        state, found = opendata.examine(path, file)
        assert (state, detail in found) == ("foreign", True), found
    with uproot.recreate(path) as written:
        written["a histogram"] = np.histogram([1.0])
    assert opendata.examine(path, file) == ("foreign", f"{path.name}: the tree 'mini' is missing.")
    mini.write(path, mini_branches(5, dsid=361108))
    assert "not known" in opendata.examine(path, one("Ztautau"))[1]


def test_a_disk_that_fails_costs_one_verdict_and_not_all(
    tmp_path: Path, mini_branches: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path, file: Official) -> bool:
        if path.name == ZEE:
            raise PermissionError(13, "Permission denied")
        return False

    zmumu = one("Zmumu")
    mini.write(tmp_path / zmumu.name, mini_branches(20, dsid=zmumu.dsid))
    (tmp_path / ZEE).write_bytes(b"x")
    monkeypatch.setattr(integrity, "is_whole", fail)
    zee, other = opendata.verify([one("Zee"), zmumu], tmp_path)
    assert (zee.state, zee.detail, other.state) == ("damaged", "it cannot be read: Permission denied", "foreign")


def test_the_build_of_january_2020_is_another_build(real_files: Path) -> None:
    names = [path.name for path in sorted(real_files.glob("*.root"))]
    verdicts = opendata.verify(opendata.choose(names), real_files)
    assert len(verdicts) == len(names) >= 7
    assert {(verdict.source, verdict.state) for verdict in verdicts} == {("official", "another build")}


def test_simulated_samples_go_by_their_own_manifest(data_folder: Path) -> None:
    bundle = settings.home() / "data"
    assert {verdict.state for verdict in opendata.verify(folder=bundle)} == {"whole"}
    for name in ("manifest.json", ZEE):
        shutil.copy(bundle / name, data_folder / name)
    (verdict,) = opendata.verify([one("Zee")])
    assert (verdict.source, verdict.state, verdict.folder) == ("bundle", "whole", str(data_folder))
    with (data_folder / ZEE).open("r+b") as stream:
        stream.seek(5000)
        stream.write(b"x")
    assert opendata.verify([one("Zee")])[0].state == "damaged"


def test_the_bundle_is_the_bundle_also_in_a_copy_and_a_damaged_manifest_is_one_error(tmp_path: Path) -> None:
    for name in ("manifest.json", ZEE):
        shutil.copy(settings.data_folder() / name, tmp_path)
    assert samples.source(tmp_path, samples.get("Zee")) == "bundle"
    for content in ("[]", "{", '{"files": 3}', '{"files": [{"file": []}]}', "[" * 99999):
        (tmp_path / samples.MANIFEST).write_text(content)
        with pytest.raises(BadFile, match="manifest"):
            samples.read_manifest(tmp_path)


def test_verify_looks_at_what_is_read_and_at_what_was_downloaded(
    data_folder: Path, mini_branches: Callable[..., Any]
) -> None:
    for name in samples.get("data").files:
        mini.write(data_folder / name, mini_branches(3))
    for name in (ZEE, "mc_361108.Ztautau.4lep.root", "data_B.4lep.root"):
        mini.write(data_folder / "official" / name, mini_branches(898, dsid=361106))
    found = {(Path(v.folder).name, v.file): (v.source, v.state) for v in opendata.verify()}
    assert found["official", ZEE] == ("official", "another build")
    assert found["official", "mc_361108.Ztautau.4lep.root"] == ("official", "foreign")
    assert found["data", "data_B.4lep.root"][0] == "bundle"  # collision data are incomplete in data/official
    assert found["official", "data_B.4lep.root"] == ("official", "foreign")
    assert found["official", "mc_363490.llll.4lep.root"] == ("–", "missing")
    assert len(found) == 12 + 2
    with pytest.raises(BadInput, match="not a folder"):
        opendata.verify(folder=data_folder / "nowhere")


# The commands.


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Return a caller of `labcourse data …`."""

    def invoke(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["labcourse", "data", *map(str, words)])
        code = 0
        try:
            cli.main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        return (code, *capsys.readouterr())

    return invoke


Run = Callable[..., tuple[int, str, str]]


def test_verify_prints(run: Run, data_folder: Path, mini_branches: Callable[..., Any]) -> None:
    code, out, _ = run("verify", "--samples", "Zee", "--json")
    assert (code, json.loads(out)[0]["state"]) == (1, "missing")
    mini.write(data_folder / "official" / ZEE, mini_branches(898, dsid=361106))
    code, out, _ = run("verify", "--samples", "Zee")
    assert (code, "another build" in out, str(data_folder / "official") in out.replace("\n", "")) == (0, True, True)
    code, _, err = run("verify", "--samples", "Zeee")
    assert (code, "Did you mean Zee" in err) == (1, True)


def test_download_says_what_failed(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[int, Path, object]] = []
    state = "failed"

    def fake(files: list[Official], folder: Path, *, from_mirrors: object) -> list[opendata.Outcome]:
        calls.append((len(files), folder, from_mirrors))
        if state == "stopped":
            raise KeyboardInterrupt
        return [opendata.Outcome(file.name, file.sample, state, 0, "", "no network") for file in files]

    monkeypatch.setattr(opendata, "download", fake)
    command = ("download", "--samples", "Zee", "--out", tmp_path, "--mirror", "http://school/4lep")
    code, out, err = run(*command, "--json")
    assert (code, json.loads(out)[0]["note"]) == (1, "no network")
    assert "1 of 1 files are not there" in err
    state = "downloaded"
    code, _, err = run(*command)
    assert (code, f"labcourse data use {tmp_path}" in err) == (0, True)
    state = "stopped"
    code, _, err = run("download")
    assert (code, "the same command goes on" in err) == (130, True)
    assert calls == [*[(1, tmp_path, ["http://school/4lep"])] * 2, (12, settings.official_folder(), ())]


def test_unpacked_files_are_read_by_the_course(
    run: Run, data_folder: Path, tmp_path: Path, mini_branches: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    mini.write(tmp_path / ZEE, mini_branches(898, dsid=361106))
    mini.write(data_folder / ZEE, mini_branches(898, dsid=361106, seed=1))
    assert samples.locate("Zee").source == "bundle"
    with zipfile.ZipFile(tmp_path / "4lep.zip", "w") as archive:
        archive.write(tmp_path / ZEE, f"4lep/MC/{ZEE}")
    code, _, err = run("unpack", tmp_path / "4lep.zip", "--samples", "Zee")
    assert (code, "bytes instead of" in err) == (1, True)  # these are not the bytes of the release
    monkeypatch.setattr(opendata, "choose", lambda *_: [described(tmp_path / ZEE, one_of_release)])
    code, out, err = run("unpack", tmp_path / "4lep.zip", "--samples", "Zee", "--json")
    assert (code, err, json.loads(out)[0]["state"]) == (0, "", "unpacked")
    assert samples.locate("Zee").source == "official"


one_of_release = one("Zee")
