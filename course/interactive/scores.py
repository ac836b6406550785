"""A cut on the score that one can move, and the weight of the signal class, which moves the scores."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from course.interactive import frame
from labcourse import counting, metrics, plotting
from labcourse.plotting import style

STEPS = 200
LOWEST, HIGHEST = 0.01, 100.0


def cut(score: ArrayLike, label: ArrayLike, weight: ArrayLike, *, groups: ArrayLike | None = None) -> frame.Panel:
    """Move a cut on the score, and see the yields above it, their purity and their significance.

    Parameters
    ----------
    score, label, weight : array_like, shape (n_events,)
        Score in [0, 1], label (1 signal, 0 background), weight in expected events.
    groups : array_like, shape (n_events,), optional
        The sample of each event, as for `significance.scan`.
    """
    from labcourse import significance  # not at the top: chapters without a score need no scan

    cuts = np.linspace(0, 1, STEPS + 1)
    z = significance.scan(score, label, weight, cuts=cuts, groups=groups)
    simple = significance.simple(z.signal, z.background)
    slider = frame.slider("cut on the score", 0, 1, 0.5, step=1 / STEPS)

    with plotting.use_style():
        fig, (above, below) = plotting.new_figure(2, 1, height=4.8, sharex=True)
        edges = np.linspace(0, 1, 41)
        for value, color, dashes, name in (
            (0, style.BACKGROUND, "-", "background"),
            (1, style.SIGNAL, "--", "signal"),
        ):
            own = np.asarray(label) == value
            content = metrics.histogram(np.asarray(score)[own], np.asarray(weight)[own], edges).content
            above.stairs(np.where(content > 0, content, np.nan), edges, color=color, linestyle=dashes, label=name)
        above.set(yscale="log", ylabel="expected events / bin", xlim=(0, 1))
        top = above.get_ylim()[1]
        above.set_ylim(1e-5 * top, 6 * top)
        looks = (  # both markers often lie at the same place
            (z.significance, style.LINES[2], "Asimov Z", "full", 6),
            (simple, style.LINES[1], r"$s/\sqrt{b}$", "none", 11),
        )
        dots = []
        for curve, line, name, fill, size in looks:
            below.plot(cuts, curve, color=line.color, linestyle=line.linestyle, label=name)
            dots += below.plot([], [], line.marker, color=line.color, fillstyle=fill, markersize=size, zorder=5)
        band = z.significance - z.significance_error, z.significance + z.significance_error
        below.fill_between(cuts, *band, color=style.LINES[2].color, alpha=0.2, linewidth=0)
        known = np.isfinite(z.significance) & (z.effective_background >= counting.TRUSTED)
        below.set(xlabel="cut on the score", ylabel="significance")
        below.set_ylim(0, 2 * z.significance[known].max(initial=0.5))
        fig.legend(loc="outside upper center", ncols=4)
        style.stamp(above)
        lines = [ax.axvline(0.5, color=style.DARK, linewidth=1.5, zorder=4) for ax in (above, below)]
        rejected = above.axvspan(0, 0.5, color="white", alpha=0.75, linewidth=0, zorder=3)

    def update(cut: float) -> frame.Readout:
        i = int(np.argmin(np.abs(cuts - cut)))
        for line in lines:
            line.set_xdata([cuts[i]] * 2)
        rejected.set_width(cuts[i])
        for dot, curve in zip(dots, (z.significance, simple), strict=True):
            dot.set_data([cuts[i]], [curve[i]])
        s, b = z.signal[i], z.background[i]
        return {
            "cut": f"score ≥ {cuts[i]:.3f}",
            "expected signal s": style.with_error(s, z.signal_error[i], "events"),
            "expected background b": style.with_error(b, z.background_error[i], "events"),
            "purity s/(s+b)": f"{s / (s + b):.3f}" if b >= 0 and s >= 0 and s + b > 0 else "not defined",
            "s/√b": _significance(simple[i], np.nan),
            "Asimov Z": _significance(z.significance[i], z.significance_error[i]),
            "simulated background is worth": frame.worth(z.effective_background[i]),
        }

    return frame.Panel(
        "cut",
        fig,
        [rejected, *lines, *dots],
        {"cut": slider},
        update,
        alt="Above, expected signal and background against the score of the network on a logarithmic axis; what the "
        "cut rejects is pale. Below, s over root b and the Asimov significance, this with a band of its error, "
        "against the cut, with a marker at the cut.",
    )


def class_weight(score: ArrayLike, label: ArrayLike, weight: ArrayLike) -> frame.Panel:
    """Move the weight of the signal class relative to the background's, and see the scores and yields follow.

    Parameters
    ----------
    score : array_like, shape (n_events,)
        In [0, 1], of a network that was trained with balanced weights: there the relative weight is one.
    label, weight : array_like, shape (n_events,)
        1 for signal and 0 for background; expected events.
    """
    from labcourse import significance

    edges = np.linspace(0, 1, 41)
    half = 20  # the edge at one half
    factors = np.geomspace(LOWEST, HIGHEST, 161)
    # With p = s/(s+b) the share of signal where an event lies, a signal counted k times makes it k·p/(k·p + 1 − p):
    # exact for the best possible score. An edge of the new score is one of the old, so no event is touched.
    cuts = (edges / (edges + factors[:, None] * (1 - edges))).ravel()
    found = significance.scan(score, label, weight, cuts=cuts)
    # Yields above each edge, their errors: shape (n_factors, n_edges). No score lies above the last edge, 1.
    background, signal = (values.reshape(-1, 41) for values in (found.background, found.signal))
    b_error, s_error = (values.reshape(-1, 41)[:, half] for values in (found.background_error, found.signal_error))
    b_total, s_total = float(background[0, 0]), float(signal[0, 0])
    background[:, -1] = signal[:, -1] = 0.0
    shapes = [-np.diff(above) / above[0, 0] for above in (background, signal)]
    s, b = signal[:, half], background[:, half]
    accuracy = (s + b_total - b) / (s_total + b_total)
    nature = s_total / b_total

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
        left.set(xlabel="score with this relative weight", xlim=(0, 1), ylim=(0, 1.35))
        left.set_ylabel("fraction of events / bin (highest = 1)")
        left.legend(loc="upper right")
        shares = {"accuracy": accuracy, "signal called signal": s / s_total, "background called signal": b / b_total}
        dots = []
        for (name, values), line in zip(shares.items(), style.LINES, strict=False):
            curves.plot(factors, values, color=line.color, linestyle=line.linestyle, label=name)
            dots += curves.plot([], [], line.marker, color=line.color, markeredgecolor="black", markersize=8, zorder=5)
        curves.axvline(nature, color=style.GREY, linestyle=":", linewidth=1.2)
        box = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
        curves.annotate("nature", (nature, 1.03), color=style.GREY, fontsize=8.5, ha="center", bbox=box)
        curves.set(xscale="log", xlabel="relative weight of the signal class", ylim=(0, 1.45))
        curves.set_ylabel("share of expected events")
        curves.legend(loc="upper center", fontsize=8.5)
        style.stamp(left)
        curves.set_title("cut at score 0.5", loc="right")

    def update(factor: float) -> frame.Readout:
        i = int(np.argmin(np.abs(np.log(factors / factor))))
        highest = max(shape[i].max() for shape in shapes)
        for part, shape in zip(steps, shapes, strict=True):
            part.set_data(shape[i] / highest)
        for dot, values in zip(dots, shares.values(), strict=True):
            dot.set_data([factors[i]], [values[i]])
        return {
            "relative weight of signal": f"{factors[i]:.3g} (balanced: 1, nature: {nature:.3g})",
            "score ≥ 0.5 is the balanced score ≥": f"{1 / (1 + factors[i]):.3f}",
            "signal there": style.with_error(s[i], s_error[i], "events") + f" of {s_total:.1f}",
            "background there": style.with_error(b[i], b_error[i], "events") + f" of {b_total:.1f}",
            "accuracy (expected events)": f"{accuracy[i]:.4f}",
        }

    low, high = np.log10([LOWEST, HIGHEST])
    options = {"min": low, "max": high, "step": 0.025, "readout_format": ".3g"}
    slider = frame.control("FloatLogSlider", "relative weight of the signal class", value=1.0, **options)
    return frame.Panel(
        "class-weight",
        fig,
        [*steps, *dots],
        {"factor": slider},
        update,
        alt="Left, distribution of the score for signal and background, each scaled to the same area, with a"
        " dashed line at one half. Right, against the relative weight of the signal class on a logarithmic axis:"
        " accuracy, share of the signal and share of the background above one half, with markers at the chosen weight.",
    )


def _significance(z: float, error: float) -> str:
    if np.isnan(z):
        return "not defined: the background weights add up to less than zero"
    if np.isinf(z):
        return "infinite: no background is left"
    return style.with_error(z, error) if error > 0 else f"{z:.3f}"
