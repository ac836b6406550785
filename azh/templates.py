"""What a model of the search is made of: expected events of each process, in bins, for any mass of A.

Three regions enter. ``signal`` is binned in a classifier's score (or in any other variable, such as m_Zh), ``sideband``
has two bins, below and above the window of m_bb, ``emu`` one. Each process knows its statistical variance, and what
changes when jets have another energy or when b jets are tagged more or less often.

The bins of the score hold *equal parts of the signal*, so that nothing depends on how a score is stretched. Between
two masses that were simulated, the signal is interpolated (A. L. Read, Nucl. Instrum. Meth. A 425 (1999) 357): edges
that hold the same share of the signal move in a straight line from one mass to the next, as does the logarithm of the
yield.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from azh.events import MISSING, PROCESSES, REGIONS, SIDEBANDS, WINDOW, identity, is_signal
from azh.sensitivity import N_BINS, Classifier, precise_bins
from labcourse.errors import BadInput

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[Any]
Integers = NDArray[Any]
Modifiers = Callable[[str, str, "Histogram"], list[dict[str, Any]]]

JET_ENERGY = 0.02
"""One standard deviation of the energy of all jets together, relative."""
LUMINOSITY_ERROR = 0.017
"""Relative, of the luminosity of 2015 to 2018 (ATLAS-CONF-2019-021)."""


class Histogram(NamedTuple):
    """One process in one region: expected events, shape (n_bins,), their variance (sums of squared weights), and the
    expected events for each variation, one standard deviation down and up."""

    expected: Floats
    variance: Floats
    variations: dict[str, tuple[Floats, Floats]]


class Templates(NamedTuple):
    """All histograms of a mass: by region, then by process; the signal's for 0.05 pb. ``edges`` are those of the bins
    of the signal region, shape (n_bins + 1,), from −∞ to ∞."""

    mass: float
    edges: Floats
    regions: dict[str, dict[str, Histogram]]


def shift_jets(events: pd.DataFrame, factor: float) -> pd.DataFrame:
    """Return the events as they were if all jets had ``factor`` times their energy.

    With all four components of both b jets multiplied, m_bb and their pT scale alike, and from
    m_Zh² = m_ℓℓ² + m_bb² + 2 p(ℓℓ)·p(bb) follows the new m_Zh. Events move between regions and out of them; what
    would come in from below 75 GeV was never kept, and the missing transverse energy stays as it is.
    """
    square = events["m_zh"] ** 2
    mixed = square - events["m_ll"] ** 2 - events["m_bb"] ** 2
    scaled = {name: events[name] * factor for name in ("m_bb", "pt_b1", "pt_b2", "pt_h")}
    third = events["pt_j3"]
    shifted = events.assign(
        **scaled,
        m_zh=np.sqrt(events["m_ll"] ** 2 + (factor * events["m_bb"]) ** 2 + factor * mixed),
        pt_j3=third.where(third == MISSING, third * factor),
    )
    m_bb, is_emu = shifted["m_bb"].to_numpy(), (events["region"] == "emu").to_numpy()
    in_window, beside = (_within(m_bb, ranges) for ranges in (WINDOW, SIDEBANDS))
    where = [is_emu & in_window, in_window & ~is_emu, beside & ~is_emu]
    region = np.select(where, ["emu", "signal", "sideband"], "none")
    return shifted.assign(region=region)[(region != "none") & (shifted["pt_b1"] > 45).to_numpy()]


def b_tagging(events: pd.DataFrame, direction: float) -> Floats:
    """Return the factor of each weight, shape (n_events,), when b jets are tagged more (+1) or less often (−1).

    A jet's efficiency is known to 2 % up to 100 GeV of transverse momentum, and worse above, to 10 % from 500 GeV on.
    """
    factor = np.ones(len(events))
    for name in ("pt_b1", "pt_b2"):
        factor *= 1 + direction * np.interp(events[name].to_numpy(float), [100, 500], [0.02, 0.1])
    return factor


class Search:
    """Simulated events with a classifier: gives the templates of any mass, and the counts of data in the same bins.

    Parameters
    ----------
    events : DataFrame
        Of all regions, with the columns of `azh.events`.
    classify : callable
        Events with the column ``m_a`` → a number each, shape (n_events,); it bins the signal region. A network must not
        have been trained with these events (`azh.cross` judges each event by the one that has not seen it).
    n_bins : int
        Bins of equal signal, before merging.
    scale : float
        Factor of all weights: 2 where these are half of the events that were simulated.
    signal : Search, optional
        Whose signal to take where ``events`` are background only.
    """

    def __init__(
        self,
        events: pd.DataFrame,
        classify: Classifier,
        *,
        n_bins: int = N_BINS,
        scale: float = 1.0,
        signal: Search | None = None,
    ) -> None:
        self.classify, self.n_bins = classify, n_bins
        events = events.assign(weight=events["weight"].to_numpy(np.float64) * scale)
        versions = [events, *(shift_jets(events, 1 + sign * JET_ENERGY) for sign in (-1, 1))]
        self._background = [_Rows.of(version[~is_signal(version)]) for version in versions]
        self._made: dict[float, Templates] = {}
        self._simulated: dict[float, tuple[Floats, dict[str, dict[str, Histogram]]]] = {}
        if signal is not None:
            self._simulated |= signal._simulated
        for mass in sorted(set(events["m_a_true"][is_signal(events)])):
            own = [_Rows.of(version[version["m_a_true"] == mass]) for version in versions]
            scores = [self._score(rows.inside, mass) for rows in own]
            edges = np.quantile(scores[0], np.arange(1, n_bins) / n_bins, method="higher")
            self._simulated[float(mass)] = edges, self._fill(own, scores, edges)

    def templates(self, mass: float) -> Templates:
        """Return the templates of a mass (GeV), simulated or between two that were.

        Raises
        ------
        BadInput
            If the mass lies outside the range of the simulated ones.
        """
        if mass in self._made:
            return self._made[mass]
        edges, signal = self._signal(mass)
        scores = [self._score(rows.inside, mass) for rows in self._background]
        regions = {
            name: {"signal": signal[name]["signal"]} | {p: h for p, h in histograms.items() if p != "signal"}
            for name, histograms in self._fill(self._background, scores, edges).items()
        }
        background = [h for process, h in regions["signal"].items() if process != "signal"]
        expected, variance = (np.sum(columns, axis=0) for columns in zip(*(h[:2] for h in background), strict=True))
        starts, missing, missing_variance = precise_bins(expected, variance)
        merged = {process: _merged(h, starts) for process, h in regions["signal"].items()}
        # What may come although the simulation has none is of the most frequent process.
        own = merged["Zjets"]
        bent = {name: (down + missing, up + missing) for name, (down, up) in own.variations.items()}
        merged["Zjets"] = Histogram(own.expected + missing, own.variance + missing_variance, bent)
        regions["signal"] = merged
        self._made[mass] = Templates(mass, np.r_[-np.inf, edges[starts[1:] - 1], np.inf], regions)
        return self._made[mass]

    def bins(self, events: pd.DataFrame, templates: Templates) -> Integers:
        """Return the bin of the signal region of each event, all of them from there, shape (n_events,)."""
        return np.searchsorted(templates.edges[1:-1], self._score(events, templates.mass), side="right")

    def observed(self, data: pd.DataFrame, templates: Templates) -> dict[str, Integers]:
        """Return the counts of data in the bins of each region."""
        inside = data[data["region"] == "signal"]
        sizes = {name: len(histograms["signal"].expected) for name, histograms in templates.regions.items()}
        places = {"signal": self.bins(inside, templates)} | _places_outside(data)
        return {name: np.bincount(places[name], minlength=size) for name, size in sizes.items()}

    def _score(self, events: pd.DataFrame, mass: float) -> Floats:
        return np.asarray(self.classify(events.assign(m_a=np.float32(mass))), np.float64)

    def _signal(self, mass: float) -> tuple[Floats, dict[str, dict[str, Histogram]]]:
        """Return edges and histograms of the signal, interpolated where the mass was not simulated."""
        if mass in self._simulated:
            return self._simulated[mass]
        masses = np.array(sorted(self._simulated))
        if not masses[0] < mass < masses[-1]:
            raise BadInput(
                f"{mass:g} GeV lies outside the simulated range of {masses[0]:g} to {masses[-1]:g} GeV.",
                where="azh.templates.Search.templates",
                next_step="Choose a mass between them: what lies outside would be extrapolated.",
            )
        right = int(np.searchsorted(masses, mass))
        low, high = masses[right - 1], masses[right]
        part = (mass - low) / (high - low)
        (edges_low, of_low), (edges_high, of_high) = self._simulated[low], self._simulated[high]
        histograms = {
            name: {"signal": _between(of_low[name]["signal"], of_high[name]["signal"], part)} for name in of_low
        }
        return (1 - part) * edges_low + part * edges_high, histograms

    def _fill(self, versions: list[_Rows], scores: list[Floats], edges: Floats) -> dict[str, dict[str, Histogram]]:
        """Fill the nominal events and those with less and more jet energy into the bins of all regions."""
        sizes = {"signal": len(edges) + 1, "sideband": 2, "emu": 1}
        found: dict[str, dict[str, Histogram]] = {name: {} for name in sizes}
        places = [
            {"signal": np.searchsorted(edges, score, side="right")} | rows.places
            for rows, score in zip(versions, scores, strict=True)
        ]
        for name, size in sizes.items():
            filled = [_histogram(rows, name, place[name], size) for rows, place in zip(versions, places, strict=True)]
            nominal = versions[0]
            tagged = [_histogram(nominal, name, places[0][name], size, direction) for direction in (-1, 1)]
            variance = _variance(nominal, name, places[0][name], size)
            if name == "signal":
                filled[1:] = [_smooth(filled[0], varied) for varied in filled[1:]]
            for code, process in enumerate(PROCESSES):
                variations = {
                    "jet_energy": (filled[1][code], filled[2][code]),
                    "b_tagging": (tagged[0][code], tagged[1][code]),
                }
                found[name][process] = Histogram(filled[0][code], variance[code], variations)
        return found


class _Rows(NamedTuple):
    """Events as arrays by region: those of the signal region as a table, too, and the bins of the others."""

    inside: pd.DataFrame
    places: dict[str, Integers]
    weight: dict[str, Floats]
    process: dict[str, Integers]
    event: dict[str, Integers]
    tags: dict[str, tuple[Floats, Floats]]

    @classmethod
    def of(cls, events: pd.DataFrame) -> _Rows:
        tables = {name: events[(events["region"] == name).to_numpy()] for name in REGIONS}
        return cls(
            tables["signal"],
            _places_outside(events),
            {name: table["weight"].to_numpy(np.float64) for name, table in tables.items()},
            {name: table["process"].cat.codes.to_numpy(np.int64) for name, table in tables.items()},
            {name: np.unique(identity(table), return_inverse=True)[1] for name, table in tables.items()},
            {name: (b_tagging(table, -1), b_tagging(table, 1)) for name, table in tables.items()},
        )


def _places_outside(events: pd.DataFrame) -> dict[str, Integers]:
    """Return the bins of the events of the other regions: below and above the window, and one for all."""
    region, m_bb = events["region"].to_numpy(), events["m_bb"].to_numpy()
    return {
        "sideband": (m_bb[region == "sideband"] > WINDOW[0][0]).astype(np.int64),
        "emu": np.zeros((region == "emu").sum(), np.int64),
    }


def _histogram(rows: _Rows, region: str, place: Integers, size: int, tags: int = 0) -> Floats:
    """Return the sums of weights by process and bin, shape (n_processes, size)."""
    weight = rows.weight[region]
    if tags:
        weight = weight * rows.tags[region][tags > 0]
    filled = np.bincount(rows.process[region] * size + place, weight, len(PROCESSES) * size)
    return filled.astype(np.float64).reshape(-1, size)  # integers where there is no event: those are no JSON


def _variance(rows: _Rows, region: str, place: Integers, size: int) -> Floats:
    """Return the variances of `_histogram`: the rows of an event in a bin fluctuate together."""
    key = rows.event[region] * size + place
    _, first, position = np.unique(key, return_index=True, return_inverse=True)
    square = np.bincount(position.ravel(), rows.weight[region], len(first)) ** 2
    return np.bincount(rows.process[region][first] * size + place[first], square, len(PROCESSES) * size).reshape(
        -1, size
    )


def _smooth(nominal: Floats, varied: Floats) -> Floats:
    """Return varied yields, shape (n_processes, n_bins), without the noise of the few events that change their bin.

    The lowest bin, which has nearly all background, is kept. Above it the change relative to ``nominal`` is a straight
    line in the number of the bin: one for the signal, and one for all backgrounds together; by half at most.
    """
    smooth = varied.copy()
    number = np.arange(1, nominal.shape[1])
    for rows in (slice(0, 1), slice(1, None)):
        before, after = (np.maximum(yields[rows, 1:].sum(axis=0), 0) for yields in (nominal, varied))
        good = before > 0
        if good.sum() > 1:
            line = np.polyfit(number[good], after[good] / before[good] - 1, 1, w=np.sqrt(before[good]))
            smooth[rows, 1:] = nominal[rows, 1:] * np.clip(1 + np.polyval(line, number), 0.5, 1.5)
    return smooth


def _merged(histogram: Histogram, starts: Integers) -> Histogram:
    # A process that is negative in a bin by the luck of its weights is taken as absent there.
    expected, variance = (np.maximum(np.add.reduceat(column, starts), 0) for column in histogram[:2])
    variations = {
        name: (np.maximum(np.add.reduceat(down, starts), 0), np.maximum(np.add.reduceat(up, starts), 0))
        for name, (down, up) in histogram.variations.items()
    }
    return Histogram(expected, variance, variations)


def _between(low: Histogram, high: Histogram, part: float) -> Histogram:
    def mixed(a: Floats, b: Floats) -> Floats:
        return np.exp((1 - part) * np.log(np.maximum(a, 1e-12)) + part * np.log(np.maximum(b, 1e-12)))

    variations = {}
    for name, (down, up) in low.variations.items():
        other_down, other_up = high.variations[name]
        variations[name] = mixed(down, other_down), mixed(up, other_up)
    return Histogram(mixed(low.expected, high.expected), mixed(low.variance, high.variance), variations)


def _within(values: Floats, ranges: Any) -> NDArray[np.bool_]:
    return np.any([(values >= low) & (values < high) for low, high in ranges], axis=0)


def modifiers(process: str, region: str, histogram: Histogram) -> list[dict[str, Any]]:
    """Return what may change a process in a region, in the language of HistFactory.

    The normalisations of Z + jets and of t t̄ are free: regions without signal measure them. The others are known from
    theory and scale with the luminosity; their cross-sections to 10 %. All bend with jet energy and b tagging.
    """
    variations = [
        {"name": name, "type": "histosys", "data": {"lo_data": list(down), "hi_data": list(up)}}
        for name, (down, up) in histogram.variations.items()
    ]
    luminosity = {"name": "lumi", "type": "lumi", "data": None}
    statistics = {"name": f"simulation_{region}", "type": "staterror", "data": list(np.sqrt(histogram.variance))}
    if process == "signal":
        return [{"name": "mu", "type": "normfactor", "data": None}, luminosity, *variations]
    if process in ("Zjets", "ttbar"):
        return [{"name": f"norm_{process}", "type": "normfactor", "data": None}, statistics, *variations]
    theory = {"name": f"theory_{process}", "type": "normsys", "data": {"lo": 0.9, "hi": 1.1}}
    return [luminosity, theory, statistics, *variations]


def specification(templates: Templates, modifiers: Modifiers = modifiers) -> dict[str, Any]:
    """Return a model of pyhf: a channel per region, a sample per process, with the modifiers that a function gives."""
    channels = [
        {
            "name": region,
            "samples": [
                {
                    "name": process,
                    "data": list(histogram.expected),
                    "modifiers": modifiers(process, region, histogram),
                }
                for process, histogram in histograms.items()
            ],
        }
        for region, histograms in templates.regions.items()
    ]
    limits = {"inits": [1.0], "bounds": [[0.5, 1.5]]}
    luminosity = {"name": "lumi", "auxdata": [1.0], "sigmas": [LUMINOSITY_ERROR]} | limits
    return {"channels": channels, "parameters": [luminosity]}
