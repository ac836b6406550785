"""The comparison itself: from the files of a class to what is known of each student, and of the class."""

from __future__ import annotations

import contextlib
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from labcourse import settings
from workshop.authoring import exercises, expected
from workshop.comparison.reading import Notebook, printable
from workshop.comparison.reference import Chapter
from workshop.comparison.remarks import Change, alike, find_changes, own_text, remarks, touches_checks
from workshop.comparison.sandbox import Limits, execute
from workshop.comparison.states import Found, examine
from workshop.comparison.submissions import Class, File


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
    problems: list[tuple[str, str]] = field(default_factory=list)

    @property
    def exercises(self) -> list[Found]:
        """All exercises in order."""
        return [found for work in self.chapters for found in work.exercises]

    @property
    def came_to(self) -> list[Found]:
        """The exercises up to the last one that was tried."""
        exercises = self.exercises
        while exercises and not (exercises[-1].is_done or exercises[-1].state in ("wrong", "unchecked")):
            exercises.pop()
        return exercises

    @property
    def reached(self) -> str:
        """The last exercise that was tried, or an empty text."""
        return self.came_to[-1].exercise if self.came_to else ""

    @property
    def stuck(self) -> str:
        """The first exercise not done in the last chapter that was tried, up to where it was; or an empty text."""
        came_to = self.came_to
        return next((f.exercise for f in came_to if f.chapter == came_to[-1].chapter and not f.is_done), "")

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

    @property
    def titles(self) -> dict[str, str]:
        """Number and title of each exercise, by its number."""
        return {e.number: f"{e.number} {e.title}" for chapter in self.reference.values() for e in chapter.exercises}

    def rows(self) -> list[dict[str, Any]]:
        """Return one row per student and exercise; ``points`` as in nbgrader, those of words are left to a person."""
        points = exercises.points(settings.home())
        return [
            {
                "student": student.name,
                "chapter": found.chapter,
                "exercise": found.exercise,
                "state": found.state,
                "points": None if found.state == "answered" else points(found.exercise) * (found.state == "solved"),
                "of": points(found.exercise),
                "doubts": found.doubts,
                "mistakes": found.mistakes,
            }
            for student in self.students
            for found in student.exercises
        ]

    def summary(self) -> list[dict[str, Any]]:
        """Return one row per student, for the terminal and the report's first table."""
        made = []
        for student in self.students:
            states = Counter(found.state for found in student.exercises)
            numbers = [n for work in student.chapters for n in work.numbers if None not in (n.expected, n.value)]
            row: dict[str, Any] = {
                "student": student.name,
                "done": states["solved"] + states["answered"],
                "wrong": states["wrong"],
                "unchecked": states["unchecked"],
                "open": states["open"],
                "missing": states["missing"] + states["damaged"],
                "doubts": len(student.doubtful),
                "reached": student.reached or "–",
                "stuck at": student.stuck or "–",
                "numbers right": f"{sum(n.is_right for n in numbers)} of {len(numbers)}" if numbers else "–",
                "files": len(student.problems) or "–",
            }
            made.append(row)
        return made

    def hurdles(self) -> list[dict[str, Any]]:
        """Return one row per exercise that somebody who came to it has not done, those first that most have not.

        A student came to an exercise who tried it or a later one; the most frequent mistakes are the lines of the
        check that do not hold, with how often.
        """
        came_to: defaultdict[str, list[Found]] = defaultdict(list)
        for found in (found for student in self.students for found in student.came_to):
            came_to[found.exercise].append(found)
        made = []
        for number, title in self.titles.items():
            found_here = came_to[number]
            done, wrong = sum(f.is_done for f in found_here), sum(f.state == "wrong" for f in found_here)
            mistakes = Counter(text for f in found_here for text in dict.fromkeys(f.mistakes)).most_common(3)
            row = {
                "exercise": title,
                "came to it": len(found_here),
                "done": done,
                "wrong": wrong,
                "went on without": len(found_here) - done - wrong,
                "most frequent mistakes": "; ".join(f"{mistake} ({n})" for mistake, n in mistakes),
            }
            made += [row] if done < len(found_here) else []
        return sorted(made, key=lambda row: (row["done"] - row["came to it"], -row["wrong"]))


