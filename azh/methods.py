"""Ways to tell signal from background at a mass, all from the same events: the published recipe, a better one, trees.

Each gives a *classifier*: a function that takes events with the column ``m_a`` and returns their scores, 0 to 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from azh import parameterised
from azh.events import MEASURED, TRAINING_MASSES, Parts, check, draw_masses, is_signal
from labcourse import training
from labcourse.errors import BadInput, EmptySelection

if TYPE_CHECKING:
    import keras
    import pandas as pd

Classifier = Callable[["pd.DataFrame"], NDArray[np.floating]]


@dataclass(frozen=True)
class Recipe:
    """How a network is built and trained.

    ``rate`` is the learning rate: of SGD with Nesterov ``momentum`` at the beginning, to be multiplied by ``decay``
    after each epoch; with ``momentum`` 0 it is the peak of one cycle of Adam, over all epochs. Training ends early
    once the validation loss has not improved for ``patience`` epochs, 0 never.
    """

    hidden: tuple[int, ...] = (50, 50)
    activation: str = "relu"
    conditioning: str = "concatenate"
    batch_size: int = 500
    rate: float = 0.14
    momentum: float = 0.7
    decay: float = 0.999
    epochs: int = 200
    patience: int = 15
    signal_scale: float = 1.0


PUBLISHED = Recipe()
"""R. Herencia, QMUL report 2022. Its rate of 1.4 belongs to weights in expected events; with weights of mean one, as
here, a tenth of it trains best, and all of it not at all. After how many epochs without improvement the training ended
is not published."""
IMPROVED = Recipe(
    hidden=(64, 64),
    activation="swish",
    batch_size=1024,
    rate=0.01,
    momentum=0.0,
    epochs=30,
    patience=0,
    signal_scale=0.03,
)
"""What was measured to be better (docs/parameterised.md)."""


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
    where = "azh.methods.training_weights"
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


def of_masses(events: pd.DataFrame, masses: tuple[float, ...], where: str) -> pd.DataFrame:
    """Return the background and the signal of some masses. Raises as `events.check`."""
    check(events, where)
    chosen = ~is_signal(events) | np.isin(events["m_a_true"].to_numpy(float), masses)
    return events[chosen].reset_index(drop=True)


class Trained(NamedTuple):
    """A classifier, and the network and history behind it."""

    classify: Classifier
    model: keras.Model
    history: dict[str, list[float]]


def train(
    parts: Parts,
    recipe: Recipe = IMPROVED,
    *,
    masses: tuple[float, ...] = TRAINING_MASSES,
    seed: int = 0,
    callbacks: tuple[Any, ...] = (),
    progress: bool = True,
) -> Trained:
    """Train a network on the signal of some masses, and all background.

    Signal of other masses than ``masses`` is left out, so that a mass can be kept blind. Background events get a
    mass drawn from ``masses``, anew for each epoch and reproducibly from ``seed``; for validation once. With one mass
    only, the mass is no input.

    Parameters
    ----------
    parts : Parts
        Training and validation events; the test events are not looked at.
    callbacks, progress
        As in `labcourse.training.fit`.

    Raises
    ------
    BadInput, EmptySelection
        If a table lacks a column or holds NaN, a setting of the recipe is unknown, or no event is left to train with.
    """
    import keras

    own, validation = (of_masses(part, masses, "azh.train") for part in parts[:2])
    with_mass = len(masses) > 1
    inputs = slice(None) if with_mass else slice(-1)
    optimizer: Any
    if recipe.momentum:
        optimizer = keras.optimizers.SGD(recipe.rate, momentum=recipe.momentum, nesterov=True)
        decay = keras.callbacks.LearningRateScheduler(lambda epoch: recipe.rate * recipe.decay**epoch)
        callbacks = (*callbacks, decay)
    else:
        optimizer = parameterised.one_cycle(recipe.rate, recipe.epochs * -(-len(own) // recipe.batch_size))
    if recipe.patience:
        stop = keras.callbacks.EarlyStopping(patience=recipe.patience, restore_best_weights=True)
        callbacks = (*callbacks, stop)
    # Only what it is trained with: the scale of the inputs must not know a blind mass either.
    model = parameterised.build(
        arrays(own, draw_masses(own, masses, np.random.default_rng(seed)))[0][:, inputs],
        recipe.hidden,
        activation=recipe.activation,
        conditioning=recipe.conditioning if with_mass else "concatenate",
        optimizer=optimizer,
        seed=seed,
    )
    x, y = arrays(own, draw_masses(own, masses, np.random.default_rng([seed, 0])))
    x_val, y_val = arrays(validation, draw_masses(validation, masses, np.random.default_rng([seed, 1])))
    background = np.flatnonzero(y == 0)

    def new_masses(epoch: int) -> NDArray[np.float32]:
        rng = np.random.default_rng([seed, 2, epoch])
        x[background, -1] = rng.choice(np.asarray(masses, np.float32), len(background))
        return x[:, inputs]

    history = training.fit(
        model,
        x[:, inputs],
        y,
        training_weights(own, signal_scale=recipe.signal_scale),
        validation_data=(
            x_val[:, inputs],
            y_val,
            training_weights(validation, signal_scale=recipe.signal_scale),
        ),
        epochs=recipe.epochs,
        batch_size=recipe.batch_size,
        seed=seed,
        callbacks=callbacks,
        each_epoch=new_masses,
        progress=progress,
    )
    return Trained(of_network(model), model, dict(history.history))


def of_network(model: keras.Model) -> Classifier:
    """Return the classifier of a network, with or without the mass as its last input."""

    def classify(events: pd.DataFrame) -> NDArray[np.float32]:
        x, _ = arrays(events, events["m_a"].to_numpy(np.float32))
        return training.predict(model, x[:, : model.input_shape[-1]]).ravel()

    return classify


def train_tree(
    parts: Parts,
    *,
    masses: tuple[float, ...] = TRAINING_MASSES,
    signal_scale: float = 1.0,
    copies: int = 5,
    seed: int = 0,
    **options: Any,
) -> Classifier:
    """Train gradient-boosted decision trees with the mass as one more input, on the same events as a network.

    A tree sees its events once and not anew each epoch: background events are there ``copies`` times, each with
    another mass. Trees are added until the validation loss stops improving.

    Parameters
    ----------
    options
        Of `sklearn.ensemble.HistGradientBoostingClassifier`.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    rng = np.random.default_rng(seed)
    train, validation = (of_masses(part, masses, "azh.train_tree") for part in parts[:2])
    sets = []
    for part in (train, validation):
        draws = [arrays(part, draw_masses(part, masses, rng)) for _ in range(copies)]
        weight = training_weights(part, signal_scale=signal_scale) / copies
        sets.append(
            (np.concatenate([x for x, _ in draws]), np.concatenate([y for _, y in draws]), np.tile(weight, copies))
        )
    (x, y, weight), (x_val, y_val, weight_val) = sets
    settings = {"max_iter": 500, "learning_rate": 0.1, "early_stopping": True, "n_iter_no_change": 15} | options
    trees = HistGradientBoostingClassifier(random_state=seed, **settings)
    trees.fit(x, y, sample_weight=weight, X_val=x_val, y_val=y_val, sample_weight_val=weight_val)

    def classify(events: pd.DataFrame) -> NDArray[np.float64]:
        x, _ = arrays(events, events["m_a"].to_numpy(np.float32))
        return trees.predict_proba(x)[:, 1]

    return classify
