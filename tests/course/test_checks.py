"""What all answer checks share."""

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from course import checks
from course.checks import progress, registry
from course.checks.findings import Found
from course.checks.report import Report, exercise, written


@exercise("1.2", make_fallback=lambda events: len(events))
def exercise_1_2(answer: Any, report: Report, *, events: Any) -> None:
    """Check a number against its context."""
    report.close(answer, len(events), "counts the rows", hint="use len")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (7, "expected a function, received int"),
        (lambda weight: print(weight), "returns nothing"),
        (lambda weight: (1, ...), "is still open; the course goes on"),
    ],
)
def test_what_is_no_function_or_gives_nothing_is_told_so(answer: Any, said: str, capsys: Any) -> None:
    assert checks.exercise_1_10(answer) is not answer
    assert said in capsys.readouterr().out


@pytest.mark.parametrize(("events", "says"), [(..., "still open"), (None, "could not be made (object of type")])
def test_a_course_answer_that_cannot_be_made_is_said(events: Any, says: str, capsys: Any) -> None:
    assert exercise_1_2(3, events=events) is ...
    assert says in capsys.readouterr().out


def test_the_course_goes_on_with_the_answer_of_its_solution_cell() -> None:
    own = checks.exercise_6_1(...)
    assert own(list, lambda model, trains, validates: validates.sum(), np.array([0, 1, 1])).tolist() == [1, 2]
    assert checks.exercise_6_1(3) is own
    assert registry.course_answer("9.3") is None  # depends on what the notebook has computed


NO_ONE = (float("nan"), float("inf"), True, "1", None, np.array([1.0, 1.0]), 1.2, 1j)


@pytest.mark.parametrize("value", [1, 1.0, np.float32(1.0), np.int64(1), np.array(1.0), *NO_ONE])
def test_close_accepts_numbers_of_any_type_and_nothing_else(value: Any) -> None:
    report = Report()
    with contextlib.suppress(Found):
        report.close(value, 1.0, "is one", tolerance=0.1)
    assert report.is_right is all(value is not other for other in NO_ONE)


def test_a_check_that_checks_nothing_solves_nothing() -> None:
    @exercise("0.8", make_fallback=lambda: 1)
    def check(answer: Any, report: Report) -> None: ...

    assert check(5) == 1


def test_a_disk_that_refuses_does_not_break_a_check(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    blocked = tmp_path / "a file"
    blocked.write_text("")
    monkeypatch.setenv("LABCOURSE_OUTPUTS", str(blocked))
    assert exercise_1_2(3, events="abc") == 3


MODEL = registry.exercises()["1.8"].model


@pytest.mark.parametrize("text", ["", "  \n", "too short", ..., None, 5])
def test_words_are_open_until_there_is_a_sentence(text: Any, capsys: pytest.CaptureFixture[str]) -> None:
    written("1.8", text)
    assert capsys.readouterr().out.startswith("○ exercise 1.8 is still open")
    assert progress.read_states() == {"1.8": "open"}


def test_words_are_shown_beside_the_course_answer(capsys: pytest.CaptureFixture[str]) -> None:
    written("1.8", "I think that it is random.")
    printed = capsys.readouterr().out
    assert printed.startswith("exercise 1.8: answered\n")
    assert "".join(MODEL.split()) in "".join(printed.replace("·", "").split())
    assert "  Which of these points" in printed
    assert progress.read_states() == {"1.8": "answered"}
    written("1.8", MODEL)  # the solution's own run
    assert capsys.readouterr().out == "exercise 1.8: answered\n"


@pytest.mark.parametrize("number", ["1.1", "1.99"])
def test_only_exercises_in_words_are_answered_in_words(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    written(number, "I think that it is random.")
    assert "no exercise of this number that is answered in words" in capsys.readouterr().out
    assert progress.read_states() == {}
