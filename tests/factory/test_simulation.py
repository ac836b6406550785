"""The simulation: its parts, that a seed decides everything, and the bundle that it made."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import factory
from factory import (
    bundle,
    detector,
    four_leptons,
    matrix_element,
    phase_space,
    production,
    recipes,
    tables,
    workers,
)
from factory.chunks import PSEUDO_DATA, SAMPLE, Chunk
from factory.generator import SimulationError
from factory.tables import Table
from labcourse import ntuple, samples, selection, settings
from labcourse.errors import UnknownSample
from labcourse.files import sha256
from tests.factory.made_up import make, mass, needs_pythia, some

MANIFEST = settings.data_folder() / samples.MANIFEST


def make_table(n: int = 50) -> Table:
    return make(Chunk("llll", 0, 0), n)


# --- tables ---------------------------------------------------------------------------------------------------


def test_taking_events_takes_their_leptons_and_jets() -> None:
    table = make_table()
    chosen = table["eventNumber"] % 3 == 0
    some = tables.take(table, chosen)
    again = tables.take(table, np.flatnonzero(chosen))
    assert len(some["lep_pt"]) == 4 * chosen.sum()
    assert len(some["jet_pt"]) == table["jet_n"][chosen].sum()
    for name in table:
        np.testing.assert_array_equal(some[name], again[name])
    np.testing.assert_array_equal(tables.leading_four(some, "lep_pt"), tables.leading_four(table, "lep_pt")[chosen])


# --- matrix element and phase space ---------------------------------------------------------------------------


def collisions(n: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    s, _ = phase_space.sample_s(n, rng)
    leptons, density = phase_space.sample_leptons(s, np.zeros(n, bool), rng)
    good = density > 0
    energy, zero = np.sqrt(s[good]) / 2, np.zeros(good.sum())
    return (
        np.stack([energy, zero, zero, energy], 1),
        np.stack([energy, zero, zero, -energy], 1),
        leptons[good],
    )


def rotated(momenta: np.ndarray, angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[1, 0, 0, 0], [0, c, 0, s], [0, 0, 1, 0], [0, -s, 0, c]])
    return momenta @ turn.T


def test_matrix_element_has_the_symmetries_of_physics() -> None:
    ahead, behind, leptons = collisions(300)
    n = len(ahead)
    up = np.arange(n) % 2 == 0
    no, yes = np.zeros(n, bool), np.ones(n, bool)
    value = matrix_element.squared(ahead, behind, leptons, up, no)
    assert (value > 0).all()
    turned = [rotated(p, 0.7) for p in (ahead, behind, leptons)]
    np.testing.assert_allclose(matrix_element.squared(*turned, up, no), value, rtol=1e-6)
    pairs_exchanged = leptons[:, [2, 3, 0, 1]]
    np.testing.assert_allclose(matrix_element.squared(ahead, behind, pairs_exchanged, up, no), value, rtol=1e-6)
    # CP: particles become antiparticles and all momenta are reflected.
    reflected = [p * np.array([1, -1, -1, -1]) for p in (behind, ahead, leptons[:, [1, 0, 3, 2]])]
    np.testing.assert_allclose(matrix_element.squared(*reflected, up, no), value, rtol=1e-6)
    alike = matrix_element.squared(ahead, behind, leptons, up, yes)
    positive_exchanged = matrix_element.squared(ahead, behind, leptons[:, [0, 3, 2, 1]], up, yes)
    np.testing.assert_allclose(positive_exchanged, alike, rtol=1e-6)


@needs_pythia
def test_cross_sections_of_four_leptons(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(four_leptons, "LEPTON_PT_MIN", -1.0)
    monkeypatch.setattr(four_leptons, "LEADING_PT_MIN", -1.0)
    monkeypatch.setattr(four_leptons, "LEPTON_ETA_MAX", 1e9)
    n = 20_000
    weight, leptons, codes, _ = four_leptons.weighted(n, np.random.default_rng(1))
    m4l = np.sqrt(phase_space.mass_squared(leptons.sum(axis=1)))
    m12, m34 = (np.sqrt(phase_space.mass_squared(leptons[:, a] + leptons[:, b])) for a, b in ((0, 1), (2, 3)))
    light = codes[:, 1] < 3
    # B(Z → 4l; l = e, µ; m(ll) > 4 GeV) = 4.8e-6 is measured; times 56 nb of Z bosons at NLO: 0.27 pb.
    assert weight[light & (m4l > 80) & (m4l < 100)].sum() / n == pytest.approx(0.27, rel=0.15)
    # σ(pp → ZZ) = 16.9 pb at NNLO, with both Z on shell, times 2 B(Z → ee)²: 0.038 pb.
    on_shell = (np.abs(m12 - 91) < 25) & (np.abs(m34 - 91) < 25) & (codes[:, 1] == 0)
    assert weight[on_shell].sum() / n == pytest.approx(0.038, rel=0.15)


# --- detector -------------------------------------------------------------------------------------------------


def test_electrons_gather_photons_and_muons_do_not() -> None:
    seen = some([0, 0, 1], [11, 13, -11], [30.0, 30.0, 30.0], [0.0, 1.0, 0.0])
    photons = some([0, 0, 1, 1], [22, 22, 22, 22], [5.0, 4.0, 3.0, 2.0], [0.05, 1.05, 0.5, 0.15])
    assert detector.dress(seen, photons).pt.tolist() == [35.0, 30.0, 30.0]
    hard = some([0, 0], [22, 22], [20.0, 20.0], [0.05, 1.05])
    assert detector.isolated(seen, hard).tolist() == [True, False, True]
    beside_the_cluster = some([1], [22], [20.0], [0.15])
    assert detector.isolated(seen, beside_the_cluster).tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("event", "pdgid", "pt", "eta", "kept"),
    [
        ([0, 0, 1], [11, -11, 11], [30, 20, 10], [0, 0.15, 0.15], [30, 10]),  # the softer electron goes
        ([0, 0], [11, 13], [30, 20], [0, 0.15], [20]),  # an electron beside a muon goes
        ([0, 0], [13, -13], [30, 20], [0, 0.05], [30, 20]),
        ([0, 0], [11, -11], [30, 20], [0, 0.25], [30, 20]),
        ([0, 0, 1], [13, -13, 13], [30, 9, 9], [0, 0.2, 0.2], [30, 9]),  # soft muons have to be isolated
    ],
)
def test_what_is_too_near_is_dropped(event: Any, pdgid: Any, pt: Any, eta: Any, kept: list[float]) -> None:
    assert detector.remove_overlap(some(event, pdgid, pt, eta)).pt.tolist() == kept


def test_muons_of_another_collision_isolate_nobody() -> None:
    near = some([0, 0], [13, -13], [30.0, 9.0], [0.0, 0.2])
    assert len(detector.remove_overlap(replace(near, z=np.array([0.0, 50.0])))) == 2


def test_acceptance_and_efficiency() -> None:
    seen = some([0] * 4, [11, 11, 13, 13], [8.0, 8.0, 8.0, 6.9], [2.4, 2.5, 2.6, 0.0])
    assert detector.accept(seen).tolist() == [True, False, True, False]
    spectrum = some([0] * 6, [11] * 3 + [13] * 3, [7.0, 20.0, 60.0] * 2, [0.5] * 6)
    efficiency = detector.efficiency(spectrum).reshape(2, 3)
    assert ((efficiency > 0.4) & (efficiency < 1)).all()
    assert (np.diff(efficiency) > 0).all()


# --- chunks and campaigns -------------------------------------------------------------------------------------


@needs_pythia
def test_a_chunk_is_decided_by_its_seed() -> None:
    chunk = Chunk("ggH125_ZZ4lep", 3, 17, SAMPLE, 150)
    with workers.connect(number=1) as executor:
        table, again = factory.simulate_chunk(chunk), executor.submit(factory.simulate_chunk, chunk).result()
    assert len(table["lep_n"]) > 10
    assert 119 < np.median(mass(table)) < 126
    assert len(table["jet_MV2c10"]) == table["jet_n"].sum()
    assert len(table["lep_ptcone30"]) == table["lep_n"].sum()
    for name in table:
        np.testing.assert_array_equal(table[name], again[name])
    other = factory.simulate_chunk(Chunk("ggH125_ZZ4lep", 3, 17, PSEUDO_DATA, 150))
    marks = [set(zip(t["lep_pt"].tolist(), t["lep_eta"].tolist(), strict=True)) for t in (table, other)]
    assert not marks[0] & marks[1]


@needs_pythia
def test_the_other_z_of_zh_decays_in_all_ways() -> None:
    table = factory.simulate_chunk(Chunk("ZH125_ZZ4lep", 0, 1, SAMPLE, 300))
    # With the Higgs boson's table alone all would have six leptons; one in ten has.
    assert (table["lep_n"] > 4).mean() < 0.35
    assert (table["jet_n"] >= 2).mean() > 0.2


def test_a_sample_without_a_recipe_is_refused(tmp_path: Path) -> None:
    for name in ("Zeee", "Ztautau"):
        with pytest.raises(UnknownSample, match=name):
            factory.simulate(tmp_path, seed=1, samples=[name])


def test_without_pythia_one_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pythia8mc", None)
    with pytest.raises(SimulationError, match="simulate"):
        factory.simulate(tmp_path, seed=1)


# --- files ----------------------------------------------------------------------------------------------------


def test_a_file_has_the_yield_of_its_recipe(tmp_path: Path) -> None:
    table, file = bundle.normalise(tables.finished(make_table()), "llll"), samples.get("llll").files[0]
    bundle.write(tmp_path / file, table, "llll", seed=1)
    assert ntuple.read(tmp_path / file)["weight"].sum() == pytest.approx(267.3, rel=1e-5)


def test_pseudo_data_look_like_data() -> None:
    chunk = Chunk("llll", 0, 1, PSEUDO_DATA)
    happened = production.draw(chunk, make_table(200))
    assert len(happened["lep_n"]) < 200
    np.testing.assert_array_equal(happened["lep_pt"], production.draw(chunk, make_table(200))["lep_pt"])
    files = production.split(tables.finished(drawn := production.until(happened, 30)), 4)
    assert tables.preselected(drawn).sum() == 30
    assert tuple(files) == samples.get("data").files
    assert sum(len(table["lep_n"]) for table in files.values()) == len(drawn["lep_n"])
    assert not any(table["mcWeight"].any() for table in files.values())
    assert len(production.until(happened, 0)["lep_n"]) == 0


# --- the bundle -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bundled() -> dict[str, pd.DataFrame]:
    """Event tables of the bundle, whatever the search path says."""
    folder = settings.data_folder()
    return {
        name: pd.concat([ntuple.read(folder / file) for file in samples.get(name).files], ignore_index=True)
        for name in samples.ALL
    }


def test_the_manifest_is_that_of_the_files() -> None:
    files = {said["file"]: said for said in samples.read_manifest(MANIFEST.parent)}
    assert set(files) == {file for name in samples.ALL for file in samples.get(name).files}
    assert sum(said["size"] for said in files.values()) <= 15_000_000
    for file, said in files.items():
        assert (path := MANIFEST.parent / file).stat().st_size == said["size"]
        assert sha256(path) == said["sha256"], file
        assert said["simulated"] is True


def test_the_bundle_has_the_release_s_yields(bundled: dict[str, pd.DataFrame]) -> None:
    entries = {said["sample"]: said for said in samples.read_manifest(MANIFEST.parent)}
    for name in samples.SIMULATED:
        events = bundled[name]
        selected = selection.preselect(events)
        assert selected["weight"].sum() == pytest.approx(recipes.RECIPES[name].expected, rel=1e-4)
        assert len(events) == entries[name]["events"]
        assert len(selected) == entries[name]["preselected"]
        assert (events["run"] == samples.get(name).dsid).all()
        assert not events["event"].duplicated().any()
        negative = (selected["weight"] < 0).mean()
        assert negative == pytest.approx(recipes.RECIPES[name].negative[0], abs=0.003)
    for name in ("Zee", "Zmumu", "ttbar_lep"):
        assert len(bundled[name]) == samples.get(name).official_raw
    higgs = sum(selection.preselect(bundled[name])["weight"].sum() for name in samples.SIGNAL)
    assert higgs == pytest.approx(9.7, abs=0.01)
    m4l = selection.preselect(bundled["ggH125_ZZ4lep"])["m_llll"]
    # Published for the release's sample (ATLAS Open Data 2020, DSID 345060); final-state radiation makes the low tail.
    window = m4l[(m4l > 110) & (m4l < 135)]
    np.testing.assert_allclose(window.quantile([0.16, 0.5, 0.84]), [120.5, 123.8, 126.2], atol=0.4)
