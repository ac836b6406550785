"""Checks of chapter 6, cross-validation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course.checks.compare import alike
from course.checks.registry import course_answer
from course.checks.report import Report, exercise
from course.checks.tables import PER_CENT, caught, changed, follows, gives, hold, parts_follow

_fold_masks = course_answer("6.1")
_mean_and_spread = course_answer("6.5")
_corrected_error = course_answer("6.8")

Mask = NDArray[np.bool_]


_A_MASK = "one True or False per event: fold == number is a mask by itself"
_MISTAKES_6_1 = (
    (lambda f, i: (np.flatnonzero(f != i), np.flatnonzero(f == i)), "these are positions, and no masks", _A_MASK),
    (lambda f, i: (f[f != i], f[f == i]), "these are the folds of the events, and no masks", _A_MASK),
    (lambda f, i: (f == i, f != i), "the fold trains and the others validate", "only the fold itself validates"),
    (lambda f, i: (f < i, f == i), "only the folds before it train", "all others train: !="),
    (lambda f, i: (f > i, f == i), "only the folds behind it train", "all others train: !="),
    (lambda f, i: (f != i - 1, f == i - 1), "folds are counted from 1", "the first one has the number 0"),
    (lambda f, i: (f >= 0, f == i), "the validation events train as well", "leave the fold itself out: !="),
    (lambda f, i: (f != i, f >= 0), "the training events validate as well", "only the fold itself validates: =="),
    (lambda f, i: (f == i, f == i), "the same events train and validate", "all other folds train: !="),
    (lambda f, i: (f != i, f == (i + 1) % 4), "another fold validates", "fold == number: the one that does not train"),
)


@exercise("6.1")
def exercise_6_1(answer: Any, report: Report) -> None:
    """Masks of the events that train and of those that validate."""
    fold = np.array([2, 0, 1, 1, 0, 2, 3, 0])
    pair = report.parts(answer(fold, 1), "trains, validates")
    trains, validates = masks = [np.asarray(part) for part in pair]
    report.recognises(masks, *_MISTAKES_6_1, given=(fold, 1), right=_fold_masks(fold, 1))
    if any(mask.shape != fold.shape or mask.dtype != bool for mask in masks):
        report.wrong("these are no masks", "compare the array with the number: one True or False per event")
    validate = "the events of the fold validate", "those whose fold has this number"
    train = "the events of all other folds train", "those whose fold has any other number"
    hold(report, (np.array_equal(validates, fold == 1), *validate), (np.array_equal(trains, fold != 1), *train))
    for number in (0, 3):
        what = f"it works for the fold of number {number} too"
        gives(report, answer, ((fold, number), _fold_masks(fold, number), what, "compare with the number: == and !="))


def _means(model: Any) -> NDArray[np.float64] | None:
    """The means that a model's normalisation layer subtracts, or None if it has no such layer."""
    layers = [layer for layer in model.layers if type(layer).__name__ == "Normalization"]
    return np.asarray(layers[0].mean, np.float64).reshape(-1) if layers else None


