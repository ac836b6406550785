"""Exercises 2.6 to 2.8 and 2.10: what a network computes, and what its training minimises."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from course.checks.compare import alike, as_number
from course.checks.report import Report, exercise

__all__ = ["exercise_2_6", "exercise_2_7", "exercise_2_8", "exercise_2_10"]

Array = NDArray[np.float64]
Layers = Sequence[tuple[Array, Array]]
Activation = Callable[[Any], Any]


@exercise("2.6")
def exercise_2_6(answer: Any, report: Report) -> None:
    """The parameters of the layers of the network 4-60-60-1, counted by hand."""
    if report.parts(answer, "the three layers", 3) is None:
        return
    inputs_biased = "a bias belongs to a neuron, and not to its inputs", "60 neurons have 60 biases"
    right = (300, 3660, 61)
    if report.recognises(
        answer,
        ((240, 3600, 60), "the biases are missing", "every neuron has a bias in addition to its weights"),
        ((60, 60, 1), "these are the neurons", "every neuron has a weight for each of its inputs, and a bias"),
        ((244, 3660, 61), *inputs_biased),
        ((244, 3660, 120), *inputs_biased),
        ((241, 3601, 61), "there is one bias per layer", "every neuron has a bias of its own"),
        ((64, 120, 61), "inputs and neurons are added", "every neuron has a weight for *each* input: multiply"),
        ((300, 3960, 4021), "the layers are added up", "give the parameters of each layer by itself"),
        (right[::-1], "the order is turned round", "begin with the layer next to the inputs"),
        right=right,
    ):
        return
    for number, wanted, what, hint in zip(
        answer,
        right,
        ("the first hidden layer", "the second hidden layer", "the output layer"),
        ("60 neurons with 4 weights and a bias each", "60 neurons with 60 weights and a bias each", "1 neuron"),
        strict=True,
    ):
        report.close(number, wanted, what, hint=hint)


def _relu(z: Any) -> Any:
    return np.maximum(0, z)


def _sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-np.asarray(z, float)))


def _linear(z: Any) -> Any:
    return z


def _network(
    *, hidden: Activation = _relu, last: Activation = _sigmoid, bias: float = 1.0, bias_after: bool = False
) -> Callable[[Array, Layers], Array]:
    """Return a network with other activations, or without biases."""

    def forward(x: Array, layers: Layers) -> Array:
        for kernel, b in layers[:-1]:
            x = hidden(x @ kernel) + b if bias_after else hidden(x @ kernel + bias * b)
        return np.asarray(last(x @ layers[-1][0] + bias * layers[-1][1]))[:, 0]

    return forward


_forward = _network()
"""The course's own answer to exercise 2.7."""


@exercise("2.7", fallback=_forward)
def exercise_2_7(answer: Any, report: Report) -> None:
    """The forward pass of a small network."""
    rng = np.random.default_rng(27)
    x, more = rng.normal(0, 2, (40, 3)), rng.normal(0, 2, (60, 3))
    networks = {
        sizes: [(rng.normal(0, 1, shape), rng.normal(0, 1, shape[1])) for shape in itertools.pairwise(sizes)]
        for sizes in ((3, 1), (3, 5, 1), (3, 4, 6, 1), (3, 4, 6, 5, 1))
    }
    deep = x, networks[3, 4, 6, 1]
    relu = "ReLU sets negative numbers to zero: np.maximum(0, z)"
    result = np.asarray(answer(*deep), float)
    if result.shape == (40, 1):
        report.wrong("the result has a second dimension", "one number per event: take column 0, [:, 0]")
        result = result[:, 0]
    if report.recognises(
        result,
        (_network(bias=0), "the biases are left out", "z = x @ kernel + bias"),
        (_network(last=_linear), "the last neuron has no sigmoid", "its output is 1 / (1 + exp(−z))"),
        (_network(last=lambda z: _sigmoid(-z)), "the exponent has the wrong sign", "1 / (1 + exp(−z))"),
        (_network(hidden=_linear), "the hidden layers have no activation", relu),
        (_network(hidden=_sigmoid), "the hidden layers have a sigmoid", relu),
        (_network(hidden=lambda z: np.minimum(0, z)), "the ReLU is turned round", relu),
        (_network(hidden=np.abs), "negative sums are turned positive", relu),
        (_network(bias_after=True), "the bias is added after the ReLU", "the ReLU is applied to the sum with the bias"),
        (
            _network(last=lambda z: _sigmoid(_relu(z))),
            "the last layer has a ReLU as well",
            "only hidden layers have one",
        ),
        (
            _network(last=_relu),
            "the last layer has a ReLU in place of the sigmoid",
            "the loop ends before the last layer",
        ),
        given=deep,
        right=_forward(*deep),
    ):
        return
    if not report.holds(result.shape == (40,), "gives one number per event", hint="the last layer has a single neuron"):
        return
    for sizes, layers in networks.items():
        n = len(sizes) - 2
        report.also(
            lambda layers=layers: np.allclose(answer(more, layers), _forward(more, layers), atol=1e-5),
            f"right with {n} hidden layer{'s' if n > 1 else ''}" if n else "right for a single neuron",
            hint="go through the layers in a loop; the output of one is the input of the next"
            if n
            else "one layer alone has no ReLU: the sum with its bias, and the sigmoid 1 / (1 + exp(−z))",
        )


