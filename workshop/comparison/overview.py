"""The class at a glance: who stands where, what fails most, and with which mistakes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from labcourse.files import atomic_write
from workshop.authoring.nbgrader import POINTS
from workshop.comparison.states import Found
from workshop.comparison.survey import Survey


def hurdles(survey: Survey) -> list[dict[str, Any]]:
    """Return one row per exercise at which somebody failed, those first at which most did.

    A student came to an exercise who tried it or a later one; the most frequent mistakes are the lines of the check
    that do not hold, with how often.
    """
    made = []
    titles = {e.number: e.title for chapter in survey.reference.values() for e in chapter.exercises}
    position = {number: i for i, number in enumerate(titles)}
    students = [(student.exercises, position.get(student.reached, -1)) for student in survey.students]
    for i, (number, title) in enumerate(titles.items()):
        found = [exercises[i] for exercises, last in students if last >= i]
        wrong = [f for f in found if f.state == "wrong"]
        mistakes = Counter(mistake for f in wrong for mistake in dict.fromkeys(f.mistakes)).most_common(3)
        done = sum(f.is_done for f in found)
        row = {
            "exercise": f"{number} {title}",
            "came to it": len(found),
            "done": done,
            "wrong": len(wrong),
            "went on without": len(found) - done - len(wrong),
            "most frequent mistakes": "; ".join(f"{mistake} ({n})" for mistake, n in mistakes),
        }
        made += [row] if done < len(found) else []
    return sorted(made, key=lambda row: (row["done"] - row["came to it"], -row["wrong"]))


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
    import pandas as pd

    titles = {e.number: f"{e.number} {e.title}" for chapter in survey.reference.values() for e in chapter.exercises}
    table = pd.DataFrame(rows(survey), columns=["student", "chapter", "exercise", "state", "points"])
    table["student"] = table["student"].str.replace("^(?=[=+@-])", "'", regex=True)
    table["exercise"] = table["exercise"].map(titles)
    table["points"] = table["points"].astype("Int64")
    text = table.to_csv(index=False, lineterminator="\r\n")
    atomic_write(path, lambda temporary: temporary.write_bytes(text.encode("utf-8-sig")))


def _points(found: Found) -> int | None:
    return None if found.state == "answered" else POINTS * (found.state == "solved")


def summary_rows(survey: Survey) -> list[dict[str, Any]]:
    """Return one row per student, for the terminal and the report's first table."""
    made = []
    for student in survey.students:
        states = Counter(found.state for found in student.exercises)
        numbers = [n for work in student.chapters for n in work.numbers if n.expected is not None]
        present = [n for n in numbers if n.value is not None]
        made.append(
            {
                "student": student.name,
                "done": states["solved"] + states["answered"],
                "wrong": states["wrong"],
                "unchecked": states["unchecked"],
                "open": states["open"],
                "missing": states["missing"] + states["damaged"],
                "doubts": len(student.doubtful),
                "reached": student.reached or "–",
                "stuck at": student.stuck or "–",
                "numbers right": f"{sum(n.is_right for n in present)} of {len(present)}" if present else "–",
                "files": len(student.problems) or "–",
            }
        )
    return made
