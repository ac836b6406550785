"""The command ``labcourse``.

Heavy libraries are imported inside the commands that need them, so that ``labcourse --help`` is quick.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from labcourse import settings
from labcourse.cli import authoring
from labcourse.cli import search as search_commands
from labcourse.cli.compare import EXAMPLES, compare
from labcourse.cli.data import app as data_app
from labcourse.cli.printing import Chapters, Json, print_json, print_rows, print_wide, split_names
from labcourse.errors import BadInput, LabCourseError

if TYPE_CHECKING:
    from labcourse.authoring.run import ChapterRun, Task

app = typer.Typer(
    help="Hunt for the Higgs boson with neural networks: tools of the lab course.",
    epilog="Start with `labcourse doctor`; `make lab` opens the notebooks. Every COMMAND has a --help.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(data_app, name="data")

BUNDLE_SCALE = 0.2
"""Size of the bundled samples relative to the official ones."""


def main() -> None:
    """Run the command line; an error of the course becomes one message and exit status 1."""
    # `kill` gives what Ctrl-C gives: processes end, and temporary files go.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Shells know ~ at the beginning of a word only, that of Windows not at all.
    sys.argv[1:] = [_with_home(word) for word in sys.argv[1:]]
    try:
        app()
    except LabCourseError as error:
        print(f"labcourse: {error}", file=sys.stderr)
        sys.exit(1)
    finally:
        signal.signal(signal.SIGTERM, before)


def _with_home(word: str) -> str:
    """Replace the ~ of a path.

    Examples
    --------
    >>> import os
    >>> _with_home("--out=~/samples") == f"--out={os.path.expanduser('~')}/samples", _with_home("~x")
    (True, '~x')
    """
    return re.sub(r"^(--[a-z]+=)?~(?=[/\\])", lambda found: (found[1] or "") + os.path.expanduser("~"), word)


@app.command(epilog="Example: labcourse doctor --json")
def doctor(as_json: Json = False) -> None:
    """Say what is wrong with this machine or installation, and how to mend it."""
    from labcourse.authoring import doctor as room

    findings = room.examine()
    if as_json:
        print_json([finding._asdict() for finding in findings])
    else:
        print(room.as_table(findings))
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


@app.command(epilog="Examples: labcourse run · labcourse run 1 2 3 · labcourse run --json")
def run(
    chapters: Chapters = None,
    workspace: Annotated[str, typer.Option(help="Where the outputs go, below data/outputs.")] = "solutions",
    save: Annotated[bool, typer.Option("--save", help="Keep the executed notebooks in solutions/.")] = False,
    student: Annotated[
        bool, typer.Option("--student", help="Run the students' notebooks, all exercises open, and keep nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Run the solution notebooks in order and compare their key numbers with the expected ones.

    Exit status 1 if a chapter fails or a number is out of its bounds.
    """
    from labcourse.authoring import build as building
    from labcourse.authoring import expected
    from labcourse.authoring import run as running

    home = settings.home()
    if student:
        with tempfile.TemporaryDirectory() as scratch:
            os.environ["LABCOURSE_OUTPUTS"] = scratch
            results = _run(running.students(home, chapters or ()), "notebooks", folder="notebooks")
        for result in results:
            result.numbers.clear()  # those of unsolved exercises say nothing
    else:
        if save and (os.environ.get("LABCOURSE_DATA") or expected.section() != "bundle"):
            print("labcourse: nothing is saved, since these are not the bundled samples", file=sys.stderr)
            save = False
        if save:
            building.build(home, chapters or ())
        results = _run(running.solutions(home, chapters or ()), workspace, save=save)
        if expected.section() == "other":
            print("labcourse: neither the bundled nor the official samples: no number is expected", file=sys.stderr)
    _show_results(results, as_json=as_json)


