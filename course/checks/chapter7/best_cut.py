"""Exercise 7.7: the cut of highest significance, with a guard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from course.checks.compare import alike
from course.checks.report import Report, exercise
from labcourse import significance

__all__ = ["exercise_7_7"]

Floats = NDArray[np.float64]


def _best_cut(scan: significance.Scan, min_effective: float = 25) -> float:
    """The course's own answer to exercise 7.7."""
    return float(significance.best(scan, min_effective_background=min_effective).cut)


def _effective(scan: significance.Scan) -> Floats:
    return np.asarray((scan.background / scan.background_error) ** 2)


def _choice(
    *,
    worth: Callable[[Any], Any] = _effective,
    nan_wins: bool = False,
    give: Callable[[Any, Any, Any], Any] = lambda scan, z, usable: scan.cut[np.argmax(z)],
) -> Callable[[significance.Scan], Any]:
    """Return a choice of the best cut in one of the ways that students make it."""

    def choose(scan: significance.Scan) -> Any:
        usable = (worth(scan) >= 25) & (nan_wins | np.isfinite(scan.significance))
        return give(scan, np.where(usable, scan.significance, -np.inf), usable)

    return choose


def _crafted_scan() -> significance.Scan:
    """A scan whose highest values are of cuts that must not win: too few events, NaN."""
    z = np.array([3.0, 0.5, 0.9, 1.4, np.nan, 2.0, 1.2, 2.5, 0.3])
    background = np.array([8.0, 100.0, 60.0, 40.0, 30.0, 20.0, 35.0, 50.0, 30.0])
    error = np.array([6.0, 5.0, 3.0, 5.0, 4.0, 10.0, 1.0, 29.0, 5.0])
    cut = np.array([0.1, 0.2, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95])
    raw = np.array([18, 3600, 3600, 576, 513, 36, 11025, 20, 400])
    zeros = np.zeros(len(cut))
    return significance.Scan(cut, zeros, background, zeros, error, raw // 9, raw, z, zeros)


@exercise("7.7", fallback=_best_cut)
def exercise_7_7(answer: Any, report: Report) -> None:
    """The cut of highest significance whose background is known well enough."""
    scan = _crafted_scan()
    result = answer(scan)
    if np.ndim(result) != 0:
        report.wrong(f"returns {type(result).__name__} of shape {np.shape(result)}", "return one number, the cut")
        return
    if report.recognises(
        result,
        (
            _choice(give=lambda scan, z, usable: np.argmax(z)),
            "this is the position of the cut",
            "return scan.cut at that position",
        ),
        (
            _choice(give=lambda scan, z, usable: z.max()),
            "this is the significance",
            "return the cut that belongs to it",
        ),
        (
            _choice(give=lambda scan, z, usable: scan.cut[np.argmax(z[usable])]),
            "the position is counted among the usable cuts only",
            "take it from scan.cut[usable], or put -np.inf in the place of the others",
        ),
        (
            _choice(give=lambda scan, z, usable: np.argmax(z[usable])),
            "this is a position, counted among the usable cuts only",
            "return the cut itself: scan.cut[usable] at that position",
        ),
        (
            _choice(give=lambda scan, z, usable: scan.cut[usable][0]),
            "the first usable cut wins",
            "of those that are left, take the one of highest significance",
        ),
        (
            _choice(worth=lambda scan: scan.cut + np.inf),
            "the cut with few heavy background events wins",
            "leave out cuts with (b/σ_b)² < min_effective",
        ),
        (
            _choice(worth=lambda scan: scan.raw_background),
            "raw background events are counted",
            "a few of them may carry most of the weight: the effective number is (b/σ_b)²",
        ),
        (
            _choice(worth=lambda scan: scan.background),
            "the expected background is compared with min_effective",
            "what counts is how well it is known: the effective number is (b/σ_b)²",
        ),
        (
            _choice(worth=lambda scan: scan.background / scan.background_error),
            "the effective number is not squared",
            "25 events are a relative error of a fifth: (b/σ_b)²",
        ),
        (_choice(nan_wins=True), "a NaN wins", "np.argmax takes NaN for the largest: put -np.inf in its place"),
        (
            _choice(give=lambda scan, z, usable: scan.cut[usable][-1]),
            "the last usable cut wins",
            "of those that are left, take the one of highest significance",
        ),
        given=(scan,),
        right=_best_cut(scan),
    ):
        return
    report.holds(alike(result, 0.5), "of the cuts that are left the best wins", hint="mask, then np.argmax")
    report.also(
        lambda: alike(answer(scan, min_effective=70), 0.8),
        "a stricter guard is obeyed",
        hint="use the argument min_effective",
    )
    report.also(
        lambda: alike(answer(scan, min_effective=4), 0.7),
        "exactly min_effective is enough",
        hint="use >=, and (b/σ_b)², and not the raw count",
    )
    empty = scan._replace(
        background=np.where(scan.cut < 0.15, 0.0, scan.background),
        background_error=np.where(scan.cut < 0.15, 0.0, scan.background_error),
        significance=np.where(scan.cut < 0.15, np.inf, scan.significance),
    )
    report.also(
        lambda: alike(answer(empty), 0.5),
        "a cut without any background does not win",
        hint="0/0 is NaN, and a comparison with NaN is false; an infinite significance must not win either",
    )
