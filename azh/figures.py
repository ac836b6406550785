"""The figures of the search; each function returns (figure, axes)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np

from azh.events import LUMINOSITY, MASSES, Parts, at_mass, is_signal
from azh.methods import Classifier
from azh.study import PUBLISHED_LIMITS, Limits, Point, full_weights
from labcourse import plotting
from labcourse.plotting import style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PROCESSES = {"Zjets": "Z + jets", "ttbar": r"$t\bar{t}$", "Zh": "Zh", "diboson": "ZZ, WZ"}


def _outlines(ax: Axes, events: pd.DataFrame, values: Any, weight: Any, bins: Any, signal: dict[str, Any]) -> None:
    """Draw the histograms of all backgrounds, and of masks of the signal by label, as lines."""
    chosen = {label: (events["process"] == name).to_numpy() for name, label in _PROCESSES.items()} | signal
    for (label, mask), line in zip(chosen.items(), cycle(style.LINES), strict=False):
        look = {"color": line.color, "linestyle": line.linestyle, "label": label}
        ax.hist(values[mask], bins, weights=weight[mask], histtype="step", **look)


def mass(events: pd.DataFrame, masses: Sequence[float]) -> tuple[Figure, Axes]:
    """Draw m_Zh of the backgrounds and of the signal at some masses (GeV), in the signal region."""
    events = events[events["region"] == "signal"]
    fig, ax = plotting.new_figure()
    signal = {rf"signal, $m_A$ = {m:g} GeV": (events["m_a_true"] == m).to_numpy() for m in masses}
    _outlines(ax, events, events["m_zh"], events["weight"], np.linspace(200, 2400, 56), signal)
    ax.set(yscale="log", xlabel=r"$m_{Zh}$ [GeV]", ylabel="expected events / 40 GeV", ylim=(0.05, None))
    ax.legend()
    style.stamp(ax, luminosity=LUMINOSITY)
    return fig, ax


def scores(classify: Classifier, parts: Parts, masses: Sequence[float]) -> tuple[Figure, Any]:
    """Draw the score of test events, weighed up to all events, at some tested masses on a logarithmic axis."""
    fig, axes = plotting.new_figure(1, len(masses), width=4.2 * len(masses), height=3.8, squeeze=False, sharey=True)
    for ax, m in zip(axes[0], masses, strict=True):
        events = at_mass(parts.test, m)
        weight = full_weights(parts, events, m)
        _outlines(ax, events, classify(events), weight, np.linspace(0, 1, 21), {"signal": is_signal(events)})
        ax.set(yscale="log", xlabel=f"score at {m:g} GeV", ylim=(0.02, None))
        style.stamp(ax, luminosity=LUMINOSITY)
    axes[0, 0].set_ylabel("expected events / 0.05")
    axes[0, 0].legend()
    return fig, axes[0]


def significances(curves: Mapping[str, Sequence[Point]]) -> tuple[Figure, Axes]:
    """Draw significances against the mass, one curve a model; the blind mass is marked."""
    fig, ax = plotting.new_figure(width=7.2)
    for (name, points), line in zip(curves.items(), cycle(style.LINES), strict=False):
        masses, values, errors, _ = zip(*points, strict=True)
        look = {"color": line.color, "linestyle": line.linestyle, "marker": line.marker, "markersize": 4}
        ax.errorbar(masses, values, errors, label=name.replace("_", " "), **look)
    ax.axvline(MASSES, color=style.GREY, linestyle=":", linewidth=1)
    ax.text(MASSES + 10, ax.get_ylim()[0], "blind", va="bottom", color=style.GREY)
    ax.set(xlabel=r"tested $m_A$ [GeV]", ylabel="binned significance")
    ax.legend()
    style.stamp(ax, luminosity=None)
    return fig, ax


def limits(found: Sequence[Limits]) -> tuple[Figure, Axes]:
    """Draw expected limits against the mass: the shape with its band, the count, and the published points."""
    fig, ax = plotting.new_figure(width=7.2)
    masses = [limit.mass for limit in found]
    bands = [[getattr(limit.shape, name) for limit in found] for name in ("minus_2", "minus_1", "plus_1", "plus_2")]
    ax.fill_between(masses, bands[0], bands[3], color="#F0E442", alpha=0.7, label="± 2 σ")
    ax.fill_between(masses, bands[1], bands[2], color="#009E73", alpha=0.7, label="± 1 σ")
    ax.plot(masses, [limit.shape.median for limit in found], color="black", label="shape of the score")
    ax.plot(masses, [limit.counting.median for limit in found], "--", color=style.LINES[0].color, label="one bin")
    ax.plot(list(PUBLISHED_LIMITS), list(PUBLISHED_LIMITS.values()), "s", color=style.SIGNAL, label="published")
    cross_section = r"$\sigma\cdot BR(Zh)\cdot BR(b\bar{b})$"
    ax.set(yscale="log", xlabel=r"$m_A$ [GeV]", ylabel=f"expected limit on {cross_section} [pb]")
    ax.legend()
    style.stamp(ax, luminosity=LUMINOSITY)
    return fig, ax


def parallel_coordinates(trials: pd.DataFrame) -> tuple[Figure, Axes]:
    """Draw the finished trials of a search (`search.table`), a line each from setting to setting: darker is better.

    Pruned trials are left out, and settings that not all trials have.
    """
    complete = trials[trials["state"] == "COMPLETE"].drop(columns=["number", "state"]).sort_values("value")
    names = [name for name in complete if name != "value" and complete[name].notna().all()] + ["value"]
    fig, ax = plotting.new_figure(width=1.3 * len(names) + 1)
    places = []
    for position, name in enumerate(names):
        column = complete[name]
        ax.axvline(position, color=style.GREY, linewidth=0.8)
        if column.dtype.kind in "if":
            values = np.log(column.to_numpy(float)) if name in _LOGARITHMIC else column.to_numpy(float)
            places.append((values - values.min()) / (np.ptp(values) or 1.0))
            labels = {0.0: f"{column.min():.3g}", 1.0: f"{column.max():.3g}"}
        else:
            kinds = sorted(column.unique())
            places.append(column.map(kinds.index).to_numpy(float) / max(len(kinds) - 1, 1))
            labels = dict(zip(np.linspace(0, 1, max(len(kinds), 2)), kinds, strict=False))
        for height, label in labels.items():
            where, align = {0.0: (-0.03, "top"), 1.0: (1.03, "bottom")}.get(height, (height, "center"))
            inside = {"backgroundcolor": (1, 1, 1, 0.8)} if align == "center" else {}
            ax.text(position, where, label, ha="center", va=align, fontsize=8, **inside)
    for line, alpha in zip(np.transpose(places), np.linspace(0.15, 1, len(complete)), strict=True):
        ax.plot(line, color=style.BACKGROUND, alpha=alpha, linewidth=1.2)
    ax.set_xticks(range(len(names)), [_NAMES.get(str(name), str(name)) for name in names])
    ax.tick_params(axis="x", pad=16, length=0, which="both")
    ax.set(yticks=[], ylim=(-0.02, 1.02))
    return fig, ax


_LOGARITHMIC = ("k", "width", "rate")
_NAMES = {"value": "significance", "rate": "learning rate"}
