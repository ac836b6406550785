"""One chunk of events of the search, from seed to table: a pure function, which any process may run.

Two jets of Z + jets are b jets in one event of a hundred, far too few to train or test with. As searches do that
model a background with two tags by events with fewer, each event is used twice: as it is, unless it has two b jets;
and with its two hardest central jets called b jets. The sum of the latter is normalised to data (`processes.Z_BB`).
In the parton shower two to three pairs in a hundred are b jets whatever their distance (0.4 < ΔR < 5, in six bins)
and mass, within the 15 % that 145 such pairs tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from azh.events import MEASURED
from factory import detector, generator
from factory.azh import response
from factory.azh.processes import PROCESSES
from factory.azh.reconstruction import select
from factory.chunks import Chunk
from factory.particles import Bools, Floats, Ints, Particles, rank_within_event
from factory.tables import Table, finished

SEARCH = 7
"""Purpose of the chunks of the search: its random numbers are used nowhere else."""
BB = "bb"
"""Column that says which entries are those with the two hardest jets called b."""


def make_chunk(chunk: Chunk) -> Table:
    """Generate a chunk and pass its events through the detector and the selection.

    Returns
    -------
    dict of ndarray
        The inputs (``MEASURED``), ``event``, ``factor`` (of the weight: tags, flavour, passes) and ``BB``, an entry
        each for every event that passes, as often as it does; ``fiducial``, shape (1,): the sum of the factors of
        generated events with two b jets in the region of `processes.Z_BB`.

    Raises
    ------
    SimulationError
        If Pythia is not installed or fails.
    """
    process = PROCESSES[chunk.sample]
    seed, for_generator, rng = chunk.seeds(process.number)
    truth = generator.generate(process.settings, chunk.events, seed, rng=for_generator, leptons=2)
    leptons, photons, invisible = truth.leptons, truth.photons, truth.invisible
    versions = [(truth.jets, np.ones(chunk.events), False)]
    fiducial = 0.0
    if process.kind == "Zjets":
        promoted, share = promote(truth.jets, chunk.events)
        fiducial = float(share[in_fiducial(leptons, chunk.events)].sum())
        versions = [(truth.jets, 1.0 - _has_two_b(truth.jets, chunk.events), False), (promoted, share, True)]
    parts = []
    for jets, share, is_bb in versions:
        kept = _candidates(leptons, jets, chunk.events) & (share > 0)
        of_kept = [particles.take(kept[particles.event]) for particles in (leptons, photons, jets)]
        for _ in range(process.passes):
            event, inputs, factor = _detect(of_kept, invisible, rng, any_flavour=process.any_flavour)
            parts.append(
                inputs
                | {
                    "event": chunk.index * chunk.events + event,
                    "factor": factor * share[event] / process.passes,
                    BB: np.full(len(event), is_bb),
                }
            )
    table: Table = {name: np.concatenate([part[name] for part in parts]) for name in (*MEASURED, "event", "factor", BB)}
    return finished(table | {"fiducial": np.array([fiducial])})


def _detect(
    particles: Sequence[Particles], invisible: Floats, rng: np.random.Generator, *, any_flavour: bool
) -> tuple[Ints, dict[str, NDArray[np.float32]], Floats]:
    leptons, photons, jets = particles
    seen = response.separate(detector.reconstruct_leptons(leptons, photons, rng))
    lost = response.neutrinos(jets, rng)
    seen_jets = response.measure_jets(jets, lost, seen, rng)
    missing = response.measure_missing(invisible, jets, lost, rng)
    return select(seen, seen_jets, missing, rng, any_flavour=any_flavour)


def promote(jets: Particles, n_events: int) -> tuple[Particles, Floats]:
    """Call the two hardest central jets of each event b jets, and other b jets light.

    Returns
    -------
    jets : Particles
    possible : ndarray, shape (n_events,)
        One for events with two central jets, else zero.
    """
    central = np.flatnonzero((np.abs(jets.eta) < 2.5) & (jets.pt > response.PT_MIN))
    rank = rank_within_event(jets.event[central])
    first, second = central[rank == 0], central[rank == 1]
    first = first[np.isin(jets.event[first], jets.event[second])]
    possible = np.zeros(n_events)
    possible[jets.event[first]] = 1.0
    flavour = np.where(jets.pdgid == 5, 21, jets.pdgid)
    flavour[np.r_[first, second]] = 5
    return replace(jets, pdgid=flavour), possible


def in_fiducial(leptons: Particles, n_events: int) -> Bools:
    """Return which events have the two leptons of the measurement that Z + b b̄ is normalised to."""
    good = leptons.take((leptons.pt > 27) & (np.abs(leptons.eta) < 2.5))
    rank = rank_within_event(good.event)
    first, second = good.take(rank == 0), good.take(rank == 1)
    first = first.take(np.isin(first.event, second.event))
    mass = np.sqrt(2 * first.pt * second.pt * (np.cosh(first.eta - second.eta) - np.cos(first.phi - second.phi)))
    inside = np.zeros(n_events, bool)
    inside[first.event] = (mass > 76) & (mass < 106)
    return inside


def _has_two_b(jets: Particles, n_events: int) -> Bools:
    b = (jets.pdgid == 5) & (np.abs(jets.eta) < 2.5) & (jets.pt > response.PT_MIN)
    return np.bincount(jets.event[b], minlength=n_events) >= 2


def _candidates(leptons: Particles, jets: Particles, n_events: int) -> Bools:
    """Return which events a detector may let pass: the rest need not be looked at."""
    number = [
        np.bincount(leptons.event[leptons.pt > 15], minlength=n_events),
        np.bincount(jets.event[(jets.pt > 13) & (np.abs(jets.eta) < 2.7)], minlength=n_events),
    ]
    return (number[0] >= 2) & (number[1] >= 2)
