"""All exercises of the course, whether or not anybody has tried them: ``course/exercises.json``.

The file is made from the course text by ``labcourse build``, with the notebooks.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from labcourse import settings


class Exercise(NamedTuple):
    """One exercise: number such as ``1.2``, chapter, title, and kind such as ``write code``.

    ``cell`` is the id of its heading's cell, ``names`` are those of its answer. ``answer`` is the code that makes the
    course's own answer, for those with which a notebook goes on; ``model`` is the course's answer in words.
    """

    number: str
    chapter: int
    title: str
    kind: str
    cell: str
    names: Sequence[str]
    answer: str = ""
    model: str = ""


def exercises() -> dict[str, Exercise]:
    """Return the exercises by number, in the order of the course."""
    return _read(settings.home())[0]


def fingerprints() -> frozenset[str]:
    """Return the fingerprints of the course's code cells, see `course.checks.cells.fingerprint`."""
    return _read(settings.home())[1]


@cache
def course_answer(number: str) -> Any:
    """Return the course's own answer to an exercise, made from the solution cell in a namespace of its own.

    So it is there whatever a notebook has run, and means by each name what the course means by it. None for an
    exercise of which no answer is handed on.
    """
    exercise = exercises().get(number)
    if exercise is None or not exercise.answer:
        return None
    return answer_of(number, exercise.answer)


def answer_of(number: str, code: str) -> Any:
    """Return the answer to an exercise that code makes, in a namespace of its own."""
    names: dict[str, Any] = {"__name__": f"answer_{number}"}
    exec(compile(code, f"<the course's answer to exercise {number}>", "exec"), names)
    return names[exercises()[number].names[0]]


@cache
def _read(home: Path) -> tuple[dict[str, Exercise], frozenset[str]]:
    chapters: dict[str, Any] = json.loads((home / "course" / "exercises.json").read_text(encoding="utf-8"))
    listed = [Exercise(**entry) for chapter in chapters.values() for entry in chapter["exercises"]]
    fingerprints = frozenset(each for chapter in chapters.values() for each in chapter["cells"])
    return {entry.number: entry for entry in listed}, fingerprints
