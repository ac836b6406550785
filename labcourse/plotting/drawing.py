"""What several figures draw: the stack of processes, counted data, two normalised classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from labcourse import samples
from labcourse.plotting import style
from labcourse.plotting.access import Array, process_of, weights_of
from labcourse.plotting.statistics import Histogram, histogram, poisson_interval

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def kind_of(data: pd.DataFrame | None) -> str:
    """Return what the label above a figure says."""
    return "Simulation" if data is None else f"{style.data_kind()} and simulation"


def draw_stack(
    ax: Axes,
    events: pd.DataFrame,
    values: Array,
    edges: Array,
    title: str,
    *,
    counted: Array | None = None,
    log: bool = False,
    legend: bool = True,
) -> None:
    """Draw weighted values stacked by process, the statistical band, and counted data; ``title`` is the x axis's."""
    weight, process = weights_of(events), process_of(events)
    base = np.zeros(len(edges) - 1)
    variance = np.zeros_like(base)
    handles: list[Any] = []
    for name, look in samples.PROCESSES.items():
        own = process == name
        if own.any():
            part = histogram(values[own], weight[own], edges)
            area = ax.stairs(
                base + part.content,
                edges,
                baseline=base,
                fill=True,
                facecolor=look.color,
                edgecolor="white" if look.hatch else look.color,
                hatch=look.hatch,
                linewidth=0,
                label=look.label,
            )
            ax.stairs(base + part.content, edges, color=style.DARK, linewidth=0.6)
            base, variance = base + part.content, variance + part.error**2
            handles.insert(0, area)
    error = np.sqrt(variance)
    band = ax.stairs(
        base + error,
        edges,
        baseline=base - error,
        fill=True,
        facecolor="none",
        edgecolor=style.DARK,
        hatch="xxxxx",
        linewidth=0,
        label="stat. uncertainty",
    )
    top = (base + error).max(initial=0.0)
    handles.append(band)
    if counted is not None:
        handles.insert(0, draw_counts(ax, counted, edges))
        top = max(top, poisson_interval(np.histogram(counted, edges)[0])[1].max())
    if log:
        positive = base[base > 0]
        # Three decades are what the eye compares; a single counted event stays in sight.
        floor = max(positive.min(initial=1.0) / 3, top * 1e-3) if positive.size else 1e-3
        floor = floor if counted is None else min(floor, 0.3)
        ax.set_yscale("log")
        ax.set_ylim(floor, floor * (max(top, floor * 10) / floor) ** 1.35)
    else:
        ax.set_ylim(min(0.0, 1.2 * (base - error).min(initial=0.0)), 1.3 * top if top > 0 else 1.0)
    ax.set_xlim(edges[0], edges[-1])
    ax.set_xlabel(title)
    ax.set_ylabel(per_bin("events", edges, title))
    if legend:
        ax.legend(handles=handles, loc="upper right", ncols=2 if log else 1)


def draw_counts(ax: Axes, counted: Array, edges: Array) -> Any:
    """Draw counted events as points with Poisson errors; empty bins get none."""
    count, _ = np.histogram(counted, edges)
    low, high = poisson_interval(count)
    filled, middle = count > 0, (edges[1:] + edges[:-1]) / 2
    return ax.errorbar(
        middle[filled],
        count[filled],
        yerr=[(count - low)[filled], (high - count)[filled]],
        fmt="o",
        color="black",
        markersize=4,
        linewidth=1.1,
        label="data" if style.data_kind() == "ATLAS open data" else style.data_kind().lower(),
        zorder=5,
    )


def per_bin(what: str, edges: Array, title: str) -> str:
    """Return the title of a y axis, with the width of the bins where it is one number."""
    widths = np.diff(edges)
    unit = style.unit_of(title)
    if unit and np.allclose(widths, widths[0]):
        return f"{what} / {widths[0]:.3g} {unit}"
    return f"{what} / bin"


def draw_classes(ax: Axes, signal: Histogram, background: Histogram, *, fill: bool = True) -> None:
    """Draw two normalised histograms in the looks of signal and background, with their errors."""
    looks = (
        (background, style.BACKGROUND, style.BACKGROUND_HATCH, "background", "-"),
        (signal, style.SIGNAL, style.SIGNAL_HATCH, "signal", "-"),
    )
    for hist, color, hatch, name, dashes in looks:
        if fill:
            ax.stairs(hist.content, hist.edges, fill=True, facecolor="none", edgecolor=color, hatch=hatch, alpha=0.6)
        ax.stairs(hist.content, hist.edges, color=color, linewidth=1.8, linestyle=dashes)
        low, high = hist.content - hist.error, hist.content + hist.error
        ax.stairs(high, hist.edges, baseline=low, fill=True, color=color, alpha=0.35, linewidth=0)
        ax.fill([], [], facecolor="none", edgecolor=color, hatch=hatch, linewidth=1.8, label=name)
    top = max((hist.content + hist.error).max() for hist in (signal, background))
    bottom = min((hist.content - hist.error).min() for hist in (signal, background))
    ax.set(xlim=(signal.edges[0], signal.edges[-1]), ylim=(min(0.0, bottom), 1.3 * top))
