"""Checks of chapter 1, data preparation."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from course.checks import crafted
from course.checks.compare import alike
from course.checks.preselection import all_rows, exercise_1_4, exercise_1_5
from course.checks.registry import course_answer
from course.checks.report import Report, Row, exercise
from course.checks.tables import PER_CENT, changed, follows, gives, with_argument
from course.checks.windows import exercise_1_9
from labcourse import kinematics, samples, selection, weights

__all__ = ["exercise_1_1", "exercise_1_2", "exercise_1_3", "exercise_1_4", "exercise_1_5", "exercise_1_6"]
__all__ += ["exercise_1_7", "exercise_1_9", "exercise_1_10"]


def _mass(
    pt: Any, eta: Any, phi: Any, e: Any, *, along: Any = np.sinh, axis: int = 1, gather: Any = np.sum, sign: int = -1
) -> Any:
    """Return the invariant mass; the options are the variants that students write."""
    momenta = pt * np.cos(phi), pt * np.sin(phi), pt * along(eta)
    return np.sqrt(gather(e, axis=axis) ** 2 + sign * sum(gather(p, axis=axis) ** 2 for p in momenta))


def _mass_by_particle(pt: Any, eta: Any, phi: Any, e: Any) -> Any:
    return np.sqrt((e**2 - (pt * np.cosh(eta)) ** 2).sum(axis=1))


def _massless(pt: Any, eta: Any, phi: Any, e: Any) -> Any:
    return _mass(pt, eta, phi, pt * np.cosh(eta))


_MISTAKES_1_1 = (
    (_mass_by_particle, "the squares are taken before the sums", "add up the particles first, and square the sums"),
    (_massless, "the energy is not used", "E is an argument: a heavy particle has more energy than momentum"),
    (changed(_mass, np.square), "this is the mass squared", "take the square root at the end"),
    (lambda pt, eta, phi, e: e.sum(axis=1), "this is the energy", "subtract all three momenta, squared"),
    (partial(_mass, along=np.zeros_like), "the momentum along the beam is left out", "p_z = pt · sinh(eta)"),
    (partial(_mass, along=np.sin), "p_z has a sine", "the hyperbolic sine: np.sinh"),
    (partial(_mass, along=np.cosh), "p_z has a cosh", "pt · cosh(eta) is the size of the momentum; p_z takes np.sinh"),
    (partial(_mass, along=np.asarray), "p_z is taken as pt · eta", "p_z = pt · sinh(eta)"),
    (partial(_mass, axis=0), "the sums run over the events", "the particles of an event lie along axis 1"),
    (partial(_mass, gather=np.mean), "means are taken, and not sums", "energies and momenta add up: .sum(axis=1)"),
    (partial(_mass, sign=1), "the momenta are added to the energy", "m² = E² − p²: a minus before each of the three"),
)


@exercise("1.1", fallback=kinematics.mass)
def exercise_1_1(answer: Any, report: Report) -> None:
    """The invariant mass of all particles in a row."""
    rng = np.random.default_rng(11)

    def particles(n_events: int, n_particles: int) -> tuple[Any, Any, Any, Any]:
        spans = (10, 80), (-2, 2), (-3, 3), (5, 40)
        pt, eta, phi, mass = (rng.uniform(*span, (n_events, n_particles)) for span in spans)
        return pt, eta, phi, np.hypot(pt * np.cosh(eta), mass)

    given = pt, eta, phi, energy = particles(50, 4)
    right = _mass(*given)
    result = np.asarray(answer(*given), float)
    if result.shape == (50, 4):
        report.wrong("this is one mass per particle", "add the energies and momenta over axis 1 first")
    report.recognises(result, *_MISTAKES_1_1, given=given, right=right)
    report.holds(result.shape == (50,), "gives one number per event", hint="sum over axis 1")
    light, boosted = (pt, eta, phi, pt * np.cosh(eta)), (pt, eta + 0.7, phi, pt * np.cosh(eta + 0.7))
    back_to_back = np.array([[50.0, 50.0]]), np.zeros((1, 2)), np.array([[0.0, np.pi]]), np.array([[50.0, 50.0]])
    same, is_100 = "the mass stays the same if the event is", "two massless particles of 50 GeV, back to back: 100 GeV"
    gives(
        report,
        answer,
        ((pt, eta, phi + 1, energy), result, f"{same} turned around the beam", "p_x has cos(phi), p_y sin(phi)"),
        (boosted, answer(*light), f"{same} boosted along the beam", "is it sinh(eta) in p_z?"),
        (back_to_back, [100], is_100, "their momenta cancel, their energies add up"),
        relative=1e-3,
    )
    report.holds(alike(result, right), "four leptons have the right mass", hint="compare each line with the formulas")
    report.agrees(answer, _mass, particles(60, 6), hint="sum over axis 1, without naming the columns one by one")


_FACTORS = ("mcWeight", *(f"scaleFactor_{name}" for name in ("PILEUP", "ELE", "MUON", "LepTRIGGER")))


_weight = course_answer("1.2")


def _with(**branches: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return a function that computes the weight with some of the branches replaced."""
    return lambda b, luminosity: _weight(b | {name: new(b) for name, new in branches.items()}, luminosity)


