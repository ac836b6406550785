"""Running a stranger's notebook in bubblewrap: fresh kernel, limits, no network, no secrets, nothing left behind.

The sandbox shows only what is needed, read-only: the system's programs, this Python, the packages of the course without
its answers, the samples, and what the solutions of earlier chapters made, as nbgrader has it: a mistake in chapter 2
costs nothing in chapter 3. What the code writes is kept in memory, and gone with the sandbox; it has no network, no
other processes, no sockets, terminals or devices of the user's, and ends with the process that started it, however that
ends. Inside, `inside` runs the cells.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from course import outputs
from labcourse import settings
from labcourse.errors import BadInput
from workshop.authoring import source
from workshop.comparison.reading import Cell, Notebook, printable, take
from workshop.comparison.reference import Chapter
from workshop.comparison.states import tagged

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
SECONDS, CELL_SECONDS = 900.0, 120
"""Seconds after which a notebook is ended, and one of its cells interrupted."""
MEMORY = 6e9
"""Bytes of all processes of a notebook together."""
_MAX_PROCESSES = 200
_SPARE_MEMORY = 3e8
"""Memory that belongs to no process (of files, pipes, queues) is not counted; it is stopped before there is none."""


def require_bubblewrap() -> None:
    """Raise BadInput if this machine cannot make the sandbox, and say what to do."""
    reason = "its program bwrap is not here"
    if shutil.which("bwrap"):
        probe = subprocess.run([*_sandbox([]), "true"], capture_output=True, text=True, errors="replace")
        reason = printable(probe.stderr.strip().split("\n")[-1] or "it fails") if probe.returncode else ""
    if reason:
        raise BadInput(
            f"Students' code is run in bubblewrap only: {reason}.",
            where="--execute",
            next_step="On Linux, `apt install bubblewrap` (0.8 or newer; the system must let users make namespaces). "
            "Without --execute nothing of theirs is run, and the states are those in the notebooks.",
        )


def execute(notebook: Notebook, chapter: Chapter) -> Notebook:
    """Return a notebook with new outputs, as far as it came; its notes say why it came no further."""
    notes = list(notebook.notes)
    earlier = {number: outputs.folder(number, "solutions") for number in range(1, chapter.number)}
    if missing := ", ".join(str(number) for number, folder in earlier.items() if not folder.is_dir()):
        notes.append(f"run by --execute without the outputs of chapter {missing}: run `labcourse run` first")
    cells = [as_json(cell) for cell in with_checks(notebook, chapter)]
    executed, note = run_cells(cells, [folder for folder in earlier.values() if folder.is_dir()])
    fresh = take({"cells": executed or cells}).cells
    notes += [f"run by --execute: {note}"] if note else []
    for number, cell in enumerate(fresh, 1):
        if cell.error == "KeyboardInterrupt":
            what = printable(cell.tags[0]) if cell.tags else f"cell {number}"
            notes.append(f"run by --execute: {what} was stopped after {CELL_SECONDS} s")
    return Notebook(fresh, tuple(notes))


def with_checks(notebook: Notebook, chapter: Chapter) -> list[Cell]:
    """Return the cells with each check as the course has it, right behind its exercise if it was deleted."""
    cells = list(notebook.cells)
    for exercise in chapter.exercises:
        tag = f"check-{exercise.number}"
        checks, answers = tagged(cells, tag), tagged(cells, f"exercise-{exercise.number}")
        cells = [replace(cell, source=exercise.check) if cell in checks else cell for cell in cells]
        if answers and not checks:
            cells.insert(cells.index(answers[-1]) + 1, Cell("code", exercise.check, (tag,)))
    return cells


def as_json(cell: Cell) -> dict[str, Any]:
    """Return a cell of a notebook's file, not run yet."""
    new = {"cell_type": cell.kind, "metadata": {"tags": [*cell.tags]}, "source": cell.source}
    return new | ({"execution_count": None, "outputs": []} if cell.kind == "code" else {})


def run_cells(cells: Sequence[dict[str, Any]], inputs: Sequence[Path]) -> tuple[list[dict[str, Any]], str]:
    """Run cells in a fresh kernel that may read some folders of outputs (``inputs``).

    Returns
    -------
    cells, note
        The cells with their outputs, none if the sandbox had to be ended; and why they were not run to the end.
    """
    command = [*_sandbox(inputs), sys.executable, "-m", "workshop.comparison.inside"]
    folders = ":".join(map(str, _sample_folders()))
    environment = _ENVIRONMENT | {"PYTHONPATH": str(settings.home()), "LABCOURSE_DATA": folders}
    with tempfile.TemporaryFile() as order, tempfile.TemporaryFile() as received:
        order.write(json.dumps([cells, CELL_SECONDS]).encode())
        order.seek(0)
        process = subprocess.Popen(command, env=environment, stdin=order, stdout=received, stderr=subprocess.STDOUT)
        try:
            note = _watch(process)
        finally:
            process.kill()  # and with it everything in the sandbox
            process.wait()
        received.seek(0)
        text = received.read().decode("utf-8", "replace")
    try:
        executed, end = json.loads(text)
    except (ValueError, RecursionError):  # bubblewrap's own words, or nothing
        executed, end = [], f"it could not be run to its end: {text.strip() or 'its sandbox was ended'}"
    return executed, note or printable(end, 300)


def _sample_folders() -> list[Path]:
    return [*dict.fromkeys((*settings.search_path(), *settings.search_path("2025")))]


def _sandbox(inputs: Sequence[Path]) -> list[str]:
    """Return the command line up to the program: later options cover what earlier ones show."""
    home = settings.home()
    most, half = f"{MEMORY:.0f}", f"{MEMORY / 2:.0f}"
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


def _watch(process: subprocess.Popen[bytes]) -> str:
    """Wait until the sandbox ends or has to be ended; return why."""
    import psutil

    deadline = time.monotonic() + SECONDS
    while process.poll() is None:
        used, family = 0, []
        with contextlib.suppress(psutil.Error):
            family = psutil.Process(process.pid).children(recursive=True)
        for child in family:
            with contextlib.suppress(psutil.Error):
                used += child.memory_info().rss
        if time.monotonic() > deadline:
            return f"stopped after {SECONDS:.0f} s"
        if used > MEMORY or psutil.virtual_memory().available < _SPARE_MEMORY:
            return f"stopped: more than {MEMORY / 1e9:.1f} GB of memory, or than this machine has"
        if len(family) > _MAX_PROCESSES:
            return f"stopped: more than {_MAX_PROCESSES} processes"
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
    return ""
