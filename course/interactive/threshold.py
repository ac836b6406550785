"""A threshold on two Gaussians: what it keeps and loses of both, as a confusion matrix, and how pure the rest is."""

from __future__ import annotations

import numpy as np
from scipy import stats

from course.interactive import frame
from labcourse import plotting
from labcourse.plotting import style

REACH = 6.0
"""The axis goes from minus to plus this."""


def threshold(*, distance: float = 2.0, start: float = 0.0, share: float = 0.024) -> frame.Panel:
    """Move a threshold between two Gaussians of width 1, their distance, and the share of signal among all events.

    Events above the threshold are kept. The numbers are those of 10,000 events, as they are expected.
    """
    x = np.linspace(-REACH, REACH, 481)
    n_events = 10_000
    with plotting.use_style():
        fig, (densities, roc) = plotting.new_figure(1, 2, width=8, height=3.6, width_ratios=(3, 2))
        curves = [
            densities.plot(x, 0 * x, color=color, linestyle=dashes, label=name)[0]
            for color, dashes, name in ((style.BACKGROUND, "-", "background"), (style.SIGNAL, "--", "signal"))
        ]
        line = densities.axvline(start, color=style.DARK, linewidth=1.5)
        lost = densities.axvspan(-REACH, start, color="white", alpha=0.75, linewidth=0, zorder=3)
        densities.set(xlabel="x", ylabel="density, each class by itself", xlim=(-REACH, REACH), ylim=(0, 0.5))
        densities.legend(loc="upper right")
        (curve,) = roc.plot([], [], color=style.DARK)
        (dot,) = roc.plot([], [], "o", color="#E69F00", markeredgecolor="black", markersize=8, zorder=5)
        roc.plot((0, 1), (0, 1), ":", color=style.GREY)
        roc.set(xlim=(0, 1), ylim=(0, 1), xlabel="background efficiency", ylabel="signal efficiency")

    def update(threshold: float, distance: float, share: float) -> frame.Readout:
        for artist, mean in zip(curves, (-distance / 2, distance / 2), strict=True):
            artist.set_ydata(stats.norm.pdf(x, mean))
        line.set_xdata([threshold] * 2)
        lost.set_width(threshold + REACH)
        e_s, e_b = stats.norm.sf(threshold - distance / 2), stats.norm.sf(threshold + distance / 2)
        curve.set_data(stats.norm.sf(x + distance / 2), stats.norm.sf(x - distance / 2))
        dot.set_data([e_b], [e_s])
        s, b = share * n_events, (1 - share) * n_events
        kept = s * e_s + b * e_b
        return {
            "signal kept (true positive)": f"{s * e_s:.0f}",
            "signal rejected (false negative)": f"{s * (1 - e_s):.0f}",
            "background kept (false positive)": f"{b * e_b:.0f}",
            "background rejected (true negative)": f"{b * (1 - e_b):.0f}",
            "signal efficiency (recall)": f"{e_s:.3f}",
            "background efficiency": f"{e_b:.4f}",
            "purity (precision)": f"{s * e_s / kept:.3f}" if kept > 0 else "not defined: nothing is kept",
        }

    return frame.Panel(
        "threshold",
        fig,
        [*curves, line, lost, curve, dot],
        {
            "threshold": frame.slider("threshold", -REACH, REACH, start, step=0.05),
            "distance": frame.slider("distance of the means", 0, 5, distance, step=0.1),
            "share": frame.slider("share of signal", 0.001, 0.5, share, step=0.001),
        },
        update,
        alt="Left, the densities of background and signal, two Gaussians, and a threshold; what lies below is pale."
        " Right, their ROC curve with a marker at the threshold.",
    )
