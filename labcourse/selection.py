"""Which events the analysis keeps: flavour and charge of the four leading leptons.

Two Z bosons decay to two pairs, each of one flavour and opposite charges. Four such leptons have total
charge zero and are eeee, eeµµ or µµµµ.

The files of 2025 were made without trigger, identification or isolation: nearly all of their 1.36 million events of
collision data are fakes. So events with the columns `ntuple.OBJECTS` have to pass more requirements before, those of
the release's own example.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labcourse.errors import EmptySelection

CHANNELS = {44: "eeee", 48: "eeµµ", 52: "µµµµ"}
"""Sum of the four absolute PDG codes (11 for an electron, 13 for a muon), and what it means."""


def is_flavour_allowed(events: pd.DataFrame) -> NDArray[np.bool_]:
    """Whether the four leptons are eeee, eeµµ or µµµµ, shape (n_events,)."""
    return np.isin(_lepton_sum(events, "pdgid"), list(CHANNELS))


def is_neutral(events: pd.DataFrame) -> NDArray[np.bool_]:
    """Whether the charges of the four leptons add up to zero, shape (n_events,)."""
    return np.equal(_lepton_sum(events, "charge"), 0)


def requirements(events: pd.DataFrame) -> dict[str, NDArray[np.bool_]]:
    """Return which events pass each requirement, shape (n_events,), in the order of the cut flow."""
    masks = {}
    if "trigger" in events:
        pt = [events[f"lep{i}_pt"].to_numpy() for i in (1, 2, 3)]
        masks = {"trigger": events["trigger"].to_numpy(), "matched lepton": events["matched"].to_numpy()}
        masks["pT 20, 15, 10 GeV"] = (pt[0] > 20) & (pt[1] > 15) & (pt[2] > 10)
        for quality in ("isolated", "identified"):
            masks[f"all {quality}"] = _lepton_sum(events, quality) == 4
    return masks | {"flavour": is_flavour_allowed(events), "charge": is_neutral(events)}


def preselect(events: pd.DataFrame) -> pd.DataFrame:
    """Return the events that pass all `requirements`, renumbered from 0.

    Raises EmptySelection if none does.
    """
    kept = events[np.logical_and.reduce(list(requirements(events).values()))]
    if kept.empty:
        raise EmptySelection(
            f"None of {len(events)} events passes the preselection.",
            where="selection.preselect",
            next_step="Look at the flavours and charges of the table: are these 4-lepton events with all columns?",
        )
    return kept.reset_index(drop=True)


def cut_flow(events: pd.DataFrame) -> pd.DataFrame:
    """Count what each requirement leaves, raw and expected.

    The table has rows ``four leptons``, and `requirements` (each after the ones before), columns ``raw`` (events)
    and ``expected`` (sum of weights).
    """
    passed, weight, rows = np.ones(len(events), bool), events["weight"].to_numpy(np.float64), {}
    for cut, mask in {"four leptons": passed, **requirements(events)}.items():
        passed = passed & mask
        rows[cut] = {"raw": int(passed.sum()), "expected": weight[passed].sum()}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("cut")


def yields(events: pd.DataFrame) -> pd.DataFrame:
    """Count the events of each sample.

    The table has the index ``sample`` (those present, in the order of the catalogue), columns ``raw`` (events),
    ``expected`` (sum of weights) and ``error`` (its statistical error, the root of the sum of squared weights).
    """
    weight = events["weight"].astype(np.float64)
    grouped = weight.groupby(events["sample"], observed=True)
    table = pd.DataFrame({"raw": grouped.count(), "expected": grouped.sum()})
    table["error"] = np.sqrt((weight**2).groupby(events["sample"], observed=True).sum())
    return table


def _lepton_sum(events: pd.DataFrame, quantity: str) -> NDArray[np.float32]:
    """Sum a quantity over the four leptons, column by column: no array of all four is made."""
    return np.add.reduce([events[f"lep{i}_{quantity}"].to_numpy(np.float32) for i in (1, 2, 3, 4)])
