"""How significant is an excess? Measures of one count (`asimov` is in `labcourse.counting`), and the scan of a cut."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labcourse.counting import TRUSTED as TRUSTED
from labcourse.counting import Array, Measure, excess, with_error
from labcourse.counting import asimov as asimov
from labcourse.errors import BadInput, EmptySelection
from labcourse.weights import one_more


def simple(s: ArrayLike, b: ArrayLike) -> Any:
    """Return s/√b, the expected significance of s signal events in the limit of many background events b.

    Examples
    --------
    >>> float(simple(9.7, 10))
    3.067...
    >>> simple([1, 0, 1], [4, 0, -1])
    array([0.5, 0. , nan])
    """
    signal, background = np.asarray(s, dtype=np.float64), np.asarray(b, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(signal == 0, 0.0, signal / np.sqrt(background))
    return np.where(background < 0, np.nan, z)[()]


def observed(n: ArrayLike, b: ArrayLike, sigma_b: ArrayLike = 0.0) -> Any:
    """Return the significance of n counted events over an expected background b ± sigma_b.

    The square root of the likelihood-ratio statistic for discovery, signed: negative when fewer events than
    the background were counted. The uncertainty is described by a control region that would count
    b²/sigma_b² events, whose Poisson error is then the wanted one (Li and Ma 1983).

    ``n`` need not be whole, so that expectations can be put in; where it is negative, Z is NaN.

    Examples
    --------
    >>> round(float(observed(20, 10)), 2)
    2.78
    >>> round(float(observed(20, 10, sigma_b=3)), 2)
    1.9
    >>> round(float(observed(5, 10)), 2)
    -1.75
    """
    return excess(np.asarray(n, dtype=np.float64) - np.asarray(b, dtype=np.float64), b, sigma_b)


class Scan(NamedTuple):
    """Yields and significance for each cut: arrays of shape (n_cuts,), in the order of the cuts; numbers for one cut.

    ``signal`` and ``background`` are sums of weights (negative ones count negative) of events with
    score ≥ cut; their errors √Σw² are what the finite simulation allows (see ``groups`` in `scan`); ``raw_…``
    counts events. ``significance_error`` is the propagation of both errors.
    """

    cut: Array
    signal: Array
    background: Array
    signal_error: Array
    background_error: Array
    raw_signal: NDArray[np.int64]
    raw_background: NDArray[np.int64]
    significance: Array
    significance_error: Array

    @property
    def effective_background(self) -> Array:
        """What the simulated background above each cut is worth, in events of equal weight: (Σw)²/Σw²."""
        b = np.maximum(self.background, 0.0)
        return np.divide(b, self.background_error, out=np.zeros_like(b), where=self.background_error > 0) ** 2


def scan(
    score: ArrayLike,
    label: ArrayLike,
    weight: ArrayLike,
    *,
    cuts: ArrayLike | None = None,
    measure: Measure = asimov,
    groups: ArrayLike | None = None,
) -> Scan:
    """Count signal and background above each cut: an event passes when ``score >= cut``.

    The events are sorted once, by falling score. Those that pass a cut are then the first ones of the list, and
    what lies between two cuts is added once: the same counts as a mask for each cut, at the cost of a few.

    Raises BadInput if there are no events or cuts, lengths differ, a value is NaN or infinite, or a label is neither 0
    nor 1.

    Parameters
    ----------
    score, label, weight : array_like, shape (n,)
        Score (a number, larger for signal), label (1 signal, 0 background), weight in expected events.
    cuts : array_like, shape (n_cuts,), optional
        In any order. Without it, a thousand evenly spaced ones from the lowest score to the highest.
    measure : callable
        Significance of (signal, background), both of shape (n_cuts,). With a background uncertainty of 10 %:
        ``measure=lambda s, b: asimov(s, b, sigma_b=0.1 * b)``.
    groups : array_like, shape (n,), optional
        The sample of each event. With groups, ``background_error`` holds `weights.one_more` event for each background
        sample: above a tight cut none of it may be left.

    Examples
    --------
    >>> result = scan([0.1, 0.4, 0.6, 0.9], [0, 1, 0, 1], [2.0, 0.5, 1.0, 0.5], cuts=[0.0, 0.5, 0.9])
    >>> result.signal, result.background
    (array([1. , 0.5, 0.5]), array([3., 1., 0.]))
    """
    scores, labels, weights = np.asarray(score), np.asarray(label), np.asarray(weight, dtype=np.float64)
    names = labels if groups is None else np.asarray(groups)
    if not np.issubdtype(scores.dtype, np.floating):
        scores = scores.astype(np.float64)
    if not (scores.ndim == 1 and len(scores) and scores.shape == labels.shape == weights.shape == names.shape):
        raise BadInput(
            "Expected at least one event, and of each one score, label and weight (and group).",
            where=f"score {scores.shape}, label {labels.shape}, weight {weights.shape}, groups {names.shape}",
            next_step="A prediction of shape (n, 1) becomes (n,) with .ravel().",
        )
    if cuts is None:
        cuts = np.linspace(scores.min(), scores.max(), 1000, dtype=np.float64).astype(scores.dtype)
    # NumPy compares an array as it is, but rounds plain numbers to the precision of the score: so do we.
    cut = np.asarray(cuts if hasattr(cuts, "dtype") else np.asarray(cuts, dtype=scores.dtype), dtype=np.float64)
    is_signal = labels == 1
    finite = all(np.isfinite(values).all() for values in (scores, weights, cut))
    if not (finite and cut.ndim == 1 and len(cut) and (is_signal | (labels == 0)).all()):
        raise BadInput(
            "A score, weight or cut is not finite, a label is neither 0 nor 1, or there is no cut.",
            where="significance.scan",
            next_step="Look for NaN in what is handed over.",
        )
    order = np.argsort(scores)
    passed = len(scores) - np.searchsorted(scores[order], cut)
    falling, of_signal = weights[order[::-1]], is_signal[order[::-1]]
    ends, place = np.unique(np.append(0, passed), return_inverse=True)

    def above(values: NDArray[Any]) -> NDArray[Any]:
        """Return for each cut the sum over the events that pass, shape (n_cuts,); added up from cut to cut."""
        between = np.add.reduceat(values[: ends[-1]], ends[:-1])
        return np.append(np.zeros(1, values.dtype), np.cumsum(between))[place[1:]]

    raw_signal = above(of_signal.astype(np.int64))
    raw_background = passed - raw_signal
    signal, background = above(falling * of_signal), above(falling * ~of_signal)
    signal_error, background_error = np.sqrt([above(falling**2 * own) for own in (of_signal, ~of_signal)])
    if groups is not None:
        background_error = np.hypot(background_error, one_more(weights[~is_signal], names[~is_signal]))
    z, error = with_error(measure, signal, background, signal_error, background_error)
    return Scan(cut, signal, background, signal_error, background_error, raw_signal, raw_background, z, error)


def best(result: Scan, *, min_effective_background: float = TRUSTED) -> Scan:
    """Return the row of a scan with the highest significance where the background is known well enough.

    A tight cut that by chance leaves three simulated background events looks splendid and means nothing. So
    cuts are considered only where the background is worth ``min_effective_background`` events of equal weight,
    (Σw)²/Σw², which is never more than there are: with 25 the background is known to 20 %. Scan with ``groups``,
    so that a sample of which nothing is left does not count as known to be zero. Cuts without a finite
    significance are left out. Of equals the loosest wins.

    The maximum of many fluctuating values is biased upwards: choose the cut on validation events and quote
    it on test events (`scan` with ``cuts=[best.cut]``).

    Raises EmptySelection if no cut is left to choose from.
    """
    usable = np.isfinite(result.significance) & (result.effective_background >= min_effective_background)
    if not usable.any():
        raise EmptySelection(
            "No cut leaves enough simulated background events to estimate the significance.",
            where=f"{len(result.cut)} cuts; they should be worth {min_effective_background:g} events of equal weight",
            next_step="Scan looser cuts, use more events, or lower min_effective_background.",
        )
    z = np.where(usable, result.significance, -np.inf)
    position = min(np.flatnonzero(z == z.max()), key=lambda i: result.cut[i])
    return Scan(*(column[position].item() for column in result))
