"""What submissions are compared with: course text, answers and expected numbers, read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from workshop import folders
from workshop.authoring import build, cut, expected, source
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
    """A chapter as it is handed out (``cells``), its exercises, and what its key numbers should be."""

    number: int
    name: str
    cells: tuple[Cell, ...]
    exercises: tuple[Exercise, ...]
    bounds: Mapping[str, Mapping[str, float]]


def read_reference(home: Path) -> dict[int, Chapter]:
    """Read all chapters from ``course/`` and ``tests/expected.json`` below ``home``.

    Raises
    ------
    BuildError
        If the course text cannot be read.
    """
    # The class had the instructor's samples if they are official, else the bundle: others have no numbers to expect.
    bounds = expected.read(home)["official" if "official" in folders.by_source() else "bundle"]
    return {text.chapter: _chapter(text, bounds.get(str(text.chapter), {})) for text in source.read_all(home)}


def _chapter(text: source.Source, bounds: Mapping[str, Mapping[str, float]]) -> Chapter:
    text = text.handed_out
    cells = take(build.student_notebook(text)).cells
    checks = {part.check: cell for part, cell in zip(text.cells, cells, strict=True) if part.check}
    exercises = [
        Exercise(number, text.headings[number][1], "written" in part.tags, cell, checks[number], answer)
        for part, cell, answer in zip(text.cells, cells, cut.solution(text), strict=True)
        if (number := part.exercise)
    ]
    return Chapter(text.chapter, text.name, cells, tuple(exercises), bounds)
