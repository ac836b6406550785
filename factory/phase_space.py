"""Phase space of four massless leptons, drawn where q q̄ → 4 leptons happens.

Multichannel sampling: pairs of resonances (ZZ, Zγ*, γ*γ*), and cascades in which one lepton radiates the
other pair (Z → 4l). The density is the joint one of all channels, so that every region is weighted rightly
whichever channel has drawn it.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np

from factory.matrix_element import Z_MASS, Z_WIDTH
from factory.particles import Bools, Floats

M4L_RANGE = (45.0, 2000.0)
PAIR_MASS_MIN = 4.0
"""Least mass of a pair of opposite charges and one flavour (GeV)."""


def _power(low: Floats, high: Floats, u: Floats) -> Floats:
    return low * (high / low) ** u


def _power_density(s: Floats, low: Floats, high: Floats) -> Floats:
    return np.where((s > low) & (s < high), 1 / (s * np.log(high / low)), 0.0)


def _resonance(low: Floats, high: Floats, u: Floats) -> Floats:
    width = Z_MASS * Z_WIDTH
    a, b = (np.arctan((edge - Z_MASS**2) / width) for edge in (low, high))
    return Z_MASS**2 + width * np.tan(a + u * (b - a))


def _resonance_density(s: Floats, low: Floats, high: Floats) -> Floats:
    width = Z_MASS * Z_WIDTH
    a, b = (np.arctan((edge - Z_MASS**2) / width) for edge in (low, high))
    return np.where((s > low) & (s < high), width / (((s - Z_MASS**2) ** 2 + width**2) * (b - a)), 0.0)


def _resonant_share(high: Floats) -> Floats:
    """Below the Z mass there is no room for a pair at the Z mass beside another."""
    return np.select([high > 170.0**2, high > 95.0**2], [0.8, 0.5], 0.05)


def _mixed(low: Floats, high: Floats, rng: np.random.Generator) -> Floats:
    size = len(high)
    u = rng.random(size)
    return np.where(rng.random(size) < _resonant_share(high), _resonance(low, high, u), _power(low, high, u))


def _mixed_density(s: Floats, low: Floats, high: Floats) -> Floats:
    share = _resonant_share(high)
    return share * _resonance_density(s, low, high) + (1 - share) * _power_density(s, low, high)


_S_LOW, _S_HIGH = np.array(M4L_RANGE) ** 2


def _falling(low: Floats, high: Floats, u: Floats) -> Floats:
    return 1 / (1 / low - u * (1 / low - 1 / high))


def _falling_density(s: Floats, low: Floats, high: Floats) -> Floats:
    return np.where((s > low) & (s < high), 1 / (s**2 * (1 / low - 1 / high)), 0.0)


# Share of the draws, sampler, density and range: the Z peak, all masses, between Z and ZZ, from the ZZ threshold on.
_S_PARTS: tuple[tuple[float, Any, Any, float, float], ...] = (
    (0.50, _resonance, _resonance_density, _S_LOW, _S_HIGH),
    (0.18, _power, _power_density, _S_LOW, 400.0**2),
    (0.15, _power, _power_density, 95.0**2, 178.0**2),
    (0.17, _falling, _falling_density, 172.0**2, _S_HIGH),
)


def sample_s(size: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Squared mass of the four leptons, and its density."""
    part = rng.choice(len(_S_PARTS), size, p=[p[0] for p in _S_PARTS])
    u = rng.random(size)
    s = np.choose(part, [sampler(low, high, u) for _, sampler, _, low, high in _S_PARTS])
    density: Floats = sum(share * of(s, low, high) for share, _, of, low, high in _S_PARTS)
    return s, density


def _beta(s: Floats, a: Floats, b: Floats) -> Floats:
    """√λ(1, a/s, b/s) of a decay to squared masses a and b; 0 outside of phase space."""
    allowed = np.sqrt(a) + np.sqrt(b) < np.sqrt(s)
    return np.where(allowed, np.sqrt(np.maximum((1 - a / s - b / s) ** 2 - 4 * a * b / s**2, 0)), 0.0)


