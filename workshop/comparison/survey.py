"""The comparison itself: from the files of a class to what is known of each student, and of the class."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from labcourse import settings
from workshop.authoring import exercises
from workshop.comparison.reference import Chapter
from workshop.comparison.remarks import is_copied, touches_checks
from workshop.comparison.sandbox import execute
from workshop.comparison.states import Found, examine
from workshop.comparison.submissions import File


@dataclass
class Student:
    """One student: all exercises, in order, and the files with something odd about them (name, what)."""

    name: str
    exercises: list[Found] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)

    @property
    def came_to(self) -> list[Found]:
        """The exercises up to the last one that was tried."""
        exercises = [*self.exercises]
        while exercises and not (exercises[-1].is_done or exercises[-1].state in ("wrong", "unchecked")):
            exercises.pop()
        return exercises


@dataclass
class Survey:
    """All students of a class, and the chapters compared."""

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
        """Return one row per student, for the terminal and the report's first table; no points for words.

        A student is stuck at the first exercise not done in the last chapter that was tried, up to where it was.
        """
        made: list[dict[str, Any]] = []
        points = exercises.points(settings.home())
        for student in self.students:
            states = Counter(found.state for found in student.exercises)
            came_to = student.came_to
            stuck = [f.exercise for f in came_to if f.chapter == came_to[-1].chapter and not f.is_done]
            row: dict[str, Any] = {
                "student": student.name,
                "points": sum(points(found.exercise) for found in student.exercises if found.state == "solved"),
                "done": states["solved"] + states["answered"],
                "wrong": states["wrong"],
                "unchecked": states["unchecked"],
                "open": states["open"],
                "missing": states["missing"],
                "doubts": sum(bool(found.doubts) for found in student.exercises),
                "reached": came_to[-1].exercise if came_to else "–",
                "stuck at": stuck[0] if stuck else "–",
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
    run: bool = False,
    track: Callable[[Sequence[str]], Iterable[str]] = iter,
) -> Survey:
    """Compare a class with the reference.

    Parameters
    ----------
    submitted : dict of str to list of File
        What `submissions.find` found.
    reference : dict of int to Chapter
        The chapters to compare; of these, chapters that nobody handed in are left out.
    run : bool
        Run the notebooks, see `sandbox`; else nothing is run.
    track : callable
        Iterates over the students, and shows how far it is.
    """
    handed_in = {file.chapter for files in submitted.values() for file in files if file.chapter} or reference.keys()
    reference = {number: chapter for number, chapter in reference.items() if number in handed_in}
    students = [_look(name, submitted[name], reference, run) for name in track(list(submitted))]
    _note_alike(students)
    return Survey(reference, students)


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


def _look(name: str, files: list[File], reference: Mapping[int, Chapter], run: bool) -> Student:
    """Compare one student; whatever a submission does to us, the class is compared to its end."""
    student = Student(name, problems=[(file.name, note) for file in files for note in file.notes])
    for chapter in reference.values():
        try:
            student.exercises += _work(student, files, chapter, run)
        except Exception as error:
            student.problems.append((f"chapter {chapter.number}", f"cannot be compared: {type(error).__name__}"))
            student.exercises += _nothing(chapter)
    return student


def _work(student: Student, files: list[File], chapter: Chapter, run: bool) -> list[Found]:
    """Compare the notebook of a chapter in which most is done; what is odd about it is added to the problems."""
    here = [file for file in files if file.notebook and file.chapter == chapter.number]
    tried = [(examine(file.notebook, chapter), file.notebook, file) for file in here if file.notebook]
    if not tried:
        return _nothing(chapter)
    exercises, notebook, file = max(tried, key=lambda one: _progress(one[0]))
    what = f"a second notebook of chapter {chapter.number}; {file.name} counts, in which more is done"
    student.problems += [(other.name, what) for _, _, other in tried if other is not file]
    if run:
        stored, notebook = exercises, execute(notebook, chapter)
        student.problems += [(file.name, note) for note in notebook.notes if note not in file.notes]
        exercises = examine(notebook, chapter)
        for old, new in zip(stored, exercises, strict=True):
            if old.state in ("solved", "wrong") and new.state != old.state:
                new.doubts.append(f"claims {old.state}, but a fresh run says {new.state}")
    is_forged = touches_checks(notebook, chapter)
    for found, exercise in zip(exercises, chapter.exercises, strict=True):
        if is_copied(found, exercise):
            found.doubts.append("word for word the course's own answer")
        if is_forged and found.state == "solved":
            found.doubts.append("claims solved, but a cell of this notebook touches `checks` beyond calling them")
    return exercises


def _nothing(chapter: Chapter) -> list[Found]:
    """Return what is known of a chapter without a notebook."""
    return [Found(chapter.number, exercise.number, "missing") for exercise in chapter.exercises]


def _progress(exercises: list[Found]) -> tuple[int, int]:
    """Return how many exercises are done, and how many were begun."""
    return sum(f.is_done for f in exercises), sum(f.state not in ("open", "missing") for f in exercises)
