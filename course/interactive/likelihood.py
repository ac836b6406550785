"""A count above a cut and one in a control region: what both say about the signal μ and the background's size k."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from course.interactive import frame
from labcourse import plotting
from labcourse.plotting import style

MU = np.linspace(-10, 16, 261)
K = np.linspace(0.4, 1.8, 141)
ONE, LIMIT = 1.0, float(stats.norm.isf(0.05) ** 2)
"""The rise of −2 ln L at one standard deviation, and at a one-sided limit of 95 %."""


def twice_nll(n: float, m: float, above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return −2 ln L of the counts ``n`` and ``m`` for these expectations; infinite where one is not positive."""
    impossible = np.minimum(above, below) <= 0
    above, below = np.where(impossible, 1.0, above), np.where(impossible, 1.0, below)
    value = 2 * (above - special.xlogy(n, above) + below - special.xlogy(m, below))
    return np.where(impossible, np.inf, value)


def best_k(n: float, m: float, signal: NDArray[np.float64], b: float, c: float) -> NDArray[np.float64]:
    """Return the k that is best with this much signal: b + c = n·b/(signal + k·b) + m/k is a quadratic equation."""
    linear = (b + c) * signal - (n + m) * b
    return np.asarray((-linear + np.sqrt(np.maximum(linear**2 + 4 * (b + c) * b * m * signal, 0))) / (2 * (b + c) * b))


def likelihood(n: int, s: float, b: float) -> frame.Panel:
    """Move a count, and the size and the content of a control region; see what they say about μ and k.

    Above the cut μ·s + k·b events are expected, in the control region k times what was simulated there.

    Parameters
    ----------
    n : int
        Count above the cut, from half of b to twice of it, to start with.
    s, b : float
        Expected signal and background above the cut, both positive.
    """
    controls = {
        "n": frame.slider("count above the cut [events]", round(b / 2), round(2 * b), n),
        "control": frame.slider("control region: simulated [events]", 20, 1000, 100, step=20, form=".0f"),
        "ratio": frame.slider("control region: data / simulated", 0.7, 1.3, 1.0, step=0.05, form=".2f"),
    }
    mu, k = np.meshgrid(MU, K)
    with plotting.use_style():
        fig, (plane, curves) = plotting.new_figure(1, 2, width=8, height=3.7)
        bands = plane.imshow(
            np.zeros(mu.shape),
            extent=(MU[0], MU[-1], K[0], K[-1]),
            origin="lower",
            aspect="auto",
            interpolation="nearest",
            cmap="Blues_r",
            vmin=0,
            vmax=8,
        )
        (ridge,) = plane.plot([], [], color=style.SIGNAL, label="best k for each µ")
        (best,) = plane.plot([], [], **style.STAR, label="best of both")
        plane.set(xlabel=r"signal strength $\mu$", ylabel="size of the background k", ylim=(K[0], K[-1]))
        plane.set(xlim=(MU[0], MU[-1]))
        plane.grid(visible=False)
        (profiled,) = curves.plot([], [], color=style.SIGNAL)
        (fixed,) = curves.plot([], [], "--", color=style.BACKGROUND, label="k of the best point")
        for rise, name in ((ONE, "one sigma of µ"), (LIMIT, "95 % limit")):
            curves.axhline(rise, color=style.GREY, linestyle=":", linewidth=1)
            curves.annotate(name, (MU[-1] - 0.5, rise + 0.08), color=style.GREY, ha="right", fontsize=8.5)
        curves.set(xlabel=r"signal strength $\mu$", ylabel=r"rise of $-2\,\ln L$", xlim=(MU[0], MU[-1]), ylim=(0, 6))
        fig.legend(loc="outside upper center", ncols=3)

    def update(n: int, control: float, ratio: float) -> frame.Readout:
        m = ratio * control
        k_hat, mu_hat = ratio, (n - ratio * b) / s
        lowest = twice_nll(n, m, np.asarray(mu_hat * s + k_hat * b), np.asarray(k_hat * control))
        q = twice_nll(n, m, mu * s + k * b, k * control) - lowest
        # Three shades: both together with 68 %, with 95 %, and beyond.
        bands.set_data(np.select([q < stats.chi2.ppf(0.683, 2), q < stats.chi2.ppf(0.954, 2)], [1.0, 5.0], 8.0))
        line = best_k(n, m, MU * s, b, control)
        ridge.set_data(MU, line)
        best.set_data([mu_hat], [k_hat])
        of_mu = twice_nll(n, m, MU * s + line * b, line * control) - lowest
        with_k = twice_nll(n, m, MU * s + k_hat * b, np.full(len(MU), k_hat * control)) - lowest
        profiled.set_data(MU, of_mu)
        fixed.set_data(MU, with_k)
        return {
            "best µ": f"{mu_hat:.2f}",
            "its error upwards, k floating": _reach(of_mu, mu_hat, ONE),
            "its error upwards, k fixed": _reach(with_k, mu_hat, ONE),
            "upper limit of µ at 95 %, k floating": _reach(of_mu, mu_hat, LIMIT, start=0.0),
        }

    return frame.Panel(
        "likelihood",
        fig,
        [bands, ridge, best, profiled, fixed],
        controls,
        update,
        alt="Left, the plane of signal strength and background size: a dark tilted ellipse of 68 per cent in a paler "
        "one of 95, the line of the best k for each signal strength, and a star at the best point. Right, the rise of "
        "minus two log likelihood along that line, and with k fixed, which is narrower.",
    )


def _reach(q: NDArray[np.float64], mu_hat: float, rise: float, *, start: float | None = None) -> str:
    """Return where the curve has risen by this much above the best value, measured from ``start`` or from there."""
    right = np.flatnonzero((mu_hat < MU) & np.isfinite(q))
    if not len(right) or q[right[-1]] < rise:
        return "beyond the figure"
    mu, values = np.append(mu_hat, MU[right]), np.append(0.0, q[right])
    return f"{np.interp(rise, values, mu) - (mu_hat if start is None else start):.2f}"
