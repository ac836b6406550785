"""Event weights: what they are worth, and how to balance them for a training."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labcourse.errors import BadInput


def balance(weight: ArrayLike, label: ArrayLike) -> NDArray[np.float32]:
    """Return weights for a training in which signal and background count the same.

    The absolute values are scaled so that both classes have the same sum and the mean over all events is
    one. A mean of one keeps the learning rate's meaning: the gradient has its usual size.

    Parameters
    ----------
    weight : array_like, shape (n_events,)
        Event weights; negative ones count with their absolute value.
    label : array_like, shape (n_events,)
        1 for signal, 0 for background.

    Raises
    ------
    BadInput
        If the shapes differ, a label is neither 0 nor 1, or the weights of a class vanish.

    Examples
    --------
    >>> balance([1.0, 1.0, 3.0, -1.0], [1, 1, 0, 0])
    array([1. , 1. , 1.5, 0.5], dtype=float32)
    """
    size = np.abs(np.asarray(weight, np.float64))
    label = np.asarray(label)
    if size.ndim != 1 or label.shape != size.shape:
        raise BadInput(
            f"Expected one weight and one label an event. Received shapes {size.shape} and {label.shape}.",
            where="weights.balance",
            next_step="Pass two one-dimensional arrays of the same length.",
        )
    if not np.isin(label, (0, 1)).all():
        raise BadInput(
            "A label is neither 0 nor 1.",
            where="weights.balance",
            next_step="Use 1 for signal, 0 for background.",
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


def scale_to(weight: ArrayLike, total: float) -> NDArray[np.float64]:
    """Scale weights so that they add up to ``total``.

    A test sample holds only a part of the events; scaled to the expected yield of all, it predicts the full
    luminosity again.

    Raises
    ------
    BadInput
        If the weights add up to zero.
    """
    weight = np.asarray(weight, np.float64)
    if weight.sum() == 0:
        raise BadInput("The weights add up to zero.", where="weights.scale_to", next_step="Check that events are left.")
    return weight * (total / weight.sum())
