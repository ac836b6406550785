"""The trees of the ATLAS Open Data, `mini` (2020) and `analysis` (2025): read them into the course's event table.

Only this module knows branch names and units: one `Schema` a release, chosen by the tree that a file holds.
`std::vector` branches (the official files of 2020) and the jagged ones that `factory.mini` writes (the bundle) read
alike. The event table has one row per event, in GeV and radians: ``sample``, ``run``, ``event``, six columns per lepton
(`LOW_LEVEL`), the masses of all lepton pairs and of the four leptons, ``jet_n``, ``met`` and ``weight``, the number of
events expected at the release's luminosity (1 for collision data). Events of 2025, which no trigger, identification or
isolation has selected, have the columns `OBJECTS` as well, for `labcourse.selection`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labcourse import samples, settings
from labcourse.errors import BadEvents, BadFile, ForeignFile, LabCourseError
from labcourse.files import sha256
from labcourse.kinematics import pair_masses
from labcourse.progress import each

LEPTON_PT = tuple(f"lep{i}_pt" for i in (1, 2, 3, 4))
"""The four transverse momenta: the inputs of the course's first network."""

QUANTITIES = ("pt", "eta", "phi", "e", "charge", "pdgid")
LOW_LEVEL = tuple(f"lep{i}_{quantity}" for i in (1, 2, 3, 4) for quantity in QUANTITIES)
"""All that is kept of the four leptons: the inputs of chapter 8."""

EXTRA = ("ptcone30", "etcone20", "jet1_pt")
"""What `read` adds where it is asked for and the file has it. Isolation, the momentum of tracks (ΔR < 0.3) and the
energy (ΔR < 0.2) around a lepton, as ``lep1_ptcone30`` …; ``jet1_pt``, of the leading jet (NaN without one)."""

OBJECTS = ("trigger", "matched", *(f"lep{i}_{quality}" for quality in ("identified", "isolated") for i in (1, 2, 3, 4)))
"""Columns (bool) of events of 2025: whether a single-lepton trigger fired, whether a lepton is matched to it, and of
each lepton whether it is identified (an electron loosely, a muon at the medium level) and loosely isolated."""

_LEPTONS = ("lep_pt", "lep_eta", "lep_phi", "lep_E", "lep_charge", "lep_type")
_LEPTON_BRANCHES = dict(zip(QUANTITIES, _LEPTONS, strict=True))
_EXTRA_BRANCHES = {"ptcone30": "lep_ptcone30", "etcone20": "lep_etcone20", "jet1_pt": "jet_pt"}
_EVENT_BRANCHES = ("channelNumber", "eventNumber", "jet_n", "met_et")
_FACTORS = tuple(f"scaleFactor_{name}" for name in ("PILEUP", "ELE", "MUON", "LepTRIGGER"))
_ENERGIES = ("pt", "e", "ptcone30", "etcone20")
_FLAGS = ("trigE", "trigM", *(f"lep_is{name}" for name in ("TrigMatched", "LooseID", "MediumID", "LooseIso")))
Keep = Callable[[pd.DataFrame], pd.DataFrame]
"""Returns the events to keep of an event table."""


class Schema(NamedTuple):
    """How the tree of a release names what the course reads, and in which unit of energy (in GeV).

    ``names`` are those that differ from 2020's; ``factors`` multiply to an event's weight, up to luminosity and sum of
    weights; ``flags`` are read besides, for `OBJECTS`: the release that has them selects nothing but four leptons.
    """

    release: str
    tree: str
    gev: float
    names: Mapping[str, str]
    factors: tuple[str, ...]
    flags: tuple[str, ...] = ()

    def branches(self, role: str) -> dict[str, str]:
        """Return what a file of a role (`labcourse.samples.Sample`) must have: 2020's name, and the name here."""
        names = [*_EVENT_BRANCHES, *_LEPTONS, *self.flags]
        names += [] if role == "data" else [*self.factors, "SumWeights"]
        branches = {name: self.names.get(name, name) for name in names}
        # What channelNumber holds for collision data of 2025 is not documented.
        return branches | ({"channelNumber": "runNumber"} if role == "data" and self.flags else {})


