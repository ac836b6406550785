"""Checks of chapter 4, early stopping."""

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
    if not isinstance(result, Mapping):
        report.wrong(f"this is of type {type(result).__name__}", "a dictionary: {name: (raw_share, expected_share), …}")
        return
    if not report.holds(
        {str(name) for name in result} == set(right),
        "a dictionary with each process once",
        hint="one entry for each of the names in np.unique(process)",
    ):
        return
    found = {str(name): pair for name, pair in result.items()}
    if any(np.shape(pair) != (2,) for pair in found.values()):
        report.wrong("there are not two numbers per process", "{name: (raw_share, expected_share), …}")
        return
    names, total, n = list(right), weight.sum(), len(weight)
    raw, expected = ({name: float(found[name][i]) for name in names} for i in (0, 1))
    right_raw, right_expected = ({name: right[name][i] for name in names} for i in (0, 1))

    def scaled(shares: Mapping[str, float], factor: float) -> dict[str, float]:
        return {name: share * factor for name, share in shares.items()}

    if report.recognises(
        (raw, expected), ((right_expected, right_raw), "the order is another one", "(raw_share, expected_share)")
    ):
        return
    wrong = [
        report.recognises(
            raw,
            (scaled(right_raw, n), "raw events are counted, not shared", "divide by the number of all events"),
            (scaled(right_raw, 100), "the raw shares are in per cent", "shares add up to one"),
            (scaled(right_raw, n / len(names)), "raw events are divided by the number of processes", "by all events"),
            right=right_raw,
        ),
        report.recognises(
            expected,
            (right_raw, "the weights are not used", "the sum of its weights over the sum of all"),
            (
                lambda process, weight: {name: pair[1] for name, pair in _shares(process, np.abs(weight)).items()},
                "negative weights count as positive",
                "add the weights as they are",
            ),
            (
                scaled(right_expected, total),
                "expected events are counted, not shared",
                "divide by the sum of all weights",
            ),
            (scaled(right_expected, total / n), "the sums are divided by the number of events", "by all weights"),
            (scaled(right_expected, 100), "the expected shares are in per cent", "shares add up to one"),
            (
                lambda process, weight: {name: weight[process == name].mean() for name in names},
                "this is the mean weight of a process",
                "add up its weights, and divide by the sum of all",
            ),
            given=(process, weight),
            right=right_expected,
        ),
    ]
    if any(wrong):
        return
    report.holds(
        alike(raw, right_raw), "raw shares: events over all events", hint="how many of all events are of this process?"
    )
    report.holds(
        alike(expected, right_expected),
        "expected shares: weights over all weights",
        hint="the sum of its weights over the sum of all",
    )
    # With negative weights a share may lie below 0, and another one above 1.
    other = np.array([*["W", "ZZ", "W", "jets"] * 3, "ZZ"]), np.array([*[1.0, 5.0, -0.5, -0.4] * 3, 2.0])
    report.agrees(answer, _shares, other, hint="go through np.unique(process), and leave the numbers as they come out")


@exercise("4.10")
def exercise_4_10(answer: Any, report: Report, *, efficiency: pd.Series, error: pd.Series) -> None:
    """The background that passes the cut most easily, or one that agrees with it within their errors."""
    background = efficiency.drop("Higgs", errors="ignore")
    most = str(background.idxmax())
    alike = background[most] - background <= np.hypot(error[background.index], error[most])
    report.name(
        answer,
        list(background.index),
        set(background.index[alike]),
        "no other background passes clearly more easily",
        ("Higgs", "the Higgs boson is the signal", "we ask for a background"),
        (background.idxmin(), "this one is rejected best", "a large efficiency means: much of it passes"),
        hint="the point furthest to the right",
    )


def _losses(y: Any, score: Any, log: Any = np.log, *, background: bool = True) -> Any:
    score = np.clip(np.asarray(score, np.float64), 1e-7, 1 - 1e-7)
    return -np.where(np.asarray(y) == 1, log(score), log(1 - score) * background)


def _loss_and_error(y: Any, score: Any) -> tuple[float, float]:
    """The course's own answer to exercise 4.6."""
    losses = _losses(y, score)
    return float(losses.mean()), float(losses.std() / np.sqrt(len(losses)))


