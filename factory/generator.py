"""Events from Pythia 8, handed over in bulk and reduced to what a detector would see."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from factory.particles import Bools, Floats, Ints, Particles, join
from labcourse.errors import LabCourseError

BATCH = 400
"""Events per hand-over: few enough that their records, 17 kB each, stay near the processor. Measured."""

COMMON = (
    "Print:quiet = on",
    "Beams:eCM = 13000",
    "Random:setSeed = on",
    # Multiparton interactions and hadronisation cost ten times as much as all the rest, and leptons,
    # photons and hard jets do not need them.
    "PartonLevel:MPI = off",
    "HadronLevel:Hadronize = off",
    "Check:event = off",
    "Next:numberCount = 0",
)
_NEUTRINOS = (12, 14, 16)


class SimulationError(LabCourseError):
    """The event generator could not be run."""


@dataclass(frozen=True)
class Truth:
    """What came out of the collisions of a chunk.

    ``invisible`` (n_events, 2) is the transverse momentum of the neutrinos in GeV; ``jets`` carry 5, 4
    or 21 as ``pdgid`` for b, c and light flavour; ``kept`` is False where an event was weighted away.
    """

    n_events: int
    leptons: Particles
    photons: Particles
    jets: Particles
    invisible: Floats
    kept: Bools


def version() -> str:
    """Return the version of Pythia.

    Raises
    ------
    SimulationError
        If Pythia is not installed.
    """
    return f"{library().Pythia('', False).parm('Pythia:versionNumber'):.3f}"


def library() -> Any:
    """Return Pythia's module. Raises SimulationError if it is not installed."""
    try:
        import pythia8mc
    except ImportError as error:
        raise SimulationError(
            "Pythia 8 is not installed.",
            where="factory",
            next_step="Install it with `pip install -e '.[simulate]'`; the bundled samples do not need it.",
        ) from error
    return pythia8mc


def generate(
    settings: tuple[str, ...],
    n_events: int,
    seed: int,
    *,
    rng: np.random.Generator,
    lhe: Path | None = None,
    relabel_associated_z: bool = False,
    soften_higgs: bool = False,
    leptons: int = 0,
    hooks: Any = None,
) -> Truth:
    """Generate ``n_events`` events.

    Parameters
    ----------
    settings : tuple of str
        Pythia settings of the process.
    n_events : int
        How many; fewer come back only if a Les Houches file ends before.
    seed : int
        Seed of Pythia, 1 to 900 000 000.
    rng : numpy.random.Generator
        For choices made outside Pythia.
    lhe : Path, optional
        Les Houches file with the hard processes.
    relabel_associated_z : bool
        See `_relabel`.
    soften_higgs : bool
        See `_softened`.
    leptons : int
        Events with fewer electrons and muons than this (pT > 3 GeV, |η| < 3) are left without jets: nothing
        in a detector can make them pass, and clustering takes time.
    hooks : pythia8mc.UserHooks, optional
        What looks into the generation. Events that it vetoes do not count.

    Raises
    ------
    SimulationError
        If Pythia refuses a setting, cannot start, or gives no events.
    """
    source = (f"Beams:LHEF = {lhe}", "Beams:frameType = 4") if lhe else ()
    pythia = start((*source, *settings), seed=seed, hooks=hooks)
    parts = []
    done = 0
    while done < n_events:
        # Events in which Pythia fails are left out, so a batch may be short: go on until all are there.
        batch = pythia.nextBatch(min(BATCH, n_events - done))
        if len(batch) == 0:
            if lhe is None:
                raise SimulationError(f"Pythia stopped after {done} of {n_events} events.", where="; ".join(settings))
            break
        part = _reduce(batch, rng, relabel_associated_z, leptons)
        parts.append(replace(part, kept=_softened(batch, rng)) if soften_higgs else part)
        done += len(batch)
    return _join(parts)


def start(settings: tuple[str, ...], *, seed: int, hooks: Any = None) -> Any:
    """Return Pythia, ready to generate. Raises as `generate`."""
    pythia = library().Pythia("", False)
    for line in (*COMMON, f"Random:seed = {seed}", *settings):
        if not pythia.readString(line):
            raise SimulationError("Pythia does not know a setting.", where=line)
    if hooks is not None:
        pythia.setUserHooksPtr(hooks)
    if not pythia.init():
        raise SimulationError("Pythia could not be started.", where="; ".join(settings))
    return pythia


def _join(parts: list[Truth]) -> Truth:
    """Join the events of batches, which are numbered on from one to the next."""
    starts = np.cumsum([0, *(p.n_events for p in parts)]).tolist()

    def joined(kind: str) -> Particles:
        own = [getattr(p, kind) for p in parts]
        return join([replace(p, event=p.event + start) for p, start in zip(own, starts, strict=False)])

    leptons, photons, jets = map(joined, ("leptons", "photons", "jets"))
    invisible, kept = (np.concatenate([getattr(p, name) for p in parts]) for name in ("invisible", "kept"))
    return Truth(starts[-1], leptons, photons, jets, invisible, kept)


