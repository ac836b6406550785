"""Checks of chapter 4, early stopping."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labcourse import splitting
from labcourse.checks.report import Report, exercise

__all__ = [
    "exercise_4_1",
    "exercise_4_2",
    "exercise_4_4",
    "exercise_4_5",
    "exercise_4_6",
    "exercise_4_7",
    "exercise_4_8",
    "exercise_4_9",
    "exercise_4_10",
]

PATIENCE = 10
NEARLY_ALIKE = 0.05
"""Efficiencies that differ by less are the same within the statistics of the rare samples."""


@exercise("4.1")
def exercise_4_1(answer: Any, report: Report, *, history: Mapping[str, Sequence[float]]) -> None:
    """The epoch from which on a network overtrains."""
    validation = np.asarray(history["val_loss"], float)
    best = int(np.argmin(validation)) + 1
    if not report.holds(
        isinstance(answer, (int, float, np.integer)) and not isinstance(answer, bool),
        "the answer is the number of an epoch",
        hint="such as turning_point = 12",
    ):
        return
    epoch = float(answer)
    if abs(epoch - len(validation)) < 0.5 < abs(best - len(validation)):
        report.wrong("this is the last epoch", "there the training loss is lowest; look at the validation loss")
        return
    if abs(epoch - validation.min()) < 0.05 and epoch < 1:
        report.wrong("this is the value of the loss", "we ask for the epoch: the horizontal axis")
        return
    if not report.holds(
        1 <= epoch <= len(validation), "it is one of the epochs", hint="the first one has the number 1"
    ):
        return
    # The curve is flat around its minimum: any epoch is right whose loss lies within a twentieth of the
    # rise that follows.
    near = validation <= validation.min() + 0.05 * (validation[best - 1 :].max() - validation.min())
    right = np.flatnonzero(near) + 1
    margin = max(1.0, 0.05 * len(validation))
    report.holds(
        right.min() - margin <= epoch <= right.max() + margin,
        "the validation loss turns there",
        hint="left of it the validation loss still falls, right of it it rises",
    )


def _identities(events: pd.DataFrame) -> set[tuple[int, int]]:
    return set(zip(events["run"], events["event"], strict=True))


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
    result = answer(events)
    if not (isinstance(result, (tuple, list)) and len(result) == 3):
        report.wrong("three tables are expected", "return fit_events, validation, test")
        return
    parts = [_identities(part) for part in result]
    fit_ids, validation_ids, test_ids = parts
    fit_right, validation_right, test_right = (_identities(part) for part in _three_parts(events))
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
    report.holds(set.union(*parts) == _identities(events), "no event is lost", hint="use every part that you get")
    report.holds(
        test_ids == test_right, "the test events are those of chapters 2 and 3", hint="splitting.split(events)"
    )
    report.holds(
        abs(len(result[1]) / max(len(result[0]) + len(result[1]), 1) - 1 / 3) < 0.05,
        "a third of the training events are for validation",
        hint="splitting.validation_split(train) with its default",
    )
    shuffled = answer(events.sample(frac=1, random_state=1))
    report.holds(
        [_identities(part) for part in shuffled] == parts,
        "an event's part does not depend on its place in the table",
        hint="use the functions of splitting, not rows or random numbers",
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
    patience = 4
    right = _stop(losses, patience)
    result = answer(losses, patience)
    if not (isinstance(result, (tuple, list)) and len(result) == 2):
        report.wrong("two numbers are expected", "return best_epoch, last_epoch")
        return
    result = (float(result[0]), float(result[1]))
    lowest = int(np.argmin(losses)) + 1
    for value, mistake, hint in (
        ((right[0] - 1, right[1] - 1), "epochs are counted from 0", "the first epoch has the number 1"),
        ((right[0] - 1, right[1]), "the best epoch is counted from 0", "the first epoch has the number 1"),
        (right[::-1], "the order is another one", "return best_epoch, last_epoch"),
        (
            (right[0], right[1] + 1),
            "one epoch too many",
            "stop when the number of epochs without gain reaches patience",
        ),
        ((right[0], right[1] - 1), "one epoch too few", "train `patience` epochs beyond the best one"),
        (_stop(losses, patience, to="previous"), "compared with the epoch before", "compare with the best loss so far"),
        (_stop(losses, patience, ties=True), "an equal loss counts as a gain", "only a lower loss is better: use <"),
        (
            _stop(losses, patience, in_a_row=False),
            "the waiting is never reset",
            "after a new best epoch, count from zero again",
        ),
        ((lowest, right[1]), "the best epoch lies after the end of the training", "forget what comes after the stop"),
        ((lowest, len(losses)), "the training does not stop", "end it when patience is used up"),
        ((right[1], right[1]), "both are the last epoch", "the best epoch is `patience` epochs before the stop"),
    ):
        if result == value and value != right:
            report.wrong(mistake, hint)
            return
    report.holds(result == right, "finds the best epoch and the one at which training stops", hint="follow it by hand")
    falling = [1.0, 0.8, 0.7, 0.65]
    report.holds(
        lambda: tuple(answer(falling, 2)) == (4, 4),
        "a loss that always falls is followed to its end",
        hint="without a stop the last epoch is the number of losses",
    )
    report.holds(
        lambda: tuple(answer([0.5, 0.6, 0.4], 1)) == (1, 2), "patience 1 stops at the first epoch without gain"
    )
    report.holds(
        lambda: tuple(answer(falling[::-1], 3)) == (1, 4), "the first epoch can be the best one", hint="start with it"
    )


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
    if not report.holds(
        type(answer).__name__ == "EarlyStopping",
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
    report.holds(answer.patience == PATIENCE, "its patience is 10 epochs", hint="patience=10; the default is 0")
    report.holds(
        answer.restore_best_weights,
        "it goes back to the best epoch",
        hint="restore_best_weights=True; by default the weights of the last epoch stay",
    )
    report.holds(
        answer.mode in ("auto", "min"), "lower is better", hint='leave mode out: "max" waits for a higher loss'
    )
    report.holds(answer.baseline is None, "no baseline is asked for", hint="leave baseline out")


def _loss_and_error(y: Any, score: Any) -> tuple[float, float]:
    """The course's own answer to exercise 4.6."""
    score = np.clip(np.asarray(score, np.float64), 1e-7, 1 - 1e-7)
    losses = -np.where(np.asarray(y) == 1, np.log(score), np.log(1 - score))
    return float(losses.mean()), float(losses.std() / np.sqrt(len(losses)))


