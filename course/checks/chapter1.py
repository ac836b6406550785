"""Checks of chapter 1, data preparation."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from course.checks import crafted
from course.checks.compare import alike
from course.checks.registry import course_answer
from course.checks.report import Report, Row, exercise
from course.checks.tables import caught, follows, gives, parts_follow, variants
from labcourse import kinematics, samples, selection, weights

_mass, _weight, _share, _pairs, _window, _effective = map(course_answer, ("1.1", "1.2", "1.3", "1.6", "1.9", "1.10"))

_MISTAKES_1_1 = variants(
    "1.1",
    (
        lambda pt, eta, phi, e: np.sqrt((e**2 - (pt * np.cosh(eta)) ** 2).sum(axis=1)),
        "the squares are taken before the sums",
        "add up the particles first, and square the sums",
    ),
    (
        "energy.sum(axis=1)",
        "(pt * np.cosh(eta)).sum(axis=1)",
        "the energy is not used",
        "E is an argument: a heavy particle has more energy than momentum",
    ),
    (" - px**2 - py**2 - pz**2", "", "this is the energy", "subtract all three momenta, squared"),
    (" - pz**2", "", "the momentum along the beam is left out", "p_z = pt · sinh(eta)"),
    ("np.sinh", "np.sin", "p_z has a sine", "the hyperbolic sine: np.sinh"),
    ("np.sinh", "np.cosh", "p_z has a cosh", "pt · cosh(eta) is the size of the momentum; p_z takes np.sinh"),
    ("np.sinh(eta)", "eta", "p_z is taken as pt · eta", "p_z = pt · sinh(eta)"),
    ("axis=1", "axis=0", "the sums run over the events", "the particles of an event lie along axis 1"),
    (".sum(", ".mean(", "means are taken, and not sums", "energies and momenta add up: .sum(axis=1)"),
    (" - p", " + p", "the momenta are added to the energy", "m² = E² − p²: a minus before each of the three"),
)


@exercise("1.1", library=[kinematics.mass])
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
_SUM_WEIGHTS = 'branches["SumWeights"]'
_MISTAKES_1_2 = variants(
    "1.2",
    (" * 1000", "", "the weights are a thousand times too small", "XSection is in pb, not in fb"),
    ("return factors", "return abs(factors)", "negative weights have lost their sign", "they may be negative"),
    (_SUM_WEIGHTS, 'branches["mcWeight"].sum()', "this divides by the sum of the selected events", "use SumWeights"),
    (
        _SUM_WEIGHTS,
        'branches["SumWeights"].sum()',
        "SumWeights is added up over the events",
        "each event holds the sum of its sample already: divide by the column itself",
    ),
    (f" / {_SUM_WEIGHTS}", "", "the sum of the weights is missing", "divide by SumWeights"),
    *(
        (f'branches["{name}"]', "1.0", f"the factor {name} is missing", "multiply by all factors of the formula")
        for name in (*_FACTORS, "XSection")
    ),
    (" * luminosity", "", "the luminosity is missing", "multiply by it"),
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
    hint = "all factors as whole arrays, since events may be of several samples, and one weight per event"
    follows(report, answer, _weight, given, _MISTAKES_1_2, what, hint)
    other = {name: np.append(values, 0.7 * values[::-1]) for name, values in branches.items()}
    report.agrees(answer, _weight, (other, 3.2), hint="use the arguments branches and luminosity, as they are")


_EVENTS, _MADE = 'events["sample"].isin(samples.SIGNAL)', "for name in samples.SIGNAL"
_ONLY = "only samples.SIGNAL are Higgs bosons"
_MISTAKES_1_3 = variants(
    "1.3",
    (" * 1000", "", "this is a thousand times too large", "1 pb = 1000 fb"),
    (" * luminosity", "", "the luminosity is missing", "σ · L collisions of this kind happened"),
    (lambda *_: 0.0, "no event is selected", "== asks for one name: .isin(samples.SIGNAL) asks for all four"),
    ('"weight"].sum()', '"weight"].count()', "raw events are counted", "nature would show the sum of the weights"),
    ('"weight"]', '"weight"].abs()', "negative weights count as positive", "add the weights as they are"),
    (_EVENTS, ":", "background is counted as seen", _ONLY),
    (_MADE, "for name in cross_section", "all samples are taken as made", _ONLY),
    (((_EVENTS, ":"), (_MADE, "for name in cross_section")), "this is the share of all processes", _ONLY),
    ("samples.SIGNAL", "samples.SIGNAL[:1]", "only ggH is looked at", "samples.SIGNAL names all four samples"),
)


@exercise("1.3")
def exercise_1_3(answer: Any, report: Report) -> None:
    """The share of Higgs bosons that are seen."""
    names = [*samples.SIGNAL, "llll", "ggH125_ZZ4lep", "Zee", "Zmumu", "ttbar_lep", "VBFH125_ZZ4lep"]
    events = crafted.weighted(names, [4.0, 0.75, 0.5, 0.25, 40.0, 2.5, 9.0, 11.0, 7.0, -0.3])
    values = (0.006, 0.0005, 0.0004, 0.0001, 1.3, 1900.0, 1950.0, 450.0)
    cross_section = dict(zip((*samples.SIGNAL, "llll", "Zee", "Zmumu", "ttbar_lep"), values, strict=True))
    given, what = (events, cross_section, 8.5), "what is seen, over σ · L of the four samples"
    follows(report, answer, _share, given, _MISTAKES_1_3, what, "expected events over σ · L, of the Higgs samples")
    other = {name: value * (2 + i) for i, (name, value) in enumerate(cross_section.items())}
    report.agrees(answer, _share, (events[2:], other, 3.2), hint="use the arguments as they are")


def _all_rows(values: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Return all combinations of four values; the first three also come last, so that the order is no mirror image."""
    rows = list(itertools.product(values, repeat=4))
    return rows + rows[:3]


