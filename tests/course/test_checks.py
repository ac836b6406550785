"""What all answer checks share."""

from __future__ import annotations

import contextlib
import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from course.checks import progress, registry
from course.checks.findings import Found
from course.checks.report import Report, exercise, written


def double(x: Any) -> Any:
    """The course's own answer."""
    return 2 * x


@exercise("1.1", fallback=double)
def exercise_1_1(answer: Any, report: Report) -> None:
    """Check a function."""
    if answer(2) == 8:
        report.wrong("it multiplies by four", "once is enough")
    report.holds(answer(2) == 4, "doubles a number", hint="multiply by two")
    report.holds(lambda: answer(np.array([1, 2])) == [2, 4], "doubles an array", hint="arrays multiply as numbers do")


@exercise("1.2", make_fallback=lambda events: len(events))
def exercise_1_2(answer: Any, report: Report, *, events: Any) -> None:
    """Check a number against its context."""
    report.close(answer, len(events), "counts the rows", hint="use len")


@exercise("2.4")
def exercise_2_4(answer: Any, report: Report) -> None:
    """Check a leaf with two answers."""
    first, second = answer
    report.close(first, 1.0, "the first is one", tolerance=0.1)
    report.close(second, 100.0, "the second is a hundred", relative=0.01)


def state_of(number: str) -> str:
    return progress.read_states().get(number, "")


def test_a_right_answer_is_handed_back(capsys: pytest.CaptureFixture[str]) -> None:
    def mine(x: Any) -> Any:
        return x + x

    assert exercise_1_1(mine) is mine
    assert capsys.readouterr().out == "exercise 1.1: solved\n  ✓ doubles a number\n  ✓ doubles an array\n"
    assert state_of("1.1") == "solved"


def stub(x: Any) -> Any:
    return ...


def stub_of_two(x: Any) -> Any:
    print("given code above the stub")
    return 1, ...


@pytest.mark.parametrize("answer", [..., stub, stub_of_two])
def test_an_open_exercise_is_one_line_and_the_course_goes_on(answer: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert exercise_1_1(answer) is double
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "○ exercise 1.1 is still open; the course goes on with its own answer"
    assert state_of("1.1") == "open"


def endless(x: Any) -> Any:
    return endless(x)


def gives_up(x: Any) -> Any:
    raise SystemExit(3)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda x: 3 * x, "✗ doubles a number\n    hint: multiply by two"),
        (lambda x: 4 * x, "✗ it multiplies by four"),
        (endless, "RecursionError"),
        (gives_up, "SystemExit"),
        (lambda x: 2 * y, "NameError: name 'y' is not defined"),  # type: ignore[name-defined]  # noqa: F821
        (lambda: 1, "TypeError"),
        (lambda x: None if isinstance(x, int) else x, "returns nothing"),
        (7, "expected a function, received int"),
        (None, "expected a function, received NoneType"),
    ],
)
def test_wrong_answers_never_raise(answer: Any, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert exercise_1_1(answer) is double
    printed = capsys.readouterr().out
    assert printed.startswith("exercise 1.1: not yet\n")
    assert said in printed
    assert printed.endswith("The course goes on with its own answer until yours is right.\n")
    assert state_of("1.1") == "wrong"


@pytest.mark.parametrize("answer", [3, 4, ..., "three"])
def test_fallback_made_from_the_context(answer: Any) -> None:
    assert exercise_1_2(answer, events=pd.DataFrame({"a": [1, 2, 3]})) == 3


@pytest.mark.parametrize(("events", "says"), [(..., "still open"), (None, "could not be made (object of type")])
def test_a_course_answer_that_cannot_be_made_is_said(events: Any, says: str, capsys: Any) -> None:
    assert exercise_1_2(3, events=events) is ...
    assert says in capsys.readouterr().out


def test_the_course_goes_on_with_the_answer_of_its_solution_cell() -> None:
    @exercise("6.1")
    def exercise_6_1(answer: Any, report: Report) -> None:
        report.holds(answer is report.own, "is the course's own answer")

    own = exercise_6_1(...)
    assert "train_and_validate(build_model(), fold != number, fold == number)" in inspect.getsource(own)
    assert own(list, lambda model, trains, validates: validates.sum(), np.array([0, 1, 1])).tolist() == [1, 2]
    assert exercise_6_1(3) is own
    assert registry.course_answer("9.3") is None  # depends on what the notebook has computed


def test_a_leaf_returns_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert exercise_2_4((1.05, 100.5)) is None
    assert capsys.readouterr().out.startswith("exercise 2.4: solved")
    assert exercise_2_4((1.05, ...)) is None
    assert capsys.readouterr().out == "○ exercise 2.4 is still open\n"
    assert exercise_2_4(5) is None
    assert "TypeError" in capsys.readouterr().out


NO_ONE = (float("nan"), float("inf"), True, "1", None, np.array([1.0, 1.0]), 1.2, 1j)


@pytest.mark.parametrize("value", [1, 1.0, np.float32(1.0), np.int64(1), np.array(1.0), *NO_ONE])
def test_close_accepts_numbers_of_any_type_and_nothing_else(value: Any) -> None:
    report = Report()
    with contextlib.suppress(Found):
        report.close(value, 1.0, "is one", tolerance=0.1)
    assert report.is_right is all(value is not other for other in NO_ONE)


def test_a_check_that_checks_nothing_solves_nothing() -> None:
    @exercise("0.8", fallback=1)
    def check(answer: Any, report: Report) -> None: ...

    assert check(5) == 1


def test_a_disk_that_refuses_does_not_break_a_check(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    blocked = tmp_path / "a file"
    blocked.write_text("")
    monkeypatch.setenv("LABCOURSE_OUTPUTS", str(blocked))
    mine = lambda x: x + x  # noqa: E731
    assert exercise_1_1(mine) is mine


MODEL = registry.exercises()["1.8"].model


@pytest.mark.parametrize("text", ["", "  \n", "too short", ..., None, 5])
def test_words_are_open_until_there_is_a_sentence(text: Any, capsys: pytest.CaptureFixture[str]) -> None:
    written("1.8", text)
    assert capsys.readouterr().out.startswith("○ exercise 1.8 is still open")
    assert state_of("1.8") == "open"


def test_words_are_shown_beside_the_course_answer(capsys: pytest.CaptureFixture[str]) -> None:
    written("1.8", "I think that it is random.")
    printed = capsys.readouterr().out
    assert printed.startswith("exercise 1.8: answered\n")
    assert "".join(MODEL.split()) in "".join(printed.replace("·", "").split())
    assert "  Which of these points" in printed
    assert state_of("1.8") == "answered"
    written("1.8", MODEL)  # the solution's own run
    assert capsys.readouterr().out == "exercise 1.8: answered\n"


@pytest.mark.parametrize("number", ["1.1", "1.99"])
def test_only_exercises_in_words_are_answered_in_words(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    written(number, "I think that it is random.")
    assert "no exercise of this number that is answered in words" in capsys.readouterr().out
    assert progress.read_states() == {}
