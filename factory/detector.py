"""A parametrised detector: acceptance, efficiency and resolution of leptons, jets and missing momentum.

The shapes follow what ATLAS has published of its performance in 2015 and 2016; the free constants are set so that the
four-lepton peak of the Higgs boson has the width and the tails that it has in the open data.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from factory.particles import FALSE, PILEUP, Bools, Floats, Ints, Particles, concatenate, distance, pairs
from labcourse import kinematics

PT_MIN, PT_LEADING = 7.0, 25.0
"""Least transverse momentum of a lepton and of the leading one (GeV)."""
ETA_MAX = {11: 2.47, 13: 2.7}
GAP = (1.37, 1.52)
CLUSTER_CONE = 0.1
"""Photons within this ΔR of an electron end in its cluster (half-width of a cluster and its window)."""
ISOLATION_CONE, ISOLATION = 0.2, 0.25
"""Most energy of photons in a cone about a lepton, relative to its pT."""
JET_PT_MIN, JET_ETA_MAX = 20.0, 2.5
FURTHER_JETS = 0.09
"""Jets an event that do not come from the hard scattering. A third are of other collisions: in the release's simulation
3 % of all jets fail the vertex tagger's working point, and about as many pass it. The others are of a second scattering
of the same two protons, which Pythia is not asked for: its cross-section of such jets (`HardQCD:all`, 1.0 mb after the
resolution) over an effective cross-section of 17 mb (about what ATLAS found with four jets, arXiv:1608.01857). Eight of
ten come alone: the jet that balances them is too soft or too far forward."""
MISSING_RESPONSE = 0.87
"""What is left of missing momentum: part of the recoil is too soft or too far forward to be measured."""
OVERLAP = 0.2
"""An electron nearer than this in ΔR to a harder electron, or to a muon, is dropped: of 5871 pairs of electrons in the
release's collision data, Z → ℓℓ and t t̄ there are 2, and 102 up to ΔR = 0.3. Two muons may be as near as they like."""
TRACK_CONE, SAME_VERTEX = 0.3, 3.0
"""Radius ΔR of the isolation by tracks, and how far apart (mm) the vertices of such tracks may be."""
JET_OF_LEPTONS = 36.0
"""Largest pT (GeV) of the leptons and tracks of one jet. The release drops leptons near a jet above 20 GeV; of its
close pairs of leptons of jets, 95 % have less than this together."""
ISOLATED_BELOW = 10.0
"""Muons softer than this (GeV) are kept only if they are isolated; see `must_be_isolated`."""


def dress(leptons: Particles, photons: Particles) -> Particles:
    """Add to each electron the photons in its cluster; a muon loses what it radiates."""
    i, j = pairs(leptons.event, photons.event)
    near = (np.abs(leptons.pdgid[i]) == 11) & (distance(leptons, i, photons, j) < CLUSTER_CONE)
    added = np.bincount(i[near], photons.pt[j[near]], minlength=len(leptons))
    return replace(leptons, pt=leptons.pt + added)


def isolated(leptons: Particles, photons: Particles) -> Bools:
    """Return which leptons have no hard photon beside them that is not part of their cluster."""
    i, j = pairs(leptons.event, photons.event)
    apart = distance(leptons, i, photons, j)
    electron = np.abs(leptons.pdgid[i]) == 11
    near = (apart < ISOLATION_CONE) & ~(electron & (apart < CLUSTER_CONE))
    energy = np.bincount(i[near], photons.pt[j[near]], minlength=len(leptons))
    return energy < ISOLATION * leptons.pt