def _requirement(
    answer: Any, report: Report, course: Callable[..., Any], events: pd.DataFrame, mistakes: Sequence[Row], what: str
) -> None:
    """Note that a mask keeps the right events; ``what`` is what it does with them."""
    mask, per_event = np.asarray(answer(events)), "one True or False per event"
    caught(
        report,
        (mask.ndim > 1, "this is a table of events", f"return the mask itself, {per_event}"),
        (mask.ndim == 0, "this is one value for all events", f"compare whole columns: {per_event}"),
        (mask.dtype != bool, f"the entries are of type {mask.dtype}", f"end with a comparison: {per_event}"),
    )
    follows(report, answer, course, (events,), mistakes, what, f"add up the four leptons, and compare: {per_event}")
    report.holds(lambda: np.size(answer(events[:0])) == 0, "works on an empty table", hint="avoid loops and indices")


def _every(events: pd.DataFrame) -> Any:
    return np.ones(len(events), bool)


def _none(events: pd.DataFrame) -> Any:
    return np.zeros(len(events), bool)


_FOUR = "an event has four leptons: add up lep1 to lep4"
_44, _48, _52 = (f"(flavour_sum == {n})" for n in (44, 48, 52))
_MISTAKES_1_4 = variants(
    "1.4",
    (f" | {_48}", "", "mixed events, eeµµ, are dropped", "their sum is 48"),
    (f"{_44} | {_48} | {_52}", _48, "only eeµµ is kept", "eeee (44) and µµµµ (52) are allowed as well"),
    (f" | {_48} | {_52}", "", "only eeee is kept", "eeµµ (48) and µµµµ (52) are allowed as well"),
    (f" | {_52}", "", "µµµµ is dropped", "four times 13 make 52"),
    (f"{_44} | ", "", "eeee is dropped", "four times 11 make 44"),
    (_every, "every event is kept", "`x == 44 or 48` is always true: compare with each number, and join with |"),
    (_none, "no event is kept", f"{_FOUR}, which make 44, 48 or 52"),
)


@exercise("1.4", library=[selection.is_flavour_allowed])
def exercise_1_4(answer: Any, report: Report) -> None:
    """The flavour requirement."""
    flavours = _all_rows((11, 13))
    events = crafted.leptons(flavours, [(1, -1, 1, -1)] * len(flavours))
    what = "keeps eeee, eeµµ in any order, and µµµµ, and no others"
    _requirement(answer, report, selection.is_flavour_allowed, events, _MISTAKES_1_4, what)


