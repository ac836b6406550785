"""From tables of simulated events to files of the official names, and their manifest."""

from __future__ import annotations

import json
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any

import numpy as np

from factory import generator, mini, recipes, tables
from factory.tables import Table
from labcourse import samples
from labcourse.files import atomic_write, sha256

RUN = 284500
"""Run number of all simulation for the data of 2015 and 2016."""


def normalise(table: Table, name: str) -> Table:
    """Add generator weights, cross-section and sum of weights.

    The cross-section is the release's. The sum of weights is chosen so that the expected yield
    after preselection is the one of the recipe.
    """
    recipe, sample = recipes.RECIPES[name], samples.get(name)
    passed, factors = tables.preselected(table), tables.scale_factors(table)
    weight = np.full(len(passed), recipe.weight, np.float32)
    for group, fraction in zip((passed, ~passed), recipe.negative, strict=True):
        weight[_every(fraction, group, factors > 0)] *= -1
    cross_section = np.float32(sample.cross_section)
    total = (weight.astype(np.float64) * factors)[passed].sum()
    sum_of_weights = total * float(cross_section) * 1000 * samples.LUMINOSITY / recipe.expected
    return _constant(
        table | {"mcWeight": weight},
        runNumber=np.int32(RUN),
        channelNumber=np.int32(sample.dsid),
        XSection=cross_section,
        SumWeights=np.float32(sum_of_weights),
    )


def _every(fraction: float, group: np.ndarray, signed: np.ndarray) -> np.ndarray:
    """Return the positions of a fraction of a group, evenly spread: more events behind them change none.

    An event whose corrections are zero has no sign; the next one takes its place.
    """
    members = np.flatnonzero(group & signed)
    before = np.floor(fraction * np.cumsum(group)[members])
    return members[np.diff(before, prepend=0) > 0]


def as_data(table: Table, runs: np.ndarray) -> Table:
    """Make simulated events look like collision data: no weights, and run numbers of a data run."""
    table = table | {"runNumber": runs.astype(np.int32), "channelNumber": runs.astype(np.int32)}
    zero = dict.fromkeys(("mcWeight", *(n for n in table if n.startswith("scaleFactor_"))), np.float32(0))
    return _constant(table, **zero, XSection=np.float32(1), SumWeights=np.float32(1))


def _constant(table: Table, **values: Any) -> Table:
    n_events = len(table["lep_n"])
    return table | {name: np.full(n_events, value) for name, value in values.items()}


def write(path: Path, table: Table, name: str, *, seed: int) -> dict[str, Any]:
    """Write a file with the names and types of the release, and return what the manifest says of it.

    The same seed gives equal events, but not equal files: ROOT writes times and random identifiers into them.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    mini.write(path, _branches(table), title=f"{name}: simulated for a course, not ATLAS data")
    entry = {
        "file": path.name,
        "sample": name,
        "simulated": True,
        "events": len(table["lep_n"]),
        "preselected": int(tables.preselected(table).sum()),
        "size": path.stat().st_size,
        "sha256": sha256(path),
        "seed": seed,
    }
    if name == "data":
        return entry
    recipe = recipes.RECIPES[name]
    return entry | {"expected": recipe.expected, "pythia": [*generator.COMMON, *recipe.settings]}


def _branches(table: Table) -> dict[str, Any]:
    """Columns of the release's types; leptons and jets by event. Their counters are written by themselves."""
    import awkward as ak

    branches = {}
    for name, values in table.items():
        if values.dtype.kind in "iu":
            values = values.astype(np.uint32 if name == "lep_type" else np.int32)
        group = tables.group_of(name)
        if not name.endswith("_n"):
            branches[name] = ak.unflatten(values, table[f"{group}_n"]) if group else values
    return branches


def write_manifest(folder: Path, what: str, options: str, **more: Any) -> Path:
    """Write a manifest whole or not at all, and return its path. Raises StorageError.

    Besides ``more`` it says what the events are, by which ``options`` of the command and which packages they were made.
    """
    content = {
        "simulated": True,
        "description": f"{what} No event of ATLAS is among them.",
        "generator": f"Pythia {generator.version()}, and a parametrised detector",
        "software": {name: package_version(name) for name in ("pythia8mc", "fastjet", "numpy", "uproot", "pyarrow")},
        "command": f"labcourse simulate {options}",
        "licence": "CC0-1.0",
    } | more
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    atomic_write(path := folder / samples.MANIFEST, lambda temporary: temporary.write_text(text, "utf-8"))
    return path
