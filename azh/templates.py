"""What a model of the search is made of: expected events of each process, in bins, for any mass of A.

Three regions enter. ``signal`` is binned in a classifier's score (or in any other variable, such as m_Zh), ``sideband``
has two bins, below and above the window of m_bb, ``emu`` one. Each process knows its statistical variance, and what
changes when jets have another energy or when b jets are tagged more or less often. All of it is one array, of the axes
what (`WHAT`), process (`azh.events.PROCESSES`) and bin (`BINS`).

The bins of the score hold *equal parts of the signal*, so that nothing depends on how a score is stretched. Between
two masses that were simulated, the signal is interpolated (A. L. Read, Nucl. Instrum. Meth. A 425 (1999) 357): edges
that hold the same share of the signal move in a straight line from one mass to the next, as does the logarithm of the
yield.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
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

WHAT = ("expected", "variance", "jet_energy down", "jet_energy up", "b_tagging down", "b_tagging up")
"""Expected events, their variance (sums of squared weights), and the expected events of each variation, one standard
deviation down and up."""
BINS = {"emu": slice(0, 1), "sideband": slice(1, 3), "signal": slice(3, None)}
"""The bins of each region; those of the signal region begin at `INSIDE`."""
INSIDE = 3

JET_ENERGY = 0.02
"""One standard deviation of the energy of all jets together, relative."""
LUMINOSITY_ERROR = 0.017
"""Relative, of the luminosity of 2015 to 2018 (ATLAS-CONF-2019-021)."""


class Histogram(NamedTuple):
    """One process in one region: expected events, shape (n_bins,), their variance, and the expected events for each
    variation, one standard deviation down and up."""

    expected: Floats
    variance: Floats
    variations: dict[str, tuple[Floats, Floats]]


class Templates(NamedTuple):
    """What is expected at a mass (GeV), of the signal for 0.05 pb.

    ``edges`` are those of the bins of the signal region, shape (n_bins + 1,), from −∞ to ∞; ``yields`` is the array of
    the module's axes.
    """

    mass: float
    edges: Floats
    yields: Floats

    @property
    def regions(self) -> dict[str, dict[str, Histogram]]:
        """The histograms, by region and by process."""

        def histogram(rows: Floats) -> Histogram:
            return Histogram(rows[0], rows[1], {"jet_energy": (rows[2], rows[3]), "b_tagging": (rows[4], rows[5])})

        return {
            region: {process: histogram(self.yields[:, i, BINS[region]]) for i, process in enumerate(PROCESSES)}
            for region in REGIONS
        }

    def bins(self, scores: Floats) -> Integers:
        """Return the bin of the signal region of each score, shape (n_events,)."""
        return np.searchsorted(self.edges[1:-1], scores, side="right")


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
    in_window, beside = (
        np.any([(m_bb >= low) & (m_bb < high) for low, high in ranges], axis=0) for ranges in (WINDOW, SIDEBANDS)
    )
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
    scale : float
        Factor of all weights: 2 where these are half of the events that were simulated.
    """

    def __init__(self, events: pd.DataFrame, classify: Classifier, *, scale: float = 1.0) -> None:
        self.classify, self.scale = classify, scale
        signal = is_signal(events)
        self.background = _Events(events[~signal], scale)
        self._scores: dict[float, list[Floats]] = {}
        self._made: dict[float, Templates] = {}
        self._simulated: dict[float, tuple[Floats, Floats]] = {}
        for mass in sorted(set(events["m_a_true"][signal])):
            own = _Events(events[events["m_a_true"] == mass], scale)
            scores = [self._score(table, mass) for table in own.inside]
            edges = np.quantile(scores[0], np.arange(1, N_BINS) / N_BINS, method="higher")
            self._simulated[float(mass)] = edges, own.fill(scores, edges)[:, 0]

    def reweighted(self, weight: Floats) -> Search:
        """Return a search whose background events have other weights, shape (n_background,); their scores stay."""
        other = copy(self)
        other.background, other._made = copy(self.background), {}
        other.background.weight = weight
        return other

    def scores(self, mass: float) -> list[Floats]:
        """Return the scores of the background in the signal region, as it is and with less and more jet energy."""
        if mass not in self._scores:  # which takes the longest of all
            self._scores[mass] = [self._score(table, mass) for table in self.background.inside]
        return self._scores[mass]

    def templates(self, mass: float) -> Templates:
        """Return the templates of a mass (GeV), simulated or between two that were.

        Raises
        ------
        BadInput
            If the mass lies outside the range of the simulated ones.
        """
        if mass not in self._made:
            edges, signal = self._signal(mass)
            yields = self.background.fill(self.scores(mass), edges)
            yields[:, 0] = signal
            starts, missing, missing_variance = precise_bins(*yields[:2, 1:, INSIDE:].sum(axis=1))
            # A process that is negative in a bin by the luck of its weights is taken as absent there.
            merged = np.maximum(np.add.reduceat(yields, [*range(INSIDE), *(INSIDE + starts)], axis=2), 0)
            # What may come although the simulation has none is of the most frequent process.
            lacking = [missing_variance if what == "variance" else missing for what in WHAT]
            merged[:, PROCESSES.index("Zjets"), INSIDE:] += lacking
            self._made[mass] = Templates(mass, np.r_[-np.inf, edges[starts[1:] - 1], np.inf], merged)
        return self._made[mass]

    def observed(self, data: pd.DataFrame, templates: Templates) -> dict[str, Integers]:
        """Return the counts of data in the bins of each region."""
        place = _places(data)
        place[place == INSIDE] += templates.bins(self._score(data[place == INSIDE], templates.mass))
        counts = np.bincount(place, minlength=templates.yields.shape[2])
        return {region: counts[BINS[region]] for region in REGIONS}

    def _score(self, events: pd.DataFrame, mass: float) -> Floats:
        return np.asarray(self.classify(events.assign(m_a=np.float32(mass))), np.float64)

    def _signal(self, mass: float) -> tuple[Floats, Floats]:
        """Return edges and yields, shape (what, bin), of the signal, interpolated where the mass was not simulated."""
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
        logarithm = (1 - part) * np.log(np.maximum(of_low, 1e-12)) + part * np.log(np.maximum(of_high, 1e-12))
        return (1 - part) * edges_low + part * edges_high, np.exp(logarithm)