def _without(*names: str, scale: float = 1.0) -> Row:
    """Return the mistake of leaving out factors, whatever has become of the units at the same time."""
    what = f"the factor {names[0]} is missing" if len(names) == 1 else f"factors are missing: {', '.join(names)}"
    wrong = _with(**dict.fromkeys(names, lambda b: 1.0))
    return changed(wrong, lambda w: w / scale), what, "multiply by all factors of the formula"


_FIRST = "events may be of several samples: use the whole array, in which each has a value of its own"
_MISTAKES_1_2 = (
    (changed(_weight, lambda w: w / 1e3), "the weights are a thousand times too small", "XSection is in pb, not in fb"),
    (changed(_weight, lambda w: w / 1e6), "the weights are a million times too small", "1 pb = 1000 fb, not 1/1000"),
    (changed(_weight, np.abs), "negative weights have lost their sign", "a weight may be negative: leave it so"),
    (
        _with(SumWeights=lambda b: b["mcWeight"].sum()),
        "this divides by the sum of the selected events",
        "use SumWeights",
    ),
    (
        _with(SumWeights=lambda b: b["SumWeights"].sum()),
        "SumWeights is added up over the events",
        "each event holds the sum of its sample already: divide by the column itself",
    ),
    (_with(SumWeights=lambda b: 1.0), "the sum of the weights is missing", "divide by SumWeights"),
    (changed(_weight, np.sum), "this is the sum of all weights", "one weight per event: multiply element by element"),
    *(
        _without(*names, scale=scale)
        for scale in (1, 1e3, 1e6)
        for n in range(1, 6)
        for names in itertools.combinations((*_FACTORS, "XSection"), n)
    ),
    (_with(XSection=lambda b: b["XSection"][0]), "the first XSection is taken for all events", _FIRST),
    (_with(SumWeights=lambda b: b["SumWeights"][0]), "the first SumWeights is taken for all events", _FIRST),
    (lambda b, luminosity: _weight(b, 1), "the luminosity is missing", "multiply by it"),
    (lambda b, luminosity: _weight(b, 10), "the luminosity is always 10 fb⁻¹", "use the argument luminosity"),
)


@exercise("1.2")
def exercise_1_2(answer: Any, report: Report) -> None:
    """The weight of simulated events at a luminosity."""
    rng = np.random.default_rng(12)
    branches = {name: rng.uniform(0.8, 1.2, 6) for name in _FACTORS}
    branches["mcWeight"] *= [30, 30, -30, 30, 30, -30]
    # Events of two samples.
    branches |= {"XSection": np.repeat([1.5, 0.2], 3), "SumWeights": np.repeat([4e5, 3e4], 3)}
    given, what = (branches, 10.5), "the weights follow the formula"
    follows(report, answer, _weight, given, _MISTAKES_1_2, what, "all factors, and one weight per event")
    other = {name: np.append(values, 0.7 * values[::-1]) for name, values in branches.items()}
    report.agrees(answer, _weight, (other, 3.2), hint="use the arguments branches and luminosity, as they are")


_share = course_answer("1.3")


def _share_with(weight: Callable[[Any], Any] = lambda w: w, seen: Any = (), decayed: Any = ()) -> Callable[..., float]:
    """Return a function that takes other weights, or other samples as seen or as decayed."""

    def share(events: Any, cross_section: Any, luminosity: float) -> float:
        kept = events["sample"].isin(seen or samples.SIGNAL)
        total = sum(cross_section[name] for name in decayed or samples.SIGNAL)
        return float(weight(events["weight"])[kept].sum() / (1000 * total * luminosity))

    return share


