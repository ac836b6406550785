"""What fits say: the significance of an excess, and upper limits, by formulae and by toys.

Test statistics and their asymptotic distributions are those of G. Cowan et al., Eur. Phys. J. C 71 (2011) 1554
(arXiv:1007.1727), with CLs (A. L. Read, J. Phys. G 28 (2002) 2693).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize
from scipy.stats import norm

from azh.fits import NONE, Fit, Likelihood
from labcourse.errors import BadInput

Floats = NDArray[Any]
LEVEL = 0.05
"""1 − confidence level of all limits."""


class Band(NamedTuple):
    """Upper limits on mu at 95 % that background alone would give: the median, and 1 and 2 standard deviations."""

    minus_2: float
    minus_1: float
    median: float
    plus_1: float
    plus_2: float


def discovery(likelihood: Likelihood, data: ArrayLike, *, centre: Floats | None = None) -> Floats:
    """Return the significance √q₀ of each data set, shape (n,): 0 where the best signal is none (eq. 12 and 52)."""
    free, none = likelihood.fit(data, centre=centre), likelihood.fit(data, hold=NONE, centre=centre)
    return np.sqrt(np.maximum(none.deviance - free.deviance, 0))


def expected_band(likelihood: Likelihood, *, background: Floats | None = None) -> Band:
    """Return the limits that background alone would give, by the asymptotic formula (section 4.3).

    Parameters
    ----------
    background : ndarray, shape (n_parameters,), optional
        Parameters of the background, for example of a fit to data; by default what the model says.
    """
    root_q = _asimov_root(likelihood, background)
    targets = [float(norm.isf(LEVEL * norm.cdf(n)) + n) for n in (-2, -1, 0, 1, 2)]
    start = _reach(likelihood)

    def limit(target: float) -> float:
        return _crossing(lambda mu: target - root_q(mu), start)

    return Band(*map(limit, targets))


def upper_limit(likelihood: Likelihood, data: ArrayLike) -> float:
    """Return the observed upper limit on mu at 95 % (CLs, asymptotic) of one data set, shape (n_bins,)."""
    free, none = likelihood.fit(data), likelihood.fit(data, hold=NONE)
    root_q = _asimov_root(likelihood, none.parameters[0])

    def above(mu: float) -> float:
        q = tilde(likelihood, np.atleast_2d(data), free, mu)
        return float(np.log(cls(q, root_q(mu) ** 2)[0] / LEVEL))

    return _crossing(above, _reach(likelihood))


def cls(q: ArrayLike, q_asimov: ArrayLike) -> Floats:
    """Return CLs for values of q̃ and its value for the background's expectation, asymptotically (eq. 65 and 66)."""
    root, root_a = np.sqrt(q), np.sqrt(q_asimov)
    with np.errstate(divide="ignore", invalid="ignore"):
        far = (np.square(root) + np.square(root_a)) / (2 * root_a), (np.square(root) - np.square(root_a)) / (2 * root_a)
    near = root <= root_a
    both = norm.logsf(np.where(near, root, far[0]))
    background = np.where(near, norm.logcdf(root_a - root), norm.logsf(far[1]))
    return np.exp(both - background)


def tilde(likelihood: Likelihood, data: Floats, free: Fit, mu: float, *, centre: Floats | None = None) -> Floats:
    """Return q̃ of a signal strength, shape (n,), given the best fits: 0 where data hold more signal (eq. 16)."""
    q = np.maximum(likelihood.fit(data, hold={"mu": mu}, centre=centre).deviance - free.deviance, 0)
    return np.where(free.parameters[:, likelihood.poi] > mu, 0.0, q)


def toy_band(likelihood: Likelihood, *, toys: int = 1000, seed: int = 0, points: int = 8) -> Band:
    """Return the limits that background alone would give, by toys: right however few events there are.

    Each experiment of background alone is compared, at each of some signal strengths, with experiments that hold
    the signal: its limit is where CLs = P(q ≥ its own | signal) / P(q ≥ its own | background) is 5 %.

    Parameters
    ----------
    toys : int
        Experiments of either kind.
    points : int
        Signal strengths, from 0.4 to 3 times the median by the asymptotic formula.
    """
    rng = np.random.default_rng(seed)
    background = likelihood.start.copy()
    background[likelihood.poi] = 0
    strengths = expected_band(likelihood).median * np.geomspace(0.4, 3, points)
    data, centre = likelihood.toys(background, toys, rng)
    free, excluded = likelihood.fit(data, centre=centre), []
    for mu in strengths:
        alone = tilde(likelihood, data, free, mu, centre=centre)
        nuisance = likelihood.fit(likelihood.expected(background), hold={"mu": mu}).parameters[0]
        data_s, centre_s = likelihood.toys(nuisance, toys, rng)
        free_s = likelihood.fit(data_s, centre=centre_s)
        with_signal = tilde(likelihood, data_s, free_s, mu, centre=centre_s)
        excluded.append(_share_above(with_signal, alone) / _share_above(alone, alone))
    # Where CLs falls through 5 %, between two strengths; straight lines in ln mu and in ln CLs.
    height = np.log(np.maximum(np.array(excluded), 1e-6)).T - np.log(LEVEL)
    limits = [np.exp(np.interp(0, -np.minimum.accumulate(row), np.log(strengths))) for row in height]
    return Band(*(float(value) for value in np.quantile(limits, norm.cdf([-2, -1, 0, 1, 2]))))


def _share_above(values: Floats, thresholds: Floats) -> Floats:
    """Return the share of values that reach each threshold, but for the rounding of a fit."""
    return 1 - np.searchsorted(np.sort(values), thresholds - 1e-6) / len(values)


def _asimov_root(likelihood: Likelihood, background: Floats | None) -> Callable[[float], float]:
    parameters = (likelihood.start if background is None else background).copy()
    parameters[likelihood.poi] = 0
    data, centre = likelihood.expected(parameters), parameters[None, :]

    @cache
    def root_q(mu: float) -> float:
        return float(np.sqrt(max(likelihood.fit(data, hold={"mu": mu}, centre=centre).deviance[0], 0)))

    return root_q


def _reach(likelihood: Likelihood) -> float:
    """Return a signal strength of the order of one standard deviation of the background."""
    start = likelihood.start.copy()
    start[likelihood.poi] = 0
    nu, slope = likelihood._evaluate(start[None, :])
    return float(1 / np.sqrt((slope[0, :, likelihood.poi] ** 2 / nu[0]).sum()))


def _crossing(falling: Callable[[float], float], start: float) -> float:
    """Return where a function that falls with mu is zero. Raises BadInput if it is nowhere."""
    low = high = start
    for _ in range(60):
        if falling(high) < 0:
            break
        high *= 2
    for _ in range(60):
        if falling(low) > 0:
            return float(optimize.brentq(falling, low, high, rtol=1e-5))
        low /= 2
    raise BadInput(
        "No signal strength is excluded.",
        where="azh.limits",
        next_step="Look at the model: does the signal expect events, and are they not all uncertain?",
    )
