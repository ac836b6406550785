"""The numbers behind the plots: weighted histograms, separation, ROC curve, intervals, comparison of shapes.

Negative weights stay negative everywhere: a simulation that has them is right only with them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labcourse.errors import BadInput, EmptySelection

Array = NDArray[np.float64]


class Histogram(NamedTuple):
    """Bin contents (sums of weights), their errors √Σw², and the edges, one more than bins."""

    content: Array
    error: Array
    edges: Array


class Separation(NamedTuple):
    """``value`` between 0 (same shape) and 1 (no overlap), and ``noise``, what fluctuations alone would give."""

    value: float
    noise: float


class Roc(NamedTuple):
    """Efficiencies from the tightest cut to the loosest, each an array, and the area under the curve."""

    background_efficiency: Array
    signal_efficiency: Array
    cut: Array
    auc: float


def histogram(values: ArrayLike, weight: ArrayLike, edges: ArrayLike) -> Histogram:
    """Return the weighted histogram with errors.

    Examples
    --------
    >>> histogram([0.5, 0.6, 1.5], [1.0, 2.0, 3.0], [0, 1, 2]).content
    array([3., 3.])
    """
    values, edges = np.asarray(values, dtype=np.float64), np.asarray(edges, dtype=np.float64)
    weight = np.asarray(weight, dtype=np.float64)
    content, _ = np.histogram(values, edges, weights=weight)
    squares, _ = np.histogram(values, edges, weights=weight**2)
    return Histogram(content, np.sqrt(squares), edges)


def shape(values: ArrayLike, weight: ArrayLike, edges: ArrayLike) -> Histogram:
    """Return the histogram scaled to a sum of one over the bins drawn.

    Raises
    ------
    EmptySelection
        If nothing lies in the range, or the weights cancel.
    """
    content, error, edges = histogram(values, weight, edges)
    total = content.sum()
    if not total > 0:
        raise EmptySelection(
            f"Nothing to normalise: the weights between {edges[0]:g} and {edges[-1]:g} add up to {total:g}.",
            where="plotting",
            next_step="Widen the range, and check that signal and background are both in the table.",
        )
    return Histogram(content / total, error / total, edges)


def separation_of(signal: Histogram, background: Histogram) -> Separation:
    """Return the separation of two normalised histograms of the same edges."""
    total = signal.content + background.content
    filled = total > 0
    difference = (signal.content - background.content)[filled]
    variance = (signal.error**2 + background.error**2)[filled]
    value = 0.5 * np.sum(difference**2 / total[filled])
    return Separation(float(value), float(0.5 * np.sum(variance / total[filled])))


def roc_curve(label: ArrayLike, score: ArrayLike, weight: ArrayLike) -> Roc:
    """Return the ROC curve of weighted events, with the area under it.

    Negative weights are kept: efficiencies are ratios of sums of weights, so the curve may step back a little
    where a negative event is added. The area is Σ wᵢ wⱼ [scoreᵢ > scoreⱼ] / (Σ wᵢ Σ wⱼ) over signal i and
    background j (half for equal scores), the unbiased estimate. Dropping them or taking |w| changes the mixture.

    Raises
    ------
    BadInput
        If shapes differ, or the weights of a class do not add up to a positive number.

    Examples
    --------
    >>> roc_curve([0, 1, 0, 1], [0.1, 0.4, 0.6, 0.9], [1, 1, 1, 1]).auc
    0.75
    """
    y, s, w = np.asarray(label), np.asarray(score), np.asarray(weight, dtype=np.float64)
    if s.ndim != 1 or not y.shape == s.shape == w.shape:
        raise BadInput(f"Expected one label, score and weight an event. Received {y.shape}, {s.shape}, {w.shape}.")
    order = np.argsort(-s, kind="stable")
    s, signal, w = s[order], y[order] == 1, w[order]
    last_of_equals = np.append(np.flatnonzero(np.diff(s)), len(s) - 1) if len(s) else np.zeros(0, int)
    efficiencies = []
    for name, mask in (("background", ~signal), ("signal", signal)):
        total = np.cumsum(np.where(mask, w, 0.0))[last_of_equals]
        if not (len(total) and total[-1] > 0):
            raise BadInput(
                f"The weights of the {name} do not add up to a positive number.",
                where="roc_curve",
                next_step="Both classes are needed.",
            )
        efficiencies.append(np.append(0.0, total / total[-1]))
    fpr, tpr = efficiencies
    return Roc(fpr, tpr, np.append(np.inf, s[last_of_equals]), float(np.trapezoid(tpr, fpr)))


def poisson_interval(n: ArrayLike) -> tuple[Array, Array]:
    """Return the ends of the central 68.3 % interval of a Poisson mean after counting n (Garwood 1936).

    Examples
    --------
    >>> low, high = poisson_interval([0, 4])
    >>> low.round(2), high.round(2)
    (array([0.  , 2.09]), array([1.84, 7.16]))
    """
    from scipy import special  # takes a third of a second to import

    count = np.asarray(n, dtype=np.float64)
    if np.any(count < 0):
        raise BadInput("A count cannot be negative.", where="poisson_interval")
    tail = special.ndtr(-1.0)
    low = np.where(count > 0, special.gammaincinv(np.maximum(count, 1e-9), tail), 0.0)
    return low, special.gammaincinv(count + 1, 1 - tail)
