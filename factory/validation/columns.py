"""What the comparison adds to an event table: Z bosons, channel, relative isolation, groups of alike events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from labcourse.kinematics import PAIRS, lepton_arrays, z_masses

if TYPE_CHECKING:
    import pandas as pd

ISOLATION = tuple(f"lep{i}_{name}/pt" for name in ("ptcone30", "etcone20") for i in (1, 2, 3, 4))
DISTANCE = 0.005
"""How far apart in η and φ the same lepton may be found twice, since the tracks around it differ."""
MANY = 50_000
"""In a larger sample no pair has weight, chance finds some, and looking for them takes long: none are looked for."""


def added(events: pd.DataFrame) -> pd.DataFrame:
    """Return the events with the columns ``m_z1``, ``m_z2``, ``channel`` (sum of PDG codes) and `ISOLATION`.

    Isolation is left out where the events have none.
    """
    masses = z_masses(events)
    first, second = np.where(masses > 0, masses, np.nan)  # an event of ee and µµ may have none
    channel = lepton_arrays(events, "pdgid").sum(axis=1)
    columns: dict[str, Any] = {"m_z1": first, "m_z2": second, "channel": channel}
    for variable in ISOLATION:
        if (around := variable.removesuffix("/pt")) in events:
            columns[variable] = events[around] / events[f"{variable[:4]}_pt"]
    return events.assign(**columns)


def groups(events: pd.DataFrame) -> NDArray[np.intp]:
    """Number the groups of events that share two leptons, shape (n_events,); most events are a group of their own.

    Two leptons are shared if flavours and charges are the same and their four coordinates η, φ agree within `DISTANCE`.
    ATLAS overlays simulated events with pile-up collisions from a finite store. A rare collision with two leptons of
    its own turns every Z → ℓℓ event that it is overlaid on into a four-lepton event, so that the same two leptons are
    in up to 48 of the 257 preselected events of Zmumu: with them, even the azimuth of the fourth lepton, which can only
    be flat, differs from a flat one with a probability of 1e-7. Collision data have none.
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
