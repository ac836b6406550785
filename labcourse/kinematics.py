"""Invariant masses and angles of arrays of leptons, in GeV and radians."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

PAIRS = ((1, 2), (1, 3), (1, 4), (2, 3), (2, 4), (3, 4))
"""The six ways to pick two of four leptons."""

Z_MASS = 91.19
"""Mass of the Z boson, in GeV."""

_BLOCK = 8192
"""Events whose pairs are computed at a time: what lies in between stays in the processor's cache."""


def _momenta(*columns: ArrayLike) -> NDArray[np.float64]:
    """(E, px, py, pz) from pt, eta, phi and energy of shape (n_events, n_particles): shape (4, n_particles, n_events).

    In float64: the difference of two large squares would lose half its digits in float32.
    """
    pt, eta, phi, energy = (np.asarray(column).T.astype(np.float64) for column in columns)
    # By the tangent of half the angle: numpy's float64 sine and cosine take ten times as long.
    t = np.tan(phi / 2)
    return np.stack([energy, pt * (1 - t * t) / (1 + t * t), pt * (2 * t) / (1 + t * t), pt * np.sinh(eta)])


def _invariant(total: NDArray[np.float64]) -> NDArray[np.float32]:
    """Mass of four-momenta of shape (4, n_events)."""
    energy, px, py, pz = total * total
    return np.sqrt(np.maximum(energy - px - py - pz, 0.0)).astype(np.float32)


def mass(pt: ArrayLike, eta: ArrayLike, phi: ArrayLike, energy: ArrayLike) -> NDArray[np.float32]:
    """Invariant mass of the sum of all particles in a row, in GeV, shape (n_events,).

    A mass squared that rounding made negative gives 0.

    Parameters
    ----------
    pt, eta, phi, energy : array_like, shape (n_events, n_particles)
        Transverse momentum (GeV), pseudorapidity, azimuth (rad) and energy (GeV).

    Examples
    --------
    Two massless particles back to back:

    >>> float(mass([[50.0, 50.0]], [[0.0, 0.0]], [[0.0, np.pi]], [[50.0, 50.0]])[0])
    100.0
    """
    return _invariant(_momenta(pt, eta, phi, energy).sum(axis=1))


def pair_masses(pt: ArrayLike, eta: ArrayLike, phi: ArrayLike, energy: ArrayLike) -> dict[str, NDArray[np.float32]]:
    """Masses of all six pairs of four leptons and of the four together: ``m_ll_12`` … ``m_ll_34`` and ``m_llll``.

    Of arrays of shape (n_events, 4), in GeV and radians, each mass is one of shape (n_events,), in GeV.
    """
    columns, parts = [np.asarray(column) for column in (pt, eta, phi, energy)], []
    for start in range(0, max(len(columns[0]), 1), _BLOCK):
        momenta = _momenta(*(column[start : start + _BLOCK] for column in columns))
        totals = [*(momenta[:, i - 1] + momenta[:, j - 1] for i, j in PAIRS), momenta.sum(axis=1)]
        parts.append([_invariant(total) for total in totals])
    names = [*(f"m_ll_{i}{j}" for i, j in PAIRS), "m_llll"]
    return dict(zip(names, np.concatenate(parts, axis=1), strict=True))


def lepton_arrays(events: pd.DataFrame, quantity: str) -> NDArray[np.float32]:
    """Return one quantity (``pt``, ``eta``, ``phi``, ``e``, ``charge``, ``pdgid``) of the leptons, shape (n, 4)."""
    return np.column_stack([events[f"lep{i}_{quantity}"].to_numpy() for i in (1, 2, 3, 4)])


def z_masses(events: pd.DataFrame) -> NDArray[np.float64]:
    """Mass of the pair nearest the Z boson and of the other pair, in GeV, shape (2, n_events).

    Pairs are two leptons of one flavour and opposite charge. Where an event does not consist of two, both are 0.
    """
    charge, flavour = (lepton_arrays(events, name) for name in ("charge", "pdgid"))
    masses, distance = np.zeros((2, len(events))), np.full(len(events), np.inf)
    for pairs in zip(PAIRS, reversed(PAIRS), strict=True):  # (1, 2) and (3, 4), …
        found = np.array([events[f"m_ll_{i}{j}"] for i, j in pairs], np.float64)
        far = np.abs(found[0] - Z_MASS)
        for i, j in pairs:
            is_pair = (charge[:, i - 1] + charge[:, j - 1] == 0) & (flavour[:, i - 1] == flavour[:, j - 1])
            far[~is_pair] = np.inf
        masses, distance = np.where(far < distance, found, masses), np.minimum(far, distance)
    return masses


def delta_phi(phi_a: ArrayLike, phi_b: ArrayLike) -> NDArray[np.float64]:
    """Difference of two azimuths, brought into [−π, π).

    Examples
    --------
    >>> float(delta_phi(3.0, -3.0).round(4))
    -0.2832
    """
    return (np.asarray(phi_a, np.float64) - np.asarray(phi_b, np.float64) + np.pi) % (2 * np.pi) - np.pi
