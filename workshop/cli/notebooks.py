"""``labcourse run · status · solve · reset · build``: notebooks, and where a student stands."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from course import workspaces
from labcourse import settings
from workshop.cli.printing import Chapters, Json, print_json, print_rows, print_wide

if TYPE_CHECKING:
    from workshop.authoring.run import ChapterRun, Task


def run(
    chapters: Chapters = None,
    save: Annotated[bool, typer.Option("--save", help="Keep the executed notebooks in solutions/.")] = False,
    student: Annotated[
        bool,
        typer.Option(
            "--student",
            help="Run the students' notebooks, all exercises open, on what the solutions made; keep nothing.",
        ),
    ] = False,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Notebooks at once; by default as many as cores and free memory allow.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Run the solution notebooks and compare their key numbers with the expected ones.

    Each begins as soon as the chapters that it reads are done, so several run at once. Exit status 1 if a chapter
    fails or a number is out of its bounds. With --save they are run in order.

    Examples: labcourse run · labcourse run 1 2 3 · labcourse run --jobs 1 --json
    """
    from workshop.authoring import build as building
    from workshop.authoring import expected
    from workshop.authoring import run as running

    home = settings.home()
    if student:
        os.environ["LABCOURSE_INPUTS"] = "solutions"
        try:
            results = _run(running.students(home, chapters or ()), "trial", jobs=jobs)
        finally:
            del os.environ["LABCOURSE_INPUTS"]
            shutil.rmtree(workspaces.outputs_folder() / "trial", ignore_errors=True)
        for result in results:
            result.numbers.clear()  # those of unsolved exercises say nothing
    else:
        if save and (
            os.environ.get("LABCOURSE_DATA") or expected.section() != "bundle" or not expected.is_encore_bundled()
        ):
            print("labcourse: nothing is saved, since these are not the bundled samples", file=sys.stderr)
            save = False
        if save:
            building.build(home, chapters or ())
            jobs = jobs or 1  # in order, so that what is kept shows the leaderboards of all chapters before
        results = _run(running.solutions(home, chapters or ()), "solutions", save=save, jobs=jobs)
        if expected.section() == "other":
            print("labcourse: neither the bundled nor the official samples: no number is expected", file=sys.stderr)
    _show_results(results, as_json=as_json)


def status(chapters: Chapters = None, as_json: Json = False) -> None:
    """Show which exercises are solved, answered in words, wrong and open, by chapter.

    Examples: labcourse status · labcourse status 3 · labcourse status --json
    """
    from course.checks import progress, registry, standing
    from workshop.authoring import source

    source.files_of(settings.home() / "course", ".py", chapters or (), otherwise=settings.get_back("course"))
    states = progress.read_states("notebooks")
    exercises = [e for e in registry.exercises().values() if not chapters or e.chapter in chapters]
    rows: list[dict[str, Any]] = [r for r in standing.by_chapter(states) if not chapters or r["chapter"] in chapters]
    print_rows(rows, "Exercises", as_json=as_json)
    unfinished = [e for e in exercises if states.get(e.number, "open") in ("wrong", "open")]
    if not as_json:
        done = f"{len(exercises) - len(unfinished)} of {len(exercises)} exercises are done"
        print(f"{done}; next: {unfinished[0].number}, {unfinished[0].title}" if unfinished else f"{done}.")


def solve(
    chapters: Annotated[list[int], typer.Argument(help="The chapters whose outputs you need.")], as_json: Json = False
) -> None:
    """Make the outputs of chapters with their solutions, so that you can go on with the next one.

    Earlier chapters that they read and whose outputs are missing are run too. Your notebooks are not touched, and
    outputs that you made yourself are kept under another name. Stopped half-way, everything is as it was before.

    Examples: labcourse solve 3, then go on with chapter 4 · labcourse solve 1 2 3
    """
    from workshop.authoring import run as running
    from workshop.authoring import workspace

    needed = sorted({*chapters, *running.lacking(settings.home(), chapters, "notebooks")})
    tasks = running.solutions(settings.home(), needed)
    results, kept = workspace.solve(needed, lambda: _run(tasks, "notebooks"))
    for number, folder in kept.items():
        print(f"labcourse: your own outputs of chapter {number} are kept in {folder}", file=sys.stderr)
    _show_results(results, as_json=as_json)


def reset(
    chapter: Annotated[int, typer.Argument(help="The chapter to start over.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Start a chapter over: a fresh notebook, all its exercises open.

    Your own notebook and the record of your exercises are kept under other names; its outputs stay.

    Examples: labcourse reset 3 · labcourse reset 3 --yes
    """
    from workshop.authoring import source, workspace

    source.read_all(settings.home(), [chapter])  # an unknown chapter is said before anything is asked
    print(
        f"Chapter {chapter} starts over; your notebook is kept under another name.\n"
        "If it is open in JupyterLab: save it now and shut its kernel down, so that nothing you typed is missing."
    )
    if not yes:
        typer.confirm("Go on?", abort=True)
    notebook, kept_notebook, kept_progress = workspace.reset(settings.home(), chapter)
    print(f"fresh        {notebook.relative_to(settings.home())}")
    for what, kept in [("yours", kept_notebook), ("exercises", kept_progress)]:
        print(f"{what:<13}" + (f"kept as {kept}" if kept else "there were none to keep"))
    print("Where it is still open in JupyterLab: File → Reload Notebook from Disk, before you type anything.")


def build(
    chapters: Chapters = None,
    nbgrader: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write a course tree for nbgrader to this folder instead.")
    ] = None,
) -> None:
    """Build notebooks/ and solutions/ from course/, or a course tree for nbgrader.

    Outputs of a solution are kept while its code is unchanged.

    Examples: labcourse build · labcourse build 3 · labcourse build 1 2 --nbgrader ~/class
    """
    from workshop.authoring import build as building
    from workshop.authoring import nbgrader as tree

    home = settings.home()
    if nbgrader is not None:
        results = tree.build_tree(home, nbgrader, chapters or ())
    else:
        results = building.build(home, chapters or ())
    for built in results:
        note = f"  ({built.note})" if built.note else ""
        print(f"{built.state:<10}{built.path.relative_to(nbgrader or home)}{note}")


def _run(tasks: list[Task], workspace: str, *, save: bool = False, jobs: int | None = None) -> list[ChapterRun]:
    from workshop.authoring import expected, machine
    from workshop.authoring import run as running
    from workshop.authoring.display import RunProgress

    home = settings.home()
    with (progress := RunProgress(tasks, expected.read(home).get("seconds", {}))):

        def on_chapter(result: ChapterRun, task: Task) -> None:
            if save and not result.error:
                running.save(task, home)
            progress.on_chapter(result, task)

        options: dict[str, Any] = {"on_cell": progress.on_cell, "on_chapter": on_chapter}
        return running.run(tasks, home=home, workspace=workspace, jobs=jobs or machine.jobs(), **options)


def _show_results(results: list[ChapterRun], *, as_json: bool) -> None:
    from workshop.authoring.display import as_rows, run_table

    if as_json:
        print_json(as_rows(results))
    else:
        print_wide(run_table(results))
    for result in results:
        text = result.error if result.interrupted else f"chapter {result.chapter} failed: {result.error}"
        if result.error:
            print(f"labcourse: {text}", file=sys.stderr)
    if any(result.interrupted for result in results):
        whole = ", ".join(str(result.chapter) for result in results if not result.error)
        print(f"labcourse: interrupted; finished before: {whole or 'none'}", file=sys.stderr)
        raise typer.Exit(130)
    if not all(result.is_right for result in results):
        raise typer.Exit(1)
