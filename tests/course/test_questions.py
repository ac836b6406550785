"""The questions at the end of a chapter, which need no kernel; and cells that hold the text to its numbers."""

import ast
import re

import pytest

from labcourse import settings
from workshop.authoring import source

CHAPTERS = source.read_all(settings.home())
#: The chapters that end in questions.
WITH_QUESTIONS = [1, 2, 3, 4, 5, 6, 7, 8]
HEADING = "## Four questions\n"
QUESTION = re.compile(r"\n\*\*(\d)\. [^*\n]+\?\*\*\n((?:\n<details>.*</details>)+)")
CHOICE = re.compile(r"^<details><summary>([^<\n]+)</summary>([^<\n]+)</details>$", re.MULTILINE)


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_four_questions_have_one_right_answer_each_and_a_reason_for_all(chapter: source.Source) -> None:
    cells = [cell.text for cell in chapter.cells if cell.kind == "markdown"]
    places = [i for i, text in enumerate(cells) if text.startswith(HEADING)]
    if not places and chapter.chapter not in WITH_QUESTIONS:
        return
    (place,) = places
    questions = QUESTION.findall(cells[place])
    assert [number for number, _ in questions] == ["1", "2", "3", "4"]
    assert cells[place].count("<details") == sum(len(CHOICE.findall(choices)) for _, choices in questions)
    for _, choices in questions:
        found = CHOICE.findall(choices)
        assert 3 <= len(found) <= 4
        assert len({choice for choice, _ in found}) == len(found)
        assert sum(reason.startswith("Right.") for _, reason in found) == 1
        assert all(len(reason.split()) >= 6 for _, reason in found), "each answer has its reason"
    right = [[reason.startswith("Right.") for _, reason in CHOICE.findall(text)].index(True) for _, text in questions]
    assert len(set(right)) > 1, "the right answer is not always in the same place"
    assert cells[place + 1].startswith("## What you can now do\n")


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_a_claim_asserts_and_does_nothing_else(chapter: source.Source) -> None:
    """What a claim would bind is missing in the student's notebook."""
    for cell in chapter.cells:
        for statement in ast.parse(cell.text).body if cell.is_claim else []:
            inside = statement.body if isinstance(statement, ast.If) else [statement]
            assert all(isinstance(each, ast.Assert) for each in inside), ast.unparse(statement)
