"""The `mini` tree of the ATLAS Open Data: read it into the course's event table.

Only this module knows branch names and that energies are in MeV there. `std::vector` branches (the official files) and
the jagged ones that `factory.mini` writes (the bundle) read alike. The event table has one row per event, in GeV and
radians: ``sample``, ``run``, ``event``, six columns per lepton (`LOW_LEVEL`), the masses of all lepton pairs and of the
four leptons, ``jet_n``, ``met`` and ``weight``, the number of events expected at 10 fb⁻¹ (1 for collision data).
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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

_LEPTONS = ("lep_pt", "lep_eta", "lep_phi", "lep_E", "lep_charge", "lep_type")
_LEPTON_BRANCHES = dict(zip(QUANTITIES, _LEPTONS, strict=True))
_EXTRA_BRANCHES = {"ptcone30": "lep_ptcone30", "etcone20": "lep_etcone20", "jet1_pt": "jet_pt"}
_EVENT_BRANCHES = ("channelNumber", "eventNumber", "jet_n", "met_et")
_SCALE_FACTORS = tuple(f"scaleFactor_{name}" for name in ("PILEUP", "ELE", "MUON", "LepTRIGGER"))
_WEIGHT_BRANCHES = ("mcWeight", *_SCALE_FACTORS, "XSection", "SumWeights")
_IN_MEV = ("pt", "e", "ptcone30", "etcone20")
_GEV = np.float32(1e-3)
_OTHER = "This is not a file of the 4-lepton collection."


def read(path: Path | str, *, sample: str | None = None, extra: Collection[str] = ()) -> pd.DataFrame:
    """Read a file of the `mini` tree into one event table.

    Raises BadFile if it is no ROOT file, is truncated, lacks the tree or a branch, or is other than its manifest says,
    and BadEvents if it holds no events, NaN or infinite values, or events with fewer than four leptons.

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
    for chunk in chunks(path, needed(of.role), optional, step_size=step_size):
        with _one_error(path):
            events = _event_table(chunk, of, path, first_row=done)
        done += len(events)
        yield events
    if done == 0:
        raise BadEvents(f"{path.name} holds no events.", where=str(path), next_step=samples.get_again(path))


def needed(role: str) -> list[str]:
    """Return the branches that a file of this role (`labcourse.samples.Sample`) must have."""
    return [*_EVENT_BRANCHES, *_LEPTON_BRANCHES.values(), *(() if role == "data" else _WEIGHT_BRANCHES)]


def read_sample(name: str) -> pd.DataFrame:
    """Read a sample of the catalogue from wherever the search path finds it. Raises as `read` and `samples.locate`."""
    paths = samples.locate(name).paths
    return pd.concat((read(path, sample=name) for path in paths), ignore_index=True)


def load(names: Iterable[str] | None = None, *, progress: bool = True) -> pd.DataFrame:
    """Read several samples (all simulated ones for None) into one event table, with a line of progress.

    ``sample`` is a categorical column whose categories are all names of the catalogue, so that tables of different
    samples fit together. Raises as `read` and `samples.locate`.
    """
    names = [samples.get(name).name for name in (samples.SIMULATED if names is None else names)]
    tables = (read_sample(name) for name in each(names, "reading {}", visible=progress))
    return pd.concat(tables, ignore_index=True)


def chunks(
    path: Path, branches: Collection[str], optional: Collection[str] | None = (), *, step_size: int | None = 50_000
) -> Iterator[dict[str, Any]]:
    """Yield branches of the tree `mini`, each an Awkward Array of shape (n_events, …), ``step_size`` events at a time.

    All at once for None. The ``branches`` must be there, the ``optional`` ones (for None all others) are read as well
    where they are.

    Raises ForeignFile if the tree or a branch is missing, or a branch holds numbers instead of lists or lists instead
    of numbers, and BadFile if the file is damaged, truncated, no ROOT file, or other than its manifest says.
    """
    import uproot

    with _one_error(path), uproot.open(path, handler=uproot.MemmapSource) as file:
        tree = file.get("mini")
        if not file.keys():  # a foreign file holds something
            raise BadFile(f"{path.name} holds nothing.", where=str(path), next_step=samples.get_again(path))
        if not hasattr(tree, "num_entries"):
            raise _foreign(path, "the tree 'mini' is missing", f"{path} holds {', '.join(file.keys()[:5])}")
        _check_bytes(path)
        if missing := [name for name in branches if name not in tree]:
            raise _foreign(path, f"the tree 'mini' lacks the branch {', '.join(missing)}")
        others = [branch.name for branch in tree.branches if branch.name not in branches]
        names = [*branches, *(name for name in others if optional is None or name in optional)]
        done = 0
        for chunk in tree.iterate(names, step_size=step_size or max(tree.num_entries, 1), library="ak", how=dict):
            for name in names:
                # Of leptons and jets, all but their numbers are lists.
                is_list = name.startswith(("lep_", "jet_")) and not name.endswith("_n")
                if name not in others and chunk[name].ndim != (2 if is_list else 1):
                    wanted = "lists of numbers are needed" if is_list else "one number per event is needed"
                    raise _foreign(path, f"{name} holds {chunk[name].type.content}, where {wanted}")
            done += len(chunk[names[0]])
            yield chunk
        if done != tree.num_entries:
            what = f"{path.name} ends after {done} of {tree.num_entries} events."
            raise BadFile(what, where=str(path), next_step=samples.get_again(path))