@exercise("6.2")
def exercise_6_2(answer: Any, report: Report) -> None:
    """A function that makes a fresh model at each call."""
    x = np.random.default_rng(62).exponential(20.0, (200, 4)).astype(np.float32) + 7
    first, second = answer(x), answer(x)
    if not (hasattr(first, "layers") and hasattr(first, "optimizer")):
        report.wrong("this is no Keras model", "return what network.build gives")
    optimizer = first.optimizer
    is_shared = optimizer is not None and optimizer is second.optimizer
    caught(
        report,
        (first is second, "both calls return the same model", "it would have seen the folds before: build it inside"),
        (is_shared, "the models share one optimizer", "it remembers the training before: make it inside too"),
    )
    is_compiled = optimizer is not None and getattr(first, "compiled", True)
    report.holds(is_compiled, "the model is compiled", hint="network.build compiles it")
    report.holds(tuple(first.input_shape) == (None, 4), "it takes four inputs", hint="network.build(4, …)")
    dense = [layer for layer in first.layers if type(layer).__name__ == "Dense"]
    widths, activations = [layer.units for layer in dense], [layer.activation.__name__ for layer in dense]
    loss = str(getattr(first.loss, "name", None) or getattr(first.loss, "__name__", first.loss))
    kind, rate, default = type(optimizer).__name__, float(optimizer.learning_rate), "the default of network.build"
    is_active, output = "linear" not in activations[:-1], "".join(activations[-1:])
    wide, are = "its layers are 60, 60 and 1 neurons wide", f"its layers are {widths} neurons wide"
    report.holds(widths == [60, 60, 1], wide, mistake=are, hint=f"60, 60 and 1 are {default}")
    entropy = "its loss is the binary cross-entropy"
    hold(
        report,
        (is_active, "its hidden layers have an activation", default, "its hidden layers have no activation"),
        (output == "sigmoid", "its output is a sigmoid", default, f"its output has the activation {output}"),
        (loss == "binary_crossentropy", entropy, default, f"its loss is {loss}"),
        ("Adam" in kind, "its optimizer is Adam", default, f"its optimizer is {kind}"),
        (np.isclose(rate, 1e-3), "its learning rate is 0.001", "learning_rate=1e-3", f"its rate is {rate:.2g}"),
    )
    means, of_other = _means(first), _means(answer(3 * x))
    if means is None or of_other is None:
        report.wrong("the inputs are not normalised", "network.build(4, normalise=x, …)")
    with_x = "normalise=x, with the x of the function: a network must not know the mean of its validation events"
    if np.allclose(means, of_other):
        report.wrong("its inputs are always normalised with the same events", with_x)
    are_its = np.allclose(means, x.mean(axis=0), rtol=1e-3) and np.allclose(of_other, 3 * means, rtol=1e-3)
    report.holds(are_its, "its inputs are normalised with the events that are passed in", hint=with_x)


class _Recorder:
    """Stands in for networks and their training, and notes what is done with them."""

    def __init__(self) -> None:
        self.given: tuple[Any, ...] = ()
        self.trained: list[tuple[Any, Mask, Mask]] = []

    def build(self, *given: Any) -> object:
        self.given = given
        return object()

    def train(self, model: Any, trains: Any, validates: Any) -> float:
        self.trained.append((model, np.array(trains), np.array(validates)))
        return float(self.losses[-1])

    @property
    def losses(self) -> NDArray[np.float64]:
        """The losses of all trainings so far; no order sorts them."""
        return np.array([0.7 + 0.1 * (3 * i % 5) - 0.01 * i for i in range(len(self.trained))])


_ALL_LOSSES = "return all losses, one per fold"
_MISTAKES_6_3 = (
    (np.mean, "this is the mean", _ALL_LOSSES),
    (np.sum, "this is the sum", _ALL_LOSSES),
    (lambda losses: losses[-1], "this is the loss of the last fold", "collect them in a list; return after the loop"),
    (np.sort, "the losses are sorted", "leave them in the order of the folds"),
)


