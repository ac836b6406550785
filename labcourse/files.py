"""Writing files whole or not at all, and by one process at a time."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from labcourse.errors import StorageError

_FAR = 1 << 20
"""Windows locks bytes so that nobody can read them: a byte beyond the text keeps what the file says readable."""


def atomic_write(path: Path | str, write: Callable[[Path], object]) -> None:
    """Let ``write`` make a temporary sibling of ``path``, then rename it into place.

    A reader sees the old file or the new one, never half of one, even if the process is killed: the
    temporary file is flushed to the disk before the rename. Its suffix is that of ``path``, since
    writers such as Keras go by it.

    Raises
    ------
    StorageError
        If the disk is full, read-only or refuses for another reason. The old file is untouched.

    Examples
    --------
    >>> import tempfile
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
        temporary.chmod(0o666 & ~_umask())
        os.replace(temporary, path)
        temporary = None
    except OSError as error:
        raise StorageError(
            f"{path.name} could not be written: {error.strerror or error}.",
            where=str(path.parent),
            next_step="Make room on the disk or choose a folder you may write to; what was there before is kept.",
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def remove_temporaries(path: Path) -> None:
    """Remove what an `atomic_write` of ``path`` left that was killed in its middle."""
    for temporary in path.parent.glob(f".{path.stem}-*{path.suffix}"):
        temporary.unlink(missing_ok=True)


def try_lock(handle: int) -> bool:
    """Lock an open file for this process, and say whether that went well; closing the file gives it back.

    The operating system gives the lock back too when the process ends, however it ends.

    Raises
    ------
    OSError
        If the disk knows no locks.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(handle, _FAR, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
            os.lseek(handle, 0, os.SEEK_SET)
        else:
            import fcntl

            # lockf, not flock: a forked child that outlives its parent would keep a flock.
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EAGAIN, errno.EDEADLK):
            os.lseek(handle, 0, os.SEEK_SET)
            return False
        raise
    return True


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
