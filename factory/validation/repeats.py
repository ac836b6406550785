"""Pairs of leptons that are in several events of a sample of the release: pile-up collisions overlaid more than once.

ATLAS overlays simulated events with pile-up collisions from a finite store. A rare collision with two leptons of its
own turns every Z → ℓℓ event that it is overlaid on into a four-lepton event, so that the same two leptons are in up to
48 of the 257 preselected events of Zmumu. Such events are not independent of each other. With them, even the azimuth
of the fourth lepton, which can only be flat, differs from a flat one with a probability of 1e-7. Collision data have
none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from labcourse.kinematics import PAIRS, lepton_arrays

if TYPE_CHECKING:
    import pandas as pd

DISTANCE = 0.005
"""How far apart in η and φ the same lepton may be found twice, since the tracks around it differ."""
MANY = 50_000
"""In a larger sample no pair has weight, chance finds some, and looking for them takes long: none are looked for."""


def groups(events: pd.DataFrame) -> NDArray[np.intp]:
    """Number the groups of events that share two leptons, shape (n_events,); most events are a group of their own.

    Two leptons are shared if flavours and charges are the same and their four coordinates η, φ agree within `DISTANCE`.
    """
    if len(events) > MANY:
        return np.arange(len(events))
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import KDTree

    directions = np.stack([lepton_arrays(events, "eta"), lepton_arrays(events, "phi")], axis=2)
    kind = lepton_arrays(events, "pdgid") * lepton_arrays(events, "charge")
    points = []
    for i, j in PAIRS:
        pair = [i - 1, j - 1]
        # Ordered by kind: which of the two has the larger momentum may differ.
        order = np.argsort(kind[:, pair], axis=1)
        where = np.take_along_axis(directions[:, pair], order[:, :, None], axis=1)
        points.append(np.hstack([where.reshape(-1, 4), np.sort(kind[:, pair], axis=1)]))
    shared = KDTree(np.concatenate(points)).query_pairs(DISTANCE, p=np.inf, output_type="ndarray") % len(events)
    links = coo_array((np.ones(len(shared)), tuple(shared.T)), shape=(len(events), len(events)))
    return np.asarray(connected_components(links, directed=False)[1], np.intp)
