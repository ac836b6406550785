"""What a score is worth at a mass: binned expected significance, and expected limits on the cross-section.

The *significance* is the published one: the score in 20 bins, signal and background each normalised to one, and
the Asimov significances of the bins in quadrature (arXiv:1007.1727, eq. 97). It compares models and masses; it is
no statement about an experiment. Bins that a formula cannot take:

=================================  ====================================================================
no signal in a bin                 contributes nothing
background empty, or its sum of    merged with the next bin towards lower scores until the sum is positive:
weights zero or negative           an accident of the simulation never counts as certainty
signal with a negative sum         merged likewise
=================================  ====================================================================

The *limits* are statements about an experiment with 139 fb⁻¹: expected events, a background known to 20 %, CLs
(A. L. Read, J. Phys. G 28 (2002) 2693) by pyhf.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from labcourse import significance
from labcourse.errors import BadInput, EmptySelection
from labcourse.parameterised.events import SIGNAL_CROSS_SECTION

Floats = NDArray[np.float64]
N_BINS = 20
N_REPLICAS = 200


class Binned(NamedTuple):
    """A score in bins: signal, background, and their variances (sums of squared weights), edges of the bins."""

    edges: Floats
    signal: Floats
    background: Floats
    signal_variance: Floats
    background_variance: Floats


class Value(NamedTuple):
    """A number and the error that the simulation's statistics give it."""

    value: float
    error: float


class Limit(NamedTuple):
    """Expected upper limit at 95 % (pb): the median of background-only experiments, and its band."""

    median: float
    minus_2: float
    minus_1: float
    plus_1: float
    plus_2: float


def histogram(
    score: NDArray[np.floating],
    label: NDArray[np.floating],
    weight: NDArray[np.floating],
    *,
    edges: Floats | None = None,
) -> Binned:
    """Fill a score, in [0, 1], into bins, and merge those that have no positive background.

    Parameters
    ----------
    score, label, weight : ndarray, shape (n_events,)
        A label is 1 for signal and 0 for background; weights may be negative.
    edges : ndarray, optional
        20 bins of equal width by default.

    Raises
    ------
    BadInput
        If the shapes differ, a score or weight is not finite, or a score lies outside [0, 1].
    EmptySelection
        If signal or background has no events, or a sum of weights that is not positive.
    """
    where = "parameterised.histogram"
    score, label, weight = (np.asarray(a, np.float64) for a in (score, label, weight))
    if not score.shape == label.shape == weight.shape or score.ndim != 1:
        raise BadInput(
            f"The shapes are {score.shape}, {label.shape} and {weight.shape}.",
            where=where,
            next_step="Give one score, label and weight an event.",
        )
    if not np.isfinite(weight).all() or not ((score >= 0) & (score <= 1)).all():
        raise BadInput(
            "A weight is not finite, or a score lies outside 0 to 1.", where=where, next_step="Look at the scores."
        )
    for name, mask in (("signal", label == 1), ("background", label == 0)):
        if not mask.any() or weight[mask].sum() <= 0:
            raise EmptySelection(
                f"The {name} has {int(mask.sum())} events and the sum of weights {weight[mask].sum():g}.",
                where=where,
                next_step="Use more events, or another mass.",
            )
    edges = np.linspace(0, 1, N_BINS + 1) if edges is None else np.asarray(edges, np.float64)
    filled = [
        np.histogram(score[label == y], edges, weights=weight[label == y] ** power)[0]
        for power in (1, 2)
        for y in (1, 0)
    ]
    return _merged(Binned(edges, *filled))


def _merged(binned: Binned) -> Binned:
    """Merge bins from the highest score down until each has a positive background and no negative signal."""
    rows: list[Floats] = []
    edges = [binned.edges[-1]]
    current = np.zeros(4)
    for index in range(len(binned.signal) - 1, -1, -1):
        current = current + [column[index] for column in binned[1:]]
        signal, background = current[:2]
        if background > 1e-12 * binned.background.sum() and signal >= 0:
            rows.append(current)
            edges.append(binned.edges[index])
            current = np.zeros(4)
    if current.any():
        # What is left at the lowest scores joins the last bin that is whole.
        rows[-1] = rows[-1] + current
    edges[-1] = binned.edges[0]
    return Binned(np.array(edges[::-1]), *np.array(rows[::-1]).T)


def binned_significance(
    score: NDArray[np.floating],
    label: NDArray[np.floating],
    weight: NDArray[np.floating],
    *,
    seed: int = 0,
    edges: Floats | None = None,
) -> Value:
    """Return the binned Asimov significance of signal and background normalised to one each, and its error.

    The error is the spread over bootstrap replicas of the events (each taken a Poisson number of times).

    Raises
    ------
    BadInput, EmptySelection
        As `histogram`.
    """
    value = _asimov(histogram(score, label, weight, edges=edges))
    rng = np.random.default_rng(seed)
    replicas = []
    for _ in range(N_REPLICAS):
        try:
            replica = histogram(score, label, weight * rng.poisson(1.0, len(weight)), edges=edges)
        except EmptySelection:
            continue
        replicas.append(_asimov(replica))
    return Value(value, float(np.std(replicas)))


def _asimov(binned: Binned) -> float:
    s, b = binned.signal / binned.signal.sum(), binned.background / binned.background.sum()
    return float(np.sqrt(np.sum(significance.asimov(s, b) ** 2)))


def expected_limit(binned: Binned, *, background_uncertainty: float = 0.2) -> Limit:
    """Return the expected limit on σ(gg → A) · BR(A → Zh → ℓℓbb) at 95 % confidence (CLs).

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
    import pyhf

    if not 0 < background_uncertainty < 1:
        raise BadInput(
            f"background_uncertainty is {background_uncertainty}.",
            where="parameterised.expected_limit",
            next_step="Use a number between 0 and 1, such as 0.2.",
        )
    up, down = 1 + background_uncertainty, 1 - background_uncertainty
    background = {
        "name": "background",
        "data": list(binned.background),
        "modifiers": [
            {"name": "background", "type": "normsys", "data": {"hi": up, "lo": down}},
            {"name": "simulation", "type": "staterror", "data": list(np.sqrt(binned.background_variance))},
        ],
    }
    # A fit likes a signal strength near one: the signal is scaled to about the reach of s/√b.
    reach = 2 / np.sqrt(np.sum(binned.signal**2 / (binned.background + (background_uncertainty * binned.background) ** 2)))
    signal = {
        "name": "signal",
        "data": list(binned.signal * reach),
        "modifiers": [{"name": "mu", "type": "normfactor", "data": None}],
    }
    model = pyhf.Model(
        {"channels": [{"name": "score", "samples": [signal, background]}], "parameters": []}, poi_name="mu"
    )
    data = list(binned.background) + model.config.auxdata
    _, band = pyhf.infer.intervals.upper_limits.upper_limit(data, model, level=0.05, rtol=1e-3)
    minus_2, minus_1, median, plus_1, plus_2 = (float(value) * reach * SIGNAL_CROSS_SECTION for value in band)
    return Limit(median, minus_2, minus_1, plus_1, plus_2)
