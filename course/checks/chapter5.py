"""Checks of chapter 5, event weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from course.checks import crafted
from course.checks.compare import alike
from course.checks.registry import course_answer
from course.checks.report import Report, exercise
from course.checks.tables import (
    PER_CENT,
    caught,
    changed,
    follows,
    gives,
    hold,
    just_above,
    losses,
    part,
    parts_follow,
    with_argument,
)
from labcourse import weights

_weighted_accuracy = course_answer("5.2")
_treat = course_answer("5.8")

_NO_ABS = "negative weights count as positive", "no abs(): they subtract, above and below"
_BELOW = "the weights below are absolute", "no abs(): they subtract below as well"


def _weighted_loss(y: Any, score: Any, weight: Any, background: int = 1) -> float:
    """The course's own answer to exercise 5.1."""
    weight = np.asarray(weight, np.float64)
    return float(np.sum(weight * losses(y, score, background=background)) / np.sum(weight))


_MISTAKES_5_1 = (
    (lambda y, p, w: w * losses(y, p), "this is one number per event", "add up, and divide by the sum of weights"),
    (with_argument(_weighted_loss, 2, np.ones_like), "the weights are not used", "multiply each loss by its weight"),
    (lambda y, p, w: (w * losses(y, p)).mean(), "the sum is divided by the number of events", "by the sum of weights"),
    (lambda y, p, w: w @ losses(y, p), "the sum is not divided by anything", "divide by the sum of weights"),
    (changed(_weighted_loss, np.negative), "the sign is missing", "a logarithm of a probability is negative"),
    (with_argument(_weighted_loss, 2, np.abs), *_NO_ABS),
    (lambda y, p, w: w @ losses(y, p) / np.abs(w).sum(), *_BELOW),
    (partial(_weighted_loss, background=0), "only signal counts", "background has -log(1 - score)"),
    (with_argument(_weighted_loss, 0, lambda y: 1 - y), "the labels are swapped", "log(score) belongs to y = 1"),
    (lambda y, p, w: losses(y, p).sum() / w.sum(), "the weights are only used below", "multiply each loss, too"),
)


@exercise("5.1")
def exercise_5_1(answer: Any, report: Report) -> None:
    """The weighted mean of the cross-entropy."""
    given = y, score, weight = crafted.scored(60, seed=5)
    score[:2] = 0.001, 0.999
    formula = "Σ w·loss / Σ w"
    follows(report, answer, _weighted_loss, given, _MISTAKES_5_1, "the weighted mean of the losses", formula)
    right, mean = _weighted_loss(*given), losses(y, score).mean()
    gives(report, answer, ((y, score, 7 * weight), right, "the unit of the weights does not matter", formula))
    equal = y, score, np.ones(len(y))
    gives(report, answer, (equal, mean, "with equal weights it is the loss of chapter 2", formula))


def _called(chosen: Callable[[Any, Any], Any], over: Callable[[Any], Any] = np.sum) -> Callable[..., Any]:
    """Return a function that sums the weights of the events chosen by label and score, and divides by something."""
    return lambda y, p, w: w[chosen(y == 1, p)].sum() / over(w)


def _is_right(is_signal: Any, score: Any) -> Any:
    return is_signal == (score >= 0.5)


_WHOLE = "divide by the sum of all weights"
_MISTAKES_5_2 = (
    (lambda y, p, w: _is_right(y == 1, p), "this is one answer per event", "add up the weights of the right ones"),
    (with_argument(_weighted_accuracy, 2, np.ones_like), "events are counted, not weighted", "use sums of weights"),
    (changed(_weighted_accuracy, lambda share: 100 * share), *PER_CENT),
    (changed(_weighted_accuracy, lambda share: 1 - share), "this is the share of wrong answers", "1 minus it"),
    (with_argument(_weighted_accuracy, 2, np.abs), *_NO_ABS),
    (_called(_is_right, lambda w: 1), "this is a sum", _WHOLE),
    (_called(_is_right, len), "divided by the number of events", _WHOLE),
    (_called(_is_right, lambda w: np.abs(w).sum()), *_BELOW),
    (_called(lambda y, p: y & (p >= 0.5)), "only signal can be right", "background below 0.5 is right, too"),
    (_called(lambda y, p: p >= 0.5), "this is the share that is called signal", "compare with the label"),
    (_called(lambda y, p: y == (p > 0.5)), "0.5 itself is called background", "score >= 0.5"),
)


