"""How figures look: colours, sizes, axis titles, labels; and `show`, which puts one in a notebook with alt text.

Colours are those of Okabe and Ito, which people with any colour vision tell apart, except where theirs are too
pale for a line on white. No information goes by colour alone: areas are hatched, lines dashed, points of different
shape.
"""

from __future__ import annotations

import base64
import html
import io
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from labcourse import samples
from labcourse.errors import BadInput

SIGNAL, BACKGROUND = "#D55E00", "#0072B2"
SIGNAL_HATCH, BACKGROUND_HATCH = "///", "\\\\\\"
CLASSES = {"background": (BACKGROUND, BACKGROUND_HATCH), "signal": (SIGNAL, SIGNAL_HATCH)}
DARK, GREY = "#222222", "#6B6B6B"


class Line(NamedTuple):
    """What tells one curve from another: colour, dashes and marker."""

    color: str
    linestyle: str
    marker: str


LINES = (
    Line("#0072B2", "-", "o"),
    Line("#D55E00", "--", "s"),
    Line("#009E73", "-.", "^"),
    Line("#CC79A7", ":", "D"),
    Line("#7800E1", "-", "v"),
    Line("#000000", "--", "P"),
)
"""Curves of several models, in order; after the sixth they repeat."""
STAR: Any = {"marker": "*", "markersize": 15, "color": "#E69F00", "markeredgecolor": "black", "ls": "none", "zorder": 6}
"""The best epoch, the best cut."""

STYLE = mpl.rc_params_from_file(Path(__file__).with_name("course.mplstyle"), use_default_template=False)
_UNSEEN = "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)"


@contextmanager
def use_style() -> Iterator[None]:
    """Draw in the style of the course: a context for your own figures (all figures of `plotting` use it)."""
    with mpl.rc_context(STYLE):
        yield


def new_figure(
    n_rows: int = 1, n_columns: int = 1, *, width: float = 6.4, height: float = 4.2, **options: Any
) -> tuple[Figure, Any]:
    """Return (figure, axes) of the course's size in inches; ``options`` go to ``plt.subplots``."""
    return plt.subplots(n_rows, n_columns, figsize=(width, height), layout="constrained", **options)


def stamp(ax: Axes, kind: str = "Simulation", *, luminosity: float | None = samples.LUMINOSITY) -> None:
    """Write above the axes what the events are, and energy and luminosity (without a number: energy only)."""
    ax.set_title(kind, loc="left", style="italic", weight="bold", color=DARK)
    lumi = f", {luminosity:g} fb$^{{-1}}$" if luminosity is not None else ""
    ax.set_title(rf"$\sqrt{{s}}$ = 13 TeV{lumi}", loc="right", color=DARK)


def no_ticks_between(ax: Axes) -> None:
    """Leave the small ticks out of a horizontal axis of whole numbers or names."""
    ax.tick_params(axis="x", which="minor", length=0)


def data_kind(name: str = "data") -> str:
    """Return what a sample of collision data is: ``ATLAS open data``, ``Pseudo-data``, or of unknown origin."""
    kinds = {"official": "ATLAS open data", "foreign": "Data of unknown origin"}
    return kinds.get(samples.locate(name).source, "Pseudo-data")


def show(fig: Figure, alt: str) -> None:
    """Show any figure below the cell, with a text for those who cannot see it, and close the figure.

    ``alt`` says in one or two sentences what is drawn, and what a reader should see. Raises BadInput if it is empty.
    """
    text, advice = " ".join(alt.split()), "Say in one sentence what it shows."
    if not text:
        raise BadInput("The figure has no alt text.", where="plotting.show", next_step=advice)
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.display import display

    if InteractiveShell.initialized():
        image = base64.b64encode(png(fig, sharpness=2)).decode("ascii")
        data = {"image/png": image, "text/plain": text}
        # Or twice the points would be twice the size; both, so that the page does not jump when the picture arrives.
        width, height = (round(inches * STYLE["savefig.dpi"]) for inches in fig.get_size_inches())
        display(data, metadata={"image/png": {"alt": text, "width": width, "height": height}}, raw=True)
        # JupyterLab shows pictures without their alt text: screen readers find it here.
        display({"text/html": f'<p style="{_UNSEEN}">Figure: {html.escape(text)}</p>'}, raw=True)
    else:
        print(text)
    plt.close(fig)


def png(fig: Figure, colors: int = 256, *, sharpness: int = 1) -> bytes:
    """Return the figure as a small PNG of a few colours, the same bytes for the same figure.

    ``sharpness`` is the number of its points for each of a page, in a row: screens of today show two.
    """
    from PIL import Image

    raw, small = io.BytesIO(), io.BytesIO()
    with use_style():
        fig.savefig(raw, format="png", dpi=sharpness * STYLE["savefig.dpi"])
    # A small palette has to keep the rare colours, which are what a reader should see.
    method = Image.Quantize.MEDIANCUT if colors == 256 else Image.Quantize.MAXCOVERAGE
    image = Image.open(raw).convert("RGB").quantize(colors, method, dither=Image.Dither.NONE)
    image.save(small, format="png", optimize=True)
    return small.getvalue()


_TITLES = {
    r"lep(\d)_pt": r"$p_\mathrm{{T}}$ of lepton {0} [GeV]",
    r"lep(\d)_e": "energy of lepton {0} [GeV]",
    r"lep(\d)_eta": r"pseudorapidity $\eta$ of lepton {0}",
    r"lep(\d)_phi": r"azimuth $\varphi$ of lepton {0} [rad]",
    r"lep(\d)_charge": "charge of lepton {0} [e]",
    r"lep(\d)_pdgid": "|PDG code| of lepton {0}",
    r"m_ll_(\d)(\d)": r"mass of leptons {0} and {1}, $m_{{{0}{1}}}$ [GeV]",
    "m_llll": r"four-lepton mass $m_{{4\ell}}$ [GeV]",
    "met": r"$E_\mathrm{{T}}^\mathrm{{miss}}$ [GeV]",
    "jet_n": "number of jets",
    "weight": "event weight [expected events]",
    "m_z1": r"mass of the pair nearest the Z, $m_{{Z1}}$ [GeV]",
    "m_z2": r"mass of the other pair, $m_{{Z2}}$ [GeV]",
}


def axis_title(column: str) -> str:
    """Return the title of an axis for a column of the event table, with its unit, such as «number of jets»."""
    for pattern, title in _TITLES.items():
        if match := re.fullmatch(pattern, column):
            return title.format(*match.groups())
    return column.replace("_", " ")


def with_error(value: float, error: float, unit: str = "") -> str:
    """Return value and error as text: two digits of the error, and the value as far as they go.

    Examples
    --------
    >>> with_error(0.68761, 0.02234)
    '0.688 ± 0.022'
    >>> with_error(106.84, 7.4, "events")
    '106.8 ± 7.4 events'
    """
    decimals = min(max(0, 1 - math.floor(math.log10(error))), 6) if 0 < error < math.inf else 3
    return f"{value:.{decimals}f} ± {error:.{decimals}f} {unit}".strip().replace("-", "−")
