"""The search for A → Zh: expected significances, in bins of equal signal."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azh import events, sensitivity
from labcourse.errors import BadInput, EmptySelection
from labcourse.significance import asimov
from tests.azh.made_up import make_events, near_the_mass


def at_500(signal: Any, background: Any, *, weight: float = 1.0) -> pd.DataFrame:
    """Return events of 500 GeV and of background with these scores; there the reference is what they are scaled to."""
    size = len(signal), len(background)
    table = pd.DataFrame({"score": np.r_[signal, background], "weight": weight, "run": 1, "event": range(sum(size))})
    return table.assign(process=np.repeat(["signal", "Zjets"], size), m_a_true=np.repeat([500.0, 0.0], size))


def score(table: pd.DataFrame) -> Any:
    return table["score"].to_numpy(float)


def test_significance_of_one_bin_is_the_formula() -> None:
    (found,) = sensitivity.significances(score, at_500(np.full(50, 0.5), np.full(400, 0.5)), (500,))
    assert found.value == pytest.approx(asimov(50, 400, 20))
    (of_700,) = sensitivity.significances(near_the_mass, make_events(), (700,))
    (double,) = sensitivity.significances(near_the_mass, make_events(), (700,), scale=2)
    assert of_700.value < double.value < 2 * of_700.value


def test_bins_without_background_are_no_certainty() -> None:
    """In place of none stands one simulated event, known to 100 %: all that a perfect score can get."""
    table = at_500(1 + np.arange(100.0), np.zeros(300), weight=0.5)
    (found,) = sensitivity.significances(score, table, (500,))
    assert found.value == pytest.approx(np.hypot(asimov(5, 150, 0.5 * np.sqrt(300)), asimov(45, 0.5, 0.5)), rel=1e-6)


@given(st.lists(st.integers(0, 30), min_size=2, max_size=12).filter(any), st.floats(0.1, 3))
def test_merged_bins_lose_nothing_and_know_their_background(counts: list[int], weight: float) -> None:
    expected, variance = weight * np.array(counts, float), weight**2 * np.array(counts, float)
    starts, missing, missing_variance = sensitivity.precise_bins(expected, variance)
    assert starts[0] == 0
    assert (np.diff(starts) > 0).all()
    assert len(starts) >= 2
    background, error = np.add.reduceat(expected, starts), np.sqrt(np.add.reduceat(variance, starts))
    assert (background + missing >= 0.999 * weight).all()
    assert (np.hypot(error, np.sqrt(missing_variance)) >= 0.999 * weight).all()
    precise = slice(2, None)  # the lowest of all, and what is left above it
    assert (error[precise] <= sensitivity.MAX_RELATIVE_ERROR * background[precise] * (1 + 1e-9)).all()


def test_rows_of_an_event_fluctuate_together() -> None:
    table = make_events()
    (once,) = sensitivity.significances(near_the_mass, table, (700,), scale=4)
    (repeated,) = sensitivity.significances(near_the_mass, pd.concat([table] * 4, ignore_index=True), (700,))
    assert repeated.value == pytest.approx(once.value)
    np.testing.assert_allclose(repeated.replicas, once.replicas)
    apart = pd.concat([table.assign(run=run) for run in range(4)], ignore_index=True)
    (independent,) = sensitivity.significances(near_the_mass, apart, (700,))
    assert independent.error < 0.7 * once.error


def test_replicas_of_two_classifiers_are_paired() -> None:
    rng, table = np.random.default_rng(0), make_events()
    noise = dict(zip(events.identity(table), rng.normal(0, 0.01, len(table)), strict=True))

    def blurred(table: pd.DataFrame) -> Any:
        return near_the_mass(table) + np.array([noise[number] for number in events.identity(table)])

    (first,), (second,) = (sensitivity.significances(f, table, (700,)) for f in (near_the_mass, blurred))
    (other,) = sensitivity.significances(blurred, table, (700,), seed=1)
    assert np.std(first.replicas - second.replicas) < 0.8 * np.std(first.replicas - other.replicas)
    assert first.replicas.shape == (200,)
    assert first.replicas.mean() == pytest.approx(first.value, abs=3 * first.error)


@settings(max_examples=20)
@given(st.floats(0.2, 5), st.floats(-5, 5))
def test_no_strictly_monotone_transformation_of_the_score_changes_it(power: float, shift: float) -> None:
    table = make_events(100)
    (plain,) = sensitivity.significances(near_the_mass, table, (700,), replicas=5)
    moved = sensitivity.significances(lambda t: near_the_mass(t) ** power * 8 + shift, table, (700,), replicas=5)
    assert moved[0].value == plain.value
    np.testing.assert_array_equal(moved[0].replicas, plain.replicas)


@pytest.mark.parametrize(
    ("classify", "spoil", "error", "message"),
    [
        (lambda t: np.full(len(t), np.nan), lambda t: t, BadInput, "not finite"),
        (lambda t: np.ones((len(t), 1)), lambda t: t, BadInput, "of shape"),
        (near_the_mass, lambda t: t[events.is_signal(t)], EmptySelection, "no background"),
        (near_the_mass, lambda t: t[t["m_a_true"] != 700], EmptySelection, "no signal of 700"),
    ],
)
def test_what_cannot_be_weighed_is_one_error(classify: Any, spoil: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        sensitivity.significances(classify, spoil(make_events()), (700,))
