"""All exercises of the course, whether or not anybody has tried them: read from the course text, where they stand."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from labcourse import settings

__all__ = ["Exercise", "exercises"]

_CELL = re.compile(r"^# %%.*tags=\[.*\"exercise-(\d+)\.(\d+)\"", re.MULTILINE)
_HEADING = re.compile(r"^# #+ Exercise (\d+\.\d+) – (.+?)(?: \(([^()]+)\))?$", re.MULTILINE)


class Exercise(NamedTuple):
    """One exercise: number such as ``1.2``, chapter, title, and kind such as ``write code``."""

    number: str
    chapter: int
    title: str
    kind: str


def exercises() -> dict[str, Exercise]:
    """Return the exercises by number, in the order of the course; none where the course text is missing."""
    return _read(settings.home() / "course")


@cache
def _read(folder: Path) -> dict[str, Exercise]:
    found = {}
    for path in folder.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        headings = {number: (title, kind) for number, title, kind in _HEADING.findall(text)}
        for chapter, position in _CELL.findall(text):
            number = f"{chapter}.{position}"
            found[int(chapter), int(position)] = Exercise(number, int(chapter), *headings.get(number, ("", "")))
    return {found[key].number: found[key] for key in sorted(found)}
