"""Exercises 4.1, 4.2, 4.4 and 4.5: when to stop a training, and the events that say so."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from course.checks.compare import alike
from course.checks.crafted import identities, same_rows
from course.checks.report import Report, exercise
from labcourse import splitting

__all__ = ["exercise_4_1", "exercise_4_2", "exercise_4_4", "exercise_4_5"]

PATIENCE = 10


@exercise("4.1")
def exercise_4_1(answer: Any, report: Report, *, history: Mapping[str, Sequence[float]]) -> None:
    """The epoch from which on a network overtrains."""
    validation = np.asarray(history["val_loss"], float)
    training = np.asarray(history.get("loss", validation), float)
    last, best = len(validation), int(np.argmin(validation)) + 1
    epoch = report.number(answer, "the number of an epoch, such as turning_point = 12")
    if epoch is None:
        return
    # The curve is flat around its minimum: any epoch is right whose loss lies within a fiftieth of the
    # rise that follows.
    near = np.flatnonzero(validation <= validation.min() + 0.02 * (validation[best - 1 :].max() - validation.min())) + 1
    margin = max(1.0, 0.02 * last)
    what = "this is the value of the loss", "we ask for the epoch: the horizontal axis"
    crossing = int(np.argmax(validation > training)) + 1
    turns = "the validation loss turns there"
    if near.min() - margin <= epoch <= near.max() + margin:
        report.holds(True, turns)
        return
    report.reading(
        epoch,
        best,
        turns,
        (validation.min(), *what),
        (training[best - 1], *what),
        (last, "this is the last epoch", "there the training loss is lowest; look at the validation loss"),
        (
            int(np.argmin(training)) + 1,
            "there the training loss is lowest",
            "it falls as long as the network learns by heart: look at the validation loss",
        ),
        (
            int(np.argmax(validation)) + 1,
            "there the validation loss is highest",
            "we ask where it is lowest: from there on the network gets worse",
        ),
        (
            crossing,
            "this is where the two curves part",
            "the validation loss may still fall after that: look where it turns",
        ),
        *([(epoch, "there is no such epoch", f"they are numbered from 1 to {last}")] if not 1 <= epoch <= last else []),
        hint="left of it the validation loss still falls, right of it it rises",
    )


def _three_parts(events: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The course's own answer to exercise 4.2."""
    train, test = splitting.split(events)
    fit_events, validation = splitting.validation_split(train)
    return fit_events, validation, test


@exercise("4.2", fallback=_three_parts)
def exercise_4_2(answer: Any, report: Report) -> None:
    """Events to fit, to validate and to test."""
    numbers = np.random.default_rng(42).permutation(4000)
    events = pd.DataFrame({"run": 284500, "event": numbers.astype(np.int64), "value": numbers * 0.5})
    result = report.parts(answer(events), "fit_events, validation, test", 3)
    if result is None:
        return
    if not all(isinstance(part, pd.DataFrame) for part in result):
        report.wrong("these are no event tables", "both functions of splitting return tables: pass them on")
        return
    parts = [identities(part) for part in result]
    fit_ids, validation_ids, test_ids = parts
    fit_right, validation_right, test_right = (identities(part) for part in _three_parts(events))
    if fit_ids == validation_right or test_ids == validation_right:
        report.wrong("the order is another one", "return fit_events, validation, test")
        return
    if validation_ids & test_ids:
        report.wrong(
            "some events are for validation and for test",
            "take the validation events from the training events: split first, then validation_split(train)",
        )
        return
    if fit_ids == fit_right | validation_right:
        report.wrong(
            "the network is fitted to the validation events as well",
            "validation_split gives two tables; fit only to the first",
        )
        return
    if fit_ids & test_ids:
        report.wrong("the network is fitted to test events", "only the training events may be divided again")
        return
    report.holds(not fit_ids & validation_ids, "no event is for fitting and for validation", hint="divide, do not copy")
    report.holds(set.union(*parts) == identities(events), "no event is lost", hint="use every part that you get")
    if not report.is_right:
        return
    shuffled = answer(events.sample(frac=1, random_state=1))
    if [identities(part) for part in shuffled] != parts:
        report.wrong(
            "an event's part depends on its place in the table", "use the functions of splitting: they go by the event"
        )
        return
    report.also(
        lambda: same_rows(pd.concat(result), events),
        "the parts hold whole rows of the table, with all columns",
        hint="hand the tables on as the functions of splitting return them",
    )
    report.also(test_ids == test_right, "the test events are those of chapters 2 and 3", hint="splitting.split(events)")
    report.also(
        abs(len(result[1]) / max(len(result[0]) + len(result[1]), 1) - 1 / 3) < 0.05,
        "a third of the training events are for validation",
        hint="splitting.validation_split(train) with its default",
    )
    report.also(
        parts == [fit_right, validation_right, test_right],
        "the parts are those of the later chapters",
        hint="splitting.validation_split(train), with its default seed",
    )


