"""Which exercises are open, not checked, wrong, solved or answered.

Each exercise has a file of one word, ``<outputs>/<workspace>/progress/<chapter>/<number>.txt``. So two kernels never
write the same file for different exercises, and there is nothing to read before writing.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from course import outputs, workspaces
from course.checks import cells, registry
from labcourse.files import atomic_write, read_small

STATES = ("solved", "answered", "wrong", "unchecked", "open")
"""Right; answered in words, which nobody judges; tried, but not yet right; not checked since the answer was changed;
not tried."""
NOTED = tuple(state for state in STATES if state != "unchecked")
"""What a record can say; that an answer is not checked is known to its notebook only."""

MIME_TYPE = "application/vnd.labcourse.verdict+json"
"""Type of a check's output: ``{"exercise": "1.1", "state": "solved", "cell": fingerprint of the judged cell}``."""


class Verdict(NamedTuple):
    """What a check said last: of which run, of a cell with which fingerprint, and of which object.

    ``order`` is the position of the check among all runs, ``given`` was judged, ``handed_on`` is what the notebook got,
    ``lines`` are those that did not hold.
    """

    state: str
    order: int = 0
    cell: str = ""
    given: Any = None
    handed_on: Any = None
    lines: tuple[str, ...] = ()


watchers: list[Callable[[], None]] = []
"""Called after each check and each cell: what shows the progress follows."""

_checked_here: dict[str, Verdict] = {}
_NUMBER = re.compile(r"([1-9]\d*) \1\.\d+")
"""A record's folder and name."""


def progress_folder(workspace: str | None = None) -> Path:
    """Return the folder that holds the states of a workspace (by default the present one), a folder per chapter."""
    return workspaces.outputs_folder() / (workspace or workspaces.workspace()) / "progress"


def read_states(workspace: str | None = None) -> dict[str, str]:
    """Return the last state of each exercise that was checked, in order: ``{"1.2": "solved", …}``."""
    paths = progress_folder(workspace).glob("*/*.txt")
    states = {path.stem: _read(path) for path in paths if _NUMBER.fullmatch(f"{path.parent.name} {path.stem}")}
    in_order = sorted(states, key=lambda number: tuple(map(int, number.split("."))))
    return {number: states[number] for number in in_order if states[number]}


def states_here(chapter: int | None = None) -> dict[str, str]:
    """Return what this kernel's notebook should show: the workspace's states and those just checked.

    If it is the notebook of a ``chapter``, exercises whose answer was not checked since it was changed are among them.
    """
    noted = read_states() if workspaces.notes_progress() else {}
    here = {number: verdict.state for number, verdict in _checked_here.items()}
    return noted | here | dict.fromkeys(unchecked_here(chapter) if chapter else (), "unchecked")


def unchecked_here(chapter: int) -> list[str]:
    """Return the exercises of a chapter whose answer was run in this kernel, but not checked since."""
    found = []
    for exercise in registry.exercises().values():
        run = cells.last_run(exercise.names) if exercise.chapter == chapter else None
        verdict = _checked_here.get(exercise.number, Verdict("open"))
        if run is None:
            continue
        is_new = run.order > verdict.order and cells.fingerprint(run.source) != verdict.cell
        if not is_new and not cells.renewed(run, verdict.order):
            continue
        if exercise.model:
            is_tried = len(re.findall(r"\w+", " ".join(cells.words(run.source)))) > 4
        else:
            is_tried = not re.search(r"^\s*(?:return|[\w, ]+=)\s*\.\.\.\s*$", run.source, re.MULTILINE)
        found += [exercise.number] if is_tried else []
    return found


def is_solved(number: str) -> bool:
    """Return whether the last check of an exercise in this kernel found it solved: what a grading tool asserts.

    What other kernels noted does not count.
    """
    verdict = verdict_here(number)
    return verdict is not None and verdict.state == "solved"


def verdict_here(number: str) -> Verdict | None:
    """Return what the check of an exercise said last in this kernel."""
    return _checked_here.get(number)


def record_state(number: str, state: str, verdict: Verdict | None = None) -> None:
    """Note the state of an exercise, one of `STATES`, and for this kernel the verdict it comes from.

    A disk that refuses is no reason for a check to fail: then it is noted in this kernel only, as what is no exercise
    of the course.
    """
    _checked_here[number] = verdict or Verdict(state, cells.running.order)
    chapter = number.split(".")[0]
    path = progress_folder() / chapter / f"{number}.txt"
    with contextlib.suppress(Exception):
        if workspaces.notes_progress() and _NUMBER.fullmatch(f"{chapter} {number}") and _read(path) != state:
            atomic_write(path, lambda temporary: temporary.write_text(f"{state}\n"))
    follow()


def publish(number: str, lines: list[str], verdict: Verdict | None) -> None:
    """Show what a check says; in a notebook with the verdict in the same output, for whoever reads the notebook."""
    text = "\n".join(lines)
    shell = cells.shell()
    if not hasattr(shell, "kernel"):
        print(text)
        return
    from IPython.display import display

    verdict = verdict or Verdict("open")
    said = {"exercise": number, "state": verdict.state, "cell": verdict.cell}
    display({MIME_TYPE: said, "text/plain": text}, raw=True)


def follow() -> None:
    """Let what shows the progress follow; the stop button, pressed once too often, only ends that."""
    for watcher in watchers:
        with contextlib.suppress(Exception, KeyboardInterrupt):
            watcher()


def _read(path: Path) -> str:
    """Return the state in a file, or an empty text if it holds none: then the check is to be run again."""
    try:
        state = read_small(path).decode("ascii", "replace").strip()
    except OSError:
        return ""
    return state if state in NOTED else ""


cells.watch(follow)
outputs.remarks.append(lambda chapter: [f"{number} is not checked" for number in unchecked_here(chapter)])
