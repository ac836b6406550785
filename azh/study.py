"""What a classifier finds, mass by mass: significances and limits, always on test events."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from azh.events import MASSES, TRAINING_MASSES, Parts, at_mass, is_outside, is_signal
from azh.limits import Limit, expected_limit, for_limit
from azh.methods import Classifier
from azh.sensitivity import Binned, binned_significance, histogram, identity

if TYPE_CHECKING:
    import pandas as pd

PUBLISHED_LIMITS = {300.0: 0.31, 1400.0: 4.29e-3, 2000.0: 8.4e-3}
"""Expected limits in pb of R. Herencia, QMUL report 2022, with a background uncertainty of 20 %."""


class Point(NamedTuple):
    """A significance at a mass, and whether the network had to extrapolate to it."""

    mass: float
    value: float
    error: float
    outside: bool


def significances(
    classify: Classifier,
    test: pd.DataFrame,
    masses: Iterable[float] = MASSES,
    *,
    trained: tuple[float, ...] = TRAINING_MASSES,
    seed: int = 0,
) -> list[Point]:
    """Return the binned significance at each mass.

    Raises
    ------
    EmptySelection
        If there is no signal of a mass.

    Warns
    -----
    UserWarning
        If a mass lies outside the trained range; ``Point.outside`` says so, too.
    """
    points = []
    for mass in masses:
        events = at_mass(test, mass, trained=trained)
        value = binned_significance(classify(events), events, seed=seed)
        points.append(Point(float(mass), *value, is_outside(mass, trained)))
    return points


class Limits(NamedTuple):
    """Expected limits at a mass in pb: by the shape of the score, and by counting events above one cut."""

    mass: float
    shape: Limit
    counting: Limit
    cut: float


def limits(classify: Classifier, parts: Parts, mass: float, *, background_uncertainty: float = 0.2) -> Limits:
    """Return the expected limits at a mass from test events, weighed up to all events.

    The cut of the count is chosen on validation events, weighed up as well: the one with the best s/√(b + σ²), where
    σ is the ``background_uncertainty``, a share of b, among those that leave 25 background events.

    Raises
    ------
    EmptySelection
        If there is no signal of this mass.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # said by `significances` already
        validation, test = (at_mass(part, mass) for part in (parts.validation, parts.test))
    validation, test = (part.assign(weight=full_weights(parts, part, mass)) for part in (validation, test))
    score, cut = classify(test), _best_cut(classify(validation), validation, background_uncertainty)
    shape, count = for_limit(score, test), histogram(score, test, edges=np.array([0.0, cut, 1.0]))
    above = Binned(count.edges[-2:], *(column[-1:] for column in count[1:]))
    limit = partial(expected_limit, background_uncertainty=background_uncertainty)
    return Limits(float(mass), limit(shape), limit(above), cut)


def full_weights(parts: Parts, events: pd.DataFrame, mass: float) -> NDArray[np.float64]:
    """Return weights of a part at a mass (GeV) that give each process the yield of all three parts."""

    number = len(events["process"].cat.categories)

    def yields(*tables: pd.DataFrame) -> NDArray[np.float64]:
        chosen = [table[np.isin(table["m_a_true"], (0, mass))] for table in tables]
        return np.sum([np.bincount(table["process"].cat.codes, table["weight"], number) for table in chosen], axis=0)

    # A process of which nothing is among these events is not weighed up.
    present = yields(events)
    factor = np.divide(yields(*parts), present, out=np.ones(number), where=present != 0)
    return events["weight"].to_numpy(np.float64) * factor[events["process"].cat.codes]


def _best_cut(score: NDArray[np.floating], events: pd.DataFrame, uncertainty: float) -> float:
    label, weight = is_signal(events), events["weight"].to_numpy()
    # A cut above which the simulation hardly knows the background is no choice: the hardest one leaves 25 events.
    order = np.argsort(-score[~label])
    _, first = np.unique(identity(events)[~label][order], return_index=True)
    hardest = score[~label][order][np.sort(first)][:25][-1]
    cuts = np.unique(np.quantile(score[label], np.linspace(0.05, 0.9, 18)))
    best, best_cut = -1.0, float(min(cuts[0], hardest))
    for cut in cuts[cuts <= hardest]:
        above = score >= cut
        s, b = weight[above & label].sum(), weight[above & ~label].sum()
        if b > 0 and (figure := s / np.sqrt(b + (uncertainty * b) ** 2)) > best:
            best, best_cut = float(figure), float(cut)
    return best_cut


def results(
    curves: Mapping[str, Iterable[Point]], scaling: Mapping[float, Iterable[Point]], found: Iterable[Limits]
) -> dict[str, Any]:
    """Return all numbers of the project, to be written as JSON.

    ``significance`` by model and mass with its uncertainty, ``signal_scaling`` by k and mass, ``limits_pb`` by
    mass with the band; masses in GeV are keys.
    """

    def by_mass(points: Iterable[Point]) -> dict[str, Any]:
        return {
            f"{point.mass:g}": {"value": point.value, "uncertainty": point.error, "extrapolated": point.outside}
            for point in points
        }

    return {
        "significance": {model: by_mass(points) for model, points in curves.items()},
        "signal_scaling": {f"{k:g}": by_mass(points) for k, points in scaling.items()},
        "limits_pb": {
            f"{limit.mass:g}": limit.shape._asdict() | {"one_bin": limit.counting._asdict()} for limit in found
        },
    }
