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
import math
import numbers
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np

from labcourse.checks.progress import record_state

__all__ = ["Report", "exercise", "is_open"]

#: What a student sees next to an exception, by its type.
_HINTS = {
    "NameError": "is the name spelt as above, and has the cell that defines it been run?",
    "KeyError": "is the column's name spelt as in the table? `events.columns` lists them",
    "AttributeError": "is the name behind the dot spelt right, and is this the type of object you expect?",
    "IndexError": "an index is larger than the number of elements; counting starts at zero",
    "RecursionError": "the function calls itself without end",
    "TypeError": "an argument has another type, or there are more or fewer of them, than expected",
    "ValueError": "for arrays, use & | ~ instead of and, or, not, and compare shapes",
}


class _StillOpen(Exception):
    """A student's function returned the stub's ``...``."""


class _ReturnsNothing(Exception):
    """A student's function returned None."""


class Report:
    """Collects what holds and what does not, in the order in which a check finds it."""

    def __init__(self) -> None:
        self.lines: list[tuple[bool, str, str]] = []

    @property
    def is_right(self) -> bool:
        """Whether something was checked and all of it holds."""
        return bool(self.lines) and all(holds for holds, _, _ in self.lines)

    def holds(self, condition: Any, what: str, *, hint: str = "") -> bool:
        """Note that ``what`` should hold, and whether it does; return that.

        Parameters
        ----------
        condition : bool, array of bool, or function without arguments
            An array holds if all its elements do. An exception in a function counts as "does not hold",
            and the check goes on.
        what : str
            The property, in words that are true when it holds.
        hint : str
            Shown when it does not hold.
        """
        try:
            value = condition() if inspect.isfunction(condition) else condition
            is_true = bool(np.all(value))
        except (_StillOpen, _ReturnsNothing):
            raise
        except Exception as error:
            self.lines.append((False, what, ""))
            self.lines.append((False, *_explain(error)))
            return False
        self.lines.append((is_true, what, hint))
        return is_true

    def wrong(self, mistake: str, hint: str = "") -> None:
        """Note a mistake that the check recognises."""
        self.lines.append((False, mistake, hint))

    def close(
        self, value: Any, expected: float, what: str, *, tolerance: float = 0.0, relative: float = 0.0, hint: str = ""
    ) -> bool:
        """Note that a number should be ``expected`` within an absolute or a relative tolerance."""
        if isinstance(value, np.ndarray) and value.ndim == 0:
            value = value.item()
        if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
            self.wrong(f"{what}: expected a number, received {type(value).__name__}", hint)
            return False
        margin = max(tolerance, relative * abs(expected), 1e-9 * abs(expected))
        number = float(value)
        return self.holds(math.isfinite(number) and abs(number - expected) <= margin, what, hint=hint)

    def recognises(self, value: Any, *mistakes: tuple[float, str, str]) -> bool:
        """Return whether ``value`` is one of the numbers that typical mistakes give; the mistake is then noted.

        Each mistake is ``(number, what went wrong, hint)``.
        """
        if isinstance(value, numbers.Real):
            for number, mistake, hint in mistakes:
                if math.isclose(float(value), number, rel_tol=1e-5, abs_tol=1e-8):
                    self.wrong(mistake, hint)
                    return True
        return False


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
    watched: Any = tuple(map(_watch, answer)) if type(answer) is tuple else _watch(answer)
    try:
        body(watched, report, **context)
    except _StillOpen:
        return "open"
    except _ReturnsNothing:
        report.wrong("your function returns nothing", "end it with a return statement")
    except (Exception, SystemExit) as error:
        report.wrong(*_explain(error))
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


def _watch(answer: Any) -> Any:
    """Wrap a student's function, so that a stub and a missing return are told apart from wrong results."""
    if not inspect.isfunction(answer):
        return answer

    @functools.wraps(answer)
    def watched(*args: Any, **kwargs: Any) -> Any:
        result = answer(*args, **kwargs)
        if is_open(result):
            raise _StillOpen
        if result is None:
            raise _ReturnsNothing
        return result

    return watched


def _explain(error: BaseException) -> tuple[str, str]:
    """Return an exception in one line, with the line of the notebook cell it came from, and a hint."""
    kind = type(error).__name__
    message = str(error).strip().split("\n")[0]
    what = f"your code raised {kind}: {message}" if message else f"your code raised {kind}"
    frames = traceback.extract_tb(error.__traceback__)
    cell_frames = [frame for frame in frames if "ipykernel" in frame.filename or frame.filename.startswith("<ipython")]
    if cell_frames and cell_frames[-1].line:
        what += f" (in the line `{cell_frames[-1].line}`)"
    return what, next((hint for name, hint in _HINTS.items() if _is_kind(error, name)), "")


def _is_kind(error: BaseException, name: str) -> bool:
    return any(base.__name__ == name for base in type(error).__mro__)


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
