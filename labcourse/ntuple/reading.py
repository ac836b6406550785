"""From the `mini` tree to the course's event table.

`std::vector` branches (the official files) and the jagged ones that uproot writes (the bundle) read alike.

The event table has one row an event, in GeV and radians: ``sample``, ``run``, ``event``, six columns a
lepton (`LOW_LEVEL`), the masses of all lepton pairs and of the four leptons, ``jet_n``, ``met`` and
``weight``, the number of events expected at 10 fb⁻¹ (1 for collision data).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from labcourse import samples
from labcourse.errors import BadEvents, BadInput
from labcourse.kinematics import pair_masses
from labcourse.ntuple.tree import chunks, one_error
from labcourse.progress import each

if TYPE_CHECKING:
    import pandas as pd

LEPTON_PT = tuple(f"lep{i}_pt" for i in (1, 2, 3, 4))
"""The four transverse momenta: the inputs of the course's first network."""

QUANTITIES = ("pt", "eta", "phi", "e", "charge", "pdgid")
LOW_LEVEL = tuple(f"lep{i}_{quantity}" for i in (1, 2, 3, 4) for quantity in QUANTITIES)
"""All that is kept of the four leptons: the inputs of chapter 8."""

EXTRA = ("ptcone30", "etcone20", "jet1_pt")
"""What `read` adds where it is asked for and the file has it. Isolation, the momentum of tracks (ΔR < 0.3) and the
energy (ΔR < 0.2) around a lepton, as ``lep1_ptcone30`` …; ``jet1_pt``, of the leading jet (NaN without one)."""

_EXTRA_LEPTON_BRANCHES = {"ptcone30": "lep_ptcone30", "etcone20": "lep_etcone20"}
_EXTRA_BRANCHES = {**_EXTRA_LEPTON_BRANCHES, "jet1_pt": "jet_pt"}
_LEPTON_BRANCHES = {"pt": "lep_pt", "eta": "lep_eta", "phi": "lep_phi", "e": "lep_E", "charge": "lep_charge"}
_LEPTON_BRANCHES["pdgid"] = "lep_type"
_WEIGHT_BRANCHES = (
    "mcWeight",
    "scaleFactor_PILEUP",
    "scaleFactor_ELE",
    "scaleFactor_MUON",
    "scaleFactor_LepTRIGGER",
    "XSection",
    "SumWeights",
)
_EVENT_BRANCHES = ("channelNumber", "eventNumber", "jet_n", "met_et")
_GEV = 1e-3


def read(
    path: Path | str,
    *,
    sample: str | None = None,
    luminosity: float = samples.LUMINOSITY,
    extra: Collection[str] = (),
) -> pd.DataFrame:
    """Read a file of the `mini` tree into one event table.

    Parameters
    ----------
    path : path
        A ROOT file.
    sample : str, optional
        Name of the sample in the catalogue; by default it is known from the file's official name.
    luminosity : float
        In fb⁻¹, for the weights of simulated events.
    extra : collection of str
        Names of `EXTRA`, further columns at the end of the table; one whose branch the file lacks is left out.

    Raises
    ------
    BadInput
        If the luminosity is no positive number, or an extra column is unknown.
    BadFile
        If it is no ROOT file, is truncated, lacks the tree or a branch, or is other than its manifest says.
    BadEvents
        If it holds no events, NaN or infinite values, or events with fewer than four leptons.
    LabCourseError
        If there is not enough memory.
    """
    (events,) = iterate(path, sample=sample, luminosity=luminosity, step_size=None, extra=extra)
    return events


