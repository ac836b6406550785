"""Toy experiments in batches: how the share that reaches a count approaches the p-value."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from course.interactive import frame
from labcourse import plotting
from labcourse.plotting import style

BATCHES = 100
MOST = 40
"""The largest count that is told from larger ones."""


def toys(n: int, b: float, *, batch_size: int = 1000, seed: int = 7) -> frame.Panel:
    """Throw toy experiments with background only, batch by batch, and count how many reach a count.

    Sliders: the number of batches, the observed count, the expected background.

    Parameters
    ----------
    n : int
        Observed count, from 0 to 40.
    b : float
        Expected background, from 0.5 to 20 events.
    batch_size : int
        Toy experiments per batch; there are up to 100 batches.
    seed : int
        The same seed gives the same toys.
    """
    controls = {
        "batches": frame.slider(f"batches of {batch_size} toy experiments", 1, BATCHES, 1),
        "n": frame.slider("observed count n [events]", 0, MOST, n),
        "b": frame.slider("expected background b [events]", 0.5, 20, b, step=0.5, form=".1f"),
    }
    events, thrown = np.arange(MOST + 1), batch_size * np.arange(1, BATCHES + 1)
    with plotting.use_style():
        fig, (left, right) = plotting.new_figure(1, 2, width=7.6, height=3.6)
        nothing, edges = np.zeros(MOST + 1), np.arange(MOST + 2) - 0.5
        steps = left.stairs(nothing, edges, color=style.DARK, label="toy experiments")
        hatched: dict[str, Any] = {"fill": True, "facecolor": "none", "edgecolor": style.SIGNAL, "hatch": "///"}
        tail = left.stairs(nothing, edges, baseline=1e-9, label="count ≥ n", **hatched)
        (exact,) = left.plot([], [], "o", color=style.BACKGROUND, markersize=4, label="Poisson")
        left.set(yscale="log", ylim=(1e-6, 5), xlim=(-0.5, MOST + 0.5))
        left.set(xlabel="count [events]", ylabel="share of experiments")
        left.legend(loc="upper right", fontsize=8.5)
        (share,) = right.plot([], [], color=style.SIGNAL, label="share with count ≥ n")
        (bars,) = right.plot([], [], color=style.SIGNAL, linewidth=1)
        line = right.axhline(1, color=style.BACKGROUND, linestyle="--", label="Poisson p-value")
        right.set(xlabel="toy experiments [thousands]", xlim=(0, thrown[-1] * 1.02e-3))
        right.set(ylabel="share / Poisson p-value", ylim=(0.5, 1.5))
        right.legend(loc="upper right", fontsize=8.5)

    def update(batches: int, n: int, b: float) -> frame.Readout:
        counts = thrown_counts(b, batch_size, seed)
        content = np.maximum(counts[batches - 1] / thrown[batches - 1], 1e-9)
        reached = counts[:batches, n:].sum(axis=1)
        p = float(special.gammainc(n, b))  # the sum of the Poisson probabilities of n events or more
        steps.set_data(content)
        tail.set_data(np.where(events >= n, content, 1e-9))
        exact.set_data(events, np.exp(special.xlogy(events, b) - b - special.gammaln(events + 1)))
        shares = reached / thrown[:batches]
        share.set_data(thrown[:batches] / 1000, shares / p)
        last, total = float(shares[-1]), int(thrown[batches - 1])
        error = np.sqrt(last * (1 - last) / total)
        bars.set_data([total / 1000] * 2, [(last - error) / p, (last + error) / p])
        z = float(-special.ndtri(p))
        return {
            "toy experiments": f"{total}, of which {reached[-1]} count {n} or more",
            # (1 − p)^N = 0.05: with a larger p, none in N would come in fewer than 5 of 100 cases.
            "their share": f"{last:.5f} ± {error:.5f}"
            if last
            else f"0, so p is below {1 - 0.05 ** (1 / total):.2g} at 95 % confidence",
            "exact Poisson p-value": f"{p:.3g}",
            "significance Z of the exact p-value": f"{z:.2f}"
            if np.isfinite(z)
            else "none: every experiment counts at least 0",
        }

    return frame.Panel(
        "toys",
        fig,
        [steps, tail, exact, share, bars, line],
        controls,
        update,
        play="batches",
        still={"batches": BATCHES},
        alt="Left, share of toy experiments against their count on a logarithmic axis, with the Poisson distribution "
        "as points; counts of n or more are hatched. Right, the share that reaches n, divided by the exact "
        "p-value, against the number of toy experiments: it settles at one.",
    )


@lru_cache(maxsize=8)
def thrown_counts(b: float, batch_size: int, seed: int) -> NDArray[np.int64]:
    """Return how often each count 0 … 40 (the last: 40 or more) came in the first 1, 2, … batches, shape (100, 41).

    Batch k has a random generator of its own, so that it is the same whatever is thrown before.
    """
    batches = [
        np.bincount(np.minimum(np.random.default_rng([seed, k]).poisson(b, batch_size), MOST), minlength=MOST + 1)
        for k in range(BATCHES)
    ]
    return np.cumsum(batches, axis=0)
