"""A page of small panels for a sample: real events as points over the simulation, and their ratio below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from factory.validation import columns
from factory.validation.pairs import CHANNEL_EDGES, VARIABLES, Pair, Row, values_of
from labcourse import selection
from labcourse.metrics import Histogram, histogram
from labcourse.plotting import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

N_COLUMNS, N_BINS = 4, 12
SHOWN = (0.005, 0.96)
"""Quantiles of the real events between which a variable is drawn; the tests see all events."""
MAX_JETS = 6
"""The last bin of the number of jets holds what is above it, too."""
RATIO = (0.0, 2.0)
_SIMULATED = "#56B4E9"
_SPANS = {"m_z1": (40.0, 120.0), "m_z2": (0.0, 120.0)}
_POINTS: Any = {"fmt": "o", "color": "black", "markersize": 2.5, "linewidth": 0.9, "zorder": 5}
_SMALL: Any = {"font.size": 7.5, "axes.labelsize": 8, "lines.linewidth": 1.0} | dict.fromkeys(
    ("xtick.labelsize", "ytick.labelsize"), 7
)


@style.use_style()
def draw(pair: Pair, rows: Sequence[Row]) -> Figure:
    """Draw all variables of a pair, with the probabilities of ``rows``, its test results.

    The simulation is scaled to the real events. Probabilities below `THRESHOLD` are set in bold and in colour.
    """
    from matplotlib import rc_context

    # Variables of the four leptons first, so that each row of panels shows one of them, then the others.
    order = sorted(VARIABLES, key=lambda variable: not variable.startswith("lep"))
    shown = sorted(rows, key=lambda row: order.index(row.variable))
    n_rows = -(-(len(shown) + 1) // N_COLUMNS)
    grid = {"height_ratios": [3, 1] * n_rows, "hspace": 0.0}
    with rc_context(_SMALL):
        fig, axes = style.new_figure(
            2 * n_rows, N_COLUMNS, width=2.5 * N_COLUMNS, height=2.25 * n_rows, gridspec_kw=grid
        )
        fig.set_layout_engine("constrained", h_pad=0.01, w_pad=0.03)
        panels = list(zip(axes[0::2].flat, axes[1::2].flat, strict=True))
        for row, (ax, below) in zip(shown, panels, strict=False):
            _panel(ax, below, pair, row)
        for ax in np.ravel(panels[len(shown) :]):
            ax.set_axis_off()
        _legend(panels[len(shown)][0], pair)
    return fig


def _panel(ax: Axes, below: Axes, pair: Pair, row: Row) -> None:
    """Points with the errors of the real events over the simulation, and both over the latter."""
    values, weight, effect = values_of(pair.real, row.variable)
    edges = _edges(row.variable, values)
    middle = (edges[1:] + edges[:-1]) / 2
    real = histogram(_drawn(row.variable, values), weight, edges)
    content, error = real.content, real.error * np.sqrt(effect)
    filled, top = error > 0, (content + error).max()
    ax.errorbar(middle[filled], content[filled], yerr=error[filled], **_POINTS)
    ax.tick_params(labelbottom=False)
    below.set_xlabel(_title(row.variable))
    below.set_ylim(*RATIO)
    below.set_yticks([0.5, 1, 1.5] if row.chi2 is not None else [])
    if row.variable == "channel":
        below.set_xticks(middle, selection.CHANNELS.values())
    if row.chi2 is None:
        ax.text(0.5, 0.9, "not simulated", transform=ax.transAxes, ha="center", va="top", style="italic")
    else:
        drawn, scale, _ = values_of(pair.simulated, row.variable)
        simulated = histogram(_drawn(row.variable, drawn), scale * (weight.sum() / scale.sum()), edges)
        top = max(top, (simulated.content + simulated.error).max())
        _band(ax, simulated, style.BACKGROUND)
        ax.stairs(simulated.content, edges, fill=True, color=_SIMULATED, alpha=0.5)
        ax.stairs(simulated.content, edges, color=style.BACKGROUND, linewidth=1.0)
        over = np.where(simulated.content > 0, simulated.content, np.inf)
        below.axhline(1.0, color=style.BACKGROUND, linewidth=0.8)
        _band(below, Histogram(np.ones(len(over)), simulated.error / over, edges), _SIMULATED)
        can, ratio = filled & (simulated.content > 0), content / over
        below.errorbar(middle[can], ratio[can], yerr=(error / over)[can], **_POINTS)
        # A point outside of the axis is a triangle at its edge.
        for outside, edge, marker in ((ratio > RATIO[1], 0.9, "k^"), (ratio < RATIO[0], 0.1, "kv")):
            there = middle[can & outside]
            below.plot(
                there, np.full_like(there, edge), marker, ms=3.5, transform=below.get_xaxis_transform(), zorder=6
            )
        both = (("χ²", row.p_chi2), ("KS", row.p_ks))
        text = "   ".join(f"p({name}) = {p:.2g}" for name, p in both if p is not None)
        looks = {"color": style.SIGNAL, "weight": "bold"} if row.is_below() else {"color": style.DARK}
        ax.text(0.97, 0.96, text, transform=ax.transAxes, ha="right", va="top", **looks)  # type: ignore[arg-type]
    ax.set_ylim(min(0.0, 1.1 * (content - error).min()), 1.35 * top)
    for axes in (ax, below):
        axes.set_xlim(edges[0], edges[-1])
        axes.minorticks_off()


def _band(ax: Axes, around: Histogram, color: str) -> None:
    low, high = around.content - around.error, around.content + around.error
    ax.stairs(high, around.edges, baseline=low, fill=True, color=color, alpha=0.5, zorder=1.5)


def _legend(ax: Axes, pair: Pair) -> None:
    ax.errorbar([], [], yerr=[], label=f"{len(pair.real)} real events", **_POINTS)
    ax.fill([], [], facecolor=_SIMULATED, alpha=0.5, edgecolor=style.BACKGROUND, label="simulation, scaled to them")
    ax.fill([], [], color=style.BACKGROUND, alpha=0.5, label="its statistical error")
    unit = "events" if pair.sample == "data" else "events expected at 10 fb$^{-1}$"
    note = (
        f"{unit} per bin,\nbelow real / simulated;   $\\sqrt{{s}}$ = 13 TeV\n"
        f"most axes end where {SHOWN[1]:.0%} of the real\nevents do; ▲ a ratio beyond {RATIO[1]:g}"
    )
    bold: Any = {"weight": "bold", "size": 9}
    legend = ax.legend(loc="upper left", title=pair.sample, alignment="left", fontsize=8, title_fontproperties=bold)
    for text in (legend, ax.text(0.02, 0.0, note, transform=ax.transAxes, va="bottom")):
        text.set_in_layout(False)


def _title(variable: str) -> str:
    if variable in columns.ISOLATION:
        return rf"{variable[5:13]} / $p_\mathrm{{T}}$ of lepton {variable[3]}"
    own = {
        "jet_n": f"number of jets (last bin: {MAX_JETS} or more)",
        "jet1_pt": r"$p_\mathrm{T}$ of the leading jet [GeV]",
    }
    return own.get(variable) or style.axis_title(variable)


def _drawn(variable: str, values: np.ndarray) -> np.ndarray:
    return np.minimum(values, MAX_JETS) if variable == "jet_n" else values


def _edges(variable: str, values: np.ndarray) -> np.ndarray:
    special = {"channel": np.array(CHANNEL_EDGES), "jet_n": np.arange(-0.5, MAX_JETS + 1)}
    if variable in special:
        return special[variable]
    low, high = (-np.pi, np.pi) if variable.endswith("_phi") else _SPANS.get(variable) or np.quantile(values, SHOWN)
    # A variable that is one number in all real events still needs an axis.
    return np.linspace(low, high if high > low else low + 1.0, N_BINS + 1)