@exercise("6.3")
def exercise_6_3(answer: Any, report: Report) -> None:
    """The loop over the folds."""
    fold = np.array([1, 0, 3, 2, 0, 1, 2, 3, 3, 0, 4])
    recorder = _Recorder()
    result = answer(recorder.build, recorder.train, fold)
    n, folds = len(recorder.trained), "range(fold.max() + 1)"
    models = {id(model) for model, _, _ in recorder.trained}
    masks = [(trains, validates) for _, trains, validates in recorder.trained]
    are_shared = any((t & v).any() for t, v in masks if t.dtype == bool)
    is_same = all(np.array_equal(masks[0][1], validates) for _, validates in masks)
    is_turned = any(np.array_equal(validates, fold != i) for i, (_, validates) in enumerate(masks))
    are_functions = any(callable(model) for model, _, _ in recorder.trained)
    caught(
        report,
        (recorder.given, "build_model is called with an argument", "here it takes none: build_model()"),
        (n == 0, "nothing is trained", "call train_and_validate(model, trains, validates) for each fold"),
        (n < 5, f"only {n} of 5 folds are used", f"the numbers run from 0 to fold.max(): {folds}"),
        (n == len(fold), "there is one training per event", "loop over the folds, and not over the events"),
        (n > 5, f"{n} networks are trained for 5 folds", f"{folds} is enough"),
        (are_functions, "a function is trained, and not a model", "call it, with brackets: build_model()"),
        (len(models) == 1, "one model goes through all folds", "build_model() inside the loop: a fresh one for each"),
        (is_turned, "the fold trains and the others validate", "train_and_validate(model, trains, validates)"),
        (is_same, "the same fold validates every time", "use the number of the loop: fold_masks(fold, number)"),
        (are_shared, "some events train and validate", "use fold_masks"),
    )
    report.holds(len(models) == n, "each fold has a model of its own", hint="build_model() inside the loop")
    report.holds(
        all(np.array_equal(t, fold != i) and np.array_equal(v, fold == i) for i, (t, v) in enumerate(masks)),
        "fold 0 validates the first model, fold 1 the second, and so on",
        hint="the number of the loop is the fold that validates",
    )
    losses, collect = recorder.losses, "collect what train_and_validate returns: np.array(losses)"
    report.recognises(result, *_MISTAKES_6_3, given=(losses,), right=losses)
    report.holds(alike(result, losses), "returns the loss of each fold, in order", hint=collect)
    few = _Recorder()
    result = answer(few.build, few.train, np.array([0, 2, 1, 1]))
    report.holds(
        len(few.trained) == 3 and alike(result, few.losses),
        "three folds take three trainings",
        mistake=f"three folds take {len(few.trained)} trainings",
        hint="the number of folds is that of this array, fold.max() + 1, and not always 5",
    )


@exercise("6.4")
def exercise_6_4(answer: Any, report: Report, *, losses: Mapping[str, ArrayLike]) -> None:
    """How much too good the reused model looks in the last fold."""
    fresh, reused = (np.asarray(losses[name], np.float64) for name in ("fresh", "reused"))
    fresh_others, reused_others = (float(np.asarray(losses[f"{n}, other events"])[-1]) for n in ("fresh", "reused"))
    gains = fresh - reused
    right = float(gains[-1])
    is_loss = "this is the loss itself", "we ask for a difference of two losses"
    is_open = "these are the open points", "the validation losses are the filled ones"
    mistakes = (
        (100 * right / fresh[-1], "this is in per cent", "give the difference of the two losses itself"),
        (-right, "the sign is the other way round", "fresh minus reused: positive if the reused model looks better"),
        (float(reused[-1]), *is_loss),
        (float(fresh[-1]), *is_loss),
        (float(gains[0]), "this is the first fold", "there both are fresh; look at the last one"),
        (float(gains.mean()), "this is the mean over the folds", "we ask for the last fold"),
        (fresh_others - reused_others, *is_open),
        (reused_others - fresh_others, *is_open),
        (fresh_others - float(reused[-1]), "one of the points is an open one", "read both filled points"),
        (float(reused[0] - reused[-1]), "only the reused network is compared", "subtract it from the fresh one"),
    )
    what = "loss of the fresh minus loss of the reused model in the last fold"
    hint = "read both points of the last fold"
    report.reading(answer, right, what, *mistakes, tolerance=max(0.005, 0.1 * abs(right)), hint=hint)


