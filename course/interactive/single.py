"""One neuron on two variables, trained by gradient descent: the step length decides what becomes of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import ArrayLike

from course.interactive import frame, surface

RATES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)


def neuron(
    x: ArrayLike, y: ArrayLike, columns: Sequence[str], *, n_events: int = 3000, epochs: int = 100, seed: int = 0
) -> frame.Panel:
    """Train one neuron on two variables, and walk through its epochs; each learning rate is a training of its own.

    Parameters
    ----------
    x : array_like, shape (n, 2)
        Two variables of training events, in the units of the event table.
    y : array_like, shape (n,)
        1 for signal, 0 for background.
    columns : two names
        Columns of the event table, for the axes.
    n_events, seed : int
        As many events are drawn; the seed also fixes the neuron's first weights.
    epochs : int
        Steps, each with the gradient of all these events.

    Raises
    ------
    BadInput
        As `surface.choose`.
    """
    events = surface.choose(x, y, n_events, seed)

    @cache
    def training(learning_rate: float) -> surface.Training:
        return descend(events, learning_rate, epochs, seed)

    def describe(layers: surface.Layers) -> frame.Readout:
        ((kernel, bias),) = layers
        first, second = kernel[:, 0]
        text = f"w₁ = {first:.3f}, w₂ = {second:.3f}, b = {bias[0]:.3f}"
        return {"weights and bias (standardised inputs)": text.replace("-", "−")}

    return surface.panel(
        "neuron",
        events,
        columns,
        training,
        describe,
        learning_rate=frame.choice("learning rate", RATES, 0.1),
        what="one neuron",
    )


def descend(events: surface.Events, learning_rate: float, epochs: int, seed: int) -> surface.Training:
    """Return the training of one neuron by θ → θ − η ∇L with the gradient of all events, from random first weights.

    With z = w·x + b, the gradient of the mean cross-entropy is the mean of (sigmoid(z) − y) x for the weights, and of
    sigmoid(z) − y for the bias.
    """
    x, y = np.column_stack([events.standard, np.ones(len(events.y))]), events.y
    theta = np.append(np.random.default_rng(seed).normal(size=2), 0.0)
    steps, loss = [], []
    for _ in range(epochs + 1):
        z = x @ theta
        steps.append([(theta[:2, None].copy(), theta[2:].copy())])
        loss.append(surface.cross_entropy(y, z))
        theta = theta - learning_rate * (surface.sigmoid(z) - y) @ x / len(y)
    return surface.Training(steps, np.array(loss))
