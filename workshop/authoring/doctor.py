"""What is wrong with this machine, and how to mend it.

Each check gives one row; none of them raises, and none of them needs more than the standard library to say
what is missing. TensorFlow is tried in a process of its own: on a processor that it does not support it
would take the notebook's kernel down with it.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from labcourse import samples, settings
from labcourse.errors import LabCourseError
from labcourse.files import atomic_write
from workshop.authoring.machine import free_memory
from workshop.authoring.packages import CONDA_NAME, from_pythonpath, how_to_install

PYTHON = ((3, 10), (3, 13))
"""The oldest and the newest version of Python for which the lock holds packages."""

MEMORY_NEEDED = 2.0
"""Free memory in GB that the largest chapter needs with the full samples."""

DISK_NEEDED = 1.0
"""Free disk space in GB for what all chapters write."""

_GB = 1e9
_TRY_TENSORFLOW = """
import json
import tensorflow as tf
product = tf.linalg.matmul([[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0], [3.0, 4.0]]).numpy().tolist()
print(json.dumps([tf.__version__, product, [device.device_type for device in tf.config.list_physical_devices()]]))
"""


class Finding(NamedTuple):
    """One row: what was checked, whether it is well, what was found, and how to mend it in one sentence."""

    check: str
    ok: bool
    detail: str
    mend: str = ""


def examine() -> list[Finding]:
    """Examine interpreter, packages, TensorFlow, machine, kernel, files and samples; takes a few seconds.

    Never raises: a check that fails to run is a finding itself.
    """
    findings: list[Finding] = []
    for check in _CHECKS:
        try:
            findings += check()
        except LabCourseError as error:
            findings.append(Finding(_name(check), False, error.what, error.next_step))
        except Exception as error:  # whatever it is, the reader wants the other rows too
            mend = how_to_install() if isinstance(error, ImportError) else "Report this line to your instructor."
            findings.append(Finding(_name(check), False, f"{type(error).__name__}: {error}", mend))
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
    width = max((len(finding.check) for finding in findings), default=0)
    lines = []
    for finding in findings:
        lines.append(f"{'✓' if finding.ok else '✗'} {finding.check:<{width}}  {finding.detail}")
        if not finding.ok and finding.mend:
            lines.append(f"{'':<{width + 4}}→ {finding.mend}")
    failed = sum(not finding.ok for finding in findings)
    verdict = (
        f"{failed} of {len(findings)} checks failed: mend what is marked ✗, then run this again."
        if failed
        else "All is well: open notebooks/chapter1_data_preparation.ipynb."
    )
    return "\n".join([*lines, "", verdict])


def _python() -> Iterator[Finding]:
    oldest, newest = (".".join(map(str, version)) for version in PYTHON)
    yield Finding(
        "Python",
        PYTHON[0] <= sys.version_info[:2] <= PYTHON[1],
        platform.python_version(),
        f"Install Python {oldest} to {newest}, or use conda with environment.yml, which brings its own.",
    )


def _files_of_the_course() -> Iterator[Finding]:
    home = settings.home()
    wanted = ["pyproject.toml", "requirements.lock", "course", "data", "notebooks", "solutions"]
    missing = [name for name in wanted if not (home / name).exists()]
    for folder in ("notebooks", "solutions"):
        sources = (home / "course" / "chapters").glob("*.py")
        missing += [f"{folder}/{s.stem}.ipynb" for s in sources if not (home / folder / f"{s.stem}.ipynb").exists()]
    detail = f"missing: {', '.join(missing)}" if missing else f"complete in {home}"
    yield Finding("course files", not missing, detail, settings.get_back("."))


def _other_packages() -> Iterator[Finding]:
    if found := from_pythonpath():
        yield Finding("PYTHONPATH", False, f"other packages come first: {', '.join(found)}", how_to_install())


def _packages() -> Iterator[Finding]:
    from packaging.requirements import Requirement

    home = settings.home()
    if not (home / "requirements.lock").is_file():
        return  # among the files of the course
    block = re.search(r"^dependencies = \[(.*?)^\]", (home / "pyproject.toml").read_text("utf-8"), re.M | re.S)
    ranges = {r.name: r.specifier for r in map(Requirement, re.findall(r'"(.+?)"', block[1] if block else ""))}
    lines = re.findall(r"^(\S+==[^\\\n]+)", (home / "requirements.lock").read_text("utf-8"), re.M)
    count = 0
    wrong = []
    for requirement in map(Requirement, lines):
        if requirement.marker and not requirement.marker.evaluate():
            continue
        count += 1
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            wrong.append(Finding(f"package {requirement.name}", False, "not installed", how_to_install()))
            continue
        wanted = ranges.get(requirement.name)
        if wanted is not None and not wanted.contains(version, prereleases=True):
            detail = f"version {version}, needed {wanted}"
            wrong.append(Finding(f"package {requirement.name}", False, detail, how_to_install()))
    if wrong:
        yield from wrong
    else:
        yield Finding("packages", True, f"all {count} are installed")
    try:
        importlib.metadata.version("labcourse")
    except importlib.metadata.PackageNotFoundError:
        mend = "Run `python -m pip install --no-deps --no-build-isolation -e .` in the course's folder."
        yield Finding("package labcourse", False, "not installed in this environment", mend)


def _tensorflow() -> Iterator[Finding]:
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", _TRY_TENSORFLOW]
    try:
        run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    except subprocess.TimeoutExpired:
        mend = "Close other programs and try again: the machine is overloaded or its disk very slow."
        yield Finding("TensorFlow", False, "does not start within five minutes", mend)
        return
    if run.returncode == 0:
        version, product, devices = json.loads(run.stdout.splitlines()[-1])
        right = product == [[7.0, 10.0], [15.0, 22.0]]
        detail = f"{version} on {', '.join(devices)}" if right else f"{version} multiplies matrices wrongly: {product}"
        yield Finding("TensorFlow", right, detail, how_to_install())
    elif run.returncode < 0:
        mend = "Use another machine: TensorFlow needs a processor with AVX (Intel or AMD since 2011) or an ARM one."
        yield Finding("TensorFlow", False, f"crashes when it starts (signal {-run.returncode})", mend)
    else:
        reason = (run.stderr.strip().splitlines() or ["no message"])[-1]
        yield Finding("TensorFlow", False, reason, how_to_install())


def _memory() -> Iterator[Finding]:
    free = free_memory()
    if free is None:
        yield Finding("memory", True, "unknown (this system does not tell)")
    else:
        mend = "Close other programs, and shut down kernels that you no longer use."
        detail = f"{free / _GB:.1f} GB free, {MEMORY_NEEDED:.0f} GB needed"
        yield Finding("memory", free >= MEMORY_NEEDED * _GB, detail, mend)


def _disk() -> Iterator[Finding]:
    folder = settings.outputs_folder()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free / _GB
    mend = "Delete files that you no longer need, or set LABCOURSE_OUTPUTS to a folder on a larger disk."
    yield Finding("disk", free >= DISK_NEEDED, f"{free:.1f} GB free, {DISK_NEEDED:.0f} GB needed", mend)


def _write_permission() -> Iterator[Finding]:
    folder = settings.outputs_folder()
    trial = folder / "doctor.txt"
    mend = "Get write permission for this folder, or set LABCOURSE_OUTPUTS to a folder that you may write to."
    try:
        atomic_write(trial, lambda path: path.write_text("a trial\n"))
        trial.unlink()
    except (LabCourseError, OSError) as error:
        yield Finding("write permission", False, getattr(error, "what", str(error)) + f" ({folder})", mend)
    else:
        yield Finding("write permission", True, str(folder))


def _kernel() -> Iterator[Finding]:
    prefix, own = Path(sys.prefix), settings.home() / ".venv"
    conda = os.environ.get("CONDA_PREFIX")
    is_conda = (prefix / "conda-meta").is_dir()
    if prefix.resolve() == own.resolve():
        ok, detail = True, f"the course's own environment, {own}"
    elif is_conda and (prefix.name == CONDA_NAME or not own.is_dir()):
        ok, detail = True, f"the conda environment {prefix.name}"
    elif own.is_dir() or conda:
        ok, detail = False, f"runs in {prefix}, not in {own if own.is_dir() else conda}"
    else:
        ok, detail = True, f"runs in {prefix}"
    mend = (
        f"Start JupyterLab with `make lab` (conda: `conda activate {CONDA_NAME}` first), and pick its Python 3 kernel."
    )
    yield Finding("kernel", ok, detail, mend)
    other = _foreign_kernel()
    if other:
        mend = "Remove that kernel with `jupyter kernelspec uninstall python3`: it hides the one of the course."
        yield Finding("Jupyter kernel", False, f"notebooks would be run by {other}", mend)


def _samples() -> Iterator[Finding]:
    sources = samples.by_source()
    missing = sources.pop("missing", [])
    if missing:
        yield Finding("samples", False, f"not found: {', '.join(missing)}", settings.get_back("data"))
    else:
        yield Finding("samples", True, "; ".join(f"{source}: {', '.join(names)}" for source, names in sources.items()))
    for folder in settings.search_path()[:-1]:
        if folder != settings.official_folder() and not samples.holds_samples(folder):
            mend = "Correct or unset LABCOURSE_DATA; `labcourse data use --forget` forgets what that command has set."
            yield Finding("sample folder", False, f"{folder} holds none of the course's files", mend)


def _sample_files() -> Iterator[Finding]:
    """Read every sample file to its end."""
    from workshop import opendata

    for verdict in opendata.verify():
        if verdict.state not in (*opendata.GOOD, "missing"):
            path = Path(verdict.folder) / verdict.file
            detail = f"{verdict.file} is {verdict.state}: {verdict.detail}"
            yield Finding("sample file", False, detail, samples.get_again(path))


_CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    _python,
    _files_of_the_course,
    _other_packages,
    _packages,
    _tensorflow,
    _memory,
    _disk,
    _write_permission,
    _kernel,
    _samples,
    _sample_files,
)


def _name(check: Callable[[], Iterator[Finding]]) -> str:
    return check.__name__.strip("_").replace("_", " ")


def _foreign_kernel() -> str:
    """Return the interpreter that Jupyter starts for «Python 3», if it is not this one."""
    try:
        specs = importlib.import_module("jupyter_client.kernelspec")
    except ImportError:
        return ""  # reported among the packages
    interpreter = str(specs.KernelSpecManager().get_kernel_spec("python3").argv[0])
    # A bare name means the interpreter that Jupyter itself runs in.
    is_own = not os.path.isabs(interpreter) or Path(interpreter).parent == Path(sys.executable).parent
    return "" if is_own else interpreter
