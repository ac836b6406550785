"""What trains best in the search for A → Zh: ``python -m benchmarks.methods [--seeds N]`` prints a Markdown table.

Each way is trained with several seeds on the same events, chosen by its expected significance (`azh.significances`,
the mean over the masses) on validation events and reported by that on test events. `docs/parameterised.md` holds the
result. Three seeds take a quarter of an hour of one core.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from unittest import mock

import numpy as np

HIGH = 600
"""Masses from here on (GeV) have a mean of their own."""


def main() -> None:
    """Train, measure, print."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    parser = argparse.ArgumentParser(prog="benchmarks.methods", description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    n = parser.parse_args().seeds

    from rich.console import Console

    import azh
    from azh import IMPROVED, MASSES, PUBLISHED, Recipe

    parts = azh.split(azh.read())
    trees = partial(azh.train_tree, parts, signal_scale=IMPROVED.signal_scale)

    def network(recipe: Recipe = IMPROVED, **changes: object) -> Callable[..., azh.methods.Classifier]:
        recipe = replace(recipe, **changes)  # type: ignore[arg-type]
        return lambda seed: azh.train(parts, recipe, seed=seed, progress=False).classify

    twice = mock.patch.object(azh.methods, "_of_mass", lambda m_zh, mass: (np.asarray(mass, np.float32),) * 2)

    @twice
    def without_ratio(seed: int) -> azh.methods.Classifier:
        """Train, and judge, with the mass twice among the inputs in place of the ratio."""
        return twice(network()(seed))

    ways = {
        "published recipe (k = 1)": network(PUBLISHED),
        "Adam, one cycle, 128 + 128, batches of 1024 (k = 1)": network(signal_scale=1.0),
        "… with k = 0.1": network(signal_scale=0.1),
        "… with k = 0.03: **`IMPROVED`**": network(),
        "… with k = 0.01": network(signal_scale=0.01),
        "`IMPROVED` with affine conditioning": network(conditioning="affine"),
        "`IMPROVED` with swish": network(activation="swish"),
        "`IMPROVED` with batches of 500": network(batch_size=500),
        "`IMPROVED` with 64 + 64": network(hidden=(64, 64)),
        "`IMPROVED` with 128 + 128 + 128": network(hidden=(128, 128, 128)),
        "`IMPROVED` without `ln_m_ratio`": without_ratio,
        "trees with k = 0.03": lambda seed: trees(seed=seed),
    }
    high = np.array(MASSES) >= HIGH
    console = Console(stderr=True)
    print(f"| training | validation | test | test, from {HIGH} GeV | seconds |\n|---|---|---|---|---|")
    scales = {10: parts.validation, 2: parts.test}  # a tenth and half of the events
    for name, way in ways.items():
        found, seconds = [], []
        for seed in range(1, n + 1):
            with console.status(f"{name}, seed {seed}"):
                start = time.perf_counter()
                classify = way(seed)
                seconds.append(time.perf_counter() - start)
                by_part = [azh.significances(classify, part, scale=k, replicas=0) for k, part in scales.items()]
                found.append([[point.value for point in points] for points in by_part])
        each = np.array(found)
        means = each.mean(axis=2)
        errors = means.std(axis=0, ddof=1) / np.sqrt(n) if n > 1 else np.full(2, np.nan)
        both = " | ".join(f"{mean:.3f} ± {error:.3f}" for mean, error in zip(means.mean(axis=0), errors, strict=True))
        print(f"| {name} | {both} | {each[:, 1, high].mean():.3f} | {np.median(seconds):.0f} |", flush=True)


if __name__ == "__main__":
    main()
