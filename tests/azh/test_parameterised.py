"""The search for A → Zh: event table, significance and limits."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyhf
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import azh
from azh import events, limits, sensitivity
from factory.azh import production, reconstruction
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
        process=pd.Categorical(
            np.where(signal, "signal", np.where(rng.random(len(m_a)) < 0.7, "Zjets", "ttbar")), events.PROCESSES
        ),
        region=pd.Categorical(np.full(len(m_a), "signal"), events.REGIONS),
        m_a_true=m_a.astype(np.float32),
        run=np.where(signal, 360_000 + m_a, 410_472).astype(np.int32),
        event=np.arange(len(m_a)),
        weight=np.where(signal, 0.1, np.where(rng.random(len(m_a)) < 0.1, -0.5, 0.5)).astype(np.float32),
    )


def test_split_is_60_20_20_and_keeps_rows_of_an_event_together() -> None:
    table = pd.concat([make_events()] * 2, ignore_index=True)
    parts = azh.split(table)
    assert [round(len(part) / len(table), 1) for part in parts] == [0.6, 0.2, 0.2]
    identities = [set(sensitivity.identity(part)) for part in parts]
    assert sum(map(len, identities)) == len(set().union(*identities))


def test_trained_and_tested_are_events_of_the_signal_region_only() -> None:
    table = make_events()
    table.loc[::3, "region"] = "sideband"
    table.loc[1::3, "region"] = "emu"
    parts = azh.split(table)
    assert {region for part in parts for region in part["region"]} == {"signal"}
    assert sum(map(len, parts)) == (table["region"] == "signal").sum()


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


def write(table: pd.DataFrame, folder: Path) -> Path:
    return production.write(table, folder, generated={"ttbar": (1000, 0)}, seed=1, scale=0.1)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    table = make_events()
    write(table, tmp_path)
    pd.testing.assert_frame_equal(azh.read(tmp_path), table[list(table)], check_categorical=False)


@pytest.mark.parametrize("with_manifest", [True, False])
def test_a_damaged_file_is_one_error(tmp_path: Path, *, with_manifest: bool) -> None:
    manifest = write(make_events(), tmp_path)
    if not with_manifest:
        manifest.unlink()
    path = tmp_path / events.FILE
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(BadFile, match=r"damaged|not the one"):
        azh.read(tmp_path)


def test_a_damaged_manifest_and_a_missing_file_are_one_error(tmp_path: Path) -> None:
    write(make_events(), tmp_path).write_text("{")
    with pytest.raises(BadFile):
        azh.read(tmp_path)
    with pytest.raises(MissingSample):
        azh.read(tmp_path / "nowhere")


def scored(label: Any, weight: Any = 1.0, event: Any = None) -> pd.DataFrame:
    """Return a table of events for scores: which are signal, their weights, and who they are."""
    process = pd.Categorical(np.where(np.equal(label, 1), "signal", "Zjets"))
    event = np.arange(len(process)) if event is None else event
    return pd.DataFrame({"process": process, "weight": weight, "run": 1, "event": event})


def test_significance_of_one_bin_is_the_formula() -> None:
    """s = b = 1 after the normalisation: √(2 (2 ln 2 − 1))."""
    flat = np.full(100, 0.5)
    label = np.repeat([1.0, 0.0], 50)
    value = sensitivity.binned_significance(flat, scored(label))
    assert value.value == pytest.approx(np.sqrt(2 * (2 * np.log(2) - 1)))
    assert value.error == pytest.approx(0, abs=1e-12)


@given(st.integers(0, 2**31), st.floats(0.01, 100), st.floats(0.01, 100))
def test_significance_does_not_depend_on_the_yields(seed: int, factor_s: float, factor_b: float) -> None:
    rng = np.random.default_rng(seed)
    score, label = rng.random(300), np.repeat([1.0, 0.0], 150)
    plain = sensitivity.asimov(sensitivity.histogram(score, scored(label)))
    scaled = sensitivity.asimov(sensitivity.histogram(score, scored(label, np.where(label == 1, factor_s, factor_b))))
    assert scaled == pytest.approx(plain)


@given(st.integers(0, 2**31))
def test_no_bin_is_left_without_background_and_nothing_is_lost(seed: int) -> None:
    rng = np.random.default_rng(seed)
    score, label = rng.random(60), np.repeat([1.0, 0.0], 30)
    weight = rng.choice([1.0, -0.6], 60, p=[0.8, 0.2])
    assume(min(weight[:30].sum(), weight[30:].sum()) > 0)
    binned = sensitivity.histogram(score, scored(label, weight))
    assert (binned.background > 0).all()
    assert (binned.signal >= 0).all() or len(binned.signal) == 1
    assert binned.signal.sum() == pytest.approx(weight[:30].sum())
    assert binned.background.sum() == pytest.approx(weight[30:].sum())
    assert len(binned.edges) == len(binned.signal) + 1


def test_rows_of_an_event_fluctuate_together() -> None:
    rng = np.random.default_rng(3)
    score, label = rng.random(2000), np.repeat([1.0, 0.0], 1000)
    once, repeated = scored(label), scored(np.tile(label, 4), event=np.tile(np.arange(2000), 4))
    alone = sensitivity.binned_significance(score, once)
    together = sensitivity.binned_significance(np.tile(score, 4), repeated)
    assert together.value == pytest.approx(alone.value)
    assert together.error == pytest.approx(alone.error, rel=0.2)
    variance = sensitivity.histogram(np.tile(score, 4), repeated).background_variance.sum()
    assert variance == pytest.approx(16 * sensitivity.histogram(score, once).background_variance.sum())


@pytest.mark.parametrize(
    ("label", "weight", "error"),
    [
        (np.zeros(4), np.ones(4), EmptySelection),
        (np.ones(4), np.ones(4), EmptySelection),
        (np.array([1, 1, 0, 0]), np.array([1, 1, -1, -1]), EmptySelection),
        (np.array([1, 1, 0, 0]), np.array([1, 1, np.nan, 1]), BadInput),
        (np.array([1, 1, 0]), np.ones(3), BadInput),
    ],
)
def test_scores_that_cannot_be_weighed_are_one_error(label: Any, weight: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        sensitivity.binned_significance(np.full(4, 0.5), scored(label, weight))


def three_bins() -> sensitivity.Binned:
    columns = [0, 0.5, 0.8, 1], [1.0, 10, 30], [1000.0, 50, 4], [10.0, 5, 1]
    return sensitivity.Binned(*map(np.array, columns))


def pyhf_model(binned: sensitivity.Binned, uncertainty: float) -> Any:
    """Return the likelihood of a limit as pyhf's language says it."""
    normalisation = {"hi": 1 + uncertainty, "lo": 1 - uncertainty}
    background = [
        {"name": "background", "type": "normsys", "data": normalisation},
        {"name": "simulation", "type": "staterror", "data": list(np.sqrt(binned.background_variance))},
    ]
    signal = {"name": "signal", "data": list(binned.signal)}
    signal["modifiers"] = [{"name": "mu", "type": "normfactor", "data": None}]
    processes = [signal, {"name": "background", "data": list(binned.background), "modifiers": background}]
    spec = {"channels": [{"name": "score", "samples": processes}], "parameters": []}
    return pyhf.Model(spec, validate=False, poi_name="mu")


