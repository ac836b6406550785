"""The files of each student of a class.

Who is who is said by the user's pattern or table, else by the names in the paths (`names`). Links are never followed:
a submission must not show the reader files from elsewhere.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from labcourse.errors import BadInput
from workshop.comparison.names import Item, chapter_of_cells, chapter_of_name, name_of_file, recognise, words_of
from workshop.comparison.reading import Unreadable, printable, read

__all__ = ["Class", "Submission", "find"]

_MAX_FILES = 20_000
_MAX_DEPTH = 6
_IGNORED = {"__pycache__", "node_modules", "site-packages", "outputs"}
_ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar")


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
        label = name_of_file(path.name)
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
        layout, names = f"listed in {students.name}", _listed_names(items, students)
    elif "{" in pattern or "*" in pattern:
        layout, names = f"named by the pattern {pattern}", _matched_names(items, pattern)
    elif pattern:
        layout, names = "one student", [printable(pattern)] * len(items)
    else:
        layout, names = recognise(root, items)
    return _group(layout, root, items, names)


def _group(layout: str, root: Path, items: list[Item], names: list[str | None]) -> Class:
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
        while own != root and (not words_of(own.name) or (own.parent != root and len(owners[own.parent]) == 1)):
            own = own.parent
        submission.is_shared = len(owners[own]) > 1
        submission.folder = root if submission.is_shared else own
        submission.problems = [(_within(submission, path), what) for path, what in submission.problems]
    return Class(layout, sorted(found.values(), key=lambda s: s.student.casefold()))


def _add(submission: Submission, item: Item) -> None:
    if item.is_notebook:
        submission.files.append(item.path)
    elif item.note:
        submission.problems.append((str(item.path), item.note))


def _within(submission: Submission, path: str) -> str:
    return submission.name_of(Path(path)) if Path(path).is_relative_to(submission.folder) else printable(path)


def _matched_names(items: list[Item], pattern: str) -> list[str | None]:
    pieces = re.split(r"(\{student\}|\*)", pattern.removesuffix(".ipynb"))
    if pieces.count("{student}") != 1:
        raise BadInput(f"{pattern!r} must say {{student}} once.", where="--pattern")
    meaning = {"{student}": "(?P<student>[^/]+?)", "*": "[^/]*"}
    expression = re.compile("".join(meaning.get(piece) or re.escape(piece) for piece in pieces))

    def name(item: Item) -> str | None:
        parts = (*item.parts[:-1], item.parts[-1].removesuffix(".ipynb"))
        matches = map(expression.fullmatch, ["/".join(parts)] if "/" in pattern else parts)
        return next((printable(match["student"]) for match in matches if match), None)

    return _all_named(items, [name(item) for item in items], "--pattern", f"fit the pattern {pattern}")


def _listed_names(items: list[Item], table: Path) -> list[str | None]:
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

    def name(item: Item) -> str | None:
        paths = ["/".join(item.parts[:length]) for length in range(len(item.parts), 0, -1)]
        return next((listed[path] for path in [*paths, item.parts[-1]] if path in listed), None)

    return _all_named(items, [name(item) for item in items], "--students", f"stand in {table.name}")


def _all_named(items: list[Item], names: list[str | None], where: str, what: str) -> list[str | None]:
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


def _walk(folder: Path, parts: tuple[str, ...]) -> Iterator[Item]:
    """Yield what lies in a folder; of the class, a folder without notebooks is a student who handed in nothing."""
    items = _in(folder)
    names = {item.name for item in items}
    has_notebooks = any(item.suffix == ".ipynb" for item in items)
    for number, item in enumerate(items):
        here = (*parts, item.name)
        # A copy of the whole course holds the solutions, too: they are not the student's.
        is_ours = item.name in ("solutions", "course", "tests") and "notebooks" in names
        if number == _MAX_FILES:
            yield Item(folder, parts or here, note=f"more than {_MAX_FILES} files; the others are not read")
            return
        if item.suffix == ".ipynb" and not _is_folder(item):
            yield Item(item, here, _chapter(item, here))
        elif item.is_symlink():
            yield Item(item, here, note="a link to elsewhere, which is not followed")
        elif item.suffix.lower() in _ARCHIVES:
            yield Item(item, here, note="an archive, which is not unpacked")
        elif _is_folder(item) and not is_ours:
            if len(here) > _MAX_DEPTH:
                yield Item(item, here, note="nested too deeply; it is not read")
                continue
            inside = list(_walk(item, here))
            if not parts and not has_notebooks and not any(found.is_notebook for found in inside):
                yield Item(item, here)
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
