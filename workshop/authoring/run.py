"""Run notebooks from top to bottom, each in a fresh kernel of this environment, and take their numbers.

Several run at once: each begins as soon as the chapters whose outputs it reads are done. That is also how the project,
which reads none and takes longest, begins first of all.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from course import outputs
from labcourse.errors import BuildError, LabCourseError
from workshop.authoring import build, expected, source
from workshop.authoring.tidy import MAX_BYTES, tidy

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_READS = re.compile(r"\.read_(?:table|model|numbers)\(\s*(\w*)")
"""A call of a method of `course.outputs.Chapter` whose first argument is the chapter that is read."""

_ONE_THREAD = dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Task:
    """A notebook to run: chapter, name, and the notebook itself."""

    chapter: int
    name: str
    notebook: Any

    @property
    def cells(self) -> int:
        """Number of code cells that hold code."""
        return sum(cell.cell_type == "code" and bool(cell.source.strip()) for cell in self.notebook.cells)

    @cached_property
    def inputs(self) -> frozenset[int]:
        """The chapters whose outputs the code reads; all earlier ones where the code does not tell."""
        code = "\n".join(cell.source for cell in self.notebook.cells if cell.cell_type == "code")
        found = set(_READS.findall(code))
        if not all(chapter.isdigit() for chapter in found):
            return frozenset(range(1, self.chapter))
        return frozenset(map(int, found)) & frozenset(range(self.chapter))


@dataclass
class ChapterRun:
    """What came of a chapter: ``error`` is empty if it ran to its end, ``cell`` counts to the one begun last."""

    chapter: int
    name: str
    seconds: float = 0.0
    error: str = ""
    cell: int = 0
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
    paths = source.files_of(home / "solutions", ".ipynb", chapters, otherwise="Run `labcourse build`.")
    return [Task(number, path.stem, build.load(path)) for number, path in paths.items()]


def students(home: Path, chapters: Collection[int] = ()) -> list[Task]:
    """Return the students' notebooks with all exercises open, freshly built: not what somebody worked in."""
    return [Task(text.chapter, text.name, build.student_notebook(text)) for text in source.read_all(home, chapters)]


def lacking(home: Path, chapters: Collection[int], workspace: str) -> list[int]:
    """Return the other chapters whose outputs some chapters need, directly or not, and which a workspace lacks.

    Outputs that are damaged or outdated count as lacking.
    """
    inputs = {task.chapter: task.inputs for task in solutions(home)}
    needed: set[int] = set(chapters)
    while more := {number for chapter in needed for number in inputs.get(chapter, ())} - needed:
        needed |= more
    found = []
    for number in sorted(needed.difference(chapters)):
        try:
            outputs.read_numbers(number, workspace)
        except LabCourseError:
            found.append(number)
    return found


def run(
    tasks: Iterable[Task],
    *,
    home: Path,
    workspace: str,
    jobs: int = 1,
    on_cell: Callable[[Task], None] = lambda task: None,
    on_chapter: Callable[[ChapterRun, Task], None] = lambda result, task: None,
) -> list[ChapterRun]:
    """Run notebooks, several at once, and compare their numbers with the expected ones.

    After one that fails none begins any more: later chapters build on it. Ctrl-C ends all kernels.

    Parameters
    ----------
    tasks : iterable of Task
        Their notebooks are filled with outputs.
    home : Path
        The project's folder.
    workspace : str
        Where the chapters' outputs go.
    jobs : int
        Notebooks at once; of several each gets one thread of TensorFlow.
    on_cell, on_chapter : callable, optional
        Called after each cell and each chapter, by another thread.

    Returns
    -------
    list of ChapterRun
        Those that were begun, in the order of ``tasks``.
    """
    tasks, bounds = list(tasks), expected.read(home)[expected.section()]
    results, stopped = dict[int, ChapterRun](), threading.Event()
    # TensorFlow's log lines are for its developers; they would bury the messages that concern the reader. What a
    # notebook solves is nobody's progress.
    usual = {"TF_CPP_MIN_LOG_LEVEL": "3", **(_ONE_THREAD if jobs > 1 else {})}
    environment = usual | os.environ | {"LABCOURSE_WORKSPACE": workspace, "LABCOURSE_PROGRESS": "off"}

    async def run_all() -> None:
        free, begun = asyncio.Semaphore(jobs), dict[int, asyncio.Task[None]]()

        async def run_one(task: Task) -> None:
            await asyncio.gather(*(begun[chapter] for chapter in task.inputs if chapter in begun))
            async with free:
                if stopped.is_set() or any(result.error for result in results.values()):
                    return
                result = results[task.chapter] = ChapterRun(task.chapter, task.name)
                before = _written(task, workspace)
                await _execute(task, result, home / "solutions", environment, on_cell, stopped)
                if not result.error:
                    _compare(task, result, workspace, bounds.get(str(task.chapter), {}), before)
                on_chapter(result, task)

        begun |= {task.chapter: asyncio.create_task(run_one(task)) for task in tasks}
        await asyncio.gather(*begun.values())

    with ThreadPoolExecutor(1) as pool:  # in the main thread nbclient would take the signals
        work = pool.submit(asyncio.run, run_all())
        try:
            while not work.done():
                wait([work], timeout=0.5)  # Windows hears Ctrl-C only between two waits
        except KeyboardInterrupt:
            stopped.set()
        work.result()
    return [results[task.chapter] for task in tasks if task.chapter in results]


