"""Notebooks of strangers, read as data: nothing in them is run, trusted, or able to stop the others.

The file may be anything: half a download, another format, a link to somewhere else, ten thousand brackets.
What is readable is kept, and what is not is said.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from course.checks import progress
from labcourse.files import read_small
from workshop.authoring import nbgrader

MAX_BYTES = 20_000_000
"""A larger file is not opened; a solution notebook has 0.3 MB."""
_LONGEST = 20_000
"""Characters of a text; what follows is not read."""
_TAG = re.compile(r"(?:exercise|check)-(\d+)\.\d+$")


class Unreadable(Exception):
    """A file that is no notebook; the text says why."""


class Verdict(NamedTuple):
    """What a check published: of which exercise, its state, the fingerprint of the judged cell, what was printed."""

    exercise: str = ""
    state: str = ""
    cell: str = ""
    text: str = ""


@dataclass(frozen=True)
class Cell:
    """One cell: what it says, and of its outputs the verdicts.

    ``count`` is the execution count, 0 if it was not run; ``error`` names the exception it ended in.
    """

    kind: str
    source: str
    tags: tuple[str, ...] = ()
    count: int = 0
    error: str = ""
    verdicts: tuple[Verdict, ...] = ()


@dataclass(frozen=True)
class Notebook:
    """The cells of a notebook, and what was odd about the file."""

    cells: tuple[Cell, ...]
    notes: tuple[str, ...] = ()

    @property
    def chapter(self) -> int:
        """The chapter whose exercises it holds, 0 for none."""
        seen = Counter(int(tag[1]) for cell in self.cells for tag in map(_TAG.match, cell.tags) if tag)
        return seen.most_common(1)[0][0] if seen else 0


def read(path: Path) -> Notebook:
    """Read one notebook.

    Raises
    ------
    Unreadable
        If it is no notebook, or too large, or not a plain file.
    """
    if path.is_symlink():
        raise Unreadable("a link to another file, which is not followed")
    try:
        return take(json.loads(read_small(path, MAX_BYTES).decode("utf-8-sig")))
    except (OSError, ValueError, RecursionError) as error:
        raise Unreadable(f"not a readable notebook: {getattr(error, 'strerror', None) or error}") from error


def take(content: Any) -> Notebook:
    """Take the cells from the decoded JSON of a notebook; raises as `read`."""
    if not isinstance(content, dict) or not isinstance(content.get("cells"), list):
        raise Unreadable("not a notebook of format 4: open and save it in JupyterLab")
    cells = []
    for raw in content["cells"]:
        # Whatever stands where a notebook has something else, Python says so.
        with contextlib.suppress(AttributeError, ArithmeticError, LookupError, TypeError, ValueError):
            cells.append(_cell(raw))
    broken = len(content["cells"]) - len(cells)
    return Notebook(tuple(cells), (f"{broken} of its cells cannot be read",) if broken else ())


def printable(text: str, length: int = 120) -> str:
    """Return one line of at most ``length`` characters without control characters or broken encoding.

    >>> printable("a\\x1b[31mb\\ud800")
    'a�[31mb�'
    """
    line = "".join(c if c.isprintable() else "�" for c in text[: length + 1].replace("\n", " "))
    return line if len(line) <= length else line[: length - 1] + "…"


def _cell(raw: dict[str, Any]) -> Cell:
    metadata, outputs = raw.get("metadata", {}), raw.get("outputs", [])
    data = [output.get("data", {}) for output in outputs]
    said = [(d[progress.MIME_TYPE], d.get("text/plain", "")) for d in data if progress.MIME_TYPE in d]
    return Cell(
        kind=_text(raw["cell_type"]),
        source=nbgrader.without_tests(_text(raw["source"])),
        tags=tuple(map(_text, metadata.get("tags", ()))),
        count=max(0, int(raw.get("execution_count") or 0)),
        error=next((printable(_text(o["ename"]), 60) for o in outputs if o["output_type"] == "error"), ""),
        verdicts=tuple(
            Verdict(*map(_text, (verdict["exercise"], verdict["state"], verdict.get("cell", ""), text)))
            for verdict, text in said
        ),
    )


def _text(value: Any) -> str:
    """Return a text, or the joined lines of one, as valid Unicode without null characters."""
    return "".join(value)[:_LONGEST].encode("utf-8", "replace").decode().replace("\0", "�")
