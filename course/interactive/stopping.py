"""Early stopping on a recorded training: what another patience would have done."""

from __future__ import annotations

from typing import Any

import numpy as np

from course.checks.registry import course_answer
from course.interactive import frame
from labcourse import plotting
from labcourse.plotting import style

MOST = 30


def patience(history: Any) -> frame.Panel:
    """Move the patience, and see where a recorded training would have stopped and what that would have cost.

    Parameters
    ----------
    history : History or dict
        What `training.fit` returns, or its ``history``, with ``val_loss``: a training that was not stopped.
    """
    recorded = getattr(history, "history", history)
    losses = np.asarray(recorded["val_loss"], dtype=np.float64)
    slider = frame.slider("patience [epochs]", 1, MOST, 5)
    overall, end_of_record = int(np.argmin(losses)), len(losses) + 1
    rule = course_answer("4.4")
    stops = {n: rule(losses.tolist(), n) for n in range(1, MOST + 1)}

    fig, ax = plotting.losses(recorded)
    with plotting.use_style():
        ax.set(xlim=(0, end_of_record), ylim=ax.get_ylim())
        unseen = ax.axvspan(0, end_of_record, color="white", alpha=0.75, linewidth=0, zorder=3)
        hatched: dict[str, Any] = {"facecolor": "none", "edgecolor": style.GREY, "hatch": "///", "linewidth": 0}
        vain = ax.axvspan(0, 1, zorder=2, label="in vain", **hatched)
        end = ax.axvline(1, color=style.DARK, linewidth=1.5, zorder=4, label="training stops")
        (star,) = ax.plot([], [], label="best epoch until then", **style.STAR)
        circle: dict[str, Any] = {"markersize": 11, "fillstyle": "none", "color": "black", "zorder": 5}
        (lowest,) = ax.plot(overall + 1, losses[overall], "o", label="best of all", **circle)
        ax.legend().remove()  # nothing that stands still may lie under what moves
        fig.legend(loc="outside upper center", ncols=3, fontsize=8.5)

    def update(patience: int) -> frame.Readout:
        best, last = stops[patience]
        for area, left, right in ((vain, best, last), (unseen, last, end_of_record)):
            area.set_x(left)
            area.set_width(right - left)
        end.set_xdata([last] * 2)
        star.set_data([best], [losses[best - 1]])
        lost = losses[best - 1] - losses[overall]
        return {
            "patience in epochs": f"{patience}",
            "training stops after epoch": f"{last}"
            + ("" if last - best >= patience else " (the record ends before the patience does)"),
            "goes back to epoch": f"{best}",
            "validation loss there": f"{losses[best - 1]:.4f}",
            "lost against the best of all": f"{lost:.4f}"
            + (f" (that is epoch {overall + 1})" if lost else " (it is the best)"),
            "epochs trained in vain": f"{last - best}",
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
