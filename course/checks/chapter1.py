"""Checks of chapter 1, data preparation."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from course.checks import crafted
from course.checks.compare import alike
from course.checks.report import Report, Row, exercise
from labcourse import kinematics, samples, selection, weights

__all__ = [
    "exercise_1_1",
    "exercise_1_2",
    "exercise_1_3",
    "exercise_1_4",
    "exercise_1_5",
    "exercise_1_6",
    "exercise_1_7",
    "exercise_1_9",
    "exercise_1_10",
]

Test = Callable[[Any], Any]


def _sum(events: pd.DataFrame, quantity: str, leptons: tuple[int, ...] = (1, 2, 3, 4)) -> Any:
    return np.sum([events[f"lep{i}_{quantity}"] for i in leptons], axis=0)


def _on_sum(quantity: str, test: Test, leptons: tuple[int, ...] = (1, 2, 3, 4)) -> Callable[[pd.DataFrame], Any]:
    """Return a requirement on the sum of a quantity, over four leptons or others."""
    return lambda events: test(_sum(events, quantity, leptons))


def _other_leptons(quantity: str, test: Test) -> Iterator[Row]:
    """Return the mistakes of adding up other leptons than the four of the candidate."""
    all_five = _on_sum(quantity, test, (1, 2, 3, 4, 5))
    yield all_five, "a fifth lepton is counted", "only lep1 to lep4 belong to the candidate"
    for missing in (4, 3, 2, 1):
        others = tuple(i for i in (1, 2, 3, 4) if i != missing)
        what, hint = f"lep{missing} is left out", "the candidate has four leptons: add up lep1 to lep4"
        yield _on_sum(quantity, test, others), f"only three leptons are added up: {what}", hint
        for twice in others:
            yield _on_sum(quantity, test, (*others, twice)), f"lep{twice} is added twice, and {what}", hint
    for pair in itertools.combinations((1, 2, 3, 4), 2):
        yield _on_sum(quantity, test, pair), f"only lep{pair[0]} and lep{pair[1]} are added up", hint


def _probe(quantity: str, values: tuple[int, ...]) -> pd.DataFrame:
    """Return events with all combinations of values, also such as no lepton has.

    They tell apart which columns an answer adds up, and serve only to name the mistake of a wrong one.
    """
    rows = list(itertools.product(values, repeat=5))
    other = [(11,) * 5 if quantity == "charge" else (1, -1, 1, -1, 1)] * len(rows)
    return crafted.leptons(other, rows) if quantity == "charge" else crafted.leptons(rows, other)


def _all_rows(*values: int) -> list[tuple[int, ...]]:
    """Return all combinations of four values; the first three also come last, so that the order is no mirror image."""
    rows = list(itertools.product(values, repeat=4))
    return rows + rows[:3]


def _allowed(total: Any) -> Any:
    return np.isin(total, (44, 48, 52))


@exercise("1.4", fallback=selection.is_flavour_allowed)
def exercise_1_4(answer: Any, report: Report) -> None:
    """The flavour requirement."""
    rows = _all_rows(11, 13)
    n_muons = np.array([row.count(13) for row in rows])
    events = crafted.leptons([(*row, 13) for row in rows], [(1, -1, 1, -1, 1)] * len(rows))
    right = selection.is_flavour_allowed(events)
    mask = _mask(answer(events), events, report)
    if mask is None:
        return
    if not np.array_equal(mask, right):
        probe = _probe("pdgid", (0, 11, 13, 24))
        if report.recognises(
            np.asarray(answer(probe)),
            (_on_sum("pdgid", lambda n: np.isin(n, (44, 52))), "mixed events, eeµµ, are dropped", "their sum is 48"),
            (_on_sum("pdgid", lambda n: n == 48), "only eeµµ is kept", "eeee (44) and µµµµ (52) are allowed as well"),
            (_on_sum("pdgid", lambda n: n == 44), "only eeee is kept", "eeµµ (48) and µµµµ (52) are allowed as well"),
            (_on_sum("pdgid", lambda n: np.isin(n, (44, 48))), "µµµµ is dropped", "four times 13 make 52"),
            (_on_sum("pdgid", lambda n: np.isin(n, (48, 52))), "eeee is dropped", "four times 11 make 44"),
            (_on_sum("pdgid", lambda n: ~_allowed(n)), "the mask is upside down", "true means: keep the event"),
            (
                _on_sum("pdgid", lambda n: n % 2 == 0),
                "every event is kept",
                "all sums are even: compare with 44, 48, 52",
            ),
            (
                lambda events: (
                    (events["lep1_pdgid"] == events["lep2_pdgid"]) & (events["lep3_pdgid"] == events["lep4_pdgid"])
                ),
                "flavours are compared in pairs of a fixed order",
                "leptons are ordered by momentum, so eµµe is possible: the sum of the codes knows no order",
            ),
            *_other_leptons("pdgid", _allowed),
            given=(probe,),
        ):
            return
    if mask.all():
        report.wrong("every event is kept", "`x == 44 or 48` is always true: compare with each number, and join with |")
        return
    report.holds(mask[n_muons == 0], "keeps eeee", hint="four times 11 make 44")
    report.holds(
        mask[n_muons == 2], "keeps eeµµ in any order", hint="the sum of the codes does not depend on the order: 48"
    )
    report.holds(mask[n_muons == 4], "keeps µµµµ", hint="four times 13 make 52")
    report.holds(~mask[n_muons == 1], "drops eeeµ", hint="three electrons and a muon make 46")
    report.holds(~mask[n_muons == 3], "drops eµµµ", hint="an electron and three muons make 50")
    _works_without_events(answer, events, report)


def _is_zero(total: Any) -> Any:
    return total == 0


@exercise("1.5", fallback=selection.is_neutral)
def exercise_1_5(answer: Any, report: Report) -> None:
    """The charge requirement."""
    # The fifth lepton and the flavours differ from event to event: neither is to be looked at.
    rows = _all_rows(1, -1)
    total = np.sum(rows, axis=1)
    flavours = [((11,) * 5, (13,) * 5, (11, 11, 13, 13, 13))[i % 3] for i in range(len(rows))]
    events = crafted.leptons(flavours, [(*row, (1, -1)[i % 2]) for i, row in enumerate(rows)])
    mask = _mask(answer(events), events, report)
    if mask is None:
        return
    if not np.array_equal(mask, selection.is_neutral(events)):
        # Sums of three or of five charges are never zero; leptons without charge tell them apart.
        probe = _probe("charge", (-1, 0, 1))
        if report.recognises(
            np.asarray(answer(probe)),
            *_other_leptons("charge", _is_zero),
            (_on_sum("charge", lambda q: q != 0), "the mask is upside down", "true means: keep the event"),
            (
                lambda events: np.prod([events[f"lep{i}_charge"] for i in (1, 2, 3, 4)], axis=0) == 1,
                "the charges are multiplied",
                "(+1)⁴ is 1 as well: the total charge is a sum",
            ),
            (_on_sum("charge", lambda q: q <= 0), "negative total charges are kept", "the sum is to be exactly 0"),
            (_on_sum("charge", lambda q: q >= 0), "positive total charges are kept", "the sum is to be exactly 0"),
            (
                lambda events: _sum(events, "charge").astype(int) % 2 == 0,
                "every event is kept",
                "four odd numbers always have an even sum: compare it with 0",
            ),
            (
                lambda events: (
                    (events["lep1_charge"] + events["lep2_charge"] == 0)
                    & (events["lep3_charge"] + events["lep4_charge"] == 0)
                ),
                "charges are compared in pairs of a fixed order",
                "the two positive leptons may be any two: add up all four",
            ),
            (
                lambda events: _sum(events.abs(), "charge") == 0,
                "the signs of the charges are lost",
                "no abs(): opposite charges are to cancel",
            ),
            given=(probe,),
        ):
            return
    report.holds(
        mask[total == 0],
        "keeps two positive and two negative leptons, in any order",
        hint="compare the sum with 0",
    )
    report.holds(~mask[total == 2], "drops a total charge of +2", hint="three positive and one negative")
    report.holds(~mask[np.abs(total) == 4], "drops total charges of +4 and −4", hint="== 0, not: an even number")
    report.holds(~mask[total == -2], "drops a total charge of −2", hint="a comparison with <= would keep it")
    _works_without_events(answer, events, report)


def _mask(result: Any, events: pd.DataFrame, report: Report) -> np.ndarray | None:
    """Return the answer as a boolean array, or None if it is no mask."""
    array = np.asarray(result)
    if isinstance(result, pd.DataFrame) or array.ndim == 2:
        report.wrong("this is a table of events", "return the mask itself, one True or False per event")
    elif array.shape == () and array.dtype == bool:
        report.wrong(
            "this is one value for all events",
            "`is` asks whether two objects are the same one: compare whole columns with ==, event by event",
        )
    elif array.shape == ():
        report.wrong(f"this is one value for all events, of type {type(result).__name__}", "return a mask")
    elif array.shape != (len(events),):
        report.wrong(
            f"{array.shape[0]} entries for {len(events)} events",
            "one True or False per event, also for those that fail",
        )
    elif array.dtype != bool:
        report.wrong(f"the entries are of type {array.dtype}", "end with a comparison, so that they are True or False")
    else:
        return array
    return None


def _works_without_events(answer: Any, events: pd.DataFrame, report: Report) -> None:
    report.also(lambda: np.size(answer(events[:0])) == 0, "works on an empty table", hint="avoid loops and indices")


@exercise("1.6")
def exercise_1_6(answer: Any, report: Report, *, cut_flow: pd.DataFrame) -> None:
    """The share of top pairs that the preselection keeps."""
    raw, expected = cut_flow["raw"], cut_flow["expected"]
    start, flavour, charge = (float(expected[step]) for step in ("four leptons", "flavour", "charge"))
    report.reading(
        answer,
        charge / start,
        "the share of top pairs that passes",
        (100 * charge / start, "this is in per cent", "give a number between 0 and 1"),
        (1 - charge / start, "this is the share that fails", "we ask for the share that passes"),
        (flavour / start, "this is the share after the flavour requirement alone", "take the last row"),
        (charge / flavour, "this is the share of the last requirement alone", "divide by the events of the first row"),
        (start / charge, "the fraction is upside down", "what is left, over what there was"),
        (charge, "this is the number of events that pass", "divide it by the number in the first row"),
        (
            float(raw["charge"] / raw["four leptons"]),
            "these are raw events",
            "the expected numbers are the sums of weights",
        ),
        tolerance=0.05,
        hint="divide the last expected number by the first",
    )


@exercise("1.7")
def exercise_1_7(answer: Any, report: Report, *, separations: pd.Series) -> None:
    """The low-level variable with the largest separation."""
    low_level = separations[[str(name).startswith("lep") for name in separations.index]]
    high_level = separations.index.difference(low_level.index)
    report.name(
        answer,
        list(separations.index),
        {str(low_level.idxmax())},
        "no other low-level variable separates better",
        (high_level, "this one is high-level", "the name of a low-level variable begins with lep"),
        (low_level.idxmin(), "this one separates least", "a large separation is what we want"),
        (
            [name for name in low_level.index if str(name).endswith(("_eta", "_phi"))],
            "this is an angle, whose separation is small",
            "compare the numbers in the table: 0 means that signal and background look the same",
        ),
        hint="the table is sorted: the first name that begins with lep",
    )


def _purity(
    events: pd.DataFrame,
    low: float,
    high: float,
    *,
    signal: Any = samples.SIGNAL,
    over: str = "all",
    weigh: Any = None,
    upper: str = "neither",
    window: bool = True,
) -> float:
    """Return the purity; the options are the variants that students write."""
    mass = events["m_llll"]
    inside = (mass >= low) & ((mass <= high) if upper == "closed" else (mass < high))
    if upper == "open":
        inside &= mass > low
    weight = (events["weight"] if weigh is None else weigh(events["weight"])) * (inside if window else 1)
    is_signal = events["sample"].isin(signal)
    whole = {
        "all": weight.sum(),
        "background": weight[~is_signal].sum(),
        "all signal": events.loc[is_signal, "weight"].sum(),
        "nothing": 1.0,
    }[over]
    return float(weight[is_signal].sum() / whole) if whole else 0.0


@exercise("1.9", fallback=_purity)
def exercise_1_9(answer: Any, report: Report) -> None:
    """The purity in a window of the four-lepton mass."""
    names = ["ggH125_ZZ4lep", "VBFH125_ZZ4lep", "llll", "Zee", "llll", "ggH125_ZZ4lep", "llll", *samples.SIMULATED]
    masses = [124, 125, 120, 126, 200, 130, 115, 116, 118, 121, 122, 123, 127, 128, 129]
    weight = [1.0, 0.5, 4.0, -0.5, 7.0, 0.25, 0.75, 0.2, 0.3, 0.15, 0.35, 0.6, 0.9, 0.4, 1.1]
    # Where negative weights prevail, the formula gives shares below 0 and above 1.
    names += ["ZH125_ZZ4lep", "llll", "ggH125_ZZ4lep", "Zee"]
    weight += [-0.25, 1.0, 1.0, -0.5]
    events = crafted.weighted(names, weight, m_llll=[*masses, 140, 140, 150, 150])
    given = events, 115, 130
    result = answer(*given)

    def variant(**options: Any) -> Any:
        return lambda events, low, high: _purity(events, low, high, **options)

    if report.recognises(
        result,
        (variant(weigh=lambda w: w * 0 + 1), "events are counted, not weighted", "use the sum of the column weight"),
        (variant(over="background"), "this is s/b", "the purity is s/(s+b)"),
        (variant(weigh=abs), "negative weights count as positive", "add the weights as they are"),
        (
            variant(signal=["ggH125_ZZ4lep"]),
            "only ggH counts as signal",
            "samples.SIGNAL names all four signal samples",
        ),
        (variant(upper="closed"), "the upper edge belongs to the window", "low <= m_llll < high"),
        (variant(upper="open"), "the lower edge is left out", "low <= m_llll < high"),
        (variant(window=False), "the window is not applied", "keep only events with low <= m_llll < high"),
        (variant(signal=samples.BACKGROUND), "this is the share of background", "the signal goes into the numerator"),
        (variant(over="all signal"), "this is an efficiency", "the purity divides by all events *in the window*"),
        (variant(over="nothing"), "this is the number of signal events", "divide by all expected events in the window"),
        (100 * _purity(*given), "this is in per cent", "a share lies between 0 and 1"),
        given=given,
        right=_purity(*given),
    ):
        return
    if report.number(result, "add up the weights: one number") is None:
        return
    if not report.close(result, _purity(*given), "signal weights over all weights in the window", hint="s/(s+b)"):
        return
    report.also(
        lambda: alike(answer(events, 190, 210), 0.0),
        "a window with background only has purity 0",
        hint="use the arguments low and high",
    )
    windows = (118, 125), (118.5, 124.5), (100, 250), (135, 145), (145, 155)
    hint = "use the arguments low and high, and leave the number as it comes out"
    report.agrees(answer, _purity, *((events, *window) for window in windows), hint=hint)
    if alike(empty := answer(events, 300, 400), float("nan")):
        report.wrong("an empty window gives NaN", "0 divided by 0 is no number: test for it before you divide")
        return
    report.also(alike(empty, 0.0), "an empty window has purity 0", hint="test for it before you divide")


def _mass(
    *,
    along_beam: Callable[..., Any] = np.sinh,
    axis: int = 1,
    gather: Callable[..., Any] = np.sum,
    root: Callable[..., Any] = np.sqrt,
    sign: float = -1,
) -> Callable[..., Any]:
    """Return a function that computes the invariant mass in one of the ways that students do."""

    def mass(pt: Any, eta: Any, phi: Any, energy: Any) -> Any:
        momenta = pt * np.cos(phi), pt * np.sin(phi), pt * along_beam(eta)
        return root(gather(energy, axis=axis) ** 2 + sign * sum(gather(p, axis=axis) ** 2 for p in momenta))

    return mass


@exercise("1.1", fallback=kinematics.mass)
def exercise_1_1(answer: Any, report: Report) -> None:
    """The invariant mass of all particles in a row."""
    rng = np.random.default_rng(11)

    def particles(n_events: int, n_particles: int) -> tuple[Any, Any, Any, Any]:
        spans = (10, 80), (-2, 2), (-3, 3), (5, 40)
        pt, eta, phi, mass = (rng.uniform(*span, (n_events, n_particles)) for span in spans)
        return pt, eta, phi, np.hypot(pt * np.cosh(eta), mass)

    given = pt, eta, phi, energy = particles(50, 4)
    right = _mass()(*given)
    result = np.asarray(answer(*given), float)
    if result.shape == (50, 4):
        report.wrong("this is one mass per particle", "add the energies and momenta over axis 1 first")
        return
    if report.recognises(
        result,
        (
            lambda pt, eta, phi, energy: np.sqrt((energy**2 - (pt * np.cosh(eta)) ** 2).sum(axis=1)),
            "the squares are taken before the sums",
            "that adds up the masses of single particles: add up first, and square the sums",
        ),
        (
            lambda pt, eta, phi, energy: _mass()(pt, eta, phi, pt * np.cosh(eta)),
            "the energy is not used",
            "E is an argument: a heavy particle has more energy than momentum",
        ),
        (_mass(root=np.asarray), "this is the mass squared", "take the square root at the end"),
        (lambda pt, eta, phi, energy: energy.sum(axis=1), "this is the energy", "subtract all three momenta, squared"),
        (_mass(along_beam=np.zeros_like), "the momentum along the beam is left out", "p_z = pt · sinh(eta)"),
        (_mass(along_beam=np.sin), "p_z has a sine", "the hyperbolic sine: np.sinh"),
        (_mass(along_beam=np.cosh), "p_z has a cosh", "pt · cosh(eta) is the size of the momentum; p_z takes np.sinh"),
        (_mass(along_beam=np.asarray), "p_z is taken as pt · eta", "p_z = pt · sinh(eta)"),
        (_mass(axis=0), "the sums run over the events", "the particles of an event lie along axis 1"),
        (_mass(gather=np.mean), "means are taken, and not sums", "energies and momenta add up: .sum(axis=1)"),
        (_mass(sign=1), "the momenta are added to the energy", "m² = E² − p²: a minus before each of the three"),
        given=given,
        right=right,
    ):
        return
    if not report.holds(result.shape == (50,), "gives one number per event", hint="sum over axis 1"):
        return
    report.also(
        lambda: np.allclose(answer(pt, eta, phi + 1.0, energy), result, rtol=1e-3),
        "the mass stays the same if the event is turned around the beam",
        hint="p_x takes the cosine and p_y the sine of phi",
    )
    light = pt, eta, phi, pt * np.cosh(eta)
    report.also(
        lambda: np.allclose(answer(pt, eta + 0.7, phi, pt * np.cosh(eta + 0.7)), answer(*light), rtol=1e-3),
        "the mass stays the same if the event is boosted along the beam",
        hint="is it sinh(eta) in p_z?",
    )
    back_to_back = np.array([[50.0, 50.0]]), np.zeros((1, 2)), np.array([[0.0, np.pi]]), np.array([[50.0, 50.0]])
    report.also(
        lambda: np.allclose(answer(*back_to_back), 100),
        "two massless particles of 50 GeV, back to back, have a mass of 100 GeV",
        hint="their momenta cancel, their energies add up",
    )
    report.also(alike(result, right), "four leptons have the right mass", hint="compare each line with the formulas")
    report.agrees(answer, _mass(), particles(60, 6), hint="sum over axis 1, without naming the columns one by one")


_FACTORS = ("mcWeight", *(f"scaleFactor_{name}" for name in ("PILEUP", "ELE", "MUON", "LepTRIGGER")))


def _weight(branches: dict[str, Any], luminosity: float) -> Any:
    """The course's own answer to exercise 1.2."""
    return math.prod(branches[name] for name in (*_FACTORS, "XSection")) * 1000 * luminosity / branches["SumWeights"]


