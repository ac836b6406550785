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

from labcourse import metrics
from labcourse.errors import BadInput
from labcourse.weights import effective_number

Array = NDArray[np.float64]


class KolmogorovSmirnov(NamedTuple):
    """The largest distance of the two cumulative distributions, and the probability of a larger one."""

    distance: float
    p_value: float


class Sample(NamedTuple):
    """Values and weights, checked, in float64 and sorted by value, and their design effect."""

    values: Array
    weights: Array
    effect: float

    @property
    def effective(self) -> float:
        """Number of independent unweighted events with the same statistical errors."""
        return effective_number(self.weights) / self.effect


def chi_square(
    first: ArrayLike,
    second: ArrayLike,
    first_weight: ArrayLike | None = None,
    second_weight: ArrayLike | None = None,
    *,
    edges: ArrayLike | None = None,
    effects: tuple[float, float] = (1.0, 1.0),
    max_bins: int = 20,
    min_effective: float = 10.0,
) -> metrics.ChiSquare:
    """Compare two weighted samples in bins of equal probability, or in given ones, by `metrics.chi_square`.

    The bins are quantiles of both samples together, at most ``max_bins``, and few enough for ``2 * min_effective``
    effective events of the smaller sample in each; or those between ``edges``, the outer ones without an end. Where
    values repeat or bins are given, neighbours are merged until ``min_effective`` events are expected. Where events
    are not independent, ``effects`` are the samples' `design_effect`: variances are so many times larger.

    Raises
    ------
    BadInput
        If a sample is empty or holds NaN or infinite numbers, shapes differ, or weights do not add up to a positive
        number.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> test = chi_square(rng.normal(size=500), rng.normal(size=800), second_weight=rng.uniform(0.5, 1.5, 800))
    >>> test.ndf, bool(0.01 < test.p_value < 0.99)
    (19, True)
    """
    pair = _sample(first, first_weight, effects[0]), _sample(second, second_weight, effects[1])
    lower = _edges(pair, max_bins, min_effective) if edges is None else np.append(-np.inf, np.asarray(edges)[1:-1])
    return metrics.chi_square(*(_contents(sample, lower) for sample in pair), min_effective=min_effective)


def kolmogorov_smirnov(
    first: ArrayLike,
    second: ArrayLike,
    first_weight: ArrayLike | None = None,
    second_weight: ArrayLike | None = None,
    *,
    effects: tuple[float, float] = (1.0, 1.0),
) -> KolmogorovSmirnov:
    """Compare the cumulative distributions of two weighted samples.

    Each sample counts as (Σw)²/Σw² events (Monahan, *Numerical Methods of Statistics*, 2001, ch. 12), divided by its
    `design_effect` in ``effects`` where events are not independent. Negative weights make it count less, and its
    cumulative distribution may fall in places. The probability is the asymptotic one, which for weights of one is
    that of `scipy.stats.ks_2samp` with ``method="asymp"``. Where values repeat (numbers of jets) the test is
    conservative: it gives larger probabilities than are true.

    Raises
    ------
    BadInput
        As `chi_square`.

    Examples
    --------
    >>> kolmogorov_smirnov([1, 2, 3], [1, 2, 3]).p_value
    1.0
    """
    from scipy.stats import kstwo

    pair = _sample(first, first_weight, effects[0]), _sample(second, second_weight, effects[1])
    values = np.concatenate([sample.values for sample in pair])
    steps = np.concatenate(
        [sign * sample.weights / sample.weights.sum() for sign, sample in zip((1, -1), pair, strict=True)]
    )
    order = np.argsort(values, kind="stable")
    last_of_equals = np.append(np.diff(values[order]) > 0, True)
    distance = float(np.abs(np.cumsum(steps[order])[last_of_equals]).max())
    size_a, size_b = (sample.effective for sample in pair)
    effective = max(1, round(size_a * size_b / (size_a + size_b)))
    return KolmogorovSmirnov(distance, float(kstwo.sf(min(distance, 1.0), effective)))


def design_effect(values: ArrayLike, weight: ArrayLike, group: ArrayLike, *, max_bins: int = 20) -> float:
    r"""How many times larger variances are because events of a group are alike (Kish, *Survey Sampling*, 1965).

    In bins of equal numbers of groups, with the share p of a bin and the indicator d that an event lies in it,

    .. math:: \frac{\sum_{bins} \sum_{groups} (\sum w (d - p))^2}{\sum_{bins} \sum w^2 (d - p)^2}

    which is about one where the values within a group are independent, and the size of the groups where they are the
    same. At least one.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> values, group = rng.normal(size=300), np.repeat(np.arange(100), 3)
    >>> design_effect(values, np.ones(300), np.arange(300))
    1.0
    >>> alike, other = design_effect(values[group], np.ones(300), group), design_effect(values, np.ones(300), group)
    >>> bool(2.9 < alike < 3.1), bool(other < 1.3)
    (True, True)
    """
    _, first, group = np.unique(np.asarray(group), return_index=True, return_inverse=True)
    if len(first) == len(group):
        return 1.0
    sample, weight = np.asarray(values, np.float64), np.asarray(weight, np.float64)
    # Quantiles of all events would lie close together where a large group is, and divide it.
    edges = np.unique(np.quantile(sample[first], np.arange(1, max_bins) / max_bins))
    bins = np.searchsorted(edges, sample, side="right")
    inside = bins == np.arange(len(edges) + 1)[:, None]
    deviation = weight * (inside - (inside @ weight / weight.sum())[:, None])
    together = np.stack([np.bincount(group, row) for row in deviation])
    alone = np.square(deviation).sum()
    return max(1.0, float(np.square(together).sum() / alone)) if alone else 1.0


def _sample(values: ArrayLike, weight: ArrayLike | None, effect: float) -> Sample:
    values = np.asarray(values, np.float64)
    weights = np.ones_like(values) if weight is None else np.asarray(weight, np.float64)
    wrong = ""
    if values.ndim != 1 or values.shape != weights.shape:
        wrong = f"Expected one value and one weight per event. Received shapes {values.shape} and {weights.shape}."
    elif not values.size:
        wrong = "There are no events."
    elif not (np.isfinite(values).all() and np.isfinite(weights).all()):
        wrong = "A value or a weight is NaN or infinite."
    elif not weights.sum() > 0:
        wrong = f"The weights add up to {weights.sum():g}."
    if wrong:
        next_step = "Compare finite numbers of at least one event, with a positive sum of weights."
        raise BadInput(wrong, where="a sample to compare", next_step=next_step)
    order = np.argsort(values, kind="stable")
    return Sample(values[order], weights[order], effect)


def _edges(pair: tuple[Sample, Sample], max_bins: int, min_effective: float) -> Array:
    """Lower edges of bins that hold equal shares of both samples together; the first one is −∞."""
    smaller = min(sample.effective for sample in pair)
    n_bins = int(np.clip(smaller / (2 * min_effective), 2, max_bins))
    values = np.concatenate([sample.values for sample in pair])
    share = np.concatenate([np.abs(sample.weights) / np.abs(sample.weights).sum() for sample in pair])
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
