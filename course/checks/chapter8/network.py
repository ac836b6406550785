"""Exercises 8.4 and 8.5: a network of the student's own design, and its best epoch."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from course.checks.report import Report, exercise

__all__ = ["exercise_8_4", "exercise_8_5"]

_MOST_PARAMETERS = 100_000

#: The validation loss that a network has to have reached after so many epochs, and after each of the last ones: a
#: training with steps that are too large may pass by. A constant and a network without hidden layers reach 0.69, a
#: good one 0.25.
_BAR, _EPOCHS, _LAST = 0.5, 28, 3


def _build_network(x: NDArray[np.float32]) -> Any:
    """The course's own answer to exercise 8.4."""
    from labcourse import network

    return network.build(x.shape[1], (60, 60), normalise=x, learning_rate=2e-3)


@exercise("8.4", fallback=_build_network)
def exercise_8_4(answer: Any, report: Report) -> None:
    """A network of the student's design: any that can learn."""
    import keras  # noqa: F401  # here, as its import draws random numbers too

    # Keras takes the seeds of initial weights and dropout from here: the verdict is always the same, and the
    # student's next network is the one that it would have been without the check.
    state = random.getstate()
    random.seed(84)
    try:
        _examine(answer, report)
    finally:
        random.setstate(state)


def _task(n: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return inputs, shape (n, 7), and labels: 1 outside of a circle in the two inputs of the smallest unit.

    One label in twenty is wrong, so that it does not pay to be sure.
    """
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, 7))
    outside = (z[:, :2] ** 2).sum(axis=1) > 2 * np.log(2)
    x = (z + 3) * [0.1, 0.1, 30, 30, 30, 30, 30]
    return x.astype(np.float32), (outside ^ (rng.random(n) < 0.05)).astype(np.float32)


def _examine(answer: Any, report: Report) -> None:
    x, y = _task(16384, 84)
    model, other = answer(x), answer(x[:, :5])
    if not (hasattr(model, "count_params") and hasattr(model, "predict")):
        report.wrong(f"this is no Keras model, but of type {type(model).__name__}", "return the model")
        return
    report.holds(
        model.input_shape[1:] == (7,) and other.input_shape[1:] == (5,),
        "the number of inputs follows from x",
        mistake="the number of inputs is fixed",
        hint="take it from x: x.shape[1]",
    )
    report.holds(
        model is not answer(x),
        "each call makes a new model",
        mistake="each call returns the same model",
        hint="it would remember its last training: build it inside the function",
    )
    if not report.holds(
        model.output_shape[1:] == (1,),
        "has one output",
        mistake=f"has the output shape {model.output_shape[1:]}",
        hint="the last layer has a single neuron with a sigmoid",
    ):
        return
    trainable = int(sum(np.prod(variable.shape) for variable in model.trainable_variables))
    report.holds(
        trainable < _MOST_PARAMETERS,
        "has fewer than 100 000 parameters",
        mistake=f"has {trainable} parameters",
        hint="below 100 000: fewer neurons, or fewer layers",
    )
    if not report.holds(
        getattr(model, "optimizer", None) is not None and getattr(model, "loss", None) is not None,
        "is compiled",
        mistake="the model is not compiled",
        hint="network.build does that; with Keras: model.compile(optimizer=…, loss='binary_crossentropy')",
    ):
        return
    name = str(getattr(model.loss, "name", None) or getattr(model.loss, "__name__", model.loss)).lower()
    if "mean" in name or "mse" in name:
        report.wrong("the loss is a squared error", "use binary_crossentropy for a score between 0 and 1")
        return
    report.holds(
        "binary_crossentropy" in name,
        "the loss is the binary cross-entropy",
        mistake=f"the loss is {name}",
        hint="loss='binary_crossentropy' for one output between 0 and 1",
    )
    if getattr(model.loss, "from_logits", False):
        report.wrong("the loss expects logits", "the output is a probability already: from_logits=False")
        return
    activation = getattr(model.layers[-1], "activation", None) if model.layers else None
    if getattr(activation, "__name__", "") == "softmax":
        report.wrong("the output is 1 for every event", "a softmax of one neuron is always 1: use a sigmoid")
        return
    if report.is_right:
        _learns(model, x, y, report)


def _learns(model: Any, x: NDArray[np.float32], y: NDArray[np.float32], report: Report) -> None:
    from labcourse import training

    x_validation, y_validation = _task(4096, 85)
    losses: list[float] = []
    for epochs in (0, _EPOCHS - _LAST, *[1] * _LAST):
        if epochs:
            training.fit(model, x, y, epochs=epochs, batch_size=128, seed=len(losses), progress=False)
        score = training.predict(model, x_validation).astype(float).reshape(-1)
        if np.nanmin(score) < 0 or np.nanmax(score) > 1:
            report.wrong("the output leaves the range from 0 to 1", "activation='sigmoid' in the last layer")
            return
        right = np.where(y_validation == 1, score, 1 - score)
        losses.append(float(-np.log(np.clip(right, 1e-7, 1)).mean()))
    reached = float(np.max(losses[-_LAST:]))
    report.holds(
        reached < _BAR,
        "learns a task that takes a hidden layer",
        mistake=f"does not learn a simple task: after {_EPOCHS} epochs the validation loss is {reached:.2f}, "
        "where 0.69 is a coin toss",
        hint="is there a hidden layer, are the inputs normalised, is the learning rate far from 1e-3, or is there too "
        "much dropout?",
    )


@exercise("8.5")
def exercise_8_5(answer: Any, report: Report, *, history: Any) -> None:
    """Reading: the epoch that early stopping keeps."""
    losses, training = history.history["val_loss"], history.history["loss"]
    best = int(np.argmin(losses)) + 1
    loss = "this is a loss", "we ask for the epoch: the horizontal axis"
    report.reading(
        answer,
        best,
        "there the validation loss is lowest",
        (best - 1, "epochs are counted from 0", "np.argmin counts from 0, epochs from 1"),
        (len(losses), "this is the last epoch", "the best one lies earlier, by the patience"),
        (
            int(np.argmin(training)) + 1,
            "there the training loss is lowest",
            "early stopping looks at the validation loss: a network may learn its events by heart",
        ),
        (len(losses) - best, "this is the patience", "we ask for the epoch after which nothing got better"),
        (min(losses), *loss),
        (training[best - 1], *loss),
        (int(np.argmax(losses)) + 1, "there the validation loss is highest", "the lowest loss is the best"),
        hint="the star of your own network marks it; np.argmin counts from 0, epochs from 1",
    )
