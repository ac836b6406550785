"""Two-sample tests, repeated pairs, target figures, and the command `labcourse data validate`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import awkward as ak
import numpy as np
import pytest
from scipy import stats

from factory import mini, validation
from factory.matrix_element import Z_MASS
from factory.validation import columns, pairs
from factory.validation.two_sample import Sample, chi_square, design_effect, kolmogorov_smirnov
from labcourse import ntuple, samples, selection, settings
from workshop import cli

Generator = np.random.Generator
Weighted = tuple[np.ndarray, np.ndarray]
TESTS: tuple[Callable[[Sample, Sample], float], ...] = (lambda *both: chi_square(*both).p_value, kolmogorov_smirnov)


def plain(values: Any, effect: float = 1.0) -> Sample:
    """A sample whose events count one each."""
    return Sample(values, np.ones(len(values)), effect)


def unweighted(rng: Generator, n: int) -> Weighted:
    return rng.exponential(1.0, n), np.ones(n)


def spread(rng: Generator, n: int) -> Weighted:
    return rng.exponential(1.0, n), rng.gamma(2.0, 1.0, n)


def negative(rng: Generator, n: int) -> Weighted:
    return rng.exponential(1.0, n), rng.gamma(4.0, 1.0, n) * rng.choice([1, -1], n, p=[0.9, 0.1])


def reweighted(rng: Generator, n: int) -> Weighted:
    """The same distribution, drawn from a wider one: the weight falls with the value."""
    values = rng.exponential(1.5, n)
    return values, 1.5 * np.exp(-values / 3)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((unweighted, 300), (unweighted, 250)),
        ((unweighted, 300), (spread, 3000)),
        ((negative, 400), (negative, 300)),
        ((reweighted, 400), (unweighted, 400)),
        ((reweighted, 2000), (negative, 300)),
    ],
)
def test_probabilities_are_uniform_where_both_samples_come_from_one_distribution(first: Any, second: Any) -> None:
    rng = np.random.default_rng(5)
    found = []
    for _ in range(300):
        both = Sample(*first[0](rng, first[1])), Sample(*second[0](rng, second[1]))
        found.append([test(*both) for test in TESTS])
    for p in np.transpose(found):
        assert stats.kstest(p, "uniform").pvalue > 0.001
        assert stats.binomtest(int(np.sum(p < 0.05)), len(p), 0.05).pvalue > 0.001


@pytest.mark.parametrize("draw", [unweighted, spread, negative, reweighted])
def test_a_shift_is_found_and_order_and_scale_do_not_matter(draw: Callable[[Generator, int], Weighted]) -> None:
    rng = np.random.default_rng(6)
    (a, weight_a), (b, weight_b) = draw(rng, 500), draw(rng, 400)
    mixed = rng.permutation(len(a))
    for test in TESTS:
        for shift in (0.5, 100.0):
            assert test(Sample(a, weight_a), Sample(b + shift, weight_b)) < 1e-4
        result = pytest.approx(test(Sample(a, weight_a), Sample(b, weight_b)))
        assert test(Sample(b, weight_b), Sample(a, weight_a)) == result
        for scale in (1e-6, 1e6):
            assert test(Sample(a[mixed], scale * weight_a[mixed]), Sample(b, weight_b)) == result


def test_unweighted_tests_are_those_of_scipy() -> None:
    rng = np.random.default_rng(7)
    a, b = rng.normal(size=200), rng.normal(0.2, 1.0, 150)
    assert kolmogorov_smirnov(plain(a), plain(b)) == pytest.approx(stats.ks_2samp(a, b, method="asymp").pvalue)
    # Values that repeat make bins of their own: the homogeneity of a contingency table.
    a, b = rng.integers(0, 4, 500), rng.integers(0, 4, 700)
    expected = stats.chi2_contingency([np.bincount(a), np.bincount(b)], correction=False)
    assert chi_square(plain(a), plain(b)) == pytest.approx((expected.statistic, expected.dof, expected.pvalue))


def test_a_distribution_that_is_one_number_has_no_degrees_of_freedom() -> None:
    zeros, more, ones = plain(np.zeros(100)), plain(np.zeros(80)), plain(np.ones(80))
    assert chi_square(zeros, more)[:2] == (0.0, 0)
    assert np.isnan(chi_square(zeros, more).p_value)
    assert kolmogorov_smirnov(zeros, more) == 1.0
    assert max(test(zeros, ones) for test in TESTS) < 1e-20


# What is added to the events.


def test_z_pairs_need_flavour_and_charge(make_events: Callable[..., Any]) -> None:
    events = make_events(1, lep1_charge=[1.0], lep2_charge=[-1.0], lep3_charge=[1.0], lep4_charge=[-1.0])
    # ee µµ: only (12)(34) is possible
    assert set(columns.z_pair_masses(events)[:, 0]) == {events["m_ll_12"][0], events["m_ll_34"][0]}
    assert np.isnan(columns.z_pair_masses(events.assign(lep2_charge=1.0, lep3_charge=-1.0))).all()


def sharing(events: Any) -> np.ndarray:
    """Places of the events that share a pair with another one."""
    group = columns.groups(events)
    return np.flatnonzero(np.bincount(group)[group] > 1)


def test_events_that_share_two_leptons_are_found(make_events: Callable[..., Any]) -> None:
    events = make_events(200)
    assert len(np.unique(columns.groups(events))) == 200
    for row in (17, 120):
        for lepton in (3, 4):
            for quantity in ("eta", "phi"):
                # The tracks around a lepton move its measured direction a little.
                events.loc[row, f"lep{lepton}_{quantity}"] = events.loc[5, f"lep{lepton}_{quantity}"] + 1e-4
    assert set(sharing(events)) == {5, 17, 120}
    assert len(np.unique(columns.groups(events))) == 198
    events.loc[17, "lep3_charge"] *= -1
    assert set(sharing(events)) == {5, 120}


@pytest.mark.parametrize(("name", "n_shared"), [("Zee", 62), ("Zmumu", 87), ("ttbar_lep", 17), ("data", 0)])
def test_pairs_of_the_release(real_files: Path, monkeypatch: pytest.MonkeyPatch, name: str, n_shared: int) -> None:
    monkeypatch.setenv("LABCOURSE_DATA", str(real_files))
    events = selection.preselect(ntuple.read_sample(name))
    assert len(sharing(events)) == n_shared
    if name == "Zee":
        assert np.nanmedian(columns.z_pair_masses(events)[0]) == pytest.approx(Z_MASS, abs=2)


@pytest.mark.parametrize("alike", [True, False])
def test_probabilities_are_right_where_one_sample_repeats_itself(alike: bool) -> None:
    """As in the release: groups of events, which have one value in common or nothing."""
    rng = np.random.default_rng(9)
    found = []
    for _ in range(300):
        # As many as 10 and 2 events in a group, not few huge ones: of those no test knows the spread.
        group = np.repeat(np.arange(130), np.repeat([10, 2, 1], [10, 20, 100]))
        b = rng.exponential(1.0, len(group))[group if alike else slice(None)]
        effect = design_effect(b, np.ones(len(b)), group)
        assert effect > (2 if alike else 0)
        found.append([test(plain(rng.exponential(1.0, 1000)), plain(b, effect)) for test in TESTS])
    for p in np.transpose(found):
        # Conservative rather than not.
        assert np.mean(p < 0.05) < 0.09
        assert 0.35 < np.mean(p) < 0.65


# The command.


class Case(NamedTuple):
    """Folders of «real» and simulated files, and a caller of `labcourse data validate …` for them in this process."""

    real: Path
    simulated: Path
    call: Callable[..., tuple[int, str, str]]

    def rows(self, *arguments: object) -> tuple[int, str, dict[tuple[str, str], dict[str, Any]]]:
        """Exit status, message, and the rows by sample and variable."""
        code, out, err = self.call(*arguments, "--json")
        return code, err, {(row["sample"], row["variable"]): row for row in json.loads(out)}


@pytest.fixture
def simulate(mini_branches: Callable[..., dict[str, Any]]) -> Callable[..., None]:
    """Return a writer of a sample's files, all samples from one distribution; further branches change it."""

    def write(folder: Path, name: str, seed: int, n: int = 1000, change: Callable[[Any], Any] = lambda _: {}) -> None:
        for file in samples.get(name).files:
            rng = np.random.default_rng(seed := seed + 1)
            branches = mini_branches(n, dsid=samples.get(name).dsid or 298773, seed=seed)
            n_jets = rng.poisson(1.0, n)
            del branches["jet_n"]
            branches |= {"jet_pt": ak.unflatten(rng.exponential(3e4, n_jets.sum()) + 2e4, n_jets)}
            branches |= {"met_et": rng.exponential(2e4, n)}
            mini.write(folder / file, branches | change(branches))

    return write


