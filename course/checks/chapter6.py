"""Checks of chapter 6, cross-validation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course.checks.compare import alike
from course.checks.report import Report, exercise
from labcourse import network

__all__ = [
    "exercise_6_1",
    "exercise_6_2",
    "exercise_6_3",
    "exercise_6_4",
    "exercise_6_5",
    "exercise_6_6",
    "exercise_6_8",
    "exercise_6_9",
]

Mask = NDArray[np.bool_]


def _fold_masks(fold: Any, number: int) -> tuple[Mask, Mask]:
    """The course's own answer to exercise 6.1."""
    fold = np.asarray(fold)
    return fold != number, fold == number


@exercise("6.1", fallback=_fold_masks)
def exercise_6_1(answer: Any, report: Report) -> None:
    """Masks of the events that train and of those that validate."""
    fold = np.array([2, 0, 1, 1, 0, 2, 3, 0])
    given = fold, 1
    pair = report.parts(answer(*given), "trains, validates")
    if pair is None:
        return
    trains, validates = (np.asarray(part) for part in pair)
    if report.recognises(
        [trains, validates],
        (
            lambda fold, number: (np.flatnonzero(fold != number), np.flatnonzero(fold == number)),
            "these are positions, and no masks",
            "one True or False per event: fold == number is a mask by itself",
        ),
        (
            lambda fold, number: (fold[fold != number], fold[fold == number]),
            "these are the folds of the events, and no masks",
            "one True or False per event: fold == number is a mask by itself",
        ),
        (
            lambda fold, number: (fold == number, fold != number),
            "the fold trains and the others validate",
            "only the fold itself validates: a network trains on all others",
        ),
        (
            lambda fold, number: (fold < number, fold == number),
            "only the folds before it train",
            "all others train: !=",
        ),
        (
            lambda fold, number: (fold > number, fold == number),
            "only the folds behind it train",
            "all others train: !=",
        ),
        (
            lambda fold, number: (fold != number - 1, fold == number - 1),
            "folds are counted from 1",
            "the first one has the number 0",
        ),
        (
            lambda fold, number: (fold >= 0, fold == number),
            "the validation events train as well",
            "leave the fold itself out: !=",
        ),
        (
            lambda fold, number: (fold != number, fold >= 0),
            "the training events validate as well",
            "only the fold itself validates: ==",
        ),
        (
            lambda fold, number: (fold == number, fold == number),
            "the same events train and validate",
            "all other folds train: !=",
        ),
        (
            lambda fold, number: (fold != number, fold == (number + 1) % 4),
            "another fold validates",
            "fold == number: the one that does not train",
        ),
        given=given,
        right=_fold_masks(*given),
    ):
        return
    if trains.shape != fold.shape or trains.dtype != bool or validates.shape != fold.shape or validates.dtype != bool:
        report.wrong("these are no masks", "compare the array with the number: one True or False per event")
        return
    report.holds(
        np.array_equal(validates, fold == 1), "the events of the fold validate", hint="those whose fold has this number"
    )
    report.also(
        np.array_equal(trains, fold != 1),
        "the events of all other folds train",
        hint="those whose fold has any other number",
    )
    for number in (0, 3):
        report.also(
            lambda number=number: alike(answer(fold, number), _fold_masks(fold, number)),
            f"it works for the fold of number {number} too",
            hint="compare with the number that is passed to the function: == and !=",
        )


TrainAndValidate = Callable[[Any, Mask, Mask], float]


def _run_folds(build_model: Callable[[], Any], train_and_validate: TrainAndValidate, fold: ArrayLike) -> Any:
    """The course's own answer to exercise 6.3."""
    fold = np.asarray(fold)
    return np.array(
        [train_and_validate(build_model(), *_fold_masks(fold, number)) for number in range(int(fold.max()) + 1)]
    )


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
        return self.losses[len(self.trained) - 1]

    @property
    def losses(self) -> list[float]:
        """The losses of all trainings so far; no order sorts them."""
        return [0.7 + 0.1 * (3 * i % 5) - 0.01 * i for i in range(len(self.trained))]


