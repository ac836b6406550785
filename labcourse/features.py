"""From the event table to what a network takes: the input array, the labels, the weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labcourse import samples
from labcourse.errors import BadInput


class Arrays(NamedTuple):
    """``x`` of shape (n_events, n_inputs), ``y`` and ``weight`` of shape (n_events,), all float32."""

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    weight: NDArray[np.float32]


def labels(events: pd.DataFrame) -> NDArray[np.float32]:
    """Return 1 for events of a signal sample and 0 for background, shape (n_events,).

    Raises BadInput if the table holds collision data, whose label nobody knows.
    """
    roles = events["sample"].map({sample.name: sample.role for sample in samples.CATALOGUE})
    if (roles == "data").any():
        raise BadInput("Collision data have no label.", where="features.labels", next_step="Pass simulated events.")
    return np.asarray(roles.isin(("signal", "twin")), np.float32)


def arrays(events: pd.DataFrame, columns: Sequence[str]) -> Arrays:
    """Return the input array of the given columns, the labels and the weights.

    Raises BadInput if a column does not exist, or as `labels`.
    """
    check_columns(events, columns, "features.arrays")
    x = events[list(columns)].to_numpy(np.float32)
    return Arrays(np.ascontiguousarray(x), labels(events), events["weight"].to_numpy(np.float32))


def check_columns(events: pd.DataFrame, columns: Sequence[str], where: str) -> None:
    """Raise BadInput, with ``where`` in its message, if the event table lacks a column."""
    if missing := [column for column in columns if column not in events]:
        there = f"Its columns are {', '.join(map(str, events.columns))}."
        raise BadInput(f"The event table has no column {', '.join(missing)}.", where=where, next_step=there)
