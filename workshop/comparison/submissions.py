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
from workshop.comparison.names import Item, chapter_of_cells, chapter_of_name, name_of_file, recognise
from workshop.comparison.reading import Unreadable, printable, read

_MAX_DEPTH = 6
_IGNORED = {"__pycache__", "node_modules", "site-packages", "outputs"}
_OURS = {"solutions", "course", "tests"}
_ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar")


@dataclass
class Submission:
    """The files of one student below the folder of the class, and what is odd about them (name, what)."""

    student: str
    root: Path
    files: list[Path] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)

    def name_of(self, path: Path) -> str:
        """Return a file's name within the class, fit to be shown."""
        return printable(str(path.relative_to(self.root)))


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
    if not path.exists():
        raise BadInput(
            f"{path} does not exist.", where="SUBMISSIONS", next_step="Give a notebook, or a folder of notebooks."
        )
    if path.is_file() and path.suffix.lower() not in _ARCHIVES:
        label = name_of_file(path.name) or printable(path.parent.name)
        return Class("one notebook", [Submission(label, path.parent, [path])])
    root = path / "submitted" if (path / "submitted").is_dir() else path
    items = _items(root)
    if not any(item.is_notebook for item in items):
        raise BadInput(
            "There is no notebook here.",
            where=str(path),
            next_step="Unpack archives first, and give the folder that holds a folder for each student, or their "
            "notebooks (*.ipynb).",
        )
    if students:
        layout, names = f"listed in {students.name}", _listed_names(items, students)
    elif "{" in pattern or "*" in pattern:
        layout, names = f"named by the pattern {pattern}", _matched_names(items, pattern)
    elif pattern:
        layout, names = "one student", [printable(pattern)] * len(items)
    else:
        layout, names = recognise(root, items)
    return Class(layout, _grouped(root, items, names))


def _grouped(root: Path, items: list[Item], names: list[str | None]) -> list[Submission]:
    """Return the students by their names, in order; notebooks without one are named by their file."""
    found: dict[str, Submission] = {}
    for item, named in sorted(zip(items, names, strict=True), key=lambda pair: bool(pair[0].note)):
        name = named or printable(item.path.stem)
        if item.note:
            if name.casefold() in found:
                found[name.casefold()].problems.append((printable("/".join(item.parts)), item.note))
        else:
            submission = found.setdefault(name.casefold(), Submission(name, root))
            submission.files += [item.path] if item.is_notebook else []
    return sorted(found.values(), key=lambda s: s.student.casefold())


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
        raise BadInput(
            f"Notebooks that do not {what}: {', '.join(map(printable, lost[:3]))}{' …' * (len(lost) > 3)}",
            where=where,
            next_step="Add them, or move them out of the folder.",
        )
    return names


def _items(root: Path) -> list[Item]:
    """Return what lies in the folder of a class; a student's folder without notebooks is one of them."""
    items = list(_walk(root))
    tops = {item.parts[0] for item in items if item.is_notebook}
    if not any((root / top).is_file() for top in tops):
        _, folders, _ = next(os.walk(root), ("", [], []))
        empty = {name for name in folders if not name.startswith(".")} - tops - _IGNORED
        items += [Item(root / name, (name,)) for name in sorted(empty) if not (root / name).is_symlink()]
    return items


def _walk(root: Path) -> Iterator[Item]:
    for folder, folders, files in os.walk(root):
        here = Path(folder).relative_to(root).parts
        # A copy of the whole course holds the solutions, too: they are not the student's.
        ignored = _IGNORED | (_OURS if "notebooks" in folders else set())
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in ignored)
        for name in sorted(name for name in files if not name.startswith(".")):
            path, parts = Path(folder, name), (*here, name)
            if path.suffix == ".ipynb":
                yield Item(path, parts, _chapter(path, parts))
            elif path.suffix.lower() in _ARCHIVES:
                yield Item(path, parts, note="an archive, which is not unpacked")
        for name in folders:
            if Path(folder, name).is_symlink():
                yield Item(Path(folder, name), (*here, name), note="a link to elsewhere, which is not followed")
            elif len(here) == _MAX_DEPTH:
                yield Item(Path(folder, name), (*here, name), note="nested too deeply; it is not read")
        if len(here) == _MAX_DEPTH:
            folders.clear()


def _chapter(path: Path, parts: tuple[str, ...]) -> int:
    """Return the chapter that a notebook's name says, or its folders', or its cells; 0 if nothing does."""
    named = next((number for part in reversed(parts) if (number := chapter_of_name(part))), 0)
    try:
        return named or chapter_of_cells(read(path))
    except Unreadable:
        return 0
