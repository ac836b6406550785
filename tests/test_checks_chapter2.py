"""The checks of chapter 2 recognise right, open and wrong answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from labcourse import checks, samples, splitting


def split(number=lambda events: splitting.uniform(events, salt="test"), swap=False):
    def answer(events, train_fraction):
        mask = number(events) < train_fraction
        return (events[~mask], events[mask]) if swap else (events[mask], events[~mask])

    return answer


def first_rows(events, train_fraction):
    n = int(train_fraction * len(events))
    return events[:n], events[n:]


def overlapping(events, train_fraction):
    return split()(events, train_fraction)[0], events


def losing(events, train_fraction):
    train, test = split()(events, train_fraction)
    return train, test[1:]


def arrays(signal=samples.SIGNAL, dtype=np.float32, transpose=False, column=False, order=1):
    def answer(events, columns):
        x = events[columns[::order]].to_numpy(dtype)
        y = events["sample"].isin(signal).to_numpy(dtype)
        return x.T if transpose else x, y[:, None] if column else y

    return answer


def forward(hidden=lambda z: np.maximum(0, z), last=lambda z: z, sigmoid=True, sign=1, bias=1, column=False):
    def answer(x, layers):
        for kernel, b in layers[:-1]:
            x = hidden(x @ kernel + bias * b)
        z = last(x @ layers[-1][0] + bias * layers[-1][1])
        z = 1 / (1 + np.exp(-sign * z)) if sigmoid else z
        return z if column else z[:, 0]

    return answer


def in_place(x, layers):
    result = forward()(x, layers)
    x[:] = 0
    return result


def cross_entropy(y, p, log=np.log, gather=np.mean, sign=-1, both=True, swap=False):
    y = 1 - y if swap else y
    return sign * gather(y * log(p) + (both * (1 - y) * log(1 - p)))


def entropy(**options):
    return lambda y, p: cross_entropy(y, p, **options)


def batches(n_events, batch_size):
    return -(-n_events // batch_size), (n_events - 1) % batch_size + 1


def raising(*_args):
    raise KeyError("lep5_pt")


RIGHT = {
    "2_1": split(),
    "2_3": arrays(),
    "2_4": batches,
    "2_5": lambda x, reference: (x - reference.mean(axis=0)) / reference.std(axis=0, ddof=1),
    "2_7": forward(),
    "2_8": cross_entropy,
}
WRONG = [
    ("2_1", first_rows, "another order"),
    ("2_1", split(lambda events: np.random.default_rng().random(len(events))), "second call"),
    ("2_1", split(lambda events: np.random.default_rng(1).random(len(events))), "another order"),
    ("2_1", split(lambda events: splitting.uniform(events)), "those of all later chapters"),
    ("2_1", split(lambda events: splitting.uniform(events, salt="test", seed=1)), "those of all later chapters"),
    ("2_1", split(lambda events: events["event"] % 10 / 10), "those of all later chapters"),
    ("2_1", split(swap=True), "swapped"),
    ("2_1", overlapping, "in both parts"),
    ("2_1", losing, "exactly one"),
    ("2_1", lambda events, train_fraction: split()(events, 0.6), "another fraction"),
    ("2_1", lambda events, train_fraction: events, "returns two event tables"),
    ("2_3", arrays(signal=["ggH125_ZZ4lep"]), "only one of the signal samples"),
    ("2_3", arrays(signal=samples.BACKGROUND), "swapped"),
    ("2_3", arrays(dtype=float), "float32"),
    ("2_3", arrays(transpose=True), "on its side"),
    ("2_3", arrays(column=True), "second dimension"),
    ("2_3", arrays(order=-1), "in their order"),
    ("2_3", lambda events, columns: events[columns], "returns two arrays"),
    ("2_3", lambda events, columns: (events[columns], events["sample"]), "NumPy arrays"),
    ("2_4", lambda n, size: (n // size, size), "left out"),
    ("2_4", lambda n, size: (n / size, n % size), "fraction of a batch"),
    ("2_4", lambda n, size: (n // size + 1, n % size), "empty batch"),
    ("2_4", lambda n, size: batches(n, size)[::-1], "wrong order"),
    ("2_4", lambda n, size: (-(-n // size), size), "104"),
    ("2_4", lambda n, size: tuple(map(float, batches(n, size))), "whole numbers"),
    ("2_4", lambda n, size: n // size, "two numbers"),
    ("2_5", lambda x, reference: (x - reference.mean()) / reference.std(), "share one mean"),
    ("2_5", lambda x, reference: (x - x.mean(axis=0)) / x.std(axis=0), "of x itself"),
    ("2_5", lambda x, reference: (x - reference.mean(axis=0)) / reference.var(axis=0), "variance"),
    ("2_5", lambda x, reference: x - reference.mean(axis=0) / reference.std(axis=0), "division comes before"),
    ("2_5", lambda x, reference: x - reference.mean(axis=0), "widths are left"),
    ("2_5", lambda x, reference: x.mean(axis=0), "keeps the shape"),
    ("2_7", forward(bias=0), "bias is left out"),
    ("2_7", forward(sigmoid=False), "no sigmoid"),
    ("2_7", forward(sign=-1), "exponent"),
    ("2_7", forward(column=True), "second dimension"),
    ("2_7", forward(hidden=lambda z: z), "no activation"),
    ("2_7", forward(hidden=lambda z: 1 / (1 + np.exp(-z))), "have a sigmoid"),
    ("2_7", forward(last=lambda z: np.maximum(0, z)), "ReLU as well"),
    ("2_7", in_place, "leaves its input"),
    ("2_8", entropy(sign=1), "sign is wrong"),
    ("2_8", entropy(gather=np.sum), "this is the sum"),
    ("2_8", entropy(gather=lambda values: values), "one number an event"),
    ("2_8", entropy(log=np.log2), "base 2"),
    ("2_8", entropy(log=np.log10), "base 10"),
    ("2_8", entropy(both=False), "background events do not count"),
    ("2_8", entropy(swap=True), "labels are swapped"),
    ("2_8", lambda y, p: np.mean((y - p) ** 2), "squared error"),
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
    assert callable(fallback)
    assert "still open" in capsys.readouterr().out
    assert check(fallback) is fallback
    assert "solved" in capsys.readouterr().out


@pytest.mark.parametrize(("number", "answer", "said"), WRONG)
def test_wrong_answers_are_named(number, answer, said, capsys):
    check = getattr(checks, f"exercise_{number}")
    assert check(answer) is not answer
    assert said in capsys.readouterr().out


SHARES = pd.DataFrame({"raw": [0.601, 0.55, 0.61], "expected": [0.602, 0.57, 0.64]}, index=["llll", "Zee", "ttbar_lep"])


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("ttbar_lep", "solved"),
        ("llll", "closest to 0.6"),
        ("Zee", "farthest in raw events"),
        ("Zmumu", "name of a sample"),
        (0.64, "the answer is a name"),
        (..., "still open"),
    ],
)
def test_the_unluckiest_sample(answer, said, capsys):
    checks.exercise_2_2(answer, shares=SHARES)
    assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((300, 3660, 61), "solved"),
        ((240, 3600, 60), "biases are missing"),
        ((60, 60, 1), "these are the neurons"),
        ((244, 3660, 61), "belongs to a neuron"),
        ((241, 3601, 61), "one bias a layer"),
        ((300, 3660, 60), "the output layer"),
        ((300, 3660, "61"), "expected a number"),
        (4021, "three numbers"),
        (..., "still open"),
        ((300, ..., 61), "still open"),
    ],
)
def test_counted_parameters(answer, said, capsys):
    assert checks.exercise_2_6(answer) is None
    assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((0.05, 0.006), "solved"),
        ((np.float64(0.05), np.float32(0.006)), "solved"),
        ((0.055, 0.005), "solved"),
        ((0.6, 0.55), "these are losses"),
        ((-0.05, -0.006), "these are rises"),
        ((0.02, 0.006), "✗"),
        ((0.05, 0.02), "✗"),
        (("a lot", "little"), "expected a number"),
        (0.05, "two numbers"),
        (..., "still open"),
    ],
)
def test_falls_of_the_loss(answer, said, capsys):
    checks.exercise_2_10(answer, losses=[0.6, 0.55, 0.53, 0.516, 0.51])
    assert said in capsys.readouterr().out
