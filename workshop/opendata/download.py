"""Many files, two at a time, with one bar for all."""

from __future__ import annotations

import queue
import random
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

from labcourse.errors import StorageError
from labcourse.files import alone_in
from workshop.opendata.manifest import Official, is_whole, mirrors, without_password
from workshop.opendata.request import Patience, Stopped, open_client, size_of
from workshop.opendata.transfer import Transfer, storage_errors

SPARE = 50_000_000
"""Bytes of the disk that a download leaves free."""


class FileReport(Protocol):
    """Is told a file's name, how many bytes of it are there, and why nothing comes."""

    def __call__(self, name: str, size: int, note: str = "") -> None: ...


class Outcome(NamedTuple):
    """What became of a file: ``downloaded``, ``unpacked``, ``already whole`` or ``failed``, and what to know of it."""

    file: str
    sample: str
    state: str
    bytes: int
    origin: str = ""
    note: str = ""


def download(
    files: Sequence[Official],
    folder: Path,
    *,
    from_mirrors: Iterable[str] = (),
    patience: Patience | None = None,
    parallel: int = 2,
    progress: bool = True,
    seed: int | None = None,
    sleep: Callable[[float], object] | None = None,
) -> list[Outcome]:
    """Bring official files whole into a folder, and return an outcome a file, in the given order.

    What is whole already is not fetched again, what broke off is continued. A file that fails is an outcome
    and does not keep the others from being tried.

    Parameters
    ----------
    files : sequence of Official
        From `choose`.
    folder : path
        Made if it does not exist.
    from_mirrors : iterable of str
        See `mirrors`.
    patience : Patience, optional
        Waiting times and number of attempts.
    parallel : int
        Files at a time.
    progress : bool
        Shows a bar on standard error where that is a terminal.
    seed : int, optional
        Of the jitter in waiting times.
    sleep : callable, optional
        Waits for so many seconds.

    Raises
    ------
    BadInput
        If a mirror's address is wrong.
    DownloadError
        If the machine's proxy or certificates cannot be used.
    StorageError
        If another process downloads into the folder, or the disk has too little room, which is found before anything
        is fetched, or refuses.
    KeyboardInterrupt
        At Ctrl-C. What was received is kept, and the next call goes on from there.
    """
    addresses = mirrors(from_mirrors)
    patience = patience or Patience()
    files = list(dict.fromkeys(files))
    with (
        alone_in(folder, "download"),
        open_client(patience) as client,
        bar(progress, sum(f.bytes for f in files)) as report,
    ):
        done: dict[str, Outcome] = {}
        todo: queue.SimpleQueue[Official] = queue.SimpleQueue()
        for file in files:
            with storage_errors(folder / file.name):
                if is_whole(folder / file.name, file):
                    done[file.name] = Outcome(file.name, file.sample, "already whole", file.bytes)
                    report(file.name, file.bytes)
                    (folder / file.part).unlink(missing_ok=True)
                else:
                    todo.put(file)
        check_room(folder, [file for file in files if file.name not in done])
        transfer = Transfer(client, addresses, patience, random.Random(seed), sleep=sleep)
        ended: queue.SimpleQueue[Outcome | BaseException] = queue.SimpleQueue()
        # Daemons: a transfer may be dropped at any byte, so Ctrl-C need not wait until a slow server answers.
        threads = [
            threading.Thread(target=_work, args=(transfer, todo, ended, folder, report), daemon=True)
            for _ in range(parallel)
        ]
        for thread in threads:
            thread.start()
        try:
            while len(done) < len(files):
                try:
                    outcome = ended.get(timeout=0.2)  # Windows hears Ctrl-C only between two waits
                except queue.Empty:
                    continue
                if isinstance(outcome, BaseException):
                    raise outcome
                done[outcome.file] = outcome
        finally:
            transfer.stop.set()
            for thread in threads:
                thread.join(timeout=1.0)
    return [done[file.name] for file in files]


def _work(
    transfer: Transfer,
    todo: queue.SimpleQueue[Official],
    ended: queue.SimpleQueue[Outcome | BaseException],
    folder: Path,
    report: FileReport,
) -> None:
    while not transfer.stop.is_set():
        try:
            file = todo.get_nowait()
        except queue.Empty:
            return
        try:
            mirror, notes = transfer.fetch(file, folder, partial(report, file.name))
            state, size = ("downloaded", file.bytes) if mirror else ("failed", 0)
            ended.put(Outcome(file.name, file.sample, state, size, without_password(mirror), "; ".join(notes)))
        except Stopped:
            return
        except BaseException as error:  # whatever it is, the waiting thread must hear of it
            ended.put(error)
            return


def check_room(folder: Path, files: Iterable[Official], *, goes_on: bool = True) -> None:
    """Check that the disk has room for files; with ``goes_on`` less what of them is there already.

    Raises
    ------
    StorageError
        With the room needed and the room there is.
    """
    needed = sum(max(0, file.bytes - (size_of(folder / file.part) if goes_on else 0)) for file in files)
    free = shutil.disk_usage(folder).free
    if needed and needed + SPARE > free:
        raise StorageError(
            f"The files need {(needed + SPARE) / 1e6:.0f} MB and the disk has {free / 1e6:.0f} MB free.",
            where=str(folder),
            next_step="Make room, choose another folder (--out), or fewer samples (--samples).",
        )


@contextmanager
def bar(visible: bool, total: int) -> Iterator[FileReport]:
    """Show one bar for all files on standard error; yields what is told a file's name and how many bytes it has."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(
        *columns, TimeRemainingColumn(), console=console, disable=not (visible and console.is_terminal)
    ) as shown:
        task = shown.add_task("official files", total=total)
        sizes: dict[str, int] = {}

        def report(name: str, size: int, note: str = "") -> None:
            sizes[name] = size
            what = note or name.removesuffix(".4lep.root")
            shown.update(task, completed=sum(sizes.copy().values()), description=what)

        yield report
