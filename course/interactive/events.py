"""Events to leaf through, one at a time: four leptons seen along the beam, and in pseudorapidity and azimuth."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from course.interactive import frame
from labcourse import kinematics, samples
from labcourse.plotting import style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_FLAVOURS = {11: "e", 13: "µ"}
_LOOKS = {11: style.LINES[0], 13: style.LINES[1]}
_CALORIMETER, _CHAMBERS = (0.42, 0.68), (0.8, 1.0)
_ENDS = {11: 0.6, 13: 1.05}
"""Radii of the drawing, whose outermost chambers lie at 1: electrons end in the calorimeter, muons cross everything."""
_COVERS = ("covered", "uncovered")


def name(event: pd.Series[Any], i: int) -> str:
    """Return what lepton ``i`` of an event is, such as ``e⁻``."""
    return _FLAVOURS[int(event[f"lep{i}_pdgid"])] + ("⁺" if event[f"lep{i}_charge"] > 0 else "⁻")


@style.use_style()
def _detector() -> tuple[Figure, list[list[Any]], Any]:
    """Draw the transverse plane, x to the right and y up, and beside it the plane of η and φ, both without an event.

    Returns the figure, for each of four leptons its track, number, point and label, and the text of the process.
    """
    figure, (across, unrolled) = style.new_figure(1, 2, width=7.6, height=3.9, width_ratios=(1, 1.1))
    angle = np.linspace(0, 2 * np.pi, 200)
    ring = np.concatenate([angle, angle[::-1]])
    for (inner, outer), color, text in (
        (_CALORIMETER, "#D0D0D0", "calorimeter"),
        (_CHAMBERS, "#EBEBEB", "muon chambers"),
    ):
        radius = np.repeat([inner, outer], len(angle))
        across.fill(radius * np.cos(ring), radius * np.sin(ring), color=color, linewidth=0, label=text)
    across.set(xlim=(-1.25, 1.25), ylim=(-1.25, 1.25), aspect="equal", xticks=[], yticks=[])
    across.set(xlabel="$x$, to the centre of the ring", ylabel="$y$, up")
    unrolled.set(xlim=(-2.8, 2.8), ylim=(-3.4, 3.4), xlabel=r"pseudorapidity $\eta$")
    unrolled.set_ylabel(r"azimuth $\varphi$ [rad]")
    for code, look in _LOOKS.items():
        unrolled.plot([], [], look.marker, color=look.color, label={11: "electrons", 13: "muons"}[code])
    figure.legend(loc="outside upper center", ncols=4)
    style.stamp(across, luminosity=None)
    process = unrolled.text(1, 1.02, "", transform=unrolled.transAxes, ha="right", va="bottom", weight="bold")
    leptons = [
        [
            across.plot([], [], solid_capstyle="round", zorder=3)[0],
            across.text(0, 0, "", ha="center", va="center", zorder=4),
            unrolled.plot([], [], markeredgewidth=1.8, zorder=3)[0],
            unrolled.text(0, 0, "", va="center", zorder=4),
        ]
        for _ in range(4)
    ]
    return figure, leptons, process


def _show(leptons: list[list[Any]], event: pd.Series[Any]) -> None:
    """Put the leptons of an event, a row of the event table, in place of those before.

    Tracks and points are the larger, the larger the transverse momentum; points of negative leptons are empty.
    """
    for i, (track, number, point, label) in enumerate(leptons, 1):
        code, pt = int(event[f"lep{i}_pdgid"]), float(event[f"lep{i}_pt"])
        eta, phi = float(event[f"lep{i}_eta"]), float(event[f"lep{i}_phi"])
        look, end, along = _LOOKS[code], _ENDS[code], np.array([np.cos(phi), np.sin(phi)])
        track.set_data(*np.outer(along, [0, end]))
        track.set(color=look.color, linestyle=look.linestyle, linewidth=1 + pt / 20)
        number.set(position=(end + 0.1) * along, text=str(i), color=look.color)
        point.set_data([eta], [phi])
        point.set(marker=look.marker, color=look.color, markersize=4 + np.sqrt(pt))
        point.set_markerfacecolor(look.color if event[f"lep{i}_charge"] > 0 else "white")
        side = -1 if eta > 1.8 else 1  # inside the axes
        label.set(position=(eta + 0.25 * side, phi), ha="left" if side > 0 else "right")
        label.set(text=f"{i}: {name(event, i)}", color=look.color)


def event(events: pd.DataFrame) -> frame.Panel:
    """Pick an event and see its leptons; then uncover the pairs that could be a Z boson, and what it was simulated as.

    Parameters
    ----------
    events : DataFrame
        Rows of the event table, each with electrons and muons only.
    """
    figure, drawn, above = _detector()
    slider = frame.slider("event", 0, len(events) - 1, 0)
    answer = frame.control("SelectionSlider", "answer", options=_COVERS, value=_COVERS[0])

    def update(event: int, answer: str) -> frame.Readout:
        row = events.iloc[event]
        process, covered = samples.get(row["sample"]).process, answer == _COVERS[0]
        _show(drawn, row)
        above.set_text("" if covered else process)
        leptons = {
            f"lepton {i}": f"{name(row, i)}, pT {row[f'lep{i}_pt']:.1f} GeV, η {row[f'lep{i}_eta']:.2f}, "
            f"φ {row[f'lep{i}_phi']:.2f}"
            for i in (1, 2, 3, 4)
        }
        pairs = [
            f"leptons {i} and {j}: {row[f'm_ll_{i}{j}']:.1f} GeV"
            for i, j in kinematics.PAIRS
            if row[f"lep{i}_pdgid"] == row[f"lep{j}_pdgid"] and row[f"lep{i}_charge"] != row[f"lep{j}_charge"]
        ]
        answers = {
            "one flavour, opposite charges": "; ".join(pairs) or "no pair",
            "mass of all four": f"{row['m_llll']:.1f} GeV",
            "simulated as": process,
        }
        return leptons | (dict.fromkeys(answers, answer) if covered else answers)

    return frame.Panel(
        "event",
        figure,
        [*chain(*drawn), above],
        {"event": slider, "answer": answer},
        update,
        still={"answer": _COVERS[1]},
        alt="One event. Left, its four leptons seen along the beam: electrons end in the calorimeter, muons cross the "
        "chambers around it. Right, the same leptons as points in pseudorapidity and azimuth, with flavour, charge and "
        "transverse momentum.",
    )
