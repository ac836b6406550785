"""What changes a student's workspace: outputs made by a solution, and starting a chapter over.

Nothing a student made is deleted or overwritten: it gets another name, ``….mine-<date>-<number>``, before anything
takes its place. So whatever refuses or is killed half-way, it can be found, and the same command completes the rest.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from course import outputs, workspaces
from course.checks.progress import progress_folder
from labcourse.errors import LabCourseError
from labcourse.files import alone_in
from workshop.authoring import build, source
from workshop.authoring.build import set_aside
from workshop.authoring.run import ChapterRun

WORKSPACE = "notebooks"


def solve(chapters: Iterable[int], run: Callable[[], list[ChapterRun]]) -> tuple[list[ChapterRun], dict[int, Path]]:
    """Let ``run`` make the outputs of chapters anew; those of a chapter that it does not finish come back.

    Returns
    -------
    results, kept
        What ``run`` returned, and where the earlier outputs of the finished chapters are kept, by chapter.

    Raises
    ------
    ChapterBusy
        If a kernel works on one of the chapters.
    StorageError
        If the outputs cannot be moved, or ``solve`` or ``reset`` is running already.
    """
    moved: dict[int, Path] = {}
    finished: set[int] = set()
    with alone_in(workspaces.outputs_folder() / WORKSPACE, "solve or reset"):
        try:
            for chapter in chapters:
                folder = _unused(chapter)
                if any(not path.name.startswith(".") for path in folder.iterdir()):
                    moved[chapter] = set_aside(folder)
            results = run()
            finished = {result.chapter for result in results if not result.error}
        finally:
            for chapter in moved.keys() - finished:
                try:
                    shutil.rmtree(folder := _unused(chapter))
                    os.rename(moved[chapter], folder)
                except (LabCourseError, OSError) as error:
                    where = f"your outputs of chapter {chapter} are kept in {moved[chapter]}"
                    print(f"labcourse: {where}: {error}", file=sys.stderr)
    return results, {chapter: kept for chapter, kept in moved.items() if chapter in finished}


def reset(home: Path, chapter: int) -> tuple[Path, Path | None, Path | None]:
    """Put a fresh notebook of a chapter in place and forget which of its exercises are solved.

    Returns
    -------
    notebook, kept_notebook, kept_progress
        The fresh notebook, and the names under which the student's own and the record of the exercises are kept, if
        there were any.

    Raises
    ------
    BuildError
        If there is no such chapter.
    ChapterBusy
        If a kernel works on the chapter.
    StorageError
        If the disk refuses, or ``solve`` or ``reset`` is running already.
    """
    (text,) = source.read_all(home, [chapter])
    fresh = build.text(build.student_notebook(text))
    notebook, progress = home / "notebooks" / f"{text.name}.ipynb", progress_folder(WORKSPACE) / str(chapter)
    with (
        alone_in(workspaces.outputs_folder() / WORKSPACE, "solve or reset"),
        outputs.Chapter(chapter, sources=(), workspace=WORKSPACE),  # no kernel works on it
    ):
        kept = set_aside(notebook) if notebook.is_file() and not build.holds(notebook, fresh) else None
        build.write(notebook, fresh)
        return notebook, kept, set_aside(progress) if progress.is_dir() else None


def _unused(chapter: int) -> Path:
    """Return the folder of a chapter's outputs, on which no kernel is at work; raises ChapterBusy."""
    # Given back at once: an open file would keep Windows from renaming its folder.
    with outputs.Chapter(chapter, sources=(), workspace=WORKSPACE) as held:
        return held.folder
