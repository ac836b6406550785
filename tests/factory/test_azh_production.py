"""The events of the search are made by the engine of the campaigns: resumed, reproducible, with the right yields."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import azh
from azh.events import FILE, LUMINOSITY
from factory import campaign, generator
from factory.azh import assembly, generation, processes, production
from factory.azh.processes import BR_Z, PROCESSES
from factory.chunks import Chunk
from factory.particles import Particles, rank_within_event
from factory.workers import Workers
from labcourse.errors import BadInput, SimulationError
from tests.factory.made_up import needs_pythia

pytestmark = needs_pythia
SMALL = {"signal_500": 200, "Zjets_60": 600, "ttbar": 600, "Zh": 200}


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
    return lambda out, **options: production.simulate(out, seed=5, **options)


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
    assert len(made) == len(set(made)) + 1 == 9, "only the one that failed was made again, and nothing when complete"
    simulate(tmp_path / "two")
    assert (tmp_path / "one" / FILE).read_bytes() == (tmp_path / "two" / FILE).read_bytes()

    events = azh.read(tmp_path / "one")
    by_name = {sample["sample"]: sample for sample in manifest["samples"]}
    assert set(by_name) == set(SMALL)
    assert all(sample["generated"] >= 2 * SMALL[name] for name, sample in by_name.items())
    assert by_name["ttbar"]["generated"] > 1.5 * 2 * SMALL["ttbar"], "half of them have no pair of leptons near a Z"
    # Of what is produced, the selection keeps one event in seven or so.
    for name, cross_section in (("signal", 0.05 * BR_Z), ("Zh", processes.ZH)):
        own = events[(events["process"] == name) & (events["region"] == "signal")]
        assert 0.05 < own["weight"].sum() / (cross_section * 1000 * LUMINOSITY) < 0.25
    assert not events.loc[events["region"] == "emu", "process"].isin(["Zjets", "Zh"]).any()
    assert (events["weight"] < 0).any()
    assert not (tmp_path / "one" / ".chunks").exists()


@pytest.mark.filterwarnings("ignore")
def test_independent_backgrounds_share_no_event_with_the_others(tmp_path: Path, simulate: Callable[..., Path]) -> None:
    simulate(tmp_path / "usual")
    simulate(tmp_path / "independent", independent=True)
    independent = pd.read_parquet(tmp_path / "independent" / production.INDEPENDENT_FILE)
    assert (independent["weight"] > 0).all()
    assert set(independent["process"]) == {"Zjets", "ttbar", "Zh"}
    measured = list(azh.events.MEASURED)
    assert not azh.read(tmp_path / "usual")[measured].merge(independent[measured]).size
    assert set(independent[generation.PASS]) == set(range(generation.PASSES))


def test_b_quarks_of_a_heavy_signal_are_near_and_counted() -> None:
    merged = {}
    for name in ("signal_500", "signal_2000"):
        table = generation.make_chunk(Chunk(name, 0, 1, generation.SEARCH, 150))
        number, near = assembly.generated([(Chunk(name, 0, 1), table)])
        merged[name] = near / number
    # In the frame of a Higgs boson of pT of nearly m_A/2, two b quarks are about 2 m_h/pT apart.
    assert merged["signal_500"] < 0.02 < 0.3 < merged["signal_2000"]


def test_the_normalisation_of_z_and_two_jets_is_that_of_the_slices() -> None:
    """Leptons, and two jets of any flavour, in the region of the measurement that Z + b b̄ is normalised to."""
    found = error = 0.0
    for name, n in (("Zjets_25", 3000), ("Zjets_60", 1500), ("Zjets_120", 600), ("Zjets_250", 200)):
        hooks = generation.watch()
        truth = generator.generate(
            PROCESSES[name].settings, n, 11, rng=np.random.default_rng(1), leptons=2, hooks=hooks
        )
        jets = truth.jets.event[(truth.jets.pt > 20) & (np.abs(truth.jets.eta) < 2.5)]
        number = (in_fiducial(truth.leptons, n) & (np.bincount(jets, minlength=n) >= 2)).sum()
        found += PROCESSES[name].cross_section * number / hooks.tried
        error += (PROCESSES[name].cross_section / hooks.tried) ** 2 * number
    assert found == pytest.approx(processes.Z_JJ, abs=3 * np.sqrt(error))
    assert np.sqrt(error) < 0.06 * found


def in_fiducial(leptons: Particles, n_events: int) -> np.ndarray:
    good = leptons.take((leptons.pt > 27) & (np.abs(leptons.eta) < 2.5))
    rank = rank_within_event(good.event)
    first, second = good.take(rank == 0), good.take(rank == 1)
    first = first.take(np.isin(first.event, second.event))
    mass = np.sqrt(2 * first.pt * second.pt * (np.cosh(first.eta - second.eta) - np.cos(first.phi - second.phi)))
    inside = np.zeros(n_events, bool)
    inside[first.event] = (mass > 76) & (mass < 106)
    return inside


def test_strange_runs_are_refused(tmp_path: Path) -> None:
    for options in ({"scale": 0.0}, {"seed": -1}, {"workers": 0}):
        with pytest.raises(BadInput, match="Cannot simulate"):
            production.simulate(tmp_path, **{"seed": 1, **options})  # type: ignore[arg-type]
