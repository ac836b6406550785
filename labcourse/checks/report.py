"""What every answer check shares: what it prints, what it hands back, how it remembers.

A check is a function decorated with `exercise`. It receives the answer and a `Report` and says what
holds. The decorator looks after everything else: open exercises, exceptions and endless loops in the student's code,
the answer that the notebook goes on with, and the record of what is solved. A check never raises.

Only what the student's cell has made since the last check is judged. The course's own answer, an answer that was judged
before, and one whose cell ended in an error leave the record as it is.

>>> @exercise("0.1", fallback=lambda x: 2 * x, record=False)
... def exercise_0_1(answer, report):
...     report.holds(answer(2) == 4, "doubles its argument", hint="multiply by two")
>>> mine = exercise_0_1(lambda x: x + x)
exercise 0.1: solved
  ✓ doubles its argument
>>> mine = exercise_0_1(...)
○ exercise 0.1 is still open; the course goes on with its own answer
>>> mine(3)
6
"""

from __future__ import annotations

import contextlib
import copy
import functools
import inspect
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from labcourse.checks import cells, registry
from labcourse.checks.compare import copied, in_form, is_unchanged
from labcourse.checks.findings import (
    Mistake,
    Report,
    ReturnsNothing,
    StillOpen,
    explain,
    frames_of,
    lines_of_cells,
    runs_answer,
)
from labcourse.checks.progress import Verdict, publish, record_state, verdict_here
from labcourse.progress import was_interrupted

__all__ = ["SECONDS_IN_SILENCE", "Mistake", "Report", "exercise", "is_open"]

SECONDS_IN_SILENCE = 5.0
"""After this time a check says that it is still running, and how to stop it."""


def exercise(
    number: str,
    *,
    fallback: Any = None,
    make_fallback: Callable[..., Any] | None = None,
    record: bool = True,
) -> Callable[[Callable[..., None]], Callable[..., Any]]:
    """Make a check of exercise ``number`` from a function ``(answer, report, **context)``.

    The check is called as ``check(answer, **context)``, prints its findings, and returns the answer if
    they are all right, else what the course goes on with.

    Parameters
    ----------
    number : str
        Such as ``"1.2"``.
    fallback : object
        The course's own answer (a function or a value). Without one the check returns None.
    make_fallback : callable, optional
        Makes the course's answer from the context, where it depends on it.
    record : bool
        Whether to note the state in the workspace.
    """

    def decorate(body: Callable[..., None]) -> Callable[..., Any]:
        hands_on = fallback is not None or make_fallback is not None
        wants_function = inspect.isfunction(fallback)

        def course_answer(context: dict[str, Any]) -> Any:
            return _course_answer(make_fallback, context) if make_fallback else fallback

        @functools.wraps(body)
        def check(answer: Any = ..., **context: Any) -> Any:
            names, others = cells.arguments(cells.running.source, body.__name__)
            run, before = cells.last_run(names), verdict_here(number)
            reason = _not_to_judge(answer, run, before, fallback if wants_function else None)
            report, state, handed_on = Report(), "open", None
            if not reason and not any(map(is_open, (answer, *context.values()))):
                examined = _examine(body, answer, report, context, fallback if wants_function else None)
                state, handed_on = examined.state, examined.answer
                reason = "" if state else "It was stopped before its verdict. Run this cell again."
            if reason:
                publish(number, [f"exercise {number}: nothing is judged", f"  {reason}"], before)
                return before.handed_on if before else course_answer(context)
            if state == "wrong":
                report.lines[:0] = _bound_anew(number, run, others)
            if hands_on and (state != "solved" or make_fallback):
                own = course_answer(context)
                handed_on = in_form(handed_on, own) if state == "solved" else own
            if not hands_on:
                handed_on = None
            if record:
                record_state(number, state, run=run, given=answer, handed_on=handed_on)
            publish(number, _lines(number, state, report, hands_on=hands_on), verdict_here(number))
            return handed_on

        # The wrapped signature would promise a report argument, which the decorator supplies.
        del check.__wrapped__
        return check

    return decorate