def test_limits_are_those_of_pyhf() -> None:
    binned = three_bins()
    limit = limits.expected_limit(binned)
    model = pyhf_model(binned, 0.2)
    data = [*binned.background, *model.config.auxdata]
    for place, value in ((2, limit.median), (3, limit.plus_1)):  # CLs of the expected band at the limit that was found
        _, band = pyhf.infer.hypotest(value / events.SIGNAL_CROSS_SECTION, data, model, return_expected_set=True)
        assert float(band[place]) == pytest.approx(0.05, abs=5e-4)


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


def test_limits_grow_with_the_uncertainty() -> None:
    small, large = (limits.expected_limit(three_bins(), background_uncertainty=u) for u in (0.05, 0.5))
    assert large.median > small.median
    with pytest.raises(BadInput, match="background_uncertainty"):
        limits.expected_limit(three_bins(), background_uncertainty=0)


def test_bins_of_a_limit_know_their_background() -> None:
    rng = np.random.default_rng(4)
    n = 5000
    score = np.r_[rng.beta(6, 1.2, n), rng.beta(1, 6, n)]
    label = np.repeat([1.0, 0.0], n)
    binned = limits.for_limit(score, scored(label))
    assert 2 <= len(binned.signal) <= 12
    assert (binned.background_variance[1:] <= (0.5 * binned.background[1:]) ** 2).all()
    assert binned.background.sum() == pytest.approx(n)


def test_the_shipped_events() -> None:
    folder = settings.data_folder() / events.FOLDER
    if not (folder / events.FILE).is_file():
        pytest.skip("the events of the search are not there")
    shipped = azh.read(folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (folder / events.FILE).stat().st_size <= 15_000_000
    assert sum(sample["rows"] for sample in manifest["samples"]) == len(shipped)
    signal = events.is_signal(shipped)
    assert set(shipped.loc[signal, "m_a_true"]) == set(map(float, events.MASSES))
    assert (shipped.loc[~signal, "weight"] < 0).mean() > 0.005
    assert set(shipped["process"]) == set(events.PROCESSES)
    assert reconstruction.passes({name: shipped[name].to_numpy() for name in events.MEASURED}).mean() > 0.99
    codes = reconstruction.regions(shipped["m_bb"].to_numpy(), (shipped["region"] != "emu").to_numpy())
    assert (codes == shipped["region"].cat.codes).mean() > 0.99
    background = shipped[~signal]
    by_event = background.groupby(["run", "event"])["weight"].sum().abs()
    assert by_event.max() < 25, "no event of the simulation makes a spike"
    assert (background.groupby("region", observed=True)["weight"].sum() > 5000).all()


def test_the_columns_in_the_docs_are_those_of_the_events() -> None:
    page = (settings.home() / "docs" / "parameterised.md").read_text("utf-8")
    listed = dict(re.findall(r"^\| `(\w+)` \| ([^|]+ \| [^|]+) \|$", page, re.M))
    for name, meaning in events.INPUTS.items():
        text, unit = re.fullmatch(r"(.*?)(?: \((√?GeV|rad)\))?", meaning).groups()
        assert listed[name] == f"{unit or '–'} | {text}"
