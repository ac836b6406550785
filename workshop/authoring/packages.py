"""What to do where packages are missing, old, or those of another software: in one sentence."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from labcourse import settings

CONDA_NAME = "ml_labcourse"

_TELLING = ("numpy", "scipy", "pandas", "tensorflow", "keras", "matplotlib", "IPython", "typer", "click", "rich")
"""Packages that any other software stack is likely to bring."""


def how_to_install() -> str:
    """Say what to do where packages are missing or cannot be imported."""
    if from_pythonpath():
        return (
            f"Unset PYTHONPATH (now {os.environ['PYTHONPATH']}), which puts the packages of another software before "
            "those of the course: `unset PYTHONPATH`, and start JupyterLab anew."
        )
    if (Path(sys.prefix) / "conda-meta").is_dir():
        return (
            f"Run `conda env update -n {CONDA_NAME} --file environment.yml --prune` in the course's folder (on Apple "
            "silicon with environment_mac_m1.yml)."
        )
    return "Delete the folder .venv and run `make course`, which installs all packages anew."


def why_broken(error: Exception) -> str:
    """Return, for an error of the machine's packages, a message in place of a traceback; else an empty text."""
    if not (isinstance(error, ImportError) or from_pythonpath()):
        return ""
    what = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    return f"labcourse: {type(error).__name__}: {what}\n  next:  {how_to_install()}"


def from_pythonpath() -> list[str]:
    """Return the packages that PYTHONPATH brings, those of the course's own folder left out."""
    folders = [Path(part).absolute() for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part]
    own = (settings.home(), Path(sys.prefix).absolute())
    others = [folder for folder in folders if not any(folder.is_relative_to(place) for place in own)]
    return [name for name in _TELLING if any((f / name).is_dir() or (f / f"{name}.py").is_file() for f in others)]
