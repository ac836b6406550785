"""Copied answers, no answers, and the library's: what is said beside a verdict."""

from __future__ import annotations

import pytest

from workshop.comparison.reading import Cell, Notebook
from workshop.comparison.reference import Chapter, Exercise
from workshop.comparison.remarks import remarks, touches_checks
from workshop.comparison.states import Found

MODEL = (
    "The network has learned the training events by heart: the loss of training falls on, while that of validation "
    "rises again from the tenth epoch."
)


CHECK = Cell("code", "balance = checks.exercise_5_4(balance)")


def words(number: str = "4.3") -> Exercise:
    return Exercise(number, "", True, Cell("code", 'answer = """\n"""'), CHECK, f'answer = """{MODEL}"""')


def code(number: str = "5.4") -> Exercise:
    stub = Cell("code", "def balance(weight, label):\n    # your code here\n    return ...")
    answer = "def balance(weight, label):\n    return weight / splitting.folds(label)"
    return Exercise(number, "", False, stub, CHECK, answer)


@pytest.mark.parametrize(
    ("answer", "remark"),
    [
        (f'answer = """{MODEL}"""', "word for word"),
        (f'answer = """{MODEL.upper()} As I said."""'.replace(" THE ", "\nTHE "), "word for word"),
        ('answer = "Because it is overtrained."', ""),
        ('answer = "Das Netz lernt die Ereignisse auswendig."', ""),
        ('answer = "Model overfits; validation loss rises."', ""),
        ('answer = "It learns the training events by heart, so validation gets worse, as chapter 3 said."', ""),
        ("balance = weights.balance", "weights.balance"),
        ("def balance(weight, label):\n    return weights.balance(weight, label)", "weights.balance"),
        ("from labcourse.significance import asimov as balance", "from labcourse.significance import asimov"),
        ("def balance(weights, label):\n    # as weights.balance does\n    return weights.sum() * weights.size", ""),
        ("def balance(weight, label):\n    return 2 * splitting.folds(label)", ""),
    ],
)
def test_answers_in_words_and_functions_of_the_course(answer: str, remark: str) -> None:
    exercise = words() if answer.startswith("answer") else code()
    state = "answered" if exercise.is_written else "solved"
    found = list(remarks(Found(1, exercise.number, state, answer=answer), exercise))
    assert len(found) == bool(remark)
    assert remark in "".join(found)


@pytest.mark.parametrize(
    ("cell", "forged"),
    [
        ("checks.is_solved = lambda *a, **k: True", True),
        ("setattr(checks, 'exercise_5_4', print)", True),
        ("import sys\nsys.modules['course.checks.progress'].x = 1", True),
        ("from course.checks import progress", True),
        ("from course import checks as c", True),
        ("checks = 3", True),
        ("import scipy\nfrom course import checks\nfrom labcourse import weights", False),
        ("mine = checks.exercise_5_4(balance)", False),
        ("checks.panel(5)", False),
        ("course = checks.is_open", False),
    ],
)
def test_cells_that_reach_into_the_checks(cell: str, forged: bool) -> None:
    cells = [Cell("code", "course = checks.is_open")]
    chapter = Chapter(5, "", tuple(cells), (code(),), {})
    notebook = Notebook((*cells, Cell("code", cell), Cell("markdown", "the checks.")))
    assert touches_checks(notebook, chapter) == forged
