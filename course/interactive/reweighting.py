"""The relative weight of the signal class: what it does to the scores, and to a cut at one half."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course.interactive import frame
from labcourse import plotting
from labcourse.errors import BadInput
from labcourse.plotting import style

LOWEST, HIGHEST = 0.01, 100.0


class Sums:
    """Sums of weights above any score, after one sort: ``weights`` may be negative and count as they are."""

    def __init__(self, score: NDArray[np.float64], weight: NDArray[np.float64]) -> None:
        order = np.argsort(score, kind="stable")
        self.score = score[order]
        self.below = np.append(0.0, np.cumsum(weight[order]))
        self.below_squared = np.append(0.0, np.cumsum(weight[order] ** 2))
        self.total = float(self.below[-1])

    def above(self, score: ArrayLike) -> NDArray[np.float64]:
        """Return the sums of weights of events with at least the given scores."""
        return self.total - self.below[np.searchsorted(self.score, score)]

    def error(self, score: float) -> float:
        """Return √Σw² of the events with at least the given score."""
        return float(np.sqrt(self.below_squared[-1] - self.below_squared[np.searchsorted(self.score, score)]))


def reweighted(score: ArrayLike, factor: float) -> NDArray[np.float64]:
    """Return the score after the signal class has got ``factor`` times the weight: its odds grow by that factor.

    If p = s/(s+b) is the share of signal where an event lies, then with signal counted ``factor`` times it is
    factor·s/(factor·s+b): exact for the best possible score, p = s/(s+b) everywhere.

    Examples
    --------
    >>> reweighted([0.5, 0.9], 1 / 9)
    array([0.1, 0.5])
    """
    p = np.asarray(score, dtype=np.float64)
    return factor * p / (factor * p + (1 - p))


def class_weight(score: ArrayLike, label: ArrayLike, weight: ArrayLike) -> frame.Panel:
    """Move the weight of the signal class relative to the background's, and see the scores and yields follow.

    Parameters
    ----------
    score : array_like, shape (n_events,)
        In [0, 1], of a network that was trained with balanced weights: there the relative weight is one.
    label, weight : array_like, shape (n_events,)
        1 for signal and 0 for background; expected events.

    Raises
    ------
    BadInput
        If shapes differ, a value is not finite or out of range, or the weights of a
        class do not add up to a positive number.
    """
    scores, labels, weights = _checked(score, label, weight)
    signal, background = (Sums(scores[labels == value], weights[labels == value]) for value in (1, 0))
    total = signal.total + background.total
    nature = signal.total / background.total
    edges = np.linspace(0, 1, 41)
    factors = np.geomspace(LOWEST, HIGHEST, 161)
    places = 1 / (1 + factors)  # where the balanced score has the reweighted score 0.5
    kept, passing = signal.above(places) / signal.total, background.above(places) / background.total
    right = (signal.above(places) + background.total - background.above(places)) / total

    with plotting.use_style():
        fig, (left, curves) = plotting.new_figure(1, 2, width=7.6, height=3.7)
        steps = []
        for color, hatch, name in (
            (style.BACKGROUND, style.BACKGROUND_HATCH, "background"),
            (style.SIGNAL, style.SIGNAL_HATCH, "signal"),
        ):
            looks = {"edgecolor": color, "hatch": hatch, "facecolor": "none", "label": name}
            steps.append(left.stairs(np.zeros(40), edges, fill=True, linewidth=1.5, **looks))
        left.axvline(0.5, color=style.DARK, linestyle="--", linewidth=1.2)
        left.set(
            xlabel="score with this relative weight",
            ylabel="fraction of events / bin (highest = 1)",
            xlim=(0, 1),
            ylim=(0, 1.35),
        )
        left.legend(loc="upper right")
        dots = []
        for values, line, name in (
            (right, style.LINES[0], "accuracy"),
            (kept, style.LINES[1], "signal called signal"),
            (passing, style.LINES[2], "background called signal"),
        ):
            curves.plot(factors, values, color=line.color, linestyle=line.linestyle, label=name)
            dots += curves.plot([], [], line.marker, color=line.color, markeredgecolor="black", markersize=8, zorder=5)
        curves.axvline(nature, color=style.GREY, linestyle=":", linewidth=1.2)
        box = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
        curves.annotate("nature", (nature, 1.03), color=style.GREY, fontsize=8.5, ha="center", bbox=box)
        curves.set(
            xscale="log",
            xlabel="relative weight of the signal class",
            ylabel="share of expected events",
            ylim=(0, 1.45),
        )
        curves.legend(loc="upper center", fontsize=8.5)
        style.stamp(left)
        curves.set_title("cut at score 0.5", loc="right")

    def update(factor: float) -> frame.Readout:
        place = 1 / (1 + factor)
        # An edge e of the new score is where the old one is e/(e + factor·(1−e)): no event is touched.
        old = reweighted(edges, 1 / factor)
        old[-1] = np.inf
        shapes = [-np.diff(sums.above(old)) / sums.total for sums in (background, signal)]
        for part, content in zip(steps, shapes, strict=True):
            part.set_data(content / np.max(shapes))
        s, b = float(signal.above(place)), float(background.above(place))
        accuracy = (s + background.total - b) / total
        for dot, value in zip(dots, (accuracy, s / signal.total, b / background.total), strict=True):
            dot.set_data([factor], [value])
        return {
            "relative weight of signal": f"{factor:.3g} (balanced: 1, nature: {nature:.3g})",
            "score ≥ 0.5 is the balanced score ≥": f"{place:.3f}",
            "signal there": style.with_error(s, signal.error(place), "events") + f" of {signal.total:.1f}",
            "background there": style.with_error(b, background.error(place), "events") + f" of {background.total:.1f}",
            "accuracy (expected events)": f"{accuracy:.4f}",
        }

    return frame.Panel(
        "class-weight",
        fig,
        [*steps, *dots],
        {"factor": frame.factor_slider("relative weight of the signal class", LOWEST, HIGHEST, 1.0)},
        update,
        alt="Left, distribution of the score for signal and background, each scaled to the same area, with a"
        " dashed line at one half. Right, against the relative weight of the signal class on a logarithmic axis:"
        " accuracy, share of the signal and share of the background above one half, with markers at the chosen weight.",
    )


def _checked(score: ArrayLike, label: ArrayLike, weight: ArrayLike) -> tuple[NDArray[np.float64], ...]:
    arrays = tuple(np.asarray(values, dtype=np.float64) for values in (score, label, weight))
    scores, labels, weights = arrays
    fits = scores.ndim == 1 and scores.shape == labels.shape == weights.shape
    if not (fits and all(np.isfinite(values).all() for values in arrays)):
        raise BadInput(
            "Expected one finite score, label and weight an event.",
            where=f"score {scores.shape}, label {labels.shape}, weight {weights.shape}",
            next_step="A prediction of shape (n, 1) becomes (n,) with .ravel().",
        )
    if ((scores < 0) | (scores > 1)).any() or not np.isin(labels, (0, 1)).all():
        raise BadInput("A score is outside [0, 1], or a label neither 0 nor 1.", where="interactive.class_weight")
    for value, name in ((1, "signal"), (0, "background")):
        if not weights[labels == value].sum() > 0:
            raise BadInput(
                f"The weights of the {name} do not add up to a positive number.",
                where="interactive.class_weight",
                next_step="Both classes are needed.",
            )
    return arrays
