"""Running a stranger's notebook in bubblewrap: fresh kernel, limits, no network, no secrets, nothing left behind.

The sandbox shows only what is needed, read-only: the system's programs, this Python, the packages of the course without
its answers, the samples, and what the solutions of earlier chapters made, as nbgrader has it: a mistake in chapter 2
costs nothing in chapter 3. What the code writes is kept in memory, and gone with the sandbox; it has no network, no
other processes, no sockets, terminals or devices of the user's, and ends with the process that started it, however that
ends. Inside, `inside` starts the kernel and reports each cell.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from course import outputs
from labcourse import settings
from labcourse.errors import BadInput
from workshop.authoring import source
from workshop.comparison.reading import Cell, Notebook, printable, take
from workshop.comparison.reference import Chapter
from workshop.comparison.states import copies

_PACKAGES = ("labcourse", "course", "azh", "workshop")
_SYSTEM = ("/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime")
_OWN = "/tmp/student"
_ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "HOME": f"{_OWN}/home",
    "LABCOURSE_OUTPUTS": f"{_OWN}/outputs",
    "LABCOURSE_WORKSPACE": "notebooks",
    "LABCOURSE_INPUTS": "solutions",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}
"""All that students' code sees of an environment, besides where the samples are."""
_MAX_OUTPUT = 50_000_000
"""Characters of all cells."""
_MAX_PROCESSES = 200
_SPARE_MEMORY = 3e8
"""Memory that belongs to no process (of files, pipes, queues) is not counted; it is stopped before there is none."""


class Limits(NamedTuple):
    """For one notebook: seconds in all and for one cell, and bytes of memory of all processes together."""

    seconds: float = 900.0
    memory: float = 6e9
    cell_seconds: float = 120.0


class Outcome(NamedTuple):
    """The executed cells as notebook JSON by position, which of them were stopped, and why the run ended early."""

    cells: dict[int, dict[str, Any]]
    stopped: list[int]
    note: str


def require_bubblewrap() -> None:
    """Raise BadInput if this machine cannot make the sandbox, and say what to do."""
    reason = "its program bwrap is not here"
    if shutil.which("bwrap"):
        probe = subprocess.run([*_sandbox([], 1e9), "true"], capture_output=True, text=True, errors="replace")
        reason = printable(probe.stderr.strip().split("\n")[-1] or "it fails") if probe.returncode else ""
    if reason:
        raise BadInput(
            f"Students' code is run in bubblewrap only: {reason}.",
            where="--execute",
            next_step="On Linux, `apt install bubblewrap` (0.8 or newer; the system must let users make namespaces). "
            "Without --execute nothing of theirs is run, and the states are those in the notebooks.",
        )


def execute(notebook: Notebook, chapter: Chapter, limits: Limits) -> Notebook:
    """Return a notebook with new outputs, as far as it came; its notes say why it came no further."""
    notes = list(notebook.notes)
    earlier = {number: outputs.folder(number, "solutions") for number in range(1, chapter.number)}
    if missing := ", ".join(str(number) for number, folder in earlier.items() if not folder.is_dir()):
        notes.append(f"run by --execute without the outputs of chapter {missing}: run `labcourse run` first")
    cells = with_checks(notebook, chapter)
    sources = [cell.source if cell.kind == "code" else "" for cell in cells]
    outcome = run_cells(sources, [folder for folder in earlier.values() if folder.is_dir()], limits)
    notes += [f"run by --execute: {outcome.note}"] if outcome.note else []
    for i in outcome.stopped:
        what = cells[i].tags[0] if cells[i].tags else f"cell {i + 1}"
        notes.append(f"run by --execute: {printable(what)} was stopped after {limits.cell_seconds:.0f} s")
    fresh = [(*take({"cells": [outcome.cells.get(i)]}).cells, Cell("", ""))[0] for i in range(len(cells))]
    executed = [
        replace(new, kind=cell.kind, source=cell.source, tags=cell.tags, id=cell.id)
        for cell, new in zip(cells, fresh, strict=True)
    ]
    return Notebook(tuple(executed), tuple(notes))


def with_checks(notebook: Notebook, chapter: Chapter) -> list[Cell]:
    """Return the cells with each check as the course has it, right behind its exercise if it was deleted."""
    cells = list(notebook.cells)
    for exercise in chapter.exercises:
        checks, answers = copies(cells, exercise.check), copies(cells, exercise.stub)
        cells = [replace(cell, source=exercise.check.source) if cell in checks else cell for cell in cells]
        if answers and not checks:
            cells.insert(cells.index(answers[-1]) + 1, exercise.check)
    return cells


