"""What the release says of a lepton besides its momentum: isolation, impact parameters, tight identification.

Tables of quantiles, one for each flavour and origin of a lepton, measured in the simulated files of the release
(leptons with and without a partner in the generator's record; those without by their longitudinal impact parameter);
of the tracks where no other lepton is near. Where a quantity depends on pT, the tables hold what does not: the energy
in a cone comes from pile-up and from the jet, the significance of an impact parameter from where the lepton was made.
"""

from __future__ import annotations

import numpy as np

from factory.detector import GAP, JET_OF_LEPTONS, PROBABILITIES, PT_MIN, must_be_isolated, neighbours
from factory.particles import FALSE, HEAVY, LIGHT, PILEUP, PROMPT, Floats, Particles

_Quantiles = tuple[float, ...]


_EMPTY_AND_TIGHT = {
    (11, PROMPT): (0.835, 0.92),
    (13, PROMPT): (0.862, 0.93),
    (11, LIGHT): (0.455, 0.50),
    (13, LIGHT): (0.35, 0.86),
    (11, HEAVY): (0.22, 0.53),
    (13, HEAVY): (0.2, 0.91),
    (11, PILEUP): (0.845, 0.39),
    (13, PILEUP): (0.85, 0.85),
    (13, FALSE): (0.84, 0.0),
}
"""By flavour and origin: probability that no track is in the cone, and that of tight identification."""
_TRACKS = {
    (11, PROMPT): (1.0, 1.003, 1.03, 1.07, 1.19, 1.51, 2.15, 3.65, 4.6, 7.8, 15),
    (13, PROMPT): (1.0, 1.008, 1.03, 1.08, 1.21, 1.5, 2.25, 3.3, 4.4, 10, 30),
    (11, LIGHT): (1.0, 1.03, 1.08, 1.27, 1.7, 3.05, 5.1, 6.8, 8.7, 13.5, 20),
    (13, LIGHT): (1.0, 1.03, 1.1, 1.2, 1.5, 3.4, 5.5, 9.1, 10.8, 14, 16),
    (11, HEAVY): (1.0, 1.02, 1.16, 1.35, 2.35, 3.7, 6.4, 11.4, 14.8, 22, 34),
    (13, HEAVY): (1.0, 1.04, 1.2, 1.45, 2.4, 4.6, 7.9, 11.8, 13.5, 20, 24),
    (11, PILEUP): (1.0, 1.005, 1.03, 1.08, 1.26, 2.0, 3.6, 10, 25, 50, 70),
    (13, PILEUP): (1.0, 1.01, 1.03, 1.06, 1.25, 1.65, 2.6, 5.5, 10, 20, 25),
    (13, FALSE): (1.0, 1.01, 1.04, 1.1, 1.33, 1.8, 2.7, 4.4, 25, 60, 80),
}
"""Quantiles of the sum of the tracks' pT (GeV), where there is one."""
_CALORIMETER = {
    (11, PROMPT): (-3.4, -1.55, -1.06, -0.78, -0.36, 0.21, 0.97, 1.85, 2.65, 4.4, 8.0),
    (13, PROMPT): (-1.7, -1.25, -0.93, -0.77, -0.53, -0.19, 0.35, 1.15, 1.9, 3.4, 6.8),
    (11, LIGHT): (-2.1, -1.5, -0.74, -0.45, 0.08, 0.85, 2.2, 3.77, 4.4, 6.0, 8.6),
    (13, LIGHT): (-1.5, -1.35, -1.0, -0.7, -0.45, 0.22, 1.2, 2.5, 3.7, 5.8, 6.6),
    (11, HEAVY): (-2.0, -1.15, -0.55, -0.27, 0.28, 1.26, 2.9, 4.55, 5.5, 7.8, 14),
    (13, HEAVY): (-1.4, -1.15, -0.9, -0.66, -0.25, 0.52, 2.06, 3.97, 5.3, 8.9, 13.4),
    (11, PILEUP): (-3.3, -2.2, -1.2, -0.72, -0.16, 0.6, 1.95, 3.4, 4.1, 5.6, 10),
    (13, PILEUP): (-1.9, -1.55, -0.95, -0.7, -0.42, 0.25, 1.7, 3.4, 4.5, 6.9, 11.4),
    (13, FALSE): (-2.5, -1.7, -1.28, -1.04, -0.70, -0.09, 0.85, 2.0, 2.8, 5.2, 9),
}
"""Quantiles of the energy in the calorimeter (GeV)."""
_SIGNIFICANCE = {
    (11, PROMPT): (0, 0.02, 0.10, 0.20, 0.50, 1.05, 1.85, 2.77, 3.35, 5.5, 15),
    (13, PROMPT): (0, 0.03, 0.13, 0.25, 0.63, 1.30, 2.22, 3.3, 4.1, 6.5, 20),
    (11, LIGHT): (0, 0.03, 0.10, 0.22, 0.58, 1.55, 4.3, 9.2, 15, 50, 85),
    (13, LIGHT): (0, 0.05, 0.26, 0.54, 1.17, 3.1, 8.8, 18.5, 29, 60, 200),
    (11, HEAVY): (0, 0.02, 0.17, 0.37, 0.95, 2.28, 5.6, 12.1, 20, 42, 150),
    (13, HEAVY): (0, 0.06, 0.35, 0.60, 1.8, 4.7, 12.5, 28, 44, 78, 230),
    (11, PILEUP): (0, 0.03, 0.18, 0.29, 0.75, 1.6, 3.4, 8.5, 11, 28, 45),
    (13, PILEUP): (0, 0.07, 0.24, 0.50, 1.5, 4.9, 15, 27, 36, 65, 140),
    (13, FALSE): (0, 0.07, 0.8, 5.1, 35, 81, 145, 246, 367, 420, 480),
}
"""Quantiles of |d0|/σ(d0)."""
D0_MAX = 7.0
"""Largest |d0| of a track (mm): the simulated files of the release have 10 508 leptons, with up to 6.99."""
_VERTEX = (0, 0.001, 0.003, 0.006, 0.015, 0.035, 0.066, 0.107, 0.148, 0.39, 1.5)
"""Quantiles of |z0| (mm) of leptons of the hard scattering."""
_DISPLACED = (0, 0.002, 0.008, 0.015, 0.045, 0.12, 0.28, 0.65, 1.0, 1.6, 2.0)
"""The same of decay products of hadrons."""


