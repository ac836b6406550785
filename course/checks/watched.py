"""A student's function while a check runs it: what it is given, what it gives, and whose functions it calls."""

from __future__ import annotations

import contextlib
import functools
import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from course.checks.compare import copied, in_form, is_open, is_unchanged
from course.checks.findings import Report, StillOpen

_DATA = (tuple, list, np.ndarray, np.generic, float, int, pd.Series, pd.DataFrame)


@dataclass
class Watch:
    """A student's function: it gets copies, and a stub or a missing return are told apart from wrong results.

    ``course`` is the course's own, if that is a function, and those of the ``library`` do the same. ``form`` is what
    the course's own gives: the next cells compute with its types. ``calls_course`` says whether the student's function
    has called one of them.
    """

    answer: Callable[..., Any]
    report: Report
    course: Callable[..., Any] | None
    library: Sequence[Any]
    form: Any = None
    calls_course: bool = False

    def watched(self, *args: Any, **kwargs: Any) -> Any:
        """Return what the student's function gives."""
        given = dict(enumerate(args)) | kwargs
        handed = dict(zip(given, copied(tuple(given.values())), strict=True))
        with self.calls_to((self.course, *self.library)):
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
            if self.course is not None and not any(map(callable, args)):
                with contextlib.suppress(Exception):
                    self.form = self.course(*copied(args), **kwargs)
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

    def handed_on(self) -> Callable[..., Any]:
        """Return the student's function, which gives what it gives in the form of the course's own if that is known."""
        if self.form is None:
            return self.answer
        return functools.wraps(self.answer)(
            lambda *args, **kwargs: in_form(self.answer(*args, **kwargs), self.form, args)
        )

    def _name(self, key: int | str) -> int | str:
        with contextlib.suppress(TypeError, ValueError, IndexError):
            return list(inspect.signature(self.answer).parameters)[key] if isinstance(key, int) else key
        return "an argument"