def run_cells(sources: Sequence[str], inputs: Sequence[Path], limits: Limits) -> Outcome:
    """Run code cells one after the other in a fresh kernel.

    Parameters
    ----------
    sources : sequence of str
        The code of each cell; an empty one is skipped.
    inputs : sequence of Path
        Folders of outputs of the solutions that the code may read.
    limits : Limits
        Where the run is stopped.
    """
    command = [*_sandbox(inputs, limits.memory), sys.executable, "-m", "workshop.comparison.inside"]
    folders = ":".join(map(str, _sample_folders()))
    environment = _ENVIRONMENT | {"PYTHONPATH": str(settings.home()), "LABCOURSE_DATA": folders}
    with tempfile.TemporaryFile() as order, tempfile.TemporaryFile() as received:
        order.write(json.dumps([sources, limits.cell_seconds, _MAX_OUTPUT]).encode())
        order.seek(0)
        process = subprocess.Popen(command, env=environment, stdin=order, stdout=received, stderr=subprocess.STDOUT)
        try:
            note = _watch(process, limits)
        finally:
            process.kill()  # and with it everything in the sandbox
            process.wait()
        received.seek(0)
        return _outcome(received, note)


def _sample_folders() -> list[Path]:
    return [*dict.fromkeys((*settings.search_path(), *settings.search_path("2025")))]


def _sandbox(inputs: Sequence[Path], memory: float) -> list[str]:
    """Return the command line up to the program: later options cover what earlier ones show."""
    home = settings.home()
    most, half = f"{memory:.0f}", f"{memory / 2:.0f}"
    shown = [*_SYSTEM, sys.base_prefix, sys.prefix, *(str(home / package) for package in _PACKAGES)]
    # Of the samples' folders only the samples: what else lies there is nobody's business.
    samples = ("*.root", "manifest.json", "azh")
    shown += [str(path) for folder in _sample_folders() for name in samples for path in folder.glob(name)]
    return [
        *("bwrap", "--unshare-user", "--unshare-all", "--disable-userns", "--cap-drop", "ALL"),
        *("--die-with-parent", "--as-pid-1", "--new-session", "--proc", "/proc", "--dev", "/dev"),
        *("--size", half, "--tmpfs", "/dev/shm", "--remount-ro", "/dev", "--size", half, "--tmpfs", "/tmp"),
        *(part for path in dict.fromkeys(shown) for part in ("--ro-bind-try", path, path)),
        *(part for text in source.texts(home) for part in ("--ro-bind", "/dev/null", str(text))),
        *(part for path in inputs for part in ("--ro-bind", str(path), f"{_OWN}/outputs/solutions/{path.name}")),
        *(part for path in (*_sample_folders(), f"{_OWN}/home") for part in ("--dir", str(path))),
        *("--remount-ro", "/", "--chdir", _OWN),
        *("prlimit", f"--data={most}", "--core=0", "--nproc=2000"),
    ]


def _watch(process: subprocess.Popen[bytes], limits: Limits) -> str:
    """Wait until the sandbox ends or has to be ended; return why."""
    import psutil

    deadline = time.monotonic() + limits.seconds
    while process.poll() is None:
        used, family = 0, []
        with contextlib.suppress(psutil.Error):
            family = psutil.Process(process.pid).children(recursive=True)
        for child in family:
            with contextlib.suppress(psutil.Error):
                used += child.memory_info().rss
        if time.monotonic() > deadline:
            return f"stopped after {limits.seconds:.0f} s"
        if used > limits.memory or psutil.virtual_memory().available < _SPARE_MEMORY:
            return f"stopped: more than {limits.memory / 1e9:.1f} GB of memory, or than this machine has"
        if len(family) > _MAX_PROCESSES:
            return f"stopped: more than {_MAX_PROCESSES} processes"
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
    return ""


def _outcome(received: Iterable[bytes], note: str) -> Outcome:
    cells, stopped, end = {}, [], "it could not be run to its end: its sandbox was ended"
    for line in received:
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):  # bubblewrap's own words, or half a line
            end = f"it could not be run to its end: {line.decode('utf-8', 'replace').strip()}"
            continue
        if isinstance(message, str):
            end = message
        else:
            index, cell, is_stopped = message
            cells[index] = cell
            stopped += [index] if is_stopped else []
    return Outcome(cells, stopped, printable(note or end, 300))
