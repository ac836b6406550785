"""Which exercises are open, not checked, wrong, solved or answered, and the panel of a notebook that shows it.

Each exercise has a file of one word, ``<outputs>/<workspace>/progress/<chapter>/<number>.txt``. So two kernels never
write the same file for different exercises, and there is nothing to read before writing.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections import Counter, deque
from collections.abc import Mapping
from html import escape, unescape
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from course import live, workspaces
from course.checks import cells, registry
from course.outputs import CHAPTERS, WORDS, called
from labcourse.files import atomic_write, read_small

STATES = ("solved", "answered", "wrong", "unchecked", "open")
"""Right; answered in words, which nobody judges; tried, but not yet right; not checked since the answer was changed;
not tried."""
_SYMBOLS = dict(zip(STATES, "✓✎✗?○", strict=True))
NOTED = tuple(state for state in STATES if state != "unchecked")
"""What a record can say; that an answer is not checked is known to its notebook only."""

MIME_TYPE = "application/vnd.labcourse.verdict+json"
"""Type of a check's output: ``{"exercise": "1.1", "state": "solved", "cell": fingerprint of the judged cell}``."""


class Verdict(NamedTuple):
    """What a check said last, and of what.

    ``run`` is the last run that bound the answer, ``made`` what that is made of (`cells.made_of`), ``cell`` the
    fingerprint of the judged cell, if it is known. ``given`` was judged, ``handed_on`` is what the notebook got, and
    ``lines`` are those that did not hold.
    """

    state: str
    run: cells.Run | None = None
    made: frozenset[str] = frozenset()
    cell: str = ""
    given: Any = None
    handed_on: Any = None
    lines: tuple[str, ...] = ()


verdicts: dict[str, Verdict] = {}
"""What the check of each exercise said last in this kernel."""

_shown: deque[tuple[int, Any, Any]] = deque(maxlen=4)
"""The panels of this notebook, as what stays and as a widget: at its top and its end, and a few that were run again."""

_NUMBER = re.compile(r"([1-9]\d*) \1\.\d+")
"""A record's folder and name."""
_STUB = re.compile(r'^\s*(?:return|[\w, ]+=)\s*(?:\.\.\.|r?"""\s*""")\s*$', re.MULTILINE)
"""A line of a cell in which nothing is answered yet."""


def progress_folder(workspace: str | None = None) -> Path:
    """Return the folder that holds the states of a workspace (by default the present one), a folder per chapter."""
    return workspaces.outputs_folder() / (workspace or workspaces.workspace()) / "progress"


def read_states(workspace: str | None = None) -> dict[str, str]:
    """Return the last state of each exercise that was checked, in order: ``{"1.2": "solved", …}``."""
    paths = progress_folder(workspace).glob("*/*.txt")
    states = {path.stem: _read(path) for path in paths if _NUMBER.fullmatch(f"{path.parent.name} {path.stem}")}
    in_order = sorted(states, key=lambda number: tuple(map(int, number.split("."))))
    return {number: states[number] for number in in_order if states[number]}


def states_here(chapter: int) -> dict[str, str]:
    """Return what the notebook of a chapter should show: what the workspace notes, and what this kernel knows."""
    noted = read_states() if workspaces.notes_progress() else {}
    here = {number: verdict.state for number, verdict in verdicts.items()}
    return noted | here | dict.fromkeys(unchecked_here(chapter), "unchecked")


def unchecked_here(chapter: int) -> list[str]:
    """Return the exercises of a chapter whose answer was run in this kernel, but not checked since."""
    here = [exercise for exercise in registry.exercises().values() if exercise.chapter == chapter]
    runs = {exercise.number: cells.last_run(*exercise.names) for exercise in here}
    tried = {number: run for number, run in runs.items() if run is not None and not _STUB.search(run.source)}
    return [n for n, run in tried.items() if n not in verdicts or cells.made_of(run) != verdicts[n].made]


def is_solved(number: str) -> bool:
    """Return whether the last check of an exercise in this kernel found it solved: what a grading tool asserts.

    What other kernels noted does not count.
    """
    return number in verdicts and verdicts[number].state == "solved"


def record_state(number: str, state: str, verdict: Verdict | None = None) -> None:
    """Note the state of an exercise, one of `STATES`, and for this kernel the verdict it comes from.

    A disk that refuses is no reason for a check to fail: then it is noted in this kernel only, as what is no exercise
    of the course.
    """
    verdicts[number] = verdict or Verdict(state)
    chapter = number.split(".")[0]
    path = progress_folder() / chapter / f"{number}.txt"
    with contextlib.suppress(Exception):
        if workspaces.notes_progress() and _NUMBER.fullmatch(f"{chapter} {number}") and _read(path) != state:
            atomic_write(path, lambda temporary: temporary.write_text(f"{state}\n"))


