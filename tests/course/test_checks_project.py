"""The checks of the project: right answers in several idioms, and the mistakes that students make."""

import math

import numpy as np

from labcourse import significance as measures
from tests.course.answers import Exercise, make_tests, own


def significance(score, is_signal, weight, n, *, score_of=None, low=-np.inf):
    cuts = np.quantile(score[is_signal if score_of is None else score_of(is_signal)], np.linspace(0, 1, n + 1))
    cuts[[0, -1]] = low, np.inf
    s, b = (np.histogram(score[rows], cuts, weights=weight[rows])[0] for rows in (is_signal, ~is_signal))
    return np.sqrt((measures.asimov(s, b) ** 2).sum())


def draw_by_loop(m_true, masses, rng):
    drawn = np.array(m_true, dtype=float)
    for i in range(len(drawn)):
        if drawn[i] == 0:
            drawn[i] = masses[rng.integers(len(masses))]
    return drawn


def model(change=lambda modifier, process, region: modifier):
    """The right modifiers, each changed by a function, or left out where it gives None."""
    return lambda process, region, histogram: [
        changed
        for modifier in own("9.7")(process, region, histogram)
        if (changed := change(modifier, process, region)) is not None
    ]


def without(kind, *processes):
    return model(lambda m, process, _: None if m["type"] == kind and process in processes else m)


def renamed(old, new):
    return model(lambda m, process, region: {**m, "name": m["name"].replace(old, new.format(region=region))})


cls, interval = own("9.8"), own("9.9")


EXERCISES = {
    "9.1": Exercise(
        [own("9.1"), significance],
        (lambda *g: significance(*g, low=0.0), "✗ a score that is stretched"),
        (lambda x, s, w, n: significance(x, s, w, 4), "✗ right for other arguments"),
        (lambda *g: significance(*g, score_of=np.invert), ""),
    ),
    "9.2": Exercise(
        [
            lambda m, masses, rng: np.where(m > 0, m, rng.choice(masses, len(m))),
            draw_by_loop,
            lambda m, masses, rng: [x if x > 0 else rng.choice(masses) for x in m],
        ],
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
    "9.3": Exercise(
        [4, np.int64(4)],
        (2, "where it is better"),
        (5, "500 GeV is counted as well"),
        (6, "networks of the other masses"),
        (4 / 6, "this is a share"),
        (3, ""),
        context=lambda: {
            "points": {
                "network": np.array([1.0, 1, 1.4, 1, 1, 1, 3]),
                "m_zh": np.array([2.0, 2, 1.5, 2, 2, 0.5, 1]),
                "own": np.array([3.0, 3, 2, 3, 3, 3, 4]),
                "masses": np.array([300.0, 420, 500, 600, 700, 800, 900]),
            }
        },
    ),
    "9.4": Exercise(
        [lambda a, b: (a.value / b.value, (a.replicas / b.replicas).std())],
        (
            lambda a, b: (a.value / b.value, math.hypot(a.error / b.value, b.error * a.value / b.value**2)),
            "independent",
        ),
        (lambda a, b: (a.value / b.value, np.var(a.replicas / b.replicas)), "the square"),
    ),
    "9.5": Exercise(
        [own("9.5"), lambda p, k: k * p / (1 + (k - 1) * p)],
        (lambda p, k: (k * p / (1 - p)) / (1 + k * p / (1 - p)), "✗ scores of 0 and 1"),
        (lambda p, k: 3 * p / (1 + 2 * p), "✗ scores of 0 and 1"),
    ),
    "9.6": Exercise(
        [lambda m, ll, bb, f: np.sqrt(ll**2 + (f * bb) ** 2 + f * (m**2 - ll**2 - bb**2))],
        (lambda m, ll, bb, f: f * m, "leptons are scaled"),
        (lambda m, ll, bb, f: ll**2 + (f * bb) ** 2 + f * (m**2 - ll**2 - bb**2), "square of the mass"),
    ),
    "9.7": Exercise(
        [own("9.7")],
        (without("lumi", "signal"), "signal in the region signal: missing: lumi"),
        (without("staterror", "Zh"), "Zh in the region signal: missing: simulation_signal"),
        (renamed("norm_ttbar", "norm_Zjets"), "missing: norm_ttbar; not asked for: norm_Zjets"),
        (model(lambda m, *_: m | {"type": "scale"}), "of another type or with other data: b_tagging"),
        (model(lambda m, *_: m | {"data": np.array(m["data"])}), "✗ returns lists of modifiers"),
        (model(lambda m, *_: {"name": m["name"], "type": m["type"]}), "✗ returns lists of modifiers"),
    ),
    "9.8": Exercise(
        [cls],
        (lambda n, s, b: np.exp(-s), "✗ the ratio"),
        (lambda n, s, b: 1 - cls(n, s, b) if np.ndim(s) == 0 else cls(n, s, b), "✗ with n = 0"),
    ),
    "9.9": Exercise(
        [interval],
        (lambda m, z: (m[z.argmax()], *m[z**2 > max(z) ** 2 - 1][[0, -1]]), "a hill far away"),
        (lambda m, z: (m[z.argmax()], *m[z > max(z) - 1][[0, -1]]), ""),
    ),
    "9.10": Exercise(
        [
            lambda largest, z: (1 + np.sum(largest >= z)) / (1 + len(largest)),
            lambda largest, z: (1 + sum(1 for each in largest if each > z)) / (1 + len(largest)),
        ],
        (lambda largest, z: np.mean(largest >= z), "the ones are missing"),
        (lambda largest, z: (1 + np.sum(largest >= z)) / 61, "✗ right for other arguments"),
    ),
}

test_right, test_forms, test_wrong, test_open, test_absurd = make_tests(EXERCISES)
