"""Neural networks of the course: build a fresh one, load one that was saved."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from labcourse.errors import BadInput, DamagedOutput
from labcourse.training import checked_array

if TYPE_CHECKING:
    import keras


def build(
    n_inputs: int,
    hidden: Sequence[int] = (60, 60),
    *,
    activation: str = "relu",
    learning_rate: float = 2e-4,
    dropout: float = 0.0,
    normalise: ArrayLike | None = None,
    seed: int | None = None,
) -> keras.Model:
    """Build and compile a classifier of signal against background.

    Dense layers with one sigmoid output, shape (n_events, 1), binary cross-entropy, Adam and the (weighted) accuracy.
    Each call gives a new model with a new optimizer.

    Raises BadInput if ``normalise`` has the wrong shape, holds NaN or infinite values, or has a constant column.

    Parameters
    ----------
    n_inputs, hidden : int, sequence of int
        Number of input variables; neurons of each hidden layer, empty for logistic regression.
    activation, learning_rate : str, float
        Of the hidden layers, by its Keras name; of the Adam optimizer.
    dropout : float
        Share of the neurons of each hidden layer that a training step leaves out, in [0, 1).
    normalise : array_like, shape (n_events, n_inputs), optional
        *Training* events. A first layer then scales each input to mean 0 and variance 1 as found there; it
        is part of the model, so that events are passed in as they are.
    seed : int, optional
        Of the initial weights and of dropout: the same seed gives the same model. By default both follow
        ``keras.utils.set_random_seed``.

    Examples
    --------
    >>> build(4).count_params()
    4021
    """
    import keras

    # One independent seed for each layer; None leaves the choice to Keras.
    n_seeds = 2 * len(hidden) + 1
    seeds = [None] * n_seeds if seed is None else np.random.SeedSequence(seed).generate_state(n_seeds).tolist()

    def dense(size: int, activation: str, name: str) -> keras.layers.Layer:
        initializer = keras.initializers.GlorotUniform(seed=seeds.pop(0))
        return keras.layers.Dense(size, activation=activation, kernel_initializer=initializer, name=name)

    layers = [keras.Input((n_inputs,), name="inputs")]
    if normalise is not None:
        layers.append(_normalisation(normalise, n_inputs))
    for number, size in enumerate(hidden, start=1):
        layers.append(dense(size, activation, f"hidden_{number}"))
        dropout_seed = seeds.pop(0)
        if dropout:
            layers.append(keras.layers.Dropout(dropout, seed=dropout_seed, name=f"dropout_{number}"))
    layers.append(dense(1, "sigmoid", "score"))
    model = keras.Sequential(layers, name="classifier")
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=float(learning_rate)),
        loss="binary_crossentropy",
        weighted_metrics=["accuracy"],
    )
    return model


def count_parameters(sizes: Sequence[int]) -> int:
    """Count weights and biases of dense layers of the given sizes, inputs first and output last.

    Examples
    --------
    >>> count_parameters([4, 60, 60, 1])
    4021
    """
    return sum((before + 1) * after for before, after in pairwise(sizes))


def load(path: Path | str) -> keras.Model:
    """Load a model from a `.keras` file, ready to predict and to train on.

    Keras' safe mode is on: a file cannot bring code of its own.

    Raises DamagedOutput if it is missing or cannot be read, or holds code or layers that this course does not know.
    """
    import keras

    path = Path(path)
    try:
        with warnings.catch_warnings():
            # Said of an optimizer that has made no step yet: nothing is lost.
            warnings.filterwarnings("ignore", "Skipping variable loading for optimizer")
            return keras.models.load_model(path, safe_mode=True)
    except Exception as error:  # Keras lets through whatever zip, JSON and HDF5 raise.
        reason = str(error).strip().partition("\n")[0][:200] or type(error).__name__
        raise DamagedOutput(
            f"{path.name} is not a readable Keras model: {reason}",
            where=str(path),
            next_step="Delete it and run the notebook that saves it again.",
        ) from error


def _normalisation(events: ArrayLike, n_inputs: int) -> keras.layers.Layer:
    import keras

    where = "network.build"
    # Energies reach 10⁶ in MeV: their squares need double precision.
    array = checked_array(events, "normalise", where, (n_inputs,)).reshape(-1, n_inputs).astype(np.float64)
    constant = np.flatnonzero((array == array[:1]).all(axis=0))
    if constant.size:
        what = f"Column {constant[0]} of normalise is the same in all events: it cannot be scaled."
        raise BadInput(what, where=where, next_step="Leave that input out: it says nothing about the events.")
    layer = keras.layers.Normalization(name="normalise")
    layer.adapt(array)
    return layer
