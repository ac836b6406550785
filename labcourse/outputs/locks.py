"""One kernel at a time: a lock on a folder that the operating system gives back when the process ends."""

from __future__ import annotations

import os
from pathlib import Path

from labcourse.errors import ChapterBusy, StorageError
from labcourse.files import try_lock, unlock

_NAME = ".lock"
_held: dict[Path, tuple[int, int]] = {}
"""Folder -> (process that took the lock, open file). A forked child inherits the table but not the lock."""


def acquire(folder: Path, name: str) -> None:
    """Take the lock of a folder; nothing happens if this process has it already.

    ``name`` is what the user calls it, for the message.

    Raises
    ------
    ChapterBusy
        If another process has it: the message names that process.
    StorageError
        If the folder cannot be written or its disk knows no locks.
    """
    path = folder / _NAME
    if _is_held(folder):
        return
    handle = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        if not try_lock(handle):
            holder = os.read(handle, 20).decode("ascii", "replace").strip() or "unknown"
            unlock(handle)
            raise ChapterBusy(
                f"{name[0].upper()}{name[1:]} is already running in another kernel (process {holder}).",
                where=str(folder),
                next_step="Shut that kernel down (in JupyterLab: Running Terminals and Kernels), then run this again.",
            )
        _write_holder(handle)
    except OSError as error:
        if handle is not None:
            unlock(handle)
        raise StorageError(
            f"The outputs of {name} cannot be written: {error.strerror or error}.",
            where=str(folder),
            next_step="Set LABCOURSE_OUTPUTS to a folder on a local disk that you may write to.",
        ) from error
    _held[folder] = (os.getpid(), handle)


def release(folder: Path) -> None:
    """Give the lock of a folder back, if this process has it."""
    process, handle = _held.pop(folder, (0, -1))
    if process == os.getpid():
        unlock(handle)


def _is_held(folder: Path) -> bool:
    process, handle = _held.get(folder, (0, -1))
    if process != os.getpid():
        return False
    try:
        if os.path.samestat(os.fstat(handle), os.stat(folder / _NAME)):
            return True
    except OSError:
        pass
    # Somebody deleted the folder: what is held is the lock of a file that nobody else sees.
    release(folder)
    return False


def _write_holder(handle: int) -> None:
    try:
        os.ftruncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode("ascii"))
    except OSError:
        pass  # A full disk: the lock holds, the message to others will lack the number.
