"""What chapters hand on: tables, models and numbers, written whole or not at all.

Each chapter writes into a folder of its own, ``data/outputs/<workspace>/<chapter>``. One note there, written after each
file, says what every file was made from: its checksum, the samples, and the inputs read from earlier chapters. So
whoever reads it knows that it is damaged, that the samples were switched, or that an earlier chapter has been
run again since. Nothing is pickled: Parquet, ``.keras`` and JSON can be read anywhere and run no code.
"""

from __future__ import annotations

import hashlib
import json
import math
import sys
import zipfile
from collections.abc import Callable, Iterable, Mapping
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from course import workspaces
from labcourse import samples
from labcourse.errors import BadInput, DamagedOutput, LabCourseError, StorageError
from labcourse.files import atomic_write, read_json
from labcourse.progress import kernel

if TYPE_CHECKING:
    import keras
    import pandas as pd

CHAPTERS = {
    1: "chapter1_data_preparation",
    2: "chapter2_training",
    3: "chapter3_evaluation",
    4: "chapter4_early_stopping",
    5: "chapter5_event_weights",
    6: "chapter6_cross_validation",
    7: "chapter7_significance",
    8: "chapter8_low_level_variables",
    9: "project_parameterised_network",
    10: "appendix_digits",
    11: "encore_36fb",
}
"""The chapters by number, and what stands beside them: the names of their notebooks and of their folders. The order is
that of the course; whatever lists or runs notebooks follows it."""

WORDS = {number: name.partition("_")[0] for number, name in CHAPTERS.items()}
"""The first word of each name, which names its file of checks: ``chapter1`` … ``project``, ``appendix``."""

NOTE = "made-from.json"
"""The note of a chapter: for each file its ``sha256``, its ``sources`` and its ``inputs`` (see `Made`)."""

MIME_TYPE = "application/vnd.labcourse+json"
"""Type of the output by which a notebook carries its numbers: ``{"chapter": 1, "numbers": {"auc": 0.8, …}}``."""


class ChapterBusy(LabCourseError):
    """A chapter that another kernel is running."""


class Unfinished(LabCourseError):
    """A result of which only a part is there, because its computation was interrupted."""


class MissingOutput(LabCourseError):
    """An output of an earlier chapter that does not exist yet."""


class StaleOutput(LabCourseError):
    """An output that was made from other samples or from an input since remade."""


class Made(NamedTuple):
    """A file's checksum, the fingerprint of each sample, and the checksum of each input, by ``<chapter>/<file>``."""

    sha256: str
    sources: dict[str, str]
    inputs: dict[str, str]


def folder(chapter: int, workspace: str | None = None) -> Path:
    """Return the folder into which a chapter writes (it need not exist); raises BadInput if there is no such chapter.

    Examples
    --------
    >>> folder(3, "notebooks").parts[-2:]
    ('notebooks', 'chapter3_evaluation')
    """
    if chapter not in CHAPTERS:
        raise BadInput(f"There is no chapter {chapter!r}.", next_step=f"Chapters go from 1 to {max(CHAPTERS)}.")
    return workspaces.outputs_folder() / (workspace or workspaces.workspace()) / CHAPTERS[chapter]


def read_numbers(chapter: int, workspace: str | None = None) -> dict[str, Any]:
    """Read the key numbers of a chapter from outside a notebook; raises as `Chapter.read_table`."""
    path, _ = trusted(chapter, "numbers.json", workspace or workspaces.workspace())
    numbers: dict[str, Any] = json.loads(path.read_bytes())
    return numbers


def called(chapter: int) -> str:
    """Return what a text calls a notebook.

    Examples
    --------
    >>> called(3), called(10)
    ('chapter 3', 'the appendix')
    """
    word = WORDS[chapter]
    return f"chapter {chapter}" if word == f"chapter{chapter}" else f"the {word}"