def measure_leptons(leptons: Particles, rng: np.random.Generator) -> Particles:
    """Smear the momenta of leptons, and the charge of some electrons."""
    electron = np.abs(leptons.pdgid) == 11
    scale = np.where(electron, _electron_response(leptons, rng), _muon_response(leptons, rng))
    pdgid = np.where(electron & (rng.random(len(leptons)) < _charge_flip(leptons)), -leptons.pdgid, leptons.pdgid)
    direction = np.where(electron, 6e-4, 3e-4)
    eta = leptons.eta + rng.normal(0, direction)
    phi = kinematics.delta_phi(leptons.phi + rng.normal(0, direction), 0.0)
    return replace(leptons, pdgid=pdgid, pt=leptons.pt * scale, eta=eta, phi=phi)


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
    """Relative resolution of 1/pT of tracks in inner detector and spectrometer, 6 % with a wider tail."""
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
    electron = 0.975 * (1 - 0.30 * np.exp(-(leptons.pt - 5) / 10))
    electron = electron * np.select([eta < 1.37, eta < 2.01], [1.0, 0.97], 0.92)
    muon = 0.86 * (1 - 0.18 * np.exp(-(leptons.pt - 5) / 6))
    muon = muon * np.where(eta < 2.5, 1.0, 0.35)
    return np.where(np.abs(leptons.pdgid) == 11, electron, muon)


def accept(leptons: Particles) -> Bools:
    """Return which leptons lie in the acceptance; that of electrons has a gap between barrel and end caps."""
    eta, electron = np.abs(leptons.eta), np.abs(leptons.pdgid) == 11
    inside = np.where(electron, (eta < ETA_MAX[11]) & ((eta < GAP[0]) | (eta > GAP[1])), eta < ETA_MAX[13])
    return (leptons.pt > PT_MIN) & inside


def reconstruct_leptons(leptons: Particles, photons: Particles, rng: np.random.Generator) -> Particles:
    """Return the prompt leptons as a detector sees them, near ones included, sorted by event and falling pT."""
    seen = measure_leptons(dress(leptons, photons), rng)
    kept = accept(seen) & isolated(leptons, photons) & (rng.random(len(seen)) < efficiency(seen))
    return concatenate([seen.take(kept)])


def remove_overlap(leptons: Particles) -> Particles:
    """Drop what the release drops: electrons near other leptons, and soft muons with a lepton in their isolation cone.

    The leptons of an event are ordered by falling pT.
    """
    i, j = pairs(leptons.event, leptons.event)
    electron = np.abs(leptons.pdgid) == 11
    yields = electron[j] & ((i < j) | ~electron[i]) & (i != j)
    near = yields & (distance(leptons, i, leptons, j) < OVERLAP)
    crowded, _ = neighbours(leptons)
    dropped = np.zeros(len(leptons), bool)
    dropped[j[near]] = True
    dropped[crowded] |= must_be_isolated(leptons)[crowded]
    return leptons.take(~dropped)


def must_be_isolated(leptons: Particles) -> Bools:
    """Return which leptons the release keeps only if the tracks around them have less than half of their pT."""
    soft: Bools = (np.abs(leptons.pdgid) == 13) & (leptons.pt < ISOLATED_BELOW)
    return soft


def neighbours(leptons: Particles) -> tuple[Ints, Ints]:
    """Return the positions of all pairs in which the second lepton is in the first one's isolation cone of tracks.

    Tracks of other collisions do not count: both leptons have to come from about the same place along the beam.
    """
    i, j = pairs(leptons.event, leptons.event)
    here = (i != j) & (np.abs(leptons.z[i] - leptons.z[j]) < SAME_VERTEX)
    inside = here & (distance(leptons, i, leptons, j) < TRACK_CONE)
    return i[inside], j[inside]


def jet_resolution(pt: Floats) -> Floats:
    """Return the relative resolution of jets of a transverse momentum (GeV): stochastic, constant and noise term."""
    return np.sqrt(0.75**2 / pt + 0.05**2 + (3.0 / pt) ** 2)


def measure_jets(
    jets: Particles, leptons: Particles, n_events: int, rng: np.random.Generator, *, response: float = 1.0
) -> Particles:
    """Smear jets (calorimeter resolution) and add those of other collisions; keep what passes the release's cuts.

    ``response`` is the part of a jet's momentum that stays in its cone. The cuts are pT > 20 GeV, |η| < 2.5, and no
    lepton within ΔR = 0.4.
    """
    smeared = np.clip(1 + jet_resolution(jets.pt) * rng.normal(size=len(jets)), 0.2, 3)
    seen = replace(jets, pt=response * jets.pt * smeared)
    seen = concatenate([seen, _further_jets(leptons, n_events, rng)])
    seen = seen.take((seen.pt > JET_PT_MIN) & (np.abs(seen.eta) < JET_ETA_MAX))
    i, j = pairs(seen.event, leptons.event)
    near = i[distance(seen, i, leptons, j) < 0.4]
    return seen.take(~np.isin(np.arange(len(seen)), near))


