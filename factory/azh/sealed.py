"""Pseudo-data of the search: events as an experiment would record them, which may hide an A or not.

They are drawn from backgrounds that are independent of the bundle's (`production.simulate`), and from a signal of a
mass that is not among its masses. What a *sealed* file hides follows from its number and a key by a hash: no file says.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from azh.events import LUMINOSITY, MASSES, MEASURED, SEALED_MANIFEST, SIGNAL_CROSS_SECTION, identity, read_sealed
from factory.azh import processes
from factory.azh.generation import INDEPENDENT, make_chunk
from factory.azh.production import INDEPENDENT_FILE, assemble, write_table
from factory.chunks import Chunk
from labcourse.errors import BadInput, MissingSample
from labcourse.files import atomic_write, read_json, sha256

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

FILES = 4
"""Sealed files."""
_EVENTS = 10_000
"""Events of a signal."""
# These three decide what the files hide: whoever changes them has to make the files anew.
_BANDS = ((340, 560), (560, 950), (950, 1500))
"""Masses that are hidden (GeV), one file each; the file that is left hides nothing."""
_STRENGTHS = (2.0, 3.5, 5.0)
"""About how many standard deviations the signals are, in another order."""
_TWO_SIGMA = (300, 500, 650, 850, 1100, 1500), (0.127, 0.030, 0.0155, 0.0078, 0.0062, 0.0058)
"""Masses (GeV), and cross-sections (pb) of about two standard deviations."""


class Hidden(NamedTuple):
    """The A of a file: its mass (GeV), and its cross-section times branching ratios (pb) as of the bundle's signal."""

    mass: int
    cross_section: float


def hidden(number: int, key: str) -> Hidden | None:
    """Return what the file of a number (from 1 on) hides, None for no signal."""
    rng = np.random.default_rng(_number(key))
    order, strengths = rng.permutation(FILES), rng.permutation(_STRENGTHS) * rng.uniform(0.85, 1.15, len(_STRENGTHS))
    masses = [rng.choice([mass for mass in range(*band, 10) if mass not in MASSES]) for band in _BANDS]
    band = order[number - 1]
    if band == len(_BANDS):
        return None
    two_sigma = np.exp(np.interp(masses[band], _TWO_SIGMA[0], np.log(_TWO_SIGMA[1])))
    return Hidden(int(masses[band]), float(f"{strengths[band] / 2 * two_sigma:.2g}"))


def reveal(number: int, key: str, folder: Path) -> Hidden | None:
    """Return what a file of a folder hides.

    Raises BadInput for a wrong key, MissingSample and BadFile as `azh.read_sealed`.
    """
    read_sealed(number, folder)
    if read_json(folder / SEALED_MANIFEST)["key"] != _digest("check", key)[:8]:
        advice = "Give the phrase that the files were made with."
        raise BadInput("The file was not sealed with this key.", where=str(folder), next_step=advice)
    return hidden(number, key)


def read(folder: Path) -> pd.DataFrame:
    """Read the independent backgrounds. Raises MissingSample where there are none."""
    import pandas as pd

    if not (folder / INDEPENDENT_FILE).is_file():
        raise MissingSample(
            "The independent backgrounds are not there.",
            where=str(folder / INDEPENDENT_FILE),
            next_step=f"Make them: labcourse simulate azh --independent --out {folder}",
        )
    return pd.read_parquet(folder / INDEPENDENT_FILE)


def signal(mass: int, *, seed: int) -> pd.DataFrame:
    """Simulate the signal of any mass (GeV), in some seconds: a table like the independent backgrounds, for 0.05 pb."""
    chunk = Chunk(processes.signal(mass).name, 0, seed, INDEPENDENT, _EVENTS)
    return assemble({chunk.sample: [make_chunk(chunk)]}, seed=seed, independent=True)


def pseudo_data(
    background: pd.DataFrame,
    signal: pd.DataFrame | None = None,
    *,
    cross_section: float = 0.0,
    seed: int,
    once: bool = False,
) -> pd.DataFrame:
    """Draw the events that an experiment with 139 fb⁻¹ might record.

    Parameters
    ----------
    background, signal : DataFrame
        Independent events with weights, the signal's for 0.05 pb.
    cross_section : float
        Of the signal that is there (pb).
    seed : int
        Another seed is another experiment.
    once : bool
        By default each row is there a Poisson number of times, so that every bin is Poisson around these events. With
        ``once`` an event is there at most once, in one of its rows, with the probability of their weight: no two
        recorded events are alike, and over other simulations every bin is Poisson. (What events of more than one
        expected event lack is shared out among all.)

    Returns
    -------
    DataFrame
        ``event`` (1, 2, …), ``region`` and the measured inputs, in random order.
    """
    import pandas as pd

    rng = np.random.default_rng(seed)
    tables = [background]
    if signal is not None:
        tables.append(signal.assign(weight=signal["weight"] * (cross_section / SIGNAL_CROSS_SECTION)))
    events = pd.concat(tables, ignore_index=True)
    weight = events["weight"].to_numpy(np.float64)
    chosen = _once(events, weight, rng) if once else np.repeat(np.arange(len(weight)), rng.poisson(weight))
    drawn = events.loc[rng.permutation(chosen), ["region", *MEASURED]].reset_index(drop=True)
    drawn.insert(0, "event", np.arange(1, len(drawn) + 1))
    return drawn


def _once(events: pd.DataFrame, weight: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the rows that are drawn, shape (n_drawn,): one of each event that is there."""
    _, number = np.unique(identity(events), return_inverse=True)
    together = np.argsort(number, kind="stable")
    total = np.bincount(number, weight)
    light = np.minimum(total, 1)
    is_there = rng.random(len(total)) < light * total.sum() / light.sum()
    # A place below the weights of all rows, one after another, event by event.
    place = np.cumsum(total) - total * rng.uniform(0, 1, len(total))
    return together[np.searchsorted(np.cumsum(weight[together]), place[is_there])]


def write(background: pd.DataFrame, folder: Path, key: str) -> Path:
    """Write the sealed files and their manifest, whose path is returned. Raises StorageError, SimulationError."""
    entries = []
    for number in range(1, FILES + 1):
        seed = _number(key, number)
        found = hidden(number, key)
        of_a = signal(found.mass, seed=seed) if found else None
        strength = found.cross_section if found else 0.0
        drawn = pseudo_data(background, of_a, cross_section=strength, seed=seed, once=True)
        path = folder / _name(number)
        write_table(drawn, path)
        entries.append(
            {"file": path.name, "size": path.stat().st_size, "sha256": sha256(path), "luminosity": LUMINOSITY}
        )
    said = "Events as an experiment would record them, simulated for this course. No event of ATLAS is among them."
    content = {"simulated": True, "description": said, "files": entries, "key": _digest("check", key)[:8]}
    text = json.dumps(content, indent=1) + "\n"
    atomic_write(folder / SEALED_MANIFEST, lambda temporary: temporary.write_text(text, "utf-8"))
    return folder / SEALED_MANIFEST


def _name(number: int) -> str:
    return f"sealed-{number}.parquet"


def _digest(*words: object) -> str:
    return hashlib.sha256(" ".join(str(word).strip() for word in words).encode()).hexdigest()


def _number(*words: object) -> int:
    return int(_digest(*words)[:15], 16)
