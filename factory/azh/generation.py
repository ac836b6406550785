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
from typing import Any

import numpy as np
from numpy.typing import NDArray

from factory import detector, generator
from factory.azh import processes, response
from factory.azh.reconstruction import select
from factory.chunks import Chunk
from factory.particles import Bools, Floats, Ints, Particles, rank_within_event
from factory.tables import Table

SEARCH, INDEPENDENT = 7, 8
"""Purposes of the chunks of the search: those of the bundle, and the independent ones that pseudo-data come from. Their
random numbers are used nowhere else."""
PASSES = 4
"""How often an independent event goes through the detector."""
TIMES = 4
"""How many independent events there are for one of the bundle's: so few stand for more than one expected event."""
PASS = "pass"
"""Column that says which pass through the detector an entry is of."""
_MAY_BE_SEEN = 8.0, 2.6
"""pT (GeV) and |η| of true jets that may be measured above 20 GeV and within |η| < 2.5: one of 8 GeV in fifty."""


def make_chunk(chunk: Chunk) -> Table:
    """Generate a chunk and pass its events through the detector and the selection.

    Returns
    -------
    dict of ndarray
        The inputs (``MEASURED``), ``event``, ``region``, ``factor`` (of the weight: tags, passes, what a process is
        multiplied with) and ``PASS``, an entry each for every event that passes, as often as it does; ``generated``,
        shape (2,): events that were generated, with those that the veto drops, and those of them with two b quarks
        nearer than ΔR = 0.4.

    Raises
    ------
    SimulationError
        If Pythia is not installed or fails.
    """
    process = processes.get(chunk.sample)
    passes = process.passes if chunk.purpose == SEARCH else PASSES
    seed, for_generator, rng = chunk.seeds(process.number)
    hooks = watch()
    truth = generator.generate(process.settings, chunk.events, seed, rng=for_generator, leptons=2, hooks=hooks)
    leptons, photons, invisible = truth.leptons, truth.photons, truth.invisible
    versions = [(truth.jets, np.ones(chunk.events))]
    if process.kind == "Zjets":
        promoted, possible = promote(truth.jets, chunk.events)
        of_b = processes.Z_BB / processes.Z_JJ * possible
        of_two_b = _two(truth.jets.event[(truth.jets.pdgid == 5) & _may_be_seen(truth.jets)], chunk.events)
        others = processes.K_Z * ~of_two_b
        versions = [(truth.jets, others), (promoted, of_b)]
    parts = []
    for jets, share in versions:
        # The rest no detector lets pass.
        of_two_jets = _two(jets.event[_may_be_seen(jets)], chunk.events)
        kept = _two(leptons.event[leptons.pt > 15], chunk.events) & of_two_jets & (share > 0)
        of_kept = [particles.take(kept[particles.event]) for particles in (leptons, photons, jets)]
        for number in range(passes):
            event, inputs, region, factor = _detect(of_kept, invisible, rng)
            parts.append(
                inputs
                | {
                    "event": chunk.index * chunk.events + event,
                    "region": region,
                    "factor": factor * share[event] / passes,
                    PASS: np.full(len(event), number, np.int8),
                }
            )
    table: Table = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return table | {"generated": np.array([hooks.tried, hooks.merged])}


def watch() -> Any:
    """Return hooks for Pythia that count the events and drop those that cannot pass, before the parton shower.

    What stays has two leptons of pT > 5 GeV and |η| < 4 with a mass of 50 to 140 GeV. ``tried`` is the number of all
    events, ``merged`` that of those whose two b quarks are nearer than ΔR = 0.4.
    """

    class Watch(generator.library().UserHooks):  # type: ignore[misc]
        tried = merged = 0

        def canVetoProcessLevel(self) -> bool:
            return True

        def doVetoProcessLevel(self, event: Any) -> bool:
            self.tried += 1
            final = [p for p in (event[i] for i in range(5, event.size())) if p.isFinal()]
            b = [p for p in final if p.idAbs() == 5]
            if len(b) == 2:
                apart = abs(b[0].phi() - b[1].phi())
                self.merged += np.hypot(b[0].eta() - b[1].eta(), min(apart, 2 * np.pi - apart)) < 0.4
            leptons = [p for p in final if p.idAbs() in (11, 13) and p.pT() > 5 and abs(p.eta()) < 4]
            return len(leptons) < 2 or not 50 < (leptons[0].p() + leptons[1].p()).mCalc() < 140

    return Watch()


def _detect(
    particles: Sequence[Particles], invisible: Floats, rng: np.random.Generator
) -> tuple[Ints, dict[str, NDArray[np.float32]], Ints, Floats]:
    leptons, photons, jets = particles
    seen = response.separate(detector.reconstruct_leptons(leptons, photons, rng))
    lost = response.neutrinos(jets, rng)
    seen_jets = response.measure_jets(jets, lost, seen, rng)
    missing = response.measure_missing(invisible, jets, lost, rng)
    return select(seen, seen_jets, missing, rng)


def promote(jets: Particles, n_events: int) -> tuple[Particles, Floats]:
    """Call the two hardest central jets of each event b jets, and other b jets light.

    Returns
    -------
    jets : Particles
    possible : ndarray, shape (n_events,)
        One for events with two central jets, else zero.
    """
    central = np.flatnonzero(_may_be_seen(jets))
    rank = rank_within_event(jets.event[central])
    first, second = central[rank == 0], central[rank == 1]
    first = first[np.isin(jets.event[first], jets.event[second])]
    possible = np.zeros(n_events)
    possible[jets.event[first]] = 1.0
    flavour = np.where(jets.pdgid == 5, 21, jets.pdgid)
    flavour[np.r_[first, second]] = 5
    return replace(jets, pdgid=flavour), possible


def _may_be_seen(jets: Particles) -> Bools:
    seen: Bools = (jets.pt > _MAY_BE_SEEN[0]) & (np.abs(jets.eta) < _MAY_BE_SEEN[1])
    return seen


def _two(event: Ints, n_events: int) -> Bools:
    """Return which events have two entries or more."""
    return np.bincount(event, minlength=n_events) >= 2
