"""Exercises 4.6 to 4.8: losses with errors, and a test of whether two samples have the same shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from course.checks.report import Report, exercise

__all__ = ["exercise_4_6", "exercise_4_7", "exercise_4_8"]


def _losses(y: Any, score: Any, log: Any = np.log, *, background: bool = True) -> Any:
    score = np.clip(np.asarray(score, np.float64), 1e-7, 1 - 1e-7)
    return -np.where(np.asarray(y) == 1, log(score), log(1 - score) * background)


def _loss_and_error(y: Any, score: Any) -> tuple[float, float]:
    """The course's own answer to exercise 4.6."""
    losses = _losses(y, score)
    return float(losses.mean()), float(losses.std() / np.sqrt(len(losses)))


@exercise("4.6", fallback=_loss_and_error)
def exercise_4_6(answer: Any, report: Report) -> None:
    """The mean cross-entropy and its statistical error."""
    rng = np.random.default_rng(46)
    y = (rng.random(50) < 0.4).astype(np.float32)
    score = rng.uniform(0.05, 0.95, 50).astype(np.float32)
    given = y, score
    loss, error = _loss_and_error(*given)
    losses, spread = _losses(*given), error * np.sqrt(50)
    pair = report.parts(answer(*given), "loss, error")
    if pair is None:
        return
    value, uncertainty = pair
    natural = "use the natural one, np.log"
    found = [
        report.recognises(
            value,
            (losses, "there is one number per event", "take the mean over the events"),
            (losses.sum(), "the losses are added up", "take the mean"),
            (-loss, "the sign is missing", "a logarithm of a probability is negative"),
            (lambda y, score: _losses(y, score, np.log10).mean(), "the logarithm has base 10", natural),
            (lambda y, score: _losses(y, score, np.log2).mean(), "the logarithm has base 2", natural),
            (
                lambda y, score: _losses(y, score, background=False).mean(),
                "only signal events count",
                "background events contribute -log(1 - score)",
            ),
            (lambda y, score: _losses(1 - y, score).mean(), "the labels are swapped", "log(score) belongs to y = 1"),
            (error, "the order is another one", "return loss, error"),
            given=given,
            right=loss,
        ),
        report.recognises(
            uncertainty,
            (spread, "this is the spread of single events", "the error of a mean is the spread divided by √n"),
            (spread**2, "this is a variance", "take the root, and divide by √n"),
            (error**2, "this is the square of the error", "take the root"),
            (spread / 50, "the spread is divided by n", "the error of a mean falls with √n"),
            (loss / np.sqrt(50), "the loss itself is divided by √n", "take the standard deviation of the losses"),
            (1 / np.sqrt(50), "this is 1/√n", "multiply it by the standard deviation of the losses"),
            right=error,
        ),
    ]
    if any(found):
        return
    formula = "-y log(score) - (1-y) log(1-score)"
    if not report.close(value, loss, "the mean cross-entropy", relative=1e-3, hint=formula):
        return
    # n and n − 1 in the denominator of the standard deviation are both in use.
    report.close(uncertainty, error, "its error, the spread divided by √n", relative=0.015, hint="std / √n")

    more = (rng.random(200) < 0.5).astype(np.float32), rng.uniform(0.001, 0.999, 200).astype(np.float32)
    more[1][:3] = np.abs(more[0][:3] - 0.99999)
    hint = "clip scores to 1e-7 … 1 − 1e-7 and not further in, and take all events that are given"
    report.agrees(answer, _loss_and_error, more, hint=hint, relative=0.005)
    ends = np.array([1.0, 0.0, 1.0]), np.array([0.0, 1.0, 1.0])
    report.also(
        lambda: 4 < answer(*ends)[0] < 50 and np.isfinite(answer(*ends)).all(),
        "finite for scores of exactly 0 and 1",
        hint="np.clip(score, 1e-7, 1 - 1e-7) before the logarithm, as Keras does",
    )


def _chi_square(
    values_a: Any,
    weight_a: Any,
    values_b: Any,
    weight_b: Any,
    edges: Any,
    *,
    normalise: bool = True,
    scale_errors: bool = True,
    poisson: bool = False,
    errors: str = "quadrature",
    power: int = 2,
    bins: str = "filled",
) -> tuple[float, int]:
    """Compare two weighted histograms; the options are the variants that students write."""
    contents, variances = [], []
    for values, weight in ((values_a, weight_a), (values_b, weight_b)):
        weight = np.asarray(weight, np.float64)
        content, _ = np.histogram(values, edges, weights=weight)
        squares, _ = np.histogram(values, edges, weights=weight**2)
        total = content.sum() if normalise else 1.0
        contents.append(content / total)
        variances.append((np.abs(content) if poisson else squares) / (total**2 if scale_errors else 1.0))
    variance = {"quadrature": variances[0] + variances[1], "first": variances[0], "second": variances[1]}.get(
        errors, (np.sqrt(variances[0]) + np.sqrt(variances[1])) ** 2
    )
    filled = {
        "in both": np.minimum(*variances) > 0,
        "positive": np.maximum(*contents) > 0,
    }.get(bins, variance > 0)
    value = np.sum((contents[0] - contents[1])[filled] ** power / variance[filled] ** (power / 2))
    return float(value), int(filled.sum()) - 1