@exercise("4.6", fallback=_loss_and_error)
def exercise_4_6(answer: Any, report: Report) -> None:
    """The mean cross-entropy and its statistical error."""
    rng = np.random.default_rng(46)
    y = (rng.random(50) < 0.4).astype(np.float32)
    score = rng.uniform(0.05, 0.95, 50).astype(np.float32)
    loss, error = _loss_and_error(y, score)
    result = answer(y, score)
    if not (isinstance(result, (tuple, list)) and len(result) == 2):
        report.wrong("two numbers are expected", "return loss, error")
        return
    value, uncertainty = (np.asarray(part, np.float64) for part in result)
    if value.ndim or uncertainty.ndim:
        report.wrong("there is one number an event", "take the mean over the events")
        return
    signal_only = float(-np.mean(y * np.log(score)))
    for wrong, mistake, hint in (
        (loss * len(y), "the losses are added up", "take the mean"),
        (-loss, "the sign is missing", "a logarithm of a probability is negative"),
        (loss / np.log(10), "the logarithm has base 10", "use the natural one, np.log"),
        (loss / np.log(2), "the logarithm has base 2", "use the natural one, np.log"),
        (signal_only, "only signal events count", "background events contribute -log(1 - score)"),
    ):
        if np.isclose(value, wrong, rtol=1e-4):
            report.wrong(mistake, hint)
            return
    report.close(float(value), loss, "the mean cross-entropy", relative=1e-3, hint="-y log(score) - (1-y) log(1-score)")
    if np.isclose(uncertainty, error * np.sqrt(len(y)), rtol=0.03):
        report.wrong("this is the spread of single events", "the error of a mean is the spread divided by √n")
    elif np.isclose(uncertainty, error**2 * len(y), rtol=0.03) or np.isclose(uncertainty, error**2, rtol=0.03):
        report.wrong("this is a variance", "take the root")
    else:
        report.close(float(uncertainty), error, "its error, the spread divided by √n", relative=0.03, hint="std / √n")

    def is_finite_at_the_ends() -> bool:
        return bool(np.isfinite(answer(np.array([1.0, 0.0, 1.0]), np.array([0.0, 1.0, 1.0]))).all())

    report.holds(
        is_finite_at_the_ends,
        "finite for scores of exactly 0 and 1",
        hint="np.clip(score, 1e-7, 1 - 1e-7) before the logarithm, as Keras does",
    )


