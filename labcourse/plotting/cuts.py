"""Figures of the significance: the scan of a cut, several models side by side, the Gaussian tail.

The scans are handed over as `significance.scan` returns them; anything with the same fields will do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from labcourse.errors import BadInput
from labcourse.plotting import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    Array = NDArray[np.float64]

Z = "significance Z"


class ScanLike(Protocol):
    """The fields of `significance.Scan` that are drawn, arrays of shape (n_cuts,)."""

    @property
    def cut(self) -> Array: ...
    @property
    def signal(self) -> Array: ...
    @property
    def background(self) -> Array: ...
    @property
    def signal_error(self) -> Array: ...
    @property
    def background_error(self) -> Array: ...
    @property
    def significance(self) -> Array: ...
    @property
    def significance_error(self) -> Array: ...


class CutLike(Protocol):
    """The fields of `significance.BestCut` that are drawn."""

    @property
    def cut(self) -> float: ...
    @property
    def significance(self) -> float: ...
    @property
    def significance_error(self) -> float: ...


@style.use_style()
def significance_scan(
    scan: ScanLike, *, best: CutLike | None = None, ylabel: str = Z
) -> tuple[Figure, tuple[Axes, Axes]]:
    """Draw yields (above, logarithmic) and significance (below) against the cut, with statistical bands.

    Parameters
    ----------
    scan : Scan
        Result of `significance.scan`. Points without a finite significance are left out.
    best : BestCut, optional
        Result of `significance.best`, marked by a line and a star.

    Raises
    ------
    BadInput
        If no cut has a finite significance.
    """
    order = _order(scan)
    fig, (above, below) = style.new_figure(2, 1, height=5.4, sharex=True)
    cut = scan.cut[order]
    for values, error, color, dashes, name in (
        (scan.background, scan.background_error, style.BACKGROUND, "-", "background"),
        (scan.signal, scan.signal_error, style.SIGNAL, "--", "signal"),
    ):
        value, spread = values[order], error[order]
        above.plot(cut, _positive(value), color=color, linestyle=dashes, label=name)
        above.fill_between(cut, _positive(value - spread), _positive(value + spread), color=color, alpha=0.3, lw=0)
    above.set_yscale("log")
    above.set_ylabel("expected events\nabove the cut")
    above.legend(loc="lower left")
    _draw_z(below, scan, style.Line("#009E73", "-", ""), "")
    below.set(xlabel="cut on the score", ylabel=ylabel)
    below.set_ylim(bottom=0)
    if best is not None:
        for ax in (above, below):
            ax.axvline(best.cut, color=style.GREY, linestyle=":", linewidth=1.3)
        text = f"Z = {best.significance:.2f} ± {best.significance_error:.2f} at {best.cut:.3f}"
        _star(below, best, text)
        below.set_ylim(0, max(1.5 * best.significance, 1e-3))
        below.legend(loc="upper left")
    style.stamp(above)
    return fig, (above, below)


@style.use_style()
def compare_scans(
    scans: Mapping[str, ScanLike], *, best: Mapping[str, CutLike] | None = None, ylabel: str = Z
) -> tuple[Figure, Axes]:
    """Draw the significance against the cut for several models, with statistical bands and best cuts.

    Raises
    ------
    BadInput
        If there is no scan, or one has no finite significance.
    """
    if not scans:
        raise BadInput("There are no scans to compare.", where="scans", next_step="Pass {name: scan}.")
    fig, ax = style.new_figure()
    tops = []
    for i, (name, scan) in enumerate(scans.items()):
        found = (best or {}).get(name)
        label = name if found is None else f"{name}: {found.significance:.2f} ± {found.significance_error:.2f}"
        tops.append(_draw_z(ax, scan, style.LINES[i % len(style.LINES)], label))
        if found is not None:
            tops[-1] = found.significance
            _star(ax, found, None)
    if best:
        _star(ax, None, "best cut")
    ax.set(xlabel="cut on the score", ylabel=ylabel, ylim=(0, max(1.6 * max(tops), 1e-3)))
    ax.legend(loc="upper left")
    style.stamp(ax)
    return fig, ax


@style.use_style()
def p_value(z: float) -> tuple[Figure, Axes]:
    """Draw the unit Gaussian with the tail above ``z`` filled, the p-value of a significance.

    Raises
    ------
    BadInput
        If z is not finite.
    """
    if not np.isfinite(z):
        raise BadInput("The significance is not finite.", where="p_value")
    fig, ax = style.new_figure(height=3.4)
    right = max(4.0, z + 1.5)
    x = np.linspace(-4, right, 800)
    density = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    ax.plot(x, density, color=style.DARK)
    p = math.erfc(z / math.sqrt(2)) / 2
    label = f"Z = {z:.2f}: p = {p:.3g}"
    ax.fill_between(x, density, where=x >= z, facecolor="#F4C7A8", edgecolor=style.SIGNAL, hatch="///", label=label)
    ax.axvline(z, color=style.SIGNAL, linestyle="--", linewidth=1.4)
    ax.set(xlabel="deviation from the background hypothesis [σ]", ylabel="probability density", xlim=(-4, right))
    ax.set_ylim(0, 0.48)
    ax.legend(loc="upper left")
    return fig, ax


def _order(scan: ScanLike) -> NDArray[np.intp]:
    if not np.isfinite(scan.significance).any():
        raise BadInput(
            "No cut of the scan has a finite significance.",
            where="scan",
            next_step="Is there background above the cuts, and signal among the events?",
        )
    return np.argsort(scan.cut, kind="stable")


def _draw_z(ax: Axes, scan: ScanLike, line: style.Line, label: str) -> float:
    """Draw one curve with its band; return its highest value."""
    order = _order(scan)
    cut, z, error = scan.cut[order], scan.significance[order], scan.significance_error[order]
    z = np.where(np.isfinite(z), z, np.nan)
    error = np.where(np.isfinite(error), error, 0.0)
    # A curve of a thousand cuts needs no markers; dashes and, every tenth of the range, a symbol tell it apart.
    every = max(1, len(cut) // 10)
    ax.plot(cut, z, color=line.color, linestyle=line.linestyle, marker=line.marker, markevery=every, label=label)
    ax.lines[-1].set_markersize(4.5)
    ax.fill_between(cut, z - error, z + error, color=line.color, alpha=0.25, linewidth=0)
    return float(np.nanmax(z))


def _star(ax: Axes, best: CutLike | None, label: str | None) -> None:
    """Mark a best cut; without one, only the legend gets its star."""
    ax.plot(
        [] if best is None else [best.cut],
        [] if best is None else [best.significance],
        marker="*",
        markersize=15,
        color="#E69F00",
        markeredgecolor="black",
        linestyle="none",
        label=label,
        zorder=6,
    )


def _positive(values: Array) -> Array:
    """Return values with NaN where a logarithmic axis cannot show them."""
    return np.where(values > 0, values, np.nan)