@app.command(epilog="Examples: labcourse status · labcourse status --all · labcourse status --json")
def status(
    every: Annotated[bool, typer.Option("--all", help="A row for each exercise.")] = False, as_json: Json = False
) -> None:
    """Show which exercises are solved, answered in words, wrong and open, by chapter."""
    from labcourse.checks import progress, registry, standing

    states = progress.read_states("notebooks")
    exercises = registry.exercises().values()
    rows: list[dict[str, Any]] = list(standing.by_chapter(states))
    if every:
        rows = [
            {**exercise._asdict(), "state": states.get(exercise.number, "open"), "exercise": exercise.number}
            for exercise in exercises
        ]
        rows = [{name: row[name] for name in ("chapter", "exercise", "title", "kind", "state")} for row in rows]
    print_rows(rows, "Exercises", as_json=as_json)
    unfinished = [e for e in exercises if states.get(e.number, "open") in ("wrong", "open")]
    if not as_json:
        done = f"{len(exercises) - len(unfinished)} of {len(exercises)} exercises are done"
        print(f"{done}; next: {unfinished[0].number}, {unfinished[0].title}" if unfinished else f"{done}.")


@app.command(epilog="Example: labcourse solve 3, then go on with chapter 4")
def solve(
    chapter: Annotated[int, typer.Argument(help="The chapter whose outputs you need.")], as_json: Json = False
) -> None:
    """Make a chapter's outputs with its solution, so that you can go on with the next one.

    Earlier chapters whose outputs are missing are run too. Your notebooks are not touched, and outputs that you made
    yourself are kept under another name. Stopped half-way, everything is as it was before.
    """
    from labcourse.authoring import run as running
    from labcourse.authoring import workspace

    running.solutions(settings.home(), [chapter])  # an unknown chapter is said before anything runs
    needed = [*running.needed_by(chapter, "notebooks"), chapter]
    tasks = running.solutions(settings.home(), needed)
    results, kept = workspace.solve(needed, lambda: _run(tasks, "notebooks"))
    for number, folder in kept.items():
        print(f"labcourse: your own outputs of chapter {number} are kept in {folder}", file=sys.stderr)
    _show_results(results, as_json=as_json)


