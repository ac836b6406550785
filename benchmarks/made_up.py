"""Events for the benchmarks: right in number and shape, made up in content."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Sizes(NamedTuple):
    """Numbers of events; the full ones are those of the official samples."""

    train: int = 358_000
    validation: int = 179_000
    all: int = 895_000
    read: int = 300_000
    cuts: int = 1000
    generated: int = 4000
    rounds: int = 3


FULL = Sizes()
QUICK = Sizes(train=20_011, validation=10_007, all=50_000, read=5_000, cuts=200, generated=100, rounds=3)


def transverse_momenta(
    n_events: int, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Return four transverse momenta (GeV), labels and weights of two classes that overlap."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n_events).astype(np.float32)
    # Signal comes from one heavy particle: its sum is sharper and its momenta are shared more evenly.
    scale = np.where(y == 1, rng.normal(125, 22, n_events), rng.lognormal(5.0, 0.4, n_events))
    shares = -np.sort(-rng.dirichlet([3.0] * 4, n_events), axis=1)
    even = -np.sort(-rng.dirichlet([4.5] * 4, n_events), axis=1)
    x = 7 + np.abs(scale)[:, None] * np.where(y[:, None] == 1, even, shares)
    return x.astype(np.float32), y, rng.uniform(0.5, 1.5, n_events).astype(np.float32)
