"""Course sources: ``course/chapters/*.py`` in jupytext's percent format, with the answers marked.

An exercise is a code cell tagged ``exercise-N.M``. Its answer stands between two comment lines, indented
as the code::

    ### BEGIN SOLUTION
    ### END SOLUTION

Above it, in a text cell, stands its heading, ``### Exercise N.M – Title (kind)``. Behind it comes a cell tagged
``check-N.M``. What the marks become is in `workshop.authoring.cut`; here sources are read and held to these rules,
so that a mistake is found with its line and not by a student.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from labcourse.errors import BuildError

__all__ = ["BEGIN", "END", "Cell", "Source", "files_of", "number_of", "read", "read_all"]

BEGIN = "### BEGIN SOLUTION"
END = "### END SOLUTION"
PROJECT = 9
"""The number of the project after the eight chapters."""

_HEADER = re.compile(r"# %%( |$)")
_LIKE_A_MARK = re.compile(r"^\s*#.*\b(BEGIN|END)\W+SOL|^\s*#+\s*(BEGIN|END)\s+\w+\s*$", re.IGNORECASE)
_EXERCISE = re.compile(r"exercise-(\d+\.\d+)$")
_CHECK = re.compile(r"check-(\d+\.\d+)$")
_HEADING = re.compile(r"^#+ Exercise (\d+\.\d+) – .+ \([^()]+\)$", re.MULTILINE)
"""As `course.checks.registry` reads it for the panel and for `labcourse status`."""


@dataclass(frozen=True)
class Cell:
    """One cell: ``kind`` is ``markdown`` or ``code``; ``line`` is where its header stands in the file."""

    kind: str
    text: str
    tags: tuple[str, ...]
    line: int

    @property
    def exercise(self) -> str:
        """The exercise's number, such as ``1.2``, or an empty string."""
        return _number(self.tags, _EXERCISE)

    @property
    def check(self) -> str:
        """The number of the exercise that this cell checks, or an empty string."""
        return _number(self.tags, _CHECK)

    @cached_property
    def regions(self) -> tuple[tuple[int, int], ...]:
        """First and last line (the marks, counted from one within the cell) of each solution region."""
        lines = [line.strip() for line in self.text.splitlines()]
        begins = [i for i, line in enumerate(lines, 1) if line == BEGIN]
        ends = [i for i, line in enumerate(lines, 1) if line == END]
        return tuple(zip(begins, ends, strict=True))


@dataclass(frozen=True)
class Source:
    """The text of one chapter."""

    path: Path
    cells: tuple[Cell, ...]

    @property
    def name(self) -> str:
        """File name without suffix: that of the notebooks."""
        return self.path.stem

    @property
    def chapter(self) -> int | None:
        """The chapter's number, that of the project, or None for a source outside of both."""
        return number_of(self.name)

    def error(self, what: str, line: int, next_step: str = "") -> BuildError:
        """Return an error that names file and line."""
        return BuildError(what, where=f"{self.path}, line {line}", next_step=next_step)


def number_of(name: str) -> int | None:
    """Return the number of a notebook from its name: that of a chapter, 9 for the project, None for others.

    What `labcourse.files.keep` calls a file is none of the course's names.

    >>> number_of("chapter3_evaluation"), number_of("project_parameterised_network"), number_of("test_setup")
    (3, 9, None)
    >>> number_of("chapter3_evaluation.mine-2026-11-24-1")
    """
    match = re.match(r"(?:chapter(\d+)_|project_)[^.]*$", name)
    return int(match[1] or PROJECT) if match else None


def read_all(home: Path, chapters: Collection[int] = ()) -> list[Source]:
    """Read the sources of a course in the order of their names: all, or those of some chapters.

    Raises
    ------
    BuildError
        If there is none, one of these chapters is missing, or a source breaks the rules.
    """
    paths = files_of(home / "course" / "chapters", "*.py", chapters, otherwise="Run this in a full clone.")
    if not paths:
        raise BuildError(
            "There is no course text.", where=str(home / "course" / "chapters"), next_step="Run this in a full clone."
        )
    return [read(path) for path in paths]


def files_of(folder: Path, pattern: str, chapters: Collection[int], *, otherwise: str) -> list[Path]:
    """Return the files of some chapters in a folder in the order of their names; all files if no chapter is named.

    Parameters
    ----------
    folder : Path
        Where they are.
    pattern : str
        What their names are like, such as ``*.py``.
    chapters : collection of int
        The chapters asked for.
    otherwise : str
        What the reader can do if there is no chapter at all.

    Raises
    ------
    BuildError
        If one of these chapters is missing.
    """
    numbers = {path: number_of(path.stem) for path in sorted(folder.glob(pattern))}
    known = sorted({number for number in numbers.values() if number is not None})
    if missing := sorted(set(chapters).difference(known)):
        raise BuildError(
            f"There is no chapter {', '.join(map(str, missing))}.",
            where=str(folder),
            next_step=f"The chapters are {', '.join(map(str, known))}." if known else otherwise,
        )
    return [path for path, number in numbers.items() if not chapters or number in chapters]


