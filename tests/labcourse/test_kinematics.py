"""Masses and angles."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labcourse import kinematics

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


def test_the_two_z_bosons_are_pairs_of_one_flavour_and_opposite_charge(make_events):
    events = make_events(200)
    found = kinematics.z_masses(events)
    assert found.shape == (2, 200)
    for row, (_, event) in enumerate(events.iterrows()):

        def is_pair(i, j, event=event):
            same = event[f"lep{i}_pdgid"] == event[f"lep{j}_pdgid"]
            return same and event[f"lep{i}_charge"] + event[f"lep{j}_charge"] == 0

        ways = zip(kinematics.PAIRS, reversed(kinematics.PAIRS), strict=True)
        pairs = [[event[f"m_ll_{i}{j}"] for i, j in way] for way in ways if all(is_pair(*pair) for pair in way)]
        nearest = min(pairs, key=lambda masses: abs(masses[0] - kinematics.Z_MASS), default=(0, 0))
        assert found[:, row] == pytest.approx(nearest)
