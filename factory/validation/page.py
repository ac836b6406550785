"""The page of a validation, as Markdown with one figure per sample: `docs/validation.md` of the project."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from factory.validation import peak
from factory.validation.pairs import CONTROL, THRESHOLD, Loaded, Pair, Row, limit, values_of
from labcourse.files import atomic_write
from labcourse.progress import each

FIGURES = Path("images", "validation")
"""Folder of the figures, beside the page."""
INTRODUCTION = """\
# Simulated and real events

Are the course's simulated samples like those of the ATLAS Open Data? This page is written by
`labcourse data validate --real DIR --page docs/{page}`, where `DIR` holds official files of the 4-lepton collection
(13 TeV, 2020; DOI 10.7483/OPENDATA.ATLAS.2Y1T.TLGL). It compares each simulated sample with the real file of the same
process, and the sum of all simulation, each event with its weight, with the collision data (*data*). Of Z → ττ the
release's file holds a handful of events; none are simulated.
"""
TESTS = """\
All events pass the preselection (total charge zero; eeee, eeµµ or µµµµ). Only shapes are compared: the simulation is
scaled to the real events.

- **χ²**: bins of equal probability, two at least, so few that each holds 20 effective real events where that can be,
  and 10 in any case; variances from the common shape of both samples; the normalisation is free, so ndf = bins − 1.
  For unweighted events it is Pearson's test of homogeneity.
- **KS**: Kolmogorov–Smirnov, where each sample counts (Σw)²/Σw² events. Where values repeat (isolation of exactly zero,
  numbers of jets) its probabilities are too large.
- Negative weights subtract in both tests.
- A probability below {threshold:g} is set in **bold**. Of {n_tests} tests, about {expected:.1f} are expected there by
  chance alone. The azimuths φ are a control: they can only be flat.

The *real* samples of Z → ℓℓ, and a few events of t t̄, repeat themselves. A rare pile-up collision that has two leptons
of its own was overlaid on many Z → ℓℓ events and made four-lepton events of them all, with the same two leptons in
each: up to {largest} of one sample's. In what depends on these leptons such events are not independent. In each
variable their likeness is measured (the *design effect*: the variance in bins with whole groups of such events as
units, over that with single events), and variances are so many times larger, in the figures' error bars as well. The
column *effective* says how many independent events of weight one would tell as much as the real ones do: where it is
below a hundred, only large differences would be seen, and probabilities are approximate. The collision data repeat
nothing.

*Control* compares the collision data with the same sum, but with the release's own samples in place of ours where there
are real files ({own}). Where both differ from the data, these samples of ours are not the cause. Most events of the sum
are our llll in both, of which no real file is here: whether the release's llll does better, the control cannot tell.

`labcourse data validate` passes if in no sample a probability is below {threshold:g} divided by the number of its tests
(the control is not judged), and if the quantiles of the Higgs peak are within their tolerance.
"""
YIELDS = """\
The simulation predicts {simulated:.0f} events at 10 fb⁻¹ where the data hold {real:.0f} (`data/README.md` says why).
All its parts are scaled by the same number.
"""
PEAK = """\
Quantiles of the four-lepton mass between {0:g} and {1:g} GeV. \
They should agree within {2:g} GeV with the figures of the release.
"""


def write(path: Path, loaded: Loaded, rows: Sequence[Row], peaks: Sequence[peak.Quantile], simulated: Path) -> None:
    """Write the page, and its figures to ``images/validation`` beside it; each file is replaced whole.

    Parameters
    ----------
    path : path
        The Markdown file.
    loaded : Loaded
        What was compared, of which ``rows`` and ``peaks`` are the results.
    simulated : path
        Folder of the simulated samples, whose manifest the page names.

    Raises
    ------
    StorageError
        If a file cannot be written.
    """
    pairs = loaded.pairs
    by_sample = {pair.sample: [row for row in rows if row.sample == pair.sample] for pair in pairs}
    text = [INTRODUCTION.format(page=path.name)]
    # Of a signal sample only the mass peak can be judged where no real file is there to compare with.
    if pairs:
        text.append(_tests(pairs, rows))
    text.append(f"Simulated samples: those whose manifest has the sha256 `{digest(simulated)}…`")
    if pairs:
        columns = f"sample | real events | simulated | expected at 10 fb⁻¹ | variables | below {THRESHOLD:g}"
        text += ["## Summary", _table(columns, [_summary(pair, by_sample[pair.sample]) for pair in pairs])]
    for pair in each([pair for pair in pairs if pair.sample != CONTROL], "drawing {0.sample}"):
        own = by_sample[pair.sample]
        _draw(path.parent / FIGURES / f"{pair.sample}.png", pair, own)
        text += _section(pair, own, by_sample.get(CONTROL, []) if pair.sample == "data" else [])
    if peaks:
        columns = "sample | quantile | simulated [GeV] | release [GeV]"
        cells = [
            [q.sample, f"{q.probability:.0%}", _bold(f"{q.simulated:.2f}", not q.is_met), f"{q.release:.1f}"]
            for q in peaks
        ]
        text += ["## The Higgs peak", PEAK.format(*peak.WINDOW, peak.TOLERANCE), _table(columns, cells)]
    content = "\n\n".join(part.strip() for part in text) + "\n"
    atomic_write(path, lambda temporary: temporary.write_text(content, "utf-8"))


def digest(folder: Path) -> str:
    """First digits of the sha256 of a sample folder's manifest; ``no manifest`` where there is none."""
    manifest = folder / "manifest.json"
    return hashlib.sha256(manifest.read_bytes()).hexdigest()[:16] if manifest.is_file() else "no manifest"


