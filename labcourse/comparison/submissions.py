"""Which files belong to which student.

Learning platforms, version-control classrooms and mail put a student's name in different places. What is constant
says nothing about who handed in, and neither do the course's own names, marks of copies (``Copy of``, ``(1)``) and
dates. A student is the outermost of the names that are left, in folders or in the name of the file, that gives each
student one notebook per chapter.

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

Two notebooks of one chapter in a student's own folder are that student's, if few have such; else it is a question,
answered by a pattern or a table. Links are never followed: a submission must not show the reader files from elsewhere.
"""

from __future__ import annotations

import csv
import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from labcourse.comparison.reading import Notebook, Unreadable, printable, read
from labcourse.errors import BadInput
from labcourse.outputs import CHAPTERS

__all__ = ["Class", "Submission", "chapter_of_cells", "chapter_of_name", "find"]

_MAX_FILES = 20_000
_MAX_DEPTH = 6
_IGNORED = {"__pycache__", "node_modules", "site-packages", "outputs"}
_ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar")
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
_MARK = re.compile(r"checks\.(?:exercise_(\d)_\d|written\(\s*[\"'](\d)\.)")
_CELL = re.compile(r"(?:(?:exercise|check)-(\d)\.\d+|chapter(\d)-\d{3})$")


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


class _Label(NamedTuple):
    """A name in a path: what tells students apart, the same with all numbers, and as it is shown."""

    key: str
    full: str
    shown: str


class _Item(NamedTuple):
    """A notebook, a folder without any, or (with a ``note``) what is not read; ``parts`` is its path in the class."""

    path: Path
    parts: tuple[str, ...]
    chapter: int = 0
    note: str = ""

    @property
    def is_notebook(self) -> bool:
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
    seen = Counter(
        int(match[1] or match[2])
        for cell in notebook.cells
        for text in (*cell.tags, cell.id)
        if (match := _CELL.match(text))
    )
    seen = seen or Counter(int(a or b) for cell in notebook.cells for a, b in _MARK.findall(cell.source))
    return seen.most_common(1)[0][0] if seen else 0


