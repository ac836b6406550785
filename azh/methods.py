"""Ways to tell signal from background at a mass, all from the same events: networks and trees.

Each gives a *classifier*: a function that takes events with the column ``m_a`` and returns their scores, 0 to 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from azh.events import MASSES, MEASURED, Parts, draw_masses, in_first_half, is_signal, of_masses
from azh.sensitivity import Classifier
from labcourse import training

if TYPE_CHECKING:
    import keras
    import pandas as pd


@dataclass(frozen=True)
class Recipe:
    """How a network is built and trained; what it is by default is what was measured to be good
    (docs/parameterised.md).

    ``rate`` is the learning rate, the peak of one cycle of Adam over all ``epochs``. ``signal_scale`` is how much the
    signal weighs (`training_weights`).
    """

    hidden: tuple[int, ...] = (128, 128)
    activation: str = "relu"
    batch_size: int = 1024
    rate: float = 0.01
    epochs: int = 30
    signal_scale: float = 0.03


IMPROVED = Recipe()
"""What was measured to be better than the published recipe."""
COPIES = 5
"""Of each background event in the training of trees."""


def build(
    normalise: NDArray[Any], recipe: Recipe, *, optimizer: keras.optimizers.Optimizer, seed: int = 0
) -> keras.Model:
    """Build and compile a fresh classifier whose last input is the mass of A (Baldi et al., arXiv:1601.07913).

    Parameters
    ----------
    normalise : ndarray, shape (n_events, n_inputs)
        *Training* events. A first layer scales each input to mean 0 and variance 1 as found there; it is part of the
        model.
    recipe : Recipe
        Whose ``hidden`` layers and ``activation`` it has.
    seed : int
        Of the initial weights: the same seed gives the same model.
    """
    import keras

    seeds = iter(int(s) for s in np.random.SeedSequence(seed).generate_state(len(recipe.hidden) + 1))

    def dense(size: int, name: str, final: str | None = None) -> keras.layers.Layer:
        random = keras.initializers.GlorotUniform(seed=next(seeds))
        return keras.layers.Dense(size, activation=final, kernel_initializer=random, name=name)

    scale = keras.layers.Normalization(name="normalise")
    scale.adapt(np.asarray(normalise, np.float64))
    inputs = keras.Input((normalise.shape[1],), name="inputs")
    x = scale(inputs)
    for number, size in enumerate(recipe.hidden, start=1):
        x = dense(size, f"hidden_{number}")(x)
        x = keras.layers.Activation(recipe.activation, name=f"{recipe.activation}_{number}")(x)
    model = keras.Model(inputs, dense(1, "score", final="sigmoid")(x), name="parameterised")
    model.compile(optimizer=optimizer, loss="binary_crossentropy", weighted_metrics=[])
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


def training_weights(events: pd.DataFrame, *, signal_scale: float = 1.0) -> NDArray[np.float32]:
    """Return the weights of a training, shape (n_events,), of mean one.

    |w| of each event, scaled so that all masses together count as much as the background, each mass the same, and
    then the signal by ``signal_scale`` (the k of the published study).
    """
    weight = np.abs(events["weight"].to_numpy(np.float64))
    mass = np.where(is_signal(events), events["m_a_true"], 0)
    present, place = np.unique(mass, return_inverse=True)
    total = np.bincount(place, weight)
    weight *= np.where(mass > 0, signal_scale * total[0] / (len(present) - 1) / total[place], 1)
    return (weight / weight.mean()).astype(np.float32)


def inputs_of(events: pd.DataFrame, mass: NDArray[Any]) -> NDArray[np.float32]:
    """Return the inputs of a network, shape (n_events, 21): `events.INPUTS`, the mass as the last one."""
    measured = events[list(MEASURED)].to_numpy(np.float32)
    return np.column_stack([measured, *_of_mass(measured[:, MEASURED.index("m_zh")], mass)])


def _of_mass(m_zh: NDArray[Any], mass: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the two inputs that know the tested mass.

    The ratio spares a network to learn for each mass anew where the signal lies. It ends at ±0.5, where no signal is.
    """
    mass = np.asarray(mass, np.float32)
    return np.clip(np.log(m_zh / mass), -0.5, 0.5), mass


class Trained(NamedTuple):
    """A classifier, and the network and history behind it."""

    classify: Classifier
    model: keras.Model
    history: dict[str, list[float]]


