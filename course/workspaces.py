"""Where chapters write, and which workspace a notebook belongs to: the student's or the solutions'.

Three environment variables change it:

``LABCOURSE_OUTPUTS``
    Where chapters write, instead of ``data/outputs``.
``LABCOURSE_WORKSPACE``
    The workspace, whatever the notebook says.
``LABCOURSE_INPUTS``
    The workspace from which a chapter reads what earlier ones made, instead of its own: for grading one chapter alone.
"""

from __future__ import annotations

import os
from pathlib import Path

from labcourse import settings

is_solution = False
"""Whether the notebook of this process is a solution; it is a student's unless it says so (`outputs.Chapter`)."""


def outputs_folder() -> Path:
    """Return the folder under which chapters write."""
    chosen = os.environ.get("LABCOURSE_OUTPUTS")
    return settings.home() / os.path.expanduser(chosen) if chosen else settings.data_folder() / "outputs"


def workspace() -> str:
    """Return the workspace: that of ``LABCOURSE_WORKSPACE``, else ``solutions`` in a solution, else ``notebooks``.

    What a solution does so never touches what a student made, in whatever folder its kernel runs.
    """
    return os.environ.get("LABCOURSE_WORKSPACE") or ("solutions" if is_solution else "notebooks")


def inputs_workspace() -> str:
    """Return the workspace whose outputs of earlier chapters are read: the present one, unless another is named."""
    return os.environ.get("LABCOURSE_INPUTS") or workspace()


def notes_progress() -> bool:
    """Return whether the checks note which exercises are solved: in the student's workspace, and in no other."""
    return workspace() == "notebooks"
