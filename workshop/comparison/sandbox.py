"""Running a stranger's notebook in bubblewrap: fresh kernel, limits, no network, no secrets, nothing left behind.

The sandbox shows only what is needed, read-only: the system's programs, this Python, the packages of the course without
its answers, the samples, and what the solutions of earlier chapters made. What the code writes is kept in memory, and
gone with the sandbox; it has no network, no other processes, no sockets, terminals or devices of the user's, and ends
with the process that started it, however that ends. Inside, `inside` starts the kernel and reports each cell.

What comes back comes through a pipe, and is as little to be trusted as what was handed in.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from labcourse import settings
from labcourse.errors import BadInput
from workshop.authoring import source
from workshop.comparison.reading import printable

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
_MAX_PROCESSES = 200
_SPARE_MEMORY = 3e8
"""Memory that belongs to no process (of files, pipes, queues) is not counted; it is stopped before there is none."""


class Limits(NamedTuple):
    """For one notebook: seconds in all and for one cell, and bytes of memory of all processes together."""

    seconds: float = 900.0
    memory: float = 6e9
    cell_seconds: float = 120.0


class Outcome(NamedTuple):
    """The executed cells as notebook JSON by position, why it ended early, if it did, and which cells were stopped."""

    cells: dict[int, dict[str, Any]]
    note: str
    stopped: tuple[int, ...] = ()


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
    process = subprocess.Popen(
        [*_sandbox(inputs, limits.memory), sys.executable, "-m", "workshop.comparison.inside"],
        env=_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    received: list[bytes] = []
    reader = threading.Thread(target=_receive, args=(process, received), daemon=True)
    reader.start()
    try:
        assert process.stdin
        with contextlib.suppress(BrokenPipeError), process.stdin:
            process.stdin.write(json.dumps({"sources": sources, "cell_seconds": limits.cell_seconds}).encode())
        note = _watch(process, limits)
    finally:
        process.kill()  # and with it everything in the sandbox
        process.wait()
        reader.join(10)
    return _outcome(received, note)


def _sandbox(inputs: Sequence[Path], memory: float) -> list[str]:
    """Return the command line up to the program: later options cover what earlier ones show."""
    home = settings.home()
    most, half = f"{memory:.0f}", f"{memory / 2:.0f}"
    shown = [*_SYSTEM, sys.base_prefix, sys.prefix, *(str(home / package) for package in _PACKAGES), *_samples()]
    return [
        *("bwrap", "--unshare-user", "--unshare-all", "--disable-userns", "--cap-drop", "ALL"),
        *("--die-with-parent", "--as-pid-1", "--new-session", "--proc", "/proc", "--dev", "/dev"),
        *("--size", half, "--tmpfs", "/dev/shm", "--remount-ro", "/dev", "--size", half, "--tmpfs", "/tmp"),
        *(part for path in dict.fromkeys(shown) for part in ("--ro-bind-try", path, path)),
        *(part for text in source.texts(home) for part in ("--ro-bind", "/dev/null", str(text))),
        *(part for path in inputs for part in ("--ro-bind", str(path), f"{_OWN}/outputs/solutions/{path.name}")),
        *(part for path in (*settings.search_path(), f"{_OWN}/home") for part in ("--dir", str(path))),
        *("--remount-ro", "/", "--chdir", _OWN),
        *("prlimit", f"--data={most}", "--core=0", "--nproc=2000"),
    ]


def _samples() -> Iterator[str]:
    """Yield the files of the samples: what else lies in their folders is nobody's business."""
    for folder in settings.search_path():
        yield from (str(path) for pattern in ("*.root", "manifest.json", "azh") for path in folder.glob(pattern))


def _environment() -> dict[str, str]:
    folders = ":".join(map(str, settings.search_path()))
    return _ENVIRONMENT | {"PYTHONPATH": str(settings.home()), "LABCOURSE_DATA": folders}


def _watch(process: subprocess.Popen[bytes], limits: Limits) -> str:
    """Wait until the sandbox ends or has to be ended; return why."""
    import psutil

    deadline = time.monotonic() + limits.seconds
    while process.poll() is None:
        if time.monotonic() > deadline:
            return f"stopped after {limits.seconds:.0f} s"
        used, family = 0, []
        with contextlib.suppress(psutil.Error):
            family = psutil.Process(process.pid).children(recursive=True)
        for child in family:
            with contextlib.suppress(psutil.Error):
                used += child.memory_info().rss
        if used > limits.memory or psutil.virtual_memory().available < _SPARE_MEMORY:
            return f"stopped: more than {limits.memory / 1e9:.1f} GB of memory, or than this machine has"
        if len(family) > _MAX_PROCESSES:
            return f"stopped: more than {_MAX_PROCESSES} processes"
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
    return ""


def _receive(process: subprocess.Popen[bytes], received: list[bytes]) -> None:
    left = _MAX_OUTPUT
    assert process.stdout
    with process.stdout, contextlib.suppress(ValueError, OSError):
        while line := process.stdout.readline(left + 1):
            left -= len(line)
            if left < 0:
                received.append(b"too much output")
                process.kill()
                return
            received.append(line)


def _outcome(received: list[bytes], note: str) -> Outcome:
    cells: dict[int, dict[str, Any]] = {}
    stopped: list[int] = []
    ended, last = None, "its sandbox was ended"
    for line in received:
        try:
            message = json.loads(line)
            if "end" in message:
                ended = str(message["end"])
            else:
                cells[index := int(message["index"])] = message["cell"]
                stopped += [index] if message["stopped"] else []
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            last = line.decode("utf-8", "replace").strip() or last
    if not note and ended is None:
        note = f"it could not be run to its end: {last}"
    return Outcome(cells, printable(note or ended or "", 300), tuple(stopped))
