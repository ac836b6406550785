"""How trainings went: loss curves, folds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from labcourse.errors import BadInput
from labcourse.plotting import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LOSS = "loss (binary cross-entropy)"


@style.use_style()
def losses(histories: Any, *, best_epoch: int | bool | Mapping[str, int] | None = None) -> tuple[Figure, Axes]:
    """Draw the loss against the epoch: training solid with filled markers, validation dashed with open ones.

    Parameters
    ----------
    histories : History, dict or mapping of name to one of them
        What `training.fit` returns, or its ``history``: ``{"loss": [...], "val_loss": [...]}``.
    best_epoch : int, bool or mapping of name to one of them, optional
        Marked by a star; counted from 1. With True, the epoch of the lowest validation loss.

    Raises
    ------
    BadInput
        If a history holds no loss, or the epoch does not exist.
    """
    single = getattr(histories, "history", histories)
    named = {"": single} if "loss" in single else {name: getattr(h, "history", h) for name, h in single.items()}
    if not named or not all("loss" in history for history in named.values()):
        raise BadInput("Expected a history, or {name: history}.", where="losses", next_step="Pass what `fit` returned.")
    fig, ax = style.new_figure()
    stars = []
    for i, (name, history) in enumerate(named.items()):
        line, prefix = style.LINES[i % len(style.LINES)], f"{name}, " if name else ""
        for key, dashes, fill, label in (("loss", "-", "full", "training"), ("val_loss", "--", "none", "validation")):
            if key in history:
                values = np.asarray(history[key], dtype=np.float64)
                look = {"color": line.color, "linestyle": dashes, "marker": line.marker, "fillstyle": fill}
                every = max(1, len(values) // 12)
                ax.plot(np.arange(len(values)) + 1, values, markevery=every, markersize=5, label=prefix + label, **look)
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
    ax.tick_params(axis="x", which="minor", length=0)
    ax.legend(loc="best")
    return fig, ax


@style.use_style()
def fold_losses(losses: Mapping[str, ArrayLike]) -> tuple[Figure, Axes]:
    """Draw one loss per fold as points, with mean (line) and spread (band: one standard deviation).

    Parameters
    ----------
    losses : mapping of model name to array of shape (k,)
        Validation losses of the folds, two or more.
    """
    fig, ax = style.new_figure()
    models = {name: np.asarray(values, dtype=np.float64) for name, values in losses.items()}
    for i, (name, loss) in enumerate(models.items()):
        line, mean, spread = style.LINES[i % len(style.LINES)], loss.mean(), loss.std(ddof=1)
        ax.plot(np.arange(len(loss)) + 1, loss, line.marker, color=line.color, markersize=7, label=name)
        ax.axhline(mean, color=line.color, linestyle=line.linestyle, label=f"mean {mean:.4f}")
        ax.axhspan(mean - spread, mean + spread, color=line.color, alpha=0.15, label=f"spread ± {spread:.4f}")
    ax.set(ylabel=f"validation {LOSS}")
    _fold_axis(ax, max(map(len, models.values())))
    n_columns = 3 if len(models) == 1 else len(models)
    fig.legend(*ax.get_legend_handles_labels(), loc="outside upper center", ncols=n_columns)
    return fig, ax


@style.use_style()
def paired_folds(first: ArrayLike, second: ArrayLike, *, names: tuple[str, str] = ("A", "B")) -> tuple[Figure, Any]:
    """Draw two models fold by fold: losses joined by lines on the left, differences on the right.

    The folds share events for training, so that the spread of the differences is no independent error;
    but a difference of one sign in every fold says more than two overlapping means.

    Parameters
    ----------
    first, second : array_like, shape (k,)
        Losses of both models on the same folds in the same order, two or more.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    difference = b - a
    mean, spread = difference.mean(), difference.std(ddof=1)
    fig, (left, right) = style.new_figure(1, 2, width=8, height=3.8)
    for i in range(len(a)):
        line = style.LINES[i % len(style.LINES)]
        left.plot((0, 1), (a[i], b[i]), **line._asdict(), markersize=6)
        right.plot(i + 1, difference[i], line.marker, color=line.color, markersize=7)
    left.set_xticks((0, 1), names)
    left.set(xlim=(-0.3, 1.3), ylabel="validation loss")
    left.tick_params(axis="x", which="minor", length=0)
    right.axhline(0, color=style.GREY, linestyle="--", linewidth=1.2)
    right.axhline(mean, color=style.DARK, linewidth=1.2)
    right.axhspan(mean - spread, mean + spread, color=style.GREY, alpha=0.2, linewidth=0)
    right.set(ylabel=f"{names[1]} − {names[0]}")
    right.set_title(f"mean {mean:+.4f}, spread {spread:.4f}".replace("-", "−"), loc="right")
    _fold_axis(right, len(a))
    return fig, (left, right)


def _fold_axis(ax: Axes, n_folds: int) -> None:
    ax.set(xlabel="fold", xlim=(0.5, n_folds + 0.5), xticks=range(1, n_folds + 1))
    ax.tick_params(axis="x", which="minor", length=0)
    ax.margins(y=0.15)
