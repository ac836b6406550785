"""Notebooks from course sources: the student's without answers, the solution with answers and outputs.

Building is deterministic: cell ids come from chapter and position, metadata are fixed. A built tree
that is built again does not change.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any, NamedTuple

from labcourse import settings
from labcourse.errors import BuildError
from labcourse.files import atomic_write, keep, read_small, remove_temporaries
from workshop.authoring import cut
from workshop.authoring.source import Cell, Source, number_of, read_all

__all__ = ["Built", "build", "check", "load", "student_notebook", "text", "what_is_amiss", "with_outputs", "worked_in"]

_METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
_LARGEST = 1 << 28


class Built(NamedTuple):
    """What happened to one notebook: ``state`` is ``written``, ``unchanged`` or ``kept``."""

    path: Path
    state: str
    note: str = ""


def student_notebook(source: Source) -> Any:
    """Return the student's notebook of a source: stubs for answers, no outputs."""
    notebook = _notebook(source, cut.student(source))
    # By this mark a later build knows whether somebody has typed in it.
    notebook.metadata["labcourse"] = {"built": _fingerprint(notebook)}
    return notebook


def with_outputs(source: Source, old: Any | None) -> Any:
    """Return the solution notebook, with the outputs of ``old`` if its code cells are the same."""
    notebook = _notebook(source, cut.solution(source))
    new_code, old_code = _code(notebook), _code(old) if old is not None else []
    if [cell.source for cell in new_code] == [cell.source for cell in old_code]:
        for new, executed in zip(new_code, old_code, strict=True):
            new.outputs, new.execution_count = executed.outputs, executed.execution_count
    return notebook


def build(home: Path, chapters: Collection[int] = (), *, force: bool = False) -> list[Built]:
    """Write ``notebooks/`` and ``solutions/`` from ``course/`` below ``home``: all, or some chapters.

    A student's notebook in which somebody has run cells or typed is left alone: it may be the only copy of their
    work. ``force`` replaces it, and keeps it under another name. Outputs of a solution are kept while its code is
    unchanged; a solution that cannot be read is kept under another name, and built without outputs.

    Raises
    ------
    BuildError
        If there is no such chapter, or a source breaks the rules; nothing is written then.
    StorageError
        If the disk refuses.
    """
    built = []
    sources = read_all(home, chapters)
    plans = [(source, student_notebook(source)) for source in sources]
    for source, student in plans:
        path = home / "notebooks" / f"{source.name}.ipynb"
        built.append(_write_student(path, text(student), force=force))
        built.append(_write_solution(home / "solutions" / f"{source.name}.ipynb", source))
    return built


def check(home: Path) -> list[str]:
    """Return what is out of step between ``course/``, ``notebooks/`` and ``solutions/``, one line each."""
    problems = []
    sources = read_all(home)
    for source in sources:
        name = f"{source.name}.ipynb"
        student, solution = home / "notebooks" / name, home / "solutions" / name
        if not holds(student, text(student_notebook(source))):
            problems.append(f"notebooks/{name} differs from course/chapters/{source.path.name}: run `labcourse build`")
        new = with_outputs(source, _load_if_readable(solution))
        if not holds(solution, text(new)):
            problems.append(f"solutions/{name} differs from course/chapters/{source.path.name}: run `labcourse build`")
        if problem := what_is_amiss(new):
            problems.append(f"solutions/{name}: {problem}: run `labcourse run {source.chapter or ''} --save`")
    names = {source.name for source in sources}
    # In notebooks/ a name that the course does not know may be a student's own copy.
    for path in sorted((home / "solutions").glob("*.ipynb")):
        if path.stem not in names and number_of(path.stem) is not None:
            problems.append(f"solutions/{path.name} has no source in course/: delete it")
    return problems


def what_is_amiss(notebook: Any) -> str:
    """Return what is amiss with a notebook's outputs; an empty text if all code was run in order without error."""
    cells = [cell for cell in _code(notebook) if cell.source.strip()]
    counts = [cell.execution_count for cell in cells]
    if any(count is None for count in counts):
        return "it has not been executed since its code changed"
    if counts != list(range(1, len(counts) + 1)):
        return "its cells were not run in order"
    if not any(cell.outputs for cell in cells):
        return "its outputs were stripped"
    if any(output.output_type == "error" for cell in cells for output in cell.outputs):
        return "a cell ended in an error"
    return ""


