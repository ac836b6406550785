"""Search path, workspace and saved settings; errors and atomic writing."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest

from labcourse import settings
from labcourse.errors import BadFile, BadInput, StorageError
from labcourse.files import atomic_write, read_small, write_notebook


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
    with pytest.raises(BadInput, match=r"(?s)stick does not exist.*data use --forget"):
        settings.search_path()
    settings.use_folder(own_home / "disk")
    assert [path.name for path in settings.search_path()] == ["disk", "official", "data"]
    settings.use_folder(own_home / "data")
    assert [path.name for path in settings.search_path()] == ["data", "disk", "official"]


def test_wrong_folders(own_home, monkeypatch):
    with pytest.raises(BadInput, match="not a folder"):
        settings.use_folder(own_home / "nowhere")
    monkeypatch.setenv("LABCOURSE_DATA", "nowhere")
    with pytest.raises(BadInput, match="nowhere does not exist"):
        settings.search_path()


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


def test_paths_mean_the_same_to_a_command_and_to_its_kernels(own_home, monkeypatch):
    monkeypatch.setenv("HOME", str(own_home / "user"))
    monkeypatch.setenv("USERPROFILE", str(own_home / "user"))
    for folder in ("user/atlas", "elsewhere/few", "elsewhere/notebooks", "notebooks"):
        (own_home / folder).mkdir(parents=True)
    monkeypatch.setenv("LABCOURSE_DATA", os.pathsep.join(["~/atlas", "few"]))
    monkeypatch.setenv("LABCOURSE_OUTPUTS", "out")
    monkeypatch.chdir(own_home / "elsewhere")
    settings.fix_paths()
    for folder in ("elsewhere", "notebooks"):
        monkeypatch.chdir(own_home / folder)
        assert settings.search_path()[:2] == [own_home / "user" / "atlas", own_home / "elsewhere" / "few"]
        assert settings.outputs_folder() == own_home / "elsewhere" / "out"
    # Without a command in between, as in JupyterLab started with `make lab`.
    monkeypatch.setenv("LABCOURSE_OUTPUTS", "out")
    assert settings.outputs_folder() == own_home / "out"
    monkeypatch.setenv("LABCOURSE_DATA", "~nobody-here/atlas")
    with pytest.raises(BadInput, match="~nobody-here/atlas does not exist"):
        settings.search_path()
    monkeypatch.setenv("LABCOURSE_OUTPUTS", "~/out")
    assert settings.outputs_folder() == own_home / "user" / "out"


def test_the_bundle_is_chosen_from_anywhere_and_folders_are_forgotten(own_home, monkeypatch):
    (own_home / "a").mkdir()
    monkeypatch.chdir(own_home / "a")
    settings.use_folder(own_home / "a")
    assert settings.use_folder("data") == own_home / "data"
    assert settings.saved_folders() == [str(own_home / "data"), str(own_home / "a")]
    settings.settings_file().write_text("{")
    settings.forget_folders()
    assert settings.search_path() == [own_home / "data"]


@pytest.mark.parametrize("damaged", ["{", "5", '{"data": [1]}', '{"data": "/tmp"}', "[" * 99999])
def test_a_settings_file_of_another_form_is_one_sentence(own_home, damaged):
    settings.settings_file().write_text(damaged)
    with pytest.raises(BadInput, match=r"(?s)damaged.*--forget"):
        settings.search_path()


@pytest.mark.skipif(os.name != "posix", reason="modes")
def test_everybody_who_uses_the_course_reads_the_settings(own_home, request):
    before = os.umask(0o077)
    request.addfinalizer(lambda: os.umask(before))
    settings.use_folder(own_home)
    assert settings.settings_file().stat().st_mode & 0o777 == 0o644


def test_what_cannot_be_had_back_by_git_is_not_promised(own_home):
    assert "installed without the course" in settings.get_back("data")
    (own_home / "pyproject.toml").touch()
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


def test_what_a_kill_left_of_a_notebook_goes_with_the_next_write(tmp_path):
    path = tmp_path / "chapter2_training.ipynb"
    (tmp_path / ".chapter2_training-x1y2z3.ipynb").write_text("half")
    write_notebook(path, "{}")
    assert [path.name for path in tmp_path.iterdir()] == ["chapter2_training.ipynb"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes")
def test_only_plain_small_files_are_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(b" " * 2000)
    for name in ("pipe", "large", "missing"):
        with pytest.raises(OSError, match=r"plain file|too large|No such file"):
            read_small(tmp_path / name, 1999)
    (tmp_path / "link").symlink_to("large")
    assert read_small(tmp_path / "link", 2000) == b" " * 2000
