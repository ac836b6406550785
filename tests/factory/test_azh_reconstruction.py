"""Jets and their tags in the events of A → Zh, and the inputs that are made of them."""

import numpy as np
import pytest

from azh import events
from factory.azh import reconstruction, response
from factory.particles import Particles


def test_tag_efficiencies_meet_the_published_working_points() -> None:
    for kind, rejections in reconstruction.REJECTION.items():
        for b_efficiency, rejection in zip((0.60, 0.70, 0.77, 0.85), rejections, strict=True):
            found = reconstruction.tag_efficiency(np.array([kind]), b_efficiency)[0]
            assert found == pytest.approx(b_efficiency if kind == 5 else 1 / rejection)


def zh_event(*, extra_jets: int = 1) -> tuple[Particles, Particles, np.ndarray]:
    """Return one event that passes: two muons, two b jets back to back with them, and softer jets."""
    leptons = Particles(
        np.zeros(2, int), np.array([13, -13]), np.array([90.0, 60.0]), np.array([0.2, -0.3]), np.array([0.0, 1.2])
    )
    n = 2 + extra_jets
    jets = Particles(
        np.zeros(n, int),
        np.array([5, 5, 21, 21])[:n],
        np.array([90.0, 70.0, 30.0, 25.0])[:n],
        np.array([0.1, -0.4, 1.5, -1.9])[:n],
        np.array([3.0, -1.7, 1.9, -0.6])[:n],
    )
    return leptons, jets, np.array([10.0])


def test_the_inputs_of_an_event() -> None:
    leptons, jets, missing = zh_event()
    event, inputs, region, factor = reconstruction.select(leptons, jets, missing, np.random.default_rng(1))
    assert event.tolist() == region.tolist() == [0]
    assert list(inputs) == list(events.MEASURED)
    assert factor[0] == pytest.approx(0.77**2, rel=0.03)
    vector_sum = np.hypot(*(90 * t(0.0) + 60 * t(1.2) for t in (np.cos, np.sin)))
    assert inputs["pt_z"][0] == pytest.approx(vector_sum, rel=2**-9)
    assert inputs["dr_b1b2"][0] == pytest.approx(np.hypot(0.5, 2 * np.pi - 4.7), abs=2**-7)
    assert inputs["met_ht"][0] == pytest.approx(10 / np.sqrt(90 + 60 + 90 + 70 + 30), rel=2**-8)
    assert inputs["pt_j3"][0] == 30


def test_a_missing_third_jet_is_the_sentinel() -> None:
    _, inputs, *_ = reconstruction.select(*zh_event(extra_jets=0), np.random.default_rng(1))
    assert {inputs[name][0] for name in ("pt_j3", "dr_b1j3", "dr_b2j3", "btag_j3")} == {events.MISSING}


def test_regions_are_disjoint() -> None:
    leptons, jets, missing = zh_event()
    mixed = Particles(leptons.event, np.array([11, -13]), leptons.pt, leptons.eta, leptons.phi)
    alike = Particles(leptons.event, np.array([13, 13]), leptons.pt, leptons.eta, leptons.phi)
    names = []
    for pair, factor in ((leptons, 1), (mixed, 1), (alike, 1), (leptons, 0.75), (mixed, 0.75), (leptons, 3)):
        seen = Particles(jets.event, jets.pdgid, jets.pt * [factor**2, 1, 1], jets.eta, jets.phi)
        region = reconstruction.select(pair, seen, missing, np.random.default_rng(1))[2]
        names.append(events.REGIONS[region[0]] if len(region) else "")
    assert names == ["signal", "emu", "", "sideband", "", ""]
    m_bb = np.linspace(50, 250, 2001)
    same, other = (reconstruction.regions(m_bb, np.full(2001, flavour)) for flavour in (True, False))
    assert set(same) == {-1, 0, 1}
    assert set(other) == {-1, 2}
    np.testing.assert_array_equal(same == 0, other == 2)


def test_pairs_are_tagged_as_often_as_their_efficiencies_say() -> None:
    """Weights by probability instead of tags by lot: the same expectation, jet by jet."""
    _, jets, _ = zh_event(extra_jets=2)
    rng = np.random.default_rng(5)
    efficiency = reconstruction.tag_efficiency(jets.pdgid, 0.77)
    lot = rng.random((200_000, 4)) < efficiency
    two = lot.sum(axis=1) == 2
    _, _, factor = reconstruction._tagged_pairs(jets, rng)
    assert factor[0] == pytest.approx(two.mean(), rel=0.01)


def test_neutrinos_in_b_jets_lower_the_jet_and_make_missing_momentum() -> None:
    rng = np.random.default_rng(2)
    n = 4000
    b = Particles(np.arange(n), np.full(n, 5), np.full(n, 100.0), np.zeros(n), np.zeros(n))
    light = Particles(b.event, np.full(n, 21), b.pt, b.eta, b.phi)
    lost = response.neutrinos(b, rng)
    assert (lost > 0).mean() == pytest.approx(response.SEMILEPTONIC[5], abs=0.03)
    assert not response.neutrinos(light, rng).any()
    none = Particles(*(np.zeros(0, int),) * 2, *(np.zeros(0),) * 3)
    assert response.measure_jets(b, lost, none, rng).pt.mean() < response.measure_jets(b, 0 * lost, none, rng).pt.mean()
    still = np.zeros((n, 2))
    assert (
        response.measure_missing(still, b, lost, rng).mean() > response.measure_missing(still, b, 0 * lost, rng).mean()
    )
