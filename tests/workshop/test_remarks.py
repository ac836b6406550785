"""Copied answers, and cells that reach into the checks."""

import pytest

from workshop.comparison.reading import Cell, Notebook
from workshop.comparison.reference import Chapter, Exercise
from workshop.comparison.remarks import is_copied, touches_checks
from workshop.comparison.states import Found

MODEL = (
    "The network has learned the training events by heart: the loss of training falls on, while that of validation "
    "rises again from the tenth epoch."
)


@pytest.mark.parametrize(
    ("answer", "copied"),
    [
        (f'answer = """{MODEL}"""', True),
        (f'answer = """{MODEL.upper()} As I said."""'.replace(" THE ", "\nTHE "), True),
        ('answer = "Das Netz lernt die Ereignisse auswendig."', False),
        ('answer = "It learns the training events by heart, so validation gets worse, as chapter 3 said."', False),
    ],
)
def test_the_course_own_words_are_recognised(answer: str, copied: bool) -> None:
    exercise = Exercise("4.3", "", True, 'answer = """\n"""', "", f'answer = """{MODEL}"""')
    assert is_copied(Found(4, "4.3", "answered", answer=answer), exercise) is copied


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
    of_course = "course = checks.is_open"
    chapter = Chapter(5, frozenset([of_course]), ())
    notebook = Notebook((Cell("code", of_course), Cell("code", cell), Cell("markdown", "the checks.")))
    assert touches_checks(notebook, chapter) == forged
