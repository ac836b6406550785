"""A campaign: chunks of all samples on several processes, in an order that does not depend on their number."""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from labcourse import samples as catalogue
from labcourse.errors import BadInput, SimulationError
from labcourse.simulation import bundle, generator, pseudodata, recipes, tables
from labcourse.simulation.chunks import PSEUDO_DATA, SAMPLE, Chunk, Table, simulate_chunk

Submit = Callable[[Chunk], "Future[Table]"]
FEWEST = 20
"""A sample has at least so many events, however small the scale."""
MOST_CHUNKS = 5000
"""A sample that needs more chunks than this has an efficiency of nearly zero: something is wrong."""


def simulate(
    out: Path | str,
    *,
    scale: float = 1.0,
    samples: Sequence[str] | None = None,
    seed: int,
    workers: int | None = None,
    progress: bool = True,
) -> Path:
    """Simulate samples into a folder of files with official names, and return its manifest's path.

    Parameters
    ----------
    out : path
        The folder; files of the same names are replaced, each once it is complete.
    scale : float
        Number of events relative to the bundle's; yields at 10 fb⁻¹, and so the pseudo-data, stay the same.
    samples : sequence of str, optional
        Names of the catalogue, ``data`` for the pseudo-data; all of them by default.
    seed : int
        Equal seeds and scales give equal events, whatever the number of workers.
    workers : int, optional
        Processes; by default as many as the machine has cores.
    progress : bool
        Show what is done and the time left.

    Raises
    ------
    BadInput
        If scale, seed or workers are out of range.
    UnknownSample
        If a name is not in the catalogue.
    SimulationError
        If Pythia is not installed or fails.
    StorageError
        If a file cannot be written.
    """
    out = Path(out)
    names = list(dict.fromkeys(samples if samples is not None else catalogue.ALL))
    for name in names:
        catalogue.get(name)
    workers = workers if workers is not None else _cores()
    if scale <= 0 or seed < 0 or workers < 1 or not names:
        raise BadInput(
            f"Cannot simulate {len(names)} samples with scale {scale}, seed {seed} and {workers} workers.",
            next_step="Give a positive scale, a seed of zero or more, one worker or more, and a sample.",
        )
    generator.version()
    entries: list[dict[str, Any]] = []
    with _pool(workers) as submit, _progress(names, scale, visible=progress) as report:
        for name in names:
            made = _pseudo_data if name == "data" else _sample
            for file, table in made(name, scale, seed, submit, workers, report):
                bundle.write(out / file, table, title=f"{name}: simulated for a course, not ATLAS data")
                entries.append(bundle.entry(out / file, table, name, seed))
    return bundle.write_manifest(out, entries, seed=seed, scale=scale)


_ASSEMBLY = 2
"""Purpose of the random numbers that are drawn when chunks are put together."""

Report = Callable[[str, float], None]
"""Called with a sample and the share of it that is done."""


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _chunk_size(name: str, wanted: int) -> int:
    """Events generated at a time: about half of what a small sample needs."""
    recipe = recipes.get(name)
    return int(np.clip(wanted / recipe.efficiency / 2, 250, recipe.chunk))


def _events(name: str, scale: float) -> int:
    return max(round(recipes.get(name).events * scale), FEWEST)


def _sample(
    name: str, scale: float, seed: int, submit: Submit, workers: int, report: Report
) -> Iterator[tuple[str, Table]]:
    wanted, made = _events(name, scale), 0
    parts: list[Table] = []
    chunks = in_order(Chunk(name, 0, seed, SAMPLE, _chunk_size(name, wanted)), submit, workers)
    needed = wanted
    while needed > 0:
        parts.append(chunks.send(needed) if parts else next(chunks))
        made += len(parts[-1]["lep_n"])
        needed = wanted - made
        report(name, made / wanted)
    chunks.close()
    table = tables.finished(tables.first(tables.join(parts), wanted))
    rng = np.random.default_rng([seed, catalogue.SIMULATED.index(name), _ASSEMBLY])
    yield catalogue.get(name).files[0], bundle.normalise(table, name, rng)


