"""Checks of chapter 5, event weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from course.checks import crafted
from course.checks.compare import alike
from course.checks.registry import course_answer
from course.checks.report import Report, exercise
from course.checks.tables import (
    caught,
    follows,
    gives,
    hold,
    listed,
    losses,
    variants,
)
from labcourse import weights

_NO_ABS = "negative weights count as positive", "no abs(): they subtract, above and below"
_BELOW = "the weights below are absolute", "no abs(): they subtract below as well"


_weighted_loss, _weighted_accuracy, _balance, _distance, _positive = map(
    course_answer, ("5.1", "5.2", "5.5", "5.7", "5.8")
)

_MEAN_LOSS = "(weight * losses).sum() / weight.sum()"
_MISTAKES_5_1 = variants(
    "5.1",
    (_MEAN_LOSS, "weight * losses", "this is one number per event", "add up, and divide by the sum of weights"),
    (_MEAN_LOSS, "losses.mean()", "the weights are not used", "multiply each loss by its weight"),
    ("/ weight.sum()", "/ len(y)", "the sum is divided by the number of events", "by the sum of weights"),
    (" / weight.sum()", "", "the sum is not divided by anything", "divide by the sum of weights"),
    ("-np.where", "np.where", "the sign is missing", "a logarithm of a probability is negative"),
    (_MEAN_LOSS, "(abs(weight) * losses).sum() / abs(weight).sum()", *_NO_ABS),
    ("/ weight.sum()", "/ abs(weight).sum()", *_BELOW),
    ("np.log(1 - score)", "0", "only signal counts", "background has -log(1 - score)"),
    ("y == 1", "y == 0", "the labels are swapped", "log(score) belongs to y = 1"),
    ("weight * losses", "losses", "the weights are only used below", "multiply each loss, too"),
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


_WHOLE = "divide by the sum of all weights"
_SHARE = "weight[is_right].sum() / weight.sum()"
_MISTAKES_5_2 = variants(
    "5.2",
    (_SHARE, "is_right", "this is one answer per event", "add up the weights of the right ones"),
    (_SHARE, "is_right.mean()", "events are counted, not weighted", "use sums of weights"),
    (_SHARE, "abs(weight)[is_right].sum() / abs(weight).sum()", *_NO_ABS),
    (" / weight.sum()", "", "this is a sum", _WHOLE),
    ("/ weight.sum()", "/ len(y)", "divided by the number of events", _WHOLE),
    ("/ weight.sum()", "/ abs(weight).sum()", *_BELOW),
    ("== (y == 1)", "& (y == 1)", "only signal can be right", "background below 0.5 is right, too"),
    (" == (y == 1)", "", "this is the share that is called signal", "compare with the label"),
    (">= 0.5", "> 0.5", "0.5 itself is called background", "score >= 0.5"),
)


@exercise("5.2")
def exercise_5_2(answer: Any, report: Report) -> None:
    """The share of expected events on the right side of 0.5."""
    given = y, score, _ = crafted.scored(60, seed=52)
    score[3], y[3] = 0.5, 1
    what = "weights of the right answers over all weights"
    follows(report, answer, _weighted_accuracy, given, _MISTAKES_5_2, what, "sums of weights")
    report.agrees(answer, _weighted_accuracy, crafted.scored(40, seed=53), hint=_WHOLE)


@exercise("5.4")
def exercise_5_4(answer: Any, report: Report, *, losses: Mapping[str, float], know_nothing: float) -> None:
    """Which trainings with tiny weights still learn."""
    names = [name for name in losses if not name.endswith(" 1")]
    right = {name for name in names if losses[name] < know_nothing - 0.005}
    given = listed(report, answer, names)
    adam = {name for name in names if name.startswith("Adam")}
    small = "a step of Adam is m / (√v + ε) with ε = 1e-7: what if √v is far smaller than that?"
    plain = "a step of plain descent is η times the gradient, and that has the factor in it"
    caught(
        report,
        (given == set(names) != right, "these are all four", plain),
        (not given and right, "none of them is named", "a step of Adam divides by the size of the gradient"),
        (given == adam != right, "these are both of Adam", small),
        (given - adam - right, "a plain descent is among them", plain),
    )
    report.holds(given == right, "the losses say so", hint=small)


_FACTOR_5_5 = "len(balanced) / 2 / balanced[members].sum()"
_ONE_FACTOR = (_FACTOR_5_5, "1"), ("return balanced", "return balanced / balanced.mean()")
_ONLY_SIGNAL = ("(0, 1)", "(1,)"), (_FACTOR_5_5, "balanced[~members].sum() / balanced[members].sum()")
_MISTAKES_5_5 = variants(
    "5.5",
    ("np.abs(weight)", "np.array(weight)", "negative weights stay negative", "take np.abs first"),
    (_ONE_FACTOR, "the classes are not balanced", "scale signal and background by different factors"),
    (
        "np.abs(weight)",
        "np.ones_like(weight)",
        "all events of a class have the same weight",
        "keep the ratios: scale the event weights",
    ),
    ("np.abs(weight)", "np.maximum(weight, 0)", "negative weights are set to zero", "np.abs"),
    (
        _FACTOR_5_5,
        "1 / balanced[members].mean()",
        "each class has the mean one",
        "equal *sums*: numbers of events differ",
    ),
    ("len(balanced) / 2", "0.5", "the weights add up to one", "the mean is one: times number of events"),
    (" / 2", "", "each class adds up to the number of events", "half of it"),
    ("len(balanced) / 2", "1", "each class adds up to one", "multiply by half the number of events"),
    (_ONLY_SIGNAL, "the mean is not one", "the sums are equal; now divide all weights by their mean"),
    (
        lambda weight, label: [len(label) / 2 / np.abs(weight[label == y]).sum() for y in (0, 1)],
        "these are the two factors",
        "multiply the weights of each class by its factor",
    ),
)
_signed, _not_balanced, _all_alike = (function for function, *_ in _MISTAKES_5_5[:3])


@exercise("5.5", library=[weights.balance])
def exercise_5_5(answer: Any, report: Report) -> None:
    """Balanced weights."""
    label, _, weight = crafted.scored(90, seed=54)
    right, signal = _balance(weight, label), label == 1
    result = answer(weight, label)
    report.recognises(result, *_MISTAKES_5_5, given=(weight, label), right=right)
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
    report.agrees(answer, _balance, other, hint="use nothing but what is passed to the function")


_SIGN, _SUMS, _MEAN = "all of them have to be at least 0", "compare the sums of both classes", "look at balanced.mean()"
_RATIOS = "within a class, balanced / |w| is one number for *all* events; look at both classes"
#: What balanced weights are made wrong by in one class only: a test must look at all events of both.
_CHANGES_5_6 = (
    (lambda w: np.append(w[:-1], 1.3 * w[-1]), "of which one is changed", _RATIOS),
    (lambda w: np.append(w[:-1], -w[-1]), "of which one is negative", _SIGN),
    (lambda w: w + 0.2, "to which a constant was added", _RATIOS),  # order and correlation stay
)


def _wrongly_balanced(weight: Any, label: Any) -> list[tuple[Any, str, str]]:
    """Return weights that a test of balanced weights has to refuse, what they are, and a hint."""
    right = _balance(weight, label)

    def changed_in(y: int, change: Callable[[Any], Any]) -> Any:
        """Return the right weights with those of one class changed, and scaled to the sum that they had."""
        members, new = label == y, right.copy()
        new[members] = change(right[members])
        new[members] *= right[members].sum() / new[members].sum()
        return new

    return [
        (_signed(weight, label), "weights that are negative", _SIGN),
        (_not_balanced(weight, label), "classes with different sums", _SUMS),
        (0.98 * right, "a mean that is not one", _MEAN),
        (_all_alike(weight, label), "weights that are no longer in proportion to |w|", _RATIOS),
        (1.02 * right, "a mean that is not one", _MEAN),
        (right * np.where(label == 1, 0.98, 1.02), "classes with different sums", _SUMS),
        *(
            (changed_in(y, change), f"{name} weights {what}", hint)
            for y, name in ((1, "signal"), (0, "background"))
            for change, what, hint in _CHANGES_5_6
        ),
    ]


@exercise("5.6")
def exercise_5_6(answer: Any, report: Report) -> None:
    """A test of balanced weights: the mistakes it has to find."""
    label, _, weight = crafted.scored(80, seed=55)
    right, trials = _balance(weight, label), _wrongly_balanced(weight, label)
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
    if not answer(with_zeros, label, _balance(with_zeros, label)):
        hint = "0/0 is not a number: compare shares of the sum of the class, or leave these events out of the ratio"
        report.wrong(f"{fails} if the weight of some events is zero", hint)
    for what in dict.fromkeys(what for _, what, _ in trials[:4]):
        report.holds(True, f"finds {what}")


_WORTH = "in place of n stands the number that the events are worth, (Σw)²/Σw²"
_N_EFFECTIVE = "w.sum() ** 2 / (w**2).sum()"
_ROOT = "np.sqrt(1 / n_a + 1 / n_b)"
_MISTAKES_5_7 = variants(
    "5.7",
    (_N_EFFECTIVE, "len(w)", "all events count the same", _WORTH),
    (_N_EFFECTIVE, "w.sum()", "the sum of weights takes the place of n", _WORTH),
    (_N_EFFECTIVE, "(w**2).sum()", "Σw² takes the place of n", _WORTH),
    (_ROOT, "(n_a**-0.5 + n_b**-0.5)", "the errors are added", "variances add up: the root of the sum of the squares"),
    (_ROOT, "(n_a**-0.5 - n_b**-0.5)", "the errors are subtracted", "also of a difference the variances add up"),
    (_ROOT, "(1 / n_a + 1 / n_b)", "this is a variance over the spread", "take the root"),
    (" + 1 / n_b", "", "the second part has no error", "both fluctuate"),
    ("1 / n_a + ", "", "the first part has no error", "both fluctuate"),
    ("spread * ", "", "the spread is missing", "the error of a mean is the spread over a root"),
)


@exercise("5.7")
def exercise_5_7(answer: Any, report: Report) -> None:
    """How far two weighted means of independent events differ by chance."""
    rng = np.random.default_rng(57)
    a, b = rng.exponential(1.0, 60), rng.exponential(0.3, 25) + 0.1
    follows(report, answer, _distance, (0.4, a, b), _MISTAKES_5_7, "the distance that chance makes", _WORTH)
    more = (2.0, np.ones(100), np.ones(50)), (0.7, 3 * b, a)
    report.agrees(answer, _distance, *more, hint="use all three arguments; a common factor of weights cancels")


_FACTOR = "the factor of a bin is Σw / Σ|w|: then Σ|w| times it is Σw"
_RESULT = "np.abs(weight) * factor[position]"
_MISTAKES_5_8 = variants(
    "5.8",
    (
        _RESULT,
        "np.abs(weight)",
        "these are the absolute values",
        f"the sums have to be those with signs: {_FACTOR}",
    ),
    (_RESULT, "np.maximum(weight, 0)", "negative weights are dropped", "then the sums are too large"),
    ("factor[position]", "weight.sum() / np.abs(weight).sum()", "all bins have one factor", "each bin has its own"),
    (_RESULT, "weight * factor[position]", "negative weights stay negative", "the factor multiplies |w|"),
    (
        "np.maximum(signed, 0)",
        "signed",
        "in a bin the sum is negative, and so are its weights",
        "np.maximum(…, 0)",
    ),
    (_RESULT, "signed", "this is one number per bin", "one per event: factor[position]"),
)


@exercise("5.8")
def exercise_5_8(answer: Any, report: Report) -> None:
    """Positive weights with the same sums in each bin."""
    rng = np.random.default_rng(58)

    def case(n: int, n_bins: int) -> tuple[Any, Any]:
        position = rng.integers(0, n_bins, n)
        weight = rng.uniform(0.2, 2.0, n) * rng.choice([1.0, 1.0, 1.0, -1.0], n)
        weight[position == 1] = -np.abs(weight[position == 1])  # one bin in which negative weights prevail
        position[position == 3] = 2  # and an empty one
        return position, weight

    given = case(120, 6)
    what, hint = "each bin keeps its sum, and no weight is negative", _FACTOR
    follows(report, answer, _positive, given, _MISTAKES_5_8, what, hint)
    report.agrees(answer, _positive, case(80, 4), case(300, 20), hint="use position and weight, whatever the bins")
