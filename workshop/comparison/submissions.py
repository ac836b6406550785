"""The files of each student of a class.

Who is who is said by the user's pattern or table, else by the names in the paths. Learning platforms, version-control
classrooms and mail put a student's name in different places. What is constant says nothing about who handed in, and
neither do the course's own names, marks of copies (``Copy of``, ``(1)``) and dates. A student is the outermost of the
names that are left, in folders or in the name of the file, that gives students the fewest second notebooks of a
chapter; numbers count where words would give more. ``tests/workshop/test_submissions.py`` has a table of layouts.

Two notebooks of one chapter are one student's if at most every second student has such; else it is a question, answered
by a pattern or a table. Links are never followed: a submission must not show the reader files from elsewhere.
"""

from __future__ import annotations

import csv
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path, PurePath
from typing import NamedTuple

from course.outputs import CHAPTERS, WORDS
from labcourse.errors import BadInput
from workshop.comparison.reading import Notebook, Unreadable, printable, read

_IGNORED = {"__pycache__", "node_modules", "site-packages", "outputs"}
_OURS = {"solutions", "course", "tests"}
_ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar")
_NAMES = {number: name.replace("_", r"[\W_]*") for number, name in CHAPTERS.items()}
_TITLES = "|".join(name.split(r"[\W_]*", 1)[1] for name in _NAMES.values())
# What stands beside the chapters is named by its title, not by a number.
_BESIDE = "|".join(rf"(?P<n{number}>{_NAMES[number]})" for number, word in WORDS.items() if not word[-1].isdigit())
_CHAPTER = re.compile(
    rf"(?:chapter|kapitel|(?<![^\W\d_])ch)[\W_]*(?P<number>{'|'.join(map(str, CHAPTERS))})(?!\d)"
    rf"(?:[\W_]*(?:{_TITLES})(?![^\W\d_]))?|{_BESIDE}",
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


class File(NamedTuple):
    """A notebook, a folder without any, or what is not read; ``notes`` say what is odd about it.

    ``place`` is its path in the class, ``chapter`` what its cells or its path say; ``notebook`` is None if it cannot be
    read.
    """

    path: Path
    place: PurePath
    chapter: int = 0
    notebook: Notebook | None = None
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its path in the class, fit to be shown."""
        return printable(self.place.as_posix())

    @property
    def is_notebook(self) -> bool:
        """Whether it claims to be one."""
        return self.path.suffix == ".ipynb"

    @property
    def parts(self) -> tuple[str, ...]:
        """What may hold a student's name."""
        return (self.place.with_suffix("") if self.is_notebook else self.place).parts


class Class(NamedTuple):
    """The files of all students, in the order of names, and how they were recognised."""

    layout: str
    students: dict[str, list[File]]


def find(path: Path, pattern: str = "", students: Path | None = None) -> Class:
    """Read the notebooks in a folder, or a single one, and say whose they are.

    Parameters
    ----------
    path : Path
        The folder, or one notebook.
    pattern : str
        Where the student's name stands, such as ``{student}_*``, in the name of a folder or file; with ``/`` in the
        whole path. ``*`` is anything. Without ``{student}`` it is the name of the one student whose files these are.
    students : Path, optional
        A CSV table of files (or folders) and students.

    Raises
    ------
    BadInput
        If there is no such folder, no notebook in it, students cannot be told apart, or a file is not in the table
        or does not fit the pattern.
    """
    path = Path(os.path.abspath(path))
    if not path.exists():
        raise BadInput(
            f"{path} does not exist.", where="SUBMISSIONS", next_step="Give a notebook, or a folder of notebooks."
        )
    root = path / "submitted" if (path / "submitted").is_dir() else path
    is_one = path.is_file() and path.suffix == ".ipynb"
    files = [_read(path, PurePath(path.name))] if is_one else _files(root)
    if not any(file.is_notebook for file in files):
        raise BadInput(
            "There is no notebook here.",
            where=str(path),
            next_step="Unpack archives first, and give the folder that holds a folder for each student, or their "
            "notebooks (*.ipynb).",
        )
    if students:
        layout = f"listed in {students.name}"
        names = _named(files, _by_table(students), f"stand in {students.name}")
    elif "{" in pattern or "*" in pattern:
        layout = f"named by the pattern {pattern}"
        names = _named(files, _by_pattern(pattern), f"fit the pattern {pattern}")
    elif pattern:
        layout, names = "one student", [pattern] * len(files)
    else:
        layout, names = _recognise(files, path.parent.name if is_one else root.name)
    spelt: dict[str, str] = {}
    found: dict[str, list[File]] = {}
    for file, name in zip(files, names, strict=True):
        name = printable(name or file.path.stem)
        found.setdefault(spelt.setdefault(name.casefold(), name), []).append(file)
    return Class(layout, dict(sorted(found.items(), key=lambda entry: entry[0].casefold())))


def chapter_of_name(name: str) -> int:
    """Return the chapter in a file's name, 0 if there is none; platforms put their own words before the file's.

    >>> chapter_of_name("anna_chapter3 (1).ipynb"), chapter_of_name("homework.ipynb"), chapter_of_name("bach3.ipynb")
    (3, 0, 0)
    >>> chapter_of_name("project_parameterised_network.ipynb"), chapter_of_name("bob-appendix digits.ipynb")
    (9, 10)
    """
    matches = list(_CHAPTER.finditer(name))
    return int(matches[-1]["number"] or str(matches[-1].lastgroup)[1:]) if matches else 0


def _recognise(files: list[File], folder: str) -> tuple[str, list[str]]:
    """Return how a class hands in, and the student of each file, by the reading that merges fewest notebooks."""
    chapters = Counter(file.chapter for file in files if file.chapter)
    chapter, number = chapters.most_common(1)[0] if chapters else (0, 1)
    words = [{word.casefold() for part in file.parts for word in _words(part)} for file in files]
    no_words: set[str] = set()
    ways = ((set.intersection(*words), False), (no_words, False), (no_words, True))
    readings: list[tuple[int, list[str]]] = []
    # Whether `anna.ipynb` is a name or a title that a student chose; whether numbers tell namesakes apart.
    for is_name, (ignored, with_numbers) in product((False, number > 1), ways):
        candidates = [_candidates(file, ignored, with_numbers, is_name) for file in files]
        for depth in range(max(map(len, candidates))):
            names = [names[depth] if depth < len(names) else "" for names in candidates]
            named = [(name.casefold(), file.chapter) for name, file in zip(names, files, strict=True) if file.chapter]
            students, second = {name.casefold() for name in names if name}, len(named) - len(set(named))
            if len(students) > 1 and second <= len(students) / 2 and all(name for name, _ in named):
                readings.append((second, names))
    if readings:
        in_files = any(len(file.place.parts) == 1 for file in files if file.chapter)
        layout = "one folder of files with the students' names" if in_files else "a folder for each student"
        return layout, min(readings, key=lambda reading: reading[0])[1]
    if number == 1:
        candidates = [_candidates(file, no_words, False, False) for file in files if file.is_notebook]
        shared = [name for name in candidates[0] if all(name in names for names in candidates)]
        return "one student", [[folder, *shared][-1]] * len(files)
    alike = [file.name for file in files if file.chapter == chapter]
    raise BadInput(
        f"Whose are these {number} notebooks of chapter {chapter}? {', '.join(alike[:3])} …",
        where="SUBMISSIONS",
        next_step="Say where the names stand, such as --pattern '{student}_*', or give a table with the columns file "
        "and student: --students FILE.csv. If all are of one student: --pattern NAME.",
    )


def _candidates(file: File, ignored: set[str], with_numbers: bool, is_name: bool) -> list[str]:
    """Return what may be the student's name in a path, from the outside in."""
    is_title = file.is_notebook and not is_name and not chapter_of_name(file.place.name)
    names = []
    for part in file.parts[:-1] if is_title else file.parts:
        words = [w for w in _words(part) if w.casefold() not in ignored and (with_numbers or not w.isdigit())]
        names += [part if words == _SEPARATORS.split(part) else " ".join(words)] if words else []
    return names


def _words(part: str) -> list[str]:
    """Return the words of a name that may be somebody's."""
    bare = _NOISE.sub("\0", _CHAPTER.sub("\0", part))
    return [word for word in _SEPARATORS.split(bare) if word]


def _named(files: list[File], name_of: Callable[[File], str], what: str) -> list[str]:
    """Return the student of each file, as the user says."""
    names = list(map(name_of, files))
    if lost := [file.name for file, name in zip(files, names, strict=True) if file.is_notebook and not name]:
        raise BadInput(
            f"Notebooks that do not {what}: {', '.join(lost[:3])}{' …' * (len(lost) > 3)}",
            where="SUBMISSIONS",
            next_step="Add them, or move them out of the folder.",
        )
    return names


def _by_pattern(pattern: str) -> Callable[[File], str]:
    pieces = re.split(r"(\{student\}|\*)", pattern.removesuffix(".ipynb"))
    if pieces.count("{student}") != 1:
        raise BadInput(f"{pattern!r} must say {{student}} once.", where="--pattern")
    meaning = {"{student}": "([^/]+?)", "*": "[^/]*"}
    expression = re.compile("".join(meaning.get(piece) or re.escape(piece) for piece in pieces))

    def name_of(file: File) -> str:
        matches = map(expression.fullmatch, ["/".join(file.parts)] if "/" in pattern else file.parts)
        return next((match[1] for match in matches if match), "")

    return name_of


def _by_table(table: Path) -> Callable[[File], str]:
    try:
        text = table.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            f"{table} cannot be read as a table: {error}.", where="--students", next_step="Save it as CSV in UTF-8."
        ) from error
    # Spreadsheet programs of countries that write 1,5 separate columns by semicolons.
    delimiter = ";" if ";" in text.split("\n", 1)[0] else ","
    rows = [row for row in csv.reader(text.splitlines(), delimiter=delimiter) if len(row) > 1]
    listed = {row[0].strip().replace("\\", "/").strip("/"): row[1].strip() for row in rows}

    def name_of(file: File) -> str:
        paths = [path.as_posix() for path in (file.place, *file.place.parents, PurePath(file.place.name))]
        return next((listed[path] for path in paths if path in listed), "")

    return name_of


