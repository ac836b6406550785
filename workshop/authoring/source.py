"""Course sources: ``course/*.py`` in jupytext's percent format, with the answers marked.

An exercise is a code cell tagged ``exercise-N.M``. Its answer stands between two comment lines, indented
as the code::

    ### BEGIN SOLUTION
    ### END SOLUTION

Above it, in a text cell, stands its heading, ``### Exercise N.M – Title (kind)``. Behind it comes a cell tagged
``check-N.M``. A cell tagged ``claim`` asserts what the text beside it says; the solution runs it, students do not get
it. What the marks become is in `workshop.authoring.cut`; here sources are read and held to these rules,
so that a mistake is found with its line and not by a student.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from course.checks.cells import arguments
from course.outputs import CHAPTERS
from labcourse.errors import LabCourseError

BEGIN = "### BEGIN SOLUTION"
END = "### END SOLUTION"
CLAIM = "claim"
NUMBERS = {name: number for number, name in CHAPTERS.items()}
"""The numbers of the notebooks by their names."""
PROJECT = NUMBERS["project_parameterised_network"]

_LIKE_A_MARK = r"[ \t]*#.*\b(?i:BEGIN|END)\W+(?i:SOL)"
_REGION = re.compile(rf"^[ \t]*{BEGIN}[ \t]*\n(?:(?!{_LIKE_A_MARK}).*\n)*[ \t]*{END}[ \t]*$", re.MULTILINE)
_HEADING = re.compile(r"^#+ Exercise (\d+\.\d+) – (.+) \(([^()]+)\)$", re.MULTILINE)


class BuildError(LabCourseError):
    """A course source that cannot be built into notebooks."""


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
        return self._number("exercise-")

    @property
    def check(self) -> str:
        """The number of the exercise that this cell checks, or an empty string."""
        return self._number("check-")

    @property
    def function(self) -> str:
        """The name of the function in `course.checks` for its exercise, unless that is answered in words."""
        return f"exercise_{(self.exercise or self.check).replace('.', '_')}"

    @property
    def answer(self) -> tuple[str, ...]:
        """Of a check, the names of the answer that it asks for."""
        found = arguments(self.text, self.function) or arguments(self.text, "written")
        return found[0] if found and self.check else ()

    @property
    def is_claim(self) -> bool:
        """Whether the cell only holds the text to its numbers."""
        return CLAIM in self.tags

    @cached_property
    def regions(self) -> tuple[tuple[int, int], ...]:
        """First and last line (the marks, counted from one within the cell) of each solution region."""
        found = _REGION.finditer(self.text if self.kind == "code" else "")
        ends = [(region.start(), region.end()) for region in found]
        return tuple((self.text.count("\n", 0, start) + 1, self.text.count("\n", 0, end) + 1) for start, end in ends)

    def _number(self, tag: str) -> str:
        return next((name.removeprefix(tag) for name in self.tags if re.fullmatch(rf"{tag}\d+\.\d+", name)), "")


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
    def chapter(self) -> int:
        """The chapter's number, see `course.outputs.CHAPTERS`; 0 for a name that is not there."""
        return NUMBERS.get(self.name, 0)

    @property
    def handed_out(self) -> Source:
        """The text without its claims; all other cells keep their ids."""
        return Source(self.path, tuple(cell for cell in self.cells if not cell.is_claim))

    @cached_property
    def headings(self) -> dict[str, tuple[str, str, str]]:
        """By number of the exercise: id of the heading's cell, title and kind."""
        return {
            number: (self.id_of(position), title, kind)
            for position, cell in enumerate(self.cells)
            if cell.kind == "markdown"
            for number, title, kind in _HEADING.findall(cell.text)
        }

    def id_of(self, position: int) -> str:
        """Return the id of a cell in the notebooks, of its position counted from 0."""
        number = sum(not cell.is_claim for cell in self.cells[: position + 1])
        return f"chapter{self.chapter}-{number:03d}" + f"-claim{position}" * self.cells[position].is_claim

    def error(self, what: str, line: int, next_step: str = "") -> BuildError:
        """Return an error that names file and line."""
        return BuildError(what, where=f"{self.path}, line {line}", next_step=next_step)


def texts(home: Path) -> list[Path]:
    """Return the files of a course that hold its text, with the answers."""
    return list(_there(home / "course", ".py").values())


