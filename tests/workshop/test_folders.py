"""Which folders commands set for samples, and that paths mean the same to a command and to its kernels."""

import os

import pytest

from course import workspaces
from labcourse import settings
from labcourse.errors import BadInput
from workshop import folders


def test_a_folder_that_is_gone_is_forgotten_and_the_bundle_can_be_chosen_again(own_home, monkeypatch):
    stick = own_home / "stick"
    for folder in (stick, own_home / "disk", own_home / "data" / "official"):
        folder.mkdir()
    folders.use_folder(stick)
    stick.rmdir()
    with pytest.raises(BadInput, match=r"(?s)stick does not exist.*data use --forget"):
        settings.search_path()
    folders.use_folder(own_home / "disk")
    assert [path.name for path in settings.search_path()] == ["disk", "official", "data"]
    monkeypatch.chdir(own_home / "disk")
    assert folders.use_folder("data") == own_home / "data"
    assert [path.name for path in settings.search_path()] == ["data", "disk", "official"]
    with pytest.raises(BadInput, match="not a folder"):
        folders.use_folder(own_home / "nowhere")
    settings.settings_file().write_text("{")
    folders.forget_folders()
    assert [path.name for path in settings.search_path()] == ["official", "data"]


def test_paths_mean_the_same_to_a_command_and_to_its_kernels(own_home, monkeypatch):
    monkeypatch.setenv("HOME", str(own_home / "user"))
    monkeypatch.setenv("USERPROFILE", str(own_home / "user"))
    for folder in ("user/atlas", "elsewhere/few", "elsewhere/notebooks", "notebooks"):
        (own_home / folder).mkdir(parents=True)
    monkeypatch.setenv("LABCOURSE_DATA", os.pathsep.join(["~/atlas", "few"]))
    monkeypatch.setenv("LABCOURSE_OUTPUTS", "out")
    monkeypatch.chdir(own_home / "elsewhere")
    folders.fix_paths()
    for folder in ("elsewhere", "notebooks"):
        monkeypatch.chdir(own_home / folder)
        assert settings.search_path()[:2] == [own_home / "user" / "atlas", own_home / "elsewhere" / "few"]
        assert workspaces.outputs_folder() == own_home / "elsewhere" / "out"
    # Without a command in between, as in JupyterLab started with `make lab`.
    monkeypatch.setenv("LABCOURSE_OUTPUTS", "out")
    assert workspaces.outputs_folder() == own_home / "out"
    monkeypatch.setenv("LABCOURSE_DATA", "~nobody-here/atlas")
    with pytest.raises(BadInput, match="~nobody-here/atlas does not exist"):
        settings.search_path()
    monkeypatch.setenv("LABCOURSE_OUTPUTS", "~/out")
    assert workspaces.outputs_folder() == own_home / "user" / "out"


@pytest.mark.skipif(os.name != "posix", reason="modes")
def test_everybody_who_uses_the_course_reads_the_settings(own_home, request):
    before = os.umask(0o077)
    request.addfinalizer(lambda: os.umask(before))
    folders.use_folder(own_home)
    assert settings.settings_file().stat().st_mode & 0o777 == 0o644
