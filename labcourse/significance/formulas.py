"""Formulas: expected and observed significance of one counting experiment.

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

from labcourse.errors import BadInput

Array = NDArray[np.float64]
Measure = Callable[[Array, Array], Any]
"""Any function of expected signal and background that returns a significance: `simple`, `asimov`, your own."""


def simple(s: ArrayLike, b: ArrayLike) -> Any:
    """Return s/√b, the expected significance in the limit of many background events.

    Parameters
    ----------
    s, b : array_like
        Expected signal and background events.

    Raises
    ------
    BadInput
        If a value is NaN or infinite or the shapes do not fit together.

    Examples
    --------
    >>> float(simple(9.7, 10))
    3.067...
    >>> simple([1, 0, 1], [4, 0, -1])
    array([0.5, 0. , nan])
    """
    signal, background = _arrays(s=s, b=b)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(signal == 0, 0.0, signal / np.sqrt(background))
    return _result(np.where(background < 0, np.nan, z))


def asimov(s: ArrayLike, b: ArrayLike, sigma_b: ArrayLike = 0.0) -> Any:
    """Return the median significance expected for a discovery, by the profile likelihood of one counting experiment.

    With a known background (arXiv:1007.1727, eq. 97)::

        Z = √( 2 [ (s+b) ln(1 + s/b) − s ] )

    which tends to s/√b for s ≪ b and is smaller otherwise. With a background known to ± ``sigma_b`` it is the
    extension by Cowan and Li-Ma, which tends to s/√(b + sigma_b²) for s ≪ b. It is `observed` with exactly
    s + b events counted.

    Parameters
    ----------
    s, b : array_like
        Expected signal and background events.
    sigma_b : array_like
        Absolute uncertainty of b, in events.

    Raises
    ------
    BadInput
        If a value is NaN or infinite, ``sigma_b`` is negative, or the shapes do not fit together.

    Examples
    --------
    >>> round(float(asimov(9.7, 10)), 3)
    2.705
    >>> round(float(asimov(9.7, 10, sigma_b=2)), 3)
    2.201
    >>> round(float(asimov(9.7, 0)), 3)
    inf
    """
    signal, background, sigma = _arrays(s=s, b=b, sigma_b=sigma_b)
    return _result(_counting(signal, background, sigma))


def observed(n: ArrayLike, b: ArrayLike, sigma_b: ArrayLike = 0.0) -> Any:
    """Return the significance of n counted events over an expected background b ± sigma_b.

    The square root of the likelihood-ratio statistic for discovery, signed: negative when fewer events than
    the background were counted. The uncertainty is described by a control region that would count
    b²/sigma_b² events, whose Poisson error is then the wanted one (Li and Ma 1983).

    Parameters
    ----------
    n : array_like
        Counted events, not negative. It need not be whole, so that expectations can be put in.
    b, sigma_b : array_like
        Expected background events and their absolute uncertainty.

    Raises
    ------
    BadInput
        If a value is NaN or infinite, ``n`` or ``sigma_b`` is negative, or the shapes do not fit together.

    Examples
    --------
    >>> round(float(observed(20, 10)), 2)
    2.78
    >>> round(float(observed(20, 10, sigma_b=3)), 2)
    1.9
    >>> round(float(observed(5, 10)), 2)
    -1.75
    """
    count, background, sigma = _arrays(n=n, b=b, sigma_b=sigma_b)
    if np.any(count < 0):
        raise BadInput("A number of counted events cannot be negative.", where="n", next_step="Count events.")
    return _result(_counting(count - background, background, sigma))


def p_value(z: ArrayLike) -> Any:
    """Return the one-sided p-value of a significance: the area of a unit Gaussian above ``z``.

    Examples
    --------
    >>> float(p_value(5.0))
    2.866...e-07
    >>> float(p_value(0.0))
    0.5
    """
    (value,) = _arrays(finite=False, z=z)
    return _result(special.ndtr(-value))


def z_value(p: ArrayLike) -> Any:
    """Return the significance of a one-sided p-value, the inverse of `p_value`.

    Raises
    ------
    BadInput
        If a p-value lies outside 0 … 1.

    Examples
    --------
    >>> round(float(z_value(0.00135)), 2)
    3.0
    """
    (value,) = _arrays(p=p)
    if np.any((value < 0) | (value > 1)):
        raise BadInput("A p-value lies between 0 and 1.", where="p", next_step="Check what was handed over.")
    return _result(-special.ndtri(value))


def ideal(signal: float, background_left: float = 10.0, *, measure: Measure = simple) -> float:
    """Return the significance of a perfect cut: it keeps all the signal and leaves ``background_left`` events.

    No score can do away with the ZZ events that lie under the Higgs peak; about ten is what they amount to.

    Examples
    --------
    >>> round(ideal(9.7), 2)
    3.07
    """
    return float(measure(np.asarray(signal, dtype=float), np.asarray(background_left, dtype=float)))


def _counting(excess: Array, b: Array, sigma: Array) -> Array:
    """Return the signed significance of n = b + excess events.

    Cowan's formula is a difference of large logarithms. It equals the sum of two deviances, both of them
    positive: of n from the fitted background b̂ and of the control region from the same (u = sigma²/b,
    b̂ = (b + u·n)/(1 + u)). Written so, nothing cancels.
    """
    n = b + excess
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        u = sigma / b * sigma
        fitted = (b + u * n) / (1 + u)
        main = fitted * _deviance(excess / (b + u * n))
        # Below 1e-100 the second term is far under rounding, and dividing by u would overflow.
        control = np.where(u > 1e-100, fitted / u * _deviance(-u * excess / (b + u * n)), 0.0)
        z = np.sign(excess) * np.sqrt(2 * (main + control))
    empty = np.where(sigma > 0, 0.0, np.where(excess > 0, np.inf, 0.0))
    z = np.where((excess == 0) | (b == 0), np.where(excess == 0, 0.0, empty), z)
    return np.where((b < 0) | (n < 0), np.nan, z)


def _deviance(x: Array) -> Array:
    """Return (1+x) ln(1+x) − x for x ≥ −1; for small x by its series, as the two terms cancel."""
    series = np.zeros_like(x)
    for k in range(9, 1, -1):
        series = series * -x + 1 / (k * (k - 1))
    return np.where(np.abs(x) < 1e-2, x * x * series, special.xlog1py(1 + x, x) - x)


def _arrays(*, finite: bool = True, **values: ArrayLike) -> tuple[Array, ...]:
    """Return the named arguments as float arrays of one shape."""
    arrays = []
    for name, value in values.items():
        try:
            array = np.asarray(value, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise BadInput(f"{name} is not a number or an array of numbers.", where=name) from error
        if np.isnan(array).any() or (finite and np.isinf(array).any()):
            raise BadInput(
                f"{name} holds a value that is not finite.", where=name, next_step="Look for NaN in the yields."
            )
        if name == "sigma_b" and np.any(array < 0):
            raise BadInput("An uncertainty cannot be negative.", where=name, next_step="Take its absolute value.")
        arrays.append(array)
    try:
        return tuple(np.broadcast_arrays(*arrays))
    except ValueError as error:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in zip(values, arrays, strict=True))
        raise BadInput(
            "The shapes do not fit together.", where=shapes, next_step="Give arrays of one shape, or single numbers."
        ) from error


def _result(z: Array) -> Any:
    """Return a number for numbers and an array for arrays, as NumPy functions do."""
    return z[()]
