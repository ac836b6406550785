"""The samples of the 4-lepton collection and the pseudo-data: how many chunks each needs, and the files of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from factory import bundle, campaign, pseudodata, tables
from factory.campaign import Demand
from factory.chunks import PSEUDO_DATA, SAMPLE, Chunk, simulate_chunk
from factory.recipes import RECIPES
from factory.tables import Table
from labcourse import samples as catalogue
from labcourse.errors import UnknownSample

RARE = ("Zee", "Zmumu", "ttbar_lep")
"""Samples of a few hundred events: they are never made smaller than the release's."""
FEWEST, PSEUDO_DATA_CHUNK = 20, 4000
"""Least events of a sample, however small the scale; events generated at a time for the pseudo-data."""


def simulate(
    out: Path | str, *, scale: float = 1.0, samples: Sequence[str] | None = None, seed: int, **options: Any
) -> Path:
    """Simulate samples into a folder of files with official names, and return its manifest's path.

    Finished chunks are kept in the folder until all is complete: the same call goes on from there, whatever ended the
    one before.

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
        Further ones of `campaign.run`, whose errors these are as well.

    Raises
    ------
    UnknownSample
        If a sample is not simulated.
    """
    names = list(dict.fromkeys(samples or (*RECIPES, "data")))
    if unknown := set(names) - {*RECIPES, "data"}:
        advice = f"Recipes exist for {', '.join(RECIPES)}, and for data."
        raise UnknownSample(f"There is no recipe for {', '.join(unknown)}.", where="factory", next_step=advice)
    demands = {name: _demands(name, scale, seed) for name in names}
    all_demands = [demand for of_sample in demands.values() for demand in of_sample]
    with campaign.run(out, simulate_chunk, all_demands, seed=seed, **options) as load:
        made = [
            bundle.write(Path(out) / file, parts, name, seed=seed) | {"scale": scale}
            for name, of_sample in demands.items()
            for file, parts in _files(name, of_sample, load, seed).items()
        ]
        return bundle.write_manifest(Path(out), made, seed=seed, scale=scale)


def _demands(name: str, scale: float, seed: int) -> list[Demand]:
    """One demand for a sample; for the pseudo-data, one per process."""
    if name == "data":
        firsts = [Chunk(process, 0, seed, PSEUDO_DATA, PSEUDO_DATA_CHUNK) for process in RECIPES]
        return [Demand(first, pseudodata.number(first.sample, seed), count) for first in firsts]
    official = catalogue.get(name).official_raw
    wanted = max(round(official * scale), official if name in RARE else FEWEST)
    return [Demand(Chunk(name, 0, seed, SAMPLE, RECIPES[name].chunk), wanted, count)]


def count(chunk: Chunk, table: Table) -> int:
    """Return how many events a chunk has; of pseudo-data, those count that happen and pass."""
    if chunk.purpose == PSEUDO_DATA:
        return int(tables.preselected(pseudodata.draw(chunk, table)).sum())
    return len(table["lep_n"])


def _files(name: str, demands: list[Demand], load: Callable[[Chunk], Table], seed: int) -> dict[str, list[Table]]:
    """What the files of a sample hold, in parts, when all chunks are there."""
    if name != "data":
        parts = tables.first(map(load, demands[0].chunks), demands[0].wanted)
        return {catalogue.get(name).files[0]: bundle.normalise(parts, name)}
    processes = []
    for process in demands:
        if drawn := [pseudodata.draw(chunk, load(chunk)) for chunk in process.chunks]:
            processes.append(pseudodata.until(tables.join(drawn), process.wanted))
    return {file: [table] for file, table in pseudodata.split(tables.join(processes), seed).items()}
