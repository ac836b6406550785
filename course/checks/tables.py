"""What the checks of the exercises share: wrong functions made of the right one, and tables that are tried in turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from course.checks import registry
from course.checks.compare import alike
from course.checks.report import Report, Row


def with_argument(function: Callable[..., Any], i: int, change: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return a function that changes its argument at position ``i`` before it calls another."""
    return lambda *given: function(*given[:i], change(given[i]), *given[i + 1 :])


def variants(number: str, *rows: tuple[Any, ...], result: int | None = None) -> tuple[Row, ...]:
    """Return mistakes that are the course's own answer to an exercise with a piece of its code replaced.

    Parameters
    ----------
    number : str
        Such as ``"1.2"``.
    rows : tuple
        ``(old, new, name, hint)`` for code ``old`` that is replaced wherever it stands; several at once are
        ``(((old, new), ...), name, hint)``. An ordinary row, ``(function, name, hint)``, stays as it is.
    result : int, optional
        Which of several results the mistakes are about, in a table of `parts_follow`.

    Raises
    ------
    ValueError
        If a piece is not in the code, since the course's solution has changed.

    >>> rows = variants("1.10", ("weight.sum() ** 2", "weight.sum()", "the sum is not squared", "(Σw)²"))
    >>> float(rows[0][0]([2.0, 2.0])), rows[0][1:]
    (0.5, ('the sum is not squared', '(Σw)²'))
    """

    def mistake(row: tuple[Any, ...]) -> Row:
        *_, name, hint = row
        if len(row) == 4:
            return _with_pieces(number, (row[:2],), result), name, hint
        return (_with_pieces(number, row[0], result) if isinstance(row[0], tuple) else row[0]), name, hint

    return tuple(map(mistake, rows))


def _with_pieces(number: str, pieces: Sequence[tuple[Any, ...]], result: int | None) -> Callable[..., Any]:
    code = registry.exercises()[number].answer
    for old, new in pieces:
        if old not in code:
            raise ValueError(f"the course's answer to exercise {number} has no code {old!r} that a mistake replaces")
        code = code.replace(old, new)
    function = cache(lambda: registry.answer_of(number, code))  # made when it is first tried
    return lambda *given: function()(*given) if result is None else function()(*given)[result]


def losses(y: Any, score: Any) -> Any:
    """Return the cross-entropy of each event, also for scores of exactly 0 and 1."""
    score = np.clip(np.asarray(score, np.float64), 1e-7, 1 - 1e-7)
    return -np.where(np.asarray(y) == 1, np.log(score), np.log(1 - score))


def follows(
    report: Report,
    answer: Callable[..., Any],
    course: Callable[..., Any],
    given: tuple[Any, ...],
    mistakes: Sequence[Row],
    what: str,
    hint: str,
    *,
    relative: float = 1e-4,
) -> None:
    """Note that an answer gives what the course's function gives, or else which of the mistakes it is."""
    _compare(report, answer(*given), course(*given), given, (mistakes, what, hint), relative)


def parts_follow(
    report: Report,
    answer: Callable[..., Any],
    course: Callable[..., Any],
    given: tuple[Any, ...],
    names: str,
    *tables: tuple[Sequence[Row], str, str],
    of_all: Sequence[Row] = (),
    relative: float = 1e-4,
) -> None:
    """Do as `follows` for answers of several ``names``: ``(mistakes, what, hint)`` for each, to the first.

    Mistakes ``of_all`` lead to all results at once, and are looked for before.
    """
    right = course(*given)
    parts = report.parts(answer(*given), names, len(tables))
    order = right[::-1], "the order is another one", f"return {names}"
    report.recognises(parts, order, *of_all, given=given, right=right)
    for result, own, table in zip(parts, right, tables, strict=True):
        _compare(report, result, own, given, table, relative)


def _compare(
    report: Report,
    result: Any,
    right: Any,
    given: tuple[Any, ...],
    table: tuple[Sequence[Row], str, str],
    relative: float,
) -> None:
    mistakes, what, hint = table
    report.recognises(result, *mistakes, given=given, right=right)
    if np.ndim(right) == 0:
        report.close(result, float(right), what, relative=relative, hint=hint)
        return
    if np.shape(result) != np.shape(right):
        report.wrong(f"the result has the shape {np.shape(result)}, and not {np.shape(right)}", hint)
    report.holds(alike(result, right, relative=relative), what, hint=hint)


def caught(report: Report, *rows: tuple[Any, str, str]) -> None:
    """End the check with the first of several mistakes that is made.

    Rows are ``(is made, what went wrong, hint)``, of which the first may be a function without arguments.
    """
    for is_made, mistake, hint in rows:
        if is_made() if callable(is_made) else is_made:
            report.wrong(mistake, hint)


def hold(report: Report, *rows: tuple[Any, ...]) -> None:
    """Note properties: ``(condition, what, hint)``, as `Report.holds` takes them.

    A fourth entry is said where the property does not hold.
    """
    for condition, what, hint, *mistake in rows:
        report.holds(condition, what, hint=hint, mistake=mistake[0] if mistake else "")


def gives(
    report: Report, answer: Callable[..., Any], *cases: tuple[tuple[Any, ...], Any, str, str], relative: float = 1e-4
) -> None:
    """Note what an answer gives for certain arguments: ``(arguments, right result, what, hint)``, as in `hold`."""
    for given, right, what, hint in cases:
        report.holds(lambda g=given, r=right: alike(answer(*g), r, relative=relative), what, hint=hint)


def listed(report: Report, answer: Any, names: Sequence[str]) -> set[str]:
    """Return the set of names that an answer lists, which are to be some of ``names``; else end the check."""
    if isinstance(answer, str) or not isinstance(answer, (list, tuple, set, pd.Index, np.ndarray)):
        report.wrong("this is not a list", f"names in quotes, such as [{names[0]!r}, {names[1]!r}]")
    for name in answer:
        if name not in names:
            report.wrong(f"there is no {str(name)[:40]!r} among them", f"they are {'; '.join(names)}")
    return set(answer)
