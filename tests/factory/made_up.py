"""Chunks and particles made up for tests, without Pythia."""

import importlib.util
import os
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from factory import tables
from factory.chunks import Chunk
from factory.particles import PROMPT, Particles
from factory.tables import Table
from labcourse import kinematics

needs_pythia = pytest.mark.skipif(
    importlib.util.find_spec("pythia8mc") is None or importlib.util.find_spec("fastjet") is None,
    reason="Pythia 8 and fastjet are not installed (pip install -e '.[simulate]')",
)
EVENTS = 30
"""Events of the made-up chunks."""


def make(chunk: Chunk, n: int = EVENTS) -> Table:
    """A chunk without Pythia; a line in the log says that it was made."""
    log, pause = os.environ.get("CAMPAIGN_LOG"), float(os.environ.get("CAMPAIGN_PAUSE", "0"))
    if log:
        with open(log, "a") as stream:
            stream.write(f"{chunk.index} {os.getpid()}\n")
    time.sleep(pause)
    rng = np.random.default_rng([chunk.seed, chunk.purpose, chunk.index])
    jets = rng.integers(0, 3, n)
    return {
        "eventNumber": chunk.index * chunk.events + np.arange(n) + 1,
        **{f"scaleFactor_{kind}": rng.uniform(0.9, 1.1, n) for kind in ("PILEUP", "ELE", "MUON", "LepTRIGGER")},
        "trigE": np.ones(n, bool),
        "met_et": rng.exponential(20e3, n),
        "lep_n": np.full(n, 4),
        "lep_pt": -np.sort(-rng.exponential(2e4, (n, 4)) - 8e3, axis=1).ravel(),
        "lep_eta": rng.uniform(-2.4, 2.4, 4 * n),
        "lep_phi": rng.uniform(-3, 3, 4 * n),
        "lep_E": np.full(4 * n, 1e5),
        "lep_charge": np.tile([1, -1, 1, -1], n),
        "lep_type": np.tile([11, 11, 13, 13], n),
        "lep_isTightID": rng.random(4 * n) < 0.9,
        "jet_n": jets,
        "jet_pt": rng.exponential(3e4, jets.sum()) + 2e4,
        "jet_MV2c10": rng.uniform(-1, 1, jets.sum()),
    }


@contextmanager
def in_a_thread(*_: object, **__: object) -> Iterator[Executor]:
    """A thread in place of the processes that `factory.workers.connect` gives, which take longer to begin."""
    with ThreadPoolExecutor(1) as executor:  # Pythia does not run in two
        yield executor


def leptons(n: int, code: int, *, pt: float = 40.0, eta: float = 0.5, origin: int = PROMPT) -> Particles:
    """One lepton in each of n events."""
    return Particles(np.arange(n), *(np.full(n, value) for value in (code, pt, eta)), np.zeros(n), np.full(n, origin))


def some(event: Any, pdgid: Any, pt: Any, eta: Any) -> Particles:
    """Particles along one azimuth."""
    return Particles(*map(np.array, (event, pdgid, pt, eta)), np.zeros(len(event)))


def jets(n_events: int, *, per_event: int = 2, code: int = 21, seed: int = 1) -> Particles:
    """Jets of a steep spectrum."""
    rng = np.random.default_rng(seed)
    n = n_events * per_event
    pt = 8 * (1 - rng.random(n)) ** -0.6
    eta, phi = rng.uniform(-2.5, 2.5, n), rng.uniform(-np.pi, np.pi, n)
    return Particles(np.repeat(np.arange(n_events), per_event), np.full(n, code), pt, eta, phi)


def mass(table: Table) -> Any:
    """The four-lepton mass of each event (GeV)."""
    pt, eta, phi, energy = (tables.leading_four(table, f"lep_{quantity}") for quantity in ("pt", "eta", "phi", "E"))
    return kinematics.pair_masses(pt / 1e3, eta, phi, energy / 1e3)["m_llll"]