def _stop(
    losses: Sequence[float], patience: int, *, to: str = "best", ties: bool = False, in_a_row: bool = True
) -> tuple[int, int]:
    """Return the best and the last epoch; the options are the variants that students write."""
    best, best_epoch, waited = np.inf, 0, 0
    reference = np.inf
    for epoch, loss in enumerate(losses, start=1):
        is_better = loss <= reference if ties else loss < reference
        if loss < best:
            best, best_epoch = loss, epoch
        if is_better:
            waited = 0 if in_a_row else waited
        else:
            waited += 1
        reference = loss if to == "previous" else min(reference, loss)
        if waited >= patience:
            return best_epoch, epoch
    return best_epoch, len(losses)


def _best_and_last(losses: Sequence[float], patience: int) -> tuple[int, int]:
    """The course's own answer to exercise 4.4."""
    return _stop(losses, patience)


@exercise("4.4", fallback=_best_and_last)
def exercise_4_4(answer: Any, report: Report) -> None:
    """The rule of early stopping."""
    losses = [0.9, 0.7, 0.8, 0.75, 0.74, 0.6, 0.5, 0.55, 0.54, 0.5, 0.53]  # the best is epoch 7, the end epoch 11
    losses += [0.52, 0.51, 0.505, 0.4, 0.3, 0.31, 0.32, 0.33, 0.34, 0.35, 0.2]  # never looked at
    given = losses, 4
    best, last = right = _stop(*given)
    pair = report.parts(answer(*given), "best_epoch, last_epoch")
    if pair is None:
        return
    lowest = int(np.argmin(losses)) + 1
    if report.recognises(
        pair,
        ((best - 1, last - 1), "epochs are counted from 0", "the first epoch has the number 1"),
        ((best - 1, last), "the best epoch is counted from 0", "the first epoch has the number 1"),
        ((best, last - 1), "one epoch too few", "train `patience` epochs beyond the best one"),
        ((best, last + 1), "one epoch too many", "stop when the number of epochs without gain reaches patience"),
        (right[::-1], "the order is another one", "return best_epoch, last_epoch"),
        ((losses[best - 1], last), "this is the best loss", "return the epoch in which it was reached"),
        (
            lambda *given: _stop(*given, to="previous"),
            "each loss is compared with the epoch before",
            "compare with the best loss so far",
        ),
        (
            lambda *given: _stop(*given, ties=True),
            "an equal loss counts as a gain",
            "only a lower loss is better: use <",
        ),
        (
            lambda *given: _stop(*given, in_a_row=False),
            "the waiting is never reset",
            "after a new best epoch, count from zero again",
        ),
        ((lowest, last), "the best epoch lies after the end of the training", "forget what comes after the stop"),
        ((lowest, len(losses)), "the training does not stop", "end it when patience is used up"),
        ((best, len(losses)), "the training does not stop", "leave the loop when patience is used up: return or break"),
        ((last, last), "both are the last epoch", "the best epoch is `patience` epochs before the stop"),
        given=given,
        right=right,
    ):
        return
    report.holds(
        alike(pair, right),
        "finds the best epoch and the one at which training stops",
        hint="go through a short list by hand, such as 0.9, 0.7, 0.8, 0.75, and print what it holds after each epoch",
    )
    report.also(
        all(isinstance(number, (int, np.integer)) for number in pair),
        "both are whole numbers",
        hint="epochs are counted, so that losses[best_epoch - 1] is the loss of the best one",
    )
    falling = [1.0, 0.8, 0.7, 0.65]
    report.also(
        lambda: alike(answer(falling, 2), (4, 4)),
        "a loss that always falls is followed to its end",
        hint="without a stop the last epoch is the number of losses",
    )
    report.also(
        lambda: alike(answer([0.5, 0.6, 0.4], 1), (1, 2)),
        "patience 1 stops at the first epoch without gain",
        hint="the epoch without gain is the last one; use the argument patience",
    )
    report.also(
        lambda: alike(answer(falling[::-1], 3), (1, 4)), "the first epoch can be the best one", hint="start with it"
    )
    report.also(
        lambda: alike(answer([250.0, 240.0, 239.999, 240.0, 241.0, 230.0], 2), (3, 5)),
        "losses of any size are followed, and gains however small count",
        hint="begin with the first loss as the best one so far",
    )
    walks = np.random.default_rng(44).normal(-0.5, 1.0, (4, 30)).cumsum(axis=1).round(3).tolist()
    report.agrees(answer, _stop, *itertools.product(walks, (1, 3, 8)), hint="use the arguments losses and patience")


