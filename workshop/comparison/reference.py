"""What submissions are compared with: course text, solutions and expected numbers, read once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from labcourse.errors import LabCourseError
from workshop.authoring import build, cut, expected, source
from workshop.comparison.reading import Cell, take


@dataclass(frozen=True)
class Exercise:
    """One exercise as it is handed out, and as it is solved.

    ``stub``, ``answer`` and ``check`` are source texts; ``verdict`` is what the check prints of the solution.
    """

    number: str
    title: str
    is_written: bool
    id: str
    check_id: str
    stub: str
    answer: str
    check: str
    verdict: str


@dataclass(frozen=True)
class Chapter:
    """A chapter as it is handed out (``cells``), its exercises, and what its key numbers should be."""

    number: int
    name: str
    cells: tuple[Cell, ...]
    exercises: tuple[Exercise, ...]
    bounds: Mapping[str, Mapping[str, float]]


def read_reference(home: Path, chapters: Collection[int] = ()) -> dict[int, Chapter]:
    """Read all chapters, or some, from ``course/``, ``solutions/`` and ``tests/expected.json`` below ``home``.

    Raises
    ------
    BuildError
        If the course text or a solution notebook cannot be read.
    """
    try:
        section = expected.section()
    except LabCourseError:  # the instructor's samples are not needed to read what students handed in
        section = "bundle"
    # The solutions were run on the bundle: other samples of the instructor's say nothing about them.
    bounds = expected.read(home)["bundle" if section == "other" else section]
    texts = source.read_all(home, chapters)
    return {text.chapter: _chapter(text, home, bounds.get(str(text.chapter), {})) for text in texts}


def _chapter(text: source.Source, home: Path, bounds: Mapping[str, Mapping[str, float]]) -> Chapter:
    solved = {cell.id: cell for cell in take(build.load(home / "solutions" / f"{text.name}.ipynb")).cells}
    cells = tuple(
        Cell(cell.cell_type, cell.source, tuple(cell.metadata.get("tags", ())), cell.id)
        for cell in build.student_notebook(text).cells
    )
    text = text.handed_out
    checks = {part.check: cell for part, cell in zip(text.cells, cells, strict=True) if part.check}
    exercises = []
    for part, cell, answer in zip(text.cells, cells, cut.solution(text), strict=True):
        if number := part.exercise:
            check = checks[number]
            verdicts = solved[check.id].verdicts if check.id in solved else ()
            verdict = verdicts[-1][-1] if verdicts else ""
            (_, title, _), is_written = text.headings[number], "written" in part.tags
            exercises.append(
                Exercise(number, title, is_written, cell.id, check.id, cell.source, answer, check.source, verdict)
            )
    return Chapter(text.chapter, text.name, cells, tuple(exercises), bounds)
