"""The figures of the search; each function returns (figure, axes)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from azh.events import LUMINOSITY, PROCESSES
from azh.limits import Band
from azh.sensitivity import Significance
from azh.study import Point
from azh.templates import Templates
from labcourse import plotting
from labcourse.plotting import style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LOOKS = {
    "Zjets": ("Z + jets", "#56B4E9", ""),
    "ttbar": (r"$t\bar{t}$", "#E69F00", "\\\\\\"),
    "diboson": ("ZZ, WZ", "#009E73", "///"),
    "Zh": ("Zh", "#CC79A7", "..."),
}
_SIGNAL = {"color": style.SIGNAL, "linewidth": 1.6}
_DATA = {"fmt": "o", "color": "black", "markersize": 3.5, "linewidth": 1, "label": "data"}


def _of_line(line: style.Line) -> dict[str, Any]:
    return {"color": line.color, "linestyle": line.linestyle, "marker": line.marker, "markersize": 4}


def _stack(ax: Axes, edges: NDArray[Any], yields: Mapping[str, NDArray[Any]]) -> None:
    """Draw the backgrounds on top of each other, the smallest at the bottom."""
    below = np.zeros(len(edges) - 1)
    for name in sorted(yields, key=lambda name: yields[name].sum()):
        label, color, hatch = _LOOKS[name]
        top = below + np.maximum(yields[name], 0)
        look: dict[str, Any] = {"facecolor": color, "edgecolor": "white", "hatch": hatch, "linewidth": 0}
        ax.stairs(top, edges, baseline=below, fill=True, label=label, **look)
        below = top


def mass(
    events: pd.DataFrame, masses: Sequence[float] = (), *, data: pd.DataFrame | None = None
) -> tuple[Figure, Axes]:
    """Draw m_Zh in the signal region: the backgrounds, the signal of 0.05 pb at some masses (GeV), and data."""
    fig, ax = plotting.new_figure(width=7.2)
    inside, edges = events[events["region"] == "signal"], np.linspace(200, 2400, 56)
    rows = {name: inside[inside["process"] == name] for name in PROCESSES}
    yields = {name: np.histogram(table["m_zh"], edges, weights=table["weight"])[0] for name, table in rows.items()}
    signal = rows["signal"]
    yields.pop("signal")
    _stack(ax, edges, yields)
    total = np.sum(list(yields.values()), axis=0)
    error = np.sqrt(
        sum(np.histogram(rows[name]["m_zh"], edges, weights=rows[name]["weight"] ** 2)[0] for name in yields)
    )
    band = {"fill": True, "color": style.DARK, "alpha": 0.35, "linewidth": 0, "label": "error of the simulation"}
    ax.stairs(total + error, edges, baseline=np.maximum(total - error, 0), **band)
    for m, dashes in zip(masses, cycle(["-", "--", ":"]), strict=False):
        own = signal[signal["m_a_true"] == m]
        heights = np.histogram(own["m_zh"], edges, weights=own["weight"])[0]
        ax.stairs(heights, edges, label=rf"signal, $m_A$ = {m:g} GeV", linestyle=dashes, **_SIGNAL)
    if data is not None:
        counts = np.histogram(data.loc[data["region"] == "signal", "m_zh"], edges)[0]
        centres = (edges[1:] + edges[:-1]) / 2
        seen = counts > 0
        ax.errorbar(centres[seen], counts[seen], np.sqrt(counts[seen]), **_DATA)
    ax.set(yscale="log", xlabel=r"$m_{Zh}$ [GeV]", ylabel="events / 40 GeV", ylim=(0.05, None), xlim=(200, 2400))
    ax.legend()
    style.stamp(ax, luminosity=LUMINOSITY)
    return fig, ax


def acceptance(shares: pd.DataFrame) -> tuple[Figure, Axes]:
    """Draw against the mass which share of the signal is selected, and in which share the two b jets merge."""
    fig, ax = plotting.new_figure(width=7.2, height=3)
    labels = {"selected": "selected", "near": r"b quarks nearer than $\Delta R = 0.4$"}
    for (name, label), line in zip(labels.items(), style.LINES, strict=False):
        ax.plot(shares.index, shares[name], label=label, **_of_line(line))
    ax.set(xlabel=r"$m_A$ [GeV]", ylabel="share of the signal", ylim=(0, None))
    ax.legend()
    style.stamp(ax, luminosity=None)
    return fig, ax


def significances(curves: Mapping[str, Sequence[Significance]]) -> tuple[Figure, Axes]:
    """Draw expected significances against the mass, one curve a classifier."""
    fig, ax = plotting.new_figure(width=7.2)
    for (name, found), line in zip(curves.items(), cycle(style.LINES), strict=False):
        masses, values, errors = zip(*((z.mass, z.value, z.error) for z in found), strict=True)
        ax.errorbar(masses, values, errors, label=name, **_of_line(line))
    ax.set(xlabel=r"tested $m_A$ [GeV]", ylabel="expected significance", ylim=(0, None))
    ax.legend()
    style.stamp(ax, luminosity=LUMINOSITY)
    return fig, ax


def closure(
    ratios: Mapping[float, tuple[float, float]], least: float, *, spread: Mapping[float, float]
) -> tuple[Figure, Axes]:
    """Draw for each mass the significance of the network that never saw it, relative to that of the one that did.

    The band is the relative ``spread`` that other seeds of the training give.
    """
    fig, ax = plotting.new_figure(width=7.2, height=3.6)
    values, errors = zip(*ratios.values(), strict=True)
    masses, width = np.array(list(ratios)), np.array([spread[mass] for mass in ratios])
    look: dict[str, Any] = {"color": style.GREY, "alpha": 0.3, "linewidth": 0}
    ax.fill_between(masses, 1 - width, 1 + width, label="other seeds", **look)
    ax.errorbar(masses, values, errors, fmt="o", color=style.BACKGROUND, markersize=5)
    ax.axhline(1, color=style.GREY, linewidth=1)
    ax.axhline(least, color=style.SIGNAL, linestyle="--", label=f"{least:g}")
    ax.set(xlabel="mass that was left out [GeV]", ylabel="significance, relative")
    ax.legend()
    style.stamp(ax, luminosity=None)
    return fig, ax


def limits(
    expected: Mapping[str, Mapping[float, Band]],
    *,
    floor: Mapping[float, float],
    seeds: Sequence[Mapping[float, Band]] = (),
) -> tuple[Figure, Axes]:
    """Draw expected limits (pb) against the mass: the first classifier with its band, the others' medians, the limits
    that other seeds of the training give, and the floor of three events."""
    fig, ax = plotting.new_figure(width=7.2, height=5)
    name, bands = next(iter(expected.items()))
    _draw_band(ax, np.array(list(bands)), list(bands.values()))
    for other, line in zip(expected, cycle(style.LINES), strict=False):
        look = _of_line(line) | ({"color": "black", "linestyle": "-"} if other == name else {})
        ax.plot(list(expected[other]), [band.median for band in expected[other].values()], label=other, **look)
    for i, other_seed in enumerate(seeds):
        label = "other seeds" if i == 0 else None
        medians = [band.median for band in other_seed.values()]
        ax.plot(list(other_seed), medians, color="black", linestyle="", marker="_", markersize=9, label=label)
    ax.plot(list(floor), list(floor.values()), color=style.SIGNAL, linestyle=":", label="three events")
    ax.set(yscale="log", xlabel=r"$m_A$ [GeV]", ylabel="limit on the cross-section, 95 % [pb]")
    ax.legend(ncols=2)
    style.stamp(ax, luminosity=LUMINOSITY)
    return fig, ax


def _draw_band(ax: Axes, masses: NDArray[Any], bands: Sequence[Band]) -> None:
    low_2, low_1, _, high_1, high_2 = np.array(bands).T
    ax.fill_between(masses, low_2, high_2, color="#F6F08E", linewidth=0, label="± 2 σ")
    ax.fill_between(masses, low_1, high_1, color="#66C5AB", linewidth=0, label="± 1 σ")


def small_counts(background: NDArray[Any], exact: NDArray[Any], asymptotic: NDArray[Any]) -> tuple[Figure, Axes]:
    """Draw the limit of one bin (events of signal) against its background: exact, and by the asymptotic formula."""
    fig, ax = plotting.new_figure()
    ax.plot(background, exact, color=style.BACKGROUND, label="exact")
    ax.plot(background, asymptotic, color=style.SIGNAL, linestyle="--", label="asymptotic formula")
    ax.axhline(-np.log(0.05), color=style.GREY, linestyle=":", label="three events")
    ax.set(xscale="log", xlabel="expected background [events]", ylabel="expected limit on the signal [events]")
    ax.set_ylim(0, None)
    ax.legend()
    style.stamp(ax, luminosity=None)
    return fig, ax


def regions(templates: Templates, counts: Mapping[str, NDArray[Any]], strength: float = 1.0) -> tuple[Figure, Any]:
    """Draw all regions of a model in bins, with the counts of data, and below the ratio of data to background.

    ``strength`` is the signal strength that is drawn.
    """
    names = {"signal": "signal region: bins of the score", "sideband": "side bands", "emu": "eµ"}
    sizes = [len(counts[name]) for name in names]
    fig, axes = plotting.new_figure(
        2,
        3,
        width=8,
        height=4.6,
        sharex="col",
        sharey="row",
        width_ratios=[max(n, 2) for n in sizes],
        height_ratios=[3, 1],
    )
    for (region, title), ax, ratio in zip(names.items(), axes[0], axes[1], strict=True):
        histograms, seen = templates.regions[region], np.asarray(counts[region], float)
        edges = np.arange(len(seen) + 1) + 0.5
        yields = {name: histograms[name].expected for name in _LOOKS}
        _stack(ax, edges, yields)
        total = np.sum(list(yields.values()), axis=0)
        signal = total + strength * histograms["signal"].expected
        ax.stairs(signal, edges, label="with signal", **_SIGNAL)
        centres = np.arange(1, len(seen) + 1)
        ax.errorbar(centres, seen, np.sqrt(seen), **_DATA)
        ratio.errorbar(centres, seen / total, np.sqrt(seen) / total, **_DATA)
        error = np.sqrt(np.sum([histograms[name].variance for name in _LOOKS], axis=0)) / total
        ratio.stairs(1 + error, edges, baseline=1 - error, fill=True, color=style.GREY, alpha=0.4)
        ratio.stairs(signal / total, edges, **_SIGNAL)
        ratio.axhline(1, color=style.GREY, linewidth=1)
        ax.set(yscale="log", title=title, xlim=(edges[0], edges[-1]))
        ratio.set(xticks=centres, ylim=(0, 3))
        style.no_ticks_between(ratio)
    axes[0, 0].set(ylabel="events", ylim=(0.3, None))
    axes[1, 0].set(ylabel="ratio")
    axes[0, 0].legend(fontsize=8)
    return fig, axes


def scan(points: Sequence[Point], floor: Mapping[float, float]) -> tuple[Figure, Any]:
    """Draw a scan of data: the local p-value against the mass, and the observed limit with the expected band and the
    ``floor`` of three events (pb, by mass)."""
    fig, (above, below) = plotting.new_figure(2, 1, width=7.2, height=6.4, sharex=True)
    masses = np.array([p.mass for p in points])
    above.plot(masses, norm.sf([p.significance for p in points]), color=style.BACKGROUND)
    for sigma in (1, 2, 3, 4, 5):
        above.axhline(norm.sf(sigma), color=style.GREY, linestyle=":", linewidth=1)
        above.annotate(f"{sigma} σ", (masses[-1], norm.sf(sigma)), ha="right", va="bottom", color=style.GREY)
    lowest = min(1e-4, norm.sf(max(p.significance for p in points) + 0.5))
    above.set(yscale="log", ylabel=r"local $p_0$", ylim=(lowest, 1))
    _draw_band(below, masses, [p.expected for p in points])
    below.plot(masses, [p.expected.median for p in points], "k--", linewidth=1, label="expected")
    below.plot(masses, [p.limit for p in points], "k-", label="observed")
    below.plot(list(floor), list(floor.values()), color=style.SIGNAL, linestyle=":", label="three events")
    below.set(yscale="log", xlabel=r"$m_A$ [GeV]", ylabel="limit on the cross-section, 95 % [pb]")
    below.legend()
    style.stamp(above, luminosity=LUMINOSITY)
    return fig, (above, below)


def pulls_and_impacts(
    pulls: Mapping[str, tuple[float, float]], impacts: Mapping[str, tuple[float, float]], *, most: int = 12
) -> tuple[Figure, Any]:
    """Draw the parameters with the largest impacts (pb) on the cross-section, and how far the fit pulled them."""
    fig, (left, right) = plotting.new_figure(1, 2, width=8, height=0.3 * most + 1.2, sharey=True)
    names = list(impacts)[:most][::-1]
    places = np.arange(len(names))
    free = [name.startswith("norm_") for name in names]
    moved = np.array([pulls[name][0] - (1 if is_free else 0) for name, is_free in zip(names, free, strict=True)])
    left.axvspan(-1, 1, color=style.GREY, alpha=0.2, linewidth=0)
    left.errorbar(moved, places, xerr=[pulls[name][1] for name in names], fmt="o", color="black", markersize=4)
    left.set(xlabel="pull [standard deviations]", xlim=(-2.5, 2.5))
    down, up = np.array([impacts[name] for name in names]).T
    right.barh(places, up, color=style.BACKGROUND, height=0.7, label="+1 σ")
    right.barh(places, down, color="white", edgecolor=style.SIGNAL, hatch="///", height=0.7, label="−1 σ")
    right.axvline(0, color=style.GREY, linewidth=1)
    right.set(xlabel="impact on the cross-section [pb]")
    right.legend()
    left.set_yticks(places, [name.replace("_", " ") for name in names], fontsize=8)
    style.no_ticks_between(left)
    return fig, (left, right)