def find(path: Path, pattern: str = "", students: Path | None = None) -> Class:
    """Find the submissions in a folder, or take a single notebook.

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
    if path.is_file():
        if path.suffix.lower() in _ARCHIVES:
            raise BadInput(f"{path.name} is an archive.", where=str(path), next_step="Unpack it, and give the folder.")
        label = _file_label(path.name)
        return Class("one notebook", [Submission(label or printable(path.parent.name), path.parent, [path])])
    if not path.is_dir():
        raise BadInput(
            f"{path} does not exist.", where="SUBMISSIONS", next_step="Give a notebook, or a folder of notebooks."
        )
    root = path / "submitted" if (path / "submitted").is_dir() else path
    items = list(_walk(root, ()))
    if not any(item.is_notebook for item in items):
        archives = any(item.path.suffix.lower() in _ARCHIVES for item in items)
        raise BadInput(
            "There is no notebook here.",
            where=str(path),
            next_step="Unpack the archives first."
            if archives
            else "Give the folder that holds a folder for each student, or their notebooks (*.ipynb).",
        )
    if students:
        return _group(f"listed in {students.name}", root, items, _listed_names(items, students))
    if "{student}" in pattern:
        return _group(f"named by the pattern {pattern}", root, items, _matched_names(items, pattern))
    if pattern:
        return _one_student(root, items, pattern)
    return _recognise(root, items)


def _recognise(root: Path, items: list[_Item]) -> Class:
    """Return the class by the simplest reading of its paths that merges nobody."""
    words = [{word.casefold() for part in item.parts for word in _words(part)} for item in items if not item.note]
    constant = set.intersection(*words)
    chapters = Counter(item.chapter for item in items if item.chapter)
    most = max(chapters.values(), default=1)
    for untidy in (0.1, 0.5):  # the share of students with a second notebook of a chapter
        for free_names in (False, True):  # whether `anna.ipynb` is a name, or a title that a student chose
            for with_numbers in (False, True):
                for ignored in (constant, set()):
                    labels = [_labels(item, ignored, with_numbers, free_names) for item in items]
                    for depth in range(max(map(len, labels))):
                        names = [label[depth] if len(label) > depth else None for label in labels]
                        if _tells_apart(items, names, untidy):
                            return _group(_layout(root, items, names), root, items, [n and n.shown for n in names])
            if most == 1:
                return _one_student(root, items)
    if most == 2 and _own_folder(root, items) != root:
        return _one_student(root, items)
    chapter, number = chapters.most_common(1)[0]
    alike = [str(item.path.relative_to(root)) for item in items if item.chapter == chapter]
    more = f" and {number - 3} more" if number > 3 else ""
    raise BadInput(
        f"Whose are these {number} notebooks of chapter {chapter}? {', '.join(map(printable, alike[:3]))}{more}.",
        where=str(root),
        next_step="Say where the names stand, such as --pattern '{student}_*', or give a table with the columns file "
        "and student: --students FILE.csv. If all are of one student: --pattern NAME.",
    )


def _tells_apart(items: list[_Item], names: list[_Label | None], untidy: float) -> bool:
    """Return whether each notebook has a name, and few names have two notebooks of one chapter, which are alike."""
    if any(item.chapter and not name for item, name in zip(items, names, strict=True)):
        return False
    keys = {name.key for name in names if name}
    named = [(item, name.key) for item, name in zip(items, names, strict=True) if name]
    full = [(item, name.full) for item, name in zip(items, names, strict=True) if name]
    # Namesakes with numbers of their own are not one student.
    return len(keys) > 1 and _surplus(named) == _surplus(full) <= untidy * len(keys)


def _surplus(named: list[tuple[_Item, str]]) -> int:
    """Return how many notebooks are of a chapter of which the same name has another."""
    found = [(key, item.chapter) for item, key in named if item.chapter]
    return len(found) - len(set(found))


def _labels(item: _Item, ignored: set[str], with_numbers: bool, free_names: bool) -> list[_Label]:
    """Return the names in a path, from the outside in."""
    is_title = item.is_notebook and not free_names and not chapter_of_name(item.parts[-1])
    labels = []
    for part in item.parts[:-1] if is_title else (*item.parts[:-1], item.parts[-1].removesuffix(".ipynb")):
        words = _words(part)
        left = [w for w in words if w.casefold() not in ignored and (with_numbers or not w.isdigit())]
        if left:
            is_bare = left == _SEPARATORS.split(part)
            shown = part if is_bare else " ".join(words if with_numbers else left)
            labels.append(_Label(" ".join(left).casefold(), " ".join(words).casefold(), printable(shown)))
    return labels


def _words(part: str) -> list[str]:
    bare = _NOISE.sub("\0", _CHAPTER.sub("\0", part.removesuffix(".ipynb")))
    return [word for word in _SEPARATORS.split(bare) if word]


def _file_label(name: str) -> str:
    """Return whose notebook a name says it is: ``anna`` of ``anna_chapter3.ipynb``; or an empty text."""
    words = [word for word in _words(name) if not word.isdigit()] if chapter_of_name(name) else []
    return printable(" ".join(words))


def _layout(root: Path, items: list[_Item], names: list[_Label | None]) -> str:
    if root.name == "submitted":
        return "nbgrader's folder: submitted/<student>/<assignment>"
    if any(len(item.parts) == 1 for item, name in zip(items, names, strict=True) if item.chapter and name):
        return "one folder of files with the students' names"
    return "a folder for each student"


def _group(layout: str, root: Path, items: list[_Item], names: list[str | None]) -> Class:
    """Return the students by their names, in order; notebooks without one are named by their file."""
    found: dict[str, Submission] = {}
    owners: dict[Path, set[str]] = {}
    folders: dict[str, list[Path]] = {}
    for item, name in sorted(zip(items, names, strict=True), key=lambda pair: bool(pair[0].note)):
        name = name or printable(item.path.stem)
        key = name.casefold()
        if item.note and key not in found:
            continue
        _add(found.setdefault(key, Submission(name, root)), item)
        folder = item.path if item.path.is_dir() else item.path.parent
        folders.setdefault(key, []).append(folder)
        for above in (folder, *folder.parents):
            owners.setdefault(above, set()).add(key)
    for key, submission in found.items():
        own = Path(os.path.commonpath(folders[key]))
        while root not in (own, own.parent) and len(owners[own.parent]) == 1:
            own = own.parent
        submission.is_shared = own == root or len(owners[own]) > 1
        submission.folder = root if submission.is_shared else own
        submission.problems = [(_within(submission, path), what) for path, what in submission.problems]
    return Class(layout, sorted(found.values(), key=lambda s: s.student.casefold()))


def _one_student(root: Path, items: list[_Item], name: str = "") -> Class:
    folder = _own_folder(root, items)
    in_names = {_file_label(item.parts[-1]) for item in items if item.chapter}
    said = in_names.pop() if len(in_names) == 1 and folder == root else ""
    own = root.parent if root.name == "submitted" else root
    name = printable(name or said or (_words(folder.name) and folder.name) or own.name)
    submission = Submission(name, folder)
    for item in items:
        _add(submission, item)
    submission.problems = [(_within(submission, path), what) for path, what in submission.problems]
    return Class("one student", [submission])


def _own_folder(root: Path, items: list[_Item]) -> Path:
    """Return the innermost folder that holds everything and bears a name of its own."""
    folder = Path(os.path.commonpath([item.path.parent for item in items if item.is_notebook]))
    while folder != root and not _words(folder.name):
        folder = folder.parent
    return folder


def _add(submission: Submission, item: _Item) -> None:
    if item.is_notebook:
        submission.files.append(item.path)
    elif item.note:
        submission.problems.append((str(item.path), item.note))


def _within(submission: Submission, path: str) -> str:
    return submission.name_of(Path(path)) if Path(path).is_relative_to(submission.folder) else printable(path)


def _matched_names(items: list[_Item], pattern: str) -> list[str | None]:
    pieces = re.split(r"(\{student\}|\*)", pattern.removesuffix(".ipynb"))
    if pieces.count("{student}") != 1:
        raise BadInput(f"{pattern!r} names the student more than once.", where="--pattern")
    meaning = {"{student}": "(?P<student>[^/]+?)", "*": "[^/]*"}
    expression = re.compile("".join(meaning.get(piece) or re.escape(piece) for piece in pieces))

    def name(item: _Item) -> str | None:
        parts = (*item.parts[:-1], item.parts[-1].removesuffix(".ipynb"))
        matches = map(expression.fullmatch, ["/".join(parts)] if "/" in pattern else parts)
        return next((printable(match["student"]) for match in matches if match), None)

    return _all_named(items, [name(item) for item in items], "--pattern", f"fit the pattern {pattern}")


def _listed_names(items: list[_Item], table: Path) -> list[str | None]:
    try:
        text = table.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            f"{table} cannot be read as a table: {error}.", where="--students", next_step="Save it as CSV in UTF-8."
        ) from error
    # Spreadsheet programs of countries that write 1,5 separate columns by semicolons.
    delimiter = ";" if ";" in text.split("\n", 1)[0] else ","
    rows = [row for row in csv.reader(text.splitlines(), delimiter=delimiter) if len(row) > 1 and row[1].strip()]
    listed = {row[0].strip().replace("\\", "/").strip("/"): printable(row[1].strip()) for row in rows}

    def name(item: _Item) -> str | None:
        paths = ["/".join(item.parts[:length]) for length in range(len(item.parts), 0, -1)]
        return next((listed[path] for path in [*paths, item.parts[-1]] if path in listed), None)

    return _all_named(items, [name(item) for item in items], "--students", f"stand in {table.name}")


def _all_named(items: list[_Item], names: list[str | None], where: str, what: str) -> list[str | None]:
    lost = ["/".join(item.parts) for item, name in zip(items, names, strict=True) if item.is_notebook and name is None]
    if lost:
        more = f" and {len(lost) - 3} more" if len(lost) > 3 else ""
        raise BadInput(
            f"{len(lost)} notebook{'s do' if len(lost) > 1 else ' does'} not {what}: "
            f"{', '.join(map(printable, lost[:3]))}{more}.",
            where=where,
            next_step="Add them, or move them out of the folder.",
        )
    return names


def _walk(folder: Path, parts: tuple[str, ...]) -> Iterator[_Item]:
    """Yield what lies in a folder; of the class, a folder without notebooks is a student who handed in nothing."""
    items = _in(folder)
    names = {item.name for item in items}
    has_notebooks = any(item.suffix == ".ipynb" for item in items)
    for number, item in enumerate(items):
        here = (*parts, item.name)
        # A copy of the whole course holds the solutions, too: they are not the student's.
        is_ours = item.name in ("solutions", "course", "tests") and "notebooks" in names
        if number == _MAX_FILES:
            yield _Item(folder, parts or here, note=f"more than {_MAX_FILES} files; the others are not read")
            return
        if item.suffix == ".ipynb" and not _is_folder(item):
            yield _Item(item, here, _chapter(item, here))
        elif item.is_symlink():
            yield _Item(item, here, note="a link to elsewhere, which is not followed")
        elif item.suffix.lower() in _ARCHIVES:
            yield _Item(item, here, note="an archive, which is not unpacked")
        elif _is_folder(item) and not is_ours:
            if len(here) > _MAX_DEPTH:
                yield _Item(item, here, note="nested too deeply; it is not read")
                continue
            inside = list(_walk(item, here))
            if not parts and not has_notebooks and not any(found.is_notebook for found in inside):
                yield _Item(item, here)
            yield from inside


def _chapter(path: Path, parts: tuple[str, ...]) -> int:
    """Return the chapter that a notebook's name says, or its folders', or its cells; 0 if nothing does."""
    named = next((number for part in reversed(parts) if (number := chapter_of_name(part))), 0)
    try:
        return named or chapter_of_cells(read(path))
    except Unreadable:
        return 0


def _in(folder: Path) -> list[Path]:
    try:
        items = sorted(folder.iterdir())
    except OSError:
        return []
    return [item for item in items if not item.name.startswith(".") and item.name not in _IGNORED]


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()
