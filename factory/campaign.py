"""The engine of campaigns: chunks are made and kept until there are enough; a killed one goes on where it was."""

from __future__ import annotations

import hashlib
import math
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np

import azh.events
from factory import generator
from factory.chunks import Chunk
from factory.generator import SimulationError
from factory.tables import Table
from factory.workers import connect
from labcourse.errors import LabCourseError
from labcourse.files import alone_in, atomic_write
from labcourse.progress import each

FOLDER = ".chunks"


@dataclass
class Demand:
    """The events of one process for one purpose: its chunks in the order of their index, until ``wanted`` are there.

    ``first`` is the chunk of index 0; ``count`` says how many of a chunk's events count, ``counts`` how many did in
    those that are finished.
    """

    first: Chunk
    wanted: int
    count: Callable[[Chunk, Table], int]
    counts: list[int] = field(default_factory=list)

    @property
    def chunks(self) -> list[Chunk]:
        """The chunks that are finished."""
        return [self.first.at(index) for index in range(len(self.counts))]

    def next(self) -> list[Chunk]:
        """Return the chunks to make next: one, then as many as should do by those before; none if there are enough.

        Raises
        ------
        SimulationError
            If no event passes the selection.
        """
        number, found = len(self.counts), sum(self.counts)
        if number >= 20 and not found:
            what = f"{self.first.sample}: no event passes the selection."
            raise SimulationError(what, next_step="Look at the settings of its recipe (factory.recipes).")
        more = math.ceil((self.wanted - found) * number / found) if found else min(self.wanted, 1)
        return [self.first.at(number + index) for index in range(more)]


class Store:
    """The chunks of one seed and this code on disk, below a folder of samples.

    A file's name says which chunk it holds. Files are written whole or not at all.
    """

    def __init__(self, out: Path, seed: int) -> None:
        self.folder = out / FOLDER / f"seed{seed}-{fingerprint()}"

    def __contains__(self, chunk: Chunk) -> bool:
        return self._path(chunk).is_file()

    def save(self, chunk: Chunk, table: Table) -> None:
        """Keep a finished chunk. Raises StorageError."""
        atomic_write(self._path(chunk), lambda temporary: np.savez(temporary, **table))  # type: ignore[arg-type]

    def load(self, chunk: Chunk) -> Table:
        """Return a finished chunk."""
        with np.load(self._path(chunk), allow_pickle=False) as content:
            return dict(content)

    def _path(self, chunk: Chunk) -> Path:
        return self.folder / f"{chunk.sample}-{chunk.purpose}-{chunk.events}-{chunk.index:05d}.npz"


@contextmanager
def run(
    out: Path | str,
    make: Callable[[Chunk], Table],
    demands: Sequence[Demand],
    *,
    seed: int,
    workers: int | None = None,
    address: str = "",
) -> Iterator[Callable[[Chunk], Table]]:
    """Make the chunks that are missing in a folder; within this context, ``load(chunk)`` reads those of the demands.

    When the context has ended well, all chunks in the folder are removed, also those of other seeds and code.

    Parameters
    ----------
    make : callable
        Makes the table of a chunk; workers have to be able to import it.
    demands
        What is wanted; afterwards they say which chunks are there.
    workers, address
        Processes on this machine, by default as many as it has cores; or a Dask scheduler, ``tcp://10.0.0.5:8786``.

    Raises
    ------
    SimulationError
        If Pythia is not installed, a chunk fails, a worker is killed, or the cluster is lost.
    StorageError
        If a file cannot be written; finished chunks stay.
    """
    generator.version()
    store = Store(Path(out), seed)
    with alone_in(Path(out), "simulate"):
        with connect(address, workers) as executor:
            while wanted := [(demand, chunk) for demand in demands for chunk in demand.next()]:
                _make(executor, make, [chunk for _, chunk in wanted if chunk not in store], store)
                for demand, chunk in wanted:
                    demand.counts.append(demand.count(chunk, store.load(chunk)))
        yield store.load
        shutil.rmtree(store.folder.parent, ignore_errors=True)


def _make(executor: Executor, make: Callable[[Chunk], Table], chunks: Sequence[Chunk], store: Store) -> None:
    """Make chunks at once and keep them, one after the other. Raises as `run`."""
    futures = {chunk: executor.submit(_with_same_code, fingerprint(), make, chunk) for chunk in chunks}
    for chunk in each(chunks, "{0.sample}, chunk {0.index}"):
        try:
            table = futures.pop(chunk).result()
        except LabCourseError:
            raise
        except Exception as error:
            raise SimulationError(
                f"A chunk failed, or who made it was lost: {error!r}.",
                where=str(chunk),
                next_step="Run the same command again: what is finished is kept, and it goes on from there. If the "
                "memory was too small for so many workers, use fewer.",
            ) from error
        store.save(chunk, table)


def _with_same_code(expected: str, make: Callable[[Chunk], Table], chunk: Chunk) -> Table:
    if fingerprint() != expected:
        raise SimulationError(
            "A worker has another version of labcourse, Pythia, fastjet or numpy: its events would be others.",
            next_step="Install the same versions on all machines of the cluster, from requirements-dev.lock.",
        )
    return make(chunk)


@cache
def fingerprint() -> str:
    """Return a text that changes with whatever decides the events of a chunk besides its seed.

    That is the code of the simulation, recipes included, the variables of A → Zh, which it takes from another package,
    and the versions of the libraries that it calls.
    """
    digest = hashlib.sha256()
    for source in (*sorted(Path(__file__).parent.rglob("*.py")), Path(azh.events.__file__)):
        digest.update(source.read_bytes())
    for package in ("pythia8mc", "fastjet", "numpy"):
        digest.update(f"{package} {version(package)}".encode())
    return digest.hexdigest()[:16]
