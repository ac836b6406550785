"""The events of the search are made by the engine of the campaigns: resumed, reproducible, with the right yields."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import azh
from azh import bundle
from factory.azh import chunks, production, recipes
from factory.chunks import Chunk
from labcourse.errors import BadInput, SimulationError

for _module in ("pythia8mc", "fastjet", "distributed"):
    pytest.importorskip(_module, reason=f"{_module} is not installed")

SMALL = {"signal_500": 400, "Zjets_60": 1500, "ttbar": 1500}


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = {name: replace(recipes.get(name), events=2 * n, chunk=n, cost=0.1) for name, n in SMALL.items()}
    monkeypatch.setattr(recipes, "RECIPES", chosen)


@pytest.fixture
def address(few: None) -> Iterator[str]:
    from distributed import LocalCluster

    with LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0") as local:
        yield local.scheduler_address


@pytest.mark.filterwarnings("ignore")
def test_a_run_goes_on_where_it_was_and_repeats(tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    original = production.make_chunk

    def fail(chunk: Chunk) -> object:
        if chunk.sample == "ttbar" and chunk.index == 1:
            raise RuntimeError("the machine is switched off")
        return original(chunk)

    monkeypatch.setattr(production, "make_chunk", fail)
    with pytest.raises(SimulationError, match="switched off"):
        production.simulate(tmp_path / "one", seed=5, address=address, progress=False)
    kept = {path.stem for path in (tmp_path / "one").rglob("*.npz")}
    assert kept

    def make_others(chunk: Chunk) -> object:
        if f"{chunk.sample}-{chunk.purpose}-{chunk.index}" in kept:
            raise RuntimeError("made again")
        return original(chunk)

    monkeypatch.setattr(production, "make_chunk", make_others)
    manifest = production.simulate(tmp_path / "one", seed=5, address=address, progress=False)
    monkeypatch.setattr(production, "make_chunk", original)
    production.simulate(tmp_path / "two", seed=5, address=address, progress=False)
    assert (tmp_path / "one" / bundle.FILE).read_bytes() == (tmp_path / "two" / bundle.FILE).read_bytes()

    events = azh.read(tmp_path / "one")
    said = {sample["sample"]: sample for sample in json.loads(manifest.read_text())["samples"]}
    assert set(said) == set(SMALL)
    assert all(sample["rows"] > 0 for sample in said.values())
    # 0.05 pb with Z → ee, µµ, of which the selection keeps one event in seven or so.
    produced = 0.05 * recipes.BR_Z * 1000 * azh.LUMINOSITY
    assert 0.07 < events.loc[events["process"] == "signal", "weight"].sum() / produced < 0.25
    assert not (tmp_path / "one" / ".chunks").exists()


def test_a_chunk_is_a_pure_function_of_its_seed(few: None) -> None:
    chunk = Chunk("Zjets_60", 0, 3, chunks.SEARCH, 400)
    first, again = chunks.make_chunk(chunk), chunks.make_chunk(chunk)
    for name, values in first.items():
        np.testing.assert_array_equal(values, again[name])
    assert first["fiducial"][0] > 0
    assert first[chunks.BB].any()


def test_strange_runs_are_refused(tmp_path: Path) -> None:
    for options in ({"scale": 0.0}, {"seed": -1}, {"workers": 0}):
        with pytest.raises(BadInput, match="Cannot simulate"):
            production.simulate(tmp_path, **{"seed": 1, **options})  # type: ignore[arg-type]
