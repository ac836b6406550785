"""What the release says of a lepton besides its momentum: isolation, impact parameters, tight identification.

Tables of quantiles, one for each flavour and origin of a lepton, measured in the simulated files of the release
(leptons with and without a partner in the generator's record; those without by their longitudinal impact parameter).
Where a quantity depends on pT, the tables hold what does not: the energy in a cone comes from pile-up and from the
jet, and the significance of an impact parameter from where the lepton was made.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from labcourse.simulation.detector import GAP, PROBABILITIES, PT_MIN
from labcourse.simulation.particles import FALSE, HEAVY, LIGHT, PILEUP, PROMPT, Floats, Particles

_Quantiles = tuple[float, ...]


class _Class(NamedTuple):
    """Of one class of leptons: probability that no track is in the cone; quantiles of the sum of the tracks' pT
    otherwise (GeV), of the calorimeter's energy (GeV), of |d0|/σ(d0); probability of tight identification."""

    empty: float
    tracks: _Quantiles
    energy: _Quantiles
    significance: _Quantiles
    tight: float


_CLASSES = {
    (11, PROMPT): _Class(
        0.835,
        (1.0, 1.003, 1.03, 1.07, 1.2, 1.54, 2.35, 4.1, 6.5, 16, 45),
        (-3.4, -1.55, -1.06, -0.78, -0.36, 0.21, 0.97, 1.85, 2.65, 4.4, 8.0),
        (0, 0.02, 0.10, 0.20, 0.50, 1.05, 1.85, 2.77, 3.35, 5.5, 15),
        0.92,
    ),
    (13, PROMPT): _Class(
        0.862,
        (1.0, 1.008, 1.03, 1.07, 1.21, 1.57, 2.4, 3.8, 6.5, 13, 35),
        (-1.7, -1.25, -0.93, -0.77, -0.53, -0.19, 0.35, 1.15, 1.9, 3.4, 6.8),
        (0, 0.03, 0.13, 0.25, 0.63, 1.30, 2.22, 3.3, 4.1, 6.5, 20),
        0.93,
    ),
    (11, LIGHT): _Class(
        0.40,
        (1.0, 1.03, 1.1, 1.3, 1.95, 3.6, 6.6, 12.2, 18, 34, 53),
        (-2.1, -1.5, -0.74, -0.45, 0.08, 0.85, 2.2, 3.77, 4.4, 6.0, 8.6),
        (0, 0.03, 0.10, 0.22, 0.58, 1.55, 4.3, 9.2, 15, 50, 85),
        0.50,
    ),
    (13, LIGHT): _Class(
        0.40,
        (1.0, 1.03, 1.1, 1.2, 1.7, 3.2, 7.4, 12.8, 15.5, 21, 26),
        (-1.5, -1.25, -0.90, -0.70, -0.42, 0.05, 1.0, 2.4, 3.4, 6.0, 11),
        (0, 0.05, 0.26, 0.54, 1.17, 3.1, 8.8, 18.5, 29, 60, 200),
        0.86,
    ),
    (11, HEAVY): _Class(
        0.17,
        (1.0, 1.03, 1.2, 1.45, 2.6, 4.7, 9.8, 15, 18, 27, 70),
        (-2.0, -1.15, -0.55, -0.27, 0.28, 1.26, 2.9, 4.55, 5.5, 7.8, 14),
        (0, 0.02, 0.17, 0.37, 0.95, 2.28, 5.6, 12.1, 20, 42, 150),
        0.53,
    ),
    (13, HEAVY): _Class(
        0.19,
        (1.0, 1.03, 1.16, 1.34, 2.4, 4.95, 10.5, 15, 17.8, 23, 30),
        (-1.9, -1.37, -0.97, -0.71, -0.37, 0.25, 1.55, 3.4, 5.1, 8.6, 13),
        (0, 0.06, 0.35, 0.60, 1.8, 4.7, 12.5, 28, 44, 78, 230),
        0.91,
    ),
    (11, PILEUP): _Class(
        0.84,
        (1.0, 1.005, 1.03, 1.08, 1.27, 2.0, 4.0, 13, 25, 50, 70),
        (-3.3, -2.2, -1.2, -0.72, -0.16, 0.6, 1.95, 3.4, 4.1, 5.6, 10),
        (0, 0.03, 0.18, 0.29, 0.75, 1.6, 3.4, 8.5, 11, 28, 45),
        0.39,
    ),
    (13, PILEUP): _Class(
        0.86,
        (1.0, 1.01, 1.03, 1.07, 1.22, 1.55, 2.5, 4.0, 7.8, 20, 35),
        (-1.9, -1.6, -1.07, -0.83, -0.53, -0.09, 0.9, 2.6, 3.6, 6.4, 14),
        (0, 0.07, 0.24, 0.50, 1.5, 4.9, 15, 27, 36, 65, 140),
        0.85,
    ),
    (13, FALSE): _Class(
        0.84,
        (1.0, 1.01, 1.04, 1.1, 1.33, 1.8, 2.7, 4.4, 25, 60, 80),
        (-2.5, -1.7, -1.28, -1.04, -0.70, -0.09, 0.85, 2.0, 2.8, 5.2, 9),
        (0, 0.07, 0.8, 5.1, 35, 81, 145, 246, 367, 420, 480),
        0.0,
    ),
}
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
    tracks, energy, significance, tight = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
    for (code, origin), of in _CLASSES.items():
        members = np.flatnonzero((flavour == code) & (leptons.origin == origin))
        size = len(members)
        # What lies in the jet is in both cones: one number decides how much of either, if not alone.
        common = rng.random(size)
        tracks[members] = np.where(common < of.empty, 0.0, _draw((common - of.empty) / (1 - of.empty), of.tracks))
        energy[members] = _draw(np.where(rng.random(size) < _COMMON, common, rng.random(size)), of.energy)
        significance[members] = _draw(rng.random(size), of.significance)
        tight[members] = of.tight
    # A harder lepton comes from a harder jet. Isolation was part of the release's selection: it cut on the energy
    # relative to pT, and for muons below 10 GeV on the tracks.
    displaced = np.isin(leptons.origin, (HEAVY, LIGHT))
    energy = np.where(displaced, energy * np.clip(leptons.pt / 12, 0.6, 1.7), energy)
    tracks = np.where(displaced, tracks * np.clip(leptons.pt / 10, 1.0, 3.0), tracks)
    soft_muon = displaced & (flavour == 13) & (leptons.pt < 10)
    tracks = np.where(soft_muon, np.where(rng.random(n) < 0.1, 0.0, tracks), tracks)
    tracks = np.where(soft_muon & (tracks > 0), 1 + 0.6 * (tracks - 1), tracks)
    prompt_electron = (flavour == 11) & (leptons.origin == PROMPT)
    energy = np.where(prompt_electron, energy + _offset(leptons), energy)
    tight = np.where(prompt_electron, 0.98 - 0.5 * np.exp(-(leptons.pt - 5) / 13), tight)
    shift = np.where(displaced, _draw(rng.random(n), _DISPLACED), _draw(rng.random(n), _VERTEX))
    return {
        "lep_ptcone30": tracks * 1e3,
        "lep_etcone20": energy * 1e3,
        "lep_z0": leptons.z + rng.choice([-1, 1], n) * shift,
        "lep_trackd0pvunbiased": rng.choice([-1, 1], n) * significance * _resolution(leptons, rng),
        "lep_tracksigd0pvunbiased": significance,
        "lep_isTightID": rng.random(n) < tight,
    }


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
