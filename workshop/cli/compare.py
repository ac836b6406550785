"""``labcourse compare``: a class's notebooks beside the solutions."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from labcourse import settings
from labcourse.errors import BadInput
from labcourse.files import atomic_write
from workshop.cli.printing import Json, print_rows


def compare(
    submissions: Annotated[
        Path, typer.Argument(help="A folder with a folder for each student, or one student's, or one notebook.")
    ],
    html: Annotated[Path | None, typer.Option(help="Write the report for the class to this file.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write states and points of all exercises to this file.")] = None,
    pattern: Annotated[
        str, typer.Option(help="Where the student's name stands in a folder's or file's name, such as '{student}_*'.")
    ] = "",
    execute: Annotated[
        bool, typer.Option("--execute", help="Run the notebooks, in a sandbox with limits (Linux, bubblewrap).")
    ] = False,
    as_json: Json = False,
) -> None:
    """Compare students' notebooks with the solutions: what is solved, open or wrong, and what does not fit.

    Nothing of theirs is run unless you say --execute: states are read from the outputs of the checks.
    The report of --html adds doubts, answers, and what the class fails at; --csv is for spreadsheets.

    Examples: labcourse compare class/ --html report.html · labcourse compare anna/chapter3_evaluation.ipynb ·
    labcourse compare class/ --csv points.csv · labcourse compare anna/ --execute
    """
    from rich.console import Console
    from rich.progress import track

    from workshop.comparison import report
    from workshop.comparison.reference import read_reference
    from workshop.comparison.sandbox import require_bubblewrap
    from workshop.comparison.submissions import find
    from workshop.comparison.survey import survey

    for file, option, ends in ((html, "--html", (".html", ".htm")), (csv, "--csv", (".csv",))):
        if file and (file.suffix.lower() not in ends or file.is_dir()):
            raise BadInput(f"{file} is no name for a report.", where=option, next_step=f"Let it end with {ends[0]}.")
    if execute:
        require_bubblewrap()
    found = survey(
        find(submissions, pattern),
        read_reference(settings.home()),
        run=execute,
        track=partial(track, description="comparing", console=Console(stderr=True), transient=True),
    )
    if html:
        how = "Their notebooks were run again." if execute else "Nothing was run; verdicts are those in the notebooks."
        atomic_write(html, partial(Path.write_bytes, data=report.render(found, how).encode()))
    if csv:
        report.write_csv(csv, found)
    for student in found.students:
        for name, what in student.problems:
            print(f"labcourse: {student.name}: {name}: {what}", file=sys.stderr)
    print_rows(found.rows() if as_json else found.summary(), "", as_json=as_json)
    if not as_json:
        print(f"The report is in {html}." if html else "More is in the report: --html FILE.")
        print(f"The table is in {csv}.\n" if csv else "", end="")
