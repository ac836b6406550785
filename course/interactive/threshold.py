"""A threshold on two Gaussians: what it keeps and loses of both, as a confusion matrix, and how pure the rest is."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

from course.interactive import frame
from labcourse import plotting
from labcourse.plotting import style

REACH = 6.0
"""The axis goes from minus to plus this."""


def threshold() -> frame.Panel:
    """Move a threshold between two Gaussians of width 1, their distance, and the share of signal among all events.

    Events above the threshold are kept. The numbers are those of 10,000 events, as they are expected.
    """
    x = np.linspace(-REACH, REACH, 481)
    n_events = 10_000
    with plotting.use_style():
        fig, (densities, right) = plotting.new_figure(1, 2, width=8, height=3.6)
        curves = [
            densities.plot(x, 0 * x, color=color, linestyle=dashes, label=name)[0]
            for color, dashes, name in ((style.BACKGROUND, "-", "background"), (style.SIGNAL, "--", "signal"))
        ]
        line = densities.axvline(0, color=style.DARK, linewidth=1.5)
        lost = densities.axvspan(-REACH, 0, color="white", alpha=0.75, linewidth=0, zorder=3)
        densities.set(xlabel="x", ylabel="density, each class by itself", xlim=(-REACH, REACH), ylim=(0, 0.5))
        densities.legend(loc="upper right")
        looks = (
            (style.SIGNAL, "--", "signal efficiency"),
            (style.BACKGROUND, "-", "background efficiency"),
            (style.DARK, ":", "purity"),
        )
        shares = [
            right.plot([], [], color=color, linestyle=dashes, linewidth=2, label=name)[0]
            for color, dashes, name in looks
        ]
        mark = right.axvline(0, color=style.DARK, linewidth=1.5)
        right.set(xlim=(-REACH, REACH), ylim=(0, 1.35), xlabel="threshold", ylabel="share")
        right.legend(loc="upper right", fontsize=8.5)

    def kept_of(threshold: Any, distance: float, share: float) -> tuple[Any, Any, Any]:
        e_s, e_b = stats.norm.sf(threshold - distance / 2), stats.norm.sf(threshold + distance / 2)
        return e_s, e_b, share * e_s / (share * e_s + (1 - share) * e_b)

    def update(threshold: float, distance: float, share: float) -> frame.Readout:
        for artist, mean in zip(curves, (-distance / 2, distance / 2), strict=True):
            artist.set_ydata(stats.norm.pdf(x, mean))
        for artist, values in zip(shares, kept_of(x, distance, share), strict=True):
            artist.set_data(x, values)
        for artist in (line, mark):
            artist.set_xdata([threshold] * 2)
        lost.set_width(threshold + REACH)
        e_s, e_b, purity = kept_of(threshold, distance, share)
        s, b = share * n_events, (1 - share) * n_events
        return {
            "signal kept (true positive)": f"{s * e_s:.0f}",
            "signal rejected (false negative)": f"{s * (1 - e_s):.0f}",
            "background kept (false positive)": f"{b * e_b:.0f}",
            "background rejected (true negative)": f"{b * (1 - e_b):.0f}",
            "signal efficiency (recall)": f"{e_s:.3f}",
            "background efficiency": f"{e_b:.4f}",
            "purity (precision)": f"{purity:.3f}",
        }

    return frame.Panel(
        "threshold",
        fig,
        [*curves, line, lost, *shares, mark],
        {
            "threshold": frame.slider("threshold", -REACH, REACH, 0, step=0.05),
            "distance": frame.slider("distance of the means", 0, 5, 2.0, step=0.1),
            "share": frame.slider("share of signal", 0.001, 0.5, 0.024, step=0.001),
        },
        update,
        alt="Left, the densities of background and signal, two Gaussians, and a threshold; what lies below is pale."
        " Right, the efficiencies of both and the purity against the threshold.",
    )
