"""Checks of chapter 1, data preparation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from labcourse import kinematics, samples, selection, weights
from labcourse.checks import crafted
from labcourse.checks.report import Report, exercise

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


@exercise("1.1", fallback=kinematics.mass)
def exercise_1_1(answer: Any, report: Report) -> None:
    """The invariant mass of all particles in a row."""
    rng = np.random.default_rng(11)
    pt, eta, phi = rng.uniform(10, 80, (50, 4)), rng.uniform(-2, 2, (50, 4)), rng.uniform(-3, 3, (50, 4))
    energy = pt * np.cosh(eta)
    back_to_back = np.array([[50.0, 50.0]]), np.zeros((1, 2)), np.array([[0.0, np.pi]]), np.array([[50.0, 50.0]])
    result = np.asarray(answer(pt, eta, phi, energy), float)
    right = kinematics.mass(pt, eta, phi, energy).astype(float)
    if result.shape == (50,) and np.allclose(result, right**2, rtol=1e-3):
        report.wrong("this is the mass squared", "take the square root at the end")
        return
    if result.shape == (50, 4):
        report.wrong("this is one mass a particle", "add the energies and momenta over axis 1 first")
        return
    if result.shape == (50,) and np.allclose(result, energy.sum(axis=1), rtol=1e-3):
        report.wrong("this is the energy", "subtract the squares of all three momentum components")
        return
    if not report.holds(result.shape == (50,), "gives one number an event", hint="sum over axis 1"):
        return
    p_z = (pt * np.sinh(eta)).sum(axis=1)
    if np.allclose(result**2, right**2 + p_z**2, rtol=1e-3):
        report.wrong("the momentum along the beam is left out", "p_z = pt · sinh(eta)")
    report.holds(
        lambda: np.allclose(answer(*back_to_back), 100),
        "two massless particles of 50 GeV, back to back, have a mass of 100 GeV",
        hint="their momenta cancel, their energies add up",
    )
    report.holds(
        lambda: np.allclose(answer(pt, eta + 0.7, phi, pt * np.cosh(eta + 0.7)), result, rtol=1e-3),
        "the mass stays the same if the event is boosted along the beam",
        hint="is it sinh(eta) in p_z?",
    )
    report.holds(
        lambda: np.allclose(answer(pt, eta, phi + 1.0, energy), result, rtol=1e-3),
        "the mass stays the same if the event is turned around the beam",
        hint="p_x takes the cosine and p_y the sine of phi",
    )
    report.holds(
        np.allclose(result, right, rtol=1e-3),
        "four leptons have the right mass",
        hint="compare each line with the formulas",
    )


def _weight(branches: dict[str, Any], luminosity: float) -> Any:
    """The course's own answer to exercise 1.2."""
    factors = [value for name, value in branches.items() if name != "SumWeights"]
    return np.prod(factors, axis=0) * 1000 * luminosity / branches["SumWeights"]


@exercise("1.2", fallback=_weight)
def exercise_1_2(answer: Any, report: Report) -> None:
    """The weight of simulated events at a luminosity."""
    rng = np.random.default_rng(12)
    scale_factors = [f"scaleFactor_{name}" for name in ("PILEUP", "ELE", "MUON", "LepTRIGGER")]
    branches = {name: rng.uniform(0.8, 1.2, 6) for name in ["mcWeight", *scale_factors]}
    branches["mcWeight"] *= [30, 30, -30, 30, 30, -30]
    branches |= {"XSection": np.full(6, 1.5), "SumWeights": np.full(6, 4e5)}
    right = _weight(branches, 10)
    result = np.asarray(answer(dict(branches), 10), float)
    if result.shape == (6,):
        ratio = result / right
        if np.allclose(ratio, 1e-3):
            report.wrong("the weights are a thousand times too small", "XSection is in pb, the luminosity in fb⁻¹")
        elif np.allclose(ratio, 1e-6):
            report.wrong("the weights are a million times too small", "1 pb = 1000 fb, and not the other way round")
        elif np.allclose(result, np.abs(right)):
            report.wrong("negative weights have lost their sign", "a weight may be negative: leave it so")
        for name in ["mcWeight", *scale_factors]:
            if np.allclose(ratio * branches[name], ratio[0] * branches[name][0]) and not np.allclose(ratio, ratio[0]):
                report.wrong(f"the factor {name} is missing", "multiply by all five factors of the formula")
    report.holds(result.shape == (6,), "gives one weight an event", hint="multiply arrays element by element")
    report.holds(
        lambda: np.allclose(answer(dict(branches), 20), 2 * result),
        "twice the luminosity gives twice the events",
        hint="use the argument luminosity",
    )
    halved = branches | {"SumWeights": branches["SumWeights"] * 2}
    report.holds(
        lambda: np.allclose(answer(halved, 10), result / 2),
        "generating twice as many events halves the weight of each",
        hint="divide by SumWeights",
    )
    report.holds(np.allclose(result, right), "the weights follow the formula", hint="all factors, and 1 pb = 1000 fb")