def _draw(path: Path, pair: Pair, rows: Sequence[Row]) -> None:
    import matplotlib.pyplot as plt

    from factory.validation import panels
    from labcourse.plotting import style

    fig = panels.draw(pair, rows)
    content = style.png(fig, colors=48)
    plt.close(fig)
    atomic_write(path, lambda temporary: temporary.write_bytes(content))


def _tests(pairs: Sequence[Pair], rows: Sequence[Row]) -> str:
    n_tests = sum(len(row.probabilities) for row in rows)
    return TESTS.format(
        threshold=THRESHOLD,
        n_tests=n_tests,
        expected=n_tests * THRESHOLD,
        own=", ".join(pair.sample for pair in pairs if pair.sample not in ("data", CONTROL)) or "none",
        largest=max(np.bincount(pair.real["group"]).max() for pair in pairs),
    )


def _summary(pair: Pair, rows: Sequence[Row]) -> list[Any]:
    expected, variables = pair.simulated["weight"].sum(), sum(bool(row.probabilities) for row in rows)
    below = sum(row.is_below() for row in rows)
    return [pair.sample, len(pair.real), len(pair.simulated), f"{expected:.1f}", variables, below]


def _section(pair: Pair, rows: Sequence[Row], control: Sequence[Row]) -> list[str]:
    """Heading, figure and table of a sample, and how near to failing it is."""
    alt = f"Small panels of all variables of {pair.sample}: real events as points over the simulation, ratio below."
    text = [f"## {pair.sample}", f"![{alt}]({(FIGURES / f'{pair.sample}.png').as_posix()})"]
    if pair.sample == "data":
        real, simulated = (events["weight"].sum() for events in (pair.real, pair.simulated))
        text[:1] = [
            "## The sum of all simulation and the collision data",
            YIELDS.format(real=real, simulated=simulated),
        ]
    columns = "variable | effective | χ² / ndf | p(χ²) | p(KS)" + (
        " | control p(χ²) | control p(KS)" if control else ""
    )
    text.append(_table(columns, [_test(pair, *both) for both in zip_longest(rows, control)]))
    if p := sorted((p, row.variable) for row in rows for p in row.probabilities):
        (least, variable), most = p[0], limit(rows, pair.sample)
        text.append(f"The smallest of {len(p)} probabilities is {least:.2g} ({variable}); the limit is {most:.2g}.")
    return text


def _test(pair: Pair, row: Row, control: Row | None) -> list[str]:
    effective, chi2 = "–", "not simulated"
    if row.chi2 is not None:
        effective = f"{values_of(pair.real, row.variable).effective:.0f}"
        chi2 = f"{row.chi2:.1f} / {row.ndf}" if row.ndf else "too few events"
    p = [row.p_chi2, row.p_ks] + ([control.p_chi2, control.p_ks] if control else [])
    return [
        row.variable,
        effective,
        chi2,
        *("–" if value is None else _bold(f"{value:.2g}", value < THRESHOLD) for value in p),
    ]


def _bold(text: str, yes: bool) -> str:
    return f"**{text}**" if yes else text


def _table(columns: str, rows: Sequence[Sequence[Any]]) -> str:
    """Return a Markdown table; all but the first column stand to the right."""
    rule = " | ".join(["---", *["---:"] * columns.count(" | ")])
    return "\n".join(f"| {line} |" for line in (columns, rule, *(" | ".join(map(str, row)) for row in rows)))
