"""Toy experiments in batches: how the share that reaches a count approaches the p-value."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

from course.interactive import frame
from labcourse import plotting, significance
from labcourse.errors import BadInput
from labcourse.plotting import style

BATCHES = 100
MOST = 50
"""The largest count that is told from larger ones."""


def toys(n: int, b: float, *, batch_size: int = 1000, seed: int = 7) -> frame.Panel:
    """Throw toy experiments with background only, batch by batch, and count how many reach a count.

    Sliders: the number of batches, the observed count, the expected background.

    Parameters
    ----------
    n : int
        Observed count, from 0 to 50.
    b : float
        Expected background, from 0.5 to 20 events.
    batch_size : int
        Toy experiments a batch; there are up to 100 batches.
    seed : int
        The same seed gives the same toys.

    Raises
    ------
    BadInput
        If a number is out of range.
    """
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or not 1 <= batch_size <= 10_000:
        raise BadInput(f"batch_size is {batch_size!r}.", where="interactive.toys", next_step="Use 1 to 10000.")
    controls = {
        "batches": frame.slider(f"batches of {batch_size} toy experiments", 1, BATCHES, 1),
        "n": frame.slider("observed count n [events]", 0, MOST, n),
        "b": frame.slider("expected background b [events]", 0.5, 20, b, step=0.5, form=".1f"),
    }
    with plotting.use_style():
        fig, (left, right) = plotting.new_figure(1, 2, width=7.6, height=3.6)
        edges = np.arange(MOST + 2) - 0.5
        steps = left.stairs(np.zeros(MOST + 1), edges, color=style.DARK, label="toy experiments")
        tail = left.stairs(
            np.zeros(MOST + 1),
            edges,
            baseline=1e-9,
            fill=True,
            facecolor="none",
            edgecolor=style.SIGNAL,
            hatch="///",
            label="count ≥ n",
        )
        exact = left.plot([], [], "o", color=style.BACKGROUND, markersize=4, label="Poisson")[0]
        left.set(
            yscale="log",
            ylim=(1e-6, 20),
            xlim=(-0.5, MOST + 0.5),
            xlabel="count [events]",
            ylabel="share of experiments",
        )
        left.legend(loc="upper right", fontsize=8.5)
        thrown = batch_size * np.arange(1, BATCHES + 1)
        share = right.plot([], [], color=style.SIGNAL, label="share with count ≥ n")[0]
        bars = right.plot([], [], color=style.SIGNAL, linewidth=1)[0]
        line = right.axhline(0.5, color=style.BACKGROUND, linestyle="--", label="Poisson p-value")
        right.set(xlabel="toy experiments", xlim=(0, thrown[-1] * 1.02), ylim=(0, 2), ylabel="share / Poisson p-value")
        right.legend(loc="upper right", fontsize=8.5)

    def update(batches: int, n: int, b: float) -> frame.Readout:
        counts = thrown_counts(b, batch_size, seed)
        content = counts[batches - 1] / thrown[batches - 1]
        reached = counts[:, n:].sum(axis=1)
        p, events = p_value(n, b), np.arange(MOST + 1)
        steps.set_data(np.maximum(content, 1e-9))
        tail.set_data(np.where(events >= n, np.maximum(content, 1e-9), 1e-9))
        exact.set_data(events, np.exp(special.xlogy(events, b) - b - special.gammaln(events + 1)))
        ratio = reached[:batches] / thrown[:batches] / p
        share.set_data(thrown[:batches], ratio)
        fraction, error = share_and_error(int(reached[batches - 1]), int(thrown[batches - 1]))
        bars.set_data([thrown[batches - 1]] * 2, [(fraction - error) / p, (fraction + error) / p])
        line.set_ydata([1, 1])
        return {
            "toy experiments": f"{thrown[batches - 1]}, of which {reached[batches - 1]} count {n} or more",
            "their share": _share(int(reached[batches - 1]), int(thrown[batches - 1])),
            "exact Poisson p-value": f"{p:.3g}",
            "significance Z of the exact p-value": _z(p),
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
    """Return how often each count 0 … 50 (the last: 50 or more) came in the first 1, 2, … batches, shape (100, 51).

    Batch k has a random generator of its own, so that it is the same whatever is thrown before.
    """
    batches = [
        np.bincount(np.minimum(np.random.default_rng([seed, k]).poisson(b, batch_size), MOST), minlength=MOST + 1)
        for k in range(BATCHES)
    ]
    return np.cumsum(batches, axis=0)


def p_value(n: int, b: float) -> float:
    """Return the probability of n events or more where b are expected: the incomplete gamma function P(n, b).

    Examples
    --------
    >>> round(p_value(18, 9.0), 5)
    0.00532
    >>> p_value(0, 9.0)
    1.0
    """
    return float(special.gammainc(n, b)) if n > 0 else 1.0


def share_and_error(reached: int, thrown: int) -> tuple[float, float]:
    """Return the share of experiments that reached the count and its binomial error, √(p(1−p)/N)."""
    share = reached / thrown
    return share, float(np.sqrt(share * (1 - share) / thrown))


def _share(reached: int, thrown: int) -> str:
    if not reached:
        # (1 − p)^N = 0.05: with a larger p, none in N would come in fewer than 5 of 100 cases.
        return f"0, so p is below {1 - 0.05 ** (1 / thrown):.2g} at 95 % confidence"
    share, error = share_and_error(reached, thrown)
    return f"{share:.5f} ± {error:.5f}"


def _z(p: float) -> str:
    z = significance.z_value(p)
    return f"{z:.2f}".replace("-", "−") if np.isfinite(z) else "none: every experiment counts at least 0"
