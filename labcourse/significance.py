"""How significant is an excess? Formulas for one count, and the scan of a cut.

Numbers of events are expected events (sums of weights). All formulas take floats or arrays and broadcast.

=================  ===========================================================================
no signal          the significance is 0
no background      infinite with signal, as every event then is a discovery; 0 if ``sigma_b > 0``,
                   as nothing is then known about the background
negative           a negative sum of background weights is no expectation: the result is NaN, so that
background         one bad point does not end a scan
deficit            fewer events than the background: negative significance
=================  ===========================================================================

References: G. Cowan, K. Cranmer, E. Gross, O. Vitells, Eur. Phys. J. C 71 (2011) 1554 (arXiv:1007.1727); with an
uncertain background: T.-P. Li and Y.-Q. Ma, Astrophys. J. 272 (1983) 317, and G. Cowan, "Discovery sensitivity
for a counting experiment with background uncertainty" (2012).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from labcourse.errors import BadInput, EmptySelection

Array = NDArray[np.float64]
Measure = Callable[[Array, Array], Any]
"""Any function of expected signal and background that returns a significance: `simple`, `asimov`, your own."""
TRUSTED = 25.0
"""Events of equal weight that a simulated background must be worth for `best` to trust it: known to 20 %."""


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


def asimov(s: ArrayLike, b: ArrayLike, sigma_b: ArrayLike = 0.0) -> Any:
    """Return the median significance expected for a discovery, by the profile likelihood of one counting experiment.

    With a known background (arXiv:1007.1727, eq. 97)::

        Z = √( 2 [ (s+b) ln(1 + s/b) − s ] )

    which tends to s/√b for s ≪ b and is smaller otherwise. With a background known to ± ``sigma_b`` it is the
    extension by Cowan and Li-Ma, which tends to s/√(b + sigma_b²) for s ≪ b. It is `observed` with exactly
    s + b events counted.

    All are in events, ``sigma_b`` is the absolute uncertainty of b.

    Examples
    --------
    >>> round(float(asimov(9.7, 10)), 3)
    2.705
    >>> round(float(asimov(9.7, 10, sigma_b=2)), 3)
    2.201
    >>> round(float(asimov(9.7, 0)), 3)
    inf
    """
    return _counting(np.asarray(s, dtype=np.float64), b, sigma_b)


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
    return _counting(np.asarray(n, dtype=np.float64) - np.asarray(b, dtype=np.float64), b, sigma_b)


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
        The sample of each event. Above a tight cut no event of a sample may be left, and √Σw² calls its
        contribution exactly zero. Nobody knows that: n counted events leave a variance of n + 1 (that of the
        posterior for a flat prior). With groups, ``background_error`` holds one more event, of the mean size
        of a weight, for each background sample.

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
        names, size = names[~is_signal], np.abs(weights[~is_signal])
        one_more = sum(size[names == name].mean() ** 2 for name in dict.fromkeys(names.tolist()))
        background_error = np.sqrt(background_error**2 + one_more)
    z, error = _with_error(measure, signal, background, signal_error, background_error)
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


def _counting(excess: Array, b: ArrayLike, sigma_b: ArrayLike) -> Any:
    """Return the signed significance of n = b + excess events.

    Cowan's formula is a difference of large logarithms. It equals the sum of two deviances, both of them
    positive: of n from the fitted background b̂ and of the control region from the same (u = sigma²/b,
    b̂ = (b + u·n)/(1 + u)). Written so, nothing cancels.
    """
    b, sigma = np.asarray(b, dtype=np.float64), np.asarray(sigma_b, dtype=np.float64)
    n = b + excess
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        u = sigma / b * sigma
        fitted = (b + u * n) / (1 + u)
        main = fitted * _deviance(excess / (b + u * n))
        # Below 1e-100 the second term is far under rounding, and dividing by u would overflow.
        control = np.where(u > 1e-100, fitted / u * _deviance(-u * excess / (b + u * n)), 0.0)
        z = np.sign(excess) * np.sqrt(2 * (main + control))
    empty = np.where((sigma > 0) | (excess < 0), 0.0, np.inf)
    z = np.where(excess == 0, 0.0, np.where(b == 0, empty, z))
    return np.where((b < 0) | (n < 0), np.nan, z)[()]


def _deviance(x: Array) -> Array:
    """Return (1+x) ln(1+x) − x for x ≥ −1; for small x by its series, as the two terms cancel."""
    series = np.zeros_like(x)
    for k in range(9, 1, -1):
        series = series * -x + 1 / (k * (k - 1))
    return np.where(np.abs(x) < 1e-2, x * x * series, special.xlog1py(1 + x, x) - x)


def _with_error(measure: Measure, s: Array, b: Array, s_error: Array, b_error: Array) -> tuple[Array, Array]:
    """Return the significance and the propagated error of both yields, by central differences."""
    ok = b >= 0
    z, error = np.full((2, len(s)), np.nan)
    s, b, s_error, b_error = s[ok], b[ok], s_error[ok], b_error[ok]
    step_s, step_b = 1e-4 * (np.abs(s) + b), 1e-4 * b
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        z[ok] = measure(s, b)
        ds = (measure(s + step_s, b) - measure(s - step_s, b)) / (2 * step_s)
        db = (measure(s, b + step_b) - measure(s, b - step_b)) / (2 * step_b)
        error[ok] = np.hypot(ds * s_error, db * b_error)
    return z, error