def survey(
    submitted: Class,
    reference: dict[int, Chapter],
    *,
    limits: Limits | None = None,
    track: Callable[[Sequence[str]], Iterable[str]] = iter,
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
        Iterates over the students, and shows how far it is.
    """
    handed_in = {file.chapter for files in submitted.students.values() for file in files}
    reference = {number: chapter for number, chapter in reference.items() if number in handed_in}
    students: list[Student] = []
    layout = submitted.layout
    try:
        for name in track(list(submitted.students)):
            students.append(_look(name, submitted.students[name], reference, limits))
    except KeyboardInterrupt:
        if not limits or not students:
            raise
        # Running a class takes hours: what is done is not thrown away.
        layout += f"; interrupted after {len(students)} of {len(submitted.students)} students"
    for position, chapter in enumerate(reference.values()):
        _note_alike([(student, student.chapters[position]) for student in students], chapter)
    return Survey(layout, reference, students)


def _note_alike(works: list[tuple[Student, ChapterWork]], chapter: Chapter) -> None:
    """Note notebooks of a chapter that hold the same answers as another student's, letter for letter."""
    texts = [{e: own_text(f, e) for f, e in zip(work.exercises, chapter.exercises, strict=True)} for _, work in works]
    for first, second, same in alike(texts):
        for one, other in ((first, second), (second, first)):
            own = sum(map(bool, texts[one].values()))
            what = f"{same} of its {own} longer answers are those of {works[other][0].name}, letter for letter"
            works[one][0].problems.append((works[one][1].file, what))


def _look(name: str, files: list[File], reference: Mapping[int, Chapter], limits: Limits | None) -> Student:
    """Compare one student; whatever a submission does to us, the class is compared to its end."""
    student = Student(name, problems=[(file.name, note) for file in files for note in file.notes])
    try:
        student.chapters = [_work(student, files, chapter, limits) for chapter in reference.values()]
    except Exception as error:
        what = f"cannot be compared: {type(error).__name__}"
        student.problems.append(("", what))
        student.chapters = [_nothing(chapter, "damaged", what) for chapter in reference.values()]
    return student


def _work(student: Student, files: list[File], chapter: Chapter, limits: Limits | None) -> ChapterWork:
    """Compare the notebook of a chapter in which most is done; what is odd about it is added to the problems."""
    here = [file for file in files if file.chapter == chapter.number]
    tried = [(examine(file.notebook, chapter), file.notebook, file) for file in here if file.notebook]
    if not tried:
        damage = [f"its notebook is {file.notes[0]}" for file in here]
        return _nothing(chapter, *(("damaged", damage[0]) if damage else ("missing", "no notebook of this chapter")))
    exercises, notebook, file = max(tried, key=lambda one: _progress(one[0]))
    what = f"a second notebook of chapter {chapter.number}; {file.name} counts, in which more is done"
    student.problems += [(other.name, what) for _, _, other in tried if other is not file]
    work = ChapterWork(chapter.number, exercises, file.name, changes=find_changes(notebook, chapter))
    work.last = _last_change(notebook, file)
    if limits:
        stored, notebook = exercises, execute(notebook, chapter, limits)
        student.problems += [(file.name, note) for note in notebook.notes if note not in file.notes]
        work.exercises = examine(notebook, chapter)
        for old, new in zip(stored, work.exercises, strict=True):
            if old.state in ("solved", "wrong") and new.state != old.state:
                new.doubts.append(f"claims {old.state}, but a fresh run says {new.state}")
    is_forged = touches_checks(notebook, chapter)
    for found, exercise in zip(work.exercises, chapter.exercises, strict=True):
        found.doubts += remarks(found, exercise)
        if is_forged and found.state == "solved":
            found.doubts.append("claims solved, but a cell of this notebook touches `checks` beyond calling them")
    work.numbers = expected.compare(dict(_published(notebook, chapter.number)), chapter.bounds)
    return work


def _nothing(chapter: Chapter, state: str, doubt: str) -> ChapterWork:
    """Return what is known of a chapter whose notebook is ``missing`` or ``damaged``."""
    return ChapterWork(chapter.number, [Found(chapter.number, e.number, state, [doubt]) for e in chapter.exercises])


def _progress(exercises: list[Found]) -> tuple[int, int]:
    """Return how many exercises are done, and how many were begun."""
    return sum(f.is_done for f in exercises), sum(f.state not in ("open", "missing") for f in exercises)


def _published(notebook: Notebook, chapter: int) -> Iterator[tuple[str, float]]:
    """Yield the key numbers that the notebook published, the last ones of each name last."""
    for item in (item for cell in notebook.cells for item in cell.numbers):
        with contextlib.suppress(ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            for name, value in item["numbers"].items() if item["chapter"] == chapter else ():
                if math.isfinite(value) and abs(value) < 1e300:
                    yield printable(name, 60), value


def _last_change(notebook: Notebook, file: File) -> str:
    """Return when a cell was run last, or else the file was changed, on this machine's clock to the minute.

    JupyterLab records it (Settings, Notebook, "Record timing"): ``2026-03-02 10:00+01:00``.
    """
    last = max((cell.started for cell in notebook.cells), default="")  # all of them in UTC
    moment = datetime.fromtimestamp(file.path.stat().st_mtime).astimezone()
    with contextlib.suppress(ValueError, OverflowError):
        moment = datetime.fromisoformat(last.replace("Z", "+00:00")).astimezone()
    return moment.isoformat(" ", "minutes")
