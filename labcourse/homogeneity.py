"""Do two weighted histograms show one distribution? A χ² test of homogeneity."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import special

from labcourse.metrics import Array, Histogram


class ChiSquare(NamedTuple):
    """χ², its number of degrees of freedom, and the probability of a larger one (NaN if there is only one bin)."""

    value: float
    ndf: int
    p_value: float


def chi_square(first: Histogram, second: Histogram, *, min_effective: float = 10.0) -> ChiSquare:
    r"""Compare the shapes of two weighted histograms of the same bins.

    With the contents :math:`a_i, b_i`, their variances :math:`\sum w^2`, and :math:`A = \sum a_i, B = \sum b_i`,

    .. math:: \chi^2 = \min_c \sum_i \frac{(a_i/A - b_i/B - c f_i)^2}{f_i\,(r_i^a/A + r_i^b/B)}

    where :math:`f_i` is the common shape, estimated from both, and :math:`r_i = \sum w^2 / \sum w` the size of a
    weight in bin i: a weighted content is taken as a scaled Poisson number (Bohm and Zech, NIM A 748 (2014) 1).
    The free :math:`c` is the constraint of the normalisation, so that ndf = bins − 1. For unweighted events this is
    Pearson's test of homogeneity, for weighted ones that of Gagunashvili (NIM A 614 (2010) 287; ``WW`` of ROOT's
    ``Chi2Test``) with variances from the common shape: those of a bin's own content are poor where it is small.
    Neighbouring bins are merged until in each ``min_effective`` effective events, (Σw)²/Σw², are expected.
    """
    pair = [(content, error**2) for content, error, _ in (first, second)]
    # Expected from both together: going by what one of them holds would end bins where it fluctuates upwards.
    share = sum(np.maximum(content, 0) / np.maximum(content, 0).sum() for content, _ in pair) / 2
    starts, expected = [0], 0.0
    for i, more in enumerate(share * min(content.sum() ** 2 / variance.sum() for content, variance in pair)):
        if expected >= min_effective:
            starts.append(i)
            expected = 0.0
        expected += more
    if expected < min_effective and len(starts) > 1:
        starts.pop()
    ndf = len(starts) - 1
    if not ndf:
        return ChiSquare(0.0, 0, float("nan"))
    (a, va), (b, vb) = ((np.add.reduceat(content, starts), np.add.reduceat(v, starts)) for content, v in pair)
    # The best estimate of the common shape: each sample counts with the inverse of its relative variance.
    size_a, size_b = _weight_size(a, va, min_effective), _weight_size(b, vb, min_effective)
    inverse_a, inverse_b = a.sum() / size_a, b.sum() / size_b
    common = (a / size_a + b / size_b) / (inverse_a + inverse_b)
    variance = common * (1 / inverse_a + 1 / inverse_b)
    difference = a / a.sum() - b / b.sum()
    constraint = np.sum(difference * common / variance) / np.sum(common**2 / variance)
    value = float(np.sum((difference - constraint * common) ** 2 / variance))
    return ChiSquare(value, ndf, float(special.chdtrc(ndf, value)))


def _weight_size(content: Array, variance: Array, min_effective: float) -> Array:
    """Return Σw²/Σw of each bin; that of the whole sample where a bin holds too little to tell."""
    whole = variance.sum() / content.sum()
    tells = (content > 0) & (content**2 >= min_effective / 2 * variance) & (variance > 0)
    return np.where(tells, variance / np.where(tells, content, 1.0), whole)
