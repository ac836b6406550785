"""A referee for networks of a student's design: what they reach on a task with few heavy events."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from course.checks.findings import Report
from course.checks.tables import caught
from course.checks.tables import losses as losses_of

__all__ = ["examine"]

#: The mean validation loss of the last epochs that a network has to reach. A coin toss has 0.69, two layers of 60
#: neurons end near 0.62, with dropout near 0.40.
_BAR, _EPOCHS, _LAST = 0.5, 40, 3
_PARAMETERS = 50_000
_LEAVES_RANGE = "the output leaves the range from 0 to 1", "activation='sigmoid' in the last layer"


def _task(n: int, seed: int, n_inputs: int = 16) -> tuple[NDArray[np.float32], ...]:
    """Return inputs, labels and weights of ``n`` events, of which two inputs tell anything.

    Half of the background's weight is that of few heavy events, which lie on both sides of the signal in the second.
    """
    rng = np.random.default_rng(seed)
    z, signal = rng.normal(size=(n, n_inputs)), rng.random(n) < 0.5
    is_light = rng.random(n) >= 0.05
    light, heavy = ~signal & is_light, ~signal & ~is_light
    z[:, 0] = 0.7 * z[:, 0] + np.where(light, -1, 1)
    z[:, 1] = np.where(light, z[:, 1], 0.5 * z[:, 1] + 1.5 * heavy * rng.choice([-1, 1], n))
    x, weight = (z + 3) * np.resize([0.1, 30], n_inputs), np.select([signal, light], [1.0, 0.5 / 0.95], 0.5 / 0.05)
    return x.astype(np.float32), signal.astype(np.float32), weight.astype(np.float32)


def examine(answer: Any, report: Report) -> None:
    """Note whether a function of inputs builds networks that learn a small task, and not its events by heart."""
    x, y, weight = _task(2500, 84)
    model, other = answer(x), answer(x[:, :5])
    if not (hasattr(model, "count_params") and hasattr(model, "predict")):
        report.wrong(f"this is no Keras model, but of type {type(model).__name__}", "return the model")
    follows_x = model.input_shape[1:] == (16,) and other.input_shape[1:] == (5,)
    fixed, same = "the number of inputs is fixed", "each call returns the same model"
    report.holds(follows_x, "the number of inputs follows from x", mistake=fixed, hint="take it from x: x.shape[1]")
    build = "it would remember its last training: build it inside the function"
    report.holds(model is not answer(x), "each call makes a new model", mistake=same, hint=build)
    trainable = int(sum(np.prod(variable.shape) for variable in model.trainable_variables))
    loss = getattr(model, "loss", None)
    name = str(getattr(loss, "name", None) or getattr(loss, "__name__", loss)).lower()
    activation = getattr(model.layers[-1], "activation", None) if model.layers else None
    shape, one_sigmoid = model.output_shape[1:], "the last layer has a single neuron with a sigmoid"
    compile_ = "network.build does that; with Keras: model.compile(optimizer=…, loss='binary_crossentropy')"
    is_one = getattr(activation, "__name__", "") == "softmax"
    caught(
        report,
        (shape != (1,), f"has the output shape {shape}", one_sigmoid),
        (trainable > _PARAMETERS, f"has {trainable} parameters", "at most 50 000: fewer neurons, or fewer layers"),
        ("binary_crossentropy" not in name, f"the loss is {name}, and not the binary cross-entropy", compile_),
        (is_one, "the output is 1 for every event", "a softmax of one neuron is always 1: use a sigmoid"),
    )
    report.holds(True, "one output, at most 50 000 parameters, compiled with the binary cross-entropy")
    _learns(model, (x, y, weight), report)


def _learns(model: Any, events: tuple[Any, ...], report: Report) -> None:
    from labcourse import training

    validation = _task(10_000, 85)
    losses: list[float] = []
    for epochs in (0, _EPOCHS - _LAST, *[1] * _LAST):
        if epochs:
            history = training.fit(model, *events, epochs=epochs, seed=len(losses), progress=False)
            if getattr(history, "interrupted", False):  # there is nothing to judge
                raise KeyboardInterrupt
        score = training.predict(model, validation[0]).astype(float).reshape(-1)
        if np.nanmin(score) < 0 or np.nanmax(score) > 1:
            report.wrong(*_LEAVES_RANGE)
        losses.append(_loss(score, *validation[1:]))
    reached = float(np.mean(losses[-_LAST:]))
    of_training = _loss(training.predict(model, events[0]).astype(float).reshape(-1), *events[1:])
    found = f"after {_EPOCHS} epochs its validation loss is {reached:.2f}"
    by_heart = "fewer neurons, or dropout: chapter 4 has ways to keep a network from learning events by heart"
    hint = "is there a hidden layer, are the inputs normalised, is the learning rate near 2e-3, little dropout?"
    caught(
        report,
        (
            reached >= _BAR > 2 * of_training,
            f"it has learnt its events by heart: {found}, on them it is {of_training:.2f}",
            by_heart,
        ),
        (reached >= 0.58, f"it does not learn the task: {found}, where 0.69 is a coin toss", hint),
        (reached >= _BAR, f"it is slow or too small: {found}", hint),
    )
    report.holds(reached < _BAR, f"learns a few heavy events without learning them by heart: a loss below {_BAR}")


def _loss(score: Any, label: Any, weight: Any) -> float:
    return float(np.average(losses_of(label, score), weights=weight))
