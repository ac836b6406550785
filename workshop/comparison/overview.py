"""The class at a glance: what fails most, and with which mistakes."""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from labcourse.files import atomic_write
from workshop.authoring.nbgrader import POINTS
from workshop.comparison.states import Found
from workshop.comparison.survey import Student, Survey

__all__ = ["Hurdle", "hurdles", "rows", "summary_rows", "write_csv"]


class Hurdle(NamedTuple):
    """An exercise and how the class fared.

    ``tried`` counts the students who came to it (tried it or a later one), ``done`` those who are through,
    ``wrong`` whose check says "not yet", ``skipped`` who went on without it. ``mistakes`` are the most frequent
    lines of the check that do not hold, with how often.
    """

    exercise: str
    title: str
    tried: int
    done: int
    wrong: int
    skipped: int
    mistakes: tuple[tuple[str, int], ...]


def hurdles(survey: Survey) -> list[Hurdle]:
    """Return all exercises, those first at which most students fail."""
    made = []
    titles = {e.number: e.title for chapter in survey.reference.values() for e in chapter.exercises}
    position = {number: i for i, number in enumerate(titles)}
    fared = [({f.exercise: f for f in s.exercises}, position.get(s.reached, -1)) for s in survey.students]
    for number, title in titles.items():
        tried = done = wrong = skipped = 0
        mistakes: Counter[str] = Counter()
        for exercises, reached in fared:
            found = exercises[number]
            mistakes.update(dict.fromkeys(found.mistakes, 1) if found.state == "wrong" else ())
            if reached >= position[number]:
                tried += 1
                done += found.is_done
                wrong += found.state == "wrong"
                skipped += found.state in ("open", "unchecked", "missing")
        made.append(Hurdle(number, title, tried, done, wrong, skipped, tuple(mistakes.most_common(3))))
    return sorted(made, key=lambda h: (-(h.wrong + h.skipped), -h.wrong, position[h.exercise]))


def rows(survey: Survey) -> list[dict[str, Any]]:
    """Return one row per student and exercise, as JSON can hold them; ``points`` as in `write_csv`."""
    return [
        {
            "student": student.name,
            "chapter": found.chapter,
            "exercise": found.exercise,
            "state": found.state,
            "points": _points(found),
            "doubts": list(found.doubts),
            "mistakes": list(found.mistakes),
        }
        for student in survey.students
        for found in student.exercises
    ]


def write_csv(path: Path, survey: Survey) -> None:
    """Write one row per student and exercise, with nbgrader's points; those of answers in words are left to a person.

    Exercises are named in full: a spreadsheet takes 1.10 for 1.1. Nor does it take a name for a formula.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    titles = {e.number: f"{e.number} {e.title}" for chapter in survey.reference.values() for e in chapter.exercises}
    table: list[tuple[Any, ...]] = [("student", "chapter", "exercise", "state", "points")]
    for student in survey.students:
        name = f"'{student.name}" if student.name[:1] in "=+-@" else student.name
        for found in student.exercises:
            table.append((name, found.chapter, titles[found.exercise], found.state, _points(found)))
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(table)
    atomic_write(path, lambda temporary: temporary.write_bytes(text.getvalue().encode("utf-8-sig")))


def _points(found: Found) -> int | None:
    return None if found.state == "answered" else POINTS * (found.state == "solved")


def summary_rows(survey: Survey) -> list[dict[str, Any]]:
    """Return one row a student, for the terminal."""
    return [_summary(student) for student in survey.students]


def _summary(student: Student) -> dict[str, Any]:
    states = Counter(found.state for found in student.exercises)
    numbers = [number for work in student.chapters for number in work.numbers if number.expected is not None]
    present = [number for number in numbers if number.value is not None]
    return {
        "student": student.name,
        "done": states["solved"] + states["answered"],
        "wrong": states["wrong"],
        "unchecked": states["unchecked"],
        "open": states["open"],
        "missing": states["missing"] + states["damaged"],
        "doubts": sum(bool(f.doubts) for f in student.exercises if f.state not in ("missing", "damaged")),
        "reached": student.reached or "–",
        "stuck at": student.stuck or "–",
        "numbers right": f"{sum(n.is_right for n in present)} of {len(present)}" if present else "–",
        "files": len(student.problems) or "–",
    }
