"""``labcourse run · status · solve · reset``: notebooks run from the command line, and where a student stands."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from labcourse import settings
from workshop.cli.printing import Chapters, Json, print_json, print_rows, print_wide

if TYPE_CHECKING:
    from workshop.authoring.run import ChapterRun, Task

EXAMPLES = {
    "run": "Examples: labcourse run · labcourse run 1 2 3 · labcourse run --jobs 1 --json",
    "status": "Examples: labcourse status · labcourse status 3 --all · labcourse status --json",
    "solve": "Examples: labcourse solve 3, then go on with chapter 4 · labcourse solve 1 2 3",
    "reset": "Examples: labcourse reset 3 · labcourse reset 3 --yes",
}


def run(
    chapters: Chapters = None,
    save: Annotated[bool, typer.Option("--save", help="Keep the executed notebooks in solutions/.")] = False,
    student: Annotated[
        bool, typer.Option("--student", help="Run the students' notebooks, all exercises open, and keep nothing.")
    ] = False,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Notebooks at once; by default as many as cores and free memory allow.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Run the solution notebooks and compare their key numbers with the expected ones.

    Each begins as soon as the chapters that it reads are done, so several run at once. Exit status 1 if a chapter
    fails or a number is out of its bounds.
    """
    from workshop.authoring import build as building
    from workshop.authoring import expected
    from workshop.authoring import run as running

    home = settings.home()
    if student:
        with tempfile.TemporaryDirectory() as scratch:
            tasks = running.students(home, chapters or ())
            running.lend(home, [task.chapter for task in tasks], Path(scratch))
            os.environ["LABCOURSE_OUTPUTS"] = scratch
            results = _run(tasks, "notebooks", jobs=jobs)
        for result in results:
            result.numbers.clear()  # those of unsolved exercises say nothing
    else:
        if save and (os.environ.get("LABCOURSE_DATA") or expected.section() != "bundle"):
            print("labcourse: nothing is saved, since these are not the bundled samples", file=sys.stderr)
            save = False
        if save:
            building.build(home, chapters or ())
        results = _run(running.solutions(home, chapters or ()), "solutions", save=save, jobs=jobs)
        if expected.section() == "other":
            print("labcourse: neither the bundled nor the official samples: no number is expected", file=sys.stderr)
    _show_results(results, as_json=as_json)


def status(
    chapters: Chapters = None,
    every: Annotated[bool, typer.Option("--all", help="A row for each exercise.")] = False,
    as_json: Json = False,
) -> None:
    """Show which exercises are solved, answered in words, wrong and open, by chapter."""
    from course.checks import progress, registry, standing
    from workshop.authoring import source

    texts = settings.home() / "course"
    source.files_of(texts, "*.py", chapters or (), otherwise=settings.get_back("course"))
    states = progress.read_states("notebooks")
    exercises = [e for e in registry.exercises().values() if not chapters or e.chapter in chapters]
    rows: list[dict[str, Any]] = [r for r in standing.by_chapter(states) if not chapters or r["chapter"] in chapters]
    if every:
        rows = [
            {
                "chapter": exercise.chapter,
                "exercise": exercise.number,
                "title": exercise.title,
                "kind": exercise.kind,
                "state": states.get(exercise.number, "open"),
            }
            for exercise in exercises
        ]
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
    """
    from workshop.authoring import run as running
    from workshop.authoring import workspace

    _, lacking = running.needed_by(settings.home(), chapters, "notebooks")
    needed = sorted({*chapters, *lacking})
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
    """
    from workshop.authoring import source, workspace

    source.read_all(settings.home(), [chapter])  # an unknown chapter is said before anything is asked
    print(
        f"Chapter {chapter} starts over; your notebook is kept under another name.\n"
        "If it is open in JupyterLab: save it now and shut its kernel down, so that nothing you typed is missing."
    )
    if not yes:
        typer.confirm("Go on?", abort=True)
    done = workspace.reset(settings.home(), chapter)
    print(f"fresh        {done.notebook.relative_to(settings.home())}")
    for what, kept in [("yours", done.kept_notebook), ("exercises", done.kept_progress)]:
        print(f"{what:<13}" + (f"kept as {kept}" if kept else "there were none to keep"))
    print("Where it is still open in JupyterLab: File → Reload Notebook from Disk, before you type anything.")


def _run(tasks: list[Task], workspace: str, *, save: bool = False, jobs: int | None = None) -> list[ChapterRun]:
    from workshop.authoring import expected, machine
    from workshop.authoring import run as running
    from workshop.authoring.display import RunProgress

    home = settings.home()
    with RunProgress(tasks, expected.read(home).get("seconds", {})) as progress:

        def on_chapter(result: ChapterRun, task: Task) -> None:
            if save and not result.error:
                running.save(task, home)
            progress.on_chapter(result, task)

        return running.run(
            tasks,
            home=home,
            workspace=workspace,
            jobs=jobs or machine.jobs(),
            on_cell=progress.on_cell,
            on_chapter=on_chapter,
        )


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
