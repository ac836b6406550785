"""Counting experiments: how significant is s + b events over an expected background b?

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
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Array = NDArray[np.float64]
Measure = Callable[[Array, Array], Any]
"""Any function of expected signal and background that returns a significance: `simple`, `asimov`, your own."""
TRUSTED = 25.0
"""Events of equal weight that a simulated background must be worth to be trusted: known to 20 %."""


def asimov(s: ArrayLike, b: ArrayLike, sigma_b: ArrayLike = 0.0) -> Any:
    """Return the median significance expected for a discovery, by the profile likelihood of one counting experiment.

    With a known background (arXiv:1007.1727, eq. 97)::

        Z = √( 2 [ (s+b) ln(1 + s/b) − s ] )

    which tends to s/√b for s ≪ b and is smaller otherwise. With a background known to ± ``sigma_b`` it is the
    extension by Cowan and Li-Ma, which tends to s/√(b + sigma_b²) for s ≪ b. It is the significance of exactly
    s + b counted events.

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
    return excess(s, b, sigma_b)


def excess(s: ArrayLike, b: ArrayLike, sigma_b: ArrayLike) -> Any:
    """Return the signed significance of n = b + s events.

    Cowan's formula is a difference of large logarithms. It equals the sum of two deviances, both of them
    positive: of n from the fitted background b̂ and of the control region from the same (u = sigma²/b,
    b̂ = (b + u·n)/(1 + u)). Written so, nothing cancels.
    """
    s, b, sigma = (np.asarray(given, dtype=np.float64) for given in (s, b, sigma_b))
    n = b + s
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        u = sigma / b * sigma
        fitted = (b + u * n) / (1 + u)
        main = fitted * _deviance(s / (b + u * n))
        # Below 1e-100 the second term is far under rounding, and dividing by u would overflow.
        control = np.where(u > 1e-100, fitted / u * _deviance(-u * s / (b + u * n)), 0.0)
        z = np.sign(s) * np.sqrt(2 * (main + control))
    empty = np.where((sigma > 0) | (s < 0), 0.0, np.inf)
    z = np.where(s == 0, 0.0, np.where(b == 0, empty, z))
    return np.where((b < 0) | (n < 0), np.nan, z)[()]


def with_error(measure: Measure, s: Any, b: Any, s_error: Any, b_error: Any) -> tuple[Array, Array]:
    """Return the significance and the propagated error of both yields, by central differences."""
    step_s, step_b = 1e-4 * (np.abs(s) + b), 1e-4 * b
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        z = measure(s, b)
        ds = (measure(s + step_s, b) - measure(s - step_s, b)) / (2 * step_s)
        db = (measure(s, b + step_b) - measure(s, b - step_b)) / (2 * step_b)
        error = np.hypot(ds * s_error, db * b_error)
    return np.where(b < 0, np.nan, z), np.where(b < 0, np.nan, error)


def _deviance(x: Array) -> Array:
    """Return (1+x) ln(1+x) − x for x ≥ −1; for small x by its series, as the two terms cancel."""
    series = np.zeros_like(x)
    for k in range(9, 1, -1):
        series = series * -x + 1 / (k * (k - 1))
    return np.where(np.abs(x) < 1e-2, x * x * series, special.xlog1py(1 + x, x) - x)
