"""What no check sees, and a person should: copied answers, and cells that reach into the checks."""

from __future__ import annotations

import difflib
import re

from workshop.comparison.reading import Notebook
from workshop.comparison.reference import Chapter, Exercise
from workshop.comparison.states import Found

_IMPORT_CHECKS = re.compile(r"\bfrom course import (?:\w+, )*\w+$", re.MULTILINE)
_CHECKING = re.compile(r"\bchecks\.(?:exercise_\d+_\d+|written|panel)\s*\(")


def is_copied(found: Found, exercise: Exercise) -> bool:
    """Return whether an answer in words is the course's own, but for a few words."""
    own, model = _words(found.answer), _words(exercise.answer)
    is_alike = exercise.is_written and difflib.SequenceMatcher(None, own, model, autojunk=False).ratio() > 0.8
    return found.is_done and is_alike


def touches_checks(notebook: Notebook, chapter: Chapter) -> bool:
    """Return whether a cell that is not the course's does more with `checks` than to call them."""
    own = [cell.source for cell in notebook.cells if cell.kind == "code" and cell.source.strip() not in chapter.cells]
    return any(re.search(r"\bchecks\b", _CHECKING.sub("", _IMPORT_CHECKS.sub("", source))) for source in own)


def _words(source: str) -> list[str]:
    return re.findall(r"[^\W_]+(?:['’][^\W_]+)*", re.sub(r"^\s*\w+\s*=", " ", source).casefold())
