"""The page of a validation, as Markdown with one figure per sample: `docs/validation.md` of the project."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from factory.validation.pairs import THRESHOLD, VARIABLES, Pair, Row, limit
from labcourse.files import atomic_write, sha256
from labcourse.progress import each
from labcourse.samples import MANIFEST

FIGURES = Path("images", "validation")
"""Folder of the figures, beside the page."""
BEGIN = "## All tests"
"""What stands before it on the page is kept by hand."""
ABOUT = """\
Simulated samples: those whose manifest has the sha256 `{digest}…`. Of {n_tests} tests, about {expected:.1f} are
expected to have a probability below {threshold:g} by chance alone.
"""
SAMPLE = """\
## {name}

![Small panels of all variables of {name}: real events as points over the simulation.]({figure})

{real} real events (points); {simulated} simulated ones, of which {yields:.1f} are expected at 10 fb⁻¹, scaled to them
(line; the band is their statistical error). The smallest of {n_tests} probabilities is {least:.2g} ({variable}); the
limit is {limit:.2g}.
"""


def write(path: Path, pairs: Sequence[Pair], rows: Sequence[Row], folder: Path) -> None:
    """Write the page from `BEGIN` on, and its figures to ``images/validation`` beside it; each file is replaced whole.

    Parameters
    ----------
    path : path
        The Markdown file; what it says before `BEGIN` stays.
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
    about = ABOUT.format(digest=digest(folder), n_tests=n_tests, expected=THRESHOLD * n_tests, threshold=THRESHOLD)
    introduction = path.read_text("utf-8").partition(BEGIN)[0] if path.is_file() else ""
    text = [introduction, BEGIN, about, _all_tests([pair.sample for pair in pairs], rows)]
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
    content = "\n\n".join(part.strip() for part in text if part) + "\n"
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
    lines = [["variable", *(f"{name} p({test})" for name in names for test in ("χ²", "KS"))]]
    lines.append(["---", *["---:"] * (len(lines[0]) - 1)])
    for variable in VARIABLES:
        both = [p for name in names for p in found.get((name, variable), (None, None))]
        cells = ["–" if p is None else f"**{p:.2g}**" if p < THRESHOLD else f"{p:.2g}" for p in both]
        lines.append([variable, *cells])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
