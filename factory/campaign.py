"""A campaign: the chunks of all samples, then their files; a killed one goes on where it was."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from factory import bundle, generator, pseudodata, recipes, tables
from factory.chunks import PSEUDO_DATA, SAMPLE, Chunk, simulate_chunk
from factory.store import Store, is_complete
from factory.tables import Table
from factory.workers import LOCAL, connect
from labcourse import samples as catalogue
from labcourse.errors import BadFile, BadInput, SimulationError
from labcourse.files import alone_in
from labcourse.progress import Line, seconds

RARE = ("Zee", "Zmumu", "ttbar_lep")
"""Samples of a few hundred events: they are never made smaller than the release's."""
FEWEST, PSEUDO_DATA_CHUNK = 20, 4000
"""Least events of a sample, however small the scale; events generated at a time for the pseudo-data."""


def simulate(
    out: Path | str, *, scale: float = 1.0, samples: Sequence[str] | None = None, seed: int, **options: Any
) -> Path:
    """Simulate samples into a folder of files with official names, and return its manifest's path.

    Finished chunks are kept in the folder until all is complete: the same call goes on from there, whatever ended the
    one before. Where all is complete, it makes nothing.

    Parameters
    ----------
    out : path
        The folder; files of the same names are replaced, each once it is complete.
    scale : float
        Number of events relative to the release's, the first ones of a larger scale; yields at 10 fb⁻¹ and the
        pseudo-data stay the same, and the three rare backgrounds are at least as large as in the release.
    samples : sequence of str, optional
        Names of the catalogue, ``data`` for the pseudo-data; by default all that have a recipe, and the pseudo-data.
    seed : int
        Equal seeds and scales give equal events, whatever the number of workers.
    options
        Further ones of `run`, whose errors these are as well.

    Raises
    ------
    BadInput, UnknownSample
        If scale, seed or workers are out of range, or a sample is not simulated.
    SimulationError
        If Pythia is not installed.
    """
    names = list(dict.fromkeys(samples if samples is not None else (*recipes.RECIPES, "data")))
    check(names, scale, seed, options.get("workers"))
    demands = {name: _demands(name, scale, seed) for name in names}

    def write(folder: Path, store: Store) -> None:
        made = [
            bundle.write(folder / file, parts, name, seed=seed) | {"scale": scale}
            for name, wanted in demands.items()
            for file, parts in _files(name, wanted, store, seed).items()
        ]
        bundle.write_manifest(folder, made, seed=seed, scale=scale)

    files = [file for name in names for file in catalogue.get(name).files]
    wanted = [demand for of_sample in demands.values() for demand in of_sample]
    return run(out, simulate_chunk, wanted, files, write, scale=scale, seed=seed, **options)


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
    keep_chunks: bool = False,
    progress: bool = True,
) -> Path:
    """Make the chunks that are missing, let ``write`` make the ``files`` of them, and return their manifest's path.

    Parameters
    ----------
    workers, address
        Processes on this machine, by default as many as it has cores; or a Dask scheduler, ``tcp://10.0.0.5:8786``.
    keep_chunks : bool
        Keep all chunks: a later call with a larger scale goes on from them. By default those of the samples are
        removed in the end, also of other seeds.

    Raises
    ------
    SimulationError
        If a chunk fails, a worker is killed, or the cluster is lost.
    StorageError
        If a file cannot be written; finished chunks stay.
    """
    folder, store = Path(out), Store(Path(out), seed)
    with alone_in(folder, "simulate"), Line(visible=progress) as line:
        if is_complete(folder, files, seed=seed, scale=scale):
            line.show(f"complete already: delete {catalogue.MANIFEST} to make it anew")
        else:
            begin, done = time.monotonic(), 0.0
            with connect(address, workers) as pool:
                while missing := {chunk: demand for demand in demands for chunk in demand.missing(store)}:
                    work = done + sum(demand.cost for demand in missing.values())
                    for chunk, table in pool.each(make, missing):
                        store.save(chunk, table)
                        done += missing[chunk].cost
                        left = seconds((time.monotonic() - begin) * (work / done - 1))
                        line.show(f"{chunk.sample}: {done / work:.0%} done, {left} left")
            write(folder, store)
        for demand in [] if keep_chunks else demands:
            store.remove(demand.first.sample, demand.first.purpose)
    return folder / catalogue.MANIFEST


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

    ``first`` is the chunk of index 0; ``foreseen`` events are expected of each chunk, and ``cost`` is the time it takes
    relative to others. What counts is said by ``count``.
    """

    first: Chunk
    wanted: int
    foreseen: float
    cost: float
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


def demand(first: Chunk, wanted: int) -> Demand:
    """Return the demand of a process of the 4-lepton collection; of pseudo-data, events count that happen and pass."""
    recipe = recipes.get(first.sample)
    foreseen = recipe.efficiency * first.events
    return Demand(first, wanted, foreseen, foreseen * recipe.cost, _count)


def _count(chunk: Chunk, table: Table) -> int:
    if chunk.purpose == PSEUDO_DATA:
        return int(tables.preselected(pseudodata.draw(chunk, table)).sum())
    return len(table["lep_n"])


def _demands(name: str, scale: float, seed: int) -> list[Demand]:
    """One demand for a sample; for the pseudo-data, one per process."""
    if name == "data":
        firsts = [Chunk(process, 0, seed, PSEUDO_DATA, PSEUDO_DATA_CHUNK) for process in recipes.RECIPES]
        return [demand(first, pseudodata.number(first.sample, seed)) for first in firsts]
    official = catalogue.get(name).official_raw
    wanted = max(round(official * scale), official if name in RARE else FEWEST)
    return [demand(Chunk(name, 0, seed, SAMPLE, recipes.get(name).chunk), wanted)]


def _files(name: str, demands: list[Demand], store: Store, seed: int) -> dict[str, bundle.Parts]:
    """What the files of a sample hold, a part at a time, when all chunks are there."""
    if name != "data":
        loaded, wanted = partial(map, store.load, demands[0].chunks), demands[0].wanted
        return {catalogue.get(name).files[0]: bundle.normalise(lambda: tables.first(loaded(), wanted), name)}
    processes = []
    for process in demands:
        if drawn := [pseudodata.draw(chunk, store.load(chunk)) for chunk in process.chunks]:
            processes.append(pseudodata.until(tables.join(drawn), process.wanted))
    files = pseudodata.split(tables.join(processes), seed)
    return {file: partial(iter, [table]) for file, table in files.items()}
