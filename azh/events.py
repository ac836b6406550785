"""The event table of the search for A → Zh → ℓ⁺ℓ⁻ b b̄: its columns, its masses, and the tested mass.

One row per event that passes the resolved selection, GeV and radians:

=======================  =====================================================================================
``process``              ``signal``, or one of the backgrounds ``Zjets``, ``ttbar``, ``Zh``, ``diboson`` (category)
``region``               ``signal``, ``sideband`` (beside the window of m_bb) or ``emu`` (an electron and a muon)
``m_a_true``             mass of the A that was simulated (GeV); 0 for background, which has none
``run``, ``event``       who the event is: the split goes by them
the columns of MEASURED  see INPUTS, whose last, ``m_a``, is added by `at_mass` or `draw_masses`
``weight``               expected events at 139 fb⁻¹, signal at 0.05 pb; some are negative
=======================  =====================================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labcourse import samples, settings, splitting
from labcourse.errors import BadFile, EmptySelection, MissingSample
from labcourse.files import read_json, sha256

if TYPE_CHECKING:
    import pandas as pd

LUMINOSITY = 139.0
"""Integrated luminosity of the search (fb⁻¹)."""
SIGNAL_CROSS_SECTION = 0.05
"""σ(gg → A) · BR(A → Zh) · BR(h → b b̄) that signal events are normalised to (pb); Z → ee, µµ comes on top."""
BR_Z = 0.06729
"""Branching ratio of Z → e⁺e⁻ and µ⁺µ⁻ together (PDG 2024)."""
MASSES = (300, 420, 440, 460, 500, 600, 700, 800, 900, 1000, 1200, 1400, 1600, 2000)
"""Masses of A that are simulated (GeV)."""

PROCESSES = ("signal", "Zjets", "ttbar", "Zh", "diboson")
"""What was simulated: the categories of the column ``process``."""
REGIONS = ("signal", "sideband", "emu")
"""Where an event lies. Networks are trained and tested with the first; the others tell how well backgrounds are known:
the sidebands Z + jets, and events with an electron and a muon in the window of the signal t t̄."""
WINDOW = ((100.0, 145.0),)
SIDEBANDS = ((75.0, 100.0), (145.0, 175.0))
"""Range of m_bb (GeV) of the regions. Nearer to the window than those of the published search (50 to 200 GeV,
arXiv:2207.00230), the sidebands hold about as many events as the window, and events that are more like them."""

FOLDER = "azh"
"""Folder of the events, in ``data/`` and wherever else samples are looked for."""
FILE = "events.parquet"
SEALED_MANIFEST = "sealed.json"

MISSING = -1.0
"""Stands for what a missing third jet would have had: transverse momentum, distances and b-tag score."""

INPUTS: dict[str, str] = {
    "m_bb": "invariant mass of the two b jets (GeV)",
    "m_zh": "invariant mass of leptons and b jets (GeV)",
    "m_ll": "invariant mass of the two leptons (GeV)",
    "pt_l1": "transverse momentum of the harder lepton (GeV)",
    "pt_l2": "transverse momentum of the softer lepton (GeV)",
    "pt_b1": "transverse momentum of the harder b jet (GeV)",
    "pt_b2": "transverse momentum of the softer b jet (GeV)",
    "pt_h": "transverse momentum of the two b jets together (GeV)",
    "pt_z": "transverse momentum of the two leptons together (GeV)",
    "pt_j3": "transverse momentum of the third jet (GeV)",
    "met_ht": "missing transverse energy divided by √H_T, its significance (√GeV)",
    "deta_ll": "distance Δη of the leptons in pseudorapidity",
    "dphi_ll": "distance Δφ of the leptons in azimuth (rad)",
    "dr_b1b2": "distance ΔR of the b jets",
    "dr_b1j3": "distance ΔR of the harder b jet from the third jet",
    "dr_b2j3": "distance ΔR of the softer b jet from the third jet",
    "btag_b1": "how much the harder b jet looks like one",
    "btag_b2": "how much the softer b jet looks like one",
    "btag_j3": "how much the third jet looks like a b jet",
    "ln_m_ratio": "ln(m_zh / m_a), how far the mass is from the tested one; −0.5 and 0.5 stand for all that is farther",
    "m_a": "mass that is tested, the parameter of the network (GeV)",
}
"""The 21 inputs of the network and what they are, in their order: what is measured, then those that know the mass."""
MEASURED = tuple(name for name in INPUTS if name not in ("ln_m_ratio", "m_a"))
COLUMNS = ("process", "region", "m_a_true", "run", "event", *MEASURED, "weight")
"""The columns of the table, in their order."""


class Parts(NamedTuple):
    """Training, validation and test events of the signal region: 40, 10 and 50 per cent, disjoint."""

    train: pd.DataFrame
    validation: pd.DataFrame
    test: pd.DataFrame


def read(folder: Path | str | None = None) -> pd.DataFrame:
    """Read the simulated events of the search (columns: see above).

    Parameters
    ----------
    folder : path, optional
        Where the file lies; by default the first folder ``azh`` on the search path of the samples
        (`labcourse.settings`), which ends with the bundle's.

    Raises
    ------
    MissingSample
        If there is no such file.
    BadFile
        If it cannot be read, or is not the one that its manifest describes.
    """
    path = _find(FILE, folder, "labcourse simulate azh")
    return _table(path, samples.MANIFEST, lambda manifest: manifest["sha256"])


def read_sealed(number: int, folder: Path | str | None = None) -> pd.DataFrame:
    """Read sealed data: events of an experiment with 139 fb⁻¹ in which there may be an A, or none.

    Returns ``event`` (1, 2, …), ``region`` and the measured columns, in random order. The files are numbered from 1 on;
    ``folder``, and what is raised, as in `read`.
    """
    path = _find(f"sealed-{number}.parquet", folder, "labcourse sealed make")
    return _table(path, SEALED_MANIFEST, lambda said: {e["file"]: e["sha256"] for e in said["files"]}.get(path.name))


def acceptance(events: pd.DataFrame, folder: Path | str | None = None) -> pd.DataFrame:
    """Return for each mass (the index, GeV) what the selection keeps of the simulated signal, and what it cannot.

    Columns are ``selected``, the share of the decays to electrons and muons in the signal region, and ``near``, the
    share whose two b quarks are nearer than ΔR = 0.4, where their jets merge. The latter is in the manifest of the
    events of `read`, in the same folder; what is raised is as there.
    """
    import pandas as pd

    manifest = read_json(_find(samples.MANIFEST, folder, "labcourse simulate azh"))
    made = {one["sample"]: one for one in manifest["samples"]}
    near = [made[f"signal_{mass}"]["near_b_quarks"] / made[f"signal_{mass}"]["generated"] for mass in MASSES]
    inside = events[is_signal(events) & (events["region"] == "signal").to_numpy()]
    decays = SIGNAL_CROSS_SECTION * BR_Z * 1000 * LUMINOSITY
    selected = inside.groupby("m_a_true")["weight"].sum().reindex(MASSES).astype(float) / decays
    return pd.DataFrame({"selected": selected, "near": near}, index=list(MASSES))


def _find(name: str, folder: Path | str | None, command: str) -> Path:
    folders = [Path(folder)] if folder is not None else [place / FOLDER for place in settings.search_path()]
    path = next((place / name for place in folders if (place / name).is_file()), None)
    if path is None:
        raise MissingSample(
            f"{name} is not there.",
            where=str(folders[-1] / name),
            next_step=f"Restore it from the repository, or make it anew with `{command}`.",
        )
    return path


def _table(path: Path, manifest: str, expected: Callable[[Any], str | None]) -> pd.DataFrame:
    """Read a table, and make sure that it is the one that the manifest beside it describes, if there is one."""
    import pandas as pd

    where = {"where": str(path), "next_step": "Restore the file from the repository, or make it anew."}
    beside = path.with_name(manifest)
    try:
        if beside.is_file() and expected(read_json(beside)) != sha256(path):
            raise BadFile("The file is not the one that its manifest describes.", **where)
        return pd.read_parquet(path)
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:  # pyarrow's errors are among these
        raise BadFile(f"The file is damaged: {error}.", **where) from error


def is_signal(events: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which events are signal, shape (n_events,)."""
    return (events["process"] == "signal").to_numpy()


