"""The search for A → Zh: event table, reconstruction, networks, significance and limits."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import azh
from azh import events, limits, sensitivity
from factory.azh import production, reconstruction, response
from factory.particles import Particles
from labcourse import settings
from labcourse.errors import BadFile, BadInput, EmptySelection, MissingSample


def make_events(n: int = 400, *, masses: tuple[float, ...] = (300, 700, 1200, 2000), seed: int = 0) -> pd.DataFrame:
    """Return ``n`` signal events of each mass and three times as many background events, easy to tell apart."""
    rng = np.random.default_rng(seed)
    m_a = np.r_[np.repeat(masses, n), np.zeros(3 * n * len(masses))]
    signal = m_a > 0
    table = pd.DataFrame({name: rng.gamma(4.0, 25.0, len(m_a)).astype(np.float32) for name in events.MEASURED})
    table["m_zh"] = np.where(signal, m_a * rng.normal(1, 0.05, len(m_a)), rng.gamma(4, 150, len(m_a))).astype("f4")
    return table.assign(
        process=pd.Categorical(np.where(signal, "signal", np.where(rng.random(len(m_a)) < 0.7, "Zjets", "ttbar"))),
        m_a_true=m_a.astype(np.float32),
        run=np.where(signal, 360_000 + m_a, 410_472).astype(np.int32),
        event=np.arange(len(m_a)),
        weight=np.where(signal, 0.1, np.where(rng.random(len(m_a)) < 0.1, -0.5, 0.5)).astype(np.float32),
    )


# --- events ---------------------------------------------------------------------------------------------------------


def test_split_is_60_20_20_and_keeps_rows_of_an_event_together() -> None:
    table = make_events()
    table = pd.concat([table, table], ignore_index=True)
    parts = azh.split(table)
    assert [round(len(part) / len(table), 1) for part in parts] == [0.6, 0.2, 0.2]
    identities = [set(sensitivity.identity(part)) for part in parts]
    assert not identities[0] & identities[1]
    assert not identities[0] & identities[2]
    assert not identities[1] & identities[2]


def test_the_tested_mass_is_set_for_all_and_other_signal_is_left_out() -> None:
    chosen = events.at_mass(make_events(), 700)
    assert set(chosen["m_a"]) == {700.0}
    assert set(chosen.loc[events.is_signal(chosen), "m_a_true"]) == {700.0}


def test_masses_of_the_background_are_those_of_the_signal_and_change_with_the_draw() -> None:
    table = make_events()
    first, again, other = (events.draw_masses(table, (300, 700), np.random.default_rng(seed)) for seed in (1, 1, 2))
    background = ~events.is_signal(table)
    np.testing.assert_array_equal(first, again)
    assert (first[background] != other[background]).any()
    assert set(first[background]) == {300.0, 700.0}
    np.testing.assert_array_equal(first[~background], table["m_a_true"][~background])


def test_a_mass_outside_the_trained_range_warns() -> None:
    table = make_events(masses=(300, 2000))
    with pytest.warns(UserWarning, match="2000 GeV lies outside the trained range of 300 to 1600 GeV"):
        events.at_mass(table, 2000, trained=(300, 1600))
    assert events.is_outside(2000, (300, 1600))
    assert not events.is_outside(1200, (300, 1600))


@pytest.mark.parametrize("mass", [800, 1])
def test_a_mass_without_signal_is_one_error(mass: float) -> None:
    with pytest.raises(EmptySelection, match=f"no signal of {mass} GeV"):
        events.at_mass(make_events(), mass)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda table: table.drop(columns="m_bb"), "no column m_bb"),
        (lambda table: table.assign(met_ht=np.nan), "met_ht is nan"),
        (lambda table: table.assign(m_a_true=table["m_a_true"].replace(700, 710)), "signal of 710 GeV"),
    ],
)
def test_bad_tables_are_one_error(spoil: Any, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        events.check(spoil(make_events()), "here")


# --- the file -------------------------------------------------------------------------------------------------------


def test_what_is_written_is_read(tmp_path: Path) -> None:
    table = make_events()
    production.write(table, tmp_path, seed=1, scale=0.1)
    pd.testing.assert_frame_equal(azh.read(tmp_path), table[list(table)], check_categorical=False)


@pytest.mark.parametrize("with_manifest", [True, False])
def test_a_damaged_file_is_one_error(tmp_path: Path, *, with_manifest: bool) -> None:
    manifest = production.write(make_events(), tmp_path, seed=1, scale=0.1)
    if not with_manifest:
        manifest.unlink()
    path = tmp_path / events.FILE
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(BadFile, match=r"damaged|not the one"):
        azh.read(tmp_path)


def test_a_damaged_manifest_and_a_missing_file_are_one_error(tmp_path: Path) -> None:
    production.write(make_events(), tmp_path, seed=1, scale=0.1).write_text("{")
    with pytest.raises(BadFile):
        azh.read(tmp_path)
    with pytest.raises(MissingSample):
        azh.read(tmp_path / "nowhere")


# --- reconstruction -------------------------------------------------------------------------------------------------


def test_tag_efficiencies_meet_the_published_working_points() -> None:
    for kind, rejections in reconstruction.REJECTION.items():
        for b_efficiency, rejection in zip((0.60, 0.70, 0.77, 0.85), rejections, strict=True):
            found = reconstruction.tag_efficiency(np.array([kind]), b_efficiency)[0]
            assert found == pytest.approx(b_efficiency if kind == 5 else 1 / rejection)


def test_scores_of_tagged_jets_are_above_the_cut() -> None:
    rng = np.random.default_rng(1)
    flavour = np.repeat([5, 4, 21], 2000)
    passes = rng.random(len(flavour)) < 0.5
    score = reconstruction.tag_score(flavour, passes, rng)
    cut = 1 - reconstruction.WORKING_POINT
    assert (score[passes] >= cut - 1e-6).all()
    assert (score[~passes] <= cut + 1e-6).all()


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
    event, inputs, factor = reconstruction.select(leptons, jets, missing, np.random.default_rng(1))
    assert event.tolist() == [0]
    assert list(inputs) == list(events.MEASURED)
    assert factor[0] == pytest.approx(0.77**2, rel=0.03)
    vector_sum = np.hypot(*(90 * t(0.0) + 60 * t(1.2) for t in (np.cos, np.sin)))
    assert inputs["pt_z"][0] == pytest.approx(vector_sum, rel=1e-5)
    assert inputs["dr_b1b2"][0] == pytest.approx(np.hypot(0.5, 2 * np.pi - 4.7), rel=1e-5)
    assert inputs["met_ht"][0] == pytest.approx(10 / np.sqrt(90 + 60 + 90 + 70 + 30), rel=1e-5)
    assert inputs["pt_j3"][0] == 30


def test_a_missing_third_jet_is_the_sentinel() -> None:
    _, inputs, _ = reconstruction.select(*zh_event(extra_jets=0), np.random.default_rng(1))
    assert {inputs[name][0] for name in ("pt_j3", "dr_b1j3", "dr_b2j3", "btag_j3")} == {events.MISSING}


def test_events_with_an_electron_and_a_muon_count_half_where_they_are_asked_for() -> None:
    leptons, jets, missing = zh_event()
    mixed = Particles(leptons.event, np.array([11, -13]), leptons.pt, leptons.eta, leptons.phi)
    assert not len(reconstruction.select(mixed, jets, missing, np.random.default_rng(1))[0])
    halves = [
        reconstruction.select(pair, jets, missing, np.random.default_rng(1), any_flavour=True)[2][0]
        for pair in (mixed, leptons)
    ]
    full = reconstruction.select(leptons, jets, missing, np.random.default_rng(1))[2][0]
    assert halves == [full / 2, full / 2]


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


# --- significance and limits ----------------------------------------------------------------------------------------


def test_significance_of_one_bin_is_the_formula() -> None:
    """s = b = 1 after the normalisation: √(2 (2 ln 2 − 1))."""
    flat = np.full(100, 0.5)
    label = np.repeat([1.0, 0.0], 50)
    value = sensitivity.binned_significance(flat, label, np.ones(100))
    assert value.value == pytest.approx(np.sqrt(2 * (2 * np.log(2) - 1)))
    assert value.error == pytest.approx(0, abs=1e-12)


@given(st.integers(0, 2**31), st.floats(0.01, 100), st.floats(0.01, 100))
def test_significance_does_not_depend_on_the_yields(seed: int, factor_s: float, factor_b: float) -> None:
    rng = np.random.default_rng(seed)
    score, label = rng.random(300), np.repeat([1.0, 0.0], 150)
    plain = sensitivity.asimov(sensitivity.histogram(score, label, np.ones(300)))
    scaled = sensitivity.asimov(sensitivity.histogram(score, label, np.where(label == 1, factor_s, factor_b)))
    assert scaled == pytest.approx(plain)


@given(st.integers(0, 2**31))
def test_no_bin_is_left_without_background_and_nothing_is_lost(seed: int) -> None:
    rng = np.random.default_rng(seed)
    score, label = rng.random(60), np.repeat([1.0, 0.0], 30)
    weight = rng.choice([1.0, -0.6], 60, p=[0.8, 0.2])
    if min(weight[:30].sum(), weight[30:].sum()) <= 0:
        return
    binned = sensitivity.histogram(score, label, weight)
    assert (binned.background > 0).all()
    assert (binned.signal >= 0).all() or len(binned.signal) == 1
    assert binned.signal.sum() == pytest.approx(weight[:30].sum())
    assert binned.background.sum() == pytest.approx(weight[30:].sum())
    assert len(binned.edges) == len(binned.signal) + 1


def test_rows_of_an_event_fluctuate_together() -> None:
    rng = np.random.default_rng(3)
    score, label = rng.random(2000), np.repeat([1.0, 0.0], 1000)
    event = np.arange(2000)
    alone = sensitivity.binned_significance(score, label, np.ones(2000), event=event)
    repeated = [np.tile(column, 4) for column in (score, label, np.ones(2000), event)]
    together = sensitivity.binned_significance(*repeated[:3], event=repeated[3])
    assert together.value == pytest.approx(alone.value)
    assert together.error == pytest.approx(alone.error, rel=0.2)
    variance = sensitivity.histogram(*repeated[:3], event=repeated[3]).background_variance.sum()
    assert variance == pytest.approx(16 * sensitivity.histogram(score, label, np.ones(2000)).background_variance.sum())


@pytest.mark.parametrize(
    ("label", "weight", "error"),
    [
        (np.zeros(4), np.ones(4), EmptySelection),
        (np.ones(4), np.ones(4), EmptySelection),
        (np.array([1, 1, 0, 0]), np.array([1, 1, -1, -1]), EmptySelection),
        (np.array([1, 1, 0, 0]), np.array([1, 1, np.nan, 1]), BadInput),
        (np.array([1, 1, 0]), np.ones(4), BadInput),
    ],
)
def test_scores_that_cannot_be_weighed_are_one_error(label: Any, weight: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        sensitivity.binned_significance(np.full(4, 0.5), label, weight)


def three_bins() -> sensitivity.Binned:
    return sensitivity.Binned(
        np.array([0, 0.5, 0.8, 1]),
        np.array([1.0, 10, 30]),
        np.array([1000.0, 50, 4]),
        np.array([10.0, 5, 1]),
    )


def pyhf_model(binned: sensitivity.Binned, uncertainty: float) -> Any:
    """Return the likelihood of a limit as pyhf's language says it."""
    pyhf = pytest.importorskip("pyhf")
    normalisation = {"hi": 1 + uncertainty, "lo": 1 - uncertainty}
    background = [
        {"name": "background", "type": "normsys", "data": normalisation},
        {"name": "simulation", "type": "staterror", "data": list(np.sqrt(binned.background_variance))},
    ]
    strength = [{"name": "mu", "type": "normfactor", "data": None}]
    processes = [
        {"name": "signal", "data": list(binned.signal), "modifiers": strength},
        {"name": "background", "data": list(binned.background), "modifiers": background},
    ]
    spec = {"channels": [{"name": "score", "samples": processes}], "parameters": []}
    return pyhf.Model(spec, validate=False, poi_name="mu")