def iterate(
    path: Path | str,
    *,
    sample: str | None = None,
    luminosity: float = samples.LUMINOSITY,
    step_size: int | None = 50_000,
    extra: Collection[str] = (),
) -> Iterator[pd.DataFrame]:
    """Read a file in event tables of at most ``step_size`` events (all at once for None).

    The tables together are what `read` returns; only one is in memory at a time. Raises as `read`.
    """
    path = Path(path)
    of = samples.get(sample) if sample is not None else samples.of_file(path)
    if not 0 < luminosity < np.inf:
        raise BadInput(f"The luminosity is {luminosity} fb⁻¹.", next_step="Give a positive number, for instance 10.")
    unknown = set(extra) - set(EXTRA)
    if unknown:
        raise BadInput(
            f"There is no extra column {', '.join(sorted(unknown))}.", next_step=f"Known: {', '.join(EXTRA)}."
        )
    done, optional = 0, [_EXTRA_BRANCHES[name] for name in EXTRA if name in extra]
    with one_error(path):
        for chunk in chunks(path, needed(of.role), optional, step_size=step_size):
            present = [name for name in EXTRA if name in extra and _EXTRA_BRANCHES[name] in chunk]
            events = _event_table(chunk, of, luminosity, path, first_row=done, extra=present)
            done += len(events)
            yield events
    if done == 0:
        raise BadEvents(f"{path.name} holds no events.", where=str(path), next_step=samples.get_again(path))


def needed(role: str) -> list[str]:
    """Return the branches that a file of this role (`labcourse.samples.Sample`) must have."""
    return [*_EVENT_BRANCHES, *_LEPTON_BRANCHES.values(), *(() if role == "data" else _WEIGHT_BRANCHES)]


def read_sample(name: str, *, luminosity: float = samples.LUMINOSITY, extra: Collection[str] = ()) -> pd.DataFrame:
    """Read a sample of the catalogue from wherever the search path finds it. Raises as `read` and `samples.locate`."""
    import pandas as pd

    paths = samples.locate(name).paths
    return pd.concat((read(path, sample=name, luminosity=luminosity, extra=extra) for path in paths), ignore_index=True)


def load(
    names: Iterable[str] = samples.SIMULATED, *, luminosity: float = samples.LUMINOSITY, progress: bool = True
) -> pd.DataFrame:
    """Read several samples into one event table, with a line of progress in a notebook or a terminal.

    ``sample`` is a categorical column whose categories are all names of the catalogue, so that tables of
    different samples fit together. Raises as `read` and `samples.locate`, and `BadInput` if no list of names is given.
    """
    import pandas as pd

    if isinstance(names, str):
        raise BadInput(f"{names!r} is one name.", where="ntuple.load", next_step=f'Give a list: load(["{names}"]).')
    names = list(names)
    if not names:
        raise BadInput("No sample is named.", where="ntuple.load", next_step='Give some, for instance load(["Zee"]).')
    for name in names:
        samples.get(name)
    tables = (read_sample(name, luminosity=luminosity) for name in each(names, "reading {}", visible=progress))
    return pd.concat(tables, ignore_index=True)


