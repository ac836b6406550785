"""How a detector sees the jets and the missing momentum of the search.

Resolutions are of the size that ATLAS has published for jets at 13 TeV. Hadrons are not simulated, so what their
decays do to a b jet is put in by hand: four in ten hold a neutrino, which takes part of the jet's momentum away.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from factory.detector import jet_resolution
from factory.particles import Floats, Particles, concatenate, distance, pairs

PT_MIN, ETA_MAX = 20.0, 4.5
SEMILEPTONIC = {5: 0.40, 4: 0.18}
"""Share of b and c jets with a charged lepton and its neutrino from a decay of a heavy hadron (PDG: b → ℓ and
b → c → ℓ about 11 % each for e and µ, 3 % for τ)."""
_LEPTON_CONE = 0.2
_MERGED = 0.1


def separate(leptons: Particles) -> Particles:
    """Drop the softer of two leptons nearer than ΔR = 0.1, which look like one: a Z boson of 1.8 TeV.

    The 4-lepton collection drops electrons up to 0.2 from another, which here would be those of the heaviest A.
    """
    i, j = pairs(leptons.event, leptons.event)
    merged = j[(i < j) & (distance(leptons, i, leptons, j) < _MERGED)]
    return leptons.take(~np.isin(np.arange(len(leptons)), merged))


def neutrinos(jets: Particles, rng: np.random.Generator) -> Floats:
    """Draw the share of each jet's momentum that neutrinos take, shape (n_jets,)."""
    rate = np.select([jets.pdgid == flavour for flavour in SEMILEPTONIC], list(SEMILEPTONIC.values()), 0.0)
    # Fragmentation leaves a b hadron some 70 % of the jet, of which the neutrino takes a fifth.
    return np.where(rng.random(len(jets)) < rate, rng.beta(1.3, 7.5, len(jets)), 0.0)


def measure_jets(jets: Particles, lost: Floats, leptons: Particles, rng: np.random.Generator) -> Particles:
    """Return the jets as seen: above 20 GeV, |η| < 4.5, not where a lepton is; sorted by event and falling pT.

    Parameters
    ----------
    jets : Particles
        Jets of all particles; their ``pdgid`` is the flavour: 5, 4 or 21.
    lost : ndarray, shape (n_jets,)
        Share of the momentum that neutrinos took.
    leptons : Particles
        As seen, sorted by event.
    """
    visible = jets.pt * (1 - lost)
    smeared = np.clip(1 + jet_resolution(visible) * rng.normal(size=len(jets)), 0.2, 3)
    pt = visible * calibration(visible) * smeared
    eta, phi = (angle + rng.normal(0, 0.02, len(jets)) for angle in (jets.eta, jets.phi))
    seen = replace(jets, pt=pt, eta=eta, phi=phi)
    seen = concatenate([seen.take((seen.pt > PT_MIN) & (np.abs(seen.eta) < ETA_MAX))])
    i, j = pairs(seen.event, leptons.event)
    near = i[distance(seen, i, leptons, j) < _LEPTON_CONE]
    return seen.take(~np.isin(np.arange(len(seen)), near))


def calibration(pt: Floats) -> Floats:
    """Return what makes up on average for what leaves a jet's cone or is lost to neutrinos."""
    return 1.03 + 2.5 / np.maximum(pt, 10.0)


def measure_missing(invisible: Floats, jets: Particles, lost: Floats, rng: np.random.Generator) -> Floats:
    """Return the missing transverse momentum of each event, shape (n_events,).

    Prompt neutrinos, those in the ``jets`` (before the detector), and the resolution, which grows with the
    activity of the event.

    Parameters
    ----------
    invisible : ndarray, shape (n_events, 2)
        Transverse momentum of the prompt neutrinos.
    """
    n_events = len(invisible)
    taken = jets.pt * lost
    in_jets = [np.bincount(jets.event, taken * turn(jets.phi), minlength=n_events) for turn in (np.cos, np.sin)]
    activity = np.bincount(jets.event, jets.pt, minlength=n_events)
    # Track-based soft term: about 9 GeV in each direction without hard jets.
    sigma = np.sqrt(9.0**2 + 0.6**2 * activity + (0.03 * activity) ** 2)
    seen = invisible + np.column_stack(in_jets) + sigma[:, None] * rng.normal(size=(n_events, 2))
    missing: Floats = np.hypot(seen[:, 0], seen[:, 1])
    return missing
