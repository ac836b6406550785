"""The course's answers to the exercises in words, each with its question."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from workshop.authoring.exercises import of_chapter
from workshop.authoring.source import read_all


class Answer(NamedTuple):
    """An exercise in words: its number, the task as Markdown with its heading, and the course's answer."""

    exercise: str
    question: str
    answer: str


def read(home: Path, chapters: Collection[int] = ()) -> list[Answer]:
    """Return the answers of all chapters, or of some, in the order of the course.

    Raises
    ------
    BuildError
        If a course source breaks the rules, or there is none of these chapters.
    """
    answers = []
    for source in read_all(home, chapters):
        questions = {cell.exercise: task.text for task, cell in zip(source.cells, source.cells[1:], strict=False)}
        for entry in of_chapter(source)["exercises"]:
            if "model" in entry:
                answers.append(Answer(entry["number"], questions[entry["number"]], entry["model"]))
    return answers


def as_markdown(answers: list[Answer]) -> str:
    """Return the answers as a Markdown text: each as a quotation below its question."""
    return "\n\n".join(
        "\n".join([answer.question, "", *(f"> {line}" for line in answer.answer.splitlines())]) for answer in answers
    )
