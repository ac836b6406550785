"""A cut on the score that one can move: what is left of signal and background, and how significant it is."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from course.interactive import frame
from labcourse import metrics, plotting, significance
from labcourse.errors import BadInput
from labcourse.plotting import style

STEPS = 200


def cut(
    score: ArrayLike,
    label: ArrayLike,
    weight: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    start: float = 0.5,
) -> frame.Panel:
    """Move a cut on the score, and see the yields above it, their purity and their significance.

    Parameters
    ----------
    score, label, weight : array_like, shape (n_events,)
        Score in [0, 1], label (1 signal, 0 background), weight in expected events.
    groups : array_like, shape (n_events,), optional
        The sample of each event, as for `significance.scan`.
    start : float
        Where the cut is at first.

    Raises
    ------
    BadInput
        As `significance.scan`; or if the start or a score lies outside [0, 1].
    """
    scores, labels, weights = np.asarray(score), np.asarray(label), np.asarray(weight, dtype=np.float64)
    cuts = np.linspace(0, 1, STEPS + 1)
    z = significance.scan(scores, labels, weights, cuts=cuts, groups=groups)
    simple = significance.scan(scores, labels, weights, cuts=cuts, measure=significance.simple).significance
    if scores.min() < 0 or scores.max() > 1:
        raise BadInput(
            f"The scores go from {scores.min():.3g} to {scores.max():.3g}, outside [0, 1].",
            where="interactive.cut",
            next_step="Pass what `training.predict` gives.",
        )
    slider = frame.slider("cut on the score", 0, 1, start, step=1 / STEPS)

    with plotting.use_style():
        fig, (above, below) = plotting.new_figure(2, 1, height=4.8, sharex=True)
        edges = np.linspace(0, 1, 41)
        for value, color, dashes, name in (
            (0, style.BACKGROUND, "-", "background"),
            (1, style.SIGNAL, "--", "signal"),
        ):
            content = metrics.histogram(scores[labels == value], weights[labels == value], edges).content
            above.stairs(np.where(content > 0, content, np.nan), edges, color=color, linestyle=dashes, label=name)
        above.set(yscale="log", ylabel="expected events / bin", xlim=(0, 1))
        top = above.get_ylim()[1]
        above.set_ylim(1e-5 * top, 6 * top)
        looks = ((z.significance, style.LINES[2], "Asimov Z"), (simple, style.LINES[1], r"$s/\sqrt{b}$"))
        dots = []
        for curve, line, name in looks:
            drawn = np.where(np.isfinite(curve), curve, np.nan)
            below.plot(cuts, drawn, color=line.color, linestyle=line.linestyle, label=name)
            fill = "full" if curve is z.significance else "none"  # often both lie at the same place
            size = 6 if fill == "full" else 11
            dots += below.plot([], [], line.marker, color=line.color, fillstyle=fill, markersize=size, zorder=5)
        known = np.isfinite(z.significance) & (z.effective_background >= significance.TRUSTED)
        highest = z.significance[known].max(initial=0.5)
        below.set(
            xlabel="cut on the score",
            ylabel="significance",
            ylim=(min(0, 2 * z.significance[known].min(initial=0)), 2 * highest),
        )
        fig.legend(loc="outside upper center", ncols=4)
        style.stamp(above)
        lines = [ax.axvline(start, color=style.DARK, linewidth=1.5, zorder=4) for ax in (above, below)]
        rejected = above.axvspan(0, start, color="white", alpha=0.75, linewidth=0, zorder=3)

    def update(cut: float) -> frame.Readout:
        i = int(np.argmin(np.abs(cuts - cut)))
        for line in lines:
            line.set_xdata([cuts[i]] * 2)
        rejected.set_width(cuts[i])
        for dot, curve in zip(dots, (z.significance, simple), strict=True):
            dot.set_data([cuts[i]], [curve[i]] if np.isfinite(curve[i]) else [np.nan])
        s, b, effective = z.signal[i], z.background[i], z.effective_background[i]
        warning = "" if effective >= significance.TRUSTED else f": fewer than {significance.TRUSTED:g}, do not trust it"
        return {
            "cut": f"score ≥ {cuts[i]:.3f}",
            "expected signal s": style.with_error(s, z.signal_error[i], "events"),
            "expected background b": style.with_error(b, z.background_error[i], "events"),
            "purity s/(s+b)": f"{s / (s + b):.3f}" if b >= 0 and s >= 0 and s + b > 0 else "not defined",
            "s/√b": _significance(simple[i], np.nan),
            "Asimov Z": _significance(z.significance[i], z.significance_error[i]),
            "simulated background is worth": f"{effective:.0f} events{warning}",
        }

    return frame.Panel(
        "cut",
        fig,
        [rejected, *lines, *dots],
        {"cut": slider},
        update,
        alt="Above, expected signal and background against the score of the network on a logarithmic axis; what the "
        "cut rejects is pale. Below, s over root b and the Asimov significance against the cut, with a marker at "
        "the cut.",
    )


def _significance(z: float, error: float) -> str:
    if np.isnan(z):
        return "not defined: the background weights add up to less than zero"
    if np.isinf(z):
        return "infinite: no background is left"
    return style.with_error(z, error) if error > 0 else f"{z:.3f}"
