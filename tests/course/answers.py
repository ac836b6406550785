"""How the tables of right and wrong answers in ``test_checks_*.py`` are tried on the checks.

A table has one entry per exercise. What names a mistake is a line that begins with ✗: none of the properties that hold
for the right answer, and no mere exception.
"""

import contextlib
import functools
import io
import re
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from course import checks
from course.checks import progress, registry

OWN = """exercise {}: nothing is judged, and what is noted stays
  What is here is the course's own answer: no cell has put another in its place. Write yours under the same name, run \
its cell, and then this check.
"""


class Exercise:
    """What the check of one exercise is tried with.

    ``right`` are answers that must pass: the course's own and other good ways, in other idioms and types. Each
    ``wrong`` one comes with words that name the mistake; or else with those of a property that does not hold ("✗ …")
    or of anything else that is printed ("hint: …"), or with none. ``context`` makes the arguments of the check beside
    the answer.
    """

    def __init__(
        self,
        right: Sequence[Any],
        *wrong: tuple[Any, str],
        context: Callable[[], Mapping[str, Any]] = dict,
    ) -> None:
        self.right, self.context = right, context
        self.wrong = wrong


Table = Mapping[str, Exercise]

GOOD_FORMS: tuple[Callable[[np.ndarray], Any], ...] = (
    np.ndarray.tolist,
    lambda array: array.astype("f4")[()] if array.dtype.kind == "f" else array[()],
    lambda array: pd.Series(array, np.arange(len(array))[::-1] + 3) if array.ndim == 1 else array[()],
)
"""How a right answer may give its results: as lists, in single precision, as tables with any index."""
ONE_FORM = ("2.3", "7.8", "8.4", "8.5")
"""Exercises whose results have to be arrays of float32 or a model, since Keras takes them, or exact."""


