"""The checks of chapter 7: right answers in several idioms, and the mistakes that students make."""

import math

import numpy as np
import pytest
from scipy import special, stats

from course.checks import progress
from labcourse import significance
from tests.course.answers import Exercise, make_tests, own, shown


def z_count(n, b):
    return np.sign(n - b) * np.sqrt(2 * (special.xlogy(n, n) - special.xlogy(n, b) - n + b).clip(0))


def p_and_z(n, b):
    p = stats.poisson.sf(n, b) + stats.poisson.pmf(n, b)
    return p, -stats.norm.ppf(p)


best_cut, combined, nll, two_factors = map(own, ("7.3", "7.5", "7.6", "7.10"))


def anywhere(z, b, n_toys, rng):
    found = 0
    for counts in rng.poisson(np.tile(b, (n_toys, 1))):
        found += np.any(z_count(counts, b) >= z)
    return found / n_toys


def toys(reduce, z, b, n_toys, rng):
    return reduce(z_count(rng.poisson(b, (n_toys, len(b))), b) >= z)


def anywhere_by_p(z, b, n_toys, rng):
    return np.mean(p_and_z(rng.poisson(b, (n_toys, len(b))), b)[1].max(axis=1) >= z)


def anywhere_in_sum(z, b, n_toys, rng):
    return np.mean(z_count(rng.poisson(b, (n_toys, len(b))).sum(axis=1), b.sum()) >= z)


S, B, ERROR = 6.6, 58.8, 3.9
Z = float(significance.asimov(S, B))
SCATTER = math.sqrt(S + B + ERROR**2)


def plan():
    return {"s": S, "b": B, "b_error": ERROR, "z": Z, "plan": {"cut": 0.68, "edges": [0.0, 0.5, 1.0]}}


