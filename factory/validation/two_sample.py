"""Do two weighted samples come from one distribution? A χ² and a Kolmogorov–Smirnov test.

Weights may be of any size and of either sign. Both tests ask for the *shape* only: they do not change when all
weights of a sample are multiplied by a number. A negative weight subtracts, as it does in a yield: the distribution
that a simulation with negative weights describes is the one with them. Taking |w|, or leaving such events out, would
test another one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labcourse import homogeneity, metrics
from labcourse.weights import effective_number

Array = NDArray[np.float64]
MAX_BINS, MIN_EFFECTIVE = 20, 10.0
"""Most bins of a χ² test; least effective events of each."""


class Sample(NamedTuple):
    """Values and weights, both in float64; variances are ``effect`` times larger (`design_effect`)."""

    values: Array
    weights: Array
    effect: float = 1.0

    @property
    def effective(self) -> float:
        """Number of independent unweighted events with the same statistical errors."""
        return effective_number(self.weights) / self.effect


def chi_square(first: Sample, second: Sample) -> homogeneity.ChiSquare:
    """Compare the shapes of two weighted samples in bins: `labcourse.homogeneity.chi_square`.

    The bins are quantiles of both samples together, at most `MAX_BINS`, and few enough for twice `MIN_EFFECTIVE`
    effective events of the smaller sample in each. Where values repeat, neighbours are merged until `MIN_EFFECTIVE`
    events are expected.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> first = Sample(rng.normal(size=500), np.ones(500))
    >>> test = chi_square(first, Sample(rng.normal(size=800), rng.uniform(0.5, 1.5, 800)))
    >>> test.ndf, bool(0.01 < test.p_value < 0.99)
    (19, True)
    """
    lower = _edges(first, second)
    return homogeneity.chi_square(_contents(first, lower), _contents(second, lower), min_effective=MIN_EFFECTIVE)


def kolmogorov_smirnov(first: Sample, second: Sample) -> float:
    """Return the probability that the largest distance of the cumulative distributions of two samples is as large.

    Each sample counts as (Σw)²/Σw² events (Monahan, *Numerical Methods of Statistics*, 2001, ch. 12), divided by its
    design effect. Negative weights make it count less, and its cumulative distribution may fall in places. The
    probability is the asymptotic one, which for weights of one is that of `scipy.stats.ks_2samp` with
    ``method="asymp"``. Where values repeat (numbers of jets) it is larger than is true.

    Examples
    --------
    >>> values = np.arange(3.0)
    >>> kolmogorov_smirnov(Sample(values, np.ones(3)), Sample(values, np.ones(3)))
    1.0
    """
    from scipy.stats import kstwo

    values = np.concatenate([first.values, second.values])
    steps = np.concatenate([first.weights / first.weights.sum(), -second.weights / second.weights.sum()])
    order = np.argsort(values, kind="stable")
    last_of_equals = np.append(np.diff(values[order]) > 0, True)
    distance = float(np.abs(np.cumsum(steps[order])[last_of_equals]).max())
    effective = max(1, round(first.effective * second.effective / (first.effective + second.effective)))
    return float(kstwo.sf(min(distance, 1.0), effective))


def design_effect(values: Array, weight: Array, group: ArrayLike) -> float:
    r"""How many times larger variances are because events of a group are alike (Kish, *Survey Sampling*, 1965).

    In bins of equal numbers of groups, with the share p of a bin and the indicator d that an event lies in it,

    .. math:: \frac{\sum_{bins} \sum_{groups} (\sum w (d - p))^2}{\sum_{bins} \sum w^2 (d - p)^2}

    which is about one where the values within a group are independent, and the size of the groups where they are the
    same. At least one.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> values, group = rng.normal(size=300), np.repeat(np.arange(100), 3)
    >>> alike, other = design_effect(values[group], np.ones(300), group), design_effect(values, np.ones(300), group)
    >>> bool(2.9 < alike < 3.1), bool(other < 1.3)
    (True, True)
    """
    _, first, group = np.unique(np.asarray(group), return_index=True, return_inverse=True)
    if len(first) == len(group):
        return 1.0
    # Quantiles of all events would lie close together where a large group is, and divide it.
    edges = np.unique(np.quantile(values[first], np.arange(1, MAX_BINS) / MAX_BINS))
    bins = np.searchsorted(edges, values, side="right")
    inside = bins == np.arange(len(edges) + 1)[:, None]
    deviation = weight * (inside - (inside @ weight / weight.sum())[:, None])
    together = np.stack([np.bincount(group, row) for row in deviation])
    alone = np.square(deviation).sum()
    return max(1.0, float(np.square(together).sum() / alone)) if alone else 1.0


def _edges(first: Sample, second: Sample) -> Array:
    """Lower edges of bins that hold equal shares of both samples together; the first one is −∞."""
    smaller = min(first.effective, second.effective)
    n_bins = int(np.clip(smaller / (2 * MIN_EFFECTIVE), 2, MAX_BINS))
    values = np.concatenate([first.values, second.values])
    share = np.concatenate([np.abs(weights) / np.abs(weights).sum() for weights in (first.weights, second.weights)])
    order = np.argsort(values, kind="stable")
    positions = np.searchsorted(np.cumsum(share[order]), 2 * np.arange(1, n_bins) / n_bins)
    edges = values[order][np.minimum(positions, len(values) - 1)]
    # Where the smallest value is that of many events, as in isolation, it is a bin of its own.
    smallest = values[order[0]]
    if (larger := values[values > smallest]).size:
        edges[edges == smallest] = larger.min()
    return np.unique(np.append(-np.inf, edges))


def _contents(sample: Sample, lower: Array) -> metrics.Histogram:
    bins = np.searchsorted(lower, sample.values, side="right") - 1
    squares = sample.effect * sample.weights**2
    content, variance = (np.bincount(bins, weight, len(lower)) for weight in (sample.weights, squares))
    return metrics.Histogram(content.astype(np.float64), np.sqrt(variance), np.append(lower, np.inf))
