"""The checks of the project: right answers in several idioms, and the mistakes that students make."""

from __future__ import annotations

import numpy as np

from labcourse import significance
from tests.course.answers import Exercise, make_tests


def draw_by_loop(m_true, masses, rng):
    drawn = np.array(m_true, dtype=float)
    for i in range(len(drawn)):
        if drawn[i] == 0:
            drawn[i] = masses[rng.integers(len(masses))]
    return drawn


def draw_for_background(m_true, masses, rng):
    drawn, background = m_true.copy(), m_true == 0
    drawn[background] = rng.choice(masses, background.sum())
    return drawn


def balance(weight, m_true, k, *, size=np.abs, each=True, share=True, on_signal=True):
    made = size(np.asarray(weight, float)) * 1.0
    signal = m_true > 0
    masses = np.unique(m_true[signal])
    background = made[~signal].sum()
    for group in [m_true == mass for mass in masses] if each else [signal]:
        made[group] *= background / (len(masses) if share and each else 1) / made[group].sum()
    made[signal if on_signal else ~signal] *= k
    return made


def balance_by_loop(weight, m_true, k):
    sums = {}
    for w, m in zip(weight, m_true, strict=True):
        sums[m] = sums.get(m, 0) + abs(w)
    wanted = k * sums[0] / (len(sums) - 1)
    return [abs(w) * (wanted / sums[m] if m else 1) for w, m in zip(weight, m_true, strict=True)]


def binned(signal, background):
    shares = zip(signal / sum(signal), background / sum(background), strict=True)
    return sum(float(significance.asimov(s, b)) ** 2 for s, b in shares) ** 0.5


def asimov(signal, background):
    return significance.asimov(signal / signal.sum(), background / background.sum())


EXERCISES = {
    "9.1": Exercise(
        [
            lambda p, d: np.mean(np.argmax(p, axis=1) == d),
            lambda p, d: sum(row.argmax() == digit for row, digit in zip(p, d, strict=True)) / len(d),
        ],
        (lambda p, d: np.mean(p[np.arange(len(d)), d] > 0.5), "✗ the most probable digit"),
        (lambda p, d: np.mean(np.argmin(p, axis=1) == d), ""),
        (lambda p, d: np.mean(np.argmax(p, axis=1) >= d), ""),
        (lambda p, d: np.sum(np.argmax(p, axis=1) == d) / 7, "✗ it is 1 where all are right"),
    ),
    "9.2": Exercise(
        [lambda m, masses, rng: np.where(m > 0, m, rng.choice(masses, len(m))), draw_by_loop, draw_for_background],
        (lambda m, masses, rng: rng.choice(masses, len(m)), "another mass than their own"),
        (lambda m, masses, rng: m, "keeps its 0"),
        (lambda m, masses, rng: np.where(m > 0, m, rng.choice(masses)), "the same mass"),
        (lambda m, masses, rng: np.where(m > 0, m, rng.uniform(300, 2000, len(m))), "none of those of the signal"),
        (
            lambda m, masses, rng: np.where(m > 0, m, np.random.default_rng(7).choice(masses, len(m))),
            "do not come from the generator",
        ),
        (lambda m, masses, rng: np.where(m > 0, m, np.repeat(rng.permutation(masses), 1000)), "event before"),
        (lambda m, masses, rng: np.where(m > 0, m, rng.choice(np.unique(m[m > 0]), len(m))), "more often"),
        (lambda m, masses, rng: np.where(m > 0, m, rng.choice([300.0, 400, 500, 600], len(m))), "none of those"),
        (lambda m, masses, rng: np.where(m > 0, m, np.random.choice(masses, len(m))), "do not come from"),  # noqa: NPY002
    ),
    "9.4": Exercise(
        [balance, balance_by_loop],
        (lambda w, m, k: 3 * balance(w, m, k), "✗ the background keeps its absolute weights"),
        (lambda w, m, k: balance(w, m, k) / balance(w, m, k).sum(), "✗ the background keeps"),
        (lambda w, m, k: balance(w, m, 0.1), "✗ right for other arguments"),
        (lambda w, m, k: balance(np.where(m > 0, 1.0, w), m, k), "✗ within a mass"),
    ),
    "9.5": Exercise(
        [binned, lambda s, b: np.sqrt((asimov(s, b) ** 2).sum())],
        (lambda s, b: binned(s, b / b.sum() * s.sum()) * np.sqrt(s.sum() / 10), "✗ yields do not matter"),
        (lambda s, b: np.sqrt((significance.asimov(s / s.sum(), b) ** 2).sum()), ""),
        (lambda s, b: np.sqrt((significance.asimov(s / s.max(), b / b.max()) ** 2).sum()), ""),
        (lambda s, b: binned(s[:3], b[:3]) if len(s) == 3 else 1.0, "✗ a bin without signal"),
    ),
    "9.6": Exercise(
        [1.5, 3.0 / 2.0, np.float32(1.5)],
        (2 / 3, "this is the inverse"),
        (1.0, "this is the difference"),
        (3.0, "the significance itself"),
        (150, "in per cent"),
        (1.45, ""),
        (-1.5, ""),
        ((1, 50), ""),
        ("1.5", "leave out the quotes"),
        context=lambda: {"points": {"parameterised": 3.0, "single": 2.0}},
    ),
}

test_right, test_forms, test_wrong, test_open, test_absurd = make_tests(EXERCISES)