_OF_2025 = {"lep_E": "lep_e", "met_et": "met", "SumWeights": "sum_of_weights"}
_OF_2025 |= {"lep_ptcone30": "lep_ptvarcone30", "lep_etcone20": "lep_topoetcone20"}
_FACTORS_OF_2025 = ("mcWeight", *(name.replace("s", "S", 1) for name in _FACTORS), "xsec", "kfac", "filteff")
SCHEMAS = (
    Schema("2020", "mini", 1e-3, {}, ("mcWeight", *_FACTORS, "XSection")),
    Schema("2025", "analysis", 1.0, _OF_2025, _FACTORS_OF_2025, _FLAGS),
)
"""One for each release, in the order in which a file's tree is looked for."""


def read(path: Path | str, *, sample: str | None = None, extra: Collection[str] = ()) -> pd.DataFrame:
    """Read a file into one event table.

    Raises BadFile if it is no ROOT file, is truncated, or lacks the tree or a branch, and BadEvents if it holds no
    events, NaN or infinite values, or events with fewer than four leptons (2025: or more).

    ``sample`` is its name in the catalogue, by default known from the file's official name; ``extra`` are names of
    `EXTRA`, further columns at the end of the table; one whose branch the file lacks is left out.
    """
    (events,) = iterate(path, sample=sample, step_size=None, extra=extra)
    return events


def iterate(
    path: Path | str, *, sample: str | None = None, step_size: int | None = 50_000, extra: Collection[str] = ()
) -> Iterator[pd.DataFrame]:
    """Read a file in event tables of at most ``step_size`` events (all at once for None).

    The tables together are what `read` returns; only one is in memory at a time. Raises as `read`.
    """
    path = Path(path)
    of = samples.get(sample) if sample is not None else samples.of_file(path)
    done, optional = 0, [_EXTRA_BRANCHES[name] for name in extra]
    for schema, chunk in chunks(path, of.role, optional, step_size=step_size):
        with _one_error(path):
            events = _event_table(chunk, schema, of, path, first_row=done)
        done += len(events)
        yield events
    if done == 0:
        raise BadEvents(f"{path.name} holds no events.", where=str(path), next_step=samples.get_again(path))


def read_sample(name: str, *, keep: Keep | None = None) -> pd.DataFrame:
    """Read a sample of the catalogue from wherever the search path finds it. Raises as `read` and `samples.locate`.

    ``keep`` takes an event table and returns what is needed of it: a file then is read in parts.
    """
    size, paths = 50_000 if keep else None, samples.locate(name).paths
    parts = (part for path in paths for part in iterate(path, sample=name, step_size=size))
    return pd.concat(map(keep, parts) if keep else parts, ignore_index=True)


def load(names: Iterable[str] | None = None, *, keep: Keep | None = None, progress: bool = True) -> pd.DataFrame:
    """Read several samples (all simulated ones of 2020 for None) into one event table, with a line of progress.

    ``sample`` is a categorical column whose categories are all names of the release, so that tables of different
    samples fit together; ``keep`` is that of `read_sample`. Raises as `read` and `samples.locate`.
    """
    names = [samples.get(name).name for name in (samples.SIMULATED if names is None else names)]
    tables = (read_sample(name, keep=keep) for name in each(names, "reading {}", visible=progress))
    return pd.concat(tables, ignore_index=True)


