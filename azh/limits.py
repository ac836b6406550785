"""Expected limits on the cross-section: what an experiment with 139 fb⁻¹ could exclude if there were no A.

Expected events, a background known to 20 %, and CLs (A. L. Read, J. Phys. G 28 (2002) 2693) with the
likelihood of pyhf.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from azh.events import SIGNAL_CROSS_SECTION
from azh.sensitivity import N_BINS, Binned, Floats, histogram, scored
from labcourse.errors import BadInput

if TYPE_CHECKING:
    import pandas as pd

MAX_RELATIVE_ERROR = 0.5
"""Of the background of a bin, by the simulation's statistics."""
LEAST_SIGNAL = 0.15
"""Share of the signal that a bin holds: more bins take longer and tell hardly more."""


class Limit(NamedTuple):
    """Expected upper limit at 95 % (pb): the median of background-only experiments, and its band."""

    median: float
    minus_2: float
    minus_1: float
    plus_1: float
    plus_2: float


def for_limit(score: Floats, events: pd.DataFrame) -> Binned:
    """Fill a score into the few bins of a limit, each with enough background to say how uncertain it is.

    Fine bins with equal parts of the signal are merged from the highest score down until they do. The last one
    holds what lies below all but a thousandth of the signal, and so the background's normalisation.

    Parameters and errors are those of `histogram`.
    """
    score, signal, _ = scored(score, events)
    steps = np.quantile(score[signal], np.linspace(0, 1, 2 * N_BINS + 1)[1:-1])
    edges = np.unique(np.r_[0.0, np.quantile(score[signal], 1e-3), steps, 1.0])
    fine = histogram(score, events, edges=edges)
    rows, kept, current = [], [fine.edges[-1]], np.zeros(3)
    for index in range(len(fine.signal) - 1, -1, -1):
        current = current + [column[index] for column in fine[1:]]
        precise = current[2] <= (MAX_RELATIVE_ERROR * current[1]) ** 2
        if (precise and current[0] > LEAST_SIGNAL * fine.signal.sum()) or index <= 1:
            rows.append(current)
            kept.append(fine.edges[index])
            current = np.zeros(3)
    return Binned(np.array(kept[::-1]), *np.array(rows[::-1]).T)


def expected_limit(binned: Binned, *, background_uncertainty: float = 0.2) -> Limit:
    """Return the expected limit on σ(gg → A) · BR(A → Zh) · BR(h → bb) at 95 % confidence (CLs), and its band.

    The likelihood is pyhf's: Poisson bins, a background uncertainty common to all, and that of the simulation's
    own statistics in each. For background-only data the best fit is known, so that a fit with the signal fixed is
    all that a value takes; median and band follow from it (Cowan et al., arXiv:1007.1727, section 4.3):
    the signal strength at which √q = Φ⁻¹(1 − 0.05 Φ(N)) + N, for N = −2 … 2.

    Parameters
    ----------
    binned : Binned
        Expected events, signal for 0.05 pb; one bin makes a counting experiment.
    background_uncertainty : float
        Relative, common to all bins.

    Raises
    ------
    BadInput
        If the uncertainty is not between 0 and 1, if a bin has no positive background or a number that cannot be, if
        there is no signal, or if a limit is out of all bounds.
    """
    from scipy.optimize import brentq
    from scipy.stats import norm

    where = "azh.limits.expected_limit"
    if not 0 < background_uncertainty < 1:
        raise BadInput(
            f"background_uncertainty is {background_uncertainty}.",
            where=where,
            next_step="Use a number between 0 and 1, such as 0.2.",
        )
    signal, background, variance = (np.asarray(column, np.float64) for column in binned[1:])
    good = (background > 0) & (np.minimum(signal, variance) >= 0) & np.isfinite(signal + background + variance)
    if not good.all():
        bad = np.flatnonzero(~good)[0]
        raise BadInput(
            f"Bin {bad + 1} of {good.size} holds {signal[bad]:g} signal and {background[bad]:g} background events, the "
            f"latter with a variance of {variance[bad]:g}.",
            where=where,
            next_step="Background has to be positive, the others not negative: merge it with its neighbour, as "
            "`azh.limits.for_limit` does, or look at the weights.",
        )
    if not signal.any():
        raise BadInput("No bin holds signal.", where=where, next_step="Use more events, or another mass.")
    # In units of about the reach of s/√b, limits are near one.
    error = background + variance + (background_uncertainty * background) ** 2
    reach = 2 / np.sqrt(np.sum(signal**2 / error))
    root_q = _likelihood_ratio(signal * reach, background, variance, background_uncertainty)
    limits: list[float] = []
    for n in (-2, -1, 0, 1, 2):
        target = float(norm.isf(0.05 * norm.cdf(n)) + n)
        low = high = limits[-1] if limits else 1.0
        while root_q(low) > target:
            low /= 2
        while root_q(high) < target:
            high *= 2
        limits.append(
            low if low == high else brentq(lambda mu, target: root_q(mu) - target, low, high, (target,), rtol=1e-6)
        )
    minus_2, minus_1, median, plus_1, plus_2 = (float(value * reach * SIGNAL_CROSS_SECTION) for value in limits)
    if not 0 < minus_2 < minus_1 < median < plus_1 < plus_2 < np.inf:
        raise BadInput(
            f"The limits {minus_2:.3g}, {minus_1:.3g}, {median:.3g}, {plus_1:.3g}, {plus_2:.3g} are no band.",
            where=where,
            next_step="Look at the numbers of events: are they far too many or too few?",
        )
    return Limit(median, minus_2, minus_1, plus_1, plus_2)


def _likelihood_ratio(
    signal: Floats, background: Floats, variance: Floats, uncertainty: float
) -> Callable[[float], float]:
    """Return √q as a function of the signal strength, for data that are the expected background.

    Every term is a difference to the best fit, and none takes a derivative from values: those of the likelihood itself
    grow with the events, and pyhf's general fit drowns in their rounding from some 10⁵ events in a bin on.
    """
    from pyhf.interpolators import code4
    from scipy.optimize import minimize_scalar
    from scipy.special import kl_div

    # The background's normalisation for a pull of −1, 0 and 1, and pyhf's way between and beyond.
    normalisation = code4([[[[1 - uncertainty], [1.0], [1 + uncertainty]]]], subscribe=False)

    def q_at(pull: float, mu: float) -> float:
        factor = float(normalisation(np.array([[pull]])).item())
        b, v, s = background * factor, variance * factor**2, mu * signal
        # What is left to each bin is its own background: the best total solves total² − p total − v n = 0.
        p = s + b - v
        root = np.hypot(p, 2 * np.sqrt(v * background))
        total = np.where(p > 0, (root + p) / 2, 2 * v * background / np.where(p > 0, 1, root - p))
        negative = total < s
        total = np.where(negative, s, total)
        own = np.where(negative, b**2 / np.where(negative, v, 1), v * (1 - background / total) ** 2)
        return float(2 * kl_div(background, total).sum() + own.sum() + pull**2)

    @cache
    def root_q(mu: float) -> float:
        # Signal only pulls the background down; at a pull of −10 q is beyond all limits.
        found = minimize_scalar(q_at, args=(mu,), bounds=(-10, 0), method="bounded", options={"xatol": 1e-9})
        return float(np.sqrt(found.fun))

    return root_q
