"""How mistakes are recognised: computed results are compared, a right answer never is one, arguments stay whole."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from course.checks.compare import alike, as_number, copied, is_unchanged
from course.checks.findings import Report
from course.checks.report import exercise

NUMBERS = st.floats(-1e6, 1e6).filter(lambda x: x == 0 or abs(x) > 1e-6)
ARRAYS = npst.arrays(np.float64, npst.array_shapes(max_dims=2, max_side=5), elements=NUMBERS)


@given(ARRAYS)
def test_an_array_is_like_itself_in_single_precision_and_as_a_list(array: np.ndarray) -> None:
    for other in (array, array.astype(np.float32), array.tolist(), pd.DataFrame(array) if array.ndim == 2 else array):
        assert alike(other, array)
    assert not alike(array + 1 + 0.01 * np.abs(array), array)
    assert not alike(array[None], array)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((1, 2), (1, 2, 3)),
        (1, (1,)),
        ("1", 1),
        (True, 1),
        ([True, False], [1, 0]),
        (float("nan"), 0.0),
        ({"a": 1}, {"b": 1}),
        (None, 0),
        ([[1, 2], [3]], [[1, 2], [3, 4]]),
    ],
)
def test_not_alike(answer: Any, expected: Any) -> None:
    assert not alike(answer, expected)


def test_what_is_not_a_number_and_where_it_was_lost_agree() -> None:
    assert alike([np.nan, 1.0], np.array([np.nan, 1.0]))
    assert not alike([np.nan, 1.0], np.array([1.0, np.nan]))


@pytest.mark.parametrize(("value", "number"), [(np.int64(2), 2.0), (np.array(0.5), 0.5), (10**400, None), (1j, None)])
def test_numbers_of_any_type(value: Any, number: float | None) -> None:
    assert as_number(value) == number


def change_an_array(data: Any) -> None:
    data["array"][0] = 7


def change_a_table(data: Any) -> None:
    data["table"]["new"] = 1


def change_inside(data: Any) -> None:
    data["layers"][0][0][:] = 0


def change_a_list(data: Any) -> None:
    data["layers"].pop()


def add_an_entry(data: Any) -> None:
    data["more"] = 1


@pytest.mark.parametrize("change", [change_an_array, change_a_table, change_inside, change_a_list, add_an_entry])
def test_a_change_is_noticed_and_spoils_nothing(change: Any) -> None:
    original = {
        "array": np.array([np.nan, 1.0]),
        "table": pd.DataFrame({"a": [1.0, np.nan]}),
        "layers": [(np.ones(2), np.ones(1))],
        "function": len,
    }
    handed = copied(original)
    assert is_unchanged(handed, original)
    change(handed)
    assert not is_unchanged(handed, original)
    assert is_unchanged(copied(original), original)
    assert list(original) == ["array", "table", "layers", "function"]


def report_of(*mistakes: Any, result: Any, **options: Any) -> list[str]:
    report = Report()
    report.recognises(result, *mistakes, **options)
    return [what for _, what, _ in report.lines]


def test_mistakes_are_functions_of_the_same_arguments() -> None:
    mistakes = (lambda x: x**2, "squared", "no power"), (lambda x: -x, "negative", "no sign")
    given_ = (np.array([1.0, 3.0]),)
    assert report_of(*mistakes, result=[1, 9], given=given_) == ["squared"]
    assert report_of(*mistakes, result=np.float32([-1, -3]), given=given_) == ["negative"]
    assert report_of(*mistakes, result=[2, 2], given=given_) == []


def test_a_right_result_is_never_a_mistake() -> None:
    mistakes = ((lambda x: x**2, "squared", "no power"),)
    assert report_of(*mistakes, result=1.0, given=(1.0,)) == ["squared"]
    assert report_of(*mistakes, result=1.0, given=(1.0,), right=1.0) == []


def read(answer: Any, *mistakes: Any, **options: Any) -> tuple[bool, str]:
    report = Report()
    is_right = report.reading(answer, 0.3, "the share", *mistakes, **options)
    return is_right, report.lines[-1][1]


PER_CENT, REST = (30.0, "in per cent", "from 0 to 1"), (0.7, "the rest", "what is kept")


@pytest.mark.parametrize(
    ("answer", "is_right", "says"),
    [
        (0.3, True, "the share"),
        (0.34, True, "the share"),
        (np.float32(0.26), True, "the share"),
        (31, False, "in per cent"),
        (0.72, False, "the rest"),
        (0.45, False, "the share"),
        (float("nan"), False, "the share"),
        ("0.3", False, "the share: expected a number, received str: leave out the quotes"),
        (
            (0, 3),
            False,
            "the share: expected a number, received two: decimals take a point, as in 0.5, and not a comma",
        ),
        (np.zeros(3), False, "the share: expected a number, received ndarray of shape (3,)"),
        (None, False, "the share: expected a number, received NoneType"),
    ],
)
def test_readings(answer: Any, is_right: bool, says: str) -> None:
    assert read(answer, PER_CENT, REST, tolerance=0.05) == (is_right, says)


@given(st.floats(0.25, 0.35))
def test_a_reading_within_its_precision_is_right_whatever_mistakes_are_near(value: float) -> None:
    assert read(value, (value, "near", "far"), tolerance=0.05 + 1e-9)[0]


def test_who_raised_is_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    @exercise("0.9")
    def check(answer: Any, report: Report) -> None:
        report.holds(float(answer()) == 1, "is one")

    check(lambda: 1 / 0)
    assert "your code raised ZeroDivisionError" in capsys.readouterr().out
    check(lambda: "one")
    assert "this answer cannot be used (ValueError" in capsys.readouterr().out


COLUMN = pd.Series([44.0, 48.0, 46.0], dtype=np.float32)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda x: x if x > 0 else -x, "use & | ~"),
        (lambda x: (x > 0) & (x < 2) and x, "use & | ~"),
        (lambda x: max(0, x), "np.maximum"),
        (lambda x: x + np.ones(4), "print the .shape of both"),
        (lambda x: x @ np.ones((4, 2)), "print the .shape of both"),
        (lambda x: x.reshape(2, 5), "print the .shape of both"),
        (lambda x: float("one"), None),
        (lambda x: COLUMN == 44 | COLUMN == 48, "in brackets"),
        (lambda x: COLUMN.astype(int) == 44 | COLUMN.astype(int) == 48, "in brackets"),
        (lambda x: x >= 0.5 & x == 1, "in brackets"),
        (lambda x: (x >= 0.5) & x, "in brackets"),
        (lambda x: COLUMN in (44, 48), "use .isin(values)"),
        (lambda x: [i for i in range(3) if COLUMN in (44, 48)], "use .isin(values)"),
        (lambda x: [1 for i in x if x > 0], "use & | ~"),
        (lambda x: np.max(0, x), "np.maximum(0, x)"),
        (lambda x: np.min(x, 0.5), "np.maximum(0, x)"),
        (lambda x: math.cos(x), "use the functions of np"),
        (lambda x: math.log(COLUMN), "use the functions of np"),
        (lambda x: float(x), "use the functions of np"),
        (lambda x: x[:, 0], "fewer dimensions"),
        (lambda x: x.sum(axis=1), "fewer dimensions"),
        (lambda x: x[7], "counting starts at zero"),
        (lambda x, y: x, "more or fewer of them"),
    ],
)
def test_the_hint_to_an_exception_goes_by_its_message_and_the_line(
    answer: Any, hint: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    @exercise("0.9")
    def check(answer: Any, report: Report) -> None:
        report.holds(np.sum(answer(np.ones(3))) == 1, "is one")

    check(answer)
    printed = capsys.readouterr().out
    assert "your code raised " in printed
    assert hint in printed if hint else "hint" not in printed


def test_a_property_that_only_follows_is_not_tested_once_something_is_wrong() -> None:
    report = Report()
    assert report.also(True, "first")
    assert report.also(True, "second")
    assert not report.holds(False, "third")
    assert not report.also(False, "fourth")
    assert not report.also(True, "fifth")
    assert [what for _, what, _ in report.lines] == ["first", "second", "third"]


def test_an_answer_that_fits_the_crafted_arguments_only_is_refused() -> None:
    for answer, is_right in ((lambda x, n: n * sum(x), True), (lambda x, n: 2 * sum(x[:3]), False)):
        report = Report()
        report.agrees(answer, lambda x, n: n * sum(x), ([1, 2], 2), hint="use both")
        assert (
            report.agrees(answer, lambda x, n: n * sum(x), ([1, 2], 2), ([1, 2, 3, 4], 5), hint="use both") == is_right
        )


def test_the_same_mistake_is_noted_once() -> None:
    report = Report()
    for _ in range(2):
        report.wrong("per cent", "a share lies between 0 and 1")
        report.holds(lambda: 1 / 0, "is finite")
    assert len(report.lines) == 2


def test_a_function_that_changes_its_arguments_is_told_so(capsys: pytest.CaptureFixture[str]) -> None:
    @exercise("0.8")
    def check(answer: Any, report: Report) -> None:
        x = np.ones(3)
        report.holds(np.sum(answer(x, factor=2)) == 6, "doubles")
        report.holds(x.sum() == 3, "the check's own array is whole")

    def doubles_in_place(x: Any, factor: int) -> Any:
        x *= factor
        return x

    check(doubles_in_place)
    printed = capsys.readouterr().out
    assert "✓ doubles\n" in printed
    assert "✓ the check's own array is whole" in printed
    assert "✗ your function changes what it is given: x\n" in printed
    check(lambda x, factor: factor * x)
    assert "solved" in capsys.readouterr().out


def test_warnings_in_a_check_do_not_reach_the_student(recwarn: pytest.WarningsRecorder) -> None:
    @exercise("0.7")
    def check(answer: Any, report: Report) -> None:
        report.holds(not np.isfinite(answer(np.zeros(2))).any(), "diverges")

    check(lambda x: np.ones(2) / x)
    assert not recwarn.list
