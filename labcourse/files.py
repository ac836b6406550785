"""Writing files whole or not at all, by one process at a time, and keeping what they replace."""

from __future__ import annotations

import contextlib
import datetime
import errno
import hashlib
import itertools
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from labcourse.errors import StorageError

_FAR = 1 << 20
"""Windows locks bytes so that nobody can read them: a byte beyond the text keeps what the file says readable."""
_locked: set[int] = set()
"""Files that this process has locked. A forked child closes its copies: it would keep the locks if it outlived us."""


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
        with contextlib.suppress(OSError):  # a nicety, which exFAT and many network drives do not know
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
            with contextlib.suppress(OSError):  # what went wrong first is what the reader must know
                temporary.unlink()


def remove_temporaries(path: Path) -> None:
    """Remove what an `atomic_write` of ``path`` left that was killed in its middle."""
    for temporary in path.parent.glob(f".{path.stem}-*{path.suffix}"):
        with contextlib.suppress(OSError):
            temporary.unlink()


def write_notebook(path: Path, content: str) -> None:
    """Write the text of a notebook whole, and remove what a write of it left that was killed: `atomic_write`."""
    remove_temporaries(path)
    atomic_write(path, lambda temporary: temporary.write_text(content, encoding="utf-8"))


def read_small(path: Path, most: int = 1 << 20) -> bytes:
    """Read a plain file of at most ``most`` bytes.

    Raises
    ------
    OSError
        Also if it is larger, or no plain file: a pipe never answers, and a device never ends.
    """
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is no plain file", str(path))
    with path.open("rb") as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, "it is far too large", str(path))
    return content


def read_json(path: Path) -> Any:
    """Read a small JSON file.

    Raises
    ------
    OSError
        As `read_small`.
    ValueError
        If it is no JSON.
    """
    try:
        return json.loads(read_small(path))
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def try_lock(handle: int) -> bool:
    """Lock an open file for this process, and say whether that went well; `unlock` gives it back and closes the file.

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

            # flock, not lockf: that is lost when anything in this process, such as a copy of the folder, has
            # opened and closed the file.
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EAGAIN, errno.EDEADLK):
            os.lseek(handle, 0, os.SEEK_SET)
            return False
        raise
    _locked.add(handle)
    return True


def unlock(handle: int) -> None:
    """Close a file, and give its lock back if it has one."""
    _locked.discard(handle)
    os.close(handle)


def _close_in_child() -> None:
    while _locked:
        with contextlib.suppress(OSError):
            os.close(_locked.pop())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_in_child)


@contextlib.contextmanager
def alone_in(folder: Path, doing: str) -> Iterator[None]:
    """Make a folder, and let only one process at a time do something in it, such as ``download``.

    Raises
    ------
    StorageError
        If another process is at it, or the folder cannot be made or written.
    """
    lock, is_free = folder / f".{doing}.lock", False
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise _cannot_write(folder, error) from error
    try:
        try:
            # Who held it before may have removed it meanwhile: a lock on a file without a name keeps nobody out.
            is_free = try_lock(handle) and lock.exists() and os.path.samestat(os.fstat(handle), lock.stat())
        except OSError as error:
            raise _cannot_write(folder, error) from error
        if not is_free:
            raise StorageError(
                f"Another process is at work in this folder ({doing}).",
                where=str(folder),
                next_step="Wait until it has finished, or stop it, and run this again.",
            )
        yield
    finally:
        if is_free:
            with contextlib.suppress(OSError):  # Windows keeps files that are open
                lock.unlink()
        unlock(handle)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, as hexadecimal digits.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def keep(path: Path, label: str = "mine") -> Path:
    """Give a file a second name, such as ``notes.mine-2026-11-24-1.txt``, that nothing has yet; return it.

    The file itself stays where it is. A second name costs no space and misses nothing that is saved at this
    moment; only a disk that knows no second names gets a copy.

    Raises
    ------
    StorageError
        If the disk refuses: then nothing has changed.
    """
    for kept in _free_names(path, label):
        try:
            os.link(path, kept)
        except FileExistsError:  # another process was quicker
            continue
        except OSError:
            try:
                # The name is taken first, so that the copy cannot replace anybody else's.
                os.close(os.open(kept, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
            except FileExistsError:
                continue
            except OSError as error:
                raise _cannot_keep(path, error) from error
            try:
                atomic_write(kept, lambda temporary: shutil.copyfile(path, temporary))
            except BaseException:
                with contextlib.suppress(OSError):
                    kept.unlink()
                raise
        return kept
    raise AssertionError  # there is always another number


def set_aside(path: Path, label: str = "mine") -> Path:
    """Move a file or a folder to such a name, overwriting nothing; return the new name.

    Raises
    ------
    StorageError
        If the disk refuses: then ``path`` is where it was.
    """
    try:
        if not path.is_dir():
            kept = keep(path, label)
            path.unlink()
            return kept
        for kept in _free_names(path, label):
            try:
                os.rename(path, kept)
            except OSError:
                if kept.exists() and path.exists():  # another process was quicker
                    continue
                raise
            return kept
    except OSError as error:
        raise _cannot_keep(path, error) from error
    raise AssertionError  # there is always another number


def _free_names(path: Path, label: str) -> Iterator[Path]:
    today = datetime.date.today().isoformat()
    names = (path.with_name(f"{path.stem}.{label}-{today}-{number}{path.suffix}") for number in itertools.count(1))
    return (name for name in names if not os.path.lexists(name))


def _cannot_keep(path: Path, error: OSError) -> StorageError:
    return StorageError(
        f"{path.name} could not be kept under another name: {error.strerror or error}.",
        where=str(path.parent),
        next_step="Make room on the disk or let yourself write to this folder; nothing has been changed.",
    )


def _cannot_write(folder: Path, error: OSError) -> StorageError:
    return StorageError(
        f"The folder cannot be written: {error.strerror or error}.",
        where=str(folder),
        next_step="Choose a folder on a local disk that you may write to: --out DIR.",
    )


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
