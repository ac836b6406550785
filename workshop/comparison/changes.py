"""What a student changed beyond the exercises: cells of the course edited, removed or added.

Cells that are as they were handed out are set aside first, so that nbdime, which knows how to pair the cells
of two notebooks, has only the rest to look at.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from workshop.comparison.reading import Cell, Notebook
from workshop.comparison.reference import Chapter

__all__ = ["Change", "find_changes"]

_ID = re.compile(r"[\w-]{1,64}", re.ASCII)
_LINK = re.compile(r"\]\((?:[\w.-]+/)+(?=[\w.-]+\.(?:svg|ipynb)\))")
_LONGEST = 4000
_MOST = 30
_MOST_PAIRED = 150
"""Pairing cells takes a time that grows with their number squared."""


class Change(NamedTuple):
    """One cell, ``edited``, ``removed`` or ``added`` (its kind): the lines added (``+``) and removed (``-``)."""

    kind: str
    lines: tuple[str, ...]


def find_changes(notebook: Notebook, chapter: Chapter) -> list[Change]:
    """Return the cells changed beyond the exercises and their checks, in the order of the notebook."""
    ids = {exercise.id for exercise in chapter.exercises} | {exercise.check_id for exercise in chapter.exercises}
    course = [cell for cell in chapter.cells if cell.id not in ids]
    own = [cell for cell in notebook.cells if cell.source.strip() and not _is_exercise(cell, ids)]
    course, own = _without_common(course, own)
    if not course and not own:
        return []
    changes = list(_differences(course, own[:_MOST_PAIRED]))
    rest = max(0, len(changes) - _MOST) + max(0, len(own) - _MOST_PAIRED)
    return changes[:_MOST] + ([Change("added", (f"… and {rest} more cells",))] if rest else [])


def _differences(course: list[Cell], own: list[Cell]) -> Iterator[Change]:
    from nbdime.diffing.notebooks import diff_notebooks

    before, after = _notebook(course), _notebook(own)
    cells: Any = next((op.diff for op in diff_notebooks(before, after) if op.key == "cells"), [])
    for op in cells:
        if op.op == "addrange":
            for cell in op.valuelist:
                yield Change("added", tuple(f"+{line}" for line in cell["source"].splitlines()))
        elif op.op == "removerange":
            for cell in before.cells[op.key : op.key + op.length]:
                yield Change("removed", tuple(f"-{line}" for line in cell["source"].splitlines()))
        elif op.op == "patch":
            lines = before.cells[op.key]["source"].splitlines()
            edits: Any = next((part.diff for part in op.diff if part.key == "source"), [])
            if shown := tuple(_patched(lines, edits)):
                yield Change("edited", shown)


def _patched(lines: list[str], edits: Any) -> Iterator[str]:
    """Write a line diff of nbdime as lines with a sign; lines that stayed are not part of it."""
    from nbdime.patching import patch_singleline_string

    for edit in edits:
        at = edit.key
        if edit.op == "addrange":
            yield from (f"+{line}" for line in "".join(edit.valuelist).splitlines())
        elif edit.op == "removerange":
            yield from (f"-{line}" for line in lines[at : at + edit.length])
        else:
            yield f"-{lines[at]}"
            yield f"+{patch_singleline_string(lines[at], edit.diff)}"


def _without_common(course: list[Cell], own: list[Cell]) -> tuple[list[Cell], list[Cell]]:
    common = Counter(map(_key, course)) & Counter(map(_key, own))
    return _left(course, common.copy()), _left(own, common)


def _left(cells: list[Cell], common: Counter[tuple[str, str]]) -> list[Cell]:
    left = []
    for cell in cells:
        if common[_key(cell)] > 0:
            common[_key(cell)] -= 1
        else:
            left.append(cell)
    return left


def _key(cell: Cell) -> tuple[str, str]:
    # In an assignment of nbgrader links lead elsewhere, to files of the same names.
    text = _LINK.sub(r"](", cell.source) if cell.kind == "markdown" else cell.source
    return cell.kind, "\n".join(line.rstrip() for line in text.strip().splitlines())


def _is_exercise(cell: Cell, ids: set[str]) -> bool:
    return cell.id in ids or any(tag.startswith(("exercise-", "check-")) for tag in cell.tags)


def _notebook(cells: list[Cell]) -> Any:
    """Return a notebook for nbdime: it pairs cells by their ids, where these are valid, and by content."""
    from nbformat import v4

    make = {"code": v4.new_code_cell, "markdown": v4.new_markdown_cell, "raw": v4.new_raw_cell}
    made: dict[str, Any] = {}
    for cell in cells:
        identifier = cell.id if _ID.fullmatch(cell.id) and cell.id not in made else f"unnamed-{len(made)}"
        made[identifier] = make[cell.kind](cell.source[:_LONGEST], id=identifier)
    return v4.new_notebook(cells=list(made.values()))
