"""The checks of chapter 4: right answers in several idioms, and the mistakes that students make."""

import numpy as np
import pandas as pd

from course import checks
from tests.course.answers import Exercise, make_tests, own


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


best_and_last, paired, dropout, two_samples = map(own, ("4.4", "4.5", "4.7", "4.9"))


def dropout_by_loop(x, rate, rng):
    result = x.copy()
    for row in result:
        for i in range(len(row)):
            row[i] = 0.0 if rng.random() < rate else row[i] / (1 - rate)
    return result


UP, FLAT = {"val_loss": [0.6, 0.5, 0.55]}, {"val_loss": [0.6, 0.5, 0.505]}
REMEDIES = pd.DataFrame(
    {"above the best": [0.08, 0.008, 0.0, 0.003, 0.004], "its error": [0.01, 0.003, 0.0, 0.004, 0.003]},
    index=["nothing", "dropout", "weight decay", "both", "early stopping"],
)

EXERCISES = {
    "4.1": Exercise(
        ["none of them"],
        ("size", "alone it is not enough"),
        ("epochs", "alone it is not enough"),
        ("rate", "alone it is not enough"),
        ("all", "there is no such name"),
        ("None of them", "spelt in another way"),
        (["size", "epochs"], "not a name"),
        ("nothing", "no such name"),
        context=lambda: {"histories": {"size": FLAT, "epochs": FLAT, "rate": FLAT, "all three": UP}},
    ),
    "4.2": Exercise(
        [
            lambda losses, error: np.ceil(np.var(losses) / error**2),
            lambda losses, error: int((np.std(losses, ddof=1) / error) ** 2) + 1,
            lambda losses, error: float(pd.Series(losses).var() / error / error),
        ],
        (lambda losses, error: (np.std(losses) / 0.004) ** 2, "hint: other arguments"),
        (lambda losses, error: (0.4 / error) ** 2, ""),
        (lambda losses, error: len(losses), ""),
    ),
    "4.4": Exercise(
        [best_and_last, lambda losses, patience: begins_with(losses, patience, float("inf"))],
        (lambda losses, patience: tuple(map(float, best_and_last(losses, patience))), "hint: whole numbers"),
        (lambda losses, patience: (best_and_last(losses, patience)[0], len(losses) * 1.0), ""),
        (lambda losses, patience: best_and_last(losses, 4), "hint: patience 1"),
        (lambda losses, patience: (int(np.argmin(losses)) + 1, int(np.argmin(losses)) + 1 + patience), ""),
    ),
    "4.5": Exercise(
        [paired, lambda *given: paired(*(values.astype(np.float32) for values in given))],
        (lambda a, b, w: (0.0, paired(a, b, w)[1]), ""),
        (lambda a, b, w: paired(a[:200], b[:200], w[:200]), "hint: other arguments"),
    ),
    "4.6": Exercise(
        [120.0, np.float32(120), 119.5],
        (240, "twice as many"),
        (60, "half as many"),
        (0.002, "this is the gap"),
        (4021, "all parameters"),
        (130, ""),
        (-120, ""),
        (0, ""),
        context=lambda: {"excess_gap": 0.002, "n_fit": 60_000},
    ),
    "4.7": Exercise(
        [dropout, dropout_by_loop, lambda x, rate, rng: x * rng.binomial(1, 1 - rate, x.shape) / (1 - rate)],
        (lambda x, rate, rng: dropout(x, 1 - rate, rng), "the share that stays"),
        (lambda x, rate, rng: dropout(x, rate, rng) * (1 - rate), "the sums get smaller"),
        (lambda x, rate, rng: dropout(x, rate, rng) * (1 - rate) ** 2, "multiplied by 1 − rate"),
        (lambda x, rate, rng: x * (rng.random(x.shape) >= rate) / rate, "divided by rate"),
        (lambda x, rate, rng: x * (rng.random(x.shape[1]) >= rate) / (1 - rate), "the same neurons"),
        (lambda x, rate, rng: x * (rng.random((len(x), 1)) >= rate) / (1 - rate), "whole events"),
        (lambda x, rate, rng: x, "nothing is switched off"),
        (lambda x, rate, rng: dropout(x, rate, np.random.default_rng(7)), "hint: draw from rng"),
        (lambda x, rate, rng: dropout(x, 0.3, rng), "hint: other rates"),
        (lambda x, rate, rng: np.where(rng.random(x.shape) < rate, 0, x.mean()), ""),
    ),
    "4.8": Exercise(
        [
            ["weight decay", "both", "early stopping"],
            ("early stopping", "both", "weight decay"),
            {"weight decay", "both", "early stopping"},
        ],
        (["weight decay"], "the best one alone"),
        (["weight decay", "both"], "within one error"),
        (["both", "early stopping"], "the best one is missing"),
        (list(REMEDIES.index), "these are all"),
        (["weight decay", "Both"], "there is no 'Both'"),
        (["nothing", "weight decay"], ""),
        ([], ""),
        context=lambda: {"table": REMEDIES},
    ),
    "4.9": Exercise(
        [two_samples, lambda a, u, b, v, edges: two_samples(a, u.astype("f4"), b, v.astype("f4"), edges)],
        (lambda *given: (two_samples(*given)[0], 3), "hint: the degrees of freedom"),
        (lambda *given: (two_samples(*given)[0], min(two_samples(*given)[1], 6)), "hint: other arguments"),
        (lambda *given: (two_samples(*given)[0] / 2, two_samples(*given)[1]), "hint: follows the formula"),
    ),
}

test_right, test_forms, test_wrong, test_open, test_absurd = make_tests(EXERCISES)


def test_the_course_and_keras_stop_at_the_same_epochs():
    import keras

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
