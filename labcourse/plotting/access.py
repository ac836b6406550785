"""From event tables to the arrays that are drawn, with the checks on what was handed over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labcourse import features, samples
from labcourse.errors import BadInput, EmptySelection
from labcourse.plotting.statistics import Separation, roc_curve, separation_of, shape
from labcourse.plotting.style import usual_span

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Scored: TypeAlias = "tuple[pd.DataFrame, ArrayLike] | tuple[pd.DataFrame, ArrayLike, ArrayLike]"
"""An event table with its scores, and the weights to use if not those of the table."""


def column_of(events: pd.DataFrame, column: str) -> Array:
    """Return one column of an event table as float64, shape (n_events,).

    Raises
    ------
    EmptySelection
        If the table has no event.
    BadInput
        If it has no such column, or the column holds NaN or infinite values.
    """
    if not len(events):
        raise EmptySelection("There are no events to draw.", where="plotting", next_step="Check the selection before.")
    if column not in events:
        raise BadInput(
            f"The event table has no column {column}.",
            where="plotting",
            next_step=f"Its columns are {', '.join(map(str, events.columns))}.",
        )
    values = events[column].to_numpy(dtype=np.float64)
    if not np.isfinite(values).all():
        raise BadInput(
            f"The column {column} holds {np.count_nonzero(~np.isfinite(values))} values that are not finite.",
            where="plotting",
            next_step="Find them with `events[~np.isfinite(events[column])]`.",
        )
    return values


def scores_of(events: pd.DataFrame, score: ArrayLike) -> Array:
    """Return the scores of events as float64 of shape (n_events,); (n_events, 1), as Keras predicts, is accepted.

    Raises
    ------
    BadInput
        If there is not one finite score an event.
    EmptySelection
        If there are no events.
    """
    array = np.asarray(score, dtype=np.float64)
    if not len(events):
        raise EmptySelection("There are no events to draw.", where="plotting", next_step="Check the selection.")
    if array.shape not in {(len(events),), (len(events), 1)} or not np.isfinite(array).all():
        raise BadInput(
            f"Expected one finite score for each of {len(events)} events. Received shape {array.shape}.",
            where="score",
            next_step="Predict the score from the same table that you draw.",
        )
    return array.reshape(-1)


def process_of(events: pd.DataFrame) -> NDArray[Any]:
    """Return the process of each event (``Higgs``, ``ZZ``, …), shape (n_events,)."""
    codes, names = events["sample"].factorize()
    if (codes < 0).any():
        raise BadInput("An event belongs to no sample.", where="sample", next_step="Read the table with `ntuple`.")
    return np.array([samples.get(str(name)).process for name in names])[codes]


def edges_of(column: str, values: Array, bins: int | ArrayLike, span: tuple[float, float] | None) -> Array:
    """Return bin edges: as given, or ``bins`` equal ones over ``span`` (default: usual for the column)."""
    if not isinstance(bins, int | np.integer):
        edges = np.asarray(bins, dtype=np.float64)
        if edges.ndim != 1 or len(edges) < 2 or not (np.diff(edges) > 0).all():
            raise BadInput("Bin edges must rise.", where="bins", next_step="Give a number of bins, or rising edges.")
        return edges
    low, high = span or usual_span(column) or (float(q) for q in np.quantile(values, [0.0, 0.99]))
    if not (np.isfinite([low, high]).all() and bins > 0):
        raise BadInput("Bins need a finite range and at least one bin.", where=f"bins={bins}, span={span}")
    if column == "jet_n" and span is None:
        return np.arange(-0.5, 8)
    if high <= low:
        low, high = low - 0.5, low + 0.5
    return np.linspace(low, high, int(bins) + 1)


def weights_of(events: pd.DataFrame, weight: ArrayLike | None = None) -> Array:
    """Return the weights given, or those of the table, shape (n_events,)."""
    array = np.asarray(events["weight"] if weight is None else weight, dtype=np.float64)
    if array.shape != (len(events),) or not np.isfinite(array).all():
        raise BadInput(
            f"Expected one finite weight for each of {len(events)} events. Received shape {array.shape}.",
            where="weight",
            next_step="Leave it out to use the weights of the table.",
        )
    return array


def unpack(scored: Scored) -> tuple[NDArray[np.float32], Array, Array]:
    """Return label, score and weight, each of shape (n_events,)."""
    if not (isinstance(scored, tuple) and len(scored) in (2, 3)):
        raise BadInput(
            "Expected (events, score) or (events, score, weight).",
            where="plotting",
            next_step="Put the event table and its scores into one pair of parentheses.",
        )
    events, score = scored[0], scores_of(scored[0], scored[1])
    weight = weights_of(events, scored[2] if len(scored) == 3 else None)
    return features.labels(events), score, weight


def separation(
    events: pd.DataFrame, column: str, *, bins: int | ArrayLike = 40, span: tuple[float, float] | None = None
) -> Separation:
    """Return the separation of signal and background in one variable, ⟨S²⟩ = ½ ∫ (s − b)² / (s + b).

    s and b are the two distributions, each normalised to one. Every finite sample gives more than 0:
    ``noise`` estimates how much, from the statistical errors, so that a value near it means "none".
    (The definition is that of TMVA, arXiv:physics/0703039.)

    Raises
    ------
    EmptySelection, BadInput
        If a class has no events in the range, or the column does not exist or is not finite.
    """
    values = column_of(events, column)
    edges = edges_of(column, values, bins, span)
    label, weight = features.labels(events), weights_of(events)
    signal, background = (shape(values[label == y], weight[label == y], edges) for y in (1, 0))
    return separation_of(signal, background)


def auc(events: pd.DataFrame, score: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Return the area under the ROC curve of simulated events, with their weights (see `roc_curve`)."""
    return roc_curve(*unpack((events, score) if weight is None else (events, score, weight))).auc