_MISTAKES_1_5 = variants(
    "1.5",
    *(
        (
            lambda events, i=i, j=j: events[f"lep{i}_charge"] + events[f"lep{j}_charge"] == 0,
            f"only lep{i} and lep{j} are added up",
            _FOUR,
        )
        for i, j in kinematics.PAIRS
    ),
    (((" + ", " * "), ("== 0", "== 1")), "the charges are multiplied", "(+1)⁴ is 1 as well: add up"),
    ("== 0", "<= 0", "negative total charges are kept", "the sum is to be exactly 0"),
    ("== 0", ">= 0", "positive total charges are kept", "the sum is to be exactly 0"),
    (_every, "every event is kept", "an even sum may be 4: compare it with 0, and without abs()"),
    (_none, "no event is kept", f"{_FOUR}, which make 0"),
)


@exercise("1.5", library=[selection.is_neutral])
def exercise_1_5(answer: Any, report: Report) -> None:
    """The charge requirement."""
    charges = _all_rows((1, -1))
    events = crafted.leptons([(11, 11, 13, 13)] * len(charges), charges)
    what = "keeps two positive and two negative leptons, in any order, and no others"
    _requirement(answer, report, selection.is_neutral, events, _MISTAKES_1_5, what)


_NEARER = "np.abs(mass - 91.19) < np.abs(m_z1 - 91.19)"
_ALL_SIX, _NEAREST = "any two leptons can be Z1: try all six pairs", "the nearest to 91.19 GeV: np.abs(mass - 91.19)"
_OF_OTHERS = ", (2, 3, 1, 4), (2, 4, 1, 3), (3, 4, 1, 2)"
_MISTAKES_1_6 = variants(
    "1.6",
    ((("(1, 3, 2, 4), (1, 4, 2, 3)", ""), (_OF_OTHERS, "")), "only leptons 1 and 2 are tried", _ALL_SIX),
    (lambda e: (e["m_ll_12"].to_numpy(), e["m_ll_34"].to_numpy()), "the two hardest are taken as Z1", _ALL_SIX),
    (_OF_OTHERS, "", "only pairs with lepton 1 are tried", _ALL_SIX),
    ("same_flavour & opposite", "opposite", "leptons of two flavours are paired", "e⁺µ⁻ is no Z: compare lep_pdgid"),
    ("& opposite ", "", "leptons of equal charge are paired", "a Z boson has no charge: compare lep_charge"),
    ("same_flavour & opposite & ", "", "any two leptons are paired", "one flavour and opposite charges"),
    (_NEARER, "False", "of two possible pairs the first is taken", "in eeee and µµµµ there are two: the mass decides"),
    (_NEARER, "mass > m_z1", "Z1 is the heaviest pair", _NEAREST),
    (_NEARER, "mass < m_z1", "Z1 is the lightest pair", _NEAREST),
    (", np.nan)", ", 0.0)", "events without a pair get 0", "np.nan says so: begin with np.full(len(events), np.nan)"),
    (
        "np.isnan(m_z1) | ",
        "",
        "all masses are NaN",
        "a comparison with NaN is always False: keep the smallest distance so far, beginning with np.inf",
    ),
)


def _four_leptons(seed: int, n: int) -> pd.DataFrame:
    """Return a table of flavours, charges and pair masses: the latter of their own, as no answer needs momenta."""
    rng = np.random.default_rng(seed)
    flavours = [row for row in _all_rows((11, 13)) if sum(row) in selection.CHANNELS]
    charges = [row for row in _all_rows((1, -1)) if sum(row) == 0]
    events = crafted.leptons(
        [flavours[k] for k in rng.integers(0, len(flavours), n)], [charges[k] for k in rng.integers(0, len(charges), n)]
    )
    masses = {f"m_ll_{i}{j}": rng.uniform(5, 160, n).astype(np.float32) for i, j in kinematics.PAIRS}
    return events.assign(**masses)


