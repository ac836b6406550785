"""Events to leaf through, one at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from course.interactive import frame
from labcourse import kinematics, samples
from labcourse.errors import EmptySelection
from labcourse.plotting.event_display import EventDisplay, name

if TYPE_CHECKING:
    import pandas as pd


def event(events: pd.DataFrame, *, start: int = 0) -> frame.Panel:
    """Pick an event, and see its leptons, the pairs that could be a Z boson, and what it was simulated as.

    Parameters
    ----------
    events : DataFrame
        Rows of the event table, each with electrons and muons only.
    start : int
        The row that is shown at first.

    Raises
    ------
    EmptySelection
        If there are no events.
    BadInput
        If there is no such row.
    """
    if events.empty:
        raise EmptySelection("There are no events to show.", where="interactive.event", next_step="Select fewer away.")
    display = EventDisplay()
    slider = frame.slider("event", 0, len(events) - 1, start)

    def update(event: int) -> frame.Readout:
        row = events.iloc[event]
        display.show(row)
        leptons = {
            f"lepton {i}": f"{name(row, i)}, pT {row[f'lep{i}_pt']:.1f} GeV, η {row[f'lep{i}_eta']:.2f}, "
            f"φ {row[f'lep{i}_phi']:.2f}".replace("-", "−")
            for i in (1, 2, 3, 4)
        }
        pairs = [
            f"leptons {i} and {j}: {row[f'm_ll_{i}{j}']:.1f} GeV"
            for i, j in kinematics.PAIRS
            if row[f"lep{i}_pdgid"] == row[f"lep{j}_pdgid"] and row[f"lep{i}_charge"] != row[f"lep{j}_charge"]
        ]
        return {
            **leptons,
            "one flavour, opposite charges": "; ".join(pairs) or "no pair",
            "mass of all four": f"{row['m_llll']:.1f} GeV",
            "simulated as": samples.get(row["sample"]).process,
        }

    return frame.Panel(
        "event",
        display.figure,
        display.moving,
        {"event": slider},
        update,
        alt="One event. Left, its four leptons seen along the beam: electrons end in the calorimeter, muons cross the "
        "chambers around it. Right, the same leptons as points in pseudorapidity and azimuth, with flavour, charge and "
        "transverse momentum.",
    )
