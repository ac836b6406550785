"""What every answer check shares: what it prints, what it hands back, how it remembers.

A check is a function decorated with `exercise`. It receives the answer and a `Report` and says what
holds. The decorator looks after everything else: open exercises, exceptions in the student's code, the
answer that the notebook goes on with, and the record of what is solved. A check never raises.

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

import functools
import inspect
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from labcourse.checks.compare import copied, is_unchanged
from labcourse.checks.findings import Mistake, Report, ReturnsNothing, StillOpen, explain
from labcourse.checks.progress import record_state

__all__ = ["Mistake", "Report", "exercise", "is_open"]


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

        @functools.wraps(body)
        def check(answer: Any = ..., **context: Any) -> Any:
            report = Report()
            state = "open"
            if not is_open(answer) and not any(is_open(value) for value in context.values()):
                state = _examine(body, answer, report, context, wants_function=inspect.isfunction(fallback))
            _show(number, state, report, hands_on=hands_on)
            if record:
                record_state(number, state)
            if not hands_on:
                return None
            if state == "solved":
                return answer
            return _course_answer(make_fallback, context) if make_fallback else fallback

        # The wrapped signature would promise a report argument, which the decorator supplies.
        del check.__wrapped__
        return check

    return decorate


def is_open(answer: Any) -> bool:
    """Return whether an answer is the stub: ``...``, or a tuple or list that holds it.

    >>> is_open(...), is_open((1, ...)), is_open(0)
    (True, True, False)
    """
    return answer is ... or (isinstance(answer, (tuple, list)) and any(part is ... for part in answer))


def _examine(
    body: Callable[..., None], answer: Any, report: Report, context: dict[str, Any], *, wants_function: bool
) -> str:
    if wants_function and not callable(answer):
        report.wrong(f"expected a function, received {type(answer).__name__}", "keep the line that begins with def")
        return "wrong"
    spoilt: set[str] = set()
    watched = _watch(answer, spoilt) if inspect.isfunction(answer) or wants_function else answer
    try:
        # What NumPy and pandas warn about on crafted edge cases would only distract from the findings.
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            body(watched, report, **context)
    except StillOpen:
        return "open"
    except ReturnsNothing:
        report.wrong("your function returns nothing", "`print` only shows a value: end the function with `return`")
    except (Exception, SystemExit) as error:
        report.wrong(*explain(error))
    if spoilt:
        report.wrong(
            f"your function changes what it is given: {', '.join(sorted(spoilt))}",
            "compute in new variables: *= and +=, and setting columns or elements, change the caller's own data",
        )
    return "solved" if report.is_right else "wrong"


def _course_answer(make: Callable[..., Any], context: dict[str, Any]) -> Any:
    if any(is_open(value) for value in context.values()):
        return ...
    try:
        return make(**context)
    except Exception as error:
        print(f"  The course's own answer could not be made: {error}")
        print("  Run the cells above again, in order.")
        return ...


def _watch(answer: Callable[..., Any], spoilt: set[str]) -> Callable[..., Any]:
    """Wrap a student's function: it gets copies, and a stub or a missing return are told apart from wrong results.

    The names of arguments that it changes are added to ``spoilt``.
    """
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
        for name, given, original in [
            *zip([*names, *["an argument"] * len(args)], handed[0], args, strict=False),
            *((name, handed[1][name], original) for name, original in kwargs.items()),
        ]:
            if not is_unchanged(given, original):
                spoilt.add(name)
        return result

    return watched


def _show(number: str, state: str, report: Report, *, hands_on: bool) -> None:
    if state == "open":
        tail = "; the course goes on with its own answer" if hands_on else ""
        print(f"○ exercise {number} is still open{tail}")
        return
    print(f"exercise {number}: {'solved' if state == 'solved' else 'not yet'}")
    for holds, what, hint in report.lines:
        print(f"  {'✓' if holds else '✗'} {what}")
        if hint and not holds:
            print(f"    hint: {hint}")
    if state != "solved" and hands_on:
        print("  The course goes on with its own answer until yours is right.")
