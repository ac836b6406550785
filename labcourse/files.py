"""Writing files whole or not at all, and by one process at a time."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from labcourse.errors import StorageError


def atomic_write(path: Path | str, write: Callable[[Path], object]) -> None:
    """Let ``write`` make a temporary sibling of ``path``, then rename it into place.

    A reader sees the old file or the new one, never half of one, even if the process is killed: the temporary file is
    flushed to the disk before the rename. Its suffix is that of ``path``, since writers such as Keras go by it.

    Raises StorageError if the disk is full, read-only or refuses for another reason. The old file is untouched.

    Examples
    --------
    >>> target = Path(tempfile.mkdtemp()) / "numbers.txt"
    >>> atomic_write(target, lambda temporary: temporary.write_text("42"))
    >>> target.read_text()
    '42'
    """
    path = Path(path)
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        write(temporary)
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        # mkstemp makes files that only their owner can read; a class shares its samples.
        with contextlib.suppress(OSError):  # a nicety, which exFAT and many network drives do not know
            os.umask(mask := os.umask(0))
            temporary.chmod(0o666 & ~mask)
        os.replace(temporary, path)
    except OSError as error:
        raise refused(path.parent, f"{path.name} could not be written", error) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):  # it is in place, or what went wrong first is what the reader must know
                temporary.unlink()


def remove_temporaries(path: Path) -> None:
    """Remove what an `atomic_write` of ``path`` left that was killed in its middle."""
    for temporary in path.parent.glob(f".{path.stem}-*{path.suffix}"):
        with contextlib.suppress(OSError):
            temporary.unlink()


def read_small(path: Path, most: int = 1 << 20) -> bytes:
    """Read a plain file of at most ``most`` bytes; raises OSError also for what never ends, such as a pipe."""
    if path.exists() and not (path.is_file() and path.stat().st_size <= most):
        raise OSError(errno.EINVAL, "it is no plain file, or far too large", str(path))
    return path.read_bytes()


def read_json(path: Path) -> Any:
    """Read a small JSON file; raises OSError as `read_small`, and ValueError if it is no JSON."""
    try:
        return json.loads(read_small(path))
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


@contextlib.contextmanager
def alone_in(folder: Path, doing: str) -> Iterator[None]:
    """Make a folder, and let only one process at a time do something in it, such as ``download``.

    Raises StorageError if another process is at it, or the folder cannot be made or written.
    """
    import filelock

    lock = filelock.FileLock(folder / f".{doing}.lock", thread_local=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except OSError as error:  # filelock's Timeout is one, too
        raise StorageError(
            f"Another process is at work in this folder ({doing}), or the folder cannot be written: {error}.",
            where=str(folder),
            next_step="Wait until it has finished, or choose a folder you may write to, and run this again.",
        ) from error
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # Windows keeps files that are open
            os.unlink(lock.lock_file)
        lock.release()


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, as hexadecimal digits; raises OSError if it cannot be read."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def refused(folder: Path, what: str, error: OSError) -> StorageError:
    """Return what to tell the user of a disk that refuses."""
    return StorageError(
        f"{what}: {error.strerror or error}.",
        where=str(folder),
        next_step="Make room on the disk or choose a folder you may write to; what was there before is kept.",
    )
