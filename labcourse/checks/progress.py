"""Which exercises are open, wrong, solved or answered.

Each exercise has a file of one word, ``<outputs>/<workspace>/progress/<chapter>/<number>.txt``. So two kernels never
write the same file for different exercises, and there is nothing to read before writing.
"""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Callable
from pathlib import Path

from labcourse import settings
from labcourse.errors import StorageError
from labcourse.files import atomic_write, read_small, set_aside

__all__ = ["STATES", "is_solved", "progress_folder", "read_states", "record_state", "states_here", "watchers"]

STATES = ("solved", "answered", "wrong", "open")
"""Right; answered in words, which nobody judges; tried, but not yet right; not tried."""

watchers: list[Callable[[], None]] = []
"""Called after each check: what shows the progress follows."""

_checked_here: dict[str, str] = {}
_NUMBER = re.compile(r"(\d+)\.(\d+)")


def progress_folder(workspace: str | None = None) -> Path:
    """Return the folder that holds the states of a workspace (by default the present one), a folder a chapter."""
    return settings.outputs_folder() / (workspace or settings.workspace()) / "progress"


def read_states(workspace: str | None = None) -> dict[str, str]:
    """Return the last state of each exercise that was checked, in order: ``{"1.2": "solved", …}``.

    A damaged record is moved to another name, and that is said on standard error.
    """
    states = {}
    with contextlib.suppress(OSError):
        for path in progress_folder(workspace).glob("*/*.txt"):
            match = _NUMBER.fullmatch(path.stem)
            if match and path.parent.name == match[1]:
                states[path.stem] = _read(path)
    return {number: states[number] for number in sorted(states, key=_order) if states[number]}


def states_here() -> dict[str, str]:
    """Return what this kernel's notebook should show: the workspace's states and those just checked."""
    return (read_states() if settings.notes_progress() else {}) | _checked_here


def is_solved(number: str) -> bool:
    """Return whether the last check of an exercise in this kernel found it solved: what a grading tool asserts.

    What other kernels noted does not count.
    """
    return _checked_here.get(number) == "solved"


def record_state(number: str, state: str) -> None:
    """Note the state of an exercise: one of `STATES`.

    A disk that refuses is no reason for a check to fail: then it is noted in this kernel only.
    """
    match = _NUMBER.fullmatch(number)
    if not match:
        return
    _checked_here[number] = state
    path = progress_folder() / match[1] / f"{number}.txt"
    with contextlib.suppress(Exception):
        if settings.notes_progress() and _read(path) != state:
            atomic_write(path, lambda temporary: temporary.write_text(f"{state}\n"))
    for watcher in watchers:
        with contextlib.suppress(Exception):
            watcher()


def _read(path: Path) -> str:
    """Return the state in a file, or an empty text if there is none that can be read."""
    try:
        state = read_small(path).decode("ascii", "replace").strip()
    except OSError:
        return ""
    if state in STATES:
        return state
    try:
        kept = f"is kept as {set_aside(path, 'damaged').name}"
    except StorageError:
        kept = "cannot be moved away"
    print(
        f"The record of exercise {path.stem} was damaged and {kept} in {path.parent}: run its check again.",
        file=sys.stderr,
    )
    return ""


def _order(number: str) -> tuple[int, ...]:
    return tuple(map(int, number.split(".")))
