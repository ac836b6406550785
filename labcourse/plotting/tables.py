"""Bars and points of small tables: cut flow, yields, numbers side by side."""

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


@style.use_style()
def cut_flow(table: pd.DataFrame | Mapping[str, pd.DataFrame]) -> tuple[Figure, Any]:
    """Draw what each requirement leaves: raw events on the left, expected events on the right.

    Parameters
    ----------
    table : DataFrame or mapping of name to DataFrame
        As `selection.cut_flow` gives: a row a cut, columns ``raw`` and ``expected``. Several tables (signal,
        background) share the cuts and are drawn side by side on a logarithmic axis.

    Raises
    ------
    BadInput
        If a column is missing, there are no rows, or the cuts of the tables differ.
    """
    tables = dict(table) if isinstance(table, Mapping) else {"": table}
    for one in tables.values():
        _require(one, ("raw", "expected"))
    first = next(iter(tables.values()))
    if any(list(one.index) != list(first.index) for one in tables.values()):
        raise BadInput("The tables have different cuts.", where="cut_flow", next_step="Make them in one way.")
    looks = _looks(list(tables))
    fig, axes = style.new_figure(1, 2, width=7.2, height=3.6, sharey=True)
    rows, thickness = np.arange(len(first)), 0.8 / len(tables)
    for ax, column, title in zip(axes, ("raw", "expected"), ("simulated events (raw)", "expected events"), strict=True):
        for i, (name, one) in enumerate(tables.items()):
            color, hatch = looks[name]
            place = rows + (i - (len(tables) - 1) / 2) * thickness
            values = one[column].to_numpy(float)
            bars = ax.barh(
                place, values, thickness * 0.92, color="white", edgecolor=color, hatch=hatch, label=name or None
            )
            form = "{:,.0f}" if column == "raw" else "{:,.4g}"
            ax.bar_label(bars, [form.format(v) for v in values], padding=3, fontsize=8.5)
        if len(tables) > 1:
            ax.set_xscale("log")
            smallest = min((float(v) for one in tables.values() for v in one[column] if v > 0), default=1.0)
            ax.set_xlim(left=min(1.0, smallest / 5))  # bars begin at one event if they can
        right = max(float(one[column].max()) for one in tables.values())
        ax.set_xlim(right=right * (20 if len(tables) > 1 else 1.35) or 1.0)
        ax.set_xlabel(title)
        ax.tick_params(axis="y", which="both", length=0)
    axes[0].set_yticks(rows, [str(cut) for cut in first.index])
    axes[0].invert_yaxis()
    if len(tables) > 1:
        fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=len(tables))
    else:
        style.stamp(axes[0], luminosity=None)
        axes[0].set_title("", loc="right")
        style.stamp(axes[1], "")
    return fig, axes


@style.use_style()
def raw_and_expected(table: pd.DataFrame) -> tuple[Figure, Axes]:
    """Draw for each sample how many events were simulated and how many are expected, on a logarithmic axis.

    Parameters
    ----------
    table : DataFrame
        As `selection.yields` gives: index ``sample``, columns ``raw`` and ``expected``.

    Raises
    ------
    BadInput
        If a column is missing or there are no rows.
    """
    _require(table, ("raw", "expected"))
    fig, ax = style.new_figure()
    rows = np.arange(len(table))
    for column, offset, color, hatch, label in (
        ("raw", -0.2, style.GREY, "", "simulated (raw)"),
        ("expected", 0.2, "#A66F00", "///", "expected"),
    ):
        values = table[column].to_numpy(float)
        face = color if not hatch else "white"
        bars = ax.barh(rows + offset, values, 0.36, color=face, edgecolor=color, hatch=hatch, label=label)
        ax.bar_label(bars, [f"{v:,.0f}" if column == "raw" else f"{v:.3g}" for v in values], padding=3, fontsize=8.5)
    ax.set_yticks(rows, [str(name) for name in table.index])
    ax.invert_yaxis()
    ax.set_xscale("log")
    ax.set_xlim(right=float(table[["raw", "expected"]].to_numpy().max()) * 30)
    ax.tick_params(axis="y", which="both", length=0)
    ax.set_xlabel("events after the preselection")
    ax.legend(loc="lower right")
    style.stamp(ax)
    return fig, ax


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

    Raises
    ------
    BadInput
        If there are no values or one is not finite.
    """
    values, errors = dict(values), dict(errors if errors is not None else {})
    numbers = np.array([float(v) for v in values.values()])
    if not len(numbers) or not np.isfinite(numbers).all():
        raise BadInput("There are no numbers to compare, or one is not finite.", where=f"values {values}")
    fig, ax = style.new_figure(height=1.4 + 0.42 * len(numbers))
    for row, (name, value) in enumerate(zip(values, numbers, strict=True)):
        line = style.LINES[row % len(style.LINES)]
        error = errors.get(name)
        ax.errorbar(value, row, xerr=error, fmt=line.marker, color=line.color, markersize=7, capsize=3)
        text = f"{value:.4g}" if error is None else style.with_error(value, float(error))
        ax.annotate(text, (1.02, row), xycoords=("axes fraction", "data"), va="center", fontsize=9)
    if reference is not None:
        ax.axvline(reference, color=style.GREY, linestyle="--", linewidth=1.2)
        place = (reference, 1.01)
        ax.annotate(reference_name, place, xycoords=("data", "axes fraction"), ha="center", va="bottom", fontsize=9)
    ax.set_yticks(range(len(numbers)), list(values))
    ax.set_ylim(len(numbers) - 0.5, -0.5)
    ax.tick_params(axis="y", which="both", length=0)
    ax.set_xlabel(xlabel)
    ax.margins(x=0.1)
    return fig, ax


def _looks(names: list[str]) -> dict[str, tuple[str, str]]:
    """Return colour and hatch for each name: those of the class or process where it is one."""
    known = {"signal": (style.SIGNAL, style.SIGNAL_HATCH), "background": (style.BACKGROUND, style.BACKGROUND_HATCH)}
    known |= {name: (look.color, look.hatch) for name, look in samples.PROCESSES.items()}
    hatches = ("///", "\\\\\\", "...", "xxx", "---", "")
    spare = zip((line.color for line in style.LINES), hatches, strict=True)
    return {name: known[name] if name in known else next(spare, (style.GREY, "")) for name in names}


def _require(table: pd.DataFrame, columns: tuple[str, ...]) -> None:
    missing = [column for column in columns if column not in table]
    if missing or not len(table):
        raise BadInput(
            f"The table has no column {', '.join(missing)}." if missing else "The table has no rows.",
            where="plotting",
            next_step="Make it with `selection.cut_flow` or `selection.yields`.",
        )
