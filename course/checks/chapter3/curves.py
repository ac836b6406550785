"""Exercises 3.5, 3.6 and 3.9: the area under the ROC curve, the curve itself, and scores as probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from course.checks import crafted
from course.checks.compare import alike
from course.checks.report import Report, exercise
from labcourse import features
from labcourse.metrics import roc_curve

__all__ = ["exercise_3_5", "exercise_3_6", "exercise_3_9"]


def _auc(score: Any, label: Any, weight: Any, *, tie: float = 0.5) -> float:
    """The course's own answer to exercise 3.5."""
    s, b = label == 1, label == 0
    difference = score[s][:, None] - score[b][None, :]
    wins = (difference > 0) + tie * (difference == 0)
    return float(weight[s] @ wins @ weight[b] / (weight[s].sum() * weight[b].sum()))


@exercise("3.5", fallback=_auc)
def exercise_3_5(answer: Any, report: Report) -> None:
    """The AUC as the probability that a signal event scores higher than a background event."""
    rng = np.random.default_rng(35)
    label = (rng.random(120) < 0.4).astype(np.float32)  # as in the chapter
    # Sixteenths are exact in any precision, and often equal.
    score = np.round(16 * rng.normal(label, 1.0)) / 16
    weight = rng.uniform(0.2, 3.0, 120) * rng.choice([1, 1, 1, 1, -1], 120)
    given = score, label, weight
    right = float(roc_curve(label, score, weight).auc)
    result = answer(*given)
    if np.shape(result) != ():
        report.wrong(f"this is an array of shape {np.shape(result)}", "add up over all pairs and divide: one number")
        return
    half = "they count one half"
    signal, n_background = weight[label == 1].sum(), int((label == 0).sum())
    won = right * signal * weight[label == 0].sum()
    if report.recognises(
        result,
        (1 - right, "signal and background are swapped", "count the pairs in which the signal scores higher"),
        (
            lambda s, y, w: _auc(s, y, np.ones(len(w))),
            "pairs are counted, not weighted",
            "a pair has the weight w_i · w_j",
        ),
        (lambda s, y, w: _auc(s, y, np.abs(w)), "negative weights count as positive", "no abs() in a sum of weights"),
        (lambda *given: _auc(*given, tie=0.0), "pairs with equal scores count nothing", half),
        (lambda *given: _auc(*given, tie=1.0), "pairs with equal scores count as won", half),
        (
            lambda s, y, w: _auc(s, y, np.where(y == 1, w, 1.0)),
            "only the weights of the signal are used",
            "a pair has the weight w_i · w_j, one factor from each class",
        ),
        (
            lambda s, y, w: _auc(s, y, np.where(y == 0, w, 1.0)),
            "only the weights of the background are used",
            "a pair has the weight w_i · w_j, one factor from each class",
        ),
        (won, "the sum is not divided", "divide by the sum of w_i · w_j over all pairs"),
        (
            won / (label.sum() * n_background),
            "the sum is divided by the number of pairs",
            "divide by the sum of w_i · w_j over all pairs",
        ),
        (
            won / weight.sum() ** 2,
            "the sum is divided by the square of all weights",
            "only pairs of signal and background",
        ),
        given=given,
        right=right,
    ):
        return
    report.also(
        lambda: alike(answer(np.array([0.1, 0.2, 0.8, 0.9]), np.array([0, 0, 1, 1]), np.ones(4)), 1.0),
        "perfect separation gives 1",
        hint="every signal event then scores higher than every background event",
    )
    report.also(
        lambda: alike(answer(np.array([0.5, 0.5, 0.25]), np.array([1, 0, 0]), np.ones(3)), 0.75),
        "one pair won, one equal: 0.75",
        hint="equal scores count one half",
    )
    report.also(alike(result, right), "weighted events: right", hint="Σ w_i w_j over won pairs, over all pairs")
    report.also(
        lambda: all(alike(answer(factor * score, label, weight), right) for factor in (8, 2**-12)),
        "depends on the order of the scores alone",
        hint="compare scores; their differences do not matter",
    )
    report.also(
        lambda: alike(answer(-score, label, weight), 1 - right),
        "scores the wrong way round give one minus the area",
        hint="an area below one half is an answer as well",
    )
    report.also(
        lambda: alike(
            [answer(s * np.array([0.2, 0.8, 0.5]), np.array([1, 1, 0]), np.array([-1.0, 3.0, 1.0])) for s in (1, -1)],
            [1.5, -0.5],
        ),
        "with negative weights the formula stands, also below 0 and above 1",
        hint="leave the weights and the result as they are",
    )
    classes, scores, weights = crafted.scored(150, 350)
    report.agrees(answer, _auc, (scores, classes, weights), hint="take all events that are given")


