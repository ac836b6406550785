"""A small network on two variables while it trains: its decision surface, its scores, its loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap
from numpy.typing import ArrayLike, NDArray

from course.interactive import frame
from labcourse import plotting
from labcourse.errors import BadInput
from labcourse.plotting import style

Array = NDArray[np.float64]
Layers = Sequence[tuple[Array, Array]]
"""(kernel, bias) of each dense layer, shapes (n_inputs, n_neurons) and (n_neurons,); the last one has one neuron."""

SHOWN = 100
"""Events of each class that are drawn as points."""
N_GRID = 60
COLORS = LinearSegmentedColormap.from_list("score", ["#8FC3E8", "#FFFFFF", "#F2A878"], N=20)


class Training(NamedTuple):
    """The network after each epoch (the first entry: before any), and its loss on all events, shape (n_epochs + 1,)."""

    layers: Sequence[Layers]
    loss: Array


class Events(NamedTuple):
    """Two variables, shape (n_events, 2): ``x`` as given, ``standard`` with mean 0 and width 1; and ``y``, 0 or 1."""

    x: Array
    standard: Array
    y: Array


def choose(x: ArrayLike, y: ArrayLike, n_events: int, seed: int) -> Events:
    """Return at most ``n_events`` events drawn at random, standardised.

    Raises
    ------
    BadInput
        If x is not of shape (n, 2) with one label each, a value is not finite, a column is constant or a class
        is missing.
    """
    values, labels = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] != 2 or labels.shape != values.shape[:1]:
        raise BadInput(
            f"Expected x of shape (n, 2) and y of shape (n,). Received {values.shape} and {labels.shape}.",
            where="interactive",
            next_step="Pick two columns of the inputs: x[:, [0, 1]].",
        )
    if not (np.isfinite(values).all() and np.isin(labels, (0, 1)).all()):
        raise BadInput("An input is not finite, or a label is neither 0 nor 1.", where="interactive")
    drawn = np.sort(np.random.default_rng(seed).permutation(len(values))[:n_events])
    values, labels = values[drawn], labels[drawn]
    if not {0.0, 1.0} <= set(labels.tolist()) or not (np.ptp(values, axis=0) > 0).all():
        raise BadInput(
            "The drawn events hold only one class, or an input is constant.",
            where="interactive",
            next_step="Pass signal and background events, with two inputs that vary.",
        )
    return Events(values, (values - values.mean(axis=0)) / values.std(axis=0), labels)


def logits(x: Array, layers: Layers) -> Array:
    """Return what the last neuron passes to its sigmoid, shape (n_events,); hidden layers have a ReLU."""
    for kernel, bias in layers[:-1]:
        x = np.maximum(0, x @ kernel + bias)
    kernel, bias = layers[-1]
    return np.asarray((x @ kernel + bias)[:, 0])


def sigmoid(z: Array) -> Array:
    """Return 1/(1 + exp(−z)), without overflow.

    Examples
    --------
    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    return 0.5 * (1 + np.tanh(0.5 * z))


def cross_entropy(y: Array, z: Array) -> float:
    """Return the mean binary cross-entropy of labels for logits, finite however certain the network is."""
    return float(np.mean(np.logaddexp(0, z) - y * z))


