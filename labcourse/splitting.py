"""Training, validation and test events, decided by what an event *is*.

An event's side follows from its run number, its event number and a seed, through a hash. It does not
depend on the order of the table, on the other events in it, or on which chapter asks: an event that
trained a network in one chapter can never test it in another.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labcourse.errors import BadInput

SEED = 2024
"""The course's seed for the split into training and test events."""


class Split(NamedTuple):
    """Two disjoint parts of an event table, in their original order and renumbered from 0."""

    train: pd.DataFrame
    test: pd.DataFrame


def uniform(events: pd.DataFrame, *, seed: int = SEED, salt: str = "") -> NDArray[np.float64]:
    """Return a number in [0, 1) for each event that depends on its identity, ``seed`` and ``salt`` only.

    ``events`` needs the columns ``run`` and ``event``; ``salt`` says what the numbers, shape (n_events,), are for.
    Those of another purpose or another seed are independent. The mixing function is the finaliser of SplitMix64
    (Steele, Lea, Flood, OOPSLA 2014).
    """
    state = np.full(len(events), seed % 2**64, np.uint64)
    # Text becomes a number by its bytes: Python's own hash changes from process to process.
    text = np.frombuffer(salt.encode().ljust(-8 * (-len(salt.encode()) // 8), b"\0"), "<u8")
    parts = [*text, *(events[name].to_numpy(np.int64).astype(np.uint64) for name in ("run", "event"))]
    for part in parts:
        state = (state + np.uint64(0x9E3779B97F4A7C15)) ^ part
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state = state ^ (state >> np.uint64(31))
    return (state >> np.uint64(11)).astype(np.float64) * 2.0**-53


def split(events: pd.DataFrame, *, train_fraction: float = 0.6, seed: int = SEED) -> Split:
    """Divide events into training and test events.

    Raises BadInput if ``train_fraction`` is not strictly between 0 and 1.
    """
    return _divide(events, train_fraction, uniform(events, seed=seed, salt="test") < train_fraction)


def validation_split(events: pd.DataFrame, *, validation_fraction: float = 1 / 3, seed: int = SEED) -> Split:
    """Divide training events into those that train (``.train``) and those that validate (``.test``).

    Independent of `split`: take the training events of it, and divide them again. Raises as `split`.
    """
    is_training = uniform(events, seed=seed, salt="validation") >= validation_fraction
    return _divide(events, validation_fraction, is_training)


def folds(events: pd.DataFrame, k: int, *, seed: int = SEED) -> NDArray[np.int64]:
    """Return the number of the fold, 0 … k−1, of each event, shape (n_events,).

    Raises BadInput if ``k`` is less than 2.
    """
    if k < 2:
        raise BadInput(f"k = {k} folds.", where="splitting.folds", next_step="Use two folds or more.")
    return (uniform(events, seed=seed, salt="fold") * k).astype(np.int64)


def _divide(events: pd.DataFrame, fraction: float, in_first: NDArray[np.bool_]) -> Split:
    if not 0 < fraction < 1:
        what = f"The fraction is {fraction}."
        raise BadInput(what, where="labcourse.splitting", next_step="Use a number between 0 and 1.")
    return Split(events[in_first].reset_index(drop=True), events[~in_first].reset_index(drop=True))