def _stopping() -> Any:
    """The course's own answer to exercise 4.5."""
    import keras

    return keras.callbacks.EarlyStopping(monitor="val_loss", patience=PATIENCE, restore_best_weights=True)


@exercise("4.5", make_fallback=_stopping)
def exercise_4_5(answer: Any, report: Report) -> None:
    """The callback of Keras."""
    if isinstance(answer, type):
        report.wrong("this is the class", "make an object of it: keras.callbacks.EarlyStopping(...)")
        return
    if isinstance(answer, list) and len(answer) == 1:
        report.wrong("this is a list", "the callback itself; fit gets a list of callbacks, callbacks=[stopping]")
        return
    if not report.holds(
        any(base.__name__ == "EarlyStopping" for base in type(answer).__mro__),
        "it is an EarlyStopping callback",
        hint="keras.callbacks.EarlyStopping",
    ):
        return
    if answer.monitor == "loss":
        report.wrong("the training loss is watched", 'it always falls; watch monitor="val_loss"')
    elif "accuracy" in str(answer.monitor):
        report.wrong("the accuracy is watched", 'we want the loss: monitor="val_loss"')
    else:
        report.holds(answer.monitor == "val_loss", "it watches the validation loss", hint='monitor="val_loss"')
    report.holds(
        answer.patience == PATIENCE,
        "its patience is 10 epochs",
        mistake=f"its patience is {answer.patience}",
        hint="patience=10; the default of 0 stops at the first epoch without gain",
    )
    report.holds(
        answer.restore_best_weights,
        "it goes back to the best epoch",
        mistake="the weights of the last epoch stay",
        hint="go back to the best one: restore_best_weights=True",
    )
    report.holds(
        answer.mode != "max",
        "a lower loss is better",
        mistake="it waits for a higher loss",
        hint='leave mode out, or set it to "min"',
    )
    for is_plain, mistake, hint in (
        (answer.baseline is None, "it has a baseline", "a loss to be reached is not asked for: leave baseline out"),
        (not answer.start_from_epoch, "the first epochs are not looked at", "leave start_from_epoch out"),
        (not answer.min_delta, "small gains are not counted", "any lower loss is a gain: leave min_delta out"),
    ):
        if not is_plain:
            report.wrong(mistake, hint)
