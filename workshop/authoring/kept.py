"""Other names for what a student made, before something else takes its place."""

from __future__ import annotations

import datetime
import itertools
import os
from pathlib import Path

from labcourse.files import refused


def set_aside(path: Path) -> Path:
    """Rename a file or a folder to a name such as ``notes.mine-2026-11-24-1.txt`` that nothing has yet; return it.

    Raises
    ------
    StorageError
        If the disk refuses: then it is where it was.
    """
    today = datetime.date.today().isoformat()
    names = (path.with_name(f"{path.stem}.mine-{today}-{number}{path.suffix}") for number in itertools.count(1))
    kept = next(name for name in names if not os.path.lexists(name))
    try:
        os.rename(path, kept)
    except OSError as error:
        raise refused(path.parent, f"{path.name} could not be kept under another name", error) from error
    return kept
