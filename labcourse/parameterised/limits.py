"""Expected limits on the cross-section: what an experiment with 139 fb⁻¹ could exclude if there were no A.

Expected events, a background known to 20 %, and CLs (A. L. Read, J. Phys. G 28 (2002) 2693) with the
likelihood of pyhf.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labcourse.errors import BadInput
from labcourse.parameterised.events import SIGNAL_CROSS_SECTION
from labcourse.parameterised.sensitivity import N_BINS, Binned, checked, histogram

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


def for_limit(
    score: NDArray[np.floating],
    label: NDArray[np.floating],
    weight: NDArray[np.floating],
    *,
    event: NDArray[np.integer] | None = None,
) -> Binned:
    """Fill a score into the few bins of a limit, each with enough background to say how uncertain it is.

    Fine bins with equal parts of the signal are merged from the highest score down until they do. The last one
    holds what lies below all but a thousandth of the signal, and so the background's normalisation.

    Parameters and errors are those of `histogram`.
    """
    score, label, weight = checked(score, label, weight)
    steps = np.quantile(score[label == 1], np.linspace(0, 1, 2 * N_BINS + 1)[1:-1])
    edges = np.unique(np.r_[0.0, np.quantile(score[label == 1], 1e-3), steps, 1.0])
    fine = histogram(score, label, weight, event=event, edges=edges)
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
        If the uncertainty is not between 0 and 1.
    """
    from scipy.optimize import brentq
    from scipy.stats import norm

    if not 0 < background_uncertainty < 1:
        raise BadInput(
            f"background_uncertainty is {background_uncertainty}.",
            where="parameterised.expected_limit",
            next_step="Use a number between 0 and 1, such as 0.2.",
        )
    # A fit likes a signal strength near one: the signal is scaled to about the reach of s/√b.
    error = binned.background + binned.background_variance + (background_uncertainty * binned.background) ** 2
    reach = 2 / np.sqrt(np.sum(binned.signal**2 / error))
    root_q = _likelihood_ratio(binned._replace(signal=binned.signal * reach), background_uncertainty)
    limits: list[float] = []
    for n in (0, -2, -1, 1, 2):
        target = float(norm.isf(0.05 * norm.cdf(n)) + n)
        low = high = limits[0] if limits else 1.0
        while root_q(low) > target:
            low /= 2
        while root_q(high) < target:
            high *= 2
        limits.append(low if low == high else brentq(_less(root_q, target), low, high, rtol=1e-3))
    return Limit(*(float(value) * reach * SIGNAL_CROSS_SECTION for value in limits))


def _less(function: Callable[[float], float], target: float) -> Callable[[float], float]:
    return lambda value: function(value) - target


def _likelihood_ratio(binned: Binned, background_uncertainty: float) -> Callable[[float], float]:
    """Return √q as a function of the signal strength, for data that are the expected background."""
    import pyhf

    model = pyhf.Model(_model(binned, background_uncertainty), validate=False, poi_name="mu")
    data = [*binned.background, *model.config.auxdata]
    best = model.config.suggested_init()
    best[model.config.poi_index] = 0.0
    lowest = -2 * float(model.logpdf(best, data)[0])

    @cache
    def root_q(mu: float) -> float:
        _, value = pyhf.infer.mle.fixed_poi_fit(mu, data, model, return_fitted_val=True)
        return float(np.sqrt(max(float(value) - lowest, 0.0)))

    return root_q


def _model(binned: Binned, background_uncertainty: float) -> dict[str, Any]:
    up, down = 1 + background_uncertainty, 1 - background_uncertainty
    background = {
        "name": "background",
        "data": list(binned.background),
        "modifiers": [
            {"name": "background", "type": "normsys", "data": {"hi": up, "lo": down}},
            {"name": "simulation", "type": "staterror", "data": list(np.sqrt(binned.background_variance))},
        ],
    }
    signal = {
        "name": "signal",
        "data": list(binned.signal),
        "modifiers": [{"name": "mu", "type": "normfactor", "data": None}],
    }
    return {"channels": [{"name": "score", "samples": [signal, background]}], "parameters": []}
