"""Preselection, cut flow and yields."""

import numpy as np
import pytest

from labcourse import selection
from labcourse.errors import EmptySelection


def with_leptons(make_events, flavours, charges):
    columns = {f"lep{i + 1}_pdgid": np.array([f[i] for f in flavours], np.float32) for i in range(4)}
    columns |= {f"lep{i + 1}_charge": np.array([c[i] for c in charges], np.float32) for i in range(4)}
    return make_events(len(flavours), **columns)


def test_flavours_and_charges(make_events):
    flavours = [(11,) * 4, (11, 13, 11, 13), (13,) * 4, (11, 11, 11, 13), (11, 13, 13, 13), (11,) * 4]
    charges = [(1, -1, 1, -1)] * 5 + [(1, 1, 1, -1)]
    events = with_leptons(make_events, flavours, charges)
    assert selection.is_flavour_allowed(events).tolist() == [True, True, True, False, False, True]
    assert selection.is_neutral(events).tolist() == [True] * 5 + [False]
    kept = selection.preselect(events)
    assert kept["event"].tolist() == [1000, 1001, 1002]
    assert kept.index.tolist() == [0, 1, 2]


def test_empty_preselection_is_an_error(make_events):
    events = with_leptons(make_events, [(11, 11, 11, 13)] * 3, [(1, -1, 1, -1)] * 3)
    with pytest.raises(EmptySelection, match="None of 3 events"):
        selection.preselect(events)
    assert selection.is_neutral(events[:0]).shape == (0,)


def test_cut_flow_counts_and_weights(make_events):
    weight = np.array([1.0, -0.5, 2.0], np.float32)
    events = with_leptons(
        make_events, [(11,) * 4, (13,) * 4, (11, 11, 11, 13)], [(1, -1, 1, -1), (1, 1, 1, -1), (1, -1, 1, -1)]
    ).assign(weight=weight)
    flow = selection.cut_flow(events)
    assert flow["raw"].tolist() == [3, 2, 1]
    np.testing.assert_allclose(flow["expected"], [2.5, 0.5, 1.0])


def test_yields_errors(make_events):
    events = make_events(4).assign(weight=np.array([1, 2, -1, 2], np.float32))
    row = selection.yields(events).loc["llll"]
    assert (row["raw"], row["expected"]) == (4, 4)
    assert row["error"] == pytest.approx(np.sqrt(10))
