"""Results as bars, points and curves: cut flow, numbers side by side, the scan of a cut."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from labcourse import samples
from labcourse.errors import BadInput
from labcourse.plotting import style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from labcourse.significance import Scan

Z = "significance Z"


@style.use_style()
def cut_flow(tables: Mapping[str, pd.DataFrame]) -> tuple[Figure, Any]:
    """Draw what each requirement leaves: raw events on the left, expected events on the right.

    Parameters
    ----------
    tables : mapping of name to DataFrame
        As `selection.cut_flow` gives: one row per cut, columns ``raw`` and ``expected``. The tables (of signal and
        background, or of processes) share the cuts and are drawn side by side on a logarithmic axis.
    """
    looks = {"signal": (style.SIGNAL, style.SIGNAL_HATCH), "background": (style.BACKGROUND, style.BACKGROUND_HATCH)}
    looks |= {name: (look.color, look.hatch) for name, look in samples.PROCESSES.items()}
    cuts = next(iter(tables.values())).index
    thickness = 0.8 / len(tables)
    fig, axes = style.new_figure(1, 2, width=7.2, height=3.6, sharey=True)
    for ax, column, form, title in (
        (axes[0], "raw", "{:,.0f}", "simulated events (raw)"),
        (axes[1], "expected", "{:,.4g}", "expected events"),
    ):
        for i, (name, table) in enumerate(tables.items()):
            color, hatch = looks.get(name, (style.GREY, "..."))
            place = np.arange(len(cuts)) + (i - (len(tables) - 1) / 2) * thickness
            look = {"color": "white", "edgecolor": color, "hatch": hatch, "label": name}
            bars = ax.barh(place, table[column].to_numpy(float), thickness * 0.92, **look)
            ax.bar_label(bars, [form.format(v) for v in table[column]], padding=3, fontsize=8.5)
        ax.set_xscale("log")
        smallest = min(float(v) for table in tables.values() for v in table[column] if v > 0)
        highest = max(float(table[column].max()) for table in tables.values())
        ax.set(xlim=(min(1.0, smallest / 5), 20 * highest), xlabel=title)  # bars begin at one event if they can
        ax.tick_params(axis="y", which="both", length=0)
    axes[0].set_yticks(range(len(cuts)), [str(cut) for cut in cuts])
    axes[0].invert_yaxis()
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=len(tables))
    return fig, axes


@style.use_style()
def comparison(
    values: Mapping[str, float],
    errors: Mapping[str, float] | None = None,
    *,
    xlabel: str,
    reference: float | None = None,
    reference_name: str = "",
) -> tuple[Figure, Axes]:
    """Draw named numbers as points with error bars, one below the other: models, or treatments of weights.

    Parameters
    ----------
    values, errors : mapping of name to number, or pandas.Series
        ``errors`` may miss names.
    xlabel : str
        What the number is, with its unit.
    reference : float, optional
        Drawn as a dashed line, for instance the true value, with its name above.
    """
    values, errors = dict(values), dict(errors if errors is not None else {})
    fig, ax = style.new_figure(height=1.4 + 0.42 * len(values))
    for row, (name, value) in enumerate(values.items()):
        line, error = style.LINES[row % len(style.LINES)], errors.get(name)
        ax.errorbar(value, row, xerr=error, fmt=line.marker, color=line.color, markersize=7, capsize=3)
        text = f"{value:.4g}" if error is None else style.with_error(value, float(error))
        ax.annotate(text, (1.02, row), xycoords=("axes fraction", "data"), va="center", fontsize=9)
    if reference is not None:
        ax.axvline(reference, color=style.GREY, linestyle="--", linewidth=1.2)
        place = {"xycoords": ("data", "axes fraction"), "ha": "center", "va": "bottom"}
        ax.annotate(reference_name, (reference, 1.01), fontsize=9, **place)
    ax.set_yticks(range(len(values)), list(values))
    ax.set_ylim(len(values) - 0.5, -0.5)
    ax.tick_params(axis="y", which="both", length=0)
    ax.set_xlabel(xlabel)
    ax.margins(x=0.1)
    return fig, ax


@style.use_style()
def significance_scan(scan: Scan, *, best: Scan | None = None, ylabel: str = Z) -> tuple[Figure, tuple[Axes, Axes]]:
    """Draw yields (above, logarithmic) and significance (below) against the cut, with statistical bands.

    Parameters
    ----------
    scan : Scan
        Result of `significance.scan` of rising cuts. Points without a finite significance are left out.
    best : Scan, optional
        Result of `significance.best`, marked by a line and a star.

    Raises
    ------
    BadInput
        If no cut has a finite significance.
    """
    fig, (above, below) = style.new_figure(2, 1, height=5.4, sharex=True)
    for values, errors, color, dashes, name in (
        (scan.background, scan.background_error, style.BACKGROUND, "-", "background"),
        (scan.signal, scan.signal_error, style.SIGNAL, "--", "signal"),
    ):
        # A logarithmic axis shows no number below zero.
        curve, low, high = (np.where(v > 0, v, np.nan) for v in (values, values - errors, values + errors))
        above.plot(scan.cut, curve, color=color, linestyle=dashes, label=name)
        above.fill_between(scan.cut, low, high, color=color, alpha=0.3, lw=0)
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
        below.plot(best.cut, best.significance, label=text, **style.STAR)
        below.set_ylim(0, max(1.5 * best.significance, 1e-3))
        below.legend(loc="upper left")
    style.stamp(above)
    return fig, (above, below)


@style.use_style()
def compare_scans(scans: Mapping[str, Scan]) -> tuple[Figure, Axes]:
    """Draw the significance against the cut for several models, with statistical bands.

    Raises
    ------
    BadInput
        If a scan has no finite significance.
    """
    fig, ax = style.new_figure()
    tops = [_draw_z(ax, scan, style.LINES[i % len(style.LINES)], name) for i, (name, scan) in enumerate(scans.items())]
    ax.set(xlabel="cut on the score", ylabel=Z, ylim=(0, max(1.6 * max(tops), 1e-3)))
    ax.legend(loc="upper left")
    style.stamp(ax)
    return fig, ax


def _draw_z(ax: Axes, scan: Scan, line: style.Line, label: str) -> float:
    """Draw one curve with its band; return its highest value."""
    cut, z, error = scan.cut, scan.significance, scan.significance_error
    if not np.isfinite(z).any():
        raise BadInput(
            "No cut of the scan has a finite significance.",
            where="scan",
            next_step="Is there background above the cuts, and signal among the events?",
        )
    z, error = np.where(np.isfinite(z), z, np.nan), np.where(np.isfinite(error), error, 0.0)
    # A curve of a thousand cuts needs no markers; dashes and, every tenth of the range, a symbol tell it apart.
    ax.plot(cut, z, **line._asdict(), markersize=4.5, markevery=max(1, len(cut) // 10), label=label)
    ax.fill_between(cut, z - error, z + error, color=line.color, alpha=0.25, linewidth=0)
    return float(np.nanmax(z))
