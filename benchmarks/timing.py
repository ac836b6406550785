"""Compare two ways of doing the same: interleaved runs, so that whatever else the machine does hits both."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Result(NamedTuple):
    """Outcome of a comparison.

    ``ratio`` is the median over the rounds of plain time / our time, ``spread`` the difference of the largest
    and the smallest of these ratios; ``ours_s`` and ``plain_s`` are median seconds.
    """

    ratio: float
    spread: float
    ours_s: float
    plain_s: float
    note: str = ""

    @classmethod
    def of(cls, ours_s: list[float], plain_s: list[float], note: str = "") -> Result:
        """Combine the seconds of each round."""
        ratios = np.divide(plain_s, ours_s)
        return cls(
            float(np.median(ratios)), float(np.ptp(ratios)), float(np.median(ours_s)), float(np.median(plain_s)), note
        )


def seconds(run: Callable[[], object], times: int = 1) -> float:
    """Wall-clock seconds of one run, the mean of several."""
    begin = time.perf_counter()
    for _ in range(times):
        run()
    return (time.perf_counter() - begin) / times


def compare(
    ours: Callable[[], object], plain: Callable[[], object], *, rounds: int, ours_times: int = 1, note: str = ""
) -> Result:
    """Run both in turn, ``rounds`` times; ours ``ours_times`` times a round, for those too short to time."""
    ours_s, plain_s = [], []
    for _ in range(rounds):
        plain_s.append(seconds(plain))
        ours_s.append(seconds(ours, ours_times))
    return Result.of(ours_s, plain_s, note)
