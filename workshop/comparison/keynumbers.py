"""A student's key numbers: out of the notebook, or from an outputs folder handed in beside it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from labcourse.outputs import CHAPTERS
from workshop.comparison import reading
from workshop.comparison.reading import Notebook, Unreadable

__all__ = ["handed_in", "published"]


def published(notebook: Notebook, chapter: int) -> dict[str, float]:
    """Return the numbers that the notebook published, the last ones of each name."""
    numbers: dict[str, float] = {}
    for item in (number for cell in notebook.cells for number in cell.numbers):
        if isinstance(item, dict) and item.get("chapter") == chapter:
            numbers |= _only_numbers(item.get("numbers"))
    return numbers


def handed_in(folder: Path, chapter: int) -> dict[str, float]:
    """Return the numbers of an outputs folder that was handed in along with the notebooks."""
    for below in ("", "outputs", "outputs/notebooks", "data/outputs/notebooks"):
        path = folder / below / CHAPTERS[chapter] / "numbers.json"
        if path.is_file() and path.resolve().is_relative_to(folder.resolve()):
            try:
                return _only_numbers(reading.read_json(path))
            except Unreadable:
                return {}
    return {}


def _only_numbers(content: Any) -> dict[str, float]:
    if not isinstance(content, dict):
        return {}
    return {
        reading.printable(name, 60): value
        for name, value in list(content.items())[:200]
        if isinstance(name, str) and isinstance(value, (int, float)) and abs(value) < 1e300 and math.isfinite(value)
    }
