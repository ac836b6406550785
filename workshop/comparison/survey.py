"""The comparison itself: from the files of a class to what is known of each student."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import partial
from itertools import permutations
from pathlib import Path
from typing import Any

from workshop.authoring import expected, nbgrader
from workshop.comparison import reading
from workshop.comparison.changes import Change, find_changes
from workshop.comparison.execution import execute
from workshop.comparison.keynumbers import handed_in, published
from workshop.comparison.names import chapter_of_cells, chapter_of_name
from workshop.comparison.pictures import Pair, Picture, compare_pictures, thumbnail
from workshop.comparison.reading import Notebook, Unreadable
from workshop.comparison.reference import Chapter
from workshop.comparison.remarks import alike, own_text, remarks, touches_checks
from workshop.comparison.sandbox import Limits
from workshop.comparison.states import Found, examine, without_notebook
from workshop.comparison.submissions import Class, Submission
from workshop.comparison.worktime import in_local_time, working_time

__all__ = ["ChapterWork", "Student", "Survey", "solution_pictures", "survey"]


@dataclass
class ChapterWork:
    """What a student made of a chapter.

    ``file`` is empty without a readable notebook, ``digest`` (of its cells) also if no exercise was tried.
    """

    chapter: int
    exercises: list[Found]
    file: str = ""
    numbers: list[expected.Number] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    seconds: float | None = None
    last: str = ""
    digest: str = ""


@dataclass
class Student:
    """One student: the chapters, in order, and the files with something odd about them (name, what)."""

    name: str
    chapters: list[ChapterWork] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)

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


@dataclass
class Survey:
    """All students of a class, the chapters compared, and how the submissions were recognised."""

    layout: str
    reference: dict[int, Chapter]
    students: list[Student]


def solution_pictures(reference: Mapping[int, Chapter]) -> dict[tuple[str, int], Picture]:
    """Return the thumbnails of the solutions' pictures by cell id and position."""
    made = {}
    for chapter in reference.values():
        for identifier, pictures in chapter.pictures.items():
            for index, encoded in enumerate(pictures):
                if picture := thumbnail(encoded):
                    made[identifier, index] = picture
    return made


def survey(
    submitted: Class,
    reference: dict[int, Chapter],
    *,
    pictures: Mapping[tuple[str, int], Picture] | None = None,
    limits: Limits | None = None,
    on_student: Callable[[Student], None] | None = None,
    map_: Callable[..., Iterator[Student]] = map,
) -> Survey:
    """Compare a class with the reference.

    Parameters
    ----------
    submitted : Class
        What `submissions.find` found.
    reference : dict of int to Chapter
        The chapters to compare; of these, chapters that nobody handed in are left out.
    pictures : mapping, optional
        Thumbnails of the solution (`solution_pictures`); without them pictures are not compared.
    limits : Limits, optional
        The notebooks are run within these limits; without them nothing is run.
    on_student : callable, optional
        Called after each student.
    map_ : callable
        ``map``, or that of a pool of processes.
    """
    look = partial(_look_safely, reference=reference, pictures=pictures, limits=limits)
    students: list[Student] = []
    layout = submitted.layout
    try:
        for student in map_(look, submitted.submissions):
            students.append(student)
            if on_student:
                on_student(student)
    except KeyboardInterrupt:
        if not limits or not students:
            raise
        # Running a class takes hours: what is done is not thrown away.
        layout += f"; interrupted after {len(students)} of {len(submitted.submissions)} students"
    present = {
        work.chapter
        for student in students
        for work in student.chapters
        if any(found.state != "missing" for found in work.exercises) or work.file
    }
    for student in students:
        student.chapters = [work for work in student.chapters if work.chapter in present]
    _note_alike(students, reference)
    return Survey(layout, {n: c for n, c in reference.items() if n in present}, students)


def _note_alike(students: list[Student], reference: Mapping[int, Chapter]) -> None:
    """Note notebooks that hold the same answers as another student's, letter for letter."""
    for number, chapter in reference.items():
        works = [(student, work) for student in students for work in student.chapters if work.chapter == number]
        texts = [
            {e: own_text(found, e) for found, e in zip(work.exercises, chapter.exercises, strict=True)}
            for _, work in works
        ]
        for i, others in alike(texts).items():
            student, work = works[i]
            for other, same, own in others:
                if work.digest != works[other][1].digest:
                    what = f"{same} of its {own} longer answers are those of {works[other][0].name}, letter for letter"
                    student.problems.append((work.file, what))
        for (student, work), (other_student, other_work) in permutations(works, 2):
            if work.digest and work.digest == other_work.digest:
                student.problems.append((work.file, f"the same notebook as that of {other_student.name}"))


def _look_safely(submission: Submission, reference: Mapping[int, Chapter], **options: Any) -> Student:
    """Compare one student; whatever a submission does to us, the class is compared to its end."""
    try:
        return look_at(submission, reference, **options)
    except Exception as error:
        student = Student(submission.student, problems=list(submission.problems))
        what = f"cannot be compared: {type(error).__name__}"
        student.problems.append(("", what))
        student.chapters = [ChapterWork(n, without_notebook(c, "damaged", what)) for n, c in reference.items()]
        return student


