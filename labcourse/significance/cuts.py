"""The scan of a cut on the network's score, and the choice of the best cut."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labcourse.errors import BadInput, EmptySelection
from labcourse.significance.formulas import Array, Measure, asimov

TRUSTED = 25.0
"""Events of equal weight that a simulated background must be worth for `best` to trust it: known to 20 %."""


class Scan(NamedTuple):
    """Yields and significance for each cut: arrays of shape (n_cuts,), in the order of the cuts.

    ``signal`` and ``background`` are sums of weights (negative ones count negative) of events with
    score ≥ cut; their errors √Σw² are what the finite simulation allows (see ``groups`` in `scan`); ``raw_…``
    counts events.
    ``significance_error`` is the propagation of both errors.
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


class BestCut(NamedTuple):
    """One row of a `Scan`, with its ``position``."""

    position: int
    cut: float
    signal: float
    background: float
    signal_error: float
    background_error: float
    raw_signal: int
    raw_background: int
    significance: float
    significance_error: float


def scan(
    score: ArrayLike,
    label: ArrayLike,
    weight: ArrayLike,
    *,
    cuts: ArrayLike | None = None,
    n_cuts: int = 1000,
    measure: Measure = asimov,
    groups: ArrayLike | None = None,
) -> Scan:
    """Count signal and background above each cut, in one pass over the events.

    An event passes when ``score >= cut``. Each event is put between the two cuts where it belongs, and the
    contents are summed from the tightest cut down: the same counts as a mask for each cut, at the cost of one.

    Parameters
    ----------
    score, label, weight : array_like, shape (n,)
        Score (a number, larger for signal), label (1 signal, 0 background), weight in expected events.
    cuts : array_like, shape (n_cuts,), optional
        In any order. Without it, ``n_cuts`` evenly spaced ones from the lowest score to the highest.
    measure : callable
        Significance of (signal, background), both of shape (n_cuts,). With a background uncertainty of 10 %:
        ``measure=lambda s, b: asimov(s, b, sigma_b=0.1 * b)``.
    groups : array_like, shape (n,), optional
        The sample of each event. Above a tight cut no event of a sample may be left, and √Σw² calls its
        contribution exactly zero. Nobody knows that: n counted events leave a variance of n + 1 (that of the
        posterior for a flat prior). With groups, ``background_error`` holds one more event, of the mean size
        of a weight, for each background sample.

    Raises
    ------
    BadInput
        If there are no events or cuts, lengths differ, a value is NaN or infinite, or a label is neither 0 nor 1.

    Examples
    --------
    >>> result = scan([0.1, 0.4, 0.6, 0.9], [0, 1, 0, 1], [2.0, 0.5, 1.0, 0.5], cuts=[0.0, 0.5, 0.9])
    >>> result.signal, result.background
    (array([1. , 0.5, 0.5]), array([3., 1., 0.]))
    >>> result.raw_signal
    array([2, 1, 1])
    """
    scores, is_signal, weights = _events(score, label, weight)
    cut = _cuts(cuts, n_cuts, scores)
    order = np.argsort(cut, kind="stable")
    # Bin k of a class holds its events that pass the k lowest cuts and no further one.
    key = 2 * _passed(scores, cut[order]) + is_signal

    def above(values: NDArray[Any] | None) -> NDArray[Any]:
        bins = np.bincount(key, weights=values, minlength=2 * len(cut) + 2).reshape(-1, 2)
        totals = np.empty((len(cut), 2), dtype=bins.dtype)
        totals[order] = bins[::-1].cumsum(axis=0)[-2::-1]
        return totals.T

    raw_background, raw_signal = above(None)
    background, signal = above(weights)
    background_error, signal_error = np.sqrt(above(weights * weights))
    if groups is not None:
        background_error = np.hypot(background_error, _one_more_event(groups, is_signal, weights))
    # Subtracting weights in another order leaves dust of 1e-16; without events there is nothing.
    background, signal = np.where(raw_background > 0, background, 0.0), np.where(raw_signal > 0, signal, 0.0)
    z, error = _with_error(measure, signal, background, signal_error, background_error)
    return Scan(cut, signal, background, signal_error, background_error, raw_signal, raw_background, z, error)


def best(result: Scan, *, min_raw_background: int = 10, min_effective_background: float = TRUSTED) -> BestCut:
    """Return the cut of highest significance among those whose background is known well enough.

    A tight cut that by chance leaves three simulated background events looks splendid and means nothing. So
    cuts are considered only where at least ``min_raw_background`` events are left, and where they are worth
    ``min_effective_background`` events of equal weight, (Σw)²/Σw²: with 25 the background is known to 20 %.
    Scan with ``groups``, so that a sample of which nothing is left does not count as known to be zero.
    Cuts without a finite significance are left out. Of equals the loosest wins.

    The maximum of many fluctuating values is biased upwards: choose the cut on validation events and quote
    it on test events (`scan` with ``cuts=[best.cut]``).

    Raises
    ------
    EmptySelection
        If no cut is left to choose from.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> label = np.repeat([0, 1], 1000)
    >>> result = scan(rng.normal(2 * label), label, np.where(label, 0.01, 0.1), cuts=[0.0, 1.0, 2.0, 9.0])
    >>> best(result).cut
    1.0
    """
    usable = (
        np.isfinite(result.significance)
        & (result.background > 0)
        & (result.raw_background >= min_raw_background)
        & (result.effective_background >= min_effective_background)
    )
    if not usable.any():
        raise EmptySelection(
            "No cut leaves enough simulated background events to estimate the significance.",
            where=f"{len(result.cut)} cuts; at least {min_raw_background} events, worth {min_effective_background:g}",
            next_step="Scan looser cuts, use more events, or lower min_raw_background and min_effective_background.",
        )
    z = np.where(usable, result.significance, -np.inf)
    position = int(min(np.flatnonzero(z == z.max()), key=lambda i: result.cut[i]))
    return BestCut(position, *(column[position].item() for column in result))


