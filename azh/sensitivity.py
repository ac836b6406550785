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

from labcourse import significance
from labcourse.errors import BadInput, EmptySelection

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[Any]
Ints = NDArray[Any]
N_BINS = 20
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


def histogram(
    score: NDArray[np.floating],
    label: NDArray[np.floating],
    weight: NDArray[np.floating],
    *,
    event: NDArray[np.integer] | None = None,
    edges: Floats | None = None,
) -> Binned:
    """Fill a score, in [0, 1], into bins, and merge those that have no positive background.

    Parameters
    ----------
    score, label, weight : ndarray, shape (n_rows,)
        A label is 1 for signal and 0 for background; weights may be negative.
    event : ndarray, shape (n_rows,), optional
        A number that rows of the same event share (`identity`): they fluctuate together. By default each row is an
        event of its own.
    edges : ndarray, optional
        20 bins of equal width by default.

    Raises
    ------
    BadInput
        If the shapes differ, a score or weight is not finite, or a score lies outside [0, 1].
    EmptySelection
        If signal or background has no events, or a sum of weights that is not positive.
    """
    score, label, weight = checked(score, label, weight)
    edges = np.linspace(0, 1, N_BINS + 1) if edges is None else np.asarray(edges, np.float64)
    event = np.arange(len(score)) if event is None else event
    place = bins(score, edges)
    signal, background = (_fill(place[label == y], weight[label == y], len(edges) - 1) for y in (1, 0))
    # The rows of an event in a bin are one entry with their summed weight.
    key, position = np.unique(np.stack([event[label == 0], place[label == 0]]), axis=1, return_inverse=True)
    variance = _fill(key[1], np.bincount(position.ravel(), weight[label == 0]) ** 2, len(edges) - 1)
    return _merged(Binned(edges, signal, background, variance))


def identity(events: pd.DataFrame) -> NDArray[np.int64]:
    """Return a number for each row, shape (n_rows,), that rows of the same event share."""
    return (events["run"].to_numpy(np.int64) << 40) + events["event"].to_numpy(np.int64)


def checked(*columns: NDArray[np.floating]) -> list[Floats]:
    """Return score, label and weight as they should be; raise as `histogram` otherwise."""
    where = "azh.sensitivity.histogram"
    score, label, weight = (np.asarray(column, np.float64) for column in columns)
    if not score.shape == label.shape == weight.shape or score.ndim != 1:
        raise BadInput(
            f"The shapes are {score.shape}, {label.shape} and {weight.shape}.",
            where=where,
            next_step="Give one score, label and weight per event.",
        )
    if not np.isfinite(weight).all() or not ((score >= 0) & (score <= 1)).all():
        raise BadInput(
            "A weight is not finite, or a score lies outside 0 to 1.", where=where, next_step="Look at the scores."
        )
    for name, mask in (("signal", label == 1), ("background", label == 0)):
        if not mask.any() or weight[mask].sum() <= 0:
            raise EmptySelection(
                f"The {name} has {int(mask.sum())} events and the sum of weights {weight[mask].sum():g}.",
                where=where,
                next_step="Use more events, or another mass.",
            )
    return [score, label, weight]


def bins(score: Floats, edges: Floats) -> Ints:
    """Return the bin of each score, the last edge included, shape (n_rows,)."""
    return np.clip(np.searchsorted(edges, score, side="right") - 1, 0, len(edges) - 2)


def _fill(place: Ints, weight: Floats, n_bins: int) -> Floats:
    return np.bincount(place, weight, minlength=n_bins)


def _merged(binned: Binned) -> Binned:
    """Merge bins from the highest score down until each has a positive background and no negative signal."""
    least = 1e-12 * binned.background.sum()
    rows: list[Floats] = []
    edges = [binned.edges[-1]]
    current = np.zeros(3)
    for index in range(len(binned.signal) - 1, -1, -1):
        current = current + [column[index] for column in binned[1:]]
        if current[1] > least and current[0] >= 0:
            rows.append(current)
            edges.append(binned.edges[index])
            current = np.zeros(3)
    # What is left at the lowest scores joins the bins above it until it is good, too; all together are positive.
    while rows and current.any():
        current = current + rows.pop()
        edges.pop()
        if current[1] > least and current[0] >= 0:
            rows.append(current)
            edges.append(binned.edges[0])
            current = np.zeros(3)
    edges[-1] = binned.edges[0]
    return Binned(np.array(edges[::-1]), *np.array(rows[::-1]).T)


def binned_significance(
    score: NDArray[np.floating],
    label: NDArray[np.floating],
    weight: NDArray[np.floating],
    *,
    event: NDArray[np.integer] | None = None,
    seed: int = 0,
    edges: Floats | None = None,
) -> Value:
    """Return the binned Asimov significance of signal and background normalised to one each, and its error.

    The error is the spread over bootstrap replicas of the events, each taken a Poisson number of times with all its
    rows. Replicas that are left without signal or background do not count.

    Parameters and errors are those of `histogram`.
    """
    value = asimov(histogram(score, label, weight, event=event, edges=edges))
    edges = np.linspace(0, 1, N_BINS + 1) if edges is None else np.asarray(edges, np.float64)
    score, label, weight = (np.asarray(column, np.float64) for column in (score, label, weight))
    n_bins = len(edges) - 1
    # Signal and background side by side, so that one count fills both.
    place = bins(score, edges) + n_bins * (label == 0)
    _, number = np.unique(np.arange(len(score)) if event is None else event, return_inverse=True)
    rng = np.random.default_rng(seed)
    replicas = []
    for _ in range(N_REPLICAS):
        times = rng.poisson(1.0, number.max() + 1)
        signal, background = _fill(place, weight * times[number], 2 * n_bins).reshape(2, n_bins)
        if signal.sum() > 0 and background.sum() > 0:
            nothing = np.zeros(n_bins)
            replicas.append(asimov(_merged(Binned(edges, signal, background, nothing))))
    return Value(value, float(np.std(replicas)))


def asimov(binned: Binned) -> float:
    """Return the significances of all bins in quadrature, signal and background normalised to one each."""
    s, b = binned.signal / binned.signal.sum(), binned.background / binned.background.sum()
    return float(np.sqrt(np.sum(significance.asimov(s, b) ** 2)))