EXERCISES = {
    "7.1": Exercise(
        [p_and_z, lambda n, b: (special.gammainc(n, b), -special.ndtri(special.gammainc(n, b)))],
        (lambda n, b: (stats.poisson.sf(n, b), stats.norm.isf(stats.poisson.sf(n, b))), "more than n events"),
        (lambda n, b: (p_and_z(n, np.ravel(b)[0])[0], p_and_z(n, b)[1]), "✗ works for tables of counts"),
    ),
    "7.2": Exercise(
        [z_count],
        (lambda n, b: np.sqrt(2 * (n * np.log(n / b) - n)), "a negative number stands under the root"),
        (lambda n, b: (n - b) / np.sqrt(n), "✗ follows from L(n)/L(b)"),
        (lambda n, b: 2 * (np.sqrt(n) - np.sqrt(b)), "✗ follows from L(n)/L(b)"),
        (lambda n, b: np.sign(n - b) * np.sqrt(2 * (n * np.log(n / b) - n + b)), "✗ no event at all"),
    ),
    "7.3": Exercise(
        [best_cut],
        (lambda scan, min_effective=25: 0.5, "✗ a stricter guard is obeyed"),
        (lambda scan, min_effective=25: best_cut(scan, max(min_effective, 25)), "✗ exactly min_effective"),
        (lambda scan, min_effective=25: round(best_cut(scan, min_effective)), ""),
    ),
    "7.5": Exercise(
        [combined, lambda s, b: (2 * ((s + b) * np.log1p(s / b) - s)).sum(axis=-1) ** 0.5],
        (lambda s, b: np.sqrt((significance.asimov(s, b) ** 2).sum()), "✗ a table of histograms"),
        (lambda s, b: combined(s, b) + 0.1, "✗ the squares of the bins"),
        (lambda s, b: combined(s[..., 1:], b[..., 1:]), "✗ the squares of the bins"),
    ),
    "7.6": Exercise(
        [nll, lambda mu, k, n, s, b: np.float64(nll(mu, k, n, s, b) + 1000)],
        (lambda mu, k, n, s, b: mu * s + k * b, "one entry per bin"),
        (lambda mu, k, n, s, b: -2 * stats.poisson.logpmf(n, mu * s + k * b).sum(), "a count that is not whole"),
        (lambda mu, k, n, s, b: 1.0, "✗ falls and rises"),
        (lambda mu, k, n, s, b: nll(mu, k, n[:3], s[:3], b[:3]), "✗ falls and rises"),
        (lambda mu, k, n, s, b: np.sum((n - mu * s - k * b) ** 2 / n.clip(1)), "✗ falls and rises"),
    ),
    "7.7": Exercise(
        [np.float64(2.706), stats.norm.isf(0.05) ** 2, np.float32(1.645**2)],
        (1.645, "the number of sigmas"),
        (3.84, "divided between both sides"),
        (1.35, "the rise of −ln L"),
        (4, "two sigmas"),
        (0.05, "a probability"),
        (1.0, "the rise at one sigma"),
        (2.0, "✗ the rise at the limit"),
        (-2.7, ""),
    ),
    "7.8": Exercise(
        [lambda *given: toys(lambda found: found.any(axis=1).mean(), *given), anywhere],
        (lambda *given: toys(np.mean, *given), "the share of windows"),
        (anywhere_by_p, "the Z of the p-value"),
        (anywhere_in_sum, "added up to one"),
        (lambda *given: toys(lambda found: ~found.any(axis=1), *given).mean(), "without it"),
        (lambda *given: toys(lambda found: found.sum(axis=1).mean(), *given), "windows per experiment"),
        (lambda *given: toys(lambda found: found.all(axis=1).mean(), *given), "all windows have to reach z"),
        (lambda *given: 1 - anywhere(*given), "without it"),
        (lambda *given: toys(lambda found: found.any(axis=1).sum(), *given), "more than one"),
        (lambda z, b, n_toys, rng: 1 - stats.norm.cdf(z) ** len(b), "the formula for a Gaussian"),
        (lambda z, b, n_toys, rng: anywhere(1.2, b, n_toys, rng), "✗ right for one window"),
        (lambda z, b, n_toys, rng: anywhere(z, b, 20_000, rng), "✗ throws as many"),
    ),
    "7.9": Exercise(
        [(S + B, SCATTER, Z), [65, 9, 0.85], (S + B, SCATTER, significance.asimov(S, B, ERROR))],
        ((B, SCATTER, Z), "the signal is missing"),
        ((S, SCATTER, Z), "the signal alone"),
        ((S + B, ERROR, Z), "the simulation alone"),
        ((S + B, math.sqrt(S + B), Z), "error of the simulation is missing"),
        ((S + B, SCATTER, S / B), "this is s/b"),
        ((90, 9, 0.85), "✗ the count"),
        ((65, 30, 0.85), "✗ its standard"),
        ((65, 9, 2.0), "✗ the significance"),
        context=plan,
    ),
    "7.10": Exercise(
        [two_factors],
        (lambda r, n, w: two_factors(r[:2, :2], n[:2], w[:2]), "✗ right for other"),
        (lambda r, n, w: (two_factors(r, n, w)[0], 3.0), "✗ its error"),
    ),
}

test_right, test_forms, test_wrong, test_open, test_absurd = make_tests(EXERCISES)


@pytest.fixture
def noted(tmp_path, monkeypatch):
    """Let checks note what they find, in a folder of this test's own."""
    monkeypatch.setenv("LABCOURSE_OUTPUTS", str(tmp_path))
    return progress.progress_folder() / "7" / "prediction.json"


def predict(count=65, **changes):
    return shown("7.9", (count, 9.0, 0.85), Exercise([], context=lambda: plan() | changes))[0]


def test_a_prediction_is_noted_once_and_a_change_is_said(noted):
    assert "locked: 65.0 ± 9.0 events" in predict()
    first = noted.read_text(encoding="utf-8")
    assert "locked: 65.0" in predict()
    assert noted.read_text(encoding="utf-8") == first, "the same prediction is no change"
    for printed, what in (
        (predict(66), "the prediction changed, now"),
        (predict(plan={"cut": 0.9, "edges": []}), "the cut or the bins changed, now"),
    ):
        assert what in printed
        assert "Locked on" in printed
        assert "65.0 ± 9.0 events" in printed
        assert "✗" not in printed, "nothing is forbidden"
    assert "changed" not in predict(), "who goes back to what was locked has changed nothing"
    assert noted.read_text(encoding="utf-8") == first, "what was locked first stays"


def test_a_wrong_prediction_is_not_noted(noted):
    assert "the signal is missing" in predict(B)
    assert not noted.exists()


def test_a_note_that_cannot_be_read_is_no_error(noted):
    noted.parent.mkdir(parents=True)
    noted.write_text("{", encoding="utf-8")
    assert "locked: 65.0" in predict()
