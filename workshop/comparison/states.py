"""What state each exercise of a notebook is in, and how far that can be believed.

Nothing is run. The verdict is read from the stored output of the check (see `course.checks.progress.publish`);
whether anything was answered at all is read from the cell itself. A verdict holds for the text of the cell that it has
judged; what does not fit is a *doubt*.

============  ==========================================================================
state         meaning
============  ==========================================================================
solved        the check says so
answered      a question in words has an answer
wrong         the check says "not yet"
unchecked     there is an answer, but no verdict of it: the check was not run, changed or deleted,
              or it judged another text than the cell now has
open          the cell is as it was handed out, or the check says that it is open
missing       the cell was deleted, or there is no notebook of this chapter that can be read
============  ==========================================================================
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from course.checks.cells import fingerprint
from workshop.comparison.reading import Cell, Notebook, Verdict
from workshop.comparison.reference import Chapter, Exercise

STATES = ("solved", "answered", "wrong", "unchecked", "open", "missing")
PUBLISHED = ("solved", "answered", "wrong", "open")
_FEWEST_WORDS = 4


@dataclass
class Found:
    """One exercise of one student.

    ``mistakes`` are the lines of the check that do not hold, if it is wrong; ``answer`` is the student's cell.
    """

    chapter: int
    exercise: str
    state: str
    doubts: list[str] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)
    answer: str = ""

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do."""
        return self.state in ("solved", "answered")


def examine(notebook: Notebook, chapter: Chapter) -> list[Found]:
    """Return the state of each exercise of a chapter, in order."""
    return [_examine(notebook.cells, chapter.number, exercise) for exercise in chapter.exercises]


def tagged(cells: Iterable[Cell], tag: str) -> list[Cell]:
    """Return the cells that are an exercise or a check of the course, or copies of it."""
    return [cell for cell in cells if cell.kind == "code" and tag in cell.tags]


def _examine(cells: tuple[Cell, ...], chapter: int, exercise: Exercise) -> Found:
    answers, checks = (tagged(cells, f"{what}-{exercise.number}") for what in ("exercise", "check"))
    # Of copies the one that was run last counts; if none was, one with an answer.
    check = max(checks, key=lambda cell: cell.count, default=None)
    answer = max(answers, key=lambda c: (c.count, not _same_code(c.source, exercise.stub)), default=None)
    published = [v for v in check.verdicts if v.exercise == exercise.number and v.state in PUBLISHED] if check else []
    verdict = published[-1] if published else Verdict()
    claims = f"claims {verdict.state}, but " if verdict.state in ("solved", "wrong") else ""
    doubts: list[str] = []
    is_changed = check is not None and not _same_code(check.source, exercise.check)
    if check is None or is_changed:
        doubts.append(f"{claims}its check was {'changed' if is_changed else 'deleted'}")
    found = Found(chapter, exercise.number, "unchecked", doubts, answer=answer.source if answer else "")
    is_of_this = answer is not None and verdict.cell == fingerprint(answer.source)
    if answer is None:
        found.state = "missing"
        doubts.append(f"{claims}its cell was deleted")
    elif _same_code(answer.source, exercise.stub):
        found.state, found.answer = "open", ""
        if verdict.state in ("solved", "answered"):
            doubts.append(f"claims {verdict.state}, but its cell is as it was handed out")
    elif exercise.is_written:
        is_open = verdict.state == "open" and is_of_this
        found.state = "answered" if _is_sentence(answer.source) and not is_open else "open"
    elif check is None or is_changed:
        pass
    elif not verdict.state:
        doubts.append(f"its check ended in {check.error}" if check.error else "its check was not run")
    elif is_of_this:
        found.state = verdict.state
    else:
        doubts.append(f"{claims}its cell was edited after the check")
    if found.state == "wrong":
        found.mistakes = [line[4:].strip()[:200] for line in verdict.text.splitlines() if line.startswith("  ✗")]
    return found


def _same_code(source: str, other: str) -> bool:
    """Return whether two cells differ in comments and blank lines at most."""
    first, second = (fingerprint(re.sub(r"\s*#[^\"'\n]*$", "", text, flags=re.MULTILINE)) for text in (source, other))
    return first == second


def _is_sentence(source: str) -> bool:
    return len(re.sub(r"^\s*\w+\s*=|[\"'()#]", " ", source).split()) >= _FEWEST_WORDS
