"""The walk of one neuron with two weights in its landscape: the loss, where each step of a learning rate leads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course.interactive import frame
from labcourse import plotting
from labcourse.plotting import style

Array = NDArray[np.float64]

RATES = (0.1, 0.3, 1.0, 3.0, 6.0, 9.0, 12.0, 13.0, 15.0, 20.0)
N_STEPS = 30
_REACH = 3.0
"""The landscape is drawn for weights between minus and plus this."""
_LEVELS = 16


def descent(
    x: ArrayLike,
    y: ArrayLike,
    columns: Sequence[str],
    descend: Callable[[Array, Array, Array, float, int], Array],
    *,
    start: ArrayLike,
) -> frame.Panel:
    """Walk through the landscape of the loss of one neuron; each learning rate is a walk of its own.

    Parameters
    ----------
    x : array_like, shape (n_events, 2)
        Two standardised inputs.
    y : array_like, shape (n_events,)
        1 for signal, 0 for background.
    columns : two names
        Columns of the event table, for the axes.
    descend : callable
        ``descend(x, y, weights, learning_rate, n_steps)`` returns the path, shape (n_steps + 1, 2).
    start : array_like, shape (2,)
        The weights before the first step.
    """
    inputs, labels = np.asarray(x, np.float64), np.asarray(y, np.float64)
    low, high = -_REACH, _REACH

    def loss(weights: Array, every: int = 1) -> Array:
        z = inputs[::every] @ weights.T
        return np.asarray(np.mean(np.logaddexp(0, z) - labels[::every, None] * z, axis=0))

    @cache
    def walk(learning_rate: float) -> tuple[Array, Array]:
        path = np.asarray(descend(inputs, labels, np.array(start, np.float64), learning_rate, N_STEPS), np.float64)
        return path, loss(path)

    # A twentieth of the events: nobody sees the difference in the lines, and everybody the seconds.
    grid = np.linspace(low, high, 41)
    surface = loss(np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2), every=20).reshape(len(grid), -1)

    rate = frame.control("SelectionSlider", "learning rate", options=RATES, value=1.0)
    with plotting.use_style():
        fig, (plane, curve) = plotting.new_figure(1, 2, width=7.6, height=3.9, width_ratios=(5, 4))
        levels = surface.min() + (surface.max() - surface.min()) * np.linspace(0, 1, _LEVELS) ** 2
        plane.contourf(grid, grid, surface, levels=levels, cmap="Greys", alpha=0.55)
        plane.contour(grid, grid, surface, levels=levels, colors=style.GREY, linewidths=0.6)
        (line,) = plane.plot([], [], "-", color=style.DARK, linewidth=1.3)
        (steps,) = plane.plot([], [], "o", color=style.DARK, markersize=3.5)
        (here,) = plane.plot([], [], "o", color="#E69F00", markeredgecolor="black", markersize=8, zorder=5)
        names = [style.axis_title(column).split(" [")[0] for column in columns]
        plane.set(xlabel=f"weight of {names[0]}", ylabel=f"weight of {names[1]}", xlim=(low, high), ylim=(low, high))
        plane.set_aspect("equal")
        plane.tick_params(which="both", direction="out", top=False, right=False)
        (losses,) = curve.plot([], [], "o-", color=style.DARK, linewidth=1.3, markersize=3.5)
        (now,) = curve.plot([], [], "o", color="#E69F00", markeredgecolor="black", markersize=8, zorder=5)
        floor = float(min(walk(3.0)[1]))
        curve.axhline(floor, color=style.GREY, linestyle=":", linewidth=1.2)
        curve.text(N_STEPS, floor, "bottom", fontsize=8.5, ha="right", va="top")
        curve.set(xlabel="step", ylabel="loss", xlim=(-0.5, N_STEPS + 0.5), ylim=(floor - 0.06, floor + 0.6))

    def update(step: int, learning_rate: float) -> frame.Readout:
        path, values = walk(learning_rate)
        for artist in (line, steps):
            artist.set_data(*path[: step + 1].T)
        here.set_data(*path[step : step + 1].T)
        losses.set_data(np.arange(N_STEPS + 1), values)
        now.set_data([step], values[step : step + 1])
        return {
            "step": f"{step} of {N_STEPS}",
            "weights": f"w₁ = {path[step, 0]:.3f}, w₂ = {path[step, 1]:.3f}",
            "loss": f"{values[step]:.4f}",
        }

    return frame.Panel(
        "descent",
        fig,
        [line, steps, here, losses, now],
        {"step": frame.slider("step", 0, N_STEPS, 0), "learning_rate": rate},
        update,
        still={"step": N_STEPS, "learning_rate": 13.0},
        alt="Left, the loss as a landscape of two weights, a valley with lines of equal loss, and the path of a descent"
        " in it; right, the loss against the step. With the learning rate 13 the path swings from one side of the"
        " valley to the other and does not arrive at the bottom.",
    )
