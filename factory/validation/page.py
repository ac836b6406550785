"""The page of a validation, as Markdown with a figure a sample: `docs/validation.md` of the project."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from factory.validation import compare, texts
from factory.validation.compare import CONTROL, Loaded, Pair, Row
from factory.validation.targets import (
    N_SIGMA,
    PEAK_TOLERANCE,
    PEAK_WINDOW,
    PROBABILITIES,
    QUANTILE_VARIABLES,
    SHARE_TOLERANCE,
    Target,
)
from labcourse import selection
from labcourse.errors import BadFile
from labcourse.files import atomic_write
from labcourse.weights import effective_number

FIGURES = Path("images", "validation")
"""Folder of the figures, beside the page."""


def write(
    path: Path,
    loaded: Loaded,
    rows: Sequence[Row],
    targets: Sequence[Target],
    *,
    simulated: Path,
    threshold: float,
    report: Path | None = None,
) -> None:
    """Write the page and its figures; each file is replaced whole.

    Parameters
    ----------
    path : path
        The Markdown file; figures go to ``images/validation`` beside it.
    loaded : Loaded
        What was compared, of which ``rows`` and ``targets`` are the results.
    simulated : path
        Folder of the simulated samples, whose manifest the page names.
    threshold : float
        Probabilities below it are set in bold.
    report : path, optional
        A JSON file about the run of a simulation, ``{"title": …, "text": …, "rows": [{…}, …]}``, shown as a table.

    Raises
    ------
    BadFile
        If the report is not of that form.
    StorageError
        If a file cannot be written.
    """
    from rich.console import Console
    from rich.progress import track

    closing = _report(report) if report is not None else []
    text = [texts.INTRODUCTION.format(page=path.name)]
    # Of a signal sample only the mass peak can be judged where no real file is there to compare with.
    if loaded.pairs:
        text.append(_tests(loaded.pairs, rows, threshold))
    text.append(texts.SAMPLES.format(digest=digest(simulated)))
    text += _summary(loaded.pairs, rows, targets, threshold)
    console = Console(stderr=True)
    shown = [pair for pair in loaded.pairs if pair.sample != CONTROL]
    for pair in track(shown, "Drawing", console=console, transient=True, disable=not console.is_terminal):
        own = [row for row in rows if row.sample == pair.sample]
        _draw(path.parent / FIGURES / f"{pair.sample}.png", pair, own, threshold)
        control = [row for row in rows if row.sample == CONTROL] if pair.sample == "data" else []
        text += _section(pair, own, control, [target for target in targets if target.sample == pair.sample], threshold)
    text += _peak([target for target in targets if target.quantity.startswith("peak")])
    content = "\n".join([*text, *closing]).rstrip() + "\n"
    atomic_write(path, lambda temporary: temporary.write_text(content, "utf-8"))


def digest(folder: Path) -> str:
    """First digits of the sha256 of a sample folder's manifest; ``no manifest`` where there is none."""
    manifest = folder / "manifest.json"
    return hashlib.sha256(manifest.read_bytes()).hexdigest()[:16] if manifest.is_file() else "no manifest"


def _draw(path: Path, pair: Pair, rows: Sequence[Row], threshold: float) -> None:
    import matplotlib.pyplot as plt

    from factory.validation import figures
    from labcourse.plotting import style

    fig = figures.draw(pair, rows, threshold=threshold)
    content = style.png(fig, colors=48)
    plt.close(fig)
    atomic_write(path, lambda temporary: temporary.write_bytes(content))


def _tests(pairs: Sequence[Pair], rows: Sequence[Row], threshold: float) -> str:
    n_tests = sum(p is not None for row in rows for p in (row.p_chi2, row.p_ks))
    return texts.TESTS.format(
        threshold=threshold,
        n_tests=n_tests,
        expected=n_tests * threshold,
        own=", ".join(pair.sample for pair in pairs if pair.sample not in ("data", CONTROL)) or "none",
        largest=max(np.bincount(pair.real["group"]).max() for pair in pairs),
    )


def _summary(pairs: Sequence[Pair], rows: Sequence[Row], targets: Sequence[Target], threshold: float) -> Iterable[str]:
    lines = []
    for pair in pairs:
        own = [row for row in rows if row.sample == pair.sample and row.probabilities]
        apart = [target for target in targets if target.sample == pair.sample]
        lines.append(
            {
                "sample": pair.sample,
                "real events": len(pair.real),
                "simulated": len(pair.simulated),
                "expected at 10 fb⁻¹": f"{pair.simulated['weight'].to_numpy(float).sum():.1f}",
                "variables": len(own),
                f"below {threshold:g}": sum(row.is_below(threshold) for row in own),
                "figures in the tables": len(apart),
                "out of tolerance": sum(not target.is_met for target in apart),
            }
        )
    return ["## Summary", "", *_table(lines), ""] if lines else []


