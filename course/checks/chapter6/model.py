"""Exercise 6.2: a fresh model for each fold."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course.checks.report import Report, exercise
from labcourse import network

__all__ = ["exercise_6_2"]


def _build_model(x: ArrayLike) -> Any:
    """The course's own answer to exercise 6.2."""
    return network.build(4, normalise=x, learning_rate=1e-3)


@exercise("6.2", fallback=_build_model)
def exercise_6_2(answer: Any, report: Report) -> None:
    """A function that makes a fresh model at each call."""
    x = np.random.default_rng(62).exponential(20.0, (200, 4)).astype(np.float32) + 7
    first, second = answer(x), answer(x)
    if not (hasattr(first, "layers") and hasattr(first, "optimizer")):
        report.wrong("this is no Keras model", "return what network.build gives")
        return
    if first is second:
        report.wrong(
            "both calls return the same model", "it would have seen the events of the folds before: build it inside"
        )
        return
    if first.optimizer is not None and first.optimizer is second.optimizer:
        report.wrong("the models share one optimizer", "it remembers the training before: make it inside too")
        return
    if not report.holds(
        first.optimizer is not None and getattr(first, "compiled", True),
        "the model is compiled",
        hint="network.build compiles it",
    ):
        return
    report.holds(tuple(first.input_shape) == (None, 4), "it takes four inputs", hint="network.build(4, …)")
    widths = [layer.units for layer in first.layers if type(layer).__name__ == "Dense"]
    report.holds(
        widths == [60, 60, 1],
        "its layers are 60, 60 and 1 neurons wide",
        mistake=f"its layers are {widths} neurons wide",
        hint="60, 60 and 1 are the default of network.build",
    )
    dense = [layer.activation.__name__ for layer in first.layers if type(layer).__name__ == "Dense"]
    loss = str(getattr(first.loss, "name", None) or getattr(first.loss, "__name__", first.loss))
    optimizer = type(first.optimizer).__name__
    for holds, what, is_wrong in (
        ("linear" not in dense[:-1], "its hidden layers have an activation", "its hidden layers have no activation"),
        (
            dense[-1:] == ["sigmoid"],
            "its output is a sigmoid",
            f"its output has the activation {', '.join(dense[-1:])}",
        ),
        (loss == "binary_crossentropy", "its loss is the binary cross-entropy", f"its loss is {loss}"),
        ("Adam" in optimizer, "its optimizer is Adam", f"its optimizer is {optimizer}"),
    ):
        report.also(holds, what, mistake=is_wrong, hint="take what network.build has as its default")
    rate = float(first.optimizer.learning_rate)
    report.also(
        np.isclose(rate, 1e-3),
        "its learning rate is 0.001",
        mistake=f"its learning rate is {rate:.4g}",
        hint="network.build takes another one by default: learning_rate=1e-3",
    )
    means, means_of_other = _means(first), _means(answer(3 * x))
    if means is None or means_of_other is None:
        report.wrong("the inputs are not normalised", "network.build(4, normalise=x, …)")
        return
    if np.allclose(means, means_of_other):
        report.wrong(
            "its inputs are always normalised with the same events",
            "normalise=x, with the x of the function: a network must not know the mean of its validation events",
        )
        return
    report.holds(
        np.allclose(means, x.mean(axis=0), rtol=1e-3) and np.allclose(means_of_other, 3 * means, rtol=1e-3),
        "its inputs are normalised with the events that are passed in",
        hint="normalise=x, with the x of the function",
    )


def _means(model: Any) -> NDArray[np.float64] | None:
    """The means that a model's normalisation layer subtracts, or None if it has no such layer."""
    layers = [layer for layer in model.layers if type(layer).__name__ == "Normalization"]
    return np.asarray(layers[0].mean, np.float64).reshape(-1) if layers else None
