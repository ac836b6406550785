"""Writing files whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from labcourse.errors import StorageError


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


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
