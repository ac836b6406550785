"""Checks of chapter 5, event weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labcourse import weights
from labcourse.checks.report import Report, exercise

__all__ = [
    "exercise_5_1",
    "exercise_5_2",
    "exercise_5_4",
    "exercise_5_5",
    "exercise_5_6",
    "exercise_5_7",
    "exercise_5_8",
    "exercise_5_9",
]

Array = NDArray[np.float64]


def _crafted(n: int = 60, seed: int = 5) -> tuple[Array, Array, Array]:
    """Labels, scores and weights (some negative) of a few events."""
    rng = np.random.default_rng(seed)
    label = (rng.random(n) < 0.4).astype(float)
    weight = rng.exponential(1.0, n) * np.where(label == 1, 0.1, 1.0)
    weight[::12] *= -1
    return label, rng.uniform(0.05, 0.95, n), weight


def _is_number(result: Any, report: Report) -> bool:
    if np.ndim(result) == 0 and not isinstance(result, (str, Mapping)):
        return True
    report.wrong("one number is expected", "add up over the events")
    return False


def _weighted_cross_entropy(y: Any, score: Any, weight: Any) -> float:
    """The course's own answer to exercise 5.1."""
    losses = -np.where(np.asarray(y) == 1, np.log(score), np.log1p(-np.asarray(score, np.float64)))
    return float(np.sum(np.asarray(weight, np.float64) * losses) / np.sum(np.asarray(weight, np.float64)))


@exercise("5.1", fallback=_weighted_cross_entropy)
def exercise_5_1(answer: Any, report: Report) -> None:
    """The weighted mean of the cross-entropy."""
    y, score, weight = _crafted()
    losses = -np.where(y == 1, np.log(score), np.log(1 - score))
    right = _weighted_cross_entropy(y, score, weight)
    result = answer(y, score, weight)
    if not _is_number(result, report):
        return
    for value, mistake, hint in (
        (np.mean(losses), "the weights are not used", "multiply each event's loss by its weight"),
        (np.mean(weight * losses), "the sum is divided by the number of events", "divide by the sum of weights"),
        (np.sum(weight * losses), "the sum is not divided by anything", "divide by the sum of weights"),
        (-right, "the sign is missing", "a logarithm of a probability is negative"),
        (np.average(losses, weights=np.abs(weight)), "negative weights count as positive", "no abs() here"),
        (np.sum(weight * losses) / np.abs(weight).sum(), "the weights below are absolute", "no abs() here"),
        (-np.sum(weight * y * np.log(score)) / weight.sum(), "only signal counts", "background has -log(1 - score)"),
    ):
        if np.isclose(float(result), value, rtol=1e-6):
            report.wrong(mistake, hint)
            return
    report.close(float(result), right, "the weighted mean of the losses", relative=1e-5, hint="Σ w·loss / Σ w")
    report.holds(
        lambda: np.isclose(answer(y, score, 7 * weight), result),
        "the unit of the weights does not matter",
        hint="divide by Σ w",
    )
    report.holds(
        lambda: np.isclose(answer(y, score, np.ones(len(y))), losses.mean()),
        "with equal weights it is the loss of chapter 2",
        hint="Σ w·loss / Σ w",
    )


def _weighted_accuracy(y: Any, score: Any, weight: Any) -> float:
    """The course's own answer to exercise 5.2."""
    is_right = (np.asarray(score) >= 0.5) == (np.asarray(y) == 1)
    weight = np.asarray(weight, np.float64)
    return float(weight[is_right].sum() / weight.sum())


