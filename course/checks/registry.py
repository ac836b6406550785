"""All exercises of the course, whether or not anybody has tried them: read from the course text, where they stand."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from course.checks import cells
from labcourse import settings

__all__ = ["Course", "Exercise", "course", "exercises"]

_CELL = re.compile(r"^# %%(.*)\n((?:(?!# %%).*\n?)*)", re.MULTILINE)
_TAG = re.compile(r'"(exercise|check)-(\d+)\.(\d+)"')
_HEADING = re.compile(r"^# #+ Exercise (\d+\.\d+) – (.+?)(?: \(([^()]+)\))?$", re.MULTILINE)


class Exercise(NamedTuple):
    """One exercise: number such as ``1.2``, chapter, title, and kind such as ``write code``.

    ``cell`` is the id of its heading's cell, ``names`` are those of its answer.
    """

    number: str
    chapter: int
    title: str
    kind: str
    cell: str
    names: tuple[str, ...] = ()


class Course(NamedTuple):
    """The course text: exercises by number, fingerprints of its code cells, names that each chapter's cells bind."""

    exercises: dict[str, Exercise]
    cells: frozenset[str]
    names: dict[int, frozenset[str]]


def exercises() -> dict[str, Exercise]:
    """Return the exercises by number, in the order of the course; none where the course text is missing."""
    return course().exercises


def course() -> Course:
    """Return what is to be known of the course text; nothing where it is missing."""
    return _read(settings.home() / "course" / "chapters")


@cache
def _read(folder: Path) -> Course:
    found: dict[tuple[int, int], Exercise] = {}
    codes: set[str] = set()
    names: dict[int, frozenset[str]] = {}
    for path in folder.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        headings: dict[str, tuple[str, str, str]] = {}
        bound: set[str] = set()
        number = ""
        for position, (header, content) in enumerate(_CELL.findall(text), 1):  # as `labcourse build` counts the cells
            for number, title, kind in _HEADING.findall(content):
                headings[number] = (title, kind, f"chapter{number.split('.')[0]}-{position:03d}")
            if "[markdown]" not in header:
                # As `labcourse build` writes it for students, and as it stands in the solution.
                codes |= {cells.fingerprint(content.replace(", solution=True)", ")")), cells.fingerprint(content)}
                bound |= cells.names_bound(content)
            for tag, chapter, place in _TAG.findall(header):
                number, key = f"{chapter}.{place}", (int(chapter), int(place))
                if tag == "exercise":
                    found[key] = Exercise(number, int(chapter), *headings.get(number, ("", "", "")))
                elif key in found:
                    call = cells.arguments(content, f"exercise_{chapter}_{place}") or cells.arguments(
                        content, "written"
                    )
                    found[key] = found[key]._replace(names=call[0] if call else ())
        if number:
            names[int(number.split(".")[0])] = frozenset(bound)
    return Course({found[key].number: found[key] for key in sorted(found)}, frozenset(codes), names)
