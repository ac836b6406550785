"""Results of a network: its score, loss curves, folds, numbers side by side."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from labcourse import homogeneity, metrics
from labcourse.errors import BadInput
from labcourse.metrics import histogram
from labcourse.plotting import style
from labcourse.plotting.variables import draw_classes

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
def overtraining(
    train: Scored, test: Scored, *, names: tuple[str, str] = ("training", "test"), bins: int = 30
) -> tuple[Figure, Axes]:
    """Compare the score of training events (areas) with that of test events (points), class by class.

    The legend gives χ² per degree of freedom and the probability of a larger one for equal distributions, in the
    bins that are drawn, those with few events merged with their neighbours (`homogeneity.chi_square`).

    Both are (events, score) or (events, score, weight); ``names`` is what the legend calls them.
    """
    edges = np.linspace(0, 1, bins + 1)
    trained, tested = (metrics.shapes(*metrics.labelled(*scored), edges) for scored in (train, test))
    fig, ax = style.new_figure()
    draw_classes(ax, *trained)
    looks = (("signal", style.SIGNAL, "s"), ("background", style.BACKGROUND, "o"))
    for (name, color, marker), known, other in zip(looks, trained, tested, strict=True):
        found = homogeneity.chi_square(known, other)
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


@style.use_style()
def losses(histories: Any, *, best_epoch: int | bool | Mapping[str, int] | None = None) -> tuple[Figure, Axes]:
    """Draw the loss against the epoch: training solid with filled markers, validation dashed with open ones.

    Raises BadInput if a history holds no loss, or the epoch does not exist.

    Parameters
    ----------
    histories : History, dict or mapping of name to one of them
        What `training.fit` returns, or its ``history``: ``{"loss": [...], "val_loss": [...]}``.
    best_epoch : int, bool or mapping of name to one of them, optional
        Marked by a star; counted from 1. With True, the epoch of the lowest validation loss.
    """
    single = getattr(histories, "history", histories)
    named = {"": single} if "loss" in single else {name: getattr(h, "history", h) for name, h in single.items()}
    if not named or not all("loss" in history for history in named.values()):
        raise BadInput("Expected a history, or {name: history}.", where="losses", next_step="Pass what `fit` returned.")
    fig, ax = style.new_figure()
    stars = []
    for (name, history), line in zip(named.items(), cycle(style.LINES), strict=False):
        for key, dashes, fill, label in (("loss", "-", "full", "training"), ("val_loss", "--", "none", "validation")):
            if key in history:
                values = np.asarray(history[key], dtype=np.float64)
                look = line._asdict() | {"linestyle": dashes, "fillstyle": fill, "markersize": 5}
                look |= {"markevery": max(1, len(values) // 12), "label": f"{name}, {label}" if name else label}
                ax.plot(np.arange(len(values)) + 1, values, **look)
        wanted = best_epoch.get(name) if isinstance(best_epoch, Mapping) else best_epoch
        if wanted is not None and wanted is not False:
            epoch = int(np.nanargmin(values)) + 1 if wanted is True else int(wanted)
            if not 1 <= epoch <= len(values):
                raise BadInput(f"There is no epoch {epoch} among {len(values)}.", where="best_epoch")
            stars += ax.plot(epoch, values[epoch - 1], **style.STAR)
    if stars:
        stars[-1].set_label("best epoch")
    ax.set(xlabel="epoch", ylabel="loss (binary cross-entropy)")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    style.no_ticks_between(ax)
    ax.legend(loc="best")
    return fig, ax


@style.use_style()
def paired_folds(first: ArrayLike, second: ArrayLike, *, names: tuple[str, str] = ("A", "B")) -> tuple[Figure, Any]:
    """Draw two models fold by fold: losses joined by lines on the left, differences on the right.

    The folds share events for training, so that the spread of the differences is no independent error;
    but a difference of one sign in every fold says more than two overlapping means.

    Both are losses, shape (k,), on the same folds in the same order, two or more.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    mean, spread = (b - a).mean(), (b - a).std(ddof=1)
    fig, (left, right) = style.new_figure(1, 2, width=8, height=3.8)
    for i, line in zip(range(len(a)), cycle(style.LINES), strict=False):
        left.plot((0, 1), (a[i], b[i]), **line._asdict(), markersize=6, label=f"fold {i + 1}")
        right.plot(i + 1, b[i] - a[i], line.marker, color=line.color, markersize=7)
    left.set_xticks((0, 1), names)
    left.set(xlim=(-0.3, 1.8), ylabel="validation loss")
    left.legend(loc="center right")
    style.no_ticks_between(left)
    right.axhline(0, color=style.GREY, linestyle="--", linewidth=1.2)
    right.axhline(mean, color=style.DARK, linewidth=1.2)
    right.axhspan(mean - spread, mean + spread, color=style.GREY, alpha=0.2, linewidth=0, label="mean ± spread")
    right.legend(loc="best")
    right.set(ylabel=f"difference of the losses, {names[1]} − {names[0]}")
    right.set_title(f"mean {mean:+.4f}, spread {spread:.4f}".replace("-", "−"), loc="right")
    right.set(xlabel="fold", xlim=(0.5, len(a) + 0.5), xticks=range(1, len(a) + 1))
    style.no_ticks_between(right)
    right.margins(y=0.15)
    return fig, (left, right)


@style.use_style()
def comparison(
    values: Mapping[str, float],
    errors: Mapping[str, float] | None = None,
    *,
    xlabel: str,
    reference: float | None = None,
    reference_name: str = "",
) -> tuple[Figure, Axes]:
    """Draw named numbers as points with error bars, one below the other: models, or treatments of weights.

    Parameters
    ----------
    values, errors : mapping of name to number, or pandas.Series
        ``errors`` may miss names.
    xlabel : str
        What the number is, with its unit.
    reference : float, optional
        Drawn as a dashed line, for instance the true value, with its name above.
    """
    values, errors = dict(values), dict(errors if errors is not None else {})
    fig, ax = style.new_figure(height=1.4 + 0.42 * len(values))
    for row, ((name, value), line) in enumerate(zip(values.items(), cycle(style.LINES), strict=False)):
        error = errors.get(name)
        ax.errorbar(value, row, xerr=error, fmt=line.marker, color=line.color, markersize=7, capsize=3)
        text = f"{value:.4g}" if error is None else style.with_error(value, float(error))
        ax.annotate(text, (1.02, row), xycoords=("axes fraction", "data"), va="center", fontsize=9)
    if reference is not None:
        ax.axvline(reference, color=style.GREY, linestyle="--", linewidth=1.2)
        place = {"xycoords": ("data", "axes fraction"), "ha": "center", "va": "bottom"}
        ax.annotate(reference_name, (reference, 1.01), fontsize=9, **place)
    ax.set_yticks(range(len(values)), list(values))
    ax.set(ylim=(len(values) - 0.5, -0.5), xlabel=xlabel)
    ax.tick_params(axis="y", which="both", length=0)
    ax.margins(x=0.1)
    return fig, ax
