"""Train one network for all masses: weights, and masses drawn anew each epoch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from azh import events as table
from azh.events import MEASURED, TRAINING_MASSES, draw_masses, is_signal
from labcourse import training
from labcourse.errors import BadInput, EmptySelection

if TYPE_CHECKING:
    import keras
    import pandas as pd


def training_weights(events: pd.DataFrame, *, signal_scale: float = 1.0) -> NDArray[np.float32]:
    """Return the weights of a training, shape (n_events,), of mean one.

    |w| of each event, scaled so that all masses together count as much as the background, each mass the same, and
    then the signal by ``signal_scale`` (the k of the published study).

    Raises
    ------
    BadInput
        If the scale is not positive.
    EmptySelection
        If there is no signal or no background, or a mass without weight.
    """
    where = "azh.training_weights"
    if not 0 < signal_scale < np.inf:
        raise BadInput(f"signal_scale is {signal_scale}.", where=where, next_step="Use a positive number, such as 1.")
    weight = np.abs(events["weight"].to_numpy(np.float64))
    signal = is_signal(events)
    background = weight[~signal].sum()
    masses = events["m_a_true"].to_numpy(float)
    present = np.unique(masses[signal])
    if not background or not len(present):
        raise EmptySelection(
            "There is no signal or no background to train with.", where=where, next_step="Check the selection."
        )
    for mass in present:
        of_mass = signal & (masses == mass)
        if not weight[of_mass].sum():
            raise EmptySelection(
                f"All signal events of {mass:g} GeV have weight zero.", where=where, next_step="Leave this mass out."
            )
        weight[of_mass] *= signal_scale * background / len(present) / weight[of_mass].sum()
    return (weight / weight.mean()).astype(np.float32)


def arrays(events: pd.DataFrame, mass: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return inputs, shape (n_events, 20) with the mass last, and labels, shape (n_events,)."""
    measured = events[list(MEASURED)].to_numpy(np.float32)
    return np.column_stack([measured, mass]), is_signal(events).astype(np.float32)


def fit(
    model: keras.Model,
    train: pd.DataFrame,
    validation: pd.DataFrame,
    *,
    masses: tuple[float, ...] = TRAINING_MASSES,
    signal_scale: float = 1.0,
    epochs: int,
    batch_size: int = 500,
    seed: int = 0,
    callbacks: Iterable[keras.callbacks.Callback] = (),
    progress: bool = True,
) -> keras.callbacks.History:
    """Train a parameterised network.

    Signal of other masses than ``masses`` is left out, so that a mass can be kept blind. Background events get a
    mass drawn from ``masses``, anew for each epoch and reproducibly from ``seed``; for validation once.

    Parameters
    ----------
    model : keras.Model
        From `build`; with one input less it is trained without the mass.
    train, validation : DataFrame
        Event tables, see `azh.events`.
    signal_scale : float
        See `training_weights`.
    epochs, batch_size, seed, callbacks, progress
        As in `labcourse.training.fit`.

    Raises
    ------
    BadInput, EmptySelection
        If a table lacks a column or holds NaN, or no event is left to train with.
    """
    parts = [of_masses(part, masses, name) for part, name in ((train, "train"), (validation, "validation"))]
    x, y = arrays(parts[0], draw_masses(parts[0], masses, np.random.default_rng([seed, 0])))
    weight = training_weights(parts[0], signal_scale=signal_scale)
    x_val, y_val = arrays(parts[1], draw_masses(parts[1], masses, np.random.default_rng([seed, 1])))
    with_mass = model.input_shape[-1] == x.shape[1]
    if not with_mass:
        x, x_val = x[:, :-1], x_val[:, :-1]
    validation_data = (x_val, y_val, training_weights(parts[1], signal_scale=signal_scale))
    background = np.flatnonzero(y == 0)

    def new_masses(epoch: int) -> NDArray[np.float32]:
        if with_mass:
            rng = np.random.default_rng([seed, 2, epoch])
            x[background, -1] = rng.choice(np.asarray(masses, np.float32), len(background))
        return x

    return training.fit(
        model,
        x,
        y,
        weight,
        validation_data=validation_data,
        epochs=epochs,
        batch_size=batch_size,
        seed=seed,
        callbacks=callbacks,
        each_epoch=new_masses,
        progress=progress,
    )


def of_masses(events: pd.DataFrame, masses: tuple[float, ...], name: str) -> pd.DataFrame:
    """Return the background and the signal of some masses. Raises as `events.check`."""
    table.check(events, f"azh.fit, {name}")
    chosen = ~is_signal(events) | np.isin(events["m_a_true"].to_numpy(float), masses)
    return events[chosen].reset_index(drop=True)
