"""Checks of chapter 3, evaluation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from labcourse import features
from labcourse.checks.report import Report, exercise
from labcourse.plotting import roc_curve

__all__ = [
    "exercise_3_1",
    "exercise_3_3",
    "exercise_3_4",
    "exercise_3_5",
    "exercise_3_6",
    "exercise_3_7",
    "exercise_3_9",
]

Array = NDArray[np.float64]


@exercise("3.1")
def exercise_3_1(answer: Any, report: Report, *, score: ArrayLike, label: ArrayLike) -> None:
    """The score at which the normalised distributions of signal and background cross."""
    # Where the densities cross, the difference of the cumulative distributions is largest.
    score, label = np.asarray(score, float), np.asarray(label)
    order = np.argsort(score, kind="stable")
    is_signal = label[order] == 1
    difference = np.cumsum(~is_signal) / (~is_signal).sum() - np.cumsum(is_signal) / is_signal.sum()
    crossing = score[order][np.argmax(difference)]
    if isinstance(answer, (int, float)) and 1 < answer <= 100 and abs(answer / 100 - crossing) < 0.06:
        report.wrong("this is in per cent", "scores lie between 0 and 1")
        return
    peaks = []
    for y in (0, 1):
        content, edges = np.histogram(score[label == y], np.linspace(0, 1, 41))
        peaks.append((edges[:-1] + 0.0125)[np.argmax(content)])
    if (
        isinstance(answer, (int, float))
        and abs(answer - crossing) > 0.06
        and min(abs(answer - p) for p in peaks) < 0.04
    ):
        report.wrong(
            "this is where one of the curves has its maximum", "look for the score where both are equally high"
        )
        return
    report.close(
        answer,
        float(crossing),
        "the curves cross there",
        tolerance=0.06,
        hint="to the left of it the background is higher, to the right the signal",
    )


@exercise("3.3")
def exercise_3_3(answer: Any, report: Report, *, events: pd.DataFrame, score: ArrayLike, cut: float) -> None:
    """The number of expected background events for each signal event above a score."""
    passed = np.asarray(score) >= cut
    label, weight = features.labels(events)[passed], events["weight"].to_numpy(float)[passed]
    s, b = weight[label == 1].sum(), weight[label == 0].sum()
    if isinstance(answer, (int, float, np.floating)) and not isinstance(answer, bool):
        raw = (label == 0).sum() / (label == 1).sum()
        for wrong, mistake, hint in (
            (s / b, "this is signal over background", "we ask for background events for each signal event"),
            (s / (s + b), "this is the purity", "we ask for background events for each signal event"),
            (raw, "these are raw events", "expected events are sums of weights"),
            (b, "this is the number of background events", "divide it by the number of signal events"),
        ):
            if abs(float(answer) - wrong) < 0.05 * wrong < abs(float(answer) - b / s):
                report.wrong(mistake, hint)
                return
    report.close(
        answer,
        b / s,
        "background events for each signal event",
        relative=0.1,
        hint="sums of weights of events that pass",
    )


def _efficiencies(score: Array, label: Array, weight: Array, cut: float) -> tuple[float, float]:
    """The course's own answer to exercise 3.4."""
    passed = score >= cut
    return tuple(float(weight[passed & (label == y)].sum() / weight[label == y].sum()) for y in (1, 0))  # type: ignore[return-value]


@exercise("3.4", fallback=_efficiencies)
def exercise_3_4(answer: Any, report: Report) -> None:
    """Weighted efficiencies of a cut for signal and background."""
    score = np.array([0.9, 0.5, 0.2, 0.8, 0.5, 0.4, 0.1, 0.3])
    label = np.array([1, 1, 1, 0, 0, 0, 0, 0])
    weight = np.array([0.5, 0.3, 0.2, 1.0, 2.0, -0.5, 4.0, 1.5])
    arguments = score, label, weight, 0.5
    result = answer(*(np.copy(a) if isinstance(a, np.ndarray) else a for a in arguments))
    if not report.holds(
        isinstance(result, (tuple, list, np.ndarray)) and len(result) == 2,
        "returns two numbers",
        hint="return signal_efficiency, background_efficiency",
    ):
        return
    pair = tuple(float(part) for part in result)
    for wrong, mistake, hint in (
        ((3 / 8, 0.8), "the two are swapped", "the efficiency of the signal comes first"),
        ((2 / 3, 2 / 5), "events are counted, not weighted", "add up the weights"),
        ((0.8, 3 / 9), "negative weights count as positive", "add the weights as they are, without abs()"),
        ((0.5, 1 / 8), "an event right at the cut fails", "score >= cut passes"),
        ((0.2, 5 / 8), "this is the share that fails", "score >= cut passes"),
        ((0.8 / 9, 3 / 9), "both are divided by the sum over all events", "divide by the sum of the same class"),
        ((0.8, 3.0), "the yields are not divided by those without the cut", "divide by the sum of the class"),
    ):
        if np.allclose(pair, wrong):
            report.wrong(mistake, hint)
            return
    report.close(pair[0], 0.8, "signal: passed weights over all weights", tolerance=1e-6, hint="of events with label 1")
    report.close(pair[1], 3 / 8, "background: likewise", tolerance=1e-6, hint="of events with label 0")
    report.holds(
        lambda: np.allclose(answer(score, label, weight, 0.0), (1, 1)),
        "a cut at 0 keeps everything",
        hint="score >= cut",
    )
    report.holds(
        lambda: np.allclose(answer(score, label, weight, 0.95), (0, 0)),
        "a tight cut keeps nothing",
        hint="a sum of nothing",
    )
    report.holds(
        lambda: np.allclose(answer(score, label, 7 * weight, 0.5), pair),
        "does not depend on the luminosity",
        hint="numerator and denominator are both sums of weights",
    )


