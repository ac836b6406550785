"""Figures that a simulation has to meet: quantiles of real samples, channel shares, the Higgs peak of the release.

All preselected events of one sample are counted, whatever their weights: the figures say what its file holds. The sum
of all simulation is weighted, as it has to be, and so is the peak. (The two-sample tests use the weights, and allow for
repeated events: see `repeats`.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from factory.validation import repeats
from factory.validation.compare import CONTROL, Loaded, Pair, values_of
from factory.validation.two_sample import Array, quantiles
from labcourse import ntuple, selection

if TYPE_CHECKING:
    import pandas as pd

PROBABILITIES = (0.05, 0.25, 0.50, 0.75, 0.95)
QUANTILE_VARIABLES = ("m_llll", *ntuple.LEPTON_PT)
QUANTILE_TOLERANCE = 0.10
"""Relative."""
SHARE_TOLERANCE = 0.03
"""Three percentage points."""
PEAK_WINDOW = (110.0, 135.0)
PEAK = {0.16: 120.5, 0.50: 123.8, 0.84: 126.2}
"""Quantiles of the four-lepton mass in `PEAK_WINDOW`, in GeV, after preselection, of the release's samples of gluon
fusion and vector-boson fusion (ATLAS Open Data 2020, DSID 345060, 344235). Final-state radiation makes the low tail."""
PEAK_TOLERANCE = 0.4
PEAK_SAMPLES = ("ggH125_ZZ4lep", "VBFH125_ZZ4lep")
N_SIGMA = 3.0
"""A few hundred real events do not fix a quantile to ten percent: this many statistical errors are allowed at least."""
N_REPETITIONS = 100


class Target(NamedTuple):
    """One figure: simulated and real value with their statistical errors, and how far apart they may be."""

    sample: str
    quantity: str
    simulated: float
    error: float
    real: float
    real_error: float
    tolerance: float
    is_met: bool


def targets(loaded: Loaded) -> list[Target]:
    """Return all target figures: quantiles and channel shares of each pair, the mass peak of the signal samples."""
    found: list[Target] = []
    for pair in loaded.pairs:
        if pair.sample == CONTROL:
            continue
        if pair.sample != "data":
            pair = Pair(pair.sample, pair.real.assign(weight=1.0), pair.simulated.assign(weight=1.0))
        found += [*_quantiles(pair), *_shares(pair)]
    for name in PEAK_SAMPLES:
        if name in loaded.signals:
            found += _peak(name, loaded.signals[name])
    return found


def _quantiles(pair: Pair) -> Iterator[Target]:
    for variable in QUANTILE_VARIABLES:
        columns: list[Array] = []
        for events in (pair.simulated, pair.real):
            values = values_of(events, variable).content
            columns += _with_errors(events, partial(quantiles, values, PROBABILITIES))
        for p, *figures in zip(PROBABILITIES, *columns, strict=True):
            yield _target(pair.sample, f"{variable} {p:.0%}", figures, QUANTILE_TOLERANCE * figures[2])


def _shares(pair: Pair) -> Iterator[Target]:
    columns: list[Array] = []
    for events in (pair.simulated, pair.real):
        members = np.stack([selection.channel(events) == channel for channel in selection.CHANNELS.values()])
        columns += _with_errors(events, partial(_share, members))
    for channel, *figures in zip(selection.CHANNELS.values(), *columns, strict=True):
        yield _target(pair.sample, f"share of {channel}", figures, SHARE_TOLERANCE)


def _peak(name: str, events: pd.DataFrame) -> Iterator[Target]:
    mass, weight = (events[column].to_numpy(np.float64) for column in ("m_llll", "weight"))
    inside = (mass > PEAK_WINDOW[0]) & (mass < PEAK_WINDOW[1])
    simulated, error = quantiles(mass[inside], list(PEAK), weight[inside])
    for (p, real), *figures in zip(PEAK.items(), simulated, error, strict=True):
        yield _target(name, f"peak {p:.0%}", [*figures, real, 0.0], PEAK_TOLERANCE)


def _share(members: NDArray[np.bool_], weight: Array) -> tuple[Array, Array]:
    """Shares of groups of events in the sum of weights, and their errors √Σw²(member − share)² / Σw."""
    share = members @ weight / weight.sum()
    return share, np.sqrt((members - share[:, None]) ** 2 @ weight**2) / weight.sum()


def _with_errors(events: pd.DataFrame, figures: Callable[[Array], tuple[Array, Array]]) -> tuple[Array, Array]:
    """Figures that depend on the weights, and their statistical errors.

    Where events share leptons with others, the errors are the spread over repetitions in which each group of such
    events counts a Poisson number of times, of mean one (bootstrap of clusters; Field and Welsh, J. R. Stat. Soc. B
    69 (2007) 369).
    """
    weight, group = events["weight"].to_numpy(np.float64), events["group"].to_numpy()
    values, errors = figures(weight)
    if not repeats.independent(group).all():
        rng = np.random.default_rng(2024)
        multiples = rng.poisson(1.0, (N_REPETITIONS, group.max() + 1))[:, group]
        errors = np.std([figures(weight * times)[0] for times in multiples], axis=0)
    return values, errors


def _target(sample: str, quantity: str, figures: Sequence[float], tolerance: float) -> Target:
    simulated, error, real, real_error = (float(figure) for figure in figures)
    allowed = float(max(tolerance, N_SIGMA * np.hypot(error, real_error)))
    return Target(sample, quantity, simulated, error, real, real_error, allowed, abs(simulated - real) <= allowed)
