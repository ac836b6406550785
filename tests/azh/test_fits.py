"""The search for A → Zh: the likelihood, beside pyhf's own, and fits and limits that come of it."""

from typing import Any

import numpy as np
import pyhf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import poisson

from azh import limits
from azh.fits import Likelihood
from labcourse.errors import BadInput


def specification(scale: float = 1.0) -> dict[str, Any]:
    """Return a model of two channels with all types of modifiers; ``scale`` multiplies all that is expected."""

    def sample(name: str, data: list[float], *modifiers: tuple[str, str, Any]) -> dict[str, Any]:
        made = [{"name": n, "type": t, "data": d} for n, t, d in modifiers]
        return {"name": name, "data": list(scale * np.array(data)), "modifiers": made}

    def shape(lo: list[float], hi: list[float]) -> tuple[str, str, Any]:
        return "shape", "histosys", {"lo_data": list(scale * np.array(lo)), "hi_data": list(scale * np.array(hi))}

    def statistics(channel: str, errors: list[float]) -> tuple[str, str, Any]:
        return f"statistics_{channel}", "staterror", list(scale * np.array(errors))

    lumi, rate = ("lumi", "lumi", None), ("rate", "normsys", {"lo": 0.85, "hi": 1.2})
    inside = [
        sample("signal", [2, 5, 8], ("mu", "normfactor", None), lumi, shape([2.1, 5, 7], [1.9, 5.1, 8.5])),
        sample(
            "free",
            [90, 30, 6],
            ("norm", "normfactor", None),
            statistics("a", [3, 2, 1]),
            shape([85, 29, 6], [99, 33, 7]),
        ),
        sample("known", [10, 5, 2], lumi, rate, statistics("a", [1, 1, 0.5])),
    ]
    outside = [
        sample("free", [300], ("norm", "normfactor", None), statistics("b", [9]), rate),
        sample("known", [20], lumi, shape([19], [22])),
    ]
    channels = [{"name": "b", "samples": outside}, {"name": "a", "samples": inside}]
    luminosity = {"name": "lumi", "auxdata": [1.0], "sigmas": [0.02], "inits": [1.0], "bounds": [[0.5, 1.5]]}
    return {"channels": channels, "parameters": [luminosity]}


def counting(signal: float, background: float, error: float) -> Likelihood:
    """Return the likelihood of one bin, whose background is known to a relative error."""
    samples = [
        {"name": "s", "data": [signal], "modifiers": [{"name": "mu", "type": "normfactor", "data": None}]},
        {
            "name": "b",
            "data": [background],
            "modifiers": [{"name": "of_b", "type": "normsys", "data": {"lo": 1 - error, "hi": 1 + error}}],
        },
    ]
    return Likelihood({"channels": [{"name": "bin", "samples": samples}]})


MODEL = Likelihood(specification())


def some(n: int, *, seed: int = 0, spread: float = 2.5) -> Any:
    """Return random parameters, shape (n, n_parameters), also far from where they begin."""
    rng = np.random.default_rng(seed)
    moved = np.where(
        MODEL.start == 0, rng.normal(0, spread, (n, len(MODEL.start))), rng.uniform(0.4, 2, (n, len(MODEL.start)))
    )
    moved[:, MODEL.poi] = rng.uniform(0, 5, n)
    return moved


def test_expected_events_are_those_of_pyhf() -> None:
    parameters = some(200)
    ours = MODEL.expected(parameters)
    theirs = [MODEL.model.expected_data(list(row), include_auxdata=False) for row in parameters]
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    np.testing.assert_allclose(MODEL.expected(parameters[0]), ours[0], rtol=1e-12)
    assert MODEL.bins == (("a", 0), ("a", 1), ("a", 2), ("b", 0))


DATA = {"an excess": [110, 55, 31, 310], "too few": [95, 28, 3, 340]}


@pytest.mark.parametrize("counts", DATA.values(), ids=DATA)
def test_fits_and_limits_are_those_of_pyhf(counts: list[int]) -> None:
    model, data = MODEL.model, [*counts, *MODEL.model.config.auxdata]
    free = MODEL.fit(counts)
    theirs, least = pyhf.infer.mle.fit(data, model, return_fitted_val=True)
    assert float(pyhf.infer.mle.twice_nll(free.parameters[0], data, model)[0]) <= least + 1e-5, (
        "no minimum of theirs is below ours"
    )
    np.testing.assert_allclose(free.parameters[0], theirs, atol=0.02)
    q0 = pyhf.infer.test_statistics.q0(
        0.0, data, model, MODEL.start.tolist(), model.config.suggested_bounds(), model.config.suggested_fixed()
    )
    assert limits.discovery(MODEL, counts)[0] ** 2 == pytest.approx(float(q0), abs=2e-3)
    found, _ = pyhf.infer.hypotest(limits.upper_limit(MODEL, counts), data, model, return_expected=True)
    assert float(found) == pytest.approx(limits.LEVEL, abs=5e-4)
    ours, nothing_seen = limits.expected_band(MODEL), [*MODEL.expected(MODEL.none), *MODEL.model.config.auxdata]
    for place in (0, 2, 3):
        _, band = pyhf.infer.hypotest(ours[place], nothing_seen, model, return_expected_set=True)
        assert float(band[place]) == pytest.approx(limits.LEVEL, abs=5e-4)