_GGH, _ALL = ("ggH125_ZZ4lep",), (*samples.SIGNAL, "llll", "Zee", "Zmumu", "ttbar_lep")
_MISTAKES_1_3 = (
    (changed(_share, lambda share: 1000 * share), "this is a thousand times too large", "1 pb = 1000 fb"),
    (changed(_share, lambda share: 1e6 * share), "this is a million times too large", "1 pb = 1000 fb, not 1/1000"),
    (lambda e, x, luminosity: _share(e, x, 1), "the luminosity is missing", "σ · L collisions of this kind happened"),
    (lambda e, x, luminosity: _share(e, x, 10), "the luminosity is always 10 fb⁻¹", "use the argument luminosity"),
    (lambda *_: 0.0, "no event is selected", "== asks for one name: .isin(samples.SIGNAL) asks for all four"),
    (_share_with(np.ones_like), "raw events are counted", "what nature would show is the sum of the weights"),
    (_share_with(np.abs), "negative weights count as positive", "add the weights as they are"),
    (_share_with(seen=_ALL), "background is counted as seen", "only samples.SIGNAL are Higgs bosons"),
    (_share_with(decayed=_ALL), "all samples are taken as made", "only samples.SIGNAL are Higgs bosons"),
    (_share_with(seen=_ALL, decayed=_ALL), "this is the share of all processes", "select those of samples.SIGNAL"),
    (_share_with(seen=_GGH), "only ggH is counted as seen", "samples.SIGNAL names all four samples"),
    (_share_with(decayed=_GGH), "only ggH is taken as made", "samples.SIGNAL names all four samples"),
    (_share_with(seen=_GGH, decayed=_GGH), "only ggH is looked at", "samples.SIGNAL names all four samples"),
    (changed(_share, lambda share: 1 / share), "the fraction is upside down", "what is seen, over what was made"),
    (changed(_share, lambda share: 1 - share), "this is the share that is lost", "we ask for what is seen"),
    (changed(_share, lambda share: 100 * share), *PER_CENT),
    (
        lambda e, x, luminosity: np.mean(
            [_share_with(seen=(n,), decayed=(n,))(e, x, luminosity) for n in samples.SIGNAL]
        ),
        "this is the mean of four shares",
        "samples with a larger cross-section count more: add up first, then divide",
    ),
)


@exercise("1.3")
def exercise_1_3(answer: Any, report: Report) -> None:
    """The share of Higgs bosons that are seen."""
    names = [*samples.SIGNAL, "llll", "ggH125_ZZ4lep", "Zee", "Zmumu", "ttbar_lep", "VBFH125_ZZ4lep"]
    events = crafted.weighted(names, [4.0, 0.75, 0.5, 0.25, 40.0, 2.5, 9.0, 11.0, 7.0, -0.3])
    values = (0.006, 0.0005, 0.0004, 0.0001, 1.3, 1900.0, 1950.0, 450.0)
    cross_section = dict(zip(_ALL, values, strict=True))
    given, what = (events, cross_section, 8.5), "what is seen, over σ · L of the four samples"
    follows(report, answer, _share, given, _MISTAKES_1_3, what, "expected events over σ · L, of the Higgs samples")
    other = {name: value * (2 + i) for i, (name, value) in enumerate(cross_section.items())}
    report.agrees(answer, _share, (events[2:], other, 3.2), hint="use the arguments as they are")


_WAYS = tuple(zip(kinematics.PAIRS, reversed(kinematics.PAIRS), strict=True))
_Z_MASS = 91.19


def _pairs(
    events: Any,
    *,
    flavour: bool = True,
    charge: bool = True,
    distance: Any = None,
    second: str = "rest",
    ways: Any = _WAYS,
) -> tuple[Any, Any]:
    """Return the masses of Z1 and Z2; the options are the variants that students write."""
    column = {name: events[name].to_numpy(np.float64) for name in events}
    masses, rests, far = [], [], []
    for (i, j), others in ways:
        mass, rest = column[f"m_ll_{i}{j}"], column["m_ll_{}{}".format(*others)]
        same = column[f"lep{i}_pdgid"] == column[f"lep{j}_pdgid"]
        opposite = column[f"lep{i}_charge"] + column[f"lep{j}_charge"] == 0
        allowed = (same | (not flavour)) & (opposite | (not charge))
        masses.append(mass)
        rests.append(rest)
        far.append(np.where(allowed, (distance or (lambda m: np.abs(m - _Z_MASS)))(mass), np.inf))
    order = np.argsort(far, axis=0, kind="stable")

    def take(values: Any, place: int) -> Any:
        return np.take_along_axis(np.array(values), order[place : place + 1], axis=0)[0]

    found = np.isfinite(take(far, 0))
    next_best = np.where(np.isfinite(take(far, 1)), take(masses, 1), np.nan) if second == "next" else take(rests, 0)
    return np.where(found, take(masses, 0), np.nan), np.where(found, next_best, np.nan)