def _count(events: pd.DataFrame) -> tuple[int, float]:
    """The course's own answer to exercise 1.3."""
    return len(events), events["weight"].sum()


@exercise("1.3", fallback=_count)
def exercise_1_3(answer: Any, report: Report) -> None:
    """Raw and expected numbers of events."""
    events = crafted.weighted(["Zee"] * 5, [0.5, 0.25, -0.25, 1.0, 0.5])
    result = answer(events)
    if not report.holds(
        isinstance(result, (tuple, list)) and len(result) == 2, "returns two numbers", hint="return raw, expected"
    ):
        return
    raw, expected = result
    if raw == 2.0 and expected == 5:
        report.wrong("the two numbers are in the wrong order", "raw comes first")
    if np.isclose(expected, 2.5):
        report.wrong("negative weights count as positive", "add the weights as they are, without abs()")
    if raw == events.size:
        report.wrong("raw counts cells of the table", "len(events) counts rows")
    report.close(raw, 5, "raw is the number of events", hint="len(events)")
    report.close(expected, 2.0, "expected is the sum of the weights", tolerance=1e-6, hint='events["weight"].sum()')
    report.holds(
        lambda: tuple(answer(events[:0])) == (0, 0), "an empty table has no events", hint="sums of nothing are zero"
    )


_FLAVOURS = [(11,) * 4, (11, 13, 13, 11), (13,) * 4, (11, 11, 11, 13), (13, 11, 13, 13)]


@exercise("1.4", fallback=selection.is_flavour_allowed)
def exercise_1_4(answer: Any, report: Report) -> None:
    """The flavour requirement."""
    flavours = [(*row, 13) for row in _FLAVOURS]
    events = crafted.leptons(flavours, [(1, -1, 1, -1, 1)] * len(flavours))
    mask = _mask(answer(events), events, report)
    if mask is None:
        return
    if mask.tolist() == [True, False, True, False, False]:
        report.wrong("mixed events, eeµµ, are dropped", "the sum of the PDG codes may also be 48")
        return
    if mask.tolist() == [False, True, False, False, False]:
        report.wrong("only eeµµ is kept", "eeee (44) and µµµµ (52) are allowed as well")
        return
    if mask.tolist() == [row in [(11, 11, 11, 13), (13, 11, 13, 13)] for row in _FLAVOURS]:
        report.wrong("the mask is upside down", "true means: keep the event")
        return
    report.holds(mask[0], "keeps eeee", hint="four times 11 make 44")
    report.holds(mask[1], "keeps eeµµ in any order", hint="the sum of the codes does not depend on the order: 48")
    report.holds(mask[2], "keeps µµµµ", hint="four times 13 make 52")
    report.holds(not mask[3], "drops eeeµ", hint="three electrons and a muon make 46")
    report.holds(not mask[4], "drops eµµµ", hint="an electron and three muons make 50")
    _common_to_masks(answer, events, report)


