"""The events of the search are made by the engine of the campaigns: resumed, reproducible, with the right yields."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

import azh
from azh.events import FILE, LUMINOSITY
from factory import campaign
from factory.azh import generation, production
from factory.azh.processes import BR_Z, PROCESSES
from factory.chunks import Chunk
from factory.workers import Workers
from labcourse.errors import BadInput, SimulationError
from tests.factory.made_up import needs_pythia

pytestmark = needs_pythia
SMALL = {"signal_500": 200, "Zjets_60": 800, "ttbar": 800}


@pytest.fixture
def simulate(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Simulate few events, two chunks of each process, in a thread."""

    @contextmanager
    def connect(*_: object) -> Iterator[Workers]:
        with ThreadPoolExecutor(1) as executor:
            yield Workers(executor, lambda: 1)

    monkeypatch.setattr(campaign, "connect", connect)
    for name in set(PROCESSES) - set(SMALL):
        monkeypatch.delitem(PROCESSES, name)
    for name, n in SMALL.items():
        monkeypatch.setitem(PROCESSES, name, replace(PROCESSES[name], events=2 * n, chunk=n))
    return lambda out: production.simulate(out, seed=5)


@pytest.mark.filterwarnings("ignore")
def test_a_run_goes_on_where_it_was_and_repeats(
    tmp_path: Path, simulate: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Chunk] = []

    def fail_once(chunk: Chunk) -> object:
        if chunk.sample == "ttbar" and chunk.index == 1 and made.count(chunk) == 0:
            made.append(chunk)
            raise RuntimeError("the machine is switched off")
        made.append(chunk)
        return generation.make_chunk(chunk)

    monkeypatch.setattr(production, "make_chunk", fail_once)
    with pytest.raises(SimulationError, match=r"switched off(.|\n)*ttbar, chunk 1"):
        simulate(tmp_path / "one")
    manifest = json.loads(simulate(tmp_path / "one").read_text())
    simulate(tmp_path / "one")
    assert len(made) == len(set(made)) + 1 == 7, "only the one that failed was made again, and nothing when complete"
    simulate(tmp_path / "two")
    assert (tmp_path / "one" / FILE).read_bytes() == (tmp_path / "two" / FILE).read_bytes()

    events = azh.read(tmp_path / "one")
    assert {sample["sample"] for sample in manifest["samples"]} == set(SMALL)
    assert all(sample["rows"] > 0 for sample in manifest["samples"])
    # 0.05 pb with Z → ee, µµ, of which the selection keeps one event in seven or so.
    produced = 0.05 * BR_Z * 1000 * LUMINOSITY
    assert 0.07 < events.loc[events["process"] == "signal", "weight"].sum() / produced < 0.25
    assert not (tmp_path / "one" / ".chunks").exists()


def test_strange_runs_are_refused(tmp_path: Path) -> None:
    for options in ({"scale": 0.0}, {"seed": -1}, {"workers": 0}):
        with pytest.raises(BadInput, match="Cannot simulate"):
            production.simulate(tmp_path, **{"seed": 1, **options})  # type: ignore[arg-type]
