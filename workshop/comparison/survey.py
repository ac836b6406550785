"""The comparison itself: from the files of a class to what is known of each student."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from workshop.authoring import expected, nbgrader
from workshop.comparison import reading
from workshop.comparison.changes import Change, find_changes
from workshop.comparison.execution import execute
from workshop.comparison.names import chapter_of_cells, chapter_of_name
from workshop.comparison.reading import Notebook, Unreadable
from workshop.comparison.reference import Chapter
from workshop.comparison.remarks import alike, own_text, remarks, touches_checks
from workshop.comparison.sandbox import Limits
from workshop.comparison.states import Found, examine, without_notebook
from workshop.comparison.submissions import Class, Submission

Problems = list[tuple[str, str]]
"""Names of files, and what is odd about each."""


@dataclass
class ChapterWork:
    """What a student made of a chapter; ``file`` is empty without a readable notebook, ``last`` is its last change."""

    chapter: int
    exercises: list[Found]
    file: str = ""
    numbers: list[expected.Number] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    last: str = ""


@dataclass
class Student:
    """One student: the chapters, in order, and the files with something odd about them (name, what)."""

    name: str
    chapters: list[ChapterWork] = field(default_factory=list)
    problems: Problems = field(default_factory=list)

    @property
    def exercises(self) -> list[Found]:
        """All exercises in order."""
        return [found for work in self.chapters for found in work.exercises]

    @property
    def reached(self) -> str:
        """The last exercise that was tried, or an empty text."""
        tried = [f.exercise for f in self.exercises if f.is_done or f.state in ("wrong", "unchecked")]
        return tried[-1] if tried else ""

    @property
    def stuck(self) -> str:
        """The first exercise not done in the last chapter that was tried, up to where it was; or an empty text."""
        chapter = self.reached.split(".")[0]
        for found in self.exercises:
            if str(found.chapter) == chapter and not found.is_done:
                return found.exercise
            if found.exercise == self.reached:
                break
        return ""

    @property
    def doubtful(self) -> list[Found]:
        """The exercises that somebody should look at."""
        return [found for found in self.exercises if found.doubts and found.state not in ("missing", "damaged")]


@dataclass
class Survey:
    """All students of a class, the chapters compared, and how the submissions were recognised."""

    layout: str
    reference: dict[int, Chapter]
    students: list[Student]


def survey(
    submitted: Class,
    reference: dict[int, Chapter],
    *,
    limits: Limits | None = None,
    track: Callable[[Sequence[Submission]], Iterable[Submission]] = iter,
) -> Survey:
    """Compare a class with the reference.

    Parameters
    ----------
    submitted : Class
        What `submissions.find` found.
    reference : dict of int to Chapter
        The chapters to compare; of these, chapters that nobody handed in are left out.
    limits : Limits, optional
        The notebooks are run within these limits; without them nothing is run.
    track : callable
        Iterates over the submissions, and shows how far it is.
    """
    students: list[Student] = []
    layout = submitted.layout
    try:
        for submission in track(submitted.submissions):
            students.append(_look(submission, reference, limits))
    except KeyboardInterrupt:
        if not limits or not students:
            raise
        # Running a class takes hours: what is done is not thrown away.
        layout += f"; interrupted after {len(students)} of {len(submitted.submissions)} students"
    present = {
        work.chapter
        for student in students
        for work in student.chapters
        if work.file or any(found.state != "missing" for found in work.exercises)
    }
    for student in students:
        student.chapters = [work for work in student.chapters if work.chapter in present]
    for number in present:
        _note_alike(students, reference[number])
    return Survey(layout, {n: c for n, c in reference.items() if n in present}, students)


def _note_alike(students: list[Student], chapter: Chapter) -> None:
    """Note notebooks that hold the same answers as another student's, letter for letter."""
    works = [next(work for work in student.chapters if work.chapter == chapter.number) for student in students]
    texts = [{e: own_text(f, e) for f, e in zip(work.exercises, chapter.exercises, strict=True)} for work in works]
    for first, second, same in alike(texts):
        for one, other in ((first, second), (second, first)):
            own = sum(map(bool, texts[one].values()))
            what = f"{same} of its {own} longer answers are those of {students[other].name}, letter for letter"
            students[one].problems.append((works[one].file, what))


def _look(submission: Submission, reference: Mapping[int, Chapter], limits: Limits | None) -> Student:
    """Compare one student; whatever a submission does to us, the class is compared to its end."""
    student = Student(submission.student, problems=list(submission.problems))
    try:
        student.chapters = list(_works(submission, student.problems, reference, limits))
    except Exception as error:
        what = f"cannot be compared: {type(error).__name__}"
        student.problems.append(("", what))
        student.chapters = [ChapterWork(n, without_notebook(c, "damaged", what)) for n, c in reference.items()]
    return student


