"""A class of made-up students: notebooks of which it is known what they should be found to be.

A notebook is made from the course's own student notebook by a *plan*: what to do with each exercise.
"""

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from course.checks import progress
from course.checks.cells import fingerprint
from course.outputs import CHAPTERS
from labcourse import settings
from workshop.authoring import build, source
from workshop.comparison.reference import Exercise, read_reference

# kind -> (state of an exercise with code, of one in words, part of a doubt)
KINDS: dict[str, tuple[str, str, str]] = {
    "right": ("solved", "answered", ""),
    "wrong": ("wrong", "answered", ""),
    "open": ("open", "open", ""),
    "untouched": ("open", "open", ""),
    "not checked": ("unchecked", "answered", "its check was not run"),
    "forged": ("open", "open", "but its cell is as it was handed out"),
    "edited": ("unchecked", "answered", "claims solved, but its cell was edited after the check"),
    "check changed": ("unchecked", "answered", "its check was changed"),
    "check deleted": ("unchecked", "answered", "its check was deleted"),
    "deleted": ("missing", "missing", "its cell was deleted"),
    "copied": ("solved", "answered", ""),
}
"""What a plan can ask for, and what has to be found."""
ONLY_CODE = {"edited", "not checked", "wrong"}
"""Kinds whose doubt is not said of answers in words: those are read, not believed."""


class Maker:
    """Makes notebooks of all chapters; making one is quick, since everything slow is done once."""

    def __init__(self) -> None:
        home = settings.home()
        self.reference = read_reference(home)
        self._handed_out: dict[int, dict[str, Any]] = {}
        self._outputs: dict[str, list[dict[str, Any]]] = {}
        for text in source.read_all(home):
            self._handed_out[text.chapter] = json.loads(build.text(build.student_notebook(text)))
            for cell in json.loads((home / "solutions" / f"{text.name}.ipynb").read_text("utf-8"))["cells"]:
                self._outputs[cell["id"]] = cell.get("outputs", [])
        self._written = 0  # no two answers in words are the same

    def notebook(self, chapter: int, plan: Mapping[str, str]) -> dict[str, Any]:
        """Return a notebook as JSON; exercises that the plan does not name are untouched."""
        exercises = {
            f"{what}-{e.number}": e for e in self.reference[chapter].exercises for what in ("exercise", "check")
        }
        made = copy.deepcopy(self._handed_out[chapter])
        cells: list[dict[str, Any]] = []
        for cell in made["cells"]:
            tag = next((tag for tag in cell["metadata"].get("tags", ()) if tag in exercises), "")
            if tag:
                make = self._answer if tag.startswith("exercise") else self._check
                number = exercises[tag].number
                cells += make(cell, exercises[tag], plan.get(number, "untouched"), len(cells) + 1)
                continue
            if plan and cell["cell_type"] == "code":
                cell |= {"execution_count": len(cells) + 1, "outputs": copy.deepcopy(self._outputs[cell["id"]])}
            cells.append(cell)
        return {**made, "cells": cells}

    def _answer(self, cell: dict[str, Any], exercise: Exercise, kind: str, count: int) -> list[dict[str, Any]]:
        if kind == "deleted":
            return []
        if kind == "wrong" and not exercise.is_written:
            cell["source"] = _wrong(exercise)
        elif kind not in ("open", "untouched", "forged"):
            self._written += 1
            words = f'"""I see in figure {self._written} of mine that it is so.\n'
            cell["source"] = exercise.stub.replace('"""\n', words) if exercise.is_written else exercise.answer
        copies = [cell, {**cell, "id": f"copy-{cell['id']}"}] if kind == "copied" else [cell]
        if kind == "edited" and not exercise.is_written:
            cell["source"] += "\n<<<<<<< HEAD"
        if kind != "untouched":
            copies[-1]["execution_count"] = count
        return copies

    def _check(self, cell: dict[str, Any], exercise: Exercise, kind: str, count: int) -> list[dict[str, Any]]:
        if kind == "check deleted":
            return []
        if kind == "check changed":
            cell["source"] = f'print("exercise {exercise.number}: solved")'
        if kind in ("untouched", "not checked"):
            return [cell]
        number, answer = exercise.number, exercise.stub if kind in ("forged", "open") else exercise.answer
        state, text = "solved", f"exercise {number}: solved\n  ✓ it has a value"
        if kind == "open":
            state, text = "open", f"exercise {number}: open"
        elif exercise.is_written:
            state, text = "answered", f"exercise {number}: answered"
        elif kind == "wrong":
            state, answer = "wrong", _wrong(exercise)
            text = f"exercise {number}: not yet\n  ✗ {exercise.title} is another\n  ✓ it has a value"
        return [cell | {"execution_count": count, "outputs": [verdict(number, state, answer, text)]}]


def _wrong(exercise: Exercise) -> str:
    return f"{exercise.stub}\nanswer = 'none'"


def verdict(number: str, state: str, answer: str, text: str) -> dict[str, Any]:
    """Return the output of a check that has judged a cell."""
    said = {"exercise": number, "state": state, "cell": fingerprint(answer)}
    data = {progress.MIME_TYPE: said, "text/plain": text}
    return {"output_type": "display_data", "data": data, "metadata": {}}


def expected(exercise: Exercise, kind: str) -> tuple[str, str]:
    """Return the state that an exercise should be found in, and part of its doubt."""
    code, words, doubt = KINDS[kind]
    return (words, "" if kind in ONLY_CODE else doubt) if exercise.is_written else (code, doubt)


def plans(maker: Maker, students: int) -> dict[str, dict[int, dict[str, str]]]:
    """Return for each student the plans of the chapters handed in, all kinds in turn; some leave the last ones open."""
    kinds = [kind for kind in KINDS if kind != "untouched"]
    made: dict[str, dict[int, dict[str, str]]] = {}
    for i in range(students):
        made[f"student{i:02d}"] = {
            number: {exercise.number: kinds[(i + j) % len(kinds)] for j, exercise in enumerate(chapter.exercises)}
            if number <= len(maker.reference) - i % 3
            else {}
            for number, chapter in maker.reference.items()
        }
    return made


def write_class(folder: Path, maker: Maker, made: Mapping[str, Mapping[int, Mapping[str, str]]]) -> None:
    """Write a folder per student."""
    for student, chapters in made.items():
        (folder / student).mkdir(parents=True)
        for number, plan in chapters.items():
            save(folder / student / f"{CHAPTERS[number]}.ipynb", maker.notebook(number, plan))


def save(path: Path, notebook: Mapping[str, Any]) -> Path:
    """Write a notebook."""
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path
