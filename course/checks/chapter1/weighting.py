"""Exercises 1.1 to 1.3 and 1.10: masses, weights, and how many events a sample stands for."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from course.checks import crafted
from course.checks.compare import alike
from course.checks.report import Report, exercise
from labcourse import kinematics, weights

__all__ = ["exercise_1_1", "exercise_1_2", "exercise_1_3", "exercise_1_10"]


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
