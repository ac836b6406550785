"""The release of 2025 in the commands: what it holds, checksums that are not known, folders, yields."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labcourse import ntuple, samples, settings
from labcourse.errors import BadInput, UnknownSample
from workshop.opendata import manifest, transfer
from workshop.opendata.manifest import OFFICIAL_2025, checksum, choose, is_whole, mirrors

GGH, UNKNOWN = "ggH", "WpH"
"""A sample with, and one without a checksum in the release's list."""


def test_the_table_is_the_manifest() -> None:
    assert len(choose(release="2025")) == len(OFFICIAL_2025) == 48
    for name in {file.sample for file in OFFICIAL_2025}:
        own, sample = choose([name], "2025"), samples.get(name)
        assert tuple(file.name for file in own) == sample.files
        assert sum(file.events or 0 for file in own) == sample.official_raw
        assert {file.dsid for file in own} == {sample.dsid or None}
    assert [file.sample for file in OFFICIAL_2025 if file.adler32 is None] == ["WpH", "WmH"]
    assert mirrors(release="2025") == ["https://opendata.cern.ch/eos/opendata/atlas/rucio/opendata"]
    with pytest.raises(UnknownSample, match="VBF"):
        choose(["VBFH"], "2025")
    with pytest.raises(BadInput, match="2020 and 2025"):
        choose(release="2024")


def test_where_no_checksum_is_published_the_size_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (known,), (unknown,) = choose([GGH], "2025"), choose([UNKNOWN], "2025")
    path = tmp_path / "a"
    path.write_bytes(b"x" * 100)
    assert is_whole(path, known._replace(bytes=100, adler32=checksum(path)))
    assert not is_whole(path, known._replace(bytes=100))
    assert is_whole(path, unknown._replace(bytes=100))
    assert not is_whole(path, unknown)

    def complete(_client: object, url: str, file: object, part: Path, _report: object) -> None:
        assert url == f"https://opendata.cern.ch/eos/opendata/atlas/rucio/opendata/{unknown.path}"
        part.write_bytes(b"x" * 100)

    monkeypatch.setattr(transfer, "_complete", complete)
    (outcome,) = transfer.download([unknown], tmp_path)
    assert (outcome.state, outcome.sample) == ("downloaded", UNKNOWN)
    assert "no checksum is published" in outcome.note


def test_the_commands_know_both(invoke: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    calls: list[tuple[int, Path]] = []

    def fake(files: list[manifest.Official], folder: Path, *, from_mirrors: object) -> list[transfer.Outcome]:
        calls.append((len(files), folder))
        return [transfer.Outcome(file.name, file.sample, "downloaded", file.bytes) for file in files]

    monkeypatch.setattr(transfer, "download", fake)
    assert invoke("data", "download", "--release", "2025").code == 0
    assert invoke("data", "download", "--release", "2025", "--samples", GGH, "--out", tmp_path).code == 0
    assert calls == [(48, settings.official_folder("2025")), (1, tmp_path)]
    rows = json.loads(invoke("data", "verify", "--release", "2025", "--json").out)
    assert {row["state"] for row in rows} == {"whole"}
    assert "ggH, " in invoke("data", "use").out


def test_yields_are_beside_those_of_the_releases_example(invoke: Callable[..., Any]) -> None:
    rows = {row["sample"]: row for row in json.loads(invoke("yields", "--release", "2025", "--json").out)}
    assert rows["data_36fb"]["raw"] > 5 * rows["data_36fb"]["selected"]
    events = ntuple.read_sample("ZZ")
    assert rows["ZZ"]["raw"] == len(events)
    assert rows["ZZ"]["window"] < 0.1 * rows["ZZ"]["expected"] < np.abs(events["weight"]).sum()
    text = invoke("yields", "--release", "2025").out
    assert "18.4" in text
    assert "Hardly any event of the data passes" in text
