"""Checks of chapter 1, data preparation."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from course.checks import crafted
from course.checks.compare import alike
from course.checks.registry import course_answer
from course.checks.report import Report, Row, exercise
from course.checks.tables import (
    PER_CENT,
    caught,
    changed,
    follows,
    gives,
    hold,
    just_above,
    parts_follow,
    with_argument,
)
from labcourse import kinematics, samples, selection, weights


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
        return
    if report.recognises(result, *_MISTAKES_1_1, given=given, right=right):
        return
    if not report.holds(result.shape == (50,), "gives one number per event", hint="sum over axis 1"):
        return
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
    report.also(alike(result, right), "four leptons have the right mass", hint="compare each line with the formulas")
    report.agrees(answer, _mass, particles(60, 6), hint="sum over axis 1, without naming the columns one by one")


_FACTORS = ("mcWeight", *(f"scaleFactor_{name}" for name in ("PILEUP", "ELE", "MUON", "LepTRIGGER")))


_weight = course_answer("1.2")


def _with(**branches: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return a function that computes the weight with some of the branches replaced."""
    return lambda b, luminosity: _weight(b | {name: new(b) for name, new in branches.items()}, luminosity)


def _without(*names: str) -> Row:
    what = f"the factor {names[0]} is missing" if len(names) == 1 else f"factors are missing: {', '.join(names)}"
    return _with(**dict.fromkeys(names, lambda b: 1.0)), what, "multiply by all factors of the formula"


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
    (_with(SumWeights=lambda b: 1.0), "the sum of the weights is missing", "divide by SumWeights"),
    (changed(_weight, np.sum), "this is the sum of all weights", "one weight per event: multiply element by element"),
    *(_without(*names) for n in range(1, 6) for names in itertools.combinations((*_FACTORS, "XSection"), n)),
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
    if follows(report, answer, _weight, given, _MISTAKES_1_2, what, "all factors, and one weight per event"):
        other = {name: np.append(values, 0.7 * values[::-1]) for name, values in branches.items()}
        report.agrees(answer, _weight, (other, 3.2), hint="use the arguments branches and luminosity, as they are")


_count = course_answer("1.3")


_MISTAKES_RAW = (
    (lambda e: e.size, "raw counts cells of the table", "each row has many cells: count the rows"),
    (lambda e: len(e.columns), "raw counts columns of the table", "every row is one event"),
    (lambda e: (e["weight"] > 0).sum(), "raw leaves out events with negative weights", "each event counts once"),
)
_MISTAKES_EXPECTED = (
    (lambda e: e["weight"].abs().sum(), "negative weights count as positive", "add the weights without abs()"),
    (lambda e: e["weight"].clip(0).sum(), "negative weights are dropped", "they subtract: add the weights as they are"),
    (lambda e: e["weight"].mean(), "expected is the mean weight", "add up the weights"),
    (len, "expected counts events", "add up the column weight"),
)


@exercise("1.3")
def exercise_1_3(answer: Any, report: Report) -> None:
    """Raw and expected numbers of events."""
    names = [*["Zee"] * 4, "llll", "ZH125_ZZ4lep", "ttbar_lep"]
    events = crafted.weighted(names, [0.5, 0.25, -0.25, 1.0, 0.7, 0.0, 0.5])
    raw = _MISTAKES_RAW, "raw is the number of events", "every row of the table is one simulated event"
    expected = (_MISTAKES_EXPECTED, "expected is the sum of the weights", "an event counts as its weight says")
    if parts_follow(report, answer, _count, (events,), "raw, expected", raw, expected):
        twice = pd.concat([events, events])
        report.agrees(answer, _count, (twice,), hint="use the table that is given, and all of it")
        gives(report, answer, ((events[:0],), (0, 0), "an empty table has no events", "sums of nothing are zero"))


_FOUR = (1, 2, 3, 4)


def _sum(events: pd.DataFrame, quantity: str, leptons: tuple[int, ...] = _FOUR) -> Any:
    return np.sum([events[f"lep{i}_{quantity}"] for i in leptons], axis=0)


def _on_sum(quantity: str, test: Callable[[Any], Any], leptons: tuple[int, ...] = _FOUR) -> Callable[..., Any]:
    """Return a requirement on the sum of a quantity, over four leptons or others."""
    return lambda events: test(_sum(events, quantity, leptons))


