"""Notebooks from course sources: the student's without answers, the solution with answers and outputs; the exercises.

Building is deterministic: cell ids come from chapter and position, metadata are fixed. A built tree
that is built again does not change.
"""

from __future__ import annotations

import datetime
import hashlib
import itertools
import json
import os
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from labcourse import settings
from labcourse.files import atomic_write, read_small, refused, remove_temporaries
from workshop.authoring import cut, exercises
from workshop.authoring.source import NUMBERS, BuildError, Source, read_all

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
    """Return the student's notebook of a source: stubs for answers, no claims, no outputs."""
    notebook = _notebook(source.handed_out, cut.student(source))
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


def build(home: Path, chapters: Collection[int] = ()) -> list[Built]:
    """Write ``course/exercises.json``, and ``notebooks/`` and ``solutions/`` of all or some chapters.

    A student's notebook in which somebody has run cells or typed is left alone: it may be the only copy of their
    work. Outputs of a solution are kept while its code is unchanged; a solution that cannot be read is built without
    outputs.

    Raises
    ------
    BuildError
        If there is no such chapter, or a source breaks the rules; nothing is written then.
    StorageError
        If the disk refuses.
    """
    built = []
    for path, content, note in list(plan(home, chapters)):
        is_students = path.parent.name == "notebooks" and path.is_file() and not holds(path, content)
        if is_students and _is_somebodys(path):
            anew = f"`labcourse reset {NUMBERS[path.stem]}` puts a fresh one in its place"
            built.append(Built(path, "kept", f"somebody has worked in it; {anew}"))
        else:
            built.append(write(path, content, note))
    return built


def plan(home: Path, chapters: Collection[int] = ()) -> Iterator[tuple[Path, str, str]]:
    """Yield what is built of the course text: each file, what it has to hold, and what its outputs still need."""
    sources = read_all(home)  # before anything is yielded, as they all are in the file of exercises
    for source in read_all(home, chapters):
        path = home / "solutions" / f"{source.name}.ipynb"
        yield home / "notebooks" / path.name, text(student_notebook(source)), ""
        solution = with_outputs(source, _load_if_readable(path))
        needs = f"its code has to be run, in order and to its end: `labcourse run {source.chapter} --save`"
        yield path, text(solution), "" if is_executed(solution) else needs
    yield exercises.file_of(home), exercises.as_text(sources), ""


def is_executed(notebook: Any) -> bool:
    """Return whether all code of a notebook was run in order without error, and its outputs are there."""
    cells = [cell for cell in _code(notebook) if cell.source.strip()]
    outputs = [output for cell in cells for output in cell.outputs]
    is_in_order = [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    return is_in_order and bool(outputs) and not any(output.output_type == "error" for output in outputs)


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


def _notebook(source: Source, texts: Iterable[str]) -> Any:
    from nbformat import from_dict

    cells: list[dict[str, Any]] = []
    for position, (cell, content) in enumerate(zip(source.cells, texts, strict=True)):
        metadata: dict[str, Any] = {"tags": list(cell.tags)} if cell.tags else {}
        if cell.check:
            metadata["deletable"] = False  # without its check an answer is handed on whatever it is
        new = {"cell_type": cell.kind, "id": source.id_of(position), "metadata": metadata, "source": content}
        cells.append(new | ({"execution_count": None, "outputs": []} if cell.kind == "code" else {}))
    return from_dict({"cells": cells, "metadata": _METADATA, "nbformat": 4, "nbformat_minor": 5})


def _code(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _is_somebodys(path: Path) -> bool:
    """Return whether a student's notebook is not as it was built: cells were run or changed, or nobody can read it."""
    notebook = _load_if_readable(path)
    if notebook is None or any(cell.execution_count or cell.outputs for cell in _code(notebook)):
        return True
    return notebook.metadata.get("labcourse") != {"built": _fingerprint(notebook)}


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


def set_aside(path: Path) -> Path:
    """Rename what a student made to a name such as ``notes.mine-2026-11-24-1.txt`` that nothing has yet; return it.

    Raises as `rename`.
    """
    today = datetime.date.today().isoformat()
    names = (path.with_name(f"{path.stem}.mine-{today}-{number}{path.suffix}") for number in itertools.count(1))
    kept = next(name for name in names if not os.path.lexists(name))
    rename(path, kept)
    return kept


def rename(path: Path, to: Path) -> None:
    """Give a file or a folder another name; raises StorageError if the disk refuses: then it is where it was."""
    try:
        os.rename(path, to)
    except OSError as error:
        raise refused(path.parent, f"{path.name} could not be renamed to {to.name}", error) from error