def _two_samples(values_a: Any, weight_a: Any, values_b: Any, weight_b: Any, edges: Any) -> tuple[float, int]:
    """The course's own answer to exercise 4.7."""
    return _chi_square(values_a, weight_a, values_b, weight_b, edges)


@exercise("4.7", fallback=_two_samples)
def exercise_4_7(answer: Any, report: Report) -> None:
    """The weighted two-sample test."""
    rng = np.random.default_rng(47)
    values_a, values_b = rng.beta(2, 3, 300), rng.beta(3, 3, 200)
    weight_a, weight_b = rng.exponential(2.0, 300), rng.exponential(0.3, 200)
    weight_a[::15] *= -1
    # One bin holds events of the second sample only, one a single event of the first, with a negative weight.
    values_a, weight_a = np.append(values_a, 3.5), np.append(weight_a, -1.5)
    values_b, weight_b = np.append(values_b, np.full(10, 1.5)), np.append(weight_b, np.full(10, 0.3))
    edges = np.append(np.linspace(0, 1, 6), [2.0, 3.0, 4.0, 5.0])
    given = (values_a, weight_a, values_b, weight_b, edges)
    right, ndf = _chi_square(*given)
    pair = report.parts(answer(*given), "chi2, ndf")
    if pair is None:
        return
    value, number = pair

    def variant(**options: Any) -> Any:
        return lambda *given: _chi_square(*given, **options)[0]

    if report.recognises(
        value,
        (np.nan, "χ² is not a number", "leave out bins in which both histograms are empty: there 0 is divided by 0"),
        (ndf, "the order is another one", "return chi2, ndf"),
        (variant(normalise=False), "the histograms are not normalised", "divide each by its sum first"),
        (variant(scale_errors=False), "the errors are not normalised", "σ scales as its histogram: divide it as well"),
        (variant(poisson=True), "errors are √content", "with weights, the squared error is Σw²"),
        (variant(errors="linear"), "the errors are added linearly", "add their squares"),
        (variant(errors="first"), "only the first histogram has errors", "both fluctuate"),
        (variant(errors="second"), "only the second histogram has errors", "both fluctuate"),
        (
            variant(bins="in both"),
            "a bin counts only where it is filled in both samples",
            "leave out a bin only if *both* are empty there",
        ),
        (
            variant(bins="positive"),
            "bins in which negative weights prevail are left out",
            "a bin is empty if there is no event in it: its Σw² is 0",
        ),
        (variant(power=1), "the differences are not squared", "differences of both signs must not cancel"),
        (
            lambda a, u, b, v, edges: _chi_square(a, np.ones(len(a)), b, np.ones(len(b)), edges)[0],
            "events are counted, not weighted",
            "np.histogram(values, edges, weights=weight)",
        ),
        (right / ndf, "χ² is divided by the degrees of freedom", "return both numbers by themselves"),
        (np.sqrt(right), "this is the root of χ²", "the squares are added, and stay squares"),
        given=given,
        right=right,
    ) or report.recognises(
        number,
        (ndf + 1, "one degree of freedom too many", "normalising fixes the sum: subtract 1"),
        (len(edges) - 2, "empty bins count as degrees of freedom", "count only the bins that are filled"),
        (len(edges) - 1, "empty bins count as degrees of freedom", "count only the bins that are filled, minus one"),
        (len(edges), "edges are counted, and not bins", "filled bins minus one"),
        (len(values_a) + len(values_b) - 1, "events are counted, and not bins", "filled bins minus one"),
        right=ndf,
    ):
        return
    report.close(value, right, "χ² follows the formula", relative=1e-3, hint="Σ (a − b)² / (σ_a² + σ_b²)")
    report.close(number, ndf, "the degrees of freedom", hint="filled bins minus one")
    other = values_b, weight_b, values_a, weight_a, np.append(np.linspace(0, 1, 9), 5.0)
    report.agrees(answer, _chi_square, other, hint="use the argument edges", relative=1e-3)


@exercise("4.8")
def exercise_4_8(answer: Any, report: Report, *, p_values: Mapping[str, float]) -> None:
    """The network that the test calls overtrained."""
    by_size = sorted(p_values, key=lambda name: p_values[name])
    report.name(
        answer,
        by_size,
        {by_size[0]},
        "for no other network is chance a worse explanation",
        (by_size[-1], "this one has the largest p-value", "a large p-value means: chance alone often does that"),
        (
            [name for name in by_size if p_values[name] > 0.05],
            "for this one chance is a good explanation",
            "a small p-value is suspicious: chance alone rarely does that",
        ),
        hint="a small p-value is suspicious",
    )