def read_all(home: Path, chapters: Collection[int] = ()) -> list[Source]:
    """Read the sources of a course in its order: all, or those of some chapters.

    Raises
    ------
    BuildError
        If there is none, one of these chapters is missing, or a source breaks the rules.
    """
    folder, otherwise = home / "course", "Run this in a full clone."
    return [read(path) for path in files_of(folder, ".py", chapters, otherwise=otherwise).values()]


def files_of(folder: Path, suffix: str, chapters: Collection[int], *, otherwise: str) -> dict[int, Path]:
    """Return the files of some chapters in a folder, or of all, by number, in the order of the course.

    ``suffix`` is that of their names, ``otherwise`` says what the reader can do if there is no chapter at all.

    Raises
    ------
    BuildError
        If one of these chapters is missing, or there is none at all.
    """
    paths = _there(folder, suffix)
    missing = sorted(set(chapters).difference(paths))
    if missing or not paths:
        what = ", ".join(map(str, missing)) or "at all"
        advice = f"The chapters are {', '.join(map(str, paths))}." if paths else otherwise
        raise BuildError(f"There is no chapter {what}.", where=str(folder), next_step=advice)
    return {number: path for number, path in paths.items() if not chapters or number in chapters}


def _there(folder: Path, suffix: str) -> dict[int, Path]:
    """Return the files of chapters that are in a folder, by number, in the order of the course."""
    paths = {number: folder / f"{name}{suffix}" for number, name in CHAPTERS.items()}
    return {number: path for number, path in paths.items() if path.is_file()}


def read(path: Path) -> Source:
    """Read one source and check its marks, tags and code.

    Raises
    ------
    BuildError
        Naming file and line.
    """
    return _parse(path, path.read_text(encoding="utf-8"))


@cache  # reading a chapter takes a third of a second, and some commands want it more than once
def _parse(path: Path, text: str) -> Source:
    import jupytext

    headers = [number for number, line in enumerate(text.splitlines(), 1) if re.match(r"# %%( |$)", line)]
    cells = jupytext.reads(text, fmt="py:percent").cells
    made = (
        Cell(cell.cell_type, cell.source, tuple(cell.metadata.get("tags", ())), line)
        for cell, line in zip(cells, headers, strict=True)
    )
    source = Source(path, tuple(made))
    for cell in source.cells:
        _check_marks(source, cell)
    _check_exercises(source)
    return source


def _check_marks(source: Source, cell: Cell) -> None:
    """Raise if there is a mark, or what looks like one, that neither begins nor ends a solution."""
    inside = {line for first, last in cell.regions for line in range(first, last + 1)}
    for number, line in enumerate(cell.text.splitlines(), 1):
        if number not in inside and re.match(_LIKE_A_MARK, line):
            how = f"Write `{BEGIN}` above it and `{END}` below, alone on their lines, in a code cell, not nested."
            raise source.error(f"This marks no solution: {line.strip()}.", cell.line + number, how)


def _check_exercises(source: Source) -> None:
    """Raise if an exercise lacks its heading, answer or check, or has two of them."""

    def require(is_met: object, what: str, how: str = "") -> None:
        if not is_met:
            raise source.error(what, cell.line, how)

    for cell in source.cells:
        number = cell.exercise or cell.check
        how = 'Tag it: `# %% tags=["exercise-N.M"]`.'
        require(cell.exercise or not cell.regions, "A solution stands in a cell that is no exercise.", how)
        if not number:
            continue
        require(number.startswith(f"{source.chapter}."), f"Exercise {number} stands in chapter {source.chapter}.")
        roles = [(other.exercise, other.check) for other in source.cells if number in (other.exercise, other.check)]
        how = f'Tag one cell "exercise-{number}" and one behind it "check-{number}".'
        require(roles == [(number, ""), ("", number)], f"Exercise {number} and its check must follow each other.", how)
        how = f"Write above it: `### Exercise {number} – Title (write code)`, or (read a plot), (in your words)."
        require(number in source.headings, f"Exercise {number} has no heading with a title and a kind.", how)
        how = f"Put its answer between `{BEGIN}` and `{END}`."
        require(cell.regions or cell.check, f"Exercise {number} has no solution.", how)
        call, written = f"checks.{cell.function}(", f'checks.written("{number}", '
        is_called = cell.exercise or call in cell.text or written in cell.text
        require(is_called, f"The check of exercise {number} does not check it.", f"Call `{call}…)` or `{written}…)`.")