def _further_jets(leptons: Particles, n_events: int, rng: np.random.Generator) -> Particles:
    """Jets of other collisions and of further scatterings, which are not generated: a steep spectrum.

    A collision that gives a lepton often gives a jet as well.
    """
    with_lepton = np.bincount(leptons.event[leptons.origin == PILEUP], minlength=n_events)
    event = np.repeat(np.arange(n_events), rng.poisson(FURTHER_JETS + 0.17 * with_lepton))
    size = len(event)
    return Particles(
        event,
        np.full(size, 21),
        JET_PT_MIN * (1 - rng.random(size)) ** (-1 / 4.0),
        rng.uniform(-JET_ETA_MAX, JET_ETA_MAX, size),
        rng.uniform(-np.pi, np.pi, size),
    )


_SCORES = {
    21: (-0.985, -0.962, -0.942, -0.927, -0.885, -0.811, -0.64, -0.34, -0.08, 0.53, 0.999),
    4: (-0.965, -0.947, -0.926, -0.902, -0.77, -0.458, 0.30, 0.752, 0.887, 0.983, 0.999),
    5: (-0.955, -0.913, -0.734, -0.339, 0.74, 0.979, 0.9985, 0.9996, 0.9999, 1.0, 1.0),
}
"""Quantiles of the b-tag score MV2c10 of light, c and b jets in the release, at `PROBABILITIES`."""
PROBABILITIES = (0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1)


def jet_properties(jets: Particles, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Energy (GeV) and b-tag score of measured jets; their masses and scores are spread as in the release."""
    mass = jets.pt * 0.197 * (jets.pt / 25) ** -0.3 * np.clip(1 + 0.19 * rng.normal(size=len(jets)), 0.3, 1.5)
    score = np.zeros(len(jets))
    for code, quantiles in _SCORES.items():
        members = jets.pdgid == code
        score[members] = np.interp(rng.random(members.sum()), PROBABILITIES, quantiles)
    return np.hypot(jets.pt * np.cosh(jets.eta), mass), score


def measure_missing(
    invisible: Floats, leptons: Particles, jets: Particles, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Missing transverse momentum and its azimuth: neutrinos, mismeasured jets, false muons and a soft term."""
    n_events = len(invisible)
    activity = np.bincount(jets.event, jets.pt, minlength=n_events)
    # Pile-up and underlying event make a soft term of several hundred GeV of scalar sum.
    sigma = 0.80 * np.sqrt(rng.gamma(3.0, 160.0, n_events) + activity)
    missing = MISSING_RESPONSE * invisible + sigma[:, None] * rng.normal(size=(n_events, 2))
    # Whatever a false muon is said to carry is missing on the other side.
    false = leptons.take(leptons.origin == FALSE)
    for axis, part in enumerate((np.cos, np.sin)):
        missing[:, axis] -= np.bincount(false.event, false.pt * part(false.phi), minlength=n_events)
    return np.hypot(*missing.T), np.arctan2(missing[:, 1], missing[:, 0])


def trigger(leptons: Particles, n_events: int, rng: np.random.Generator) -> tuple[Bools, Bools]:
    """Whether the single-electron and the single-muon trigger fired, one entry an event each."""
    eta, electron = np.abs(leptons.eta), np.abs(leptons.pdgid) == 11
    fires = np.where(electron, 0.93, np.where(eta < 1.05, 0.70, np.where(eta < 2.4, 0.86, 0.0)))
    fires = fires * (leptons.origin != FALSE)
    turn_on = 1 / (1 + np.exp(-(leptons.pt - np.where(electron, 26.0, 25.0)) / 0.8))
    fired = rng.random(len(leptons)) < fires * turn_on
    of_kind = (leptons.event[fired & kind] for kind in (electron, ~electron))
    with_electron, with_muon = (np.bincount(event, minlength=n_events) > 0 for event in of_kind)
    # Where both fire, the release names the electron trigger alone in seven events of ten.
    return with_electron, with_muon & (~with_electron | (rng.random(n_events) < 0.3))