def _cross_entropy(
    y: Any,
    p: Any,
    *,
    log: Activation = np.log,
    gather: Activation = np.mean,
    signal: bool = True,
    background: bool = True,
) -> Any:
    """The course's own answer to exercise 2.8; the options are the variants that students write."""
    return -gather(signal * y * log(p) + background * (1 - y) * log(1 - p))


@exercise("2.8", fallback=_cross_entropy)
def exercise_2_8(answer: Any, report: Report) -> None:
    """The mean cross-entropy of predictions."""
    rng = np.random.default_rng(28)
    y = (rng.random(300) < 0.3).astype(float)
    p = np.clip(0.5 * y + 0.5 * rng.random(300), 0.01, 0.99)
    given, right = (y, p), float(_cross_entropy(y, p))
    result = answer(*given)
    if np.shape(result) == y.shape:
        report.wrong("this is one number per event", "take the mean at the end")
        return
    natural = "np.log is the natural logarithm"
    if report.recognises(
        result,
        (-right, "the sign is wrong", "logarithms of numbers below one are negative: a minus makes the loss positive"),
        (lambda y, p: _cross_entropy(y, p, gather=np.sum), "this is the sum", "take the mean over the events"),
        (lambda y, p: _cross_entropy(y, p, log=np.log2), "the logarithm is of base 2", natural),
        (lambda y, p: _cross_entropy(y, p, log=np.log10), "the logarithm is of base 10", natural),
        (
            lambda y, p: _cross_entropy(y, p, background=False),
            "background events do not count",
            "for y = 0 the loss is −log(1 − p)",
        ),
        (
            lambda y, p: _cross_entropy(y, p, signal=False),
            "signal events do not count",
            "for y = 1 the loss is −log(p)",
        ),
        (lambda y, p: _cross_entropy(1 - y, p), "the labels are swapped", "log(p) belongs to y = 1"),
        (lambda y, p: np.mean((y - p) ** 2), "this is the mean squared error", "use the logarithms of the formula"),
        (
            lambda y, p: _cross_entropy(y, p, gather=np.sum) / y.sum(),
            "the sum is divided by the number of signal events",
            "n counts all events",
        ),
        (
            lambda y, p: -np.mean(y * np.log(p) + (1 - y) * (1 - np.log(p))),
            "log(1 − p) is written as 1 − log(p)",
            "the logarithm is of the difference: np.log(1 - p)",
        ),
        given=given,
        right=right,
    ):
        return
    if report.number(result, "take the mean over the events") is None:
        return
    report.also(
        lambda: alike(answer(y, np.full(300, 0.5)), np.log(2)),
        "p = 0.5 for all events gives log 2",
        hint="both logarithms are log 0.5 = −log 2 then",
    )
    certain = np.array([1.0, 0.0]), np.array([0.999, 0.001])
    report.also(lambda: abs(answer(*certain)) < 2e-3, "sure and right: the loss is close to zero", hint="y log(p)")
    report.also(
        lambda: answer(np.array([1.0]), np.array([1e-6])) > 13,
        "sure and wrong: the loss is large",
        hint="y log(p) + (1 − y) log(1 − p)",
    )
    report.also(alike(result, right), "the mean over all events follows the formula", hint="compare each term")
    more = (rng.random(500) < 0.6).astype(float), rng.uniform(0.01, 0.99, 500)
    report.agrees(answer, _cross_entropy, more, hint="take the mean over all events that are given")


@exercise("2.10")
def exercise_2_10(answer: Any, report: Report, *, losses: Sequence[float]) -> None:
    """How much the training loss fell in the first step of the curve and in the last."""
    if report.parts(answer, "the first fall and the last fall") is None:
        return
    if len(losses) < 5:
        report.wrong(
            f"the training was interrupted after {len(losses)} of 5 epochs",
            "run the cell that trains again, to its end",
        )
        return
    falls = -np.diff(np.asarray(losses, float))
    # A figure can be read to about a twentieth of its height.
    reading = 0.05 * (max(losses) - min(losses))
    tolerances = [max(0.2 * abs(falls[0]), reading), max(0.3 * abs(falls[-1]), reading)]
    first, last = map(as_number, answer)
    if (
        first is not None
        and last is not None
        and abs(first - falls[-1]) <= tolerances[1]
        and abs(last - falls[0]) <= tolerances[0] < abs(first - falls[0])
    ):
        report.wrong("the two falls are in the wrong order", "the first step comes first")
        return
    for number, i, what, steps in (
        (answer[0], 0, "the fall from the first epoch to the second", "the first two points"),
        (answer[1], -1, "the fall from the fourth epoch to the fifth", "the last two points"),
    ):
        fall, before = float(falls[i]), float(losses[i - (i < 0)])
        per_cent = "this is in per cent", "give the difference of the two losses itself, without a factor 100"
        report.reading(
            number,
            fall,
            what,
            (before, "this is a loss", "we ask for the difference between two epochs"),
            (before - fall, "this is a loss", "we ask for the difference between two epochs"),
            (-fall, "this is a rise", "a loss that falls from 0.6 to 0.5 falls by 0.1, without a minus"),
            (100 * fall / before, *per_cent),
            (100 * fall, *per_cent),
            (
                float(falls.sum()),
                "this is the fall over all epochs",
                "we ask for single steps: first to second, fourth to fifth",
            ),
            tolerance=float(tolerances[i]),
            hint=f"the difference of {steps}",
        )