def publish(number: str, lines: list[str], verdict: Verdict) -> None:
    """Show what a check says; in a notebook with the verdict in the same output, for whoever reads the notebook."""
    text = "\n".join(lines)
    shell = cells.shell()
    if not hasattr(shell, "kernel"):
        print(text)
        return
    from IPython.display import display

    said = {"exercise": number, "state": verdict.state, "cell": verdict.cell}
    display({MIME_TYPE: said, "text/plain": text}, raw=True)


def _read(path: Path) -> str:
    """Return the state in a file, or an empty text if it holds none: then the check is to be run again."""
    try:
        state = read_small(path).decode("ascii", "replace").strip()
    except OSError:
        return ""
    return state if state in NOTED else ""


def by_chapter(states: Mapping[str, str]) -> list[dict[str, int]]:
    """Count the exercises of each chapter by the states noted: ``chapter``, ``exercises`` and those of `NOTED`."""
    rows: dict[int, Counter[str]] = {}
    for number, exercise in registry.exercises().items():
        row = rows.setdefault(exercise.chapter, Counter(dict.fromkeys(NOTED, 0)))
        row[states.get(number, "open")] += 1
    return [{"chapter": chapter, "exercises": row.total(), **row} for chapter, row in sorted(rows.items())]


def panel(chapter: int) -> None:
    """Show which exercises of a chapter are in which of the `STATES`.

    In a notebook each exercise is a link to its place, and the panel follows the checks, also when the page is loaded
    again; elsewhere it is printed.
    """
    from IPython.display import display

    shell, content = cells.shell(), _content(chapter)
    if shell is None:
        print(content["text/plain"])
        return
    import ipywidgets as widgets

    # A page that is loaded again asks the kernel for its widgets, but forgets which outputs can be updated.
    widget = widgets.Output()
    if not _shown:
        shell.events.register("post_run_cell", _refresh)
    _shown.append((chapter, display(content, raw=True, display_id=True), widget))
    _refresh()
    live.show(widget, "Run this cell to bring the panel up to date.")


def _refresh(_: object = None) -> None:
    # A panel that fails, or the stop button pressed once too often, ends no cell.
    with contextlib.suppress(Exception, KeyboardInterrupt):
        for chapter, handle, widget in _shown:
            output = {"output_type": "display_data", "data": _content(chapter), "metadata": {}}
            if widget.outputs != (output,):  # most cells change nothing
                widget.outputs = (output,)
                handle.update(output["data"], raw=True)


def _content(chapter: int) -> dict[str, str]:
    """Return the panel as HTML and, with the same information, as text."""
    states = {number: "open" for number, e in registry.exercises().items() if e.chapter == chapter}
    states |= {number: state for number, state in states_here(chapter).items() if number in states}
    # This notebook may have another name than the course gave it. JupyterLab finds a cell by its id; by a heading only
    # where it has no dash.
    own = quote(Path(os.environ.get("JPY_SESSION_NAME") or CHAPTERS[chapter] + ".ipynb").name)
    link = '<a href="{}#cell-id={}" title="{}">{}</a>'
    links = {n: link.format(own, e.cell, escape(e.title), n) for n, e in registry.exercises().items()}
    done = sum(state in ("solved", "answered") for state in states.values())
    lines = [f"<strong>Exercises of {called(chapter)}: {done} of {len(states)} done</strong>"]
    for state in STATES:
        if group := ", ".join(links[number] for number in states if states[number] == state):
            told = f"{group}: not checked" if state == "unchecked" else f"{state}: {group}"
            lines.append(f"{_SYMBOLS[state]} {told}")
    if states and done == len(states):
        # Behind the chapters comes the project; what stands beside them has no next one.
        goes_on = WORDS[chapter] == f"chapter{chapter}"
        follows = f'<a href="{CHAPTERS[chapter + 1]}.ipynb">{called(chapter + 1)}</a>' if goes_on else ""
        lines.append("All done" + f" – go on to {follows}" * goes_on)
    return {"text/html": f"<p>{'<br>'.join(lines)}</p>", "text/plain": unescape(re.sub("<.*?>", "", "\n".join(lines)))}