def _other_leptons(quantity: str, test: Callable[[Any], Any]) -> Iterator[Row]:
    """Return the mistakes of adding up other leptons than the four of the candidate."""
    all_five = _on_sum(quantity, test, (*_FOUR, 5))
    yield all_five, "a fifth lepton is counted", "only lep1 to lep4 belong to the candidate"
    hint = "the candidate has four leptons: add up lep1 to lep4"
    for missing in _FOUR:
        others, what = tuple(i for i in _FOUR if i != missing), f"lep{missing} is left out"
        yield _on_sum(quantity, test, others), f"only three leptons are added up: {what}", hint
        for twice in others:
            yield _on_sum(quantity, test, (*others, twice)), f"lep{twice} is added twice, and {what}", hint
    for pair in itertools.combinations(_FOUR, 2):
        yield _on_sum(quantity, test, pair), f"only lep{pair[0]} and lep{pair[1]} are added up", hint


def _rows(values: tuple[int, ...], n: int = 4) -> list[tuple[int, ...]]:
    """Return all combinations of values; the first three also come last, so that the order is no mirror image."""
    rows = list(itertools.product(values, repeat=n))
    return rows + rows[:3]


def _in_pairs(quantity: str, test: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    return lambda e: np.logical_and(*(test(e[f"lep{i}_{quantity}"], e[f"lep{i + 1}_{quantity}"]) for i in (1, 3)))


def _mask(
    answer: Any, report: Report, events: pd.DataFrame, right: Any, probe: pd.DataFrame, mistakes: tuple[Row, ...]
) -> Any:
    """Return the answer's mask of events; None if it is no mask, or one of the mistakes.

    The ``probe`` also has values such as no lepton has: with all combinations of them it tells apart which columns an
    answer adds up, and serves only to name the mistake of a wrong one.
    """
    result = answer(events)
    mask, one, per_event = np.asarray(result), "this is one value for all events", "one True or False per event"
    use_equal = "`is` asks whether two objects are the same one: compare whole columns with ==, event by event"
    if caught(
        report,
        (mask.ndim > 1, "this is a table of events", f"return the mask itself, {per_event}"),
        (mask.shape == () and mask.dtype == bool, one, use_equal),
        (mask.shape == (), f"{one}, of type {type(result).__name__}", f"return a mask, {per_event}"),
        (mask.size != len(events), f"{mask.size} entries for {len(events)} events", per_event),
        (mask.dtype != bool, f"the entries are of type {mask.dtype}", "end with a comparison: True or False"),
    ):
        return None
    if not np.array_equal(mask, right) and report.recognises(answer(probe), *mistakes, given=(probe,)):
        return None
    return mask


def _works_without_events(answer: Any, events: pd.DataFrame) -> tuple[Any, str, str]:
    return lambda: np.size(answer(events[:0])) == 0, "works on an empty table", "avoid loops and indices"


def _flavour(*sums: int) -> Callable[..., Any]:
    return _on_sum("pdgid", lambda n: np.isin(n, sums))


_MISTAKES_1_4 = (
    (_flavour(44, 52), "mixed events, eeµµ, are dropped", "their sum is 48"),
    (_flavour(48), "only eeµµ is kept", "eeee (44) and µµµµ (52) are allowed as well"),
    (_flavour(44), "only eeee is kept", "eeµµ (48) and µµµµ (52) are allowed as well"),
    (_flavour(44, 48), "µµµµ is dropped", "four times 13 make 52"),
    (_flavour(48, 52), "eeee is dropped", "four times 11 make 44"),
    (changed(_flavour(44, 48, 52), np.logical_not), "the mask is upside down", "true means: keep the event"),
    (_on_sum("pdgid", lambda n: n % 2 == 0), "every event is kept", "all sums are even: compare with 44, 48, 52"),
    (_in_pairs("pdgid", np.equal), "flavours are compared in pairs of a fixed order", "eµµe is possible: add up codes"),
    *_other_leptons("pdgid", lambda n: np.isin(n, (44, 48, 52))),
)


@exercise("1.4", fallback=selection.is_flavour_allowed)
def exercise_1_4(answer: Any, report: Report) -> None:
    """The flavour requirement."""
    rows, codes = _rows((11, 13)), _rows((0, 11, 13, 24), 5)
    events = crafted.leptons([(*row, 13) for row in rows], [(1, -1, 1, -1, 1)] * len(rows))
    probe = crafted.leptons(codes, [(1, -1, 1, -1, 1)] * len(codes))
    mask = _mask(answer, report, events, selection.is_flavour_allowed(events), probe, _MISTAKES_1_4)
    if mask is None:
        return
    if mask.all():
        report.wrong("every event is kept", "`x == 44 or 48` is always true: compare with each number, and join with |")
        return
    n_muons = np.array([row.count(13) for row in rows])
    report.holds(mask[n_muons == 0], "keeps eeee", hint="four times 11 make 44")
    report.holds(mask[n_muons == 2], "keeps eeµµ in any order", hint="the sum is 48, in whatever order")
    report.holds(mask[n_muons == 4], "keeps µµµµ", hint="four times 13 make 52")
    report.holds(~mask[n_muons == 1], "drops eeeµ", hint="three electrons and a muon make 46")
    report.holds(~mask[n_muons == 3], "drops eµµµ", hint="an electron and three muons make 50")
    hold(report, _works_without_events(answer, events))


def _charges(events: pd.DataFrame) -> Any:
    return np.array([events[f"lep{i}_charge"] for i in _FOUR])


_MISTAKES_1_5 = (
    *_other_leptons("charge", lambda q: q == 0),
    (_on_sum("charge", lambda q: q != 0), "the mask is upside down", "true means: keep the event"),
    (changed(_charges, lambda q: np.prod(q, axis=0) == 1), "the charges are multiplied", "(+1)⁴ is 1 as well: add up"),
    (_on_sum("charge", lambda q: q <= 0), "negative total charges are kept", "the sum is to be exactly 0"),
    (_on_sum("charge", lambda q: q >= 0), "positive total charges are kept", "the sum is to be exactly 0"),
    (_on_sum("charge", lambda q: q % 2 == 0), "every event is kept", "an even sum may be 4: compare it with 0"),
    (_in_pairs("charge", lambda a, b: a + b == 0), "charges are compared in pairs of a fixed order", "add up all four"),
    (changed(_charges, lambda q: np.abs(q).sum(axis=0) == 0), "the signs of the charges are lost", "no abs()"),
)


@exercise("1.5", fallback=selection.is_neutral)
def exercise_1_5(answer: Any, report: Report) -> None:
    """The charge requirement."""
    # The fifth lepton and the flavours differ from event to event: neither is to be looked at.
    rows, charges = _rows((1, -1)), _rows((-1, 0, 1), 5)
    flavours = [((11,) * 5, (13,) * 5, (11, 11, 13, 13, 13))[i % 3] for i in range(len(rows))]
    events = crafted.leptons(flavours, [(*row, (1, -1)[i % 2]) for i, row in enumerate(rows)])
    # Sums of three or of five charges are never zero; leptons without charge tell them apart.
    probe = crafted.leptons([(11,) * 5] * len(charges), charges)
    mask = _mask(answer, report, events, selection.is_neutral(events), probe, _MISTAKES_1_5)
    if mask is None:
        return
    total, keeps = np.sum(rows, axis=1), "keeps two positive and two negative leptons, in any order"
    report.holds(mask[total == 0], keeps, hint="compare the sum with 0")
    report.holds(~mask[total == 2], "drops a total charge of +2", hint="three positive and one negative")
    report.holds(~mask[np.abs(total) == 4], "drops total charges of +4 and −4", hint="== 0, not: an even number")
    report.holds(~mask[total == -2], "drops a total charge of −2", hint="a comparison with <= would keep it")
    hold(report, _works_without_events(answer, events))


@exercise("1.6")
def exercise_1_6(answer: Any, report: Report, *, cut_flow: pd.DataFrame) -> None:
    """The share of top pairs that the preselection keeps."""
    raw, expected = cut_flow["raw"], cut_flow["expected"]
    start, flavour, charge = (float(expected[step]) for step in ("four leptons", "flavour", "charge"))
    mistakes = (
        (100 * charge / start, *PER_CENT),
        (1 - charge / start, "this is the share that fails", "we ask for the share that passes"),
        (flavour / start, "this is the share after the flavour requirement alone", "take the last row"),
        (charge / flavour, "this is the share of the last requirement alone", "divide by the events of the first row"),
        (start / charge, "the fraction is upside down", "what is left, over what there was"),
        (charge, "this is the number of events that pass", "divide it by the number in the first row"),
        (raw["charge"] / raw["four leptons"], "these are raw events", "the expected numbers are the sums of weights"),
    )
    hint = "divide the last expected number by the first"
    report.reading(answer, charge / start, "the share of top pairs that passes", *mistakes, tolerance=0.05, hint=hint)


@exercise("1.7")
def exercise_1_7(answer: Any, report: Report, *, separations: pd.Series) -> None:
    """The low-level variable with the largest separation."""
    low_level = separations[[str(name).startswith("lep") for name in separations.index]]
    high_level = separations.index.difference(low_level.index)
    angles = [name for name in low_level.index if str(name).endswith(("_eta", "_phi"))]
    mistakes = (
        (high_level, "this one is high-level", "the name of a low-level variable begins with lep"),
        (low_level.idxmin(), "this one separates least", "a large separation is what we want"),
        (angles, "this is an angle, whose separation is small", "0: signal and background look the same"),
    )
    what = "no other low-level variable separates better"
    hint = "the table is sorted: the first name that begins with lep"
    report.name(answer, list(separations.index), {str(low_level.idxmax())}, what, *mistakes, hint=hint)


def _purity(events: Any, low: float, high: float, signal: Any = samples.SIGNAL, over: Any = None) -> float:
    """The course's own answer to exercise 1.9; the options are the variants that students write."""
    inside, is_signal = (events["m_llll"] >= low) & (events["m_llll"] < high), events["sample"].isin(signal)
    weight = events["weight"] * inside
    whole = over(events["weight"], inside, is_signal) if over else weight.sum()
    return float(weight[is_signal].sum() / whole) if whole else 0.0


def _weights_as(change: Callable[[Any], Any]) -> Callable[..., Any]:
    return with_argument(_purity, 0, lambda events: events.assign(weight=change(events["weight"])))


_MISTAKES_1_9 = (
    (_weights_as(np.ones_like), "events are counted, not weighted", "use the sum of the column weight"),
    (partial(_purity, over=lambda w, inside, s: w[inside & ~s].sum()), "this is s/b", "the purity is s/(s+b)"),
    (_weights_as(np.abs), "negative weights count as positive", "add the weights as they are"),
    (partial(_purity, signal=["ggH125_ZZ4lep"]), "only ggH counts as signal", "samples.SIGNAL names all four of them"),
    (with_argument(_purity, 2, just_above), "the upper edge belongs to the window", "low <= m_llll < high"),
    (with_argument(_purity, 1, just_above), "the lower edge is left out", "low <= m_llll < high"),
    (lambda e, *_: _purity(e, -np.inf, np.inf), "the window is not applied", "keep events with low <= m_llll < high"),
    (partial(_purity, signal=samples.BACKGROUND), "this is the share of background", "signal goes into the numerator"),
    (partial(_purity, over=lambda w, inside, s: w[s].sum()), "this is an efficiency", "divide by all *in the window*"),
    (partial(_purity, over=lambda *_: 1.0), "this is the number of signal events", "divide by all expected events"),
    (changed(_purity, lambda share: 100 * share), *PER_CENT),
)


@exercise("1.9")
def exercise_1_9(answer: Any, report: Report) -> None:
    """The purity in a window of the four-lepton mass."""
    names = ["ggH125_ZZ4lep", "VBFH125_ZZ4lep", "llll", "Zee", "llll", "ggH125_ZZ4lep", "llll", *samples.SIMULATED]
    masses = [124, 125, 120, 126, 200, 130, 115, 116, 118, 121, 122, 123, 127, 128, 129]
    weight = [1.0, 0.5, 4.0, -0.5, 7.0, 0.25, 0.75, 0.2, 0.3, 0.15, 0.35, 0.6, 0.9, 0.4, 1.1]
    # Where negative weights prevail, the formula gives shares below 0 and above 1.
    names += ["ZH125_ZZ4lep", "llll", "ggH125_ZZ4lep", "Zee"]
    weight += [-0.25, 1.0, 1.0, -0.5]
    events = crafted.weighted(names, weight, m_llll=[*masses, 140, 140, 150, 150])
    given, what = (events, 115, 130), "signal weights over all weights in the window"
    if not follows(report, answer, _purity, given, _MISTAKES_1_9, what, "s/(s+b)", relative=1e-5):
        return
    only_background = "a window with background only has purity 0"
    gives(report, answer, ((events, 190, 210), 0.0, only_background, "use the arguments low and high"))
    windows = (118, 125), (118.5, 124.5), (100, 250), (135, 145), (145, 155)
    hint = "use the arguments low and high, and leave the number as it comes out"
    report.agrees(answer, _purity, *((events, *window) for window in windows), hint=hint)
    if alike(empty := answer(events, 300, 400), float("nan")):
        report.wrong("an empty window gives NaN", "0 divided by 0 is no number: test for it before you divide")
        return
    report.also(alike(empty, 0.0), "an empty window has purity 0", hint="test for it before you divide")


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
    if not follows(report, answer, _effective, (w,), _MISTAKES_1_10, "follows the formula", formula):
        return
    gives(
        report,
        answer,
        ((np.full(7, 0.3),), 7, "equal weights: the number of events", "(7w)²/(7w²) is 7"),
        ((np.array([1.0, 1.0, -1.0]),), 1 / 3, "a negative weight costs precision", formula),
        ((-5 * w,), _effective(w), "does not depend on the units or the sign of the weights", formula),
    )
    report.agrees(answer, weights.effective_number, (np.tile(w, 3),), hint="add up all weights that are given")
