"""What a network makes of events: its score by class and process, and how good it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from labcourse import metrics, significance
from labcourse.metrics import column, histogram
from labcourse.plotting import style
from labcourse.plotting.variables import draw_classes, draw_stack

Scored: TypeAlias = "tuple[pd.DataFrame, ArrayLike] | tuple[pd.DataFrame, ArrayLike, ArrayLike]"
"""An event table with its scores, and the weights to use if not those of the table."""
SCORE = "score of the network"


@style.use_style()
def score_by_class(events: pd.DataFrame, score: ArrayLike, *, weight: ArrayLike | None = None) -> tuple[Figure, Axes]:
    """Draw the score of signal and of background events, each normalised to one.

    ``score``, of shape (n_events,) or (n_events, 1), is what the network predicts for simulated events; ``weight``
    counts instead of the weights of the table, for instance ones.
    """
    fig, ax = style.new_figure()
    draw_classes(ax, *metrics.shapes(*metrics.labelled(events, score, weight), np.linspace(0, 1, 41)))
    ax.set(xlabel=SCORE, ylabel="fraction of events / bin")
    ax.legend(loc="best")
    style.stamp(ax, luminosity=None)
    return fig, ax


@style.use_style()
def score_stacked(
    events: pd.DataFrame, score: ArrayLike, *, data_score: ArrayLike | None = None, cut: float | None = None
) -> tuple[Figure, Axes]:
    """Draw the score of expected events, processes stacked; with data as points, and a cut as a line."""
    values = metrics.per_event(events, score)
    counted = None if data_score is None else np.asarray(data_score, dtype=np.float64).reshape(-1)
    fig, ax = style.new_figure()
    draw_stack(ax, events, values, np.linspace(0, 1, 41), SCORE, counted=counted, log=True)
    if cut is not None:
        ax.axvline(cut, ymax=0.62, color=style.DARK, linestyle="--", linewidth=1.5)
        box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1.5}  # bars may stand behind it
        ax.annotate(f"cut {cut:.3g}", (cut, 0.64), xycoords=("data", "axes fraction"), ha="center", bbox=box, zorder=6)
    style.stamp(ax, "Simulation" if data_score is None else f"{style.data_kind()} and simulation")
    return fig, ax


@style.use_style()
def mass_before_after(
    events: pd.DataFrame, score: ArrayLike, cut: float, *, data: pd.DataFrame, data_score: ArrayLike
) -> tuple[Figure, tuple[Axes, Axes]]:
    """Draw the four-lepton mass of all events and data, and below of those with ``score >= cut``."""
    values, kept = column(events, "m_llll"), metrics.per_event(events, score) >= cut
    counted, data_kept = column(data, "m_llll"), metrics.per_event(data, data_score) >= cut
    edges, title = np.linspace(80, 250, 35), style.axis_title("m_llll")
    fig, (before, after) = style.new_figure(2, 1, height=6.4, sharex=True)
    draw_stack(before, events, values, edges, title, counted=counted)
    draw_stack(after, events[kept], values[kept], edges, title, counted=counted[data_kept])
    after.legend().remove()
    for ax, text in ((before, "before the cut"), (after, f"score $\\geq$ {cut:.3g}")):
        ax.text(0.03, 0.93, text, transform=ax.transAxes, va="top", weight="bold")
    before.set_xlabel("")
    style.stamp(before, f"{style.data_kind()} and simulation")
    return fig, (before, after)


@style.use_style()
def overtraining(
    train: Scored, test: Scored, *, names: tuple[str, str] = ("training", "test"), bins: int = 30
) -> tuple[Figure, Axes]:
    """Compare the score of training events (areas) with that of test events (points), class by class.

    The legend gives χ² per degree of freedom and the probability of a larger one for equal distributions, in the
    bins that are drawn, those with few events merged with their neighbours (`significance.chi_square`).

    Both are (events, score) or (events, score, weight); ``names`` is what the legend calls them.
    """
    edges = np.linspace(0, 1, bins + 1)
    trained, tested = (metrics.shapes(*metrics.labelled(*scored), edges) for scored in (train, test))
    fig, ax = style.new_figure()
    draw_classes(ax, *trained)
    looks = (("signal", style.SIGNAL, "s"), ("background", style.BACKGROUND, "o"))
    for (name, color, marker), known, other in zip(looks, trained, tested, strict=True):
        found = significance.chi_square(known, other)
        text = f"{name}, {names[1]}: $\\chi^2$/ndf = {found.value:.0f}/{found.ndf}, p = {found.p_value:.2g}"
        look: dict[str, Any] = {"fmt": marker, "color": color, "markeredgecolor": "black", "markersize": 5}
        middle = (edges[1:] + edges[:-1]) / 2
        ax.errorbar(middle, other.content, other.error, linewidth=1.2, label=text, **look)
    handles, labels = ax.get_legend_handles_labels()
    labels = [f"{label}, {names[0]}" if label in ("signal", "background") else label for label in labels]
    ax.set_ylim(top=1.65 * max((one.content + one.error).max() for one in (*trained, *tested)))
    ax.legend(handles, labels, loc="upper center", fontsize=8.5)
    ax.set(xlabel=SCORE, ylabel="fraction of events / bin")
    style.stamp(ax, luminosity=None)
    return fig, ax


@style.use_style()
def roc(curves: Mapping[str, Scored], *, cut: float | None = None) -> tuple[Figure, Axes]:
    """Draw signal efficiency against background efficiency of every cut, with the area under the curve (AUC).

    Events count with their weights, negative ones included (see `metrics.roc_curve`): where negative background
    weights are passed, the curve may step back a little. The legend says when there are any.

    Each of ``curves`` is (events, score) or (events, score, weight), by name; ``cut`` is a working point to mark.
    """
    fig, ax = style.new_figure(width=5.2, height=4.6)
    negative = 0.0
    for i, (name, scored) in enumerate(curves.items()):
        label, score, weight = metrics.labelled(*scored)
        negative = max(negative, float(np.mean(weight < 0)))
        line, found = style.LINES[i % len(style.LINES)], metrics.roc_curve(label, score, weight)
        shown = np.unique(np.linspace(0, len(found.cut) - 1, 2000).astype(int))
        fpr, tpr = found.background_efficiency, found.signal_efficiency
        text = f"{name}: AUC {found.auc:.4f}"
        ax.plot(fpr[shown], tpr[shown], color=line.color, linestyle=line.linestyle, label=text)
        if cut is not None:
            at = max(int(np.searchsorted(-found.cut, -cut, side="right")) - 1, 0)
            text = f"cut {cut:.3g}: signal {100 * tpr[at]:.1f} %, background {100 * fpr[at]:.1f} %"
            look: dict[str, Any] = {"color": line.color, "markeredgecolor": "black", "markersize": 8}
            ax.plot(fpr[at], tpr[at], line.marker, label=text, **look)
    ax.plot((0, 1), (0, 1), color=style.GREY, linestyle=":", linewidth=1.2, label="no separation: AUC 0.5")
    ax.set(xlim=(0, 1), ylim=(0, 1.0), xlabel="background efficiency", ylabel="signal efficiency")
    note = f"negative weights kept ({100 * negative:.2g} % of the events)" if negative else None
    ax.legend(loc="lower right", fontsize=8.5, title=note, title_fontsize=8.5)
    style.stamp(ax, luminosity=None)
    return fig, ax


@style.use_style()
def calibration(curves: Mapping[str, Scored], *, bins: int | ArrayLike = 10) -> tuple[Figure, tuple[Axes, Axes]]:
    """Draw the share of signal among events of a score: on the diagonal, the score is a probability.

    The share is of the weights handed over, so it is a probability in the mixture that they describe. Below,
    the effective number of events of each bin, (Σw)²/Σw². Bins of negative sum are left out.

    Each of ``curves`` is (events, score) or (events, score, weight), by name; ``bins`` is the number of bins of the
    score between 0 and 1, or their edges.
    """
    fig, (ax, below) = style.new_figure(2, 1, width=5.4, height=5.4, sharex=True, height_ratios=(3, 1))
    ax.plot((0, 1), (0, 1), color=style.GREY, linestyle=":", linewidth=1.2, label="perfectly calibrated")
    edges = np.histogram_bin_edges([], bins, (0.0, 1.0))
    for i, (name, scored) in enumerate(curves.items()):
        label, score, weight = metrics.labelled(*scored)
        total, error, _ = histogram(score, weight, edges)
        s, s_error, _ = histogram(score[label == 1], weight[label == 1], edges)
        used = total > 0
        effective = np.divide(total**2, error**2, out=np.zeros_like(total), where=used)
        mean = histogram(score, weight * score, edges).content[used] / total[used]
        total, s, error, s_error = total[used], s[used], error[used], s_error[used]
        other = np.sqrt(np.maximum(error**2 - s_error**2, 0))
        spread = np.hypot((total - s) * s_error, s * other) / total**2
        line = style.LINES[i % len(style.LINES)]
        ax.errorbar(mean, s / total, spread, **line._asdict(), markersize=5, label=name)
        below.stairs(effective, edges, color=line.color, linestyle=line.linestyle, linewidth=1.8)
    ax.set(xlim=(0, 1), ylim=(0, 1), ylabel="share of signal")
    below.set(xlabel=f"{SCORE} (mean of the bin)", ylabel="eff. events")
    below.set_yscale("log")
    ax.legend(loc="upper left")
    style.stamp(ax, luminosity=None)
    return fig, (ax, below)
