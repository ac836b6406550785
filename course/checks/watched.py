"""A student's function while a check runs it: what it is given, what it gives, and whose functions it calls."""

from __future__ import annotations

import contextlib
import functools
import inspect
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from course.checks import cells
from course.checks.compare import copied, in_form, is_open, is_unchanged
from course.checks.findings import Found, Report, StillOpen, explain

_CALLS_OWN = "Your function calls the course's own answer. Write yours, and then run this check."
_STOPPED = "It was stopped before its verdict. Run this cell again."
_DATA = (tuple, list, np.ndarray, np.generic, float, int, pd.Series, pd.DataFrame)


@contextlib.contextmanager
def word_after(seconds: float) -> Iterator[None]:
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


@dataclass
class Watch:
    """A student's answer while its check runs; a function gets copies, and is told what is no result.

    ``own`` is the course's own answer, and functions of the ``library`` do the same as it. ``form`` is what the
    course's function gives: the next cells compute with its types. ``calls_course`` says whether the student's function
    has called one of these.
    """

    answer: Any
    report: Report
    own: Any
    library: Sequence[Any]
    form: Any = None
    calls_course: bool = False

    def judge(self, check: Callable[..., None], context: dict[str, Any]) -> tuple[str, Any, str]:
        """Return the state, what the notebook goes on with, and why there is no state if there is none."""
        is_function = inspect.isfunction(self.own)
        if is_function and not callable(self.answer):
            received = type(self.answer).__name__
            self.report.note(f"expected a function, received {received}", "keep the line that begins with def")
            return "wrong", self.own, ""
        try:
            # What NumPy and pandas warn about on crafted edge cases would only distract from the findings.
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                check(self.watched if callable(self.answer) else self.answer, self.report, **context)
        except StillOpen:
            return "open", self.own, ""
        except Found:
            pass
        except KeyboardInterrupt as interrupt:
            if (lines := cells.lines_of_answer(interrupt)) is None:
                return "", self.own, _STOPPED
            where = f" in the line `{lines[-1]}`" if lines else ""
            self.report.lines.clear()
            self.report.note(
                f"your function was stopped{where}, before it came to an end",
                "does each loop end? a `while` needs a condition that becomes false, a `for` a list that does not grow",
            )
        except BaseException as error:  # of whatever kind: a check never raises
            self.report.note(*explain(error))
        if self.calls_course:
            return "", self.own, _CALLS_OWN
        if not self.report.is_right:
            return "wrong", self.own, ""
        handed_on = _in_form_of(self.form, self.answer) if is_function else in_form(self.answer, self.own)
        return "solved", None if self.own is None else handed_on, ""

    def watched(self, *args: Any, **kwargs: Any) -> Any:
        """Return what the student's function gives."""
        given = dict(enumerate(args)) | kwargs
        handed = dict(zip(given, copied(tuple(given.values())), strict=True))
        with self.calls_to((self.own, *self.library)):
            result = self.answer(*(handed[i] for i in range(len(args))), **{name: handed[name] for name in kwargs})
        if is_open(result):
            raise StillOpen
        if result is None:
            hint = "`print` only shows a value: end the function with `return`"
            self.report.wrong("your function returns nothing", hint)
        for key, original in given.items():
            if not is_unchanged(handed[key], original):
                hint = "compute in new variables: *= and +=, and setting columns or elements, change the caller's data"
                self.report.wrong(f"your function changes what it is given: {self._name(key)}", hint)
        if self.form is None and (isinstance(result, _DATA) or hasattr(result, "__array__")):
            self.form = (np.zeros(0),) * len(result) if isinstance(result, tuple) else np.zeros(0)
            # An argument that is called, and may count it, is none for the course as well.
            if inspect.isfunction(self.own) and not any(map(callable, args)):
                with contextlib.suppress(Exception):
                    self.form = self.own(*copied(args), **kwargs)
        return result

    @contextlib.contextmanager
    def calls_to(self, own: Sequence[Any]) -> Iterator[None]:
        """Note whether one of the course's functions is called, under whatever name the student's knows it."""
        codes, before = {getattr(each, "__code__", None) for each in own} - {None}, sys.getprofile()

        def profile(frame: Any, event: str, _: Any) -> None:
            self.calls_course |= event == "call" and frame.f_code in codes

        sys.setprofile(profile if codes else before)
        try:
            yield
        finally:
            sys.setprofile(before)

    def _name(self, key: int | str) -> int | str:
        with contextlib.suppress(TypeError, ValueError, IndexError):
            return list(inspect.signature(self.answer).parameters)[key] if isinstance(key, int) else key
        return "an argument"


def _in_form_of(form: Any, answer: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that gives what a student's gives, in the form of the course's if that is known."""
    if form is None:
        return answer
    return functools.wraps(answer)(lambda *args, **kwargs: in_form(answer(*args, **kwargs), form, args))
