"""What submissions are compared with: the course text and its answers, read once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from workshop.authoring import cut, source


@dataclass(frozen=True)
class Exercise:
    """One exercise: its cell (``stub``) and its check as they are handed out, and the course's own ``answer``."""

    number: str
    title: str
    is_written: bool
    stub: str
    check: str
    answer: str


@dataclass(frozen=True)
class Chapter:
    """A chapter: the text of all its cells as they are handed out, and its exercises."""

    number: int
    cells: frozenset[str]
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
    stubs = cut.student(text)
    checks = {cell.check: cell.text for cell in text.cells if cell.check}
    exercises = [
        Exercise(number, text.headings[number][1], "written" in cell.tags, stub, checks[number], answer)
        for cell, stub, answer in zip(text.cells, stubs, cut.solution(text), strict=True)
        if (number := cell.exercise)
    ]
    return Chapter(text.chapter, frozenset(map(str.strip, stubs)), tuple(exercises))
