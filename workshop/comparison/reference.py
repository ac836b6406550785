"""What submissions are compared with: the course text and its answers, read once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from workshop.authoring import build, cut, source
from workshop.comparison.reading import Cell, take


@dataclass(frozen=True)
class Exercise:
    """One exercise: its cell (``stub``) and its check as they are handed out, and the course's own ``answer``."""

    number: str
    title: str
    is_written: bool
    stub: Cell
    check: Cell
    answer: str


@dataclass(frozen=True)
class Chapter:
    """A chapter as it is handed out (``cells``), and its exercises."""

    number: int
    name: str
    cells: tuple[Cell, ...]
    exercises: tuple[Exercise, ...]


def read_reference(home: Path) -> dict[int, Chapter]:
    """Read all chapters from ``course/`` below ``home``.

    Raises
    ------
    BuildError
        If the course text cannot be read.
    """
    return {text.chapter: _chapter(text.handed_out) for text in source.read_all(home)}


def _chapter(text: source.Source) -> Chapter:
    cells = take(build.student_notebook(text)).cells
    checks = {part.check: cell for part, cell in zip(text.cells, cells, strict=True) if part.check}
    exercises = [
        Exercise(number, text.headings[number][1], "written" in part.tags, cell, checks[number], answer)
        for part, cell, answer in zip(text.cells, cells, cut.solution(text), strict=True)
        if (number := part.exercise)
    ]
    return Chapter(text.chapter, text.name, cells, tuple(exercises))
