"""Run notebooks from top to bottom, each in a fresh kernel of this environment, and take their numbers."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labcourse import outputs
from labcourse.errors import BuildError, LabCourseError, MissingOutput
from labcourse.files import write_notebook
from workshop.authoring import build, expected, source
from workshop.authoring.tidy import MAX_BYTES, tidy

__all__ = [
    "ChapterRun",
    "Task",
    "execute",
    "kernel_manager_class",
    "lend",
    "needed_by",
    "run",
    "save",
    "solutions",
    "students",
]

_ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Task:
    """A notebook to run: chapter (0 outside the chapters), name, and the notebook itself."""

    chapter: int
    name: str
    notebook: Any

    @property
    def cells(self) -> int:
        """Number of code cells that hold code."""
        return sum(cell.cell_type == "code" and bool(cell.source.strip()) for cell in self.notebook.cells)


@dataclass
class ChapterRun:
    """What came of a chapter: ``error`` is empty if it ran to its end."""

    chapter: int
    name: str
    seconds: float = 0.0
    error: str = ""
    interrupted: bool = False
    numbers: list[expected.Number] = field(default_factory=list)

    @property
    def is_right(self) -> bool:
        """Whether it ran to its end and all its numbers are within their bounds."""
        return not self.error and all(number.is_right for number in self.numbers)


def solutions(home: Path, chapters: Collection[int] = ()) -> list[Task]:
    """Return the solution notebooks of some chapters (all of them by default), in order.

    Raises
    ------
    BuildError
        If there is no such chapter, or none at all, or a notebook cannot be read.
    """
    folder, otherwise = home / "solutions", "Run `labcourse build`."
    tasks = [
        Task(number, path.stem, build.load(path))
        for path in source.files_of(folder, "*.ipynb", chapters, otherwise=otherwise)
        if (number := source.number_of(path.stem)) is not None
    ]
    if not tasks:
        raise BuildError("There are no solution notebooks.", where=str(folder), next_step=otherwise)
    return tasks


def students(home: Path, chapters: Collection[int] = ()) -> list[Task]:
    """Return the students' notebooks with all exercises open, freshly built: not what somebody worked in."""
    return [
        Task(chapter.chapter, chapter.name, build.student_notebook(chapter))
        for chapter in source.read_all(home, chapters)
        if chapter.chapter is not None
    ]


def needed_by(chapter: int, workspace: str) -> list[int]:
    """Return the earlier chapters whose outputs a workspace lacks, or holds only damaged or outdated."""
    missing: list[int] = []
    for number in range(1, chapter if chapter != source.PROJECT else 1):
        try:
            outputs.read_numbers(number, workspace)
        except LabCourseError:
            missing.append(number)
    return missing


def lend(chapters: Collection[int], outputs_folder: Path) -> None:
    """Copy what solutions have made to another folder of outputs, for students' chapters whose earlier ones do not run.

    Raises
    ------
    MissingOutput
        If an earlier chapter's solution has not been run.
    """
    last = max((chapter for chapter in chapters if chapter != source.PROJECT), default=0)
    if missing := sorted(set(needed_by(last, "solutions")).difference(chapters)):
        names = " ".join(map(str, missing))
        raise MissingOutput(
            f"Chapter {last} needs what the solutions of the chapters before it make: {names}.",
            where=str(outputs.folder(missing[0], "solutions")),
            next_step=f"Give `labcourse run {names}` first, or run these chapters as well.",
        )
    for number in set(range(1, last)).difference(chapters):
        made = outputs.folder(number, "solutions")
        shutil.copytree(made, outputs_folder / "notebooks" / made.name)


def run(
    tasks: Iterable[Task],
    *,
    home: Path,
    workspace: str,
    folder: str = "solutions",
    on_cell: Callable[[Task], None] | None = None,
    on_chapter: Callable[[ChapterRun, Task], None] | None = None,
) -> list[ChapterRun]:
    """Run notebooks one after the other and compare their numbers with the expected ones.

    The first one that fails ends the run: later chapters build on it.

    Parameters
    ----------
    tasks : iterable of Task
        Their notebooks are filled with outputs.
    home : Path
        The project's folder.
    workspace : str
        Where the chapters' outputs go.
    folder : str
        Folder below ``home`` in which the kernels work.
    on_cell, on_chapter : callable, optional
        Called after each cell and each chapter.

    Returns
    -------
    list of ChapterRun
        Those that were run, the failed one last.
    """
    bounds = expected.read(home)[expected.section()]
    results = []
    for task in tasks:
        before = _written(task, workspace)
        result = execute(task, cwd=home / folder, workspace=workspace, on_cell=on_cell)
        if not result.error:
            # Numbers that lie there from an earlier run are not this run's.
            is_new = _written(task, workspace) != before
            try:
                values = outputs.read_numbers(task.chapter, workspace) if is_new else {}
            except LabCourseError as error:
                result.error = str(error)
            else:
                result.numbers = expected.compare(values, bounds.get(str(task.chapter), {}))
        results.append(result)
        if on_chapter:
            on_chapter(result, task)
        if result.error:
            break
    return results


