"""The exact tree-level matrix element of q q̄ → l⁺l⁻ l'⁺l'⁻, massless, for many events at once.

Three fermion lines (the quarks and two lepton pairs) are joined by γ* and Z. Each line in turn radiates
the two bosons that end on the other lines: the quark line gives q q̄ → ZZ*, Zγ*, γ*γ*, a lepton line gives
q q̄ → Z*/γ* → l⁺l⁻ (Z*/γ* → l'⁺l'⁻), hence the peak of Z → 4l. Amplitudes are written in spinor products (the
spinor-helicity formalism: L. Dixon, *Calculating scattering amplitudes efficiently*, hep-ph/9601359), so all
interference is there, that of identical leptons too (L. Dixon, Z. Kunszt, A. Signer, Nucl. Phys. B531 (1998) 3,
hep-ph/9803250, have the same amplitudes).
"""

from __future__ import annotations

from itertools import combinations, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from factory.particles import Floats

Z_MASS = 91.1876
"""Mass of the Z boson in GeV (Particle Data Group 2024)."""
Z_WIDTH = 2.4952
SIN2_THETA_W = 0.2312
ALPHA = 1 / 128.0
"""Fine-structure constant at the scale of the Z mass."""

Complexes = NDArray[Any]
Line = tuple[int, int]
"""Places of the particles at the end and at the start of a fermion line, among quark, antiquark, l⁻, l⁺, l'⁻, l'⁺."""

_SIGN = (-1, -1, 1, 1, 1, 1)
"""Of a particle's momentum: that of the incoming ones flows in, that of the leptons out."""
_DIRECT, _EXCHANGED = ((1, 0), (2, 3), (4, 5)), ((1, 0), (2, 5), (4, 3))


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
    products = _products(np.concatenate([quark[:, None], antiquark[:, None], leptons], axis=1))
    direct = _amplitudes(products, up_type, _DIRECT)
    total = np.zeros(len(quark))
    for amplitude in direct.values():
        total += np.abs(amplitude) ** 2
    if len(chosen := np.flatnonzero(identical)):
        exchanged = _amplitudes(products[..., chosen], up_type[chosen], _EXCHANGED)
        total[chosen] = 0.0
        for helicities, amplitude in direct.items():
            one, other = amplitude[chosen], exchanged[helicities]
            interfere = helicities[1] == helicities[2]
            total[chosen] += np.abs(one - other) ** 2 if interfere else np.abs(one) ** 2 + np.abs(other) ** 2
        total[chosen] /= 4
    e_to_the_8 = (4 * np.pi * ALPHA) ** 4
    return total * e_to_the_8 / (4 * 3)


def _products(momenta: Floats) -> Complexes:
    """Spinor products ⟨ij⟩ of momenta (n, particles, 4), shape (particles, particles, n): |⟨ij⟩|² is 2 pᵢ·pⱼ.

    Spinors are singular along one axis; the beams lie along z, so the axes are turned.
    """
    energy, z, x, y = momenta.T
    root = np.sqrt(np.maximum(energy + z, 1e-12))
    other = (x + 1j * y) / root
    return root[:, None] * other - other[:, None] * root


def _amplitudes(
    products: Complexes, up_type: NDArray[np.bool_], lines: tuple[Line, Line, Line]
) -> dict[tuple[int, ...], Complexes]:
    """Amplitudes by helicities of the lines: 0 is left-handed, 1 right-handed."""
    quark_couplings = couplings(np.where(up_type, 2 / 3, -1 / 3), np.where(up_type, 0.5, -0.5))
    lepton_couplings = couplings(np.array(-1.0), np.array(-0.5))
    all_couplings = (quark_couplings, lepton_couplings, lepton_couplings)
    propagators = [_propagators(np.abs(products[line]) ** 2) for line in lines]
    zero: Complexes = np.zeros(len(up_type), complex)
    amplitudes = {hands: zero.copy() for hands in np.ndindex(2, 2, 2)}
    for main, hands in product(range(3), np.ndindex(2, 2, 2)):
        if hands[main] == 1:
            continue
        others = [i for i in range(3) if i != main]
        # A right-handed line is a left-handed one with its ends exchanged.
        one, two = (lines[i] if hands[i] == 0 else lines[i][::-1] for i in others)
        chain = _chain(products, lines[main], one, two) + _chain(products, lines[main], two, one)
        # Turning all helicities round conjugates a chain.
        for signed, value in ((hands, chain), (tuple(1 - hand for hand in hands), chain.conj())):
            strength: Any = 1.0
            for i in others:
                strength = strength * sum(
                    all_couplings[main][signed[main]][v] * all_couplings[i][signed[i]][v] * propagators[i][v]
                    for v in (0, 1)
                )
            amplitudes[signed] += strength * value
    return amplitudes


def _propagators(s: Floats) -> tuple[Floats, Complexes]:
    return 1 / s, 1 / (s - Z_MASS**2 + 1j * Z_MASS * Z_WIDTH)


def _chain(products: Complexes, main: Line, outer: Line, inner: Line) -> Complexes:
    """The left-handed line ``main`` emits the bosons of two left-handed lines, that of ``outer`` next to its end."""
    end, start = main
    emitted = (end, *outer)
    between = sum(_SIGN[k] * products[k, outer[1]].conj() * products[k, inner[0]] for k in emitted)
    squared_momentum = sum(_SIGN[i] * _SIGN[j] * np.abs(products[i, j]) ** 2 for i, j in combinations(emitted, 2))
    return 4 * products[end, outer[0]] * between * products[start, inner[1]].conj() / squared_momentum
