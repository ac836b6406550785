"""Folds: which network trains and validates on which events, and how the losses of the folds scatter against k."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.colors import ListedColormap
from numpy.typing import NDArray

from course.interactive import frame
from labcourse import plotting
from labcourse.plotting import style

MOST = 12
"""The largest number of folds."""
N_EVENTS, SHOWN = 600, 30
"""So many events there are, and so many events are drawn."""


def folds() -> frame.Panel:
    """Move the number of folds and the network that is looked at: a cross-validation of a toy.

    The toy's events have one quantity, Gaussian around −0.5 (background) or 0.5 (signal), and its «networks» are
    straight lines fitted to the labels 0 and 1; their loss is the mean squared deviation.
    """
    controls = {
        "k": frame.slider("number of folds k", 2, MOST, 5),
        "network": frame.slider("network", 1, 5, 1),
    }
    rng = np.random.default_rng(5)
    place = rng.permutation(N_EVENTS)
    y = (np.arange(N_EVENTS) % 2).astype(float)
    x = rng.normal(y - 0.5, 1.0)
    of_k = {k: _losses(x, y, place % k) for k in range(2, MOST + 1)}
    each = _deviations(x, y, np.ones(N_EVENTS, bool), np.ones(N_EVENTS, bool))
    ks = np.arange(2, MOST + 1)
    predicted = each.std() * np.sqrt(ks / N_EVENTS)
    with plotting.use_style():
        fig, (left, right) = plotting.new_figure(1, 2, width=8.4, height=4.0, width_ratios=(3, 2))
        extent = (0.5, SHOWN + 0.5, 1, 0)
        looks: dict[str, Any] = {"extent": extent, "aspect": "auto", "interpolation": "nearest", "vmin": 0, "vmax": 1}
        picture = left.imshow(np.zeros((MOST, SHOWN)), cmap=ListedColormap([_TRAINS, _VALIDATES]), **looks)
        (frame_of_row,) = left.plot([], [], color="black", linewidth=1.8)
        left.set(xlabel=f"event (the first {SHOWN})", ylabel="networks, the first on top", yticks=[])
        left.minorticks_off()
        for color, name in ((_TRAINS, "trains"), (_VALIDATES, "validates")):
            left.plot([], [], "s", color=color, label=name)
        fig.legend(loc="outside upper left", ncols=2)
        mean = each.mean()
        right.fill_between(ks, mean - predicted, mean + predicted, color=style.GREY, alpha=0.25, label="± σ √(k/n)")
        right.plot(
            ks, [losses.mean() for losses in of_k.values()], color=style.DARK, linewidth=1.2, label="mean of the folds"
        )
        (points,) = right.plot([], [], "o", color=style.BACKGROUND, markersize=5, label="a fold")
        (chosen,) = right.plot([], [], "o", color=_VALIDATES, markeredgecolor="black", markersize=9, zorder=5)
        low, high = min(map(np.min, of_k.values())), max(map(np.max, of_k.values()))
        right.set(xlabel="number of folds k", ylabel="validation loss", xlim=(1, MOST + 1))
        right.set_ylim(low - 0.02, high + 0.35 * (high - low))
        right.legend(loc="upper left", fontsize=8.5)

    def update(k: int, network: int) -> frame.Readout:
        controls["network"].max = k  # there are no more
        number, fold, losses = min(network, k) - 1, place % k, of_k[k]
        picture.set_data((fold[:SHOWN] == np.arange(k)[:, None]).astype(float))
        frame_of_row.set_data(np.array([0, 1, 1, 0, 0]) * SHOWN + 0.5, (number + np.array([0, 0, 1, 1, 0])) / k)
        points.set_data(np.full(k, k), losses)
        chosen.set_data([k], [losses[number]])
        trains = int((fold != number).sum())
        shared = (k - 2) / (k - 1)
        return {
            "folds and networks": f"{k}",
            f"network {number + 1} trains on": f"{trains} of {N_EVENTS} events",
            "and is validated on": f"{N_EVENTS - trains} events, loss {losses[number]:.3f}",
            "two networks share": f"{shared:.0%} of their training events",
            "mean of the losses": f"{losses.mean():.4f}",
            "their spread": f"{losses.std(ddof=1):.4f}; predicted σ √(k/n) = {predicted[k - 2]:.4f}",
            "σ, n": f"spread {each.std():.3f} of the losses of single events, {N_EVENTS} events",
        }

    return frame.Panel(
        "folds",
        fig,
        [picture, frame_of_row, points, chosen],
        controls,
        update,
        alt="Left, a table of networks against events: in each column, one network validates on the event and all "
        "others train on it; a frame marks one network. Right, the losses of the folds for this k, over a band of the "
        "predicted spread, which grows with the root of k, and the mean, which hardly changes.",
    )


_TRAINS, _VALIDATES = "#9AD0F5", "#E69F00"


def _deviations(x: Any, y: Any, trains: Any, validates: Any) -> NDArray[np.float64]:
    """Fit a straight line to some events; return the squared deviations of others."""
    slope, offset = np.polyfit(x[trains], y[trains], 1)
    return np.square(slope * x[validates] + offset - y[validates])


def _losses(x: Any, y: Any, fold: Any) -> NDArray[np.float64]:
    """Return the loss of each fold of a cross-validation, shape (k,)."""
    return np.array([_deviations(x, y, fold != i, fold == i).mean() for i in range(fold.max() + 1)])
