"""Numbers that say how well a variable or a score separates, and whether two histograms have one shape.

Negative weights stay negative everywhere: a simulation that has them is right only with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labcourse import features
from labcourse.errors import BadInput, EmptySelection

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]


class Histogram(NamedTuple):
    """Bin contents (sums of weights), their errors √Σw², and the edges, one more than bins."""

    content: Array
    error: Array
    edges: Array


class Roc(NamedTuple):
    """Efficiencies from the tightest cut to the loosest, each an array, and the area under the curve."""

    background_efficiency: Array
    signal_efficiency: Array
    cut: Array
    auc: float


class ChiSquare(NamedTuple):
    """χ², its number of degrees of freedom, and the probability of a larger one (NaN if there is only one bin)."""

    value: float
    ndf: int
    p_value: float


def histogram(values: ArrayLike, weight: ArrayLike, edges: ArrayLike) -> Histogram:
    """Return the weighted histogram with errors.

    Examples
    --------
    >>> histogram([0.5, 0.6, 1.5], [1.0, 2.0, 3.0], [0, 1, 2]).content
    array([3., 3.])
    """
    values, edges = np.asarray(values, dtype=np.float64), np.asarray(edges, dtype=np.float64)
    weight = np.asarray(weight, dtype=np.float64)
    content, squares = (np.histogram(values, edges, weights=power)[0] for power in (weight, weight**2))
    return Histogram(content, np.sqrt(squares), edges)


def shapes(label: ArrayLike, values: Array, weight: Array, edges: ArrayLike) -> tuple[Histogram, Histogram]:
    """Return the histograms of signal and of background, each scaled to a sum of one over the bins.

    Raises
    ------
    EmptySelection
        If nothing of a class lies in the range, or its weights cancel.
    """
    both = []
    for own in (np.equal(label, 1), np.equal(label, 0)):
        content, error, edges = histogram(values[own], weight[own], edges)
        total = content.sum()
        if not total > 0:
            raise EmptySelection(
                f"Nothing to normalise: the weights between {edges[0]:g} and {edges[-1]:g} add up to {total:g}.",
                where="signal or background",
                next_step="Widen the range, and check that signal and background are both in the table.",
            )
        both.append(Histogram(content / total, error / total, edges))
    return both[0], both[1]


def separation(
    events: pd.DataFrame, name: str, *, bins: int | ArrayLike = 40, span: tuple[float, float] | None = None
) -> float:
    """Return the separation of signal and background in one variable, ⟨S²⟩ = ½ ∫ (s − b)² / (s + b).

    s and b are the two distributions, each normalised to one: 0 for the same shape, 1 without overlap. Every
    finite sample gives a little more than 0. (The definition is that of TMVA, arXiv:physics/0703039.)

    Parameters
    ----------
    events, name : DataFrame, str
        Simulated events, and a column of the table.
    bins, span :
        As for `numpy.histogram`.

    Raises
    ------
    EmptySelection, BadInput
        If a class has no events in the range, or the column does not exist or is not finite.
    """
    values = column(events, name)
    edges = np.histogram_bin_edges(values, bins, span)
    signal, background = shapes(*labelled(events, values), edges)
    total = signal.content + background.content
    filled = total > 0
    return float(0.5 * np.sum((signal.content - background.content)[filled] ** 2 / total[filled]))


def roc_curve(label: ArrayLike, score: ArrayLike, weight: ArrayLike) -> Roc:
    """Return the ROC curve of weighted events, with the area under it.

    Negative weights are kept: efficiencies are ratios of sums of weights, so the curve may step back a little
    where a negative event is added. The area is Σ wᵢ wⱼ [scoreᵢ > scoreⱼ] / (Σ wᵢ Σ wⱼ) over signal i and
    background j (half for equal scores), the unbiased estimate. Dropping them or taking |w| changes the mixture.

    Raises
    ------
    BadInput
        If the weights of a class do not add up to a positive number.

    Examples
    --------
    >>> roc_curve([0, 1, 0, 1], [0.1, 0.4, 0.6, 0.9], [1, 1, 1, 1]).auc
    0.75
    """
    y, s, w = np.asarray(label), np.asarray(score), np.asarray(weight, dtype=np.float64)
    order = np.argsort(-s, kind="stable")
    s, is_signal, w = s[order], y[order] == 1, w[order]
    last_of_equals = np.append(np.diff(s) != 0, True).nonzero()[0]
    sums = [np.append(0.0, np.cumsum(np.where(own, w, 0.0))[last_of_equals]) for own in (~is_signal, is_signal)]
    if not (sums[0][-1] > 0 and sums[1][-1] > 0):
        raise BadInput(
            "The weights of signal or background do not add up to a positive number.",
            where="roc_curve",
            next_step="Both classes are needed.",
        )
    fpr, tpr = (total / total[-1] for total in sums)
    return Roc(fpr, tpr, np.append(np.inf, s[last_of_equals]), float(np.trapezoid(tpr, fpr)))


def auc(events: pd.DataFrame, score: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Return the area under the ROC curve of simulated events, with their weights or the given ones (see `roc_curve`).

    Raises
    ------
    EmptySelection, BadInput
        If there is not one finite score and weight per event, or a class is missing.
    """
    return roc_curve(*labelled(events, score, weight)).auc