def _decay(parent: Floats, a: Floats, b: Floats, cosine: Floats, phi: Floats) -> tuple[Floats, Floats]:
    """Two-body decay of ``parent`` (n, 4) to squared masses a, b; angles in the parent's rest frame."""
    s = mass_squared(parent)
    root = np.sqrt(s)
    momentum = 0.5 * root * _beta(s, a, b)
    sine = np.sqrt(np.maximum(1 - cosine**2, 0))
    direction = np.stack([sine * np.cos(phi), sine * np.sin(phi), cosine], axis=1)
    rest = np.column_stack([0.5 * (s + a - b) / root, momentum[:, None] * direction])
    first = _boost(rest, parent, root)
    return first, parent - first


def mass_squared(p: Floats) -> Floats:
    """Return the squared mass of momenta (n, 4), energy first; rounding never makes it negative."""
    return np.maximum(p[:, 0] ** 2 - (p[:, 1:] ** 2).sum(axis=1), 1e-9)


def _boost(p: Floats, frame: Floats, mass: Floats) -> Floats:
    """Take ``p`` from the rest frame of ``frame`` to where ``frame`` is given."""
    along = (p[:, 1:] * frame[:, 1:]).sum(axis=1)
    energy = (p[:, 0] * frame[:, 0] + along) / mass
    shift = (along / (frame[:, 0] + mass) + p[:, 0]) / mass
    return np.column_stack([energy, p[:, 1:] + shift[:, None] * frame[:, 1:]])


_PEAKED = 0.7
"""Share of pairs drawn along 1/t and 1/u, the rest isotropic."""


def _peak_position(s: Floats, a: Floats, b: Floats) -> Floats:
    """The cosine A > 1 at which the exchange of a massless quark has its pole, t ∝ A − cos θ."""
    return np.maximum((s - a - b) / np.maximum(s * _beta(s, a, b), 1e-12), 1 + 1e-9)


def _peaked(position: Floats, rng: np.random.Generator) -> Floats:
    size = len(position)
    cosine = position - (position + 1) * ((position - 1) / (position + 1)) ** rng.random(size)
    cosine = np.where(rng.random(size) < 0.5, cosine, -cosine)
    return np.where(rng.random(size) < _PEAKED, cosine, rng.uniform(-1, 1, size))


def _peaked_density(cosine: Floats, position: Floats) -> Floats:
    """Relative to isotropy."""
    logarithm = np.log((position + 1) / (position - 1))
    peaks = (1 / (position - cosine) + 1 / (position + cosine)) / logarithm
    return 1 - _PEAKED + _PEAKED * peaks


_PAIRINGS = ((0, 1, 2, 3), (0, 3, 2, 1))
_CASCADES = ((0, 1, 2, 3), (1, 0, 2, 3), (2, 3, 0, 1), (3, 2, 0, 1))
_EXCHANGED = ((0, 3, 2, 1), (3, 0, 2, 1), (2, 1, 0, 3), (1, 2, 0, 3))
"""Of cascades the first lepton, the one that radiates, and the radiated pair; then with the positive ones exchanged."""
_CHANNELS = np.array([*_PAIRINGS, *_CASCADES, *_EXCHANGED])
_JACOBIAN = (2 * np.pi) ** 2 * (8 * np.pi) ** 3


def _shares(s: Floats, identical: Bools) -> Floats:
    """Probability of each channel, shape (channels, n): pairings, then cascades, then cascades with exchange.

    Above threshold nearly all events are pairs of Z. With leptons of two flavours nothing is exchanged.
    """
    pairs = np.select([s > 175.0**2, s > 97.0**2], [0.85, 0.65], 0.25)
    alike = np.where(identical, 0.5, 0.0)
    n = len(_CASCADES)
    cascades = [(1 - pairs) / n * (1 - alike)] * n, [(1 - pairs) / n * alike] * n
    return np.stack([pairs * (1 - alike), pairs * alike, *cascades[0], *cascades[1]])


