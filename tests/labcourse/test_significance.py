"""The formulas against their definition and limits; the scan against masks in a loop."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from labcourse import significance
from labcourse.errors import BadInput, EmptySelection

yields = st.floats(1e-3, 1e6)


def cowan(s: float, b: float, sigma: float) -> float:
    """The formula as printed."""
    v = sigma**2
    first = (s + b) * math.log((s + b) * (b + v) / (b * b + (s + b) * v))
    return math.sqrt(2 * (first - b * b / v * math.log(1 + v * s / (b * (b + v)))))


@given(s=st.floats(1, 100), b=st.floats(1, 100), relative=st.floats(0.05, 1))
def test_asimov_is_the_printed_formula(s, b, relative):
    assert significance.asimov(s, b, relative * b) == pytest.approx(cowan(s, b, relative * b), rel=1e-6)
    assert significance.asimov(s, b) == pytest.approx(math.sqrt(2 * ((s + b) * math.log1p(s / b) - s)), rel=1e-9)


@given(b=yields, ratio=st.floats(1e-14, 1e-7), relative=st.just(0.0) | st.floats(1e-3, 0.5))
def test_asimov_with_uncertainty_tends_to_the_gaussian_limit(b, ratio, relative):
    expected = ratio * b / math.sqrt(b + (relative * b) ** 2)
    assert significance.asimov(ratio * b, b, relative * b) == pytest.approx(expected, rel=1e-5)


@given(s=yields, b=yields)
def test_asimov_is_continuous_where_the_uncertainty_vanishes(s, b):
    known = significance.asimov(s, b)
    for sigma in (1e-3 * math.sqrt(b), 1e-8, 1e-100, 1e-300):
        assert significance.asimov(s, b, sigma) == pytest.approx(known, rel=1e-5 * (1 + s / b), abs=1e-12)


def test_limits():
    nan = np.nan
    np.testing.assert_equal(significance.asimov([0, 1, 0, 1, -1], [0, 0, -1, -1, 0.5]), [0, np.inf, nan, nan, nan])
    np.testing.assert_equal(significance.simple([0, 1, 0, 1], [0, 0, -1, -1]), [0, np.inf, nan, nan])
    assert significance.asimov(5, 0, 1) == 0  # a background of which nothing is known
    assert significance.asimov(5, 1e-12, 1) == pytest.approx(0, abs=1e-4)
    assert significance.observed(0, 10) == pytest.approx(-math.sqrt(20))
    assert significance.observed(10, 10) == 0
    assert significance.observed(3, 0) == np.inf
    assert significance.asimov(9.7, 10.0, 1e9) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    "given",
    [
        ([0.1, 0.2], [1], [1.0, 1.0]),
        ([np.nan], [1], [1.0]),
        ([0.1], [1], [np.inf]),
        ([0.1], [2], [1.0]),
        ([0.1], [1], [1.0], [np.nan]),
    ],
)
def test_a_scan_of_bad_input_is_one_clear_error(given):
    with pytest.raises(BadInput, match=r"\.\n  where: \w+"):
        significance.scan(*given[:3], cuts=given[3] if len(given) > 3 else None)


@settings(deadline=None)
@given(
    score=hnp.arrays(np.float32, 40, elements=st.sampled_from(np.linspace(0, 1, 11, dtype=np.float32).tolist())),
    label=hnp.arrays(np.int8, 40, elements=st.integers(0, 1)),
    weight=hnp.arrays(np.float64, 40, elements=st.floats(-1, 2)),
    cuts=hnp.arrays(np.float64, st.integers(1, 30), elements=st.floats(-0.5, 1.5) | st.sampled_from([0.1, 0.5, 1.0])),
)
def test_scan_is_the_loop_with_ties_negative_weights_and_unordered_cuts(score, label, weight, cuts):
    for given_cuts in (cuts, cuts.tolist()):  # NumPy rounds plain numbers to the score's type
        result = significance.scan(score, label, weight, cuts=given_cuts)
        for value, name in ((1, "signal"), (0, "background")):
            kept = [weight[(score >= cut) & (label == value)] for cut in given_cuts]
            np.testing.assert_array_equal(getattr(result, f"raw_{name}"), [len(w) for w in kept])
            np.testing.assert_allclose(getattr(result, name), [w.sum() for w in kept], atol=1e-6)
            np.testing.assert_allclose(getattr(result, f"{name}_error"), [np.sqrt((w**2).sum()) for w in kept])


def test_scan_of_its_own_cuts_spans_the_scores():
    result = significance.scan(np.array([3, 1, 2], dtype=np.float32), [1, 0, 0], [1.0, 1.0, 1.0])
    np.testing.assert_allclose(result.cut[[0, -1]], [1, 3])
    np.testing.assert_equal(result.raw_background[[0, -1]], [2, 0])
    np.testing.assert_equal(result.raw_signal, 1)
    assert result.significance[-1] == np.inf  # no background left


def test_scan_measure_and_error():
    rng = np.random.default_rng(5)
    label = rng.integers(0, 2, 5000)
    score, weight = rng.normal(label), np.where(label == 1, 0.01, 0.1)
    plain = significance.scan(score, label, weight, cuts=[0.0, 1.0], measure=significance.simple)
    s, b = plain.signal, plain.background
    np.testing.assert_allclose(plain.significance, s / np.sqrt(b))
    expected = np.hypot(plain.signal_error / np.sqrt(b), s / (2 * b**1.5) * plain.background_error)
    np.testing.assert_allclose(plain.significance_error, expected, rtol=1e-5)
    measure = lambda s, b: significance.asimov(s, b, 0.1 * b)  # noqa: E731
    uncertain = significance.scan(score, label, weight, cuts=[0.0, 1.0], measure=measure)
    assert (uncertain.significance < plain.significance).all()


def test_negative_background_is_nan_and_never_the_best_cut_and_of_equals_the_loosest_wins():
    weight = np.repeat([1.0, -1.0, 1.0], [100, 11, 1])
    score, label = np.repeat([0.1, 0.9], [100, 12]), np.repeat([0, 1], [111, 1])
    options = {"cuts": [0.0, 0.5], "measure": lambda s, b: significance.asimov(s, b, 0.1 * b)}
    result = significance.scan(score, label, weight, **options)
    assert np.isnan(result.significance[1])
    assert significance.best(result).cut == 0.0
    result = significance.scan([0.5] * 200 + [0.9], [0] * 200 + [1], [1.0] * 201, cuts=[0.4, 0.1, 0.3])
    assert significance.best(result).cut == 0.1


def test_best_cut_is_no_fluctuation():
    """One rare background of weight 10 above the cut, or two raw events, must not make the best cut."""
    score = np.concatenate([np.full(1000, 0.2), np.full(900, 0.5), [0.9, 0.9], np.full(50, 0.95)])
    label = np.concatenate([np.zeros(1902), np.ones(50)])
    weight = np.concatenate([np.full(1902, 0.1), np.full(50, 0.2)])
    result = significance.scan(score, label, weight, cuts=[0.0, 0.4, 0.8, 0.93])
    found = significance.best(result)
    assert found.cut == 0.4
    assert found.background == pytest.approx(90.2)
    assert isinstance(found.raw_background, int)
    assert significance.best(result, min_effective_background=1).cut == 0.8
    with pytest.raises(EmptySelection, match="No cut leaves enough"):
        significance.best(result, min_effective_background=10_000)


def test_a_sample_of_which_nothing_is_left_is_not_known_to_be_zero():
    # 1000 light events of one sample over the whole range, four heavy ones of the other at low scores.
    score = np.r_[np.linspace(0, 1, 1000), [0.1, 0.2, 0.3, 0.4], np.linspace(0.5, 1, 100)]
    label, weight = np.repeat([0, 0, 1], [1000, 4, 100]), np.repeat([0.01, -2.0, 0.05], [1000, 4, 100])
    weight[1000:1003] = 2.0
    sample = np.repeat(["light", "heavy", "signal"], [1000, 4, 100])
    plain, honest = (significance.scan(score, label, weight, groups=g, cuts=[0.0, 0.6]) for g in (None, sample))
    np.testing.assert_allclose(plain.background_error[1], 0.01 * np.sqrt(400))
    more = 2.0**2 + 0.01**2
    np.testing.assert_allclose(honest.background_error, np.sqrt(plain.background_error**2 + more))
    np.testing.assert_array_equal(honest.background, plain.background)
    np.testing.assert_array_equal(honest.signal_error, plain.signal_error)
    assert (honest.significance_error > plain.significance_error).all()
    assert significance.best(plain).cut == 0.6
    with pytest.raises(EmptySelection):
        significance.best(honest)
    with pytest.raises(BadInput, match="Expected at least one event"):
        significance.scan(score, label, weight, groups=sample[1:])
