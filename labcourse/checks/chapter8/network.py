"""Exercises 8.4 and 8.5: a network of the student's own design, and its best epoch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from labcourse.checks.report import Report, exercise

__all__ = ["exercise_8_4", "exercise_8_5"]

_MOST_PARAMETERS = 100_000


def _build_network(x: NDArray[np.float32]) -> Any:
    """The course's own answer to exercise 8.4."""
    from labcourse import network

    return network.build(x.shape[1], (60, 60), normalise=x, learning_rate=2e-3)


@exercise("8.4", fallback=_build_network)
def exercise_8_4(answer: Any, report: Report) -> None:
    """A network of the student's design: any that can learn."""
    rng = np.random.default_rng(84)
    x = rng.normal(3, 2, (2048, 7)).astype(np.float32)
    y = (x[:, 0] + x[:, 1] > 6).astype(np.float32)
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
    activation = getattr(model.layers[-1], "activation", None) if model.layers else None
    if getattr(activation, "__name__", "") == "softmax":
        report.wrong("the output is 1 for every event", "a softmax of one neuron is always 1: use a sigmoid")
        return
    _learns(model, x, y, report)


def _learns(model: Any, x: NDArray[np.float32], y: NDArray[np.float32], report: Report) -> None:
    from labcourse import training

    score = training.predict(model, x)
    if not report.holds(
        np.isfinite(score).all() and score.min() >= 0 and score.max() <= 1 and np.ptp(score) > 0,
        "the output lies between 0 and 1",
        mistake="the output leaves the range from 0 to 1, or is always the same",
        hint="activation='sigmoid' in the last layer",
    ):
        return
    history = training.fit(model, x, y, epochs=25, batch_size=128, progress=False).history["loss"]
    report.holds(
        np.isfinite(history[-1]) and min(history) < 0.55 and history[-1] < history[0],
        "learns a simple task in 25 epochs",
        mistake=f"does not learn a simple task in 25 epochs: the loss goes from {history[0]:.2f} to {history[-1]:.2f}",
        hint="is the learning rate far from 1e-3, are the inputs normalised, or is there too much dropout?",
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
        tolerance=2,
        hint="np.argmin counts from 0, epochs from 1",
    )