def _pseudo_data(
    name: str, scale: float, seed: int, submit: Submit, workers: int, report: Report
) -> Iterator[tuple[str, Table]]:
    rng = np.random.default_rng([seed, len(catalogue.SIMULATED), _ASSEMBLY])
    wanted = {process: int(rng.poisson(recipes.get(process).expected)) for process in catalogue.SIMULATED}
    parts: list[Table] = []
    done = 0
    for process, needed in wanted.items():
        chunks = in_order(Chunk(process, 0, seed, PSEUDO_DATA, recipes.get(process).chunk), submit, workers)
        part = None
        while needed > 0:
            # Six in ten are not drawn, and not all pass the preselection.
            part = chunks.send(4 * needed) if part else next(chunks)
            drawn, passed = pseudodata.draw(part, needed, rng)
            parts.append(drawn)
            needed -= passed
            done += passed
            report(name, done / sum(wanted.values()))
        chunks.close()
    yield from pseudodata.split(tables.finished(tables.join(parts)), rng).items()


def in_order(first: Chunk, submit: Submit, workers: int) -> Generator[Table, int, None]:
    """Yield the chunks from ``first`` on, one after the other, while others are being made.

    Send in how many more events are needed, so that hardly any chunk is made in vain.

    Raises
    ------
    SimulationError
        If hardly any event passes the selection, or a worker died.
    """
    running: deque[Future[Table]] = deque()
    index = done = events = 0
    useful = workers
    try:
        while index < MOST_CHUNKS:
            while len(running) < min(max(useful, 1), 2 * workers):
                running.append(submit(replace(first, index=first.index + index)))
                index += 1
            part = running.popleft().result()
            done, events = done + 1, events + len(part["lep_n"])
            needed = yield part
            useful = int(np.ceil(needed * done / max(events, 0.1)))
    except BrokenProcessPool as error:
        raise SimulationError(
            "A worker process died.",
            where=f"{first.sample}, one of the chunks {done} to {index - 1}",
            next_step="The machine may lack memory: try again with fewer workers.",
        ) from error
    finally:
        for future in running:
            future.cancel()
    raise SimulationError(f"{first.sample}: hardly any event passes the selection.", where=f"{MOST_CHUNKS} chunks")


@contextmanager
def _pool(workers: int) -> Iterator[Submit]:
    """Give a function that runs a chunk: at once for one worker, else in another process."""
    if workers == 1:
        yield _now
        return
    # Forking a process that holds TensorFlow's or a notebook's threads can hang: start fresh ones.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as executor:
        yield lambda chunk: executor.submit(simulate_chunk, chunk)


def _now(chunk: Chunk) -> Future[Table]:
    future: Future[Table] = Future()
    future.set_result(simulate_chunk(chunk))
    return future


@contextmanager
def _progress(names: Sequence[str], scale: float, *, visible: bool) -> Iterator[Report]:
    """One bar over all samples, in seconds of work, so that the time left is that of the whole campaign."""
    work = {name: _PSEUDO_DATA_WORK if name == "data" else _work(name, scale) for name in names}
    columns = (
        TextColumn("{task.description:<16}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("left:"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, disable=not visible) as bar:
        task = bar.add_task("starting", total=sum(work.values()))

        def report(name: str, share: float) -> None:
            before = sum(work[other] for other in names[: names.index(name)])
            bar.update(task, completed=before + min(share, 1.0) * work[name], description=name)

        yield report


_PSEUDO_DATA_WORK = 60.0


def _work(name: str, scale: float) -> float:
    """Seconds of one core; the first chunk of a sample costs a few in any case."""
    return 5 + _events(name, scale) * recipes.get(name).cost / 1000
