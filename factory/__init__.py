"""Simulated samples: Pythia 8 for the collisions, a parametrised detector, files as in the release.

>>> import factory
>>> factory.simulate("my_samples", scale=0.01, seed=1)  # doctest: +SKIP
"""

from factory.chunks import Chunk, simulate_chunk
from factory.production import simulate

__all__ = ["Chunk", "simulate", "simulate_chunk"]
