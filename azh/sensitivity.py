"""What a score is worth at a mass: the binned expected significance.

The *significance* is the published one: the score in 20 bins, signal and background each normalised to one, and
the Asimov significances of the bins in quadrature (arXiv:1007.1727, eq. 97). It compares models and masses; it is
no statement about an experiment. Bins that a formula cannot take:

=================================  ====================================================================
no signal in a bin                 contributes nothing
background empty, or its sum of    merged with the next bin towards lower scores until the sum is positive:
weights zero or negative           an accident of the simulation never counts as certainty
signal with a negative sum         merged likewise
=================================  ====================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from azh.events import is_signal
from labcourse import significance
from labcourse.errors import BadInput, EmptySelection

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[Any]
N_BINS = 20
EDGES = np.linspace(0, 1, N_BINS + 1)
N_REPLICAS = 200


class Binned(NamedTuple):
    """A score in bins: their edges, signal, background, and the background's variance (sums of squared weights)."""

    edges: Floats
    signal: Floats
    background: Floats
    background_variance: Floats


class Value(NamedTuple):
    """A number and the error that the simulation's statistics give it."""

    value: float
    error: float


def histogram(score: Floats, events: pd.DataFrame, *, edges: Floats | None = None) -> Binned:
    """Fill a score, in [0, 1], into bins, and merge those that have no positive background.

    Parameters
    ----------
    score : ndarray, shape (n_rows,)
    events : DataFrame
        Whose scores they are, signal and background, with their weights. Rows of one event fluctuate together.
    edges : ndarray, optional
        20 bins of equal width by default.

    Raises
    ------
    BadInput
        If there is another number of scores, a score or weight is not finite, or a score lies outside [0, 1].
    EmptySelection
        If signal or background has no events, or a sum of weights that is not positive.
    """
    score, signal, weight = scored(score, events)
    edges = EDGES if edges is None else edges
    place = bins(score, edges)
    # The rows of an event in a bin are one entry with their summed weight.
    rows = np.stack([identity(events)[~signal], place[~signal]])
    key, position = np.unique(rows, axis=1, return_inverse=True)
    variance = np.bincount(key[1], np.bincount(position.ravel(), weight[~signal]) ** 2, len(edges) - 1)
    s, b = (np.bincount(place[mask], weight[mask], len(edges) - 1) for mask in (signal, ~signal))
    return _merged(Binned(edges, s, b, variance))


def identity(events: pd.DataFrame) -> NDArray[np.int64]:
    """Return a number for each row, shape (n_rows,), that rows of the same event share."""
    return (events["run"].to_numpy(np.int64) << 40) + events["event"].to_numpy(np.int64)


def scored(score: Floats, events: pd.DataFrame) -> tuple[Floats, NDArray[np.bool_], Floats]:
    """Return the scores, which rows are signal, and the weights; raise as `histogram`."""
    where = "azh.sensitivity.histogram"
    score, weight = np.asarray(score, np.float64), events["weight"].to_numpy(np.float64)
    if score.shape != weight.shape or not (np.isfinite(weight) & (score >= 0) & (score <= 1)).all():
        raise BadInput(
            f"{len(events)} events have scores of shape {score.shape}, or a score or weight that cannot be.",
            where=where,
            next_step="Give each event one score, from 0 to 1, and a finite weight.",
        )
    signal = is_signal(events)
    for name, mask in (("signal", signal), ("background", ~signal)):
        if not mask.any() or weight[mask].sum() <= 0:
            raise EmptySelection(
                f"The {name} has {int(mask.sum())} events and the sum of weights {weight[mask].sum():g}.",
                where=where,
                next_step="Use more events, or another mass.",
            )
    return score, signal, weight


def bins(score: Floats, edges: Floats) -> Floats:
    """Return the bin of each score, the last edge included, shape (n_rows,)."""
    return np.clip(np.searchsorted(edges, score, side="right") - 1, 0, len(edges) - 2)


def _merged(binned: Binned) -> Binned:
    """Merge bins from the highest score down until each has a positive background and no negative signal."""
    least = 1e-12 * binned.background.sum()

    def is_good(row: Floats) -> bool:
        return bool(row[1] > least and row[0] >= 0)

    rows, edges, current = [], [binned.edges[-1]], np.zeros(3)
    for index in range(len(binned.signal) - 1, -1, -1):
        current = current + [column[index] for column in binned[1:]]
        if is_good(current):
            rows.append(current)
            edges.append(binned.edges[index])
            current = np.zeros(3)
    # What is left at the lowest scores joins the bins above it until it is good, too; all together are positive.
    rows[-1] = rows[-1] + current
    while not is_good(rows[-1]):
        rows[-2:] = [rows[-2] + rows[-1]]
        del edges[-2]
    edges[-1] = binned.edges[0]
    return Binned(np.array(edges[::-1]), *np.array(rows[::-1]).T)


def binned_significance(score: Floats, events: pd.DataFrame, *, seed: int = 0) -> Value:
    """Return the binned Asimov significance of signal and background normalised to one each, and its error.

    The error is the spread over bootstrap replicas of the events, each taken a Poisson number of times with all its
    rows. Replicas that are left without signal or background do not count.

    Parameters and errors are those of `histogram`.
    """
    value = asimov(histogram(score, events))
    score, is_background, weight = np.asarray(score, np.float64), ~is_signal(events), events["weight"].to_numpy(float)
    # Signal and background side by side, so that one count fills both.
    place = bins(score, EDGES) + N_BINS * is_background
    _, number = np.unique(identity(events), return_inverse=True)
    rng = np.random.default_rng(seed)
    replicas = []
    for _ in range(N_REPLICAS):
        times = rng.poisson(1.0, number.max() + 1)
        signal, background = np.bincount(place, weight * times[number], 2 * N_BINS).reshape(2, N_BINS)
        if signal.sum() > 0 and background.sum() > 0:
            replicas.append(asimov(_merged(Binned(EDGES, signal, background, np.zeros(N_BINS)))))
    return Value(value, float(np.std(replicas)))


def asimov(binned: Binned) -> float:
    """Return the significances of all bins in quadrature, signal and background normalised to one each."""
    s, b = binned.signal / binned.signal.sum(), binned.background / binned.background.sum()
    return float(np.sqrt(np.sum(significance.asimov(s, b) ** 2)))
