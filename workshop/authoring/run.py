"""Run notebooks from top to bottom, each in a fresh kernel of this environment, and take their numbers.

Several run at once: each begins as soon as the chapters whose outputs it reads are done. That is also how the project,
which reads none and takes longest, begins first of all.
"""

from __future__ import annotations

import ast
import asyncio
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from labcourse import outputs
from labcourse.errors import BuildError, LabCourseError, MissingOutput
from workshop.authoring import build, expected, source
from workshop.authoring.tidy import MAX_BYTES, tidy

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_READERS = {"read_table", "read_model", "read_numbers"}
"""Methods of `labcourse.outputs.Chapter` whose first argument is the chapter that is read."""

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
        found: set[int] = set()
        try:
            trees = [ast.parse(cell.source) for cell in self.notebook.cells if cell.cell_type == "code"]
        except SyntaxError:
            return frozenset(range(1, self.chapter))
        for call in (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)):
            if isinstance(call.func, ast.Attribute) and call.func.attr in _READERS:
                chapter = call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else None
                if not isinstance(chapter, int):
                    return frozenset(range(1, self.chapter))
                found.add(chapter)
        return frozenset(found - {self.chapter})


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
    paths = source.files_of(home / "solutions", "*.ipynb", chapters, otherwise="Run `labcourse build`.")
    return [Task(source.number_of(path.stem), path.stem, build.load(path)) for path in paths]


def students(home: Path, chapters: Collection[int] = ()) -> list[Task]:
    """Return the students' notebooks with all exercises open, freshly built: not what somebody worked in."""
    return [
        Task(chapter.chapter, chapter.name, build.student_notebook(chapter))
        for chapter in source.read_all(home, chapters)
    ]


def needed_by(home: Path, chapters: Collection[int], workspace: str) -> tuple[list[int], list[int]]:
    """Return the other chapters whose outputs some chapters need, directly or not, and which of them a workspace lacks.

    Outputs that are damaged or outdated count as lacking.
    """
    inputs = {task.chapter: task.inputs for task in solutions(home)}
    needed: set[int] = set(chapters)
    while more := {number for chapter in needed for number in inputs.get(chapter, ())} - needed:
        needed |= more
    others, lacking = sorted(needed.difference(chapters)), []
    for number in others:
        try:
            outputs.read_numbers(number, workspace)
        except LabCourseError:
            lacking.append(number)
    return others, lacking


def lend(home: Path, chapters: Collection[int], outputs_folder: Path) -> None:
    """Copy what solutions have made to another folder of outputs, for students' chapters that need it.

    Raises
    ------
    MissingOutput
        If an earlier chapter's solution has not been run.
    """
    needed, missing = needed_by(home, chapters, "solutions")
    if missing:
        names = " ".join(map(str, missing))
        raise MissingOutput(
            f"Chapters need what the solutions of earlier ones make: {names}.",
            where=str(outputs.folder(missing[0], "solutions")),
            next_step=f"Give `labcourse run {names}` first, or run these chapters as well.",
        )
    for number in needed:
        made = outputs.folder(number, "solutions")
        shutil.copytree(made, outputs_folder / "notebooks" / made.name)


