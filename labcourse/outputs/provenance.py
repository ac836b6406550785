"""What an output was made from: the note beside each file, and whether the file still fits it.

The note (``<file>.note.json``) holds the chapter, a checksum, the samples, the inputs read from earlier
chapters and the package versions. While a file is being replaced the note holds two records, the new one
and the old one: it is written before the file is renamed into place, so that the file that is there has its
record whenever a process is killed.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
import re
import zipfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from labcourse import samples, settings
from labcourse.errors import BadInput, DamagedOutput, MissingOutput, MissingSample, StaleOutput, StorageError
from labcourse.files import atomic_write, read_json, read_small

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
}
"""The chapters by number, and the project after them: the names of their notebooks and of their folders."""

_PACKAGES = ("labcourse", "tensorflow", "keras", "numpy", "pandas", "pyarrow")
_FORMAT = 1
_LARGEST = 1 << 32
_FILE = re.compile(r"[a-z][a-z0-9_]*\.(parquet|keras|json)")


@dataclass(frozen=True)
class Input:
    """An output of an earlier chapter that was read, and which version of it."""

    chapter: int
    file: str
    identity: str


@dataclass(frozen=True)
class Record:
    """What one version of an output was made from.

    ``identity`` tells versions apart by content: a model that is saved again unchanged keeps it,
    although Keras writes the time of saving into the file.
    """

    chapter: int
    sha256: str
    identity: str
    sources: dict[str, str]
    inputs: tuple[Input, ...]
    packages: dict[str, str]


class _Reason(NamedTuple):
    """Why an output is stale, and the chapters to run again, in order."""

    text: str
    chapters: tuple[int, ...]


def folder(chapter: int, workspace: str | None = None) -> Path:
    """Return the folder into which a chapter writes (it need not exist).

    Raises
    ------
    BadInput
        If there is no such chapter.

    Examples
    --------
    >>> folder(3, "notebooks").parts[-2:]
    ('notebooks', 'chapter3_evaluation')
    """
    if chapter not in CHAPTERS:
        raise BadInput(f"There is no chapter {chapter!r}.", next_step=f"Chapters go from 1 to {max(CHAPTERS)}.")
    return settings.outputs_folder() / (workspace or settings.workspace()) / CHAPTERS[chapter]


def fingerprints(names: Iterable[str]) -> dict[str, str]:
    """Return the fingerprint of each sample that is found, by name.

    Raises
    ------
    BadFile
        If a sample's file is not a ROOT file.
    BadInput
        If a folder of the search path does not exist.
    UnknownSample
        If the catalogue has no such sample.
    """
    found = {}
    for name in names:
        try:
            found[name] = samples.fingerprint(name)
        except MissingSample:
            continue
    return found


def make(file: Path, *, chapter: int, sources: dict[str, str], inputs: Iterable[Input]) -> Record:
    """Describe a file that has just been written."""
    payload = file.read_bytes()
    checksum = hashlib.sha256(payload).hexdigest()
    return Record(
        chapter=chapter,
        sha256=checksum,
        identity=_model_identity(payload) if file.suffix == ".keras" else checksum,
        sources=sources,
        inputs=tuple(inputs),
        packages=_versions(),
    )


def write_note(file: Path, records: Iterable[Record]) -> None:
    """Write the note of a file.

    Raises
    ------
    StorageError
        If the disk is full or read-only; the old note is kept.
    """
    content = {"format": _FORMAT, "records": [asdict(record) for record in records]}
    text = json.dumps(content, indent=1) + "\n"
    atomic_write(_note(file), lambda path: path.write_text(text, encoding="utf-8"))


def current(file: Path) -> Record | None:
    """Return the record of the version that is in place, or None if there is none or it is damaged."""
    try:
        records = _records(file)
        if len(records) == 1 and file.exists():
            return records[0]
        return _matching(read_small(file, _LARGEST), records)
    except (OSError, DamagedOutput):
        return None


def read(chapter: int, file: str, workspace: str) -> tuple[bytes, Record]:
    """Read an output whole and check it: present, undamaged, of the samples and inputs of today.

    Raises
    ------
    MissingOutput, DamagedOutput, StaleOutput
        Each says what to run.
    StorageError
        If the file may not be read.
    """
    path = folder(chapter, workspace) / file
    again = f"Run {_notebook(chapter, workspace)} to its end again, or `{_command(chapter, workspace)}`."
    # The file first, the note second: whoever replaces them writes the note first. A replacement
    # between the two readings looks like damage once, not three times.
    for _ in range(3):
        try:
            payload = read_small(path, _LARGEST)
        except FileNotFoundError:
            raise _missing(chapter, path, workspace) from None
        except OSError as error:
            raise StorageError(
                f"{file} of chapter {chapter} cannot be read: {error.strerror or error}.",
                where=str(path),
                next_step="Check the permissions of the file.",
            ) from error
        try:
            record = _matching(payload, _records(path))
        except DamagedOutput as error:
            raise DamagedOutput(error.what, where=error.where, next_step=again) from None
        if record is not None:
            reason = _why_stale(record, workspace, {})
            if reason is None:
                return payload, record
            raise StaleOutput(
                f"{file} of chapter {chapter} no longer fits: {reason.text}.",
                where=str(path),
                next_step=_rerun(reason.chapters, workspace),
            )
    raise DamagedOutput(
        f"{file} of chapter {chapter} is damaged: it is not what the chapter wrote.", where=str(path), next_step=again
    )


def _why_stale(record: Record, workspace: str, known: dict[Path, _Reason | None]) -> _Reason | None:
    """Say why an output is stale, None if it is not; ``known`` keeps the answers for inputs met before.

    The earliest cause counts: whatever is wrong with an input is wrong with what was made from it.
    """
    changed = []
    for item in record.inputs:
        path = folder(item.chapter, workspace) / item.file
        now = current(path)
        if now is None:
            continue  # Deleted or damaged since: no sign that what was made from it is wrong.
        if path not in known:
            known[path] = None  # in notes that name each other in a circle
            known[path] = _why_stale(now, workspace, known)
        reason = known[path]
        if reason is not None:
            return _Reason(reason.text, tuple(sorted({*reason.chapters, record.chapter})))
        if now.identity != item.identity:
            changed.append(item)
    if changed:
        first = min(changed, key=lambda item: item.chapter)
        return _Reason(f"chapter {first.chapter} has written {first.file} anew since", (record.chapter,))
    today = fingerprints(record.sources)
    switched = [
        f"{name} was {_source(then)}, now {_source(today.get(name))}"
        for name, then in record.sources.items()
        if today.get(name) != then
    ]
    if switched:
        more = f" and {len(switched) - 2} more" if len(switched) > 2 else ""
        return _Reason(f"it was made from other samples ({'; '.join(switched[:2])}{more})", (record.chapter,))
    return None


def _source(fingerprint: str | None) -> str:
    if fingerprint is None:
        return "not found"
    source, _, rest = fingerprint.partition(" ")
    return f"{source} ({hashlib.sha256(rest.encode()).hexdigest()[:6]})"


def _missing(chapter: int, path: Path, workspace: str) -> MissingOutput:
    made = sorted(p.name for p in path.parent.glob("[a-z]*") if not p.name.endswith(".note.json"))
    only = f" (only {', '.join(made)})" if made else ""
    return MissingOutput(
        f"Chapter {chapter} has not made {path.name} yet{only}.",
        where=str(path),
        next_step=f"Run {_notebook(chapter, workspace)} to its end, or `{_command(chapter, workspace)}`.",
    )


def _rerun(chapters: tuple[int, ...], workspace: str) -> str:
    notebooks = ", then ".join(_notebook(chapter, workspace) for chapter in chapters)
    commands = " and ".join(f"`{_command(chapter, workspace)}`" for chapter in chapters)
    return f"Run {notebooks} to the end again, or {commands}."


def _notebook(chapter: int, workspace: str) -> str:
    return f"{workspace}/{CHAPTERS[chapter]}.ipynb"


def _command(chapter: int, workspace: str) -> str:
    return "make course" if workspace == "solutions" else f"labcourse solve {chapter}"


def _note(file: Path) -> Path:
    return file.with_name(f"{file.name}.note.json")


def _records(file: Path) -> list[Record]:
    note = _note(file)
    try:
        content = read_json(note)
        if content["format"] != _FORMAT:
            raise ValueError("another format")
        return [_record(entry) for entry in content["records"]]
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        state = "damaged" if note.exists() else "missing"
        raise DamagedOutput(f"The note beside {file.name} is {state}.", where=str(note)) from None


def _record(entry: dict[str, Any]) -> Record:
    """Return a record as a note has it; raise ValueError or another of what `_records` expects if it is none."""
    record = Record(**{**entry, "inputs": tuple(Input(**item) for item in entry["inputs"])})
    texts = [record.sha256, record.identity, *(item.identity for item in record.inputs)]
    texts += [*record.sources.values(), *record.packages.values()]
    is_right = (
        all(isinstance(text, str) for text in texts)
        and {record.chapter, *(item.chapter for item in record.inputs)} <= CHAPTERS.keys()
        and all(_FILE.fullmatch(item.file) for item in record.inputs)
        and record.sources.keys() <= set(samples.ALL)
    )
    if not is_right:
        raise ValueError("a value is of another type")
    return record


def _matching(payload: bytes, records: list[Record]) -> Record | None:
    checksum = hashlib.sha256(payload).hexdigest()
    return next((record for record in records if record.sha256 == checksum), None)


def _model_identity(payload: bytes) -> str:
    """Digest of architecture and weights, without the time of saving."""
    digest = hashlib.sha256()
    with zipfile.ZipFile(BytesIO(payload)) as archive:
        for name in sorted(archive.namelist()):
            if name != "metadata.json":
                digest.update(name.encode() + b"\0" + archive.read(name))
    return digest.hexdigest()


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions
