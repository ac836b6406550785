"""A picture of a validation: a small panel per variable, real events over the simulation that is scaled to them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from factory.validation.pairs import THRESHOLD, Pair, values_of
from labcourse.files import atomic_write
from labcourse.metrics import histogram
from labcourse.plotting import style
from labcourse.progress import each

N_COLUMNS, N_BINS = 4, 12
SHOWN = (0.005, 0.96)
"""Quantiles of the real events between which a variable is drawn; the tests see all events."""
_POINTS: Any = {"fmt": "o", "color": "black", "markersize": 2.5, "linewidth": 0.9}
_SMALL: Any = {"axes.titlesize": 7.5, "axes.labelsize": 8} | dict.fromkeys(("xtick.labelsize", "ytick.labelsize"), 7)


def write(folder: Path, pairs: Sequence[Pair], table: pd.DataFrame) -> None:
    """Write a figure of each pair, ``Zee.png`` and so on, with the probabilities of `compare`. Raises StorageError."""
    for pair in each(pairs, "drawing {0.sample}"):
        tests = list(table[table["sample"] == pair.sample].itertuples())
        n_rows = -(-len(tests) // N_COLUMNS)
        with style.use_style(), plt.rc_context(_SMALL):
            size = {"width": 2.5 * N_COLUMNS, "height": 1.7 * n_rows}
            fig, axes = style.new_figure(n_rows, N_COLUMNS, squeeze=False, **size)
            for ax, test in zip(axes.flat, tests, strict=False):
                _panel(ax, pair, test)
            for ax in axes.flat[len(tests) :]:
                ax.set_axis_off()
            image = style.png(fig, colors=48)
        plt.close(fig)
        atomic_write(folder / f"{pair.sample}.png", partial(Path.write_bytes, data=image))


def _panel(ax: Axes, pair: Pair, test: Any) -> None:
    values, weight, effect = values_of(pair.real, test.variable)
    drawn, scale, _ = values_of(pair.simulated, test.variable)
    edges = _edges(test.variable, values)
    real, simulated = histogram(values, weight, edges), histogram(drawn, scale * (weight.sum() / scale.sum()), edges)
    low, high = simulated.content - simulated.error, simulated.content + simulated.error
    ax.stairs(simulated.content, edges, color=style.BACKGROUND)
    ax.stairs(high, edges, baseline=low, fill=True, color=style.BACKGROUND, alpha=0.4)
    ax.errorbar((edges[1:] + edges[:-1]) / 2, real.content, real.error * np.sqrt(effect), **_POINTS)
    color = style.SIGNAL if np.nanmin([test.p_chi2, test.p_ks]) < THRESHOLD else style.DARK
    ax.set_title(f"p(χ²) = {test.p_chi2:.2g}   p(KS) = {test.p_ks:.2g}", color=color)
    ax.set(xlabel=style.axis_title(test.variable), xlim=edges[[0, -1]])


def _edges(variable: str, values: np.ndarray) -> np.ndarray:
    if variable in ("jet_n", "channel"):  # whole numbers
        return np.arange(values.min() - 0.5, values.max() + 1)
    low, high = (-np.pi, np.pi) if variable.endswith("_phi") else np.quantile(values, SHOWN)
    # A variable that is one number in all real events still needs an axis.
    return np.linspace(low, high if high > low else low + 1.0, N_BINS + 1)