def with_isolation(branches: Any) -> Any:
    return dict.fromkeys(("lep_ptcone30", "lep_etcone20"), branches["lep_pt"] * 0.1)


@pytest.fixture
def case(
    tmp_path: Path,
    simulate: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Case:
    """All samples, of which Zee and the data are «real» as well; isolation is in the real ones only."""
    real, simulated = tmp_path / "real", tmp_path / "simulated"
    for seed, name in enumerate(samples.ALL):
        simulate(simulated, name, 100 + 10 * seed)
        if name in ("Zee", "data"):
            simulate(real, name, 500 + 10 * seed, change=with_isolation)

    def call(*arguments: object) -> tuple[int, str, str]:
        folders = () if "--simulated" in arguments else ("--simulated", simulated)
        folders += () if "--real" in arguments or os.environ.get("LABCOURSE_DATA") == str(real) else ("--real", real)
        monkeypatch.setattr(sys, "argv", ["labcourse", "data", "validate", *map(str, (*folders, *arguments))])
        capsys.readouterr()
        try:
            cli.main()
            code = 0
        except SystemExit as ended:
            code = int(ended.code or 0)
        return code, *capsys.readouterr()

    return Case(real, simulated, call)


KEYS = ["sample", "variable", "chi2", "ndf", "p_chi2", "p_ks"]


def test_rows_of_the_table(case: Case) -> None:
    code, said, rows = case.rows()
    assert all(list(row) == KEYS for row in rows.values())
    assert list(rows) == [(name, variable) for name in ("Zee", "data", "control") for variable in pairs.VARIABLES]
    for name in pairs.VARIABLES:
        row = rows["data", name]
        if name in columns.ISOLATION:
            assert all(row[key] is None for key in KEYS[2:]), "not simulated"
        else:
            assert row["chi2"] >= 0
            assert row["ndf"] >= 1
            assert 0 <= row["p_chi2"] <= 1
            assert (row["p_ks"] is None) == (name == "channel")
    # Crafted events have a uniform mass, and no peak at 125 GeV.
    assert code == 1
    assert "not passed: " in said
    assert "ggH125_ZZ4lep peak 50%" in said


def test_the_limit_of_a_test_falls_with_the_number_of_tests_of_its_sample() -> None:
    rows = [
        pairs.Row("Zee", "met", 1.0, 1, 0.006, 0.5),
        pairs.Row("Zee", "jet_n", 1.0, 1, 0.5, 0.002),
        pairs.Row("Zee", "channel", 0.0, 0),  # too few events: no test
        pairs.Row("data", "met", 1.0, 1, 0.006, None),
        pairs.Row("data", "m_llll", 1.0, 1, 0.004, None),
        pairs.Row("control", "met", 1.0, 1, 1e-9, None),
    ]
    assert [pairs.limit(rows, name) for name in ("Zee", "data", "absent")] == [0.0025, 0.005, 0.01]
    assert [row[:2] for row in pairs.failing(rows)] == [("Zee", "jet_n"), ("data", "m_llll")]


def test_the_control_has_real_samples_in_place_of_simulated_ones(case: Case, simulate: Callable[..., None]) -> None:
    """A wrong simulated sample is seen in the data and not in the control; a wrong llll in both, and it fails."""
    _, _, right = case.rows()
    for name in ("Zee", "llll"):
        simulate(case.simulated, name, 5, change=lambda _: {"met_et": np.full(1000, 1e6)})
        code, said, wrong = case.rows()
        assert wrong["data", "met"]["p_chi2"] < 1e-9 < right["data", "met"]["p_chi2"]
        assert (wrong["control", "met"] == right["control", "met"]) == (name == "Zee")
        assert code == 1
        failed = said.split("not passed: ")[1]
        assert "data met" in failed
        assert "control" not in failed


def test_a_wrong_simulation_fails(case: Case, simulate: Callable[..., None]) -> None:
    def harder(branches: Any) -> Any:
        return {name: branches[name] * 1.5 for name in ("lep_pt", "lep_E")}

    simulate(case.simulated, "Zee", 77, change=harder)
    code, _, rows = case.rows("--samples", "Zee")
    assert code == 1
    assert rows["Zee", "lep1_pt"]["p_ks"] < 1e-6
    assert rows["Zee", "lep1_phi"]["p_ks"] > 1e-4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--samples", "Zmumu"], "no real ATLAS files to compare with of Zmumu"),
        (["--samples", "Zmum"], "no sample 'Zmum'"),
        (["--real", "EMPTY"], "no real ATLAS files to compare with."),
        (["--real", "ABSENT"], "ABSENT is not a folder"),
        (["--simulated", "EMPTY"], "no simulated file of"),
    ],
)
def test_missing_files_are_said(case: Case, tmp_path: Path, arguments: list[str], message: str) -> None:
    (tmp_path / "EMPTY").mkdir()
    code, out, said = case.call(*(str(tmp_path / text) if text.isupper() else text for text in arguments))
    assert (code, out) == (1, "")
    assert message in said
    assert "next:" in said


