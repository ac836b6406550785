"""Finished chunks on disk, what a killed campaign goes on from; and whether there is nothing left to do."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import numpy as np

from factory.chunks import Chunk, fingerprint
from factory.tables import Table
from labcourse.errors import BadFile
from labcourse.files import atomic_write, sha256
from labcourse.samples import MANIFEST

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
        """Remove the chunks of a sample, also those of other seeds and code, and what was being written of them."""
        for path in self.folder.parent.glob(f"*/*{sample}-{purpose}-*"):
            path.unlink(missing_ok=True)
        for folder in (*self.folder.parent.glob("*"), self.folder.parent):
            with suppress(OSError):  # there are others
                folder.rmdir()

    def _path(self, chunk: Chunk) -> Path:
        return self.folder / f"{chunk.sample}-{chunk.purpose}-{chunk.events}-{chunk.index:05d}.npz"


def is_complete(folder: Path, files: Iterable[str], *, seed: int, scale: float) -> bool:
    """Whether this code made these files with this seed and scale, and they are still what the manifest says."""
    made = {"seed": seed, "scale": scale, "code": fingerprint()}
    try:
        content = json.loads((folder / MANIFEST).read_text("utf-8"))
        said = {entry["file"]: entry for entry in content.get("files", [content])}
        return all(
            made.items() <= said[file].items() and sha256(folder / file) == said[file]["sha256"] for file in files
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False
