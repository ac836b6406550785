"""What chapters hand on: tables, models and numbers, written whole or not at all.

Each chapter writes into a folder of its own, ``data/outputs/<workspace>/<chapter>``. Beside every file
lies a note (``<file>.note.json``) that says what the file was made from: the samples, the inputs read
from earlier chapters, the package versions and a checksum. By it a reader learns that a file is damaged,
that the samples have been switched or that an earlier chapter has been run again since (see `provenance`).
Nothing is pickled: Parquet, ``.keras`` and JSON can be read anywhere and run no code.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labcourse import samples, settings
from labcourse.errors import BadInput, DamagedOutput, LabCourseError, StorageError, Unfinished
from labcourse.files import atomic_write
from labcourse.outputs import locks, provenance, publication
from labcourse.outputs.provenance import Input, folder
from labcourse.progress import unfinished_cell, was_interrupted

if TYPE_CHECKING:
    import keras
    import pandas as pd

__all__ = ["Chapter", "read_numbers"]

_NUMBERS = "numbers.json"
_CATEGORIES = b"labcourse.categories"


def read_numbers(chapter: int, workspace: str | None = None) -> dict[str, Any]:
    """Read the key numbers of a chapter from outside a notebook.

    Raises
    ------
    MissingOutput, StaleOutput, DamagedOutput
        As `Chapter.read_numbers`.
    """
    payload, _ = provenance.read(chapter, _NUMBERS, workspace or settings.workspace())
    return _numbers(payload, chapter)


class Chapter:
    """A chapter at work: reads what earlier chapters made, writes what it hands on.

    It takes the chapter's lock, which the operating system releases when the kernel ends, however it ends.
    Making it a second time in the same kernel (re-running the first cell) is fine.

    Parameters
    ----------
    number : int
        The chapter, 1 to 8, or 9 for the project.
    sources : iterable of str, optional
        The samples that its outputs depend on; by default all that are found.
    workspace : str, optional
        Where it writes, and where earlier chapters are read; by default those of `labcourse.settings`.
    solution : bool
        Whether this notebook is the solution: then it works, and its checks note their results, in the workspace
        ``solutions``, in whatever folder its kernel runs. ``LABCOURSE_WORKSPACE`` decides against it.

    Raises
    ------
    ChapterBusy
        If another kernel runs the same chapter in the same workspace.
    StorageError
        If the outputs folder cannot be written.
    """

    def __init__(
        self,
        number: int,
        *,
        sources: Iterable[str] | None = None,
        workspace: str | None = None,
        solution: bool = False,
    ) -> None:
        self.number = number
        settings.declare_solution(solution)
        self.workspace = workspace or settings.workspace()
        self._reads_from = workspace or settings.inputs_workspace()
        self.folder = folder(number, self.workspace)
        self._inputs: dict[tuple[int, str], Input] = {}
        # Taken now, not when writing: what is read from now on are these samples.
        self._sources = provenance.fingerprints(samples.ALL if sources is None else sources)
        self._lock()
        for leftover in self.folder.glob(".*-*.*"):
            # Of a kernel that was killed while it wrote; nobody else writes here while the lock is held.
            leftover.unlink(missing_ok=True)

    def __enter__(self) -> Chapter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<chapter {self.number}, outputs in {self.folder}>"

    def close(self) -> None:
        """Give the lock back before the kernel ends."""
        locks.release(self.folder)

    def write_table(self, name: str, table: pd.DataFrame) -> None:
        """Write a table as ``<name>.parquet``, with its index, dtypes and categories.

        Raises
        ------
        BadInput
            If the name is not lower-case letters, digits and ``_``, or a column holds mixed types.
        StorageError
            If the disk is full or read-only; the previous table is kept.
        """
        import pyarrow
        import pyarrow.parquet

        sink = pyarrow.BufferOutputStream()
        try:
            content = pyarrow.Table.from_pandas(table)
            # Parquet forgets the categories of a table without rows.
            kept = {str(c): table[c].cat.categories.tolist() for c in table if table[c].dtype == "category"}
            metadata = {**content.schema.metadata, _CATEGORIES: json.dumps(kept).encode()}
            content = content.replace_schema_metadata(metadata)
            pyarrow.parquet.write_table(content, sink, compression="zstd")
        except (pyarrow.ArrowException, ValueError, TypeError, AttributeError) as error:
            raise BadInput(
                f"The table {name!r} cannot be stored: {error}.",
                where=f"chapter {self.number}",
                next_step="Give write_table a DataFrame whose columns each hold one type of value.",
            ) from error
        payload = sink.getvalue().to_pybytes()
        self._write(f"{_checked(name)}.parquet", lambda path: path.write_bytes(payload))

    def read_table(self, chapter: int, name: str) -> pd.DataFrame:
        """Read a table; a column ``sample`` comes back as a category.

        Raises
        ------
        MissingOutput
            If the chapter has not made it yet: says which notebook to run.
        StaleOutput
            If the samples were switched, or an earlier chapter was run again, since it was written.
        DamagedOutput
            If the file or its note is not as it was written.
        """
        import pyarrow
        import pyarrow.parquet

        payload = self._take(chapter, f"{_checked(name)}.parquet")
        content = pyarrow.parquet.read_table(pyarrow.BufferReader(payload))
        table: pd.DataFrame = content.to_pandas()
        if table.empty:
            for column, categories in json.loads(content.schema.metadata[_CATEGORIES]).items():
                table[column] = table[column].cat.set_categories(categories)
        if "sample" in table and table["sample"].dtype != "category":
            table["sample"] = table["sample"].astype("category")
        return table

    def write_model(self, name: str, model: keras.Model) -> None:
        """Write a network as ``<name>.keras``; raises as `write_table`.

        Raises
        ------
        Unfinished
            If the last training of the network was interrupted.
        """
        from labcourse import network

        history: Any = getattr(model, "history", None)
        if getattr(history, "interrupted", False):
            raise Unfinished(
                f"The training of {name!r} was interrupted after {len(history.epoch)} of "
                f"{history.params['epochs']} epochs, so it is not handed on.",
                where=f"chapter {self.number}",
                next_step="Run the cell that trains it again, to its end. (To hand it on as it is, set "
                "`history.interrupted = False` first.)",
            )
        self._write(f"{_checked(name)}.keras", lambda path: network.save(model, path))

    def read_model(self, chapter: int, name: str) -> keras.Model:
        """Read a network, ready to predict and to train on; raises as `read_table`."""
        from labcourse import network

        file = f"{_checked(name)}.keras"
        self._take(chapter, file)
        return network.load(folder(chapter, self._workspace_of(chapter)) / file)

    def write_numbers(self, numbers: Mapping[str, Any]) -> None:
        """Add numbers to the chapter's ``numbers.json``; a key written before gets the new value.

        Values are numbers, texts, arrays, lists and dictionaries of such. What is not finite is stored as
        ``null`` and read as NaN. Numbers of an earlier run stay only if they come from the same samples and inputs.
        In a notebook they become an output of the cell, too (see `publication`).

        Raises
        ------
        BadInput
            If a value cannot be written as JSON.
        StorageError
            If the disk is full or read-only; the previous numbers are kept.
        """
        given = fresh = _plain(dict(numbers), "numbers")
        try:
            payload, record = provenance.read(self.number, _NUMBERS, self.workspace)
            before = _numbers(payload, self.number)
        except LabCourseError:
            before, record = {}, None
        if record is not None and record.sources == self._sources:
            fresh = before | fresh
            for item in record.inputs:
                self._inputs.setdefault((item.chapter, item.file), item)
        text = json.dumps(fresh, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        self._write(_NUMBERS, lambda path: path.write_text(text, encoding="utf-8"))
        publication.publish(self.number, given)

    def write_document(self, name: str, content: Mapping[str, Any]) -> None:
        """Write nested numbers as ``<name>.json``, for readers outside the course; otherwise as `write_numbers`."""
        text = json.dumps(_plain(dict(content), name), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        self._write(f"{_checked(name)}.json", lambda path: path.write_text(text, encoding="utf-8"))

    def read_numbers(self, chapter: int) -> dict[str, Any]:
        """Read the numbers of a chapter; raises as `read_table`."""
        return _numbers(self._take(chapter, _NUMBERS), chapter)

    def _lock(self) -> None:
        locks.acquire(self.folder, f"chapter {self.number} ({self.workspace})")

    def _take(self, chapter: int, file: str) -> bytes:
        payload, record = provenance.read(chapter, file, self._workspace_of(chapter))
        # Its own outputs are not inputs: within a chapter the order of the cells decides.
        if chapter != self.number:
            self._inputs[chapter, file] = Input(chapter, file, record.identity)
        return payload

    def _workspace_of(self, chapter: int) -> str:
        return self.workspace if chapter == self.number else self._reads_from

    def _write(self, file: str, write: Callable[[Path], object]) -> None:
        if was_interrupted():
            raise Unfinished(
                f"A training in this cell was interrupted, so {file} is not written.",
                where=f"chapter {self.number}",
                next_step="Run the cell again, to its end.",
            )
        if cell := unfinished_cell():
            raise Unfinished(
                f"The training in cell [{cell}] was interrupted, so {file} is not written: it may come from a part.",
                where=f"chapter {self.number}",
                next_step="Run that cell again, to its end, and the cells below it. (To hand on what it has, set "
                "`interrupted = False` on the history of the training first.)",
            )
        self._lock()
        path = self.folder / file
        old = provenance.current(path)
        records: list[provenance.Record] = []

        def write_and_note(temporary: Path) -> None:
            write(temporary)
            made = provenance.make(temporary, chapter=self.number, sources=self._sources, inputs=self._inputs.values())
            records.append(made)
            provenance.write_note(path, [made, *([old] if old else [])])

        atomic_write(path, write_and_note)
        if old:
            with contextlib.suppress(StorageError):  # The note with both records is as good.
                provenance.write_note(path, records)


def _numbers(payload: bytes, chapter: int) -> dict[str, Any]:
    try:
        numbers = _not_finite(json.loads(payload))
    except (ValueError, RecursionError):
        numbers = None
    if not isinstance(numbers, dict):
        raise DamagedOutput(
            f"The numbers of chapter {chapter} are none.",
            where=_NUMBERS,
            next_step="Run the chapter to its end again.",
        )
    return numbers


def _checked(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise BadInput(
            f"{name!r} cannot name an output.",
            next_step="Use lower-case letters, digits and _, beginning with a letter, for instance 'test_scores'.",
        )
    return name


def _plain(value: Any, where: str) -> Any:
    """Turn a value into what JSON knows, NumPy's numbers and arrays included."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise BadInput(f"The keys of {where} must be texts.", where=where, next_step="Write str(key).")
        return {key: _plain(item, f"{where}[{key!r}]") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, where) for item in value]
    raise BadInput(
        f"A {type(value).__name__} cannot be kept as a number.",
        where=where,
        next_step="Give numbers, texts, lists or dictionaries; tables go through write_table.",
    )


def _not_finite(value: Any) -> Any:
    """Undo what `_plain` does to numbers that are not finite."""
    if isinstance(value, dict):
        return {key: _not_finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_not_finite(item) for item in value]
    return math.nan if value is None else value
