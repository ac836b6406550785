"""What trains best in the search for A → Zh: ``python -m benchmarks.methods [--seeds N]`` prints a Markdown table.

Each way is trained with several seeds, and judged by its expected significance (`azh.significances`, the mean over the
masses). Ways are chosen with the halves of the events exchanged, where a tenth of the events to validate with would
tell too little, and reported by the test events. `docs/parameterised.md` holds the result. Three seeds take a quarter
of an hour of one core.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unittest import mock

import numpy as np

Way = Callable[[Any, int], Any]
"""Parts of the events and a seed → classifier."""

HIGH = 600
"""Masses from here on (GeV) have a mean of their own."""


def published(parts: Any, seed: int) -> Any:
    """Train as R. Herencia did (QMUL report 2022): SGD whose rate falls, and an early end.

    The published rate of 1.4 belongs to weights in expected events; with weights of mean one, as here, a tenth of it
    trains best, and all of it not at all. After how many epochs without improvement the training ended is not
    published.
    """
    import keras

    import azh

    rate = 0.14
    callbacks = (
        keras.callbacks.LearningRateScheduler(lambda epoch: rate * 0.999**epoch),
        keras.callbacks.EarlyStopping(patience=15, restore_best_weights=True),
    )
    return azh.train(
        parts,
        azh.Recipe(hidden=(50, 50), batch_size=500, epochs=200, signal_scale=1.0),
        optimizer=keras.optimizers.SGD(rate, momentum=0.7, nesterov=True),
        callbacks=callbacks,
        seed=seed,
        progress=False,
    ).classify


def main() -> None:
    """Train, measure, print."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    parser = argparse.ArgumentParser(prog="benchmarks.methods", description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    n = parser.parse_args().seeds

    from rich.console import Console

    import azh
    from azh import IMPROVED, MASSES

    events = azh.read()
    halves = [azh.split(events, swapped=swapped) for swapped in (True, False)]

    def network(**changes: object) -> Way:
        recipe = replace(IMPROVED, **changes)  # type: ignore[arg-type]
        return lambda parts, seed: azh.train(parts, recipe, seed=seed, progress=False).classify

    def trees(**options: object) -> Way:
        return lambda parts, seed: azh.train_tree(parts, signal_scale=IMPROVED.signal_scale, seed=seed, **options)

    twice = mock.patch.object(azh.methods, "_of_mass", lambda m_zh, mass: (np.asarray(mass, np.float32),) * 2)

    @twice
    def without_ratio(parts: Any, seed: int) -> Any:
        """Train, and judge, with the mass twice among the inputs in place of the ratio."""
        return twice(network()(parts, seed))

    ways = {
        "published recipe (k = 1)": published,
        "Adam, one cycle, 128 + 128, batches of 1024 (k = 1)": network(signal_scale=1.0),
        "… with k = 0.1": network(signal_scale=0.1),
        "… with k = 0.03: **`IMPROVED`**": network(),
        "… with k = 0.01": network(signal_scale=0.01),
        "`IMPROVED` with swish": network(activation="swish"),
        "`IMPROVED` with batches of 500": network(batch_size=500),
        "`IMPROVED` with 64 + 64": network(hidden=(64, 64)),
        "`IMPROVED` with 128 + 128 + 128": network(hidden=(128, 128, 128)),
        "`IMPROVED` without `ln_m_ratio`": without_ratio,
        "trees with k = 0.03": trees(),
        "trees, not regularised": trees(min_samples_leaf=20, l2_regularization=0.0),
        "trees, more regularised, half the learning rate": trees(
            l2_regularization=30.0, learning_rate=0.05, n_iter_no_change=30, max_iter=1500
        ),
    }
    high = np.array(MASSES) >= HIGH
    console = Console(stderr=True)
    print(f"| training | halves exchanged | test | test, from {HIGH} GeV | seconds |\n|---|---|---|---|---|")
    for name, way in ways.items():
        found, seconds = list[list[list[float]]](), list[float]()
        for seed in range(1, n + 1):
            found.append([])
            for parts in halves:
                with console.status(f"{name}, seed {seed}"):
                    start = time.perf_counter()
                    classify = way(parts, seed)
                    seconds.append(time.perf_counter() - start)
                    points = azh.significances(classify, parts.test, scale=2, replicas=0)
                found[-1].append([point.value for point in points])
        each = np.array(found)
        means = each.mean(axis=2)
        errors = means.std(axis=0, ddof=1) / np.sqrt(n) if n > 1 else np.full(2, np.nan)
        both = " | ".join(f"{mean:.3f} ± {error:.3f}" for mean, error in zip(means.mean(axis=0), errors, strict=True))
        print(f"| {name} | {both} | {each[:, 1, high].mean():.3f} | {np.median(seconds):.0f} |", flush=True)


if __name__ == "__main__":
    main()
