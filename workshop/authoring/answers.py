"""The course's answers to the exercises in words, each with its question."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from course.checks.words import model_answer
from workshop.authoring.source import read_all

__all__ = ["Answer", "as_markdown", "read"]


class Answer(NamedTuple):
    """An exercise in words: its number, the task as Markdown with its heading, and the course's answer."""

    exercise: str
    question: str
    answer: str


def read(home: Path, chapters: Collection[int] = ()) -> list[Answer]:
    """Return the answers of all chapters, or of some, in the order of the course.

    They are the ones that a student is shown after an attempt: those of the built solutions.

    Raises
    ------
    BuildError
        If a course source breaks the rules, or there is none of these chapters.
    """
    answers = []
    for source in read_all(home, chapters):
        task = ""
        for cell in source.cells:
            if cell.kind == "markdown":
                task = cell.text
            elif cell.exercise and "written" in cell.tags:
                answers.append(Answer(cell.exercise, task, model_answer(cell.exercise).strip()))
    return answers


def as_markdown(answers: list[Answer]) -> str:
    """Return the answers as a Markdown text: each as a quotation below its question."""
    return "\n\n".join(
        "\n".join([answer.question, "", *(f"> {line}" for line in answer.answer.splitlines())]) for answer in answers
    )