_MISTAKES_1_6 = (
    (changed(_pairs, lambda pair: pair[::-1]), "Z1 and Z2 have changed places", "first the pair nearest to 91.19 GeV"),
    (partial(_pairs, ways=_WAYS[:1]), "only leptons 1 and 2 are tried", "any two leptons can be Z1: try all six pairs"),
    (
        lambda e: (e["m_ll_12"].to_numpy(), e["m_ll_34"].to_numpy()),
        "the two hardest are taken as Z1",
        "any two leptons can be Z1: try all six pairs",
    ),
    (partial(_pairs, flavour=False), "leptons of two flavours are paired", "e⁺µ⁻ is no Z boson: compare lep_pdgid"),
    (
        partial(_pairs, charge=False),
        "leptons of equal charge are paired",
        "a Z boson has no charge: compare lep_charge",
    ),
    (partial(_pairs, flavour=False, charge=False), "any two leptons are paired", "one flavour and opposite charges"),
    (
        partial(_pairs, distance=np.zeros_like),
        "of two possible pairs the first is taken",
        "in eeee and µµµµ there are two ways: the mass decides",
    ),
    (
        partial(_pairs, distance=lambda m: -m),
        "Z1 is the heaviest pair",
        "the nearest to 91.19 GeV: np.abs(mass - 91.19)",
    ),
    (
        partial(_pairs, distance=lambda m: m),
        "Z1 is the lightest pair",
        "the nearest to 91.19 GeV: np.abs(mass - 91.19)",
    ),
    (
        partial(_pairs, second="next"),
        "Z2 is the second nearest of all pairs",
        "a lepton cannot belong to both: Z2 is made of the two that are left",
    ),
    (
        changed(_pairs, np.nan_to_num),
        "events without a pair get 0",
        "where there is no pair, np.nan says so: begin with np.full(len(events), np.nan)",
    ),
    (
        changed(_pairs, lambda pair: np.full_like(pair, np.nan)),
        "all masses are NaN",
        "a comparison with NaN is always False: keep the smallest distance so far, beginning with np.inf",
    ),
    (partial(_pairs, ways=_WAYS[:3]), "only pairs with lepton 1 are tried", "Z1 may be made of two others: six pairs"),
)


def _four_leptons(seed: int, n: int) -> pd.DataFrame:
    """Return a table of flavours, charges and pair masses: the latter of their own, as no answer needs momenta."""
    rng = np.random.default_rng(seed)
    flavours = [row for row in all_rows((11, 13)) if sum(row) in selection.CHANNELS]
    charges = [row for row in all_rows((1, -1)) if sum(row) == 0]
    events = crafted.leptons(
        [flavours[k] for k in rng.integers(0, len(flavours), n)], [charges[k] for k in rng.integers(0, len(charges), n)]
    )
    masses = {f"m_ll_{i}{j}": rng.uniform(5, 160, n).astype(np.float32) for i, j in kinematics.PAIRS}
    return events.assign(**masses)


@exercise("1.6", library=[kinematics.z_masses])
def exercise_1_6(answer: Any, report: Report) -> None:
    """The masses of the two Z bosons."""
    given = (_four_leptons(16, 60),)
    result, right = report.parts(answer(*given), "m_z1, m_z2"), _pairs(*given)
    report.recognises(result, *_MISTAKES_1_6, given=given, right=right)
    report.holds(np.shape(result) == (2, 60), "gives two masses per event", hint="return m_z1, m_z2")
    m_z1, m_z2 = (np.asarray(part, float) for part in result)
    lost = np.isnan(right[0])
    nan = "events without a pair have NaN twice, and no others"
    report.holds(np.isnan(m_z1) == lost, nan, hint="e⁺e⁺µ⁻µ⁻ has no pair; begin with np.full(len(events), np.nan)")
    nearest = "Z1 is the allowed pair nearest to 91.19 GeV"
    report.holds(alike(m_z1, right[0]), nearest, hint="keep the pair found so far where a new one is not nearer")
    report.holds(alike(m_z2, right[1]), "Z2 is made of the other two leptons", hint="1 and 3 leave 2 and 4")
    report.agrees(answer, _pairs, (_four_leptons(17, 25),), hint="use all six pairs, and the columns of the table")