@exercise("3.6")
def exercise_3_6(answer: Any, report: Report, *, events: pd.DataFrame, score: ArrayLike, efficiency: float) -> None:
    """The background rejection at a signal efficiency, read from the ROC curve."""
    weight = events["weight"].to_numpy(float)
    curve = roc_curve(features.labels(events), np.asarray(score), weight)
    background = float(np.interp(efficiency, curve.signal_efficiency, curve.background_efficiency))
    inverse = float(np.interp(efficiency, curve.background_efficiency, curve.signal_efficiency))
    rejection = "the rejection is one over the share that is kept"
    report.reading(
        answer,
        1 / background,
        "one over the background efficiency at that point",
        (background, "this is the efficiency of the background", "the rejection is one over it"),
        (100 * background, "this is the efficiency of the background, in per cent", "the rejection is one over it"),
        (1 - background, "this is the share that is removed", rejection),
        (1 / (1 - background), "this is one over the share that is removed", rejection),
        (1 / inverse, "the axes are swapped", "the signal efficiency is on the vertical axis"),
        (1 / efficiency, "this is one over the signal efficiency", "go from there to the curve, and to the other axis"),
        (efficiency / background, "the signal efficiency stands on top", "one over the efficiency of the background"),
        relative=0.12,
        hint="go from the signal efficiency on the vertical axis to the curve, and down",
    )


def _to_mixture(score: Any, share: float, new_share: float) -> Any:
    """The course's own answer to exercise 3.9."""
    signal, background = score * new_share / share, (1 - score) * (1 - new_share) / (1 - share)
    return signal / (signal + background)


def _odds(score: Any, share: float, new_share: float) -> Any:
    return score / (1 - score) * (new_share / (1 - new_share)) / (share / (1 - share))


@exercise("3.9", fallback=_to_mixture)
def exercise_3_9(answer: Any, report: Report) -> None:
    """A probability, carried over from one mixture of signal and background to another."""
    score = np.array([0.0, 0.1, 0.4, 0.5, 0.9, 1.0])
    given = score[:-1], 0.4, 0.02  # odds of a certain event are infinite
    if report.recognises(
        answer(*given),
        (
            lambda p, old, new: p * new / old,
            "this only scales the score",
            "divide by the sum of the signal's and the background's term",
        ),
        (lambda p, old, new: _to_mixture(p, new, old), "the two shares are swapped", "share is that of the training"),
        (
            lambda *given: 1 - _to_mixture(*given),
            "this is the probability of background",
            "the term of the signal goes on top",
        ),
        (
            lambda p, old, new: _to_mixture(p, 0.5, new),
            "the share of the training is left out",
            "divide the terms of signal and background by π and 1 − π",
        ),
        (
            lambda p, old, new: _to_mixture(p, old, 0.5),
            "the new share is left out",
            "multiply the terms of signal and background by π′ and 1 − π′",
        ),
        (_odds, "these are odds", "turn odds r into a probability: r/(1 + r)"),
        (
            lambda p, old, new: (p * new / old) / (p * new / old + (1 - p)),
            "the term of the background is not scaled",
            "it takes the factor (1 − π′)/(1 − π)",
        ),
        (
            lambda p, old, new: (p * new / old) / (p * new / old + (1 - p) * new / old),
            "signal and background have the same factor",
            "the background takes the factor (1 − π′)/(1 − π)",
        ),
        given=given,
        right=_to_mixture(*given),
    ):
        return
    result = np.asarray(answer(score, 0.4, 0.02), float)
    if not report.holds(result.shape == score.shape, "gives one number per event", hint="work on the whole array"):
        return
    if np.isnan(result[-1]):
        report.wrong("a score of exactly 1 gives NaN", "its odds p/(1 − p) are infinite: compute the fraction as above")
        return
    report.also(
        lambda: alike(answer(score, 0.4, 0.4), score),
        "the same share changes nothing",
        hint="then π′/π and (1 − π′)/(1 − π) are both 1",
    )
    report.also(
        lambda: np.allclose(answer(np.array([0.4]), 0.4, 0.02), 0.02),
        "an event that tells nothing has the new share as its probability",
        hint="a score equal to the old share becomes the new share",
    )
    report.also(np.allclose(result[[0, -1]], [0, 1]), "certainty stays certainty", hint="0 stays 0, and 1 stays 1")
    report.also(
        alike(result, _to_mixture(score, 0.4, 0.02)), "follows Bayes' theorem", hint="p·π′/π over the sum of both terms"
    )
    other = np.linspace(0.05, 0.95, 9)[::-1], 0.3, 0.11
    report.agrees(answer, _to_mixture, other, hint="use all the arguments: score, share and new_share")