def chi_square(first: Histogram, second: Histogram, *, min_effective: float = 10.0) -> ChiSquare:
    r"""Compare the shapes of two weighted histograms of the same bins.

    With the contents :math:`a_i, b_i`, their variances :math:`\sum w^2`, and :math:`A = \sum a_i, B = \sum b_i`,

    .. math:: \chi^2 = \min_c \sum_i \frac{(a_i/A - b_i/B - c f_i)^2}{f_i\,(r_i^a/A + r_i^b/B)}

    where :math:`f_i` is the common shape, estimated from both, and :math:`r_i = \sum w^2 / \sum w` the size of a
    weight in bin i: a weighted content is taken as a scaled Poisson number (Bohm and Zech, NIM A 748 (2014) 1).
    The free :math:`c` is the constraint of the normalisation, so that ndf = bins − 1. For unweighted events this is
    Pearson's test of homogeneity, for weighted ones that of Gagunashvili (NIM A 614 (2010) 287; ``WW`` of ROOT's
    ``Chi2Test``) with variances from the common shape: those of a bin's own content are poor where it is small.
    Neighbouring bins are merged until in each ``min_effective`` effective events, (Σw)²/Σw², are expected.
    """
    from scipy.stats import chi2

    pair = [(content, error**2) for content, error, _ in (first, second)]
    # Expected from both together: going by what one of them holds would end bins where it fluctuates upwards.
    share = sum(np.maximum(content, 0) / np.maximum(content, 0).sum() for content, _ in pair) / 2
    starts, expected = [0], 0.0
    for i, more in enumerate(share * min(content.sum() ** 2 / variance.sum() for content, variance in pair)):
        if expected >= min_effective:
            starts.append(i)
            expected = 0.0
        expected += more
    if expected < min_effective and len(starts) > 1:
        starts.pop()
    ndf = len(starts) - 1
    if not ndf:
        return ChiSquare(0.0, 0, float("nan"))
    (a, va), (b, vb) = ((np.add.reduceat(content, starts), np.add.reduceat(v, starts)) for content, v in pair)
    # The best estimate of the common shape: each sample counts with the inverse of its relative variance.
    size_a, size_b = _weight_size(a, va, min_effective), _weight_size(b, vb, min_effective)
    inverse_a, inverse_b = a.sum() / size_a, b.sum() / size_b
    common = (a / size_a + b / size_b) / (inverse_a + inverse_b)
    variance = common * (1 / inverse_a + 1 / inverse_b)
    difference = a / a.sum() - b / b.sum()
    constraint = np.sum(difference * common / variance) / np.sum(common**2 / variance)
    value = float(np.sum((difference - constraint * common) ** 2 / variance))
    return ChiSquare(value, ndf, float(chi2.sf(value, ndf)))


def _weight_size(content: Array, variance: Array, min_effective: float) -> Array:
    """Return Σw²/Σw of each bin; that of the whole sample where a bin holds too little to tell."""
    whole = variance.sum() / content.sum()
    tells = (content > 0) & (content**2 >= min_effective / 2 * variance) & (variance > 0)
    return np.where(tells, variance / np.where(tells, content, 1.0), whole)


def labelled(
    events: pd.DataFrame, score: ArrayLike, weight: ArrayLike | None = None
) -> tuple[NDArray[np.float32], Array, Array]:
    """Return label, score, and weight (the given one or that of the table), each of shape (n_events,) and checked."""
    weight = events["weight"] if weight is None else weight
    return features.labels(events), per_event(events, score), per_event(events, weight)


def column(events: pd.DataFrame, name: str) -> Array:
    """Return one column of an event table, shape (n_events,), checked as by `per_event`."""
    if name not in events:
        raise BadInput(
            f"The event table has no column {name}.",
            where="events",
            next_step=f"Its columns are {', '.join(map(str, events.columns))}.",
        )
    return per_event(events, events[name], name)


def per_event(events: pd.DataFrame, values: ArrayLike, name: str = "score or weight") -> Array:
    """Return one number per event as float64 of shape (n_events,); (n_events, 1), as Keras predicts, is accepted.

    Raises
    ------
    EmptySelection
        If there are no events.
    BadInput
        If there is not one finite number per event.
    """
    if not len(events):
        raise EmptySelection("There are no events.", where=name, next_step="Check the selection before.")
    array = np.asarray(values, dtype=np.float64)
    if array.shape not in {(len(events),), (len(events), 1)} or not np.isfinite(array).all():
        raise BadInput(
            f"Expected one finite number for each of {len(events)} events. Received shape {array.shape}.",
            where=name,
            next_step="Take the numbers from the same table, and look for NaN.",
        )
    return array.reshape(-1)
