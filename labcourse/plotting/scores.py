"""What a network makes of events: its score by class and process, and how good it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from labcourse import features, two_sample
from labcourse.errors import BadInput
from labcourse.plotting import style
from labcourse.plotting.access import Scored, edges_of, scores_of, unpack, weights_of
from labcourse.plotting.drawing import draw_classes, draw_stack
from labcourse.plotting.statistics import histogram, roc_curve, shape

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SCORE = "score of the network"


@style.use_style()
def score_by_class(
    events: pd.DataFrame,
    score: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    bins: int | ArrayLike = 40,
    span: tuple[float, float] = (0.0, 1.0),
    log: bool = False,
) -> tuple[Figure, Axes]:
    """Draw the score of signal and of background events, each normalised to one.

    Parameters
    ----------
    events, score : DataFrame, array of shape (n_events,) or (n_events, 1)
        Simulated events and what the network predicts for them.
    weight : array, optional
        Instead of the weights of the table, for instance ones.

    Raises
    ------
    BadInput, EmptySelection
        If scores or weights do not fit the events, or a class has none in the range.
    """
    label, values, used = unpack((events, score) if weight is None else (events, score, weight))
    edges = edges_of("score", values, bins, span)
    fig, ax = style.new_figure()
    signal, background = (shape(values[label == y], used[label == y], edges) for y in (1, 0))
    draw_classes(ax, signal, background)
    if log:
        _log_axis(ax, signal.content, background.content)
    ax.set(xlabel=SCORE, ylabel="fraction of events / bin")
    ax.legend(loc="best")
    style.stamp(ax, luminosity=None)
    return fig, ax


@style.use_style()
def score_stacked(
    events: pd.DataFrame,
    score: ArrayLike,
    *,
    data_score: ArrayLike | None = None,
    cut: float | None = None,
    bins: int | ArrayLike = 40,
    span: tuple[float, float] = (0.0, 1.0),
    log: bool = True,
) -> tuple[Figure, Axes]:
    """Draw the score of expected events, processes stacked; with data as points, and a cut as a line.

    Raises
    ------
    BadInput, EmptySelection
        If there is not one finite score an event, or no event.
    """
    values = scores_of(events, score)
    counted = None if data_score is None else np.asarray(data_score, dtype=np.float64).reshape(-1)
    fig, ax = style.new_figure()
    draw_stack(ax, events, values, edges_of("score", values, bins, span), SCORE, counted=counted, log=log)
    if cut is not None:
        ax.axvline(cut, ymax=0.62, color=style.DARK, linestyle="--", linewidth=1.5)
        box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1.5}  # bars may stand behind it
        ax.annotate(f"cut {cut:.3g}", (cut, 0.64), xycoords=("data", "axes fraction"), ha="center", bbox=box, zorder=6)
    style.stamp(ax, "Simulation" if data_score is None else f"{style.data_kind()} and simulation")
    return fig, ax


@style.use_style()
def overtraining(
    train: Scored,
    test: Scored,
    *,
    names: tuple[str, str] = ("training", "test"),
    bins: int | ArrayLike = 30,
    span: tuple[float, float] = (0.0, 1.0),
    log: bool = False,
) -> tuple[Figure, Axes]:
    """Compare the score of training events (areas) with that of test events (points), class by class.

    The legend gives χ² per degree of freedom and the probability of a larger one for equal distributions, in the
    bins that are drawn, those with few events merged with their neighbours (`labcourse.two_sample`).

    Parameters
    ----------
    train, test : (events, score) or (events, score, weight)
    names : (str, str)
        What the legend calls them.

    Raises
    ------
    BadInput, EmptySelection
        As `score_by_class`.
    """
    first, second = unpack(train), unpack(test)
    edges = edges_of("score", first[1], bins, span)

    trained, tested = (
        [shape(values[label == y], weight[label == y], edges) for y in (1, 0)]
        for label, values, weight in (first, second)
    )
    fig, ax = style.new_figure()
    draw_classes(ax, *trained)
    middle = (edges[1:] + edges[:-1]) / 2
    looks = (("signal", style.SIGNAL, "s"), ("background", style.BACKGROUND, "o"))
    for (name, color, marker), y, other in zip(looks, (1, 0), tested, strict=True):
        (one, one_weight), (two, two_weight) = ((v[label == y], w[label == y]) for label, v, w in (first, second))
        found = two_sample.chi_square(one, two, one_weight, two_weight, edges=edges)
        text = f"{name}, {names[1]}: $\\chi^2$/ndf = {found.value:.0f}/{found.ndf}, p = {found.p_value:.2g}"
        ax.errorbar(
            middle,
            other.content,
            yerr=other.error,
            fmt=marker,
            color=color,
            markeredgecolor="black",
            markersize=5,
            linewidth=1.2,
            label=text,
        )
    handles, labels = ax.get_legend_handles_labels()
    labels = [f"{label}, {names[0]}" if label in ("signal", "background") else label for label in labels]
    top = max((hist.content + hist.error).max() for hist in (*trained, *tested))
    ax.set_ylim(top=1.65 * top)
    if log:
        _log_axis(ax, *(hist.content for hist in (*trained, *tested)), room=100)
    ax.legend(handles, labels, loc="upper center", fontsize=8.5)
    ax.set(xlabel=SCORE, ylabel="fraction of events / bin")
    style.stamp(ax, luminosity=None)
    return fig, ax


@style.use_style()
def roc(curves: Scored | Mapping[str, Scored], *, cut: float | None = None) -> tuple[Figure, Axes]:
    """Draw signal efficiency against background efficiency of every cut, with the area under the curve (AUC).

    Events count with their weights, negative ones included (see `roc_curve`): where negative background
    weights are passed, the curve may step back a little. The legend says when there are any.

    Parameters
    ----------
    curves : (events, score) or (events, score, weight), or a mapping of name to one of them
    cut : float, optional
        A working point, marked on each curve.

    Raises
    ------
    BadInput, EmptySelection
        If scores or weights do not fit the events, or a class is missing.
    """
    fig, ax = style.new_figure(width=5.2, height=4.6)
    negative = 0.0
    for i, (name, scored) in enumerate(_named(curves).items()):
        label, score, weight = unpack(scored)
        negative = max(negative, float(np.mean(weight < 0)))
        line, found = style.LINES[i % len(style.LINES)], roc_curve(label, score, weight)
        shown = np.unique(np.linspace(0, len(found.cut) - 1, 2000).astype(int))
        ax.plot(
            found.background_efficiency[shown],
            found.signal_efficiency[shown],
            color=line.color,
            linestyle=line.linestyle,
            label=f"{name}: AUC {found.auc:.4f}" if name else f"AUC {found.auc:.4f}",
        )
        if cut is not None:
            at = max(int(np.searchsorted(-found.cut, -cut, side="right")) - 1, 0)
            fpr, tpr = found.background_efficiency[at], found.signal_efficiency[at]
            text = f"cut {cut:.3g}: signal {100 * tpr:.1f} %, background {100 * fpr:.1f} %"
            ax.plot(fpr, tpr, line.marker, color=line.color, markeredgecolor="black", markersize=8, label=text)
    ax.plot((0, 1), (0, 1), color=style.GREY, linestyle=":", linewidth=1.2, label="no separation: AUC 0.5")
    ax.set(xlim=(0, 1), ylim=(0, 1.0), xlabel="background efficiency", ylabel="signal efficiency")
    note = f"negative weights kept ({100 * negative:.2g} % of the events)" if negative else None
    ax.legend(loc="lower right", fontsize=8.5, title=note, title_fontsize=8.5)
    style.stamp(ax, luminosity=None)
    return fig, ax


@style.use_style()
def calibration(
    curves: Scored | Mapping[str, Scored], *, bins: int | ArrayLike = 10
) -> tuple[Figure, tuple[Axes, Axes]]:
    """Draw the share of signal among events of a score: on the diagonal, the score is a probability.

    The share is of the weights handed over, so it is a probability in the mixture that they describe. Below,
    the effective number of events of each bin, (Σw)²/Σw². Bins of negative sum are left out.

    Parameters
    ----------
    curves : (events, score) or (events, score, weight), or a mapping of name to one of them
    bins : int or edges
        Bins of the score between 0 and 1.

    Raises
    ------
    BadInput, EmptySelection
        If scores or weights do not fit the events.
    """
    fig, (ax, below) = style.new_figure(2, 1, width=5.4, height=5.4, sharex=True, height_ratios=(3, 1))
    ax.plot((0, 1), (0, 1), color=style.GREY, linestyle=":", linewidth=1.2, label="perfectly calibrated")
    for i, (name, scored) in enumerate(_named(curves).items()):
        label, score, weight = unpack(scored)
        edges = edges_of("score", score, bins, (0.0, 1.0))
        signal, everything = (histogram(score[m], weight[m], edges) for m in (label == 1, label >= 0))
        mean = histogram(score, weight * score, edges).content
        used = everything.content > 0
        total, s = everything.content[used], signal.content[used]
        other = everything.error[used] ** 2 - signal.error[used] ** 2
        error = np.sqrt((total - s) ** 2 * signal.error[used] ** 2 + s**2 * np.maximum(other, 0)) / total**2
        line = style.LINES[i % len(style.LINES)]
        ax.errorbar(
            mean[used] / total,
            s / total,
            yerr=error,
            color=line.color,
            linestyle=line.linestyle,
            marker=line.marker,
            markersize=5,
            label=name or "network",
        )
        effective = np.where(used, everything.content**2 / np.where(used, everything.error**2, 1.0), 0.0)
        below.stairs(effective, edges, color=line.color, linestyle=line.linestyle, linewidth=1.8)
    ax.set(xlim=(0, 1), ylim=(0, 1), ylabel="share of signal")
    below.set(xlabel=f"{SCORE} (mean of the bin)", ylabel="eff. events")
    below.set_yscale("log")
    ax.legend(loc="upper left")
    style.stamp(ax, luminosity=None)
    return fig, (ax, below)


@style.use_style()
def confusion(
    events: pd.DataFrame, score: ArrayLike, cut: float, *, weight: ArrayLike | None = None
) -> tuple[Figure, Axes]:
    """Draw the table of true class against decision at a cut: expected events, and the share of the true class.

    Raises
    ------
    BadInput, EmptySelection
        If scores or weights do not fit the events, or the weights of a class do not add up to something positive.
    """
    label, passed, used = features.labels(events), scores_of(events, score) >= cut, weights_of(events, weight)
    cells = np.array([[used[(label == y) & (passed == p)].sum() for p in (True, False)] for y in (1, 0)])
    total = cells.sum(axis=1, keepdims=True)
    if not (total > 0).all():
        raise BadInput("A class has no events.", where="confusion", next_step="Both signal and background are needed.")
    share = cells / total
    fig, ax = style.new_figure(width=5.0, height=3.6)
    ax.imshow(share, cmap="Blues", vmin=0, vmax=1.6, aspect="auto")
    words = (("true positives", "false negatives"), ("false positives", "true negatives"))
    for row in range(2):
        for column in range(2):
            text = f"{words[row][column]}\n{cells[row, column]:.4g} events\n{100 * share[row, column]:.1f} %"
            ax.text(column, row, text, ha="center", va="center", fontsize=11)
    ax.set_xticks((0, 1), (f"score $\\geq$ {cut:.3g}", f"score < {cut:.3g}"))
    ax.set_yticks((0, 1), ("signal", "background"))
    ax.minorticks_off()
    ax.tick_params(length=0)
    ax.set(xlabel="decision", ylabel="truth")
    style.stamp(ax)
    return fig, ax


def _named(curves: Scored | Mapping[str, Scored]) -> dict[str, Scored]:
    named = dict(curves) if isinstance(curves, Mapping) else {"": curves}
    if not named:
        raise BadInput("There is nothing to draw.", where="plotting", next_step="Pass (events, score).")
    return named


def _log_axis(ax: Axes, *contents: np.ndarray, room: float = 5) -> None:
    positive = np.concatenate([content[content > 0] for content in contents])
    ax.set_yscale("log")
    ax.set_ylim(max(positive.min() / 2, 1e-6), room * positive.max())
