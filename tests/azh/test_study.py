"""The search for A → Zh: scan, trials factor, injection, pulls and impacts."""

import json
from functools import cache

import numpy as np
import pandas as pd
import pytest

from azh import events, limits, sensitivity, study
from azh.templates import Search
from factory.azh import sealed
from tests.azh.made_up import MODIFIERS, in_all_regions, near_the_mass

MASSES = (300, 700, 1200)


@cache
def search() -> Search:
    return Search(in_all_regions(masses=MASSES), near_the_mass)


@cache
def data(cross_section: float, seed: int = 1) -> pd.DataFrame:
    """Return an experiment, with an A of 700 GeV and a cross-section in pb."""
    table = in_all_regions(masses=MASSES)
    signal = table[table["m_a_true"] == 700]
    background = table[~events.is_signal(table)]
    return sealed.pseudo_data(background, signal, cross_section=cross_section, seed=seed)


def test_a_scan_finds_what_was_injected_and_excludes_what_is_not_there() -> None:
    with_a, without = (
        {p.mass: p for p in study.scan(search(), data(x), (500, 700, 900), MODIFIERS)} for x in (0.2, 0.0)
    )
    best = with_a[700]
    assert best.significance == max(p.significance for p in with_a.values()) > 4
    assert best.cross_section == pytest.approx(0.2, abs=3 * best.error)
    assert best.limit > 0.2
    assert all(p.significance < 3 for p in without.values())
    assert without[700].limit < 0.2
    for point in without.values():
        assert list(point.expected) == sorted(point.expected)
        assert point.expected.minus_2 / 1.5 < point.limit < 1.5 * point.expected.plus_2


def test_no_expected_limit_is_below_the_floor() -> None:
    floor = study.floor(search(), 700)
    assert floor == pytest.approx(-np.log(0.05) / (400 * 0.1) * 0.05, rel=1e-3), "400 events of weight 0.1"
    limit = study.expected_limit(search(), 700, MODIFIERS)
    assert floor < limit.minus_1 < limit.median
    assert study.in_pb(limits.expected_band(study.likelihood(search(), 700, MODIFIERS))) == limit


def test_largest_excesses_repeat_with_the_seed_and_grow_with_the_masses() -> None:
    def largest(masses: tuple[int, ...], seed: int = 0) -> np.ndarray:
        return study.largest_excesses(search(), masses, MODIFIERS, toys=60, seed=seed)

    one, again, other = largest((700,)), largest((700,)), largest((700,), seed=1)
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()
    assert one.shape == (60,)
    assert (one >= 0).all()
    assert 0.2 < (one < 1e-3).mean() < 0.8, "half of the experiments have fewer events than expected"
    assert largest((350, 700, 1000)).mean() > one.mean() + 0.2
    assert one.max() < 6


def test_injected_signals_are_found_without_bias_and_limits_cover() -> None:
    found = study.injection(study.likelihood(search(), 700, MODIFIERS), 0.05, experiments=300, seed=3)
    assert set(found) == {"bias", "pull_width", "coverage"}
    assert found["bias"] == pytest.approx(0, abs=0.15)
    assert found["pull_width"] == pytest.approx(1, abs=0.1)
    assert 0.93 <= found["coverage"] <= 0.97


def test_pulls_and_impacts_of_data_that_meet_the_model() -> None:
    model = study.likelihood(search(), 700, MODIFIERS)
    truth = model.start.copy()
    truth[model.poi] = 1
    counts = model.expected(truth)
    pulls = study.pulls(model, model.fit(counts))
    constrained = {name: pull for name, pull in pulls.items() if not name.startswith(("mu", "norm"))}
    assert {"lumi", "jet_energy", "b_tagging", "theory_Zh"} <= set(constrained)
    np.testing.assert_allclose([moved for moved, _ in constrained.values()], 0, atol=1e-3)
    assert all(0 < error < 1.001 for _, error in constrained.values())
    assert pulls["norm_Zjets"][0] == pytest.approx(1, abs=1e-3)
    impacts = study.impacts(model, counts)
    sizes = [max(map(abs, impact)) for impact in impacts.values()]
    assert sizes == sorted(sizes, reverse=True)
    down, up = impacts["lumi"]
    assert up < 0 < down, "with more luminosity, less cross-section is needed"
    assert -up == pytest.approx(0.017 * 0.05, rel=0.5)


def test_results_are_json() -> None:
    limit = limits.Band(1, 2, 3, 4, 5)
    made = study.results(
        expected={"tree": {700.0: limit}},
        points=[study.Point(700, 1.0, 0.01, 0.02, 0.03, limit)],
        curves={"tree": [sensitivity.Significance(700, 2.0, np.array([1.9, 2.1]))]},
        closure={700: (0.98, 0.01)},
        injection={"bias": 0.0},
    )
    said = json.loads(json.dumps(made))
    assert said["expected_limit_pb"] == {"tree": {"700": {"median": 3, "band": [1, 2, 4, 5]}}}
    assert said["observed_limit_pb"] == {"700": 0.03}
    assert said["significance"]["tree"]["700"] == {"value": 2.0, "error": pytest.approx(0.1)}
    assert said["closure"] == {"700": {"value": 0.98, "error": 0.01}}
