"""The search itself: limits, the scan for an excess, and how often background alone would look like it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from azh import fits, limits, templates
from azh.events import SIGNAL_CROSS_SECTION, identity
from azh.fits import Fit, Likelihood
from azh.limits import Band
from azh.sensitivity import Significance
from azh.templates import BINS, Modifiers, Search

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]


def likelihood(search: Search, mass: float, modifiers: Modifiers) -> Likelihood:
    """Return the likelihood of a mass (GeV). Raises as `Search.templates` and `Likelihood`."""
    return Likelihood(templates.specification(search.templates(mass), modifiers))


def expected_limit(search: Search, mass: float, modifiers: Modifiers) -> Band:
    """Return the limits on the cross-section (pb) that background alone would give, as `azh.limits.find` finds them."""
    return in_pb(limits.find(likelihood(search, mass, modifiers))[0])


def expected_significance(search: Search, mass: float, cross_section: float, modifiers: Modifiers) -> float:
    """Return the significance that a signal of this cross-section (pb) would have, in the median (Asimov data)."""
    model = likelihood(search, mass, modifiers)
    truth = model.start.copy()
    truth[model.poi] = cross_section / SIGNAL_CROSS_SECTION
    return float(limits.discovery(model, model.expected(truth))[0])


def in_pb(band: Band) -> Band:
    """Return limits on mu as limits on the cross-section (pb)."""
    return Band(*(value * SIGNAL_CROSS_SECTION for value in band))


def floor(search: Search, mass: float) -> float:
    """Return the cross-section (pb) of which 3.0 = −ln 0.05 events are expected in the signal region.

    No limit of 95 % by CLs can be below it, if the side bands, which hold more background, do not help.
    """
    signal = search.templates(mass).regions["signal"]["signal"].expected.sum()
    return float(-np.log(limits.LEVEL) / signal * SIGNAL_CROSS_SECTION)


class Point(NamedTuple):
    """What data say at a mass (GeV): local significance, cross-section with error, and limits (pb)."""

    mass: float
    significance: float
    cross_section: float
    error: float
    limit: float
    expected: Band


def scan(search: Search, data: pd.DataFrame, masses: Iterable[float], modifiers: Modifiers) -> list[Point]:
    """Fit data at each of some masses (GeV): is there an excess, how large is it, and what is excluded?"""
    points = []
    for mass in masses:
        model = likelihood(search, mass, modifiers)
        counts = model.data(search.observed(data, search.templates(mass)))
        free, none = model.fit(counts, least=-np.inf), model.fit(counts, hold=fits.NONE)
        mu, error = free.parameters[0, model.poi], free.errors[0, model.poi]
        z = np.sqrt(max(none.deviance[0] - free.deviance[0], 0)) if mu > 0 else 0.0
        band, limit = limits.find(model, counts)
        cross_section, error, limit = (float(value * SIGNAL_CROSS_SECTION) for value in (mu, error, limit))
        points.append(Point(mass, float(z), cross_section, error, limit, in_pb(band)))
    return points


def largest_excesses(
    search: Search, masses: Iterable[float], modifiers: Modifiers, *, toys: int = 500, seed: int = 0
) -> Floats:
    """Return the largest local significance anywhere, shape (toys,), of experiments that hold background only.

    An experiment is drawn event by event, so that its excesses at neighbouring masses belong together: each simulated
    event is there a Poisson number of times, its rows a Poisson number of times their weight. The first stands for the
    statistics of the simulation. Negative weights count as if positive, and each process is scaled to its yield.
    """
    rng = np.random.default_rng(seed)
    own = _positive(search.background.table, search.scale)
    of_toys = search.reweighted(own["weight"].to_numpy(np.float64))
    inside = own[(own["region"] == "signal").to_numpy()]
    _, event = np.unique(identity(inside), return_inverse=True)
    rows = [
        rng.poisson(inside["weight"].to_numpy() * rng.poisson(1.0, event.max() + 1)[event]).astype(np.int16)
        for _ in range(toys)
    ]
    times = np.stack(rows, axis=1)
    total, largest = times.sum(axis=0, dtype=np.int64), np.zeros(toys)
    for mass in masses:
        made, model = of_toys.templates(mass), likelihood(of_toys, mass, modifiers)
        place = made.bins(of_toys.scores(mass)[0])
        # Nearly all events are in the lowest bin: it has what the others do not have.
        above = np.stack([times[place == i].sum(axis=0, dtype=np.int64) for i in range(1, len(made.edges) - 1)], axis=1)
        counts = {"signal": np.column_stack([total - above.sum(axis=1), above])}
        for region in ("sideband", "emu"):
            expected = made.yields[0, 1:, BINS[region]].sum(axis=0)
            counts[region] = rng.poisson(expected, (toys, len(expected)))
        data = np.concatenate([counts[region] for region in BINS], axis=1)
        largest = np.maximum(largest, limits.discovery(model, data))
    return largest


def _positive(events: pd.DataFrame, scale: float) -> pd.DataFrame:
    size = events["weight"].abs()
    groups = [events["process"], events["region"]]
    total, absolute = (column.groupby(groups, observed=True).transform("sum") for column in (events["weight"], size))
    return events.assign(weight=scale * (size * total / absolute))


def injection(model: Likelihood, cross_section: float, *, experiments: int = 200, seed: int = 0) -> dict[str, float]:
    """Fit experiments that hold a signal of a known cross-section (pb): does the fit find it?

    Returns
    -------
    dict
        ``bias`` and ``pull_width``: mean and standard deviation of (found − true) / error; ``coverage``: the share of
        experiments whose limit of 95 % does not exclude the truth.
    """
    rng, mu = np.random.default_rng(seed), cross_section / SIGNAL_CROSS_SECTION
    truth = model.start.copy()
    truth[model.poi] = mu
    data, centre = model.toys(truth, experiments, rng)
    pull, covered = outcomes(model, data, mu, centre=centre)
    return {"bias": float(pull.mean()), "pull_width": float(pull.std(ddof=1)), "coverage": float(covered.mean())}


def outcomes(
    model: Likelihood, data: Floats, mu: float, *, centre: Floats | None = None
) -> tuple[Floats, NDArray[np.bool_]]:
    """Return each experiment's pull (found − true) / error, and whether its limit spares the truth, shape (n,) each."""
    free = model.fit(data, least=-np.inf, centre=centre)
    pull = (free.parameters[:, model.poi] - mu) / free.errors[:, model.poi]
    if mu == 0:  # which no limit excludes
        return pull, np.ones(len(pull), bool)
    q = limits.tilde(model, data, model.fit(data, centre=centre), mu, centre=centre)
    q_asimov = model.fit(model.expected(model.none), hold={"mu": mu}).deviance
    return pull, limits.cls(q, q_asimov) > limits.LEVEL


