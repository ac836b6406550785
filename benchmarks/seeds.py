"""How far the search depends on the seed of the training: ``python -m benchmarks.seeds [--seeds N] [FOLDER]``.

Prints the tables of `docs/parameterised.md` on limits, on masses that were left out, and on what networks find in the
first sealed file. With FOLDER (backgrounds of `labcourse simulate azh --independent`) signals of known mass are hidden,
too: at which mass are they found? Five seeds take half an hour of one core, FOLDER a quarter of an hour more.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

HIDDEN = {380: 0.15, 580: 0.045, 1220: 0.009}  # GeV, none of them simulated, and cross-sections in pb
EXPERIMENTS = 24


def main() -> None:
    """Train, measure, print."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    parser = argparse.ArgumentParser(prog="benchmarks.seeds", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--seeds", type=int, default=5)
    given = parser.parse_args()

    import azh

    events, seeds = azh.read(), range(1, given.seeds + 1)
    parts, masses = azh.split(events), azh.MASSES
    networks = [azh.train(parts, seed=seed, progress=False).classify for seed in seeds]
    limits(events, parts, networks, seeds)

    table(["m_A (GeV)", "relative", "error"])
    seeing = [values(azh.significances(n, parts.test, scale=2, replicas=0)) for n in networks]
    for place, mass in list(enumerate(masses))[1:-1]:
        others = tuple(m for m in masses if m != mass)
        blind = [azh.train(parts, masses=others, seed=seed, progress=False).classify for seed in seeds]
        found = [azh.significances(n, parts.test, (mass,), scale=2, replicas=0)[0].value for n in blind]
        ratio = np.array(found) / np.array(seeing)[:, place]
        row([mass, f"{ratio.mean():.2f}", f"{spread(ratio) / np.sqrt(len(ratio)):.2f}"])

    swapped = azh.split(events, swapped=True)
    finals = [
        azh.Search(events, azh.cross(network, azh.train(swapped, seed=seed, progress=False).classify))
        for network, seed in zip(networks, seeds, strict=True)
    ]
    table(["seed", "Z in file 1", "at (GeV)", "σ (pb)"])
    for seed, final in zip(seeds, finals, strict=True):
        top = largest(final, azh.read_sealed(1), np.round(np.geomspace(300, 2000, 36)))
        top = max(
            top, largest(final, azh.read_sealed(1), top.mass + np.arange(-48, 49, 8)), key=lambda p: p.significance
        )
        row([seed, f"{top.significance:.2f}", f"{top.mass:g}", f"{top.cross_section:.4f} ± {top.error:.4f}"])
    if given.folder:
        hidden(finals[0], given.folder)


def limits(events: pd.DataFrame, parts: Any, networks: Sequence[Any], seeds: Iterable[int]) -> None:
    """Print expected limits of networks, and how much weaker m_Zh alone and trees are."""
    import azh
    from azh import study
    from course.checks.registry import course_answer

    half, modifiers = events[~azh.in_first_half(events)], course_answer("9.7")
    trees = [azh.train_tree(parts, signal_scale=azh.IMPROVED.signal_scale, seed=seed) for seed in seeds]
    by = {"network": networks, "tree": trees, "m_zh": [lambda rows: rows["m_zh"].to_numpy()]}
    made = {name: [azh.Search(half, classify, scale=2.0) for classify in several] for name, several in by.items()}
    table(["m_A (GeV)", "network (pb)", "m_Zh alone / network", "trees / network"])
    for mass in azh.MASSES:
        of = {
            name: [study.expected_limit(one, mass, modifiers).median for one in several]
            for name, several in made.items()
        }
        mean = {name: np.mean(several) for name, several in of.items()}
        own = f"{mean['network']:.4f} ± {100 * spread(of['network']) / mean['network']:.0f} %"
        row([mass, own, *(f"{mean[name] / mean['network']:.2f}" for name in ("m_zh", "tree"))])


def hidden(final: Any, folder: Path) -> None:
    """Print at which mass signals of known mass are found, and how often the interval of exercise 9.9 holds it."""
    from course.checks.registry import course_answer
    from factory.azh import sealed

    interval, background = course_answer("9.9"), sealed.read(folder)
    table(["hidden at (GeV)", "σ (pb)", "mean Z", "found, mean", "scatter", "interval holds it"])
    for mass, cross_section in HIDDEN.items():
        signal, tested = sealed.signal(mass, seed=1), np.round(mass * np.arange(0.88, 1.121, 0.02))
        found, z, holds = np.zeros(EXPERIMENTS), np.zeros(EXPERIMENTS), np.zeros(EXPERIMENTS, bool)
        for seed in range(EXPERIMENTS):
            data = sealed.pseudo_data(background, signal, cross_section=cross_section, seed=seed)
            heights = np.array([point.significance for point in scan(final, data, tested)])
            found[seed], low, high = interval(tested, heights)
            z[seed], holds[seed] = heights.max(), low <= mass <= high
        mean = f"{found.mean():.0f} ± {spread(found) / np.sqrt(EXPERIMENTS):.0f}"
        row([mass, cross_section, f"{z.mean():.1f}", mean, f"{spread(found):.0f}", f"{holds.mean():.0%}"])


def scan(final: Any, data: pd.DataFrame, masses: Iterable[float]) -> list[Any]:
    """Return what data say at each mass that lies between the simulated ones."""
    from azh import study
    from course.checks.registry import course_answer

    return study.scan(final, data, [mass for mass in masses if 300 <= mass <= 2000], course_answer("9.7"))


def largest(final: Any, data: pd.DataFrame, masses: Iterable[float]) -> Any:
    """Return the mass of the largest excess, with what data say there."""
    return max(scan(final, data, masses), key=lambda point: point.significance)


def values(found: Iterable[Any]) -> list[float]:
    """Return the significances alone."""
    return [point.value for point in found]


def spread(of: Any) -> float:
    """Return the standard deviation of a sample, NaN of one value."""
    return float(np.std(of, ddof=1)) if len(of) > 1 else float("nan")


def table(names: Sequence[str]) -> None:
    """Print the head of a Markdown table."""
    print(f"\n| {' | '.join(names)} |\n{'|---' * len(names)}|")


def row(entries: Sequence[object]) -> None:
    """Print a row of it."""
    print(f"| {' | '.join(map(str, entries))} |", flush=True)


if __name__ == "__main__":
    main()
