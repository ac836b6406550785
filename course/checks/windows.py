"""Check of the best window of chapter 1: which of all pairs of edges encloses the largest s/√b."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any

import numpy as np

from course.checks.report import Report, exercise
from course.checks.tables import changed, follows, gives, with_argument

__all__ = ["exercise_1_9"]


def _window(
    edges: Any,
    signal: Any,
    background: Any,
    *,
    measure: Any = lambda s, b: s / np.sqrt(b),
    allowed: Any = lambda first, end, n: True,
    allow_b: Any = lambda b: b > 0,
) -> tuple[Any, Any]:
    """Return the best window of bins; the options are the variants that students write."""
    n = len(signal)
    best, window = -np.inf, (edges[0], edges[-1])
    for first, end in itertools.combinations(range(n + 1), 2):
        s, b = signal[first:end].sum(), background[first:end].sum()
        if allowed(first, end, n) and allow_b(b) and (z := measure(s, b)) > best:
            best, window = z, (edges[first], edges[end])
    return window


def _numbers_of_bins(edges: Any, signal: Any, background: Any) -> tuple[Any, ...]:
    return tuple(int(np.searchsorted(edges, edge)) for edge in _window(edges, signal, background))


_BOTH_ENDS = "try every pair of edges: two loops, the second from the first edge on"
_MISTAKES_1_9 = (
    (partial(_window, measure=lambda s, b: s / b), "this is the best s/b", "a root belongs to b: s / np.sqrt(b)"),
    (
        with_argument(_window, 2, lambda b: np.clip(b, 0, None)),
        "bins with a negative background count as 0",
        "negative weights belong to the sum: add up the bins of a window as they are, and look at the sign then",
    ),
    (partial(_window, measure=lambda s, b: s / np.sqrt(s + b)), "this is the best s/√(s+b)", "divide by √b alone"),
    (partial(_window, measure=lambda s, b: s), "this is the window with most signal", "divide by √b"),
    (partial(_window, allowed=lambda first, end, n: end - first == 1), "only single bins are tried", _BOTH_ENDS),
    (partial(_window, allowed=lambda first, end, n: first == 0), "all windows begin at the first edge", _BOTH_ENDS),
    (partial(_window, allowed=lambda first, end, n: end == n), "all windows end at the last edge", _BOTH_ENDS),
    (
        partial(_window, measure=lambda s, b: s / np.sqrt(abs(b)), allow_b=lambda b: b != 0),
        "a window with a negative background wins",
        "leave out windows whose background is not positive",
    ),
    (_numbers_of_bins, "these are numbers of bins", "return edges: edges[first], edges[end]"),
    (
        lambda edges, s, b: (_window(edges, s, b)[0], edges[_numbers_of_bins(edges, s, b)[1] - 1]),
        "the upper end is an edge too low",
        "bins first … last end at edges[last + 1]",
    ),
    (
        changed(_window, lambda window: (window[0], window[1] - window[0])),
        "the second number is the width",
        "return the upper edge itself",
    ),
    (changed(_window, lambda window: window[::-1]), "the ends have changed places", "first the lower edge"),
)


@exercise("1.9")
def exercise_1_9(answer: Any, report: Report) -> None:
    """The window with the largest s/√b."""

    def bins(seed: int, n: int) -> tuple[Any, Any, Any]:
        rng, place = np.random.default_rng(seed), np.linspace(-1, 1, n)
        signal = np.exp(-((place / 0.5) ** 2)) * rng.uniform(0.6, 1.4, n)
        background = 4 * np.exp(-place) * rng.uniform(0.5, 1.5, n)
        # A bin with hardly any background, one with a negative one, and ends with negative signal.
        signal[[0, -5, -1]], background[-5:-1] = (-0.05, 0.12, -0.1), (0.05, 1.0, -1.5, 0.3)
        return np.cumsum(rng.uniform(1, 3, n + 1)), signal, background

    given, what = bins(109, 16), "no other window has a larger s/√b"
    report.parts(answer(*given), "low, high")
    follows(report, answer, _window, given, _MISTAKES_1_9, what, _BOTH_ENDS, relative=1e-6)
    empty = np.array([0.0, 1, 2, 3]), np.array([1, 2, 1.5]), np.array([4.0, 0, 4])
    no_b = "s/0 is infinite in NumPy: leave out windows whose background is not positive, b > 0"
    gives(report, answer, (empty, (1.0, 3.0), "a window without any background does not count", no_b))
    report.agrees(answer, _window, bins(20, 11), hint="use the three arguments, and all edges")
