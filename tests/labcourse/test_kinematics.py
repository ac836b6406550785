"""Masses and angles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labcourse import kinematics, ntuple, selection

angle = st.floats(-10, 10)


@given(angle, angle)
def test_delta_phi_is_periodic_and_short(a, b):
    difference = kinematics.delta_phi(a, b)
    assert -np.pi <= difference < np.pi
    assert np.cos(difference) == pytest.approx(np.cos(a - b), abs=1e-9)


@given(st.floats(-2, 2), st.floats(-2, 2), st.floats(-0.9, 0.9))
def test_masses_do_not_change_under_a_boost_along_the_beam(eta, other_eta, shift):
    pt, phi = np.array([[40.0, 25.0]]), np.array([[0.3, 2.8]])
    masses = []
    for s in (0.0, shift):
        etas = np.array([[eta + s, other_eta + s]])
        masses.append(kinematics.mass(pt, etas, phi, pt * np.cosh(etas))[0])
    assert masses[1] == pytest.approx(masses[0], rel=1e-4)


def test_pair_masses_are_those_of_the_pairs(make_events):
    events = make_events(50)
    for i, j in kinematics.PAIRS:
        columns = [[f"lep{i}_{q}", f"lep{j}_{q}"] for q in ("pt", "eta", "phi", "e")]
        pair = kinematics.mass(*(events[c].to_numpy() for c in columns))
        np.testing.assert_allclose(events[f"m_ll_{i}{j}"], pair, rtol=1e-5)
    # For massless particles the squares of the pair masses add up to that of all four.
    pairs = sum(events[f"m_ll_{i}{j}"].astype(float) ** 2 for i, j in kinematics.PAIRS)
    np.testing.assert_allclose(np.sqrt(pairs), events["m_llll"], rtol=1e-3)


def test_z_pairs_need_flavour_and_charge(make_events):
    events = make_events(1, lep1_charge=[1.0], lep2_charge=[-1.0], lep3_charge=[1.0], lep4_charge=[-1.0])
    first, second = kinematics.z_pair_masses(events)  # ee µµ: only (12)(34) is possible
    assert {first[0], second[0]} == {events["m_ll_12"][0], events["m_ll_34"][0]}
    first, second = kinematics.z_pair_masses(events.assign(lep2_charge=1.0, lep3_charge=-1.0))
    assert np.isnan(first[0])
    assert np.isnan(second[0])


def test_real_z_bosons_have_the_z_mass(real_files):
    events = selection.preselect(ntuple.read(real_files / "mc_361106.Zee.4lep.root"))
    first, _ = kinematics.z_pair_masses(events)
    assert np.nanmedian(first) == pytest.approx(kinematics.Z_MASS, abs=2)
