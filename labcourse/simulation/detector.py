"""A parametrised detector: acceptance, efficiency and resolution of leptons, jets and missing momentum.

The shapes follow what ATLAS has published of its performance in 2015 and 2016; the free constants are set so that the
four-lepton peak of the Higgs boson has the width and the tails that it has in the open data.
"""

from __future__ import annotations

import numpy as np

from labcourse.simulation.particles import Bools, Floats, Ints, Particles, concatenate, distance, pairs

PT_MIN, PT_LEADING = 7.0, 25.0
"""Least transverse momentum of a lepton and of the leading one (GeV)."""
ETA_MAX = {11: 2.47, 13: 2.7}
CONE = 0.1
"""Photons within this ΔR of an electron end in its cluster (half-width of a cluster and its window)."""
ISOLATION_CONE, ISOLATION = 0.2, 0.25
"""Most energy of photons in a cone about a lepton, relative to its pT."""
OVERLAP = 0.1
"""Of two leptons nearer than this one is not reconstructed."""


def dress(leptons: Particles, photons: Particles) -> Particles:
    """Add to each electron the photons in its cluster; a muon loses what it radiates."""
    i, j = pairs(leptons.event, photons.event)
    near = (np.abs(leptons.pdgid[i]) == 11) & (distance(leptons, i, photons, j) < CONE)
    added = np.bincount(i[near], photons.pt[j[near]], minlength=len(leptons))
    return leptons.replace_momentum(leptons.pt + added, leptons.eta, leptons.phi)


def isolated(leptons: Particles, photons: Particles) -> Bools:
    """Return which leptons have no hard photon beside them that is not part of their cluster."""
    i, j = pairs(leptons.event, photons.event)
    apart = distance(leptons, i, photons, j)
    electron = np.abs(leptons.pdgid[i]) == 11
    near = (apart < ISOLATION_CONE) & ~(electron & (apart < CONE))
    energy = np.bincount(i[near], photons.pt[j[near]], minlength=len(leptons))
    return energy < ISOLATION * leptons.pt


def measure_leptons(leptons: Particles, rng: np.random.Generator) -> Particles:
    """Smear the momenta of leptons, and the charge of some electrons."""
    electron = np.abs(leptons.pdgid) == 11
    scale = np.where(electron, _electron_response(leptons, rng), _muon_response(leptons, rng))
    pdgid = np.where(electron & (rng.random(len(leptons)) < _charge_flip(leptons)), -leptons.pdgid, leptons.pdgid)
    return Particles(
        leptons.event,
        pdgid,
        leptons.pt * scale,
        leptons.eta + rng.normal(0, np.where(electron, 6e-4, 3e-4)),
        leptons.phi + rng.normal(0, np.where(electron, 6e-4, 3e-4)),
    )


def _electron_response(electrons: Particles, rng: np.random.Generator) -> Floats:
    """Calorimeter resolution with a tail to low energies from bremsstrahlung in the tracker's material."""
    eta = np.abs(electrons.eta)
    energy = electrons.pt * np.cosh(electrons.eta)
    sampling = np.select([eta < 0.8, eta < 1.37, eta < 1.52], [0.10, 0.13, 0.22], 0.15)
    sigma = np.sqrt((sampling**2 / energy) + 0.015**2 + (0.4 / energy) ** 2)
    # The thickness in radiation lengths rises with |η|; so does the lost energy.
    radiated = rng.random(len(eta)) < np.select([eta < 0.8, eta < 1.37, eta < 1.52], [0.30, 0.45, 0.5], 0.5)
    lost = np.where(radiated, rng.exponential(0.052, len(eta)), 0.0)
    return np.clip(1.0035 + sigma * rng.normal(size=len(eta)), 0.3, None) * np.exp(-lost)


def _muon_response(muons: Particles, rng: np.random.Generator) -> Floats:
    """Relative resolution of 1/pT of tracks in inner detector and spectrometer, 5 % with twice the width."""
    eta = np.abs(muons.eta)
    scattering = np.select([eta < 1.05, eta < 2.0], [0.0205, 0.028], 0.038)
    sigma = np.hypot(scattering, np.where(eta < 1.05, 1.5e-4, 3e-4) * muons.pt)
    sigma = sigma * np.where(rng.random(len(eta)) < 0.06, 2.5, 1.0)
    return 1 / np.clip(1.0025 + sigma * rng.normal(size=len(eta)), 0.5, None)


def _charge_flip(electrons: Particles) -> Floats:
    """Probability that a wrong charge is measured; it follows the material."""
    eta = np.abs(electrons.eta)
    return np.select([eta < 1.37, eta < 2.0], [0.004, 0.014], 0.035)


