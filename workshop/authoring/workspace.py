"""What changes a student's workspace: outputs made by a solution, and starting a chapter over.

Nothing a student made is ever deleted or overwritten: it is moved to another name, ``….mine-<date>-<number>``, in
steps of which each leaves everything findable. What fails or is interrupted is undone; what is killed half-way
is completed by doing it again.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from course.checks.progress import progress_folder
from labcourse import locks, outputs, settings
from labcourse.errors import ChapterBusy, LabCourseError
from labcourse.files import keep, set_aside, write_notebook
from workshop.authoring import build, source
from workshop.authoring.run import ChapterRun

__all__ = ["Reset", "reset", "solve"]

WORKSPACE = "notebooks"


@dataclass
class Reset:
    """What was done: the fresh notebook, and the names under which the student's things are kept, if there were any."""

    notebook: Path
    kept_notebook: Path | None = None
    kept_progress: Path | None = None
    kept_outputs: Path | None = None


def solve(chapters: Iterable[int], run: Callable[[], list[ChapterRun]]) -> tuple[list[ChapterRun], dict[int, Path]]:
    """Let ``run`` make the outputs of chapters anew; those of a chapter that it does not finish come back.

    Returns
    -------
    results, kept
        What ``run`` returned, and where the earlier outputs of the finished chapters are kept, by chapter.

    Raises
    ------
    ChapterBusy
        If a kernel works on one of the chapters, or ``solve`` or ``reset`` is running already.
    StorageError
        If the outputs cannot be moved.
    """
    moved: dict[int, Path] = {}
    finished: set[int] = set()
    with _alone():
        try:
            for chapter in chapters:
                if kept := _set_outputs_aside(chapter):
                    moved[chapter] = kept
            results = run()
            finished = {result.chapter for result in results if not result.error}
        finally:
            for chapter, kept in moved.items():
                if chapter not in finished:
                    _put_back(chapter, kept)
    return results, {chapter: kept for chapter, kept in moved.items() if chapter in finished}


def reset(home: Path, chapter: int, *, with_outputs: bool = False) -> Reset:
    """Put a fresh notebook of a chapter in place and forget which of its exercises are solved.

    The student's notebook and the record of the exercises (and the outputs, if asked for) are kept under other names.

    Raises
    ------
    BuildError
        If there is no such chapter.
    ChapterBusy
        If a kernel works on the chapter, or ``solve`` or ``reset`` is running already.
    StorageError
        If the disk refuses: then everything is as it was.
    """
    (text,) = source.read_all(home, [chapter])
    fresh = build.text(build.student_notebook(text))
    done = Reset(home / "notebooks" / f"{text.name}.ipynb")
    with _alone():
        folder = _lock(chapter)
        try:
            # First what needs space on the disk; the rest only changes names.
            if done.notebook.is_file() and not build.holds(done.notebook, fresh):
                done.kept_notebook = keep(done.notebook)
            if done.kept_notebook or not done.notebook.is_file():
                write_notebook(done.notebook, fresh)
            progress = progress_folder(WORKSPACE) / str(chapter)
            if progress.is_dir():
                done.kept_progress = set_aside(progress)
            if with_outputs:
                done.kept_outputs = _set_outputs_aside(chapter)
        except BaseException:
            _undo(done, chapter)
            raise
        finally:
            locks.release(folder)
    return done


def _undo(done: Reset, chapter: int) -> None:
    """Put back what is kept; what even that cannot stays findable under its other name."""
    with suppress(OSError):
        if done.kept_progress:
            os.rename(done.kept_progress, progress_folder(WORKSPACE) / str(chapter))
    with suppress(OSError):
        if done.kept_outputs:
            os.rename(done.kept_outputs, outputs.folder(chapter, WORKSPACE))
    with suppress(OSError):
        if done.kept_notebook and done.kept_notebook.samefile(done.notebook):
            done.kept_notebook.unlink()
        elif done.kept_notebook:
            os.replace(done.kept_notebook, done.notebook)


@contextmanager
def _alone() -> Iterator[None]:
    """Hold the workspace for one `solve` or `reset`."""
    folder = settings.outputs_folder() / WORKSPACE
    try:
        locks.acquire(folder, "the workspace")
    except ChapterBusy as error:
        raise ChapterBusy(
            "`labcourse solve` or `labcourse reset` is running already.",
            where=str(folder),
            next_step="Wait until it has finished.",
        ) from error
    try:
        yield
    finally:
        locks.release(folder)


def _lock(chapter: int) -> Path:
    folder = outputs.folder(chapter, WORKSPACE)
    try:
        locks.acquire(folder, f"chapter {chapter} ({WORKSPACE})")
    except ChapterBusy as error:
        raise ChapterBusy(
            error.what,
            where=error.where,
            next_step="Save the notebook and shut its kernel down (in JupyterLab: Running Terminals and Kernels), "
            "then give this command again.",
        ) from error
    return folder


def _set_outputs_aside(chapter: int) -> Path | None:
    """Move the outputs of a chapter to another name, if there are any and no kernel is at work on them."""
    folder = _lock(chapter)
    # Released before: an open file would keep Windows from renaming its folder.
    locks.release(folder)
    if not any(not path.name.startswith(".") for path in folder.iterdir()):
        return None
    return set_aside(folder)


def _put_back(chapter: int, kept: Path) -> None:
    """Put outputs back in the place of half-made ones; say where they are if that cannot be done."""
    try:
        folder = _lock(chapter)
        locks.release(folder)
        shutil.rmtree(folder)
        os.rename(kept, folder)
    except (LabCourseError, OSError) as error:
        print(f"labcourse: your outputs of chapter {chapter} are kept in {kept}: {error}", file=sys.stderr)
