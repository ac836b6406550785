"""What holds for every exercise: enough mistakes are known by name, none is a false alarm, and nothing raises."""

import contextlib
import importlib
import random
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from course import checks, outputs
from course.checks import findings, registry, watched
from course.checks.compare import alike, copied
from labcourse import features, metrics, significance, splitting
from tests.course.answers import Exercise, named, shown, shown_for_right

CHAPTERS = tuple(outputs.CHAPTERS)
FEWEST_MISTAKES = 3


def table(chapter: int) -> dict[str, Exercise]:
    module = importlib.import_module(f"tests.course.test_checks_{outputs.WORDS[chapter]}")
    exercises: dict[str, Exercise] = getattr(module, "EXERCISES", {})
    return exercises


EVERY = [pytest.param(n, exercise, id=n) for chapter in CHAPTERS for n, exercise in table(chapter).items()]


#: The check of 8.5 trains a network: its verdicts are in its own tests.
QUICK = [row for row in EVERY if row.id != "8.5"]


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


@pytest.mark.parametrize(("number", "exercise"), QUICK)
def test_a_verdict_does_not_depend_on_what_ran_before(number: str, exercise: Exercise) -> None:
    for answer in (exercise.right[0], *(row[0] for row in (exercise.wrong[0], exercise.wrong[-1]))):
        printed = set()
        for seed in range(2):
            random.seed(seed)
            np.random.seed(seed)  # noqa: NPY002 - what a notebook may have done
            with np.errstate(all="raise" if seed % 2 else "ignore"):
                printed.add(shown(number, answer, exercise)[0])
        assert len(printed) == 1, printed


def as_answer(wrong: Any, given: tuple[Any, ...], right: Any, own: Any) -> Any:
    """Return a mistake as a student's function, if it gives all of an answer or one of its parts; else None."""
    try:
        result = own(*copied(given)) if callable(wrong) else None
    except Exception:
        return None
    if result is None or right is None or alike(result, right, relative=0.02):
        return (lambda *given, **_: wrong(*given)) if result is not None else None
    places = [i for i, each in enumerate(result) if alike(each, right, relative=0.02)] if type(result) is tuple else []

    def answer(*given: Any) -> Any:
        return [wrong(*given) if i == places[0] else each for i, each in enumerate(own(*copied(given)))]

    return answer if places else None


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("number", "exercise"), EVERY)
def test_every_mistake_is_called_by_its_own_name(number: str, exercise: Exercise) -> None:
    """What a mistake leads to is neither right nor what another one leads to; as a student's answer it is named."""
    calls: list[tuple[Any, Any, Any]] = []
    original = findings.Report.recognises

    def recognises(report: Any, result: Any, *mistakes: Any, given: Any = (), right: Any = None) -> bool:
        calls.append((mistakes, given, right))
        return original(report, result, *mistakes, given=given, right=right)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(findings.Report, "recognises", recognises)
        patch.setattr(watched.Watch, "calls_to", lambda *_: contextlib.nullcontext())  # of which some are made
        for answer in (exercise.right[0], *(row[0] for row in exercise.wrong[:FEWEST_MISTAKES])):
            if not calls:  # some checks look for mistakes only where an answer is wrong
                shown(number, answer, exercise)
        for mistakes, given, right in list(calls):
            for wrong, what, hint in mistakes:
                fed = findings.Report()
                result = wrong(*copied(given)) if callable(wrong) else wrong
                with contextlib.suppress(findings.Found):
                    original(fed, result, *mistakes, given=given, right=right)
                assert (what, [line for _, line, _ in fed.lines], bool(hint)) == (what, [what], True)
                if answer := as_answer(wrong, given, right, exercise.right[0]):
                    assert f"  ✗ {what}\n" in shown(number, answer, exercise)[0]
    names = {what for mistakes, *_ in calls for _, what, _ in mistakes}
    for answer, _ in exercise.wrong:
        if len(names) < FEWEST_MISTAKES:
            names |= set(named(shown(number, answer, exercise)[0], shown_for_right(number, exercise)))
    assert len(names) >= FEWEST_MISTAKES
    assert len(exercise.wrong) >= 2, "others that are refused"


def test_a_chapter_reads_its_own_checks_only() -> None:
    code = "import sys; from course import checks; checks.exercise_1_1; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert "course.checks.chapter1" in modules
    assert not {f"course.checks.{word}" for number, word in outputs.WORDS.items() if number != 1} & set(modules)


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
    printed, handed_on = shown(number, answer, Exercise([answer]))
    assert "calls the course's own answer" in printed
    assert handed_on is registry.course_answer(number)
