"""Results as curves and points: loss curves, folds, numbers side by side, the scan of a cut."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from labcourse.errors import BadInput
from labcourse.plotting import style
from labcourse.significance import Scan

LOSS = "loss (binary cross-entropy)"
Z = "significance Z"


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
                look: dict[str, Any] = {
                    "color": line.color,
                    "linestyle": dashes,
                    "marker": line.marker,
                    "fillstyle": fill,
                }
                look |= {"markevery": max(1, len(values) // 12), "label": f"{name}, {label}" if name else label}
                ax.plot(np.arange(len(values)) + 1, values, markersize=5, **look)
        wanted = best_epoch.get(name) if isinstance(best_epoch, Mapping) else best_epoch
        if wanted is not None and wanted is not False:
            epoch = int(np.nanargmin(values)) + 1 if wanted is True else int(wanted)
            if not 1 <= epoch <= len(values):
                raise BadInput(f"There is no epoch {epoch} among {len(values)}.", where="best_epoch")
            stars += ax.plot(epoch, values[epoch - 1], **style.STAR)
    if stars:
        stars[-1].set_label("best epoch")
    ax.set(xlabel="epoch", ylabel=LOSS)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    style.no_ticks_between(ax)
    ax.legend(loc="best")
    return fig, ax


@style.use_style()
def fold_losses(losses: Mapping[str, ArrayLike]) -> tuple[Figure, Axes]:
    """Draw one loss per fold as points, with mean (line) and spread (band: one standard deviation).

    ``losses`` are, by the model's name, the validation losses of the folds, shape (k,), two or more.
    """
    fig, ax = style.new_figure()
    for (name, values), line in zip(losses.items(), cycle(style.LINES), strict=False):
        loss = np.asarray(values, dtype=np.float64)
        mean, spread = loss.mean(), loss.std(ddof=1)
        ax.plot(np.arange(len(loss)) + 1, loss, line.marker, color=line.color, markersize=7, label=name)
        ax.axhline(mean, color=line.color, linestyle=line.linestyle, label=f"mean {mean:.4f}")
        ax.axhspan(mean - spread, mean + spread, color=line.color, alpha=0.15, label=f"spread ± {spread:.4f}")
    ax.set(ylabel=f"validation {LOSS}")
    _fold_axis(ax, max(np.size(values) for values in losses.values()))
    n_columns = 3 if len(losses) == 1 else len(losses)
    fig.legend(*ax.get_legend_handles_labels(), loc="outside upper center", ncols=n_columns)
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
        left.plot((0, 1), (a[i], b[i]), **line._asdict(), markersize=6)
        right.plot(i + 1, b[i] - a[i], line.marker, color=line.color, markersize=7)
    left.set_xticks((0, 1), names)
    left.set(xlim=(-0.3, 1.3), ylabel="validation loss")
    style.no_ticks_between(left)
    right.axhline(0, color=style.GREY, linestyle="--", linewidth=1.2)
    right.axhline(mean, color=style.DARK, linewidth=1.2)
    right.axhspan(mean - spread, mean + spread, color=style.GREY, alpha=0.2, linewidth=0)
    right.set(ylabel=f"{names[1]} − {names[0]}")
    right.set_title(f"mean {mean:+.4f}, spread {spread:.4f}".replace("-", "−"), loc="right")
    _fold_axis(right, len(a))
    return fig, (left, right)


def _fold_axis(ax: Axes, n_folds: int) -> None:
    ax.set(xlabel="fold", xlim=(0.5, n_folds + 0.5), xticks=range(1, n_folds + 1))
    style.no_ticks_between(ax)
    ax.margins(y=0.15)


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


@style.use_style()
def significance_scan(scan: Scan, *, best: Scan | None = None, ylabel: str = Z) -> tuple[Figure, tuple[Axes, Axes]]:
    """Draw yields (above, logarithmic) and significance (below) against the cut, with statistical bands.

    Raises BadInput if no cut has a finite significance.

    Parameters
    ----------
    scan : Scan
        Result of `significance.scan` of rising cuts. Points without a finite significance are left out.
    best : Scan, optional
        Result of `significance.best`, marked by a line and a star.
    """
    fig, (above, below) = style.new_figure(2, 1, height=5.4, sharex=True)
    for values, errors, color, dashes, name in (
        (scan.background, scan.background_error, style.BACKGROUND, "-", "background"),
        (scan.signal, scan.signal_error, style.SIGNAL, "--", "signal"),
    ):
        # A logarithmic axis shows no number below zero.
        curve, low, high = (np.where(v > 0, v, np.nan) for v in (values, values - errors, values + errors))
        above.plot(scan.cut, curve, color=color, linestyle=dashes, label=name)
        above.fill_between(scan.cut, low, high, color=color, alpha=0.3, lw=0)
    above.set(yscale="log", ylabel="expected events\nabove the cut")
    above.legend(loc="lower left")
    _draw_z(below, scan, style.Line("#009E73", "-", ""), "")
    below.set(xlabel="cut on the score", ylabel=ylabel)
    below.set_ylim(bottom=0)
    if best is not None:
        for ax in (above, below):
            ax.axvline(best.cut, color=style.GREY, linestyle=":", linewidth=1.3)
        text = f"Z = {best.significance:.2f} ± {best.significance_error:.2f} at {best.cut:.3f}"
        below.plot(best.cut, best.significance, label=text, **style.STAR)
        below.set_ylim(0, max(1.5 * best.significance, 1e-3))
        below.legend(loc="upper left")
    style.stamp(above)
    return fig, (above, below)


@style.use_style()
def compare_scans(scans: Mapping[str, Scan]) -> tuple[Figure, Axes]:
    """Draw the significance against the cut for several models, with bands; raises as `significance_scan`."""
    fig, ax = style.new_figure()
    curves = zip(scans.items(), cycle(style.LINES), strict=False)
    tops = [_draw_z(ax, scan, line, name) for (name, scan), line in curves]
    ax.set(xlabel="cut on the score", ylabel=Z, ylim=(0, max(1.6 * max(tops), 1e-3)))
    ax.legend(loc="upper left")
    style.stamp(ax)
    return fig, ax


def _draw_z(ax: Axes, scan: Scan, line: style.Line, label: str) -> float:
    """Draw one curve with its band; return its highest value."""
    cut, z, error = scan.cut, scan.significance, scan.significance_error
    if not np.isfinite(z).any():
        raise BadInput(
            "No cut of the scan has a finite significance.",
            where="scan",
            next_step="Is there background above the cuts, and signal among the events?",
        )
    z, error = np.where(np.isfinite(z), z, np.nan), np.where(np.isfinite(error), error, 0.0)
    # A curve of a thousand cuts needs no markers; dashes and, every tenth of the range, a symbol tell it apart.
    ax.plot(cut, z, **line._asdict(), markersize=4.5, markevery=max(1, len(cut) // 10), label=label)
    ax.fill_between(cut, z - error, z + error, color=line.color, alpha=0.25, linewidth=0)
    return float(np.nanmax(z))
