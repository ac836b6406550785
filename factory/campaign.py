"""A campaign: the chunks of all samples, then their files; a killed one goes on where it was."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from factory import bundle, generator, pseudodata, recipes, tables
from factory.chunks import PSEUDO_DATA, SAMPLE, Chunk, simulate_chunk
from factory.store import Store
from factory.tables import Table
from factory.workers import LOCAL, connect
from labcourse import samples as catalogue
from labcourse.errors import BadFile, BadInput, SimulationError
from labcourse.files import alone_in
from labcourse.progress import Line, seconds

RARE = ("Zee", "Zmumu", "ttbar_lep")
"""Samples of a few hundred events: they are never made smaller than the release's."""
FEWEST = 20
"""A sample has at least so many events, however small the scale."""
PSEUDO_DATA_CHUNK = 4000
"""Events generated at a time for the pseudo-data, of which there are few."""


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
    one before.

    Parameters
    ----------
    out : path
        The folder; files of the same names are replaced, each once it is complete.
    scale : float
        Number of events relative to the release's. Yields at 10 fb⁻¹ stay the same, and so do the pseudo-data;
        the three rare backgrounds are at least as large as in the release. The events of a small scale are the
        first ones of a larger one.
    samples : sequence of str, optional
        Names of the catalogue, ``data`` for the pseudo-data; by default all that have a recipe, and the pseudo-data.
    seed : int
        Equal seeds and scales give equal events, whatever the number of workers.
    workers : int, optional
        Processes on this machine; by default as many as it has cores.
    address : str
        Of a Dask scheduler, such as ``tcp://10.0.0.5:8786``, instead of processes on this machine.
    keep_chunks : bool
        Keep all chunks: a later call with a larger scale goes on from them.
    progress : bool
        Show how far it is, and the time left.

    Raises
    ------
    BadInput
        If scale, seed or workers are out of range.
    UnknownSample
        If a name is not in the catalogue, or is not simulated.
    SimulationError
        If Pythia is not installed, a chunk fails, a worker is killed, or the cluster is lost.
    StorageError
        If a file cannot be written; finished chunks stay.
    """
    names = list(dict.fromkeys(samples if samples is not None else (*recipes.RECIPES, "data")))
    check(scale, seed, workers, names)
    demands = {name: _demands(name, scale, seed) for name in names}
    folder, store = Path(out), Store(Path(out), seed)
    with alone_in(folder, "simulate"), Line(visible=progress) as line, connect(address, workers) as pool:
        pace = Pace(line, sum(demand.work for wanted in demands.values() for demand in wanted))
        entries = []
        for name, wanted in demands.items():
            while missing := [chunk for demand in wanted for chunk in demand.missing(store)]:
                for chunk, table in pool.each(simulate_chunk, missing):
                    store.save(chunk, table)
                    pace.show(chunk.sample, recipes.get(chunk.sample).work(chunk.events))
            for file, parts in _files(name, wanted, store, seed).items():
                entries.append(bundle.write(folder / file, parts, name, seed=seed))
            manifest = bundle.write_manifest(folder, entries, seed=seed, scale=scale)
        for demand in [] if keep_chunks else [demand for wanted in demands.values() for demand in wanted]:
            store.remove(demand.first.sample, demand.first.purpose)
    return manifest


def check(scale: float, seed: int, workers: int | None, samples: Collection[str]) -> None:
    """Raise BadInput unless something can be simulated, SimulationError unless Pythia is there."""
    if not 0 < scale < np.inf or seed < 0 or (workers is not None and workers < 1) or not samples:
        raise BadInput(
            f"Cannot simulate {len(samples)} samples with scale {scale}, seed {seed} and workers={workers}.",
            next_step="Give a positive scale, a seed of zero or more, one worker or more, and a sample.",
        )
    generator.version()


class Pace:
    """Shows how far a campaign is, in seconds of work that recipes foresee, and how long the rest will take."""

    def __init__(self, line: Line, work: float) -> None:
        self._line, self._work, self._done, self._begin = line, work, 0.0, time.monotonic()

    def show(self, sample: str, work: float) -> None:
        """Take note of a finished piece of work."""
        self._done += work
        share = min(self._done / self._work, 1.0)
        left = (time.monotonic() - self._begin) * (1 / share - 1)
        self._line.show(f"{sample}: {share:.0%} done, {seconds(left)} left")


@dataclass
class Demand:
    """The events of one process for one purpose: the first ``wanted`` of its chunks, in the order of their index.

    ``first`` is the chunk of index 0. Of the pseudo-data, events count that happen and pass the preselection.
    """

    first: Chunk
    wanted: int
    chunks: list[Chunk] = field(default_factory=list)
    _counts: dict[int, int] = field(default_factory=dict)

    @property
    def work(self) -> float:
        """Seconds of one core that the recipe foresees."""
        recipe = recipes.get(self.first.sample)
        return self.wanted * recipe.cost / 1000

    def missing(self, store: Store) -> list[Chunk]:
        """Return the chunks to make next; none if those in the store, then in ``chunks``, hold the wanted events.

        Raises
        ------
        SimulationError
            If hardly any event passes the selection.
        """
        foreseen = recipes.get(self.first.sample).efficiency * self.first.events
        found = sum(self._counts.values())
        if len(self._counts) >= 20 and found < 0.1 * foreseen * len(self._counts):
            raise SimulationError(
                f"{self.first.sample}: hardly any event passes the selection.",
                where=f"{found} of {len(self._counts) * self.first.events} generated events",
                next_step="Look at the settings of its recipe (factory.recipes).",
            )
        per_chunk = max(found / len(self._counts), 0.1 * foreseen) if self._counts else foreseen
        self.chunks, missing, promised = [], [], 0.0
        while promised < self.wanted:
            chunk = self.first.at(len(self.chunks))
            if chunk.index not in self._counts:
                try:
                    self._counts[chunk.index] = _count(chunk, store.load(chunk))
                except BadFile:
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
        return [
            Demand(Chunk(process, 0, seed, PSEUDO_DATA, PSEUDO_DATA_CHUNK), pseudodata.number(process, seed))
            for process in recipes.RECIPES
        ]
    official = catalogue.get(name).official_raw
    wanted = max(round(official * scale), official if name in RARE else FEWEST)
    return [Demand(Chunk(name, 0, seed, SAMPLE, recipes.get(name).chunk), wanted)]


def _files(name: str, demands: list[Demand], store: Store, seed: int) -> dict[str, bundle.Parts]:
    """What the files of a sample hold, a part at a time, when all chunks are there."""
    if name != "data":
        return {catalogue.get(name).files[0]: bundle.normalise(partial(_first, demands[0], store), name)}
    processes = []
    for demand in demands:
        if drawn := [pseudodata.draw(chunk, store.load(chunk)) for chunk in demand.chunks]:
            processes.append(pseudodata.until(tables.join(drawn), demand.wanted))
    files = pseudodata.split(tables.join(processes), seed)
    return {file: partial(iter, [table]) for file, table in files.items()}


def _first(demand: Demand, store: Store) -> Iterator[Table]:
    needed = demand.wanted
    for table in map(store.load, demand.chunks):
        yield tables.first(table, needed)
        needed -= len(table["lep_n"])
