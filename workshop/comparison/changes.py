"""What a student changed beyond the exercises: cells of the course edited, removed or added.

The cells of the course have ids of their own, which every editor keeps: by these they are paired.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import NamedTuple

from workshop.comparison.reading import Cell, Notebook
from workshop.comparison.reference import Chapter

_LINK = re.compile(r"\]\((?:[\w.-]+/)+(?=[\w.-]+\.(?:svg|ipynb)\))")
_LONGEST = 4000
_MOST = 30


class Change(NamedTuple):
    """One cell, ``edited``, ``removed`` or ``added`` (its kind): the lines added (``+``) and removed (``-``)."""

    kind: str
    lines: tuple[str, ...]


def find_changes(notebook: Notebook, chapter: Chapter) -> list[Change]:
    """Return the cells changed beyond the exercises and their checks, those removed last."""
    changes = list(_changes(notebook, chapter))
    rest = len(changes) - _MOST
    return changes[:_MOST] + ([Change("added", (f"… and {rest} more cells",))] if rest > 0 else [])


def _changes(notebook: Notebook, chapter: Chapter) -> Iterator[Change]:
    ids = {part for exercise in chapter.exercises for part in (exercise.id, exercise.check_id)}
    course = {cell.id: cell for cell in chapter.cells if cell.id not in ids}
    known = set(map(_key, course.values()))
    own = [cell for cell in notebook.cells if cell.source.strip() and cell.id not in ids]
    own = [cell for cell in own if not any(tag.startswith(("exercise-", "check-")) for tag in cell.tags)]
    present = set(map(_key, own)) | {cell.id for cell in own}
    for cell in own:
        if _key(cell) not in known:
            before = course.get(cell.id)
            yield Change("edited" if before else "added", _lines(before.source if before else "", cell.source))
    for cell in course.values():
        if cell.id not in present and _key(cell) not in present:
            yield Change("removed", _lines(cell.source, ""))


def _key(cell: Cell) -> tuple[str, str]:
    # In an assignment of nbgrader links lead elsewhere, to files of the same names.
    text = _LINK.sub(r"](", cell.source) if cell.kind == "markdown" else cell.source
    return cell.kind, "\n".join(line.rstrip() for line in text.strip().splitlines())


def _lines(before: str, after: str) -> tuple[str, ...]:
    lines = difflib.unified_diff(before.splitlines(), after[:_LONGEST].splitlines(), n=0, lineterm="")
    return tuple(line for line in list(lines)[2:] if not line.startswith("@@"))
