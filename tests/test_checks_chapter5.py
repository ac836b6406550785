"""The checks of chapter 5 recognise right, open and wrong answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from labcourse import checks, weights
from labcourse.checks import chapter5


def loss(*, divide="weights", weighted=lambda w: w, sign=-1, background=True):
    def answer(y, score, weight):
        losses = sign * (y * np.log(score) + (1 - y) * np.log(1 - score) * background)
        w = weighted(weight)
        return np.sum(w * losses) / {"weights": np.sum(w), "events": len(w), "nothing": 1}[divide]

    return answer


def accuracy(*, weighted=lambda w: w, scale=1.0, divide="weights", wrong=False, signal_only=False):
    def answer(y, score, weight):
        w, right = weighted(weight), (score >= 0.5) == (y == 1)
        right = ~right if wrong else right & (y == 1) if signal_only else right
        return scale * w[right].sum() / {"weights": w.sum(), "events": len(w), "nothing": 1}[divide]

    return answer


def balance(*, size=np.abs, each="half", keep_ratios=True, in_place=False):
    def answer(weight, label):
        label = np.asarray(label)
        balanced = np.asarray(weight, float) if in_place else np.array(weight, float)
        balanced[...] = size(balanced)
        for value in (0, 1):
            members = label == value
            if not keep_ratios:
                balanced[members] = 1.0
            target = {"half": len(label) / 2, "one": 1.0, "all": len(label), "count": members.sum()}[each]
            balanced[members] *= target / balanced[members].sum()
        return balanced

    return answer


def only_signal_scaled(weight, label):
    w = np.abs(np.asarray(weight, float))
    signal = np.asarray(label) == 1
    return np.where(signal, w * w[~signal].sum() / w[signal].sum(), w)


def looks_at(*properties):
    def answer(weight, label, balanced):
        signal, size = label == 1, np.abs(weight)
        found = {
            "sign": (balanced >= 0).all(),
            "sums": np.isclose(balanced[signal].sum(), balanced[~signal].sum(), rtol=1e-3),
            "mean": np.isclose(balanced.mean(), 1, rtol=1e-3),
            "ratios": all(np.allclose(balanced[m] / size[m], (balanced[m] / size[m])[0]) for m in (signal, ~signal)),
        }
        return bool(all(found[name] for name in properties))

    return answer


def significance(variant="", error=True):
    def answer(score, label, weight, cut):
        found = chapter5._significance(score, label, weight, cut, variant=variant)
        return found if error else found[0]

    return answer


def treat(**replaced):
    def answer(weight, treatment):
        functions = {"keep": np.array, "absolute": np.abs, "drop": lambda w: np.maximum(w, 0)} | replaced
        return functions[treatment](weight)

    return answer


def raising(*_args):
    raise KeyError("weight")


RIGHT = {
    "5_1": loss(),
    "5_2": accuracy(),
    "5_4": balance(),
    "5_5": looks_at("sign", "sums", "mean", "ratios"),
    "5_6": significance(),
    "5_8": treat(),
}
WRONG = [
    ("5_1", loss(divide="events"), "divided by the number of events"),
    ("5_1", loss(divide="nothing"), "not divided by anything"),
    ("5_1", loss(weighted=np.ones_like), "the weights are not used"),
    ("5_1", loss(weighted=np.abs), "negative weights count as positive"),
    ("5_1", loss(sign=1), "the sign is missing"),
    ("5_1", loss(background=False), "only signal counts"),
    ("5_1", lambda y, score, weight: weight * score, "one number"),
    ("5_2", accuracy(weighted=np.ones_like), "counted, not weighted"),
    ("5_2", accuracy(weighted=np.abs), "count as positive"),
    ("5_2", accuracy(scale=100), "per cent"),
    ("5_2", accuracy(wrong=True), "wrong answers"),
    ("5_2", accuracy(divide="nothing"), "this is a sum"),
    ("5_2", accuracy(signal_only=True), "only signal can be right"),
    ("5_4", balance(size=np.asarray), "negative weights stay negative"),
    ("5_4", balance(each="one"), "each class adds up to one"),
    ("5_4", balance(each="all"), "each class adds up to the number"),
    ("5_4", balance(each="count"), "each class has the mean one"),
    ("5_4", balance(keep_ratios=False), "the same weight"),
    ("5_4", lambda weight, label: np.abs(weight) / np.mean(np.abs(weight)), "not balanced"),
    ("5_4", lambda weight, label: balance()(weight, label) / len(weight), "add up to one"),
    ("5_4", only_signal_scaled, "the mean is not one"),
    ("5_4", balance(in_place=True), "✗ the weights that were passed in"),
    ("5_4", lambda weight, label: np.abs(weight).sum(), "✗ one weight an event"),
    ("5_5", looks_at("sign", "sums", "mean"), "✗ finds weights that are no longer in proportion"),
    ("5_5", looks_at("sign", "sums", "ratios"), "✗ finds a mean that is not one"),
    ("5_5", looks_at("sign", "mean", "ratios"), "✗ finds classes with different sums"),
    ("5_5", looks_at("sums", "mean"), "✗ finds weights that are negative"),
    ("5_5", lambda weight, label, balanced: True, "✗ finds"),
    ("5_5", lambda weight, label, balanced: balanced.sum() == len(label) + 1, "✗ right weights pass"),
    ("5_5", lambda weight, label, balanced: balanced.mean(), "✗ the answer is True or False"),
    ("5_6", significance("absolute"), "count as positive"),
    ("5_6", significance("raw"), "counted, not weighted"),
    ("5_6", significance("greater"), "exactly at the cut"),
    ("5_6", significance("below"), "wrong side"),
    ("5_6", significance("s/b"), "this is s/b"),
    ("5_6", significance("s+b"), "this is s/√(s+b)"),
    ("5_6", significance("poisson"), "taken as √b"),
    ("5_6", significance("no half"), "one half is missing"),
    ("5_6", significance(error=False), "two numbers"),
    ("5_8", treat(drop=lambda w: w[w > 0]), "the array is shorter"),
    ("5_8", treat(drop=lambda w: np.minimum(w, 0)), "the positive weights are gone"),
    ("5_8", treat(absolute=np.negative), "all signs are turned"),
    ("5_8", treat(keep=np.abs), "✗ keep"),
    ("5_8", treat(absolute=lambda w: np.abs(w, out=w)), "✗ the weights that were passed in"),
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


def test_the_course_balances_with_its_own_function():
    assert checks.exercise_5_4(...) is weights.balance


def test_reading_exercises(capsys):
    efficiencies = {"early stopped": 0.23, "balanced weights": 0.16, "raw weights": 0.165}
    for value, said in [
        (0.16, "solved"),
        (0.18, "solved"),
        (16.0, "per cent"),
        (0.84, "rejected"),
        (0.5, "this is the signal efficiency"),
        (0.23, "another curve: early stopped"),
        ("0.16", "✗"),
        (..., "open"),
    ]:
        checks.exercise_5_7(value, efficiencies=efficiencies, model="balanced weights")
        assert said in capsys.readouterr().out
    bias = pd.DataFrame({"absolute": [0.0, 0.12, 0.04], "drop": [0.0, 0.06, 0.02]}, index=["llll", "Zee", "Zmumu"])
    for value, said in [
        (("Zee", 12.0), "solved"),
        (("Zee", 0.12), "as a fraction"),
        (("Zee", 6.0), "bias of dropping"),
        (("Zmumu", 4.0), "✗ the sample with the largest bias"),
        (("Z", 12.0), "no sample of the table"),
        (("Zee", "12"), "no number"),
        (12.0, "a name and a number"),
        (..., "open"),
    ]:
        checks.exercise_5_9(value, bias=bias)
        assert said in capsys.readouterr().out