def measure(leptons: Particles, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Draw isolation, impact parameters and tight identification.

    Parameters
    ----------
    leptons : Particles
        With their ``origin`` and ``z``.
    rng : numpy.random.Generator

    Returns
    -------
    dict
        The branches ``lep_ptcone30``, ``lep_etcone20`` (MeV), ``lep_z0``, ``lep_trackd0pvunbiased`` (mm),
        ``lep_tracksigd0pvunbiased`` (|d0| in units of its resolution) and ``lep_isTightID``.
    """
    n = len(leptons)
    flavour = np.abs(leptons.pdgid)
    isolated = must_be_isolated(leptons)
    beside = _of_neighbours(leptons, rng)
    most = _most_tracks(leptons, beside)
    tracks, energy, significance, tight = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
    for (code, origin), (empty, tightly) in _EMPTY_AND_TIGHT.items():
        members = np.flatnonzero((flavour == code) & (leptons.origin == origin))
        size = len(members)
        # What lies in the jet is in both cones: one number decides how much of either, if not alone.
        common = rng.random(size)
        tracks[members] = _tracks(common, empty, _TRACKS[code, origin], most[members])
        relative = np.where(rng.random(size) < _COMMON, common, rng.random(size))
        as_prompt = _draw(relative, _CALORIMETER[code, PROMPT])
        energy[members] = np.where(isolated[members], as_prompt, _draw(relative, _CALORIMETER[code, origin]))
        significance[members] = _draw(rng.random(size), _SIGNIFICANCE[code, origin])
        tight[members] = tightly
    for code, factor in _ENERGY.items():
        scaled = (flavour == code) & np.isin(leptons.origin, (HEAVY, LIGHT, PILEUP)) & ~isolated & (energy > 0)
        energy = np.where(scaled, energy * np.interp(leptons.pt, *factor), energy)
    tracks = tracks + beside
    displaced = np.isin(leptons.origin, (HEAVY, LIGHT))
    prompt_electron = (flavour == 11) & (leptons.origin == PROMPT)
    energy = np.where(prompt_electron, energy + _offset(leptons), energy)
    tight = np.where(prompt_electron, 0.98 - 0.5 * np.exp(-(leptons.pt - 5) / 13), tight)
    d0 = significance * _resolution(leptons, rng)
    # The tables of significance hold whatever the release measured: there, too large a |d0| has a better resolution.
    d0 = np.where(d0 < D0_MAX, d0, D0_MAX * rng.random(n))
    shift = np.where(displaced, _draw(rng.random(n), _DISPLACED), _draw(rng.random(n), _VERTEX))
    return {
        "lep_ptcone30": tracks * 1e3,
        "lep_etcone20": energy * 1e3,
        "lep_z0": leptons.z + rng.choice([-1, 1], n) * shift,
        "lep_trackd0pvunbiased": rng.choice([-1, 1], n) * d0,
        "lep_tracksigd0pvunbiased": significance,
        "lep_isTightID": rng.random(n) < tight,
    }


def _of_neighbours(leptons: Particles, rng: np.random.Generator) -> Floats:
    """Return the pT (GeV) that tracks of other leptons of the same vertex add to each lepton's cone.

    In the release a muon's track is in the cone of a neighbour in 138 of 145 cases for ΔR from 0.1 to 0.28, and beyond
    0.3 it is not. An electron's may have lost momentum by bremsstrahlung.
    """
    lost = np.interp(rng.random(len(leptons)), *_TRACK_OF_ELECTRON)
    track = leptons.pt * np.where(np.abs(leptons.pdgid) == 11, lost, 1.0)
    i, j = neighbours(leptons)
    return np.bincount(i, track[j], minlength=len(leptons))


_TRACK_OF_ELECTRON = ((0, 0.05, 0.1, 0.25, 0.5, 1), (0.35, 0.53, 0.71, 0.85, 0.97, 1))
"""Probabilities, and quantiles of the track's share of an electron's pT."""


def _tracks(uniform: Floats, empty: float, quantiles: _Quantiles, most: Floats) -> Floats:
    """Draw the sum of the tracks' pT (GeV) below the most that the selection leaves."""
    uniform = uniform * (empty + (1 - empty) * np.interp(most, quantiles, PROBABILITIES))
    return np.where(uniform < empty, 0.0, _draw((uniform - empty) / (1 - empty), quantiles))


def _most_tracks(leptons: Particles, beside: Floats) -> Floats:
    """Return the largest sum of tracks in the cone (GeV) that the release's selection leaves, beside other leptons.

    It drops leptons near a jet above 20 GeV: what is left of a jet beside its leptons is softer the harder they are.
    """
    from_jet = np.isin(leptons.origin, (HEAVY, LIGHT))
    most = np.where(from_jet, np.clip(JET_OF_LEPTONS - leptons.pt - beside, 2.0, None), np.inf)
    return np.where(must_be_isolated(leptons), np.minimum(most, 0.5 * leptons.pt), most)


_ENERGY = {
    11: ((7, 9, 11, 13.5, 17, 22, 35), (0.65, 0.9, 1.05, 1.25, 1.55, 1.4, 0.9)),
    13: ((10, 15, 20, 35), (1.0, 0.95, 0.75, 0.45)),
}
"""By flavour pT in GeV, and what the energy beside a non-prompt lepton of that pT is multiplied by: a harder lepton
comes from a harder jet, of which the selection leaves less."""


def _offset(electrons: Particles) -> Floats:
    """Shift of the calorimeter's energy beside a prompt electron (GeV).

    What leaks out of its own cluster is subtracted as a share of pT: too little for soft electrons, too much between
    |η| = 0.8 and the gap.
    """
    eta = np.abs(electrons.eta)
    return 0.5 * np.exp(-(electrons.pt - PT_MIN) / 20) - 0.1 + np.where((eta > 0.8) & (eta < GAP[0]), -0.3, 0.08)


_COMMON = 0.15
"""Share of leptons whose two isolations go together: this gives the release's correlation of 0.1 to 0.2."""


def _draw(uniform: Floats, quantiles: _Quantiles) -> Floats:
    return np.interp(uniform, PROBABILITIES, quantiles)


def _resolution(leptons: Particles, rng: np.random.Generator) -> Floats:
    """Resolution of the transverse impact parameter in mm; multiple scattering makes it fall with pT."""
    electron = np.abs(leptons.pdgid) == 11
    sigma = np.where(electron, 0.009 + 0.1 / leptons.pt, 0.0055 + 0.11 / leptons.pt)
    sigma = np.where(leptons.origin == FALSE, 0.035, sigma)
    return sigma * rng.lognormal(0, np.where(electron, 0.32, 0.22))
