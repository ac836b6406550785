"""Balancing, effective numbers, labels and input arrays."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from labcourse import features, ntuple, weights
from labcourse.errors import BadInput

finite = st.floats(-1e3, 1e3).filter(lambda w: abs(w) > 1e-6)


@given(hnp.arrays(np.float64, st.integers(2, 60), elements=finite), st.data())
def test_balanced_weights(weight, data):
    signal = data.draw(st.integers(1, len(weight) - 1))
    label = np.arange(len(weight)) < signal
    balanced = weights.balance(weight, label)
    assert (balanced > 0).all()
    assert balanced.mean() == pytest.approx(1, rel=1e-5)
    assert balanced[label].sum() == pytest.approx(balanced[~label].sum(), rel=1e-4)
    np.testing.assert_allclose(
        balanced[label] / balanced[label].sum(), np.abs(weight[label]) / np.abs(weight[label]).sum(), rtol=1e-4
    )


@pytest.mark.parametrize(
    ("weight", "label", "message"),
    [
        ([1.0, 2.0], [1], "one weight and one label"),
        ([1.0, 2.0], [1, 1], "background"),
        ([1.0, 2.0], [1, 2], "0 or 1"),
        ([0.0, 2.0], [1, 0], "signal"),
        ([np.nan, 2.0], [1, 0], "signal"),
    ],
)
def test_balance_refuses(weight, label, message):
    with pytest.raises(BadInput, match=message):
        weights.balance(weight, label)


def test_negative_fraction():
    assert weights.negative_fraction([1, -1, 1, 1]) == 0.25
    assert weights.negative_fraction([]) == 0


def test_match_yields(make_events):
    whole = pd.concat([make_events(6), make_events(4, sample="Zee")], ignore_index=True)
    part = whole.iloc[[0, 1, 7]]
    scaled = weights.match_yields(part, whole)
    np.testing.assert_allclose(scaled["weight"], [3, 3, 4])
    assert part["weight"].tolist() == [1, 1, 1]
    with pytest.raises(BadInput, match="Zee"):
        weights.match_yields(whole.iloc[:3], whole)


def test_arrays(make_events):
    events = pd.concat([make_events(3), make_events(2, sample="ggH125_ZZ4lep")], ignore_index=True)
    x, y, weight = features.arrays(events, ntuple.LEPTON_PT)
    assert (x.shape, x.dtype, x.flags["C_CONTIGUOUS"]) == ((5, 4), np.float32, True)
    assert y.tolist() == [0, 0, 0, 1, 1]
    assert weight.dtype == np.float32
    with pytest.raises(BadInput, match="lep5_pt"):
        features.arrays(events, ["lep5_pt"])
    with pytest.raises(BadInput, match="no label"):
        features.labels(make_events(2, sample="data"))
