"""The checks of chapter 6 recognise right, open and wrong answers."""

from __future__ import annotations

import numpy as np
import pytest

from labcourse import checks, network
from labcourse.checks import chapter6

keras = pytest.importorskip("keras")


def loop(*, reuse=False, first=0, last=0, swap=False, all_train=False, mean=False):
    def answer(build_model, train_and_validate, fold):
        losses, model = [], build_model()
        for number in range(first, fold.max() + 1 + last):
            model = model if reuse else build_model()
            trains, validates = fold != number, fold == number
            if all_train:
                trains = np.ones(len(fold), bool)
            losses.append(train_and_validate(model, *((validates, trains) if swap else (trains, validates))))
        return np.mean(losses) if mean else np.array(losses)

    return answer


def corrected(*, ratio=lambda t, v: v / t, one_over_j=True, ddof=1, root=np.sqrt):
    def answer(losses, n_training, n_validation):
        variance = np.var(losses, ddof=ddof)
        return root((one_over_j / len(losses) + ratio(n_training, n_validation)) * variance)

    return answer


def shared(count=lambda a, b: (a & b).sum(), over=lambda a, b: a.sum()):
    return lambda fold, first, second: count(fold != first, fold != second) / over(fold != first, fold != second)


def spread(function):
    return lambda losses: (np.mean(losses), function(np.asarray(losses)))


def raising(*_args):
    raise KeyError("fold")


RIGHT = {
    "6_1": lambda fold, number: (fold != number, fold == number),
    "6_3": loop(),
    "6_5": spread(lambda x: x.std(ddof=1)),
    "6_6": shared(),
    "6_8": corrected(),
}
WRONG = [
    ("6_1", lambda fold, number: (fold == number, fold != number), "the fold trains"),
    ("6_1", lambda fold, number: (fold < number, fold == number), "before it train"),
    ("6_1", lambda fold, number: (fold > number, fold == number), "behind it train"),
    ("6_1", lambda fold, number: (fold != number - 1, fold == number - 1), "counted from 1"),
    ("6_1", lambda fold, number: (fold >= 0, fold == number), "train as well"),
    ("6_1", lambda fold, number: (np.flatnonzero(fold != number), np.flatnonzero(fold == number)), "no masks"),
    ("6_1", lambda fold, number: fold != number, "two values"),
    ("6_3", loop(reuse=True), "one model goes through all folds"),
    ("6_3", loop(last=-1), "only 4 of 5 folds"),
    ("6_3", loop(first=1), "only 4 of 5 folds"),
    ("6_3", loop(swap=True), "the fold trains"),
    ("6_3", loop(all_train=True), "some events train and validate"),
    ("6_3", loop(mean=True), "this is the mean"),
    ("6_3", lambda build, train, fold: np.zeros(5), "nothing is trained"),
    ("6_5", spread(np.std), "k − 1"),
    ("6_5", spread(lambda x: x.std(ddof=1) / np.sqrt(len(x))), "divided by √k"),
    ("6_5", spread(lambda x: x.var(ddof=1)), "the variance"),
    ("6_5", spread(np.ptp), "largest difference"),
    ("6_5", lambda losses: np.mean(losses), "two values"),
    ("6_6", shared(over=lambda a, b: 1), "events are counted"),
    ("6_6", shared(over=lambda a, b: len(a)), "divided by all events"),
    ("6_6", shared(over=lambda a, b: b.sum()), "of the second network"),
    ("6_6", shared(count=lambda a, b: (~a & ~b).sum()), "these are validation events"),
    ("6_6", shared(count=lambda a, b: 100 * (a & b).sum()), "per cent"),
    ("6_8", corrected(ratio=lambda t, v: 0), "the naive error"),
    ("6_8", corrected(ratio=lambda t, v: t / v), "upside down"),
    ("6_8", corrected(ratio=lambda t, v: v / (t + v)), "divided by all events"),
    ("6_8", corrected(one_over_j=False), "1/J is missing"),
    ("6_8", corrected(ddof=0), "ddof=1"),
    ("6_8", corrected(root=lambda x: x), "this is a variance"),
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


def test_the_model_factory(capsys):
    def right(x):
        return network.build(4, normalise=x, learning_rate=1e-3)

    assert checks.exercise_6_2(right) is right
    assert "solved" in capsys.readouterr().out
    x = np.random.default_rng(0).random((50, 4)).astype(np.float32)
    once, optimizer = right(x), keras.optimizers.Adam(1e-3)

    def shares_optimizer(x):
        model = right(x)
        model.optimizer = optimizer
        return model

    for answer, said in [
        (lambda _: once, "both calls return the same model"),
        (shares_optimizer, "share one optimizer"),
        (lambda _: network.build(4, learning_rate=1e-3), "the inputs are not normalised"),
        (lambda _: network.build(4, normalise=x, learning_rate=1e-3), "✗ its inputs are normalised with the events"),
        (lambda x: network.build(4, normalise=x), "✗ its learning rate"),
        (lambda x: network.build(4, (8,), normalise=x, learning_rate=1e-3), "✗ its layers are"),
        (lambda x: 3, "no Keras model"),
        (lambda x: ..., "still open"),
    ]:
        fallback = checks.exercise_6_2(answer)
        assert fallback is not answer
        assert said in capsys.readouterr().out
    assert fallback is chapter6._build_model


def test_reading_exercises(capsys):
    fresh, reused = [0.50, 0.51, 0.52], [0.50, 0.45, 0.40]
    for value, said in [
        (0.12, "solved"),
        (0.115, "solved"),
        (-0.12, "the sign is the other way round"),
        (0.40, "this is the loss itself"),
        (0.0, "this is the first fold"),
        (23.0, "per cent"),
        (0.3, "✗"),
        (..., "open"),
    ]:
        checks.exercise_6_4(value, fresh=fresh, reused=reused)
        assert said in capsys.readouterr().out
    losses = {"60-60": [0.50, 0.52, 0.54], "8": [0.51, 0.53, 0.538]}
    for value, said in [
        ((2, 0.006), "solved"),
        ((1, 0.006), "the second model is better"),
        ((2, -0.006), "the sign of the mean"),
        ((2, 0.02), "✗ the mean difference"),
        (2, "two values"),
        (..., "open"),
    ]:
        checks.exercise_6_9(value, losses=losses)
        assert said in capsys.readouterr().out
