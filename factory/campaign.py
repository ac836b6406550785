"""A campaign: the chunks of all samples, then their files; a killed one goes on where it was."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np

from factory import bundle, generator, pseudodata, recipes, tables
from factory.chunks import PSEUDO_DATA, SAMPLE, Chunk, simulate_chunk
from factory.store import Store, is_complete
from factory.tables import Table
from factory.workers import LOCAL, Workers, connect
from labcourse import samples as catalogue
from labcourse.errors import BadFile, BadInput, SimulationError
from labcourse.files import alone_in
from labcourse.progress import Line, seconds

RARE = ("Zee", "Zmumu", "ttbar_lep")
"""Samples of a few hundred events: they are never made smaller than the release's."""
COMPLETE = f"complete already: delete {catalogue.MANIFEST} to make it anew"
FEWEST, PSEUDO_DATA_CHUNK = 20, 4000
"""Least events of a sample, however small the scale; events generated at a time for the pseudo-data."""


def simulate(
    out: Path | str,
    *,
    scale: float = 1.0,
    samples: Sequence[str] | None = None,
    seed: int,
    workers: int | None = None,
    address: str = LOCAL,
    keep_chunks: bool = False,
    progress: bool = True,
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
    workers, address
        Processes on this machine, by default as many as it has cores; or a Dask scheduler, ``tcp://10.0.0.5:8786``.
    keep_chunks : bool
        Keep all chunks: a later call with a larger scale goes on from them. By default those of the samples are
        removed in the end, also of other seeds.

    Raises
    ------
    BadInput, UnknownSample
        If scale, seed or workers are out of range, or a sample is not simulated.
    SimulationError
        If Pythia is not installed, a chunk fails, a worker is killed, or the cluster is lost.
    StorageError
        If a file cannot be written; finished chunks stay.
    """
    names = list(dict.fromkeys(samples if samples is not None else (*recipes.RECIPES, "data")))
    check(scale, seed, workers, names)
    demands = {name: _demands(name, scale, seed) for name in names}
    folder, store = Path(out), Store(Path(out), seed)
    files = [file for name in names for file in catalogue.get(name).files]
    with alone_in(folder, "simulate"), Line(visible=progress) as line:
        if is_complete(folder, files, seed=seed, scale=scale):
            line.show(COMPLETE)
        else:
            with connect(address, workers) as pool:
                _make(demands, folder, store, pool, line, seed=seed, scale=scale)
        for demand in [] if keep_chunks else [demand for wanted in demands.values() for demand in wanted]:
            store.remove(demand.first.sample, demand.first.purpose)
    return folder / catalogue.MANIFEST


def _make(
    demands: dict[str, list[Demand]], folder: Path, store: Store, pool: Workers, line: Line, *, seed: int, scale: float
) -> None:
    """Make the chunks that are missing, then the files and their manifest."""
    begin, done, entries = time.monotonic(), 0.0, []
    work = sum(demand.wanted * demand.recipe.cost for wanted in demands.values() for demand in wanted)
    for name, wanted in demands.items():
        while missing := [chunk for demand in wanted for chunk in demand.missing(store)]:
            for chunk, table in pool.each(simulate_chunk, missing):
                store.save(chunk, table)
                done += recipes.get(chunk.sample).work(chunk.events)
                line.show(f"{chunk.sample}: {left(begin, done / work)}")
        for file, parts in _files(name, wanted, store, seed).items():
            entries.append(bundle.write(folder / file, parts, name, seed=seed) | {"scale": scale})
    bundle.write_manifest(folder, entries, seed=seed, scale=scale)


def check(scale: float, seed: int, workers: int | None, samples: Collection[str]) -> None:
    """Raise BadInput unless something can be simulated, SimulationError unless Pythia is there."""
    if not 0 < scale < np.inf or seed < 0 or (workers is not None and workers < 1) or not samples:
        raise BadInput(
            f"Cannot simulate {len(samples)} samples with scale {scale}, seed {seed} and workers={workers}.",
            next_step="Give a positive scale, a seed of zero or more, one worker or more, and a sample.",
        )
    generator.version()


def left(begin: float, share: float) -> str:
    """Say how far a campaign is that began at a time (`time.monotonic`), and how long the rest will take."""
    return f"{min(share, 1.0):.0%} done, {seconds((time.monotonic() - begin) * max(1 / share - 1, 0))} left"


class Demand:
    """The events of one process for one purpose: the first ``wanted`` of its chunks, in the order of their index.

    ``first`` is the chunk of index 0. Of the pseudo-data, events count that happen and pass the preselection.
    """

    def __init__(self, first: Chunk, wanted: int) -> None:
        self.first, self.wanted, self.recipe = first, wanted, recipes.get(first.sample)
        self.chunks: list[Chunk] = []
        self._counts: dict[int, int] = {}

    def missing(self, store: Store) -> list[Chunk]:
        """Return the chunks to make next; none if those in the store, then in ``chunks``, hold the wanted events.

        Raises
        ------
        SimulationError
            If hardly any event passes the selection.
        """
        foreseen, found = self.recipe.efficiency * self.first.events, sum(self._counts.values())
        if len(self._counts) >= 20 and found < 0.1 * foreseen * len(self._counts):
            what = f"{self.first.sample}: hardly any event passes the selection."
            raise SimulationError(what, next_step="Look at the settings of its recipe (factory.recipes).")
        per_chunk = max(found / len(self._counts), 0.1 * foreseen) if self._counts else foreseen
        self.chunks, missing, promised = [], [], 0.0
        while promised < self.wanted:
            chunk = self.first.at(len(self.chunks))
            if chunk.index not in self._counts:
                with suppress(BadFile):
                    self._counts[chunk.index] = _count(chunk, store.load(chunk))
            if chunk.index not in self._counts:
                missing.append(chunk)
            promised += self._counts.get(chunk.index, per_chunk)
            self.chunks.append(chunk)
        return missing


def _count(chunk: Chunk, table: Table) -> int:
    if chunk.purpose == PSEUDO_DATA:
        return int(tables.preselected(pseudodata.draw(chunk, table)).sum())
    return len(table["lep_n"])


def _demands(name: str, scale: float, seed: int) -> list[Demand]:
    """One demand for a sample; for the pseudo-data, one per process."""
    if name == "data":
        firsts = [Chunk(process, 0, seed, PSEUDO_DATA, PSEUDO_DATA_CHUNK) for process in recipes.RECIPES]
        return [Demand(first, pseudodata.number(first.sample, seed)) for first in firsts]
    official = catalogue.get(name).official_raw
    wanted = max(round(official * scale), official if name in RARE else FEWEST)
    return [Demand(Chunk(name, 0, seed, SAMPLE, recipes.get(name).chunk), wanted)]


def _files(name: str, demands: list[Demand], store: Store, seed: int) -> dict[str, bundle.Parts]:
    """What the files of a sample hold, a part at a time, when all chunks are there."""
    if name != "data":
        (demand,) = demands
        loaded = partial(map, store.load, demand.chunks)
        return {catalogue.get(name).files[0]: bundle.normalise(lambda: tables.first(loaded(), demand.wanted), name)}
    processes = []
    for demand in demands:
        if drawn := [pseudodata.draw(chunk, store.load(chunk)) for chunk in demand.chunks]:
            processes.append(pseudodata.until(tables.join(drawn), demand.wanted))
    files = pseudodata.split(tables.join(processes), seed)
    return {file: partial(iter, [table]) for file, table in files.items()}