def _section(
    pair: Pair, rows: Sequence[Row], control: Sequence[Row], targets: Sequence[Target], threshold: float
) -> Iterable[str]:
    title = "The sum of all simulation and the collision data" if pair.sample == "data" else pair.sample
    alt = f"Small panels of all variables of {pair.sample}: real events as points over the simulation, ratio below."
    tests = [
        {
            "variable": row.variable,
            "effective": _effective(pair, row),
            "χ² / ndf": _chi2(row),
            "p(χ²)": _probability(row.p_chi2, threshold),
            "p(KS)": _probability(row.p_ks, threshold),
        }
        for row in rows
    ]
    for line, row in zip(tests, control, strict=False):
        line["control p(χ²)"] = _probability(row.p_chi2, threshold)
        line["control p(KS)"] = _probability(row.p_ks, threshold)
    by_name = {target.quantity: target for target in targets}
    quantiles = [
        {"variable": variable} | {f"{p:.0%}": _figures(by_name[f"{variable} {p:.0%}"]) for p in PROBABILITIES}
        for variable in QUANTILE_VARIABLES
    ]
    shares = [{"channel": name} | _percent(by_name[f"share of {name}"]) for name in selection.CHANNELS.values()]
    real, simulated = (events["weight"].to_numpy(float).sum() for events in (pair.real, pair.simulated))
    return [
        f"## {title}",
        "",
        *([texts.YIELDS.format(real=real, simulated=simulated)] if pair.sample == "data" else []),
        f"![{alt}]({(FIGURES / f'{pair.sample}.png').as_posix()})",
        "",
        *_table(tests),
        "",
        *_smallest(rows, threshold),
        texts.QUANTILES.format(n_sigma=N_SIGMA),
        *_table(quantiles),
        "",
        texts.SHARES.format(points=100 * SHARE_TOLERANCE, n_sigma=N_SIGMA),
        *_table(shares),
        "",
    ]


def _smallest(rows: Sequence[Row], threshold: float) -> Iterable[str]:
    """Say how near to failing the sample is."""
    tested = [row for row in rows if row.probabilities]
    if not tested:
        return []
    worst, n_tests = min(tested, key=lambda row: min(row.probabilities)), sum(len(row.probabilities) for row in tested)
    smallest, limit = min(worst.probabilities), compare.limit(rows, worst.sample, threshold)
    return [
        f"The smallest of {n_tests} probabilities is {smallest:.2g} ({worst.variable}); the limit is {limit:.2g}.",
        "",
    ]


def _effective(pair: Pair, row: Row) -> str:
    """How many effective events the real sample has in a variable."""
    if row.chi2 is None:
        return "–"
    column = compare.values_of(pair.real, row.variable)
    return f"{effective_number(column.weight) / column.effect:.0f}"


def _chi2(row: Row) -> str:
    if row.chi2 is None:
        return "not simulated"
    return f"{row.chi2:.1f} / {row.ndf}" if row.ndf else "too few events"


def _peak(targets: Sequence[Target]) -> Iterable[str]:
    if not targets:
        return []
    lines = [
        {
            "sample": target.sample,
            "quantile": target.quantity.removeprefix("peak "),
            "simulated [GeV]": _bold(f"{target.simulated:.2f} ± {target.error:.2f}", not target.is_met),
            "release [GeV]": f"{target.real:.1f}",
        }
        for target in targets
    ]
    low, high = PEAK_WINDOW
    text = (
        f"Quantiles of the four-lepton mass between {low:g} and {high:g} GeV. They should agree within "
        f"{PEAK_TOLERANCE:g} GeV with the figures of the release."
    )
    return ["## The Higgs peak", "", text, "", *_table(lines), ""]


def _report(path: Path) -> Iterable[str]:
    """Turn the JSON about a simulation run into a section."""
    try:
        content = json.loads(path.read_text("utf-8"))
        title, text, lines = str(content["title"]), str(content.get("text", "")), content["rows"]
        if not all(isinstance(line, dict) and line.keys() == lines[0].keys() for line in lines):
            raise TypeError("rows")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadFile(
            f"{path.name} is no report of a simulation run.",
            where=str(path),
            next_step='Write {"title": …, "text": …, "rows": [{…}, …]}, all rows with the same keys.',
        ) from error
    return [f"## {title}", "", *([text, ""] if text else []), *_table(lines)]


def _table(lines: Sequence[dict[str, Any]]) -> list[str]:
    """Lines of a Markdown table; all but the first column stand to the right."""
    if not lines:
        return []
    cells = [list(lines[0]), ["---", *["---:"] * (len(lines[0]) - 1)], *(list(line.values()) for line in lines)]
    return ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in cells]


def _probability(p: float | None, threshold: float) -> str:
    return "–" if p is None else _bold(f"{p:.2g}", p < threshold)


def _figures(target: Target) -> str:
    text = f"{target.simulated:.1f} ± {target.error:.1f} / {target.real:.1f} ± {target.real_error:.1f}"
    return _bold(text, not target.is_met)


def _percent(target: Target) -> dict[str, str]:
    simulated, real = (
        f"{100 * value:.1f} ± {100 * error:.1f} %"
        for value, error in ((target.simulated, target.error), (target.real, target.real_error))
    )
    return {"simulated": _bold(simulated, not target.is_met), "real": real}


def _bold(text: str, yes: bool) -> str:
    return f"**{text}**" if yes else text