@exercise("5.2")
def exercise_5_2(answer: Any, report: Report) -> None:
    """The share of expected events on the right side of 0.5."""
    given = y, score, _ = crafted.scored(60, seed=52)
    score[3], y[3] = 0.5, 1
    what = "weights of the right answers over all weights"
    follows(report, answer, _weighted_accuracy, given, _MISTAKES_5_2, what, "sums of weights")
    report.agrees(answer, _weighted_accuracy, crafted.scored(40, seed=53), hint=_WHOLE)


Balance = Callable[[Any, Any], Any]


def _balance(*, size: Any = np.abs, each: Any = lambda w, n: n / 2 / w.sum()) -> Balance:
    """Return a function that scales the sizes of the weights in each class by ``each(sizes, number of all events)``."""

    def balance(weight: Any, label: Any) -> Any:
        balanced = np.array(size(np.asarray(weight, float)), float)
        for y in (0, 1):
            members = np.asarray(label) == y
            balanced[members] *= each(balanced[members], len(balanced))
        return balanced

    return balance


_right_balance = _balance()
_signed = _balance(size=np.array)
_all_alike = _balance(size=np.ones_like)


def _not_balanced(weight: Any, label: Any) -> Any:
    return np.abs(weight) / np.mean(np.abs(weight))


def _only_signal_scaled(weight: Any, label: Any) -> Any:
    signal, size = np.asarray(label) == 1, np.abs(weight)
    return np.where(signal, size * size[~signal].sum() / size[signal].sum(), size)


def _factors(weight: Any, label: Any) -> Any:
    return [len(label) / 2 / np.abs(weight[label == y]).sum() for y in (0, 1)]


_MISTAKES_5_4 = (
    (_signed, "negative weights stay negative", "take np.abs first"),
    (_balance(size=lambda w: np.maximum(w, 0)), "negative weights are set to zero", "np.abs"),
    (_balance(each=lambda w, n: 1 / w.mean()), "each class has the mean one", "equal *sums*: numbers of events differ"),
    (_not_balanced, "the classes are not balanced", "scale signal and background by different factors"),
    (_balance(each=lambda w, n: 0.5 / w.sum()), "the weights add up to one", "the mean is one: times number of events"),
    (_balance(each=lambda w, n: n / w.sum()), "each class adds up to the number of events", "half of it"),
    (_balance(each=lambda w, n: 1 / w.sum()), "each class adds up to one", "multiply by half the number of events"),
    (_only_signal_scaled, "the mean is not one", "the sums are equal; now divide all weights by their mean"),
    (_all_alike, "all events of a class have the same weight", "keep the ratios: scale the event weights"),
    (changed(_signed, lambda w: w.clip(0)), "negative weights are dropped after the scaling", "take np.abs first"),
    (_factors, "these are the two factors", "multiply the weights of each class by its factor"),
)


@exercise("5.4", fallback=weights.balance)
def exercise_5_4(answer: Any, report: Report) -> None:
    """Balanced weights."""
    label, _, weight = crafted.scored(90, seed=54)
    right, signal = _right_balance(weight, label), label == 1
    result = answer(weight, label)
    report.recognises(result, *_MISTAKES_5_4, given=(weight, label), right=right)
    array = np.asarray(result)
    report.holds(array.shape == weight.shape, "one weight per event", hint="return an array of the same shape")
    array = array.astype(float)
    same_sum = np.isclose(array[signal].sum(), array[~signal].sum(), rtol=1e-4)
    hold(
        report,
        ((array >= 0).all(), "no weight is negative", "take np.abs first"),
        (same_sum, "both classes have the same sum", "Σ|w|"),
        (np.isclose(array.mean(), 1, rtol=1e-4), "the mean of all weights is one", "divide by the mean"),
        (alike(array, right), "within a class the ratios of the weights stay", "multiply a class by one factor"),
    )
    gives(report, answer, ((-weight, label), right, "works for any sign", "np.abs(weight)"))
    other = 3 * weight[:51], 1 - label[:51]
    report.agrees(answer, _right_balance, other, hint="use nothing but what is passed to the function")


