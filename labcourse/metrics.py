"""Numbers that say how well a variable or a score separates signal and background.

Negative weights stay negative everywhere: a simulation that has them is right only with them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from labcourse import features
from labcourse.errors import BadInput, EmptySelection

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


def histogram(values: ArrayLike, weight: ArrayLike, edges: ArrayLike) -> Histogram:
    """Return the weighted histogram with errors.

    Examples
    --------
    >>> histogram([0.5, 0.6, 1.5], [1.0, 2.0, 3.0], [0, 1, 2]).content
    array([3., 3.])
    """
    values, weight, edges = (np.asarray(given, dtype=np.float64) for given in (values, weight, edges))
    content, squares = (np.histogram(values, edges, weights=power)[0] for power in (weight, weight**2))
    return Histogram(content, np.sqrt(squares), edges)


def shapes(label: ArrayLike, values: Array, weight: Array, edges: ArrayLike) -> tuple[Histogram, Histogram]:
    """Return the histograms of signal and of background, each scaled to a sum of one over the bins.

    Raises EmptySelection if nothing of a class lies in the range, or its weights cancel.
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

    ``name`` is a column of a table of simulated events; ``bins`` and ``span`` are those of `numpy.histogram`. Raises
    EmptySelection if a class has no events in the range, and as `column`.
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

    Raises BadInput if the weights of a class do not add up to a positive number.

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
        what = "The weights of signal or background do not add up to a positive number."
        raise BadInput(what, where="roc_curve", next_step="Both classes are needed.")
    fpr, tpr = (total / total[-1] for total in sums)
    return Roc(fpr, tpr, np.append(np.inf, s[last_of_equals]), float(np.trapezoid(tpr, fpr)))


def auc(events: pd.DataFrame, score: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Return the area under the ROC curve of simulated events, with their weights or the given ones (see `roc_curve`).

    Raises as `per_event`, and BadInput if a class is missing.
    """
    return roc_curve(*labelled(events, score, weight)).auc


def labelled(
    events: pd.DataFrame, score: ArrayLike, weight: ArrayLike | None = None
) -> tuple[NDArray[np.float32], Array, Array]:
    """Return label, score, and weight (the given one or that of the table), each of shape (n_events,) and checked."""
    weight = events["weight"] if weight is None else weight
    return features.labels(events), per_event(events, score), per_event(events, weight)


def column(events: pd.DataFrame, name: str) -> Array:
    """Return one column of an event table, shape (n_events,); raises BadInput if it is missing, and as `per_event`."""
    features.check_columns(events, [name], "events")
    return per_event(events, events[name], name)


def per_event(events: pd.DataFrame, values: ArrayLike, name: str = "score or weight") -> Array:
    """Return one number per event as float64 of shape (n_events,); (n_events, 1), as Keras predicts, is accepted.

    Raises EmptySelection if there are no events, and BadInput if there is not one finite number per event.
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
