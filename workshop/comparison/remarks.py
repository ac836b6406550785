"""What no check sees, and a person should: copied answers, cells that reach into the checks, changed cells."""

from __future__ import annotations

import difflib
import re
from typing import NamedTuple

from workshop.comparison.reading import Cell, Notebook
from workshop.comparison.reference import Chapter, Exercise
from workshop.comparison.states import Found

_IMPORT_CHECKS = re.compile(r"\bfrom course import (?:\w+, )*\w+$", re.MULTILINE)
_CHECKING = re.compile(r"\bchecks\.(?:exercise_\d+_\d+|written|panel)\s*\(")
_LINK = re.compile(r"\]\((?:[\w.-]+/)+(?=[\w.-]+\.(?:svg|ipynb|md)[)#])")


class Change(NamedTuple):
    """One cell, ``edited``, ``removed`` or ``added`` (its kind): the lines added (``+``) and removed (``-``)."""

    kind: str
    lines: tuple[str, ...]


def is_copied(found: Found, exercise: Exercise) -> bool:
    """Return whether an answer in words is the course's own, but for a few words."""
    own, model = _words(found.answer), _words(exercise.answer)
    is_alike = exercise.is_written and difflib.SequenceMatcher(None, own, model, autojunk=False).ratio() > 0.8
    return found.is_done and is_alike


def touches_checks(notebook: Notebook, chapter: Chapter) -> bool:
    """Return whether a cell that is not the course's does more with `checks` than to call them."""
    course = {cell.source.strip() for cell in chapter.cells}
    own = [cell.source for cell in notebook.cells if cell.kind == "code" and cell.source.strip() not in course]
    return any(re.search(r"\bchecks\b", _CHECKING.sub("", _IMPORT_CHECKS.sub("", source))) for source in own)


def find_changes(notebook: Notebook, chapter: Chapter) -> list[Change]:
    """Return the cells changed beyond the exercises and their checks, those removed last.

    The cells of the course have ids of their own, which every editor keeps: by these they are paired.
    """
    exercises = {cell.id for exercise in chapter.exercises for cell in (exercise.stub, exercise.check)}
    course, own = ([c for c in cells if c.id not in exercises] for cells in (chapter.cells, notebook.cells))
    own = [cell for cell in own if cell.source.strip() and not cell.labels]
    known, present = set(map(_key, course)), {cell.id for cell in own} | set(map(_key, own))
    before = {cell.id: cell.source for cell in course}
    changes = [
        _change("edited" if cell.id in before else "added", before.get(cell.id, ""), cell.source)
        for cell in own
        if _key(cell) not in known
    ]
    return changes + [_change("removed", cell.source, "") for cell in course if not {cell.id, _key(cell)} & present]


def _change(kind: str, before: str, after: str) -> Change:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return Change(kind, tuple(line for line in list(lines)[2:] if not line.startswith("@@")))


def _key(cell: Cell) -> tuple[str, str]:
    # In an assignment of nbgrader links lead elsewhere, to files of the same names.
    text = _LINK.sub(r"](", cell.source) if cell.kind == "markdown" else cell.source
    return cell.kind, "\n".join(line.rstrip() for line in text.strip().splitlines())


def _words(source: str) -> list[str]:
    return re.findall(r"[^\W_]+(?:['’][^\W_]+)*", re.sub(r"^\s*\w+\s*=", " ", source).casefold())
