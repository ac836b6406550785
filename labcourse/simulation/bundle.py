"""From tables of simulated events to files of the official names, and their manifest."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import version as package_version
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np

from labcourse import ntuple, samples
from labcourse.errors import BadFile
from labcourse.files import atomic_write
from labcourse.simulation import generator, recipes, tables
from labcourse.simulation.chunks import Table

RUN = 284500
"""Run number of all simulation for the data of 2015 and 2016."""
MANIFEST = "manifest.json"
_EPOCH = datetime(2020, 1, 1)
_INTEGERS = {"lep_type": np.uint32}


def normalise(table: Table, name: str, rng: np.random.Generator) -> Table:
    """Add generator weights, cross-section and sum of weights.

    The cross-section is the release's. The sum of weights is chosen so that the expected yield
    after preselection is the one of the recipe.
    """
    recipe, sample = recipes.get(name), samples.get(name)
    passed = tables.preselected(table)
    factors = tables.scale_factors(table)
    sign = np.ones(len(passed))
    for group, fraction in zip((passed, ~passed), recipe.negative, strict=True):
        # An event whose corrections are zero has no sign.
        members = np.flatnonzero(group & (factors > 0))
        sign[rng.choice(members, round(fraction * group.sum()), replace=False)] = -1
    table = table | {"mcWeight": np.float32(recipe.weight) * sign.astype(np.float32)}
    cross_section = np.float32(sample.cross_section)
    total = (table["mcWeight"].astype(np.float64) * factors)[passed].sum()
    sum_of_weights = total * float(cross_section) * 1000 * samples.LUMINOSITY / recipe.expected
    return _constant(
        table,
        runNumber=np.int32(RUN),
        channelNumber=np.int32(sample.dsid),
        XSection=cross_section,
        SumWeights=np.float32(sum_of_weights),
    )


def as_data(table: Table, runs: np.ndarray) -> Table:
    """Make simulated events look like collision data: no weights, and run numbers of a data run."""
    table = table | {"runNumber": runs.astype(np.int32), "channelNumber": runs.astype(np.int32)}
    zero = dict.fromkeys(("mcWeight", *(n for n in table if n.startswith("scaleFactor_"))), np.float32(0))
    return _constant(table, **zero, XSection=np.float32(1), SumWeights=np.float32(1))


def _constant(table: Table, **values: Any) -> Table:
    n_events = len(table["lep_n"])
    return table | {name: np.full(n_events, value) for name, value in values.items()}


def write(path: Path, table: Table, *, title: str) -> None:
    """Write a table as an official-looking file; equal tables give equal bytes.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    import awkward as ak

    branches: dict[str, Any] = {}
    for name in _ORDER:
        values = table[name]
        if values.dtype.kind == "i":
            values = values.astype(_INTEGERS.get(name, np.int32))
        group = name.split("_")[0]
        jagged = group in ("lep", "jet") and not name.endswith("_n")
        if not name.endswith("_n"):
            branches[name] = ak.unflatten(values, table[f"{group}_n"]) if jagged else values
    with _reproducible(path.name, branches):
        ntuple.write(path, branches, title=title)


_ORDER = (
    "runNumber",
    "eventNumber",
    "channelNumber",
    "mcWeight",
    "scaleFactor_PILEUP",
    "scaleFactor_ELE",
    "scaleFactor_MUON",
    "scaleFactor_LepTRIGGER",
    "trigE",
    "trigM",
    "lep_pt",
    "lep_eta",
    "lep_phi",
    "lep_E",
    "lep_charge",
    "lep_type",
    "lep_isTightID",
    "lep_ptcone30",
    "lep_etcone20",
    "lep_z0",
    "lep_trackd0pvunbiased",
    "lep_tracksigd0pvunbiased",
    "jet_pt",
    "jet_eta",
    "jet_phi",
    "jet_E",
    "jet_MV2c10",
    "met_et",
    "met_phi",
    "XSection",
    "SumWeights",
)


