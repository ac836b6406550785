"""The search over settings of the network: resumed, killed, on a real Dask cluster, from the command line."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pytest
import sqlalchemy
from typer.testing import CliRunner

import azh
from azh import figures, search, storage
from azh.events import Parts
from factory import cluster
from labcourse import outputs
from labcourse.errors import BadFile, BadInput, SimulationError, StorageError
from tests.azh.test_parameterised import make_events
from workshop.cli import app

OPTIONS: dict[str, Any] = {"epochs": 3, "masses": (300.0, 700.0), "progress": False}


@pytest.fixture(scope="module")
def parts() -> Parts:
    return azh.split(make_events(100, masses=(300, 700)))


@pytest.fixture
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """A trial without a sign of life is given up soon."""
    monkeypatch.setattr(storage, "HEARTBEAT", 1)
    monkeypatch.setattr(storage, "GRACE", 2)


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


def test_equal_seeds_give_equal_searches(tmp_path: Path, parts: Parts) -> None:
    one, other = (search.run(parts, tmp_path / name, trials=2, seed=3, **OPTIONS) for name in ("a.db", "b.db"))
    assert [(t.params, t.value) for t in one.trials] == [(t.params, t.value) for t in other.trials]


@pytest.mark.parametrize(
    ("changed", "named"), [({"epochs": 4}, "epochs"), ({"masses": (300.0,)}, "masses"), ({}, "events")]
)
def test_other_searches_are_not_mixed(tmp_path: Path, parts: Parts, changed: dict[str, Any], named: str) -> None:
    search.run(parts, tmp_path / "study.db", trials=1, **OPTIONS)
    others = azh.split(make_events(101, masses=(300, 700))) if named == "events" else parts
    with pytest.raises(BadInput, match=f"other {named}"):
        search.run(others, tmp_path / "study.db", trials=2, **OPTIONS | changed)
    assert len(states(tmp_path / "study.db")) == 1


@pytest.mark.parametrize("made_with", [5, "x", [1]])
def test_a_study_of_another_program_is_another_search(tmp_path: Path, parts: Parts, made_with: Any) -> None:
    search.load(tmp_path / "study.db").set_user_attr("made_with", made_with)
    with pytest.raises(BadInput, match="other events and epochs and masses"):
        search.run(parts, tmp_path / "study.db", trials=1, **OPTIONS)


@pytest.mark.parametrize("content", [b"SQLite format 3\0" + b"x" * 4000, b"no database"])
def test_a_damaged_study_is_one_error(tmp_path: Path, parts: Parts, content: bytes) -> None:
    path = tmp_path / "study.db"
    path.write_bytes(content)
    with pytest.raises(BadFile, match="not a search"):
        search.run(parts, path, trials=1, **OPTIONS)
    assert path.read_bytes() == content


@pytest.mark.parametrize("name", ["a?b", "a?c", "a%20b", "a#b", "{a}", "a b&mode=memory", "ä"])
def test_a_search_lies_where_it_was_asked_for(tmp_path: Path, name: str) -> None:
    storage.load(tmp_path / name / f"{name}.db").set_user_attr("who", name)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert [path.name for path in (tmp_path / name).iterdir()] == [f"{name}.db"]
    assert storage.load(tmp_path / name / f"{name}.db").user_attrs == {"who": name}


def test_places_that_hold_no_search_are_one_true_sentence(tmp_path: Path) -> None:
    (tmp_path / "a folder").mkdir()
    (tmp_path / "a file").touch()
    places = {
        tmp_path / "a folder": "a folder: it is a folder",
        tmp_path / "a file" / "study.db": "study.db: (Not a directory|File exists)",
        Path("/proc/study.db"): "study.db: (unable to open database file|No such file)",  # a folder nobody can write to
        Path("/proc/nowhere/study.db"): "study.db: No such file",
    }
    for place, says in places.items():
        if place.parts[1] != "proc" or Path("/proc/self").exists():
            with pytest.raises(StorageError, match=f"The search cannot be kept in {says}") as caught:
                storage.load(place)
            assert "delete" not in str(caught.value)


def test_a_file_that_another_program_holds_is_one_error(
    tmp_path: Path, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the search begins, and when a trial does."""
    monkeypatch.setattr(storage, "PATIENCE", 0.05)
    storage.load(tmp_path / "study.db")
    one, same_search = search._one, search._same_search
    for begins in ("load", "_same_search", "_one"):
        with sqlite3.connect(tmp_path / "study.db", isolation_level=None) as other, monkeypatch.context() as patch:

            def hold(*_: Any, other: Any = other) -> None:
                other.execute("BEGIN EXCLUSIVE")

            if begins == "load":
                hold()
            elif begins == "_same_search":
                patch.setattr(search, "_same_search", lambda *all_of: (hold(), same_search(*all_of)))
            else:
                patch.setattr(search, "_one", lambda *all_of: (hold(), one(*all_of)))
            with pytest.raises(StorageError, match=r"kept in study\.db: database is locked"):
                search.run(parts, tmp_path / "study.db", trials=1, **OPTIONS)
            other.execute("ROLLBACK")


