"""The search over settings: resumed, on several processes, from the command line; what its trials say."""

import sqlite3
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd
import pytest
from typer.testing import CliRunner

import azh
from azh import search
from azh.events import Parts
from factory import workers
from labcourse import settings
from labcourse.errors import BadFile, BadInput
from tests.azh.made_up import make_events
from tests.factory.made_up import in_a_thread
from workshop.cli import app

OPTIONS: dict[str, Any] = {"epochs": 3, "progress": False}


@pytest.fixture(scope="module")
def parts() -> Parts:
    return azh.split(make_events(100, masses=search.MASSES))


def test_a_search_goes_on_from_its_file(tmp_path: Path, parts: Parts) -> None:
    first = search.run(parts, tmp_path / "study.db", trials=1, **OPTIONS)
    again = search.run(parts, tmp_path / "study.db", trials=2, **OPTIONS)
    assert search.finished(again) == 2
    assert again.trials[0].value == first.trials[0].value
    assert search.run(parts, tmp_path / "study.db", trials=2, **OPTIONS).trials == again.trials
    rows = search.table(again)
    assert [*rows][:5] == ["number", "value", "state", "seconds", "random"]
    assert {"layers", "width", "k", "activation", "rate_factor"} <= {*rows}
    assert (len(rows), rows["random"].all(), rows["value"].is_monotonic_decreasing) == (2, True, True)
    other = search.run(parts, tmp_path / "other.db", trials=2, **OPTIONS)
    assert [(t.params, t.value) for t in other.trials] == [(t.params, t.value) for t in again.trials]


def test_a_trial_that_was_killed_does_not_stop_the_rest(tmp_path: Path, parts: Parts) -> None:
    search.load(tmp_path / "study.db").ask(search.ranges())
    study = search.run(parts, tmp_path / "study.db", trials=1, **OPTIONS)
    assert [trial.state.name for trial in study.trials] == ["RUNNING", "COMPLETE"]
    assert len(search.table(study)) == 1


def test_other_searches_are_not_mixed(tmp_path: Path, parts: Parts) -> None:
    search.run(parts, tmp_path / "study.db", trials=1, **OPTIONS)
    fewer = parts._replace(validation=parts.validation.iloc[1:])
    for others, options in ((parts, {"epochs": 4}), (fewer, {})):
        with pytest.raises(BadInput, match="other events, epochs or masses"):
            search.run(others, tmp_path / "study.db", trials=2, **OPTIONS | options)


def test_importance_is_that_of_what_sets_the_best_trials_apart(tmp_path: Path) -> None:
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=2))
    for number in range(80):  # only k matters, and large networks are pruned
        trial = study.ask(search.ranges())
        trial.set_user_attr("random", number < 10)
        trial.report(0.5, 1)
        if trial.params["layers"] > 3:
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        else:
            study.tell(trial, 3 - abs(np.log10(trial.params["k"] / 0.03)))
    trials = search.table(study)
    shares = search.importance(trials)
    assert [*shares.index[:2]] == ["k", "layers"], "pruned trials have a say, too"
    assert (shares.sum(), shares.iloc[:2].sum() > 0.5) == (pytest.approx(1), True)
    trials.to_csv(tmp_path / "settings.csv", index=False)
    pd.testing.assert_series_equal(search.importance(pd.read_csv(tmp_path / "settings.csv")), shares)
    for few in (trials.iloc[:16], trials.assign(state="PRUNED")):
        with pytest.raises(BadInput, match="too few for a distribution"):
            search.importance(few)


def test_the_long_search_is_shipped() -> None:
    trials = search.long_run()
    assert 0 < trials["random"].sum() < len(trials) / 2, "more trials than the random start"
    assert set(search.importance(trials).index) < set(trials)


@pytest.mark.parametrize("name", ["a?b%20#", "{ä} b&mode=memory"])
def test_a_search_lies_where_it_was_asked_for(tmp_path: Path, name: str) -> None:
    search.load(tmp_path / name / f"{name}.db").set_user_attr("who", name)
    assert [path.relative_to(tmp_path) for path in tmp_path.rglob("*.db")] == [Path(name, f"{name}.db")]
    assert search.load(tmp_path / name / f"{name}.db").user_attrs == {"who": name}


def test_places_that_hold_no_search_are_one_true_sentence(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file.db").write_bytes(b"no database")
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE studies (name TEXT)")
    places = {
        tmp_path / "folder": "unable to open database file",
        tmp_path / "file.db" / "study.db": ".*(Not a directory|File exists)",
        tmp_path / "file.db": "file is not a database",
        tmp_path / "other.db": "",
    }
    search.load(tmp_path / "damaged.db").ask(search.ranges())
    with sqlite3.connect(tmp_path / "damaged.db") as other:
        other.execute("UPDATE trial_params SET param_name = CAST(? AS TEXT) WHERE param_id = 1", (b"\xb3\xff",))
    places[tmp_path / "damaged.db"] = ""
    for place, says in places.items():
        with pytest.raises(BadFile, match=f"The search cannot be kept in {place.name}: {says}"):
            search.load(place)
    assert (tmp_path / "file.db").read_bytes() == b"no database"


def test_tune_searches_in_processes_and_an_error_of_one_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "azh").mkdir()
    make_events(50, masses=search.MASSES).to_parquet(tmp_path / "azh" / "events.parquet")
    monkeypatch.setenv("LABCOURSE_DATA", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(settings.home()))
    script, path = tmp_path / "run.py", tmp_path / "study.db"
    run = "from workshop import cli; from labcourse import compiled; compiled.XLA = False"
    script.write_text(f"{run}\nif __name__ == '__main__': cli.main()")

    command = [sys.executable, str(script), "tune", str(path), "--epochs=3", "--trials=3", "--workers=2"]
    said = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    rows = search.table(search.load(path))
    assert len(rows) in (3, 4)
    assert f"The best of {len(rows)} trials" in said.stdout, said.stderr
    assert rows["k"].is_unique
    begun = sorted((trial.datetime_start, trial.datetime_complete) for trial in search.load(path).trials)
    assert any(later[0] < earlier[1] for earlier, later in pairwise(begun)), "one after the other"
    monkeypatch.setattr(workers, "connect", in_a_thread)
    refused = CliRunner().invoke(app, ["tune", str(path), "--epochs=4", "--trials=5"])
    with pytest.raises(BadInput, match="other events, epochs or masses"):
        raise refused.exception or AssertionError