def _without(*names: str) -> Callable[..., Any]:
    return lambda branches, luminosity: _weight(branches | dict.fromkeys(names, 1.0), luminosity)


@exercise("1.2", fallback=_weight)
def exercise_1_2(answer: Any, report: Report) -> None:
    """The weight of simulated events at a luminosity."""
    rng = np.random.default_rng(12)
    branches = {name: rng.uniform(0.8, 1.2, 6) for name in _FACTORS}
    branches["mcWeight"] *= [30, 30, -30, 30, 30, -30]
    # Events of two samples.
    branches |= {"XSection": np.repeat([1.5, 0.2], 3), "SumWeights": np.repeat([4e5, 3e4], 3)}
    given = branches, 10.5
    right = _weight(*given)
    result = np.asarray(answer(*given), float)
    if report.recognises(
        result,
        (right * 1e-3, "the weights are a thousand times too small", "XSection is in pb, the luminosity in fb⁻¹"),
        (right * 1e-6, "the weights are a million times too small", "1 pb = 1000 fb, and not the other way round"),
        (np.abs(right), "negative weights have lost their sign", "a weight may be negative: leave it so"),
        (
            lambda b, luminosity: _weight(b | {"SumWeights": b["mcWeight"].sum()}, luminosity),
            "this divides by the sum of the selected events",
            "the sum runs over all generated events: it is the branch SumWeights",
        ),
        (_without("SumWeights"), "the sum of the weights is missing", "divide by SumWeights"),
        (right.sum(), "this is the sum of all weights", "one weight per event: multiply arrays element by element"),
        *(
            (
                _without(*missing),
                f"the factor {missing[0]} is missing" if n == 1 else f"factors are missing: {', '.join(missing)}",
                "multiply by all factors of the formula",
            )
            for n in range(1, 6)
            for missing in itertools.combinations((*_FACTORS, "XSection"), n)
        ),
        *(
            (
                lambda b, luminosity, name=name: _weight(b | {name: b[name][0]}, luminosity),
                f"the first {name} is taken for all events",
                "events may be of several samples: use the whole array, in which each has a value of its own",
            )
            for name in ("XSection", "SumWeights")
        ),
        (lambda b, luminosity: _weight(b, 1), "the luminosity is missing", "multiply by it"),
        given=given,
        right=right,
    ):
        return
    report.also(result.shape == (6,), "gives one weight per event", hint="multiply arrays element by element")
    report.also(
        lambda: np.allclose(answer(branches, 21), 2 * result),
        "twice the luminosity gives twice the events",
        hint="use the argument luminosity",
    )
    report.also(alike(result, right), "the weights follow the formula", hint="all factors, and 1 pb = 1000 fb")
    other = {name: np.append(values, 0.7 * values[::-1]) for name, values in branches.items()}
    report.agrees(answer, _weight, (other, 3.2), hint="use the arrays in branches, as they are")


