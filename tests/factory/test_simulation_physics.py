"""The physics of the simulation: what its distributions must be, whatever the constants of the model."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from factory import chunks, detector, four_leptons, generator, nonprompt, recipes, tables, tracks
from factory.generator import SimulationError
from factory.particles import FALSE, HEAVY, LIGHT, PILEUP, Particles
from tests.factory.made_up import jets, mass, needs_pythia


def generated(name: str, events: int, seed: int = 3) -> tables.Table:
    return chunks.simulate_chunk(chunks.Chunk(name, 0, seed, chunks.SAMPLE, events))


# --- leptons --------------------------------------------------------------------------------------------------


def test_the_track_of_a_near_lepton_is_in_the_cone() -> None:
    def cones(*, apart: float, z: float = 0.0) -> np.ndarray:
        n = 2000
        eta = np.tile([0.0, apart], n)
        event = np.repeat(np.arange(n), 2)
        both = Particles(event, np.full(2 * n, 13), np.tile([30.0, 20.0], n), eta, np.zeros(2 * n))
        measured = tracks.measure(replace(both, z=np.tile([0.0, z], n)), np.random.default_rng(1))
        return measured["lep_ptcone30"].reshape(n, 2) / 1e3

    assert (cones(apart=0.25) >= (20.0, 30.0)).all()
    for alone in (cones(apart=0.35), cones(apart=0.25, z=50.0)):
        assert 0.8 < (alone == 0).mean() < 0.9


# --- non-prompt leptons ---------------------------------------------------------------------------------------


def test_leptons_beside_a_z_come_from_jets_and_other_collisions() -> None:
    n = 40_000
    found = nonprompt.beside_z(jets(n), n, np.random.default_rng(1), electrons=0.5)
    assert detector.accept(found).all()
    assert set(np.unique(found.origin)) == {LIGHT, PILEUP, FALSE}
    false = found.take(found.origin == FALSE)
    assert (np.abs(false.pdgid) == 13).all()
    assert (np.abs(false.eta) < 0.1).all()
    assert np.std(found.z[found.origin == PILEUP]) == pytest.approx(nonprompt.SPREAD, rel=0.05)
    assert not found.z[found.origin == LIGHT].any()


def test_leptons_of_b_hadrons_are_soft_and_often_of_opposite_charges() -> None:
    n = 60_000
    found = nonprompt.from_b_jets(jets(n, code=5), n, np.random.default_rng(1), electrons=0.5)
    heavy = found.take(found.origin == HEAVY)
    assert np.median(heavy.pt) < 20
    number = np.bincount(heavy.event, minlength=n)
    two = heavy.take(number[heavy.event] == 2)
    opposite = two.pdgid[::2] * two.pdgid[1::2] < 0
    assert 0.55 < opposite.mean() < 0.95


# --- samples --------------------------------------------------------------------------------------------------


class Failing:
    """Pythia that loses an event of each batch, and after some batches all."""

    def __init__(self, pythia: Any, batches: int) -> None:
        self.pythia, self.batches = pythia, batches

    def nextBatch(self, n_events: int) -> Any:
        self.batches -= 1
        batch = self.pythia.nextBatch(n_events)
        return batch[: max(n_events - 1, 1)] if self.batches >= 0 else batch[:0]


@needs_pythia
def test_events_in_which_pythia_fails_are_made_up_for(monkeypatch: pytest.MonkeyPatch) -> None:
    start, recipe = generator.start, recipes.RECIPES["ggH125_ZZ4lep"]

    def generate(batches: int) -> generator.Truth:
        monkeypatch.setattr(generator, "start", lambda *given, **more: Failing(start(*given, **more), batches))
        return generator.generate(recipe.settings, 30, 5, rng=np.random.default_rng(1))

    truth = generate(batches=50)
    assert truth.n_events == len(truth.invisible) == len(truth.kept) == 30
    assert set(truth.leptons.event.tolist()) == set(range(30)), "each has leptons, none has another's number"
    with pytest.raises(SimulationError, match="stopped after 29 of 30"):
        generate(batches=1)


@needs_pythia
def test_z_bosons_beside_two_other_leptons() -> None:
    table = generated("Zmumu", 2500)
    assert len(table["lep_n"]) > 50
    passed = tables.preselected(table)
    flavour = tables.leading_four(table, "lep_type").sum(axis=1)[passed]
    assert set(np.unique(flavour)) == {48, 52}, "no four electrons with a Z → µµ"
    elsewhere = np.abs(table["lep_z0"]) > 2
    assert 0.15 < elsewhere.mean() < 0.5, "leptons of other collisions"


@needs_pythia
def test_gluons_make_a_share_of_the_pairs_above_threshold() -> None:
    weight, momenta, codes, beams = four_leptons.weighted(30_000, np.random.default_rng(2))
    m4l = np.sqrt(np.maximum((momenta.sum(1) ** 2 * [1, -1, -1, -1]).sum(1), 0))
    gluons = codes[:, 0] == four_leptons.GLUON
    above, at_z = m4l > 200, (m4l > 86) & (m4l < 96)
    assert 0.08 < weight[gluons & above].sum() / weight[above].sum() < 0.18
    assert weight[gluons & at_z].sum() / weight[at_z].sum() < 0.02
    np.testing.assert_allclose(momenta.sum(1)[:, 0], beams.sum(1), rtol=1e-9)
    # Gluons carry less of the proton than valence quarks: their events are more central.
    boost = np.abs(np.log(beams[:, 0] / beams[:, 1]))
    assert np.average(boost[gluons & above], weights=weight[gluons & above]) < np.average(
        boost[~gluons & above], weights=weight[~gluons & above]
    )


def test_coarser_numbers_change_no_mass() -> None:
    n, rng = 3000, np.random.default_rng(1)
    table: tables.Table = {
        "lep_n": np.full(n, 4),
        "lep_pt": 7000 + rng.exponential(3e4, 4 * n),
        "lep_eta": rng.uniform(-2.5, 2.5, 4 * n),
        "lep_phi": rng.uniform(-3.1, 3.1, 4 * n),
        "lep_type": rng.choice([11, 13], 4 * n),
        "jet_n": np.zeros(n, int),
        "jet_pt": np.zeros(0),
    }
    mass_of = np.where(table["lep_type"] == 11, 0.511, 105.66)
    exact = table | {"lep_E": np.hypot(table["lep_pt"] * np.cosh(table["lep_eta"]), mass_of)}
    coarse = tables.finished(table)
    change = mass(coarse) / mass(exact) - 1
    assert np.std(change) < 5e-4, "a resolution is thirty times as much"
    assert abs(np.mean(change)) < 5e-5
    momentum = coarse["lep_pt"].astype(float) * np.cosh(coarse["lep_eta"].astype(float))
    assert (np.abs(coarse["lep_E"] / momentum - 1) < 2e-4).all()
    assert np.abs(coarse["lep_eta"] - table["lep_eta"]).max() <= tables.GRID["lep_eta"]
