"""A page of small panels a sample: real events as points over the simulation, and their ratio below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from factory.validation.pairs import CHANNEL_EDGES, VARIABLES, Pair, Row, values_of
from labcourse import selection
from labcourse.metrics import Histogram, histogram
from labcourse.plotting import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

N_COLUMNS = 4
N_BINS = 12
SHOWN = (0.005, 0.96)
"""Quantiles of the real events between which a variable is drawn; the tests see all events."""
MAX_JETS = 6
"""The last bin of the number of jets holds what is above it, too."""
RATIO = (0.0, 2.0)
_SIMULATED = "#56B4E9"

_SPANS = {"m_z1": (40.0, 120.0), "m_z2": (0.0, 120.0)}
_TITLES = {
    "m_llll": r"$m_{4\ell}$ [GeV]",
    "m_z1": r"$m_{Z1}$, pair nearest the Z [GeV]",
    "m_z2": r"$m_{Z2}$, other pair [GeV]",
    "jet_n": f"number of jets (last bin: {MAX_JETS} or more)",
    "jet1_pt": r"$p_\mathrm{T}$ of the leading jet [GeV]",
    "met": r"$E_\mathrm{T}^\mathrm{miss}$ [GeV]",
    "pt": r"$p_\mathrm{T}$ of lepton %s [GeV]",
    "eta": r"$\eta$ of lepton %s",
    "phi": r"$\varphi$ of lepton %s [rad]",
    "e": "energy of lepton %s [GeV]",
    "ptcone30/pt": r"ptcone30 / $p_\mathrm{T}$ of lepton %s",
    "etcone20/pt": r"etcone20 / $p_\mathrm{T}$ of lepton %s",
}


@style.use_style()
def draw(pair: Pair, rows: Sequence[Row], *, threshold: float) -> Figure:
    """Draw all variables of a pair; the simulation is scaled to the real events.

    Parameters
    ----------
    pair : Pair
        Real and simulated events.
    rows : sequence of Row
        The test results of this pair, whose probabilities are written into the panels.
    threshold : float
        Probabilities below it are set in bold and in colour.
    """
    from matplotlib import rc_context

    # Variables of the four leptons first, so that each row of panels shows one of them, then the others.
    order = sorted(VARIABLES, key=lambda variable: not variable.startswith("lep"))
    shown = sorted(rows, key=lambda row: order.index(row.variable))
    n_rows = -(-(len(shown) + 1) // N_COLUMNS)
    small: Any = {"font.size": 7.5, "axes.labelsize": 8, "lines.linewidth": 1.0}
    with rc_context(small | {"xtick.labelsize": 7, "ytick.labelsize": 7}):
        fig, axes = style.new_figure(
            2 * n_rows,
            N_COLUMNS,
            width=2.5 * N_COLUMNS,
            height=2.25 * n_rows,
            gridspec_kw={"height_ratios": [3, 1] * n_rows, "hspace": 0.0},
        )
        fig.set_layout_engine("constrained", h_pad=0.01, w_pad=0.03)
        panels = zip(axes[0::2].flat, axes[1::2].flat, strict=True)
        for row, (ax, below) in zip(shown, panels, strict=False):
            _panel(ax, below, pair, row, threshold)
        for ax, below in panels:
            ax.set_axis_off()
            below.set_axis_off()
        _legend(axes[0::2].flat[len(shown)], pair)
    return fig


def _panel(ax: Axes, below: Axes, pair: Pair, row: Row, threshold: float) -> None:
    real_values, real_weight, effect = values_of(pair.real, row.variable)
    edges = _edges(row.variable, real_values, real_weight)
    middle = (edges[1:] + edges[:-1]) / 2
    real = histogram(_drawn(row.variable, real_values), real_weight, edges)
    real = real._replace(error=real.error * np.sqrt(effect))
    below.set_xlabel(_title(row.variable))
    ax.tick_params(labelbottom=False)
    for axes in (ax, below):
        axes.set_xlim(edges[0], edges[-1])
        axes.minorticks_off()
    if row.variable == "channel":
        below.set_xticks(middle, selection.CHANNELS.values())
    filled = real.error > 0
    top = (real.content + real.error).max()
    points = {"fmt": "o", "color": "black", "markersize": 2.5, "linewidth": 0.9, "zorder": 5}
    if row.chi2 is None:
        ax.text(0.5, 0.9, "not simulated", transform=ax.transAxes, ha="center", va="top", style="italic")
        below.set_yticks([])
    else:
        values, weight, _ = values_of(pair.simulated, row.variable)
        simulated = histogram(_drawn(row.variable, values), weight * (real_weight.sum() / weight.sum()), edges)
        top = max(top, (simulated.content + simulated.error).max())
        _draw_simulated(ax, simulated)
        _draw_ratio(below, real, simulated, middle, points)
        below.set_ylim(*RATIO)
        below.set_yticks([0.5, 1, 1.5])
        is_bad = row.is_below(threshold)
        text = "   ".join(f"p({name}) = {p:.2g}" for name, p in (("χ²", row.p_chi2), ("KS", row.p_ks)) if p is not None)
        color, weight_of_text = (style.SIGNAL, "bold") if is_bad else (style.DARK, "normal")
        ax.text(0.97, 0.96, text, transform=ax.transAxes, ha="right", va="top", color=color, weight=weight_of_text)
    ax.errorbar(middle[filled], real.content[filled], yerr=real.error[filled], **points)  # type: ignore[arg-type]
    ax.set_ylim(min(0.0, 1.1 * (real.content - real.error).min()), 1.35 * top)


def _draw_simulated(ax: Axes, simulated: Histogram) -> None:
    low, high = simulated.content - simulated.error, simulated.content + simulated.error
    ax.stairs(simulated.content, simulated.edges, fill=True, color=_SIMULATED, alpha=0.5)
    ax.stairs(simulated.content, simulated.edges, color=style.BACKGROUND, linewidth=1.0)
    ax.stairs(high, simulated.edges, baseline=low, fill=True, color=style.BACKGROUND, alpha=0.5)


def _draw_ratio(ax: Axes, real: Histogram, simulated: Histogram, middle: np.ndarray, points: dict[str, object]) -> None:
    """Real over simulated: points with the errors of the real events, around a band of those of the simulation."""
    can = (simulated.content > 0) & (real.error > 0)
    ax.axhline(1.0, color=style.BACKGROUND, linewidth=0.8)
    scale = np.where(simulated.content > 0, simulated.content, np.inf)
    relative = simulated.error / scale
    ax.stairs(1 + relative, simulated.edges, baseline=1 - relative, fill=True, color=_SIMULATED, alpha=0.5)
    ratio = real.content / scale
    ax.errorbar(middle[can], ratio[can], yerr=(real.error / scale)[can], **points)  # type: ignore[arg-type]
    # A point outside of the axis is a triangle at its edge.
    for outside, edge, marker in ((ratio > RATIO[1], 0.9, "^"), (ratio < RATIO[0], 0.1, "v")):
        there = middle[can & outside]
        heights = np.full(len(there), edge)
        ax.plot(there, heights, marker, color="black", markersize=3.5, transform=ax.get_xaxis_transform(), zorder=6)


def _legend(ax: Axes, pair: Pair) -> None:
    ax.errorbar([], [], yerr=[], fmt="o", color="black", markersize=2.5, label=f"{len(pair.real)} real events")
    ax.fill([], [], facecolor=_SIMULATED, alpha=0.5, edgecolor=style.BACKGROUND, label="simulation, scaled to them")
    ax.fill([], [], color=style.BACKGROUND, alpha=0.5, label="its statistical error")
    unit = "events" if pair.sample == "data" else "events expected at 10 fb$^{-1}$"
    note = (
        f"{unit} per bin,\nbelow real / simulated;   $\\sqrt{{s}}$ = 13 TeV\n"
        f"most axes end where {SHOWN[1]:.0%} of the real\nevents do; ▲ a ratio beyond {RATIO[1]:g}"
    )
    looks: Any = {"fontsize": 8, "title_fontproperties": {"weight": "bold", "size": 9}}
    legend = ax.legend(loc="upper left", title=pair.sample, alignment="left", borderaxespad=0.0, **looks)
    for text in (legend, ax.text(0.02, 0.0, note, transform=ax.transAxes, va="bottom")):
        text.set_in_layout(False)


def _title(variable: str) -> str:
    lepton, _, quantity = variable.removeprefix("lep").partition("_")
    return _TITLES[quantity] % lepton if variable.startswith("lep") else _TITLES.get(variable, variable)


def _drawn(variable: str, values: np.ndarray) -> np.ndarray:
    return np.minimum(values, MAX_JETS) if variable == "jet_n" else values


def _edges(variable: str, values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    if variable == "channel":
        return np.array(CHANNEL_EDGES)
    if variable == "jet_n":
        return np.arange(-0.5, MAX_JETS + 1)
    if variable.endswith("_phi"):
        return np.linspace(-np.pi, np.pi, N_BINS + 1)
    low, high = _SPANS.get(variable) or np.quantile(values, SHOWN)
    # A variable that is one number in all real events still needs an axis.
    return np.linspace(low, high if high > low else low + 1.0, N_BINS + 1)
