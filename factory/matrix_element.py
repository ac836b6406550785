"""The exact tree-level matrix element of q q̄ → l⁺l⁻ l'⁺l'⁻, massless, for many events at once.

Three fermion lines (the quarks and two lepton pairs) are joined by γ* and Z. Each line in turn radiates
the two bosons that end on the other lines: the quark line gives q q̄ → ZZ*, Zγ*, γ*γ*, a lepton line gives
q q̄ → Z*/γ* → l⁺l⁻ (Z*/γ* → l'⁺l'⁻), hence the peak of Z → 4l. Chains of two-component spinors are multiplied
numerically, so all interference is there, that of identical leptons too (see for instance L. Dixon, Z. Kunszt,
A. Signer, Nucl. Phys. B531 (1998) 3, hep-ph/9803250, for the same amplitudes in closed form).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from factory.particles import Floats

Z_MASS = 91.1876
"""Mass of the Z boson in GeV (Particle Data Group 2024)."""
Z_WIDTH = 2.4952
SIN2_THETA_W = 0.2312
ALPHA = 1 / 128.0
"""Fine-structure constant at the scale of the Z mass."""

_AXES = [0, 2, 3, 1]
"""Spinors are singular along one axis; the beams lie along z, so the axes are turned."""

Complexes = NDArray[Any]
Spinor = tuple[Complexes, Complexes]
Matrix = tuple[Complexes, Complexes, Complexes, Complexes]


class _Line(NamedTuple):
    """A fermion line: momentum that flows out at its end, momentum of the boson that ends on it, per chirality
    the spinors of end and start, and the current between them."""

    flow: Floats
    boson: Floats
    end: tuple[Spinor, Spinor]
    start: tuple[Spinor, Spinor]
    current: tuple[Complexes, Complexes]


def couplings(charge: Floats, isospin: Floats) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
    """Couplings to (photon, Z) of the (left-, right-handed) fermion in units of e."""
    sine = np.sqrt(SIN2_THETA_W)
    cosine = np.sqrt(1 - SIN2_THETA_W)
    left = (isospin - charge * SIN2_THETA_W) / (sine * cosine)
    return (charge, left), (charge, -charge * sine / cosine)


def squared(
    quark: Floats, antiquark: Floats, leptons: Floats, up_type: NDArray[np.bool_], identical: NDArray[np.bool_]
) -> Floats:
    """Squared matrix element, averaged over incoming and summed over outgoing spins and colours.

    Parameters
    ----------
    quark, antiquark : ndarray, shape (n, 4)
        Incoming momenta (E, px, py, pz) in GeV.
    leptons : ndarray, shape (n, 4, 4)
        Outgoing l⁻, l⁺, l'⁻, l'⁺.
    up_type, identical : ndarray of bool, shape (n,)
        Whether the quark has charge 2/3, and whether l and l' are of one flavour (1/4 for identical particles is
        included).

    Returns
    -------
    ndarray, shape (n,)
        In GeV⁻⁴.
    """
    particles = [quark, antiquark, *np.moveaxis(leptons, 1, 0)]
    direct = _amplitudes(particles, up_type, (2, 3, 4, 5))
    total = np.zeros(len(quark))
    for amplitude in direct.values():
        total += np.abs(amplitude) ** 2
    if len(chosen := np.flatnonzero(identical)):
        exchanged = _amplitudes([p[chosen] for p in particles], up_type[chosen], (2, 5, 4, 3))
        total[chosen] = 0.0
        for helicities, amplitude in direct.items():
            one, other = amplitude[chosen], exchanged[helicities]
            interfere = helicities[1] == helicities[2]
            total[chosen] += np.abs(one - other) ** 2 if interfere else np.abs(one) ** 2 + np.abs(other) ** 2
        total[chosen] /= 4
    e_to_the_8 = (4 * np.pi * ALPHA) ** 4
    return total * e_to_the_8 / (4 * 3)


def _amplitudes(
    particles: list[Floats], up_type: NDArray[np.bool_], order: tuple[int, int, int, int]
) -> dict[tuple[int, int, int], Complexes]:
    """Amplitudes by helicities of the lines; ``order`` says which leptons, by position, make a line each."""
    quark, antiquark = particles[:2]
    spinors = [_spinors(p) for p in particles]
    lines = [_line(-antiquark, -(quark + antiquark), spinors[1], spinors[0])]
    for a, b in (order[:2], order[2:]):
        lines.append(_line(particles[a], particles[a] + particles[b], spinors[a], spinors[b]))
    quark_couplings = couplings(np.where(up_type, 2 / 3, -1 / 3), np.where(up_type, 0.5, -0.5))
    lepton_couplings = couplings(np.array(-1.0), np.array(-0.5))
    all_couplings = (quark_couplings, lepton_couplings, lepton_couplings)
    propagators = [_propagators(line.boson) for line in lines]
    amplitudes = {}
    chains: dict[tuple[int, ...], Complexes] = {}
    for h in np.ndindex(2, 2, 2):
        total: Complexes = np.zeros(len(particles[0]), complex)
        for main, i, j in ((0, 1, 2), (1, 0, 2), (2, 0, 1)):
            # Turning all helicities round conjugates a chain: half of them need no product.
            turned = (main, *(1 - hand for hand in h))
            if turned in chains:
                chain = chains[turned].conj()
            else:
                chain = chains[(main, *h)] = _chain(lines[main], h[main], lines[i], h[i], lines[j], h[j])
            strength: Any = 1.0
            for other in (i, j):
                strength = strength * sum(
                    all_couplings[main][h[main]][v] * all_couplings[other][h[other]][v] * propagators[other][v]
                    for v in (0, 1)
                )
            total += strength * chain
        amplitudes[h] = total
    return amplitudes


def _propagators(momentum: Floats) -> tuple[Floats, Complexes]:
    s = _square(momentum)
    return 1 / s, 1 / (s - Z_MASS**2 + 1j * Z_MASS * Z_WIDTH)


def _square(p: Floats) -> Floats:
    return p[:, 0] ** 2 - p[:, 1] ** 2 - p[:, 2] ** 2 - p[:, 3] ** 2


def _spinors(p: Floats) -> tuple[Spinor, Spinor]:
    """Left- and right-handed spinors."""
    energy, x, y, z = p[:, _AXES].T
    root = np.sqrt(np.maximum(energy + z, 1e-12))
    transverse = x + 1j * y
    return (-transverse.conj() / root, root + 0j), (root + 0j, transverse / root)


def _line(flow: Floats, boson: Floats, end: tuple[Spinor, Spinor], start: tuple[Spinor, Spinor]) -> _Line:
    return _Line(flow, boson, end, start, (_current(end[0], start[0], -1), _current(end[1], start[1], 1)))


def _current(end: Spinor, start: Spinor, sign: int) -> Complexes:
    """end† (1, ± σ) start: the vector current of a left- (−) or right-handed (+) line, shape (4, n)."""
    a, b = end[0].conj(), end[1].conj()
    c, d = start
    return np.stack([a * c + b * d, sign * (a * d + b * c), sign * 1j * (b * c - a * d), sign * (a * c - b * d)])


def _slash(vector: Complexes, sign: int) -> Matrix:
    """t + sign (x, y, z)·σ of a vector of shape (4, n)."""
    t, x, y, z = vector
    return t + sign * z, sign * (x - 1j * y), sign * (x + 1j * y), t - sign * z


def _apply(matrix: Matrix, spinor: Spinor) -> Spinor:
    return matrix[0] * spinor[0] + matrix[1] * spinor[1], matrix[2] * spinor[0] + matrix[3] * spinor[1]


def _chain(main: _Line, h: int, one: _Line, h_one: int, two: _Line, h_two: int) -> Complexes:
    """The line ``main`` emits both bosons, in both orders."""
    sign = 1 if h == 0 else -1
    slashed = [_slash(line.current[hand], sign) for line, hand in ((one, h_one), (two, h_two))]
    end, start = main.end[h], main.start[h]
    total: Complexes = np.zeros(len(main.flow), complex)
    for (outer, line), inner in (((slashed[0], one), slashed[1]), ((slashed[1], two), slashed[0])):
        momentum = main.flow + line.boson
        propagator = _slash(momentum[:, _AXES].T, -sign)
        spinor = _apply(outer, _apply(propagator, _apply(inner, start)))
        total += (end[0].conj() * spinor[0] + end[1].conj() * spinor[1]) / _square(momentum)
    return total