def in_form(form: Callable[[np.ndarray], Any], answer: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that gives what an answer gives, in another form."""

    def formed(result: Any) -> Any:
        if isinstance(result, tuple):
            return tuple(map(formed, result))
        is_number = isinstance(result, (np.ndarray, pd.Series, np.generic, int, float))
        return form(np.array(result)) if is_number else result

    return functools.wraps(answer)(lambda *args, **kwargs: formed(answer(*args, **kwargs)))


def shown(number: str, answer: Any, exercise: Exercise) -> tuple[str, Any]:
    """Return what the check of an exercise prints for an answer, and what it hands back."""
    check = getattr(checks, f"exercise_{number.replace('.', '_')}")
    printed = io.StringIO()
    progress.verdicts.clear()  # or an answer that was judged before would not be judged again
    with contextlib.redirect_stdout(printed):
        handed_on = check(answer, **exercise.context())
    return printed.getvalue(), handed_on


@functools.cache
def shown_for_right(number: str, exercise: Exercise) -> str:
    """Return what is printed for the first right answer; it is tried once only, as some take seconds."""
    return shown(number, exercise.right[0], exercise)[0]


def named(printed: str, printed_for_right: str) -> list[str]:
    """Return the mistakes that were named: wrong lines that are no property, no exception and no missing return."""
    properties = set(re.findall(r"^  ✓ (.*)$", printed_for_right, re.M))
    general = ("your code raised", "your function returns nothing", "expected a function", "this answer cannot be used")
    return [
        line
        for line in re.findall(r"^  ✗ (.*)$", printed, re.M)
        if line not in properties and not line.startswith(general)
    ]


def rows(table: Table, kind: str) -> list[Any]:
    """Return the parameters of the answers of one kind: number, entry of the table, exercise."""
    return [
        pytest.param(number, entry, exercise, id=f"{number}-{i}")
        for number, exercise in table.items()
        for i, entry in enumerate(getattr(exercise, kind))
    ]


def make_tests(table: Table) -> tuple[Callable[..., None], ...]:
    """Return the tests of a table: of right answers, also in other forms, of wrong, open and absurd ones."""

    @pytest.mark.parametrize(("number", "answer", "exercise"), rows(table, "right"))
    def test_right_answers_pass(number: str, answer: Any, exercise: Exercise) -> None:
        printed, handed_on = shown(number, answer, exercise)
        assert printed.startswith(f"exercise {number}: solved\n"), printed
        assert "✗" not in printed
        if handed_on is not None:
            assert getattr(handed_on, "__wrapped__", handed_on) is answer

    @pytest.mark.parametrize("number", [n for n, exercise in table.items() if callable(exercise.right[0])])
    def test_right_answers_pass_in_other_forms(number: str) -> None:
        for form in () if number in ONE_FORM else GOOD_FORMS:
            printed, _ = shown(number, in_form(form, table[number].right[0]), table[number])
            assert printed.startswith(f"exercise {number}: solved\n"), printed

    @pytest.mark.parametrize(("number", "entry", "exercise"), rows(table, "wrong"))
    def test_wrong_answers_are_refused(number: str, entry: tuple[Any, str], exercise: Exercise) -> None:
        answer, words = entry
        printed, handed_on = shown(number, answer, exercise)
        assert printed.startswith(f"exercise {number}: not yet\n"), printed
        assert handed_on is not answer
        if words.startswith(("✗ ", "hint: ")):
            assert words.removeprefix("hint: ") in printed
        elif words:
            assert any(words in line for line in named(printed, shown_for_right(number, exercise))), printed
            assert "hint: " in printed
        assert printed.count("  ✗ ") <= 1, printed  # what follows from a mistake is no line of its own

    @pytest.mark.parametrize("number", table)
    def test_the_course_goes_on_where_an_exercise_is_open_or_raises(number: str) -> None:
        exercise = table[number]
        printed, own = shown(number, ..., exercise)
        assert printed.startswith(f"○ exercise {number} is still open")
        if not callable(own):
            return
        assert shown(number, lambda *_: ..., exercise) == (printed, own)
        assert shown(number, own, exercise) == (OWN.format(number), own)
        printed, handed_on = shown(number, lambda *a, **k: own(*a, **k), exercise)
        assert (printed.splitlines()[0], handed_on) == (OWN.format(number).splitlines()[0], own)
        assert "calls the course's own answer" in printed
        assert shown(number, clone(own), exercise)[0].startswith(f"exercise {number}: solved\n")
        printed, handed_on = shown(number, _raising, exercise)
        assert "your code raised KeyError" in printed
        assert handed_on is own

    @pytest.mark.parametrize("number", table)
    def test_absurd_answers_do_not_raise(number: str) -> None:
        exercise = table[number]
        for answer in (*ABSURD, *(returning(value) for value in ABSURD)):
            printed, handed_on = shown(number, answer, exercise)
            assert printed.startswith((f"exercise {number}: not yet\n", f"○ exercise {number} is still open")), printed
            assert handed_on is not answer or handed_on is None

    return (
        test_right_answers_pass,
        test_right_answers_pass_in_other_forms,
        test_wrong_answers_are_refused,
        test_the_course_goes_on_where_an_exercise_is_open_or_raises,
        test_absurd_answers_do_not_raise,
    )


def own(number: str) -> Any:
    """Return the course's own answer as a function of somebody else."""
    return clone(registry.course_answer(number))


def clone(function: Any) -> Any:
    """Return a function that does the same and is another one."""
    clone = types.FunctionType(
        function.__code__.replace(co_name="clone"),
        function.__globals__,
        argdefs=function.__defaults__,
        closure=function.__closure__,
    )
    clone.__kwdefaults__ = function.__kwdefaults__
    return clone


def _raising(*_args: Any, **_kwargs: Any) -> Any:
    raise KeyError("lep5_pt")


def returning(value: Any) -> Callable[..., Any]:
    """Return a function that gives the same value whatever it is asked."""
    return lambda *_args, **_kwargs: value


class Hostile:
    """An object that can be neither compared nor counted."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("do not compare me")

    def __len__(self) -> int:
        raise RuntimeError("do not count me")

    def __array__(self, *_args: Any, **_kwargs: Any) -> Any:
        raise RuntimeError("I am no array")


def endless(*given: Any) -> Any:
    return endless(*given)


def gives_up(*_: Any) -> Any:
    raise SystemExit(3)


ABSURD: tuple[Any, ...] = (
    *(endless, gives_up),
    *(None, "", "half", b"\x00", float("nan"), float("inf"), -1e300, 10**400, 1j, int, set(), {}, {"ZZ": 1}),
    *((), [], (None, None), (float("nan"),) * 2, ("a", "b", "c"), [[1, 2], [3]], pd.Series(dtype=float), Hostile()),
    *(np.zeros(0), np.zeros((2, 3, 4)), np.full(8, np.nan), np.array(["a", "b"]), np.array(None)),
    *(pd.DataFrame({"a": [1]}), pd.DataFrame()),
)
