"""Leptons that are no decay products of W, Z or τ: from hadron decays and from misidentified jets.

Four leptons of which two are not prompt pass one event in a hundred thousand. Every rate is therefore raised by one
common factor, which changes no distribution as long as an event has at most the leptons asked for.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from labcourse.simulation.detector import PT_MIN, accept
from labcourse.simulation.particles import Particles, concatenate, rank_within_event

SOFT_INDEX = 3.0
"""Exponent of the integral spectrum ∝ pT⁻ᵃ of non-prompt leptons from activity that is not simulated."""


def beside_z(jets: Particles, n_events: int, rng: np.random.Generator, *, electrons: float, pairs: float) -> Particles:
    """Draw non-prompt leptons of Z + jets events.

    They come from jets, with a falling fraction of their momentum, and from the soft activity of pile-up
    and underlying event; a share ``electrons`` of them are electrons. A share ``pairs`` of the sources
    gives two of one flavour and opposite charges: hadrons, photons.
    """
    near = jets.take(np.abs(jets.eta) < 2.9)
    heavy = np.isin(near.pdgid, (4, 5))
    fraction = rng.beta(1.4, np.where(heavy, 4.5, 5.5))
    # Hard jets and heavy flavour are the likelier sources.
    rate = np.where(heavy, 0.9, np.clip(0.25 + near.pt / 100, None, 0.8))
    near = near.replace_momentum(near.pt * fraction, near.eta, near.phi).take(rng.random(len(near)) < rate)
    sources = concatenate([near, _soft(n_events, rng)])
    first = _leptons(sources, rng, electrons=electrons, positive=0.57, near=0.1)
    again = rng.random(len(sources)) < pairs
    second = _leptons(sources.take(again), rng, electrons=electrons, positive=0.5, near=0.7)
    # A spectrum of its own, or the two would be equally hard.
    second = replace(second, pdgid=-first.pdgid[again], pt=second.pt * rng.uniform(0.5, 1.5, len(second)))
    return _accepted(concatenate([first, second]))


def _soft(n_events: int, rng: np.random.Generator) -> Particles:
    event = np.repeat(np.arange(n_events), rng.poisson(0.3, n_events))
    size = len(event)
    return Particles(
        event,
        np.full(size, 21),
        PT_MIN * (1 - rng.random(size)) ** (-1 / SOFT_INDEX),
        rng.uniform(-2.7, 2.7, size),
        rng.uniform(-np.pi, np.pi, size),
    )


def from_b_jets(jets: Particles, rng: np.random.Generator, *, electrons: float) -> Particles:
    """Draw isolated leptons of the decays of b hadrons in the jets of t t̄ events.

    Isolation favours soft leptons far from their jet's axis; the spectrum above threshold is nearly exponential.
    """
    jets = jets.take((jets.pdgid == 5) & (np.abs(jets.eta) < 2.9))
    b = jets
    # Fraction x of the jet's momentum ∝ (1 − x)¹⁵, given that the lepton passes the threshold. The probability of
    # that is raised threefold, and levels off for hard jets, whose leptons are less isolated.
    remainder = np.clip(1 - PT_MIN / b.pt, 1e-3, None)
    chosen = rng.random(len(b)) < 3 * remainder**16
    b, remainder = b.take(chosen), remainder[chosen]
    fraction = 1 - remainder * rng.random(len(b)) ** (1 / 16)
    rank = rank_within_event(jets.event)[chosen]
    b = b.replace_momentum(b.pt * fraction, b.eta, b.phi)
    # The two leading b jets are taken for b and b̄, whose direct leptons have opposite charges. One in four
    # has the other one, from b → c → l and from mixing.
    direct = np.where(rank % 2 == 0, 1, -1)
    sign = np.where(rng.random(len(b)) < 0.25, -direct, direct)
    first = _leptons(b, rng, electrons=electrons, positive=0.5, near=0.15)
    first = replace(first, pdgid=sign * np.abs(first.pdgid))
    again = rng.random(len(b)) < 0.05
    second = _leptons(b.take(again), rng, electrons=electrons, positive=0.5, near=0.25)
    second = replace(
        second,
        pdgid=-sign[again] * np.abs(second.pdgid),
        pt=second.pt * rng.uniform(0.5, 1.5, len(second)),
    )
    return _accepted(concatenate([first, second]))


def _leptons(
    sources: Particles, rng: np.random.Generator, *, electrons: float, positive: float, near: float
) -> Particles:
    """One lepton a source, with its momentum, at a distance of about ``near`` from its axis."""
    size = len(sources)
    code = np.where(rng.random(size) < electrons, 11, 13)
    sign = np.where(rng.random(size) < positive, -1, 1)
    return Particles(
        sources.event,
        sign * code,
        sources.pt,
        sources.eta + rng.normal(0, near, size),
        sources.phi + rng.normal(0, near, size),
    )


def _accepted(leptons: Particles) -> Particles:
    return leptons.take(accept(leptons))
