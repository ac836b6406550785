"""`training.predict` against `model.predict` with its default batch of 32."""

from __future__ import annotations

import numpy as np

from benchmarks.made_up import Sizes, transverse_momenta
from benchmarks.timing import Result, compare


def run(sizes: Sizes) -> dict[str, Result]:
    """Time the scores of all events."""
    from labcourse import network, training

    x, *_ = transverse_momenta(sizes.all, seed=1)
    model = network.build(4, normalise=x, seed=1)
    np.testing.assert_allclose(training.predict(model, x)[:1000], model.predict(x[:1000], verbose=0)[:, 0], atol=1e-5)
    result = compare(
        lambda: training.predict(model, x), lambda: model.predict(x, verbose=0), rounds=sizes.rounds, ours_times=3
    )
    return {"predict": result._replace(note="scores of all events, plain in batches of 32")}