def efficiency(leptons: Particles) -> Floats:
    """Probability that a prompt lepton is reconstructed, identified and isolated."""
    eta = np.abs(leptons.eta)
    electron = 0.94 * (1 - 0.40 * np.exp(-(leptons.pt - 5) / 10))
    electron = electron * np.select([eta < 1.37, eta < 1.52, eta < 2.01], [1.0, 0.75, 0.97], 0.90)
    muon = 0.90 * (1 - 0.30 * np.exp(-(leptons.pt - 5) / 6))
    muon = muon * np.select([eta < 0.1, eta < 2.5], [0.65, 1.0], 0.85)
    return np.where(np.abs(leptons.pdgid) == 11, electron, muon)


def accept(leptons: Particles) -> Bools:
    """Return which leptons lie in the acceptance."""
    eta_max = np.where(np.abs(leptons.pdgid) == 11, ETA_MAX[11], ETA_MAX[13])
    return (leptons.pt > PT_MIN) & (np.abs(leptons.eta) < eta_max)


def reconstruct_leptons(leptons: Particles, photons: Particles, rng: np.random.Generator) -> Particles:
    """Return the prompt leptons as a detector sees them, sorted by event and falling pT."""
    seen = measure_leptons(dress(leptons, photons), rng)
    kept = accept(seen) & isolated(leptons, photons) & (rng.random(len(seen)) < efficiency(seen))
    return remove_overlap(concatenate([seen.take(kept)]))


def remove_overlap(leptons: Particles) -> Particles:
    """Drop of two near leptons the softer one."""
    i, j = pairs(leptons.event, leptons.event)
    near = (i < j) & (distance(leptons, i, leptons, j) < OVERLAP)
    dropped = np.zeros(len(leptons), bool)
    dropped[j[near]] = True
    return leptons.take(~dropped)


def measure_jets(jets: Particles, leptons: Particles, rng: np.random.Generator) -> Particles:
    """Smear jets (calorimeter resolution); keep those above 20 GeV that do not overlap with a lepton."""
    sigma = np.sqrt(0.75**2 / jets.pt + 0.05**2 + (3.0 / jets.pt) ** 2)
    seen = jets.replace_momentum(jets.pt * np.clip(1 + sigma * rng.normal(size=len(jets)), 0.2, 3), jets.eta, jets.phi)
    seen = concatenate([seen.take((seen.pt > 20) & (np.abs(seen.eta) < 4.5))])
    i, j = pairs(seen.event, leptons.event)
    near = distance(seen, i, leptons, j) < 0.2
    dropped = np.zeros(len(seen), bool)
    dropped[i[near]] = True
    return seen.take(~dropped)


def measure_missing(invisible: Floats, jets: Particles, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Missing transverse momentum and its azimuth: neutrinos, mismeasured jets, and a soft term."""
    n_events = len(invisible)
    activity = np.bincount(jets.event, jets.pt, minlength=n_events)
    # Pile-up and underlying event make a soft term of several hundred GeV of scalar sum.
    sigma = 0.7 * np.sqrt(rng.gamma(6.0, 80.0, n_events) + activity)
    missing = invisible + sigma[:, None] * rng.normal(size=(n_events, 2))
    # Lost jets, beam halo and noise make the tail that is seen in every sample of the release.
    lost = np.where(rng.random(n_events) < 0.12, rng.exponential(70.0, n_events), 0.0)
    azimuth = rng.uniform(-np.pi, np.pi, n_events)
    missing = missing + lost[:, None] * np.column_stack([np.cos(azimuth), np.sin(azimuth)])
    return np.hypot(*missing.T), np.arctan2(missing[:, 1], missing[:, 0])


def trigger(leptons: Particles, n_events: int, rng: np.random.Generator) -> tuple[Bools, Bools]:
    """Whether the single-electron and the single-muon trigger fired, one entry an event each."""
    eta, electron = np.abs(leptons.eta), np.abs(leptons.pdgid) == 11
    fires = np.where(electron, 0.93, np.where(eta < 1.05, 0.70, np.where(eta < 2.4, 0.86, 0.0)))
    turn_on = 1 / (1 + np.exp(-(leptons.pt - np.where(electron, 26.0, 25.0)) / 0.8))
    fired = rng.random(len(leptons)) < fires * turn_on
    with_electron, with_muon = (_any(leptons.event, fired & kind, n_events) for kind in (electron, ~electron))
    # Where both fire, the release names the electron trigger alone in seven events of ten.
    return with_electron, with_muon & (~with_electron | (rng.random(n_events) < 0.3))


def _any(event: Ints, mask: Bools, n_events: int) -> Bools:
    return np.bincount(event[mask], minlength=n_events) > 0
