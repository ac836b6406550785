"""Distributions of variables: stacked by process, compared between the classes, before and after a cut; yields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from labcourse import metrics, samples
from labcourse.metrics import Histogram, column, histogram
from labcourse.plotting import style


@style.use_style()
def variable(
    events: pd.DataFrame, name: str, *, bins: int | ArrayLike = 40, span: tuple[float, float] | None = None
) -> tuple[Figure, Axes]:
    """Draw expected events in one variable, processes stacked, with the simulation's statistical error ± √Σw².

    ``name`` is a column of the table of simulated events; ``bins`` and ``span`` are those of `numpy.histogram`.
    """
    fig, ax = style.new_figure()
    values, weight, title = column(events, name), column(events, "weight"), style.axis_title(name)
    process = events["sample"].astype(object).map({s.name: s.process for s in samples.CATALOGUE}).to_numpy()
    edges = np.histogram_bin_edges(values, bins, span)
    base, variance = np.zeros((2, len(edges) - 1))
    handles: list[Any] = []
    for kind, look in samples.PROCESSES.items():
        own = process == kind
        if own.any():
            part = histogram(values[own], weight[own], edges)
            edge = "white" if look.hatch else look.color
            area: dict[str, Any] = {"facecolor": look.color, "edgecolor": edge, "hatch": look.hatch}
            top = base + part.content
            handles.insert(0, ax.stairs(top, edges, baseline=base, fill=True, linewidth=0, label=look.label, **area))
            ax.stairs(top, edges, color=style.DARK, linewidth=0.6)
            base, variance = top, variance + part.error**2
    low, high = base - np.sqrt(variance), base + np.sqrt(variance)
    area = {"facecolor": "none", "edgecolor": style.DARK, "hatch": "xxxxx", "linewidth": 0}
    handles.append(ax.stairs(high, edges, baseline=low, fill=True, label="stat. uncertainty", **area))
    highest = high.max(initial=0.0)
    ax.set_ylim(min(0.0, 1.2 * low.min(initial=0.0)), 1.3 * highest if highest > 0 else 1.0)
    unit, width = title[title.rfind("[") + 1 : -1] if title.endswith("]") else "", np.diff(edges)
    per_bin = f"{width[0]:.3g} {unit}" if unit and np.allclose(width, width[0]) else "bin"
    ax.set(xlim=(edges[0], edges[-1]), xlabel=title, ylabel=f"events / {per_bin}")
    ax.legend(handles=handles, loc="upper right")
    style.stamp(ax)
    return fig, ax


@style.use_style()
def compare_many(events: pd.DataFrame, spans: Mapping[str, tuple[float, float]]) -> tuple[Figure, Any]:
    """Draw variables for signal and background, each normalised to one, with their separation ⟨S²⟩.

    ``spans`` gives the columns of the table of simulated events, and the range of each; two are drawn in a row, in 30
    bins each.
    """
    n_rows = -(-len(spans) // 2)
    fig, axes = style.new_figure(n_rows, 2, width=5.8, height=2.5 * n_rows + 0.4, squeeze=False)
    for ax, (name, span) in zip(axes.flat, spans.items(), strict=False):
        values, edges = column(events, name), np.linspace(*span, 31)
        draw_classes(ax, *metrics.shapes(*metrics.labelled(events, values), edges), hatched=("signal",))
        ax.set_title(rf"$\langle S^2\rangle$ = {metrics.separation(events, name, bins=edges):.3f}", loc="right")
        ax.set_xlabel(style.axis_title(name), fontsize=9)
    for ax in axes.flat[len(spans) :]:
        ax.set_axis_off()
    axes.flat[0].fill([], [], color=style.GREY, alpha=0.35, linewidth=0, label="stat. uncertainty")
    fig.legend(*axes.flat[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    fig.supylabel("fraction of events / bin", fontsize=10)
    return fig, axes


def draw_classes(
    ax: Axes, signal: Histogram, background: Histogram, *, hatched: Sequence[str] = tuple(style.CLASSES)
) -> None:
    """Draw two normalised histograms in the looks of signal and background, with their errors.

    In small figures one of two areas is ``hatched``: where both are, the hatches merge.
    """
    both = zip(style.CLASSES.items(), (background, signal), strict=True)
    for (name, (color, hatch)), (content, error, edges) in both:
        hatch = hatch if name in hatched else ""
        ax.stairs(content, edges, fill=True, facecolor="none", edgecolor=color, hatch=hatch, alpha=0.6)
        ax.stairs(content, edges, color=color, linewidth=1.8)
        ax.stairs(content + error, edges, baseline=content - error, fill=True, color=color, alpha=0.35, linewidth=0)
        ax.fill([], [], facecolor="none", edgecolor=color, hatch=hatch, linewidth=1.8, label=name)
    top = max((one.content + one.error).max() for one in (signal, background))
    bottom = min((one.content - one.error).min() for one in (signal, background))
    ax.set(xlim=(signal.edges[0], signal.edges[-1]), ylim=(min(0.0, bottom), 1.3 * top))