@pytest.mark.parametrize("said", ["attempt to write a readonly database", "disk I/O error", "database or disk is full"])
def test_what_the_disk_refuses_in_the_middle_is_one_error(
    tmp_path: Path, parts: Parts, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise sqlalchemy.exc.OperationalError("INSERT", {}, sqlite3.OperationalError(said))

    monkeypatch.setattr(sqlalchemy.orm.Session, "commit", refuse)
    with pytest.raises(StorageError, match=said):
        search.run(parts, tmp_path / "study.db", trials=1, **OPTIONS)


def test_a_damaged_entry_is_no_search(tmp_path: Path, parts: Parts) -> None:
    search.run(parts, tmp_path / "study.db", trials=1, **OPTIONS)
    for column, value in (("param_name", b"\xb3\xff"), ("distribution_json", b"{}"), ("distribution_json", b"\xb3")):
        shutil.copy(tmp_path / "study.db", tmp_path / "damaged.db")
        with sqlite3.connect(tmp_path / "damaged.db") as other:
            other.execute(f"UPDATE trial_params SET {column} = CAST(? AS TEXT) WHERE param_id = 1", (value,))
        with pytest.raises(BadFile, match="not a search"):
            storage.load(tmp_path / "damaged.db")


def test_a_database_of_something_else_is_no_search(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "study.db") as other:
        other.execute("CREATE TABLE studies (name TEXT)")
    with pytest.raises(BadFile, match="not a search"):
        storage.load(tmp_path / "study.db")


def test_numbers_that_cannot_be_are_one_error(tmp_path: Path, parts: Parts) -> None:
    with pytest.raises(BadInput, match="0 trials"):
        search.run(parts, tmp_path / "study.db", trials=0, **OPTIONS)


def test_the_project_has_a_file_of_its_own(parts: Parts) -> None:
    search.run(parts, trials=1, **OPTIONS)
    assert states(outputs.folder(9) / "search.db") == ["COMPLETE"]


# --- on a cluster ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with cluster.connect(workers=2, memory="3GB") as connected:
        yield connected


def test_trials_run_side_by_side_and_a_killed_worker_costs_one(
    tmp_path: Path, parts: Parts, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "study.db"
    study = search.run(parts, path, trials=4, client=client, each=cluster.each, **OPTIONS)
    assert states(path) == ["COMPLETE"] * 4 or set(states(path)) == {"COMPLETE", "PRUNED"}
    begun = sorted((trial.datetime_start, trial.datetime_complete) for trial in study.trials)
    assert any(later[0] < earlier[1] for earlier, later in pairwise(begun)), "one after the other"

    victims = []

    def kill_once(study: Any, trials: int) -> str:
        if not victims and search.finished(study) > 4:
            victims.extend(client.run(os.getpid).values())
            os.kill(victims[0], signal.SIGKILL)
        return ""

    monkeypatch.setattr(search, "_state", kill_once)
    again = search.run(parts, path, trials=7, client=client, each=cluster.each, **OPTIONS)
    assert victims
    assert search.finished(again) == 7
    assert {trial.number: trial.value for trial in study.trials}.items() <= {
        trial.number: trial.value for trial in again.trials
    }.items()


def test_a_trial_that_fails_on_the_cluster_is_one_error(tmp_path: Path, parts: Parts, client: Any) -> None:
    broken = parts._replace(train=parts.train.drop(columns="m_bb"))
    with pytest.raises((SimulationError, BadInput), match="m_bb"):
        search.run(broken, tmp_path / "study.db", trials=1, client=client, each=cluster.each, **OPTIONS)


# --- from the command line ------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a few events of the search, found before the bundle."""
    (tmp_path / "azh").mkdir()
    make_events(100, masses=azh.MASSES).to_parquet(tmp_path / "azh" / "events.parquet")
    monkeypatch.setenv("LABCOURSE_DATA", str(tmp_path))
    return tmp_path


def command(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "workshop.cli", "tune", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_tune_is_killed_and_goes_on(folder: Path) -> None:
    path = folder / "study.db"
    killed = command(str(path), "--trials", "50", "--epochs", "40")
    wait_for(path, "COMPLETE", 1, killed)
    wait_for(path, "RUNNING", 1, killed)
    killed.kill()
    killed.communicate()
    kept = states(path).count("COMPLETE") + states(path).count("PRUNED")
    again = command(str(path), "--trials", str(kept + 1), "--epochs", "40", "--json", "--plot", str(folder / "p.png"))
    out, err = again.communicate(timeout=200)
    assert again.returncode == 0, err
    assert (folder / "p.png").read_bytes().startswith(b"\x89PNG")
    rows = json.loads(out[: out.rindex("]") + 1])
    assert len(rows) == kept + 1
    assert rows[0]["value"] == max(row["value"] for row in rows if row["state"] == "COMPLETE")


def test_a_trial_that_died_counts_as_failed(folder: Path, parts: Parts, short_grace: None) -> None:
    path = folder / "study.db"
    search.run(parts, path, trials=1, **OPTIONS)
    with sqlite3.connect(path) as connection:  # what a kill leaves: under way, and silent for a minute
        connection.execute("UPDATE trials SET state = 'RUNNING', datetime_complete = NULL")
        connection.execute("UPDATE trial_heartbeats SET heartbeat = datetime('now', '-60 seconds')")
    search.run(parts, path, trials=1, **OPTIONS)
    assert states(path) == ["FAIL", "COMPLETE"]


def test_tune_says_what_is_wrong(folder: Path) -> None:
    (folder / "study.db").write_bytes(b"no database")
    result = CliRunner().invoke(app, ["tune", str(folder / "study.db")])
    assert isinstance(result.exception, BadFile)
    assert "tune" in CliRunner().invoke(app, ["--help"]).output
