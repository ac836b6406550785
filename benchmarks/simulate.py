"""A whole chunk, from hard process to detector, against Pythia alone."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from benchmarks.made_up import Sizes
from benchmarks.timing import Result, compare


def run(sizes: Sizes) -> dict[str, Result]:
    """Time chunks of both processes that most events of the course come from."""
    import factory
    from factory import four_leptons, generator, recipes

    generator.version()
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        lhe = Path(folder) / "events.lhe"
        four_leptons.write_events(lhe, sizes.generated, np.random.default_rng(1))
        for name, label in (("ggH125_ZZ4lep", "simulate_ggH"), ("llll", "simulate_llll")):
            recipe = recipes.RECIPES[name]
            source = (f"Beams:LHEF = {lhe}", "Beams:frameType = 4") if recipe.matrix_element else ()
            settings = (*source, *recipe.settings)

            def plain(settings: tuple[str, ...] = settings) -> None:
                pythia = generator.start(settings, seed=1)
                for _ in range(sizes.generated):
                    pythia.next()

            def ours(name: str = name) -> None:
                factory.simulate_chunk(factory.Chunk(name, 0, 1, events=sizes.generated))

            ours()  # imports, tables
            note = f"{sizes.generated} events to the detector; plain: Pythia alone"
            results[label] = compare(ours, plain, rounds=sizes.rounds)._replace(note=note)
    return results
