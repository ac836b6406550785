"""Search path, workspace and saved settings; errors and atomic writing."""

import os
import pickle
from pathlib import Path

import pytest

from labcourse import settings
from labcourse.errors import BadFile, BadInput, StorageError
from labcourse.files import atomic_write, read_small


def test_search_path_order(own_home, monkeypatch):
    for name in ("a", "b", "saved", "data/official"):
        (own_home / name).mkdir()
    settings.settings_file().write_text('{"data": ["saved"]}')
    monkeypatch.setenv("LABCOURSE_DATA", os.pathsep.join(["a", str(own_home / "b")]))
    names = [path.name for path in settings.search_path()]
    assert names == ["a", "b", "saved", "official", "data"]


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


@pytest.mark.parametrize("name", ["labcourse", "labcourse.exe"])
def test_in_a_notebook_the_command_is_named_as_any_terminal_finds_it(tmp_path, monkeypatch, name):
    error = BadFile("It is broken.", next_step="Give `labcourse solve 2`, or `labcourse status`.")
    monkeypatch.setattr("sys.executable", str(tmp_path / "my course" / "python"))
    assert "`labcourse solve 2`" in "\n".join(error._render_traceback_())
    (tmp_path / "my course").mkdir()
    (tmp_path / "my course" / name).touch()
    shown = "\n".join(error._render_traceback_())
    assert f"`'{tmp_path}/my course/labcourse' solve 2`, or `'{tmp_path}/my course/labcourse' status`" in shown


# One meaning of paths.


def collection(folder: Path) -> Path:
    """Make the collection as it is unzipped."""
    for part, file in (("Data", "data_A.4lep.root"), ("MC", "mc_361106.Zee.4lep.root")):
        (folder / part).mkdir(parents=True)
        (folder / part / file).touch()
    return folder


def test_the_collection_as_it_is_unzipped_stands_for_its_parts(own_home, monkeypatch):
    folder = collection(own_home / "4lep")
    monkeypatch.setenv("LABCOURSE_DATA", str(folder))
    assert settings.search_path() == [folder / "Data", folder / "MC", own_home / "data"]
    (folder / "mc_363490.llll.4lep.root").touch()
    assert settings.search_path()[:3] == [folder, folder / "Data", folder / "MC"]


@pytest.mark.parametrize("damaged", ["{", "5", '{"data": [1]}', '{"data": "/tmp"}', "[" * 99999])
def test_a_settings_file_of_another_form_is_one_sentence(own_home, damaged):
    settings.settings_file().write_text(damaged)
    with pytest.raises(BadInput, match=r"(?s)damaged.*--forget"):
        settings.search_path()


def test_what_cannot_be_had_back_by_git_is_not_promised(own_home):
    assert "git" not in settings.get_back("data")
    (own_home / ".git").touch()  # a worktree's is a file
    assert "git checkout -- data" in settings.get_back("data")


# Files.


def test_a_disk_that_knows_no_permissions_can_be_written(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", refuse)
    atomic_write(tmp_path / "a.txt", lambda path: path.write_text("a"))
    assert (tmp_path / "a.txt").read_text() == "a"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes")
def test_only_plain_small_files_are_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(b" " * 2000)
    for name in ("pipe", "large", "missing"):
        with pytest.raises(OSError, match=r"plain file|too large|No such file"):
            read_small(tmp_path / name, 1999)
    (tmp_path / "link").symlink_to("large")
    assert read_small(tmp_path / "link", 2000) == b" " * 2000