def _count(events: pd.DataFrame) -> tuple[int, float]:
    """The course's own answer to exercise 1.3."""
    return len(events), events["weight"].sum()


@exercise("1.3", fallback=_count)
def exercise_1_3(answer: Any, report: Report) -> None:
    """Raw and expected numbers of events."""
    events = crafted.weighted(
        [*["Zee"] * 4, "llll", "ZH125_ZZ4lep", "ttbar_lep"], [0.5, 0.25, -0.25, 1.0, 0.7, 0.0, 0.5]
    )
    weight = events["weight"]
    n, total = _count(events)
    pair = report.parts(answer(events), "raw, expected")
    if pair is None:
        return
    raw, expected = pair
    if report.recognises(pair, ((total, n), "the two numbers are in the wrong order", "raw comes first")):
        return
    found = [
        report.recognises(
            raw,
            (events.size, "raw counts cells of the table", "a table has rows times columns cells: count the rows"),
            (len(events.columns), "raw counts columns of the table", "every row is one event"),
            ((weight > 0).sum(), "raw leaves out events with negative weights", "every simulated event counts once"),
            right=n,
        ),
        report.recognises(
            expected,
            (weight.abs().sum(), "negative weights count as positive", "add the weights as they are, without abs()"),
            (weight[weight > 0].sum(), "negative weights are dropped", "they subtract: add the weights as they are"),
            (weight.mean(), "expected is the mean weight", "each event stands for its weight: add them up"),
            (n, "expected counts events", "add up the column weight"),
            right=total,
        ),
    ]
    if any(found):
        return
    report.close(raw, n, "raw is the number of events", hint="every row of the table is one simulated event")
    report.close(
        expected,
        total,
        "expected is the sum of the weights",
        hint="each event stands for as many of nature as its weight says: add these up",
    )
    report.agrees(answer, _count, (pd.concat([events, events]),), hint="use the table that is given, and all of it")
    report.also(
        lambda: alike(answer(events[:0]), (0, 0)), "an empty table has no events", hint="sums of nothing are zero"
    )


