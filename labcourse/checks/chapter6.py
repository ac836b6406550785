"""Checks of chapter 6, cross-validation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labcourse import network
from labcourse.checks.report import Report, exercise

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


def _two(result: Any, report: Report, what: str) -> bool:
    """Whether the answer is a pair; note it if not."""
    if isinstance(result, (tuple, list)) and len(result) == 2:
        return True
    report.wrong("two values are expected", f"return {what}")
    return False


def _fold_masks(fold: ArrayLike, number: int) -> tuple[Mask, Mask]:
    """The course's own answer to exercise 6.1."""
    fold = np.asarray(fold)
    return fold != number, fold == number


@exercise("6.1", fallback=_fold_masks)
def exercise_6_1(answer: Any, report: Report) -> None:
    """Masks of the events that train and of those that validate."""
    fold = np.array([2, 0, 1, 1, 0, 2, 3, 0])
    if not _two(result := answer(fold, 1), report, "trains, validates"):
        return
    trains, validates = (np.asarray(part) for part in result)
    if trains.shape != fold.shape or trains.dtype != bool or validates.shape != fold.shape or validates.dtype != bool:
        report.wrong("these are no masks", "compare the array with the number: one True or False an event")
        return
    for (first, second), mistake, hint in (
        ((fold == 1, fold != 1), "the fold trains and the others validate", "only the fold itself validates"),
        ((fold < 1, fold == 1), "only the folds before it train", "all other folds train: !="),
        ((fold > 1, fold == 1), "only the folds behind it train", "all other folds train: !="),
        ((fold != 0, fold == 0), "folds are counted from 1", "the first one has the number 0"),
        ((np.ones(len(fold), bool), fold == 1), "the validation events train as well", "leave the fold itself out"),
    ):
        if np.array_equal(trains, first) and np.array_equal(validates, second):
            report.wrong(mistake, hint)
            return
    report.holds(np.array_equal(validates, fold == 1), "the events of the fold validate", hint="fold == number")
    report.holds(np.array_equal(trains, fold != 1), "the events of all other folds train", hint="fold != number")
    report.holds(
        lambda: np.array_equal(answer(fold, 0)[1], fold == 0), "it works for the fold of number 0 too", hint="no `or`"
    )


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
    report.holds(widths == [60, 60, 1], "its layers are 60, 60 and 1 neurons wide", hint="the default of network.build")
    report.holds(
        np.isclose(float(first.optimizer.learning_rate), 1e-3),
        "its learning rate is 0.001",
        hint="learning_rate=1e-3",
    )
    means, means_of_other = _means(first), _means(answer(3 * x))
    if means is None or means_of_other is None:
        report.wrong("the inputs are not normalised", "network.build(4, normalise=x, …)")
        return
    report.holds(
        np.allclose(means, x.mean(axis=0), rtol=1e-3) and np.allclose(means_of_other, 3 * means, rtol=1e-3),
        "its inputs are normalised with the events that are passed in",
        hint="normalise=x, with the x of the function: a network must not know the mean of its validation events",
    )


def _means(model: Any) -> NDArray[np.float64] | None:
    """The means that a model's normalisation layer subtracts, or None if it has no such layer."""
    layers = [layer for layer in model.layers if type(layer).__name__ == "Normalization"]
    return np.asarray(layers[0].mean, np.float64).reshape(-1) if layers else None


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
        self.built = 0
        self.trained: list[tuple[Any, Mask, Mask]] = []

    def build(self) -> object:
        self.built += 1
        return object()

    def train(self, model: Any, trains: Any, validates: Any) -> float:
        self.trained.append((model, np.array(trains), np.array(validates)))
        return 0.5 + 0.1 * len(self.trained)


