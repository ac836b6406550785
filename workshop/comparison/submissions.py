"""The files of each student of a class.

A student is the outermost name in a path: that of a folder, else that of the file. What is no name is left out of it:
chapters, words that learning platforms and copies add, and numbers, unless there is nothing else. Where this merges
many notebooks of one chapter, or a pattern says better where the name stands, the user is asked for one.

Links are never followed: a submission must not show the reader files from elsewhere.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import NamedTuple

from course.outputs import CHAPTERS, WORDS
from labcourse.errors import BadInput
from workshop.comparison.reading import Notebook, Unreadable, printable, read

_IGNORED = {"__pycache__", "node_modules", "site-packages", "outputs"}
_OURS = {"solutions", "course", "tests"}
_ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar")
_TITLES = "|".join(name.partition("_")[2].replace("_", r"[\W_]*") for name in CHAPTERS.values())
# What stands beside the chapters is named by a word, not by a number.
_BESIDE = "|".join(word for word in WORDS.values() if word.isalpha())
_CHAPTER = re.compile(rf"(chapter[\W_]*\d+|{_BESIDE})(?:[\W_]*(?:{_TITLES})(?![^\W\d_]))?", re.IGNORECASE)
_NO_NAME = re.compile(
    r"(?:copy|kopie|week|sheet|homework|assignment)\d*|of|attempt|late|assignsubmission|file|final|notebooks|\d\d?",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_]+")


class File(NamedTuple):
    """A notebook, a folder without any, or what is not read; ``notes`` say what is odd about it.

    ``place`` is its path in the class, ``chapter`` what its cells say; ``notebook`` is None if it cannot be read.
    """

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
        return self.place.suffix == ".ipynb"

    @property
    def parts(self) -> tuple[str, ...]:
        """What may hold a student's name."""
        return (self.place.with_suffix("") if self.is_notebook else self.place).parts


def find(path: Path, pattern: str = "") -> dict[str, list[File]]:
    """Read the notebooks in a folder, or a single one, and return the files of each student, in the order of names.

    Parameters
    ----------
    path : Path
        The folder, or one notebook.
    pattern : str
        Where the student's name stands, such as ``{student}_*``, in the name of a folder or file; with ``/`` in the
        whole path. ``*`` is anything. Without ``{student}`` it is the name of the one student whose files these are.

    Raises
    ------
    BadInput
        If there is no notebook, students cannot be told apart, or a file does not fit the pattern.
    """
    path = Path(os.path.abspath(path))
    if path.is_file() and path.suffix == ".ipynb":
        root, files = path.parent, [_read(path, PurePath(path.name))]
    else:
        root = path / "submitted" if (path / "submitted").is_dir() else path
        files = _files(root)
    if not any(file.is_notebook for file in files):
        raise BadInput(
            "There is no notebook here.",
            where=str(path),
            next_step="Unpack archives first, and give the folder that holds a folder for each student, or their "
            "notebooks (*.ipynb).",
        )
    found: dict[str, list[File]] = {}
    for file in files:
        name = _by_pattern(file, pattern) if pattern else next(filter(None, map(_bare, file.parts)), "")
        found.setdefault(printable(name or root.name), []).append(file)
    if not pattern:
        _ask_if_merged(found)
    return dict(sorted(found.items(), key=lambda entry: entry[0].casefold()))


def _bare(part: str) -> str:
    """Return what of a name may be somebody's.

    >>> _bare("chapter3_anna lee_12345_attempt_2026-03-01_chapter3_evaluation"), _bare("1234567"), _bare("chapter 3")
    ('anna lee', '1234567', '')
    """
    words = [word for word in _WORD.findall(_CHAPTER.sub(" ", part)) if not _NO_NAME.fullmatch(word)]
    words = [word for word in words if not word.isdigit()] or words
    return part if words == _WORD.findall(part) else " ".join(words)


def _by_pattern(file: File, pattern: str) -> str:
    if "{student}" not in pattern:
        return pattern
    expression = re.escape(pattern.removesuffix(".ipynb")).replace(r"\*", "[^/]*").replace(r"\{student\}", "([^/]+?)")
    places = ["/".join(file.parts)] if "/" in pattern else file.parts
    name = next((match[1] for place in places if (match := re.fullmatch(expression, place))), "")
    if file.is_notebook and not name:
        raise BadInput(f"{file.name} does not fit {pattern!r}.", where="--pattern", next_step="Move it elsewhere.")
    return name


def _ask_if_merged(found: dict[str, list[File]]) -> None:
    """Raise BadInput if more than every second student has second notebooks of a chapter."""
    counts = Counter((name, file.chapter) for name, files in found.items() for file in files if file.chapter)
    if sum(counts.values()) - len(counts) <= len(found) / 2:
        return
    ((name, chapter), number) = counts.most_common(1)[0]
    alike = [file.name for file in found[name] if file.chapter == chapter]
    raise BadInput(
        f"Whose are these {number} notebooks of chapter {chapter}? {', '.join(alike[:3])} …",
        where="SUBMISSIONS",
        next_step="Say where the names stand, such as --pattern '{student}_*'. If all are of one student: "
        "--pattern NAME.",
    )


def _files(root: Path) -> list[File]:
    """Return what lies in the folder of a class; a student's folder without notebooks is one of them."""
    files = list(_walk(root))
    tops = {file.place.parts[0] for file in files}
    if all(len(file.place.parts) > 1 for file in files if file.is_notebook):
        names = sorted(set(next(os.walk(root), ("", (), ()))[1]) - tops - _IGNORED)
        files += [File(PurePath(name)) for name in names if not name.startswith(".")]
    return files


def _walk(root: Path) -> Iterator[File]:
    for here, folders, names in os.walk(root):
        # A copy of the whole course holds the solutions, too: they are not the student's.
        ignored = _IGNORED | (_OURS if "notebooks" in folders else set())
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in ignored)
        for path in (Path(here, name) for name in sorted(names) if not name.startswith(".")):
            if path.suffix == ".ipynb":
                yield _read(path, path.relative_to(root))
            elif path.suffix.lower() in _ARCHIVES:
                yield File(path.relative_to(root), notes=("an archive, which is not unpacked",))


def _read(path: Path, place: PurePath) -> File:
    """Read a notebook; of which chapter it is, its cells say."""
    try:
        notebook = read(path)
    except Unreadable as error:
        return File(place, notes=(str(error),))
    notes = notebook.notes if notebook.chapter else (*notebook.notes, "it belongs to no chapter; not compared")
    return File(place, notebook.chapter, notebook, notes)
