"""A search for a particle of unknown mass: the bins of a score, and what they say about each mass and cross-section."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np

from course.interactive import frame
from labcourse import plotting
from labcourse.plotting import style

if TYPE_CHECKING:
    from matplotlib.patches import StepPatch

_LEAST = 0.01
"""Expected events per bin at the lower end of the axis."""
_REFERENCE = 0.05
"""The cross-section (pb) that the signal of the templates is for."""
_SHADES = ("#3B6FA0", "#6E9BC5", "#A3C1DE", "#D3E1EF")


def searching(
    templates_of: Callable[[float], Any],
    significance_of: Callable[[float, float], float],
    limits: Mapping[float, Sequence[float]],
    *,
    mass: float,
    cross_section: float,
) -> frame.Panel:
    """Move the mass of a particle and its cross-section; see the bins of the score, and what an experiment could say.

    Parameters
    ----------
    templates_of : callable
        Mass (GeV) → what has ``regions["signal"]``: for each process, ``"signal"`` among them, a histogram with
        ``expected`` events, shape (n_bins,), such as ``azh.Search.templates``. Called once per mass, when it is shown.
    significance_of : callable
        Mass (GeV) and cross-section (pb) → the expected significance of the discovery.
    limits : mapping
        Masses (GeV) → expected upper limits at 95 % (pb): −2σ, −1σ, median, +1σ, +2σ. The slider moves over its masses.
    mass, cross_section : float
        Where the sliders start; the cross-section between a fifth of the lowest limit and ten times the highest.
    """
    masses = sorted(limits)
    bands = np.array([limits[m] for m in masses], float)
    low, high = bands.min() / 5, bands.max() * 10
    of_name = {f"{m:g}": m for m in masses}
    options = {"min": np.log10(low), "max": np.log10(high), "step": 0.05, "readout_format": ".2g"}
    controls = {
        "mass": frame.control("SelectionSlider", "mass m_A [GeV]", options=list(of_name), value=f"{mass:g}"),
        "cross_section": frame.control("FloatLogSlider", "cross-section [pb]", value=cross_section, **options),
    }

    @cache
    def yields_of(mass: float) -> dict[str, Any]:
        histograms = templates_of(mass).regions["signal"]
        return {name: np.asarray(histogram.expected, float) for name, histogram in histograms.items()}

    start = yields_of(mass)
    # The smallest at the bottom, in one order for all masses.
    names = sorted((name for name in start if name != "signal"), key=lambda name: start[name].sum())
    with plotting.use_style():
        fig, (bins, curve) = plotting.new_figure(1, 2, width=8.4, height=3.9)
        steps: list[StepPatch] = []
        # All reach down to the axis; what is lower in the stack is drawn later, over the others.
        for i, (name, shade) in enumerate(zip([*names, "signal"], cycle(_SHADES), strict=False)):
            look: Any = {"color": style.SIGNAL} if name == "signal" else {"color": shade}
            steps.append(
                bins.stairs([0.0], [0.0, 1.0], baseline=_LEAST, fill=True, label=name, zorder=2 - i / 100, **look)
            )
        steps[-1].set(hatch=style.SIGNAL_HATCH, edgecolor="white")
        line = {"color": style.SIGNAL, "linewidth": 1.8, "zorder": 3}
        alone = bins.stairs([0.0], [0.0, 1.0], baseline=None, label="signal alone", **line)
        total = sum(start[name].sum() for name in names)
        bins.set(xlim=(0, 1), ylim=(_LEAST, 2 * total), yscale="log", ylabel="expected events per bin")
        bins.set(xlabel="score, as the share of signal below it")
        bins.grid(visible=False)
        for i, label, shade in ((0, r"$\pm2\sigma$", "#F0E442"), (1, r"$\pm1\sigma$", "#7FC6A4")):
            curve.fill_between(masses, bands[:, i], bands[:, 4 - i], color=shade, linewidth=0, label=label)
        curve.plot(masses, bands[:, 2], color=style.DARK, linestyle="--", label="expected limit, 95 %")
        (point,) = curve.plot([], [], **style.STAR)
        curve.set(xlabel=r"$m_A$ [GeV]", ylabel="cross-section [pb]", yscale="log", ylim=(low / 1.3, high * 1.3))
        fig.legend(loc="outside upper center", ncols=5)

    def update(mass: str, cross_section: float) -> frame.Readout:
        m = of_name[mass]
        yields, band = yields_of(m), bands[masses.index(m)]
        signal = yields["signal"] * cross_section / _REFERENCE
        edges = np.r_[0.0, np.cumsum(yields["signal"]) / yields["signal"].sum()]
        below = np.zeros(len(signal))
        for step, events in zip(steps, [*(yields[name] for name in names), signal], strict=True):
            below = below + events
            step.set_data(np.maximum(below, _LEAST), edges)
        alone.set_data(signal, edges)
        point.set_data([m], [cross_section])
        z = float(significance_of(m, cross_section))
        levels = ((5, "discovered"), (3, "evidence"), (0, "too few events to be seen"))
        seen = next((what for least, what in levels if z >= least), "not defined")
        median, excluded = band[2], "excluded at 95 %" if cross_section >= band[2] else "not excluded"
        return {
            "signal above background, best bin": f"{signal[-1]:.2f} on {below[-1] - signal[-1]:.2f} events",
            "if it exists, expected significance": f"{z:.2f}: {seen}",
            "expected limit at this mass": f"{median:.3g} pb (68 %: {band[1]:.3g} to {band[3]:.3g} pb)",
            "if it does not exist, most likely": excluded,
        }

    return frame.Panel(
        "searching",
        fig,
        [*steps, alone, point],
        controls,
        update,
        alt="Left, expected events of the backgrounds in bins of the score, stacked on a logarithmic axis, with the "
        "signal of the chosen cross-section on top, and alone as a line; background falls steeply at first. Right, "
        "the expected limit on the cross-section against the mass with bands of one and two standard deviations, and "
        "a star at the chosen mass and cross-section.",
    )
