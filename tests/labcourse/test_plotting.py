"""Every figure is drawn from events, has axis titles, and refuses bad input; the numbers behind are right."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from labcourse import plotting, samples, selection, significance
from labcourse.errors import BadInput, EmptySelection, LabCourseError
from labcourse.plotting import style


@pytest.fixture
def events(make_events):
    """Four processes, a fifth of the Z events with negative weights, masses as they should be."""
    rng = np.random.default_rng(4)
    tables = []
    for i, (name, mean, weight) in enumerate(
        [("ggH125_ZZ4lep", 125, 0.01), ("llll", 200, 0.1), ("Zee", 110, 0.2), ("ttbar_lep", 150, 0.1)]
    ):
        table = make_events(200, sample=name, seed=i)
        table["m_llll"] = rng.normal(mean, 10, 200).astype(np.float32)
        table["weight"] = np.float32(weight)
        tables.append(table)
    tables[2].loc[::5, "weight"] *= -1
    return pd.concat(tables, ignore_index=True)


@pytest.fixture
def score(events):
    signal = events["sample"] == "ggH125_ZZ4lep"
    return (1 / (1 + np.exp(-np.random.default_rng(8).normal(np.where(signal, 1, -1))))).astype(np.float32)


@pytest.fixture
def data(make_events):
    return make_events(50, sample="data", seed=9)


@pytest.fixture
def scan(events, score):
    label = (events["sample"] == "ggH125_ZZ4lep").to_numpy(int)
    return significance.scan(score, label, events["weight"], n_cuts=50)


HISTORY = {"loss": [0.6, 0.5, 0.45, 0.44], "val_loss": [0.61, 0.52, 0.5, 0.51]}


class FakeHistory:
    history = HISTORY


def check(result):
    """Each column of axes has a title below, single axes also one on the left; the layout gives no warning."""
    fig, axes = result
    drawn = [ax for ax in fig.axes if ax.axison]
    bottom = [ax for ax in drawn if ax.get_subplotspec().is_last_row()]
    assert all(ax.get_xlabel() or ax.get_xticklabels()[0].get_text() for ax in bottom)
    if len(drawn) == 1:
        assert drawn[0].get_ylabel() or drawn[0].get_yticklabels()[0].get_text()
    fig.draw_without_rendering()
    return fig, axes


def test_variables(events, score, data):
    check(plotting.variable(events, "lep1_pt", data=data))
    _, ax = check(plotting.variable(events, "met", log=True, bins=[0, 10, 50, 200]))
    assert "[GeV]" in ax.get_xlabel()
    assert ax.get_ylabel() == "events / bin"
    _, ax = check(plotting.mass(events, data=data))
    assert ax.get_ylabel() == "events / 5 GeV"
    check(plotting.compare(events, "lep1_phi"))
    _, axes = check(plotting.compare_many(events, ["lep1_pt", "lep1_eta", "jet_n", "met"]))
    assert axes.shape == (2, 3)
    check(plotting.mass_before_after(events, score, 0.5, data=data, data_score=np.linspace(0, 1, len(data))))
    check(plotting.mass_before_after(events, score, 0.5))
    _, ax = check(plotting.weights(events))
    assert any("negative (20 %)" in text for text in ax.get_legend_handles_labels()[1])


def test_stack_is_the_sum_of_the_weights(events):
    _, ax = plotting.variable(events, "m_llll", bins=1, span=(0, 1000))
    tops = [patch.get_data()[0][0] for patch in ax.patches if patch.get_data().baseline is not None]
    expected = events["weight"].sum()
    assert any(top == pytest.approx(expected, rel=1e-5) for top in tops)
    band = tops[-1]
    assert band == pytest.approx(expected + np.sqrt((events["weight"] ** 2).sum()), rel=1e-5)


def test_a_cut_may_leave_nothing(events, score):
    check(plotting.mass_before_after(events, score, 2.0))


def test_simulation_is_never_labelled_as_atlas(events, data):
    _, ax = plotting.variable(events, "met")
    assert ax.get_title("left") == "Simulation"
    assert "13 TeV" in ax.get_title("right")
    assert "10 fb" in ax.get_title("right")
    _, ax = plotting.variable(events, "met", data=data)
    assert plotting.data_kind() in ("ATLAS open data", "Pseudo-data", "Data")
    assert ax.get_title("left") == f"{plotting.data_kind()} and simulation"


def test_tables(events):
    table = selection.cut_flow(events)
    check(plotting.cut_flow(table))
    check(plotting.cut_flow({"signal": table, "background": 2 * table, "mine": table}))
    check(plotting.raw_and_expected(selection.yields(events)))
    check(plotting.comparison({"a": 1.0, "b": 2.0}, {"a": 0.1}, xlabel="Z", reference=1.5))
    check(plotting.comparison(pd.Series({"a": 1.0}), pd.Series({"a": 0.1}), xlabel="Z"))


def test_learning():
    check(plotting.losses(FakeHistory(), best_epoch=True))
    check(plotting.losses(HISTORY, best_epoch=3))
    _, ax = check(plotting.losses({"one": FakeHistory(), "two": {"loss": [0.5]}}, best_epoch={"one": 3}))
    assert ax.get_legend_handles_labels()[1] == ["one, training", "one, validation", "best epoch", "two, training"]
    check(plotting.learning_rate([0.001, 0.01, 0.0]))
    check(plotting.fold_losses([0.3, 0.2, 0.25]))
    check(plotting.fold_losses({"a": [0.3, 0.2, 0.25], "b": [0.2, 0.1, 0.15]}))
    check(plotting.paired_folds([0.3, 0.2, 0.25], [0.2, 0.1, 0.15], names=("a", "b")))


def test_scores(events, score):
    check(plotting.score_by_class(events, score.reshape(-1, 1)))
    check(plotting.score_by_class(events, score, weight=np.ones(len(events)), log=True))
    check(plotting.score_stacked(events, score, data_score=score[:30], cut=0.5))
    half = np.arange(len(events)) % 2 == 0
    check(plotting.overtraining((events[half], score[half]), (events[~half], score[~half])))
    check(plotting.overtraining((events[half], score[half]), (events[~half], score[~half]), log=True))
    _, ax = check(plotting.roc((events, score), cut=0.5))
    assert ax.get_legend().get_title().get_text() == "negative weights kept (5 % of the events)"
    check(plotting.roc({"a": (events, score), "b": (events, -score, np.ones(len(events)))}))
    check(plotting.calibration({"a": (events, score)}, bins=5))
    check(plotting.confusion(events, score, 0.5))


def test_cuts(scan):
    best = significance.best(scan)
    check(plotting.significance_scan(scan, best=best))
    check(plotting.significance_scan(scan))
    check(plotting.compare_scans({"a": scan, "b": scan}, best={"a": best}))
    check(plotting.p_value(2.0))


def bad(events, score, data):
    nan_column = events.assign(met=np.nan)
    empty = events.iloc[:0]
    only = events[events["sample"] == "llll"]
    table = selection.cut_flow(events)
    return {
        "no column": lambda: plotting.variable(events, "mass"),
        "nan": lambda: plotting.variable(nan_column, "met"),
        "empty": lambda: plotting.variable(empty, "met"),
        "falling edges": lambda: plotting.variable(events, "met", bins=[3, 2, 1]),
        "no bins": lambda: plotting.variable(events, "met", bins=0),
        "infinite span": lambda: plotting.variable(events, "met", span=(0, np.inf)),
        "nothing in range": lambda: plotting.compare(events, "met", span=(1e5, 2e5)),
        "one class": lambda: plotting.compare(only, "met"),
        "data as signal": lambda: plotting.compare(data, "met"),
        "no columns": lambda: plotting.compare_many(events, []),
        "data without score": lambda: plotting.mass_before_after(events, score, 0.5, data=data),
        "score length": lambda: plotting.score_by_class(events, score[:-1]),
        "score nan": lambda: plotting.score_stacked(events, score * np.nan),
        "weight length": lambda: plotting.score_by_class(events, score, weight=[1.0]),
        "not a pair": lambda: plotting.roc((events,)),
        "no curves": lambda: plotting.roc({}),
        "roc of one class": lambda: plotting.roc((only, score[: len(only)])),
        "confusion of one class": lambda: plotting.confusion(only, score[: len(only)], 0.5),
        "no weights": lambda: plotting.weights(events.assign(weight=0.0)),
        "other cuts": lambda: plotting.cut_flow({"a": table, "b": table.iloc[:2]}),
        "no raw": lambda: plotting.raw_and_expected(table.drop(columns="raw")),
        "no rows": lambda: plotting.cut_flow(table.iloc[:0]),
        "no numbers": lambda: plotting.comparison({}, xlabel="Z"),
        "no history": lambda: plotting.losses({}),
        "not a history": lambda: plotting.losses([0.5]),
        "no metric": lambda: plotting.losses(HISTORY, metric="accuracy"),
        "no such epoch": lambda: plotting.losses(HISTORY, best_epoch=9),
        "one fold": lambda: plotting.fold_losses([0.5]),
        "nan fold": lambda: plotting.fold_losses([0.5, np.nan]),
        "other folds": lambda: plotting.paired_folds([0.1, 0.2], [0.1, 0.2, 0.3]),
        "no scans": lambda: plotting.compare_scans({}),
        "infinite z": lambda: plotting.p_value(np.inf),
        "no alt": lambda: plotting.show(plt.figure(), "  "),
    }


def test_bad_input_is_one_clear_error(events, score, data):
    for name, call in bad(events, score, data).items():
        with pytest.raises((BadInput, EmptySelection)) as caught:
            call()
        assert str(caught.value).strip(), name
        plt.close("all")


def test_no_finite_significance(scan):
    with pytest.raises(BadInput, match="finite significance"):
        plotting.significance_scan(scan._replace(significance=np.full(50, np.nan)))


def test_show_gives_png_and_alt_text(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda *args, **kwargs: shown.append((args, kwargs)))
    monkeypatch.setattr("IPython.core.interactiveshell.InteractiveShell.initialized", lambda: True)
    fig, _ = plotting.p_value(1.0)
    plotting.show(fig, "A Gaussian\n   with its tail.")
    ((data,), options), ((description,), _) = shown
    assert "<" not in description["text/html"][2:].split(">", 1)[1].removesuffix("</p>")
    assert "A Gaussian with its tail." in description["text/html"]
    assert data["text/plain"] == "A Gaussian with its tail."
    assert options == {"metadata": {"image/png": {"alt": "A Gaussian with its tail."}}, "raw": True}
    assert not plt.fignum_exists(fig.number)


def test_show_outside_a_notebook_prints_the_text(capsys):
    plotting.show(plotting.p_value(1.0)[0], "A Gaussian.")
    assert capsys.readouterr().out == "A Gaussian.\n"


def test_the_same_figure_is_the_same_small_file():
    image = plotting.png(plotting.p_value(1.0)[0])
    assert image == plotting.png(plotting.p_value(1.0)[0])
    assert image.startswith(b"\x89PNG")
    assert len(image) < 20_000


def test_style_stays_inside():
    before = plt.rcParams["xtick.direction"]
    plotting.p_value(1.0)
    assert plt.rcParams["xtick.direction"] == before


def test_every_column_has_an_axis_title_with_unit(make_events):
    for column in make_events(1).columns.drop(["sample", "run", "event"]):
        title = plotting.axis_title(column)
        assert title != column
        assert ("GeV" in title) == any(part in column for part in ("_pt", "_e", "m_ll", "met") if "eta" not in column)


def test_processes_differ_without_colour():
    drawn = [process for process in samples.PROCESSES.values() if process.name != "data"]
    assert len({process.hatch for process in drawn}) == len(drawn)


# The numbers


def test_separation(make_events):
    rng = np.random.default_rng(2)
    events = pd.concat([make_events(20_000, sample=n) for n in ("ggH125_ZZ4lep", "llll")], ignore_index=True)
    events["same"] = rng.random(40_000)
    events["apart"] = np.repeat([0.2, 0.8], 20_000)
    events["gauss"] = rng.normal(np.repeat([0.0, 1.0], 20_000))
    same = plotting.separation(events, "same", span=(0, 1))
    assert same.value == pytest.approx(same.noise, rel=0.6)
    assert plotting.separation(events, "apart", span=(0, 1)).value == pytest.approx(1)
    x = np.linspace(-6, 7, 4001)
    s, b = stats.norm.pdf(x), stats.norm.pdf(x, 1)
    expected = 0.5 * np.trapezoid((s - b) ** 2 / (s + b), x)
    assert plotting.separation(events, "gauss", span=(-6, 7), bins=50).value == pytest.approx(expected, rel=0.05)


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
    found = plotting.roc_curve(label, score, weight)
    assert found.auc == pytest.approx(expected, abs=1e-12)
    assert found.signal_efficiency[[0, -1]] == pytest.approx([0, 1])
    for cut, efficiency in zip(found.cut[1:], found.signal_efficiency[1:], strict=True):
        assert efficiency == pytest.approx(weight[s & (score >= cut)].sum() / weight[s].sum())


def test_auc_agrees_with_scikit_learn(events, score):
    from sklearn.metrics import roc_auc_score

    ones = np.ones(len(events))
    label = events["sample"] == "ggH125_ZZ4lep"
    assert plotting.auc(events, score, ones) == pytest.approx(roc_auc_score(label, score), rel=1e-9)


def test_poisson_interval_covers():
    low, high = plotting.poisson_interval(np.arange(20))
    tail = stats.norm.sf(1)
    for n in range(1, 20):
        assert stats.poisson.sf(n - 1, low[n]) == pytest.approx(tail, rel=1e-6)
        assert stats.poisson.cdf(n, high[n]) == pytest.approx(tail, rel=1e-6)
    assert low[0] == 0
    with pytest.raises(LabCourseError):
        plotting.poisson_interval(-1)


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.68761, 0.02234, "0.688 ± 0.022"),
        (1.159, 0.06, "1.159 ± 0.060"),
        (212.34, 14.2, "212 ± 14"),
        (0, 0, "0.000 ± 0.000"),
        (-0.0213, 0.0041, "−0.0213 ± 0.0041"),
    ],
)
def test_a_number_has_as_many_digits_as_its_error_allows(value, error, text):
    assert style.with_error(value, error) == text


def test_compared_numbers_stand_beside_their_points_and_the_reference_has_a_name():
    fig, ax = plotting.comparison(
        {"a": 1.0, "b": 2.0}, {"a": 0.1}, xlabel="Z", reference=1.5, reference_name="yardstick"
    )
    assert [text.get_text() for text in ax.texts] == ["1.00 ± 0.10", "2", "yardstick"]
    plt.close(fig)