def in_first_half(events: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which events belong to the first half, shape (n_events,), by who they are.

    Simulated events are divided by ``run`` and ``event``, as in the course; events of an experiment, which have no
    ``run``, by whether ``event`` is odd: any rule that does not look at what was measured is good.
    """
    if "run" not in events:
        return events["event"].to_numpy() % 2 == 1
    return splitting.uniform(events, salt="half") < 0.5


def split(events: pd.DataFrame, *, swapped: bool = False) -> Parts:
    """Divide the events of the signal region: one half trains (and validates, a fifth of it), the other one tests.

    ``swapped`` exchanges the halves. So two networks can judge all events, each those that it has not seen (`cross`).
    """
    own = events[events["region"] == "signal"]
    is_first = in_first_half(own) ^ swapped
    return Parts(
        *splitting.validation_split(own[is_first], validation_fraction=0.2), own[~is_first].reset_index(drop=True)
    )


def of_masses(events: pd.DataFrame, masses: tuple[float, ...]) -> pd.DataFrame:
    """Return the signal of some masses (GeV), and all background.

    Raises
    ------
    EmptySelection
        If the table holds no signal of these masses, or no background.
    """
    signal = is_signal(events)
    wanted = signal & np.isin(events["m_a_true"].to_numpy(float), masses)
    if not wanted.any() or signal.all():
        of = ", ".join(f"{mass:g}" for mass in masses)
        raise EmptySelection(
            f"The table holds no {'background' if wanted.any() else f'signal of {of} GeV'}.",
            where="azh.events.of_masses",
            next_step=f"Simulated are {', '.join(map(str, MASSES))} GeV.",
        )
    return events[wanted | ~signal].reset_index(drop=True)


def at_mass(events: pd.DataFrame, mass: float) -> pd.DataFrame:
    """Return the signal of one mass (GeV) and all background, with the input ``m_a`` set to this mass.

    That is how a network is asked about a mass: background events have none of their own. Raises as `of_masses`.
    """
    return of_masses(events, (mass,)).assign(m_a=np.float32(mass))


def draw_masses(events: pd.DataFrame, masses: tuple[float, ...], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return ``m_a`` for a training: the true mass of signal events, a random one of ``masses`` for background.

    Were the background's mass fixed, or its distribution another than the signal's, the mass alone would tell
    one from the other (Baldi et al., arXiv:1601.07913).

    Returns
    -------
    ndarray, shape (n_events,)
    """
    drawn = rng.choice(np.asarray(masses, np.float32), len(events))
    return np.where(is_signal(events), events["m_a_true"].to_numpy(np.float32), drawn)


def identity(events: pd.DataFrame) -> NDArray[np.int64]:
    """Return a number for each row, shape (n_rows,), that rows of the same event share."""
    return (events["run"].to_numpy(np.int64) << 40) + events["event"].to_numpy(np.int64)