def chunks(
    path: Path, role: str, optional: Collection[str] | None = (), *, step_size: int | None = 50_000
) -> Iterator[tuple[Schema, dict[str, Any]]]:
    """Yield a file's branches, each an Awkward Array of shape (n_events, …), ``step_size`` events at a time.

    All at once for None. With them comes the schema of the tree. The branches that a file of this ``role`` must have
    have 2020's names, whatever the release; the ``optional`` ones (for None all others, by their own names) are read as
    well where they are.

    Raises ForeignFile if the tree or a branch is missing, and BadFile if the file is damaged, truncated or no ROOT
    file, or other than its manifest says.
    """
    import uproot

    with _one_error(path), uproot.open(path, handler=uproot.MemmapSource) as file:
        schema = next((schema for schema in SCHEMAS if hasattr(file.get(schema.tree), "num_entries")), None)
        if not file.keys():  # a foreign file holds something
            raise BadFile(f"{path.name} holds nothing.", where=str(path), next_step=samples.get_again(path))
        if schema is None:
            raise _foreign(path, f"it has neither the tree 'mini' nor 'analysis', but {', '.join(file.keys()[:5])}")
        check_bytes(path)
        tree, branches = file[schema.tree], schema.branches(role)
        if lacking := [name for name in branches.values() if name not in tree]:
            raise _foreign(path, f"the tree '{schema.tree}' lacks the branch {', '.join(lacking)}")
        others = {branch.name: branch.name for branch in tree.branches if branch.name not in branches.values()}
        if optional is not None:
            wanted = {name: schema.names.get(name, name) for name in optional}
            others = {name: branch for name, branch in wanted.items() if branch in others}
        names, done = list({**branches, **others}.values()), 0
        for chunk in tree.iterate(names, step_size=step_size or max(tree.num_entries, 1), library="ak", how=dict):
            done += len(chunk[names[0]])
            yield schema, {name: chunk[branch] for name, branch in {**others, **branches}.items()}
        if done != tree.num_entries:
            raise EOFError(f"{done} of {tree.num_entries} events")


def _event_table(
    chunk: dict[str, Any], schema: Schema, sample: samples.Sample, path: Path, first_row: int
) -> pd.DataFrame:
    import awkward as ak

    number = ak.num(chunk["lep_pt"]).to_numpy()
    if (wrong := (number != 4) if schema.flags else (number < 4)).any():
        row = int(np.argmax(wrong))
        raise BadEvents(
            f"{path.name}: lep_pt holds {number[row]} leptons, where {'exactly ' * bool(schema.flags)}four are needed.",
            where=f"{path}, row {first_row + row}",
            next_step=samples.get_again(path),
        )
    # Shape (4, n_events): each row is a column of the event table.
    branches = _LEPTON_BRANCHES | {q: b for q, b in _EXTRA_BRANCHES.items() if b in chunk and b.startswith("lep_")}
    is_more = bool((number > 4).any())

    def four(branch: str) -> Any:
        lists = chunk[branch][:, :4] if is_more else chunk[branch]
        return np.asarray(ak.flatten(lists)).reshape(-1, 4).T

    leptons = {q: np.ascontiguousarray(four(branch), np.float32) for q, branch in branches.items()}
    if schema.flags:
        flags = {name: four(f"lep_is{name}") for name in ("LooseID", "MediumID", "LooseIso")}
        leptons["identified"] = np.where(leptons["pdgid"] == 11, flags["LooseID"], flags["MediumID"])
        leptons["isolated"] = flags["LooseIso"]
    if (leptons["pt"][1:] > leptons["pt"][:-1]).any():
        order = np.argsort(-leptons["pt"], axis=0, kind="stable")
        places = order * order.shape[1] + np.arange(order.shape[1])  # in the flattened array: twice as fast
        leptons = {q: np.take(values, places) for q, values in leptons.items()}
    gev = np.float32(schema.gev)
    for quantity in leptons.keys() & set(_ENERGIES):
        leptons[quantity] *= gev
    n_events = leptons["pt"].shape[1]
    everything = tuple(s.name for s in samples.CATALOGUE if s.release == sample.release)
    known = samples.ALL if sample.release == "2020" else everything
    known = known if sample.name in known else (*known, sample.name)
    columns: dict[str, Any] = {
        "sample": pd.Categorical.from_codes(np.full(n_events, known.index(sample.name), np.int8), pd.Index(known)),
        "run": np.asarray(chunk["channelNumber"]).astype(np.int64),
        "event": np.asarray(chunk["eventNumber"]).astype(np.int64),
    }
    columns |= {f"lep{i + 1}_{q}": leptons[q][i] for i in range(4) for q in QUANTITIES}
    columns |= pair_masses(*(leptons[q].T for q in ("pt", "eta", "phi", "e")))
    columns["jet_n"] = np.asarray(chunk["jet_n"]).astype(np.float32)
    columns["met"] = np.asarray(chunk["met_et"]).astype(np.float32) * gev
    columns["weight"] = np.ones(n_events, np.float32) if sample.role == "data" else _weights(chunk, schema)
    if schema.flags:
        columns["trigger"] = np.asarray(chunk["trigE"]) | np.asarray(chunk["trigM"])
        columns["matched"] = np.asarray(ak.any(chunk["lep_isTrigMatched"], axis=1))
    columns |= {f"lep{i + 1}_{q}": leptons[q][i] for i in range(4) for q in leptons if q not in QUANTITIES}
    for name, values in columns.items():
        if name != "sample" and not np.isfinite(values).all():
            row = int(np.argmin(np.isfinite(values)))
            raise BadEvents(
                f"{path.name}: {name} is {values[row]} in event {columns['event'][row]}.",
                where=f"{path}, row {first_row + row}",
                next_step=samples.get_again(path),
            )
    if "jet_pt" in chunk:
        leading = ak.fill_none(ak.max(chunk["jet_pt"], axis=1), np.nan)
        columns["jet1_pt"] = np.asarray(leading, np.float32) * gev
    return pd.DataFrame(columns, copy=False)


