"""A cut on the score, and what it does to the mass of the background that passes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from course.interactive import frame
from labcourse import metrics, plotting, weights
from labcourse.plotting import style

EDGES = np.arange(80.0, 251.0, 5.0)
"""Of the bins, in GeV: the window of the chapter begins and ends at one."""


def sculpting(
    mass: ArrayLike,
    scores: Mapping[str, ArrayLike],
    label: ArrayLike,
    weight: ArrayLike,
    *,
    groups: ArrayLike,
    window: tuple[float, float],
) -> frame.Panel:
    """Move the share of the signal that a cut keeps, choose a network, and see the mass of what passes.

    Parameters
    ----------
    mass, label, weight : array_like, shape (n_events,)
        Four-lepton mass in GeV, 1 for signal and 0 for background, expected events.
    scores : mapping of name to array_like of shape (n_events,)
        Scores of the networks that can be chosen.
    groups : array_like, shape (n_events,)
        The sample of each event, as for `weights.one_more`.
    window : (float, float)
        Masses in GeV between which the background is counted.
    """
    mass, weight, is_signal = np.asarray(mass), np.asarray(weight, dtype=np.float64), np.asarray(label) == 1
    kept = {name: _signal_above(np.asarray(score), is_signal, weight) for name, score in scores.items()}
    unseen = weights.one_more(weight[~is_signal], np.asarray(groups)[~is_signal])
    slider = frame.slider("share of the signal kept [%]", 5, 100, 90)
    choice = frame.control("Dropdown", "network", options=list(scores), value=next(iter(scores)))

    with plotting.use_style():
        fig, ax = plotting.new_figure()
        inside = (mass >= window[0]) & (mass < window[1])
        ax.axvspan(*window, color="#E69F00", alpha=0.2, linewidth=0, label=f"{window[0]:g} to {window[1]:g} GeV")
        whole = _shape(mass, weight, ~is_signal)
        ax.stairs(whole, EDGES, color=style.GREY, linestyle=":", linewidth=1.6, label="background, no cut")
        looks: dict[str, Any] = {"fill": True, "facecolor": "none", "linewidth": 1.5}
        passing = ax.stairs(
            whole,
            EDGES,
            edgecolor=style.BACKGROUND,
            hatch=style.BACKGROUND_HATCH,
            label="background above the cut",
            **looks,
        )
        ax.set(xlabel=plotting.axis_title("m_llll"), ylabel="share of the background / 5 GeV")
        ax.set(xlim=(EDGES[0], EDGES[-1]), ylim=(0, 0.8))
        fig.legend(loc="outside upper center", ncols=3)
        style.stamp(ax, luminosity=None)

    def update(network: str, share: int) -> frame.Readout:
        above = kept[network] < share / 100 - 1e-9  # rounding
        passing.set_data(_shape(mass, weight, above & ~is_signal))
        s, b = weight[above & is_signal].sum(), weight[above & ~is_signal].sum()
        error = np.hypot(np.sqrt(np.sum(weight[above & ~is_signal] ** 2)), unseen)
        before, after = (weight[part & inside & ~is_signal].sum() for part in (np.ones_like(above), above))
        return {
            "network": network,
            "expected signal": f"{s:.1f} events",
            "expected background": style.with_error(b, error, "events"),
            "background in the window": f"{after / b:.0%} (no cut: {before / weight[~is_signal].sum():.0%})",
            "simulated background is worth": frame.worth((max(b, 0.0) / error) ** 2),
        }

    return frame.Panel(
        "sculpting",
        fig,
        [passing],
        {"network": choice, "share": slider},
        update,
        alt="Four-lepton mass of the background, normalised to one: dotted without a cut, hatched above a cut on the "
        "score of a network. The tighter the cut on a score that follows the mass, the more the background gathers in "
        "the marked window.",
    )


def _signal_above(score: Any, is_signal: Any, weight: Any) -> Any:
    """Return for each event the share of the signal with a higher score, shape (n_events,)."""
    order = np.argsort(-score, kind="stable")
    share = np.empty(len(score))
    of_signal = (weight * is_signal)[order]
    share[order] = np.maximum.accumulate(np.cumsum(of_signal) - of_signal) / weight[is_signal].sum()
    return share


def _shape(mass: Any, weight: Any, mask: Any) -> Any:
    """Return the histogram of the mass of the events in a mask, as shares of all of them."""
    content = metrics.histogram(mass[mask], weight[mask], EDGES).content
    return np.maximum(content, 0) / max(weight[mask].sum(), 1e-12)
