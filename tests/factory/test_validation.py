"""Two-sample tests, repeated pairs, target figures, and the command `labcourse data validate`."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
from scipy import stats

from factory import mini
from factory.validation import pairs
from factory.validation.two_sample import Sample, chi_square, design_effect, kolmogorov_smirnov
from labcourse import ntuple, samples, selection, settings
from labcourse.files import sha256

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
        ((unweighted, 300), (spread, 3000)),
        ((negative, 400), (negative, 300)),
        ((reweighted, 2000), (negative, 300)),
    ],
)
def test_probabilities_are_uniform_where_both_samples_come_from_one_distribution(first: Any, second: Any) -> None:
    rng = np.random.default_rng(5)
    found = []
    for _ in range(200):
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


def sharing(events: Any) -> np.ndarray:
    """Places of the events that share a pair with another one."""
    group = pairs.groups(events)
    return np.flatnonzero(np.bincount(group)[group] > 1)


def test_events_that_share_two_leptons_are_found(make_events: Callable[..., Any]) -> None:
    events = make_events(200)
    assert len(np.unique(pairs.groups(events))) == 200
    for row in (17, 120):
        for lepton in (3, 4):
            for quantity in ("eta", "phi"):
                # The tracks around a lepton move its measured direction a little.
                events.loc[row, f"lep{lepton}_{quantity}"] = events.loc[5, f"lep{lepton}_{quantity}"] + 1e-4
    assert set(sharing(events)) == {5, 17, 120}
    assert len(np.unique(pairs.groups(events))) == 198
    events.loc[17, "lep3_charge"] *= -1
    assert set(sharing(events)) == {5, 120}


@pytest.mark.parametrize(("name", "n_shared"), [("Zee", 62), ("Zmumu", 87), ("ttbar_lep", 17), ("data", 0)])
def test_pairs_of_the_release(real_files: Path, monkeypatch: pytest.MonkeyPatch, name: str, n_shared: int) -> None:
    monkeypatch.setenv("LABCOURSE_DATA", str(real_files))
    events = selection.preselect(ntuple.read_sample(name))
    assert len(sharing(events)) == n_shared


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


@pytest.fixture(scope="module")
def simulate(mini_branches: Callable[..., dict[str, Any]]) -> Callable[..., None]:
    """Return a writer of a sample's files, all samples from one distribution; further branches change it."""

    def write(folder: Path, name: str, seed: int, change: Callable[[Any], Any] = lambda _: {}) -> None:
        n = 1000 if name == "Zee" else 300
        for file in samples.get(name).files:
            rng = np.random.default_rng(seed := seed + 1)
            branches = mini_branches(n, dsid=samples.get(name).dsid or 298773, seed=seed)
            n_jets = rng.poisson(1.0, n)
            del branches["jet_n"]
            branches |= {"jet_pt": ak.unflatten(rng.exponential(3e4, n_jets.sum()) + 2e4, n_jets)}
            branches |= {"met_et": rng.exponential(2e4, n)}
            mini.write(folder / file, branches | change(branches))

    return write


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, simulate: Callable[..., None]) -> Path:
    """Return a folder in which all samples are ``simulated``, and Zee and the data ``real`` as well."""

    def with_isolation(branches: Any) -> Any:
        return dict.fromkeys(("lep_ptcone30", "lep_etcone20"), branches["lep_pt"] * 0.1)

    folder = tmp_path_factory.mktemp("files")
    for seed, name in enumerate(samples.ALL):
        simulate(folder / "simulated", name, 100 + 10 * seed)
        if name in ("Zee", "data"):  # isolation is in the real ones only
            simulate(folder / "real", name, 500 + 10 * seed, change=with_isolation)
    return folder


@pytest.fixture
def case(files: Path, invoke: Callable[..., Any]) -> Callable[..., Any]:
    """Return a caller of `labcourse data validate` for these files."""
    folders = [f"--{kind}={files / kind}" for kind in ("real", "simulated")]
    return partial(invoke, "data", "validate", *folders)


def by_variable(result: Any) -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["sample"], row["variable"]): row for row in json.loads(result.out)}


def test_rows_of_the_table(case: Callable[..., Any]) -> None:
    result = case("--json")
    rows = by_variable(result)
    both = [variable for variable in pairs.VARIABLES if variable not in pairs.ISOLATION]
    assert list(rows) == [(name, variable) for name in ("Zee", "data") for variable in both]
    assert {tuple(row) for row in rows.values()} == {("sample", "variable", "chi2", "ndf", "p_chi2", "p_ks", "limit")}
    for name in ("Zee", "data"):
        own = [row for (sample, _), row in rows.items() if sample == name]
        tests = sum(row[p] is not None for row in own for p in ("p_chi2", "p_ks"))
        assert {row["limit"] for row in own} == {pairs.THRESHOLD / tests}
    assert (result.code, result.err[-7:]) == (0, "passed\n")


def test_a_wrong_simulation_fails(case: Callable[..., Any], simulate: Callable[..., None], tmp_path: Path) -> None:
    def harder(branches: Any) -> Any:
        return {name: branches[name] * 1.5 for name in ("lep_pt", "lep_E")}

    simulate(tmp_path, "Zee", 77, change=harder)
    result = case("--simulated", tmp_path, "--samples", "Zee", "--json")
    rows = by_variable(result)
    assert (result.code, "not passed: Zee lep1_pt" in result.err) == (1, True)
    assert rows["Zee", "lep1_pt"]["p_ks"] < 1e-6
    assert rows["Zee", "lep1_phi"]["p_ks"] > 1e-4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--samples", "Zmumu"], f"real/{samples.get('Zmumu').files[0]}"),
        (["--samples", "Zmum"], "no sample 'Zmum'"),
        (["--real", "EMPTY"], "EMPTY/data_A.4lep.root"),
        (["--real", "ABSENT"], "ABSENT/data_A.4lep.root"),
        (["--simulated", "EMPTY"], "EMPTY/mc_361106.Zee.4lep.root"),
        (["--simulated", "EMPTY", "--samples", "data"], "EMPTY/mc_345060.ggH125_ZZ4lep.4lep.root"),
    ],
)
def test_missing_files_are_said(case: Callable[..., Any], tmp_path: Path, arguments: list[str], message: str) -> None:
    (tmp_path / "EMPTY").mkdir()
    code, out, said = case(*(str(tmp_path / text) if text.isupper() else text for text in arguments))
    assert (code, out) == (1, "")
    assert message in said
    assert "next:" in said


def test_a_figure_per_sample_where_it_is_asked_for(
    case: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pairs, "VARIABLES", ("lep1_pt", "jet_n", "channel"))  # drawing all takes ten seconds
    case("--figures", tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"Zee.png", "data.png"}
    assert (tmp_path / "Zee.png").read_bytes().startswith(b"\x89PNG")


def test_the_results_in_docs_are_about_the_samples_in_data() -> None:
    digest = sha256(settings.data_folder() / samples.MANIFEST)[:16]
    assert digest in (settings.home() / "docs" / "validation.md").read_text("utf-8"), "see CONTRIBUTING.md"
