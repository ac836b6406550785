"""The doctor finds what is wrong, says how to mend it, and never raises."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import os
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from labcourse import samples, settings
from labcourse.errors import StorageError
from workshop.authoring import doctor
from workshop.authoring.doctor import Finding

Usage = namedtuple("Usage", "total used free")


def one(findings: list[Finding]) -> Finding:
    assert len(findings) == 1, findings
    return findings[0]


def test_examine_gives_rows_and_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_CHECKS", tuple(c for c in doctor._CHECKS if c is not doctor._tensorflow))
    findings = doctor.examine()
    assert {"Python", "packages", "memory", "disk", "write permission", "kernel"} <= {f.check for f in findings}
    assert all(f.detail for f in findings)
    assert all(f.mend for f in findings if not f.ok)
    table = doctor.as_table(findings)
    assert table.count("✓") + table.count("✗") == len(findings) + (not all(f.ok for f in findings))


def test_this_environment_is_well() -> None:
    if "labcourse" not in {d.name for d in importlib.metadata.distributions()}:
        pytest.skip("labcourse is not installed, only on the path")
    for check in (doctor._python, doctor._packages, doctor._tensorflow, doctor._write_permission):
        assert one(list(check())).ok
    assert not list(settings.outputs_folder().iterdir())  # the trial leaves nothing behind


@pytest.mark.parametrize(
    ("version", "ok"), [((3, 9, 18), False), ((3, 10, 0), True), ((3, 13, 9), True), ((3, 14, 0), False)]
)
def test_python_version(version: tuple[int, int, int], ok: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", version)
    finding = one(list(doctor._python()))
    assert finding.ok is ok
    assert "3.10 to 3.13" in finding.mend


def test_missing_and_old_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.metadata.version

    def version(name: str) -> str:
        if name in ("uproot", "labcourse"):
            raise importlib.metadata.PackageNotFoundError(name)
        return "2.15.0" if name == "tensorflow" else real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    findings = {f.check: f for f in doctor._packages()}
    assert findings["package uproot"].detail == "not installed"
    assert findings["package tensorflow"].detail.startswith("version 2.15.0, needed")
    assert "pip install --no-deps" in findings.pop("package labcourse").mend
    assert all(not f.ok and "make course" in f.mend for f in findings.values())


def test_packages_of_another_software_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(settings.home()))
    assert not list(doctor._other_packages())
    (tmp_path / "numpy").mkdir()
    (tmp_path / "typer.py").touch()
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "nowhere"), str(tmp_path)]))
    finding = one(list(doctor._other_packages()))
    assert (finding.check, finding.ok) == ("PYTHONPATH", False)
    assert "numpy, typer" in finding.detail
    assert "unset PYTHONPATH" in finding.mend
    assert ".venv" not in doctor.how_to_install()


def test_without_git_or_without_the_course_the_advice_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "home", lambda: tmp_path)
    (tmp_path / "data").mkdir()
    for check in (doctor._files_of_the_course, doctor._samples):
        assert "pip install --no-deps -e ." in one(list(check())).mend
    assert not list(doctor._packages())
    (tmp_path / "pyproject.toml").touch()
    for check in (doctor._files_of_the_course, doctor._samples):
        assert "git" not in one(list(check())).mend
    (tmp_path / ".git").mkdir()
    for check in (doctor._files_of_the_course, doctor._samples):
        assert "git checkout" in one(list(check())).mend


def test_conda_users_are_told_the_conda_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "conda-meta").mkdir()
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert "conda env update -n ml_labcourse --file environment" in doctor.how_to_install()


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("raise ImportError('no such wheel')", "ImportError: no such wheel"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGILL)", "crashes when it starts (signal 4)"),
        ('print(\'["2.21.0", [[1.0]], ["CPU"]]\')', "multiplies matrices wrongly"),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_tensorflow_that_does_not_work(code: str, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_TRY_TENSORFLOW", code)
    finding = one(list(doctor._tensorflow()))
    assert not finding.ok
    assert what in finding.detail


def test_tensorflow_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*arguments: object, **options: object) -> None:
        raise subprocess.TimeoutExpired("python", 300)

    monkeypatch.setattr(subprocess, "run", hang)
    assert "does not start" in one(list(doctor._tensorflow())).detail


@pytest.mark.parametrize(("free", "ok"), [(1.9e9, False), (2.1e9, True), (None, True)])
def test_memory(free: float | None, ok: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "free_memory", lambda: free)
    assert one(list(doctor._memory())).ok is ok


def test_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: Usage(1e10, 9.5e9, 5e8))
    finding = one(list(doctor._disk()))
    assert not finding.ok
    assert finding.detail == "0.5 GB free, 1 GB needed"


def test_no_write_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise StorageError("doctor.txt could not be written: Read-only file system.")

    monkeypatch.setattr(doctor, "atomic_write", refuse)
    finding = one(list(doctor._write_permission()))
    assert not finding.ok
    assert "Read-only file system" in finding.detail
    assert "LABCOURSE_OUTPUTS" in finding.mend


def test_kernel_of_another_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_foreign_kernel", lambda: "")
    monkeypatch.setattr(settings, "home", lambda: tmp_path)
    monkeypatch.delenv("CONDA_PREFIX", raising=False)
    assert one(list(doctor._kernel())).ok  # no environment of the course to compare with
    (tmp_path / ".venv").mkdir()
    finding = one(list(doctor._kernel()))
    assert not finding.ok
    assert sys.prefix in finding.detail
    assert "make lab" in finding.mend
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))
    assert one(list(doctor._kernel())).ok
    (tmp_path / "envs" / "ml_labcourse" / "conda-meta").mkdir(parents=True)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "envs" / "ml_labcourse"))
    assert one(list(doctor._kernel())).ok


def test_a_foreign_kernel_that_hides_the_own_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = tmp_path / "kernels" / "python3"
    kernel.mkdir(parents=True)
    spec = {
        "argv": ["/elsewhere/bin/python", "-m", "ipykernel_launcher"],
        "display_name": "Python 3",
        "language": "python",
    }
    (kernel / "kernel.json").write_text(json.dumps(spec))
    assert doctor._foreign_kernel() == ""
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    assert doctor._foreign_kernel() == "/elsewhere/bin/python"
    finding = list(doctor._kernel())[-1]
    assert not finding.ok
    assert "kernelspec uninstall" in finding.mend


def test_missing_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "data_folder", lambda: tmp_path)
    finding = one(list(doctor._samples()))
    assert not finding.ok
    assert all(name in finding.detail for name in samples.ALL)
    for name in samples.ALL:
        for file in samples.get(name).files:
            (tmp_path / file).touch()
    assert one(list(doctor._samples())) == Finding("samples", True, f"bundle: {', '.join(samples.ALL)}")


def test_a_file_damaged_in_its_middle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(doctor._sample_files()) == []
    for source in samples.locate("Zee").paths:
        content = bytearray(source.read_bytes())
        content[len(content) // 2] ^= 0xFF
        (tmp_path / source.name).write_bytes(content)
    monkeypatch.setenv("LABCOURSE_DATA", str(tmp_path))
    finding = one(list(doctor._sample_files()))
    assert (finding.check, finding.ok) == ("sample file", False)
    assert "Zee.4lep.root is damaged" in finding.detail
    assert "Replace this file" in finding.mend


def test_a_named_folder_without_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABCOURSE_DATA", str(tmp_path))
    found, empty = doctor._samples()
    assert found.ok
    assert not empty.ok
    assert f"{tmp_path} holds none" in empty.detail


def test_missing_course_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "course" / "chapters").mkdir(parents=True)
    (tmp_path / "course" / "chapters" / "chapter1_data_preparation.py").touch()
    monkeypatch.setattr(settings, "home", lambda: tmp_path)
    finding = one(list(doctor._files_of_the_course()))
    assert "requirements.lock" in finding.detail
    assert "notebooks/chapter1_data_preparation.ipynb" in finding.detail


def test_a_check_that_fails_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def _broken_check() -> list[Finding]:
        raise RuntimeError("surprise")

    monkeypatch.setenv("LABCOURSE_DATA", "/no/such/folder")
    monkeypatch.setattr(doctor, "_CHECKS", (_broken_check, doctor._samples))
    first, second = doctor.examine()
    assert first == Finding("broken check", False, "RuntimeError: surprise", "Report this line to your instructor.")
    assert not second.ok
    assert "/no/such/folder" in second.detail


# The notebook.


def cells() -> list[str]:
    notebook = json.loads((settings.home() / "test_setup.ipynb").read_text("utf-8"))
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]


def run_cells(folder: Path, *, before: str = "") -> str:
    """Run the notebook's code with the standard library only (no site-packages)."""
    code = "\n".join([before, *cells()])
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"PYTHONIOENCODING": "utf-8"}
    run = subprocess.run(
        [sys.executable, "-S", "-c", code],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_the_notebook_is_clean_and_parses_in_old_python() -> None:
    notebook = json.loads((settings.home() / "test_setup.ipynb").read_text("utf-8"))
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    assert not any(cell.get("outputs") for cell in notebook["cells"])
    for cell in cells():
        tree = ast.parse(cell, feature_version=(3, 4))
        assert not any(isinstance(node, ast.JoinedStr) for node in ast.walk(tree))  # not noticed by feature_version


def test_the_notebook_with_an_old_python(tmp_path: Path) -> None:
    out = run_cells(tmp_path, before="import sys; sys.version_info = (3, 7, 1)")
    assert "the course needs Python 3.10 to 3.13" in out
    assert "Mend what the cell above says" in out


def test_the_notebook_away_from_the_course(tmp_path: Path) -> None:
    assert "labcourse, is neither in" in run_cells(tmp_path)


def test_the_notebook_with_a_broken_package(tmp_path: Path) -> None:
    (tmp_path / "labcourse").mkdir()
    (tmp_path / "labcourse" / "__init__.py").write_text("import no_such_thing")
    out = run_cells(tmp_path)
    assert "labcourse cannot be imported: ModuleNotFoundError: No module named 'no_such_thing'" in out


def test_the_notebook_without_any_package() -> None:
    out = run_cells(settings.home())
    assert "✓ labcourse in" in out
    assert "No module named 'packaging'" in out
    assert "→ Delete the folder .venv and run `make course`" in out
    assert "✓ disk" in out