class Chapter:
    """A chapter at work: reads what earlier chapters made, writes what it hands on.

    It takes the chapter's lock, a file beside the folder, which the operating system releases when the kernel ends,
    however it ends. Making it a second time in the same kernel (re-running the first cell) is fine.

    Raises ChapterBusy if another kernel runs the same chapter in the same workspace, and StorageError if the outputs
    folder cannot be written.

    Parameters
    ----------
    number : int
        The chapter, or what stands beside them: one of `CHAPTERS`.
    sources, workspace : iterable of str, str, optional
        The samples that its outputs depend on, by default all that are found; where it writes, and where earlier
        chapters are read, by default those of `labcourse.settings`.
    solution : bool
        Whether this notebook is the solution: then it works, and its checks note their results, in the workspace
        ``solutions``, in whatever folder its kernel runs. ``LABCOURSE_WORKSPACE`` decides against it.
    """

    def __init__(
        self, number: int, *, sources: Iterable[str] | None = None, workspace: str | None = None, solution: bool = False
    ) -> None:
        self.number = number
        workspaces.is_solution = solution
        self.workspace = workspace or workspaces.workspace()
        self._reads_from = workspace or workspaces.inputs_workspace()
        self.folder = folder(number, self.workspace)
        self._inputs: dict[str, str] = {}
        self._numbers: dict[str, Any] = {}
        # Taken now, not when writing: what is read from now on are these samples.
        self._sources = {name: samples.fingerprint(name) for name in (samples.ALL if sources is None else sources)}
        self._take_lock()
        for leftover in self.folder.glob(".*-*.*"):
            # Of a kernel that was killed while it wrote; nobody else writes here while the lock is held.
            leftover.unlink(missing_ok=True)

    def _take_lock(self) -> None:
        import filelock

        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            path = self.folder.with_name(f".{self.folder.name}.lock")
            self._lock = filelock.FileLock(path, timeout=0, thread_local=False, is_singleton=True)
            self._lock.acquire()
        except filelock.Timeout as error:
            raise ChapterBusy(
                f"Chapter {self.number} ({self.workspace}) is already running in another kernel.",
                where=str(self.folder),
                next_step="Shut that kernel down (in JupyterLab: Running Terminals and Kernels), then run this again.",
            ) from error
        except OSError as error:
            raise StorageError(
                f"The outputs of chapter {self.number} ({self.workspace}) cannot be written: {error}.",
                where=str(self.folder),
                next_step="Set LABCOURSE_OUTPUTS to a folder on a local disk that you may write to.",
            ) from error

    def __enter__(self) -> Chapter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the lock back before the kernel ends."""
        self._lock.release(force=True)

    def write_table(self, name: str, table: pd.DataFrame) -> None:
        """Write a table as ``<name>.parquet``, with its index, dtypes and categories.

        Raises StorageError if the disk is full or read-only, Unfinished if a training that the table may come from was
        interrupted, and what pandas raises if a column holds mixed types. The previous table is kept.
        """
        self._write(name, ".parquet", lambda path: table.to_parquet(path, compression="zstd"))

    def read_table(self, chapter: int, name: str) -> pd.DataFrame:
        """Read a table; a column ``sample`` comes back as a category.

        Raises MissingOutput if the chapter has not made it yet (and says which notebook to run), StaleOutput if the
        samples were switched, or an earlier chapter was run again, since it was written, and DamagedOutput if the file
        or the chapter's note is not as it was written.
        """
        import pandas as pd

        table = pd.read_parquet(self._take(chapter, name, ".parquet"))
        return table.astype({"sample": "category"}) if "sample" in table else table

    def write_model(self, name: str, model: keras.Model) -> None:
        """Write a network as ``<name>.keras``; raises as `write_table`."""
        self._write(name, ".keras", model.save)

    def read_model(self, chapter: int, name: str) -> keras.Model:
        """Read a network, ready to predict and to train on; raises as `read_table`."""
        from labcourse import network

        return network.load(self._take(chapter, name, ".keras"))

    def write_numbers(self, numbers: Mapping[str, Any]) -> None:
        """Write the chapter's ``numbers.json``, and add to it what is written later in the same kernel.

        Values are numbers, texts, arrays, lists and dictionaries of such; what is not finite is stored as ``null`` and
        read as None. In a notebook they become an output of the cell, too: a notebook that is handed in comes without
        its outputs folder. Raises as `write_table`.
        """
        self.write_document("numbers", self._numbers | dict(numbers))
        self._numbers |= numbers
        _publish(self.number, _plain(numbers))

    def write_document(self, name: str, content: Mapping[str, Any]) -> None:
        """Write nested numbers as ``<name>.json``, for readers outside the course; otherwise as `write_numbers`."""
        text = json.dumps(_plain(content), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        self._write(name, ".json", lambda path: path.write_text(text, encoding="utf-8"))

    def read_numbers(self, chapter: int) -> dict[str, Any]:
        """Read the numbers of a chapter; raises as `read_table`."""
        numbers: dict[str, Any] = json.loads(self._take(chapter, "numbers", ".json").read_bytes())
        return numbers

    def _take(self, chapter: int, name: str, suffix: str) -> Path:
        # Its own outputs are no inputs: within a chapter the order of the cells decides.
        is_own, file = chapter == self.number, name + suffix
        path, sha256 = trusted(chapter, file, self.workspace if is_own else self._reads_from)
        if not is_own:
            self._inputs[f"{chapter}/{file}"] = sha256
        return path

    def _write(self, name: str, suffix: str, write: Callable[[Path], object]) -> None:
        file = name + suffix
        training = sys.modules.get("labcourse.training")  # nobody has imported it who has not trained
        if training is not None and training.was_interrupted():
            raise Unfinished(
                f"A training was interrupted, so {file} is not written: it may come from a part.",
                where=f"chapter {self.number}",
                next_step="Run the cell that trains again, to its end, and the cells below it. (To hand on what it "
                "has, set `model.history.interrupted = False` first.)",
            )
        atomic_write(self.folder / file, write)
        note = read_note(self.folder) | {file: Made(digest(self.folder / file), self._sources, self._inputs)}
        text = json.dumps({name: made._asdict() for name, made in note.items()}, indent=1) + "\n"
        atomic_write(self.folder / NOTE, lambda path: path.write_text(text, "utf-8"))


def read_note(place: Path) -> dict[str, Made]:
    """Return what the note in a folder says of each file; nothing if it is not in the form of `Made`."""
    try:
        return {file: Made(**made) for file, made in read_json(place / NOTE).items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def digest(path: Path) -> str:
    """Checksum of a file; of a model that of its parts without the time of saving, so that it stays if they do."""
    payload = path.read_bytes()
    digest = hashlib.sha256()
    try:
        with zipfile.ZipFile(BytesIO(payload)) as archive:
            for name in sorted(archive.namelist()):
                if name != "metadata.json":
                    digest.update(name.encode() + b"\0" + archive.read(name))
    except Exception:  # no model, or a damaged one: zip and zlib raise errors of many kinds
        return hashlib.sha256(payload).hexdigest()
    return digest.hexdigest()


def trusted(chapter: int, file: str, workspace: str) -> tuple[Path, str]:
    """Return an output and its checksum once it is sure: present, undamaged, of the samples and inputs of today."""
    path = folder(chapter, workspace) / file
    kind: type[LabCourseError] = DamagedOutput
    name, chapters = f"{file} of chapter {chapter}", [chapter]
    if not path.is_file():
        there = sorted(other.name for other in path.parent.glob("[a-z]*") if other.name != NOTE)
        only = f" (only {', '.join(there)})" if there else ""
        kind, problem = MissingOutput, f"Chapter {chapter} has not made {file} yet{only}"
    elif (made := read_note(path.parent).get(file)) is None:
        problem = f"{name} is not to be trusted: {NOTE} beside it is missing or damaged"
    elif made.sha256 != digest(path):
        problem = f"{name} is damaged: it is not what the chapter wrote"
    elif stale := _why_stale(chapter, made, workspace):
        kind, problem, chapters = StaleOutput, f"{name} no longer fits: {stale[0]}", stale[1]
    else:
        return path, made.sha256
    raise kind(f"{problem}.", where=str(path), next_step=_run(chapters, workspace))


def _why_stale(chapter: int, made: Made, workspace: str) -> tuple[str, list[int]] | None:
    """Say why an output is stale and which chapters to run again, in order; None if it is not.

    The earliest cause counts: whatever is wrong with an input is wrong with what was made from it. An input that was
    deleted or damaged since is no sign that what was made from it is wrong.
    """
    reason = ""
    for item, sha256 in made.inputs.items():
        number, file = int(item.partition("/")[0]), item.partition("/")[2]
        now = read_note(folder(number, workspace)).get(file)
        if now is None or number >= chapter:
            continue
        if stale := _why_stale(number, now, workspace):
            return stale[0], sorted({*stale[1], chapter})
        if now.sha256 != sha256:
            reason = reason or f"chapter {number} has written {file} anew since"
    if reason:
        return reason, [chapter]
    today = {name: samples.fingerprint(name) for name in made.sources}
    changed = [name for name, then in made.sources.items() if today[name] != then]
    if changed:
        was, source = (each[changed[0]].partition(" ")[0] for each in (made.sources, today))
        source = "other files of it" if source == was else source
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        return f"it was made from other samples ({changed[0]} was {was}, now {source}{more})", [chapter]
    return None


def _run(chapters: list[int], workspace: str) -> str:
    notebooks = ", then ".join(f"{workspace}/{CHAPTERS[chapter]}.ipynb" for chapter in chapters)
    solve = " and ".join(f"`labcourse solve {chapter}`" for chapter in chapters)
    return f"Run {notebooks} to its end, or {'`make course`' if workspace == 'solutions' else solve}."


def _plain(value: Any) -> Any:
    """Turn a value into what JSON knows: NumPy's numbers and arrays into Python's, what is not finite into None."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _publish(chapter: int, numbers: Mapping[str, Any]) -> None:
    """Store numbers as an output of the notebook cell that is running; outside of a notebook nothing happens.

    Only single numbers are stored, with six digits: the last ones differ between machines, and no tolerance is that
    narrow.
    """
    if kernel() is None:
        return
    from IPython.display import display

    from course.checks import progress

    single = {name: value for name, value in numbers.items() if isinstance(value, (int, float))}
    kept = {name: float(f"{value:.6g}") if isinstance(value, float) else value for name, value in single.items()}
    lines = [f"{len(kept)} key numbers of chapter {chapter} are kept"]
    lines += [f"{number} is not checked" for number in progress.unchecked_here(chapter)]
    display({MIME_TYPE: {"chapter": chapter, "numbers": kept}, "text/plain": "; ".join(lines)}, raw=True)
