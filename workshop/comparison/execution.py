"""Running the notebooks of one student in the order of the chapters, each with the outputs it needs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from labcourse import outputs
from labcourse.errors import BadInput
from workshop.comparison import reading, sandbox
from workshop.comparison.keynumbers import published
from workshop.comparison.reading import Cell, Notebook
from workshop.comparison.reference import Chapter
from workshop.comparison.sandbox import Limits
from workshop.comparison.scratch import folder
from workshop.comparison.states import same_code
from workshop.comparison.survey import Execute

__all__ = ["execution", "require_cut_network", "with_checks"]


def require_cut_network() -> None:
    """Raise BadInput if this machine cannot cut a notebook off from the network."""
    if not sandbox.can_cut_network():
        raise BadInput(
            "On this machine a notebook cannot be cut off from the network.",
            where="--execute",
            next_step="Use a Linux machine where `unshare -rn true` works. Or say --with-network, best on a machine "
            "with nothing to lose: students' code then reaches your network and your files.",
        )


@contextmanager
def execution(reference: Mapping[int, Chapter], limits: Limits) -> Iterator[Execute]:
    """Give a function that runs the notebooks of one student, called in the order of the chapters.

    While all chapters from the first on were handed in and kept their key numbers, each goes on with what the
    student's own made. After a gap the outputs of all earlier chapters are the solution's: mixing both would
    only show that they do not fit.
    """
    with folder() as own:
        complete = 0  # the last chapter up to which all outputs are the student's

        def run(notebook: Notebook, number: int) -> Notebook:
            nonlocal complete
            notes = list(notebook.notes)
            cells = with_checks(notebook, reference[number])
            is_own = complete == number - 1
            with nullcontext(own) if is_own else folder() as workspace:
                if not is_own:
                    notes += _copy_solution(workspace, number)
                result = sandbox.run_cells([c.source if c.kind == "code" else "" for c in cells], workspace, limits)
            if result.note:
                notes.append(f"run by --execute: {result.note}")
            fresh = Notebook(tuple(_executed(cell, result.cells.get(i)) for i, cell in enumerate(cells)), tuple(notes))
            if is_own and published(fresh, number):
                complete = number
            return fresh

        yield run


def with_checks(notebook: Notebook, chapter: Chapter) -> list[Cell]:
    """Return the cells with each check as the course has it, right behind its exercise if it was deleted."""
    cells = list(notebook.cells)
    for exercise in chapter.exercises:
        tag = f"check-{exercise.number}"
        checks = [i for i, cell in enumerate(cells) if tag in cell.tags or cell.id == exercise.check_id]
        checks = checks or [i for i, cell in enumerate(cells) if same_code(cell.source, exercise.check)]
        for i in checks:
            cells[i] = replace(cells[i], kind="code", source=exercise.check)
        own = [i for i, c in enumerate(cells) if f"exercise-{exercise.number}" in c.tags or c.id == exercise.id]
        if own and not checks:
            cells.insert(own[-1] + 1, Cell("code", exercise.check, (tag,), exercise.check_id))
    return cells


def _executed(cell: Cell, raw: dict[str, Any] | None) -> Cell:
    """Return the cell with its new outputs, or with none."""
    bare = replace(cell, count=0, times=(), printed="", error="", pictures=(), numbers=())
    if raw is None:
        return bare
    fresh = reading.take({"cells": [raw]}).cells
    return replace(fresh[0], source=cell.source, tags=cell.tags, id=cell.id) if fresh else bare


def _copy_solution(workspace: Path, number: int) -> list[str]:
    """Put the solution's outputs of all chapters before ``number`` into a new workspace; return what lacks."""
    missing = []
    for before in range(1, number):
        source = outputs.folder(before, "solutions")
        if (source / "numbers.json").is_file():
            shutil.copytree(source, workspace / "notebooks" / source.name)
        else:
            missing.append(str(before))
    if not missing:
        return []
    return [f"run by --execute without the outputs of chapter {', '.join(missing)}: run `labcourse run` first"]