def _reduce(batch: Any, rng: np.random.Generator, relabel: bool, needed: int) -> Truth:
    import awkward as ak

    n_events = len(batch)
    record = batch.prt
    counts = ak.to_numpy(ak.num(record))
    flat = ak.flatten(record)
    pdgid = ak.to_numpy(flat.id)
    kind = np.abs(pdgid)
    if relabel:
        event = np.repeat(np.arange(n_events), counts)
        mother = np.repeat(np.cumsum(counts) - counts, counts) + ak.to_numpy(flat.mother1)
        kind = _relabel(kind, mother, event, n_events, rng)
    # Of six entries of the record one is a particle that leaves the collision: the others go before anything else.
    final = np.flatnonzero(ak.to_numpy(flat.status) > 0)
    event = np.repeat(np.arange(n_events), counts)[final]
    kind, pdgid = kind[final], pdgid[final].astype(np.int64)
    px, py, pz = (ak.to_numpy(flat.p[c])[final] for c in ("px", "py", "pz"))

    def these(mask: Bools) -> Particles:
        return Particles.from_momenta(event[mask], pdgid[mask], px[mask], py[mask], pz[mask])

    lepton, photon = (kind == 11) | (kind == 13), kind == 22
    invisible = np.isin(kind, _NEUTRINOS)
    leptons, photons = these(lepton), these(photon)
    leptons = leptons.take((leptons.pt > 3) & (np.abs(leptons.eta) < 3))
    enough = np.bincount(leptons.event, minlength=n_events) >= needed
    hadronic = these(~(lepton | photon | invisible) & enough[event])
    missing = np.column_stack([np.bincount(event[invisible], p[invisible], minlength=n_events) for p in (px, py)])
    return Truth(
        n_events,
        leptons,
        photons.take((photons.pt > 0.3) & (np.abs(photons.eta) < 3)),
        _cluster(hadronic, n_events),
        missing,
        np.ones(n_events, bool),
    )


def _softened(batch: Any, rng: np.random.Generator) -> Bools:
    """Drop events of gg → H with a large transverse momentum of the Higgs boson.

    The parton shower with leading-order corrections has twice as many above 200 GeV as the calculation that the
    release uses (NNLOPS: 1.4 %, LHC Higgs Cross Section Working Group, Yellow Report 4, arXiv:1610.07922). What is left
    here is 1.0 % above 200 GeV and 5.6 % above 120 GeV (measured).
    """
    import awkward as ak

    record = batch.prt
    higgs = record[(record.id == 25) & (record.status == _DECAYED)]
    pt = ak.to_numpy(ak.max(np.hypot(higgs.p.px, higgs.p.py), axis=1))
    kept: Bools = rng.random(len(pt)) < 1 / (1 + (pt / 220.0) ** 3)
    return kept


_DECAYED = -62
"""Pythia's status code of a resonance after the shower, just before it decays."""


def _relabel(kind: Ints, mother: Ints, event: Ints, n_events: int, rng: np.random.Generator) -> Ints:
    """Give the Z that is produced beside a Higgs boson all its decays.

    It shares its decay table with the two Z of the Higgs boson. All three therefore decay to leptons
    here, and what comes from the associated Z is called quarks in 69.9 % of the events, neutrinos in 20.0 %
    (branching fractions of the Particle Data Group); the angles of the decays hardly differ.
    """
    position = np.arange(len(kind))
    seen = np.zeros(len(kind), np.int64)
    # Up the family tree, all particles at once, until each has reached the top (which is its own mother).
    while (position != mother[position]).any():
        seen[kind[position] == 23] = np.maximum(seen[kind[position] == 23], 23)
        seen[kind[position] == 25] = 25
        position = mother[position]
    associated = seen == 23
    draw = rng.random(n_events)[event]
    kind = kind.copy()
    kind[associated & (draw < 0.699) & (kind != 22)] = 1
    kind[associated & (draw >= 0.699) & (draw < 0.899)] = 12
    return kind


def _cluster(hadronic: Particles, n_events: int) -> Particles:
    """Cluster what is left of quarks and gluons into anti-kT jets (R = 0.4, pT > 7 GeV, |η| < 4.5)."""
    import awkward as ak
    import fastjet
    import vector

    near = hadronic.take((np.abs(hadronic.eta) < 5.2) & (hadronic.pt > 0.1))
    counts = np.bincount(near.event, minlength=n_events)
    momenta = ak.zip(
        {
            "px": near.pt * np.cos(near.phi),
            "py": near.pt * np.sin(near.phi),
            "pz": near.pt * np.sinh(near.eta),
            "E": near.pt * np.cosh(near.eta),
            "pdgid": near.pdgid,
        },
        with_name="Momentum4D",
        behavior=vector.backends.awkward.behavior,
    )
    momenta = ak.unflatten(momenta, counts)
    # Its banner would end in the middle of what the command prints.
    fastjet._swig.ClusterSequence.set_fastjet_banner_stream(None)
    sequence = fastjet.ClusterSequence(momenta, fastjet.JetDefinition(fastjet.antikt_algorithm, 0.4))
    jets = sequence.inclusive_jets(min_pt=7.0)
    flavours = np.abs(sequence.constituents(min_pt=7.0).pdgid)
    flavour = ak.where(ak.any(flavours == 5, axis=-1), 5, ak.where(ak.any(flavours == 4, axis=-1), 4, 21))
    numbers = ak.to_numpy(ak.num(jets))
    flat = ak.flatten(jets)
    event = np.repeat(np.arange(n_events), numbers)
    made = Particles.from_momenta(
        event,
        ak.to_numpy(ak.flatten(flavour)).astype(np.int64),
        *(ak.to_numpy(flat[c]) for c in ("px", "py", "pz")),
    )
    made = made.take(np.abs(made.eta) < 4.5)
    return made.take(np.lexsort((-made.pt, made.event)))
