"""``labcourse data …``: the samples, the official files among them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from labcourse import settings
from workshop.cli.printing import Json, print_rows, split_names

app = typer.Typer(
    help="Where the samples come from; the official files of the ATLAS Open Data.",
    epilog="`labcourse data download` brings the official files (302 MB); the course then uses them.",
    no_args_is_help=True,
)

Names = Annotated[
    str,
    typer.Option(
        "--samples",
        help="Samples of the release, separated by commas, or all; by default those of the course.",
    ),
]
Out = Annotated[Path | None, typer.Option("--out", help="Folder to write to; data/official by default.")]
Release = Annotated[str, typer.Option(help="2020 (of the chapters), or 2025 (36 fb⁻¹, of the encore).")]


@app.command()
def download(
    samples: Names = "",
    release: Release = "2020",
    out: Out = None,
    mirror: Annotated[
        list[str] | None,
        typer.Option(help="Address to download from instead of CERN's, a folder with Data/ and MC/; can be repeated."),
    ] = None,
) -> None:
    """Download official files: each is checked, and used by the course once its sample is complete.

    What is whole already is not fetched again. A download that broke off goes on with the same command. The
    variable LABCOURSE_MIRROR names mirrors for good; HTTPS_PROXY a proxy. Exit status 1 if a file could not be had.

    Examples: labcourse data download · labcourse data download --samples Zee,Zmumu,data ·
    labcourse data download --mirror http://my.school/atlas/4lep · labcourse data download --release 2025 (48 files,
    1.16 GB, to data/official-2025)
    """
    from workshop.opendata import manifest, transfer

    folder = out or settings.official_folder(release)
    outcomes = transfer.download(manifest.choose(split_names(samples), release), folder, from_mirrors=mirror or ())
    print_rows([outcome._asdict() for outcome in outcomes], f"Official files in {folder}")
    if failed := [outcome.file for outcome in outcomes if outcome.state == "failed"]:
        raise transfer.DownloadError(
            f"{len(failed)} of {len(outcomes)} files are not there: {', '.join(failed)}.",
            where=str(folder),
            next_step="Run the same command again later: it goes on where it stopped. The table says why.",
        )
    if folder.resolve() not in settings.search_path(release):
        print(f"labcourse: to let the course read them: labcourse data use {folder}", file=sys.stderr)


@app.command()
def verify(samples: Names = "", release: Release = "2020", as_json: Json = False) -> None:
    """Check the files in all folders where samples are looked for, to the last byte.

    whole: as released (simulated files: as their own manifest says). another build: other bytes, yet the same
    sample with the same number of events. foreign: holds something else than its name says. damaged: cannot be
    read. missing: not there. Exit status 1 unless all are whole or another build.

    Examples: labcourse data verify · labcourse data verify --samples Zee --json
    """
    from workshop.opendata import integrity

    verdicts = integrity.verify(split_names(samples), release=release)
    print_rows([verdict._asdict() for verdict in verdicts], "Files", as_json=as_json)
    if not all(verdict.state in integrity.GOOD for verdict in verdicts):
        raise typer.Exit(1)


@app.command()
def use(
    folder: Annotated[
        Path | None,
        typer.Argument(help="A folder with sample files of the official names, or with Data/ and MC/."),
    ] = None,
    forget: Annotated[bool, typer.Option("--forget", help="Forget all folders given before.")] = False,
) -> None:
    """Look for samples in a folder first from now on (noted in data/settings.json), and show what is used then.

    Folders given before come after it, and official files that were downloaded and the bundle last.

    Examples: labcourse data use ~/atlas/4lep · labcourse data use · labcourse data use --forget
    """
    from labcourse import samples
    from workshop import folders

    if forget:
        folders.forget_folders()
    if folder is not None:
        print(f"samples are now looked for in {folders.use_folder(folder)} first")
    print("folders, in their order:", *settings.search_path(), sep="\n  ")
    for release in samples.LUMINOSITIES:
        print(*(f"{source}: {', '.join(names)}" for source, names in folders.by_source(release).items()), sep="\n")


@app.command()
def validate(
    real: Annotated[Path, typer.Option(help="Folder of official files.")],
    simulated: Annotated[Path | None, typer.Option(help="Folder of simulated files; the bundle by default.")] = None,
    samples: Annotated[
        str, typer.Option(help="Samples to compare, separated by commas; by default all that have real files.")
    ] = "",
    figures: Annotated[Path | None, typer.Option(help="Folder for a picture of each sample; none by default.")] = None,
    as_json: Json = False,
) -> None:
    """Compare simulated samples with real ATLAS files, variable by variable.

    After preselection, each by a weighted χ² and a Kolmogorov–Smirnov test of the shape; «data» is the sum of
    all simulation against the collision data. Exit status 1 if a probability is below 0.01 divided by the
    number of tests of its sample.

    Examples: labcourse data validate --real DIR · labcourse data validate --real DIR --samples Zee --figures trial
    """
    from factory.validation import pairs

    compared = pairs.load(real, simulated or settings.data_folder(), split_names(samples))
    tests = pairs.compare(compared)
    if figures is not None:
        from factory.validation import panels

        panels.write(figures, compared, tests)
    rows: list[dict[Any, Any]] = tests.astype(object).where(tests.notna(), None).to_dict("records")
    print_rows(rows, "Simulated and real events", as_json=as_json)
    least, names = tests[["p_chi2", "p_ks"]].min(axis=1), tests["sample"] + " " + tests["variable"]
    below, failing = (", ".join(names[least < limit]) for limit in (pairs.THRESHOLD, tests["limit"]))
    print(f"labcourse: below p = {pairs.THRESHOLD:g}: {below or 'nothing'}", file=sys.stderr)
    print(f"labcourse: {f'not passed: {failing}' if failing else 'passed'}", file=sys.stderr)
    if failing:
        raise typer.Exit(1)
