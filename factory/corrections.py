"""Weights that correct simulation to data: pile-up, efficiencies of leptons and of the trigger.

Spread and mean of each follow the simulated files of the release; they are drawn at random, not derived
from the simulated detector.
"""

from __future__ import annotations

import numpy as np

from factory.particles import Floats, Particles


def pileup(n_events: int, rng: np.random.Generator) -> Floats:
    """One weight for each of 26 bins of the mean number of interactions per crossing.

    The simulation has a flatter profile than the data; where the data have none, the weight is zero.
    """
    weights = np.r_[
        0.0,
        np.linspace(0.19, 0.70, 7),
        np.linspace(0.78, 1.21, 7),
        np.linspace(1.22, 1.33, 8),
        [1.45, 1.56, 1.75],
    ]
    probability = np.r_[0.035, np.full(7, 0.032), np.full(7, 0.046), np.full(8, 0.047), 0.015, 0.012, 0.006]
    return rng.choice(weights, n_events, p=probability / probability.sum())


def leptons(seen: Particles, n_events: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Product over the electrons, and over the muons, of data efficiency over simulated efficiency."""
    electron = np.abs(seen.pdgid) == 11
    soft = np.exp(-(seen.pt - 7) / 12)
    factor = np.where(
        electron,
        0.982 - 0.03 * soft + rng.normal(0, 0.010, len(seen)) + 0.03 * soft * rng.normal(size=len(seen)),
        0.995 + rng.normal(0, 0.004, len(seen)) + 0.008 * soft * rng.normal(size=len(seen)),
    )
    logarithm = np.log(np.clip(factor, 0.7, 1.2))
    return tuple(  # type: ignore[return-value]
        np.exp(np.bincount(seen.event[kind], logarithm[kind], minlength=n_events)) for kind in (electron, ~electron)
    )


def trigger(fired_muon: np.ndarray, rng: np.random.Generator) -> Floats:
    """Ratio of trigger efficiencies; smaller and wider where a muon fired; one event in a hundred has none."""
    n_events = len(fired_muon)
    factor = np.where(fired_muon, 1.0 - rng.exponential(0.05, n_events), 0.985 + rng.normal(0, 0.02, n_events))
    return np.where(rng.random(n_events) < 0.01, 0.0, np.clip(factor, 0.5, 1.1))