@exercise("1.5", fallback=selection.is_neutral)
def exercise_1_5(answer: Any, report: Report) -> None:
    """The charge requirement."""
    # The fifth lepton and the flavours differ from event to event: neither is to be looked at.
    charges = [
        (1, -1, 1, -1, 1),
        (-1, -1, 1, 1, -1),
        (1, 1, 1, -1, -1),
        (1, 1, 1, 1, -1),
        (-1, -1, -1, 1, 1),
        (-1, 1, -1, 1, 1),
    ]
    flavours = [(11, 11, 13, 13, 13), (11,) * 5, (13,) * 5, (11,) * 5, (11, 11, 11, 13, 13), (13,) * 5]
    events = crafted.leptons(flavours, charges)
    mask = _mask(answer(events), events, report)
    if mask is None:
        return
    four = np.array(charges)[:, :4].sum(axis=1)
    if not mask.any():
        three = np.array(charges)[:, :3].sum(axis=1)
        if (three != 0).all():
            report.wrong(
                "no event is kept: the sum of three charges is never zero, and `is` compares identity, not values",
                "add up lep1 to lep4, and compare with == 0",
            )
            return
    if (mask == (np.array(charges).sum(axis=1) == 0)).all():
        report.wrong("a fifth lepton is counted", "only lep1 to lep4 belong to the candidate")
        return
    if (mask == (four != 0)).all():
        report.wrong("the mask is upside down", "true means: keep the event")
        return
    report.holds(
        mask[[0, 1, 5]].all(),
        "keeps two positive and two negative leptons, in any order",
        hint="compare the sum with 0",
    )
    report.holds(not mask[2], "drops a total charge of +2", hint="three positive and one negative")
    report.holds(not mask[3], "drops a total charge of +4", hint="== 0, not: an even number")
    report.holds(not mask[4], "drops a total charge of −2", hint="a comparison with <= would keep it")
    _common_to_masks(answer, events, report)


def _mask(result: Any, events: pd.DataFrame, report: Report) -> np.ndarray | None:
    """Return the answer as a boolean array, or None if it is no mask."""
    array = np.asarray(result)
    if isinstance(result, pd.DataFrame) or array.ndim == 2:
        report.wrong("this is a table of events", "return the mask itself, one True or False an event")
    elif array.shape == ():
        report.wrong("this is one value for all events", "compare whole columns with ==; `is` compares objects")
    elif array.dtype != bool:
        report.wrong(f"the entries are of type {array.dtype}", "end with a comparison, so that they are True or False")
    elif array.shape != (len(events),):
        report.wrong(f"{array.shape[0]} entries for {len(events)} events", "one entry an event")
    else:
        return array
    return None


def _common_to_masks(answer: Any, events: pd.DataFrame, report: Report) -> None:
    before = events.copy()
    report.holds(
        lambda: np.asarray(answer(events[:0])).shape == (0,), "works on an empty table", hint="avoid loops and indices"
    )
    report.holds(lambda: events.equals(before), "leaves the table as it is", hint="compute in new variables")


@exercise("1.6")
def exercise_1_6(answer: Any, report: Report, *, cut_flow: pd.DataFrame) -> None:
    """The share of top pairs that the preselection keeps."""
    expected = cut_flow["expected"]
    share = expected["charge"] / expected["four leptons"]
    if isinstance(answer, (int, float)):
        after_flavour = expected["flavour"] / expected["four leptons"]
        for value, mistake, hint in (
            (100 * share, "this is in per cent", "give a number between 0 and 1"),
            (1 - share, "this is the share that fails", "we ask for the share that passes"),
            (after_flavour, "this is the share after the flavour requirement alone", "take the last row"),
        ):
            margin = 5 if value > 1 else 0.05
            if abs(answer - value) < margin and abs(answer - share) > 0.05:
                report.wrong(mistake, hint)
                return
    report.close(
        answer,
        share,
        "the share of top pairs that passes",
        tolerance=0.05,
        hint="divide the last expected number by the first",
    )