def _chi_square(
    values_a: Any,
    weight_a: Any,
    values_b: Any,
    weight_b: Any,
    edges: Any,
    *,
    normalise: bool = True,
    poisson: bool = False,
    errors: str = "quadrature",
) -> tuple[float, int]:
    """Compare two weighted histograms; the options are the variants that students write."""
    contents, variances = [], []
    for values, weight in ((values_a, weight_a), (values_b, weight_b)):
        weight = np.asarray(weight, np.float64)
        content, _ = np.histogram(values, edges, weights=weight)
        squares, _ = np.histogram(values, edges, weights=weight**2)
        total = content.sum() if normalise else 1.0
        contents.append(content / total)
        variances.append((np.abs(content) if poisson else squares) / total**2)
    variance = {"quadrature": variances[0] + variances[1], "first": variances[0], "second": variances[1]}.get(
        errors, (np.sqrt(variances[0]) + np.sqrt(variances[1])) ** 2
    )
    filled = variance > 0
    value = np.sum((contents[0] - contents[1])[filled] ** 2 / variance[filled])
    return float(value), int(filled.sum()) - 1


def _two_samples(
    values_a: Any, weight_a: Any, values_b: Any, weight_b: Any, edges: NDArray[np.float64]
) -> tuple[float, int]:
    """The course's own answer to exercise 4.7."""
    return _chi_square(values_a, weight_a, values_b, weight_b, edges)


@exercise("4.7", fallback=_two_samples)
def exercise_4_7(answer: Any, report: Report) -> None:
    """The weighted two-sample test."""
    rng = np.random.default_rng(47)
    values_a, values_b = rng.beta(2, 3, 300), rng.beta(3, 3, 200)
    weight_a, weight_b = rng.exponential(2.0, 300), rng.exponential(0.3, 200)
    weight_a[::15] *= -1
    edges = np.append(np.linspace(0, 1, 6), 2.0)  # nothing lies in the last bin
    given = (values_a, weight_a, values_b, weight_b, edges)
    right, ndf = _chi_square(*given)
    result = answer(*given)
    if not (isinstance(result, (tuple, list)) and len(result) == 2):
        report.wrong("two numbers are expected", "return chi2, ndf")
        return
    value, number = (float(part) for part in result)
    if not np.isfinite(value):
        report.wrong("χ² is not a number", "leave out bins in which both histograms are empty: there 0 is divided by 0")
        return
    if np.isclose(number, right) and not np.isclose(value, right):
        report.wrong("the order is another one", "return chi2, ndf")
        return
    for wrong, mistake, hint in (
        (_chi_square(*given, normalise=False)[0], "the histograms are not normalised", "divide each by its sum first"),
        (_chi_square(*given, poisson=True)[0], "errors are √content", "with weights, the squared error is Σw²"),
        (_chi_square(*given, errors="linear")[0], "the errors are added linearly", "add their squares"),
        (_chi_square(*given, errors="first")[0], "only the first histogram has errors", "both fluctuate"),
        (_chi_square(*given, errors="second")[0], "only the second histogram has errors", "both fluctuate"),
        (right / ndf, "χ² is divided by the degrees of freedom", "return both numbers by themselves"),
    ):
        if np.isclose(value, wrong, rtol=1e-4):
            report.wrong(mistake, hint)
            return
    report.close(value, right, "χ² follows the formula", relative=1e-3, hint="Σ (a − b)² / (σ_a² + σ_b²)")
    if number == ndf + 1:
        report.wrong("one degree of freedom too many", "normalising fixes the sum: subtract 1")
    elif number in (len(edges) - 1, len(edges) - 2):
        report.wrong("empty bins count as degrees of freedom", "count only the bins that are filled")
    else:
        report.close(number, ndf, "the degrees of freedom", hint="filled bins minus one")
    report.close(
        float(answer(values_a, 7 * weight_a, values_b, weight_b, edges)[0]),
        right,
        "the units of the weights do not matter",
        relative=1e-3,
        hint="an error scales as its histogram does",
    )