def run(
    tasks: Iterable[Task],
    *,
    home: Path,
    workspace: str,
    jobs: int = 1,
    on_cell: Callable[[Task], None] | None = None,
    on_chapter: Callable[[ChapterRun, Task], None] | None = None,
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
        Called after each cell (by several threads) and each chapter (by this one).

    Returns
    -------
    list of ChapterRun
        Those that were begun, in the order of ``tasks``.
    """
    tasks = list(tasks)
    bounds, waiting = expected.read(home)[expected.section()], list(tasks)
    results: dict[int, ChapterRun] = {}
    running: dict[Future[ChapterRun], Task] = {}
    kernels = _Kernels(home / "solutions", _environment(workspace, one_thread=jobs > 1), on_cell)
    with ThreadPoolExecutor(jobs) as pool:
        try:
            while waiting or running:
                has_failed = any(result.error for result in results.values())
                pending = {task.chapter for task in [*waiting, *running.values()]}
                ready = [task for task in waiting if not has_failed and not task.inputs & pending]
                for task in ready[: jobs - len(running)]:
                    waiting.remove(task)
                    running[pool.submit(_execute_and_compare, task, kernels, workspace, bounds)] = task
                if not running:
                    break
                # Half a second: Windows hears Ctrl-C only between two waits.
                for done in wait(running, timeout=0.5, return_when=FIRST_COMPLETED).done:
                    task, result = running.pop(done), done.result()
                    results[tasks.index(task)] = result
                    if on_chapter:
                        on_chapter(result, task)
        except BaseException as error:
            kernels.stop()
            if not isinstance(error, KeyboardInterrupt):
                raise
    results |= {tasks.index(task): done.result() for done, task in running.items()}
    return [results[position] for position in sorted(results)]


@dataclass
class _Kernels:
    """What all kernels of a run share, and how they are ended together."""

    cwd: Path
    environment: dict[str, str]
    on_cell: Callable[[Task], None] | None
    clients: list[Any] = field(default_factory=list)
    stopped: bool = False

    def stop(self) -> None:
        """End the kernels at once, with the processes that they have started."""
        self.stopped = True
        for client in list(self.clients):
            if client.km is not None and client.km.has_kernel:
                asyncio.run(client.km.provisioner.kill())


def _execute_and_compare(task: Task, kernels: _Kernels, workspace: str, bounds: Mapping[str, Any]) -> ChapterRun:
    before = _written(task, workspace)
    result = _execute(task, kernels)
    if not result.error:
        # Numbers that lie there from an earlier run are not this run's.
        is_new = _written(task, workspace) != before
        try:
            values = outputs.read_numbers(task.chapter, workspace) if is_new else {}
        except LabCourseError as error:
            result.error = str(error)
        else:
            result.numbers = expected.compare(values, bounds.get(str(task.chapter), {}))
    return result


def _execute(task: Task, kernels: _Kernels) -> ChapterRun:
    """Run one notebook in place; whatever goes wrong in it or its kernel becomes the result's ``error``."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellControlSignal

    result = ChapterRun(task.chapter, task.name)

    def begin(cell_index: int, **_: Any) -> None:
        result.cell = cell_index + 1
        if kernels.stopped:  # while this kernel was starting
            raise RuntimeError("stopped")

    def report(**_: Any) -> None:
        if kernels.on_cell:
            kernels.on_cell(task)

    client = NotebookClient(
        task.notebook,
        kernel_manager_class=kernel_manager_class(),
        timeout=1800,
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": str(kernels.cwd)}},
        on_cell_execute=begin,
        on_cell_executed=report,
    )
    kernels.clients.append(client)
    for cell in task.notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    started = time.perf_counter()
    try:
        # What the kernel's process itself writes to standard error is for Jupyter's developers.
        asyncio.run(client.async_execute(env=kernels.environment, stderr=subprocess.DEVNULL))
    except Exception as error:
        result.interrupted = kernels.stopped
        if not result.interrupted and not isinstance(error, (CellControlSignal, RuntimeError)):
            raise  # no fault of notebook or kernel
        result.error = _reason(result, task.notebook.cells[result.cell - 1], error)
    finally:
        kernels.clients.remove(client)
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


def _environment(workspace: str, *, one_thread: bool) -> dict[str, str]:
    # TensorFlow's log lines are for its developers; they would bury the messages that concern the reader. What a
    # notebook solves is nobody's progress.
    return {
        "TF_CPP_MIN_LOG_LEVEL": "3",
        **(_ONE_THREAD if one_thread else {}),
        **os.environ,
        "LABCOURSE_WORKSPACE": workspace,
        "LABCOURSE_PROGRESS": "off",
    }


def _reason(result: ChapterRun, cell: Any, error: Exception) -> str:
    """Return why a notebook was not run to its end, in the user's words; ``cell`` is the one that was begun last."""
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    if result.interrupted:
        return f"{result.name}: interrupted in cell {result.cell}; run this chapter again"
    if isinstance(error, CellExecutionError):
        lines = [line for line in _ANSI.sub("", str(error.evalue)).strip().splitlines() if line.strip()]
        message = "\n    ".join(lines[-6:])
        where = f"{result.name}, cell {result.cell} ({cell.source.strip().splitlines()[0]})"
        return f"{where}: {error.ename}: {message}"
    if isinstance(error, CellTimeoutError):
        return f"{result.name}: cell {result.cell} ran longer than half an hour"
    if isinstance(error, DeadKernelError):
        return (
            f"{result.name}: the kernel died in cell {result.cell}; "
            "often the memory was not enough: close other programs and run it again"
        )
    return f"{result.name}: no kernel could be started: {error}; `labcourse doctor` says more"