@exercise("1.6", library=[kinematics.z_masses])
def exercise_1_6(answer: Any, report: Report) -> None:
    """The masses of the two Z bosons."""
    nearest = "Z1 is the allowed pair nearest to 91.19 GeV, or NaN", "keep the pair found so far where none is nearer"
    rest = "Z2 is made of the other two leptons", "1 and 3 leave 2 and 4"
    given, names = (_four_leptons(16, 60),), "m_z1, m_z2"
    parts_follow(report, answer, _pairs, given, names, ((), *nearest), ((), *rest), of_all=_MISTAKES_1_6)
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


_BOTH_ENDS = "try every pair of edges: two loops, the second from the first edge on"
_MISTAKES_1_9 = variants(
    "1.9",
    ("np.sqrt(b)", "b", "this is the best s/b", "a root belongs to b: s / np.sqrt(b)"),
    ("np.sqrt(b)", "np.sqrt(s + b)", "this is the best s/√(s+b)", "divide by √b alone"),
    (" / np.sqrt(b)", "", "this is the window with most signal", "divide by √b"),
    ("len(signal) + 1)", "first + 2)", "only single bins are tried", _BOTH_ENDS),
    ("range(len(signal))", "range(1)", "all windows begin at the first edge", _BOTH_ENDS),
    ("range(first + 1, len(signal) + 1)", "(len(signal),)", "all windows end at the last edge", _BOTH_ENDS),
    ((("b > 0", "b"), ("np.sqrt(b)", "np.sqrt(abs(b))")), "a window with a negative background wins", "leave it out"),
    ("(edges[first], edges[end])", "(first, end)", "these are numbers of bins", "return edges[first], edges[end]"),
    ("edges[end]", "edges[end - 1]", "the upper end is an edge too low", "bins first … last end at edges[last + 1]"),
    ("edges[end]", "edges[end] - edges[first]", "the second number is the width", "return the upper edge itself"),
)


@exercise("1.9")
def exercise_1_9(answer: Any, report: Report) -> None:
    """The window with the largest s/√b."""

    def bins(seed: int, n: int) -> tuple[Any, Any, Any]:
        rng, place = np.random.default_rng(seed), np.linspace(-1, 1, n)
        signal = np.exp(-((place / 0.5) ** 2)) * rng.uniform(0.6, 1.4, n)
        background = 4 * np.exp(-place) * rng.uniform(0.5, 1.5, n)
        # A bin with hardly any background, one with a negative one, and ends with negative signal.
        signal[[0, -5, -1]], background[-5:-1] = (-0.05, 0.12, -0.1), (0.05, 1.0, -1.5, 0.3)
        return np.cumsum(rng.uniform(1, 3, n + 1)), signal, background

    given, what = bins(109, 16), "no other window has a larger s/√b"
    report.parts(answer(*given), "low, high")
    follows(report, answer, _window, given, _MISTAKES_1_9, what, _BOTH_ENDS, relative=1e-6)
    empty = np.array([0.0, 1, 2, 3]), np.array([1, 2, 1.5]), np.array([4.0, 0, 4])
    no_b = "s/0 is infinite in NumPy: leave out windows whose background is not positive, b > 0"
    gives(report, answer, (empty, (1.0, 3.0), "a window without any background does not count", no_b))
    report.agrees(answer, _window, bins(20, 11), hint="use the three arguments, and all edges")


_MISTAKES_1_10 = variants(
    "1.10",
    ("(weight**2).sum()", "weight.sum() ** 2", "numerator and denominator are the same", "square first, then sum"),
    ("weight.sum() **", "abs(weight).sum() **", "negative weights count as positive", "no abs() in a sum of weights"),
    ("weight.sum() ** 2", "weight.sum()", "the sum on top is not squared", "(Σw)², then divide by Σw²"),
    ("(weight**2)", "abs(weight)", "the weights below are not squared", "Σw²: square each"),
    (len, "this is the raw number", "events with small weights are worth less than one"),
    (np.sum, "this is the expected number", "square it, and divide by Σw²"),
    ("weight.sum() ** 2", "weight**2", "this is one number per event", "add up first, then square: w.sum()**2"),
)


@exercise("1.10", library=[weights.effective_number])
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
    report.agrees(answer, _effective, (np.tile(w, 3),), hint="add up all weights that are given")
