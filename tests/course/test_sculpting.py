"""The live figure of chapter 8: what a cut on the score does to the mass of the background."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from course import interactive

RNG = np.random.default_rng(8)
LABEL = np.repeat([0, 1], [3000, 600])
MASS = np.where(LABEL == 1, RNG.normal(124, 3, 3600), RNG.uniform(80, 250, 3600))
SCORES = {"of the mass": np.exp(-np.abs(MASS - 124) / 20), "of nothing": RNG.random(3600).astype(np.float32)}
SAMPLE = np.where(LABEL == 1, "signal", np.where(np.arange(3600) % 50 == 0, "rare", "large"))
WEIGHT = np.where(LABEL == 1, 0.01, np.where(RNG.random(3600) < 0.1, -0.1, 0.12))


def test_it_counts_what_masks_count():
    panel = interactive.sculpting(MASS, SCORES, LABEL, WEIGHT, groups=SAMPLE, window=(115, 130))
    for name, score in SCORES.items():
        panel.controls["network"].value = name
        for share in (100, 70, 20):
            panel.controls["share"].value = share
            signal = np.sort(score[LABEL == 1])[::-1]
            above = score >= signal[round(share / 100 * len(signal)) - 1]
            s, b = (WEIGHT[above & (kind == LABEL)].sum() for kind in (1, 0))
            inside = WEIGHT[above & (LABEL == 0) & (MASS >= 115) & (MASS < 130)].sum() / b
            said = panel.readout
            assert said["network"] == name
            assert said["expected signal"] == f"{s:.1f} events"
            assert float(said["expected background"].split(" ")[0]) == pytest.approx(b, abs=0.06)
            assert said["background in the window"].startswith(f"{inside:.0%} ")
            error = np.hypot(
                np.linalg.norm(WEIGHT[above & (LABEL == 0)]),
                np.linalg.norm([np.abs(WEIGHT[name == SAMPLE]).mean() for name in ("rare", "large")]),
            )
            assert float(said["expected background"].split()[2]) == pytest.approx(error, rel=0.05)
            assert said["simulated background is worth"].startswith(f"{(b / error) ** 2:.0f} events")
            assert ("do not trust" in said["simulated background is worth"]) == ((b / error) ** 2 < 25)
    assert plt.get_fignums() == []