@exercise("5.2", fallback=_weighted_accuracy)
def exercise_5_2(answer: Any, report: Report) -> None:
    """The share of expected events on the right side of 0.5."""
    y, score, weight = _crafted(seed=52)
    score[3], y[3] = 0.5, 1
    right = _weighted_accuracy(y, score, weight)
    is_right = (score >= 0.5) == (y == 1)
    result = answer(y, score, weight)
    if not _is_number(result, report):
        return
    for value, mistake, hint in (
        (is_right.mean(), "events are counted, not weighted", "use sums of weights"),
        (100 * right, "this is in per cent", "a share lies between 0 and 1"),
        (1 - right, "this is the share of wrong answers", "count those on the right side"),
        (np.abs(weight)[is_right].sum() / np.abs(weight).sum(), "negative weights count as positive", "no abs() here"),
        (weight[is_right].sum(), "this is a sum", "divide by the sum of all weights"),
        (weight[is_right].sum() / len(y), "divided by the number of events", "divide by the sum of all weights"),
        (
            weight[is_right & (y == 1)].sum() / weight.sum(),
            "only signal can be right",
            "background with a score below 0.5 is right as well",
        ),
        (weight[(score > 0.5) == (y == 1)].sum() / weight.sum(), "a score of exactly 0.5 is signal", "score >= 0.5"),
    ):
        if np.isclose(float(result), value, rtol=1e-6):
            report.wrong(mistake, hint)
            return
    report.close(float(result), right, "weights of the right answers over all weights", relative=1e-6)
    report.holds(
        lambda: np.isclose(answer(np.array([1.0, 0.0]), np.array([0.0, 0.0]), np.array([1.0, 9.0])), 0.9),
        "who always says background is right for the background",
        hint="signal if score >= 0.5",
    )


@exercise("5.4", fallback=weights.balance)
def exercise_5_4(answer: Any, report: Report) -> None:
    """Balanced weights."""
    label, _, weight = _crafted(90, seed=54)
    before = weight.copy()
    size, right = np.abs(weight), weights.balance(weight, label).astype(float)
    result = answer(weight, label)
    array = np.asarray(result)
    if not report.holds(array.shape == weight.shape, "one weight an event", hint="return an array of the same shape"):
        return
    array = array.astype(float)
    signal = label == 1
    signed = before.copy()
    for mask in (signal, ~signal):
        signed[mask] *= len(before) / 2 / before[mask].sum()
    of_each = size.copy()
    for mask in (signal, ~signal):
        of_each[mask] /= size[mask].mean()
    sums_to_one = right / right.sum()
    for value, mistake, hint in (
        (signed, "negative weights stay negative", "take np.abs first"),
        (of_each, "each class has the mean one", "equal *sums*: the classes have different numbers of events"),
        (size / size.mean(), "the classes are not balanced", "scale signal and background by different factors"),
        (sums_to_one, "the weights add up to one", "the mean is to be one: multiply by the number of events"),
        (right * 2, "each class adds up to the number of events", "half of it: then the mean of all is one"),
        (right * 2 / len(weight), "each class adds up to one", "multiply by half the number of events"),
        (
            np.where(signal, size * size[~signal].sum() / size[signal].sum(), size),
            "the mean is not one",
            "the sums are equal; now divide all weights by their mean",
        ),
        (
            np.where(signal, len(weight) / 2 / signal.sum(), len(weight) / 2 / (~signal).sum()),
            "all events of a class have the same weight",
            "keep the ratios: scale the event weights",
        ),
    ):
        if np.allclose(array, value, rtol=1e-4):
            report.wrong(mistake, hint)
            return
    report.holds(bool((array >= 0).all()), "no weight is negative", hint="take np.abs first")
    report.holds(
        np.isclose(array[signal].sum(), array[~signal].sum(), rtol=1e-4), "both classes have the same sum", hint="Σ|w|"
    )
    report.holds(np.isclose(array.mean(), 1, rtol=1e-4), "the mean of all weights is one", hint="divide by the mean")
    report.holds(
        np.allclose(array[signal] / array[signal].sum(), size[signal] / size[signal].sum(), rtol=1e-4),
        "within a class the ratios of the weights stay",
        hint="multiply a whole class by one factor",
    )
    report.holds(
        np.array_equal(weight, before), "the weights that were passed in stay as they are", hint="np.abs makes a copy"
    )
    report.holds(
        lambda: np.allclose(answer(list(-weight), list(label)), right, rtol=1e-4),
        "works for any sign, and for lists",
        hint="np.asarray turns a list into an array",
    )


def _is_balanced(weight: Any, label: Any, balanced: Any) -> bool:
    """The course's own answer to exercise 5.5."""
    size, label, balanced = np.abs(np.asarray(weight, float)), np.asarray(label), np.asarray(balanced, float)
    if balanced.shape != size.shape:
        return False
    signal = label == 1
    sums = balanced[signal].sum(), balanced[~signal].sum()
    ratios = [
        np.allclose(balanced[mask] * size[mask].sum(), size[mask] * balanced[mask].sum(), rtol=1e-3)
        for mask in (signal, ~signal)
    ]
    return bool(
        (balanced >= 0).all() and np.isclose(*sums, rtol=1e-3) and np.isclose(balanced.mean(), 1, rtol=1e-3)
    ) and all(ratios)


