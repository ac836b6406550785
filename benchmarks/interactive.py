"""The live figures of `interactive`: from a moved slider to the new picture, against drawing the figure anew."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterable

import numpy as np

from benchmarks.made_up import Sizes, transverse_momenta
from benchmarks.timing import Result, compare


def run(sizes: Sizes) -> dict[str, Result]:
    """Time each live figure; what counts for the reader is the slowest one, and a tenth of a second."""
    from course import interactive

    _, y, weight = transverse_momenta(sizes.validation, seed=1)
    score = 1 / (1 + np.exp(-np.random.default_rng(1).normal(2 * y - 1, 1.5)))
    epochs = np.arange(1, 101)
    history = {"loss": 1 / epochs, "val_loss": 1 / epochs + 0.004 * epochs + 0.02 * np.sin(epochs)}
    panels = {
        "cut": (interactive.cut(score, y, weight), "cut", np.linspace(0, 1, 21)),
        "class_weight": (interactive.class_weight(score, y, weight), "factor", np.geomspace(0.01, 100, 17)),
        "patience": (interactive.patience(history), "patience", range(1, 21)),
    }
    results = {name: one(*panel, sizes.rounds) for name, panel in panels.items()}
    name, slowest = max(results.items(), key=lambda result: result[1].ours_s)
    note = f"a slider's step to its picture, the slowest ({name}); plain: the figure anew"
    return {"interactive": slowest._replace(note=note)}


def one(panel, key: str, values: Iterable, rounds: int) -> Result:
    """Time the steps of one control, and the drawing of the whole figure with the same settings."""
    control, steps = panel.controls[key], itertools.cycle(values)

    def ours() -> None:
        control.value = next(steps)

    def plain() -> None:
        panel.figure.savefig(io.BytesIO(), format="png")

    ours()
    return compare(ours, plain, rounds=2 * rounds + 1, ours_times=4)