@exercise("4.8")
def exercise_4_8(answer: Any, report: Report, *, p_values: Mapping[str, float]) -> None:
    """The network that the test calls overtrained."""
    if not report.holds(isinstance(answer, str), "the answer is a name", hint=f"one of {', '.join(p_values)}"):
        return
    if not report.holds(answer in p_values, "it is one of the networks", hint=f"one of {', '.join(p_values)}"):
        return
    if answer == max(p_values, key=lambda name: p_values[name]):
        report.wrong("this one has the largest p-value", "a large p-value means: chance alone often does that")
        return
    report.holds(
        answer == min(p_values, key=lambda name: p_values[name]),
        "for no other network is chance a worse explanation",
        hint="a small p-value is suspicious",
    )


def _shares(process: Any, weight: Any) -> dict[str, tuple[float, float]]:
    """The course's own answer to exercise 4.9."""
    process, weight = np.asarray(process), np.asarray(weight, np.float64)
    return {
        str(name): (float(np.mean(process == name)), float(weight[process == name].sum() / weight.sum()))
        for name in np.unique(process)
    }


@exercise("4.9", fallback=_shares)
def exercise_4_9(answer: Any, report: Report) -> None:
    """Raw and expected shares of processes."""
    process = np.array(["ZZ"] * 5 + ["Z", "ttbar", "Z"])
    weight = np.array([0.2, 0.2, 0.2, 0.2, 0.2, 2.0, 1.0, -0.5])
    right = _shares(process, weight)
    result = answer(process, weight)
    if not report.holds(
        isinstance(result, Mapping) and {str(name) for name in result} == set(right),
        "a dictionary with each process once",
        hint="{name: (raw_share, expected_share), …} for the names in np.unique(process)",
    ):
        return
    found = {str(name): tuple(float(part) for part in pair) for name, pair in result.items()}
    raw = {name: pair[0] for name, pair in found.items()}
    expected = {name: pair[1] for name, pair in found.items()}
    if all(np.isclose(raw[name], np.sum(process == name)) for name in right):
        report.wrong("raw events are counted, not shared", "divide by the number of all events")
        return
    if all(np.isclose(pair[::-1], right[name]).all() for name, pair in found.items()):
        report.wrong("the order is another one", "(raw_share, expected_share)")
        return
    if all(np.isclose(pair, np.multiply(100, right[name])).all() for name, pair in found.items()):
        report.wrong("the shares are in per cent", "shares add up to one")
        return
    report.holds(all(np.isclose(raw[n], right[n][0]) for n in right), "raw shares: events over all events")
    if np.isclose(expected["Z"], 2.5 / 4.5):
        report.wrong("negative weights count as positive", "add the weights as they are")
    elif np.isclose(expected["Z"], right["Z"][1] * weight.sum()):
        report.wrong("expected events are counted, not shared", "divide by the sum of all weights")
    else:
        report.holds(
            all(np.isclose(expected[n], right[n][1]) for n in right), "expected shares: weights over all weights"
        )


@exercise("4.10")
def exercise_4_10(answer: Any, report: Report, *, efficiency: pd.Series) -> None:
    """The background that passes the cut most easily."""
    background = efficiency.drop("Higgs", errors="ignore")
    if not report.holds(isinstance(answer, str), "the answer is a name", hint=f"one of {', '.join(background.index)}"):
        return
    if answer == "Higgs":
        report.wrong("the Higgs boson is the signal", "we ask for a background")
        return
    if not report.holds(
        answer in background, "it is a background process", hint=f"one of {', '.join(background.index)}"
    ):
        return
    if answer == background.idxmin():
        report.wrong("this one is rejected best", "a large efficiency means: much of it passes")
        return
    report.holds(
        background.loc[answer] >= background.max() - NEARLY_ALIKE,
        "no other background passes clearly more easily",
        hint="the point furthest to the right",
    )
