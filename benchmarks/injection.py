"""Does the fit find the signal that is there? ``python -m benchmarks.injection FOLDER`` prints a Markdown table.

FOLDER holds backgrounds that share no event with the bundle's (`labcourse simulate azh --independent --out FOLDER`);
signals are simulated here. Were each row in an experiment a Poisson number of times its weight, every bin would be
Poisson around its sum of weights: so the bins are drawn at once. What both simulations have by chance is common to all
experiments. With *the bundle's* templates it shifts the mean pull, whose width is below one: the error includes the
chance of the templates, and that is always the same. Templates *drawn anew* for each experiment, from the independent
events and as many as the bundle has, share nothing: bias, width and coverage mean what they say. (An event drawn twice
counts as one of twice the weight, which makes the templates' own errors 6 % too large.)
"""

from __future__ import annotations

import argparse
from copy import copy
from pathlib import Path

import numpy as np
import pandas as pd

import azh
from azh import study
from azh.events import SIGNAL_CROSS_SECTION
from azh.fits import Floats, Likelihood
from azh.limits import expected_band
from azh.templates import INSIDE, Search, Templates, _Events, specification
from course.checks.registry import course_answer
from factory.azh import sealed
from factory.azh.generation import PASSES, TIMES
from labcourse import samples
from labcourse.files import read_json

MASSES = (380, 580, 750, 1220)  # GeV, between those of the templates
STRENGTHS = (0, 1, 2)  # cross-sections, in units of the expected limit: about 0, 2 and 4 standard deviations
EXPERIMENTS, PAIRS = 600, PASSES // 2


MODIFIERS = course_answer("9.7")


def of_independent(search: Search, independent: pd.DataFrame) -> Search:
    """Return a search with the same signal, whose background are independent events; two passes make an event."""
    made = copy(search)
    made.background = _Events(independent.assign(event=PAIRS * independent["event"] + independent["pass"] // 2), 1.0)
    made._scores, made._made = {}, {}
    return made


def drawn(truth: Search, mass: float, times: float, rng: np.random.Generator) -> Search:
    """Return a search whose background are events drawn anew, each a Poisson number of times, 1 / ``times`` on average.

    An event is two passes, like one of the bundle. Only those that were drawn are kept, with their scores at the mass.
    """
    events = truth.background
    weight = events.weight * times * rng.poisson(1 / times, events.event.max() + 1)[events.event]
    made = truth.reweighted(weight)
    kept = [weight[rows] != 0 for rows in events.rows]
    made.background.rows, made.background.places = (
        [values[chosen] for values, chosen in zip(lists, kept, strict=True)] for lists in (events.rows, events.places)
    )
    of_inside = [chosen[place == INSIDE] for chosen, place in zip(kept, events.places, strict=True)]
    made._scores = {mass: [s[chosen] for s, chosen in zip(truth.scores(mass), of_inside, strict=True)]}
    return made


def main() -> None:
    """Train both halves, draw and fit experiments, print."""
    parser = argparse.ArgumentParser(prog="benchmarks.injection", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    independent, scale = sealed.read(folder), read_json(folder / samples.MANIFEST)["scale"]
    events, rng = azh.read(), np.random.default_rng(1)
    halves = [azh.train(azh.split(events, swapped=swapped), seed=1, progress=False) for swapped in (False, True)]
    search = azh.Search(events, azh.cross(*(half.classify for half in halves)))
    truth = of_independent(search, independent)
    times = scale * TIMES * PAIRS  # as many events as the bundle has
    print("| m_A (GeV) | σ (fb) | templates | mean pull | its width | within 1.96 errors | limit covers |")
    print("|---" * 7 + "|")
    for mass in MASSES:
        signal, made = _Events(sealed.signal(mass, seed=1), 1.0), search.templates(mass)
        scores = search._score(signal.inside[0], mass), truth.scores(mass)[0]
        all_rows = list(zip((signal, truth.background), scores, strict=True))
        limit = expected_band(Likelihood(specification(made, MODIFIERS))).median
        truths = [strength * limit for strength in STRENGTHS]
        kinds = {"the bundle's": [fit(all_rows, made, truths, EXPERIMENTS, rng)], "drawn anew": []}
        for _ in range(EXPERIMENTS):
            anew = drawn(truth, mass, times, rng).templates(mass)
            kinds["drawn anew"].append(fit(all_rows, anew, truths, 1, rng))
        for kind, found in kinds.items():
            for mu, (pulls, covers) in zip(truths, np.concatenate(found, axis=2), strict=True):
                row = f"{mass} | {1000 * mu * SIGNAL_CROSS_SECTION:.1f} | {kind} | {pulls.mean():+.2f}"
                row += f" | {pulls.std():.2f} | {np.mean(np.abs(pulls) < 1.96):.1%} | {covers.mean():.1%}"
                print(f"| {row} |", flush=True)


def fit(
    truth: list[tuple[_Events, Floats]], made: Templates, truths: list[float], n: int, rng: np.random.Generator
) -> Floats:
    """Fit n experiments with some templates at each true mu: pulls, and if limits cover, shape (n_truths, 2, n).

    ``truth`` holds events of signal and of background, with their scores.
    """
    model, means = Likelihood(specification(made, MODIFIERS)), []
    for events, scores in truth:
        place = events.places[0].copy()
        place[place == INSIDE] += made.bins(scores)
        means.append(np.bincount(place, events.weight[events.rows[0]], made.yields.shape[2]))  # in the model's order
    # What auxiliary measurements give; that of the simulation's statistics is in the templates.
    is_drawn = model.is_constrained & ~np.char.startswith(model.names, "simulation")
    centre = rng.normal(model.centre, np.where(is_drawn, model.width, 0), (n, len(model.names)))
    drawn = [rng.poisson(mu * means[0] + means[1], (n, len(means[0]))) for mu in truths]
    return np.array([study.outcomes(model, data, mu, centre=centre) for mu, data in zip(truths, drawn, strict=True)])


if __name__ == "__main__":
    main()
