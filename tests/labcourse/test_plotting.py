"""Every figure is drawn from events, has axis titles, and refuses bad input."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from labcourse import plotting
from labcourse.errors import BadInput, EmptySelection
from labcourse.plotting import style


@pytest.fixture
def events(make_events):
    """Four processes, a fifth of the Z events with negative weights, masses as they should be."""
    rng = np.random.default_rng(4)
    kinds = [("ggH125_ZZ4lep", 125, 0.01), ("llll", 200, 0.1), ("Zee", 110, 0.2), ("ttbar_lep", 150, 0.1)]
    tables = []
    for i, (name, mean, weight) in enumerate(kinds):
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


HISTORY = {"loss": [0.6, 0.5, 0.45, 0.44], "val_loss": [0.61, 0.52, 0.5, 0.51]}


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


def test_variables(events):
    _, ax = check(plotting.variable(events, "met", bins=[0, 10, 50, 200]))
    assert ("[GeV]" in ax.get_xlabel(), ax.get_ylabel()) == (True, "events / bin")
    assert ax.get_title("left") == "Simulation", "never labelled as ATLAS"
    assert "13 TeV" in ax.get_title("right")
    _, ax = check(plotting.variable(events, "m_llll", bins=34, span=(80, 250)))
    assert ax.get_ylabel() == "events / 5 GeV"
    _, axes = check(plotting.compare_many(events, {"lep1_pt": (0, 100), "lep1_eta": (-3, 3), "met": (0, 150)}))
    assert axes.shape == (2, 2)


def test_stack_is_the_sum_of_the_weights(events):
    _, ax = plotting.variable(events, "m_llll", bins=1, span=(0, 1000))
    tops = [patch.get_data()[0][0] for patch in ax.patches if patch.get_data().baseline is not None]
    expected = events["weight"].sum()
    assert any(top == pytest.approx(expected, rel=1e-5) for top in tops)
    assert tops[-1] == pytest.approx(expected + np.sqrt((events["weight"] ** 2).sum()), rel=1e-5)


def test_other_figures(events, score):
    check(plotting.comparison({"a": 1.0, "b": 2.0}, {"a": 0.1}, xlabel="Z", reference=1.5))
    check(plotting.losses(HISTORY, best_epoch=True))
    check(plotting.paired_folds([0.3, 0.2, 0.25], [0.2, 0.1, 0.15]))
    check(plotting.score_by_class(events, score.reshape(-1, 1)))
    check(plotting.overtraining((events, score), (events, score)))
    check(plotting.roc({"a": (events, score), "b": (events, -score, np.ones(len(events)))}))
    check(plotting.calibration({"a": (events, score)}))


def test_bad_input_is_one_clear_error(events, score):
    only = events[events["sample"] == "llll"]
    for call in (
        lambda: plotting.variable(events, "mass"),
        lambda: plotting.variable(events.assign(met=np.nan), "met"),
        lambda: plotting.variable(events.iloc[:0], "met"),
        lambda: plotting.compare_many(events, {"met": (1e5, 2e5)}),
        lambda: plotting.score_by_class(only, score[: len(only)]),
        lambda: plotting.score_by_class(events, score[:-1]),
        lambda: plotting.score_by_class(events, score, weight=[1.0]),
        lambda: plotting.roc({"": (only, score[: len(only)])}),
        lambda: plotting.losses({}),
        lambda: plotting.losses(HISTORY, best_epoch=9),
        lambda: plotting.show(plt.figure(), "  "),
    ):
        with pytest.raises((BadInput, EmptySelection)):
            call()


def test_show_gives_png_and_alt_text(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda *args, **kwargs: shown.append((args, kwargs)))
    monkeypatch.setattr("IPython.core.interactiveshell.InteractiveShell.initialized", lambda: True)
    fig = plt.figure(figsize=(6.4, 4.8))
    plotting.show(fig, "A tail for z > 1\n   & its area.")
    ((data,), options), ((description,), _) = shown
    assert data["text/plain"] == "A tail for z > 1 & its area."
    assert options == {
        "metadata": {"image/png": {"alt": "A tail for z > 1 & its area.", "width": 614, "height": 461}},
        "raw": True,
    }
    assert "Figure: A tail for z &gt; 1 &amp; its area." in description["text/html"]
    assert not plt.fignum_exists(fig.number)


def test_the_same_figure_is_the_same_small_file_and_its_style_stays_inside():
    before = plt.rcParams["xtick.direction"]
    images = [plotting.png(plotting.losses(HISTORY)[0]) for _ in range(2)]
    assert images[0] == images[1]
    assert images[0].startswith(b"\x89PNG")
    assert len(images[0]) < 20_000
    assert plt.rcParams["xtick.direction"] == before


def test_every_column_has_an_axis_title_with_unit(make_events):
    for column in make_events(1).columns.drop(["sample", "run", "event"]):
        title = plotting.axis_title(column)
        assert title != column
        assert ("GeV" in title) == any(part in column for part in ("_pt", "_e", "m_ll", "met") if "eta" not in column)


def test_a_number_has_as_many_digits_as_its_error_allows():
    assert style.with_error(0.68761, 0.02234) == "0.688 ± 0.022"
    assert style.with_error(1.159, 0.06) == "1.159 ± 0.060"
    assert style.with_error(212.34, 14.2) == "212 ± 14"
    assert style.with_error(0, 0) == "0.000 ± 0.000"
    assert style.with_error(-0.0213, 0.0041) == "−0.0213 ± 0.0041"


def test_all_functions_are_listed_whether_or_not_their_file_was_read():
    assert len(dir(plotting)) > 15
    assert all(getattr(plotting, name).__name__ == name for name in dir(plotting))
    with pytest.raises(AttributeError, match=r"'labcourse\.plotting' has no attribute 'histogram'"):
        plotting.histogram  # noqa: B018
