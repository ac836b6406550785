"""A network with one small hidden layer on two variables, trained by the course's own fit and kept after each epoch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from course.interactive import frame, surface


def small_network(
    x: ArrayLike,
    y: ArrayLike,
    columns: Sequence[str],
    *,
    n_neurons: int = 8,
    n_events: int = 3000,
    epochs: int = 60,
    seed: int = 0,
) -> frame.Panel:
    """Train a network 2-8-1 on two variables, and walk through its epochs.

    Parameters
    ----------
    x, y, columns, n_events, epochs, seed :
        As for `neuron`; here an epoch has batches of 64 events, and the steps are those of Adam.
    n_neurons : int
        In the hidden layer.

    Raises
    ------
    BadInput
        As `surface.choose`, or if a number is out of range.
    """
    events = surface.choose(x, y, n_events, seed)
    trained = fit(events, n_neurons, epochs, seed)

    def describe(layers: surface.Layers) -> frame.Readout:
        (kernel, bias), _ = layers
        active = (events.standard @ kernel + bias > 0).mean(axis=0)
        among = np.count_nonzero((active > 0) & (active < 1))
        return {"hidden neurons with their kink among the events": f"{among} of {n_neurons}"}

    return surface.panel(
        "small-network",
        events,
        columns,
        lambda: trained,
        describe,
        what="a network with one small hidden layer",
    )


def fit(events: surface.Events, n_neurons: int, epochs: int, seed: int) -> surface.Training:
    """Train with `training.fit`, and return the layers after each epoch with the loss on all events."""
    import keras

    from labcourse import network, training

    model = network.build(2, hidden=(n_neurons,), learning_rate=3e-3, seed=seed)
    dense = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    kept: list[surface.Layers] = []

    def keep(*_: object) -> None:
        kept.append([tuple(np.asarray(values, np.float64) for values in layer.get_weights()) for layer in dense])  # type: ignore[misc]

    keep()
    training.fit(
        model,
        events.standard,
        events.y,
        epochs=epochs,
        batch_size=64,
        seed=seed,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=keep)],
        progress=False,
    )
    loss = [surface.cross_entropy(events.y, surface.logits(events.standard, layers)) for layers in kept]
    return surface.Training(kept, np.array(loss))
