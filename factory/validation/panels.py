"""A picture of a validation: a small panel per variable, real events over the simulation that is scaled to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from factory.validation import columns
from factory.validation.pairs import Pair, Row, values_of
from labcourse import selection
from labcourse.metrics import histogram
from labcourse.plotting import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

N_COLUMNS, N_BINS = 4, 12
SHOWN = (0.005, 0.96)
"""Quantiles of the real events between which a variable is drawn; the tests see all events."""
MAX_JETS = 6
_SPECIAL = {"channel": np.array([42.0, 46.0, 50.0, 54.0]), "jet_n": np.arange(-0.5, MAX_JETS + 1)}
"""Bins of the channel, a sum of four PDG codes (eeee, eeµµ, µµµµ), and of the number of jets."""
_POINTS: Any = {"fmt": "o", "color": "black", "markersize": 2.5, "linewidth": 0.9}
_SMALL: Any = {"font.size": 7.5, "axes.labelsize": 8} | dict.fromkeys(("xtick.labelsize", "ytick.labelsize"), 7)


@style.use_style()
def draw(pair: Pair, rows: Sequence[Row]) -> Figure:
    """Draw all variables of a pair, with the probabilities of ``rows``, its test results.

    Probabilities below `THRESHOLD` are set in bold and in colour.
    """
    from matplotlib import rc_context

    n_rows = -(-len(rows) // N_COLUMNS)
    with rc_context(_SMALL):
        fig, axes = style.new_figure(n_rows, N_COLUMNS, width=2.5 * N_COLUMNS, height=1.7 * n_rows, squeeze=False)
        for row, ax in zip(rows, axes.flat, strict=False):
            _panel(ax, pair, row)
        for ax in axes.flat[len(rows) :]:
            ax.set_axis_off()
    return fig


def _panel(ax: Axes, pair: Pair, row: Row) -> None:
    values, weight, effect = values_of(pair.real, row.variable)
    edges = _edges(row.variable, values)
    real = histogram(values, weight, edges)
    drawn, scale, _ = values_of(pair.simulated, row.variable)
    simulated = histogram(drawn, scale * (weight.sum() / scale.sum()), edges)
    low, high = simulated.content - simulated.error, simulated.content + simulated.error
    ax.stairs(simulated.content, edges, color=style.BACKGROUND)
    ax.stairs(high, edges, baseline=low, fill=True, color=style.BACKGROUND, alpha=0.4)
    error = real.error * np.sqrt(effect)
    filled = error > 0
    ax.errorbar(((edges[1:] + edges[:-1]) / 2)[filled], real.content[filled], yerr=error[filled], **_POINTS)
    both = (("χ²", row.p_chi2), ("KS", row.p_ks))
    looks: Any = {"color": style.SIGNAL, "weight": "bold"} if row.is_below() else {"color": style.DARK}
    text = "   ".join(f"p({name}) = {p:.2g}" for name, p in both if p is not None)
    ax.text(0.97, 0.96, text, transform=ax.transAxes, ha="right", va="top", **looks)
    ax.set(xlabel=_title(row.variable), xlim=edges[[0, -1]])
    ax.set_ylim(min(0.0, 1.1 * (real.content - error).min()), 1.35 * max(high.max(), (real.content + error).max()))
    ax.minorticks_off()
    if row.variable == "channel":
        ax.set_xticks((edges[1:] + edges[:-1]) / 2, selection.CHANNELS.values())


def _title(variable: str) -> str:
    if variable in columns.ISOLATION:
        return rf"{variable[5:13]} / $p_\mathrm{{T}}$ of lepton {variable[3]}"
    return r"$p_\mathrm{T}$ of the leading jet [GeV]" if variable == "jet1_pt" else style.axis_title(variable)


def _edges(variable: str, values: np.ndarray) -> np.ndarray:
    if variable in _SPECIAL:
        return _SPECIAL[variable]
    low, high = (-np.pi, np.pi) if variable.endswith("_phi") else np.quantile(values, SHOWN)
    # A variable that is one number in all real events still needs an axis.
    return np.linspace(low, high if high > low else low + 1.0, N_BINS + 1)
