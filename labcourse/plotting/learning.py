"""How trainings went: loss curves, learning rate, folds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from labcourse.errors import BadInput
from labcourse.plotting import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LOSS = "loss (binary cross-entropy)"
BEST = "best epoch"


@style.use_style()
def losses(
    histories: Any,
    *,
    best_epoch: int | bool | Mapping[str, int] | None = None,
    metric: str = "loss",
    ylabel: str | None = None,
) -> tuple[Figure, Axes]:
    """Draw the loss against the epoch: training solid with filled markers, validation dashed with open ones.

    Parameters
    ----------
    histories : History, dict or mapping of name to one of them
        What `training.fit` returns, or its ``history``: ``{"loss": [...], "val_loss": [...]}``.
    best_epoch : int, bool or mapping of name to int, optional
        Marked by a star; counted from 1. With True, the epoch of the lowest validation loss.
    metric : str
        The quantity, ``loss`` or another one in the history.

    Raises
    ------
    BadInput
        If a history does not hold the metric, or the epoch does not exist.
    """
    named = _named(histories, metric)
    fig, ax = style.new_figure()
    for (name, history), line in zip(named.items(), style.LINES * len(named), strict=False):
        prefix = f"{name}, " if name else ""
        validation = history.get(f"val_{metric}")
        for values, dashes, fill, label in (
            (history[metric], "-", "full", "training"),
            (validation, "--", "none", "validation"),
        ):
            if values is None:
                continue
            every = max(1, len(values) // 12)
            ax.plot(
                np.arange(1, len(values) + 1),
                values,
                color=line.color,
                linestyle=dashes,
                marker=line.marker,
                markevery=every,
                markersize=5,
                fillstyle=fill,
                label=prefix + label,
            )
        _mark_best(ax, best_epoch, name, history[metric] if validation is None else validation)
    ax.set_xlabel("epoch")
    ax.set_ylabel(ylabel or (LOSS if metric == "loss" else metric.replace("_", " ")))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.tick_params(axis="x", which="minor", length=0)
    handles, labels = ax.get_legend_handles_labels()
    order = sorted(range(len(labels)), key=lambda i: labels[i] == BEST)
    ax.legend([handles[i] for i in order], [labels[i] for i in order], loc="best")
    return fig, ax


def _mark_best(ax: Axes, best_epoch: Any, name: str, values: Sequence[float]) -> None:
    epoch = best_epoch.get(name) if isinstance(best_epoch, Mapping) else best_epoch
    if epoch is None or epoch is False:
        return
    epoch = int(np.nanargmin(values)) + 1 if epoch is True else int(epoch)
    if not 1 <= epoch <= len(values):
        raise BadInput(f"There is no epoch {epoch} among {len(values)}.", where="best_epoch", next_step="Count from 1.")
    label = None if BEST in ax.get_legend_handles_labels()[1] else BEST
    ax.plot(
        epoch,
        values[epoch - 1],
        marker="*",
        markersize=15,
        color="#E69F00",
        markeredgecolor="black",
        linestyle="none",
        label=label,
        zorder=6,
    )


@style.use_style()
def learning_rate(rates: ArrayLike) -> tuple[Figure, Axes]:
    """Draw the learning rate against the training step, from an array of shape (n_steps,)."""
    values = _numbers(rates, "rates")
    fig, ax = style.new_figure(height=3.2)
    ax.plot(np.arange(1, len(values) + 1), values, color=style.BACKGROUND)
    ax.set(xlabel="training step", ylabel="learning rate", ylim=(0, 1.1 * values.max() or 1.0))
    return fig, ax


@style.use_style()
def fold_losses(
    losses: ArrayLike | Mapping[str, ArrayLike], *, ylabel: str = f"validation {LOSS}"
) -> tuple[Figure, Axes]:
    """Draw one loss a fold as points, with mean (line) and spread (band: one standard deviation).

    Parameters
    ----------
    losses : array of shape (k,), or mapping of model name to such an array
        Validation losses of the folds.

    Raises
    ------
    BadInput
        If there are fewer than two folds or a loss is not finite.
    """
    models = dict(losses) if isinstance(losses, Mapping) else {"": losses}
    fig, ax = style.new_figure()
    longest = 0
    for i, (name, values) in enumerate(models.items()):
        loss, line = _numbers(values, name or "losses"), style.LINES[i % len(style.LINES)]
        fold = np.arange(1, len(loss) + 1)
        longest = max(longest, len(loss))
        mean, spread = loss.mean(), loss.std(ddof=1)
        ax.plot(fold, loss, line.marker, color=line.color, markersize=7, label=name or "folds")
        ax.axhline(mean, color=line.color, linestyle=line.linestyle, label=f"mean {mean:.4f}")
        ax.axhspan(mean - spread, mean + spread, color=line.color, alpha=0.15, label=f"spread ± {spread:.4f}")
    ax.set_xlabel("fold")
    ax.set_ylabel(ylabel)
    ax.set_xlim(0.5, longest + 0.5)
    ax.set_xticks(range(1, longest + 1))
    ax.tick_params(axis="x", which="minor", length=0)
    ax.margins(y=0.15)
    fig.legend(
        *ax.get_legend_handles_labels(), loc="outside upper center", ncols=3 if len(models) == 1 else len(models)
    )
    return fig, ax


@style.use_style()
def paired_folds(
    first: ArrayLike, second: ArrayLike, *, names: tuple[str, str] = ("A", "B"), ylabel: str = "validation loss"
) -> tuple[Figure, Any]:
    """Draw two models fold by fold: losses joined by lines on the left, differences on the right.

    The folds share events for training, so that the spread of the differences is no independent error;
    but a difference of one sign in every fold says more than two overlapping means.

    Parameters
    ----------
    first, second : array_like, shape (k,)
        Losses of both models on the same folds in the same order.

    Raises
    ------
    BadInput
        If the lengths differ, there are fewer than two folds or a loss is not finite.
    """
    a, b = _numbers(first, names[0]), _numbers(second, names[1])
    if a.shape != b.shape:
        raise BadInput(f"Expected the same folds. Received {len(a)} and {len(b)}.", where="paired_folds")
    fig, (left, right) = style.new_figure(1, 2, width=8, height=3.8)
    for fold, pair in enumerate(zip(a, b, strict=True)):
        line = style.LINES[fold % len(style.LINES)]
        left.plot((0, 1), pair, color=line.color, marker=line.marker, linestyle=line.linestyle, markersize=6)
        right.plot(fold + 1, pair[1] - pair[0], line.marker, color=line.color, markersize=7)
    left.set_xticks((0, 1), names)
    left.set(xlim=(-0.3, 1.3), ylabel=ylabel)
    difference = b - a
    mean, spread = difference.mean(), difference.std(ddof=1)
    right.axhline(0, color=style.GREY, linestyle="--", linewidth=1.2)
    right.axhline(mean, color=style.DARK, linewidth=1.2)
    right.axhspan(mean - spread, mean + spread, color=style.GREY, alpha=0.2, linewidth=0)
    right.set(xlabel="fold", ylabel=f"{names[1]} − {names[0]}", xlim=(0.5, len(a) + 0.5))
    right.set_title(f"mean {mean:+.4f}, spread {spread:.4f}".replace("-", "−"), loc="right")
    right.set_xticks(range(1, len(a) + 1))
    right.margins(y=0.15)
    for ax in (left, right):
        ax.tick_params(axis="x", which="minor", length=0)
    return fig, (left, right)


def _named(histories: Any, metric: str) -> dict[str, Mapping[str, Sequence[float]]]:
    """Return {name: history dict}, whichever way histories were handed over."""
    single: Any = getattr(histories, "history", histories)
    if not isinstance(single, Mapping) or not single:
        raise BadInput("Expected a history, or {name: history}.", where="losses", next_step="Pass what `fit` returned.")
    inner = {name: getattr(value, "history", value) for name, value in single.items()}
    named: dict[str, Any] = inner if all(isinstance(value, Mapping) for value in inner.values()) else {"": single}
    for name, history in named.items():
        if metric not in history or not len(history[metric]):
            raise BadInput(
                f"The history {name!r} holds no {metric}.",
                where="losses",
                next_step=f"It holds {', '.join(map(str, history)) or 'nothing'}.",
            )
    return named


def _numbers(values: ArrayLike, name: str) -> NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or len(array) < 2 or not np.isfinite(array).all():
        raise BadInput(
            f"Expected at least two finite numbers. Received shape {array.shape}.",
            where=name,
            next_step="Look for a training that gave NaN.",
        )
    return array
