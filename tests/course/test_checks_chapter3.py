"""The checks of chapter 3: right answers in several idioms, and the mistakes that students make."""

import math
from functools import cache

import numpy as np
import pandas as pd
from scipy import stats

from course.checks import crafted
from tests.course.answers import Exercise, make_tests, own


def cut_without_tolerance(score, label, weight, efficiency):
    s, w = score[label == 1], weight[label == 1]
    order = np.argsort(-s)
    return s[order][np.argmax(np.cumsum(w[order]) / w.sum() >= efficiency)]


def mixture_by_odds(score, share, new_share):
    r = score / (1 - score) * new_share / (1 - new_share) * (1 - share) / share
    return r / (1 + r)


best_score, purity, auc, cut_for = map(own, ("3.1", "3.4", "3.5", "3.8"))


@cache
def scored() -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Simulated events, their labels, and a score with densities 2p (signal) and 2(1 − p) (background)."""
    rng = np.random.default_rng(3)
    n = 20000
    label = np.repeat([1, 0], n // 2)
    score = np.where(label == 1, np.sqrt(rng.random(n)), 1 - np.sqrt(rng.random(n)))
    names = np.where(label == 1, "ggH125_ZZ4lep", "llll").tolist()
    return crafted.weighted(names, np.where(label == 1, 0.001, 0.04).tolist()), label, score


def yields_above(cut):
    events, label, score = scored()
    return [float(events["weight"][(score >= cut) & (label == y)].sum()) for y in (1, 0)]


S, B = yields_above(0.7)
ALL_S, ALL_B = yields_above(0.0)


EXERCISES = {
    "3.1": Exercise(
        [
            best_score,
            lambda x, d, share: best_score(x.astype(np.float32), d, share),
            lambda x, d, share: (
                (share * stats.norm.pdf(x, d / 2))
                / (share * stats.norm.pdf(x, d / 2) + (1 - share) * stats.norm.pdf(x, -d / 2))
            ),
        ],
        (lambda x, d, share: best_score(x, 1.4, share), "hint: other arguments"),
        (lambda x, d, share: best_score(x, d, 0.3), "hint: other arguments"),
        (lambda x, d, share: best_score(x, d, share).mean(), ""),
    ),
    "3.2": Exercise(
        [0.5, 0.47, np.float32(0.53)],
        (50, "in per cent"),
        (0.98, "maximum"),
        (20, "number of a bin"),
        (0.3, "hint: the curves cross there"),
        (0.62, ""),
        (0.42, ""),
        context=lambda: {"score": scored()[2], "label": scored()[1]},
    ),
    "3.3": Exercise(
        [B / S, 1.01 * B / S, np.float32(B / S)],
        (S / B, "signal over background"),
        (S / (S + B), "purity"),
        (B / S / 40, "raw events"),
        (B, "number of background events"),
        (ALL_B / ALL_S, "the cut is not applied"),
        (0.8 * B / S, ""),
        (1.2 * B / S, ""),
        (-B / S, ""),
        (2 * B / S, "hint: background events for each signal event"),
        context=lambda: {"events": scored()[0], "score": scored()[2], "cut": 0.7},
    ),
    "3.4": Exercise(
        [purity],
        (lambda e, b, f: purity(e, b, 0.2), "hint: other arguments"),
        (lambda e, b, f: purity(0.8, 0.1, f), "hint: other arguments"),
        (lambda e, b, f: round(purity(e, b, f), 1), ""),
    ),
    "3.5": Exercise(
        [auc, lambda s, y, w: auc(s.astype("f4"), y, w.astype("f4"))],
        (lambda s, y, w: max(auc(s, y, w), 1 - auc(s, y, w)), "hint: the wrong way round"),
        (lambda s, y, w: float(np.clip(auc(s, y, w), 0, 1)), "hint: formula stands"),
        (lambda s, y, w: auc(np.round(s, 2), y, w), "hint: order of the scores alone"),
    ),
    "3.6": Exercise(
        [
            lambda d: stats.norm.cdf(d / 2**0.5),
            lambda d: 0.5 * (1 + math.erf(d / 2)),
            lambda d: stats.norm.sf(0, loc=d, scale=math.sqrt(2)),
        ],
        (lambda d: stats.norm.cdf(1.3 / 2**0.5), "hint: other arguments"),
        (lambda d: min(1, 0.5 + d / 4), ""),
        (lambda d: max(stats.norm.cdf(d / 2**0.5), 0.6), "hint: other arguments"),
    ),
    "3.8": Exercise(
        [cut_for, lambda s, y, w, e: cut_for(s, y, w / w.sum(), e)],
        (cut_without_tolerance, "a rounding error decides"),
        (lambda s, y, w, e: 0.37, "✗ five signal events"),
        (lambda s, y, w, e: cut_for(s, y, np.abs(w), e), "hint: negative weights"),
        (lambda s, y, w, e: np.quantile(s[y == 1], 1 - e, weights=abs(w[y == 1]), method="inverted_cdf"), ""),
        (lambda s, y, w, e: s[np.argsort(-s)][np.argmax(np.cumsum(w[np.argsort(-s)] * y) >= e)], ""),
    ),
    "3.10": Exercise(
        [own("3.10")],
        (mixture_by_odds, "a score of exactly 1 gives NaN"),
        (lambda p, share, new: p**2, "✗ follows Bayes' theorem"),
        (lambda p, share, new: p.mean(), "the result has the shape"),
        (lambda p, share, new: np.clip(p * new / share, 0, 1), ""),
    ),
}

test_right, test_forms, test_wrong, test_open, test_absurd = make_tests(EXERCISES)