def test_limits_are_those_of_pyhf() -> None:
    pyhf = pytest.importorskip("pyhf")
    binned = three_bins()
    limit = limits.expected_limit(binned)
    model = pyhf_model(binned, 0.2)
    data = [*binned.background, *model.config.auxdata]
    # CLs of the expected band at the limit that was found: 0.05 for the median.
    _, band = pyhf.infer.hypotest(limit.median / events.SIGNAL_CROSS_SECTION, data, model, return_expected_set=True)
    assert float(band[2]) == pytest.approx(0.05, abs=5e-4)
    _, band = pyhf.infer.hypotest(limit.plus_1 / events.SIGNAL_CROSS_SECTION, data, model, return_expected_set=True)
    assert float(band[3]) == pytest.approx(0.05, abs=5e-4)


@pytest.mark.parametrize("exponent", [1, 4, 7])
@pytest.mark.parametrize("error", [0.0, 0.02])
def test_limits_are_right_for_ten_to_ten_million_events(exponent: int, error: float) -> None:
    """Beside a fit of all parameters at once: least squares of the roots of what each bin and each pull adds to q."""
    from scipy.optimize import least_squares
    from scipy.stats import norm

    background = 10.0**exponent * np.array([1.0, 0.3])
    binned = sensitivity.Binned(np.arange(3), np.array([2.0, 5.0]), background, (error * background) ** 2)
    limit = limits.expected_limit(binned)
    model = pyhf_model(binned, 0.2)
    names, free = model.config.par_names, model.config.npars - 1
    width = np.array([error or 1.0 if name.startswith("simulation") else 1.0 for name in names if name != "mu"])
    centre = np.array([1.0 if name.startswith("simulation") else 0.0 for name in names if name != "mu"])

    def roots(pulls: np.ndarray, mu: float) -> np.ndarray:
        fixed = [name.startswith("simulation") and not error for name in names if name != "mu"]
        values = centre + np.where(fixed, 0, width * pulls)
        parameters = np.insert(values, model.config.poi_index, mu)
        x = model.expected_data(parameters, include_auxdata=False) / background - 1
        # x − ln(1 + x) without its rounding
        deviance = np.where(np.abs(x) < 1e-2, x**2 / 2 - x**3 / 3 + x**4 / 4 - x**5 / 5 + x**6 / 6, x - np.log1p(x))
        return np.r_[np.sign(x) * np.sqrt(2 * background * deviance), pulls]

    assert limit.minus_2 < limit.minus_1 < limit.median < limit.plus_1 < limit.plus_2
    for n, value in zip((0, -2, -1, 1, 2), limit, strict=True):
        mu = value / events.SIGNAL_CROSS_SECTION
        found = least_squares(roots, np.zeros(free), args=(mu,), xtol=1e-14, ftol=1e-14, gtol=1e-14)
        assert norm.sf(np.sqrt(2 * found.cost) - n) / norm.cdf(n) == pytest.approx(0.05, rel=1e-3)


