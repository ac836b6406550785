"""Notebooks of strangers, read as data: nothing in them is run, trusted, or able to stop the others.

The file may be anything: half a download, another format, a link to somewhere else, ten thousand brackets.
What is readable is kept, and what is not is said.
"""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course.checks import progress
from labcourse.outputs import MIME_TYPE

MAX_BYTES = 20_000_000
"""A larger file is not opened; a solution notebook has 0.3 MB."""
_MAX_CELLS = 2000
_MAX_SOURCE = 20_000
_MAX_STREAM = 100_000


class Unreadable(Exception):
    """A file that is no notebook; the text says why."""


@dataclass(frozen=True)
class Cell:
    """One cell: what it says, and of its outputs the numbers and verdicts it published.

    A verdict is ``(exercise, state, fingerprint of the judged cell, text)``. ``count`` is the execution count, 0 if it
    was not run; ``started`` is the beginning of its last run (ISO 8601), where JupyterLab recorded it; ``error`` names
    the exception it ended in.
    """

    kind: str
    source: str
    tags: tuple[str, ...] = ()
    id: str = ""
    count: int = 0
    started: str = ""
    error: str = ""
    numbers: tuple[Any, ...] = ()
    verdicts: tuple[tuple[str, str, str, str], ...] = ()


@dataclass(frozen=True)
class Notebook:
    """The cells of a notebook, and what was odd about the file."""

    cells: tuple[Cell, ...]
    notes: tuple[str, ...] = ()


def read(path: Path) -> Notebook:
    """Read one notebook.

    Raises
    ------
    Unreadable
        If it is no notebook, or too large, or not a plain file.
    """
    try:
        text = _bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"not UTF-8 text (byte {error.start})") from error
    except OSError as error:
        raise Unreadable(f"cannot be opened: {error.strerror or error}") from error
    if not text.strip():
        raise Unreadable("an empty file")
    try:
        return take(json.loads(text))
    except json.JSONDecodeError as error:
        raise Unreadable(f"not JSON: {error.msg} in line {error.lineno}") from error
    except (RecursionError, ValueError) as error:
        raise Unreadable("nested too deeply, or with impossible numbers") from error


def take(content: Any) -> Notebook:
    """Take the cells from the decoded JSON of a notebook; raises as `read`."""
    if not isinstance(content, dict) or not isinstance(content.get("cells"), list):
        old = isinstance(content, dict) and isinstance(content.get("worksheets"), list)
        raise Unreadable("a notebook of the old format 3: open and save it in JupyterLab" if old else "not a notebook")
    cells = [cell for raw in content["cells"][:_MAX_CELLS] if (cell := _cell(raw))]
    notes = []
    if len(content["cells"]) > _MAX_CELLS:
        notes.append(f"it has {len(content['cells'])} cells; the first {_MAX_CELLS} are read")
    if broken := min(len(content["cells"]), _MAX_CELLS) - len(cells):
        notes.append(f"{broken} of its cells cannot be read")
    return Notebook(tuple(cells), tuple(notes))


def printable(text: str, length: int = 120) -> str:
    """Return one line of at most ``length`` characters without control characters or broken encoding.

    >>> printable("a\\x1b[31mb\\ud800")
    'a�[31mb�'
    """
    line = "".join(c if c.isprintable() else "�" for c in text[: length + 1].replace("\n", " "))
    return line if len(line) <= length else line[: length - 1] + "…"


def _bytes(path: Path) -> bytes:
    # A link could lead anywhere, and a named pipe would wait for ever.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    if path.is_symlink():
        raise Unreadable("a link to another file, which is not followed")
    descriptor = os.open(path, flags)
    with os.fdopen(descriptor, "rb") as stream:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise Unreadable("not a plain file")
        if status.st_size > MAX_BYTES:
            raise Unreadable(f"too large: {status.st_size / 1e6:.0f} MB, at most {MAX_BYTES / 1e6:.0f} MB are read")
        return stream.read(MAX_BYTES + 1)


def _cell(raw: Any) -> Cell | None:
    if not isinstance(raw, dict) or raw.get("cell_type") not in ("code", "markdown", "raw"):
        return None
    metadata = _dict(raw.get("metadata"))
    count = raw.get("execution_count")
    outputs = [output for output in _list(raw.get("outputs")) if isinstance(output, dict)]
    data = [_dict(output.get("data")) for output in outputs]
    return Cell(
        kind=raw["cell_type"],
        source=_text(raw.get("source"), _MAX_SOURCE),
        tags=tuple(tag for tag in _list(metadata.get("tags")) if isinstance(tag, str)),
        id=_text(raw.get("id"), 64),
        count=count if isinstance(count, int) and not isinstance(count, bool) and count > 0 else 0,
        started=_text(_dict(metadata.get("execution")).get("iopub.execute_input"), 40),
        error=next((printable(_text(o.get("ename"), 60)) for o in outputs if o.get("output_type") == "error"), ""),
        numbers=tuple(d[MIME_TYPE] for d in data if MIME_TYPE in d),
        verdicts=tuple(_verdict(d) for d in data if progress.MIME_TYPE in d),
    )


def _verdict(data: dict[str, Any]) -> tuple[str, str, str, str]:
    said = _dict(data[progress.MIME_TYPE])
    exercise, state, cell = (_text(said.get(key), 40) for key in ("exercise", "state", "cell"))
    return exercise, state, cell, _text(data.get("text/plain"), _MAX_STREAM)


def _text(value: Any, length: int) -> str:
    """Return a text, or the joined lines of one, cut to ``length``, as valid Unicode without null characters."""
    if isinstance(value, list):
        value = "".join(line for line in value if isinstance(line, str))
    if not isinstance(value, str):
        return ""
    return value[:length].encode("utf-8", "replace").decode().replace("\0", "�")


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