@exercise("1.7")
def exercise_1_7(answer: Any, report: Report) -> None:
    """The error of a sum of weights, by toys."""
    rng = np.random.default_rng(170)
    weight, n_toys = rng.permutation(np.concatenate([rng.exponential(0.3, 150), [2.0] * 6, [-0.8] * 8])), 3000
    total, squares, n = weight.sum(), (weight**2).sum(), len(weight)
    right = np.sqrt(squares)
    each = "let each event occur rng.poisson(1.0) times"
    size = "each event draws a number of its own: rng.poisson(1.0, size=len(weight))"
    mistakes = (
        (np.sqrt(total), "this is the fluctuation of the data, √Σw", f"how often an event occurs has mean 1: {each}"),
        (squares, "this is the variance", "the standard deviation is its root: np.std"),
        (weight.std(), "this is the spread of the weights", "add up the weights of each toy first"),
        (right / np.sqrt(n_toys), "this is divided by √n_toys", "we ask how one toy scatters, and not their mean"),
        (total, "this is the mean of the sums", "their standard deviation: np.std"),
        (total / np.sqrt(n), "the weights are taken as equal", "add up the weights of the events that occur"),
        (np.sqrt(n), "events are counted", "add up their weights"),
        (
            np.sqrt(squares - total**2 / n),
            "all toys have the same number of events",
            f"that number fluctuates as well: {each}",
        ),
    )
    result = answer(weight.copy(), n_toys, np.random.default_rng(171))
    # Both the mean of the sums and the spread of Σw times one number are Σw; but one toy alone has no spread.
    if np.ndim(result) == 0 and abs(result / total - 1) < 0.1:
        one = answer(weight.copy(), 1, np.random.default_rng(171))
        if not np.nan_to_num(one):
            report.wrong("all events of a toy occur equally often", size)
    hint = f"{each}, add up the weights, and take np.std of the sums"
    report.reading(result, right, "the sums scatter as they should", *mistakes, relative=0.05, hint=hint)
    few = float(answer(weight[:20].copy(), n_toys, np.random.default_rng(172)))
    other = np.sqrt((weight[:20] ** 2).sum())
    report.holds(abs(few / other - 1) < 0.08, "right for other weights as well", hint="use the argument weight")
    again, new = (float(answer(weight, 5, np.random.default_rng(seed))) for seed in (173, 174))
    same = float(answer(weight, 5, np.random.default_rng(173)))
    report.holds(
        again == same != new, "the same rng gives the same toys, another one others", hint="draw from rng alone"
    )
    counted = np.std([float(answer(weight, 5, np.random.default_rng(seed))) for seed in range(60)]) / right
    report.holds(0.15 < counted < 0.6, "takes n_toys toys", hint="use the argument n_toys: few toys know it less well")


def _effective(w: Any, *, above: Any = lambda w: w.sum() ** 2, below: Any = lambda w: (w**2).sum()) -> Any:
    return above(w) / below(w)


_MISTAKES_1_10 = (
    (lambda w: 1.0, "numerator and denominator are the same", "square first, then sum, in the denominator"),
    (lambda w: 1 / _effective(w), "the fraction is upside down", "the square of the sum goes on top"),
    (with_argument(_effective, 0, np.abs), "negative weights count as positive", "no abs() in a sum of weights"),
    (partial(_effective, above=np.sum), "the sum on top is not squared", "(Σw)², then divide by Σw²"),
    (partial(_effective, below=lambda w: np.abs(w).sum()), "the weights below are not squared", "Σw²: square each"),
    (len, "this is the raw number", "events with small weights are worth less than one"),
    (np.sum, "this is the expected number", "square it, and divide by Σw²"),
    (changed(_effective, np.sqrt), "a root is taken", "the formula has none"),
    (partial(_effective, above=np.square), "this is one number per event", "add up first, then square: w.sum()**2"),
)


@exercise("1.10", fallback=weights.effective_number)
def exercise_1_10(answer: Any, report: Report) -> None:
    """The effective number of events."""
    rng = np.random.default_rng(110)
    w = rng.exponential(1.0, 200) * rng.choice([1, 1, 1, -1], 200)
    formula = "(Σw)²/Σw²"
    follows(report, answer, _effective, (w,), _MISTAKES_1_10, "follows the formula", formula)
    gives(
        report,
        answer,
        ((np.full(7, 0.3),), 7, "equal weights: the number of events", "(7w)²/(7w²) is 7"),
        ((np.array([1.0, 1.0, -1.0]),), 1 / 3, "a negative weight costs precision", formula),
        ((-5 * w,), _effective(w), "does not depend on the units or the sign of the weights", formula),
    )
    report.agrees(answer, weights.effective_number, (np.tile(w, 3),), hint="add up all weights that are given")