def test_a_limit_in_a_sea_of_background_grows_with_it() -> None:
    """Where statistics no longer count, it is a share of the background: Gaussian, as far as that is known to 1 %."""
    for background in (1e8, 1e9, 1e10):
        binned = sensitivity.Binned(np.arange(2), np.array([1.0]), np.array([background]), np.zeros(1))
        limit = limits.expected_limit(binned, background_uncertainty=0.01)
        strength = np.array(limit) / events.SIGNAL_CROSS_SECTION / (0.01 * background)
        assert strength == pytest.approx([1.960, 1.052, 1.412, 2.729, 3.658], rel=0.02)


@pytest.mark.parametrize(
    ("column", "value"),
    [("background", 0.0), ("background", np.inf), ("signal", np.nan), ("signal", -1.0), ("background_variance", -1.0)],
)
def test_a_bin_that_cannot_be_is_named(column: str, value: float) -> None:
    spoilt = three_bins()
    getattr(spoilt, column)[1] = value
    with pytest.raises(BadInput, match=rf"Bin 2 of 3 (.|\n)* {value:g}\b"):
        limits.expected_limit(spoilt)


def test_no_signal_and_a_band_out_of_order_are_one_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput, match="No bin holds signal"):
        limits.expected_limit(three_bins()._replace(signal=np.zeros(3)))
    monkeypatch.setattr(limits, "_likelihood_ratio", lambda *_: lambda mu: np.nan)
    with pytest.raises(BadInput, match="are no band"):
        limits.expected_limit(three_bins())


