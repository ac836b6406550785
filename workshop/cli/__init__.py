"""The command ``labcourse``.

Heavy libraries are imported inside the commands that need them, so that ``labcourse --help`` is quick.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
from concurrent.futures import BrokenExecutor
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from labcourse import settings
from labcourse.errors import BadInput, LabCourseError, as_typed
from workshop import folders
from workshop.authoring import packages

try:
    import typer

    from workshop.cli import compare, data, notebooks, sealed
    from workshop.cli.printing import Json, make_printable, print_rows, split_names
except Exception as error:
    if not (message := packages.why_broken(error)):
        raise
    sys.exit(message)

app = typer.Typer(
    help="Hunt for the Higgs boson with neural networks: tools of the lab course.",
    epilog="Start with `labcourse doctor`; `make lab` opens the notebooks. Every COMMAND has a --help.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

BUNDLE_SCALE = 0.2
"""Size of the bundled samples relative to the official ones."""

_SIMULATE = {"pythia8mc", "fastjet", "vector", "dask", "distributed"}
"""Packages that students do not install: the extra `simulate` of `pyproject.toml` brings them."""


def main() -> None:
    """Run the command line; an error of the course becomes one message and exit status 1."""
    # `kill` and a terminal that is closed give what Ctrl-C gives: processes end, and temporary files go. Under `nohup`
    # the latter is ignored, and stays so.
    for number in {signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)}:
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)
    for stream in (sys.stdout, sys.stderr):
        make_printable(stream)
    # Shells know ~ at the beginning of a word only, that of Windows not at all.
    home = os.path.expanduser("~").replace("\\", "/")
    sys.argv[1:] = [re.sub(r"^(--[a-z]+=)?~(?=[/\\])", rf"\g<1>{home}", word) for word in sys.argv[1:]]
    folders.fix_paths()
    try:
        app()
    except LabCourseError as error:
        text = str(error)
        print(f"labcourse: {text if shutil.which('labcourse') else as_typed(text)}", file=sys.stderr)
        sys.exit(1)
    except Exception as error:
        message = packages.why_broken(error)
        if getattr(error, "name", None) in _SIMULATE:
            message = (
                f'labcourse: {error}\n  next:  Run `python -m pip install -e ".[simulate]"` in the course\'s folder.'
            )
        if not message:
            raise
        print(message, file=sys.stderr)
        sys.exit(1)


@app.command()
def doctor(
    report: Annotated[bool, typer.Option("--report", help="Add system and packages, to paste where you ask.")] = False,
) -> None:
    """Say what is wrong with this machine or installation, and how to mend it.

    Examples: labcourse doctor · labcourse doctor --report
    """
    from workshop.authoring import doctor as machine

    findings = machine.examine()
    print((machine.as_report if report else machine.as_table)(findings))
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


for command in (notebooks.run, notebooks.status, notebooks.solve, notebooks.reset, compare.compare):
    app.command()(command)
app.add_typer(data.app, name="data")
app.add_typer(sealed.app, name="sealed")


@app.command()
def yields(release: data.Release = "2020", as_json: Json = False) -> None:
    """Count the events of each sample, raw, preselected, and expected at the release's luminosity (data: counted).

    Of 2025 also between 122.5 and 130 GeV, beside the sums that the release's own example gives there.

    Examples: labcourse yields · labcourse yields --json · labcourse yields --release 2025
    """
    import numpy as np

    from labcourse import ntuple, samples, selection

    rows: list[dict[str, Any]] = []
    for name in samples.names(release):
        located = samples.locate(name)
        raw, selected, expected, window = 0, 0, 0.0, 0.0
        for events in (chunk for path in located.paths for chunk in ntuple.iterate(path, sample=name)):
            passing = events[np.logical_and.reduce(list(selection.requirements(events).values()))]
            raw, selected = raw + len(events), selected + len(passing)
            weight = passing["weight"].to_numpy("float64")
            expected += float(weight.sum())
            window += float(weight[passing["m_llll"].between(122.5, 130, inclusive="left")].sum())
        row = {"sample": name, "source": located.source, "raw": raw, "selected": selected}
        row |= {"expected": round(expected, 4)}
        rows.append(row if release == "2020" else row | {"window": round(window, 4)})
    print_rows(rows, "Four-lepton events", as_json=as_json)
    if release != "2020" and not as_json:
        used = [(row, samples.get(row["sample"])) for row in rows]
        for role, official in (("signal", 18.4), ("background", 10.3)):
            total = sum(row["window"] for row, sample in used if sample.role == role)
            print(f"{role} in the window: {total:.1f} (the release's example, with its own samples: {official})")
        print("Hardly any event of the data passes: the files ask for no trigger, identification or isolation.")


@app.command()
def simulate(
    what: Annotated[
        str,
        typer.Argument(
            help="azh for the events of the project, 2025 for those of the encore; by default the chapters'."
        ),
    ] = "",
    scale: Annotated[
        float | None,
        typer.Option(
            help="Events relative to the official samples (1 makes about 940 000), of azh to those of the bundle; "
            "the bundle's by default.",
            min=0.0001,
        ),
    ] = None,
    samples: Annotated[str, typer.Option(help="Samples to make, separated by commas; all by default.")] = "",
    out: Annotated[Path | None, typer.Option(help="Folder to write to; data/ by default.")] = None,
    independent: Annotated[
        bool, typer.Option("--independent", help="Of azh, the backgrounds that pseudo-data are drawn from.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of the generator.", min=0)] = 2024,
    workers: Annotated[int, typer.Option(help="Processes on this machine; 0 means one per core.", min=0)] = 0,
    cluster: Annotated[
        str, typer.Option(help="Dask scheduler that you trust, such as tcp://HOST:8786; none by default.")
    ] = "",
) -> None:
    """Simulate samples with Pythia and a parametrised detector (needs the extra `simulate`).

    Killed or interrupted, the same command goes on where it was.

    Examples: labcourse simulate --scale 1 --out ~/samples · labcourse simulate --scale 0.01 --samples llll --out few ·
    labcourse simulate --scale 10 --out ~/many --cluster tcp://10.0.0.5:8786 ·
    labcourse simulate azh --scale 10 --out ~/azh · labcourse simulate azh --independent --out ~/azh-independent ·
    labcourse simulate 2025 --seed 2025
    """
    import factory
    from factory import release_2025
    from factory.azh import production

    others = {"": independent, "azh": samples, "2025": scale or samples or independent or workers or cluster}
    if what not in others:
        raise BadInput(f"There are no events {what}.", next_step="Say azh or 2025, or nothing for the chapters'.")
    if others[what]:
        raise BadInput(
            f"`labcourse simulate {what}` does not know one of these options.",
            next_step="Leave out what is for other events: `labcourse simulate --help`.",
        )
    if out is None and (independent or scale):
        raise BadInput(
            "Samples of another size or purpose would replace the bundled ones.",
            where=str(settings.data_folder() / what),
            next_step="Say where they should go: --out DIR.",
        )
    where: dict[str, Any] = {"workers": workers or None, "address": cluster}
    folder = out or settings.data_folder() / what
    if what == "azh":
        made = production.simulate(folder, scale=scale or 1.0, seed=seed, independent=independent, **where)
    elif what == "2025":
        made = release_2025.simulate(folder, seed=seed)
    else:
        names = split_names(samples) or None
        made = factory.simulate(folder, scale=scale or BUNDLE_SCALE, samples=names, seed=seed, **where)
    print(f"complete: {made}")


@app.command()
def tune(
    study: Annotated[
        Path | None, typer.Argument(help="SQLite file of the search; by default the project notebook's own.")
    ] = None,
    trials: Annotated[int, typer.Option(help="Go on until there are so many.", min=1)] = 40,
    epochs: Annotated[int, typer.Option(help="Epochs of each trial.", min=1)] = 4,
    seed: Annotated[int, typer.Option(help="Seed of the search.", min=0)] = 1,
    workers: Annotated[int, typer.Option(help="Trials at a time, each in a process of this machine.", min=1)] = 1,
) -> None:
    """Search for better settings of the project's network with Optuna, and show the best ones.

    Layers, width, activation, rate, and how much the signal weighs. Hopeless trials end early. Killed or interrupted,
    the same command goes on where it was; only trials under way are lost.

    Examples: labcourse tune · labcourse tune my.db --trials 200 --workers 4
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # here and in the workers: TensorFlow talks a lot
    import azh
    from azh import search
    from course import outputs
    from factory.workers import connect
    from workshop.authoring.source import PROJECT

    parts = azh.split(azh.read())
    file = study or outputs.folder(PROJECT) / "search.db"
    found = search.load(file)  # by this process first: several would make it at the same time
    if search.finished(found) < trials:
        one = partial(search.run, parts, file, trials=trials, epochs=epochs, seed=seed)
        try:
            with connect(number=workers) as executor:
                list(executor.map(one, range(workers)))
        except BrokenExecutor as error:
            raise LabCourseError(
                "A process of the search was killed, perhaps since the memory was too small.",
                where=str(file),
                next_step="Run the same command again, with fewer --workers: finished trials are kept.",
            ) from error
    table = search.table(found)
    rows: list[dict[Any, Any]] = table.head(15).round(4).astype(object).fillna("").to_dict("records")
    print_rows(rows, f"The best of {len(table)} trials")


app.command()(notebooks.build)