def test_official_files_of_the_search_path_are_found(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABCOURSE_DATA", str(case.real))
    monkeypatch.setattr(samples, "source", lambda *_: "official")
    code, said, rows = case.rows("--samples", "Zee")
    assert code == 0, said
    assert {sample for sample, _ in rows} == {"Zee"}


def test_a_variable_that_one_sample_lacks_is_not_simulated(case: Case, simulate: Callable[..., None]) -> None:
    for name in samples.SIMULATED[:-1]:
        simulate(case.simulated, name, samples.get(name).dsid, n=200, change=with_isolation)
    _, _, rows = case.rows()
    assert rows["Zee", "lep1_ptcone30/pt"]["chi2"] is not None
    assert rows["data", "lep1_ptcone30/pt"]["chi2"] is None


# The page.


def test_the_page_shows_everything(case: Case, tmp_path: Path) -> None:
    written = tmp_path / "docs" / "validation.md"
    code, _, said = case.call("--samples", "Zee", "--page", written)
    assert code == 0, said
    text = written.read_text("utf-8")
    assert "## Zee" in text
    assert "| lep4_ptcone30/pt | – | not simulated | – | – |" in text
    assert "The smallest of 45 probabilities is " in text
    image = written.parent / "images" / "validation" / "Zee.png"
    assert f"]({image.relative_to(written.parent).as_posix()})" in text
    assert image.read_bytes().startswith(b"\x89PNG")
    assert image.stat().st_size < 130_000
    assert max(map(len, text.split("## Summary")[0].splitlines())) <= 125


def test_a_page_of_the_peak_alone(case: Case, tmp_path: Path) -> None:
    """Without a real file of a signal sample there is nothing to test, yet the release's mass peak is known."""
    code, _, said = case.call("--samples", "ggH125_ZZ4lep", "--page", tmp_path / "page.md")
    assert code == 1, "crafted events have no peak"
    assert "ggH125_ZZ4lep peak 50%" in said
    text = (tmp_path / "page.md").read_text("utf-8")
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert headings == ["# Simulated and real events", "## The Higgs peak"]
    assert "| ggH125_ZZ4lep | 50% |" in text
    assert "sha256" in text
    assert "by chance alone" not in text
    assert not (tmp_path / "images").exists()


def test_the_page_in_docs_is_about_the_samples_in_data() -> None:
    text = (settings.home() / "docs" / "validation.md").read_text("utf-8")
    advice = "make it anew: labcourse data validate --real DIR --page docs/validation.md"
    assert validation.page.digest(settings.data_folder()) in text, advice