async def _execute(
    task: Task,
    result: ChapterRun,
    cwd: Path,
    environment: dict[str, str],
    on_cell: Callable[[Task], None],
    stopped: threading.Event,
) -> None:
    """Run one notebook in place; whatever goes wrong in it or its kernel becomes the result's ``error``."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellControlSignal

    def begin(cell_index: int, **_: Any) -> None:
        result.cell = cell_index + 1

    client = NotebookClient(
        task.notebook,
        kernel_manager_class=kernel_manager_class(),
        timeout=1800,
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": str(cwd)}},
        on_cell_execute=begin,
        on_cell_executed=lambda **_: on_cell(task),
    )
    for cell in task.notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    started = time.perf_counter()
    # What the kernel's process itself writes to standard error is for Jupyter's developers.
    execution = asyncio.ensure_future(client.async_execute(env=environment, stderr=subprocess.DEVNULL))
    while not (await asyncio.wait([execution], timeout=0.2))[0]:
        if stopped.is_set():
            client.shutdown_kernel = "immediate"  # with the processes that it has started
            execution.cancel()
    try:
        execution.result()
    except (Exception, asyncio.CancelledError) as error:
        result.interrupted = stopped.is_set()
        if not result.interrupted and not isinstance(error, (CellControlSignal, RuntimeError)):
            raise  # no fault of notebook or kernel
        result.error = _reason(result, task.notebook.cells[result.cell - 1], error)
    result.seconds = time.perf_counter() - started


def _written(task: Task, workspace: str) -> int:
    """Return when the chapter's numbers were written, in nanoseconds; 0 if never."""
    numbers = outputs.folder(task.chapter, workspace) / "numbers.json"
    return numbers.stat().st_mtime_ns if numbers.is_file() else 0


def _compare(task: Task, result: ChapterRun, workspace: str, bounds: Mapping[str, Any], before: int) -> None:
    """Compare the numbers that a run has written; those that lie there from an earlier one are not this one's."""
    try:
        values = outputs.read_numbers(task.chapter, workspace) if _written(task, workspace) != before else {}
        result.numbers = expected.compare(values, bounds)
    except LabCourseError as error:
        result.error = str(error)


def save(task: Task, home: Path) -> Path:
    """Keep an executed solution: tidied, written whole or not at all.

    Raises
    ------
    BuildError
        If it is too large to keep.
    """
    tidy(task.notebook)
    # The source decides about everything but the outputs.
    chapter = source.read(home / "course" / f"{task.name}.py")
    content = build.text(build.with_outputs(chapter, task.notebook))
    size = len(content.encode())
    if size > MAX_BYTES:
        raise BuildError(
            f"{task.name}.ipynb would be {size / 1000:.0f} kB; at most {MAX_BYTES / 1000:.0f} kB are kept.",
            where=f"course/{task.name}.py",
            next_step="Draw fewer or smaller figures, and print less.",
        )
    path = home / "solutions" / f"{task.name}.ipynb"
    build.write(path, content)
    return path


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


def _reason(result: ChapterRun, cell: Any, error: BaseException) -> str:
    """Return why a notebook was not run to its end, in the user's words; ``cell`` is the one that was begun last."""
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    if result.interrupted:
        return f"{result.name}: interrupted in cell {result.cell}; run this chapter again"
    if isinstance(error, CellExecutionError):
        lines = [line for line in _ANSI.sub("", str(error.evalue)).strip().splitlines() if line.strip()]
        first, message = cell.source.strip().splitlines()[0], "\n    ".join(lines[-6:])
        return f"{result.name}, cell {result.cell} ({first}): {error.ename}: {message}"
    if isinstance(error, CellTimeoutError):
        return f"{result.name}: cell {result.cell} ran longer than half an hour"
    if isinstance(error, DeadKernelError):
        mend = "often the memory was not enough: close other programs and run it again"
        return f"{result.name}: the kernel died in cell {result.cell}; {mend}"
    return f"{result.name}: no kernel could be started: {error}; `labcourse doctor` says more"
