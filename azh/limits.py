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
FEW = 5.0
"""Expected events of a bin below which limits are found by toys."""


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


def find(likelihood: Likelihood, data: ArrayLike | None = None) -> tuple[Band, float]:
    """Return the expected band, and the observed limit (NaN without data): by toys where a bin expects few events.

    Elsewhere the asymptotic formulae serve. ``data`` is what was counted, shape (n_bins,).
    """
    if likelihood.expected(likelihood.none).min() < FEW:
        return by_toys(likelihood, data)
    return expected_band(likelihood), float("nan") if data is None else upper_limit(likelihood, data)


def expected_band(likelihood: Likelihood) -> Band:
    """Return the limits that background alone would give, by the asymptotic formula (section 4.3)."""
    root_q = _asimov_root(likelihood, likelihood.none)

    def limit(n: float) -> float:
        target = float(norm.isf(LEVEL * norm.cdf(n)) + n)
        return _crossing(likelihood, lambda mu: target - root_q(mu))

    return Band(*map(limit, (-2, -1, 0, 1, 2)))


def upper_limit(likelihood: Likelihood, data: ArrayLike) -> float:
    """Return the observed upper limit on mu at 95 % (CLs, asymptotic) of one data set, shape (n_bins,)."""
    free, none = likelihood.fit(data), likelihood.fit(data, hold=NONE)
    root_q = _asimov_root(likelihood, none.parameters[0])

    def above(mu: float) -> float:
        q = tilde(likelihood, np.atleast_2d(data), free, mu)
        return float(np.log(cls(q, root_q(mu) ** 2)[0] / LEVEL))

    return _crossing(likelihood, above)


def cls(q: ArrayLike, q_asimov: ArrayLike) -> Floats:
    """Return CLs for values of q̃ and its value for the background's expectation, asymptotically (eq. 65 and 66)."""
    root, root_a = np.sqrt(q), np.sqrt(q_asimov)
    with np.errstate(divide="ignore", invalid="ignore"):
        far = (np.square(root) + np.square(root_a)) / (2 * root_a), (np.square(root) - np.square(root_a)) / (2 * root_a)
    near = (root <= root_a) | (root_a == 0)
    both = norm.logsf(np.where(near, root, far[0]))
    background = np.where(near, norm.logcdf(root_a - root), norm.logsf(far[1]))
    return np.exp(both - background)


def tilde(likelihood: Likelihood, data: Floats, free: Fit, mu: float, *, centre: Floats | None = None) -> Floats:
    """Return q̃ of a signal strength, shape (n,), given the best fits: 0 where data hold more signal (eq. 16)."""
    q = np.maximum(likelihood.fit(data, hold={"mu": mu}, centre=centre).deviance - free.deviance, 0)
    return np.where(free.parameters[:, likelihood.poi] > mu, 0.0, q)


def by_toys(
    likelihood: Likelihood, data: ArrayLike | None = None, *, toys: int = 500, seed: int = 0
) -> tuple[Band, float]:
    """Return the expected band and the observed limit (NaN without data) by toys, for bins of few events.

    The limit of an experiment is where CLs = P(q ≥ its own | signal) / P(q ≥ its own | background) is 5 %. Both shares
    come from the same experiments of background alone: with signal each counts as many times as it is more likely
    there. Where a limit is decided experiments with signal look like background, and few of their own would do so.
    Not so where data hold an excess: their limit, if it is above the band, is that of `upper_limit`. One below the band
    rests on few experiments. All are drawn with the parameters of the model, whatever the data say of them.

    Parameters
    ----------
    data : array_like, shape (n_bins,), optional
        What was counted.
    toys : int
        Experiments.
    """
    none = likelihood.none
    strengths = expected_band(likelihood).median * np.geomspace(0.25, 5, 15)
    counts, centre = likelihood.toys(none, toys, np.random.default_rng(seed))
    if data is not None:
        counts, centre = np.vstack([counts, data]), np.vstack([centre, np.nan_to_num(likelihood.centre)])
    free, height = likelihood.fit(counts, centre=centre), []
    unlikely = likelihood.deviance(none, counts[:toys], centre[:toys])
    for mu in strengths:
        q = tilde(likelihood, counts, free, mu, centre=centre)
        signal = likelihood.fit(likelihood.expected(none), hold={"mu": mu}).parameters[0]
        times = np.exp((unlikely - likelihood.deviance(signal, counts[:toys], centre[:toys])) / 2)
        order = np.argsort(q[:toys])
        first = np.minimum(np.searchsorted(q[order], q - 1e-4), toys - 1)  # but for the rounding of a fit
        height.append(np.log(np.cumsum(times[order][::-1])[::-1][first] / (toys - first) / LEVEL))
    falling = -np.minimum.accumulate(height, axis=0).T
    limits = [float(np.interp(0, row, strengths)) for row in falling]
    band = Band(*map(float, np.quantile(limits[:toys], norm.cdf([-2, -1, 0, 1, 2]))))
    if data is not None and limits[-1] > band.plus_2:
        return band, upper_limit(likelihood, data)
    return band, float("nan") if data is None else limits[-1]


def _asimov_root(likelihood: Likelihood, background: Floats) -> Callable[[float], float]:
    data, centre = likelihood.expected(background), background[None, :]

    @cache
    def root_q(mu: float) -> float:
        return float(np.sqrt(max(likelihood.fit(data, hold={"mu": mu}, centre=centre).deviance[0], 0)))

    return root_q


def _crossing(likelihood: Likelihood, falling: Callable[[float], float]) -> float:
    """Return where a function is zero that is positive at mu = 0 and falls. Raises BadInput if it is nowhere."""
    nu, slope = likelihood.evaluate(likelihood.none[None, :])
    high = float(1 / np.sqrt((slope[0, :, likelihood.poi] ** 2 / nu[0]).sum()))  # an error of the background
    for _ in range(60):
        if falling(high) < 0:
            return float(optimize.brentq(falling, 0, high, rtol=1e-5))
        high *= 2
    raise BadInput(
        "No signal strength is excluded.",
        where="azh.limits",
        next_step="Look at the model: does the signal expect events, and are they not all uncertain?",
    )