@settings(max_examples=15)
@given(st.floats(0, 1000), st.lists(st.booleans(), min_size=4, max_size=4), st.integers(0, 2**20))
def test_every_fit_converges_to_a_minimum(mu: float, is_empty: list[bool], seed: int) -> None:
    """Also where nothing was counted, and where there is a thousand times the signal."""
    rng = np.random.default_rng(seed)
    truth = np.where(np.arange(len(MODEL.names)) == MODEL.poi, mu, MODEL.start)
    counts = np.where(np.array(is_empty) & (mu < 10), 0, rng.poisson(MODEL.expected(truth)))
    found = MODEL.fit(counts)
    assert np.isfinite(found.parameters).all()
    assert np.isfinite(found.errors).all()
    nearby = found.parameters + 1e-2 * found.errors * rng.normal(size=(50, len(MODEL.names)))
    nearby = np.maximum(nearby, np.where(np.arange(len(MODEL.names)) == MODEL.poi, 0, MODEL.low))
    data = np.broadcast_to(counts, (50, 4))
    others, *_ = MODEL._deviance(nearby, data, np.where(MODEL.is_constrained, MODEL.centre, 0.0))
    assert (others > found.deviance - 1e-5 - 1e-9 * abs(found.deviance)).all()


def test_what_is_held_stays_and_an_estimate_without_bound_may_be_negative() -> None:
    held = MODEL.fit([DATA["too few"]] * 2, hold={"mu": 0.7, "rate": -1.0})
    assert set(held.parameters[:, MODEL.names.index("rate")]) == {-1.0}
    assert set(held.errors[:, MODEL.poi]) == {0.0}
    assert MODEL.fit(DATA["too few"], least=-np.inf).parameters[0, MODEL.poi] < 0
    assert MODEL.fit(DATA["too few"]).parameters[0, MODEL.poi] == 0


def test_a_model_that_cannot_be_fitted_is_one_error() -> None:
    unknown, two_sizes = (specification() for _ in range(2))
    modifier = {"name": "x", "type": "shapesys", "data": [1.0, 1.0, 1.0]}
    unknown["channels"][1]["samples"][1]["modifiers"].append(modifier)
    modifier = {"name": "rate", "type": "normsys", "data": {"lo": 0.5, "hi": 1.5}}
    two_sizes["channels"][1]["samples"][1]["modifiers"].append(modifier)
    for spec, message in (
        (unknown, "x is a shapesys that is not fitted"),
        (two_sizes, "rate is a normsys that is not"),
    ):
        with pytest.raises(BadInput, match=message):
            Likelihood(spec)


def test_data_that_do_not_belong_to_the_model_are_one_error() -> None:
    np.testing.assert_array_equal(MODEL.data({"b": [4], "a": [1, 2, 3], "c": [9]}), [1, 2, 3, 4])
    for data in ([1, 2, 3], [1, 2, 3, -4], [1, 2, 3, np.nan], MODEL.data({"a": [1, 2], "b": [4]})):
        with pytest.raises(BadInput, match="a count that cannot be"):
            MODEL.fit(data)


def test_toys_agree_with_the_asymptotic_formula_where_there_are_many_events() -> None:
    model = counting(30, 400, 0.02)
    band, observed = limits.by_toys(model, [410.0], toys=3000)
    np.testing.assert_allclose(band, limits.expected_band(model), rtol=0.06)
    assert observed == pytest.approx(limits.upper_limit(model, [410.0]), rel=0.06)
    assert limits.find(model)[0] == limits.expected_band(model)


@pytest.mark.parametrize(("background", "observed"), [(0.5, 0), (2.0, 1), (2.0, 4), (4.0, 7), (4.0, 9), (4.0, 20)])
def test_limits_by_toys_are_those_of_poisson_in_one_bin(background: float, observed: int) -> None:
    model = counting(1, background, 1e-6)
    _, found = limits.by_toys(model, [float(observed)], toys=4000, seed=1)
    s = np.linspace(0, 50, 50001)
    exact = s[np.argmax(poisson.cdf(observed, background + s) / poisson.cdf(observed, background) < limits.LEVEL)]
    assert found == pytest.approx(exact, rel=0.04)


def test_toys_never_exclude_what_expects_less_than_three_events() -> None:
    model = counting(1, 0.02, 0.1)
    assert limits.expected_band(model).median < -np.log(limits.LEVEL), "so the formula does"
    band, none = limits.find(model)
    assert min(band) > 0.99 * -np.log(limits.LEVEL)
    assert np.isnan(none)


def test_cls_of_one_bin_is_that_of_poisson() -> None:
    model, mu, observed = counting(1, 400, 1e-6), 40.0, np.arange(340, 430)
    q = limits.tilde(model, observed[:, None], model.fit(observed[:, None]), mu)
    q_asimov = model.fit([400.0], hold={"mu": mu}).deviance
    # Of what is observed exactly one half: the formula knows no steps.
    half = [poisson.cdf(observed, b) - poisson.pmf(observed, b) / 2 for b in (440, 400)]
    np.testing.assert_allclose(limits.cls(q, q_asimov), half[0] / half[1], atol=0.01)
    assert limits.cls(1e-8, 0.0) == pytest.approx(1), "no signal is never excluded"