@exercise("4.6", fallback=_loss_and_error)
def exercise_4_6(answer: Any, report: Report) -> None:
    """The mean cross-entropy and its statistical error."""
    rng = np.random.default_rng(46)
    y = (rng.random(50) < 0.4).astype(np.float32)
    score = rng.uniform(0.05, 0.95, 50).astype(np.float32)
    given = y, score
    loss, error = _loss_and_error(*given)
    losses, spread = _losses(*given), error * np.sqrt(50)
    pair = report.parts(answer(*given), "loss, error")
    if pair is None:
        return
    value, uncertainty = pair
    natural = "use the natural one, np.log"
    found = [
        report.recognises(
            value,
            (losses, "there is one number per event", "take the mean over the events"),
            (losses.sum(), "the losses are added up", "take the mean"),
            (-loss, "the sign is missing", "a logarithm of a probability is negative"),
            (lambda y, score: _losses(y, score, np.log10).mean(), "the logarithm has base 10", natural),
            (lambda y, score: _losses(y, score, np.log2).mean(), "the logarithm has base 2", natural),
            (
                lambda y, score: _losses(y, score, background=False).mean(),
                "only signal events count",
                "background events contribute -log(1 - score)",
            ),
            (lambda y, score: _losses(1 - y, score).mean(), "the labels are swapped", "log(score) belongs to y = 1"),
            (error, "the order is another one", "return loss, error"),
            given=given,
            right=loss,
        ),
        report.recognises(
            uncertainty,
            (spread, "this is the spread of single events", "the error of a mean is the spread divided by √n"),
            (spread**2, "this is a variance", "take the root, and divide by √n"),
            (error**2, "this is the square of the error", "take the root"),
            (spread / 50, "the spread is divided by n", "the error of a mean falls with √n"),
            (loss / np.sqrt(50), "the loss itself is divided by √n", "take the standard deviation of the losses"),
            (1 / np.sqrt(50), "this is 1/√n", "multiply it by the standard deviation of the losses"),
            right=error,
        ),
    ]
    if any(found):
        return
    formula = "-y log(score) - (1-y) log(1-score)"
    if not report.close(value, loss, "the mean cross-entropy", relative=1e-3, hint=formula):
        return
    # n and n − 1 in the denominator of the standard deviation are both in use.
    report.close(uncertainty, error, "its error, the spread divided by √n", relative=0.015, hint="std / √n")

    more = (rng.random(200) < 0.5).astype(np.float32), rng.uniform(0.001, 0.999, 200).astype(np.float32)
    more[1][:3] = np.abs(more[0][:3] - 0.99999)
    hint = "clip scores to 1e-7 … 1 − 1e-7 and not further in, and take all events that are given"
    report.agrees(answer, _loss_and_error, more, hint=hint, relative=0.005)
    ends = np.array([1.0, 0.0, 1.0]), np.array([0.0, 1.0, 1.0])
    report.also(
        lambda: 4 < answer(*ends)[0] < 50 and np.isfinite(answer(*ends)).all(),
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
    scale_errors: bool = True,
    poisson: bool = False,
    errors: str = "quadrature",
    power: int = 2,
    bins: str = "filled",
) -> tuple[float, int]:
    """Compare two weighted histograms; the options are the variants that students write."""
    contents, variances = [], []
    for values, weight in ((values_a, weight_a), (values_b, weight_b)):
        weight = np.asarray(weight, np.float64)
        content, _ = np.histogram(values, edges, weights=weight)
        squares, _ = np.histogram(values, edges, weights=weight**2)
        total = content.sum() if normalise else 1.0
        contents.append(content / total)
        variances.append((np.abs(content) if poisson else squares) / (total**2 if scale_errors else 1.0))
    variance = {"quadrature": variances[0] + variances[1], "first": variances[0], "second": variances[1]}.get(
        errors, (np.sqrt(variances[0]) + np.sqrt(variances[1])) ** 2
    )
    filled = {"in both": np.minimum(*variances) > 0, "positive": np.maximum(*contents) > 0}.get(bins, variance > 0)
    value = np.sum((contents[0] - contents[1])[filled] ** power / variance[filled] ** (power / 2))
    return float(value), int(filled.sum()) - 1


def _two_samples(values_a: Any, weight_a: Any, values_b: Any, weight_b: Any, edges: Any) -> tuple[float, int]:
    """The course's own answer to exercise 4.7."""
    return _chi_square(values_a, weight_a, values_b, weight_b, edges)


