"""Early stopping on a recorded training: what another patience would have done."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course.interactive import frame
from labcourse import plotting
from labcourse.errors import BadInput
from labcourse.plotting import style

MOST = 30


class Stop(NamedTuple):
    """Best and last epoch of a training, counted from 1, and whether the patience was used up."""

    best: int
    last: int
    stopped: bool


def stop(losses: ArrayLike, patience: int) -> Stop:
    """Return where early stopping ends a training with the given validation losses.

    Examples
    --------
    >>> stop([0.6, 0.5, 0.55, 0.56, 0.4], patience=2)
    Stop(best=2, last=4, stopped=True)
    >>> stop([0.6, 0.5, 0.55, 0.56, 0.4], patience=3)
    Stop(best=5, last=5, stopped=False)
    """
    values = np.asarray(losses)
    # An epoch is a new best if it is lower than all before it.
    lowest = np.minimum.accumulate(values)
    is_new = np.append(True, values[1:] < lowest[:-1])
    best = np.maximum.accumulate(np.where(is_new, np.arange(len(values)), 0))
    waited = np.arange(len(values)) - best
    stops = np.flatnonzero(waited >= patience)
    last = int(stops[0]) if len(stops) else len(values) - 1
    return Stop(int(best[last]) + 1, last + 1, bool(len(stops)))


def patience(history: Any, *, start: int = 5) -> frame.Panel:
    """Move the patience, and see where a recorded training would have stopped and what that would have cost.

    Parameters
    ----------
    history : History or dict
        What `training.fit` returns, or its ``history``, with ``val_loss``: a training that was not stopped.
    start : int
        Patience at first, in epochs.

    Raises
    ------
    BadInput
        If there is no validation loss, fewer than two epochs, a loss is not finite, or the start is out of range.
    """
    recorded = getattr(history, "history", history)
    losses = _losses(recorded)
    slider = frame.slider("patience [epochs]", 1, MOST, start)
    overall = int(np.argmin(losses))
    epochs = np.arange(1, len(losses) + 1)
    stops = {n: stop(losses, n) for n in range(1, MOST + 1)}

    fig, ax = plotting.losses(recorded)
    with plotting.use_style():
        low, high = ax.get_ylim()
        ax.set(xlim=(0, len(losses) + 1), ylim=(low, high))
        unseen = ax.axvspan(0, len(losses) + 1, color="white", alpha=0.75, linewidth=0, zorder=3)
        vain = ax.axvspan(
            0, 1, facecolor="none", edgecolor=style.GREY, hatch="///", linewidth=0, zorder=2, label="in vain"
        )
        end = ax.axvline(1, color=style.DARK, linewidth=1.5, zorder=4, label="training stops")
        star = ax.plot(
            [],
            [],
            "*",
            markersize=15,
            color="#E69F00",
            markeredgecolor="black",
            zorder=6,
            label="best epoch until then",
        )[0]
        lowest = ax.plot(
            epochs[overall],
            losses[overall],
            "o",
            markersize=11,
            fillstyle="none",
            color="black",
            zorder=5,
            label="best of all",
        )[0]
        ax.legend().remove()  # nothing that stands still may lie under what moves
        fig.legend(loc="outside upper center", ncols=3, fontsize=8.5)

    def update(patience: int) -> frame.Readout:
        found = stops[patience]
        for area, left, right in ((vain, found.best, found.last), (unseen, found.last, len(losses) + 1)):
            area.set_x(left)
            area.set_width(right - left)
        end.set_xdata([found.last] * 2)
        star.set_data([found.best], [losses[found.best - 1]])
        lost = losses[found.best - 1] - losses[overall]
        end_of_record = "" if found.stopped else " (the record ends before the patience does)"
        return {
            "patience": _epochs(patience),
            "training stops after epoch": f"{found.last}{end_of_record}",
            "goes back to epoch": f"{found.best}",
            "validation loss there": f"{losses[found.best - 1]:.4f}",
            "lost against the best of all": f"{lost:.4f}"
            + (f" (that is epoch {overall + 1})" if lost else " (it is the best)"),
            "trained in vain": _epochs(found.last - found.best),
        }

    return frame.Panel(
        "patience",
        fig,
        [vain, unseen, end, star, lowest],
        {"patience": slider},
        update,
        alt="Training and validation loss against the epoch. A vertical line marks where early stopping ends the "
        "training, a star the best epoch until then, a circle the best epoch of all. The epochs between star and "
        "line are hatched, those after the line are pale.",
    )


def _epochs(n: int) -> str:
    return f"{n} epoch{'s' if n != 1 else ''}"


def _losses(recorded: Any) -> NDArray[np.float64]:
    try:
        losses = np.asarray(recorded["val_loss"], dtype=np.float64)
    except (KeyError, TypeError, ValueError, IndexError):
        losses = np.zeros(0)
    if losses.ndim != 1 or len(losses) < 2 or not np.isfinite(losses).all():
        raise BadInput(
            "Expected a history with at least two finite validation losses.",
            where="interactive.patience",
            next_step="Pass what `training.fit(..., validation_data=...)` returned.",
        )
    return losses
