"""The comparison itself: from the files of a class to what is known of each student, and of the class."""

from __future__ import annotations

import contextlib
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from labcourse import settings
from workshop.authoring import exercises, expected
from workshop.comparison.reading import Notebook, printable
from workshop.comparison.reference import Chapter
from workshop.comparison.remarks import Change, find_changes, is_copied, touches_checks
from workshop.comparison.sandbox import Limits, execute
from workshop.comparison.states import Found, examine
from workshop.comparison.submissions import File


@dataclass
class ChapterWork:
    """What a student made of a chapter; ``file`` is empty without a readable notebook."""

    chapter: int
    exercises: list[Found]
    file: str = ""
    numbers: list[expected.Number] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)


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


@dataclass
class Survey:
    """All students of a class, the chapters compared, and whether the comparison was interrupted."""

    reference: dict[int, Chapter]
    students: list[Student]
    note: str = ""

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
        """Return one row per student, for the terminal and the report's first table; no points for words.

        A student is stuck at the first exercise not done in the last chapter that was tried, up to where it was.
        """
        made = []
        points = exercises.points(settings.home())
        for student in self.students:
            states = Counter(found.state for found in student.exercises)
            numbers = [n for work in student.chapters for n in work.numbers if None not in (n.expected, n.value)]
            came_to = student.came_to
            stuck = [f.exercise for f in came_to if f.chapter == came_to[-1].chapter and not f.is_done]
            row: dict[str, Any] = {
                "student": student.name,
                "points": sum(points(found.exercise) for found in student.exercises if found.state == "solved"),
                "done": states["solved"] + states["answered"],
                "wrong": states["wrong"],
                "unchecked": states["unchecked"],
                "open": states["open"],
                "missing": states["missing"] + states["damaged"],
                "doubts": sum(found.is_doubtful for found in student.exercises),
                "reached": came_to[-1].exercise if came_to else "–",
                "stuck at": stuck[0] if stuck else "–",
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
        came_to = [found for student in self.students for found in student.came_to]
        made = []
        for number, title in self.titles.items():
            here = [found for found in came_to if found.exercise == number]
            done, wrong = sum(f.is_done for f in here), sum(f.state == "wrong" for f in here)
            mistakes = Counter(text for f in here for text in dict.fromkeys(f.mistakes)).most_common(3)
            row = {
                "exercise": title,
                "came to it": len(here),
                "done": done,
                "wrong": wrong,
                "went on without": len(here) - done - wrong,
                "most frequent mistakes": "; ".join(f"{mistake} ({n})" for mistake, n in mistakes),
            }
            made += [row] if done < len(here) else []
        return sorted(made, key=lambda row: (row["done"] - row["came to it"], -row["wrong"]))


def survey(
    submitted: Mapping[str, list[File]],
    reference: dict[int, Chapter],
    *,
    limits: Limits | None = None,
    track: Callable[[Sequence[str]], Iterable[str]] = iter,
) -> Survey:
    """Compare a class with the reference.

    Parameters
    ----------
    submitted : dict of str to list of File
        What `submissions.find` found.
    reference : dict of int to Chapter
        The chapters to compare; of these, chapters that nobody handed in are left out.
    limits : Limits, optional
        The notebooks are run within these limits; without them nothing is run.
    track : callable
        Iterates over the students, and shows how far it is.
    """
    handed_in = {file.chapter for files in submitted.values() for file in files}
    reference = {number: chapter for number, chapter in reference.items() if number in handed_in}
    found = Survey(reference, [])
    try:
        for name in track(list(submitted)):
            found.students.append(_look(name, submitted[name], reference, limits))
    except KeyboardInterrupt:
        if not limits or not found.students:
            raise
        # Running a class takes hours: what is done is not thrown away.
        found.note = f"Interrupted after {len(found.students)} of {len(submitted)} students."
    _note_alike(found.students)
    return found


def _note_alike(students: Sequence[Student]) -> None:
    """Note answers in words that two students share letter for letter."""
    writers: defaultdict[tuple[str, str], list[tuple[str, Found]]] = defaultdict(list)
    for student in students:
        for found in student.exercises:
            if found.state == "answered":
                writers[found.exercise, found.answer.strip()].append((student.name, found))
    for alike in writers.values():
        for name, found in alike:
            if others := [other for other, _ in alike if other != name]:
                found.doubts.append(f"letter for letter the answer of {', '.join(others[:3])}")


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
    if limits:
        stored, notebook = exercises, execute(notebook, chapter, limits)
        student.problems += [(file.name, note) for note in notebook.notes if note not in file.notes]
        work.exercises = examine(notebook, chapter)
        for old, new in zip(stored, work.exercises, strict=True):
            if old.state in ("solved", "wrong") and new.state != old.state:
                new.doubts.append(f"claims {old.state}, but a fresh run says {new.state}")
    is_forged = touches_checks(notebook, chapter)
    for found, exercise in zip(work.exercises, chapter.exercises, strict=True):
        if is_copied(found, exercise):
            found.doubts.append("word for word the course's own answer")
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