@exercise("4.7", fallback=_two_samples)
def exercise_4_7(answer: Any, report: Report) -> None:
    """The weighted two-sample test."""
    rng = np.random.default_rng(47)
    values_a, values_b = rng.beta(2, 3, 300), rng.beta(3, 3, 200)
    weight_a, weight_b = rng.exponential(2.0, 300), rng.exponential(0.3, 200)
    weight_a[::15] *= -1
    # One bin holds events of the second sample only, one a single event of the first, with a negative weight.
    values_a, weight_a = np.append(values_a, 3.5), np.append(weight_a, -1.5)
    values_b, weight_b = np.append(values_b, np.full(10, 1.5)), np.append(weight_b, np.full(10, 0.3))
    edges = np.append(np.linspace(0, 1, 6), [2.0, 3.0, 4.0, 5.0])
    given = (values_a, weight_a, values_b, weight_b, edges)
    right, ndf = _chi_square(*given)
    pair = report.parts(answer(*given), "chi2, ndf")
    if pair is None:
        return
    value, number = pair

    def variant(**options: Any) -> Any:
        return lambda *given: _chi_square(*given, **options)[0]

    if report.recognises(
        value,
        (np.nan, "χ² is not a number", "leave out bins in which both histograms are empty: there 0 is divided by 0"),
        (ndf, "the order is another one", "return chi2, ndf"),
        (variant(normalise=False), "the histograms are not normalised", "divide each by its sum first"),
        (variant(scale_errors=False), "the errors are not normalised", "σ scales as its histogram: divide it as well"),
        (variant(poisson=True), "errors are √content", "with weights, the squared error is Σw²"),
        (variant(errors="linear"), "the errors are added linearly", "add their squares"),
        (variant(errors="first"), "only the first histogram has errors", "both fluctuate"),
        (variant(errors="second"), "only the second histogram has errors", "both fluctuate"),
        (
            variant(bins="in both"),
            "a bin counts only where it is filled in both samples",
            "leave out a bin only if *both* are empty there",
        ),
        (
            variant(bins="positive"),
            "bins in which negative weights prevail are left out",
            "a bin is empty if there is no event in it: its Σw² is 0",
        ),
        (variant(power=1), "the differences are not squared", "differences of both signs must not cancel"),
        (
            lambda a, u, b, v, edges: _chi_square(a, np.ones(len(a)), b, np.ones(len(b)), edges)[0],
            "events are counted, not weighted",
            "np.histogram(values, edges, weights=weight)",
        ),
        (right / ndf, "χ² is divided by the degrees of freedom", "return both numbers by themselves"),
        (np.sqrt(right), "this is the root of χ²", "the squares are added, and stay squares"),
        given=given,
        right=right,
    ) or report.recognises(
        number,
        (ndf + 1, "one degree of freedom too many", "normalising fixes the sum: subtract 1"),
        (len(edges) - 2, "empty bins count as degrees of freedom", "count only the bins that are filled"),
        (len(edges) - 1, "empty bins count as degrees of freedom", "count only the bins that are filled, minus one"),
        (len(edges), "edges are counted, and not bins", "filled bins minus one"),
        (len(values_a) + len(values_b) - 1, "events are counted, and not bins", "filled bins minus one"),
        right=ndf,
    ):
        return
    report.close(value, right, "χ² follows the formula", relative=1e-3, hint="Σ (a − b)² / (σ_a² + σ_b²)")
    report.close(number, ndf, "the degrees of freedom", hint="filled bins minus one")
    other = values_b, weight_b, values_a, weight_a, np.append(np.linspace(0, 1, 9), 5.0)
    report.agrees(answer, _chi_square, other, hint="use the argument edges", relative=1e-3)


@exercise("4.8")
def exercise_4_8(answer: Any, report: Report, *, p_values: Mapping[str, float]) -> None:
    """The network that the test calls overtrained."""
    by_size = sorted(p_values, key=lambda name: p_values[name])
    report.name(
        answer,
        by_size,
        {by_size[0]},
        "for no other network is chance a worse explanation",
        (by_size[-1], "this one has the largest p-value", "a large p-value means: chance alone often does that"),
        (
            [name for name in by_size if p_values[name] > 0.05],
            "for this one chance is a good explanation",
            "a small p-value is suspicious: chance alone rarely does that",
        ),
        hint="a small p-value is suspicious",
    )


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
