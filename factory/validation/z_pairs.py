"""The two lepton pairs of an event that are like the two Z bosons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from factory.matrix_element import Z_MASS
from labcourse import kinematics

if TYPE_CHECKING:
    import pandas as pd


def z_pair_masses(events: pd.DataFrame) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Masses of the two lepton pairs of each event: the one nearest the Z mass, and the other.

    A pair has the same flavour and opposite charges. Where no such pair exists, both masses are NaN.

    Returns
    -------
    m_z1, m_z2 : ndarray, shape (n_events,)
        In GeV.
    """
    charge, flavour = kinematics.lepton_arrays(events, "charge"), kinematics.lepton_arrays(events, "pdgid")
    first = np.full(len(events), np.nan, np.float32)
    second = first.copy()
    nearest = np.full(len(events), np.inf)
    for i, j in kinematics.PAIRS:
        k, m = sorted({1, 2, 3, 4} - {i, j})
        fits = (charge[:, i - 1] == -charge[:, j - 1]) & (flavour[:, i - 1] == flavour[:, j - 1])
        pair = events[f"m_ll_{i}{j}"].to_numpy()
        better = fits & (np.abs(pair - Z_MASS) < nearest)
        nearest[better] = np.abs(pair - Z_MASS)[better]
        first[better] = pair[better]
        second[better] = events[f"m_ll_{k}{m}"].to_numpy()[better]
    return first, second
