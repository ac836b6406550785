"""The numbers behind the figures against their definitions."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from labcourse import metrics
from labcourse.errors import BadInput, EmptySelection


def test_separation(make_events):
    rng = np.random.default_rng(2)
    events = pd.concat([make_events(20_000, sample=n) for n in ("ggH125_ZZ4lep", "llll")], ignore_index=True)
    events["same"] = rng.random(40_000)
    events["apart"] = np.repeat([0.2, 0.8], 20_000)
    events["gauss"] = rng.normal(np.repeat([0.0, 1.0], 20_000))
    assert metrics.separation(events, "same", span=(0, 1)) < 0.002
    assert metrics.separation(events, "apart", span=(0, 1)) == pytest.approx(1)
    x = np.linspace(-6, 7, 4001)
    s, b = stats.norm.pdf(x), stats.norm.pdf(x, 1)
    expected = 0.5 * np.trapezoid((s - b) ** 2 / (s + b), x)
    assert metrics.separation(events, "gauss", span=(-6, 7), bins=50) == pytest.approx(expected, rel=0.05)
    with pytest.raises(EmptySelection, match="Nothing to normalise"):
        metrics.separation(events, "gauss", span=(100, 200))


@given(st.integers(0, 2**32 - 1))
def test_auc_is_the_pair_statistic_also_with_negative_weights(seed):
    rng = np.random.default_rng(seed)
    score, label = rng.integers(0, 8, 30) / 8, np.repeat([0, 1], 15)
    weight = rng.choice([-0.3, 1.0, 2.0], 30, p=[0.1, 0.6, 0.3])
    s, b = label == 1, label == 0
    if not (weight[s].sum() > 0 and weight[b].sum() > 0):
        return
    pairs = (score[s][:, None] > score[b]) + 0.5 * (score[s][:, None] == score[b])
    expected = (weight[s][:, None] * weight[b] * pairs).sum() / weight[s].sum() / weight[b].sum()
    found = metrics.roc_curve(label, score, weight)
    assert found.auc == pytest.approx(expected, abs=1e-12)
    assert found.signal_efficiency[[0, -1]] == pytest.approx([0, 1])
    for cut, efficiency in zip(found.cut[1:], found.signal_efficiency[1:], strict=True):
        assert efficiency == pytest.approx(weight[s & (score >= cut)].sum() / weight[s].sum())


def test_auc_of_events(make_events):
    from sklearn.metrics import roc_auc_score

    events = pd.concat([make_events(100, sample=n, seed=i) for i, n in enumerate(("ggH125_ZZ4lep", "llll"))])
    label, score = np.repeat([1, 0], 100), np.random.default_rng(3).random((200, 1))
    assert metrics.auc(events, score, np.ones(200)) == pytest.approx(roc_auc_score(label, score[:, 0]), rel=1e-9)
    assert metrics.auc(events, score) == metrics.roc_curve(label, score[:, 0], events["weight"]).auc
    with pytest.raises(BadInput, match="for each of 200 events"):
        metrics.auc(events, score[1:])
    with pytest.raises(BadInput, match="positive number"):
        metrics.auc(events[:100], score[:100])