@exercise("6.3", fallback=_run_folds)
def exercise_6_3(answer: Any, report: Report) -> None:
    """The loop over the folds."""
    fold = np.array([1, 0, 3, 2, 0, 1, 2, 3, 3, 0, 4])
    recorder = _Recorder()
    result = answer(recorder.build, recorder.train, fold)
    n = len(recorder.trained)
    if recorder.given:
        report.wrong("build_model is called with an argument", "here it takes none: build_model()")
        return
    if n == 0:
        report.wrong("nothing is trained", "call train_and_validate(model, trains, validates) for each fold")
        return
    if n < 5:
        report.wrong(f"only {n} of 5 folds are used", "the numbers run from 0 to fold.max(), so range(fold.max() + 1)")
        return
    if n == len(fold):
        report.wrong("there is one training per event", "loop over the numbers of the folds, and not over the events")
        return
    if n > 5:
        report.wrong(f"{n} networks are trained for 5 folds", "range(fold.max() + 1) is enough")
        return
    if any(callable(model) for model, _, _ in recorder.trained):
        report.wrong("a function is trained, and not a model", "call it, with brackets: build_model()")
        return
    models = {id(model) for model, _, _ in recorder.trained}
    if len(models) == 1:
        report.wrong(
            "one model goes through all folds", "call build_model() inside the loop: a fresh network for each fold"
        )
        return
    masks = [(trains, validates) for _, trains, validates in recorder.trained]
    if any(np.array_equal(validates, fold != i) for i, (_, validates) in enumerate(masks)):
        report.wrong("the fold trains and the others validate", "train_and_validate(model, trains, validates)")
        return
    if all(np.array_equal(masks[0][1], validates) for _, validates in masks):
        report.wrong("the same fold validates every time", "use the number of the loop: fold_masks(fold, number)")
        return
    if any((trains & validates).any() for trains, validates in masks if trains.dtype == bool):
        report.wrong("some events train and validate", "use fold_masks")
        return
    report.holds(len(models) == n, "each fold has a model of its own", hint="build_model() inside the loop")
    report.holds(
        all(np.array_equal(t, fold != i) and np.array_equal(v, fold == i) for i, (t, v) in enumerate(masks)),
        "fold 0 validates the first model, fold 1 the second, and so on",
        hint="the number of the loop is the fold that validates",
    )
    losses = np.array(recorder.losses)
    if not report.recognises(
        result,
        (losses.mean(), "this is the mean", "return all losses, one per fold"),
        (losses.sum(), "this is the sum", "return all losses, one per fold"),
        (losses[-1], "this is the loss of the last fold", "collect the losses in a list, and return after the loop"),
        (np.sort(losses), "the losses are sorted", "leave them in the order of the folds"),
        right=losses,
    ):
        report.also(
            lambda: alike(result, losses),
            "returns the loss of each fold, in order",
            hint="collect what train_and_validate returns: np.array(losses)",
        )
    if not report.is_right:
        return
    few = _Recorder()
    result = answer(few.build, few.train, np.array([0, 2, 1, 1]))
    report.holds(
        len(few.trained) == 3 and alike(result, np.array(few.losses)),
        "three folds take three trainings",
        mistake=f"three folds take {len(few.trained)} trainings",
        hint="the number of folds is that of this array, fold.max() + 1, and not always 5",
    )


def _shared_fraction(fold: Any, first: int, second: int, *, count: Any = np.logical_and, over: Any = None) -> float:
    """The course's own answer to exercise 6.6; the options are the variants that students write."""
    fold = np.asarray(fold)
    in_first, in_second = fold != first, fold != second
    return float(count(in_first, in_second).sum() / (in_first.sum() if over is None else over(in_first, in_second)))


@exercise("6.6", fallback=_shared_fraction)
def exercise_6_6(answer: Any, report: Report) -> None:
    """The share of training events that two folds have in common."""
    fold = np.repeat([0, 1, 2, 3], [10, 20, 30, 45])
    given = fold, 0, 3
    right = _shared_fraction(*given)
    result = answer(*given)

    def variant(**options: Any) -> Any:
        return lambda *given: _shared_fraction(*given, **options)

    of_first = "divide by the number of training events of the first network"
    if report.recognises(
        result,
        (variant(over=lambda a, b: 1), "events are counted", of_first),
        (variant(over=lambda a, b: len(a)), "divided by all events", of_first),
        (variant(over=lambda a, b: b.sum()), "divided by the training events of the second network", of_first),
        (variant(over=lambda a, b: (a | b).sum() + (a & b).sum()), "divided by the events of both networks", of_first),
        (
            lambda fold, first, second: float(((fold == first) & (fold == second)).mean()),
            "these are validation events",
            "network i trains on the events with fold != i",
        ),
        (variant(count=np.logical_or), "this is the union", "in the one *and* in the other: &"),
        (
            lambda fold, first, second: float(((fold != first) & (fold == second)).sum() / (fold != first).sum()),
            "these are the events that are not shared",
            "the second network trains on the events with fold != second",
        ),
        (
            lambda fold, first, second: (fold.max() - 1) / fold.max(),
            "folds are counted, and not events",
            "the folds have different sizes: count events",
        ),
        (100 * right, "this is in per cent", "a share lies between 0 and 1"),
        given=given,
        right=right,
    ):
        return
    if report.number(result, "count the events: one number") is None:
        return
    report.close(result, right, "shared training events over training events of the first", hint="&, sum")
    for k in (3, 10):
        report.also(
            lambda k=k: alike(answer(np.arange(60 * k) % k, 1, 0), (k - 2) / (k - 1)),
            f"for {k} equal folds the networks share {k - 2} of {k - 1} folds",
            hint="count events, with masks",
        )
    report.also(lambda: alike(answer(fold, 2, 2), 1.0), "a network shares all events with itself", hint="&")


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


