"""The checks of chapter 4 recognise right, open and wrong answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from labcourse import checks, splitting
from labcourse.checks import chapter4

keras = pytest.importorskip("keras")


def parts(order=(0, 1, 2), validate_from="train"):
    def answer(events):
        train, test = splitting.split(events)
        fit_events, validation = splitting.validation_split(
            {"train": train, "all": events, "test": test}[validate_from]
        )
        if validate_from == "all":
            fit_events = train
        result = (fit_events, validation, test)
        return tuple(result[i] for i in order)

    return answer


def by_rows(events):
    n = len(events)
    return events[: 4 * n // 10], events[4 * n // 10 : 6 * n // 10], events[6 * n // 10 :]


def everything_fits(events):
    train, test = splitting.split(events)
    return train, splitting.validation_split(train).test, test


def stop(**variant):
    return lambda losses, patience: chapter4._stop(losses, patience, **variant)


def shifted(best, last):
    def answer(losses, patience):
        right = chapter4._stop(losses, patience)
        return right[0] + best, right[1] + last

    return answer


def loss(*, combine=np.mean, log=np.log, clip=1e-7, error=True, background=True):
    def answer(y, score):
        p = np.clip(np.asarray(score, float), clip, 1 - clip)
        losses = -(y * log(p) + (1 - y) * log(1 - p) * background)
        return combine(losses), losses.std() / (np.sqrt(len(losses)) if error else 1)

    return answer


def chi_square(*, extra_ndf=0, ratio=False, **variant):
    def answer(*given):
        value, ndf = chapter4._chi_square(*given, **variant)
        return (value / ndf if ratio else value), ndf + extra_ndf

    return answer


def with_empty_bins(values_a, weight_a, values_b, weight_b, edges):
    a, b = (np.histogram(v, edges, weights=w)[0] for v, w in ((values_a, weight_a), (values_b, weight_b)))
    with np.errstate(invalid="ignore"):
        return float(np.sum((a - b) ** 2 / (a + b))), len(edges) - 2


def shares(*, weighted=np.asarray, scale=1.0, swap=False, divide=True):
    def answer(process, weight):
        w, result = weighted(weight), {}
        for name in np.unique(process):
            pair = (np.sum(process == name), w[process == name].sum())
            pair = (pair[0] / len(w), pair[1] / w.sum()) if divide else pair
            result[name] = tuple(scale * part for part in (pair[::-1] if swap else pair))
        return result

    return answer


def raising(*_args):
    raise KeyError("lep5_pt")


RIGHT = {
    "4_2": parts(),
    "4_4": stop(),
    "4_6": loss(),
    "4_7": chi_square(),
    "4_9": shares(),
}
WRONG = [
    ("4_2", parts(order=(0, 2, 1)), "the order is another one"),
    ("4_2", parts(order=(1, 0, 2)), "the order is another one"),
    ("4_2", parts(validate_from="all"), "for validation and for test"),
    ("4_2", parts(validate_from="test"), "for validation and for test"),
    ("4_2", everything_fits, "fitted to the validation events as well"),
    ("4_2", by_rows, "✗ an event's part does not depend on its place"),
    ("4_2", lambda events: splitting.split(events), "three tables"),
    ("4_4", shifted(-1, -1), "epochs are counted from 0"),
    ("4_4", shifted(0, 1), "one epoch too many"),
    ("4_4", shifted(0, -1), "one epoch too few"),
    ("4_4", stop(to="previous"), "compared with the epoch before"),
    ("4_4", stop(ties=True), "an equal loss counts as a gain"),
    ("4_4", stop(in_a_row=False), "the waiting is never reset"),
    ("4_4", lambda losses, patience: (int(np.argmin(losses)) + 1, len(losses)), "does not stop"),
    ("4_4", lambda losses, patience: stop()(losses, patience)[::-1], "the order is another one"),
    ("4_4", lambda losses, patience: stop()(losses, patience)[0], "two numbers"),
    ("4_6", loss(combine=np.sum), "added up"),
    ("4_6", loss(log=np.log10), "base 10"),
    ("4_6", loss(log=np.log2), "base 2"),
    ("4_6", loss(background=False), "only signal events count"),
    ("4_6", loss(combine=lambda x: -x.mean()), "the sign is missing"),
    ("4_6", loss(error=False), "spread of single events"),
    ("4_6", loss(combine=lambda x: x), "one number an event"),
    ("4_7", chi_square(normalise=False), "not normalised"),
    ("4_7", chi_square(poisson=True), "errors are √content"),
    ("4_7", chi_square(errors="linear"), "added linearly"),
    ("4_7", chi_square(errors="first"), "only the first"),
    ("4_7", chi_square(ratio=True), "divided by the degrees of freedom"),
    ("4_7", chi_square(extra_ndf=1), "✗"),
    ("4_7", with_empty_bins, "not a number"),
    ("4_9", shares(divide=False), "counted, not shared"),
    ("4_9", shares(swap=True), "the order is another one"),
    ("4_9", shares(scale=100), "per cent"),
    ("4_9", shares(weighted=np.abs), "negative weights count as positive"),
    ("4_9", lambda process, weight: [0.5], "a dictionary"),
    *[(number, raising, "your code raised KeyError") for number in RIGHT],
]


@pytest.mark.parametrize("number", RIGHT)
def test_right_and_open_answers(number, capsys):
    check = getattr(checks, f"exercise_{number}")
    assert check(RIGHT[number]) is RIGHT[number]
    shown = capsys.readouterr().out
    assert "solved" in shown
    assert "✗" not in shown
    fallback = check(lambda *_: ...)
    assert "still open" in capsys.readouterr().out
    assert check(fallback) is fallback
    assert "solved" in capsys.readouterr().out


@pytest.mark.parametrize(("number", "answer", "said"), WRONG)
def test_wrong_answers_are_named(number, answer, said, capsys):
    check = getattr(checks, f"exercise_{number}")
    assert check(answer) is not answer
    assert said in capsys.readouterr().out


def test_the_callback(capsys):
    stopping = keras.callbacks.EarlyStopping
    right = stopping(monitor="val_loss", patience=10, restore_best_weights=True)
    assert checks.exercise_4_5(right) is right
    assert "solved" in capsys.readouterr().out
    for answer, said in [
        (stopping(monitor="loss", patience=10, restore_best_weights=True), "the training loss is watched"),
        (stopping(monitor="val_accuracy", patience=10, restore_best_weights=True), "the accuracy is watched"),
        (stopping(patience=5, restore_best_weights=True), "✗ its patience"),
        (stopping(patience=10), "✗ it goes back to the best epoch"),
        (stopping(patience=10, restore_best_weights=True, mode="max"), "✗ lower is better"),
        (stopping, "this is the class"),
        (keras.callbacks.TerminateOnNaN(), "✗ it is an EarlyStopping"),
        (..., "still open"),
    ]:
        fallback = checks.exercise_4_5(answer)
        assert fallback.restore_best_weights
        assert fallback.patience == 10
        assert said in capsys.readouterr().out


def test_reading_exercises(capsys):
    x = np.arange(1, 41)
    history = {"val_loss": list(0.4 + 0.001 * (x - 12.0) ** 2), "loss": list(1 / x)}
    for value, said in [
        (12, "solved"),
        (13.0, "solved"),
        (40, "the last epoch"),
        (0.4, "the value of the loss"),
        (25, "✗ the validation loss turns there"),
        (99, "✗ it is one of the epochs"),
        ("12", "✗"),
        (..., "open"),
    ]:
        checks.exercise_4_1(value, history=history)
        assert said in capsys.readouterr().out
    p_values = {"overtrained": 1e-9, "early stopped": 0.4, "weighted": 0.2}
    for value, said in [
        ("overtrained", "solved"),
        ("early stopped", "largest p-value"),
        ("weighted", "✗ for no other"),
        ("nobody", "✗ it is one of the networks"),
        (1e-9, "✗ the answer is a name"),
        (..., "open"),
    ]:
        checks.exercise_4_8(value, p_values=p_values)
        assert said in capsys.readouterr().out
    efficiency = pd.Series({"Higgs": 0.5, "ZZ": 0.1, "Z": 0.3, "ttbar": 0.2})
    for value, said in [
        ("Z", "solved"),
        ("Higgs", "is the signal"),
        ("ZZ", "rejected best"),
        ("ttbar", "✗ no other background passes clearly"),
        ("W", "✗ it is a background"),
        (3, "✗ the answer is a name"),
        (..., "open"),
    ]:
        checks.exercise_4_10(value, efficiency=efficiency)
        assert said in capsys.readouterr().out


def test_backgrounds_that_pass_alike_are_both_right(capsys):
    efficiency = pd.Series({"Higgs": 0.5, "ZZ": 0.08, "Z": 0.32, "ttbar": 0.31})
    for value in ("Z", "ttbar"):
        checks.exercise_4_10(value, efficiency=efficiency)
        assert "solved" in capsys.readouterr().out


def test_the_course_and_keras_stop_at_the_same_epochs():
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
        assert chapter4._best_and_last(list(losses), patience) == (callback.best_epoch + 1, last)
