"""``labcourse run · status · solve · reset · build``: notebooks, and where a student stands."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from course import workspaces
from labcourse import settings
from workshop.cli.printing import Chapters, Json, print_rows

if TYPE_CHECKING:
    from workshop.authoring.run import Task


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
        try:
            tasks = _run(running.students(home, chapters or ()), "trial", inputs="solutions", jobs=jobs)
        finally:
            shutil.rmtree(workspaces.outputs_folder() / "trial", ignore_errors=True)
    else:
        if save and (
            os.environ.get("LABCOURSE_DATA") or expected.section() != "bundle" or not expected.is_encore_bundled()
        ):
            print("labcourse: nothing is saved, since these are not the bundled samples", file=sys.stderr)
            save = False
        if save:
            building.build(home, chapters or ())
            jobs = jobs or 1  # in order, so that what is kept shows the leaderboards of all chapters before
        tasks = _run(running.solutions(home, chapters or ()), "solutions", jobs=jobs)
        for task in tasks if save else ():
            if not task.error:
                running.save(task, home)
        if expected.section() == "other":
            print("labcourse: neither the bundled nor the official samples: no number is expected", file=sys.stderr)
    _show(tasks, as_json=as_json)


def status(chapters: Chapters = None, as_json: Json = False) -> None:
    """Show which exercises are solved, answered in words, wrong and open, by chapter.

    Examples: labcourse status · labcourse status 3 · labcourse status --json
    """
    from course.checks import progress, registry
    from workshop.authoring import source

    there = source.files_of(settings.home() / "course", ".py", chapters or (), otherwise=settings.get_back("course"))
    states = progress.read_states("notebooks")
    exercises = [exercise for exercise in registry.exercises().values() if exercise.chapter in there]
    rows: list[dict[str, Any]] = [row for row in progress.by_chapter(states) if row["chapter"] in there]
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
    outputs that you made yourself are kept under another name. Stopped half-way, what it has not finished is as it was.

    Examples: labcourse solve 3, then go on with chapter 4 · labcourse solve 1 2 3
    """
    from workshop.authoring import run as running
    from workshop.authoring import workspace

    needed = sorted({*chapters, *running.lacking(settings.home(), chapters, "notebooks")})
    solutions = running.solutions(settings.home(), needed)
    tasks, kept = workspace.solve(
        needed,
        lambda adopt: _run(solutions, workspace.SCRATCH, inputs=workspace.WORKSPACE, on_chapter=adopt),
    )
    for number, folder in kept.items():
        print(f"labcourse: your own outputs of chapter {number} are kept in {folder}", file=sys.stderr)
    _show(tasks, as_json=as_json)


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


def _run(
    tasks: list[Task], workspace: str, *, on_chapter: Callable[[Task], None] = lambda task: None, **options: Any
) -> list[Task]:
    """Run notebooks and show how far they are; see `workshop.authoring.run.run`."""
    from workshop.authoring import expected, machine
    from workshop.authoring import run as running
    from workshop.authoring.display import RunProgress

    home = settings.home()
    options["jobs"] = options.get("jobs") or machine.jobs()
    with (progress := RunProgress(tasks, expected.read(home).get("seconds", {}))):

        def finish(task: Task) -> None:
            on_chapter(task)
            progress.on_chapter(task)

        return running.run(
            tasks, home=home, workspace=workspace, on_cell=progress.on_cell, on_chapter=finish, **options
        )


def _show(tasks: list[Task], *, as_json: bool) -> None:
    """Print what came of some runs; the command fails if a chapter has, or if a number is out of its bounds."""
    from workshop.authoring import display

    print_rows(display.rows(tasks), "Key numbers", as_json=as_json)
    for task in tasks:
        if task.error:
            print(f"labcourse: chapter {task.chapter} failed: {task.error}", file=sys.stderr)
    if not all(task.is_right for task in tasks):
        raise typer.Exit(1)
