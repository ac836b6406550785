"""The table that goes from chapter to chapter: its numbers, and which rows it shows."""

import functools

import numpy as np
import pandas as pd
import pytest

from course import leaderboard, outputs
from course.outputs import MissingOutput
from labcourse import significance

SIZE = 4000


chapter = functools.partial(outputs.Chapter, sources=())


@pytest.fixture
def test_events() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    sample = np.where(rng.random(SIZE) < 0.5, "ggH125_ZZ4lep", "llll")
    pt = rng.normal(np.where(sample == "llll", 30, 20), 8)
    return pd.DataFrame({"sample": sample, "lep3_pt": pt, "weight": np.where(sample == "llll", 0.2, 0.005)})


def rows(table: pd.DataFrame, *limits: tuple[float, float]) -> pd.DataFrame:
    pt = table["lep3_pt"]
    masks = [pt.between(*each, inclusive="left") for each in limits]
    made = [
        leaderboard.row(f"window {i}", table, mask, masks[0], inputs="lepton 3", parameters=2, score=-(pt - 20).abs())
        for i, mask in enumerate(masks)
    ]
    return pd.DataFrame(made)


def test_a_row_holds_what_the_other_modules_say(test_events: pd.DataFrame) -> None:
    first, second = rows(test_events, (10, 25), (5, 30)).to_dict("records")
    weight, is_signal = test_events["weight"], test_events["sample"] != "llll"
    inside = test_events["lep3_pt"].between(10, 25, inclusive="left")
    expected = significance.asimov(weight[inside & is_signal].sum(), weight[inside & ~is_signal].sum())
    assert first["z"] == pytest.approx(expected)
    assert (first["gain"], first["gain_error"]) == (0, 0)
    assert second["gain"] == pytest.approx(second["z"] - first["z"])
    assert first["auc"] == second["auc"] > 0.6
    assert np.isnan(first["validation_loss"])


def test_the_error_of_a_difference_is_the_spread_over_repeated_samples(test_events: pd.DataFrame) -> None:
    def masks(table: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
        return table["lep3_pt"] < 25, table["lep3_pt"] < 28

    _, error = leaderboard.difference(test_events, *masks(test_events))
    rng = np.random.default_rng(2)
    gains = []
    for _ in range(300):
        again = test_events.sample(rng.poisson(SIZE), replace=True, random_state=rng)
        mine = again["sample"] != "llll"
        s, b = ([again["weight"][mask & own].sum() for mask in masks(again)] for own in (mine, ~mine))
        gains.append(-np.diff(significance.asimov(s, b)).item())
    assert error == pytest.approx(np.std(gains), rel=0.2)
    # Far smaller than if both were independent.
    assert error < 0.5 * rows(test_events, (0, 25))["z_error"][0]


def test_the_baseline_is_the_window_of_chapter_1(test_events: pd.DataFrame) -> None:
    edge = test_events["lep3_pt"].max()
    window = pd.DataFrame({"variable": ["lep3_pt"], "low": [12.0], "high": [edge]})
    chapter(1).write_table("window", window)
    passes = leaderboard.baseline(chapter(3), test_events)
    assert (passes == ((test_events["lep3_pt"] >= 12) & (test_events["lep3_pt"] < edge))).all()


def test_earlier_chapters_that_are_there_are_shown_first(test_events: pd.DataFrame) -> None:
    table = rows(test_events, (10, 25), (5, 30))
    chapters = {number: chapter(number) for number in (1, 3, 4, 5, 7)}
    for number in (1, 3, 5, 7):
        chapters[number].write_table("leaderboard", table.assign(what=f"of {number}"))
    (chapters[3].folder / "leaderboard.parquet").write_bytes(b"damaged")
    shown = leaderboard.show(chapters[5])
    assert shown["what"].to_list() == ["of 1"] * 2 + ["of 5"] * 2
    assert shown.index.to_list() == [1, 1, 5, 5]
    assert shown["validation loss"].to_list() == ["–"] * 4
    assert shown.iloc[0, -1] == "–"
    assert "±" in shown.iloc[1, -1]
    assert not shown.map(len).gt(40).any(axis=None)
    with pytest.raises(MissingOutput):
        leaderboard.show(chapters[4])
