"""The search over settings of the network: resumed, killed, on several processes, from the command line."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import psutil
import pytest
import sqlalchemy
from typer.testing import CliRunner

import azh
from azh import figures, search
from azh.events import Parts
from factory import workers
from labcourse import compiled
from labcourse.errors import BadFile, BadInput, SimulationError
from tests.azh.test_parameterised import make_events
from workshop.cli import app

OPTIONS: dict[str, Any] = {"epochs": 3, "masses": (300.0, 700.0), "progress": False}


@pytest.fixture(autouse=True)
def _begin_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "XLA", False)  # compiling takes longer than these trainings


@pytest.fixture(scope="module")
def parts() -> Parts:
    return azh.split(make_events(100, masses=(300, 700)))


def states(path: Path) -> list[str]:
    """Look into the file as nobody's library does."""
    with sqlite3.connect(path) as connection:
        return [state for (state,) in connection.execute("SELECT state FROM trials ORDER BY number")]


def wait_for(path: Path, state: str, number: int, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end and process.poll() is None:
        try:
            if states(path).count(state) >= number:
                return
        except sqlite3.OperationalError:
            pass
        time.sleep(0.05)
    pytest.fail(f"{number} trials never were {state}: {process.communicate(timeout=5)}")


def test_a_search_goes_on_from_its_file(tmp_path: Path, parts: Parts) -> None:
    first = search.run(parts, tmp_path / "study.db", trials=1, **OPTIONS)
    again = search.run(parts, tmp_path / "study.db", trials=2, **OPTIONS)
    assert search.finished(again) == 2
    assert again.trials[0].value == first.trials[0].value
    assert search.run(parts, tmp_path / "study.db", trials=2, **OPTIONS).trials == again.trials
    rows = search.table(again)
    assert {"value", "state", "layers", "width", "k", "activation", "rate"} <= set(rows)
    assert rows["rate"].notna().all()
    assert rows["value"].is_monotonic_decreasing
    assert len(rows) == 2
    fig, ax = figures.parallel_coordinates(rows)
    assert {"learning rate", "k", "significance"} <= {label.get_text() for label in ax.get_xticklabels()}
    assert len([line for line in ax.lines if len(line.get_xdata()) > 2]) == (rows["state"] == "COMPLETE").sum()
    plt.close(fig)
    other = search.run(parts, tmp_path / "other.db", trials=2, **OPTIONS)
    assert [(t.params, t.value) for t in other.trials] == [(t.params, t.value) for t in again.trials]


@pytest.mark.parametrize("changed", [{"epochs": 4}, {"masses": (300.0,)}, {}])
def test_other_searches_are_not_mixed(tmp_path: Path, parts: Parts, changed: dict[str, Any]) -> None:
    made_with = {"events": search._identity(parts), "epochs": 3, "masses": [300.0, 700.0]}
    search.load(tmp_path / "study.db").set_user_attr("made_with", made_with if changed else [1])
    with pytest.raises(BadInput, match="other events, epochs or masses"):
        search.run(parts, tmp_path / "study.db", trials=2, **OPTIONS | changed)


@pytest.mark.parametrize("name", ["a?b", "a%20b", "a#b", "{a}", "a b&mode=memory", "ä"])
def test_a_search_lies_where_it_was_asked_for(tmp_path: Path, name: str) -> None:
    search.load(tmp_path / name / f"{name}.db").set_user_attr("who", name)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert [path.name for path in (tmp_path / name).iterdir()] == [f"{name}.db"]
    assert search.load(tmp_path / name / f"{name}.db").user_attrs == {"who": name}


def test_places_that_hold_no_search_are_one_true_sentence(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file.db").write_bytes(b"no database")
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE studies (name TEXT)")
    places = {
        tmp_path / "folder": "it is a folder",
        tmp_path / "file.db" / "study.db": "(Not a directory|File exists)",
        tmp_path / "file.db": "file is not a database",
        tmp_path / "other.db": "",
        Path("/proc/study.db"): "(unable to open database file|No such file)",  # a folder nobody can write to
    }
    for place, says in places.items():
        if place.parts[1] != "proc" or Path("/proc/self").exists():
            with pytest.raises(BadFile, match=f"The search cannot be kept in {place.name}: {says}") as caught:
                search.load(place)
            assert "delete" not in str(caught.value)
    assert (tmp_path / "file.db").read_bytes() == b"no database"


def test_a_damaged_entry_is_no_search(tmp_path: Path) -> None:
    search.suggest(search.load(tmp_path / "study.db").ask(), epochs=1)
    for column, value in (("param_name", b"\xb3\xff"), ("distribution_json", b"{}"), ("distribution_json", b"\xb3")):
        shutil.copy(tmp_path / "study.db", tmp_path / "damaged.db")
        with sqlite3.connect(tmp_path / "damaged.db") as other:
            other.execute(f"UPDATE trial_params SET {column} = CAST(? AS TEXT) WHERE param_id = 1", (value,))
        with pytest.raises(BadFile, match="cannot be kept"):
            search.load(tmp_path / "damaged.db")


@pytest.mark.parametrize("said", ["attempt to write a readonly database", "database is locked"])
def test_what_the_disk_refuses_in_the_middle_is_one_error(
    tmp_path: Path, parts: Parts, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise sqlalchemy.exc.OperationalError("INSERT", {}, sqlite3.OperationalError(said))

    study = search.load(tmp_path / "study.db")
    monkeypatch.setattr(search, "load", lambda _: study)
    monkeypatch.setattr(sqlalchemy.orm.Session, "commit", refuse)
    with pytest.raises(BadFile, match=said):
        search.run(parts, tmp_path / "study.db", trials=1, **OPTIONS)
    monkeypatch.setattr("tempfile.mkdtemp", lambda *_, **__: os.mkdir(tmp_path))
    with pytest.raises(BadFile, match=r"kept in study\.db: File exists"):
        search.run(parts, tmp_path / "study.db", trials=1, **OPTIONS)


def test_trials_run_side_by_side_and_an_error_of_one_is_an_error(tmp_path: Path, parts: Parts) -> None:
    path = tmp_path / "study.db"
    with workers.connect(number=2) as pool:
        study = search.run(parts, path, trials=4, each=pool.each, **OPTIONS)
        assert set(states(path)) <= {"COMPLETE", "PRUNED"}
        begun = sorted((trial.datetime_start, trial.datetime_complete) for trial in study.trials)
        assert any(later[0] < earlier[1] for earlier, later in pairwise(begun)), "one after the other"
        assert [file.name for file in tmp_path.iterdir()] == ["study.db"]
        broken = parts._replace(train=parts.train.drop(columns="m_bb"))
        with pytest.raises((SimulationError, BadInput), match="m_bb"):
            search.run(broken, tmp_path / "broken.db", trials=1, each=pool.each, **OPTIONS)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a few events of the search, found before the bundle."""
    (tmp_path / "azh").mkdir()
    make_events(100, masses=azh.MASSES).to_parquet(tmp_path / "azh" / "events.parquet")
    monkeypatch.setenv("LABCOURSE_DATA", str(tmp_path))
    return tmp_path


def command(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "workshop.cli", "tune", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_tune_is_killed_twice_and_goes_on(folder: Path) -> None:
    path = folder / "study.db"
    for running, number in enumerate((signal.SIGKILL, signal.SIGTERM), start=1):  # one more is left in the file
        killed = command(str(path), "--trials", "50", "--epochs", "3")
        wait_for(path, "COMPLETE", 1, killed)
        wait_for(path, "RUNNING", running, killed)
        children = psutil.Process(killed.pid).children(recursive=True)
        killed.send_signal(number)
        killed.communicate()
        assert not psutil.wait_procs(children, timeout=20)[1], "no process is left behind"
    kept = states(path).count("COMPLETE") + states(path).count("PRUNED")
    again = command(str(path), "--trials", str(kept + 1), "--epochs", "3", "--json")
    out, err = again.communicate(timeout=200)
    assert again.returncode == 0, err
    rows = json.loads(out[: out.rindex("]") + 1])
    assert len(rows) == kept + 1
    assert rows[0]["value"] == max(row["value"] for row in rows if row["state"] == "COMPLETE")


def test_tune_begins_processes_anew_before_they_are_large(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    goals: list[int] = []
    monkeypatch.setattr(search, "run", lambda *_, trials, **__: goals.append(trials))
    monkeypatch.setattr(search, "table", lambda _: pd.DataFrame({"value": [1.0]}))
    assert CliRunner().invoke(app, ["tune", "--trials", "90", "--workers", "1"]).exit_code == 0
    assert goals == [40, 80, 90]
