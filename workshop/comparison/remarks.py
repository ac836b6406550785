"""What no check sees, and a person should: copied answers, no answer at all, the library's instead of one's own.

Each remark becomes a doubt beside the exercise, or stands with the files; changed cells have a list of their own.
Nothing is judged by it.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from itertools import combinations
from typing import NamedTuple

from workshop.comparison.reading import Cell, Notebook
from workshop.comparison.reference import Chapter, Exercise
from workshop.comparison.states import Found

_TAUGHT = "crossvalidation|features|kinematics|metrics|network|selection|significance|splitting|weights"
_CALL = re.compile(rf"\b({_TAUGHT})\.([a-z]\w*)")
_IMPORT = re.compile(r"\bfrom (?:labcourse|azh)\S* import\s*(?:\([^)]*\)|[^\n]*)|\bimport (?:labcourse|azh)\S*")
_IMPORT_CHECKS = re.compile(r"\bfrom course import\s*[\w, ]+$", re.MULTILINE)
_QUIET = re.compile(r'("""|\'\'\').*?\1|"[^"\n]*"|\'[^\'\n]*\'|#[^\n]*', re.DOTALL)
_CHECKING = re.compile(r"\bchecks\.(?:exercise_\d+_\d+|written|panel)\s*\(")
_INSIDE = re.compile(r"course\.checks|\bchecks as\b|_checked_here|record_state")
_LINK = re.compile(r"\]\((?:[\w.-]+/)+(?=[\w.-]+\.(?:svg|ipynb|md)[)#])")
_FEWEST_WORDS = 8
"""So many words are not the same by chance."""
_LONG = 60
"""Characters; shorter code is the same in many heads."""


class Change(NamedTuple):
    """One cell, ``edited``, ``removed`` or ``added`` (its kind): the lines added (``+``) and removed (``-``)."""

    kind: str
    lines: tuple[str, ...]


def remarks(found: Found, exercise: Exercise) -> Iterator[str]:
    """Yield what is remarkable about an answer that counts as done."""
    if not found.is_done:
        return
    if exercise.is_written:
        own, model = _words(found.answer), _words(exercise.answer)
        if difflib.SequenceMatcher(None, own, model, autojunk=False).ratio() > 0.8:
            yield "word for word the course's own answer"
        elif len(set(own)) < 4:
            yield "hardly a sentence"
    elif library := _library(found.answer) - _library(exercise.answer) - _library(exercise.stub.source):
        yield f"it takes the course's own {', '.join(sorted(library))}"


def touches_checks(notebook: Notebook, chapter: Chapter) -> bool:
    """Return whether a cell that is not the course's does more with `checks` than to call them."""
    course = {cell.source.strip() for cell in chapter.cells}
    for cell in notebook.cells:
        if cell.kind == "code" and "check" in cell.source and cell.source.strip() not in course:
            code = _QUIET.sub("", _IMPORT_CHECKS.sub("", cell.source))
            if re.search(r"\bchecks\b", _CHECKING.sub("", code)) or _INSIDE.search(cell.source):
                return True
    return False


def own_text(found: Found, exercise: Exercise) -> str:
    """Return what a student wrote beyond the stub, if it is long enough to be recognised, and not the course's own."""
    if exercise.is_written:
        own = _words(found.answer)
        return " ".join(own) if len(own) >= _FEWEST_WORDS and own != _words(exercise.answer) else ""
    stub, course = set(exercise.stub.source.splitlines()), set(exercise.answer.splitlines())
    lines = [line.rstrip() for line in found.answer.splitlines() if line.strip() and line not in stub]
    return "\n".join(lines) if len("".join(lines)) >= _LONG and not set(lines) <= course else ""


def alike(answers: Sequence[Mapping[Exercise, str]]) -> Iterator[tuple[int, int, int]]:
    """Yield positions of two students whose answers are the same letter for letter, and how many are.

    Of each student the `own_text` by exercise is given; one answer in words is enough, or three of code.
    """
    writers: defaultdict[tuple[Exercise, str], list[int]] = defaultdict(list)
    for student, texts in enumerate(answers):
        for exercise, text in texts.items():
            writers[exercise, text] += [student] if text else []
    same, weight = Counter[tuple[int, int]](), Counter[tuple[int, int]]()
    for (exercise, _), students in writers.items():
        # What a fifth of the class writes is in the air.
        if len(students) <= max(10, len(answers) / 5):
            pairs = list(combinations(students, 2))
            same.update(pairs)
            weight.update(pairs * (3 if exercise.is_written else 1))
    yield from ((*pair, number) for pair, number in same.items() if weight[pair] >= 3)


def find_changes(notebook: Notebook, chapter: Chapter) -> list[Change]:
    """Return the cells changed beyond the exercises and their checks, those removed last.

    The cells of the course have ids of their own, which every editor keeps: by these they are paired.
    """
    exercises = {cell.id for exercise in chapter.exercises for cell in (exercise.stub, exercise.check)}
    course, own = ([c for c in cells if c.id not in exercises] for cells in (chapter.cells, notebook.cells))
    own = [cell for cell in own if cell.source.strip() and not cell.labels]
    known, present = set(map(_key, course)), {cell.id for cell in own} | set(map(_key, own))
    before = {cell.id: cell.source for cell in course}
    changes = [
        _change("edited" if cell.id in before else "added", before.get(cell.id, ""), cell.source)
        for cell in own
        if _key(cell) not in known
    ]
    return changes + [_change("removed", cell.source, "") for cell in course if not {cell.id, _key(cell)} & present]


def _change(kind: str, before: str, after: str) -> Change:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return Change(kind, tuple(line for line in list(lines)[2:] if not line.startswith("@@")))


def _key(cell: Cell) -> tuple[str, str]:
    # In an assignment of nbgrader links lead elsewhere, to files of the same names.
    text = _LINK.sub(r"](", cell.source) if cell.kind == "markdown" else cell.source
    return cell.kind, "\n".join(line.rstrip() for line in text.strip().splitlines())


def _words(source: str) -> list[str]:
    return re.findall(r"[^\W_]+(?:['’][^\W_]+)*", re.sub(r"^\s*\w+\s*=", " ", source).casefold())


def _library(source: str) -> set[str]:
    """Return the course's functions that a cell names; `weights.sum` of an argument called weights is none."""
    code = _QUIET.sub("", source)
    named = {match[0].strip() for match in _IMPORT.finditer(code)}
    for module, name in _CALL.findall(code):
        function = getattr(import_module(f"labcourse.{module}"), name, None)
        if callable(function) and function.__module__.startswith("labcourse."):
            named.add(f"{module}.{name}")
    return named
