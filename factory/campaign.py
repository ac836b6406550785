"""The engine of campaigns: chunks that are missing, then what is made of them; a killed one goes on where it was."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Executor, as_completed
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from factory import generator
from factory.chunks import Chunk, fingerprint
from factory.generator import SimulationError
from factory.store import Store, is_complete
from factory.tables import Table
from factory.workers import LOCAL, connect
from labcourse.errors import BadFile, BadInput, LabCourseError
from labcourse.files import alone_in
from labcourse.progress import Line, seconds
from labcourse.samples import MANIFEST


def run(
    out: Path | str,
    make: Callable[[Chunk], Table],
    demands: Sequence[Demand],
    files: Collection[str],
    write: Callable[[Path, Store], None],
    *,
    scale: float,
    seed: int,
    workers: int | None = None,
    address: str = LOCAL,
) -> Path:
    """Make the chunks that are missing, let ``write`` make the ``files`` of them, and return their manifest's path.

    Parameters
    ----------
    make : callable
        Makes the table of a chunk; workers have to be able to import it.
    demands, files, write
        What is wanted, and the files of ``out`` that ``write`` makes of the stored chunks, with their manifest.
    scale, seed
        What the manifest has to say of the files, or all is made anew.
    workers, address
        Processes on this machine, by default as many as it has cores; or a Dask scheduler, ``tcp://10.0.0.5:8786``.

    Raises
    ------
    SimulationError
        If a chunk fails, a worker is killed, or the cluster is lost.
    StorageError
        If a file cannot be written; finished chunks stay.
    """
    folder, store = Path(out), Store(Path(out), seed)
    with alone_in(folder, "simulate"), Line() as line:
        if is_complete(folder, files, seed=seed, scale=scale):
            line.show(f"complete already: delete {MANIFEST} to make it anew")
        else:
            begin, done = time.monotonic(), 0
            with connect(address, workers) as executor:
                while missing := [chunk for demand in demands for chunk in demand.missing(store)]:
                    work = done + len(missing)
                    for chunk, table in _made(executor, make, missing):
                        store.save(chunk, table)
                        done += 1
                        left = seconds((time.monotonic() - begin) * (work / done - 1))
                        line.show(f"{chunk.sample}: {done} of {work} chunks done, {left} left")
            write(folder, store)
        for demand in demands:  # also of other seeds
            store.remove(demand.first.sample, demand.first.purpose)
    return folder / MANIFEST


def _made(executor: Executor, make: Callable[[Chunk], Table], chunks: Sequence[Chunk]) -> Iterator[tuple[Chunk, Table]]:
    """Yield chunks and their tables as they are finished, in any order. Raises SimulationError as `run`."""
    running = {}
    try:
        for chunk in chunks:
            running[executor.submit(_with_same_code, fingerprint(), make, chunk)] = chunk
        for future in as_completed(running):
            chunk = running.pop(future)  # and with it the table
            yield chunk, future.result()
    except LabCourseError:
        raise
    except Exception as error:
        raise SimulationError(
            f"A chunk failed, or who made it was lost: {error!r}.",
            where=str(chunk),
            next_step="Run the same command again: what is finished is kept, and it goes on from there. If the memory "
            "was too small for so many workers, use fewer.",
        ) from error


def _with_same_code(expected: str, make: Callable[[Chunk], Table], chunk: Chunk) -> Table:
    if fingerprint() != expected:
        raise SimulationError(
            "A worker has another version of labcourse, Pythia, fastjet or numpy: its events would be others.",
            next_step="Install the same versions on all machines of the cluster, from requirements-dev.lock.",
        )
    return make(chunk)


def check(samples: Collection[str], scale: float, seed: int, workers: int | None) -> None:
    """Raise BadInput unless something can be simulated, SimulationError unless Pythia is there."""
    if not 0 < scale < np.inf or seed < 0 or (workers is not None and workers < 1) or not samples:
        raise BadInput(
            f"Cannot simulate {len(samples)} samples with scale {scale}, seed {seed} and workers={workers}.",
            next_step="Give a positive scale, a seed of zero or more, one worker or more, and a sample.",
        )
    generator.version()


@dataclass
class Demand:
    """The events of one process for one purpose: its chunks in the order of their index, until ``wanted`` are there.

    ``first`` is the chunk of index 0; ``foreseen`` events are expected of each chunk. What counts is said by ``count``.
    """

    first: Chunk
    wanted: int
    foreseen: float
    count: Callable[[Chunk, Table], int]
    chunks: list[Chunk] = field(default_factory=list)
    _counts: dict[int, int] = field(default_factory=dict)

    def missing(self, store: Store) -> list[Chunk]:
        """Return the chunks to make next; none if those in the store, then in ``chunks``, hold the wanted events.

        Raises
        ------
        SimulationError
            If hardly any event passes the selection.
        """
        number, found = len(self._counts), sum(self._counts.values())
        if number >= 20 and found < 0.1 * self.foreseen * number:
            what = f"{self.first.sample}: hardly any event passes the selection."
            raise SimulationError(what, next_step="Look at the settings of its recipe (factory.recipes).")
        per_chunk = max(found / number, 0.1 * self.foreseen) if number else self.foreseen
        self.chunks, missing, promised = [], [], 0.0
        while promised < self.wanted:
            chunk = self.first.at(len(self.chunks))
            if chunk.index not in self._counts:
                with suppress(BadFile):
                    self._counts[chunk.index] = self.count(chunk, store.load(chunk))
            if chunk.index not in self._counts:
                missing.append(chunk)
            promised += self._counts.get(chunk.index, per_chunk)
            self.chunks.append(chunk)
        return missing