@exercise("1.7")
def exercise_1_7(answer: Any, report: Report, *, separations: pd.Series) -> None:
    """The low-level variable with the largest separation."""
    low_level = separations[[str(name).startswith("lep") for name in separations.index]]
    if not report.holds(isinstance(answer, str), "the answer is a name", hint='a string such as "lep1_eta"'):
        return
    if answer == separations.idxmax() and answer not in low_level:
        report.wrong("this one is high-level", "the name of a low-level variable begins with lep")
        return
    if answer == low_level.idxmin():
        report.wrong("this one separates least", "a large separation is what we want")
        return
    if not report.holds(answer in low_level, "it is one of the low-level variables", hint="look at separations.index"):
        return
    report.holds(
        answer == low_level.idxmax(), "no other low-level variable separates better", hint="the table is sorted"
    )


def _purity(events: pd.DataFrame, low: float, high: float) -> float:
    """The course's own answer to exercise 1.9."""
    inside = events[(events["m_llll"] >= low) & (events["m_llll"] < high)]
    total = inside["weight"].sum()
    return float(inside.loc[inside["sample"].isin(samples.SIGNAL), "weight"].sum() / total) if total else 0.0


@exercise("1.9", fallback=_purity)
def exercise_1_9(answer: Any, report: Report) -> None:
    """The purity in a window of the four-lepton mass."""
    names = ["ggH125_ZZ4lep", "VBFH125_ZZ4lep", "llll", "Zee", "llll", "ggH125_ZZ4lep"]
    events = crafted.weighted(names, [1.0, 0.5, 4.0, -0.5, 7.0, 0.25], m_llll=[124, 125, 120, 126, 200, 130])
    result = answer(events, 115, 130)
    if report.recognises(
        result,
        (2 / 4, "events are counted, not weighted", "use the sum of the column weight"),
        (1.5 / 3.5, "this is s/b", "the purity is s/(s+b)"),
        (1.5 / 6.0, "negative weights count as positive", "add the weights as they are"),
        (1.0 / 5.0, "only ggH counts as signal", "samples.SIGNAL names all four signal samples"),
        (1.75 / 5.25, "the upper edge belongs to the window", "low <= m_llll < high"),
        (1.75 / 12.25, "the window is not applied", "keep only events with low <= m_llll < high"),
        (3.5 / 5.0, "this is the share of background", "the signal goes into the numerator"),
    ):
        return
    report.close(result, 1.5 / 5.0, "signal weights over all weights in the window", tolerance=1e-6, hint="s/(s+b)")
    report.close(answer(events, 190, 210), 0.0, "a window with background only has purity 0", tolerance=1e-9)
    report.holds(
        lambda: float(answer(events, 300, 400)) == 0,
        "an empty window has purity 0",
        hint="test for it before you divide",
    )


@exercise("1.10", fallback=weights.effective_number)
def exercise_1_10(answer: Any, report: Report) -> None:
    """The effective number of events."""
    rng = np.random.default_rng(110)
    w = rng.exponential(1.0, 200) * rng.choice([1, 1, 1, -1], 200)
    result = answer(w)
    right = weights.effective_number(w)
    if report.recognises(
        result,
        (1.0, "numerator and denominator are the same", "square first, then sum, in the denominator"),
        ((w**2).sum() / w.sum() ** 2, "the fraction is upside down", "the square of the sum goes on top"),
        (np.abs(w).sum() ** 2 / (w**2).sum(), "negative weights count as positive", "no abs() in a sum of weights"),
        (w.sum() / (w**2).sum(), "the sum on top is not squared", "(Σw)², then divide by Σw²"),
    ):
        return
    report.close(
        answer(np.full(7, 0.3)), 7, "equal weights: the number of events", tolerance=1e-6, hint="try it by hand"
    )
    report.close(answer([1.0, 1.0, -1.0]), 1 / 3, "a negative weight costs precision", tolerance=1e-6, hint="(Σw)²/Σw²")
    report.holds(np.isclose(answer(5 * w), result), "does not depend on the units of the weights", hint="(Σw)²/Σw²")
    report.close(result, right, "follows the formula", relative=1e-6, hint="(Σw)²/Σw²")
