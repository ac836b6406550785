"""How mistakes are recognised: computed results are compared, a right answer never is one, arguments stay whole."""

import contextlib
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.checks import findings
from course.checks.compare import alike, copied, is_unchanged
from course.checks.findings import Found, Report
from course.checks.report import exercise
from course.checks.tables import variants


@pytest.mark.parametrize(
    ("answer", "expected", "are_alike"),
    [
        ([np.nan, 1.0], np.array([np.nan, 1.0]), True),
        ([np.nan, 1.0], np.array([1.0, np.nan]), False),
        (1, (1,), False),
        ("1", 1, False),
        ([True, False], [1, 0], False),
        (None, 0, False),
        ([[1, 2], [3]], [[1, 2], [3, 4]], False),
    ],
)
def test_alike(answer: Any, expected: Any, are_alike: bool) -> None:
    assert alike(answer, expected) is are_alike


CHANGES: list[Callable[[Any], Any]] = [
    lambda data: data["array"].fill(7),
    lambda data: data["table"].insert(0, "new", 1),
    lambda data: data["layers"][0][0].fill(0),
    lambda data: data["layers"].pop(),
    lambda data: data.update(more=1),
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_noticed_and_spoils_nothing(change: Any) -> None:
    original = {
        "array": np.array([np.nan, 1.0]),
        "table": pd.DataFrame({"a": [1.0, np.nan]}),
        "layers": [(np.ones(2), np.ones(1))],
        "function": len,
    }
    (handed,) = copied((original,))
    assert is_unchanged(handed, original)
    change(handed)
    assert not is_unchanged(handed, original)
    assert is_unchanged(copied((original,)), (original,))
    assert list(original) == ["array", "table", "layers", "function"]


def test_a_mistake_is_the_solution_with_pieces_replaced() -> None:
    pieces = (("edges[end])", "end)"), ("edges[first]", "first"))
    rows = variants("1.9", (pieces, "bins", "edges"), (len, "a function", "stays"), result=1)
    assert rows[0][0](np.arange(3.0) / 2, np.array([1, 2]), np.array([1, 1])) == 2
    assert rows[1] == (len, "a function", "stays")
    with pytest.raises(ValueError, match="has no code"):
        variants("1.9", ("np.cbrt", "np.sqrt", "", ""))


@pytest.mark.parametrize("row", findings._EVERYWHERE, ids=lambda row: row[1])
def test_what_is_wrong_everywhere_is_known_of_any_right_result(row: Any) -> None:
    report = Report()
    for right in (np.array([[0.3, 0.6], [0.2, 0.9]]), np.array([True, False]), (0.3, np.array([1.0, 2.0]))):
        with contextlib.suppress(Exception, Found):
            report.recognises(row[0](right), right=right)
    assert row[1] in [name for _, name, _ in report.lines]


def read(answer: Any, *mistakes: Any, **options: Any) -> tuple[bool, str]:
    report = Report()
    with contextlib.suppress(Found):
        report.reading(answer, 0.3, "the share", *mistakes, **options)
    return report.is_right, report.lines[-1][1]


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


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (0.5, "one value is given, of type float where 2 are asked for"),
        ((1, 2, 3), "3 values are given where 2 are asked for"),
        (np.ones(1), "1 values are given where 2 are asked for"),
    ],
)
def test_several_results(answer: Any, says: str) -> None:
    report = Report()
    with contextlib.suppress(Found):
        report.parts(answer, "value, error")
    assert [what for _, what, _ in report.lines] == [says]


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
        (lambda x: max(0, x), "np.maximum"),
        (lambda x: x + np.ones(4), "print the .shape of both"),
        (lambda x: float("one"), None),
        (lambda x: COLUMN == 44 | COLUMN == 48, "in brackets"),
        (lambda x: COLUMN.astype(int) == 44 | COLUMN.astype(int) == 48, "in brackets"),
        (lambda x: x >= 0.5 & x == 1, "in brackets"),
        (lambda x: COLUMN in (44, 48), "use .isin(values)"),
        (lambda x: [i for i in range(3) if COLUMN in (44, 48)], "use .isin(values)"),
        (lambda x: [1 for i in x if x > 0], "use & | ~"),
        (lambda x: np.max(0, x), "np.maximum(0, x)"),
        (lambda x: math.log(COLUMN), "use the functions of np"),
        (lambda x: float(x), "use the functions of np"),
        (lambda x: x[:, 0], "fewer dimensions"),
        (lambda x: x[7], "counting starts at zero"),
        (lambda x, y: x, "more or fewer of them"),
        (lambda x: x.sum()(x), "`del sum` gives it back"),
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


def test_a_function_that_changes_its_arguments_is_told_so(capsys: pytest.CaptureFixture[str]) -> None:
    @exercise("0.8")
    def check(answer: Any, report: Report) -> None:
        report.holds(np.sum(answer(ones, factor=2)) == 6, "doubles")

    ones = np.ones(3)

    def doubles_in_place(x: Any, factor: int) -> Any:
        x *= factor
        return x

    check(doubles_in_place)
    assert "✗ your function changes what it is given: x\n" in capsys.readouterr().out
    assert ones.sum() == 3  # the check's own array is whole
    check(lambda x, factor: factor * x)
    assert "solved" in capsys.readouterr().out
