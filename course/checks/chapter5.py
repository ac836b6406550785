"""Checks of chapter 5, event weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from course.checks import crafted
from course.checks.compare import alike
from course.checks.report import Report, exercise
from labcourse import weights

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


@exercise("5.4", fallback=weights.balance)
def exercise_5_4(answer: Any, report: Report) -> None:
    """Balanced weights."""
    label, _, weight = crafted.scored(90, seed=54)
    given, right = (weight, label), _right_balance(weight, label)
    size, signal = np.abs(weight), label == 1
    result = answer(*given)
    if report.recognises(
        result,
        (_signed, "negative weights stay negative", "take np.abs first"),
        (
            _balance(size=lambda w: np.maximum(w, 0)),
            "negative weights are set to zero",
            "take their absolute value: np.abs",
        ),
        (
            _balance(each=lambda w, n: 1 / w.mean()),
            "each class has the mean one",
            "equal *sums*: the classes have different numbers of events",
        ),
        (_not_balanced, "the classes are not balanced", "scale signal and background by different factors"),
        (
            lambda *given: _right_balance(*given) / len(given[0]),
            "the weights add up to one",
            "the mean is to be one: multiply by the number of events",
        ),
        (
            _balance(each=lambda w, n: n / w.sum()),
            "each class adds up to the number of events",
            "half of it: then the mean of all is one",
        ),
        (_balance(each=lambda w, n: 1 / w.sum()), "each class adds up to one", "multiply by half the number of events"),
        (_only_signal_scaled, "the mean is not one", "the sums are equal; now divide all weights by their mean"),
        (_all_alike, "all events of a class have the same weight", "keep the ratios: scale the event weights"),
        (
            lambda weight, label: _signed(weight, label).clip(0),
            "negative weights are dropped after the scaling",
            "take np.abs first: they train as well",
        ),
        (
            [len(label) / 2 / size[~signal].sum(), len(label) / 2 / size[signal].sum()],
            "these are the two factors",
            "multiply the weights of each class by its factor",
        ),
        given=given,
        right=right,
    ):
        return
    array = np.asarray(result)
    if not report.holds(array.shape == weight.shape, "one weight per event", hint="return an array of the same shape"):
        return
    array = array.astype(float)
    report.holds(bool((array >= 0).all()), "no weight is negative", hint="take np.abs first")
    report.also(
        lambda: np.isclose(array[signal].sum(), array[~signal].sum(), rtol=1e-4),
        "both classes have the same sum",
        hint="Σ|w|",
    )
    report.also(
        lambda: np.isclose(array.mean(), 1, rtol=1e-4), "the mean of all weights is one", hint="divide by the mean"
    )
    report.also(
        lambda: alike(array, right),
        "within a class the ratios of the weights stay",
        hint="multiply a whole class by one factor",
    )
    report.also(lambda: alike(answer(-weight, label), right), "works for any sign", hint="np.abs(weight)")
    other = (3 * weight[:51], 1 - label[:51])
    report.also(
        lambda: alike(answer(*other), _right_balance(*other)),
        "works for other events",
        hint="use nothing but what is passed to the function",
    )


def _is_balanced(weight: Any, label: Any, balanced: Any) -> bool:
    """The course's own answer to exercise 5.5."""
    balanced = np.asarray(balanced, float)
    return bool((balanced >= 0).all()) and alike(balanced, _right_balance(weight, label), relative=1e-3)