@app.command(epilog="Examples: labcourse reset 3 · labcourse reset 3 --outputs --yes")
def reset(
    chapter: Annotated[int, typer.Argument(help="The chapter to start over.")],
    outputs: Annotated[bool, typer.Option("--outputs", help="Start without the chapter's outputs, too.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Start a chapter over: a fresh notebook, all its exercises open.

    Your own notebook, the record of your exercises (and your outputs, with --outputs) are kept under other names.
    """
    from labcourse.authoring import source, workspace

    source.read_all(settings.home(), [chapter])  # an unknown chapter is said before anything is asked
    print(
        f"Chapter {chapter} starts over; your notebook is kept under another name.\n"
        "If it is open in JupyterLab: save it now and shut its kernel down, so that nothing you typed is missing."
    )
    if not yes:
        typer.confirm("Go on?", abort=True)
    done = workspace.reset(settings.home(), chapter, with_outputs=outputs)
    print(f"fresh        {done.notebook.relative_to(settings.home())}")
    asked = [("outputs", done.kept_outputs)] if outputs else []
    for what, kept in [("yours", done.kept_notebook), ("exercises", done.kept_progress), *asked]:
        print(f"{what:<13}" + (f"kept as {kept}" if kept else "there were none to keep"))
    print("Where it is still open in JupyterLab: File → Reload Notebook from Disk, before you type anything.")


app.command(epilog=authoring.BUILD)(authoring.build)
app.command(epilog=authoring.ANSWERS)(authoring.answers)
app.command(epilog=EXAMPLES)(compare)
app.command(epilog=search_commands.EXAMPLES)(search_commands.tune)


@app.command(epilog="Examples: labcourse yields · labcourse yields --data DIR --json")
def yields(
    data: Annotated[Path | None, typer.Option(help="A folder of sample files to search first.")] = None,
    as_json: Json = False,
) -> None:
    """Count the events of each sample, raw, preselected, and expected at 10 fb⁻¹ (data: counted)."""
    from labcourse import ntuple, samples, selection

    if data is not None:
        before = [os.environ["LABCOURSE_DATA"]] if os.environ.get("LABCOURSE_DATA") else []
        os.environ["LABCOURSE_DATA"] = os.pathsep.join([str(data.absolute()), *before])
    rows = []
    for name in samples.ALL:
        located = samples.locate(name)
        raw, selected, expected = 0, 0, 0.0
        for events in (chunk for path in located.paths for chunk in ntuple.iterate(path, sample=name)):
            passing = selection.is_flavour_allowed(events) & selection.is_neutral(events)
            raw, selected = raw + len(events), selected + int(passing.sum())
            expected += float(events["weight"].to_numpy("float64")[passing].sum())
        row = {"sample": name, "source": located.source, "raw": raw, "selected": selected}
        rows.append(row | {"expected": round(expected, 4)})
    print_rows(rows, "Four-lepton events", as_json=as_json)


@app.command(
    epilog="Examples: labcourse simulate --scale 1 --out ~/samples · labcourse simulate --scale 0.01 --samples llll "
    "--out few · labcourse simulate --scale 10 --out ~/many --cluster tcp://10.0.0.5:8786 · "
    "labcourse simulate --search azh --scale 10 --out ~/azh"
)
def simulate(
    scale: Annotated[
        float | None,
        typer.Option(
            help="Events relative to the official samples (1 makes about 940 000), or with --search to those of "
            "the bundle; the bundle's by default.",
            min=0.0001,
        ),
    ] = None,
    search: Annotated[
        str, typer.Option(help="Instead of the samples of the chapters, the events of a search: azh (A → Zh → ℓℓbb).")
    ] = "",
    samples: Annotated[str, typer.Option(help="Samples to make, separated by commas; all by default.")] = "",
    out: Annotated[Path | None, typer.Option(help="Folder to write to; data/ by default.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the generator.")] = 2024,
    workers: Annotated[int, typer.Option(help="Processes on this machine; 0 means one a core.", min=0)] = 0,
    cluster: Annotated[
        str, typer.Option(help="`local`, or the address of a Dask scheduler that you trust, such as tcp://HOST:8786.")
    ] = "local",
    keep_chunks: Annotated[
        bool, typer.Option("--keep-chunks", help="Keep what a later run of a larger scale can go on from.")
    ] = False,
) -> None:
    """Simulate samples with Pythia and a parametrised detector (needs the extra `simulate`).

    Killed or interrupted, the same command goes on where it was.
    """
    if search:
        search_commands.simulate_search(search, scale, samples, out, seed, workers, cluster, keep_chunks)
        return
    from labcourse import simulation

    scale = BUNDLE_SCALE if scale is None else scale
    if out is None and scale != BUNDLE_SCALE:
        raise BadInput(
            "Samples of another size would replace the bundled ones.",
            where=str(settings.data_folder()),
            next_step="Say where they should go: --out DIR.",
        )
    names = tuple(split_names(samples))
    manifest = simulation.simulate(
        out or settings.data_folder(),
        scale=scale,
        samples=names or None,
        seed=seed,
        workers=workers or None,
        address=cluster,
        keep_chunks=keep_chunks,
    )
    print(f"complete: {manifest}")


def _run(tasks: list[Task], workspace: str, *, folder: str = "solutions", save: bool = False) -> list[ChapterRun]:
    from labcourse.authoring import expected
    from labcourse.authoring import run as running
    from labcourse.authoring.display import RunProgress

    home = settings.home()
    with RunProgress(tasks, expected.read(home).get("seconds", {})) as progress:

        def on_chapter(result: ChapterRun, task: Task) -> None:
            if save and not result.error:
                running.save(task, home)
            progress.on_chapter(result, task)

        return running.run(
            tasks, home=home, workspace=workspace, folder=folder, on_cell=progress.on_cell, on_chapter=on_chapter
        )


def _show_results(results: list[ChapterRun], *, as_json: bool) -> None:
    from labcourse.authoring.display import as_rows, run_table

    if as_json:
        print_json(as_rows(results))
    else:
        print_wide(run_table(results))
    for result in results:
        if result.interrupted:
            whole = ", ".join(str(other.chapter) for other in results if not other.error)
            finished = f"; finished before: {whole}" if whole else ""
            print(f"labcourse: {result.error}{finished}", file=sys.stderr)
            raise typer.Exit(130)
        if result.error:
            print(f"labcourse: chapter {result.chapter} failed: {result.error}", file=sys.stderr)
    if not all(result.is_right for result in results):
        raise typer.Exit(1)
