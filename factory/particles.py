"""Flat arrays of particles of many events, and how they are matched within an event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labcourse import kinematics

# Aliases that say what an array holds; numpy's own stubs are too narrow for arithmetic between them.
Floats = NDArray[Any]
Ints = NDArray[Any]
Bools = NDArray[Any]

PROMPT, HEAVY, LIGHT, PILEUP, FALSE = range(5)
"""Where a lepton comes from: W, Z, H or τ; decay of a b hadron in t t̄; jet beside a Z; another collision of the same
crossing; or tracks of several particles that are taken for one muon."""


@dataclass(frozen=True)
class Particles:
    """Particles of many events in one row of arrays each, ordered by event.

    ``event`` is the position of the event in the chunk, ``pdgid`` the signed PDG code; GeV and radians. Optional are
    ``origin``, by default `PROMPT`, and ``z``, the distance of the particle's vertex from the collision (mm).
    """

    event: Ints
    pdgid: Ints
    pt: Floats
    eta: Floats
    phi: Floats
    origin: Ints = None  # type: ignore[assignment]
    z: Floats = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if self.origin is None:
            object.__setattr__(self, "origin", np.full(len(self.event), PROMPT))
        if self.z is None:
            object.__setattr__(self, "z", np.zeros(len(self.event)))

    def __len__(self) -> int:
        return len(self.event)

    def take(self, chosen: Bools | Ints) -> Particles:
        """Return the particles of a mask or of positions."""
        return Particles(*(getattr(self, f.name)[chosen] for f in fields(self)))

    @staticmethod
    def from_momenta(event: Ints, pdgid: Ints, px: Floats, py: Floats, pz: Floats) -> Particles:
        """Make particles of Cartesian momenta."""
        pt = np.hypot(px, py)
        with np.errstate(divide="ignore", invalid="ignore"):
            eta = np.where(pt > 0, np.arcsinh(pz / pt), np.sign(pz) * 99.0)
        return Particles(event, pdgid, pt, eta, np.arctan2(py, px))


def join(parts: Sequence[Particles]) -> Particles:
    """Return all particles, one part after the other."""
    return Particles(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Particles)))


def concatenate(parts: Sequence[Particles]) -> Particles:
    """Join particles and order them by event, then by falling pT."""
    joined = join(parts)
    return joined.take(np.lexsort((-joined.pt, joined.event)))


def pairs(event_a: Ints, event_b: Ints) -> tuple[Ints, Ints]:
    """Return the positions of all pairs (one of a, one of b) of the same event.

    Both arrays must be sorted.

    Examples
    --------
    >>> a, b = pairs(np.array([0, 2]), np.array([0, 0, 1, 2]))
    >>> a.tolist(), b.tolist()
    ([0, 0, 1], [0, 1, 3])
    """
    start = np.searchsorted(event_b, event_a, "left")
    number = np.searchsorted(event_b, event_a, "right") - start
    first = np.repeat(np.arange(len(event_a)), number)
    within = np.arange(number.sum()) - np.repeat(np.cumsum(number) - number, number)
    return first, np.repeat(start, number) + within


def distance(a: Particles, i: Any, b: Particles, j: Any) -> Floats:
    """Return the angular distance ΔR = √(Δη² + Δφ²) of the particles i of a and j of b; ``...`` stands for all."""
    return np.hypot(a.eta[i] - b.eta[j], kinematics.delta_phi(a.phi[i], b.phi[j]))


def rank_within_event(event: Ints) -> Ints:
    """Return 0, 1, 2 … for the first, second, third entry of each event (sorted by event)."""
    return np.arange(len(event)) - np.searchsorted(event, event)
