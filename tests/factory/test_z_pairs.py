"""The pairs of leptons that are like Z bosons."""

from __future__ import annotations

import numpy as np
import pytest

from factory.matrix_element import Z_MASS
from factory.validation.z_pairs import z_pair_masses
from labcourse import ntuple, selection


def test_z_pairs_need_flavour_and_charge(make_events):
    events = make_events(1, lep1_charge=[1.0], lep2_charge=[-1.0], lep3_charge=[1.0], lep4_charge=[-1.0])
    first, second = z_pair_masses(events)  # ee µµ: only (12)(34) is possible
    assert {first[0], second[0]} == {events["m_ll_12"][0], events["m_ll_34"][0]}
    first, second = z_pair_masses(events.assign(lep2_charge=1.0, lep3_charge=-1.0))
    assert np.isnan(first[0])
    assert np.isnan(second[0])


def test_real_z_bosons_have_the_z_mass(real_files):
    events = selection.preselect(ntuple.read(real_files / "mc_361106.Zee.4lep.root"))
    first, _ = z_pair_masses(events)
    assert np.nanmedian(first) == pytest.approx(Z_MASS, abs=2)
