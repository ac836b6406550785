"""Distributions of variables: stacked by process, compared between the classes, before and after a cut."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from labcourse import features, samples
from labcourse.errors import BadInput
from labcourse.plotting import style
from labcourse.plotting.access import column_of, edges_of, process_of, scores_of, weights_of
from labcourse.plotting.drawing import draw_classes, draw_stack, kind_of, per_bin
from labcourse.plotting.statistics import histogram, separation_of, shape

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@style.use_style()
def variable(
    events: pd.DataFrame,
    column: str,
    *,
    bins: int | ArrayLike = 40,
    span: tuple[float, float] | None = None,
    data: pd.DataFrame | None = None,
    log: bool = False,
) -> tuple[Figure, Axes]:
    """Draw expected events in one variable, processes stacked, with the simulation's statistical error.

    Parameters
    ----------
    events : DataFrame
        Simulated events. The band is ± √Σw² of a bin.
    column : str
        A column of the table.
    bins, span :
        Number of bins and range, or the edges. Without a range, the usual one of the variable.
    data : DataFrame, optional
        Counted events, drawn as points with Poisson errors.

    Raises
    ------
    BadInput, EmptySelection
        If the column is missing or not finite, the bins make no sense, or there are no events.
    """
    values = column_of(events, column)
    edges = edges_of(column, values, bins, span)
    fig, ax = style.new_figure()
    counted = None if data is None else column_of(data, column)
    draw_stack(ax, events, values, edges, style.axis_title(column), counted=counted, log=log)
    style.stamp(ax, kind_of(data))
    return fig, ax


def mass(
    events: pd.DataFrame,
    *,
    data: pd.DataFrame | None = None,
    bins: int | ArrayLike = 34,
    span: tuple[float, float] = (80.0, 250.0),
    column: str = "m_llll",
) -> tuple[Figure, Axes]:
    """Draw the four-lepton mass, processes stacked: `variable` with bins of 5 GeV from 80 to 250 GeV."""
    return variable(events, column, bins=bins, span=span, data=data)


@style.use_style()
def mass_before_after(
    events: pd.DataFrame,
    score: ArrayLike,
    cut: float,
    *,
    data: pd.DataFrame | None = None,
    data_score: ArrayLike | None = None,
    bins: int | ArrayLike = 34,
    span: tuple[float, float] = (80.0, 250.0),
) -> tuple[Figure, tuple[Axes, Axes]]:
    """Draw the four-lepton mass of all events, and below of those with ``score >= cut``.

    Raises
    ------
    BadInput
        If data come without scores, or as `variable`.
    """
    values, kept = column_of(events, "m_llll"), scores_of(events, score) >= cut
    edges = edges_of("m_llll", values, bins, span)
    counted = data_kept = None
    if data is not None:
        if data_score is None:
            raise BadInput("The data have no scores.", where="data_score", next_step="Predict the data, too.")
        counted, data_kept = column_of(data, "m_llll"), scores_of(data, data_score) >= cut
    fig, (before, after) = style.new_figure(2, 1, height=6.4, sharex=True)
    title = style.axis_title("m_llll")
    draw_stack(before, events, values, edges, title, counted=counted)
    draw_stack(
        after,
        events[kept],
        values[kept],
        edges,
        title,
        counted=None if counted is None else counted[data_kept],
        legend=False,
    )
    for ax, text in ((before, "before the cut"), (after, f"score $\\geq$ {cut:.3g}")):
        ax.text(0.03, 0.93, text, transform=ax.transAxes, va="top", weight="bold")
    before.set_xlabel("")
    style.stamp(before, kind_of(data))
    return fig, (before, after)


@style.use_style()
def compare(
    events: pd.DataFrame,
    column: str,
    *,
    bins: int | ArrayLike = 40,
    span: tuple[float, float] | None = None,
) -> tuple[Figure, Axes]:
    """Draw one variable for signal and background, each normalised to one, with their separation ⟨S²⟩.

    Raises
    ------
    BadInput, EmptySelection
        As `variable`; and if a class has no events in the range.
    """
    fig, ax = style.new_figure()
    _compare(ax, events, column, bins, span)
    ax.legend(loc="best")
    style.stamp(ax, luminosity=None)
    return fig, ax


@style.use_style()
def compare_many(
    events: pd.DataFrame,
    columns: Sequence[str],
    *,
    bins: int | ArrayLike = 30,
    n_columns: int = 3,
) -> tuple[Figure, Any]:
    """Draw `compare` for several variables as small panels; returns the figure and the array of axes."""
    if not columns:
        raise BadInput("There are no variables to draw.", where="columns", next_step="Name at least one column.")
    n_columns = min(n_columns, len(columns))
    n_rows = -(-len(columns) // n_columns)
    width = 2.9 * n_columns
    fig, axes = style.new_figure(n_rows, n_columns, width=width, height=2.5 * n_rows + 0.4, squeeze=False)
    for ax, column in zip(axes.flat, columns, strict=False):
        _compare(ax, events, column, bins, None, small=True)
    for ax in axes.flat[len(columns) :]:
        ax.set_axis_off()
    handles, labels = axes.flat[0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside upper center", ncols=2)
    fig.supylabel("fraction of events / bin", fontsize=10)
    return fig, axes


@style.use_style()
def weights(events: pd.DataFrame, *, bins: int = 60) -> tuple[Figure, Axes]:
    """Draw the size of the event weights by process, in percent of its events; negative ones dashed.

    Each simulated event stands for |weight| expected events: a process whose curve lies right is modelled by few.

    Raises
    ------
    BadInput, EmptySelection
        If a weight is not finite, or there are no events.
    """
    weight, process = column_of(events, "weight"), process_of(events)
    size = np.abs(weight)
    if not (size > 0).any():
        raise BadInput("All weights are zero.", where="weight", next_step="Draw simulated events.")
    low, high = np.quantile(size[size > 0], [0.0005, 1.0])
    edges = np.geomspace(low / 1.5, high * 1.5, bins + 1)
    fig, ax = style.new_figure()
    middle = np.sqrt(edges[1:] * edges[:-1])
    names = [name for name in samples.PROCESSES if (process == name).any()]
    for name, line in zip(names, style.LINES, strict=False):
        look, own = samples.PROCESSES[name], process == name
        negative = weight[own] < 0
        for which, dashes in ((~negative, "-"), (negative, "--")):
            if not which.any():
                continue
            percent = np.full(np.count_nonzero(which), 100 / len(which))
            content = histogram(size[own][which], percent, edges).content
            filled = content > 0
            share = f", negative ({100 * which.mean():.2g} %)" if dashes == "--" else ""
            ax.stairs(content, edges, color=look.color, linestyle=dashes, linewidth=1.4)
            ax.plot(
                middle[filled][::2],
                content[filled][::2],
                color=look.color,
                linestyle="none",
                marker=line.marker,
                markersize=4.5,
                fillstyle="none" if share else "full",
                label=look.label + share,
            )
    ax.set(xscale="log", yscale="log", xlabel="size of the event weight [expected events]")
    ax.set_ylabel("events of the process [%]")
    ax.set_ylim(top=ax.get_ylim()[1] * 30)
    ax.legend(loc="upper left", ncols=2)
    style.stamp(ax)
    return fig, ax


def _compare(
    ax: Axes,
    events: pd.DataFrame,
    column: str,
    bins: int | ArrayLike,
    span: tuple[float, float] | None,
    *,
    small: bool = False,
) -> None:
    values, weight, label = column_of(events, column), weights_of(events), features.labels(events)
    edges = edges_of(column, values, bins, span)
    signal, background = (shape(values[label == y], weight[label == y], edges) for y in (1, 0))
    draw_classes(ax, signal, background)
    found = separation_of(signal, background)
    text = rf"$\langle S^2\rangle$ = {found.value:.3f}"
    if not small:
        text = f"separation {text}\n(fluctuations alone: {found.noise:.3f})"
    ax.plot([], [], linestyle="none", label=text) if not small else ax.set_title(text, loc="right")
    ax.set_xlabel(style.axis_title(column), fontsize=9 if small else None)
    if not small:
        ax.set_ylabel(per_bin("fraction of events", edges, style.axis_title(column)))
