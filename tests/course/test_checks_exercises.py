"""What holds for every exercise: enough mistakes are known by name, none is a false alarm, and nothing raises."""

from __future__ import annotations

import importlib
import random
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from course import checks
from course.checks import findings, registry
from course.checks.compare import copied
from labcourse import features, metrics, significance, splitting
from tests.course.answers import FEWEST_MISTAKES, Exercise, named, shown, shown_for_right

CHAPTERS = tuple(range(1, 10))


def table(chapter: int) -> dict[str, Exercise]:
    return importlib.import_module(
        "tests.course.test_checks_project" if chapter == 9 else f"tests.course.test_checks_chapter{chapter}"
    ).__dict__.get("EXERCISES", {})


EVERY = [pytest.param(n, exercise, id=n) for chapter in CHAPTERS for n, exercise in table(chapter).items()]


#: The check of 8.4 trains a network: its verdicts are in its own tests.
QUICK = [row for row in EVERY if row.id != "8.4"]
FEWEST_FAILS = 2


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_exercise_has_its_table_and_its_check_or_else_a_model_answer(chapter: int) -> None:
    exercises = [exercise for exercise in registry.exercises().values() if exercise.chapter == chapter]
    assert exercises
    for exercise in exercises:
        is_written = exercise.kind == "in your words"
        assert (exercise.number in table(chapter)) is not is_written
        assert hasattr(checks, f"exercise_{exercise.number.replace('.', '_')}") is not is_written
        assert (len(exercise.model.split()) > 15) is is_written
        assert exercise.title
    assert set(table(chapter)) <= {exercise.number for exercise in exercises}


@pytest.mark.parametrize(("number", "exercise"), EVERY)
def test_at_least_three_mistakes_have_different_names(number: str, exercise: Exercise) -> None:
    right, names = shown_for_right(number, exercise), set()
    for answer, _ in exercise.mistakes:
        names.add(tuple(named(shown(number, answer, exercise)[0], right)))
        if len(names - {()}) == FEWEST_MISTAKES:
            return
    pytest.fail(f"exercise {number} knows only {names}")


@pytest.mark.parametrize(("number", "exercise"), EVERY)
def test_wrong_answers_of_no_name_are_refused_too(number: str, exercise: Exercise) -> None:
    is_function = callable(exercise.right[0])
    assert len(exercise.fails) >= (FEWEST_FAILS + 1 if is_function else FEWEST_FAILS)


@pytest.mark.parametrize(("number", "exercise"), QUICK)
def test_what_follows_from_a_mistake_is_no_line_of_its_own(number: str, exercise: Exercise) -> None:
    most = 2 if number in ("2.10", "4.9") else 1  # there two results can be wrong in the same way
    for answer, _ in exercise.mistakes:
        printed = shown(number, answer, exercise)[0]
        assert printed.count("  ✗ ") <= most, printed


@pytest.mark.parametrize(("number", "exercise"), QUICK)
def test_a_verdict_does_not_depend_on_what_ran_before(number: str, exercise: Exercise) -> None:
    for answer in (exercise.right[0], *(row[0] for row in (*exercise.mistakes[:1], *exercise.fails[:1]))):
        printed = set()
        for seed in range(5):
            random.seed(seed)
            np.random.seed(seed)  # noqa: NPY002 - what a notebook may have done
            with np.errstate(all="raise" if seed % 2 else "ignore"):
                printed.add(shown(number, answer, exercise)[0])
        assert len(printed) == 1, printed


@pytest.mark.parametrize(("number", "exercise"), EVERY)
def test_every_mistake_is_called_by_its_own_name(number: str, exercise: Exercise, monkeypatch: Any) -> None:
    """What a mistake leads to is neither right nor what another one leads to, and each can be computed."""
    problems: list[str] = []
    seen: list[str] = []
    original = findings.Report.recognises

    def recognises(report: Any, result: Any, *mistakes: Any, given: Any = (), right: Any = None) -> bool:
        for wrong, what, hint in mistakes:
            seen.append(what)
            fed = findings.Report()
            try:
                original(fed, wrong(*copied(given)) if callable(wrong) else wrong, *mistakes, given=given, right=right)
            except Exception as error:
                problems.append(f"{what}: {error!r}")
            named_as = [line for _, line, _ in fed.lines]
            if named_as != [what] or not hint:
                problems.append(f"{what} is called {named_as or 'right'}, with the hint: {hint}")
        return original(report, result, *mistakes, given=given, right=right)

    monkeypatch.setattr(findings.Report, "recognises", recognises)
    shown(number, exercise.right[0], exercise)
    for answer, _ in exercise.mistakes[:FEWEST_MISTAKES]:
        if not seen:  # some checks look for mistakes only where an answer is wrong
            shown(number, answer, exercise)
    assert not problems, "\n".join(problems)


def test_there_are_no_other_checks() -> None:
    for name in ("exercise_0_1", "exercise_1_99", "exercise_99_1", "anything"):
        assert not hasattr(checks, name)


def test_a_chapter_reads_its_own_checks_only() -> None:
    code = "import sys; from course import checks; checks.exercise_1_1; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert "course.checks.chapter1" in modules
    assert not {f"course.checks.chapter{n}" for n in range(2, 9)} & set(modules)


@pytest.mark.parametrize(
    ("number", "answer"),
    [
        ("2.1", lambda events, share: splitting.split(events, train_fraction=share)),
        ("2.3", lambda events, columns: features.arrays(events, columns)[:2]),
        ("3.5", lambda score, label, weight: metrics.roc_curve(label, score, weight).auc),
        ("7.3", lambda scan, least=25: significance.best(scan, min_effective_background=least).cut),
        ("7.2", lambda n, b: significance.asimov(np.subtract(n, b), b)),
    ],
)
def test_to_call_the_function_of_the_library_is_no_answer(number: str, answer: Any) -> None:
    printed, handed_on = shown(number, answer, Exercise([answer], []))
    assert "calls the course's own answer" in printed
    assert handed_on is (significance.observed if number == "7.2" else registry.course_answer(number))
