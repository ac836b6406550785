"""Exercises answered in words: open until there is a sentence, then shown beside the course's answer."""

from __future__ import annotations

import re
import textwrap
from typing import Any

from course.checks import cells
from course.checks.progress import Verdict, publish, record_state, verdict_here
from course.checks.registry import exercises
from course.checks.report import ended_in_error

_FEWEST_WORDS = 4


def written(number: str, text: Any) -> None:
    """Show the course's answer to an exercise in words, once the student has tried.

    Words are not judged: to compare both answers point by point is the exercise. The points are the sentences
    of the course's answer.
    """
    if number not in exercises() or not (model := exercises()[number].model):
        publish(number, [f"exercise {number}: there is no exercise of this number that is answered in words"], None)
        return
    call = cells.arguments(cells.running.source, "written")
    run = cells.last_run(call[0]) if call else None
    if reason := ended_in_error(run):
        publish(number, [f"exercise {number}: nothing is judged", f"  {reason}"], verdict_here(number))
        return
    words = text.split() if isinstance(text, str) else []
    if len(words) < _FEWEST_WORDS:
        is_text = isinstance(text, str) or text is ...
        more = ("; write at least one sentence" if words else "") if is_text else "; write a text in quotes"
        state, lines = "open", [f"○ exercise {number} is still open{more}"]
    else:
        state, lines = "answered", [f"exercise {number}: answered"]
        if model.split() != words:
            lines.append("  Compare with the course's answer:")
            for point in _sentences(model):
                lines.append(textwrap.fill(point, 100, initial_indent="  · ", subsequent_indent="    "))
            lines.append(
                "  Which of these points does yours make? What does it say that is not among them, and is it right?"
            )
    record_state(number, state, Verdict(state, cells.running.order, cells.fingerprint(run.source) if run else ""))
    publish(number, lines, verdict_here(number))


def _sentences(text: str) -> list[str]:
    """Return the sentences of a text.

    >>> _sentences("It falls by 0.5. Why? (a) Noise; (b) luck.")
    ['It falls by 0.5.', 'Why?', '(a) Noise; (b) luck.']
    """
    return re.split(r"(?<=[.!?])\s+(?=[«(A-Z0-9ση√])", " ".join(text.split()))
