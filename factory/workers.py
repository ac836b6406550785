"""Who computes: processes of this machine, or a Dask cluster. Tasks are functions that any process can import."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple, TypeVar

from factory.chunks import fingerprint
from labcourse.errors import LabCourseError, SimulationError

LOCAL = "local"
SECONDS_TO_CONNECT = 20
SECONDS_WITHOUT_WORKERS = 30
"""A cluster that finishes nothing for so long is asked whether it still has workers."""

Task = TypeVar("Task")


class Workers(NamedTuple):
    """An executor, and how many tasks it computes at a time now."""

    executor: Executor
    slots: Callable[[], int]

    def each(self, function: Callable[[Task], Any], tasks: Iterable[Task]) -> Iterator[tuple[Task, Any]]:
        """Yield tasks and what the function makes of them as they are finished, in any order.

        Two per worker are under way: one is computed, one waits. Raises SimulationError if a task fails, a worker is
        killed, or the cluster is lost.
        """
        running: dict[Future[Any], Task] = {}
        waiting, task = list(tasks)[::-1], None
        again = "Run the same command again: what is finished is kept, and it goes on from there."
        try:
            while waiting or running:
                while waiting and len(running) < 2 * self.slots():
                    new = waiting.pop()
                    running[self.executor.submit(_with_same_code, fingerprint(), function, new)] = new
                done, _ = wait(running, SECONDS_WITHOUT_WORKERS, FIRST_COMPLETED)
                if not done and not self.slots():
                    raise SimulationError("The cluster has no worker left.", next_step=again)
                # What is finished is handed over before an error ends it all.
                for future in sorted(done, key=lambda future: future.cancelled() or future.exception() is not None):
                    task = running.pop(future)
                    yield task, future.result()
        except (LabCourseError, GeneratorExit):
            raise
        except BrokenExecutor as error:
            what, more = "A worker process was killed, perhaps because the memory ran out.", "Use fewer workers, or: "
            raise SimulationError(what, next_step=more + again) from error
        except Exception as error:
            raise SimulationError(
                f"A task failed, or the cluster was lost: {type(error).__name__}: {error}",
                where="" if task is None else f"task {task}",
                next_step=again,
            ) from error


@contextmanager
def connect(address: str = LOCAL, number: int | None = None) -> Iterator[Workers]:
    """Give workers: ``number`` new processes of this machine (one per core by default), or the cluster at ``address``.

    Processes of this machine are reached through pipes; no socket is opened. A Dask scheduler takes orders from
    whoever reaches it, so its network has to be one that is trusted. Raises SimulationError if Dask is not installed,
    nobody answers at the address, or the cluster has no worker.
    """
    if address != LOCAL:
        with _cluster(address) as client:
            yield Workers(client.get_executor(pure=False), lambda: sum(client.nthreads().values()))
        return
    others = set(multiprocessing.active_children())
    number = number or os.cpu_count() or 1
    executor = ProcessPoolExecutor(number, multiprocessing.get_context("spawn"), _begin, (number > 1,))
    try:
        yield Workers(executor, lambda: number)
    finally:
        executor.shutdown(wait=False, cancel_futures=True)
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()


def _begin(one_of_many: bool) -> None:
    """Prepare a process: Ctrl-C is for its parent, with which it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if one_of_many:
        os.environ.update(TF_NUM_INTRAOP_THREADS="1", TF_NUM_INTEROP_THREADS="1")
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


@contextmanager
def _cluster(address: str) -> Iterator[Any]:
    try:
        from distributed import Client

        # What Dask reports of lost connections is said in one sentence.
        for name in [name for name in logging.root.manager.loggerDict if name.startswith("distributed")]:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        client = Client(address, timeout=SECONDS_TO_CONNECT)
        client.wait_for_workers(1, timeout=SECONDS_TO_CONNECT)
    except (ImportError, OSError, ValueError) as error:
        raise SimulationError(
            f"There is no Dask cluster with a worker at {address}: {error or type(error).__name__}.",
            where=f"--cluster {address}",
            next_step="Install Dask (`pip install -e '.[simulate]'`), start `dask scheduler` and `dask worker`, give "
            "the scheduler's address, for instance tcp://10.0.0.5:8786.",
        ) from error
    try:
        yield client
    finally:
        with suppress(OSError):
            client.close(timeout=2)


def _with_same_code(expected: str, function: Callable[[Task], Any], task: Task) -> Any:
    if fingerprint() != expected:
        raise SimulationError(
            "A worker has another version of labcourse, Pythia, fastjet or numpy: its results would be others.",
            next_step="Install the same versions on all machines of the cluster, from requirements-dev.lock.",
        )
    return function(task)
