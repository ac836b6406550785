"""What a classifier is worth at a mass: the significance that is expected for a stated cross-section.

The score is divided into bins that hold *equal parts of the signal*, so that a score can be stretched or squeezed and
nothing changes. From the highest score down, bins are merged until the simulation knows the background of each well
enough: an accident of the simulation never counts as certainty. The Asimov significances of the bins (arXiv:1007.1727,
eq. 97, with the statistical error of the simulated background) are added in quadrature.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import poisson

from azh.events import MASSES, at_mass, identity, is_signal
from labcourse import significance
from labcourse.errors import BadInput

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[Any]
Classifier = Callable[["pd.DataFrame"], NDArray[np.floating]]

N_BINS = 10
"""Bins of equal signal, before those with little simulated background are merged."""
MAX_RELATIVE_ERROR = 0.3
"""Of the background of a bin, by the simulation's statistics."""


def reference(mass: float) -> float:
    """Return the cross-section (pb) that significances are stated for: 0.05 pb at 500 GeV, falling as 1/m².

    A choice of this course, and no prediction: about what 139 fb⁻¹ could begin to see, up to 1200 GeV.
    """
    return 0.05 * (500 / mass) ** 2


class Significance(NamedTuple):
    """An expected significance, and what it is in bootstrap replicas of the events, shape (n_replicas,).

    Replicas of the same events and seed are paired: compare two classifiers by the differences of theirs.
    """

    mass: float
    value: float
    replicas: Floats

    @property
    def error(self) -> float:
        """The error that the simulation's statistics give it."""
        return float(np.std(self.replicas))


def significances(
    classify: Classifier,
    events: pd.DataFrame,
    masses: Iterable[float] = MASSES,
    *,
    scale: float = 1.0,
    replicas: int = 200,
    seed: int = 0,
) -> list[Significance]:
    """Return the expected significance at each mass, for the cross-section `reference` and 139 fb⁻¹.

    Parameters
    ----------
    events : DataFrame
        Of the signal region, that the classifier was not trained with.
    scale : float
        Factor of all weights: 2 where the events are half of those that were simulated.
    replicas : int
        Of the events, for the error; none take the least time.

    Raises
    ------
    EmptySelection
        If there is no signal of a mass, or no background.
    BadInput
        If a score is not finite.
    """
    found = []
    for mass in masses:
        table = at_mass(events, mass)
        factor = scale * np.where(is_signal(table), reference(mass) / 0.05, 1)
        found.append(
            Significance(mass, *_significance(np.asarray(classify(table), float), table, factor, replicas, seed))
        )
    return found


def _significance(
    score: Floats, events: pd.DataFrame, factor: Floats, replicas: int, seed: int
) -> tuple[float, Floats]:
    signal, weight = is_signal(events), events["weight"].to_numpy(np.float64) * factor
    if score.shape != weight.shape or not np.isfinite(score).all():
        raise BadInput(
            f"{len(events)} events have scores of shape {score.shape}, or one that is not finite.",
            where="azh.sensitivity.significances",
            next_step="A classifier returns one number per event.",
        )
    edges = np.quantile(score[signal], np.arange(1, N_BINS) / N_BINS, method="higher")
    place = np.searchsorted(edges, score, side="right")
    own, counterpart = place[signal], place[~signal]
    # Rows of one event in a bin are one entry with their summed weight.
    _, number = np.unique(identity(events), return_inverse=True)
    keys, entry = np.unique(number[~signal] * N_BINS + counterpart, return_inverse=True)
    square = np.bincount(entry.ravel(), weight[~signal]) ** 2
    variance = np.bincount(keys % N_BINS, square, N_BINS)
    starts, missing, missing_variance = precise_bins(np.bincount(counterpart, weight[~signal], N_BINS), variance)
    error = np.sqrt(np.add.reduceat(variance, starts) + missing_variance)

    def total(s: Floats, b: Floats) -> Floats:
        merged = [np.add.reduceat(yields, starts, axis=-1) for yields in (s, b)]
        background = np.maximum(merged[1], 0) + missing
        return np.sqrt(np.sum(significance.asimov(merged[0], background, error) ** 2, axis=-1))

    s, b = (np.bincount(bins, weight[mask], N_BINS) for bins, mask in ((own, signal), (counterpart, ~signal)))
    # The lowest bin, with nearly all the background, does not fluctuate as far as the others go.
    rng = np.random.default_rng(seed)
    times = _POISSON[rng.integers(0, 2**16, (replicas, number.max() + 1), dtype=np.uint16)]
    drawn = np.empty((2, replicas, N_BINS))
    drawn[0, :, 0], drawn[1, :, 0] = s[0], b[0]
    for i, of_process in enumerate((signal, ~signal)):
        for index in range(1, N_BINS):
            rows = of_process & (place == index)
            drawn[i, :, index] = times[:, number[rows]] @ weight[rows]
    return float(total(s, b)), total(*drawn)


_POISSON = np.searchsorted(poisson.cdf(np.arange(12), 1), (np.arange(2**16) + 0.5) / 2**16).astype(np.uint8)
"""Numbers that follow Poisson with a mean of one, for the bits of a random 16-bit number: quick to draw by millions."""


def precise_bins(expected: Floats, variance: Floats) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Merge bins from the top until the background of each is known well enough.

    A simulated event stands for ``unit`` = Σw²/Σw expected ones. Where the simulation has none, one may still come: no
    bin expects less than a unit, or with a smaller error. Above the lowest bin one is left, however little is known.

    Parameters
    ----------
    expected, variance : ndarray, shape (n_bins,)
        Of all background, bins by rising score.

    Returns
    -------
    starts : ndarray, shape (n_merged,)
        Where merged bins begin, the first at 0.
    missing, missing_variance : ndarray, shape (n_merged,)
        What they lack to a unit.
    """
    unit = float(variance.sum() / expected.sum())
    starts, b, v = [0], 0.0, 0.0
    for index in range(len(expected) - 1, 0, -1):
        b, v = b + expected[index], v + variance[index]
        if (b >= unit and max(v, unit**2) <= (MAX_RELATIVE_ERROR * b) ** 2) or index == 1:
            starts.append(index)
            b, v = 0.0, 0.0
    starts.sort()
    merged = [np.add.reduceat(column, starts) for column in (expected, variance)]
    return np.array(starts), np.maximum(unit - merged[0], 0), np.maximum(unit**2 - merged[1], 0)
