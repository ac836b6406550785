"""`significance.scan` against a mask for each cut."""

from __future__ import annotations

import numpy as np

from benchmarks.made_up import Sizes
from benchmarks.timing import Result, compare


def run(sizes: Sizes) -> dict[str, Result]:
    """Time the yields above many cuts, and check that the counts are the same to the last event."""
    from labcourse import significance

    rng = np.random.default_rng(1)
    label = rng.integers(0, 2, sizes.all)
    score = np.where(label == 1, rng.beta(4, 2, sizes.all), rng.beta(2, 4, sizes.all)).astype(np.float32)
    weight = rng.normal(1e-3, 5e-4, sizes.all)
    cuts = np.linspace(0, 1, sizes.cuts, endpoint=False)

    classes = [(score[label == value], weight[label == value]) for value in (1, 0)]

    def plain() -> list[tuple[float, float, int, int]]:
        rows = []
        for cut in cuts:
            signal, background = (weights[scores >= cut] for scores, weights in classes)
            rows.append((signal.sum(), background.sum(), len(signal), len(background)))
        return rows

    result = significance.scan(score, label, weight, cuts=cuts)
    signal, background, raw_signal, raw_background = map(np.array, zip(*plain(), strict=True))
    assert np.array_equal(result.raw_signal, raw_signal)
    assert np.array_equal(result.raw_background, raw_background)
    np.testing.assert_allclose(result.signal, signal, rtol=1e-9)
    np.testing.assert_allclose(result.background, background, rtol=1e-9)
    timing = compare(
        lambda: significance.scan(score, label, weight, cuts=cuts), plain, rounds=sizes.rounds, ours_times=5
    )
    return {"scan": timing._replace(note=f"{sizes.cuts} cuts, same counts; plain: one mask per cut")}