@exercise("6.3", fallback=_run_folds)
def exercise_6_3(answer: Any, report: Report) -> None:
    """The loop over the folds."""
    fold = np.array([1, 0, 3, 2, 0, 1, 2, 3, 3, 0, 4])
    recorder = _Recorder()
    result = np.asarray(answer(recorder.build, recorder.train, fold))
    n = len(recorder.trained)
    if n == 0:
        report.wrong("nothing is trained", "call train_and_validate(model, trains, validates) for each fold")
        return
    if n < 5:
        report.wrong(f"only {n} of 5 folds are used", "the numbers run from 0 to fold.max(), so range(fold.max() + 1)")
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
    if any((trains & validates).any() for trains, validates in masks if trains.dtype == bool):
        report.wrong("some events train and validate", "use fold_masks")
        return
    report.holds(n == 5, "each fold is used once", hint="range(fold.max() + 1)")
    report.holds(len(models) == n, "each fold has a model of its own", hint="build_model() inside the loop")
    report.holds(
        all(np.array_equal(t, fold != i) and np.array_equal(v, fold == i) for i, (t, v) in enumerate(masks)),
        "fold 0 validates the first model, fold 1 the second, and so on",
        hint="fold_masks(fold, number)",
    )
    if result.shape == () and np.isclose(result, np.mean(0.5 + 0.1 * np.arange(1, n + 1))):
        report.wrong("this is the mean", "return all losses, one a fold")
    else:
        report.holds(
            result.shape == (n,) and np.allclose(result, 0.5 + 0.1 * np.arange(1, n + 1)),
            "returns the loss of each fold, in order",
            hint="collect what train_and_validate returns: np.array(losses)",
        )


