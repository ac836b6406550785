"""Networks that take the mass of A as one more input: a fresh one per call.

How the mass enters is the *conditioning*:

``concatenate``
    The mass stands beside the other inputs (Baldi et al., arXiv:1601.07913; so did the published search).
``affine``
    Each hidden layer is scaled and shifted by functions of the mass, learned with it: h → (1 + γ(m)) h + β(m)
    (Perez et al., arXiv:1709.07871).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from labcourse.errors import BadInput

if TYPE_CHECKING:
    import keras

CONDITIONINGS = ("concatenate", "affine")
ACTIVATIONS = ("relu", "selu", "leaky_relu", "prelu", "gelu", "swish")


def build(
    normalise: NDArray[Any],
    hidden: Sequence[int] = (50, 50),
    *,
    activation: str = "relu",
    conditioning: str = "concatenate",
    optimizer: keras.optimizers.Optimizer | None = None,
    seed: int = 0,
) -> keras.Model:
    """Build and compile a classifier whose last input is the mass of A.

    Parameters
    ----------
    normalise : ndarray, shape (n_events, n_inputs)
        *Training* events, the mass in the last column. A first layer scales each input to mean 0 and variance 1
        as found there; it is part of the model.
    hidden : sequence of int
        Neurons of each hidden layer.
    activation : str
        One of ``ACTIVATIONS``.
    conditioning : str
        ``concatenate`` or ``affine``.
    optimizer : keras.optimizers.Optimizer, optional
        A new one; Adam with a learning rate of 0.001 by default.
    seed : int
        Of the initial weights: the same seed gives the same model.

    Raises
    ------
    BadInput
        If an option is unknown, a layer has no neuron, or an input is constant or not finite.
    """
    import keras

    _check(normalise, hidden, activation, conditioning)
    seeds = iter(int(s) for s in np.random.SeedSequence(seed).generate_state(3 * len(hidden) + 1))

    def dense(size: int, name: str, *, zero: bool = False, final: str | None = None) -> keras.layers.Layer:
        random: Any = keras.initializers.GlorotUniform(seed=next(seeds))
        return keras.layers.Dense(size, activation=final, kernel_initializer="zeros" if zero else random, name=name)

    n_inputs = normalise.shape[1]
    scale = keras.layers.Normalization(name="normalise")
    scale.adapt(np.asarray(normalise, np.float64))
    inputs = keras.Input((n_inputs,), name="inputs")
    x = scale(inputs)
    mass = x[:, n_inputs - 1 :] if conditioning == "affine" else None
    for number, size in enumerate(hidden, start=1):
        x = dense(size, f"hidden_{number}")(x)
        if mass is not None:
            # Zero at first: the layer begins as an ordinary one.
            factor = dense(size, f"scale_{number}", zero=True)(mass)
            shift = dense(size, f"shift_{number}", zero=True)(mass)
            x = keras.layers.Add(name=f"affine_{number}")([x, keras.layers.Multiply()([x, factor]), shift])
        name = f"{activation}_{number}"
        prelu = activation == "prelu"
        x = (keras.layers.PReLU(name=name) if prelu else keras.layers.Activation(activation, name=name))(x)
    model = keras.Model(inputs, dense(1, "score", final="sigmoid")(x), name="parameterised")
    model.compile(optimizer=optimizer or keras.optimizers.Adam(1e-3), loss="binary_crossentropy", weighted_metrics=[])
    return model


def one_cycle(peak: float, steps: int) -> keras.optimizers.Optimizer:
    """Return Adam with one cycle of the learning rate: up to ``peak`` in 30 % of the steps, then down to nothing.

    A rate that is high all the time would leave the network jumping around the minimum; one that starts low, rises and
    then falls goes far and still settles (Smith and Topin, arXiv:1708.07120).
    """
    import keras

    up = max(int(0.3 * steps), 1)
    schedule = keras.optimizers.schedules.CosineDecay(
        peak / 25, max(steps - up, 1), alpha=1e-4, warmup_target=peak, warmup_steps=up
    )
    return keras.optimizers.Adam(schedule)


def _check(normalise: NDArray[Any], hidden: Sequence[int], activation: str, conditioning: str) -> None:
    what, next_step = "", "Pass the input array of the training events, shape (n_events, n_inputs)."
    if activation not in ACTIVATIONS or conditioning not in CONDITIONINGS:
        what = f"Unknown activation {activation!r} or conditioning {conditioning!r}."
        next_step = f"Choose from {', '.join(ACTIVATIONS)}, and from {', '.join(CONDITIONINGS)}."
    elif any(size < 1 for size in hidden):
        what, next_step = f"hidden is {tuple(hidden)}.", "Give each layer a neuron or more."
    elif normalise.ndim != 2 or not len(normalise) or not np.isfinite(normalise).all():
        what = f"normalise has shape {normalise.shape}, or values that are not finite."
    elif (constant := np.flatnonzero(np.ptp(normalise, axis=0) == 0)).size:
        what = f"Column {constant[0]} of normalise is the same in all events: it cannot be scaled."
        next_step = "Train with several masses, or leave the column out."
    if what:
        raise BadInput(what, where="azh.parameterised.build", next_step=next_step)
