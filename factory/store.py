"""Finished chunks on disk: what a killed campaign goes on from."""

from __future__ import annotations

import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np

from factory.chunks import Chunk, fingerprint
from factory.tables import Table
from labcourse.errors import BadFile
from labcourse.files import atomic_write

FOLDER = ".chunks"


class Store:
    """The chunks of one seed and one fingerprint below a folder of samples.

    Other seeds and other code have folders of their own, and a file's name says which chunk it holds, so that chunks
    never mix. Files are written whole or not at all.
    """

    def __init__(self, out: Path, seed: int) -> None:
        self.folder = out / FOLDER / f"seed{seed}-{fingerprint()}"

    def save(self, chunk: Chunk, table: Table) -> None:
        """Keep a finished chunk. Raises StorageError."""

        def write(temporary: Path) -> None:
            with temporary.open("wb") as stream:
                np.savez(stream, **table)  # type: ignore[arg-type]

        atomic_write(self._path(chunk), write)

    def load(self, chunk: Chunk) -> Table:
        """Return a finished chunk. Raises BadFile where it is missing or damaged."""
        try:
            with self._path(chunk).open("rb") as stream, np.load(stream, allow_pickle=False) as content:
                return dict(content)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            next_step = "Run the same command again: it is made anew."
            raise BadFile(f"{chunk} is missing or damaged.", where=str(self.folder), next_step=next_step) from error

    def remove(self, sample: str, purpose: int) -> None:
        """Remove the chunks of a sample, and what a killed campaign was writing of them."""
        for path in self.folder.glob(f"*{sample}-{purpose}-*"):
            path.unlink(missing_ok=True)
        with suppress(OSError):  # there are others
            self.folder.rmdir()
            self.folder.parent.rmdir()

    def _path(self, chunk: Chunk) -> Path:
        return self.folder / f"{chunk.sample}-{chunk.purpose}-{chunk.events}-{chunk.index:05d}.npz"