def execute(task: Task, *, cwd: Path, workspace: str, on_cell: Callable[[Task], None] | None = None) -> ChapterRun:
    """Run one notebook in place, in a fresh kernel of this environment.

    Whatever goes wrong in the notebook or its kernel becomes the result's ``error``, Ctrl-C as well. Its checks
    note no progress: what runs here is nobody's work.
    """
    from nbclient import NotebookClient

    def report(**_: Any) -> None:
        if on_cell:
            on_cell(task)

    client = NotebookClient(
        task.notebook,
        kernel_manager_class=kernel_manager_class(),
        timeout=1800,
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": str(cwd)}},
        on_cell_executed=report,
    )
    for cell in task.notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    result = ChapterRun(task.chapter, task.name)
    started = time.perf_counter()
    try:
        # What the kernel's process itself writes to standard error is for Jupyter's developers.
        client.execute(env=_environment(workspace), stderr=subprocess.DEVNULL)
    except (Exception, KeyboardInterrupt) as error:
        # nbclient answers Ctrl-C by ending its kernel, and then stumbles over that in one way or another.
        stopped = getattr(client, "_async_cleanup_kernel_future", None) is not None
        result.interrupted = stopped or isinstance(error, KeyboardInterrupt)
        result.error = _reason(task, error, interrupted=result.interrupted)
        if not result.error:
            raise
    result.seconds = time.perf_counter() - started
    return result


def save(task: Task, home: Path) -> Path:
    """Keep an executed solution: tidied, written whole or not at all.

    Raises
    ------
    BuildError
        If it is too large to keep.
    """
    tidy(task.notebook)
    # The source decides about everything but the outputs.
    chapter = source.read(home / "course" / "chapters" / f"{task.name}.py")
    content = build.text(build.with_outputs(chapter, task.notebook))
    size = len(content.encode())
    if size > MAX_BYTES:
        raise BuildError(
            f"{task.name}.ipynb would be {size / 1000:.0f} kB; at most {MAX_BYTES / 1000:.0f} kB are kept.",
            where=f"course/chapters/{task.name}.py",
            next_step="Draw fewer or smaller figures, and print less.",
        )
    path = home / "solutions" / f"{task.name}.ipynb"
    write_notebook(path, content)
    return path


def _written(task: Task, workspace: str) -> int:
    """Return when the chapter's numbers were written, in nanoseconds; 0 if never."""
    numbers = outputs.folder(task.chapter, workspace) / "numbers.json"
    return numbers.stat().st_mtime_ns if numbers.is_file() else 0


def kernel_manager_class() -> Any:
    """Return a manager whose kernel is this Python, whatever kernels the user has installed."""
    from ipykernel.kernelspec import RESOURCES, get_kernel_dict
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager

    class ThisEnvironment(AsyncKernelManager):
        @property
        def kernel_spec(self) -> KernelSpec:
            return KernelSpec(resource_dir=RESOURCES, **get_kernel_dict())

    return ThisEnvironment


def _environment(workspace: str) -> dict[str, str]:
    # TensorFlow's log lines are for its developers; they would bury the messages that concern the reader.
    return {
        "TF_CPP_MIN_LOG_LEVEL": "3",
        **os.environ,
        "LABCOURSE_WORKSPACE": workspace,
        "LABCOURSE_PROGRESS": "off",
    }


def _reason(task: Task, error: BaseException, *, interrupted: bool) -> str:
    """Return why a notebook was not run to its end; an empty text if that is no fault of notebook or kernel."""
    from nbclient.exceptions import CellControlSignal, CellExecutionError, CellTimeoutError, DeadKernelError

    if interrupted:
        return f"{task.name}: interrupted in cell {_last_started(task)}; run this chapter again"
    if isinstance(error, CellExecutionError):
        return _explain(task, error)
    if isinstance(error, (CellTimeoutError, CellControlSignal)):
        return f"{task.name}: a cell ran longer than half an hour: {error}"
    if isinstance(error, DeadKernelError):
        return (
            f"{task.name}: the kernel died in cell {_last_started(task)}; "
            "often the memory was not enough: close other programs and run it again"
        )
    if isinstance(error, RuntimeError):
        return f"{task.name}: no kernel could be started: {error}; `labcourse doctor` says more"
    return ""


def _explain(task: Task, error: Any) -> str:
    lines = [line for line in _ANSI.sub("", str(error.evalue)).strip().splitlines() if line.strip()]
    message = "\n    ".join(lines[-6:])
    cell = next(
        (
            i
            for i, cell in enumerate(task.notebook.cells, 1)
            if any(output.output_type == "error" for output in cell.get("outputs", ()))
        ),
        0,
    )
    first_line = task.notebook.cells[cell - 1].source.strip().splitlines()[:1] if cell else []
    where = f"{task.name}, cell {cell}" + (f" ({first_line[0]})" if first_line else "")
    return f"{where}: {error.ename}: {message}"


def _last_started(task: Task) -> int:
    """Return the number of the first code cell that was not finished, counting all cells from one."""
    for number, cell in enumerate(task.notebook.cells, 1):
        if cell.cell_type == "code" and cell.source.strip() and cell.execution_count is None:
            return number
    return len(task.notebook.cells)