def load(path: Path) -> Any:
    """Read a notebook.

    Raises
    ------
    BuildError
        If the file is missing or not a notebook.
    """
    import nbformat

    try:
        notebook = nbformat.reads(read_small(path, _LARGEST).decode(), as_version=4)
        nbformat.validate(notebook)  # reading says what is wrong on a log only
        return notebook
    except Exception as error:  # nbformat lets errors of json and of its validators through
        raise BuildError(
            f"{path.name} is not a readable notebook.",
            where=str(path),
            next_step=f"{settings.get_back(f'{path.parent.name}/{path.name}')} Or run `labcourse build`.",
        ) from error


def _load_if_readable(path: Path) -> Any | None:
    """Read a notebook; None if the file is missing or not a notebook."""
    try:
        return load(path)
    except BuildError:
        return None


def text(notebook: Any) -> str:
    """Return a notebook as the text of its file."""
    import nbformat

    return nbformat.writes(notebook, version=4) + "\n"


def _notebook(source: Source, texts: list[str]) -> Any:
    from nbformat import v4

    prefix = f"chapter{source.chapter}" if source.chapter is not None else source.name.replace("_", "-")[:60]
    cells = [
        _cell(v4, cell, content, f"{prefix}-{position:03d}")
        for position, (cell, content) in enumerate(zip(source.cells, texts, strict=True), 1)
    ]
    return v4.new_notebook(cells=cells, metadata=_METADATA)


def _cell(v4: Any, cell: Cell, content: str, identifier: str) -> Any:
    new = v4.new_markdown_cell if cell.kind == "markdown" else v4.new_code_cell
    metadata: dict[str, Any] = {"tags": list(cell.tags)} if cell.tags else {}
    if cell.check:
        metadata["deletable"] = False  # without its check an answer is handed on whatever it is
    return new(source=content, id=identifier, metadata=metadata)


def _code(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def worked_in(path: Path) -> str:
    """Return how one sees that somebody worked in a student's notebook, or an empty text if it is as it was built."""
    try:
        notebook = load(path)
    except BuildError:
        return "it cannot be read"
    if any(cell.execution_count or cell.outputs for cell in _code(notebook)):
        return "cells have been run in it"
    is_fresh = notebook.metadata.get("labcourse") == {"built": _fingerprint(notebook)}
    return "" if is_fresh else "cells have been changed in it"


def _fingerprint(notebook: Any) -> str:
    cells = [(cell.cell_type, cell.source) for cell in notebook.cells]
    return hashlib.sha256(json.dumps(cells, ensure_ascii=False).encode()).hexdigest()[:16]


def _write_student(path: Path, content: str, *, force: bool) -> Built:
    note = ""
    if path.is_file() and not holds(path, content) and (reason := worked_in(path)):
        if not force:
            return Built(path, "kept", f"{reason}; `labcourse build --force` replaces it")
        note = f"{reason}: it is kept as {keep(path).name}"
    return _write(path, content, note)


def _write_solution(path: Path, source: Source) -> Built:
    notes = []
    old = _load_if_readable(path)
    if old is None and path.is_file():
        notes.append(f"it cannot be read: it is kept as {keep(path).name}")
    solution = with_outputs(source, old)
    if problem := what_is_amiss(solution):
        notes.append(f"{problem}: `labcourse run {source.chapter or ''} --save`")
    return _write(path, text(solution), "; ".join(notes))


def holds(path: Path, content: str) -> bool:
    """Whether a file is there with this content; bytes are compared, since a damaged file need not be text."""
    # Git for Windows may have checked the notebooks out with line ends of its own.
    return path.is_file() and path.read_bytes().replace(b"\r\n", b"\n") == content.encode()


def _write(path: Path, content: str, note: str = "") -> Built:
    remove_temporaries(path)
    if holds(path, content):
        return Built(path, "unchanged", note)
    atomic_write(path, lambda temporary: temporary.write_text(content, encoding="utf-8"))
    return Built(path, "written", note)