def recorded_sha256(path: Path) -> str | None:
    """Return the sha256 that the manifest beside a file has of it, for a copy of a bundled file the bundle's, or None.

    Raises as `samples.read_manifest`.
    """
    bundle = settings.data_folder()
    folder = bundle if samples.same_file(path, bundle / path.name) else path.absolute().parent
    listed = samples.read_manifest(folder) if (folder / samples.MANIFEST).is_file() else []
    return next((entry.get("sha256") for entry in listed if entry["file"] == path.name), None)


def _event_table(chunk: dict[str, Any], sample: samples.Sample, path: Path, first_row: int) -> pd.DataFrame:
    import awkward as ak

    if (few := ak.num(chunk["lep_pt"]).to_numpy() < 4).any():
        row = int(np.argmax(few))
        raise BadEvents(
            f"{path.name}: lep_pt holds {len(chunk['lep_pt'][row])} leptons, where four are needed.",
            where=f"{path}, row {first_row + row}",
            next_step=f"{_OTHER} {samples.get_again(path)}",
        )
    # Shape (4, n_events): each row is a column of the event table.
    branches = _LEPTON_BRANCHES | {q: b for q, b in _EXTRA_BRANCHES.items() if b in chunk and b.startswith("lep_")}
    leptons = {
        q: np.ascontiguousarray(ak.to_numpy(chunk[branch][:, :4]).T, np.float32) for q, branch in branches.items()
    }
    if (leptons["pt"][1:] > leptons["pt"][:-1]).any():
        order = np.argsort(-leptons["pt"], axis=0, kind="stable")
        leptons = {q: np.take_along_axis(values, order, axis=0) for q, values in leptons.items()}
    for quantity in leptons.keys() & set(_IN_MEV):
        leptons[quantity] *= _GEV
    n_events, known = leptons["pt"].shape[1], samples.ALL
    known = known if sample.name in known else (*known, sample.name)
    columns: dict[str, Any] = {
        "sample": pd.Categorical.from_codes(np.full(n_events, known.index(sample.name), np.int8), pd.Index(known)),
        "run": np.asarray(chunk["channelNumber"]).astype(np.int64),
        "event": np.asarray(chunk["eventNumber"]).astype(np.int64),
    }
    columns |= {f"lep{i + 1}_{q}": leptons[q][i] for i in range(4) for q in QUANTITIES}
    columns |= pair_masses(*(leptons[q].T for q in ("pt", "eta", "phi", "e")))
    columns["jet_n"] = np.asarray(chunk["jet_n"]).astype(np.float32)
    columns["met"] = np.asarray(chunk["met_et"]).astype(np.float32) * _GEV
    columns["weight"] = np.ones(n_events, np.float32) if sample.role == "data" else _weights(chunk, path)
    columns |= {f"lep{i + 1}_{q}": leptons[q][i] for i in range(4) for q in branches if q not in QUANTITIES}
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
        columns["jet1_pt"] = np.asarray(leading, np.float32) * _GEV
    return pd.DataFrame(columns, copy=False)


def _weights(chunk: dict[str, Any], path: Path) -> NDArray[np.float32]:
    """Expected events: every factor of the release's formula, in float64."""
    total = np.asarray(chunk["SumWeights"]).astype(np.float64)
    if (total == 0).any():
        raise BadEvents(f"{path.name}: SumWeights is zero.", where=str(path), next_step=samples.get_again(path))
    # XSection is in pb, the luminosity in fb⁻¹.
    weight = 1000.0 * samples.LUMINOSITY / total
    for name in _WEIGHT_BRANCHES[:-1]:
        weight *= np.asarray(chunk[name])
    return weight.astype(np.float32)


def _check_bytes(path: Path) -> None:
    """Compare a simulated file with the sha256 of its manifest, once per process as long as it does not change.

    What gets no smaller by compression is stored without, and thus without a checksum: a flipped bit there is another
    number. The release's files are compressed throughout.
    """
    recorded, there = recorded_sha256(path), path.stat()
    if recorded is not None and recorded != _sha256(path.absolute(), there.st_size, there.st_mtime_ns):
        raise BadFile(
            f"{path.name} has other bytes than {samples.MANIFEST} says: it is damaged, or was replaced.",
            where=str(path),
            next_step=f"{samples.get_again(path)} Your own files belong elsewhere: `labcourse data use FOLDER`.",
        )


@functools.cache
def _sha256(path: Path, size: int, changed: int) -> str:
    return sha256(path)


def _foreign(path: Path, what: str, where: str = "") -> ForeignFile:
    advice = f"{_OTHER} {samples.get_again(path)}"
    return ForeignFile(f"{path.name}: {what}.", where=where or str(path), next_step=advice)


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
