"""One process at a time: locks that the operating system gives back when a process ends, however it ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from labcourse.errors import ChapterBusy, StorageError

_held: dict[Path, Any] = {}
"""The locks of this process, by folder."""


def acquire(folder: Path, name: str) -> None:
    """Make a folder and take its lock, a file beside it; nothing happens if this process has it already.

    ``name`` is what the user calls it, for the message.

    Raises
    ------
    ChapterBusy
        If another process has it.
    StorageError
        If the folder cannot be written or its disk knows no locks.
    """
    import filelock

    try:
        folder.mkdir(parents=True, exist_ok=True)
        if folder not in _held:
            lock = filelock.FileLock(folder.with_name(f".{folder.name}.lock"), thread_local=False)
            lock.acquire(timeout=0)
            _held[folder] = lock
    except filelock.Timeout as error:
        raise ChapterBusy(
            f"{name[0].upper()}{name[1:]} is already running in another kernel.",
            where=str(folder),
            next_step="Shut that kernel down (in JupyterLab: Running Terminals and Kernels), then run this again.",
        ) from error
    except OSError as error:
        raise StorageError(
            f"The outputs of {name} cannot be written: {error.strerror or error}.",
            where=str(folder),
            next_step="Set LABCOURSE_OUTPUTS to a folder on a local disk that you may write to.",
        ) from error


def release(folder: Path) -> None:
    """Give the lock of a folder back, if this process has it."""
    if folder in _held:
        _held.pop(folder).release()
