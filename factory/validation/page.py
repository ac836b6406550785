"""The page of a validation, as Markdown with one figure per sample: `docs/validation.md` of the project."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from factory.validation.pairs import THRESHOLD, VARIABLES, Pair, Row, limit
from labcourse.files import atomic_write, sha256
from labcourse.progress import each
from labcourse.samples import MANIFEST

FIGURES = Path("images", "validation")
"""Folder of the figures, beside the page."""
INTRODUCTION = """\
# Simulated and real events

Are the course's simulated samples like those of the ATLAS Open Data? This page is written by
`labcourse data validate --real DIR --page docs/{page}`, where `DIR` holds official files of the 4-lepton collection
(13 TeV, 2020; DOI 10.7483/OPENDATA.ATLAS.2Y1T.TLGL). It compares each simulated sample with the real file of the same
process, and the sum of all simulation, each event with its weight, with the collision data (*data*). Of Z → ττ the
release's file holds a handful of events; none are simulated.

Simulated samples: those whose manifest has the sha256 `{digest}…`

All events pass the preselection (total charge zero; eeee, eeµµ or µµµµ). Only shapes are compared: the simulation is
scaled to the real events (of its yields, `data/README.md` says more).

- **χ²**: bins of equal probability, two at least, so few that each holds 20 effective real events where that can be,
  and 10 in any case; variances from the common shape of both samples; the normalisation is free, so ndf = bins − 1.
  For unweighted events it is Pearson's test of homogeneity.
- **KS**: Kolmogorov–Smirnov, where each sample counts (Σw)²/Σw² events. Where values repeat (isolation of exactly zero,
  numbers of jets, channels) its probabilities are too large.
- Negative weights subtract in both tests.
- A probability below {threshold:g} is set in **bold**. Of {n_tests} tests, about {expected:.1f} are expected there by
  chance alone. The azimuths φ are a control: they can only be flat.

The *real* samples of Z → ℓℓ, and a few events of t t̄, repeat themselves. A rare pile-up collision that has two leptons
of its own was overlaid on many Z → ℓℓ events and made four-lepton events of them all, with the same two leptons in
each. In what depends on these leptons such events are not independent. In each variable their likeness is measured (the
*design effect*: the variance in bins with whole groups of such events as units, over that with single events), and
variances are so many times larger, in the figures' error bars as well. The collision data repeat nothing.

`labcourse data validate` passes if in no sample a probability is below {threshold:g} divided by the number of its
tests. The mass peak of the Higgs boson, of which no real file is here, is held to published quantiles by a test.
"""
SAMPLE = """\
## {name}

![Small panels of all variables of {name}: real events as points over the simulation.]({figure})

{real} real events (points); {simulated} simulated ones, of which {yields:.1f} are expected at 10 fb⁻¹, scaled to them
(line; the band is their statistical error). The smallest of {n_tests} probabilities is {least:.2g} ({variable}); the
limit is {limit:.2g}.
"""


def write(path: Path, pairs: Sequence[Pair], rows: Sequence[Row], folder: Path) -> None:
    """Write the page, and its figures to ``images/validation`` beside it; each file is replaced whole.

    Parameters
    ----------
    path : path
        The Markdown file.
    pairs, rows
        What was compared, and the results.
    folder : path
        Folder of the simulated samples, whose manifest the page names.

    Raises
    ------
    StorageError
        If a file cannot be written.
    """
    n_tests = sum(len(row.probabilities) for row in rows)
    numbers = {"threshold": THRESHOLD, "n_tests": n_tests, "expected": THRESHOLD * n_tests}
    text = [INTRODUCTION.format(page=path.name, digest=digest(folder), **numbers), "## All tests"]
    text += [_all_tests([pair.sample for pair in pairs], rows)]
    for pair in each(pairs, "drawing {0.sample}"):
        own = [row for row in rows if row.sample == pair.sample]
        figure = FIGURES / f"{pair.sample}.png"
        _draw(path.parent / figure, pair, own)
        tests = sorted((p, row.variable) for row in own for p in row.probabilities)
        text.append(
            SAMPLE.format(
                name=pair.sample,
                figure=figure.as_posix(),
                real=len(pair.real),
                simulated=len(pair.simulated),
                yields=pair.simulated["weight"].sum(),
                n_tests=len(tests),
                least=tests[0][0],
                variable=tests[0][1],
                limit=limit(own, pair.sample),
            )
        )
    content = "\n\n".join(part.strip() for part in text) + "\n"
    atomic_write(path, lambda temporary: temporary.write_text(content, "utf-8"))


def digest(folder: Path) -> str:
    """First digits of the sha256 of a sample folder's manifest; ``no manifest`` where there is none."""
    manifest = folder / MANIFEST
    return sha256(manifest)[:16] if manifest.is_file() else "no manifest"


def _draw(path: Path, pair: Pair, rows: Sequence[Row]) -> None:
    import matplotlib.pyplot as plt

    from factory.validation import panels
    from labcourse.plotting import style

    fig = panels.draw(pair, rows)
    content = style.png(fig, colors=48)
    plt.close(fig)
    atomic_write(path, lambda temporary: temporary.write_bytes(content))


def _all_tests(names: Sequence[str], rows: Sequence[Row]) -> str:
    """One table of all probabilities: a line per variable, and both tests of each sample side by side."""
    found = {(row.sample, row.variable): (row.p_chi2, row.p_ks) for row in rows}
    lines = [
        [variable, *(_probability(p) for name in names for p in found.get((name, variable), (None, None)))]
        for variable in VARIABLES
    ]
    return _table(["variable", *(f"{name} p({test})" for name in names for test in ("χ²", "KS"))], lines)


def _probability(p: float | None) -> str:
    return "–" if p is None else _bold(f"{p:.2g}", p < THRESHOLD)


def _bold(text: str, yes: bool) -> str:
    return f"**{text}**" if yes else text


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return a Markdown table; all but the first column stand to the right."""
    rule = ["---", *["---:"] * (len(columns) - 1)]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in (columns, rule, *rows))