def sample_leptons(s: Floats, identical: Bools, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Momenta (n, 4, 4) in the rest frame of the four leptons, and their density in phase space."""
    size = len(s)
    leptons = np.zeros((size, 4, 4))
    low = np.full(size, PAIR_MASS_MIN**2)
    total = np.column_stack([np.sqrt(s), np.zeros((size, 3))])
    zero = np.zeros(size)
    shares = _shares(s, identical)
    channel = np.minimum((np.cumsum(shares, axis=0) < rng.random(size)).sum(axis=0), len(shares) - 1)
    cosines = rng.uniform(-1, 1, (3, size))
    phis = rng.uniform(-np.pi, np.pi, (3, size))
    first, second = _mixed(low, s, rng), _mixed(low, s, rng)
    heavy = _power(second, np.maximum(s, second * 1.001), rng.random(size))
    paired = channel < len(_PAIRINGS)
    allowed = _beta(s, np.where(paired, first, 0.0), np.where(paired, second, heavy)) > 0
    for pairs in (True, False):
        rows = np.flatnonzero(allowed & (paired == pairs))
        a, b = (first[rows], second[rows]) if pairs else (zero[rows], heavy[rows])
        cosine = _peaked(_peak_position(s[rows], a, b), rng) if pairs else cosines[0, rows]
        one, rest = _decay(total[rows], a, b, cosine, phis[0, rows])
        if pairs:
            products = [
                *_decay(one, zero[rows], zero[rows], cosines[1, rows], phis[1, rows]),
                *_decay(rest, zero[rows], zero[rows], cosines[2, rows], phis[2, rows]),
            ]
        else:
            other, pair = _decay(rest, zero[rows], second[rows], cosines[1, rows], phis[1, rows])
            products = [one, other, *_decay(pair, zero[rows], zero[rows], cosines[2, rows], phis[2, rows])]
        for k, product in enumerate(products):
            leptons[rows, _CHANNELS[channel[rows], k]] = product
    return leptons, np.where(allowed, _density(leptons, s, shares), 0.0)


def _density(leptons: Floats, s: Floats, shares: Floats) -> Floats:
    """Joint density of all channels with respect to Lorentz-invariant phase space."""
    low = np.full(len(s), PAIR_MASS_MIN**2)
    density = np.zeros(len(s))
    # The channels share a few invariants: each is computed once, from rows of memory.
    p = np.ascontiguousarray(leptons.transpose(1, 2, 0))
    pair_mass, z_of_pair = {}, {}
    for a, b in combinations(range(4), 2):
        product = p[a, 0] * p[b, 0] - p[a, 1] * p[b, 1] - p[a, 2] * p[b, 2] - p[a, 3] * p[b, 3]
        pair_mass[a, b] = pair_mass[b, a] = np.maximum(2 * product, 1e-9)
    with np.errstate(divide="ignore", invalid="ignore"):
        for a, b in ((0, 1), (2, 3), (0, 3), (2, 1)):
            z_of_pair[a, b] = z_of_pair[b, a] = _mixed_density(pair_mass[a, b], low, s)
        for share, (a, b, c, d) in zip(shares, _PAIRINGS, strict=False):
            s1, s2 = pair_mass[a, b], pair_mass[c, d]
            x, y, z = p[a, 1:] + p[b, 1:]
            term = z_of_pair[a, b] * z_of_pair[c, d] / _beta(s, s1, s2)
            term = term * _peaked_density(z / np.sqrt(x * x + y * y + z * z), _peak_position(s, s1, s2))
            density += share * np.nan_to_num(term, posinf=0.0)
        for share, (_, b, c, d) in zip(shares[len(_PAIRINGS) :], (*_CASCADES, *_EXCHANGED), strict=True):
            s2 = pair_mass[c, d]
            heavy = s2 + pair_mass[b, c] + pair_mass[b, d]
            # β of a decay into a massless particle and one of squared mass m: 1 − m/s.
            term = z_of_pair[c, d] * _power_density(heavy, s2, s) / ((1 - heavy / s) * (1 - s2 / heavy))
            density += share * np.nan_to_num(term, posinf=0.0)
    return density * _JACOBIAN
