"""Who computes: processes of this machine, or a Dask cluster. Tasks are functions that any process can import."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager, suppress

from factory.generator import SimulationError

SECONDS_TO_CONNECT = 20
SECONDS_WITHOUT_WORKERS = 30
"""A cluster that has had no worker for so long gives up."""


@contextmanager
def connect(address: str = "", number: int | None = None) -> Iterator[Executor]:
    """Give an executor: ``number`` new processes of this machine (one per core by default), or a cluster's.

    Processes of this machine are reached through pipes; no socket is opened. A Dask scheduler, at ``address``, takes
    orders from whoever reaches it, so its network has to be one that is trusted. Raises SimulationError if Dask is not
    installed, nobody answers at the address, or the cluster has no worker.
    """
    if address:
        with _cluster(address) as executor:
            yield executor
        return
    others = set(multiprocessing.active_children())
    number = number or os.cpu_count() or 1
    executor = ProcessPoolExecutor(number, multiprocessing.get_context("spawn"), _begin, (number > 1,))
    try:
        yield executor
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
def _cluster(address: str) -> Iterator[Executor]:
    try:
        from distributed import Client

        # What Dask reports of lost connections is said in one sentence.
        for name in [name for name in logging.root.manager.loggerDict if name.startswith(("distributed", "tornado"))]:
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
        # Dask would wait for ever.
        patience = SECONDS_WITHOUT_WORKERS
        client.run_on_scheduler(lambda dask_scheduler: setattr(dask_scheduler, "no_workers_timeout", patience))
        yield client.get_executor(pure=False)
    finally:
        with suppress(OSError):
            client.close(timeout=2)
