"""The checks of the appendix: right answers in several idioms, and the mistakes that students make."""

import math
from collections import Counter

import numpy as np
import pandas as pd

from tests.course.answers import Exercise, make_tests, own


def share(p, d):
    return np.mean(np.argmax(p, axis=1) == d)


accuracy = own("10.2")


def accuracy_of_a_series(p, d):
    right = pd.DataFrame(p).idxmax(axis=1).eq(d).astype(float)
    return right.mean(), right.sem()


def confused_by_loop(digits, read):
    count = Counter(tuple(sorted((int(a), int(b)))) for a, b in zip(digits, read, strict=True) if a != b)
    return count.most_common(1)[0][0]


EXERCISES = {
    "10.1": Exercise(
        [np.log(10), 2.3, math.log(10), np.float32(2.3026)],
        (np.log(2), "two classes"),
        (-2.303, "the sign is lost"),
        (1.0, "base 10"),
        (3.32, "base 2"),
        (0.1, "the probability"),
        (10, ""),
        (2.35, ""),
    ),
    "10.2": Exercise(
        [accuracy, accuracy_of_a_series],
        (lambda p, d: (np.mean(p[np.arange(len(d)), d] > 0.35), accuracy(p, d)[1]), "✗ the most probable digit"),
        (lambda p, d: (share(p, d), np.std(np.argmax(p, axis=1)) / np.sqrt(len(d))), "✗ the error is that of a share"),
        (lambda p, d: (share(p, d), 0.5 / np.sqrt(len(d))), "✗ the error is that of a share"),
        (lambda p, d: (4 / 7, np.sqrt(12 / 49 / len(d))), "✗ 1 ± 0"),
        (lambda p, d: (share(p, d), np.sqrt(share(p, d) * (1 - share(p, d)) / 700)), "hint: use both arguments"),
        (lambda p, d: (np.mean(np.argmin(p, axis=1) == d), 0.01), ""),
    ),
    "10.3": Exercise(
        [own("10.3"), confused_by_loop],
        (lambda d, r: (3, 8), "✗ right for other arguments"),
        (lambda d, r: divmod(int(np.triu((c := np.histogram2d(d, r, range(11))[0]) * c.T, 1).argmax()), 10), ""),
        (lambda d, r: tuple(int(v) for v in np.sort(np.bincount(d[d != r]).argsort()[-2:])), ""),
        (lambda d, r: tuple(sorted(Counter(zip(d.tolist(), r.tolist(), strict=True)).most_common(3)[1][0])), ""),
    ),
}

test_right, test_forms, test_wrong, test_open, test_absurd = make_tests(EXERCISES)
