"""What state each exercise of a notebook is in, and how far that can be believed.

Nothing is run. The verdict is read from the stored output of the check (see `course.checks.progress.publish`);
whether anything was answered at all is read from the cell itself. Outputs can be old or made up, so a verdict is held
against everything else that the notebook says, and what does not fit is a *doubt*.

============  ==========================================================================
state         meaning
============  ==========================================================================
solved        the check says so
answered      a question in words has an answer
wrong         the check says "not yet"
unchecked     there is an answer, but no verdict of it: the check was not run, changed or deleted,
              or it judged another text than the cell now has
open          the cell is as it was handed out, or the check says that it is open
missing       the cell was deleted, or there is no notebook of this chapter
damaged       the notebook cannot be read
============  ==========================================================================
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from course.checks.cells import fingerprint, words
from workshop.comparison.reading import Cell, Notebook
from workshop.comparison.reference import Chapter, Exercise

STATES = ("solved", "answered", "wrong", "unchecked", "open", "missing", "damaged")
PUBLISHED = ("solved", "answered", "wrong", "open")
_FEWEST_WORDS = 4


@dataclass(frozen=True)
class Found:
    """One exercise of one student.

    ``mistakes`` are the lines of the check that do not hold, ``answer`` is the student's cell.
    """

    chapter: int
    exercise: str
    state: str
    doubts: tuple[str, ...] = ()
    mistakes: tuple[str, ...] = ()
    answer: str = ""

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do."""
        return self.state in ("solved", "answered")


def examine(notebook: Notebook, chapter: Chapter) -> list[Found]:
    """Return the state of each exercise of a chapter, in order."""
    return [_examine(notebook.cells, chapter.number, exercise) for exercise in chapter.exercises]


def without_notebook(chapter: Chapter, state: str, doubt: str) -> list[Found]:
    """Return the exercises of a chapter whose notebook is ``missing`` or ``damaged``."""
    return [Found(chapter.number, exercise.number, state, (doubt,)) for exercise in chapter.exercises]


def _examine(cells: tuple[Cell, ...], chapter: int, exercise: Exercise) -> Found:
    checks = _cells(cells, f"check-{exercise.number}", exercise.check_id)
    answers = _cells(cells, f"exercise-{exercise.number}", exercise.id)
    doubts = [
        f"its {name} is there {len(found)} times; the one that was run last counts"
        for name, found in (("cell", answers), ("check", checks))
        if len(found) > 1
    ]
    check = max(checks, key=lambda cell: cell.count, default=None)
    # Of copies that were not run, one with an answer counts more than one without.
    answer = max(answers, key=lambda c: (c.count, not _same_code(c.source, exercise.stub)), default=None)
    verdict, judged, text = _verdict(check, exercise.number) if check else ("", "", "")
    mistakes = tuple(line[4:].strip()[:200] for line in text.splitlines() if line.startswith("  ✗"))
    claims = f"claims {verdict}, but " if verdict in ("solved", "wrong") else ""
    is_changed = check is not None and not _same_code(check.source, exercise.check)
    if check is None or is_changed:
        doubts.append(f"{claims}its check was {'changed' if is_changed else 'deleted'}")
    found = Found(chapter, exercise.number, "missing", tuple(doubts), mistakes)
    if answer is None:
        return replace(found, doubts=(*doubts, f"{claims}its cell was deleted"))
    if _same_code(answer.source, exercise.stub):
        is_odd = verdict in ("solved", "answered")
        doubts += [f"claims {verdict}, but its cell is as it was handed out"] if is_odd else []
        return replace(found, state="open", doubts=tuple(doubts), mistakes=())
    found = replace(found, state="unchecked", answer=answer.source)
    if exercise.is_written:
        is_open = verdict == "open" and judged == fingerprint(answer.source)
        return replace(found, state="answered" if _is_sentence(answer.source) and not is_open else "open")
    if check is None or is_changed:
        return found
    if not verdict:
        doubts.append(f"its check ended in {check.error}" if check.error else "its check was not run")
        return replace(found, doubts=tuple(doubts))
    doubts += [claims + doubt for doubt in _doubts(answer, check, verdict, judged, text, exercise)]
    is_of_this = judged == fingerprint(answer.source) or (not judged and verdict != "solved")
    state, mistakes = (verdict, mistakes) if is_of_this else ("unchecked", ())
    return replace(found, state=state, doubts=tuple(doubts), mistakes=mistakes)


def _doubts(answer: Cell, check: Cell, verdict: str, judged: str, text: str, exercise: Exercise) -> Iterator[str]:
    both_timed = answer.started and check.started
    if not answer.count:
        yield "its cell was not run"
    elif answer.started > check.started if both_timed else answer.count > check.count > 0:
        yield "its cell was run again after the check"
    if len(check.verdicts) > 1:
        yield "its output holds more than one verdict"
    if judged and judged != fingerprint(answer.source):
        yield "its cell was edited after the check"
    if verdict == "solved":
        if not judged:
            yield "its check does not know of which cell"
        if answer.error:
            yield f"its cell ended in {answer.error}"
        holds = {line for line in text.splitlines() if line.startswith("  ✓")}
        known = {line for line in exercise.verdict.splitlines() if line.startswith("  ✓")}
        is_new = text.startswith(f"exercise {exercise.number}: solved")
        if "\n  ✗" in text or (is_new and known and not holds & known):
            yield "its output is not one of this check"
        if not _is_python(answer.source):
            yield "its cell is no Python"


def _cells(cells: tuple[Cell, ...], tag: str, identifier: str) -> list[Cell]:
    code = [cell for cell in cells if cell.kind == "code"]
    return [cell for cell in code if tag in cell.tags] or [cell for cell in code if cell.id == identifier]


def _verdict(check: Cell, number: str) -> tuple[str, str, str]:
    """Return the state that a check published last, the fingerprint of the cell that it judged, and its text."""
    said = [verdict for verdict in check.verdicts if verdict[0] == number and verdict[1] in PUBLISHED]
    return said[-1][1:] if said else ("", "", "")


def _same_code(source: str, other: str) -> bool:
    """Return whether two cells differ in comments and blank lines at most."""
    return source.strip() == other.strip() or words(source) == words(other)


def _is_python(source: str) -> bool:
    try:
        ast.parse(re.sub(r"^\s*[%!].*$", "", source, flags=re.MULTILINE))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _is_sentence(source: str) -> bool:
    return len(re.sub(r"^\s*\w+\s*=|[\"'()#]", " ", source).split()) >= _FEWEST_WORDS
