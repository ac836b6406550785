"""What is wrong with this machine, and how to mend it.

Each check gives rows; none of them needs more than the standard library to say what is missing. TensorFlow is tried
in a process of its own: on a processor that it does not support it would take the notebook's kernel down with it.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from course import workspaces
from labcourse import __version__, samples, settings
from labcourse.errors import LabCourseError
from labcourse.files import atomic_write
from workshop import folders
from workshop.authoring import machine
from workshop.authoring.packages import CONDA_NAME, from_pythonpath, how_to_install

PYTHON = ((3, 10), (3, 13))
"""The oldest and the newest version of Python for which the lock holds packages."""

MEMORY_NEEDED = 2.0
"""Free memory in GB that the largest chapter needs with the full samples."""

DISK_NEEDED = 1.0
"""Free disk space in GB for what all chapters write."""

TRY_TENSORFLOW = """
import labcourse, pandas, tensorflow as tf
tf.linalg.matmul([[1.0, 2.0]], [[3.0], [4.0]])
print(tf.__version__, "on", ", ".join(device.device_type for device in tf.config.list_physical_devices()))
"""


class Finding(NamedTuple):
    """One row: what was checked, whether it is well, what was found, and how to mend it in one sentence."""

    check: str
    ok: bool
    detail: str
    mend: str = ""


def examine(*names: str) -> list[Finding]:
    """Examine interpreter, packages, TensorFlow, machine, kernel, files and samples; takes a few seconds.

    Never raises: a check that fails to run is a finding itself. With names (see `CHECKS`) only these checks are made.
    """
    findings: list[Finding] = []
    for name in names or CHECKS:
        try:
            findings += CHECKS[name]()
        except LabCourseError as error:
            findings.append(Finding(name, False, error.what, error.next_step))
        except Exception as error:  # whatever it is, the reader wants the other rows too
            mend = how_to_install() if isinstance(error, ImportError) else "Report this line to your instructor."
            findings.append(Finding(name, False, f"{type(error).__name__}: {error}", mend))
    return findings


def as_table(findings: list[Finding]) -> str:
    """Return the findings as text, a row each, and a verdict.

    Examples
    --------
    >>> print(as_table([Finding("Python", True, "3.12.1"), Finding("disk", False, "full", "Make room.")]))
    ✓ Python  3.12.1
    ✗ disk    full
              → Make room.
    <BLANKLINE>
    1 of 2 checks failed: mend what is marked ✗, then run this again.
    """
    width = max(len(finding.check) for finding in findings)
    lines = []
    for finding in findings:
        lines.append(f"{'✓' if finding.ok else '✗'} {finding.check:<{width}}  {finding.detail}")
        if not finding.ok:
            lines.append(f"{'':<{width + 4}}→ {finding.mend}")
    failed = sum(not finding.ok for finding in findings)
    bad = f"{failed} of {len(findings)} checks failed: mend what is marked ✗, then run this again."
    return "\n".join([*lines, "", bad if failed else "All is well: open notebooks/chapter1_data_preparation.ipynb."])


def as_report(findings: list[Finding]) -> str:
    """Return the table, the system and all packages, for somebody who cannot look; folders of the user go unnamed."""
    packages = sorted({f"{package.name} {package.version}" for package in importlib.metadata.distributions()})
    system = f"labcourse {__version__}, Python {platform.python_version()}, {platform.platform()}"
    lines = [system, "", as_table(findings), "", *textwrap.wrap(", ".join(packages), 120)]
    text = "\n".join(lines).replace(str(settings.home()), "<course>")
    return text.replace(str(Path.home()), "~") if len(Path.home().parts) > 1 else text


def _python() -> Iterator[Finding]:
    mend = "Install Python 3.10 to 3.13, or use conda with environment.yml, which brings its own."
    yield Finding("Python", PYTHON[0] <= sys.version_info[:2] <= PYTHON[1], platform.python_version(), mend)


def _packages() -> Iterator[Finding]:
    from packaging.requirements import Requirement

    if found := from_pythonpath():
        yield Finding("PYTHONPATH", False, f"other packages come first: {', '.join(found)}", how_to_install())
    declared = map(Requirement, importlib.metadata.requires("labcourse") or ())
    needed = [one for one in declared if one.marker is None or one.marker.evaluate({"extra": ""})]
    wrong: list[Finding] = []
    for requirement in needed:
        detail = "not installed"
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            version = importlib.metadata.version(requirement.name)
            if requirement.specifier.contains(version, prereleases=True):
                continue
            detail = f"version {version}, needed {requirement.specifier}"
        wrong.append(Finding(f"package {requirement.name}", False, detail, how_to_install()))
    yield from wrong or [Finding("packages", True, f"all {len(needed)} are installed")]


def _tensorflow() -> Iterator[Finding]:
    environment, mend = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}, how_to_install()
    command = [sys.executable, "-c", TRY_TENSORFLOW]
    run = subprocess.run(command, cwd=settings.home(), env=environment, capture_output=True, text=True, timeout=300)
    detail = ((run.stdout if run.returncode == 0 else run.stderr).strip().splitlines() or ["no message"])[-1]
    if run.returncode < 0:
        detail = f"crashes when it starts (signal {-run.returncode})"
        mend = "Use another machine: TensorFlow needs a processor with AVX (Intel or AMD since 2011) or an ARM one."
    yield Finding("TensorFlow", run.returncode == 0, detail, mend)


def _memory() -> Iterator[Finding]:
    free = machine.free_memory() / 1e9
    mend = "Close other programs, and shut down kernels that you no longer use."
    yield Finding("memory", free >= MEMORY_NEEDED, f"{free:.1f} GB free, {MEMORY_NEEDED:.0f} GB needed", mend)


def _disk() -> Iterator[Finding]:
    folder = workspaces.outputs_folder()
    trial = folder / "doctor.txt"
    atomic_write(trial, lambda path: path.write_text("a trial\n"))
    trial.unlink()
    free = shutil.disk_usage(folder).free / 1e9
    mend = "Make room, or set LABCOURSE_OUTPUTS to a folder on a larger disk."
    yield Finding("disk", free >= DISK_NEEDED, f"{free:.1f} GB free, {DISK_NEEDED:.0f} GB needed", mend)


def _kernel() -> Iterator[Finding]:
    prefix, own = Path(sys.prefix), settings.home() / ".venv"
    is_conda = prefix.name == CONDA_NAME and (prefix / "conda-meta").is_dir()
    is_ours = is_conda or not own.is_dir() or prefix.resolve() == own.resolve()
    mend = f"Start JupyterLab with `make lab` (conda: `conda activate {CONDA_NAME}` first), and pick its Python 3."
    yield Finding("kernel", is_ours, f"runs in {prefix}" + ("" if is_ours else f", not in {own}"), mend)
    from jupyter_client.kernelspec import KernelSpecManager

    interpreter = Path(KernelSpecManager().get_kernel_spec("python3").argv[0])
    # A bare name means the interpreter that Jupyter itself runs in.
    if interpreter.is_absolute() and interpreter.parent != Path(sys.executable).parent:
        mend = "Remove that kernel with `jupyter kernelspec uninstall python3`: it hides the one of the course."
        yield Finding("kernel", False, f"notebooks would be run by {interpreter}", mend)


def _samples() -> Iterator[Finding]:
    """Read every sample file to its end."""
    from workshop.opendata import integrity

    sources = folders.by_source()
    missing = sources.pop("missing", [])
    lost = f"not found: {', '.join(missing)}"
    found = "; ".join(f"{source}: {', '.join(names)}" for source, names in sources.items())
    yield Finding("samples", not missing, lost if missing else found, settings.get_back("data"))
    for v in integrity.verify():
        if v.state not in (*integrity.GOOD, "missing"):
            mend = samples.get_again(Path(v.folder) / v.file)
            yield Finding("samples", False, f"{v.file} is {v.state}: {v.detail}", mend)


CHECKS: dict[str, Callable[[], Iterator[Finding]]] = {
    "Python": _python,
    "packages": _packages,
    "TensorFlow": _tensorflow,
    "memory": _memory,
    "disk": _disk,
    "kernel": _kernel,
    "samples": _samples,
}
"""The checks by name, in the order of the table."""
