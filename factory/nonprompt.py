"""Leptons that are no decay products of W, Z or τ: from hadron decays, from other collisions, from misidentification.

Four leptons of which two are not prompt pass one event in a hundred thousand. Every rate is therefore raised, so far
that nearly every jet above 20 GeV gives a candidate; which of them are left is decided by what must be left of the jet
beside them, and an event has at most the leptons asked for. How often leptons
come from where, their spectra and their distances are those of the release's simulation, in which

- six in ten non-prompt leptons beside a Z come from other collisions of the same crossing, half of them in pairs;
- one in ten is no muon at all, but tracks that seem to be one where the muon spectrometer has a gap (|η| < 0.1); its
  momentum is too large, and so is the missing momentum; where there is one, there is often a second;
- the decay b → c l ν, c → s l ν gives pairs of opposite charges with a mass below that of the b hadron.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from factory.detector import JET_OF_LEPTONS, PT_MIN, accept, must_be_isolated
from factory.particles import (
    FALSE,
    HEAVY,
    LIGHT,
    PILEUP,
    Bools,
    Floats,
    Ints,
    Particles,
    concatenate,
    rank_within_event,
)
from labcourse import kinematics

SPREAD = 60.0
"""Standard deviation of the distance along the beam of another collision from the chosen one, in mm."""
_FALSE, _FALSE_AGAIN = 0.12, 0.40
"""Events with a false muon for each single lepton of another collision; the share of those beside a Z with a second."""
_FALSE_PT = (
    (0, 0.02, 0.07, 0.12, 0.25, 0.5, 0.7, 0.8, 0.9, 0.95, 1),
    (7, 8, 15, 24, 27, 42, 81, 135, 276, 520, 2500),
)
"""Probabilities, and quantiles of the pT of false muons in GeV."""


def beside_z(jets: Particles, n_events: int, rng: np.random.Generator, *, electrons: float) -> Particles:
    """Draw non-prompt leptons of Z + jets events, a share ``electrons`` of them electrons (false muons apart).

    Three events in ten have a pair of another collision and nothing else; the others have single leptons of other
    collisions, and leptons of jets and of the underlying event.
    """
    pair = np.flatnonzero(rng.random(n_events) < _PAIRS)
    rest = np.setdiff1d(np.arange(n_events), pair)
    soft = np.sort(rng.choice(rest, int(0.03 * len(rest))))
    around = rng.uniform(-2.5, 2.5, len(soft)), rng.uniform(-np.pi, np.pi, len(soft))
    underlying = Particles(soft, np.full(len(soft), 21), np.full(len(soft), 20.0), *around)
    sources = concatenate([jets.take(~np.isin(jets.event, pair)), underlying])
    rate = np.where(np.isin(sources.pdgid, (4, 5)), 12.0, 6.0)
    _, first = _in_jets(sources, rate, LIGHT, rng, electrons=electrons)
    first = replace(first, pdgid=rng.choice([-1, 1], len(first)) * first.pdgid)
    # The more there is beside the Z, the likelier a second lepton.
    activity = np.bincount(sources.event, sources.pt, minlength=n_events)[first.event]
    again = rng.random(len(first)) < 0.4 * (activity / 40) ** 1.5
    second = _partner(first.take(again), rng, electrons=electrons, close=0.5)
    others = _of_other_collisions(rest, pair, 0.5, rng, electrons=electrons, false_again=_FALSE_AGAIN)
    return _accepted([first, second, *others], rng)


_PAIRS = 0.06
"""Share of events given a pair of another collision; as few others end with two leptons, it is three in ten at last."""


def of_pile_up(n_events: int, rate: float, rng: np.random.Generator) -> Particles:
    """Draw single leptons of other collisions, on average ``rate`` an event, half of them electrons."""
    return _accepted(_of_other_collisions(np.arange(n_events), np.zeros(0, int), rate, rng, electrons=0.5), rng)


def _of_other_collisions(
    single: Ints, paired: Ints, rate: float, rng: np.random.Generator, *, electrons: float, false_again: float = 0.0
) -> list[Particles]:
    event = np.concatenate([np.repeat(single, rng.poisson(rate, len(single))), paired])
    in_pair = np.arange(len(event)) >= len(event) - len(paired)
    size = len(event)
    code = _flavour(size, electrons, rng)
    leptons = Particles(
        event,
        # Positive hadrons, and so their decay products, are the more numerous ones in collisions of protons.
        code * np.where(rng.random(size) < 0.57, -1, 1),
        _spectrum(code, rng),
        np.where(code == 11, rng.uniform(-2.47, 2.47, size), 1.35 * rng.normal(size=size)),
        rng.uniform(-np.pi, np.pi, size),
        np.full(size, PILEUP),
        rng.normal(0, SPREAD, size),
    )
    partners = _partner(leptons.take(in_pair), rng, electrons=electrons, close=0.15)
    return [leptons, partners, _false_muons(single, _FALSE * rate, rng, again=false_again)]


def _false_muons(events: Ints, rate: float, rng: np.random.Generator, *, again: float) -> Particles:
    event = events[rng.random(len(events)) < rate]
    event = np.concatenate([event, event[rng.random(len(event)) < again]])
    size = len(event)
    return Particles(
        event,
        13 * np.where(rng.random(size) < 0.45, -1, 1),
        np.interp(rng.random(size), *_FALSE_PT),
        rng.uniform(-0.1, 0.1, size),
        rng.uniform(-np.pi, np.pi, size),
        np.full(size, FALSE),
        rng.normal(0, SPREAD, size),
    )


def from_b_jets(jets: Particles, n_events: int, rng: np.random.Generator, *, electrons: float) -> Particles:
    """Draw leptons of the decays of b hadrons in the jets of t t̄ events, and a few of other collisions."""
    b = jets.take(jets.pdgid == 5)
    source, first = _in_jets(b, np.full(len(b), 8.0), HEAVY, rng, electrons=electrons)
    # The two leading b jets are taken for b and b̄, whose direct leptons have opposite charges. One in six
    # has the other one, from b → c → l and from mixing.
    direct = np.where(rank_within_event(b.event)[source] % 2 == 0, 1, -1)
    sign = np.where(rng.random(len(source)) < 0.15, -direct, direct)
    first = replace(first, pdgid=sign * first.pdgid)
    again = rng.random(len(first)) < 0.2
    second = _partner(first.take(again), rng, electrons=electrons, close=0.95)
    paired = np.flatnonzero(rng.random(n_events) < 0.01)
    pile_up = _of_other_collisions(np.arange(n_events), paired, 0.1, rng, electrons=electrons)
    return _accepted([first, second, *pile_up], rng)


ALIKE = 0.75
"""Beside two prompt leptons of one flavour, the share of non-prompt ones of that flavour that are kept. In t t̄ of the
release 184 of 416 beside e e, and 88 of 240 beside µ µ, are like them, and half of those beside e µ are electrons."""


def rarely_alike(others: Particles, prompt: Particles, n_events: int, rng: np.random.Generator) -> Particles:
    """Drop some non-prompt leptons that have the flavour of both prompt ones; see `ALIKE`."""
    electron = np.bincount(prompt.event[np.abs(prompt.pdgid) == 11], minlength=n_events)
    muon = np.bincount(prompt.event, minlength=n_events) - electron
    like = np.where(np.abs(others.pdgid) == 11, electron[others.event] == 2, muon[others.event] == 2)
    return others.take(~like | (rng.random(len(others)) < ALIKE))


def _in_jets(
    jets: Particles, rate: Floats, origin: int, rng: np.random.Generator, *, electrons: float
) -> tuple[Ints, Particles]:
    """Draw leptons in jets, all of negative charge, and say in which jets.

    A lepton takes the fraction x of the jet's momentum, with a density ∝ (1 − x)³ in the decays of b hadrons and
    ∝ (1 − x)⁴ elsewhere. The release drops leptons within ΔR = 0.4 of a jet above 20 GeV, so what is left of the jet
    must be soft; or else, now and then, the jet is taken for the lepton itself.
    """
    remainder = np.clip(1 - PT_MIN / jets.pt, 0, None)
    source = np.flatnonzero((rng.random(len(jets)) < rate * remainder**4) & (np.abs(jets.eta) < 2.7))
    jets, remainder = jets.take(source), remainder[source]
    power, hard = (0.24, 0.015) if origin == HEAVY else (0.2, 0.12)
    left = remainder * rng.random(len(jets)) ** power
    soft = 0.5 - 0.5 * np.tanh((jets.pt * left - 25) / 6)
    survives = rng.random(len(jets)) < hard + (1 - hard) * soft
    source, jets, left = source[survives], jets.take(survives), left[survives]
    size = len(jets)
    return source, Particles(
        jets.event,
        _flavour(size, electrons, rng),
        jets.pt * (1 - left),
        jets.eta + rng.normal(0, 0.15, size),
        jets.phi + rng.normal(0, 0.15, size),
        np.full(size, origin),
    )


def _flavour(size: int, electrons: float, rng: np.random.Generator) -> Ints:
    return np.where(rng.random(size) < electrons, 11, 13)


def _spectrum(code: Ints, rng: np.random.Generator) -> Floats:
    """Transverse momenta above threshold in GeV: a power for electrons, nearly exponential for muons."""
    u = 1 - rng.random(len(code))
    return np.where(code == 11, PT_MIN * u ** (-1 / 3.3), PT_MIN - 3.4 * np.log(u) + 0.15 * np.log(u) ** 2)


def _partner(first: Particles, rng: np.random.Generator, *, electrons: float, close: float) -> Particles:
    """A second lepton of the same source: a share ``close`` in the same decay chain, the rest in the opposite jet.

    Decay chains and photons give opposite charges, light hadrons either. A chain with too hard leptons is a jet near
    which the release keeps none.
    """
    size = len(first)
    near: Bools = rng.random(size) < close
    code = np.where(near & (rng.random(size) < _ALIKE_IN_CHAIN), np.abs(first.pdgid), _flavour(size, electrons, rng))
    opposite = rng.random(size) < np.where(near, 0.95, np.where((code == 13) & (np.abs(first.pdgid) == 13), 0.5, 0.75))
    angle = rng.uniform(-np.pi, np.pi, size)
    pt = _spectrum(code, rng)
    apart = np.interp(rng.random(size), *_CHAIN_MASS) / np.sqrt(first.pt * pt)
    turn = np.where(rng.random(size) < 0.5, np.pi + rng.normal(0, 0.5, size), rng.uniform(-np.pi, np.pi, size))
    partners = replace(
        first,
        pdgid=np.where(opposite, -1, 1) * np.sign(first.pdgid) * code,
        pt=pt,
        eta=first.eta + np.where(near, apart * np.cos(angle), rng.normal(0, 1.2, size)),
        phi=first.phi + np.where(near, apart * np.sin(angle), turn),
    )
    return partners.take(~near | (first.pt + pt < JET_OF_LEPTONS))


_ALIKE_IN_CHAIN = 0.25
"""Share of decay chains whose two leptons come from one photon or meson, and so are of one flavour."""
_CHAIN_MASS = ((0, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 1), (0.1, 0.4, 0.9, 2.2, 2.7, 3.0, 3.6, 5.0, 8.0))
"""Probabilities, and quantiles of the mass (GeV) of two leptons of one decay chain that pass the thresholds."""


def _accepted(parts: list[Particles], rng: np.random.Generator) -> Particles:
    leptons = concatenate(parts)
    leptons = replace(leptons, phi=kinematics.delta_phi(leptons.phi, 0.0))
    in_jet = np.isin(leptons.origin, (HEAVY, LIGHT))
    isolated = ~(must_be_isolated(leptons) & in_jet) | (rng.random(len(leptons)) < _ISOLATED)
    return leptons.take(accept(leptons) & isolated)


_ISOLATED = 0.6
"""Share of the soft muons in jets that have less than half of their pT in tracks around them."""