@exercise("1.10", fallback=weights.effective_number)
def exercise_1_10(answer: Any, report: Report) -> None:
    """The effective number of events."""
    rng = np.random.default_rng(110)
    w = rng.exponential(1.0, 200) * rng.choice([1, 1, 1, -1], 200)
    right = weights.effective_number(w)
    result = answer(w)
    if report.recognises(
        result,
        (1.0, "numerator and denominator are the same", "square first, then sum, in the denominator"),
        (1 / right, "the fraction is upside down", "the square of the sum goes on top"),
        (np.abs(w).sum() ** 2 / (w**2).sum(), "negative weights count as positive", "no abs() in a sum of weights"),
        (w.sum() / (w**2).sum(), "the sum on top is not squared", "(Σw)², then divide by Σw²"),
        (w.sum() ** 2 / np.abs(w).sum(), "the weights below are not squared", "square each of them, then add"),
        (200, "this is the raw number", "events with small weights are worth less than one"),
        (w.sum(), "this is the expected number", "square it, and divide by Σw²"),
        (np.sqrt(right), "a root is taken", "the formula has none"),
        (w**2 / (w**2).sum(), "this is one number per event", "add up first, then square: w.sum()**2"),
        right=right,
    ):
        return
    if report.number(result, "add up over the events") is None:
        return
    report.close(answer(np.full(7, 0.3)), 7, "equal weights: the number of events", hint="(7w)²/(7w²) is 7")
    report.also(
        lambda: alike(answer(np.array([1.0, 1.0, -1.0])), 1 / 3), "a negative weight costs precision", hint="(Σw)²/Σw²"
    )
    report.also(
        lambda: alike([answer(5 * w), answer(-w)], [right, right]),
        "does not depend on the units or the sign of the weights",
        hint="(Σw)²/Σw²",
    )
    report.also(alike(result, right), "follows the formula", hint="(Σw)²/Σw²")
    report.agrees(answer, weights.effective_number, (np.tile(w, 3),), hint="add up all weights that are given")
