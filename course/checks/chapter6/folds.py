"""Exercises 6.1, 6.3 and 6.6: who trains and who validates, and what two networks share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course.checks.compare import alike
from course.checks.report import Report, exercise

__all__ = ["exercise_6_1", "exercise_6_3", "exercise_6_6"]

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
