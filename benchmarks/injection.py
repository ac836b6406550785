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
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import azh
from azh import study
from azh.events import REGIONS, SIGNAL_CROSS_SECTION, identity
from azh.fits import Floats, Likelihood
from azh.limits import expected_band
from azh.templates import JET_ENERGY, Templates, _Rows, shift_jets, specification
from factory.azh import sealed
from factory.azh.generation import PASSES, TIMES
from labcourse import samples
from labcourse.files import read_json

MASSES = (380, 580, 750, 1220)  # GeV, between those of the templates
STRENGTHS = (0, 1, 2)  # cross-sections, in units of the expected limit: about 0, 2 and 4 standard deviations
EXPERIMENTS, PAIRS = 600, PASSES // 2


class Redrawn(azh.Search):
    """A search whose backgrounds are independent events: all of them, or as many as the bundle has, drawn anew."""

    def __init__(self, search: azh.Search, independent: pd.DataFrame, scale: float) -> None:
        self.__dict__ |= search.__dict__
        self.times = scale * TIMES * PAIRS  # as many events as the bundle has
        independent = independent.assign(event=PAIRS * independent["event"] + independent["pass"] // 2)
        _, self.event = np.unique(identity(independent), return_inverse=True)
        self.weight = independent["weight"].to_numpy(np.float64)
        versions = [independent, *(shift_jets(independent, 1 + s * JET_ENERGY) for s in (-1, 1))]
        self.all = self._background = [_Rows.of(version) for version in versions]
        self.rows = [{str(name): v.index[v["region"] == name] for name in REGIONS} for v in versions]
        self.scores: dict[tuple[int, float], Floats] = {}

    def _score(self, events: pd.DataFrame | tuple[pd.DataFrame, Any], mass: float) -> Floats:
        table, kept = events if isinstance(events, tuple) else (events, slice(None))
        if (id(table), mass) not in self.scores:
            self.scores[id(table), mass] = super()._score(table, mass)
        return self.scores[id(table), mass][kept]

    def draw(self, rng: np.random.Generator) -> None:
        """Take two passes of an event, like one of the bundle, a Poisson number of times, few of them on average."""
        weight = self.weight * self.times * rng.poisson(1 / self.times, self.event.max() + 1)[self.event]
        self._background, self._made = [], {}
        for rows, where in zip(self.all, self.rows, strict=True):
            kept = {name: np.flatnonzero(weight[index]) for name, index in where.items()}
            places, process, event = ({k: v[kept[k]] for k, v in rows[i].items()} for i in (1, 3, 4))
            weights = {name: weight[index][kept[name]] for name, index in where.items()}
            tags = {name: (down[kept[name]], up[kept[name]]) for name, (down, up) in rows.tags.items()}
            self._background.append(_Rows((rows.inside, kept["signal"]), places, weights, process, event, tags))


def main() -> None:
    """Train both halves, draw and fit experiments, print."""
    parser = argparse.ArgumentParser(prog="benchmarks.injection", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    independent, scale = sealed.read(folder), read_json(folder / samples.MANIFEST)["scale"]
    events, rng = azh.read(), np.random.default_rng(1)
    halves = [azh.train(azh.split(events, swapped=swapped), seed=1, progress=False) for swapped in (False, True)]
    search = azh.Search(events, azh.cross(*(half.classify for half in halves)))
    redrawn = Redrawn(search, independent, scale)
    print("| m_A (GeV) | σ (fb) | templates | mean pull | its width | within 1.96 errors | limit covers |")
    print("|---" * 7 + "|")
    for mass in MASSES:
        signal = _Rows.of(sealed.signal(mass, seed=1))
        made = search.templates(mass)
        limit = expected_band(Likelihood(specification(made))).median
        truths = [strength * limit for strength in STRENGTHS]
        kinds = {"the bundle's": [fit(redrawn, signal, made, truths, EXPERIMENTS, rng)], "drawn anew": []}
        for _ in range(EXPERIMENTS):
            redrawn.draw(rng)
            kinds["drawn anew"].append(fit(redrawn, signal, redrawn.templates(mass), truths, 1, rng))
        for kind, found in kinds.items():
            for mu, (pulls, covers) in zip(truths, np.concatenate(found, axis=2), strict=True):
                row = f"{mass} | {1000 * mu * SIGNAL_CROSS_SECTION:.1f} | {kind} | {pulls.mean():+.2f}"
                row += f" | {pulls.std():.2f} | {np.mean(np.abs(pulls) < 1.96):.1%} | {covers.mean():.1%}"
                print(f"| {row} |", flush=True)


def fit(
    truth: Redrawn, signal: _Rows, made: Templates, truths: list[float], n: int, rng: np.random.Generator
) -> Floats:
    """Fit n experiments with some templates at each true mu: pulls, and if limits cover, shape (n_truths, 2, n)."""
    model, means = Likelihood(specification(made)), []
    sizes = {name: len(histograms["signal"].expected) for name, histograms in made.regions.items()}
    for rows in (signal, truth.all[0]):
        inside = np.searchsorted(made.edges[1:-1], truth._score(rows.inside, made.mass), side="right")
        places = rows.places | {"signal": inside}
        means.append(model.data({name: np.bincount(places[name], rows.weight[name], k) for name, k in sizes.items()}))
    # What auxiliary measurements give; that of the simulation's statistics is in the templates.
    is_drawn = model.is_constrained & ~np.char.startswith(model.names, "simulation")
    centre = rng.normal(model.centre, np.where(is_drawn, model.width, 0), (n, len(model.names)))
    drawn = [rng.poisson(mu * means[0] + means[1], (n, len(means[0]))) for mu in truths]
    return np.array([study.outcomes(model, data, mu, centre=centre) for mu, data in zip(truths, drawn, strict=True)])


if __name__ == "__main__":
    main()
