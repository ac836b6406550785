"""A network with one small hidden layer, while it trains on two variables: surface, scores, loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import contourpy
import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from course.interactive import frame
from labcourse import plotting
from labcourse.plotting import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage
    from matplotlib.lines import Line2D
    from matplotlib.patches import StepPatch

Array = NDArray[np.float64]
Layers = Sequence[tuple[Array, Array]]
"""(kernel, bias) of each dense layer, shapes (n_inputs, n_neurons) and (n_neurons,); the last one has one neuron."""

N_HIDDEN = 8
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


def small_network(
    x: ArrayLike, y: ArrayLike, columns: Sequence[str], *, n_events: int = 3000, epochs: int = 60, seed: int = 0
) -> frame.Panel:
    """Train a network 2-8-1 on two variables in batches of 64 events, and walk through its epochs.

    Parameters
    ----------
    x : array_like, shape (n, 2)
        Two variables of training events, in the units of the event table.
    y : array_like, shape (n,)
        1 for signal, 0 for background.
    columns : two names
        Columns of the event table, for the axes.
    n_events, seed : int
        As many events are drawn; the seed also fixes the network's first weights.
    """
    events = choose(x, y, n_events, seed)
    trained = fit(events, epochs, seed)
    epochs = len(trained.loss) - 1  # fewer, where the training was stopped
    share = events.y.mean()
    know_nothing = float(-share * np.log(share) - (1 - share) * np.log(1 - share))
    spans = [tuple(np.quantile(column, (0.0, 0.97))) for column in events.x.T]
    grid_axes = [np.linspace(low, high, N_GRID) for low, high in spans]
    grid = np.stack(np.meshgrid(*grid_axes), axis=-1).reshape(-1, 2)
    grid = (grid - events.x.mean(axis=0)) / events.x.std(axis=0)
    edges = np.linspace(0, 1, 26)

    with plotting.use_style():
        fig, axes = plotting.new_figure(2, 2, width=7.6, height=4.4, width_ratios=(3, 2))
        specification = axes[0, 0].get_gridspec()
        for ax in axes[:, 0]:
            ax.remove()
        image, lines, points = _draw_plane(fig.add_subplot(specification[:, 0]), events, columns, spans)
        steps = _draw_scores(axes[0, 1], edges)
        curve, dot = _draw_losses(axes[1, 1], trained.loss, know_nothing)

    def update(epoch: int) -> frame.Readout:
        layers = trained.layers[epoch]
        (kernel, bias), _ = layers
        active = (events.standard @ kernel + bias > 0).mean(axis=0)
        among = np.count_nonzero((active > 0) & (active < 1))
        surface = expit(logits(grid, layers)).reshape(N_GRID, N_GRID)
        image.set_data(surface)
        contours: Any = contourpy.contour_generator(grid_axes[0], grid_axes[1], surface, line_type="Separate")
        for collection, levels in zip(lines, ((0.5,), (0.25, 0.75)), strict=True):
            collection.set_segments([line for level in levels for line in contours.lines(level)])
        z = logits(events.standard, layers)
        for part, value in zip(steps, (0, 1), strict=True):
            of_class = expit(z[events.y == value])
            part.set_data(np.histogram(of_class, edges)[0] / len(of_class))
        curve.set_data(np.arange(epochs + 1), trained.loss)
        dot.set_data([epoch], [trained.loss[epoch]])
        return {
            "epoch": f"{epoch} of {epochs}",
            "loss": f"{trained.loss[epoch]:.4f}",
            "loss of knowing nothing but the share of signal": f"{know_nothing:.4f}",
            "on the right side of 0.5": f"{100 * np.mean((z >= 0) == (events.y == 1)):.1f} % of {len(z)} events",
            "hidden neurons with their kink among the events": f"{among} of {N_HIDDEN}",
        }

    return frame.Panel(
        "small-network",
        fig,
        [image, *lines, *points, *steps, curve, dot],
        {"epoch": frame.slider("epoch", 0, epochs, 0)},
        update,
        play="epoch",
        still={"epoch": epochs},
        alt="Left, plane of two variables with signal squares and background circles, coloured by the score of a"
        " network with one small hidden layer; a solid line marks the score 0.5, dotted lines 0.25 and 0.75."
        " Right, the scores of both classes, and below the loss against the epoch.",
    )


def choose(x: ArrayLike, y: ArrayLike, n_events: int, seed: int) -> Events:
    """Return at most ``n_events`` events drawn at random, standardised."""
    values, labels = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    drawn = np.sort(np.random.default_rng(seed).permutation(len(values))[:n_events])
    values, labels = values[drawn], labels[drawn]
    return Events(values, (values - values.mean(axis=0)) / values.std(axis=0), labels)


def fit(events: Events, epochs: int, seed: int) -> Training:
    """Train with `training.fit`, and return the layers after each epoch with the loss on all events."""
    import keras

    from labcourse import network, training

    model = network.build(2, hidden=(N_HIDDEN,), learning_rate=3e-3, seed=seed)
    dense = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    kept: list[Layers] = []

    def keep(*_: object) -> None:
        kept.append([tuple(np.asarray(values, np.float64) for values in layer.get_weights()) for layer in dense])  # type: ignore[misc]

    keep()
    each_epoch = keras.callbacks.LambdaCallback(on_epoch_end=keep)
    options: dict[str, Any] = {"epochs": epochs, "batch_size": 64, "seed": seed, "progress": False}
    training.fit(model, events.standard, events.y, callbacks=[each_epoch], **options)
    loss = [cross_entropy(events.y, logits(events.standard, layers)) for layers in kept]
    return Training(kept, np.array(loss))


def logits(x: Array, layers: Layers) -> Array:
    """Return what the last neuron passes to its sigmoid, shape (n_events,); hidden layers have a ReLU."""
    for kernel, bias in layers[:-1]:
        x = np.maximum(0, x @ kernel + bias)
    kernel, bias = layers[-1]
    return np.asarray((x @ kernel + bias)[:, 0])


def cross_entropy(y: Array, z: Array) -> float:
    """Return the mean binary cross-entropy of labels for logits, finite however certain the network is."""
    return float(np.mean(np.logaddexp(0, z) - y * z))


def _draw_plane(
    plane: Axes, events: Events, columns: Sequence[str], spans: Sequence[tuple[float, float]]
) -> tuple[AxesImage, list[LineCollection], list[Line2D]]:
    """Draw the events on an empty surface; return surface, its lines (0.5, and 0.25 with 0.75), and points."""
    options: dict[str, Any] = {"origin": "lower", "aspect": "auto", "vmin": 0, "vmax": 1, "cmap": COLORS}
    image = plane.imshow(np.zeros((N_GRID, N_GRID)), extent=(*spans[0], *spans[1]), **options)
    bar = plane.figure.colorbar(image, ax=plane, label="score", location="top", shrink=0.8)
    for level, width, dashes in ((0.5, 2.2, "-"), (0.25, 1, ":"), (0.75, 1, ":")):
        bar.ax.axvline(level, color="black", linewidth=width, linestyle=dashes)
    half = LineCollection([], colors="black", linewidths=2.2)
    levels = LineCollection([], colors=style.DARK, linewidths=1, linestyles=":")
    for collection in (half, levels):
        plane.add_collection(collection)
    looks: dict[str, Any] = {"linestyle": "none", "markersize": 4, "markeredgecolor": "white", "markeredgewidth": 0.4}
    points = []
    for value, color, marker in ((0, style.BACKGROUND, "o"), (1, style.SIGNAL, "s")):
        of_class = events.x[events.y == value][:SHOWN]
        points += plane.plot(*of_class.T, marker=marker, color=color, zorder=3, **looks)
    plane.set(xlim=spans[0], ylim=spans[1], xlabel=style.axis_title(columns[0]), ylabel=style.axis_title(columns[1]))
    plane.tick_params(which="both", direction="out", top=False, right=False)  # the moving image covers the inside
    return image, [half, levels], points


def _draw_scores(ax: Axes, edges: Array) -> list[StepPatch]:
    """Draw the axes of the scores; return the empty histograms of background and signal."""
    steps = []
    for label, color, marker, dashes in (
        ("background", style.BACKGROUND, "o", "-"),
        ("signal", style.SIGNAL, "s", "--"),
    ):
        steps.append(ax.stairs(np.zeros(len(edges) - 1), edges, color=color, linestyle=dashes, linewidth=1.6))
        ax.plot([], [], color=color, linestyle=dashes, marker=marker, markersize=4, label=label)
    ax.set(xlabel="score", ylabel="share / bin", xlim=(0, 1), ylim=(0, 0.5))
    ax.legend(loc="upper right", fontsize=8.5)
    return steps


def _draw_losses(ax: Axes, loss: Array, know_nothing: float) -> tuple[Line2D, Line2D]:
    """Draw the axes of the loss; return the empty curve, and the empty dot of an epoch."""
    n_epochs = len(loss) - 1
    ax.axhline(know_nothing, color=style.GREY, linestyle=":", linewidth=1.2)
    ax.text(n_epochs, know_nothing, "knowing nothing", fontsize=8.5, ha="right", va="bottom", clip_on=True)
    (curve,) = ax.plot([], [], color=style.DARK, linewidth=1.4)
    (dot,) = ax.plot([], [], "o", color="#E69F00", markeredgecolor="black", markersize=8, zorder=5)
    low, high = float(loss.min()), max(float(loss.max()), know_nothing)
    space = 0.15 * (high - low)
    ax.set(xlabel="epoch", ylabel="loss")
    ax.set(xlim=(-0.02 * n_epochs, 1.02 * n_epochs), ylim=(low - space, high + 2 * space))
    return curve, dot