def _not_to_judge(answer: Any, run: cells.Run | None, before: Verdict | None, fallback: Any) -> str:
    """Return why an answer is none to be judged, and what to do; an empty text if it is."""
    then = "run that cell, and then this check."
    if run is not None and run.error:
        return f"The cell of your answer ended in {run.error}. Mend it, {then}"
    # Numbers and texts that are equal can be one object: of those only a notebook knows where they come from.
    is_known = run is not None or callable(answer)
    is_old = before is not None and is_known and (run is None or run.order <= before.order)
    if answer is not None and answer is fallback:
        return f"This is the course's own answer. Write yours in the cell above, {then}"
    is_handed_on = before is not None and is_old and answer is not before.given and answer is before.handed_on
    if before is not None and is_handed_on and before.state != "solved":
        return f"This is the course's own answer. Write yours in the cell above, {then}"
    if is_handed_on or (before is not None and is_old and answer is before.given):
        return f"The cell of your answer was not run since its last check. If you have changed it, {then}"
    return ""


def _bound_anew(number: str, run: cells.Run | None, others: tuple[str, ...]) -> Iterator[tuple[bool, str, str]]:
    """Yield a line for each name of the course's that the answer or its check uses, and that the student bound anew."""
    course = registry.course()
    of_exercises = {name for exercise in course.exercises.values() for name in exercise.names}
    used = {*others, *(cells.names_used(run.source) if run else ())}
    for name in sorted(used & course.names.get(int(number.split(".")[0]), frozenset()) - of_exercises):
        own = cells.last_run([name])
        if own is not None and own is not run and cells.fingerprint(own.source) not in course.cells:
            line = next(line for line in own.source.splitlines() if name in line).strip()
            yield (
                False,
                f"`{name}` is no longer the course's: a cell of yours has bound it anew (`{line[:80]}`)",
                f"take another name there, and run the course's cell that makes `{name}` again",
            )


def is_open(answer: Any) -> bool:
    """Return whether an answer is the stub: ``...``, or a tuple or list that holds it.

    >>> is_open(...), is_open((1, ...)), is_open(0)
    (True, True, False)
    """
    return answer is ... or (isinstance(answer, (tuple, list)) and any(part is ... for part in answer))


class _Examined(NamedTuple):
    """What an examination found: a state, empty if it was stopped, and the answer as it is handed on."""

    state: str
    answer: Any


def _examine(
    body: Callable[..., None], answer: Any, report: Report, context: dict[str, Any], course: Callable[..., Any] | None
) -> _Examined:
    if course is not None and not callable(answer):
        report.wrong(f"expected a function, received {type(answer).__name__}", "keep the line that begins with def")
        return _Examined("wrong", answer)
    seen = _Seen()
    watched = _watch(answer, seen, course) if inspect.isfunction(answer) or course is not None else answer
    try:
        # What NumPy and pandas warn about on crafted edge cases would only distract from the findings.
        with warnings.catch_warnings(), np.errstate(all="ignore"), _word_after(SECONDS_IN_SILENCE):
            warnings.simplefilter("ignore")
            body(watched, report, **context)
    except StillOpen:
        return _Examined("open", answer)
    except ReturnsNothing:
        report.wrong("your function returns nothing", "`print` only shows a value: end the function with `return`")
    except KeyboardInterrupt as interrupt:
        frames = frames_of(interrupt)
        if not runs_answer(frames):
            return _Examined("", answer)
        lines = lines_of_cells(frames)
        where = f" in the line `{lines[-1]}`" if lines else ""
        report.lines.clear()
        report.wrong(
            f"your function was stopped{where}, before it came to an end",
            "does each loop end? a `while` needs a condition that becomes false, a `for` a list that does not grow",
        )
    except (Exception, SystemExit) as error:
        report.wrong(*explain(error))
    if was_interrupted():
        return _Examined("", answer)  # a training was cut short, and with it what there is to judge
    if seen.spoilt:
        report.wrong(
            f"your function changes what it is given: {', '.join(sorted(seen.spoilt))}",
            "compute in new variables: *= and +=, and setting columns or elements, change the caller's own data",
        )
    return _Examined("solved" if report.is_right else "wrong", _in_forms(answer, seen.form) if seen.differs else answer)


