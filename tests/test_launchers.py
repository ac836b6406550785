"""The ways to start, and what public services read: all of them want the same lock and the same versions of Python."""

import json
import re
import shutil
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest
import yaml
from IPython.core.inputtransformer2 import TransformerManager

from course import workspaces
from labcourse import settings
from tests.test_project import PYTHONS

HOME = settings.home()
START = (HOME / "docs" / "start.md").read_text("utf-8")
WORKFLOWS = {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in (HOME / ".github/workflows").glob("*.yml")}
FORMS = sorted((HOME / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))


def targets() -> set[str]:
    """Return what make can make."""
    return set(re.findall(r"^([\w./]+):", (HOME / "Makefile").read_text("utf-8"), re.M))


def test_the_dev_container_installs_what_make_course_does() -> None:
    container = json.loads((HOME / ".devcontainer" / "devcontainer.json").read_text("utf-8"))
    assert container["image"].rpartition(":")[2] in PYTHONS
    assert container["onCreateCommand"] == "make .venv/course.stamp"
    assert ".venv/course.stamp" in targets()
    interpreter = container["customizations"]["vscode"]["settings"]["python.defaultInterpreterPath"]
    assert interpreter == "${containerWorkspaceFolder}/.venv/bin/python"


def test_binder_installs_the_lock_and_the_course() -> None:
    folder = HOME / ".binder"
    assert (folder / "runtime.txt").read_text("utf-8").strip().removeprefix("python-") in PYTHONS
    (wanted,) = re.findall(r"^-r (.+)$", (folder / "requirements.txt").read_text("utf-8"), re.M)
    assert (folder / wanted).resolve() == HOME / "requirements.lock"
    build = (folder / "postBuild").read_text("utf-8")
    (command,) = re.findall(r"-m pip install .+-e \.", (HOME / "environment.yml").read_text("utf-8"))
    assert command == build.strip().splitlines()[-1].removeprefix("python ").replace(" --no-cache-dir", "")


def test_addresses_open_a_notebook_that_is_there() -> None:
    opened = re.findall(r"notebooks(?:/|%2F)(\w+\.ipynb)", START)
    assert len(opened) == 2
    assert all((HOME / "notebooks" / name).is_file() for name in opened)


def test_the_first_cell_on_colab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It installs the lock and starts Python anew, if that worked; then it finds the course, and where to write."""
    (cell,) = re.findall(r"```ipython3\n(.*?)```", START, re.S)
    code = TransformerManager().transform_cell(re.sub(r"/content/labcourse|/tmp(?=/)", str(tmp_path), cell))
    shutil.copy(HOME / "requirements.lock", tmp_path)
    names: dict[str, Any] = {"_exit_code": 1}
    typed: list[str] = []
    mounted: list[str] = []

    def system(command: str) -> None:
        typed.append(command.format(**names))

    names["get_ipython"] = lambda: types.SimpleNamespace(system=system)
    drive = types.SimpleNamespace(mount=mounted.append)
    monkeypatch.setenv("LABCOURSE_OUTPUTS", "")
    monkeypatch.setattr(sys, "path", [*sys.path])

    class StartedAnew(Exception):
        pass

    def kill(process: int, signal: int) -> None:
        raise StartedAnew

    monkeypatch.setattr("os.kill", kill)
    with monkeypatch.context() as bare:
        bare.setattr("importlib.util.find_spec", lambda name: None)
        exec(code, names)  # pip fails: Python goes on, and no drive is looked for where there is none
        assert len(typed) == 2
        names["_exit_code"] = 0
        with pytest.raises(StartedAnew):
            exec(code, names)
    clone, install = typed[2:]
    assert f"test -d {tmp_path} || git clone" in clone
    filtered, pip = install.split(" && ")
    assert pip.endswith(f"--no-deps --require-hashes -r {tmp_path}/wanted.lock")
    subprocess.run(filtered, shell=True, check=True)
    locked, wanted = (
        set(re.findall(r"^([\w-]+)==", (tmp_path / name).read_text("utf-8"), re.M))
        for name in ("requirements.lock", "wanted.lock")
    )
    left_out = {"ipykernel", "ipython", "ipython-pygments-lexers", "notebook-shim", "pyzmq", "tornado"}
    assert locked - wanted == left_out | {name for name in locked if name.startswith("jupyter")}
    monkeypatch.setitem(sys.modules, "google.colab", types.SimpleNamespace(drive=drive))  # type: ignore[arg-type]
    exec(code, names)
    assert len(typed) == 4
    assert sys.path[0] == str(tmp_path)
    assert mounted == ["/content/drive"]
    assert str(workspaces.outputs_folder()) == "/content/drive/MyDrive/labcourse"


def test_workflows_run_what_is_here_on_what_is_supported() -> None:
    jobs = WORKFLOWS["tests"]["jobs"]
    assert jobs["linux"]["strategy"]["matrix"]["python"] == PYTHONS
    commands = []
    for workflow in WORKFLOWS.values():
        assert workflow["permissions"] == {"contents": "read"}
        for job in workflow["jobs"].values():
            assert job["timeout-minutes"] <= 90
            for step in job["steps"]:
                commands += step.get("run", "").splitlines()
                assert str(step.get("with", {}).get("python-version", PYTHONS[0])) in [*PYTHONS, "${{ matrix.python }}"]
    assert sum(".ci/run" in command for command in commands) == 3
    assert {word for command in commands for word in re.findall(r"\bmake (\w+)", command)} <= targets()
    stamps = {word for command in commands for word in re.findall(r"\.venv/\w+\.stamp", command)}
    assert stamps == {target for target in targets() if target.endswith(".stamp")}
    assert jobs["windows"]["steps"][1]["with"]["environment-file"] == "environment.yml"


@pytest.mark.parametrize(
    ("schema", "files"),
    [("github-workflows", sorted((HOME / ".github/workflows").glob("*.yml"))), ("github-issue-forms", FORMS)],
)
def test_public_files_have_the_form_that_is_asked_for(schema: str, files: list[Path]) -> None:
    assert len(files) == 3
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_forms_ask_for_commands_that_there_are(invoke: Any) -> None:
    asked = {words for path in FORMS for words in re.findall(r"labcourse (\w+ --\w+)", path.read_text("utf-8"))}
    assert asked == {"doctor --report"}
    assert "--report" in invoke("doctor", "--help").out