def train(
    parts: Parts,
    recipe: Recipe = IMPROVED,
    *,
    masses: tuple[float, ...] = MASSES,
    with_mass: bool = True,
    seed: int = 0,
    optimizer: keras.optimizers.Optimizer | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    progress: bool = True,
) -> Trained:
    """Train a network on the signal of some masses, and all background.

    Signal of other masses than ``masses`` is left out, so that a mass can be kept blind. Background events get a
    mass drawn from ``masses``, anew for each epoch and reproducibly from ``seed``; for validation once. With one mass
    only, or without ``with_mass``, neither the mass nor its ratio is an input.

    Parameters
    ----------
    parts : Parts
        Training and validation events; the test events are not looked at.
    optimizer : keras.optimizers.Optimizer, optional
        A new one; by default `one_cycle` at the recipe's rate.
    callbacks, progress
        As in `labcourse.training.fit`.

    Raises
    ------
    EmptySelection
        If there is no signal of these masses, or no background.
    """
    own, validation = (of_masses(part, masses) for part in parts[:2])
    with_mass = with_mass and len(masses) > 1
    inputs = slice(None) if with_mass else slice(len(MEASURED))
    if optimizer is None:
        optimizer = one_cycle(recipe.rate, recipe.epochs * -(-len(own) // recipe.batch_size))
    # Only what it is trained with: the scale of the inputs must not know a blind mass either.
    model = build(
        inputs_of(own, draw_masses(own, masses, np.random.default_rng(seed)))[:, inputs],
        recipe,
        optimizer=optimizer,
        seed=seed,
    )
    x, y = inputs_of(own, draw_masses(own, masses, np.random.default_rng([seed, 0]))), is_signal(own)
    m_zh = own["m_zh"].to_numpy(np.float32)[~y]
    x_val = inputs_of(validation, draw_masses(validation, masses, np.random.default_rng([seed, 1])))

    def new_masses(epoch: int) -> NDArray[np.float32]:
        drawn = np.random.default_rng([seed, 2, epoch]).choice(np.asarray(masses, np.float32), len(m_zh))
        x[~y, -2:] = np.column_stack(_of_mass(m_zh, drawn))
        return x[:, inputs]

    weight, weight_val = (training_weights(part, signal_scale=recipe.signal_scale) for part in (own, validation))
    history = training.fit(
        model,
        x[:, inputs],
        y,
        weight,
        validation_data=(x_val[:, inputs], is_signal(validation), weight_val),
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
        x = inputs_of(events, events["m_a"].to_numpy())
        return training.predict(model, x[:, : model.input_shape[-1]]).ravel()

    return classify


def train_tree(parts: Parts, *, signal_scale: float = 1.0, seed: int = 0, **options: Any) -> Classifier:
    """Train gradient-boosted decision trees with the mass as one more input, on the same events as a network.

    A tree sees its events once and not anew each epoch: background events are there `COPIES` times, each with another
    mass. Trees are added until the validation loss stops improving. ``options`` are those of
    `sklearn.ensemble.HistGradientBoostingClassifier`.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    rng = np.random.default_rng(seed)

    def copied(part: pd.DataFrame) -> tuple[NDArray[Any], ...]:
        x = [inputs_of(part, draw_masses(part, MASSES, rng)) for _ in range(COPIES)]
        weight = np.tile(training_weights(part, signal_scale=signal_scale) / COPIES, COPIES)
        return np.concatenate(x), np.tile(is_signal(part), COPIES), weight

    (x, y, weight), (x_val, y_val, weight_val) = map(copied, parts[:2])
    settings = {"max_iter": 500, "learning_rate": 0.1, "early_stopping": True, "n_iter_no_change": 15}
    # Without these two, which were chosen with the other half of the events, they learn single heavy events by heart.
    settings |= {"min_samples_leaf": 200, "l2_regularization": 10.0} | options
    trees = HistGradientBoostingClassifier(random_state=seed, **settings)
    trees.fit(x, y, sample_weight=weight, X_val=x_val, y_val=y_val, sample_weight_val=weight_val)
    return lambda events: trees.predict_proba(inputs_of(events, events["m_a"].to_numpy()))[:, 1]


def cross(first: Classifier, second: Classifier) -> Classifier:
    """Return the classifier that judges each event by the network that has not seen it.

    Parameters
    ----------
    first, second : callable
        Trained with the first and with the second half of the events (`azh.split`, and ``swapped``).
    """

    def classify(events: pd.DataFrame) -> NDArray[np.floating]:
        by_second, score = in_first_half(events), np.empty(len(events), np.float32)
        for chosen, judge in ((by_second, second), (~by_second, first)):
            score[chosen] = judge(events[chosen])
        return score

    return classify
