"""Finished chunks on disk: what a killed campaign goes on from."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np

from factory import recipes
from factory.chunks import Chunk, Table
from labcourse import kinematics
from labcourse.errors import StorageError
from labcourse.files import atomic_write

FOLDER = ".chunks"
_IDENTITY = "chunk"


_ORGANISATION = ("__init__", "campaign", "cluster", "demand", "forecast", "store")
"""Files that decide when and where chunks are made, not what is in them."""


@cache
def fingerprint() -> str:
    """Return a text that changes with whatever decides the events of a chunk besides its seed.

    That is the code of the simulation, recipes included, the versions of the libraries it calls, and what it takes
    from other rooms: the mass of the Z boson, and the samples' order, which chooses seeds.
    """
    digest = hashlib.sha256(repr((kinematics.Z_MASS, recipes.NAMES)).encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        if source.stem not in _ORGANISATION:
            digest.update(source.read_bytes())
    for package in ("pythia8mc", "fastjet", "numpy"):
        digest.update(f"{package} {version(package)}".encode())
    return digest.hexdigest()[:16]


@dataclass(frozen=True)
class Store:
    """The chunks of one seed and one fingerprint below a folder of samples.

    Other seeds and other code have folders of their own, and every file says which chunk it holds, so that chunks
    never mix. Files are written whole or not at all; one that cannot be read back counts as missing.
    """

    out: Path
    seed: int
    fingerprint: str

    @property
    def folder(self) -> Path:
        """Where the chunks are."""
        return self.out / FOLDER / f"seed{self.seed}-{self.fingerprint}"

    def save(self, chunk: Chunk, table: Table) -> None:
        """Keep a chunk.

        Raises
        ------
        StorageError
            If the disk is full or refuses.
        """

        def write(temporary: Path) -> None:
            with temporary.open("wb") as stream:
                np.savez(stream, **{_IDENTITY: np.array(repr(chunk))}, **table)  # type: ignore[arg-type]

        atomic_write(self._path(chunk), write)

    def load(self, chunk: Chunk) -> Table | None:
        """Return a chunk, or None where it is missing, damaged or not this one."""
        try:
            with self._path(chunk).open("rb") as stream, np.load(stream, allow_pickle=False) as content:
                if str(content[_IDENTITY]) != repr(chunk):
                    return None
                return {name: content[name] for name in content.files if name != _IDENTITY}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None

    def finished(self, first: Chunk) -> Iterator[tuple[Chunk, Table]]:
        """Yield what is there of the chunks that differ from ``first`` in their index only."""
        for path in sorted(self.folder.glob(f"{first.sample}-{first.purpose}-*.npz")):
            index = path.stem.rsplit("-", 1)[1]
            if index.isdecimal():
                chunk = first.at(int(index))
                if path == self._path(chunk) and (table := self.load(chunk)) is not None:
                    yield chunk, table

    def remove(self, first: Chunk) -> None:
        """Remove the chunks that differ from ``first`` in their index only, and folders that are empty then."""
        for path in self.folder.glob(f"{first.sample}-{first.purpose}-*.npz"):
            path.unlink(missing_ok=True)
        # Chunks that were being written when an earlier campaign was killed.
        for path in self.folder.glob(f".{first.sample}-{first.purpose}-*.npz"):
            path.unlink(missing_ok=True)
        for folder in (self.folder, self.folder.parent):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()

    def remove_stale(self) -> None:
        """Remove the chunks of other code: no campaign can use them again.

        Raises
        ------
        StorageError
            If that is not allowed.
        """
        for folder in (self.out / FOLDER).glob("seed*-*"):
            if not folder.name.endswith(f"-{self.fingerprint}"):
                try:
                    shutil.rmtree(folder)
                except OSError as error:
                    raise StorageError(
                        f"Old chunks cannot be removed: {error.strerror}.",
                        where=str(folder),
                        next_step="Delete the folder yourself, or choose another one with --out.",
                    ) from error

    def _path(self, chunk: Chunk) -> Path:
        return self.folder / f"{chunk.sample}-{chunk.purpose}-{chunk.index:05d}.npz"