def test_limits_are_ordered_and_grow_with_the_uncertainty() -> None:
    small, large = (limits.expected_limit(three_bins(), background_uncertainty=u) for u in (0.05, 0.5))
    assert small.minus_2 < small.minus_1 < small.median < small.plus_1 < small.plus_2
    assert large.median > small.median
    with pytest.raises(BadInput, match="background_uncertainty"):
        limits.expected_limit(three_bins(), background_uncertainty=0)


def test_bins_of_a_limit_know_their_background() -> None:
    rng = np.random.default_rng(4)
    n = 5000
    score = np.r_[rng.beta(6, 1.2, n), rng.beta(1, 6, n)]
    label = np.repeat([1.0, 0.0], n)
    binned = limits.for_limit(score, label, np.ones(2 * n))
    assert 2 <= len(binned.signal) <= 12
    assert (binned.background_variance[1:] <= (0.5 * binned.background[1:]) ** 2).all()
    assert binned.background.sum() == pytest.approx(n)


# --- the bundle -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped() -> pd.DataFrame:
    folder = settings.data_folder() / events.FOLDER
    if not (folder / events.FILE).is_file():
        pytest.skip("the events of the search are not there")
    return azh.read(folder)


def test_the_shipped_events(shipped: pd.DataFrame) -> None:
    folder = settings.data_folder() / events.FOLDER
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (folder / events.FILE).stat().st_size <= 15_000_000
    assert sum(sample["rows"] for sample in manifest["samples"]) == len(shipped)
    signal = events.is_signal(shipped)
    assert set(shipped.loc[signal, "m_a_true"]) == set(map(float, events.MASSES))
    assert (shipped.loc[~signal, "weight"] < 0).mean() > 0.005
    assert reconstruction.passes({name: shipped[name].to_numpy() for name in events.MEASURED}).mean() > 0.99


def test_the_columns_in_the_docs_are_those_of_the_events() -> None:
    page = (settings.home() / "docs" / "parameterised.md").read_text("utf-8")
    listed = dict(re.findall(r"^\| `(\w+)` \| ([^|]+ \| [^|]+) \|$", page, re.M))
    for name, meaning in events.INPUTS.items():
        text, unit = re.fullmatch(r"(.*?)(?: \((√?GeV|rad)\))?", meaning).groups()
        assert listed[name] == f"{unit or '–'} | {text}"
