"""The events of the search are made by the engine of the campaigns: resumed, reproducible, with the right yields."""

import json
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import azh
from azh.events import FILE, LUMINOSITY
from factory import campaign, generator
from factory.azh import generation, processes, production
from factory.azh.processes import BR_Z, PROCESSES
from factory.chunks import Chunk
from factory.particles import Particles, rank_within_event
from labcourse import samples
from tests.factory.made_up import in_a_thread, needs_pythia

pytestmark = needs_pythia
SMALL = {"signal_500": (1, 150), "Zjets_60": (2, 500), "ttbar": (2, 500), "Zh": (1, 150)}
"""Chunks of the processes that are simulated here, and events of a chunk."""
SLICES = {"Zjets_25": 1500, "Zjets_60": 700, "Zjets_120": 200, "Zjets_250": 50}
SETTINGS = {name: (PROCESSES[name].settings, PROCESSES[name].cross_section) for name in SLICES}


@pytest.fixture(scope="module")
def simulate() -> Iterator[Callable[..., Path]]:
    """Simulate few events of four processes, in a thread."""

    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.setattr(campaign, "connect", in_a_thread)
        for name in set(PROCESSES) - set(SMALL):
            patch.delitem(PROCESSES, name)
        for name, (chunks, n) in SMALL.items():
            patch.setitem(PROCESSES, name, replace(PROCESSES[name], events=chunks * n, chunk=n))
        yield lambda out, **options: production.simulate(out, seed=5, **options)


@pytest.fixture(scope="module")
def one(simulate: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a simulation."""
    return simulate(tmp_path_factory.mktemp("one")).parent


def test_a_seed_makes_the_same_file_again(tmp_path: Path, simulate: Callable[..., Path], one: Path) -> None:
    simulate(tmp_path)
    assert (one / FILE).read_bytes() == (tmp_path / FILE).read_bytes()


def test_yields_are_those_of_cross_sections_and_selection(one: Path) -> None:
    events = azh.read(one)
    manifest = json.loads((one / samples.MANIFEST).read_text())
    generated = {sample["sample"]: sample["generated"] for sample in manifest["samples"]}
    assert set(generated) == set(SMALL)
    assert all(generated[name] >= chunks * n for name, (chunks, n) in SMALL.items())
    assert generated["ttbar"] > 1.5 * np.prod(SMALL["ttbar"]), "half of them have no pair of leptons near a Z"
    # Of what is produced, the selection keeps one event in seven or so.
    for name, cross_section in (("signal", 0.05 * BR_Z), ("Zh", processes.ZH)):
        own = events[(events["process"] == name) & (events["region"] == "signal")]
        assert 0.05 < own["weight"].sum() / (cross_section * 1000 * LUMINOSITY) < 0.25
    assert not events.loc[events["region"] == "emu", "process"].isin(["Zjets", "Zh"]).any()
    assert (events["weight"] < 0).any()


def test_independent_backgrounds_share_no_event_with_the_others(
    tmp_path: Path, simulate: Callable[..., Path], one: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(production, "TIMES", 1)
    simulate(tmp_path, independent=True)
    independent = pd.read_parquet(tmp_path / production.INDEPENDENT_FILE)
    assert (independent["weight"] > 0).all()
    assert set(independent["process"]) == {"Zjets", "ttbar", "Zh"}
    measured = list(azh.events.MEASURED)
    assert not azh.read(one)[measured].merge(independent[measured]).size
    assert set(independent[generation.PASS]) == set(range(generation.PASSES))


def test_b_quarks_of_a_heavy_signal_are_near_and_counted() -> None:
    merged = {}
    for name in ("signal_500", "signal_2000"):
        number, near = generation.make_chunk(Chunk(name, 0, 1, generation.SEARCH, 60))["generated"]
        merged[name] = near / number
    # In the frame of a Higgs boson of pT of nearly m_A/2, two b quarks are about 2 m_h/pT apart.
    assert merged["signal_500"] < 0.02 < 0.3 < merged["signal_2000"]


def test_the_normalisation_of_z_and_two_jets_is_that_of_the_slices() -> None:
    """Leptons, and two jets of any flavour, in the region of the measurement that Z + b b̄ is normalised to."""
    found = error = 0.0
    for name, n in SLICES.items():
        hooks, (settings, cross_section) = generation.watch(), SETTINGS[name]
        truth = generator.generate(settings, n, 11, rng=np.random.default_rng(1), leptons=2, hooks=hooks)
        jets = truth.jets.event[(truth.jets.pt > 20) & (np.abs(truth.jets.eta) < 2.5)]
        number = (in_fiducial(truth.leptons, n) & (np.bincount(jets, minlength=n) >= 2)).sum()
        found += cross_section * number / hooks.tried
        error += (cross_section / hooks.tried) ** 2 * number
    assert found == pytest.approx(processes.Z_JJ, abs=3 * np.sqrt(error))
    assert np.sqrt(error) < 0.09 * found


def in_fiducial(leptons: Particles, n_events: int) -> np.ndarray:
    good = leptons.take((leptons.pt > 27) & (np.abs(leptons.eta) < 2.5))
    rank = rank_within_event(good.event)
    first, second = good.take(rank == 0), good.take(rank == 1)
    first = first.take(np.isin(first.event, second.event))
    mass = np.sqrt(2 * first.pt * second.pt * (np.cosh(first.eta - second.eta) - np.cos(first.phi - second.phi)))
    inside = np.zeros(n_events, bool)
    inside[first.event] = (mass > 76) & (mass < 106)
    return inside
