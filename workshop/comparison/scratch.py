"""Folders that students' code may write to: we make them, and remove them with whatever is in them by then."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

__all__ = ["folder"]


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """Give an empty folder that is removed afterwards.

    Once students' code has had it, nothing in it is what it was called: any name can be a link to a file of the
    user's, or a pipe that waits for ever. So it is neither read nor written from then on, only removed.
    """
    made = tempfile.mkdtemp(prefix="labcourse-")
    try:
        yield Path(made)
    finally:
        _remove(made)


def _remove(top: str) -> None:
    """Remove a folder, following no link, as far as the system lets us.

    `shutil.rmtree` gives up in a nest of a thousand folders, and `tempfile.TemporaryDirectory` of older Pythons
    changes the permissions of what a link in a read-only folder leads to. Here every folder is unlocked, and
    moved out of the nest before it is looked into.
    """
    if sys.platform == "win32":
        shutil.rmtree(top, ignore_errors=True)
        return
    flat = tempfile.mkdtemp(prefix="labcourse-")
    pending, moved = [top], 0
    with contextlib.suppress(OSError):
        while pending:
            here = pending.pop()
            with os.scandir(here) as items:
                for item in list(items):
                    if item.is_dir(follow_symlinks=False):
                        os.chmod(item.path, 0o700)
                        pending.append(os.path.join(flat, str(moved)))
                        os.rename(item.path, pending[-1])
                        moved += 1
                    else:
                        os.unlink(item.path)
            os.rmdir(here)
        os.rmdir(flat)