def look_at(
    submission: Submission,
    reference: Mapping[int, Chapter],
    pictures: Mapping[tuple[str, int], Picture] | None = None,
    limits: Limits | None = None,
) -> Student:
    """Compare the notebooks of one student with the reference."""
    student = Student(submission.student, problems=list(submission.problems))
    candidates: dict[int, list[tuple[Path, Notebook]]] = {}
    damaged: dict[int, str] = {}
    for file in submission.files:
        name = submission.name_of(file)
        try:
            notebook = _as_handed_in(reading.read(file))
        except Unreadable as error:
            student.problems.append((name, str(error)))
            damaged.setdefault(chapter_of_name(file.name), str(error))
            continue
        student.problems += [(name, note) for note in notebook.notes]
        if number := _chapter_of(notebook, file, name, student.problems):
            candidates.setdefault(number, []).append((file, notebook))
    for number, chapter in reference.items():
        if number in candidates:
            file, notebook = _best(candidates[number], chapter, submission, student.problems)
            work = _work(submission, student, file, notebook, chapter, limits, pictures)
        else:
            state = "damaged" if number in damaged else "missing"
            doubt = f"its notebook is {damaged[number]}" if number in damaged else "no notebook of this chapter"
            work = ChapterWork(number, without_notebook(chapter, state, doubt))
        student.chapters.append(work)
    return student


def _work(
    submission: Submission,
    student: Student,
    file: Path,
    notebook: Notebook,
    chapter: Chapter,
    limits: Limits | None,
    pictures: Mapping[tuple[str, int], Picture] | None,
) -> ChapterWork:
    """Compare one notebook; what is odd about its run is added to the student's problems."""
    work = ChapterWork(chapter.number, examine(notebook, chapter), submission.name_of(file))
    work.seconds, work.last = working_time(notebook)
    work.last = work.last or _modified(file)
    if any(found.state not in ("open", "missing") for found in work.exercises):
        work.digest = hashlib.sha256(repr(notebook.cells).encode()).hexdigest()
    work.changes = find_changes(notebook, chapter)
    if limits:
        fresh = execute(notebook, chapter, limits)
        student.problems += [(work.file, note) for note in fresh.notes if note not in notebook.notes]
        work.exercises = _with_claims(examine(fresh, chapter), work.exercises)
        notebook = fresh
    work.exercises = _with_remarks(work.exercises, notebook, chapter)
    values = published(notebook, chapter.number)
    if not values and not limits and not submission.is_shared:
        values = handed_in(submission.folder, chapter.number)
    work.numbers = expected.compare(values, chapter.bounds)
    if pictures is not None:
        work.pairs = compare_pictures(notebook, chapter, pictures)
    return work


def _as_handed_in(notebook: Notebook) -> Notebook:
    """Return a notebook without what nbgrader added to grade it."""
    cells = tuple(replace(cell, source=nbgrader.without_tests(cell.source)) for cell in notebook.cells)
    return replace(notebook, cells=cells)


def _chapter_of(notebook: Notebook, file: Path, name: str, problems: list[tuple[str, str]]) -> int:
    """Return the chapter that a notebook holds, whatever its name; 0 for none."""
    number = chapter_of_cells(notebook)
    named = chapter_of_name(file.name)
    if not number:
        what = f"no exercise of chapter {named} is left in it" if named else "it belongs to no chapter; not compared"
        problems.append((name, what))
        return named
    if named not in (0, number):
        problems.append((name, f"it is named chapter {named}, but holds chapter {number}"))
    elif not named:
        problems.append((name, f"it was renamed; by its cells it is chapter {number}"))
    return number


def _best(
    candidates: Collection[tuple[Path, Notebook]],
    chapter: Chapter,
    submission: Submission,
    problems: list[tuple[str, str]],
) -> tuple[Path, Notebook]:
    """Return the notebook in which most is done, and note the others."""

    def done(candidate: tuple[Path, Notebook]) -> tuple[int, int]:
        found = examine(candidate[1], chapter)
        return sum(f.is_done for f in found), sum(f.state not in ("open", "missing") for f in found)

    best = max(candidates, key=done) if len(candidates) > 1 else next(iter(candidates))
    for file, _ in candidates:
        if file != best[0]:
            used = submission.name_of(best[0])
            what = f"a second notebook of chapter {chapter.number}; {used} counts, in which more is done"
            problems.append((submission.name_of(file), what))
    return best


def _with_remarks(exercises: list[Found], notebook: Notebook, chapter: Chapter) -> list[Found]:
    """Note what no check sees."""
    forged = touches_checks(notebook, chapter)
    made = []
    for found, exercise in zip(exercises, chapter.exercises, strict=True):
        notes = list(remarks(found, exercise))
        if forged and found.state == "solved":
            notes.append("claims solved, but a cell of this notebook touches `checks` beyond calling them")
        made.append(replace(found, doubts=(*found.doubts, *notes)))
    return made


def _with_claims(fresh: list[Found], stored: list[Found]) -> list[Found]:
    """Note where a fresh run disagrees with the outputs that were handed in."""
    return [
        replace(new, doubts=(*new.doubts, f"claims {old.state}, but a fresh run says {new.state}"))
        if old.state in ("solved", "wrong") and new.state != old.state
        else new
        for new, old in zip(fresh, stored, strict=True)
    ]


def _modified(file: Path) -> str:
    try:
        return in_local_time(datetime.fromtimestamp(file.stat().st_mtime, timezone.utc))
    except (OSError, ValueError, OverflowError):
        return ""