def _event_table(
    chunk: Any, sample: samples.Sample, luminosity: float, path: Path, first_row: int, extra: Collection[str]
) -> pd.DataFrame:
    import pandas as pd

    wanted = _LEPTON_BRANCHES | {q: branch for q, branch in _EXTRA_LEPTON_BRANCHES.items() if q in extra}
    leptons = _four_leptons(chunk, wanted, path, first_row)
    if (leptons["pt"][1:] > leptons["pt"][:-1]).any():
        order = np.argsort(-leptons["pt"], axis=0, kind="stable")
        leptons = {q: np.take_along_axis(values, order, axis=0) for q, values in leptons.items()}
    n_events = leptons["pt"].shape[1]
    for quantity in leptons.keys() & {"pt", "e", *_EXTRA_LEPTON_BRANCHES}:
        leptons[quantity] *= np.float32(_GEV)
    columns: dict[str, Any] = {
        "sample": pd.Categorical.from_codes(
            np.full(n_events, samples.ALL.index(sample.name), np.int8), categories=pd.Index(samples.ALL)
        ),
        "run": _numbers(chunk["channelNumber"], np.int64),
        "event": _numbers(chunk["eventNumber"], np.int64),
    }
    for i in range(4):
        columns |= {f"lep{i + 1}_{q}": leptons[q][i] for q in QUANTITIES}
    columns |= pair_masses(*(leptons[q].T for q in ("pt", "eta", "phi", "e")))
    columns["jet_n"] = _numbers(chunk["jet_n"], np.float32)
    columns["met"] = _numbers(chunk["met_et"], np.float32) * np.float32(_GEV)
    columns["weight"] = np.ones(n_events, np.float32)
    if sample.role != "data":
        columns["weight"] = _weights(chunk, luminosity, path)
    for i in range(4):
        columns |= {f"lep{i + 1}_{q}": leptons[q][i] for q in leptons.keys() - _LEPTON_BRANCHES.keys()}
    for name, values in columns.items():
        if name != "sample" and not np.isfinite(values).all():
            row = int(np.flatnonzero(~np.isfinite(values))[0])
            raise BadEvents(
                f"{path.name}: {name} is {values[row]} in event {columns['event'][row]}.",
                where=f"{path}, row {first_row + row}",
                next_step=samples.get_again(path),
            )
    if "jet1_pt" in extra:
        columns["jet1_pt"] = _leading(chunk["jet_pt"]) * np.float32(_GEV)
    return pd.DataFrame(columns, copy=False)


def _numbers(array: Any, dtype: Any) -> NDArray[Any]:
    return np.asarray(array).astype(dtype)


def _four_leptons(
    chunk: Mapping[str, Any], branches: Mapping[str, str], path: Path, first_row: int
) -> dict[str, NDArray[np.float32]]:
    """The four leading entries of each lepton branch, shape (4, n): every row is a column of the event table."""
    leptons = {}
    known = np.zeros(0, np.int64)
    places: list[NDArray[np.int64]] = []
    for quantity, branch in branches.items():
        # Awkward Array's own buffers: where each event begins, and all leptons one after the other.
        layout = chunk[branch].layout.to_ListOffsetArray64(True)
        offsets, flat = np.asarray(layout.offsets.data), layout.content.to_backend_array()
        # All lepton branches have the same offsets, unless the file is damaged.
        if not np.array_equal(offsets, known):
            known, counts = offsets, np.diff(offsets)
            if (counts < 4).any():
                row = int(np.flatnonzero(counts < 4)[0])
                raise BadEvents(
                    f"{path.name}: {branch} holds {counts[row]} leptons, where four are needed.",
                    where=f"{path}, row {first_row + row}",
                    next_step="This is not a file of the 4-lepton collection. " + samples.get_again(path),
                )
            places = [offsets[:-1] + i for i in range(4)]
        leptons[quantity] = np.empty((4, len(offsets) - 1), np.float32)
        for row_of_i, place in zip(leptons[quantity], places, strict=True):
            np.take(flat.astype(np.float32, copy=False), place, out=row_of_i, mode="clip")
    return leptons


def _leading(jagged: Any) -> NDArray[np.float32]:
    """The largest entry of each event, NaN where there is none."""
    import awkward as ak

    return np.asarray(ak.fill_none(ak.max(jagged, axis=1), np.nan), np.float32)


def _weights(chunk: Any, luminosity: float, path: Path) -> NDArray[np.float32]:
    """Expected events at ``luminosity``: every factor of the release's formula, in float64."""
    total = _numbers(chunk["SumWeights"], np.float64)
    if (total == 0).any():
        raise BadEvents(f"{path.name}: SumWeights is zero.", where=str(path), next_step=samples.get_again(path))
    # XSection is in pb, the luminosity in fb⁻¹.
    weight = 1000.0 * luminosity / total
    for name in _WEIGHT_BRANCHES[:-1]:
        weight *= np.asarray(chunk[name])
    return weight.astype(np.float32)
