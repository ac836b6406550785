"""The checks of the encore: right answers in several idioms, and the mistakes that students make."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from tests.course.answers import Exercise, make_tests


def leading_first(pt, values):
    return np.take_along_axis(values, np.argsort(-pt, axis=1), axis=1)


def leading_by_loop(pt, values):
    return [[v for _, v in sorted(zip(p, row, strict=True), reverse=True)] for p, row in zip(pt, values, strict=True)]


def leading_flipped(pt, values):
    order = np.argsort(pt, axis=1)[:, ::-1]
    return values[np.arange(len(pt))[:, None], order]


def factor(n_good, n_failed, n_prompt):
    f = (n_good - n_prompt) / n_failed
    return f, math.sqrt(n_good / n_failed**2 + f**2 / n_failed)


def factor_in_steps(n_good, n_failed, n_prompt):
    fakes = n_good - n_prompt
    return [fakes / n_failed, fakes / n_failed * np.hypot(np.sqrt(n_good) / fakes, 1 / np.sqrt(n_failed))]


def reducible(one, two, prompt):
    both = two[:, 0] * two[:, 1]
    return one.sum() - both.sum() - prompt, np.sqrt((one**2).sum() + (both**2).sum())


def reducible_by_loop(one, two, prompt):
    weights = [*one, *(-a * b for a, b in two)]
    return sum(weights) - prompt, math.sqrt(sum(w * w for w in weights))


def expectation(mu, theta, pythia, twin, background):
    return mu * ((1 - theta) * pythia + theta * twin) + background


def review(weight, pt):
    excess = -2 * weight[weight < 0].sum() / weight.sum()
    return excess, np.mean(np.argmax(pt, axis=1) != 0), weight.sum() ** 2 / np.sum(weight**2)


def review_of_tables(weight, pt):
    w, table = pd.Series(weight), pd.DataFrame(pt)
    is_led = table.idxmax(axis=1).eq(0)
    return [w.abs().sum() / w.sum() - 1, 1 - is_led.mean(), w.sum() ** 2 / w.pow(2).sum()]


EXERCISES = {
    "11.1": Exercise(
        [leading_first, leading_by_loop, leading_flipped],
        (lambda pt, v: -np.sort(-v, axis=1), "sorted by themselves"),
        (lambda pt, v: -np.sort(-pt, axis=1), "these are the momenta"),
        (lambda pt, v: np.take_along_axis(v, np.argsort(pt, axis=1), axis=1), "the momenta rise"),
        (lambda pt, v: v[:, 0], "shape"),
        (lambda pt, v: v[np.argsort(-pt, axis=1)], "shape"),
        (lambda pt, v: v, ""),
    ),
    "11.3": Exercise(
        [factor, factor_in_steps, lambda g, f, p: np.array(factor(g, f, p))],
        (lambda g, f, p: (g / f, factor(g, f, p)[1]), "the real leptons are left in"),
        (lambda g, f, p: factor(g, f, p)[::-1], "the order is another one"),
        (lambda g, f, p: (factor(g, f, p)[0], np.sqrt(g) / f), "the failed ones do not fluctuate"),
        (lambda g, f, p: (factor(g, f, p)[0], 0.9 * factor(g, f, p)[1]), "✗ the error is that of both counts"),
        (lambda g, f, p: (factor(g, f, p)[0], factor(g, f, p)[0] * np.sqrt(1 / g + 1 / f)), "the relative error"),
        (lambda g, f, p: factor(g, f, p)[0], "hint: they are the factor and its error"),
        (lambda g, f, p: (34 / 90, factor(g, f, p)[1]), ""),
    ),
    "11.4": Exercise(
        [reducible, reducible_by_loop, lambda one, two, prompt: np.array(reducible(one, two, prompt))],
        (lambda o, t, p: (o.sum() + t.prod(axis=1).sum() - p, reducible(o, t, p)[1]), "the two sums are added"),
        (lambda o, t, p: (o.sum() - t.sum() - p, reducible(o, t, p)[1]), "the factors of two leptons are added"),
        (lambda o, t, p: (reducible(o, t, p)[0], np.sqrt((o**2).sum())), "the second sum does not fluctuate"),
        (lambda o, t, p: (reducible(o, t, p)[0], np.sqrt(abs(o.sum()))), "✗ the error is that of weighted events"),
        (lambda o, t, p: (o.sum() / 2 - p, reducible(o, t, p)[1]), "hint: each candidate is in the first sum twice"),
        (lambda o, t, p: reducible(o, t, 0.17), "✗ right for other arguments"),
    ),
    "11.5": Exercise(
        [expectation, lambda mu, t, p, h, b: [mu * (x + t * (y - x)) + z for x, y, z in zip(p, h, b, strict=True)]],
        (lambda mu, t, p, h, b: expectation(mu, 1 - t, p, h, b), "0 and 1 are exchanged"),
        (lambda mu, t, p, h, b: mu * (p - t * (h - p)) + b, "θ goes the wrong way"),
        (lambda mu, t, p, h, b: mu * p * (h / p) ** t + b, "✗ signal moves in a straight line"),
        (lambda mu, t, p, h, b: mu * (p + np.clip(t, 0, 1) * (h - p)) + b, "✗ signal moves in a straight line"),
        (lambda mu, t, p, h, b: mu * expectation(1, t, p, h, b), "μ multiplies the background"),
        (lambda mu, t, p, h, b: expectation(mu, t, p, h, b).sum(), "shape"),
        (lambda mu, t, p, h, b: expectation(mu, t, p, h, 0 * b), "the background is left out"),
        (lambda mu, t, p, h, b: expectation(mu, -0.6, p, h, b), "✗ right for other arguments"),
    ),
    "11.7": Exercise(
        [18.43 / math.sqrt(10.3 + 0.3 * 10.3**2), 2.84, np.float32(2.843)],
        (4.43, "this is the published number"),
        (18.43, "the number of signal events"),
        (5.74, "the uncertainty of the background is left out"),
        (4.14, "0.3 is squared"),
        (1.0, ""),
        ("2.84", "leave out the quotes"),
    ),
    "11.8": Exercise(
        [review, review_of_tables],
        (lambda w, pt: (1 + review(w, pt)[0], *review(w, pt)[1:]), "this is the ratio"),
        (lambda w, pt: (np.mean(w < 0), *review(w, pt)[1:]), "the share of negative weights"),
        (lambda w, pt: (review(w, pt)[0], np.mean(pt[:, 0] < pt[:, 1]), review(w, pt)[2]), "only the second"),
        (lambda w, pt: (review(w, pt)[0], 1 - review(w, pt)[1], review(w, pt)[2]), "led by their first lepton"),
        (lambda w, pt: (*review(w, pt)[:2], len(w)), "these are raw events"),
        (lambda w, pt: (*review(w, pt)[:2], np.abs(w).sum() ** 2 / (w**2).sum()), "the weights are taken absolute"),
        (lambda w, pt: review(w, pt)[:2], "hint: they are excess, share, effective number"),
    ),
}

test_right, test_forms, test_wrong, test_open, test_absurd = make_tests(EXERCISES)
