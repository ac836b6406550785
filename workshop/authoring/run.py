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
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from course import outputs
from course.outputs import MissingOutput
from labcourse.errors import LabCourseError
from workshop.authoring import build, expected, source
from workshop.authoring.tidy import tidy

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_READS = re.compile(r"\.read_(?:table|model|numbers)\(\s*(\d+)")
"""A call of a method of `course.outputs.Chapter` whose first argument is the chapter that is read."""

_ONE_THREAD = dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"), "1")


@dataclass(eq=False)
class Task:
    """A notebook to run, and what came of it: ``error`` is empty if it ran to its end.

    ``cell`` counts to the cell that was begun last.
    """

    chapter: int
    name: str
    notebook: Any
    seconds: float = 0.0
    error: str = ""
    cell: int = 0
    numbers: list[expected.Number] = field(default_factory=list)

    @property
    def part(self) -> float:
        """The part of its cells that was run."""
        return 1.0 if self.seconds else self.cell / len(self.notebook.cells)

    @cached_property
    def inputs(self) -> frozenset[int]:
        """The chapters whose outputs the code reads."""
        code = "\n".join(cell.source for cell in self.notebook.cells if cell.cell_type == "code")
        return frozenset(map(int, _READS.findall(code))) & frozenset(range(self.chapter))

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
    inputs: str = "",
    jobs: int = 1,
    on_cell: Callable[[Task], None] = lambda task: None,
    on_chapter: Callable[[Task], None] = lambda task: None,
) -> list[Task]:
    """Run notebooks, several at once, and compare their numbers with the expected ones.

    After one that fails none begins any more: later chapters build on it.

    Parameters
    ----------
    tasks : iterable of Task
        Their notebooks are filled with outputs.
    home : Path
        The project's folder.
    workspace, inputs : str
        Where the chapters' outputs go, and where they read those of earlier ones, by default the same.
    jobs : int
        Notebooks at once; of several each gets one thread of TensorFlow. One at a time go in order.
    on_cell, on_chapter : callable, optional
        Called after each cell, and after each chapter, before one that reads it begins; by another thread.

    Returns
    -------
    list of Task
        Those that were begun, in the order of ``tasks``.

    Raises
    ------
    KeyboardInterrupt
        At Ctrl-C, which ends all kernels.
    """
    tasks, bounds = list(tasks), expected.read(home)[expected.section()]
    started, stopped = list[Task](), threading.Event()
    # TensorFlow's log lines are for its developers; they would bury the messages that concern the reader. What a
    # notebook solves is nobody's progress.
    usual = {"TF_CPP_MIN_LOG_LEVEL": "3", **(_ONE_THREAD if jobs > 1 else {})}
    places = {"LABCOURSE_WORKSPACE": workspace, "LABCOURSE_INPUTS": inputs}

    async def run_one(task: Task) -> None:
        started.append(task)
        # Whatever lies there of an earlier run are not the numbers of this one.
        with suppress(OSError):
            (outputs.folder(task.chapter, workspace) / "numbers.json").unlink()
        await _execute(task, home / "solutions", usual | os.environ | places, on_cell, stopped)
        if not task.error:
            _compare(task, workspace, bounds.get(str(task.chapter), {}))
        on_chapter(task)

    async def run_all() -> None:
        waiting = _longest_chain_first(tasks, home) if jobs > 1 else tasks[:]
        running: dict[asyncio.Task[None], Task] = {}
        while True:
            unfinished = {task.chapter for task in (*waiting, *running.values())}
            ready = [task for task in waiting if not task.inputs & unfinished]
            if stopped.is_set() or any(task.error for task in started):
                ready.clear()
            for task in ready[: jobs - len(running)]:
                waiting.remove(task)
                running[asyncio.create_task(run_one(task))] = task
            if not running:
                return
            for done in (await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED))[0]:
                del running[done]
                done.result()

    with ThreadPoolExecutor(1) as pool:  # in the main thread nbclient would take the signals
        work = pool.submit(asyncio.run, run_all())
        try:
            while not work.done():
                wait([work], timeout=0.5)  # Windows hears Ctrl-C only between two waits
        except KeyboardInterrupt:
            stopped.set()
            raise
        work.result()
    return [task for task in tasks if task in started]


def _longest_chain_first(tasks: list[Task], home: Path) -> list[Task]:
    """Return them by the seconds of each and of those that wait for it, one for the other: they set the end of all."""
    seconds = expected.read(home).get("seconds", {})

    def chain(task: Task) -> float:
        after = (chain(other) for other in tasks if task.chapter in other.inputs)
        return float(seconds.get(str(task.chapter), 0)) + max(after, default=0.0)

    return sorted(tasks, key=chain, reverse=True)


async def _execute(
    task: Task,
    cwd: Path,
    environment: dict[str, str],
    on_cell: Callable[[Task], None],
    stopped: threading.Event,
) -> None:
    """Run one notebook in place; whatever goes wrong in it or its kernel becomes its ``error``."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellControlSignal

    def begin(cell_index: int, **_: Any) -> None:
        task.cell = cell_index + 1

    client = NotebookClient(
        task.notebook,
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
    except asyncio.CancelledError:
        task.error = "interrupted"
    except (CellControlSignal, RuntimeError) as error:  # of the notebook or its kernel
        task.error = _reason(task, error)
    task.seconds = time.perf_counter() - started


def _compare(task: Task, workspace: str, bounds: Mapping[str, Any]) -> None:
    """Compare the numbers that a run has written, if it has, with the expected ones."""
    try:
        values = outputs.read_numbers(task.chapter, workspace)
    except MissingOutput:
        values = {}
    task.numbers = expected.compare(values, bounds)


def save(task: Task, home: Path) -> None:
    """Keep an executed solution: tidied, written whole or not at all."""
    tidy(task.notebook)
    # The source decides about everything but the outputs.
    chapter = source.read(home / "course" / f"{task.name}.py")
    build.write(home / "solutions" / f"{task.name}.ipynb", build.text(build.with_outputs(chapter, task.notebook)))


def _reason(task: Task, error: Exception) -> str:
    """Return why a notebook was not run to its end, in the user's words."""
    from nbclient.exceptions import CellExecutionError, DeadKernelError

    if isinstance(error, CellExecutionError):
        lines = [line for line in _ANSI.sub("", str(error.evalue)).strip().splitlines() if line.strip()]
        first = task.notebook.cells[task.cell - 1].source.strip().splitlines()[0]
        message = "\n    ".join(lines[-6:])
        return f"{task.name}, cell {task.cell} ({first}): {error.ename}: {message}"
    if isinstance(error, DeadKernelError):
        mend = "often the memory was not enough: close other programs and run it again"
        return f"{task.name}: the kernel died in cell {task.cell}; {mend}"
    return f"{task.name}: the kernel did not answer: {error}; `labcourse doctor` says more"
