"""Checks of chapter 7, significance."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from course import workspaces
from course.checks.compare import as_number
from course.checks.progress import progress_folder
from course.checks.registry import course_answer
from course.checks.report import Report, exercise
from course.checks.tables import caught, follows, gives, hold, parts_follow, variants
from labcourse import significance
from labcourse.files import atomic_write

_p_and_z, _z_count, _best_cut, _combined, _twice_nll, _window = map(
    course_answer, ("7.1", "7.2", "7.3", "7.5", "7.6", "7.10")
)

Floats = NDArray[np.float64]


_UPPER, _DIGITS = "an excess is in the upper tail", "the digits are lost far out in the tail"
_MISTAKES_P = (
    (stats.poisson.sf, "this is the probability of more than n events", "n itself counts as well"),
    (stats.poisson.pmf, "this is the probability of exactly n events", "an excess is n *or more*: add up n, n + 1, …"),
    (stats.poisson.cdf, "this is the lower tail, n events or fewer", _UPPER),
    (
        lambda n, b: stats.norm.sf((n - b) / np.sqrt(b)),
        "this is a Gaussian",
        "it approximates many events only: counts follow scipy.stats.poisson",
    ),
    (lambda n, b: stats.poisson.sf(b - 1, n), "mean and count are swapped", "the mean of the distribution is b"),
)


_ISF = "the inverse of the area above is wanted: stats.norm.isf(p)"
_MISTAKES_Z = variants(
    "7.1",
    ("isf(p)", "isf(p / 2)", "Z is two-sided", "only an excess counts: do not halve p"),
    ("stats.norm.isf(p)", "(n - b) / np.sqrt(b)", "Z is the short cut (n − b)/√b", "translate p: stats.norm.isf(p)"),
    ("stats.norm.isf(p)", "np.abs(stats.norm.isf(p))", "a deficit counts as an excess", "for p above ½, Z < 0"),
    result=1,
)


@exercise("7.1")
def exercise_7_1(answer: Any, report: Report) -> None:
    """The Poisson p-value of a count, and its significance."""
    given = np.array([3, 9, 12, 18]), np.full(4, 9.0)
    p = _MISTAKES_P, "the p-value is that of n or more", "sf(n) leaves out n itself"
    z = _MISTAKES_Z, "Z has this p-value above it", _ISF
    parts_follow(report, answer, _p_and_z, given, "p, Z", p, z)
    far_out, use_sf = (60, 9.0), "1 - cdf rounds there: use sf, and isf(p) in place of ppf(1 - p)"
    lost = (1 - stats.poisson.cdf(59, 9.0), np.inf)
    report.recognises(answer(*far_out), (lost, _DIGITS, use_sf), right=_p_and_z(*far_out))
    tables = np.array([[4, 9, 8], [0, 12, 30]]), np.array([2.0, 9.0, 15.0])
    columns, one = "works for tables of counts, each column with its own mean", "one event or more: everything but none"
    gives(
        report,
        lambda n, b: answer(n, b)[0],
        ((0, 3.5), 1.0, "n = 0 or more is certain", "P(N ≥ 0) = 1"),
        ((1, 0.25), 1 - np.exp(-0.25), one, "P(N ≥ 1) = 1 − P(N = 0)"),
        (tables, _p_and_z(*tables)[0], columns, "sf knows arrays"),
    )
    gives(report, answer, (far_out, _p_and_z(*far_out), "stays precise far out in the tail", use_sf))


_MISTAKES_7_2 = variants(
    "7.2",
    ("np.sqrt(np.maximum(squared, 0))", "squared", "this is the square", "take the square root of 2 ln(…)"),
    ("2 * ", "", "the factor 2 is missing", "Z² = 2 ln (…): a Gaussian has e^(−Z²/2)"),
    (" - excess", "", "the term −(n − b) is missing", "e^(−ν) differs as well: e^(−n) against e^(−b)"),
    ("np.sign(excess) * ", "", "a deficit counts as an excess", "give Z the sign of n − b: np.sign"),
    (lambda n, b: (n - b) / np.sqrt(b), "this is the short cut (n − b)/√b", "put ν = n and ν = b into L"),
    (lambda n, b: _p_and_z(n, b)[1], "this is the Z of the p-value", "here it is defined by a ratio of likelihoods"),
)


@exercise("7.2", library=[significance.observed, significance.asimov])
def exercise_7_2(answer: Any, report: Report) -> None:
    """The significance of a count from the likelihood ratio."""
    given = np.array([3.0, 5.0, 19.0, 430.0]), np.array([9.0, 3.0, 10.0, 400.0])
    what, hint = "follows from L(n)/L(b), also for arrays", "ln L(ν) = n ln ν − ν − ln n!; the best ν is n"
    if not np.isfinite(np.asarray(answer(*given), dtype=float)).all():
        report.wrong("a negative number stands under the root", "2 (n ln(n/b) − (n − b)) is never negative")
    follows(report, answer, _z_count, given, _MISTAKES_7_2, what, hint)
    gives(
        report,
        answer,
        ((0, 4.0), -np.sqrt(8.0), "no event at all is a deficit of √(2b)", "special.xlogy(n, n / b) is 0 for n = 0"),
        ((9.0, 9.0), 0.0, "as many as expected: Z = 0", "both terms vanish"),
        ((1001.0, 1000.0), 1 / np.sqrt(1000), "becomes s/√b for a small signal", "compare term by term"),
        relative=1e-3,
    )


_AMONG = "take it from scan.cut[usable], or put -np.inf in the place of the others"
_EFFECTIVE = "what counts is how well the background is known: (b/σ_b)²"
_BARE = "brackets are missing: & comes before >=, and makes 0 or 1 of a number", "(… >= min_effective) & np.isfinite(…)"
_USABLE = "(effective >= min_effective) & np.isfinite(scan.significance)"
_NO_BRACKETS = _USABLE, "effective >= min_effective & np.isfinite(scan.significance)"
_BEST = "scan.cut[np.argmax(z)]"
_WORTH = "(scan.background / scan.background_error) ** 2"
_MISTAKES_7_3 = variants(
    "7.3",
    (*_NO_BRACKETS, *_BARE),
    ((_NO_BRACKETS, ("np.argmax", "np.nanargmax")), *_BARE),
    (_BEST, "np.argmax(z)", "this is the position of the cut", "return scan.cut at that position"),
    (_BEST, "z.max()", "this is the significance", "return the cut that belongs to it"),
    (_BEST, "scan.cut[np.argmax(z[usable])]", "the position is counted among the usable cuts", _AMONG),
    ("(effective >= min_effective) & ", "", "the cut with few heavy background events wins", _EFFECTIVE),
    (_WORTH, "scan.raw_background", "raw background events are counted", _EFFECTIVE),
    (_WORTH, "scan.background / scan.background_error", "the effective number is not squared", _EFFECTIVE),
    (
        " & np.isfinite(scan.significance)",
        "",
        "a NaN wins",
        "np.argmax takes NaN for the largest: put -np.inf in its place",
    ),
)


def _crafted_scan() -> significance.Scan:
    """A scan whose highest values are of cuts that must not win: too few events, NaN."""
    z = np.array([np.nan, 3.0, 0.5, 0.9, 1.4, np.nan, 2.0, 1.2, 2.5, 0.3, 3.5])
    background = np.array([4.0, 8.0, 100.0, 60.0, 40.0, 30.0, 20.0, 35.0, 50.0, 30.0, 5.0])
    error = np.array([3.0, 6.0, 5.0, 3.0, 5.0, 4.0, 10.0, 1.0, 29.0, 5.0, 10.0])
    cut = np.array([0.02, 0.1, 0.2, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.97])
    raw = np.array([10, 18, 3600, 3600, 576, 513, 36, 11025, 20, 400, 12])
    zeros = np.zeros(len(cut))
    return significance.Scan(cut, zeros, background, zeros, error, raw // 9, raw, z, zeros)


@exercise("7.3", library=[significance.best])
def exercise_7_3(answer: Any, report: Report) -> None:
    """The cut of highest significance whose background is known well enough."""
    scan = _crafted_scan()
    report.recognises(answer(scan), *_MISTAKES_7_3, given=(scan,), right=_best_cut(scan))
    empty = scan._replace(
        background=np.where(scan.cut < 0.15, 0.0, scan.background),
        background_error=np.where(scan.cut < 0.15, 0.0, scan.background_error),
        significance=np.where(scan.cut < 0.15, np.inf, scan.significance),
    )
    no_number = "0/0 is NaN, and a comparison with NaN is false; an infinite significance must not win either"
    gives(
        report,
        answer,
        ((scan,), 0.5, "of the cuts that are left the best wins", "mask, then np.argmax"),
        ((scan, 70), 0.8, "a stricter guard is obeyed", "use the argument min_effective"),
        ((scan, 4), 0.7, "exactly min_effective is enough", "use >=, and (b/σ_b)², and not the raw count"),
        ((empty,), 0.5, "a cut without any background does not win", no_number),
    )


_z = significance.asimov
_ADD_SQUARES = "ln of a product is a sum: the Z² of the bins add up"
_MISTAKES_7_5 = (
    (lambda s, b: _z(s, b).sum(axis=-1), "the significances are added", _ADD_SQUARES),
    (lambda s, b: _z(s.sum(axis=-1), b.sum(axis=-1)), "all bins are thrown together", _ADD_SQUARES),
    (lambda s, b: np.sqrt((s**2 / b).sum(axis=-1)), "the bins have s/√b", "where s is not small: z_count(s + b, b)"),
    (_z, "this is Z of each bin", "add up the squares"),
)


@exercise("7.5")
def exercise_7_5(answer: Any, report: Report) -> None:
    """The significance of a histogram."""
    given = np.array([0.5, 2.0, 5.0, 3.0]), np.array([40.0, 12.0, 6.0, 2.0])
    what = "the squares of the bins' significances add up"
    follows(report, answer, _combined, given, _MISTAKES_7_5, what, _ADD_SQUARES)
    tables = np.array([[1.0, 4.0, 0.2], [3.0, 0.0, 7.0]]), np.array([[10.0, 5.0, 90.0], [2.0, 30.0, 8.0]])
    gives(report, answer, (tables, _combined(*tables), "a table of histograms, one row each", "sum over axis=-1"))


_MISTAKES_7_6 = variants(
    "7.6",
    ("2 * ", "", "the factor 2 is missing", "−2 ln L"),
    ("2 * ", "-2 * ", "this is +2 ln L", "the best values shall lie at the lowest point: −2 ln L"),
    ("(expected - n", "(-n", "the term ν is missing", "the Poisson probability has e^(−ν)"),
    ("k * b", "b", "k is not used", "ν = μ s + k b"),
    ("mu * s + k * b", "k * (mu * s + b)", "k multiplies the signal, too", "ν = μ s + k b"),
    (
        (("mu * s + k * b", "mu * s.sum() + k * b.sum()"), ("n * np.log", "n.sum() * np.log")),
        "all bins are thrown together",
        "a product over bins: add up their logarithms",
    ),
)


def _from_one_place(function: Any) -> Callable[..., Any]:
    """Return the values at a few places less that at one of them: a constant drops out."""
    places = (1.0, 1.0), (0.0, 1.2), (2.5, 0.8), (-0.3, 1.1), (4.0, 1.6)

    def differences(*given: Any) -> Floats:
        values = np.array([float(function(mu, k, *given)) for mu, k in places])
        return values[1:] - values[0]

    return differences


@exercise("7.6")
def exercise_7_6(answer: Any, report: Report) -> None:
    """The likelihood of a histogram with a signal strength and a background that floats."""
    given = np.array([40.0, 9.0, 0.0, 5.5]), np.array([0.5, 1.0, 1.2, 1.5]), np.array([42.0, 7.0, 3.0, 2.0])
    if np.any(np.isinf(answer(1.0, 1.0, *given))):
        report.wrong("infinite for a count that is not whole", "stats.poisson knows whole counts only: n ln ν − ν")
    if np.ndim(answer(1.0, 1.0, *given)):
        report.wrong("the result has one entry per bin", "a product of probabilities is a sum of logarithms: np.sum")
    course, own = _from_one_place(_twice_nll), _from_one_place(answer)
    mistakes = [(_from_one_place(wrong), what, hint) for wrong, what, hint in _MISTAKES_7_6]
    what, hint = "falls and rises with μ and k as −2 ln L does", "ln P = n ln ν − ν − ln n! for each bin"
    follows(report, own, course, given, mistakes, what, hint)
    other = np.array([3.0, 8.0]), np.array([0.4, 2.0]), np.array([4.0, 5.5])
    report.agrees(own, course, other, hint="use all arguments")


_Q = "q(μ) = (μ − μ̂)²/σ²"
_LIMIT = float(stats.norm.isf(0.05))


@exercise("7.7")
def exercise_7_7(answer: Any, report: Report) -> None:
    """The rise of −2 ln L at the upper limit."""
    square, one_side = f"{_Q}: square the number of sigmas", "only a low μ̂ counts: 5 % on one side are 1.645 σ"
    report.reading(
        answer,
        _LIMIT**2,
        "the rise at the limit",
        (_LIMIT, "this is the number of sigmas", square),
        (float(stats.norm.isf(0.025)) ** 2, "5 % are divided between both sides", one_side),
        (_LIMIT**2 / 2, "this is the rise of −ln L", f"here it is −2 ln L: {_Q}"),
        (0.05, "this is a probability", "how many sigmas have 5 % above them? stats.norm.isf"),
        (1.0, "this is the rise at one sigma", one_side),
        (4.0, "this is the rise at two sigmas", one_side),
        relative=0.01,
        hint=square,
    )


def _anywhere(z: float, b: Any, measure: Callable[..., Any] = significance.observed) -> tuple[float, Floats]:
    """Return the exact probability that any window reaches z, and that of each."""
    counts = np.arange(1000)
    each = np.array([1 - stats.poisson.cdf(counts[measure(counts, own) >= z][0] - 1, own) for own in b])
    return float(1 - np.prod(1 - each)), each


@exercise("7.8")
def exercise_7_8(answer: Any, report: Report) -> None:
    """The share of background-only experiments in which any window reaches a significance."""
    b, z, near = np.repeat([2.0, 9.0], 3), 1.2, 0.015  # all mistakes lead to other numbers there
    exact, each = _anywhere(z, b)
    mistakes = (
        (1 - exact, "these are the experiments without it", "at least z: >="),
        (_anywhere(z, b, lambda n, own: _p_and_z(n, own)[1])[0], "this is the Z of the p-value", "take z_count"),
        (_anywhere(z, [b.sum()])[0], "all windows are added up to one", "the largest Z counts"),
        (each.mean(), "this is the share of windows", "any of the windows: the largest counts"),
        (each.sum(), "these are windows per experiment", "two in one experiment count once: max"),
        (1 - stats.norm.cdf(z) ** len(b), "this is the formula for a Gaussian", "counts are whole numbers: throw toys"),
        (0.0, "all windows have to reach z", "any of them: max, and not min or all"),
    )
    own = as_number(answer(z, b, 20_000, np.random.default_rng(78)))
    if own is None:
        report.wrong("this is no number", "a share of experiments: np.mean of the ones in which it happens")
    caught(
        report,
        (own > 1, "this is more than one", "a share of experiments lies between 0 and 1: np.mean"),
        *((abs(own - wrong) < near, mistake, hint) for wrong, mistake, hint in mistakes),
    )

    def is_right_for(z: float, b: Floats) -> bool:
        return bool(abs(answer(z, b, 20_000, np.random.default_rng(1)) - _anywhere(z, b)[0]) < near)

    few, many, seven = np.array([9.0]), np.full(40, 15.0), np.random.default_rng(2)
    hold(
        report,
        (abs(own - exact) < near, "the share of experiments with any window at z or above", "z_count(…).max(axis=1)"),
        (
            lambda: is_right_for(1.0, few) and is_right_for(2.5, many) and is_right_for(-9.0, few),
            "right for one window and for forty",
            "use the arguments z and b",
        ),
        (
            lambda: answer(z, b, 7, seven) in np.arange(8) / 7,
            "throws as many experiments as asked for",
            "use the argument n_toys",
        ),
    )


def _told(prediction: Floats, plan: Mapping[str, Any]) -> str:
    """Note a prediction and its plan, and return what is to be said about it: noted, the same as noted, or changed."""
    content: dict[str, Any] = {"prediction": [float(f"{value:.6g}") for value in prediction], "plan": dict(plan)}
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    path, now = progress_folder() / "7" / "prediction.json", f"{datetime.now():%d %B %Y, %H:%M}"
    try:
        first = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        first = {**content, "sha256": digest, "time": now}
        if workspaces.notes_progress():
            with contextlib.suppress(OSError):
                text = json.dumps(first, indent=1)
                atomic_write(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))

    def said(count: float, scatter: float, z: float) -> str:
        return f"{count:.1f} ± {scatter:.1f} events, Z = {z:.2f}"

    what = f"{said(*prediction)} (SHA-256 {digest[:8]}…)"
    if first["sha256"] == digest:
        return f"locked: {what}" + f", since {first['time']}" * (first["time"] != now)
    changed_what = "the cut or the bins" if first["prediction"] == content["prediction"] else "the prediction"
    return (
        f"{changed_what} changed, now {what}. Locked on {first['time']} were {said(*first['prediction'])}. That is no "
        "crime: say in your report which of the two came before the data"
    )


@exercise("7.9")
def exercise_7_9(
    answer: Any, report: Report, *, s: float, b: float, b_error: float, z: float, plan: Mapping[str, Any]
) -> None:
    """The prediction before the data are opened: a count, its scatter, a significance; and a note of it."""
    parts = report.parts(answer, "count, standard deviation, significance", 3)
    fluctuates, uncertain = "the count itself fluctuates by √(s + b)", "simulated background: add σ_b in squares"
    report.reading(
        parts[0],
        s + b,
        "the count: signal and background",
        (b, "the signal is missing", "the standard model has a Higgs boson: both are counted"),
        (s, "this is the signal alone", "background above the cut is counted as well"),
        relative=min(0.04, s / (3 * b)),
        hint="s + b",
    )
    report.reading(
        parts[1],
        np.hypot(np.sqrt(s + b), b_error),
        "its standard deviation: data and simulation, in squares",
        (b_error, "this is the error of the simulation alone", fluctuates),
        (np.sqrt(s + b) + b_error, "the errors are added linearly", uncertain),
        (np.sqrt(s + b), "the error of the simulation is missing", uncertain),
        (s + b, "this is the square", "take the root"),
        (np.sqrt(s), "only the signal fluctuates", fluctuates),
        relative=0.02,
        hint=f"{fluctuates}; {uncertain}",
    )
    p, expected = float(stats.norm.sf(z)), as_number(parts[2])
    # With the background as known, as in section 7.4, or with its error: both are right.
    known = z, float(significance.asimov(s, b, b_error))
    report.reading(
        parts[2],
        z if expected is None else min(known, key=lambda right: abs(expected - right)),
        "the significance that is expected",
        (p, "this is a p-value", "Z is asked for"),
        (s / b, "this is s/b", "the significance of s + b counted events: z_count"),
        relative=0.06,
        hint="z_count(s + b, b), printed in section 7.4",
    )
    report.holds(True, _told(np.array([float(value) for value in parts]), plan))


_EQUATIONS = "one equation per region: Σ k_j · regions[i, j] = counts[i], solved by np.linalg.solve(regions, counts)"
_MISTAKES_WINDOW = (
    (lambda r, n, w: w.sum(), "the data do not enter", _EQUATIONS),
    (lambda r, n, w: w.sum() * n.sum() / r.sum(), "both kinds have one common factor", _EQUATIONS),
    (lambda r, n, w: w @ (n / r.sum(axis=1)), "each region has a factor", f"each *kind* has one. {_EQUATIONS}"),
    (lambda r, n, w: w @ (n / np.diag(r)), "each region is taken for pure", f"both kinds are in both. {_EQUATIONS}"),
    (lambda r, n, w: w @ np.linalg.solve(r.T, n), "rows and columns are swapped", "rows are regions, columns kinds"),
    (lambda r, n, w: np.linalg.solve(r, n).sum(), "this is the sum of the factors", "each times its kind's yield"),
)
_EACH = "b = Σ c_i n_i has the variance Σ c_i² n_i"
_MISTAKES_SIGMA = (
    (lambda r, n, w: np.sqrt(_window(r, n, w)[0]), "the error is the root of the estimate", _EACH),
    (lambda r, n, w: np.sum(np.abs(np.linalg.solve(r.T, w)) * np.sqrt(n)), "the errors are added linearly", _EACH),
)


@exercise("7.10")
def exercise_7_10(answer: Any, report: Report) -> None:
    """The background of a window from two control regions."""
    given = np.array([[220.0, 50.0], [30.0, 45.0]]), np.array([280.0, 96.0]), np.array([6.0, 14.0])
    b = _MISTAKES_WINDOW, "each kind has the factor that both regions ask for", _EQUATIONS
    sigma = _MISTAKES_SIGMA, "its error is that of the two counts", _EACH
    parts_follow(report, answer, _window, given, "b, sigma", b, sigma)
    other = np.array([[10.0, 90.0], [70.0, 20.0]]), np.array([130.0, 80.0]), np.array([25.0, 3.0])
    three = np.array([[50.0, 3, 8], [4, 60, 1], [9, 2, 30.0]]), np.array([70.0, 50, 44]), np.array([5.0, 6, 7])
    report.agrees(answer, _window, other, three, hint="use all arguments; np.linalg.solve takes any number of regions")