def panel(
    name: str,
    events: Events,
    columns: Sequence[str],
    training: Callable[..., Training],
    describe: Callable[[Layers], frame.Readout],
    *,
    what: str,
    **controls: Any,
) -> frame.Panel:
    """Return the panel of a training, with a slider over its epochs.

    ``training`` is called with the values of ``controls`` and gives the training to show; ``describe`` reads out
    the parameters of a network; ``what`` is trained, for the alternative text.
    """
    first = training(**{key: control.value for key, control in controls.items()})
    n_epochs = len(first.loss) - 1
    controls = {"epoch": frame.slider("epoch", 0, n_epochs, 0), **controls}
    share = events.y.mean()
    know_nothing = float(-share * np.log(share) - (1 - share) * np.log(1 - share))
    spans = [tuple(np.quantile(column, (0.0, 0.97))) for column in events.x.T]
    mean, width = events.x.mean(axis=0), events.x.std(axis=0)
    axes_of_grid = [np.linspace(low, high, N_GRID) for low, high in spans]
    grid = np.stack(np.meshgrid(*axes_of_grid), axis=-1).reshape(-1, 2)
    grid = (grid - mean) / width
    edges = np.linspace(0, 1, 26)

    with plotting.use_style():
        fig, axes = plotting.new_figure(2, 2, width=7.6, height=4.4, width_ratios=(3, 2))
        specification = axes[0, 0].get_gridspec()
        for ax in axes[:, 0]:
            ax.remove()
        plane, scores, losses = fig.add_subplot(specification[:, 0]), axes[0, 1], axes[1, 1]
        image = plane.imshow(
            np.zeros((N_GRID, N_GRID)),
            extent=(*spans[0], *spans[1]),
            origin="lower",
            aspect="auto",
            vmin=0,
            vmax=1,
            cmap=COLORS,
        )
        bar = fig.colorbar(image, ax=plane, label="score", location="top", shrink=0.8)
        for level, width_of_line, dashes in ((0.5, 2.2, "-"), (0.25, 1, ":"), (0.75, 1, ":")):
            bar.ax.axvline(level, color="black", linewidth=width_of_line, linestyle=dashes)
        half = LineCollection([], colors="black", linewidths=2.2)
        levels = LineCollection([], colors=style.DARK, linewidths=1, linestyles=":")
        plane.add_collection(half)
        plane.add_collection(levels)
        points, steps = [], []
        looks: dict[str, Any] = {
            "linestyle": "none",
            "markersize": 4,
            "markeredgecolor": "white",
            "markeredgewidth": 0.4,
            "zorder": 3,
        }
        for value, color, marker, dashes in ((0, style.BACKGROUND, "o", "-"), (1, style.SIGNAL, "s", "--")):
            of_class = events.x[events.y == value][:SHOWN]
            points += plane.plot(*of_class.T, marker=marker, color=color, **looks)
            steps.append(scores.stairs(np.zeros(25), edges, color=color, linestyle=dashes, linewidth=1.6))
            label = "signal" if value else "background"
            scores.plot([], [], color=color, linestyle=dashes, marker=marker, markersize=4, label=label)
        plane.set(
            xlim=spans[0], ylim=spans[1], xlabel=style.axis_title(columns[0]), ylabel=style.axis_title(columns[1])
        )
        plane.tick_params(which="both", direction="out", top=False, right=False)  # the moving image covers the inside
        scores.set(xlabel="score", ylabel="share / bin", xlim=(0, 1), ylim=(0, 0.5))
        scores.legend(loc="upper right", fontsize=8.5)
        losses.axhline(know_nothing, color=style.GREY, linestyle=":", linewidth=1.2)
        losses.text(n_epochs, know_nothing, "knowing nothing", fontsize=8.5, ha="right", va="bottom", clip_on=True)
        (curve,) = losses.plot([], [], color=style.DARK, linewidth=1.4)
        (dot,) = losses.plot([], [], "o", color="#E69F00", markeredgecolor="black", markersize=8, zorder=5)
        low, high = float(first.loss.min()), max(float(first.loss.max()), know_nothing)
        room = 0.15 * (high - low)
        losses.set(
            xlabel="epoch", ylabel="loss", xlim=(-0.02 * n_epochs, 1.02 * n_epochs), ylim=(low - room, high + 2 * room)
        )

    def update(epoch: int, **chosen: Any) -> frame.Readout:
        history = training(**chosen)
        layers = history.layers[epoch]
        surface = sigmoid(logits(grid, layers)).reshape(N_GRID, N_GRID)
        image.set_data(surface)
        half.set_segments(contours(axes_of_grid, surface, (0.5,)))
        levels.set_segments(contours(axes_of_grid, surface, (0.25, 0.75)))
        z = logits(events.standard, layers)
        for part, value in zip(steps, (0, 1), strict=True):
            of_class = sigmoid(z[events.y == value])
            part.set_data(np.histogram(of_class, edges)[0] / len(of_class))
        curve.set_data(np.arange(n_epochs + 1), history.loss)
        dot.set_data([epoch], [history.loss[epoch]])
        return {
            "epoch": f"{epoch} of {n_epochs}",
            "loss": f"{history.loss[epoch]:.4f}",
            "loss of knowing nothing but the share of signal": f"{know_nothing:.4f}",
            "on the right side of 0.5": f"{100 * np.mean((z >= 0) == (events.y == 1)):.1f} % of {len(z)} events",
            **describe(layers),
        }

    return frame.Panel(
        name,
        fig,
        [image, half, levels, *points, *steps, curve, dot],
        controls,
        update,
        play="epoch",
        still={"epoch": n_epochs},
        alt="Left, plane of two variables with signal squares and background circles, coloured by the score of "
        f"{what}; a solid line marks the score 0.5, dotted lines 0.25 and 0.75. Right, the scores of both classes,"
        " and below the loss against the epoch.",
    )


def contours(axes: Sequence[Array], surface: Array, levels: Sequence[float]) -> list[Array]:
    """Return the lines on which the surface, shape (n_y, n_x), has one of the levels."""
    import contourpy

    x, y = axes
    generator = contourpy.contour_generator(x, y, surface, line_type=contourpy.LineType.Separate)
    return [np.asarray(line) for level in levels for line in generator.lines(level)]
