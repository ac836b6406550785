"""The answer checks: one function per exercise, one file per chapter, which is read when it is first asked for.

``checks.exercise_1_2(preselect)`` prints what holds, what does not, and a hint. It returns what the
notebook goes on with: the student's answer when it is right, else the course's own.
``checks.written("1.5", answer)`` is for answers in words; ``checks.panel(1)`` shows where the student stands;
``checks.is_solved("1.2")`` is for tools that grade.
"""

from __future__ import annotations

import importlib
import re
from typing import Any

from course import outputs
from course.checks.progress import is_solved as is_solved
from course.checks.progress import panel as panel
from course.checks.report import written as written


def __getattr__(name: str) -> Any:
    """Return the check of an exercise from the file of its chapter."""
    match = re.fullmatch(r"exercise_(\d+)_\d+", name)
    word = outputs.WORDS.get(int(match[1])) if match else None
    if word is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{word}"), name)
