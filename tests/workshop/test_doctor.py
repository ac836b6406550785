"""The doctor finds what is wrong, says how to mend it, and never raises."""

import ast
import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from course import workspaces
from labcourse import samples, settings
from workshop.authoring import doctor, machine


def says(name: str) -> str:
    """What the table says of one check that does not hold."""
    findings = doctor.examine(name)
    assert not all(finding.ok for finding in findings)
    table = doctor.as_table(findings)
    assert "→" in table, "how to mend it"
    return table


def test_a_machine_that_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    if "labcourse" not in {d.name for d in importlib.metadata.distributions()}:
        monkeypatch.setattr(doctor, "CHECKS", {k: v for k, v in doctor.CHECKS.items() if k != "packages"})
    monkeypatch.setattr(machine, "free_memory", lambda: 8e9)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    findings = doctor.examine()
    assert "All is well" in doctor.as_table(findings), doctor.as_table(findings)
    assert [finding.check for finding in findings] == list(doctor.CHECKS)
    assert not list(workspaces.outputs_folder().iterdir())  # the trial leaves nothing behind


def test_a_python_without_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ((3, 9, 18), (3, 14, 0)):
        monkeypatch.setattr(sys, "version_info", version)
        assert "Install Python 3.10 to 3.13" in says("Python")


def test_missing_and_old_packages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real = importlib.metadata.version

    def version(name: str) -> str:
        if name in ("uproot", "pythia8mc"):
            raise importlib.metadata.PackageNotFoundError(name)
        return "2.15.0" if name == "tensorflow" else real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    table = says("packages")
    assert all(f"package {name}" in table for name in ("uproot", "tensorflow"))
    assert "pythia8mc" not in table  # that of an extra
    assert "version 2.15.0, needed ~=2.21" in table
    assert "run `make course`" in table
    (tmp_path / "conda-meta").mkdir()
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert "conda env update -n ml_labcourse --file environment" in says("packages")


def test_a_course_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def requires(name: str) -> list[str]:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "requires", requires)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    assert "No package metadata was found for labcourse" in says("packages")
    assert "run `make course`" in says("packages")


def test_packages_of_another_software(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "numpy").mkdir()
    (tmp_path / "typer.py").touch()
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "nowhere"), str(tmp_path)]))
    table = says("packages")
    assert "other packages come first: numpy, typer" in table
    assert "unset PYTHONPATH" in table
    assert ".venv" not in doctor.how_to_install()


def test_samples_that_are_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "home", lambda: tmp_path)
    (tmp_path / "data").mkdir()
    assert "pip install --no-deps -e ." in says("samples")
    assert all(name in says("samples") for name in samples.ALL)
    (tmp_path / "pyproject.toml").touch()
    assert "git" not in says("samples")
    (tmp_path / ".git").mkdir()
    assert "git checkout" in says("samples")


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("raise ImportError('no such wheel')", "ImportError: no such wheel"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGILL)", "crashes when it starts (signal 4)"),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_tensorflow_that_does_not_work(code: str, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "TRY_TENSORFLOW", code)
    assert what in says("TensorFlow")


def test_too_little_memory_and_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "free_memory", lambda: 1.9e9)
    assert "1.9 GB free, 2 GB needed" in says("memory")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=5e8))
    assert "0.5 GB free, 1 GB needed" in says("disk")
    assert "LABCOURSE_OUTPUTS" in says("disk")
    (tmp_path / "file").touch()
    monkeypatch.setenv("LABCOURSE_OUTPUTS", str(tmp_path / "file"))
    assert "choose a folder you may write to" in says("disk")