@exercise("6.4")
def exercise_6_4(answer: Any, report: Report, *, losses: Mapping[str, ArrayLike]) -> None:
    """How much too good the reused model looks in the last fold."""
    fresh, reused = (np.asarray(losses[name], np.float64) for name in ("fresh", "reused"))
    fresh_others, reused_others = (float(np.asarray(losses[f"{n}, other events"])[-1]) for n in ("fresh", "reused"))
    gains = fresh - reused
    right = float(gains[-1])
    itself = "this is the loss itself", "we ask for a difference of two losses"
    report.reading(
        answer,
        right,
        "loss of the fresh minus loss of the reused model in the last fold",
        (100 * right / fresh[-1], "this is in per cent", "give the difference of the two losses itself"),
        (-right, "the sign is the other way round", "fresh minus reused: positive if the reused model looks better"),
        (float(reused[-1]), *itself),
        (float(fresh[-1]), *itself),
        (float(gains[0]), "this is the first fold", "there both are fresh; look at the last one"),
        (
            float(gains.mean()),
            "this is the mean over the folds",
            "we ask for the last fold; in the first one nothing leaks",
        ),
        (fresh_others - reused_others, "these are the open points", "the validation losses are the filled ones"),
        (reused_others - fresh_others, "these are the open points", "the validation losses are the filled ones"),
        (fresh_others - float(reused[-1]), "one of the points is an open one", "read both filled points"),
        (float(reused[0] - reused[-1]), "only the reused network is compared", "subtract it from the fresh one"),
        tolerance=max(0.005, 0.1 * abs(right)),
        hint="read both points of the last fold",
    )


def _mean_and_spread(losses: ArrayLike) -> tuple[float, float]:
    """The course's own answer to exercise 6.5."""
    losses = np.asarray(losses, np.float64)
    return float(losses.mean()), float(losses.std(ddof=1))


@exercise("6.5", fallback=_mean_and_spread)
def exercise_6_5(answer: Any, report: Report) -> None:
    """Mean and sample standard deviation."""
    losses = np.array([0.51, 0.49, 0.53, 0.50, 0.55])
    pair = report.parts(answer(losses), "mean, spread")
    if pair is None:
        return
    right_mean, right_spread = _mean_and_spread(losses)
    if report.recognises(
        pair[0],
        (right_spread, "the order is another one", "return mean, spread"),
        (losses.sum(), "this is the sum", "divide it by the number of losses"),
        (np.median(losses), "this is the median", "the mean is the sum over the number"),
        (losses, "these are the losses themselves", "take their mean"),
        right=right_mean,
    ) or report.recognises(
        pair[1],
        (losses.std(), "the sum is divided by k", "the mean is taken from the same losses: k − 1, so ddof=1"),
        (right_spread / np.sqrt(5), "the spread is divided by √k", "that is no longer the spread of the folds"),
        (right_spread**2, "this is the variance", "take the root"),
        (np.ptp(losses), "this is the largest difference", "the standard deviation counts all folds"),
        (np.ptp(losses) / 2, "this is half the largest difference", "the standard deviation counts all folds"),
        (
            np.abs(losses - losses.mean()).mean(),
            "this is the mean absolute deviation",
            "the standard deviation is the root of the mean square",
        ),
        right=right_spread,
    ):
        return
    if not report.close(pair[0], right_mean, "the mean", hint="the sum of the losses over their number"):
        return
    report.close(
        pair[1], right_spread, "the spread, with k − 1", relative=1e-4, hint="the root of the sum of squares over k − 1"
    )
    report.also(
        lambda: alike(answer([0.2, 0.4]), (0.3, np.sqrt(0.02))),
        "works for a list of two losses too",
        hint="np.mean and np.std take lists as well; a list has no .mean()",
    )


