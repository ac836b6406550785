"""Whose a file is, by the names in the paths of a class.

Learning platforms, version-control classrooms and mail put a student's name in different places. What is constant
says nothing about who handed in, and neither do the course's own names, marks of copies (``Copy of``, ``(1)``) and
dates. A student is the outermost of the names that are left, in folders or in the name of the file, that gives students
the fewest second notebooks of a chapter.

=============================================================================  ===========================
``chapter3_evaluation.ipynb``, ``Copy of chapter4_early_stopping.ipynb``        one student: the folder
``anna/chapter3_evaluation.ipynb``                                              a folder for each student
``lab-anna/notebooks/chapter3_evaluation.ipynb``                                their repositories
``chapter3/Anna Smith_12345_assignsubmission_file_/chapter3_evaluation.ipynb``  Moodle
``smithanna_12345_67890_chapter3_evaluation.ipynb``                             Canvas
``chapter3_anna_attempt_2026-03-01-10-20-30_chapter3_evaluation.ipynb``         Blackboard
``Anna_Smith_asmith_12345/chapter3_evaluation.ipynb``                           Ilias
``submitted/anna/chapter3_evaluation/chapter3_evaluation.ipynb``                nbgrader
``Anna - chapter3_evaluation.ipynb``, ``chapter3_bob (1).ipynb``                mail
``chapter3 (1).ipynb``, ``chapter3 (2).ipynb``                                  a question: who is who?
=============================================================================  ===========================

Two notebooks of one chapter are one student's if at most every second student has such; else it is a question, answered
by a pattern or a table.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from itertools import product
from pathlib import Path
from typing import NamedTuple

from labcourse.errors import BadInput
from labcourse.outputs import CHAPTERS
from workshop.comparison.reading import Notebook, printable

_PROJECT = max(CHAPTERS)
"""The last notebook is named by its title, not by a number."""
_NAMES = {number: name.replace("_", r"[\W_]*") for number, name in CHAPTERS.items()}
_TITLES = "|".join(name.split(r"[\W_]*", 1)[1] for name in _NAMES.values())
_CHAPTER = re.compile(
    rf"(?:chapter|kapitel|(?<![^\W\d_])ch)[\W_]*(?P<number>[1-9])(?!\d)(?:[\W_]*(?:{_TITLES})(?![^\W\d_]))?"
    rf"|{_NAMES[_PROJECT]}",
    re.IGNORECASE,
)
_NOISE = re.compile(
    r"cop(?:y|ie|ia)[ _](?:of|de)[ _]|kopie[ _]von[ _]|\(\d+\)|[-_]\d$"
    r"|\d{4}-\d\d-\d\d(?:[-_T ]+\d\d(?:[-_:.]?\d\d){1,2})?"
    r"|(?<![^\W_])(?:copy\d*|kopie\d*|attempt|late|assignsubmission|onlinetext|file|submission|final|draft|notebooks?"
    r"|submitted|autograded|(?:week|day|sheet|homework|hw|assignment|v|version)[\W_]*\d+)(?![^\W_])",
    re.IGNORECASE,
)
_SEPARATORS = re.compile(r"[\s_\-–.,\0]+")
_CELL = re.compile(r"(?:(?:exercise|check)-(\d)\.\d+|chapter(\d)-\d{3})$")


class _Label(NamedTuple):
    """A name in a path: what tells students apart, the same with all numbers, and as it is shown."""

    key: str
    full: str
    shown: str


class Item(NamedTuple):
    """A notebook, a folder without any, or (with a ``note``) what is not read; ``parts`` is its path in the class."""

    path: Path
    parts: tuple[str, ...]
    chapter: int = 0
    note: str = ""

    @property
    def is_notebook(self) -> bool:
        """Whether it is to be read."""
        return not self.note and self.path.suffix == ".ipynb"


def chapter_of_name(name: str) -> int:
    """Return the chapter in a file's name, 0 if there is none; platforms put their own words before the file's.

    >>> chapter_of_name("anna_chapter3 (1).ipynb"), chapter_of_name("homework.ipynb"), chapter_of_name("bach3.ipynb")
    (3, 0, 0)
    >>> chapter_of_name("project_parameterised_network.ipynb")
    9
    """
    matches = list(_CHAPTER.finditer(name))
    return int(matches[-1]["number"] or _PROJECT) if matches else 0


def chapter_of_cells(notebook: Notebook) -> int:
    """Return the chapter whose exercises a notebook holds, 0 for none."""
    texts = [text for cell in notebook.cells for text in (*cell.tags, cell.id)]
    seen = Counter(int(match[1] or match[2]) for text in texts if (match := _CELL.match(text)))
    return seen.most_common(1)[0][0] if seen else 0


def recognise(root: Path, items: list[Item]) -> tuple[str, list[str | None]]:
    """Return how a class hands in, and the student of each item, by the simplest reading that merges nobody.

    Raises
    ------
    BadInput
        If there is none.
    """
    words = [{word.casefold() for part in item.parts for word in words_of(part)} for item in items if not item.note]
    constant = set.intersection(*words)
    chapters = Counter(item.chapter for item in items if item.chapter)
    chapter, number = chapters.most_common(1)[0] if chapters else (0, 1)
    readings: list[tuple[int, list[_Label | None]]] = []
    # Whether `anna.ipynb` is a name, or a title that a student chose; whether numbers tell namesakes apart.
    for free_names, with_numbers, ignored in product((False, number > 1), (False, True), (constant, set())):
        labels = [_labels(item, ignored, with_numbers, free_names) for item in items]
        for depth in range(max(map(len, labels))):
            names = [label[depth] if len(label) > depth else None for label in labels]
            readings += [(surplus, names) for surplus in _surplus(items, names)]
    if readings:
        names = min(readings, key=lambda reading: reading[0])[1]
        in_files = any(len(item.parts) == 1 for item in items if item.chapter)
        layout = "one folder of files with the students' names" if in_files else "a folder for each student"
        return layout, [name and name.shown for name in names]
    if number == 1:
        return "one student", [_only_student(root, items)] * len(items)
    alike = ["/".join(item.parts) for item in items if item.chapter == chapter]
    raise BadInput(
        f"Whose are these {number} notebooks of chapter {chapter}? {', '.join(map(printable, alike[:3]))} …",
        where=str(root),
        next_step="Say where the names stand, such as --pattern '{student}_*', or give a table with the columns file "
        "and student: --students FILE.csv. If all are of one student: --pattern NAME.",
    )


def _surplus(items: list[Item], names: list[_Label | None]) -> list[int]:
    """Return how many notebooks are of a chapter of which the same name has another; nothing if names do not tell.

    They do if each notebook has one, and at most half of them have two of a chapter.
    """
    named = [(name, item.chapter) for item, name in zip(items, names, strict=True) if item.chapter]
    keys = {name.key for name in names if name}
    surplus = len(named) - len({(name.key, chapter) for name, chapter in named if name})
    # Namesakes with numbers of their own are not one student.
    is_plain = surplus == len(named) - len({(name.full, chapter) for name, chapter in named if name})
    tells = len(keys) > 1 and is_plain and surplus <= len(keys) / 2 and all(name for name, _ in named)
    return [surplus] if tells else []


def _labels(item: Item, ignored: set[str], with_numbers: bool, free_names: bool) -> list[_Label]:
    """Return the names in a path, from the outside in."""
    is_title = item.is_notebook and not free_names and not chapter_of_name(item.parts[-1])
    labels = []
    for part in item.parts[:-1] if is_title else (*item.parts[:-1], item.parts[-1].removesuffix(".ipynb")):
        words = words_of(part)
        left = [w for w in words if w.casefold() not in ignored and (with_numbers or not w.isdigit())]
        if left:
            is_bare = left == _SEPARATORS.split(part)
            shown = part if is_bare else " ".join(words if with_numbers else left)
            labels.append(_Label(" ".join(left).casefold(), " ".join(words).casefold(), printable(shown)))
    return labels


def words_of(part: str) -> list[str]:
    """Return the words of a name that may be somebody's."""
    bare = _NOISE.sub("\0", _CHAPTER.sub("\0", part.removesuffix(".ipynb")))
    return [word for word in _SEPARATORS.split(bare) if word]


def name_of_file(name: str) -> str:
    """Return whose notebook a name says it is: ``anna`` of ``anna_chapter3.ipynb``; or an empty text."""
    words = [word for word in words_of(name) if not word.isdigit()] if chapter_of_name(name) else []
    return printable(" ".join(words))


def _only_student(root: Path, items: list[Item]) -> str:
    """Return the name that all notebooks bear, or that of the innermost folder that holds them all."""
    names = {name_of_file(item.parts[-1]) for item in items if item.chapter}
    folders = Path(os.path.commonpath([Path(*item.parts).parent for item in items if item.is_notebook])).parts
    folder = next((part for part in reversed(folders) if words_of(part)), "")
    return printable(folder or (names.pop() if len(names) == 1 else "") or root.name)