def test_a_kernel_of_another_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "home", lambda: tmp_path)
    (tmp_path / ".venv").mkdir()
    assert f"runs in {sys.prefix}, not in {tmp_path}" in says("kernel")
    (tmp_path / "envs" / "ml_labcourse" / "conda-meta").mkdir(parents=True)
    for own in (tmp_path / ".venv", tmp_path / "envs" / "ml_labcourse"):
        monkeypatch.setattr(sys, "prefix", str(own))
        assert doctor.examine("kernel")[0].ok
    folder = tmp_path / "kernels" / "python3"
    folder.mkdir(parents=True)
    spec = {"argv": ["/elsewhere/bin/python", "-m", "ipykernel_launcher"], "display_name": "x", "language": "python"}
    (folder / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    assert "would be run by /elsewhere/bin/python" in says("kernel")
    assert "kernelspec uninstall" in says("kernel")


def test_a_damaged_sample_and_a_folder_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABCOURSE_DATA", str(tmp_path))
    for source in samples.locate("Zee").paths:
        content = bytearray(source.read_bytes())
        content[len(content) // 2] ^= 0xFF
        (tmp_path / source.name).write_bytes(content)
    assert "Zee.4lep.root is damaged" in (table := says("samples"))
    assert "Replace this file" in table
    monkeypatch.setenv("LABCOURSE_DATA", "/no/such/folder")
    assert "/no/such/folder does not exist" in says("samples")
    monkeypatch.setitem(doctor.CHECKS, "samples", lambda: 1 / 0)  # a check that fails is a finding, too
    assert "ZeroDivisionError: division by zero" in says("samples")


# The notebook, with the standard library only (no site-packages).


def run_cells(folder: Path, *, before: str = "") -> str:
    notebook = json.loads((settings.home() / "test_setup.ipynb").read_text("utf-8"))
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for cell in cells:  # parsed by an old Python, too
        tree = ast.parse(cell, feature_version=(3, 4))
        assert not any(isinstance(node, ast.JoinedStr) for node in ast.walk(tree))  # not noticed by feature_version
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-S", "-c", "\n".join([before, *cells])]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_notebook_without_python_course_or_packages(tmp_path: Path) -> None:
    out = run_cells(tmp_path, before="import sys; sys.version_info = (3, 7, 1)")
    assert "the course needs Python 3.10 to 3.13" in out
    assert "Mend what the cell above says" in out
    assert "labcourse, is neither in" in run_cells(tmp_path)
    (tmp_path / "labcourse").mkdir()
    (tmp_path / "labcourse" / "__init__.py").touch()
    assert "labcourse cannot be imported: ModuleNotFoundError: No module named 'workshop'" in run_cells(tmp_path)
    no_trial = f"import sys; sys.path.insert(0, {str(settings.home())!r})\nfrom workshop.authoring import doctor\n"
    out = run_cells(settings.home(), before=f"{no_trial}doctor.TRY_TENSORFLOW = ''")
    assert "✓ labcourse in" in out
    assert "No module named 'packaging'" in out
    assert "→ Delete the folder .venv and run `make course`" in out
    assert "✓ disk" in out


def test_a_report_says_which_machine_it_is_and_not_whose(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    found = doctor.Finding("disk", False, f"full ({tmp_path / 'outputs'} of {settings.home() / 'data'})", "Make room.")
    report = doctor.as_report([found])
    assert platform.platform() in report
    assert f"tensorflow {importlib.metadata.version('tensorflow')}" in report.replace("\n", " ")
    assert "full (~" in report
    assert "of <course>" in report
    assert str(tmp_path) not in report


@pytest.mark.parametrize("first", [True, False])
def test_tensorflow_comes_before_arrow_where_the_order_matters(first: bool, tmp_path: Path) -> None:
    """Elsewhere nobody waits for it who only reads a table."""
    code = f"""
import sys, labcourse
sys.path.insert(0, {str(tmp_path)!r})
labcourse.TENSORFLOW_FIRST = {first}
import course.outputs, labcourse.ntuple, pandas, pyarrow.parquet
loaded = list(sys.modules)
print("tensorflow" in loaded and loaded.index("tensorflow") < loaded.index("pyarrow"), "tensorflow" in loaded)
"""
    (tmp_path / "tensorflow.py").touch()
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=settings.home())
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == [str(first), str(first)]