def _auc(score: Array, label: Array, weight: Array) -> float:
    """The course's own answer to exercise 3.5."""
    s, b = label == 1, label == 0
    difference = score[s][:, None] - score[b][None, :]
    wins = (difference > 0) + 0.5 * (difference == 0)
    return float(weight[s] @ wins @ weight[b] / (weight[s].sum() * weight[b].sum()))


@exercise("3.5", fallback=_auc)
def exercise_3_5(answer: Any, report: Report) -> None:
    """The AUC as the probability that a signal event scores higher than a background event."""
    rng = np.random.default_rng(35)
    label = (rng.random(120) < 0.4).astype(int)
    score = rng.normal(label, 1.0)
    weight = rng.uniform(0.2, 3.0, 120) * rng.choice([1, 1, 1, 1, -1], 120)
    ones = np.ones(120)
    right = float(roc_curve(label, score, weight).auc)
    tied = np.array([0.5, 0.5, 0.2]), np.array([1, 0, 0]), np.ones(3)
    result = answer(score, label, weight)
    if np.shape(result) != ():
        report.wrong(f"this is an array of shape {np.shape(result)}", "add up over all pairs and divide: one number")
        return
    for wrong, mistake, hint in (
        (1 - right, "signal and background are swapped", "count the pairs in which the signal scores higher"),
        (_auc(score, label, ones), "pairs are counted, not weighted", "a pair has the weight w_i · w_j"),
        (_auc(score, label, np.abs(weight)), "negative weights count as positive", "no abs() in a sum of weights"),
    ):
        if np.isclose(float(result), wrong):
            report.wrong(mistake, hint)
            return
    ties = float(answer(*tied))
    if np.isclose(ties, 0.5):
        report.wrong("pairs with equal scores count nothing", "they count one half")
    elif np.isclose(ties, 1.0):
        report.wrong("pairs with equal scores count as won", "they count one half")
    report.close(
        answer(np.array([0.1, 0.2, 0.8, 0.9]), np.array([0, 0, 1, 1]), np.ones(4)),
        1.0,
        "perfect separation gives 1",
        tolerance=1e-9,
        hint="every signal event then scores higher than every background event",
    )
    report.close(ties, 0.75, "one pair won, one equal: 0.75", tolerance=1e-9, hint="equal scores count one half")
    report.close(
        result, right, "weighted events: right", tolerance=1e-9, hint="Σ w_i w_j over won pairs, over all pairs"
    )
    report.holds(
        lambda: np.isclose(answer(score**3, label, weight), right),
        "depends on the order of the scores alone",
        hint="compare scores; their differences do not matter",
    )


@exercise("3.6")
def exercise_3_6(answer: Any, report: Report, *, events: pd.DataFrame, score: ArrayLike, efficiency: float) -> None:
    """The background rejection at a signal efficiency, read from the ROC curve."""
    weight = events["weight"].to_numpy(float)
    curve = roc_curve(features.labels(events), np.asarray(score), weight)
    background = float(np.interp(efficiency, curve.signal_efficiency, curve.background_efficiency))
    inverse = float(np.interp(efficiency, curve.background_efficiency, curve.signal_efficiency))
    if isinstance(answer, (int, float, np.floating)) and not isinstance(answer, bool):
        for wrong, mistake, hint in (
            (background, "this is the efficiency of the background", "the rejection is one over it"),
            (1 - background, "this is the share that is removed", "the rejection is one over the share that is kept"),
            (1 / inverse, "the axes are swapped", "the signal efficiency is on the vertical axis"),
        ):
            if abs(float(answer) - wrong) < 0.03 and abs(float(answer) * background - 1) > 0.12:
                report.wrong(mistake, hint)
                return
    report.close(
        answer,
        1 / background,
        "one over the background efficiency at that point",
        relative=0.12,
        hint="go from the signal efficiency on the vertical axis to the curve, and down",
    )


def _cut_for(score: Array, label: Array, weight: Array, efficiency: float) -> float:
    """The course's own answer to exercise 3.7."""
    order = np.argsort(-score[label == 1], kind="stable")
    kept = np.cumsum(weight[label == 1][order])
    position = np.argmax(kept >= efficiency * kept[-1] - 1e-12 * kept[-1])
    return float(score[label == 1][order][position])


