"""Ways to tell signal from background at a mass, all from the same events: the published recipe, a better one, trees.

Each gives a *classifier*: a function that takes events with the column ``m_a`` and returns their scores, 0 to 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from azh import learning, parameterised
from azh.events import TRAINING_MASSES, Parts, draw_masses
from labcourse import training

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

    With one mass only, the mass is no input.

    Raises
    ------
    BadInput, EmptySelection
        As `azh.build` and `azh.fit`.
    """
    import keras

    # Only what it is trained with: the scale of the inputs must not know a blind mass either.
    own = learning.of_masses(parts.train, masses, "train")
    x, _ = learning.arrays(own, draw_masses(own, masses, np.random.default_rng(seed)))
    optimizer: Any
    if recipe.momentum:
        optimizer = keras.optimizers.SGD(recipe.rate, momentum=recipe.momentum, nesterov=True)
        decay = keras.callbacks.LearningRateScheduler(lambda epoch: recipe.rate * recipe.decay**epoch)
        callbacks = (*callbacks, decay)
    else:
        steps = recipe.epochs * -(-len(own) // recipe.batch_size)
        optimizer = parameterised.one_cycle(recipe.rate, steps)
    if recipe.patience:
        stop = keras.callbacks.EarlyStopping(patience=recipe.patience, restore_best_weights=True)
        callbacks = (*callbacks, stop)
    model = parameterised.build(
        x if len(masses) > 1 else x[:, :-1],
        recipe.hidden,
        activation=recipe.activation,
        conditioning=recipe.conditioning if len(masses) > 1 else "concatenate",
        optimizer=optimizer,
        seed=seed,
    )
    history = learning.fit(
        model,
        parts.train,
        parts.validation,
        masses=masses,
        signal_scale=recipe.signal_scale,
        epochs=recipe.epochs,
        batch_size=recipe.batch_size,
        seed=seed,
        callbacks=callbacks,
        progress=progress,
    )
    return Trained(of_network(model), model, dict(history.history))


def of_network(model: keras.Model) -> Classifier:
    """Return the classifier of a network, with or without the mass as its last input."""

    def classify(events: pd.DataFrame) -> NDArray[np.float32]:
        x, _ = learning.arrays(events, events["m_a"].to_numpy(np.float32))
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
    train, validation = (learning.of_masses(part, masses, "train_tree") for part in parts[:2])
    sets = []
    for part in (train, validation):
        draws = [learning.arrays(part, draw_masses(part, masses, rng)) for _ in range(copies)]
        weight = learning.training_weights(part, signal_scale=signal_scale) / copies
        sets.append(
            (np.concatenate([x for x, _ in draws]), np.concatenate([y for _, y in draws]), np.tile(weight, copies))
        )
    (x, y, weight), (x_val, y_val, weight_val) = sets
    settings = {"max_iter": 500, "learning_rate": 0.1, "early_stopping": True, "n_iter_no_change": 15} | options
    trees = HistGradientBoostingClassifier(random_state=seed, **settings)
    trees.fit(x, y, sample_weight=weight, X_val=x_val, y_val=y_val, sample_weight_val=weight_val)

    def classify(events: pd.DataFrame) -> NDArray[np.float64]:
        x, _ = learning.arrays(events, events["m_a"].to_numpy(np.float32))
        return trees.predict_proba(x)[:, 1]

    return classify