@contextlib.contextmanager
def _word_after(seconds: float) -> Iterator[None]:
    """Say that a check is still running, once it has run for some time."""
    text = f"Still running after {seconds:.0f} seconds. If it does not end, stop it (■): then it says where it was."
    # Not among what the check prints: outputs must not depend on how fast a machine is.
    timer = threading.Timer(seconds, lambda: print(text, file=sys.stderr, flush=True))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _course_answer(make: Callable[..., Any], context: dict[str, Any]) -> Any:
    if any(is_open(value) for value in context.values()):
        return ...
    try:
        return make(**context)
    except Exception as error:
        print(f"  The course's own answer could not be made: {error}")
        print("  Run the cells above again, in order.")
        return ...


@dataclass
class _Seen:
    """What was seen while a student's function ran: names of arguments that it changes, and what it gives.

    ``form`` is what the course's own function gives: the next cells compute with its types. ``differs`` says whether
    the student's function has ever given others.
    """

    spoilt: set[str] = field(default_factory=set)
    form: Any = None
    differs: bool = False

    def note(self, result: Any, course: Callable[..., Any] | None, args: Any, kwargs: Any) -> None:
        """Note the form of a result, of the arguments that led to it."""
        if not isinstance(result, _DATA):
            return
        if self.form is None:
            self.form = (np.zeros(0),) * len(result) if isinstance(result, tuple) else np.zeros(0)
            # An argument that is called, and may count it, is none for the course as well.
            if course is not None and not any(map(callable, args)):
                with contextlib.suppress(Exception):
                    self.form = course(*copy.deepcopy(args), **copy.deepcopy(kwargs))
        self.differs |= in_form(result, self.form, args) is not result


_DATA = (tuple, list, np.ndarray, np.generic, float, int, pd.Series, pd.DataFrame)


def _watch(answer: Callable[..., Any], seen: _Seen, course: Callable[..., Any] | None) -> Callable[..., Any]:
    """Wrap a student's function: it gets copies, and a stub or a missing return are told apart from wrong results."""
    try:
        names = list(inspect.signature(answer).parameters)
    except (TypeError, ValueError):
        names = []

    def watched(*args: Any, **kwargs: Any) -> Any:
        handed = copied(args), copied(kwargs)
        result = answer(*handed[0], **handed[1])
        if is_open(result):
            raise StillOpen
        if result is None:
            raise ReturnsNothing
        seen.note(result, course, args, kwargs)
        for name, given, original in [
            *zip([*names, *["an argument"] * len(args)], handed[0], args, strict=False),
            *((name, handed[1][name], original) for name, original in kwargs.items()),
        ]:
            if not is_unchanged(given, original):
                seen.spoilt.add(name)
        return result

    return watched


def _in_forms(answer: Callable[..., Any], own: Any) -> Callable[..., Any]:
    """Return a student's function that gives what it gives in the form of the course's own."""

    @functools.wraps(answer)
    def function(*args: Any, **kwargs: Any) -> Any:
        return in_form(answer(*args, **kwargs), own, args)

    return function


def _lines(number: str, state: str, report: Report, *, hands_on: bool) -> list[str]:
    if state == "open":
        tail = "; the course goes on with its own answer" if hands_on else ""
        return [f"○ exercise {number} is still open{tail}"]
    lines = [f"exercise {number}: {'solved' if state == 'solved' else 'not yet'}"]
    for holds, what, hint in report.lines:
        lines.append(f"  {'✓' if holds else '✗'} {what}")
        if hint and not holds:
            lines.append(f"    hint: {hint}")
    if state != "solved" and hands_on:
        lines.append("  The course goes on with its own answer until yours is right.")
    return lines
