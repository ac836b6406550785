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

from course.outputs import WORDS
from labcourse.errors import BuildError

BEGIN = "### BEGIN SOLUTION"
END = "### END SOLUTION"
CLAIM = "claim"
_NUMBERS = {word: number for number, word in WORDS.items()}
PROJECT = _NUMBERS["project"]

_LIKE_A_MARK = re.compile(r"^\s*#.*\b(BEGIN|END)\W+SOL", re.IGNORECASE)
_HEADING = re.compile(r"^#+ Exercise (\d+\.\d+) – (.+) \(([^()]+)\)$", re.MULTILINE)


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
    def is_claim(self) -> bool:
        """Whether the cell only holds the text to its numbers."""
        return CLAIM in self.tags

    @cached_property
    def regions(self) -> tuple[tuple[int, int], ...]:
        """First and last line (the marks, counted from one within the cell) of each solution region."""
        marks = [i for i, line in enumerate(self.text.splitlines(), 1) if line.strip() in (BEGIN, END)]
        return tuple(zip(marks[::2], marks[1::2], strict=True))

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
        """The chapter's number; what stands beside the chapters has one, too."""
        return number_of(self.name)

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


def number_of(name: str) -> int:
    """Return the number of a notebook from the first word of its name, see `course.outputs.WORDS`; 0 for others.

    What `workshop.authoring.build.set_aside` calls a file is none of the course's names.

    >>> number_of("chapter3_evaluation"), number_of("project_parameterised_network"), number_of("test_setup")
    (3, 9, 0)
    >>> number_of("chapter3_evaluation.mine-2026-11-24-1")
    0
    """
    match = re.match(r"([a-z]+\d*)_[^.]*$", name)
    return _NUMBERS.get(match[1], 0) if match else 0


def texts(home: Path) -> list[Path]:
    """Return the files of a course that hold its text, with the answers."""
    return [path for path in sorted((home / "course").glob("*.py")) if number_of(path.stem)]


def read_all(home: Path, chapters: Collection[int] = ()) -> list[Source]:
    """Read the sources of a course in its order: all, or those of some chapters.

    Raises
    ------
    BuildError
        If there is none, one of these chapters is missing, or a source breaks the rules.
    """
    folder, otherwise = home / "course", "Run this in a full clone."
    return [read(path) for path in files_of(folder, "*.py", chapters, otherwise=otherwise)]


def files_of(folder: Path, pattern: str, chapters: Collection[int], *, otherwise: str) -> list[Path]:
    """Return the files of some chapters in a folder, or of all, in the order of the course.

    ``pattern`` says what their names are like, ``otherwise`` what the reader can do if there is no chapter at all.

    Raises
    ------
    BuildError
        If one of these chapters is missing, or there is none at all.
    """
    numbers = {path: number for path in sorted(folder.glob(pattern)) if (number := number_of(path.stem))}
    known = sorted(set(numbers.values()))
    in_order = sorted(numbers, key=numbers.__getitem__)
    if not known:
        raise BuildError(f"There are no chapters ({pattern}).", where=str(folder), next_step=otherwise)
    if missing := sorted(set(chapters).difference(known)):
        raise BuildError(
            f"There is no chapter {', '.join(map(str, missing))}.",
            where=str(folder),
            next_step=f"The chapters are {', '.join(map(str, known))}.",
        )
    return [path for path in in_order if not chapters or numbers[path] in chapters]


def read(path: Path) -> Source:
    """Read one source and check its marks, tags and code.

    Raises
    ------
    BuildError
        Naming file and line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BuildError(f"{path.name} cannot be read: {error}.", where=str(path)) from error
    return _parse(path, text)


@cache  # reading a chapter takes a third of a second, and some commands want it more than once
def _parse(path: Path, text: str) -> Source:
    import jupytext

    headers = [number for number, line in enumerate(text.splitlines(), 1) if re.match(r"# %%( |$)", line)]
    cells = jupytext.reads(text, fmt="py:percent").cells
    if len(cells) != len(headers):
        raise BuildError(
            f"{path.name} has text outside of its cells.",
            where=f"{path}, line 1",
            next_step="Let the file begin with a cell header: `# %% [markdown]` or `# %%`.",
        )
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
    """Raise if a mark is misspelt, nested, unclosed or out of place."""
    awaited, opened = BEGIN, 0
    for number, line in enumerate(cell.text.splitlines(), cell.line + 1):
        mark = line.strip()
        if mark in (BEGIN, END) and cell.kind == "code":
            if mark != awaited:
                how = f"Write `{BEGIN}` above the answer and `{END}` below it; solutions cannot be nested."
                raise source.error("A solution ends that did not begin, or begins inside another.", number, how)
            awaited, opened = (END, number) if mark == BEGIN else (BEGIN, 0)
        elif _LIKE_A_MARK.search(line):
            how = f"Write exactly `{BEGIN}` or `{END}`, alone on its line, in a code cell."
            raise source.error(f"This looks like a solution mark but is none: {mark}.", number, how)
    if opened:
        raise source.error("A solution is not closed in its cell.", opened, f"Write `{END}` below the answer.")


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
        call, written = f"checks.exercise_{number.replace('.', '_')}(", f'checks.written("{number}", '
        is_called = cell.exercise or call in cell.text or written in cell.text
        require(is_called, f"The check of exercise {number} does not check it.", f"Call `{call}…)` or `{written}…)`.")
