"""The checks of chapter 3 recognise right, open and wrong answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from labcourse import checks
from labcourse.checks import crafted
from labcourse.plotting import roc_curve


def efficiencies(passes=np.greater_equal, weigh=lambda w: w, per_class=True, swap=False):
    def answer(score, label, weight, cut):
        passed, w = passes(score, cut), weigh(weight)
        total = [w[label == y].sum() if per_class else w.sum() for y in (1, 0)]
        pair = [w[passed & (label == y)].sum() / t for y, t in zip((1, 0), total, strict=True)]
        return tuple(pair[::-1] if swap else pair)

    return answer


def yields(score, label, weight, cut):
    return tuple(weight[(score >= cut) & (label == y)].sum() for y in (1, 0))


def auc(tie=0.5, weigh=lambda w: w, swap=False, gather=np.sum):
    def answer(score, label, weight):
        s, b, w = label == 1, label == 0, weigh(weight)
        first, second = (b, s) if swap else (s, b)
        difference = score[first][:, None] - score[second]
        wins = (difference > 0) + tie * (difference == 0)
        pairs = w[first][:, None] * w[second]
        return gather(pairs * wins) / pairs.sum()

    return answer


def margins(score, label, weight):
    s, b = label == 1, label == 0
    return 0.5 + 0.1 * (np.average(score[s], weights=weight[s]) - np.average(score[b], weights=weight[b]))


def cut_for(weigh=lambda w: w, only_signal=True, step=0):
    def answer(score, label, weight, efficiency):
        chosen = label == 1 if only_signal else label >= 0
        s, w = score[chosen], weigh(weight[chosen])
        order = np.argsort(-s)
        kept = np.cumsum(w[order]) / w.sum()
        return s[order][min(np.searchsorted(kept, efficiency - 1e-12) + step, len(s) - 1)]

    return answer


def mixture(score, share, new_share):
    signal, background = score * new_share / share, (1 - score) * (1 - new_share) / (1 - share)
    return signal / (signal + background)


def odds(score, share, new_share):
    with np.errstate(divide="ignore"):
        return score / (1 - score) * new_share / (1 - new_share) / (share / (1 - share))


def raising(*_args):
    raise KeyError("score")


RIGHT = {
    "3_4": efficiencies(),
    "3_5": auc(),
    "3_7": cut_for(),
    "3_9": mixture,
}
WRONG = [
    ("3_4", efficiencies(swap=True), "swapped"),
    ("3_4", efficiencies(weigh=np.ones_like), "counted, not weighted"),
    ("3_4", efficiencies(weigh=np.abs), "count as positive"),
    ("3_4", efficiencies(passes=np.greater), "right at the cut"),
    ("3_4", efficiencies(passes=np.less), "share that fails"),
    ("3_4", efficiencies(per_class=False), "sum over all events"),
    ("3_4", yields, "not divided"),
    ("3_4", lambda *arguments: efficiencies()(*arguments)[0], "two numbers"),
    ("3_5", auc(swap=True), "swapped"),
    ("3_5", auc(weigh=np.ones_like), "counted, not weighted"),
    ("3_5", auc(weigh=np.abs), "count as positive"),
    ("3_5", auc(tie=0), "count nothing"),
    ("3_5", auc(tie=1), "count as won"),
    ("3_5", auc(gather=lambda values: values), "array of shape"),
    ("3_5", margins, "order of the scores alone"),
    ("3_7", cut_for(weigh=np.ones_like), "counted, not weighted"),
    ("3_7", cut_for(only_signal=False), "background events are counted"),
    ("3_7", cut_for(step=-1), "keeps too little"),
    ("3_7", lambda score, label, weight, efficiency: np.quantile(score[label == 1], efficiency), "✗"),
    ("3_7", lambda score, label, weight, efficiency: min(score[label == 1]), "more signal than it has to"),
    ("3_9", lambda score, share, new: score * new / share, "only scales"),
    ("3_9", lambda score, share, new: mixture(score, new, share), "two shares are swapped"),
    ("3_9", lambda score, share, new: 1 - mixture(score, share, new), "probability of background"),
    ("3_9", lambda score, share, new: score * new / (score * new + (1 - score) * (1 - new)), "left out"),
    ("3_9", odds, "these are odds"),
    ("3_9", lambda score, share, new: score, "✗"),
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


@pytest.fixture(scope="module")
def scored() -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Simulated events, their labels, and a score with densities 2p (signal) and 2(1 − p) (background)."""
    rng = np.random.default_rng(3)
    n = 20000
    label = np.repeat([1, 0], n // 2)
    score = np.where(label == 1, np.sqrt(rng.random(n)), 1 - np.sqrt(rng.random(n)))
    names = np.where(label == 1, "ggH125_ZZ4lep", "llll").tolist()
    return crafted.weighted(names, np.where(label == 1, 0.001, 0.04).tolist()), label, score


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (0.5, "solved"),
        (0.47, "solved"),
        (50, "per cent"),
        (0.98, "maximum"),
        (0.3, "✗"),
        ("half", "expected a number"),
        (..., "still open"),
    ],
)
def test_crossing_of_the_classes(answer, said, scored, capsys):
    _, label, score = scored
    checks.exercise_3_1(answer, score=score, label=label)
    assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    ("right", "said"),
    [
        (lambda s, b: b / s, "solved"),
        (lambda s, b: 1.05 * b / s, "solved"),
        (lambda s, b: s / b, "signal over background"),
        (lambda s, b: s / (s + b), "purity"),
        (lambda s, b: b / s / 40, "raw events"),
        (lambda s, b: b, "number of background events"),
        (lambda s, b: 2 * b / s, "✗"),
        (lambda s, b: ..., "still open"),
    ],
)
def test_background_for_each_signal_event(right, said, scored, capsys):
    events, label, score = scored
    passed = score >= 0.7
    s, b = (float(events["weight"][passed & (label == y)].sum()) for y in (1, 0))
    checks.exercise_3_3(right(s, b), events=events, score=score, cut=0.7)
    assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    ("right", "said"),
    [
        (lambda background, inverse: 1 / background, "solved"),
        (lambda background, inverse: 0.95 / background, "solved"),
        (lambda background, inverse: background, "efficiency of the background"),
        (lambda background, inverse: 1 - background, "share that is removed"),
        (lambda background, inverse: 1 / inverse, "axes are swapped"),
        (lambda background, inverse: 9.0, "✗"),
        (lambda background, inverse: ..., "still open"),
    ],
)
def test_background_rejection(right, said, scored, capsys):
    events, label, score = scored
    curve = roc_curve(label, score, events["weight"])
    background = float(np.interp(0.8, curve.signal_efficiency, curve.background_efficiency))
    inverse = float(np.interp(0.8, curve.background_efficiency, curve.signal_efficiency))
    checks.exercise_3_6(right(background, inverse), events=events, score=score, efficiency=0.8)
    assert said in capsys.readouterr().out
