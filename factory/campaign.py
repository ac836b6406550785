"""A campaign: the chunks of all samples on a Dask cluster, then their files; a killed one goes on where it was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from factory import bundle, cluster, generator, pseudodata, recipes, tables
from factory.chunks import PSEUDO_DATA, SAMPLE, Chunk, Table, simulate_chunk
from factory.demand import Demand
from factory.forecast import Forecast
from factory.store import Store, fingerprint
from labcourse import samples as catalogue
from labcourse.errors import BadFile, BadInput
from labcourse.files import alone_in, remove_temporaries, sha256

RARE = ("Zee", "Zmumu", "ttbar_lep")
"""Samples of a few hundred events: they are never made smaller than the release's."""
FEWEST = 20
"""A sample has at least so many events, however small the scale."""
PSEUDO_DATA_CHUNK = 4000
"""Events generated at a time for the pseudo-data, of which there are few."""
_PERIODS = 3
"""Purpose of the random numbers that distribute the pseudo-data over periods."""


def simulate(
    out: Path | str,
    *,
    scale: float = 1.0,
    samples: Sequence[str] | None = None,
    seed: int,
    workers: int | None = None,
    address: str = cluster.LOCAL,
    keep_chunks: bool = False,
    progress: bool = True,
) -> Path:
    """Simulate samples into a folder of files with official names, and return its manifest's path.

    Finished chunks are kept in the folder until their sample is complete: the same call goes on from there,
    whatever ended the one before. A sample that the folder holds already is not made again.

    Parameters
    ----------
    out : path
        The folder; files of the same names are replaced, each once it is complete.
    scale : float
        Number of events relative to the release's. Yields at 10 fb⁻¹ stay the same, and so do the pseudo-data;
        the three rare backgrounds are at least as large as in the release. The events of a small scale are the
        first ones of a larger one.
    samples : sequence of str, optional
        Names of the catalogue, ``data`` for the pseudo-data; all of them by default.
    seed : int
        Equal seeds and scales give equal files, whatever the number of workers.
    workers : int, optional
        Processes on this machine; by default as many as it has cores.
    address : str
        Of a Dask scheduler, such as ``tcp://10.0.0.5:8786``, instead of processes on this machine.
    keep_chunks : bool
        Keep the chunks of complete samples: a later call with a larger scale goes on from them.
    progress : bool
        Show what is done, the rate, and the time left.

    Raises
    ------
    BadInput
        If scale, seed or workers are out of range.
    UnknownSample
        If a name is not in the catalogue.
    SimulationError
        If Pythia or Dask is not installed, a chunk fails, or the cluster is lost.
    StorageError
        If a file cannot be written; finished chunks stay.
    """
    names = list(dict.fromkeys(samples if samples is not None else (*recipes.NAMES, "data")))
    for name in names:
        catalogue.get(name)
    if not 0 < scale < np.inf or seed < 0 or (workers is not None and workers < 1) or not names:
        raise BadInput(
            f"Cannot simulate {len(names)} samples with scale {scale} and seed {seed}"
            + ("." if workers is None else f" on {workers} workers."),
            next_step="Give a positive scale, a seed of zero or more, one worker or more, and a sample.",
        )
    generator.version()
    campaign = Campaign(Path(out), scale, seed, keep_chunks=keep_chunks)
    with alone_in(campaign.out, "simulate"), Forecast(visible=progress) as forecast:
        open_names = [name for name in names if not campaign.is_there(name)]
        for name in open_names:
            campaign.plan(name)
            # Something may be complete by what an earlier call left.
            campaign.finish()
        if campaign.demands:
            with cluster.connect(address, workers) as client:
                for chunk, table, seconds in cluster.run(client, simulate_chunk, campaign.next_chunk):
                    campaign.take(chunk, table, seconds)
                    forecast.show(campaign.work_left, seconds, len(table["lep_n"]), chunk.sample)
                    campaign.finish()
        campaign.store.remove_stale()
    return campaign.out / catalogue.MANIFEST