@exercise("5.5", fallback=_is_balanced)
def exercise_5_5(answer: Any, report: Report) -> None:
    """A test of balanced weights: the mistakes it has to find."""
    label, _, weight = crafted.scored(80, seed=55)
    right = _right_balance(weight, label)
    rounded = right.astype(np.float32)
    verdicts = [answer(weight, label, balanced) for balanced in (right, rounded)]
    if not all(isinstance(verdict, (bool, np.bool_)) for verdict in verdicts):
        report.wrong(
            f"this is of type {type(verdicts[0]).__name__}, and not True or False",
            "combine comparisons with `and`; np.all or np.allclose make one answer of many",
        )
        return

    def changed(y: int, change: Callable[[Any], Any]) -> Any:
        """Return the right weights with those of one class changed, and scaled to the sum that they had."""
        members, new = label == y, right.copy()
        new[members] = change(right[members])
        new[members] *= right[members].sum() / new[members].sum()
        return new

    def one(factor: float, place: int) -> Callable[[Any], Any]:
        return lambda w: np.where(np.arange(len(w)) == place % len(w), factor * w, w)

    sign, sums = "all of them have to be at least 0", "compare the sums of signal and background"
    ratios = "within a class, balanced / |w| is one number for *all* events; look at both classes"
    trials = [
        (_signed(weight, label), "weights that are negative", sign),
        (_not_balanced(weight, label), "classes with different sums", sums),
        (2 * right, "a mean that is not one", "look at balanced.mean()"),
        (_all_alike(weight, label), "weights that are no longer in proportion to |w|", ratios),
        (right * np.where(label == 1, 1.3, 0.7), "classes with different sums", sums),
        (right * np.where(label == 1, 0.98, 1.02), "classes with different sums", sums),
        (0.98 * right, "a mean that is not one", "look at balanced.mean()"),
        (1.02 * right, "a mean that is not one", "look at balanced.mean()"),
        # In one class only: a function must look at all events of both.
        *(
            (changed(y, change), f"{name} weights {what}", hint)
            for y, name in ((1, "signal"), (0, "background"))
            for change, what, hint in (
                (lambda w: w * np.where(np.arange(len(w)) % 2, 1.2, 0.8), "of which some are changed", ratios),
                (one(1.3, 0), "of which one is changed", ratios),
                (one(1.3, len(label) // 8), "of which one is changed", ratios),
                (one(1.3, -1), "of which one is changed", ratios),
                (one(-1.0, -1), "of which one is negative", sign),
                # The order stays, and the correlation with |w| is 1.
                (lambda w: w + 0.2, "to which a constant was added", ratios),
                (lambda w: w**1.1, "that keep their order only", ratios),
            )
        ),
    ]
    passed = [bool(answer(weight, label, wrong)) for wrong, _, _ in trials]
    if all(passed) and all(verdicts):
        report.wrong("everything passes", "return the result of comparisons that wrong weights fail")
        return
    if not any(verdicts) and answer(np.abs(weight), label, right):
        report.wrong(
            "right weights do not pass if some of the original ones are negative",
            "in proportion to |w|: take np.abs of the original",
        )
        return
    if not all(verdicts) and not any(passed[:3]):
        report.wrong(
            "right weights do not pass, or not in single precision",
            "decimals are never exact: compare them with np.isclose(…, rtol=1e-3), and not with ==",
        )
        return
    if not any(verdicts) and passed[0]:
        report.wrong("the answer is turned round", "True means: the weights are right")
        return
    if not report.holds(
        all(verdicts),
        "right weights pass",
        hint="compare decimals with np.isclose(…, rtol=1e-3): single precision is never exact",
    ):
        return
    for found_right, (_, what, hint) in zip(passed, trials, strict=True):
        if found_right:
            report.wrong(f"it lets pass: {what}", hint)
            return
    # In the samples about one event in twenty has the weight zero.
    with_zeros = np.where(np.arange(80) % 20 == 7, 0.0, weight)
    if not answer(with_zeros, label, _right_balance(with_zeros, label)):
        report.wrong(
            "right weights do not pass if the weight of some events is zero",
            "0/0 is not a number: compare shares of the sum of the class, or leave these events out of the ratio",
        )
        return
    for what in dict.fromkeys(what for _, what, _ in trials[:4]):
        report.holds(True, f"finds {what}")


def _treat(weight: Any, treatment: str) -> Any:
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
    results = {treatment: answer(weight, treatment) for treatment in ("keep", "absolute", "drop")}
    right = {treatment: _treat(weight, treatment) for treatment in results}
    if report.recognises(
        [results[treatment] for treatment in right],
        ([weight] * 3, "nothing is done to the weights", "return a new array for each treatment"),
        ([right["absolute"]] * 3, "the treatment is always the same", "compare: if treatment == …"),
        ([right["drop"]] * 3, "the treatment is always the same", "`x == a or b` is always true: compare with each"),
    ):
        return
    unmatched = "set the weight to zero: then events and weights still match"
    mistakes: dict[str, list[tuple[Any, str, str]]] = {
        "keep": [(right["absolute"], "keep: the signs are lost", "return the weights as they are")],
        "absolute": [
            (-weight, "absolute: all signs are turned", "np.abs changes only those of negative numbers"),
            (weight**2, "absolute: the weights are squared", "np.abs(weight)"),
            (right["drop"], "absolute: negative weights become zero", "np.abs keeps their size"),
            (weight, "absolute: negative weights stay negative", "np.abs(weight) returns a new array"),
        ],
        "drop": [
            (weight[weight > 0], "drop: the array is shorter", unmatched),
            (weight[weight >= 0], "drop: the array is shorter", unmatched),
            (np.minimum(weight, 0), "drop: the positive weights are gone", "keep those above zero"),
            (np.where(weight < 0, np.nan, weight), "drop: negative weights become NaN", unmatched),
            (right["absolute"], "drop: negative weights become positive", unmatched),
            (weight, "drop: negative weights stay", unmatched),
        ],
    }
    words = {"keep": "as they are", "absolute": "all positive, same size", "drop": "negative ones become zero"}
    hints = {"keep": "nothing changes", "absolute": "the size of each", "drop": "compare each with zero"}
    for treatment, result in results.items():
        if not report.recognises(result, *mistakes[treatment], right=right[treatment]):
            report.also(alike(result, right[treatment]), f"{treatment}: {words[treatment]}", hint=hints[treatment])


@exercise("5.9")
def exercise_5_9(answer: Any, report: Report, *, bias: pd.DataFrame) -> None:
    """The sample and the size of the largest bias."""
    parts = report.parts(answer, 'a name and a number, such as ("llll", 0.5)')
    if parts is None:
        return
    absolute, dropped = bias["absolute"], bias["drop"]
    largest = str(absolute.idxmax())
    if not report.name(
        parts[0],
        list(bias.index),
        {largest},
        "the sample with the largest bias",
        (absolute.idxmin(), "this sample has the smallest bias", "the largest number in the column «absolute»"),
        (dropped.idxmax(), "this sample has the largest bias of dropping", "read the column «absolute»"),
        hint="the largest number in the column «absolute»",
    ):
        return
    value = 100 * float(absolute.loc[largest])
    report.reading(
        parts[1],
        value,
        "its size in per cent",
        (value / 100, "the bias is given as a fraction", "in per cent: multiply by 100"),
        (100 + value, "this is the yield itself, relative to the right one", "we ask by how much it changes"),
        (100 * float(dropped.loc[largest]), "this is the bias of dropping", "read the column «absolute»"),
        (-value, "the sign is turned round", "absolute values make the yield larger"),
        tolerance=0.6,
        hint="100 · (Σ|w| / Σw − 1)",
    )


def _losses(y: Any, score: Any, *, background: bool = True) -> Any:
    score = np.asarray(score, np.float64)
    return -np.where(np.asarray(y) == 1, np.log(score), background * np.log1p(-score))


def _weighted_cross_entropy(y: Any, score: Any, weight: Any) -> float:
    """The course's own answer to exercise 5.1."""
    weight = np.asarray(weight, np.float64)
    return float(np.sum(weight * _losses(y, score)) / np.sum(weight))


@exercise("5.1", fallback=_weighted_cross_entropy)
def exercise_5_1(answer: Any, report: Report) -> None:
    """The weighted mean of the cross-entropy."""
    given = y, score, weight = crafted.scored(60, seed=5)
    score[:2] = 0.001, 0.999
    right = _weighted_cross_entropy(*given)
    result = answer(*given)
    each = weight * _losses(y, score)
    if report.recognises(
        result,
        (each, "this is one number per event", "add up over the events, and divide by the sum of weights"),
        (lambda y, p, w: _losses(y, p).mean(), "the weights are not used", "multiply each event's loss by its weight"),
        (each.mean(), "the sum is divided by the number of events", "divide by the sum of weights"),
        (each.sum(), "the sum is not divided by anything", "divide by the sum of weights"),
        (-right, "the sign is missing", "a logarithm of a probability is negative"),
        (
            lambda y, p, w: _weighted_cross_entropy(y, p, np.abs(w)),
            "negative weights count as positive",
            "no abs(): they subtract, above and below",
        ),
        (each.sum() / np.abs(weight).sum(), "the weights below are absolute", "no abs(): they subtract below as well"),
        (
            lambda y, p, w: np.sum(w * _losses(y, p, background=False)) / w.sum(),
            "only signal counts",
            "background has -log(1 - score)",
        ),
        (lambda y, p, w: _weighted_cross_entropy(1 - y, p, w), "the labels are swapped", "log(score) belongs to y = 1"),
        (
            lambda y, p, w: _losses(y, p).sum() / w.sum(),
            "the weights are only used below",
            "multiply each event's loss by its weight",
        ),
        given=given,
        right=right,
    ):
        return
    if report.number(result, "add up over the events") is None:
        return
    report.close(result, right, "the weighted mean of the losses", relative=1e-4, hint="Σ w·loss / Σ w")
    report.also(
        lambda: alike(answer(y, score, 7 * weight), result),
        "the unit of the weights does not matter",
        hint="divide by Σ w",
    )
    report.also(
        lambda: alike(answer(y, score, np.ones(len(y))), _losses(y, score).mean()),
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
    given = y, score, weight = crafted.scored(60, seed=52)
    score[3], y[3] = 0.5, 1
    right = _weighted_accuracy(*given)
    is_right = (score >= 0.5) == (y == 1)
    whole = "divide by the sum of all weights"
    result = answer(*given)
    if report.recognises(
        result,
        (is_right, "this is one answer per event", "add up the weights of the events that are called what they are"),
        (is_right.mean(), "events are counted, not weighted", "use sums of weights"),
        (100 * right, "this is in per cent", "a share lies between 0 and 1"),
        (1 - right, "this is the share of wrong answers", "count those on the right side"),
        (
            lambda y, p, w: _weighted_accuracy(y, p, np.abs(w)),
            "negative weights count as positive",
            "no abs(): they subtract, above and below",
        ),
        (weight[is_right].sum(), "this is a sum", whole),
        (weight[is_right].sum() / len(y), "divided by the number of events", whole),
        (weight[is_right].sum() / np.abs(weight).sum(), "the weights below are absolute", whole),
        (
            weight[is_right & (y == 1)].sum() / weight.sum(),
            "only signal can be right",
            "background with a score below 0.5 is right as well",
        ),
        (
            weight[score >= 0.5].sum() / weight.sum(),
            "this is the share that is called signal",
            "compare what an event is called with its label",
        ),
        (weight[(score > 0.5) == (y == 1)].sum() / weight.sum(), "0.5 itself is called background", "score >= 0.5"),
        given=given,
        right=right,
    ):
        return
    if report.number(result, "add up over the events") is None:
        return
    report.close(result, right, "weights of the right answers over all weights", relative=1e-4, hint="sums of weights")
    report.also(
        lambda: alike(answer(np.array([1.0, 0.0]), np.array([0.0, 0.0]), np.array([1.0, 9.0])), 0.9),
        "who always says background is right for the background",
        hint="signal if score >= 0.5",
    )
    other = crafted.scored(40, seed=53)
    report.also(lambda: alike(answer(*other), _weighted_accuracy(*other)), "works for other events", hint=whole)


def _significance(
    score: Any,
    label: Any,
    weight: Any,
    cut: float,
    *,
    passes: Any = np.greater_equal,
    weigh: Any = np.asarray,
    over: Any = lambda s, b: np.sqrt(b),
    b_error: Any = lambda w: np.sqrt(np.sum(w**2)),
    factor: float = 0.5,
    power: int = 1,
) -> tuple[float, float]:
    """Return s/√b and its error; the options are the variants that students write."""
    passed, weight = passes(np.asarray(score), cut), weigh(np.asarray(weight, np.float64))
    signal, background = (weight[passed & (np.asarray(label) == y)] for y in (1, 0))
    s, b = signal.sum(), background.sum()
    value = s / over(s, b)
    return float(value), float(value * factor * b_error(background) / b**power)


def _s_over_root_b(score: Any, label: Any, weight: Any, cut: float) -> tuple[float, float]:
    """The course's own answer to exercise 5.6."""
    return _significance(score, label, weight, cut)


@exercise("5.6", fallback=_s_over_root_b)
def exercise_5_6(answer: Any, report: Report) -> None:
    """s/√b above a cut, and the error that the simulation of the background gives it."""
    label, score, weight = crafted.scored(200, seed=56)
    cut = float(score[label == 0][7])
    given = (score, label, weight, cut)
    right, right_error = _significance(*given)
    pair = report.parts(answer(*given), "value, error")
    if pair is None:
        return
    value, error = pair

    def variant(i: int, **options: Any) -> Any:
        return lambda *given: _significance(*given, **options)[i]

    if report.recognises(
        value,
        (variant(0, weigh=np.abs), "negative weights count as positive", "add the weights as they are"),
        (variant(0, weigh=np.ones_like), "events are counted, not weighted", "s and b are sums of weights"),
        (variant(0, passes=np.greater), "events exactly at the cut are dropped", "an event passes if score >= cut"),
        (variant(0, passes=np.less), "the wrong side of the cut is taken", "keep score >= cut"),
        (variant(0, passes=lambda score, cut: score > -1), "the cut is not applied", "keep score >= cut"),
        (variant(0, over=lambda s, b: b), "this is s/b", "divide by the square root of b"),
        (variant(0, over=lambda s, b: np.sqrt(s + b)), "this is s/√(s+b)", "only the background is below the root"),
        (
            lambda score, label, *rest: _significance(score, 1 - label, *rest)[0],
            "s and b are swapped",
            "label 1 is signal",
        ),
        (right_error, "the order is another one", "return value, error"),
        given=given,
        right=right,
    ) or report.recognises(
        error,
        (
            variant(1, b_error=lambda w: np.sqrt(w.sum())),
            "the error of b is taken as √b",
            "simulated events: σ_b = √Σw²",
        ),
        (variant(1, b_error=lambda w: np.sum(w**2)), "σ_b is not a root", "σ_b = √Σw²"),
        (
            variant(1, b_error=lambda w: np.abs(w.sum())),
            "the squares are taken after the sum",
            "square each weight, then add, then take the root",
        ),
        (variant(1, factor=1.0), "the factor one half is missing", "√b changes half as much as b, relative to itself"),
        (variant(1, power=0), "the error is not divided by b", "it is the relative error σ_b / b that counts"),
        (
            lambda score, label, weight, cut: (
                _significance(score, label, weight, cut)[0]
                * 0.5
                * np.sqrt(np.sum(weight[score >= cut] ** 2))
                / weight[(score >= cut) & (label == 0)].sum()
            ),
            "the signal enters σ_b",
            "the sum of squares runs over the background that passes",
        ),
        given=given,
        right=right_error,
    ):
        return
    if not report.close(
        value, right, "s/√b of the events that pass", relative=1e-4, hint="sums of weights, score >= cut"
    ):
        return
    report.close(
        error, right_error, "its error from the simulated background", relative=1e-4, hint="½ · value · σ_b / b"
    )
    label, score, weight = crafted.scored(120, seed=57)
    other = (score, label, weight, 0.3)
    report.also(
        lambda: alike(answer(*other), _significance(*other)),
        "works for other events and another cut",
        hint="use nothing but what is passed to the function",
    )


@exercise("5.7")
def exercise_5_7(answer: Any, report: Report, *, efficiencies: Mapping[str, float], model: str) -> None:
    """Read the background efficiency of a model from its ROC curve."""
    right = float(efficiencies[model])
    report.reading(
        answer,
        right,
        "the share of the background that passes",
        (100 * right, "this is in per cent", "give a number between 0 and 1"),
        (0.5, "this is the signal efficiency", "read the other axis"),
        (1 - right, "this is the share of the background that is rejected", "we ask for the share that passes"),
        (1 / right, "this is the rejection", "we ask for the share that passes, not for one over it"),
        *(
            (float(value), f"this belongs to another curve: {name}", f"look for the curve of: {model}")
            for name, value in efficiencies.items()
            if name != model and abs(value - right) > 0.03
        ),
        tolerance=0.03,
        hint="go right from 0.5",
    )
