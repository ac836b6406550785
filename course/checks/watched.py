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
class Seen:
    """What was seen while a student's function ran.

    ``form`` is what the course's own function gives: the next cells compute with its types. ``calls_course`` says
    whether the student's has called it or its like.
    """

    form: Any = None
    calls_course: bool = False

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


def watch(
    answer: Callable[..., Any],
    report: Report,
    seen: Seen,
    course: Callable[..., Any] | None,
    library: Sequence[Any] = (),
) -> Callable[..., Any]:
    """Wrap a student's function: it gets copies, and a stub or a missing return are told apart from wrong results.

    Calls of the course's function, and of those of the ``library`` that do the same, are seen.
    """
    names: list[str] = []
    with contextlib.suppress(TypeError, ValueError):
        names = list(inspect.signature(answer).parameters)

    def watched(*args: Any, **kwargs: Any) -> Any:
        given = dict(enumerate(args)) | kwargs
        handed = dict(zip(given, copied(tuple(given.values())), strict=True))
        with seen.calls_to((course, *library)):
            result = answer(*(handed[i] for i in range(len(args))), **{name: handed[name] for name in kwargs})
        if is_open(result):
            raise StillOpen
        if result is None:
            report.wrong("your function returns nothing", "`print` only shows a value: end the function with `return`")
        for key, original in given.items():
            if not is_unchanged(handed[key], original):
                name = names[key] if isinstance(key, int) and key < len(names) else key
                hint = (
                    "compute in new variables: *= and +=, and setting columns or elements, change the caller's own data"
                )
                report.wrong(f"your function changes what it is given: {name}", hint)
        if seen.form is None and (isinstance(result, _DATA) or hasattr(result, "__array__")):
            seen.form = (np.zeros(0),) * len(result) if isinstance(result, tuple) else np.zeros(0)
            # An argument that is called, and may count it, is none for the course as well.
            if course is not None and not any(map(callable, args)):
                with contextlib.suppress(Exception):
                    seen.form = course(*copied(args), **kwargs)
        return result

    return watched


def in_forms(answer: Callable[..., Any], own: Any) -> Callable[..., Any]:
    """Return a student's function that gives what it gives in the form of the course's own, if that is numbers."""
    if own is None:
        return answer
    return functools.wraps(answer)(lambda *args, **kwargs: in_form(answer(*args, **kwargs), own, args))