def _files(root: Path) -> list[File]:
    """Return what lies in the folder of a class; a student's folder without notebooks is one of them."""
    files = list(_walk(root))
    tops = {file.place.parts[0] for file in files}
    if all(len(file.place.parts) > 1 for file in files if file.is_notebook):
        names = sorted(set(next(os.walk(root), ("", (), ()))[1]) - tops - _IGNORED)
        files += [File(root / name, PurePath(name)) for name in names if not name.startswith(".")]
    return files


def _walk(root: Path) -> Iterator[File]:
    for here, folders, names in os.walk(root):
        # A copy of the whole course holds the solutions, too: they are not the student's.
        ignored = _IGNORED | (_OURS if "notebooks" in folders else set())
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in ignored)
        for path in (Path(here, name) for name in (*sorted(names), *folders) if not name.startswith(".")):
            place = path.relative_to(root)
            if path.name in folders:
                if path.is_symlink():
                    yield File(path, place, notes=("a link to elsewhere, which is not followed",))
            elif path.suffix == ".ipynb":
                yield _read(path, place)
            elif path.suffix.lower() in _ARCHIVES:
                yield File(path, place, notes=("an archive, which is not unpacked",))


def _read(path: Path, place: PurePath) -> File:
    """Read a notebook, and say of which chapter it is, by its cells or else its name; a damaged one's folder counts."""
    named = chapter_of_name(place.name)
    try:
        notebook = read(path)
    except Unreadable as error:
        by_folder = next((number for part in reversed(place.parts) if (number := chapter_of_name(part))), 0)
        return File(path, place, by_folder, notes=(str(error),))
    chapter, note = notebook.chapter, ""
    if not chapter:
        note = f"no exercise of chapter {named} is left in it" if named else "it belongs to no chapter; not compared"
    elif not named:
        note = f"it was renamed; by its cells it is chapter {chapter}"
    elif named != chapter:
        note = f"it is named chapter {named}, but holds chapter {chapter}"
    return File(path, place, chapter or named, notebook, (*notebook.notes, *filter(None, [note])))