_ALL_FOLDS = "the standard deviation counts all folds"
_MISTAKES_MEAN = (
    (np.sum, "this is the sum", "divide it by the number of losses"),
    (np.median, "this is the median", "the mean is the sum over the number"),
    (np.asarray, "these are the losses themselves", "take their mean"),
)
_MISTAKES_SPREAD = (
    (np.std, "the sum is divided by k", "the mean is taken from the same losses: k − 1, so ddof=1"),
    (lambda x: np.std(x, ddof=1) / np.sqrt(len(x)), "the spread is divided by √k", "that is no longer the spread"),
    (partial(np.var, ddof=1), "this is the variance", "take the root"),
    (np.ptp, "this is the largest difference", _ALL_FOLDS),
    (lambda x: np.ptp(x) / 2, "this is half the largest difference", _ALL_FOLDS),
    (lambda x: np.abs(x - x.mean()).mean(), "this is the mean absolute deviation", "take the root of the mean square"),
)


@exercise("6.5")
def exercise_6_5(answer: Any, report: Report) -> None:
    """Mean and sample standard deviation."""
    losses = np.array([0.51, 0.49, 0.53, 0.50, 0.55])
    mean = _MISTAKES_MEAN, "the mean", "the sum of the losses over their number"
    spread = _MISTAKES_SPREAD, "the spread, with k − 1", "the root of the sum of squares over k − 1"
    parts_follow(report, answer, _mean_and_spread, (losses,), "mean, spread", mean, spread)
    two, hint = ([0.2, 0.4],), "np.mean and np.std take lists as well; a list has no .mean()"
    gives(report, answer, (two, (0.3, np.sqrt(0.02)), "works for a list of two losses too", hint))


def _shared_fraction(fold: Any, first: int, second: int, *, count: Any = np.logical_and, over: Any = None) -> float:
    """The course's own answer to exercise 6.6; the options are the variants that students write."""
    fold = np.asarray(fold)
    in_first, in_second = fold != first, fold != second
    return float(count(in_first, in_second).sum() / (in_first.sum() if over is None else over(in_first, in_second)))


_OF_FIRST = "divide by the number of training events of the first network"
_MISTAKES_6_6 = (
    (partial(_shared_fraction, over=lambda a, b: 1), "events are counted", _OF_FIRST),
    (partial(_shared_fraction, over=lambda a, b: len(a)), "divided by all events", _OF_FIRST),
    (partial(_shared_fraction, over=lambda a, b: b.sum()), "divided by the training events of the second", _OF_FIRST),
    (partial(_shared_fraction, over=lambda a, b: a.sum() + b.sum()), "divided by the events of both", _OF_FIRST),
    (lambda f, i, j: ((f == i) & (f == j)).mean(), "these are validation events", "network i trains on fold != i"),
    (partial(_shared_fraction, count=np.logical_or), "this is the union", "in the one *and* in the other: &"),
    (changed(_shared_fraction, lambda share: 1 - share), "these are the events that are not shared", "fold != second"),
    (lambda f, i, j: (f.max() - 1) / f.max(), "folds are counted, and not events", "the folds have different sizes"),
    (changed(_shared_fraction, lambda share: 100 * share), *PER_CENT),
)


@exercise("6.6")
def exercise_6_6(answer: Any, report: Report) -> None:
    """The share of training events that two folds have in common."""
    fold = np.repeat([0, 1, 2, 3], [10, 20, 30, 45])
    what = "shared training events over training events of the first"
    follows(report, answer, _shared_fraction, (fold, 0, 3), _MISTAKES_6_6, what, "count with masks: &, sum")
    for k in (3, 10):
        equal, what = np.arange(60 * k) % k, f"for {k} equal folds the networks share {k - 2} of {k - 1} folds"
        gives(report, answer, ((equal, 1, 0), (k - 2) / (k - 1), what, "count events, with masks"))
    gives(report, answer, ((fold, 2, 2), 1.0, "a network shares all events with itself", "&"))