def _works(
    submission: Submission, problems: Problems, reference: Mapping[int, Chapter], limits: Limits | None
) -> Iterator[ChapterWork]:
    candidates: dict[int, list[tuple[Path, Notebook]]] = {}
    damaged: dict[int, str] = {}
    for file in submission.files:
        name = submission.name_of(file)
        try:
            notebook = _as_handed_in(reading.read(file))
        except Unreadable as error:
            problems.append((name, str(error)))
            damaged.setdefault(chapter_of_name(file.name), str(error))
            continue
        problems += [(name, note) for note in notebook.notes]
        if number := _chapter_of(notebook, file, name, problems):
            candidates.setdefault(number, []).append((file, notebook))
    for number, chapter in reference.items():
        if number in candidates:
            file, notebook = _best(candidates[number], chapter, submission, problems)
            yield _work(file, submission.name_of(file), notebook, chapter, limits, problems)
        else:
            state = "damaged" if number in damaged else "missing"
            doubt = f"its notebook is {damaged[number]}" if number in damaged else "no notebook of this chapter"
            yield ChapterWork(number, without_notebook(chapter, state, doubt))


def _work(
    file: Path, name: str, notebook: Notebook, chapter: Chapter, limits: Limits | None, problems: Problems
) -> ChapterWork:
    """Compare one notebook; what is odd about its run is added to the student's problems."""
    work = ChapterWork(chapter.number, examine(notebook, chapter), name)
    work.changes, work.last = find_changes(notebook, chapter), _last_change(notebook, file)
    if limits:
        fresh = execute(notebook, chapter, limits)
        problems += [(name, note) for note in fresh.notes if note not in notebook.notes]
        work.exercises = _with_claims(examine(fresh, chapter), work.exercises)
        notebook = fresh
    work.exercises = list(_with_remarks(work.exercises, notebook, chapter))
    work.numbers = expected.compare(_published(notebook, chapter.number), chapter.bounds)
    return work


def _as_handed_in(notebook: Notebook) -> Notebook:
    """Return a notebook without what nbgrader added to grade it."""
    cells = tuple(replace(cell, source=nbgrader.without_tests(cell.source)) for cell in notebook.cells)
    return replace(notebook, cells=cells)


def _chapter_of(notebook: Notebook, file: Path, name: str, problems: Problems) -> int:
    """Return the chapter that a notebook holds, whatever its name; 0 for none."""
    number = chapter_of_cells(notebook)
    named = chapter_of_name(file.name)
    if not number:
        what = f"no exercise of chapter {named} is left in it" if named else "it belongs to no chapter; not compared"
        problems.append((name, what))
        return named
    if named != number:
        what = f"it is named chapter {named}, but holds chapter {number}"
        problems.append((name, what if named else f"it was renamed; by its cells it is chapter {number}"))
    return number


def _best(
    candidates: list[tuple[Path, Notebook]], chapter: Chapter, submission: Submission, problems: Problems
) -> tuple[Path, Notebook]:
    """Return the notebook in which most is done, and note the others."""

    def done(candidate: tuple[Path, Notebook]) -> tuple[int, int]:
        found = examine(candidate[1], chapter)
        return sum(f.is_done for f in found), sum(f.state not in ("open", "missing") for f in found)

    best = max(candidates, key=done) if len(candidates) > 1 else candidates[0]
    used = submission.name_of(best[0])
    what = f"a second notebook of chapter {chapter.number}; {used} counts, in which more is done"
    problems += [(submission.name_of(file), what) for file, _ in candidates if file != best[0]]
    return best


def _with_remarks(exercises: list[Found], notebook: Notebook, chapter: Chapter) -> Iterator[Found]:
    """Note what no check sees."""
    forged = touches_checks(notebook, chapter)
    for found, exercise in zip(exercises, chapter.exercises, strict=True):
        notes = list(remarks(found, exercise))
        if forged and found.state == "solved":
            notes.append("claims solved, but a cell of this notebook touches `checks` beyond calling them")
        yield replace(found, doubts=(*found.doubts, *notes))


def _with_claims(fresh: list[Found], stored: list[Found]) -> list[Found]:
    """Note where a fresh run disagrees with the outputs that were handed in."""
    return [
        replace(new, doubts=(*new.doubts, f"claims {old.state}, but a fresh run says {new.state}"))
        if old.state in ("solved", "wrong") and new.state != old.state
        else new
        for new, old in zip(fresh, stored, strict=True)
    ]


def _published(notebook: Notebook, chapter: int) -> dict[str, float]:
    """Return the key numbers that the notebook published, the last ones of each name."""
    numbers: dict[Any, Any] = {}
    for item in (number for cell in notebook.cells for number in cell.numbers):
        if isinstance(item, dict) and item.get("chapter") == chapter and isinstance(item.get("numbers"), dict):
            numbers |= item["numbers"]
    return {
        reading.printable(name, 60): value
        for name, value in list(numbers.items())[:200]
        if isinstance(value, (int, float)) and abs(value) < 1e300 and math.isfinite(value)
    }


def _last_change(notebook: Notebook, file: Path) -> str:
    """Return when a cell was run last, or else the file was changed, on this machine's clock to the minute.

    JupyterLab records it (Settings, Notebook, "Record timing"): ``2026-03-02 10:00+01:00``.
    """
    last = max((cell.started for cell in notebook.cells), default="")  # all of them in UTC
    moment = datetime.fromtimestamp(file.stat().st_mtime).astimezone()
    with contextlib.suppress(ValueError, OverflowError):
        moment = datetime.fromisoformat(last.replace("Z", "+00:00")).astimezone()
    return moment.isoformat(" ", "minutes")