def pulls(model: Likelihood, fit: Fit) -> dict[str, tuple[float, float]]:
    """Return for each parameter of the first fit how far it moved, and its error, both in units of its constraint.

    Free normalisations have none: for them it is the value and its error.
    """
    width = np.where(model.is_constrained, model.width, 1)
    centre = np.where(model.is_constrained, model.centre, 0)
    moved, errors = (fit.parameters[0] - centre) / width, fit.errors[0] / width
    return {name: (float(m), float(e)) for name, m, e in zip(model.names, moved, errors, strict=True) if e > 0}


def impacts(model: Likelihood, counts: Floats) -> dict[str, tuple[float, float]]:
    """Return by how much (pb) the fitted cross-section moves when a parameter is held one error below and above its
    fit, the largest first."""
    best = model.fit(counts, least=-np.inf)
    found = {}
    for index, name in enumerate(model.names):
        value, error = best.parameters[0, index], best.errors[0, index]
        if index != model.poi and error > 0:
            moved = [model.fit(counts, least=-np.inf, hold={name: value + sign * error}) for sign in (-1, 1)]
            down, up = (m.parameters[0, model.poi] - best.parameters[0, model.poi] for m in moved)
            found[name] = float(down * SIGNAL_CROSS_SECTION), float(up * SIGNAL_CROSS_SECTION)
    return dict(sorted(found.items(), key=lambda item: -max(map(abs, item[1]))))


def results(
    *,
    expected: Mapping[str, Mapping[float, Band]],
    points: Sequence[Point],
    curves: Mapping[str, Sequence[Significance]],
    closure: Mapping[float, tuple[float, float]],
    injection: Mapping[str, float],
) -> dict[str, Any]:
    """Return all numbers of the project, to be written as JSON; masses (GeV) are keys, limits in pb."""

    def by_band(band: Band) -> dict[str, Any]:
        return {"median": band.median, "band": [band.minus_2, band.minus_1, band.plus_1, band.plus_2]}

    return {
        "expected_limit_pb": {
            model: {f"{mass:g}": by_band(band) for mass, band in bands.items()} for model, bands in expected.items()
        },
        "observed_limit_pb": {f"{point.mass:g}": point.limit for point in points},
        "significance": {
            model: {f"{z.mass:g}": {"value": z.value, "error": z.error} for z in found}
            for model, found in curves.items()
        },
        "closure": {f"{mass:g}": {"value": value, "error": error} for mass, (value, error) in closure.items()},
        "injection": dict(injection),
    }