@dataclass
class Campaign:
    """What is to be made in a folder, and what is missing of it."""

    out: Path
    scale: float
    seed: int
    keep_chunks: bool = False
    demands: dict[str, list[Demand]] = field(default_factory=dict)
    """By file set: one demand for a sample, one a process for the pseudo-data."""

    @property
    def store(self) -> Store:
        """Its finished chunks."""
        return Store(self.out, self.seed, fingerprint())

    def wanted(self, name: str) -> int:
        """How many events the file of a simulated sample shall hold."""
        official = catalogue.get(name).official_raw
        return max(round(official * self.scale), official if name in RARE else FEWEST)

    def is_there(self, name: str) -> bool:
        """Whether the folder holds the complete sample, made by the same code with the same seed, undamaged."""
        if not (self.out / catalogue.MANIFEST).is_file():
            return False
        entries = {said["file"]: said for said in catalogue.read_manifest(self.out)}
        for file in catalogue.get(name).files:
            said = entries.get(file, {})
            if (said.get("seed"), said.get("code")) != (self.seed, fingerprint()):
                return False
            if name != "data" and said.get("events") != self.wanted(name):
                return False
            if not (self.out / file).is_file() or sha256(self.out / file) != said.get("sha256"):
                return False
        return True

    def plan(self, name: str) -> None:
        """Note which chunks a sample or the pseudo-data need, and which of them are there."""
        if name == "data":
            self.demands[name] = [
                Demand(
                    Chunk(process, 0, self.seed, PSEUDO_DATA, PSEUDO_DATA_CHUNK),
                    pseudodata.number(process, self.seed),
                    _happen,
                )
                for process in recipes.NAMES
            ]
        else:
            first = Chunk(name, 0, self.seed, SAMPLE, recipes.get(name).chunk)
            self.demands[name] = [Demand(first, self.wanted(name), _all)]
        for demand in self.demands[name]:
            for chunk, table in self.store.finished(demand.first):
                demand.add(chunk, table)

    def next_chunk(self) -> Chunk | None:
        """Return the next chunk that someone should make."""
        for demand in self._open():
            if (chunk := demand.next()) is not None:
                demand.running.add(chunk.index)
                return chunk
        return None

    def take(self, chunk: Chunk, table: Table, seconds: float) -> None:
        """Keep a chunk that was made. Raises StorageError."""
        for demand in self._open():
            if demand.first == chunk.at(0):
                self.store.save(chunk, table)
                demand.add(chunk, table, seconds)

    def finish(self) -> None:
        """Write the files of all samples whose chunks are there, note them in the manifest, remove the chunks.

        Raises
        ------
        StorageError
            If a file cannot be written; the chunks stay.
        """
        for name, demands in list(self.demands.items()):
            if all(demand.chunks is not None for demand in demands):
                make = self._pseudo_data if name == "data" else self._sample
                entries = []
                for file, parts in make(demands):
                    path = self.out / file
                    bundle.write(path, parts, title=f"{name}: simulated for a course, not ATLAS data")
                    entries.append(bundle.entry(path, parts, name, seed=self.seed, fingerprint=fingerprint()))
                bundle.write_manifest(self.out, entries, seed=self.seed, scale=self.scale)
                del self.demands[name]
                for demand in demands:
                    if not self.keep_chunks:
                        self.store.remove(demand.first)
                for file in catalogue.get(name).files:
                    remove_temporaries(self.out / file)

    @property
    def work_left(self) -> float:
        """Seconds of one core."""
        return sum(demand.work_left for demand in self._open())

    def _open(self) -> Iterator[Demand]:
        for demands in self.demands.values():
            yield from demands

    def _sample(self, demands: list[Demand]) -> Iterator[tuple[str, bundle.Parts]]:
        (demand,) = demands

        def parts() -> Iterator[Table]:
            needed = demand.wanted
            for table in self._tables(demand):
                yield tables.first(table, needed)
                needed -= len(table["lep_n"])

        name = demand.first.sample
        yield catalogue.get(name).files[0], bundle.normalise(parts, name)

    def _pseudo_data(self, demands: list[Demand]) -> Iterator[tuple[str, bundle.Parts]]:
        processes = []
        for demand in demands:
            drawn = [pseudodata.draw(c, t) for c, t in zip(demand.chunks or (), self._tables(demand), strict=True)]
            if drawn:
                processes.append(pseudodata.until(tables.join(drawn), demand.wanted))
        rng = np.random.default_rng([self.seed, len(recipes.NAMES), _PERIODS])
        for file, table in pseudodata.split(tables.join(processes), rng).items():
            yield file, _once(table)

    def _tables(self, demand: Demand) -> Iterator[Table]:
        for chunk in demand.chunks or ():
            table = self.store.load(chunk)
            if table is None:
                raise BadFile(
                    f"{chunk.sample}: chunk {chunk.index} has vanished or was altered.",
                    where=str(self.store.folder),
                    next_step="Run the same command again: it is made anew.",
                )
            yield table


def _all(_: Chunk, table: Table) -> int:
    return len(table["lep_n"])


def _happen(chunk: Chunk, table: Table) -> int:
    return int(tables.preselected(pseudodata.draw(chunk, table)).sum())


def _once(table: Table) -> bundle.Parts:
    return lambda: iter([table])
