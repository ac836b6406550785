"""Running a student's notebook with the checks of the course, as `labcourse compare --execute` does.

Each chapter reads what the solutions of earlier ones made, as nbgrader has it: a mistake in chapter 2 costs nothing in
chapter 3.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from labcourse import outputs
from workshop.comparison import reading, sandbox
from workshop.comparison.reading import Cell, Notebook, printable
from workshop.comparison.reference import Chapter
from workshop.comparison.sandbox import Limits


def execute(notebook: Notebook, chapter: Chapter, limits: Limits) -> Notebook:
    """Return a notebook with new outputs, as far as it came; its notes say why it came no further."""
    notes = list(notebook.notes)
    earlier = {number: outputs.folder(number, "solutions") for number in range(1, chapter.number)}
    missing = ", ".join(str(number) for number, folder in earlier.items() if not folder.is_dir())
    if missing:
        notes.append(f"run by --execute without the outputs of chapter {missing}: run `labcourse run` first")
    cells = with_checks(notebook, chapter)
    sources = [cell.source if cell.kind == "code" else "" for cell in cells]
    result = sandbox.run_cells(sources, [folder for folder in earlier.values() if folder.is_dir()], limits)
    if result.note:
        notes.append(f"run by --execute: {result.note}")
    for i in result.stopped:
        what = cells[i].tags[0] if i < len(cells) and cells[i].tags else f"cell {i + 1}"
        notes.append(f"run by --execute: {printable(what)} was stopped after {limits.cell_seconds:.0f} s")
    return Notebook(tuple(_executed(cell, result.cells.get(i)) for i, cell in enumerate(cells)), tuple(notes))


def with_checks(notebook: Notebook, chapter: Chapter) -> list[Cell]:
    """Return the cells with each check as the course has it, right behind its exercise if it was deleted."""
    cells = list(notebook.cells)
    for exercise in chapter.exercises:
        tag = f"check-{exercise.number}"
        checks = [i for i, cell in enumerate(cells) if tag in cell.tags or cell.id == exercise.check_id]
        for i in checks:
            cells[i] = replace(cells[i], kind="code", source=exercise.check)
        own = [i for i, c in enumerate(cells) if f"exercise-{exercise.number}" in c.tags or c.id == exercise.id]
        if own and not checks:
            cells.insert(own[-1] + 1, Cell("code", exercise.check, (tag,), exercise.check_id))
    return cells


def _executed(cell: Cell, raw: dict[str, Any] | None) -> Cell:
    """Return the cell with its new outputs, or with none."""
    fresh = reading.take({"cells": [raw]}).cells or (Cell("code", ""),)
    return replace(fresh[0], kind=cell.kind, source=cell.source, tags=cell.tags, id=cell.id)