def _corrected_error(losses: ArrayLike, n_training: float, n_validation: float) -> float:
    """The course's own answer to exercise 6.8."""
    losses = np.asarray(losses, np.float64)
    return float(np.sqrt((1 / losses.size + n_validation / n_training) * losses.var(ddof=1)))


@exercise("6.8", fallback=_corrected_error)
def exercise_6_8(answer: Any, report: Report) -> None:
    """The corrected error of a mean over folds (Nadeau and Bengio 2003)."""
    losses = np.array([0.02, 0.05, 0.01, 0.04, 0.04, 0.03])
    result = answer(losses, 1000, 230)
    right, variance = _corrected_error(losses, 1000, 230), losses.var(ddof=1)
    if report.recognises(
        result,
        (np.sqrt(variance / 6), "this is the naive error", "add n_validation / n_training to 1/J"),
        (np.sqrt(variance), "this is the spread of the losses", "multiply its square by (1/J + n_val/n_train)"),
        (np.sqrt((1 / 6 + 1000 / 230) * variance), "the ratio is upside down", "n_validation / n_training"),
        ((1 / 6 + 0.23) * variance, "this is a variance", "take the root"),
        ((1 / 6 + 0.23) * np.sqrt(variance), "the root is only taken of the variance", "the root of the whole product"),
        (np.sqrt((1 / 6 + 0.23) * losses.var()), "the variance is divided by J", "J − 1: ddof=1"),
        (np.sqrt((1 / 6 + 230 / 1230) * variance), "divided by all events", "n_validation / n_training"),
        (np.sqrt(0.23 * variance), "1/J is missing", "(1/J + n_validation / n_training)"),
        (np.sqrt(1 / 6 + 0.23 * variance), "the brackets are missing", "(1/J + n_val/n_train) times the variance"),
        (np.sqrt((1 / 6 + 0.23) * np.sqrt(variance)), "the spread is not squared", "the variance: np.var(…, ddof=1)"),
        right=right,
    ):
        return
    if report.number(result, "the variance of the losses is one number") is None:
        return
    report.close(result, right, "follows the formula", relative=1e-4, hint="√((1/J + n_val/n_train) · variance)")
    report.also(
        lambda: alike(answer(np.tile(losses, 4), 1000, 230), _corrected_error(np.tile(losses, 4), 1000, 230)),
        "J is the number of losses that are passed in",
        hint="len(losses)",
    )
    report.also(
        lambda: alike(answer(losses, 160, 40), _corrected_error(losses, 160, 40)),
        "the numbers of events are those that are passed in",
        hint="n_validation / n_training",
    )


@exercise("6.9")
def exercise_6_9(answer: Any, report: Report, *, losses: Mapping[str, ArrayLike]) -> None:
    """In how many folds the first model is better, and by how much in the mean."""
    pair = report.parts(answer, "the number of folds and the mean difference")
    if pair is None:
        return
    first, second = (np.asarray(losses[name], np.float64) for name in list(losses)[:2])
    delta = second - first
    better, mean = int((delta > 0).sum()), float(delta.mean())
    report.reading(
        pair[0],
        better,
        "the number of folds in which the first model has the lower loss",
        (
            len(delta) - better,
            "this is the number of folds in which the second model is better",
            "a lower loss is better",
        ),
        (mean, "the order is another one", "the number of folds comes first"),
        (better / len(delta), "this is the share of the folds", "count them"),
        hint="compare the two points of each fold",
    )
    if report.lines[-1][1] == "the order is another one":
        return
    report.reading(
        pair[1],
        mean,
        "the mean difference of the losses",
        (-mean, "the sign of the mean is the other way round", "loss of the second minus loss of the first"),
        (float(delta.sum()), "the differences are added up", "divide by the number of folds"),
        (float(second.mean()), "this is a loss", "we ask for the difference of two"),
        (float(first.mean()), "this is a loss", "we ask for the difference of two"),
        (100 * mean / float(second.mean()), "this is in per cent", "give the difference of the losses itself"),
        tolerance=max(0.0005, 0.15 * abs(mean)),
        hint="right panel",
    )
