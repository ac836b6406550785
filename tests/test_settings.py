"""Search path, workspace and saved settings; errors and atomic writing."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest

from labcourse import settings
from labcourse.errors import BadFile, BadInput, StorageError
from labcourse.files import atomic_write


@pytest.fixture
def own_home(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    monkeypatch.setattr(settings, "home", lambda: tmp_path)
    return tmp_path


def test_search_path_order(own_home, monkeypatch):
    for name in ("a", "b", "saved", "data/official"):
        (own_home / name).mkdir()
    settings.use_folder(own_home / "saved")
    monkeypatch.setenv("LABCOURSE_DATA", os.pathsep.join(["a", str(own_home / "b")]))
    names = [path.name for path in settings.search_path()]
    assert names == ["a", "b", "saved", "official", "data"]


def test_a_folder_that_is_gone_is_forgotten_and_the_bundle_can_be_chosen_again(own_home):
    stick = own_home / "stick"
    for folder in (stick, own_home / "disk", own_home / "data" / "official"):
        folder.mkdir()
    settings.use_folder(stick)
    stick.rmdir()
    with pytest.raises(BadInput, match=r"(?s)stick does not exist.*data use data"):
        settings.search_path()
    settings.use_folder(own_home / "disk")
    assert [path.name for path in settings.search_path()] == ["disk", "official", "data"]
    settings.use_folder(own_home / "data")
    assert [path.name for path in settings.search_path()] == ["data", "disk", "official"]


def test_wrong_folders_and_damaged_settings(own_home, monkeypatch):
    with pytest.raises(BadInput, match="not a folder"):
        settings.use_folder(own_home / "nowhere")
    monkeypatch.setenv("LABCOURSE_DATA", "nowhere")
    with pytest.raises(BadInput, match="nowhere does not exist"):
        settings.search_path()
    monkeypatch.delenv("LABCOURSE_DATA")
    for damaged in ("{", "[]", '{"data": [1]}'):
        settings.settings_file().write_text(damaged)
        with pytest.raises(BadInput, match="damaged"):
            settings.search_path()


def test_a_folder_that_this_user_may_not_read(own_home, monkeypatch, tmp_path):
    monkeypatch.setenv("LABCOURSE_DATA", str(tmp_path))
    assert settings.search_path()[0] == tmp_path.resolve()
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(BadInput, match="may not be read by this user"):
        settings.search_path()


def test_workspace_follows_the_folder(own_home, monkeypatch):
    (own_home / "solutions").mkdir()
    monkeypatch.chdir(own_home)
    assert settings.workspace() == "notebooks"
    monkeypatch.chdir(own_home / "solutions")
    assert settings.workspace() == "solutions"
    monkeypatch.setenv("LABCOURSE_WORKSPACE", "mine")
    assert settings.workspace() == "mine"


def test_errors_travel_between_processes_and_show_as_one_message():
    error = BadFile("It is broken.", where="a.root", next_step="Get another.")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again)) == (BadFile, str(error))
    shown = "\n".join(error._render_traceback_())
    assert shown.startswith("BadFile: It is broken.")
    assert "Traceback" not in shown


def test_a_failed_write_keeps_the_old_file(tmp_path):
    target = tmp_path / "numbers.json"
    atomic_write(target, lambda path: path.write_text("old"))

    def fail(path):
        path.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(StorageError, match="No space left"):
        atomic_write(target, fail)
    assert target.read_text() == "old"
    with pytest.raises(ZeroDivisionError):
        atomic_write(target, lambda path: 1 / 0)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["numbers.json"]


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        atomic_write(tmp_path / "file" / "x.json", lambda path: path.write_text("x"))


def test_the_tool_is_named_as_a_terminal_finds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scripts = tmp_path / ".venv" / "bin"
    scripts.mkdir(parents=True)
    monkeypatch.setattr(settings, "home", lambda: tmp_path)
    monkeypatch.setattr(settings.sys, "executable", str(scripts / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert settings.tool() == "labcourse"
    (scripts / "labcourse").touch()
    assert settings.tool() == str(Path(".venv") / "bin" / "labcourse")
    monkeypatch.setattr(settings.shutil, "which", lambda _name: "/usr/bin/labcourse")
    assert settings.tool() == "labcourse"