def _one_more_event(groups: ArrayLike, is_signal: NDArray[np.bool_], weight: NDArray[np.float64]) -> float:
    """Return the quadratic sum over background groups of the mean size of a weight."""
    names = np.asarray(groups)
    if names.shape != weight.shape:
        raise BadInput(
            "Groups must be one value an event.",
            where=f"groups {names.shape}, weight {weight.shape}",
            next_step="Pass the column events['sample'] of the same events.",
        )
    names, size = names[~is_signal], np.abs(weight[~is_signal])
    return float(np.sqrt(sum(size[names == name].mean() ** 2 for name in dict.fromkeys(names.tolist()))))


def _with_error(measure: Measure, s: Array, b: Array, s_error: Array, b_error: Array) -> tuple[Array, Array]:
    """Return the significance and the propagated error of both yields, by central differences."""
    ok = b >= 0
    z, error = np.full((2, len(s)), np.nan)
    s, b, s_error, b_error = s[ok], b[ok], s_error[ok], b_error[ok]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        value = np.asarray(measure(s, b), dtype=np.float64)
        if value.shape != s.shape:
            raise BadInput(
                f"The measure returned shape {value.shape} for yields of shape {s.shape}.",
                where="measure",
                next_step="Give a function of (signal, background) that works on arrays.",
            )
        step_s, step_b = 1e-4 * (np.abs(s) + b), 1e-4 * b
        ds = (measure(s + step_s, b) - measure(s - step_s, b)) / (2 * step_s)
        db = (measure(s, b + step_b) - measure(s, b - step_b)) / (2 * step_b)
        z[ok], error[ok] = value, np.hypot(ds * s_error, db * b_error)
    return z, error


def _passed(score: NDArray[Any], cuts: NDArray[Any]) -> NDArray[np.int64]:
    """Return for each score how many of the ascending cuts it passes: `np.searchsorted`, ten times faster.

    A table of buckets gives the number of cuts that lie in lower buckets, and only cuts in the event's own
    bucket are compared. Multiplying and rounding keep the order of numbers, so this is exact.
    """
    low, span = float(cuts[0]), float(cuts[-1]) - float(cuts[0])
    n_buckets = 4 * len(cuts)
    scale = n_buckets / span if span > 0 else np.inf
    if not 0 < scale < np.inf:
        return np.searchsorted(cuts, score, side="right").astype(np.int64)

    def bucket(values: NDArray[Any]) -> NDArray[np.int64]:
        with np.errstate(over="ignore"):
            position = (values.astype(np.float64) - low) * scale
        return np.clip(position, 0, n_buckets, out=position).astype(np.int64)

    of_cut = bucket(cuts)
    rounds = int(np.bincount(of_cut).max())
    if rounds > 8:  # crowded cuts: the table does not help
        return np.searchsorted(cuts, score, side="right").astype(np.int64)
    passed = np.searchsorted(of_cut, np.arange(n_buckets + 1), side="left")[bucket(score)]
    padded = np.append(cuts, np.inf)
    for _ in range(rounds):
        passed += score >= padded[passed]
    return passed


def _events(
    score: ArrayLike, label: ArrayLike, weight: ArrayLike
) -> tuple[NDArray[Any], NDArray[np.bool_], NDArray[np.float64]]:
    scores, labels, weights = np.asarray(score), np.asarray(label), np.asarray(weight, dtype=np.float64)
    shapes = f"score {scores.shape}, label {labels.shape}, weight {weights.shape}"
    if scores.ndim != 1 or not scores.shape == labels.shape == weights.shape:
        raise BadInput(
            "Score, label and weight must be one value an event.",
            where=shapes,
            next_step="A prediction of shape (n, 1) becomes (n,) with .ravel().",
        )
    if not len(scores):
        raise BadInput("There are no events to scan.", where=shapes, next_step="Check the selection.")
    if not np.issubdtype(scores.dtype, np.floating):
        scores = scores.astype(np.float64)
    if not (np.isfinite(scores).all() and np.isfinite(weights).all()):
        raise BadInput("A score or a weight is not finite.", where=shapes, next_step="Look for NaN in the inputs.")
    is_signal = labels == 1
    if not (is_signal | (labels == 0)).all():
        raise BadInput("A label is neither 0 nor 1.", where="label", next_step="Use 1 for signal, 0 for background.")
    return scores, is_signal, weights


def _cuts(cuts: ArrayLike | None, n_cuts: int, score: NDArray[Any]) -> NDArray[Any]:
    if cuts is None:
        if n_cuts < 1:
            raise BadInput(f"A scan needs at least one cut, not {n_cuts}.", where="n_cuts")
        # In the precision of the score, so that comparing with a plain Python number later gives the same events.
        return np.linspace(score.min(), score.max(), n_cuts, dtype=np.float64).astype(score.dtype).astype(float)
    # NumPy compares an array as it is, but rounds plain numbers to the precision of the score: so do we.
    array = cuts if hasattr(cuts, "dtype") else np.asarray(cuts, dtype=score.dtype)
    array = np.atleast_1d(np.asarray(array, dtype=np.float64))
    if array.ndim != 1 or not len(array) or not np.isfinite(array).all():
        raise BadInput(
            "Cuts are a list of finite numbers.", where=f"cuts, shape {array.shape}", next_step="Give at least one."
        )
    return array
