"""One table for the whole course: what was tried, how well it separates, and by how much it beats one window.

Each chapter writes its own rows as its output ``leaderboard`` and shows them below those of the chapters before. The
baseline of all rows is chapter 1's best window in one variable, its output ``window``. All significances are those of
test events, for which nothing was chosen, weighted to the full luminosity.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course.outputs import Chapter, MissingOutput, StaleOutput
from labcourse import counting, features, metrics, weights
from labcourse.errors import DamagedOutput
from labcourse.plotting.style import with_error

if TYPE_CHECKING:
    import pandas as pd


def baseline(chapter: Chapter, test: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which test events pass the best single window of chapter 1, shape (n_events,); raises as `read_table`."""
    variable, low, high = chapter.read_table(1, "window")[["variable", "low", "high"]].iloc[0]
    return test[variable].between(low, high, inclusive="left").to_numpy()


def row(
    what: str,
    test: pd.DataFrame,
    passes: ArrayLike,
    window: ArrayLike,
    *,
    inputs: str,
    parameters: int,
    score: ArrayLike | None = None,
    validation_loss: float = np.nan,
) -> dict[str, Any]:
    """Return a row of the table; Z is the median significance expected (`counting.asimov`).

    Parameters
    ----------
    what, inputs, parameters : str, str, int
        What was tried and what it looks at, in two or three words each; how many numbers were chosen or trained.
    test : DataFrame
        Test events, weighted to the full luminosity (`weights.match_yields`).
    passes, window : array_like of bool, shape (n_events,)
        Which of them the selection keeps, its cut chosen elsewhere; and which the `baseline` keeps.
    score : array_like, shape (n_events,), optional
        Of the test events: without it there is no AUC.
    validation_loss : float, optional
        Cross-entropy of the validation events with balanced weights.
    """
    is_signal, weight = features.labels(test) == 1, metrics.column(test, "weight")
    s, b = (weight[np.asarray(passes, dtype=bool) & own] for own in (is_signal, ~is_signal))
    unseen = weights.one_more(weight[~is_signal], test["sample"][~is_signal])
    errors = np.sqrt(np.sum(s**2)), np.hypot(np.sqrt(np.sum(b**2)), unseen)
    z, z_error = counting.with_error(counting.asimov, s.sum(), b.sum(), *errors)
    gain, gain_error = difference(test, passes, window)
    measured = {"auc": np.nan if score is None else metrics.auc(test, score), "gain": gain, "gain_error": gain_error}
    measured |= {"z": float(z), "z_error": float(z_error), "validation_loss": validation_loss}
    return {"what": what, "inputs": inputs, "parameters": parameters} | measured


def difference(test: pd.DataFrame, first: ArrayLike, second: ArrayLike, *, replicas: int = 300) -> tuple[float, float]:
    """Return by how much the first selection's Z exceeds the second's on the same test events, and its error.

    The error is the spread over bootstrap replicas, in each of which every event occurs a Poisson number of times, in
    both selections alike, so that the luck that they share cancels. It knows nothing of the luck of a training.
    """
    label, weight = features.labels(test), metrics.column(test, "weight")
    masks = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    counted = np.column_stack([weight * mask * (label == kind) for kind in (1, 0) for mask in masks])
    counted = counted[counted.any(axis=1)]
    rng = np.random.default_rng(0)
    sums = np.array([counted.sum(axis=0), *(rng.poisson(1.0, len(counted)) @ counted for _ in range(replicas))])
    z = counting.asimov(sums[:, :2], sums[:, 2:])
    gain = z[:, 0] - z[:, 1]
    return float(gain[0]), float(np.nanstd(gain[1:]))


def show(chapter: Chapter) -> pd.DataFrame:
    """Return the rows of this chapter below those of earlier ones that were run, as texts; raises as `read_table`."""
    import pandas as pd

    tables = {chapter.number: chapter.read_table(chapter.number, "leaderboard")}
    for number in range(1, chapter.number):
        with contextlib.suppress(MissingOutput, StaleOutput, DamagedOutput):
            tables[number] = chapter.read_table(number, "leaderboard")
    whole = pd.concat({number: tables[number] for number in sorted(tables)}, names=["chapter"]).droplevel(1)
    shown = whole[["what", "inputs"]].copy()
    shown["parameters"] = whole["parameters"].map("{:,.0f}".format)
    for name, title in (("validation_loss", "validation loss"), ("auc", "AUC")):
        shown[title] = whole[name].map("{:.3f}".format).replace("nan", "–")
    for name, title in (("z", "Z"), ("gain", "Z minus that of the window")):
        pairs = zip(whole[name], whole[f"{name}_error"], strict=True)
        shown[title] = [with_error(value, error) if value else "–" for value, error in pairs]
    return shown
