"""All events of the search: chunks on a Dask cluster, then one file; a killed run goes on where it was."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from azh import events
from factory import cluster, generator, store
from factory.azh import assembly, bundle, recipes
from factory.azh.chunks import SEARCH, make_chunk
from factory.chunks import Chunk, Table
from factory.forecast import Forecast
from labcourse.errors import BadFile, BadInput
from labcourse.files import alone_in

_DECIDES = ("chunks", "recipes", "reconstruction", "response")


@cache
def fingerprint() -> str:
    """Return a text that changes with whatever decides the events of a chunk besides its seed."""
    digest = hashlib.sha256(store.fingerprint().encode())
    for name in _DECIDES:
        digest.update((Path(__file__).with_name(f"{name}.py")).read_bytes())
    digest.update(Path(events.__file__).read_bytes())
    return digest.hexdigest()[:16]


def plan(scale: float, seed: int) -> dict[str, list[Chunk]]:
    """Return the chunks of each sample; those of a small scale are the first ones of a larger one."""
    return {
        name: [
            Chunk(name, index, seed, SEARCH, recipe.chunk)
            for index in range(max(round(scale * recipe.events / recipe.chunk), 1))
        ]
        for name, recipe in recipes.RECIPES.items()
    }


def simulate(
    out: Path | str,
    *,
    scale: float = 1.0,
    seed: int,
    workers: int | None = None,
    address: str = cluster.LOCAL,
    keep_chunks: bool = False,
    progress: bool = True,
) -> Path:
    """Simulate the events of the search into a folder, and return its manifest's path.

    Parameters
    ----------
    out : path
        The folder. Finished chunks are kept in it until all are there: the same call goes on from them.
    scale : float
        Number of events relative to the bundle's; expected yields stay the same. At least one chunk a sample is
        made (together a twentieth of the bundle).
    seed : int
        Equal seeds and scales give equal files, whatever the number of workers.
    workers, address, keep_chunks, progress
        As in `factory.simulate`.

    Raises
    ------
    BadInput
        If scale, seed or workers are out of range.
    SimulationError
        If Pythia or Dask is not installed, a chunk fails, or the cluster is lost.
    StorageError
        If a file cannot be written; finished chunks stay.
    """
    if not 0 < scale < math.inf or seed < 0 or (workers is not None and workers < 1):
        raise BadInput(
            f"Cannot simulate with scale {scale} and seed {seed}"
            + ("." if workers is None else f" on {workers} workers."),
            where="labcourse simulate --search azh",
            next_step="Give a positive scale, a seed of zero or more, and one worker or more.",
        )
    generator.version()
    chunks = plan(scale, seed)
    kept = store.Store(Path(out), seed, fingerprint())
    with alone_in(Path(out), "simulate"):
        missing = {chunk for of_sample in chunks.values() for chunk in of_sample if kept.load(chunk) is None}
        if missing:
            # A little of everything first, so that the time left is known soon.
            waiting = iter(sorted(missing, key=lambda chunk: (chunk.index, chunk.sample)))
            with Forecast(visible=progress) as forecast, cluster.connect(address, workers) as client:
                for chunk, table, seconds in cluster.run(client, make_chunk, lambda: next(waiting, None), fingerprint):
                    kept.save(chunk, table)
                    missing.remove(chunk)
                    work_left = sum(other.events * recipes.get(other.sample).cost / 1000 for other in missing)
                    forecast.show(work_left, seconds, len(table["factor"]), chunk.sample)
        made = {name: list(_tables(kept, of_sample)) for name, of_sample in chunks.items()}
        manifest = bundle.write(
            assembly.assemble(made, seed=seed), Path(out), seed=seed, scale=scale, code=fingerprint()
        )
        if not keep_chunks:
            for of_sample in chunks.values():
                kept.remove(of_sample[0])
    return manifest


def _tables(kept: store.Store, chunks: list[Chunk]) -> Iterator[tuple[Chunk, Table]]:
    for chunk in chunks:
        table = kept.load(chunk)
        if table is None:
            raise BadFile(
                f"{chunk.sample}: chunk {chunk.index} has vanished or was altered.",
                where=str(kept.folder),
                next_step="Run the same command again: it is made anew.",
            )
        yield chunk, table
