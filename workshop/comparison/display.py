"""The comparison in the terminal: a bar while it goes on, then what the caller asked for."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import track

from labcourse.errors import BadInput
from workshop.comparison import overview, page
from workshop.comparison.reference import read_reference
from workshop.comparison.sandbox import Limits, require_bubblewrap
from workshop.comparison.submissions import find
from workshop.comparison.survey import Survey, survey

__all__ = ["compare"]


def compare(
    path: Path,
    home: Path,
    *,
    html: Path | None = None,
    csv: Path | None = None,
    pages: Path | None = None,
    pattern: str = "",
    students: Path | None = None,
    chapters: Collection[int] = (),
    limits: Limits | None = None,
) -> Survey:
    """Compare the submissions in a folder with the course below ``home``, and write what is asked for.

    Parameters
    ----------
    path : Path
        A folder of submissions, or one notebook.
    home : Path
        The project's folder.
    html : Path, optional
        Where the report goes.
    csv : Path, optional
        Where the table of states and points goes.
    pages : Path, optional
        The folder for a page for each student.
    pattern, students : str, Path, optional
        Who is who (`submissions.find`).
    chapters : collection of int
        The chapters to compare; all by default.
    limits : Limits, optional
        Run the notebooks within these limits. Without them nothing is run.

    Raises
    ------
    BadInput
        If there are no submissions, or it is not clear whose they are, a file would replace one of another kind, or
        this machine has no sandbox.
    BuildError
        If the course's own files cannot be read.
    StorageError
        If something cannot be written.
    """
    for file, option, ends in ((html, "--html", (".html", ".htm")), (csv, "--csv", (".csv",))):
        if file and (file.suffix.lower() not in ends or file.is_dir()):
            raise BadInput(f"{file} is no name for a report.", where=option, next_step=f"Let it end with {ends[0]}.")
    if limits:
        require_bubblewrap()
    submitted = find(path, pattern, students)
    reference = read_reference(home, chapters)
    bar = partial(track, description="comparing", console=Console(stderr=True), transient=True)
    found = survey(submitted, reference, limits=limits, track=bar)
    if html:
        note = "Their notebooks were run again." if limits else "Nothing was run; verdicts are those in the notebooks."
        page.write(html, found, note)
    if csv:
        overview.write_csv(csv, found)
    if pages:
        page.write_pages(pages, found)
    return found
