"""Chunks on Dask: on this machine's cores, or on any cluster by its address."""

from __future__ import annotations

import gc
import logging
import time
import uuid
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from factory.chunks import Chunk, Table
from factory.store import fingerprint
from factory.tables import finished
from labcourse.errors import LabCourseError, SimulationError

LOCAL = "local"
MEMORY = "950MB"
"""A local worker that takes more is started afresh. Seen in a campaign of the bundle: 230 MB."""
DEATHS = 3
"""So many workers may die under one chunk; the next death ends the campaign."""
_SECONDS_TO_CONNECT = 20
_SECONDS_TO_START = 10
_CONFIGURATION = {
    "distributed.scheduler.allowed-failures": DEATHS,
    # No queue on a worker: a chunk that waits there would be blamed for the death of another's worker.
    "distributed.scheduler.worker-saturation": 1.0,
    # A worker with too much memory is started afresh. Dask would pause it before, and then all wait forever.
    "distributed.worker.memory.pause": False,
    # A new process reads this before it can say anything; `silence_logs` comes too late and goes too early.
    "distributed.nanny.pre-spawn-environ.DASK_LOGGING__DISTRIBUTED": "critical",
}

Task = TypeVar("Task")
Make = Callable[[Chunk], Table]
Made = tuple[Chunk, Table, float]
"""A chunk, its events, and the seconds that they took."""

_AGAIN = "Run the same command again: what is finished is kept, and it goes on from there."


@contextmanager
def connect(address: str = LOCAL, workers: int | None = None, *, memory: str = MEMORY) -> Iterator[Any]:
    """Give a Dask client: of ``workers`` new processes on this machine, or of the cluster at ``address``.

    A local worker that takes more than ``memory`` is started afresh.

    Raises
    ------
    SimulationError
        If Dask is not installed, nobody answers at the address, or the cluster has no worker.
    """
    try:
        import dask
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise SimulationError(
            "Dask is not installed.",
            where="factory",
            next_step="Install it with `pip install -e '.[simulate]'`; the bundled samples do not need it.",
        ) from error
    with _quiet(), dask.config.set(_CONFIGURATION):
        if address == LOCAL:
            with _no_collection():
                # One thread a worker: Pythia holds Python's lock. The usual port of the dashboard may be taken.
                cluster = LocalCluster(
                    n_workers=workers,
                    threads_per_worker=1,
                    memory_limit=memory,
                    dashboard_address="127.0.0.1:0",
                    silence_logs=logging.CRITICAL,
                )
                client = Client(cluster)
            try:
                yield client
            finally:
                # A worker that is ended while it starts would print a traceback.
                with suppress(TimeoutError, OSError):
                    client.wait_for_workers(max(len(cluster.workers), 1), timeout=_SECONDS_TO_START)
                with _no_collection():
                    client.close()
                    cluster.close()
            return
        try:
            with _no_collection():
                client = Client(address, timeout=_SECONDS_TO_CONNECT)
            client.wait_for_workers(1, timeout=_SECONDS_TO_CONNECT)
        except (OSError, ValueError) as error:
            raise SimulationError(
                f"There is no Dask cluster with a worker at {address}: {error or type(error).__name__}.",
                where=f"--cluster {address}",
                next_step="Start `dask scheduler` and `dask worker ADDRESS`, and give the scheduler's address, "
                "for instance tcp://10.0.0.5:8786.",
            ) from error
        try:
            yield client
        finally:
            with _no_collection():
                client.close(timeout=2)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keep the garbage collector away while a client is started or closed.

    A forgotten client closes itself when it is collected, and waits for a lock that starting and closing hold: for
    ever, if that happens in the same thread.
    """
    gc.collect()
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def run(
    client: Any, make: Make, next_chunk: Callable[[], Chunk | None], identify: Callable[[], str] | None = None
) -> Generator[Made, None, None]:
    """Yield chunks as they are finished, in any order, until ``next_chunk`` gives no more.

    The events come back to this process, which alone writes files: workers on other machines need no disk in common
    with it. ``make`` and ``identify``, which tells versions of the code apart (`store.fingerprint`), are functions of
    a module that workers can import.

    Raises
    ------
    SimulationError
        As `each`, or if a worker has other code than this process.
    """
    # A name of its own: on a cluster that others use as well, equal names would be equal results.
    campaign = uuid.uuid4().hex
    identify = identify or fingerprint

    def submit(chunk: Chunk) -> Any:
        key = f"{chunk.sample}-{chunk.purpose}-{chunk.index}-{campaign}"
        return client.submit(_work, make, chunk, identify, identify(), key=key, pure=False)

    for chunk, (table, seconds) in each(client, submit, next_chunk, lambda c: f"{c.sample}, chunk {c.index}"):
        yield chunk, table, seconds


def each(
    client: Any, submit: Callable[[Task], Any], next_task: Callable[[], Task | None], name: Callable[[Task], str]
) -> Generator[tuple[Task, Any], None, None]:
    """Yield tasks and their results as they are finished, in any order, until ``next_task`` gives no more.

    Two tasks a worker are under way: one is computed, one waits. ``submit`` gives a task's future, ``name`` what it is
    called in an error.

    Raises
    ------
    SimulationError
        If a task fails, workers keep dying, or the scheduler dies.
    """
    from distributed import CancelledError, wait

    running: dict[Any, Task] = {}
    try:
        while True:
            slots = 2 * max(sum(client.nthreads().values()), 1)
            while len(running) < slots and (task := next_task()) is not None:
                running[submit(task)] = task
            if not running:
                return
            for future in wait(list(running), return_when="FIRST_COMPLETED").done:
                task = running.pop(future)
                result = _result(future, name(task))
                # What nobody asks for any more is not made again when the worker that holds it dies.
                future.release()
                yield task, result
    except (CancelledError, OSError) as error:
        raise SimulationError(
            "The connection to the scheduler of the Dask cluster was lost.",
            where=client.scheduler.address if client.scheduler else "the scheduler",
            next_step=_AGAIN,
        ) from error
    finally:
        if client.status == "running":
            client.cancel(list(running), force=True)


def _work(make: Make, chunk: Chunk, identify: Callable[[], str], expected: str) -> tuple[Table, float]:
    """Make a chunk; runs on a worker."""
    if identify() != expected:
        raise SimulationError(
            "A worker has another version of labcourse, Pythia, fastjet or numpy than you: its events would be others.",
            next_step="Install the same versions on all machines of the cluster, from requirements-dev.lock.",
        )
    begin = time.perf_counter()
    table = finished(make(chunk))
    return table, time.perf_counter() - begin


def _result(future: Any, name: str) -> Any:
    from distributed import KilledWorker

    if future.status == "error":
        error = future.exception()
        if isinstance(error, LabCourseError):
            raise error
        if isinstance(error, KilledWorker):
            raise SimulationError(
                f"Workers died {DEATHS + 1} times over the same task.",
                where=name,
                next_step="The machine may lack memory: try fewer workers. " + _AGAIN,
            ) from error
        raise SimulationError(
            f"A task on the cluster failed: {type(error).__name__}: {error}", where=name, next_step=_AGAIN
        ) from error
    return future.result()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask's own reports of lost workers out of the terminal: what matters is said in one error."""
    names = [name for name in logging.root.manager.loggerDict if name.split(".")[0] == "distributed"]
    before = {name: logging.getLogger(name).level for name in names}
    try:
        for name in names:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
