"""Simulated samples: Pythia 8 for the collisions, a parametrised detector, files as in the release.

>>> from labcourse import simulation
>>> simulation.simulate("my_samples", scale=0.01, seed=1)  # doctest: +SKIP
"""

from labcourse.simulation.campaign import simulate
from labcourse.simulation.chunks import Chunk, simulate_chunk

__all__ = ["Chunk", "simulate", "simulate_chunk"]
