"""What changes a student's workspace: outputs made by a solution, and starting a chapter over.

Nothing a student made is deleted or overwritten: it gets another name, ``….mine-<date>-<number>``, before anything
takes its place. So whatever refuses or is killed half-way, it can be found, and the same command completes the rest.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from course import outputs, workspaces
from course.checks.progress import progress_folder
from labcourse.errors import LabCourseError
from labcourse.files import alone_in
from workshop.authoring import build, source
from workshop.authoring.build import rename, set_aside
from workshop.authoring.run import Task

WORKSPACE, SCRATCH = "notebooks", "solve"
"""Where the outputs of students are, and where those of `solve` are made."""


def solve(
    chapters: Iterable[int], run: Callable[[Callable[[Task], None]], list[Task]]
) -> tuple[list[Task], dict[int, Path]]:
    """Let ``run`` make the outputs of chapters anew, beside the student's.

    It hands each chapter that it has run, in the workspace `SCRATCH`, to the function that it is given: by that the
    outputs of one that is finished take their place. What is not finished goes.

    Returns
    -------
    tasks, kept
        What ``run`` returned, and where the earlier outputs of the finished chapters are kept, by chapter.

    Raises
    ------
    ChapterBusy
        If a kernel works on one of the chapters.
    StorageError
        If the disk refuses, or ``solve`` or ``reset`` is running already.
    """
    kept: dict[int, Path] = {}
    scratch = workspaces.outputs_folder() / SCRATCH

    def adopt(task: Task) -> None:
        try:
            if not task.error:
                with outputs.Chapter(task.chapter, sources=(), workspace=WORKSPACE) as held:
                    if any(held.folder.iterdir()):
                        kept[task.chapter] = set_aside(held.folder)
                    else:
                        held.folder.rmdir()
                    rename(scratch / held.folder.name, held.folder)
        except LabCourseError as error:  # chapters that run at the same time do not end with it
            task.error = str(error)

    with alone_in(workspaces.outputs_folder() / WORKSPACE, "solve or reset"):
        for chapter in chapters:
            outputs.Chapter(chapter, sources=(), workspace=WORKSPACE).close()  # no kernel works on it
        shutil.rmtree(scratch, ignore_errors=True)  # of one that was killed
        try:
            return run(adopt), kept
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


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