def _one(factor: float, place: int) -> Callable[[Any], Any]:
    """Return a function that multiplies one of many weights; negative places count from the last."""
    return lambda w: np.where(np.arange(len(w)) == place % len(w), factor * w, w)


_SIGN, _SUMS, _MEAN = "all of them have to be at least 0", "compare the sums of both classes", "look at balanced.mean()"
_RATIOS = "within a class, balanced / |w| is one number for *all* events; look at both classes"
#: What balanced weights are made wrong by in one class only: a test must look at all events of both.
_CHANGES_5_5 = (
    (lambda w: w * np.where(np.arange(len(w)) % 2, 1.2, 0.8), "of which some are changed", _RATIOS),
    (_one(1.3, 0), "of which one is changed", _RATIOS),
    (_one(1.3, 10), "of which one is changed", _RATIOS),
    (_one(1.3, -1), "of which one is changed", _RATIOS),
    (_one(-1.0, -1), "of which one is negative", _SIGN),
    # The order stays, and the correlation with |w| is 1.
    (lambda w: w + 0.2, "to which a constant was added", _RATIOS),
    (lambda w: w**1.1, "that keep their order only", _RATIOS),
)


def _wrongly_balanced(weight: Any, label: Any) -> list[tuple[Any, str, str]]:
    """Return weights that a test of balanced weights has to refuse, what they are, and a hint."""
    right = _right_balance(weight, label)

    def changed_in(y: int, change: Callable[[Any], Any]) -> Any:
        """Return the right weights with those of one class changed, and scaled to the sum that they had."""
        members, new = label == y, right.copy()
        new[members] = change(right[members])
        new[members] *= right[members].sum() / new[members].sum()
        return new

    return [
        (_signed(weight, label), "weights that are negative", _SIGN),
        (_not_balanced(weight, label), "classes with different sums", _SUMS),
        (2 * right, "a mean that is not one", _MEAN),
        (_all_alike(weight, label), "weights that are no longer in proportion to |w|", _RATIOS),
        (right * np.where(label == 1, 1.3, 0.7), "classes with different sums", _SUMS),
        (right * np.where(label == 1, 0.98, 1.02), "classes with different sums", _SUMS),
        (0.98 * right, "a mean that is not one", _MEAN),
        (1.02 * right, "a mean that is not one", _MEAN),
        *(
            (changed_in(y, change), f"{name} weights {what}", hint)
            for y, name in ((1, "signal"), (0, "background"))
            for change, what, hint in _CHANGES_5_5
        ),
    ]


@exercise("5.5")
def exercise_5_5(answer: Any, report: Report) -> None:
    """A test of balanced weights: the mistakes it has to find."""
    label, _, weight = crafted.scored(80, seed=55)
    right, trials = _right_balance(weight, label), _wrongly_balanced(weight, label)
    verdicts = [answer(weight, label, balanced) for balanced in (right, right.astype(np.float32))]
    if not all(isinstance(verdict, (bool, np.bool_)) for verdict in verdicts):
        kind = type(verdicts[0]).__name__
        report.wrong(f"this is of type {kind}, and not True or False", "combine with `and`; np.all makes one of many")
    passed = [bool(answer(weight, label, wrong)) for wrong, _, _ in trials]
    fails, none = "right weights do not pass", not any(verdicts)
    near = "decimals are never exact: compare them with np.isclose(…, rtol=1e-3), and not with =="
    of_positive = none and answer(np.abs(weight), label, right)
    caught(
        report,
        (all(passed + verdicts), "everything passes", "return the result of comparisons that wrong weights fail"),
        (of_positive, f"{fails} if some of the original ones are negative", "take np.abs of the original: |w|"),
        (none and passed[0], "the answer is turned round", "True means: the weights are right"),
        (not all(verdicts), f"{fails}, or not in single precision", near),
    )
    report.holds(True, "right weights pass")
    caught(report, *((let, f"it lets pass: {what}", hint) for let, (_, what, hint) in zip(passed, trials, strict=True)))
    # In the samples about one event in twenty has the weight zero.
    with_zeros = np.where(np.arange(80) % 20 == 7, 0.0, weight)
    if not answer(with_zeros, label, _right_balance(with_zeros, label)):
        hint = "0/0 is not a number: compare shares of the sum of the class, or leave these events out of the ratio"
        report.wrong(f"{fails} if the weight of some events is zero", hint)
    for what in dict.fromkeys(what for _, what, _ in trials[:4]):
        report.holds(True, f"finds {what}")