def _on_variance(formula: Callable[[Any, Any, Any], Any]) -> Callable[..., Any]:
    """Return a function that takes a formula of the variance, 1/J and the ratio of the numbers of events."""
    return lambda losses, n_train, n_val: formula(losses.var(ddof=1), 1 / len(losses), n_val / n_train)


_FORMULA = "√((1/J + n_validation / n_training) · variance)"
_MISTAKES_6_8 = (
    (_on_variance(lambda var, j, r: np.sqrt(var * j)), "this is the naive error", "add n_val / n_train to 1/J"),
    (_on_variance(lambda var, j, r: np.sqrt(var)), "this is the spread of the losses", _FORMULA),
    (_on_variance(lambda var, j, r: np.sqrt((j + 1 / r) * var)), "the ratio is upside down", _FORMULA),
    (_on_variance(lambda var, j, r: (j + r) * var), "this is a variance", "take the root"),
    (_on_variance(lambda var, j, r: (j + r) * np.sqrt(var)), "the root is only taken of the variance", _FORMULA),
    (lambda x, n, m: np.sqrt((1 / len(x) + m / n) * x.var()), "the variance is divided by J", "J − 1: ddof=1"),
    (_on_variance(lambda var, j, r: np.sqrt((j + r / (1 + r)) * var)), "divided by all events", _FORMULA),
    (_on_variance(lambda var, j, r: np.sqrt(r * var)), "1/J is missing", _FORMULA),
    (_on_variance(lambda var, j, r: np.sqrt(j + r * var)), "the brackets are missing", _FORMULA),
    (_on_variance(lambda var, j, r: np.sqrt((j + r) * np.sqrt(var))), "the spread is not squared", "np.var(…, ddof=1)"),
)


@exercise("6.8")
def exercise_6_8(answer: Any, report: Report) -> None:
    """The corrected error of a mean over folds (Nadeau and Bengio 2003)."""
    losses = np.array([0.02, 0.05, 0.01, 0.04, 0.04, 0.03])
    follows(report, answer, _corrected_error, (losses, 1000, 230), _MISTAKES_6_8, "follows the formula", _FORMULA)
    more, fewer = (np.tile(losses, 4), 1000, 230), (losses, 160, 40)
    gives(report, answer, (more, _corrected_error(*more), "J is the number of losses passed in", "len(losses)"))
    gives(report, answer, (fewer, _corrected_error(*fewer), "the numbers of events are those passed in", _FORMULA))


@exercise("6.9")
def exercise_6_9(answer: Any, report: Report, *, losses: Mapping[str, ArrayLike]) -> None:
    """In how many folds the first model is better, and by how much in the mean."""
    pair = report.parts(answer, "the number of folds and the mean difference")
    first, second = (np.asarray(losses[name], np.float64) for name in list(losses)[:2])
    delta = second - first
    n, better, mean = len(delta), int((delta > 0).sum()), float(delta.mean())
    order, is_loss = "the order is another one", ("this is a loss", "we ask for the difference of two")
    mistakes = (
        (n - better, "this is the number of folds in which the second model is better", "a lower loss is better"),
        (mean, order, "the number of folds comes first"),
        (better / n, "this is the share of the folds", "count them"),
    )
    what = "the number of folds in which the first model has the lower loss"
    hint = "compare the two points of each fold"
    report.reading(pair[0], better, what, *mistakes, hint=hint)
    of_mean = (
        (-mean, "the sign of the mean is the other way round", "loss of the second minus loss of the first"),
        (float(delta.sum()), "the differences are added up", "divide by the number of folds"),
        (float(second.mean()), *is_loss),
        (float(first.mean()), *is_loss),
        (100 * mean / float(second.mean()), "this is in per cent", "give the difference of the losses itself"),
    )
    what, hint = "the mean difference of the losses", "right panel"
    report.reading(pair[1], mean, what, *of_mean, tolerance=max(0.0005, 0.15 * abs(mean)), hint=hint)
