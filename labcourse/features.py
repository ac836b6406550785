"""From the event table to what a network takes: the input array, the labels, the weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labcourse import samples
from labcourse.errors import BadInput

if TYPE_CHECKING:
    import pandas as pd


class Arrays(NamedTuple):
    """``x`` of shape (n_events, n_inputs), ``y`` and ``weight`` of shape (n_events,), all float32."""

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    weight: NDArray[np.float32]


def labels(events: pd.DataFrame) -> NDArray[np.float32]:
    """Return 1 for events of a signal sample and 0 for background, shape (n_events,).

    Raises
    ------
    BadInput
        If the table holds collision data, whose label nobody knows.
    """
    if (events["sample"] == "data").any():
        raise BadInput(
            "Collision data have no label.", where="features.labels", next_step="Pass simulated events only."
        )
    return np.asarray(events["sample"].isin(samples.SIGNAL), np.float32)


def arrays(events: pd.DataFrame, columns: Sequence[str]) -> Arrays:
    """Return the input array of the given columns, the labels and the weights.

    Raises
    ------
    BadInput
        If a column does not exist, or as `labels`.
    """
    missing = [column for column in columns if column not in events]
    if missing:
        raise BadInput(
            f"The event table has no column {', '.join(missing)}.",
            where="features.arrays",
            next_step=f"Its columns are {', '.join(events.columns)}.",
        )
    x = events[list(columns)].to_numpy(np.float32)
    return Arrays(np.ascontiguousarray(x), labels(events), events["weight"].to_numpy(np.float32))