@exercise("6.4")
def exercise_6_4(answer: Any, report: Report, *, fresh: ArrayLike, reused: ArrayLike) -> None:
    """How much too good the reused model looks in the last fold."""
    fresh, reused = np.asarray(fresh, np.float64), np.asarray(reused, np.float64)
    gains = fresh - reused
    right = float(gains[-1])
    if np.isscalar(answer) and not isinstance(answer, (bool, str)):
        value = float(answer)  # type: ignore[arg-type]
        tolerance = max(0.005, 0.1 * abs(right))
        if abs(value - 100 * right / fresh[-1]) < 2 < abs(value - right):
            report.wrong("this is in per cent", "give the difference of the two losses itself")
            return
        for wrong, mistake, hint in (
            (
                -right,
                "the sign is the other way round",
                "fresh minus reused: positive if the reused model looks better",
            ),
            (reused[-1], "this is the loss itself", "we ask for a difference of two losses"),
            (fresh[-1], "this is the loss itself", "we ask for a difference of two losses"),
            (gains[0], "this is the first fold", "there both are fresh; look at the last one"),
        ):
            if abs(value - wrong) < tolerance / 2 < abs(right - wrong):
                report.wrong(mistake, hint)
                return
    report.close(
        answer,
        right,
        "loss of the fresh minus loss of the reused model in the last fold",
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
    if not _two(result := answer(losses), report, "mean, spread"):
        return
    mean, spread = float(result[0]), float(result[1])
    right_mean, right_spread = _mean_and_spread(losses)
    report.close(mean, right_mean, "the mean", relative=1e-6, hint="losses.mean()")
    for wrong, mistake, hint in (
        (losses.std(), "the sum is divided by k", "the mean is taken from the same losses: k − 1, so ddof=1"),
        (right_spread / np.sqrt(5), "the spread is divided by √k", "that is no longer the spread of the folds"),
        (right_spread**2, "this is the variance", "take the root"),
        (np.ptp(losses), "this is the largest difference", "the standard deviation"),
    ):
        if np.isclose(spread, wrong, rtol=1e-6):
            report.wrong(mistake, hint)
            return
    report.close(spread, right_spread, "the spread, with k − 1", relative=1e-6, hint="losses.std(ddof=1)")
    report.close(float(answer([0.2, 0.4])[1]), np.sqrt(0.02), "for two folds too", relative=1e-6, hint="ddof=1")


def _shared_fraction(fold: ArrayLike, first: int, second: int) -> float:
    """The course's own answer to exercise 6.6."""
    fold = np.asarray(fold)
    in_first, in_second = fold != first, fold != second
    return float((in_first & in_second).sum() / in_first.sum())


@exercise("6.6", fallback=_shared_fraction)
def exercise_6_6(answer: Any, report: Report) -> None:
    """The share of training events that two folds have in common."""
    fold = np.repeat([0, 1, 2, 3], [10, 20, 30, 40])
    result = answer(fold, 0, 3)
    if np.ndim(result):
        report.wrong("one number is expected", "count the events")
        return
    value, right = float(result), _shared_fraction(fold, 0, 3)
    for wrong, mistake, hint in (
        (50.0, "events are counted", "divide by the number of training events of the first network"),
        (0.5, "divided by all events", "divide by the number of training events of the first network"),
        (0.0, "these are validation events", "network i trains on the events with fold != i"),
        (50 / 60, "divided by the training events of the second network", "divide by those of the first one"),
        (100 * right, "this is in per cent", "a share lies between 0 and 1"),
        (1.0, "this is the union", "in the one *and* in the other: &"),
    ):
        if np.isclose(value, wrong) and not np.isclose(wrong, right):
            report.wrong(mistake, hint)
            return
    report.close(value, right, "shared training events over training events of the first", relative=1e-9, hint="&, sum")
    for k in (3, 10):
        equal = np.arange(60 * k) % k
        report.close(
            float(answer(equal, 0, 1)),
            (k - 2) / (k - 1),
            f"for {k} equal folds the networks share {k - 2} of {k - 1} folds",
            relative=1e-9,
        )
    report.close(float(answer(fold, 2, 2)), 1.0, "a network shares all events with itself", relative=1e-9, hint="&")


def _corrected_error(losses: ArrayLike, n_training: float, n_validation: float) -> float:
    """The course's own answer to exercise 6.8."""
    losses = np.asarray(losses, np.float64)
    return float(np.sqrt((1 / losses.size + n_validation / n_training) * losses.var(ddof=1)))


@exercise("6.8", fallback=_corrected_error)
def exercise_6_8(answer: Any, report: Report) -> None:
    """The corrected error of a mean over folds (Nadeau and Bengio 2003)."""
    losses = np.array([0.02, 0.05, 0.01, 0.04, 0.04, 0.03])
    result = answer(losses, 1000, 200)
    if np.ndim(result):
        report.wrong("one number is expected", "the variance of the losses is one number")
        return
    value, right = float(result), _corrected_error(losses, 1000, 200)
    variance = losses.var(ddof=1)
    for wrong, mistake, hint in (
        (np.sqrt(variance / 6), "this is the naive error", "add n_validation / n_training to 1/J"),
        (np.sqrt((1 / 6 + 5) * variance), "the ratio is upside down", "n_validation / n_training"),
        ((1 / 6 + 0.2) * variance, "this is a variance", "take the root"),
        ((1 / 6 + 0.2) * np.sqrt(variance), "the root is only taken of the variance", "the root of the whole product"),
        (np.sqrt((1 / 6 + 0.2) * losses.var()), "the variance is divided by J", "J − 1: ddof=1"),
        (np.sqrt((1 / 6 + 1 / 6) * variance), "divided by all events", "n_validation / n_training"),
        (np.sqrt(0.2 * variance), "1/J is missing", "(1/J + n_validation / n_training)"),
    ):
        if np.isclose(value, wrong, rtol=1e-6):
            report.wrong(mistake, hint)
            return
    report.close(value, right, "follows the formula", relative=1e-6, hint="√((1/J + n_val/n_train) · variance)")
    report.holds(
        lambda: np.isclose(answer(np.tile(losses, 4), 1000, 200), _corrected_error(np.tile(losses, 4), 1000, 200)),
        "J is the number of losses that are passed in",
        hint="len(losses)",
    )


@exercise("6.9")
def exercise_6_9(answer: Any, report: Report, *, losses: Mapping[str, ArrayLike]) -> None:
    """In how many folds the first model is better, and by how much in the mean."""
    if not _two(answer, report, "(number of folds, mean difference)"):
        return
    count, difference = answer
    first, second = (np.asarray(losses[name], np.float64) for name in list(losses)[:2])
    delta = second - first
    better = int((delta > 0).sum())
    margin = max(0.0005, 0.15 * abs(float(delta.mean())))
    if count == len(delta) - better != better:
        report.wrong("this is the number of folds in which the second model is better", "a lower loss is better")
    else:
        report.close(count, better, "the number of folds in which the first model has the lower loss", hint="compare")
    if isinstance(difference, (int, float, np.number)) and abs(float(difference) + delta.mean()) < margin < abs(
        delta.mean()
    ):
        report.wrong("the sign of the mean is the other way round", "loss of the second minus loss of the first")
    else:
        report.close(
            difference, float(delta.mean()), "the mean difference of the losses", tolerance=margin, hint="right panel"
        )