@exercise("5.5", fallback=_is_balanced)
def exercise_5_5(answer: Any, report: Report) -> None:
    """A test of balanced weights: the mistakes it has to find."""
    label, _, weight = _crafted(80, seed=55)
    signal, size = label == 1, np.abs(weight)
    right = weights.balance(weight, label).astype(float)
    signed = weight.copy()
    for mask in (signal, ~signal):
        signed[mask] *= len(weight) / 2 / weight[mask].sum()
    alike = np.where(signal, len(weight) / 2 / signal.sum(), len(weight) / 2 / (~signal).sum())
    verdict = answer(weight, label, right)
    if not report.holds(
        isinstance(verdict, (bool, np.bool_)), "the answer is True or False", hint="combine comparisons with `and`"
    ):
        return
    report.holds(
        verdict,
        "right weights pass",
        hint="compare decimals with np.isclose(…, rtol=1e-3): single precision is never exact",
    )
    for wrong, what, hint in (
        (signed, "finds weights that are negative", "all of them have to be at least 0"),
        (size / size.mean(), "finds classes with different sums", "compare the sums of signal and background"),
        (2 * right, "finds a mean that is not one", "balanced.mean()"),
        (
            alike,
            "finds weights that are no longer in proportion to |w|",
            "within a class, balanced / |w| is one number",
        ),
    ):
        report.holds(lambda wrong=wrong: not answer(weight, label, wrong), what, hint=hint)


def _significance(score: Any, label: Any, weight: Any, cut: float, *, variant: str = "") -> tuple[float, float]:
    """Return s/√b and its error; the variants are those that students write."""
    score, label, weight = np.asarray(score), np.asarray(label), np.asarray(weight, np.float64)
    if variant == "absolute":
        weight = np.abs(weight)
    if variant == "raw":
        weight = np.ones(len(weight))
    passed = score > cut if variant == "greater" else score >= cut
    if variant == "below":
        passed = ~passed
    signal, background = weight[passed & (label == 1)], weight[passed & (label == 0)]
    s, b = signal.sum(), background.sum()
    value = s / (b if variant == "s/b" else np.sqrt(s + b) if variant == "s+b" else np.sqrt(b))
    b_error = np.sqrt(b) if variant == "poisson" else np.sqrt(np.sum(background**2))
    factor = 1.0 if variant == "no half" else 0.5
    return float(value), float(value * factor * b_error / b)


def _s_over_root_b(score: Any, label: Any, weight: Any, cut: float) -> tuple[float, float]:
    """The course's own answer to exercise 5.6."""
    return _significance(score, label, weight, cut)


@exercise("5.6", fallback=_s_over_root_b)
def exercise_5_6(answer: Any, report: Report) -> None:
    """s/√b above a cut, and the error that the simulation of the background gives it."""
    label, score, weight = _crafted(200, seed=56)
    cut = float(score[label == 0][7])
    given = (score, label, weight, cut)
    right, right_error = _significance(*given)
    result = answer(*given)
    if not (isinstance(result, (tuple, list)) and len(result) == 2):
        report.wrong("two numbers are expected", "return value, error")
        return
    value, error = (float(part) for part in result)
    for variant, mistake, hint in (
        ("absolute", "negative weights count as positive", "add the weights as they are"),
        ("raw", "events are counted, not weighted", "s and b are sums of weights"),
        ("greater", "events exactly at the cut are dropped", "an event passes if score >= cut"),
        ("below", "the wrong side of the cut is taken", "keep score >= cut"),
        ("s/b", "this is s/b", "divide by the square root of b"),
        ("s+b", "this is s/√(s+b)", "only the background is below the root"),
    ):
        if np.isclose(value, _significance(*given, variant=variant)[0], rtol=1e-6):
            report.wrong(mistake, hint)
            return
    report.close(value, right, "s/√b of the events that pass", relative=1e-5, hint="sums of weights, score >= cut")
    for variant, mistake, hint in (
        ("poisson", "the error of b is taken as √b", "simulated events: σ_b = √Σw²"),
        ("no half", "the factor one half is missing", "√b changes half as much as b, relative to itself"),
    ):
        if np.isclose(error, _significance(*given, variant=variant)[1], rtol=1e-6):
            report.wrong(mistake, hint)
            return
    report.close(
        error, right_error, "its error from the simulated background", relative=1e-5, hint="½ · value · σ_b / b"
    )


