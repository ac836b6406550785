"""The search over settings: resumed, killed, on several processes, from the command line; what its trials say."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from contextlib import suppress
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import optuna
import pandas as pd
import psutil
import pytest
import sqlalchemy
from typer.testing import CliRunner

import azh
from azh import figures, search
from azh.events import Parts
from factory import workers
from labcourse import settings
from labcourse.errors import BadFile, BadInput, MissingSample, SimulationError
from tests.azh.made_up import make_events, without_xla
from workshop.cli import app

OPTIONS: dict[str, Any] = {"epochs": 3, "progress": False}


@pytest.fixture(scope="module")
def parts() -> Parts:
    return azh.split(make_events(100, masses=search.MASSES))


def states(path: Path) -> list[str]:
    """Look into the file as nobody's library does."""
    with sqlite3.connect(path) as connection:
        return [state for (state,) in connection.execute("SELECT state FROM trials ORDER BY number")]


def wait_for(path: Path, state: str, number: int, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end and process.poll() is None:
        with suppress(sqlite3.OperationalError):
            if states(path).count(state) >= number:
                return
        time.sleep(0.05)
    pytest.fail(f"{number} trials never were {state}: {process.communicate(timeout=5)}")


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


def test_other_searches_are_not_mixed(tmp_path: Path, parts: Parts) -> None:
    search.run(parts, tmp_path / "study.db", trials=1, **OPTIONS)
    fewer = parts._replace(validation=parts.validation.iloc[1:])
    for others, options in ((parts, {"epochs": 4}), (fewer, {})):
        with pytest.raises(BadInput, match="other events, epochs or masses"):
            search.run(others, tmp_path / "study.db", trials=2, **OPTIONS | options)


def test_importance_is_that_of_what_sets_the_best_trials_apart(tmp_path: Path) -> None:
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=2))

    def objective(trial: optuna.Trial) -> float:  # only k matters, and SGD is pruned
        trial.set_user_attr("random", trial.number < 10)
        recipe = search.suggest(trial, epochs=1)
        trial.report(0.5, 1)
        if recipe.momentum:
            raise optuna.TrialPruned
        return 3 - abs(float(np.log10(recipe.signal_scale / 0.03)))

    study.optimize(objective, n_trials=80)
    trials = search.table(study)
    best = trials[search.are_best(trials)]
    assert (len(best), {*best["state"]}, best["value"].min()) == (20, {"COMPLETE"}, trials["value"].iloc[19])
    shares = search.importance(trials)
    assert [*shares.index[:2]] == ["k", "optimizer"], "pruned trials have a say, too"
    assert (shares.sum(), shares.iloc[:2].sum() > 0.5) == (pytest.approx(1), True)
    trials.to_csv(tmp_path / "settings.csv", index=False)
    pd.testing.assert_series_equal(search.importance(pd.read_csv(tmp_path / "settings.csv")), shares)
    for few in (trials.iloc[:19], trials.assign(state="PRUNED")):
        with pytest.raises(BadInput, match="too few for a distribution"):
            search.importance(few)
    fig, axes = figures.settings(trials)
    assert [ax.get_title().split(":")[0].replace(" ", "_") for ax in axes.flat[:-1]] == [*shares.index]
    assert {sum(len(line.get_xdata()) for line in ax.lines) for ax in axes.flat[:-1]} == {80}
    plt.close(fig)


def test_the_long_search_is_shipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    trials = search.long_run()
    assert 0 < trials["random"].sum() < len(trials) / 2, "more trials than the random start"
    assert set(search.importance(trials).index) < set(trials)
    monkeypatch.setattr("labcourse.settings.data_folder", lambda: tmp_path)
    with pytest.raises(MissingSample, match="long search"):
        search.long_run()


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
    search.suggest(search.load(tmp_path / "damaged.db").ask(), epochs=1)
    with sqlite3.connect(tmp_path / "damaged.db") as other:
        other.execute("UPDATE trial_params SET param_name = CAST(? AS TEXT) WHERE param_id = 1", (b"\xb3\xff",))
    places[tmp_path / "damaged.db"] = ""
    for place, says in places.items():
        with pytest.raises(BadFile, match=f"The search cannot be kept in {place.name}: {says}"):
            search.load(place)
    assert (tmp_path / "file.db").read_bytes() == b"no database"


def test_what_the_disk_refuses_in_the_middle_is_one_error(
    tmp_path: Path, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        cause = sqlite3.OperationalError("database is locked")
        raise sqlalchemy.exc.OperationalError("INSERT", {}, cause) from cause

    study = search.load(tmp_path / "study.db")
    monkeypatch.setattr(search, "load", lambda _: study)
    monkeypatch.setattr(sqlalchemy.orm.Session, "commit", refuse)
    with pytest.raises(BadFile, match=r"kept in study\.db: database is locked"):
        search.run(parts, tmp_path / "study.db", trials=1, **OPTIONS)


def test_trials_run_side_by_side_and_an_error_of_one_is_an_error(tmp_path: Path, parts: Parts) -> None:
    path = tmp_path / "study.db"
    with workers.connect(number=2) as executor:

        def each(function: Any, tasks: Any) -> Any:
            return executor.map(partial(without_xla, function), tasks)

        study = search.run(parts, path, trials=3, each=each, **OPTIONS)
        assert set(states(path)) <= {"COMPLETE", "PRUNED"}
        begun = sorted((trial.datetime_start, trial.datetime_complete) for trial in study.trials)
        assert any(later[0] < earlier[1] for earlier, later in pairwise(begun)), "one after the other"
        broken = parts._replace(train=parts.train.drop(columns="m_bb"))
        with pytest.raises((SimulationError, BadInput), match="m_bb"):
            search.run(broken, tmp_path / "broken.db", trials=1, each=each, **OPTIONS)


def test_tune_is_killed_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "azh").mkdir()
    make_events(50, masses=search.MASSES).to_parquet(tmp_path / "azh" / "events.parquet")
    monkeypatch.setenv("LABCOURSE_DATA", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(settings.home()))
    script, path = tmp_path / "run.py", tmp_path / "study.db"
    run = "from workshop import cli; from labcourse import compiled; compiled.XLA = False"
    script.write_text(f"{run}\nif __name__ == '__main__': cli.main()")

    def tune(trials: int) -> subprocess.Popen[str]:
        command = [sys.executable, script, "tune", path, "--epochs=3", f"--trials={trials}"]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    killed = tune(50)
    wait_for(path, "COMPLETE", 1, killed)
    wait_for(path, "RUNNING", 1, killed)
    children = psutil.Process(killed.pid).children(recursive=True)
    killed.kill()
    killed.communicate()
    assert not psutil.wait_procs(children, timeout=20)[1], "no process is left behind"
    kept = states(path).count("COMPLETE") + states(path).count("PRUNED")
    out, err = tune(kept + 1).communicate(timeout=200)
    assert f"The best of {kept + 1} trials" in out, err


def test_tune_begins_processes_anew_before_they_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    goals: list[int] = []
    monkeypatch.setattr(azh, "read", lambda: make_events(10))
    monkeypatch.setattr(search, "run", lambda *_, trials, **__: goals.append(trials))
    monkeypatch.setattr(search, "table", lambda _: pd.DataFrame({"value": [1.0]}))
    assert CliRunner().invoke(app, ["tune", "--trials", "90", "--workers", "1"]).exit_code == 0
    assert goals == [40, 80, 90]
