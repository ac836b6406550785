"""Where the student stands: a table by chapter, and in each notebook a panel that follows the checks."""

from __future__ import annotations

import contextlib
import os
import re
from collections import deque
from collections.abc import Mapping
from html import escape, unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from course import live
from course.checks import cells
from course.checks.progress import NOTED, STATES, states_here
from course.checks.registry import exercises
from course.outputs import CHAPTERS, WORDS, called

_SYMBOLS = {"solved": "✓", "answered": "✎", "wrong": "✗", "unchecked": "?", "open": "○"}
#: The panels of this notebook, as what stays and as a widget: at its top and its end, and a few that were run again.
_shown: deque[tuple[int, Any, Any]] = deque(maxlen=4)


def by_chapter(states: Mapping[str, str]) -> list[dict[str, int]]:
    """Count the exercises of each chapter by state: ``chapter``, ``exercises`` and those of `STATES` that are noted."""
    rows: dict[int, dict[str, int]] = {}
    for number, exercise in exercises().items():
        row = rows.setdefault(exercise.chapter, {"chapter": exercise.chapter, "exercises": 0} | dict.fromkeys(NOTED, 0))
        row["exercises"] += 1
        state = states.get(number, "open")
        row[state if state in NOTED else "wrong"] += 1  # tried
    return [rows[chapter] for chapter in sorted(rows)]


def panel(chapter: int) -> None:
    """Show which exercises of a chapter are in which of the `STATES`, and what is done of other chapters.

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
    states = states_here(chapter)
    here = {number: e for number, e in exercises().items() if e.chapter == chapter}
    rows = {row["chapter"]: row for row in by_chapter(states)}
    done = {n: f"{row['solved'] + row['answered']} of {row['exercises']} done" for n, row in rows.items()}
    # This notebook may have another name than the course gave it. JupyterLab finds a cell by its id; by a heading only
    # where it has no dash.
    own = quote(Path(os.environ.get("JPY_SESSION_NAME") or CHAPTERS[chapter] + ".ipynb").name)
    links = {n: f'<a href="{own}#cell-id={e.cell}" title="{escape(e.title)}">{n}</a>' for n, e in here.items()}
    chapters = {n: f'<a href="{file}.ipynb">{called(n)}</a>' for n, file in CHAPTERS.items()}

    lines = [f"<strong>Exercises of {called(chapter)}: {done.get(chapter, 'none')}</strong>"]
    for state in STATES:
        if group := ", ".join(links[number] for number in here if states.get(number, "open") == state):
            told = f"{group}: not checked" if state == "unchecked" else f"{state}: {group}"
            lines.append(f"{_SYMBOLS[state]} {told}")
    if here and all(states.get(number) in ("solved", "answered") for number in here):
        # Behind the chapters comes the project; what stands beside them has no next one.
        follows = f" – go on to {chapters[chapter + 1]}" if WORDS[chapter] == f"chapter{chapter}" else ""
        lines.append(f"All done{follows}")
    begun = [n for n, row in rows.items() if n != chapter and row["open"] < row["exercises"]]
    if begun:
        lines.append("Other chapters: " + ", ".join(f"{chapters[n]} ({done[n]})" for n in begun))
    return {"text/html": f"<p>{'<br>'.join(lines)}</p>", "text/plain": unescape(re.sub("<.*?>", "", "\n".join(lines)))}