@contextmanager
def _reproducible(name: str, branches: Mapping[str, Any]) -> Iterator[None]:
    """Let uproot write a fixed time, the final name and an identifier made of the content.

    Otherwise it writes the time of day, the name of the temporary file and a random identifier.
    """
    import awkward as ak
    import uproot.sink.file
    import uproot.writing._cascade
    import uproot.writing._cascadetree
    import uproot.writing.writable

    digest = hashlib.sha256()
    for name, values in branches.items():
        digest.update(name.encode())
        digest.update(np.asarray(ak.flatten(values, axis=None)).tobytes())
    identifier = uuid.UUID(bytes=digest.digest()[:16], version=5)
    clock = SimpleNamespace(datetime=SimpleNamespace(now=lambda: _EPOCH))
    defaults = uproot.writing.writable.create.defaults, uproot.writing.writable.recreate.defaults
    with (
        mock.patch.object(uproot.writing._cascade, "datetime", clock),
        mock.patch.object(uproot.writing._cascadetree, "datetime", clock),
        mock.patch.object(uproot.writing.writable, "datetime", clock),
        mock.patch.object(uproot.sink.file.FileSink, "file_path", name),
        mock.patch.dict(defaults[0], uuid_function=lambda: identifier),
        mock.patch.dict(defaults[1], uuid_function=lambda: identifier),
    ):
        yield


def entry(path: Path, table: Table, name: str, seed: int) -> dict[str, Any]:
    """Return what the manifest says of one file."""
    data = samples.get(name).role == "data"
    said: dict[str, Any] = {
        "file": path.name,
        "sample": name,
        "simulated": True,
        "events": len(table["lep_n"]),
        "preselected": int(tables.preselected(table).sum()),
        "size": path.stat().st_size,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "seed": seed,
    }
    if data:
        return said | {"pseudo_data": True, "recipes": list(samples.SIMULATED)}
    recipe = recipes.get(name)
    return said | {
        "expected": recipe.expected,
        "hard_process": "labcourse.simulation.four_leptons" if recipe.matrix_element else "Pythia",
        "pythia": [*generator.COMMON, *recipe.settings],
        "approximations": list(recipe.approximations),
    }


def write_manifest(folder: Path, entries: list[dict[str, Any]], *, seed: int, scale: float) -> Path:
    """Write the manifest of a folder; entries of files that were not made anew are kept.

    Raises
    ------
    BadFile
        If there is a manifest that cannot be read.
    StorageError
        If it cannot be written.
    """
    path = folder / MANIFEST
    made = {said["file"] for said in entries}
    kept = [said for said in read_manifest(path)["files"] if said["file"] not in made] if path.is_file() else []
    content = {
        "simulated": True,
        "description": "Events simulated for this course; files, branches and weights as in the ATLAS Open Data "
        "(13 TeV, 4 leptons, DOI 10.7483/OPENDATA.ATLAS.2Y1T.TLGL). No event of ATLAS is among them.",
        "luminosity": samples.LUMINOSITY,
        "generator": f"Pythia {generator.version()}",
        "detector": "parametrised response (labcourse.simulation.detector)",
        "software": {name: package_version(name) for name in ("pythia8mc", "fastjet", "numpy", "uproot")},
        "command": f"labcourse simulate --seed {seed} --scale {scale:g}",
        "licence": "CC0-1.0",
        "files": sorted([*kept, *entries], key=lambda said: str(said["file"])),
    }
    atomic_write(path, lambda temporary: temporary.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n"))
    return path


def read_manifest(path: Path) -> dict[str, Any]:
    """Read a manifest.

    Raises
    ------
    BadFile
        If it is damaged.
    """
    try:
        content: dict[str, Any] = json.loads(path.read_text())
        _ = [said["file"] for said in content["files"]]
    except (ValueError, KeyError, TypeError) as error:
        raise BadFile(
            "The manifest is damaged.",
            where=str(path),
            next_step="Delete it and make the samples again with `labcourse simulate`.",
        ) from error
    return content
