"""The checks of chapter 4: right answers in several idioms, and the mistakes that students make."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pytest

from course import checks
from labcourse import splitting
from tests.course.answers import Exercise, Made, make_tests


def three_parts(events):
    train, test = splitting.split(events)
    fit_events, validation = splitting.validation_split(train)
    return fit_events, validation, test


def validation_from_all(events):
    train, test = splitting.split(events)
    return train, splitting.validation_split(events)[1], test


def everything_fits(events):
    train, test = splitting.split(events)
    return train, splitting.validation_split(train).test, test


def by_rows(events):
    n = len(events)
    return events[: 4 * n // 10], events[4 * n // 10 : 6 * n // 10], events[6 * n // 10 :]


def best_and_last(losses, patience):
    best, waited = 0, 0
    for i in range(len(losses)):
        if losses[i] < losses[best] or i == 0:
            best, waited = i, 0
        else:
            waited += 1
        if waited == patience:
            return best + 1, i + 1
    return best + 1, len(losses)


def begins_with(losses, patience, best):
    epoch, waited = 0, 0
    for i, loss in enumerate(losses, start=1):
        if loss < best:
            best, epoch, waited = loss, i, 0
        else:
            waited += 1
        if waited >= patience:
            return epoch, i
    return epoch, len(losses)


def early_stopping(**options):
    def make():
        keras = pytest.importorskip("keras")
        return keras.callbacks.EarlyStopping(
            **({"monitor": "val_loss", "patience": 10, "restore_best_weights": True} | options)
        )

    return Made(make)


def loss_and_error(y, score, log=np.log):
    p = np.clip(score.astype(float), 1e-7, 1 - 1e-7)
    losses = -(y * log(p) + (1 - y) * log(1 - p))
    return losses.mean(), losses.std() / np.sqrt(len(losses))


def loss_and_error_in_single_precision(y, score):
    p = np.clip(score, 1e-7, 1 - 1e-7)
    losses = -np.log(np.where(y == 1, p, 1 - p))
    return losses.mean(), losses.std(ddof=1) / len(losses) ** 0.5


def two_samples(a, u, b, v, edges, normalise=True, variance=lambda content, squares: squares, combine=None, keep=None):
    parts = []
    for values, weight in ((a, u), (b, v)):
        content = np.histogram(values, edges, weights=weight)[0]
        squares = np.histogram(values, edges, weights=weight**2)[0]
        total = content.sum() if normalise else 1.0
        parts.append((content / total, variance(content, squares) / total**2))
    (p, s), (q, t) = parts
    together = combine(s, t) if combine else s + t
    keep = keep(p, q) if keep else together > 0
    return np.sum((p - q)[keep] ** 2 / together[keep]), np.sum(keep) - 1


def two_samples_by_loop(a, u, b, v, edges):
    chi2, bins = 0.0, 0
    for low, high in itertools.pairwise(edges):
        in_a, in_b = (a >= low) & (a < high), (b >= low) & (b < high)
        if in_a.any() or in_b.any():
            difference = u[in_a].sum() / u.sum() - v[in_b].sum() / v.sum()
            chi2 += difference**2 / ((u[in_a] ** 2).sum() / u.sum() ** 2 + (v[in_b] ** 2).sum() / v.sum() ** 2)
            bins += 1
    return chi2, bins - 1


def shares(process, weight):
    return {
        name: (np.mean(process == name), weight[process == name].sum() / weight.sum()) for name in np.unique(process)
    }


def shares_with_pandas(process, weight):
    table = pd.DataFrame({"process": process, "weight": weight}).groupby("process")["weight"].agg(["size", "sum"])
    return {name: [row["size"] / len(process), row["sum"] / sum(weight)] for name, row in table.iterrows()}


X = np.arange(1, 41)
HISTORY = {"val_loss": list(0.4 + 0.001 * (X - 12.0) ** 2), "loss": list(0.56 - 0.001 * X)}
P_VALUES = {"overtrained": 1e-9, "early stopped": 0.4, "weighted": 0.2, "small": 0.01}

EXERCISES = {
    "4.1": Exercise(
        [12, 13.0, np.int64(11)],
        (40, "the last epoch"),
        (0.4, "the value of the loss"),
        (24, "where the two curves part"),
        (99, "there is no such epoch"),
        ("12", "leave out the quotes"),
        (28, "✗ the validation loss turns there"),
        (18, ""),
        (-12, "there is no such epoch"),
        ([12], "expected a number"),
        context=lambda: {"history": HISTORY},
    ),
    "4.2": Exercise(
        [
            three_parts,
            lambda events: [*splitting.validation_split(splitting.split(events).train), splitting.split(events).test],
            lambda events: [part.reset_index(drop=True) for part in three_parts(events)],
            lambda events: [part.assign(part=i) for i, part in enumerate(three_parts(events))],
        ],
        (lambda events: [three_parts(events)[i] for i in (0, 2, 1)], "the order is another one"),
        (validation_from_all, "for validation and for test"),
        (everything_fits, "fitted to the validation events as well"),
        (by_rows, "depends on its place"),
        (splitting.split, "2 values are given where 3"),
        (lambda events: [part[["run", "event"]] for part in three_parts(events)], "hint: whole rows"),
        (lambda events: (*np.array_split(splitting.split(events)[0], [1600]), splitting.split(events)[1]), ""),
        (lambda events: [part.head(500) for part in three_parts(events)], "hint: no event is lost"),
        (lambda events: (*splitting.validation_split(splitting.split(events)[1]), splitting.split(events)[0]), ""),
    ),
    "4.4": Exercise(
        [
            best_and_last,
            lambda losses, patience: begins_with(losses, patience, float("inf")),
            lambda losses, patience: np.array(best_and_last(losses, patience)),
        ],
        (lambda losses, patience: best_and_last(losses, patience)[0], "one value is given"),
        (lambda losses, patience: tuple(map(float, best_and_last(losses, patience))), "hint: whole numbers"),
        (lambda losses, patience: (best_and_last(losses, patience)[0], len(losses) * 1.0), ""),
        (lambda losses, patience: best_and_last(losses, 4), "hint: patience 1"),
        (lambda losses, patience: (int(np.argmin(losses)) + 1, int(np.argmin(losses)) + 1 + patience), ""),
    ),
    "4.5": Exercise(
        [early_stopping(), early_stopping(mode="min"), early_stopping(verbose=1)],
        (early_stopping(monitor="loss"), "the training loss is watched"),
        (early_stopping(monitor="val_accuracy"), "the accuracy is watched"),
        (early_stopping(restore_best_weights=False), "the weights of the last epoch stay"),
        (early_stopping(patience=0), "its patience is 0"),
        (early_stopping(mode="max"), "waits for a higher loss"),
        (early_stopping(min_delta=0.1), "small gains are not counted"),
        (Made(lambda: [early_stopping().make()]), "this is a list"),
        (early_stopping(baseline=0.5), "it has a baseline"),
        (early_stopping(start_from_epoch=5), "the first epochs"),
        (early_stopping(patience=9), "its patience is 9"),
        (early_stopping(monitor="val_auc"), "✗ it watches the validation loss"),
    ),
    "4.6": Exercise(
        [
            loss_and_error,
            loss_and_error_in_single_precision,
            lambda y, score: loss_and_error(pd.Series(y), pd.Series(score)),
        ],
        (lambda y, score: loss_and_error(y, np.where(score == 1, np.nan, score)), "hint: finite for scores"),
        (lambda y, score: loss_and_error(y, np.clip(score, 0.05, 0.95)), "hint: other arguments"),
        (lambda y, score: loss_and_error(y, score)[::-1], "the order is another one"),
        (lambda y, score: (-math.log(score), 0.1), "hint: functions of np"),
    ),
    "4.7": Exercise(
        [
            two_samples,
            two_samples_by_loop,
            lambda a, u, b, v, edges: two_samples(a, u.astype("f4"), b, v.astype("f4"), edges),
        ],
        (lambda *given: (two_samples(*given)[0], 3), "hint: the degrees of freedom"),
        (lambda *given: (two_samples(*given)[0], min(two_samples(*given)[1], 6)), "hint: other arguments"),
        (lambda *given: (two_samples(*given)[0] / 2, two_samples(*given)[1]), "hint: follows the formula"),
    ),
    "4.8": Exercise(
        ["overtrained"],
        ("early stopped", "largest p-value"),
        ("weighted", "chance is a good explanation"),
        ("nobody", "there is no such name"),
        (1e-9, "this is a number"),
        ("Overtrained", "spelt in another way"),
        ("small", "✗ for no other network"),
        (["overtrained"], "not a name"),
        (0, "not a name"),
        context=lambda: {"p_values": P_VALUES},
    ),
    "4.9": Exercise(
        [
            shares,
            shares_with_pandas,
            lambda p, w: {n: np.float32(s) for n, s in shares(p, w).items()},
            lambda p, w: {n: list(s) for n, s in sorted(shares(p, w).items(), reverse=True)},
        ],
        (lambda p, w: {name: pair[::-1] for name, pair in shares(p, w).items()}, "the order is another one"),
        (lambda p, w: {name: np.multiply(100, pair) for name, pair in shares(p, w).items()}, "per cent"),
        (lambda p, w: shares(p, np.abs(w)), "negative weights count as positive"),
        (lambda p, w: shares(p, np.ones_like(w)), "the weights are not used"),
        (lambda p, w: list(shares(p, w).values()), "of type list"),
        (lambda p, w: {"ZZ": (0.5, 0.5)}, "hint: a dictionary with each process"),
        (lambda p, w: shares(p[:8], w[:8]), ""),
        (lambda p, w: pd.DataFrame(shares(p, w)), "of type DataFrame"),
        (lambda p, w: {name: (np.mean(p == name), np.mean(w[p == name] > 0)) for name in np.unique(p)}, ""),
    ),
    "4.10": Exercise(
        ["Z"],
        ("Higgs", "is the signal"),
        ("ZZ", "rejected best"),
        (0.3, "this is a number"),
        ("z", "spelt in another way"),
        ("W", "there is no such name"),
        ("ttbar", "✗ no other background passes clearly"),
        (["Z"], "not a name"),
        (2, "not a name"),
        context=lambda: {
            "efficiency": pd.Series({"Higgs": 0.5, "ZZ": 0.1, "Z": 0.3, "ttbar": 0.2}),
            "error": pd.Series({"Higgs": 0.0, "ZZ": 0.0, "Z": 0.06, "ttbar": 0.06}),
        },
    ),
}

test_right, test_wrong, test_open, test_absurd = make_tests(EXERCISES)


def test_backgrounds_that_pass_alike_are_both_right(capsys):
    efficiency = pd.Series({"Higgs": 0.5, "ZZ": 0.08, "Z": 0.32, "ttbar": 0.29})
    error = pd.Series({"Higgs": 0.0, "ZZ": 0.0, "Z": 0.03, "ttbar": 0.03})
    for value in ("Z", "ttbar"):
        checks.exercise_4_10(value, efficiency=efficiency, error=error)
        assert "solved" in capsys.readouterr().out
    checks.exercise_4_10("ttbar", efficiency=efficiency, error=error / 3)
    assert "not yet" in capsys.readouterr().out


def test_the_course_and_keras_stop_at_the_same_epochs():
    keras = pytest.importorskip("keras")
    rng = np.random.default_rng(0)
    for patience in (1, 3, 6):
        losses = np.cumsum(rng.normal(-0.02, 0.1, 50)) + 5
        callback = keras.callbacks.EarlyStopping(monitor="val_loss", patience=patience)
        callback.set_model(keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]))
        callback.model.compile(loss="mse")
        callback.on_train_begin()
        last = len(losses)
        for epoch, value in enumerate(losses):
            callback.on_epoch_end(epoch, {"val_loss": value})
            if callback.model.stop_training:
                last = epoch + 1
                break
        own = checks.exercise_4_4(...)
        assert own(list(losses), patience) == (callback.best_epoch + 1, last)