def read(path: Path) -> Source:
    """Read one source and check its marks, tags and code.

    Raises
    ------
    BuildError
        Naming file and line.
    """
    import jupytext

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BuildError(f"{path.name} cannot be read: {error}.", where=str(path)) from error
    headers = _check_marks(path, text)
    notebook = jupytext.reads(text, fmt="py:percent")
    if len(notebook.cells) != len(headers):
        raise BuildError(
            f"{path.name} has text outside of its cells.",
            where=f"{path}, line 1",
            next_step="Let the file begin with a cell header: `# %% [markdown]` or `# %%`.",
        )
    cells = tuple(
        Cell(cell.cell_type, cell.source, tuple(cell.metadata.get("tags", ())), line)
        for cell, line in zip(notebook.cells, headers, strict=True)
    )
    source = Source(path, cells)
    _check_exercises(source)
    return source


def _check_marks(path: Path, text: str) -> list[int]:
    """Return the lines of the cell headers; raise if a mark is nested, unclosed or out of place."""

    def error(what: str, line: int, next_step: str) -> BuildError:
        return BuildError(what, where=f"{path}, line {line}", next_step=next_step)

    headers: list[int] = []
    opened, markdown = 0, False
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        mark = line.strip()
        if _HEADER.match(line):
            if opened:
                raise error(
                    f"The solution that begins in line {opened} is not closed in its cell.",
                    number,
                    f"Write `{END}` below the answer.",
                )
            headers.append(number)
            markdown = "[markdown]" in line
        elif mark in (BEGIN, END) and markdown:
            raise error("A solution mark stands in a text cell.", number, "Move it to a code cell.")
        elif mark == BEGIN:
            if opened:
                raise error(
                    f"A solution begins inside the one that begins in line {opened}.",
                    number,
                    f"Close the first one with `{END}`; solutions cannot be nested.",
                )
            opened = number
        elif mark == END:
            if not opened:
                raise error("A solution ends that did not begin.", number, f"Write `{BEGIN}` above it.")
            opened = 0
        elif _LIKE_A_MARK.search(line):
            raise error(
                f"This looks like a solution mark but is none: {mark}.",
                number,
                f"Write exactly `{BEGIN}` or `{END}`, alone on its line.",
            )
    if opened:
        raise error(
            f"The solution that begins in line {opened} is not closed.",
            len(lines),
            f"Write `{END}` below the answer.",
        )
    return headers


def _check_exercises(source: Source) -> None:
    headings = {number for cell in source.cells if cell.kind == "markdown" for number in _HEADING.findall(cell.text)}
    exercises: dict[str, int] = {}
    checked: set[str] = set()
    for cell in source.cells:
        number = cell.exercise or cell.check
        if number and source.chapter is not None and int(number.split(".")[0]) != source.chapter:
            raise source.error(f"Exercise {number} stands in chapter {source.chapter}.", cell.line)
        if cell.regions and not cell.exercise:
            raise source.error(
                "A solution stands in a cell that is no exercise.", cell.line, 'Tag it: `# %% tags=["exercise-N.M"]`.'
            )
        if cell.exercise:
            if cell.exercise in exercises:
                raise source.error(f"There are two exercises {number}.", cell.line)
            if number not in headings:
                raise source.error(
                    f"Exercise {number} has no heading with a title and a kind.",
                    cell.line,
                    f"Write above it: `### Exercise {number} – Title (write code)`, or (read a plot), (in your words).",
                )
            if not cell.regions:
                raise source.error(
                    f"Exercise {number} has no solution.", cell.line, f"Put its answer between `{BEGIN}` and `{END}`."
                )
            exercises[number] = cell.line
        if cell.check:
            call = f"checks.exercise_{number.replace('.', '_')}("
            if number not in exercises or number in checked:
                raise source.error(f"The check of exercise {number} must follow it, once.", cell.line)
            if call not in cell.text and not re.search(rf'checks\.written\(\s*"{re.escape(number)}"', cell.text):
                raise source.error(
                    f"The check of exercise {number} does not check it.",
                    cell.line,
                    f'Call `{call}…)` or `checks.written("{number}", …)`.',
                )
            checked.add(number)
    for number, line in exercises.items():
        if number not in checked:
            raise source.error(
                f"Exercise {number} has no check.", line, f'Let a cell tagged "check-{number}" follow it.'
            )


def _number(tags: tuple[str, ...], pattern: re.Pattern[str]) -> str:
    return next((match[1] for tag in tags if (match := pattern.match(tag))), "")
