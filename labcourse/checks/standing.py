"""Where the student stands: a table by chapter, and in each notebook a panel that follows the checks."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from html import escape
from typing import Any

from labcourse.checks.progress import STATES, states_here, watchers
from labcourse.checks.registry import exercises

__all__ = ["by_chapter", "panel"]

_SYMBOLS = {"solved": "✓", "answered": "✎", "wrong": "✗", "unchecked": "?", "open": "○"}
#: The panels of this notebook; one at its top and one at its end, and a few that were run again.
_shown: deque[tuple[int, Any]] = deque(maxlen=4)


def by_chapter(states: Mapping[str, str]) -> list[dict[str, int]]:
    """Count the exercises of each chapter by state: ``chapter``, ``exercises`` and the names of `STATES`."""
    rows: dict[int, dict[str, int]] = {}
    for exercise in exercises().values():
        row = rows.setdefault(
            exercise.chapter, {"chapter": exercise.chapter, "exercises": 0, **dict.fromkeys(STATES, 0)}
        )
        row["exercises"] += 1
        row[states.get(exercise.number, "open")] += 1
    return [rows[chapter] for chapter in sorted(rows)]


def panel(chapter: int) -> None:
    """Show which exercises of a chapter are solved, answered, wrong and open, and how many of each chapter.

    In a notebook the panel is a table that follows the checks; elsewhere it is printed.
    """
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.display import display

    if not InteractiveShell.initialized():
        print(_content(chapter)["text/plain"])
        return
    _shown.append((chapter, display(_content(chapter), raw=True, display_id=True)))
    if _refresh not in watchers:
        watchers.append(_refresh)


def _refresh() -> None:
    for chapter, handle in _shown:
        handle.update(_content(chapter), raw=True)


def _content(chapter: int) -> dict[str, str]:
    """Return the panel as HTML and, with the same information, as text."""
    states = states_here(chapter)
    numbers = [exercise.number for exercise in exercises().values() if exercise.chapter == chapter]
    groups = {state: [n for n in numbers if states.get(n, "open") == state] for state in STATES}
    lines = [f"{_SYMBOLS[state]} {state}: {', '.join(group)}" for state, group in groups.items() if group]
    head = f"Exercises of chapter {chapter}"
    rows = by_chapter(states)
    names = ["chapter", *STATES, "exercises"]
    text = [head, *(f"  {line}" for line in lines), "", "".join(f"{name:>10}" for name in names)]
    text += ["".join(f"{row[name]:>10}" for name in names) for row in rows]
    header = "".join(f'<th scope="col">{_SYMBOLS.get(name, "")} {name}</th>' for name in names)
    body = "".join(
        f'<tr><th scope="row">{row["chapter"]}</th>' + "".join(f"<td>{row[name]}</td>" for name in names[1:]) + "</tr>"
        for row in rows
    )
    html = (
        f"<p><strong>{head}</strong><br>{'<br>'.join(map(escape, lines))}</p>"
        f"<table><caption>All chapters</caption><thead><tr>{header}</tr></thead><tbody>{body}</tbody></table>"
    )
    return {"text/html": html, "text/plain": "\n".join(text)}
