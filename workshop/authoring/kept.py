"""Other names for what a student made, before something else takes its place."""

from __future__ import annotations

import datetime
import itertools
import os
import shutil
from pathlib import Path

from labcourse.files import atomic_write, refused


def keep(path: Path, label: str = "mine") -> Path:
    """Give a file a second name, such as ``notes.mine-2026-11-24-1.txt``, that nothing has yet; return it.

    A second name misses nothing that is saved at this moment; a disk that knows none gets a copy. If the disk refuses,
    nothing has changed, and it raises StorageError.
    """
    kept = _free_name(path, label)
    try:
        os.link(path, kept)
    except OSError:
        atomic_write(kept, lambda temporary: shutil.copyfile(path, temporary))
    return kept


def set_aside(path: Path, label: str = "mine") -> Path:
    """Rename a file or a folder to such a name; return it. Raises StorageError: then it is where it was."""
    kept = _free_name(path, label)
    try:
        os.rename(path, kept)
    except OSError as error:
        raise refused(path.parent, f"{path.name} could not be kept under another name", error) from error
    return kept


def _free_name(path: Path, label: str) -> Path:
    today = datetime.date.today().isoformat()
    names = (path.with_name(f"{path.stem}.{label}-{today}-{number}{path.suffix}") for number in itertools.count(1))
    return next(name for name in names if not os.path.lexists(name))