class _Events:
    """Simulated events as arrays: as they are, and with less and more jet energy.

    ``table`` holds the events themselves; their ``weight`` (with the factor ``scale``), code of the ``process``, number
    of the ``event`` and factors of less and more b tagging (``tags``) are arrays of shape (n_events,). For each of the
    three energies there are the ``rows`` that pass the selection, their ``places`` (`_places`) and, as a table, those
    ``inside`` of the signal region.
    """

    def __init__(self, events: pd.DataFrame, scale: float) -> None:
        self.table = events = events.reset_index(drop=True)
        self.weight = events["weight"].to_numpy(np.float64) * scale
        self.process = events["process"].cat.codes.to_numpy(np.int64)
        _, self.event = np.unique(identity(events), return_inverse=True)
        self.tags = b_tagging(events, -1), b_tagging(events, 1)
        versions = [events, *(shift_jets(events, 1 + sign * JET_ENERGY) for sign in (-1, 1))]
        self.rows = [version.index.to_numpy() for version in versions]
        self.places = [_places(version) for version in versions]
        self.inside = [version[place == INSIDE] for version, place in zip(versions, self.places, strict=True)]

    def fill(self, scores: list[Floats], edges: Floats) -> Floats:
        """Return the yields with bins of the scores of those inside between ``edges``: what, process, bin."""
        shape = len(PROCESSES), INSIDE + len(edges) + 1
        places = [place.copy() for place in self.places]
        for place, score in zip(places, scores, strict=True):
            place[place == INSIDE] += np.searchsorted(edges, score, side="right")

        def filled(rows: Integers, place: Integers, weight: Floats) -> Floats:
            return np.bincount(self.process[rows] * shape[1] + place, weight, shape[0] * shape[1]).reshape(shape)

        nominal, *jets = (filled(rows, place, self.weight[rows]) for rows, place in zip(self.rows, places, strict=True))
        for varied in jets:
            varied[:, INSIDE:] = _smooth(nominal[:, INSIDE:], varied[:, INSIDE:])
        rows, place = self.rows[0], places[0]
        tags = [filled(rows, place, (self.weight * factor)[rows]) for factor in self.tags]
        # The rows of an event in a bin fluctuate together.
        key = self.event[rows] * shape[1] + place
        _, first, position = np.unique(key, return_index=True, return_inverse=True)
        square = np.bincount(position, self.weight[rows]) ** 2
        return np.stack([nominal, filled(rows[first], place[first], square), *jets, *tags])


def _places(events: pd.DataFrame) -> Integers:
    """Return the bins of events that do not lie in the signal region, and the first bin of it for those that do."""
    above = events["m_bb"].to_numpy() > WINDOW[0][0]
    outside = [(events["region"] == name).to_numpy() for name in ("emu", "sideband")]
    return np.select(outside, [np.zeros(len(events), np.int64), 1 + above], INSIDE)


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


def specification(templates: Templates, modifiers: Modifiers) -> dict[str, Any]:
    """Return a model of pyhf: a channel per region, a sample per process, with the modifiers that a function gives.

    What the function returns for a process, a region and their histogram is a list of modifiers in the language of
    HistFactory; that of the course is the answer to exercise 9.7 of the project.
    """

    def sample(process: str, region: str, histogram: Histogram) -> dict[str, Any]:
        found = modifiers(process, region, histogram)
        return {"name": process, "data": list(histogram.expected), "modifiers": found}

    channels = [
        {"name": region, "samples": [sample(process, region, histogram) for process, histogram in histograms.items()]}
        for region, histograms in templates.regions.items()
    ]
    limits = {"inits": [1.0], "bounds": [[0.5, 1.5]]}
    luminosity = {"name": "lumi", "auxdata": [1.0], "sigmas": [LUMINOSITY_ERROR]} | limits
    return {"channels": channels, "parameters": [luminosity]}
