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
    """One exercise: number such as ``1.2``, chapter, title, kind such as ``write code``, id of its heading's cell."""

    number: str
    chapter: int
    title: str
    kind: str
    cell: str


def exercises() -> dict[str, Exercise]:
    """Return the exercises by number, in the order of the course; none where the course text is missing."""
    return _read(settings.home() / "course")


@cache
def _read(folder: Path) -> dict[str, Exercise]:
    found = {}
    for path in folder.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        headings = {}
        for heading in _HEADING.finditer(text):
            number, title, kind = heading.groups()
            # As `labcourse build` counts the cells.
            position = len(re.findall(r"^# %%", text[: heading.start()], re.MULTILINE))
            headings[number] = (title, kind or "", f"chapter{number.split('.')[0]}-{position:03d}")
        for chapter, position in _CELL.findall(text):
            number = f"{chapter}.{position}"
            found[int(chapter), int(position)] = Exercise(number, int(chapter), *headings.get(number, ("", "", "")))
    return {found[key].number: found[key] for key in sorted(found)}
