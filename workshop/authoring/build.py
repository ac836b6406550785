"""Notebooks from course sources: the student's without answers, the solution with answers and outputs; the exercises.

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
from labcourse.files import atomic_write, read_small, remove_temporaries
from workshop.authoring import cut, exercises
from workshop.authoring.kept import set_aside
from workshop.authoring.source import Source, number_of, read_all

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
    """Write ``notebooks/``, ``solutions/`` and ``course/exercises.json`` from the course text: all, or some chapters.

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
    sources = read_all(home, chapters)
    plans = [(source, text(student_notebook(source))) for source in sources]
    listed = exercises.as_text(sources, exercises.file_of(home) if chapters else None)
    built = []
    for source, student in plans:
        path, solution = (home / folder / f"{source.name}.ipynb" for folder in ("notebooks", "solutions"))
        reason = worked_in(path) if path.is_file() and not holds(path, student) else ""
        if reason and not force:
            built.append(Built(path, "kept", f"{reason}; `labcourse build --force` replaces it"))
        else:
            built.append(write(path, student, f"{reason}: it is kept as {set_aside(path).name}" if reason else ""))
        old = _load_if_readable(solution)
        is_damaged = old is None and solution.is_file()
        notes = [f"it cannot be read: it is kept as {set_aside(solution).name}"] if is_damaged else []
        new = with_outputs(source, old)
        if problem := what_is_amiss(new):
            notes.append(f"{problem}: `labcourse run {source.chapter} --save`")
        built.append(write(solution, text(new), "; ".join(notes)))
    return [*built, write(exercises.file_of(home), listed)]


def check(home: Path) -> list[str]:
    """Return what is out of step between the course text and what is built from it, one line each."""
    sources = read_all(home)
    problems = []
    if not holds(exercises.file_of(home), exercises.as_text(sources)):
        problems.append("course/exercises.json differs from course/: run `labcourse build`")
    for source in sources:
        name, text_file = f"{source.name}.ipynb", f"course/{source.path.name}"
        new = with_outputs(source, _load_if_readable(home / "solutions" / name))
        for folder, notebook in (("notebooks", student_notebook(source)), ("solutions", new)):
            if not holds(home / folder / name, text(notebook)):
                problems.append(f"{folder}/{name} differs from {text_file}: run `labcourse build`")
        if problem := what_is_amiss(new):
            problems.append(f"solutions/{name}: {problem}: run `labcourse run {source.chapter} --save`")
    names = {source.name for source in sources}
    # In notebooks/ a name that the course does not know may be a student's own copy.
    for path in sorted((home / "solutions").glob("*.ipynb")):
        if path.stem not in names and number_of(path.stem):
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

    cells = []
    for position, (cell, content) in enumerate(zip(source.cells, texts, strict=True)):
        new = v4.new_markdown_cell if cell.kind == "markdown" else v4.new_code_cell
        metadata: dict[str, Any] = {"tags": list(cell.tags)} if cell.tags else {}
        if cell.check:
            metadata["deletable"] = False  # without its check an answer is handed on whatever it is
        cells.append(new(source=content, id=source.id_of(position), metadata=metadata))
    return v4.new_notebook(cells=cells, metadata=_METADATA)


def _code(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def worked_in(path: Path) -> str:
    """Return how one sees that somebody worked in a student's notebook, or an empty text if it is as it was built."""
    if (notebook := _load_if_readable(path)) is None:
        return "it cannot be read"
    if any(cell.execution_count or cell.outputs for cell in _code(notebook)):
        return "cells have been run in it"
    is_fresh = notebook.metadata.get("labcourse") == {"built": _fingerprint(notebook)}
    return "" if is_fresh else "cells have been changed in it"


def _fingerprint(notebook: Any) -> str:
    cells = [(cell.cell_type, cell.source) for cell in notebook.cells]
    return hashlib.sha256(json.dumps(cells, ensure_ascii=False).encode()).hexdigest()[:16]


def holds(path: Path, content: str) -> bool:
    """Whether a file is there with this content; bytes are compared, since a damaged file need not be text."""
    # Git for Windows may have checked the notebooks out with line ends of its own.
    return path.is_file() and path.read_bytes().replace(b"\r\n", b"\n") == content.encode()


def write(path: Path, content: str, note: str = "") -> Built:
    """Write a notebook whole if it is another, and remove what a write of it left that was killed: `atomic_write`."""
    remove_temporaries(path)
    if holds(path, content):
        return Built(path, "unchanged", note)
    atomic_write(path, lambda temporary: temporary.write_text(content, encoding="utf-8"))
    return Built(path, "written", note)
