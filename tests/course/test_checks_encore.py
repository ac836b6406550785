"""The checks of the encore: right answers in several idioms, and the mistakes that students make."""

import math

import numpy as np

from tests.course.answers import Exercise, make_tests, own

factor, reducible, expectation, review = map(own, ("11.3", "11.4", "11.5", "11.8"))


EXERCISES = {
    "11.1": Exercise(
        [own("11.1")],
        (lambda pt, v: v[np.argsort(-pt, axis=1)], "shape"),
        (lambda pt, v: v, ""),
    ),
    "11.3": Exercise(
        [factor, lambda g, f, p: np.array(factor(g, f, p))],
        (lambda g, f, p: (factor(g, f, p)[0], 0.9 * factor(g, f, p)[1]), "✗ the error is that of both counts"),
        (lambda g, f, p: (34 / 90, factor(g, f, p)[1]), ""),
    ),
    "11.4": Exercise(
        [reducible, lambda one, two, prompt: np.array(reducible(one, two, prompt))],
        (lambda o, t, p: (reducible(o, t, p)[0], np.sqrt(abs(o.sum()))), "✗ the error is that of weighted events"),
        (lambda o, t, p: (o.sum() / 2 - p, reducible(o, t, p)[1]), "hint: each candidate is in the first sum twice"),
        (lambda o, t, p: reducible(o, t, 0.17), "✗ right for other arguments"),
    ),
    "11.5": Exercise(
        [expectation, lambda mu, t, p, h, b: [mu * (x + t * (y - x)) + z for x, y, z in zip(p, h, b, strict=True)]],
        (lambda mu, t, p, h, b: mu * (p - t * (h - p)) + b, "✗ signal moves in a straight line"),
        (lambda mu, t, p, h, b: mu * p * (h / p) ** t + b, "✗ signal moves in a straight line"),
        (lambda mu, t, p, h, b: mu * (p + np.clip(t, 0, 1) * (h - p)) + b, "✗ signal moves in a straight line"),
        (lambda mu, t, p, h, b: expectation(mu, t, p, h, b).sum(), "the sum of all"),
        (lambda mu, t, p, h, b: expectation(mu, -0.6, p, h, b), "✗ right for other arguments"),
    ),
    "11.7": Exercise(
        [18.43 / math.sqrt(10.3 + 0.3 * 10.3**2), 2.84, np.float32(2.843)],
        (4.43, "this is the published number"),
        (18.43, "the number of signal events"),
        (5.74, "the uncertainty of the background is left out"),
        (4.14, "0.3 is squared"),
        (1.0, ""),
    ),
    "11.8": Exercise(
        [review],
        (lambda w, pt: (1 + review(w, pt)[0], *review(w, pt)[1:]), "this is the ratio"),
        (lambda w, pt: (*review(w, pt)[:2], len(w)), "these are raw events"),
    ),
}

test_right, test_forms, test_wrong, test_open, test_absurd = make_tests(EXERCISES)