def _weights(chunk: dict[str, Any], schema: Schema) -> NDArray[np.float32]:
    """Expected events: every factor of the release's formula, in float64; cross-sections in pb, luminosity in fb⁻¹."""
    with np.errstate(divide="ignore", invalid="ignore"):  # of no sum of weights, the event table accepts no result
        weight = 1000.0 * samples.LUMINOSITIES[schema.release] / np.asarray(chunk["SumWeights"]).astype(np.float64)
        for name in schema.factors:
            weight *= np.asarray(chunk[name])
    return weight.astype(np.float32)


def check_bytes(path: Path) -> None:
    """Raise BadFile if a simulated file is not what its manifest says (a copy of a bundled file: the bundle's).

    What gets no smaller by compression is stored without, and thus without a checksum: a flipped bit there is another
    number. The release's files are compressed throughout.
    """
    bundles = map(settings.bundle_folder, samples.LUMINOSITIES)
    folder = next((b for b in bundles if samples.same_file(path, b / path.name)), path.absolute().parent)
    listed = samples.read_manifest(folder) if (folder / samples.MANIFEST).is_file() else []
    recorded, there = {entry["file"]: entry.get("sha256") for entry in listed}.get(path.name), path.stat()
    if recorded is not None and recorded != _sha256(path.absolute(), there.st_size, there.st_mtime_ns):
        raise BadFile(
            f"{path.name} has other bytes than {samples.MANIFEST} says: it is damaged, or was replaced.",
            where=str(path),
            next_step=f"{samples.get_again(path)} Your own files belong elsewhere: `labcourse data use FOLDER`.",
        )


@functools.cache
def _sha256(path: Path, size: int, changed: int) -> str:
    """Hash a file once per process, as long as it does not change."""
    return sha256(path)


def _foreign(path: Path, what: str) -> ForeignFile:
    advice = f"This is not a file of the 4-lepton collection. {samples.get_again(path)}"
    return ForeignFile(f"{path.name}: {what}.", where=str(path), next_step=advice)


@contextmanager
def _one_error(path: Path) -> Iterator[None]:
    """Raise as `BadFile` whatever goes wrong while a file is read, but for too little memory."""
    try:
        yield
    except (LabCourseError, MemoryError, GeneratorExit, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        # Damaged bytes surface as many kinds of exception; decompressors in Rust panic outside of Exception.
        raise BadFile(
            f"{path.name} cannot be read as a ROOT file: it is missing, damaged, truncated or of another kind.",
            where=f"{path} ({type(error).__name__})",
            next_step=samples.get_again(path),
        ) from error