def _significance(
    score: Any, label: Any, weight: Any, cut: float, *, over: Any = lambda s, b: np.sqrt(b), sigma: Any = None
) -> tuple[float, float]:
    """The course's own answer to exercise 5.6; the options are the variants that students write."""
    passed, weight = np.asarray(score) >= cut, np.asarray(weight, np.float64)
    signal, background = (weight[passed & (np.asarray(label) == y)] for y in (1, 0))
    s, b = signal.sum(), background.sum()
    value = s / over(s, b)
    error = sigma(background, signal) if sigma else np.sqrt(np.sum(background**2))
    return float(value), float(value * error / b / 2)


def _value(i: int, change: Callable[[Any], Any]) -> Callable[..., Any]:
    return with_argument(part(0, _significance), i, change)


def _error(sigma: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    return part(1, _significance, sigma=sigma)


def _below_cut(score: Any, label: Any, weight: Any, cut: float) -> float:
    return _significance(-score, label, weight, just_above(-cut))[0]


def _root(w: Any) -> Any:
    return np.sqrt(np.sum(w**2))


_MISTAKES_VALUE = (
    (_value(2, np.abs), "negative weights count as positive", "add the weights as they are"),
    (_value(2, np.ones_like), "events are counted, not weighted", "s and b are sums of weights"),
    (_value(3, just_above), "events exactly at the cut are dropped", "an event passes if score >= cut"),
    (_below_cut, "the wrong side of the cut is taken", "keep score >= cut"),
    (_value(3, lambda cut: -1), "the cut is not applied", "keep score >= cut"),
    (part(0, _significance, over=lambda s, b: b), "this is s/b", "divide by the square root of b"),
    (part(0, _significance, over=lambda s, b: np.sqrt(s + b)), "this is s/√(s+b)", "only b is below the root"),
    (_value(1, lambda label: 1 - label), "s and b are swapped", "label 1 is signal"),
)
_MISTAKES_OF_ERROR = (
    (_error(lambda b, s: np.sqrt(b.sum())), "the error of b is taken as √b", "simulated events: σ_b = √Σw²"),
    (_error(lambda b, s: np.sum(b**2)), "σ_b is not a root", "σ_b = √Σw²"),
    (_error(lambda b, s: b.sum()), "the squares are taken after the sum", "square, then add, then the root"),
    (_error(lambda b, s: 2 * _root(b)), "the factor one half is missing", "√b changes half as much as b, relatively"),
    (_error(lambda b, s: b.sum() * _root(b)), "the error is not divided by b", "what counts is σ_b / b"),
    (_error(lambda b, s: _root(np.append(s, b))), "the signal enters σ_b", "sum over the background that passes"),
)


@exercise("5.6")
def exercise_5_6(answer: Any, report: Report) -> None:
    """s/√b above a cut, and the error that the simulation of the background gives it."""
    label, score, weight = crafted.scored(200, seed=56)
    given = score, label, weight, float(score[label == 0][7])
    value = _MISTAKES_VALUE, "s/√b of the events that pass", "sums of weights, score >= cut"
    error = _MISTAKES_OF_ERROR, "its error from the simulated background", "½ · value · σ_b / b"
    parts_follow(report, answer, _significance, given, "value, error", value, error)
    label, score, weight = crafted.scored(120, seed=57)
    report.agrees(answer, _significance, (score, label, weight, 0.3), hint="use all that is passed to the function")


@exercise("5.7")
def exercise_5_7(answer: Any, report: Report, *, efficiencies: Mapping[str, float], model: str) -> None:
    """Read the background efficiency of a model from its ROC curve."""
    right = float(efficiencies[model])
    others = [(float(value), name) for name, value in efficiencies.items() if abs(value - right) > 0.03]
    mistakes = (
        (100 * right, *PER_CENT),
        (0.5, "this is the signal efficiency", "read the other axis"),
        (1 - right, "this is the share of the background that is rejected", "we ask for the share that passes"),
        (1 / right, "this is the rejection", "we ask for the share that passes, not for one over it"),
        *((value, f"this belongs to another curve: {name}", f"look for that of {model}") for value, name in others),
    )
    what, hint = "the share of the background that passes", "go right from 0.5"
    report.reading(answer, right, what, *mistakes, tolerance=0.03, hint=hint)


_MATCH = "set the weight to zero: then events and weights still match"
_MISTAKES_5_8 = {
    "keep": ((np.abs, "keep: the signs are lost", "return the weights as they are"),),
    "absolute": (
        (np.negative, "absolute: all signs are turned", "np.abs changes only those of negative numbers"),
        (np.square, "absolute: the weights are squared", "np.abs(weight)"),
        (lambda w: w.clip(0), "absolute: negative weights become zero", "np.abs keeps their size"),
        (np.array, "absolute: negative weights stay negative", "np.abs(weight) returns a new array"),
    ),
    "drop": (
        (lambda w: w[w > 0], "drop: the array is shorter", _MATCH),
        (lambda w: w[w >= 0], "drop: the array is shorter", _MATCH),
        (lambda w: np.minimum(w, 0), "drop: the positive weights are gone", "keep those above zero"),
        (lambda w: np.where(w < 0, np.nan, w), "drop: negative weights become NaN", _MATCH),
        (np.abs, "drop: negative weights become positive", _MATCH),
        (np.array, "drop: negative weights stay", _MATCH),
    ),
}
_ALWAYS = "the treatment is always the same"


@exercise("5.8")
def exercise_5_8(answer: Any, report: Report) -> None:
    """Three treatments of negative weights."""
    weight = np.array([0.5, -0.25, 1.0, -2.0, 0.0])
    results = {treatment: answer(weight, treatment) for treatment in _MISTAKES_5_8}
    report.recognises(
        list(results.values()),
        ([weight] * 3, "nothing is done to the weights", "return a new array for each treatment"),
        ([np.abs(weight)] * 3, _ALWAYS, "compare: if treatment == …"),
        ([weight.clip(0)] * 3, _ALWAYS, "`x == a or b` is always true: compare with each"),
    )
    words = {"keep": "as they are", "absolute": "all positive, same size", "drop": "negative ones become zero"}
    for treatment, mistakes in _MISTAKES_5_8.items():
        result, right = results[treatment], _treat(weight, treatment)
        report.recognises(result, *mistakes, given=(weight,), right=right)
        report.holds(alike(result, right), f"{treatment}: {words[treatment]}", hint="look at each sign")


@exercise("5.9")
def exercise_5_9(answer: Any, report: Report, *, bias: pd.DataFrame) -> None:
    """The sample and the size of the largest bias."""
    parts = report.parts(answer, 'a name and a number, such as ("llll", 0.5)')
    absolute, dropped = bias["absolute"], bias["drop"]
    largest, column = str(absolute.idxmax()), "the largest number in the column «absolute»"
    report.name(
        parts[0],
        list(bias.index),
        {largest},
        "the sample with the largest bias",
        (absolute.idxmin(), "this sample has the smallest bias", column),
        (dropped.idxmax(), "this sample has the largest bias of dropping", column),
        hint=column,
    )
    value = 100 * float(absolute.loc[largest])
    mistakes = (
        (value / 100, "the bias is given as a fraction", "in per cent: multiply by 100"),
        (100 + value, "this is the yield itself, relative to the right one", "we ask by how much it changes"),
        (100 * float(dropped.loc[largest]), "this is the bias of dropping", "read the column «absolute»"),
        (-value, "the sign is turned round", "absolute values make the yield larger"),
    )
    report.reading(parts[1], value, "its size in per cent", *mistakes, tolerance=0.6, hint="100 · (Σ|w| / Σw − 1)")
