"""Which files belong to which student: the ways in which a class hands in notebooks.

=====================================  =============================================
``chapter3_….ipynb``                   one notebook, of the student who owns the folder
``anna/chapter3_….ipynb``              one student
``class/anna/…/chapter3_….ipynb``      a folder a student
``class/anna_chapter3.ipynb``          one folder, the student's name before the chapter
``submitted/anna/<assignment>/….ipynb``  what nbgrader collects
=====================================  =============================================

Links are never followed: a submission must not show the reader files from elsewhere.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from labcourse.comparison.reading import printable
from labcourse.errors import BadInput
from labcourse.outputs import CHAPTERS

__all__ = ["Class", "Submission", "find"]

_MAX_FILES = 200
_MAX_DEPTH = 6
_IGNORED = {"__pycache__", "node_modules", "site-packages", "outputs"}
_PROJECT = max(CHAPTERS)
"""The last notebook is named by its title, not by a number."""
_CHAPTER = re.compile(
    rf"^(?P<student>.*?)[\W_]*(?:(?:chapter|ch)[\W_]*(?P<number>\d)(?!\d)|{CHAPTERS[_PROJECT]})", re.IGNORECASE
)


@dataclass
class Submission:
    """The files of one student, and what is odd about them; ``is_shared`` if others' lie in the same folder."""

    student: str
    folder: Path
    files: list[Path] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)
    is_shared: bool = False

    def name_of(self, path: Path) -> str:
        """Return a file's name within the submission, fit to be shown."""
        return printable(str(path.relative_to(self.folder)) if path != self.folder else path.name)


@dataclass(frozen=True)
class Class:
    """All submissions, in the order of names, and how they were recognised."""

    layout: str
    submissions: list[Submission]


def chapter_of_name(name: str) -> int:
    """Return the chapter in a file's name, 0 if there is none.

    >>> chapter_of_name("anna_chapter3 (1).ipynb"), chapter_of_name("homework.ipynb")
    (3, 0)
    >>> chapter_of_name("project_parameterised_network.ipynb")
    9
    """
    match = _CHAPTER.match(name)
    return int(match["number"] or _PROJECT) if match else 0


def find(path: Path) -> Class:
    """Find the submissions in a folder, or take a single notebook.

    Raises
    ------
    BadInput
        If there is no such folder, or no notebook in it.
    """
    path = Path(os.path.abspath(path))
    if path.is_file():
        student = _prefix(path) or path.parent.name
        return Class("one notebook", [Submission(printable(student), path.parent, [path])])
    if not path.is_dir():
        raise BadInput(
            f"{path} does not exist.", where="SUBMISSIONS", next_step="Give a notebook, or a folder of notebooks."
        )
    found = _recognise(path)
    if not any(submission.files for submission in found.submissions):
        raise BadInput(
            "There is no notebook here.",
            where=str(path),
            next_step="Give the folder that holds a folder for each student, or their notebooks (*.ipynb).",
        )
    return found


def _recognise(path: Path) -> Class:
    if (path / "submitted").is_dir():
        path = path / "submitted"
    here = [item for item in _listed(path) if item.suffix == ".ipynb" and not item.is_dir()]
    folders = [item for item in _listed(path) if _is_folder(item)]
    if path.name == "submitted" and not here:
        return Class("nbgrader's folder: submitted/<student>/<assignment>", _of_folders(folders))
    is_course = {"course", "notebooks", "solutions"} <= {folder.name for folder in folders}
    by_chapter = folders and all(chapter_of_name(f.name) and not _prefix(f) for f in folders)
    if is_course or (not here and by_chapter) or (here and not any(_prefix(file) for file in here)):
        return Class("one student", _of_folders([path]))
    if here:
        return Class("one folder of files named <student>_chapter<N>.ipynb", _of_names(path, here, folders))
    return Class("a folder for each student", _of_folders(folders))


def _of_names(path: Path, files: list[Path], folders: list[Path]) -> list[Submission]:
    students: dict[str, Submission] = {}
    for file in files:
        name = printable(_prefix(file) or file.stem)
        students.setdefault(name, Submission(name, path, is_shared=True)).files.append(file)
    return sorted([*students.values(), *_of_folders(folders)], key=lambda s: s.student.lower())


def _of_folders(folders: list[Path]) -> list[Submission]:
    made = []
    for folder in folders:
        submission = Submission(printable(folder.name), folder)
        for file in _walk(folder, submission):
            if len(submission.files) == _MAX_FILES:
                submission.problems.append(("", f"more than {_MAX_FILES} notebooks; the others are not read"))
                break
            submission.files.append(file)
        made.append(submission)
    return made


def _walk(folder: Path, submission: Submission, depth: int = 0) -> Iterator[Path]:
    items = _listed(folder)
    names = {item.name for item in items}
    for item in items:
        # A copy of the whole course holds the solutions, too: they are not the student's.
        is_ours = item.name in ("solutions", "course", "tests") and "notebooks" in names
        if item.suffix == ".ipynb" and not _is_folder(item):
            yield item
        elif item.is_symlink():
            submission.problems.append((submission.name_of(item), "a link to elsewhere, which is not followed"))
        elif _is_folder(item) and not is_ours:
            if depth == _MAX_DEPTH:
                submission.problems.append((submission.name_of(item), "nested too deeply; it is not read"))
            else:
                yield from _walk(item, submission, depth + 1)


def _listed(folder: Path) -> list[Path]:
    try:
        items = sorted(folder.iterdir())
    except OSError:
        return []
    return [item for item in items if not item.name.startswith(".") and item.name not in _IGNORED]


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _prefix(path: Path) -> str:
    """Return what stands before the chapter in a name: ``anna`` of ``anna_chapter3.ipynb``."""
    match = _CHAPTER.match(path.stem)
    return match["student"] if match else ""
