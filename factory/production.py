"""The samples of the 4-lepton collection: how many chunks each needs, and the files of them.

Pseudo-data are what an experiment would record, drawn from events that no sample contains.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from factory import bundle, campaign, recipes, tables
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
PERIODS = {
    "A": (39, 298687, 299584),
    "B": (156, 300415, 300908),
    "C": (237, 301932, 302393),
    "D": (400, 302737, 303560),
}
"""Periods of data taking: events in the release's files, first and last run."""
_RUNS_A_PERIOD = 10
_NUMBER, _DRAW, _SPLIT = 2, 4, 3
"""Purposes of the random numbers of pseudo-data: how many events happen, which, and in which file."""
_LARGEST = 2.0
"""No product of corrections is larger, or its event would count as one of this size."""


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
    BadFile
        If there is a manifest of other files that cannot be read.
    """
    names = list(dict.fromkeys(samples or (*RECIPES, "data")))
    if unknown := set(names) - {*RECIPES, "data"}:
        advice = f"Recipes exist for {', '.join(RECIPES)}, and for data."
        raise UnknownSample(f"There is no recipe for {', '.join(unknown)}.", where="factory", next_step=advice)
    demands = {name: _demands(name, scale, seed) for name in names}
    all_demands = [demand for of_sample in demands.values() for demand in of_sample]
    with campaign.run(folder := Path(out), simulate_chunk, all_demands, seed=seed, **options) as load:
        there = catalogue.read_manifest(folder) if (folder / catalogue.MANIFEST).is_file() else []
        said = {entry["file"]: entry for entry in there}  # files that are not made anew stay
        for name, of_sample in demands.items():
            for file, table in _files(name, of_sample, load, seed).items():
                said[file] = bundle.write(folder / file, table, name, seed=seed) | {"scale": scale}
        return bundle.write_manifest(
            folder,
            "Events simulated for this course; files, branches and weights as in the ATLAS Open Data "
            "(13 TeV, 4 leptons, DOI 10.7483/OPENDATA.ATLAS.2Y1T.TLGL).",
            f"--seed {seed} --scale {scale:g}",
            luminosity=catalogue.LUMINOSITY,
            files=[said[file] for file in sorted(said)],
        )


def _demands(name: str, scale: float, seed: int) -> list[Demand]:
    """One demand for a sample; for the pseudo-data one per process, of a Poisson number of events about its yield."""
    if name == "data":
        demands = []
        for place, recipe in enumerate(RECIPES.values()):
            happen = np.random.default_rng([seed, place, PSEUDO_DATA, _NUMBER]).poisson(recipe.expected)
            demands.append(Demand(Chunk(recipe.name, 0, seed, PSEUDO_DATA, PSEUDO_DATA_CHUNK), int(happen), count))
        return demands
    official = catalogue.get(name).official_raw
    wanted = max(round(official * scale), official if name in RARE else FEWEST)
    return [Demand(Chunk(name, 0, seed, SAMPLE, RECIPES[name].chunk), wanted, count)]


def count(chunk: Chunk, table: Table) -> int:
    """Return how many events a chunk has; of pseudo-data, those count that happen and pass."""
    if chunk.purpose == PSEUDO_DATA:
        return int(tables.preselected(draw(chunk, table)).sum())
    return len(table["lep_n"])


def _files(name: str, demands: list[Demand], load: Callable[[Chunk], Table], seed: int) -> dict[str, Table]:
    """What the files of a sample hold, when all chunks are there."""
    if name != "data":
        (demand,) = demands
        events = tables.take(tables.join([load(chunk) for chunk in demand.chunks]), slice(demand.wanted))
        return {catalogue.get(name).files[0]: bundle.normalise(events, name)}
    processes = []
    for process in demands:
        if drawn := [draw(chunk, load(chunk)) for chunk in process.chunks]:
            processes.append(until(tables.join(drawn), process.wanted))
    return split(tables.join(processes), seed)


def draw(chunk: Chunk, table: Table) -> Table:
    """Return the events of a chunk that happen: drawn in proportion to their corrections, always the same."""
    sequence = [chunk.seed, recipes.place(chunk.sample), chunk.purpose, chunk.index, _DRAW]
    rng = np.random.default_rng(sequence)
    weight = tables.scale_factors(table)
    return tables.take(table, rng.random(len(weight)) * _LARGEST < weight)


def until(table: Table, number: int) -> Table:
    """Return the events up to the one with which ``number`` have passed the preselection."""
    passed = tables.preselected(table)
    return tables.take(table, np.cumsum(passed) - passed < number)


def split(table: Table, seed: int) -> dict[str, Table]:
    """Distribute events over files as the periods of data taking: file name to table."""
    rng = np.random.default_rng([seed, len(RECIPES), _SPLIT])
    n_events = len(table["lep_n"])
    order = rng.permutation(n_events)
    share = np.array([events for events, *_ in PERIODS.values()])
    period = rng.choice(len(PERIODS), n_events, p=share / share.sum())
    number = rng.choice(2**31 - 2, n_events, replace=False) + 1
    files = {}
    for i, (name, (_, first, last)) in enumerate(PERIODS.items()):
        members = order[period[order] == i]
        chosen = tables.take(table, members)
        run = np.sort(rng.choice(np.linspace(first, last, _RUNS_A_PERIOD).astype(int), len(members)))
        chosen = chosen | {"eventNumber": number[members]}
        files[f"data_{name}.4lep.root"] = bundle.as_data(chosen, run)
    return files