@exercise("5.7")
def exercise_5_7(answer: Any, report: Report, *, efficiencies: Mapping[str, float], model: str) -> None:
    """Read the background efficiency of a model from its ROC curve."""
    right = float(efficiencies[model])
    if np.isscalar(answer) and not isinstance(answer, (bool, str)):
        value = float(answer)  # type: ignore[arg-type]
        others = {name: float(number) for name, number in efficiencies.items() if name != model}
        if 1 < value < 100 and abs(value / 100 - right) < 0.03:
            report.wrong("this is in per cent", "give a number between 0 and 1")
            return
        if abs(value - 0.5) < 0.02 < abs(right - 0.5):
            report.wrong("this is the signal efficiency", "read the other axis")
            return
        if abs(value - right) > 0.03 and abs(value - (1 - right)) < 0.03:
            report.wrong("this is the share of the background that is rejected", "we ask for the share that passes")
            return
        close = [name for name, number in others.items() if abs(value - number) < 0.015 < abs(value - right)]
        if close and abs(value - right) > 0.03:
            report.wrong(f"this belongs to another curve: {close[0]}", f"look for the curve of: {model}")
            return
    report.close(answer, right, "the share of the background that passes", tolerance=0.03, hint="go right from 0.5")


def _treat(weight: Any, treatment: str) -> Array:
    """The course's own answer to exercise 5.8."""
    weight = np.asarray(weight, np.float64)
    if treatment == "keep":
        return weight.copy()
    if treatment == "absolute":
        return np.abs(weight)
    if treatment == "drop":
        return np.maximum(weight, 0.0)
    raise ValueError(f"Expected keep, absolute or drop. Received {treatment}.")


@exercise("5.8", fallback=_treat)
def exercise_5_8(answer: Any, report: Report) -> None:
    """Three treatments of negative weights."""
    weight = np.array([0.5, -0.25, 1.0, -2.0, 0.0])
    before = weight.copy()
    for treatment in ("keep", "absolute", "drop"):
        result = np.asarray(answer(weight, treatment), float)
        if treatment == "drop" and result.ndim == 1 and len(result) < len(weight):
            report.wrong("drop: the array is shorter", "set the weight to zero: then events and weights still match")
            continue
        if treatment == "drop" and result.shape == weight.shape and np.allclose(result, np.minimum(weight, 0)):
            report.wrong("drop: the positive weights are gone", "keep those above zero")
            continue
        if treatment == "absolute" and result.shape == weight.shape and np.allclose(result, -weight):
            report.wrong("absolute: all signs are turned", "np.abs")
            continue
        words = {"keep": "as they are", "absolute": "all positive, same size", "drop": "negative ones become zero"}
        report.holds(
            result.shape == weight.shape and np.allclose(result, _treat(weight, treatment)),
            f"{treatment}: {words[treatment]}",
            hint={"keep": "weight", "absolute": "np.abs(weight)", "drop": "np.maximum(weight, 0)"}[treatment],
        )
    report.holds(np.array_equal(weight, before), "the weights that were passed in stay as they are", hint="make a copy")


@exercise("5.9")
def exercise_5_9(answer: Any, report: Report, *, bias: pd.DataFrame) -> None:
    """The sample and the size of the largest bias."""
    if not (isinstance(answer, (tuple, list)) and len(answer) == 2):
        report.wrong("a name and a number are expected", 'such as ("llll", 0.5)')
        return
    name, percent = answer
    if not isinstance(name, str) or name not in bias.index:
        report.wrong("the first part is no sample of the table", f"one of {', '.join(bias.index)}")
        return
    largest = str(bias["absolute"].idxmax())
    value = 100 * float(bias["absolute"].loc[largest])
    report.holds(
        name == largest, "the sample with the largest bias", hint="the largest number in the column «absolute»"
    )
    if not isinstance(percent, (int, float, np.number)):
        report.wrong("the second part is no number", "per cent of the yield")
    elif np.isclose(100 * float(percent), value, rtol=0.1):
        report.wrong("the bias is given as a fraction", "in per cent: multiply by 100")
    elif np.isclose(float(percent), 100 * float(bias["drop"].loc[largest]), rtol=0.05) and value:
        report.wrong("this is the bias of dropping", "read the column «absolute»")
    else:
        report.close(float(percent), value, "its size in per cent", tolerance=0.6, hint="100 · (Σ|w| / Σw − 1)")