@exercise("3.7", fallback=_cut_for)
def exercise_3_7(answer: Any, report: Report) -> None:
    """The tightest cut that keeps a given share of the expected signal."""
    score = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.95, 0.65, 0.3, 0.1])
    label = np.array([1, 1, 1, 1, 1, 0, 0, 0, 0])
    weight = np.array([0.1, 0.2, 0.3, 0.2, 0.2, 5.0, 3.0, 2.0, 1.0])
    result = answer(score, label, weight, 0.55)
    if np.shape(result) != ():
        report.wrong(f"this is an array of shape {np.shape(result)}", "return the score at one position")
        return
    value = float(result)
    for wrong, mistake, hint in (
        (0.5, "this cut keeps more signal than it has to", "the tightest cut whose efficiency is at least 0.55"),
        (0.8, "this cut keeps too little signal", "the efficiency must be at least 0.55"),
        (0.65, "background events are counted as well", "take only events with label 1"),
    ):
        if np.isclose(value, wrong):
            report.wrong(mistake, hint)
            return
    # Signal events that all weigh the same would give another cut.
    heavy = np.array([0.7, 0.1, 0.1, 0.05, 0.05, 1.0, 1.0, 1.0, 1.0])
    by_count, by_weight = 0.7, 0.9
    second = float(answer(score, label, heavy, 0.55))
    if np.isclose(second, by_count) and not np.isclose(second, by_weight):
        report.wrong("signal events are counted, not weighted", "add up the weights of the signal, highest score first")
        return
    report.close(value, 0.7, "five signal events, of which three are enough", tolerance=1e-9, hint="0.1 + 0.2 + 0.3")
    report.close(second, 0.9, "one event with a large weight is enough", tolerance=1e-9, hint="the weights add up")
    rng = np.random.default_rng(37)
    many = rng.random(2000)
    labels, w = (rng.random(2000) < 0.4).astype(int), rng.uniform(0.1, 2.0, 2000)
    for efficiency in (0.3, 0.8):
        cut = float(answer(many, labels, w, efficiency))
        signal, own = many[labels == 1], w[labels == 1]
        kept, tighter = own[signal >= cut].sum() / own.sum(), own[signal > cut].sum() / own.sum()
        report.holds(
            tighter < efficiency + 1e-9 and kept >= efficiency - 1e-9,
            f"{100 * efficiency:.0f} % of the signal pass, and a tighter cut would keep less",
            hint="add up weights from the highest score down, until the efficiency is reached",
        )
    report.holds(
        lambda: np.isclose(answer(score, label, weight, 1.0), 0.5),
        "to keep everything, the cut is the lowest score of the signal",
        hint="sums of weights may miss 1 by a rounding error",
    )


def _to_mixture(score: Array, share: float, new_share: float) -> Array:
    """The course's own answer to exercise 3.9."""
    signal, background = score * new_share / share, (1 - score) * (1 - new_share) / (1 - share)
    return np.asarray(signal / (signal + background))


@exercise("3.9", fallback=_to_mixture)
def exercise_3_9(answer: Any, report: Report) -> None:
    """A probability, carried over from one mixture of signal and background to another."""
    score = np.array([0.0, 0.1, 0.4, 0.5, 0.9, 1.0])
    right = _to_mixture(score, 0.4, 0.02)
    result = np.asarray(answer(score.copy(), 0.4, 0.02), float)
    if not report.holds(result.shape == score.shape, "gives one number an event", hint="work on the whole array"):
        return
    for wrong, mistake, hint in (
        (
            score * 0.02 / 0.4,
            "this only scales the score",
            "divide by the sum of the signal's and the background's term",
        ),
        (_to_mixture(score, 0.02, 0.4), "the two shares are swapped", "share is that of the training"),
        (1 - right, "this is the probability of background", "the term of the signal goes on top"),
        (score * 0.02 / (score * 0.02 + (1 - score) * 0.98), "the share of the training is left out", "divide by it"),
    ):
        if np.allclose(result, wrong):
            report.wrong(mistake, hint)
            return
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = score / (1 - score) * (0.02 / 0.98) / (0.4 / 0.6)
    if np.allclose(result[:-1], odds[:-1]):
        report.wrong("these are odds", "turn odds r into a probability: r/(1 + r)")
        return
    report.holds(
        lambda: np.allclose(answer(score, 0.4, 0.4), score), "the same share changes nothing", hint="try it by hand"
    )
    report.holds(
        lambda: np.allclose(answer(np.array([0.4]), 0.4, 0.02), 0.02),
        "an event that tells nothing has the new share as its probability",
        hint="a score equal to the old share becomes the new share",
    )
    report.holds(np.allclose(result[[0, -1]], [0, 1]), "certainty stays certainty", hint="0 stays 0, and 1 stays 1")
    report.holds(
        lambda: np.allclose(answer(answer(score, 0.4, 0.02), 0.02, 0.4), score),
        "there and back again gives the score",
        hint="both shares enter in the same way",
    )
    report.holds(np.allclose(result, right), "follows Bayes' theorem", hint="p·π′/π over the sum of both terms")
