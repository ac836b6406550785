"""Event weights: what they are worth, and how to balance them for a training."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from labcourse.errors import BadInput


def balance(weight: ArrayLike, label: ArrayLike) -> NDArray[np.float32]:
    """Return weights for a training in which signal and background count the same.

    The absolute values are scaled so that both classes have the same sum and the mean over all events is
    one. A mean of one keeps the learning rate's meaning: the gradient has its usual size.

    Raises BadInput if the shapes differ, a label is neither 0 nor 1, or the weights of a class vanish.

    Parameters
    ----------
    weight, label : array_like, shape (n_events,)
        Event weights; negative ones count with their absolute value. The label is 1 for signal, 0 for background.

    Examples
    --------
    >>> balance([1.0, 1.0, 3.0, -1.0], [1, 1, 0, 0])
    array([1. , 1. , 1.5, 0.5], dtype=float32)
    """
    size = np.abs(np.asarray(weight, np.float64))
    label = np.asarray(label)
    if size.ndim != 1 or label.shape != size.shape or not np.isin(label, (0, 1)).all():
        raise BadInput(
            f"Expected one weight and one label, 0 or 1, per event. Received shapes {size.shape} and {label.shape}.",
            where="weights.balance",
            next_step="Pass two one-dimensional arrays of the same length; use 1 for signal, 0 for background.",
        )
    balanced = np.empty_like(size)
    for value, name in ((1, "signal"), (0, "background")):
        members = label == value
        total = size[members].sum()
        if not np.isfinite(total) or total == 0:
            raise BadInput(
                f"The weights of the {name} add up to {total}.",
                where="weights.balance",
                next_step="Both classes need events, with finite weights that are not all zero.",
            )
        balanced[members] = size[members] * (len(size) / (2 * total))
    return balanced.astype(np.float32)


def effective_number(weight: ArrayLike) -> float:
    """Number of unweighted events with the same relative statistical error, (Σw)² / Σw² (Kish 1965).

    Examples
    --------
    >>> effective_number([2.0, 2.0, 2.0])
    3.0
    >>> effective_number([1.0, 1.0, -1.0])
    0.3333333333333333
    """
    weight = np.asarray(weight, np.float64)
    squares = np.square(weight).sum()
    return float(weight.sum() ** 2 / squares) if squares else 0.0


def negative_fraction(weight: ArrayLike) -> float:
    """Share of the events whose weight is negative; 0 for no events."""
    weight = np.asarray(weight)
    return float(np.mean(weight < 0)) if weight.size else 0.0


def one_more(weight: ArrayLike, sample: ArrayLike) -> float:
    """Return the error of a yield that is left where √Σw² says 0: one more event of each sample, of its mean |w|.

    Nobody knows that a sample of which no event passes contributes exactly zero: n counted events leave a variance of
    n + 1 (that of the posterior for a flat prior). Both are of shape (n_events,).
    """
    sizes = pd.Series(np.abs(weight)).groupby(np.asarray(sample)).mean()
    return float(np.sqrt((sizes**2).sum()))


def match_yields(part: pd.DataFrame, whole: pd.DataFrame) -> pd.DataFrame:
    """Scale the weights of a part of the events so that each sample predicts the yield of the whole again.

    Test events are only some of the simulated events. Scaled up, sample by sample, they stand for the full luminosity.

    Raises BadInput if a sample of ``whole`` has no event in ``part``, or its weights there add up to zero.

    Both are event tables with the columns ``sample`` and ``weight``; ``part`` holds some events of ``whole``. Returned
    is a copy of it with the scaled weights (float32).
    """
    sums = part["weight"].astype(np.float64).groupby(part["sample"], observed=True).sum()
    totals = whole["weight"].astype(np.float64).groupby(whole["sample"], observed=True).sum()
    lost = [str(name) for name in totals.index if sums.get(name, 0.0) == 0.0]
    if lost:
        raise BadInput(
            f"The part holds no events (or weights that add up to zero) of {', '.join(lost)}.",
            where="weights.match_yields",
            next_step="Take a larger part: it has to represent every sample.",
        )
    factor = part["sample"].astype(object).map((totals / sums).to_dict()).to_numpy(np.float64)
    return part.assign(weight=(part["weight"].to_numpy(np.float64) * factor).astype(np.float32))
