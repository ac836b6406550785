"""The search for A → Zh: templates of every mass, their variations, and the model that they make."""

import json
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
import vector

import azh
from azh import events, templates
from azh.fits import Likelihood
from azh.templates import Search
from labcourse.errors import BadInput
from tests.azh.made_up import MASSES, MODIFIERS, in_all_regions, near_the_mass


@cache
def search() -> Search:
    return Search(in_all_regions(), near_the_mass)


def test_sums_over_bins_are_sums_over_events() -> None:
    table = in_all_regions()
    made = search().templates(700)
    for region, histograms in made.regions.items():
        own = table[(table["region"] == region) & table["m_a_true"].isin([0, 700])]
        for process, histogram in histograms.items():
            weight = own.loc[own["process"] == process, "weight"].to_numpy(float)
            assert histogram.expected.sum() == pytest.approx(weight.sum())
            assert histogram.variance.sum() == pytest.approx((weight**2).sum())
            for down, up in histogram.variations.values():
                assert down.shape == up.shape == histogram.expected.shape
    assert len(made.edges) == len(made.regions["signal"]["signal"].expected) + 1


def test_rows_of_an_event_add_up_before_they_are_squared() -> None:
    repeated = pd.concat([in_all_regions()] * 3, ignore_index=True)
    once, thrice = search().templates(700), Search(repeated, near_the_mass).templates(700)
    for process, histogram in once.regions["sideband"].items():
        np.testing.assert_allclose(thrice.regions["sideband"][process].variance, 9 * histogram.variance)


def test_every_bin_holds_the_same_part_of_the_signal() -> None:
    found = Search(in_all_regions(2000), near_the_mass).templates(1200).regions["signal"]["signal"].expected
    parts = found / found.sum() * 10
    np.testing.assert_allclose(parts, np.maximum(np.round(parts), 1), atol=0.02)
    assert len(found) >= 5


def test_masses_with_shifted_jets_are_those_of_four_vectors() -> None:
    rng, n, factor = np.random.default_rng(1), 500, 1.02

    def particles(mass: float) -> Any:
        columns = {"pt": rng.uniform(50, 300, n), "phi": rng.uniform(-3, 3, n), "eta": rng.normal(0, 1, n)}
        return vector.array({**columns, "mass": np.full(n, mass)})

    z, b1, b2 = particles(91.2), particles(5), particles(8)

    def measured(b1: Any, b2: Any) -> dict[str, Any]:
        jets = b1 + b2
        return {"m_bb": jets.mass, "m_zh": (z + jets).mass, "pt_b1": b1.pt, "pt_b2": b2.pt, "pt_h": jets.pt}

    table = pd.DataFrame({**measured(b1, b2), "m_ll": z.mass, "pt_j3": events.MISSING, "region": "signal"})
    shifted = templates.shift_jets(table, factor)
    assert len(shifted) > 20
    for name, values in measured(b1.scale(factor), b2.scale(factor)).items():
        np.testing.assert_allclose(shifted[name], values[shifted.index], rtol=1e-9)
    assert (shifted["pt_j3"] == events.MISSING).all()


def test_events_with_shifted_jets_change_their_region() -> None:
    cases = [  # region, m_bb, pt_b1 → the region afterwards
        ("sideband", 99.5, 80, "signal"),
        ("signal", 144.5, 80, "sideband"),
        ("signal", 120, 80, "signal"),
        ("emu", 120, 80, "emu"),
        ("emu", 144.5, 80, None),
        ("sideband", 174.5, 80, None),
    ]
    before = pd.DataFrame(cases, columns=["region", "m_bb", "pt_b1", "after"])
    before = before.assign(m_ll=91.0, m_zh=400.0, pt_b2=50.0, pt_h=100.0, pt_j3=30.0)
    after = templates.shift_jets(before, 1.02)
    assert after["region"].tolist() == before["after"].dropna().tolist()
    assert set(after["pt_j3"]) == {30 * 1.02}
    assert templates.shift_jets(before.assign(m_bb=120.0, pt_b1=45.5), 0.98).empty, "the leading jet is too soft"


def test_signal_between_two_masses_leads_from_one_to_the_other() -> None:
    found = {mass: search()._signal(mass)[1][0, templates.INSIDE :] for mass in (700, 700.001, 950, 1199.999, 1200)}
    np.testing.assert_allclose(found[700.001], found[700], rtol=1e-4)
    np.testing.assert_allclose(found[1199.999], found[1200], rtol=1e-4)
    np.testing.assert_allclose(found[950], np.sqrt(found[700] * found[1200]))
    edges = [search()._signal(mass)[0] for mass in (700, 950, 1200)]
    np.testing.assert_allclose(edges[1], (edges[0] + edges[2]) / 2)


@pytest.mark.parametrize("mass", [200, 2500])
def test_a_mass_outside_the_simulated_range_is_one_error(mass: float) -> None:
    with pytest.raises(BadInput, match=f"{mass} GeV lies outside the simulated range of 300 to 2000 GeV"):
        search().templates(mass)


def test_yields_of_masses_left_out_are_interpolated_within_ten_per_cent() -> None:
    shipped = azh.read()
    few = shipped[events.is_signal(shipped) | (np.arange(len(shipped)) % 50 == 0)]
    whole = Search(few, near_the_mass)
    for left_out in (azh.MASSES[1:-1:2], azh.MASSES[2:-1:2]):
        without = Search(few[~few["m_a_true"].isin(left_out)], near_the_mass)
        for mass in left_out:
            found, true = (s.templates(mass).regions["signal"]["signal"].expected.sum() for s in (without, whole))
            assert found == pytest.approx(true, rel=0.1), mass


def test_the_model_is_json_and_each_process_has_its_modifiers() -> None:
    spec = json.loads(json.dumps(templates.specification(search().templates(MASSES[1]), MODIFIERS)))
    assert [channel["name"] for channel in spec["channels"]] == list(events.REGIONS)
    assert list(dict(Likelihood(spec).bins)) == list(templates.BINS), "counts of all bins are data of the model"
    kinds = {s["name"]: {m["name"] for m in s["modifiers"]} for s in spec["channels"][0]["samples"]}
    common = {"jet_energy", "b_tagging"}
    assert kinds["signal"] == {"mu", "lumi"} | common
    assert kinds["ttbar"] == {"norm_ttbar", "simulation_signal"} | common
    assert kinds["Zh"] == {"lumi", "theory_Zh", "simulation_signal"} | common
