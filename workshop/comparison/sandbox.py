"""Running a stranger's notebook: fresh kernel, limits, no network, no secrets, nothing left behind.

A child process (`inside`) starts the kernel and reports each cell through a pipe. On Linux it lives in
namespaces of its own, made by ``unshare``: it sees no network, everything but its two folders (`scratch`) is
read-only, and all its processes end with it. Elsewhere none of this holds: the network stays, files can be
written, a process that hides is not found, and the caller asks for the user's word first. Either way it
can read what the user can read.

What comes back comes through the pipe. Nothing here opens a file below a folder that the code could write to.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import IO, Any, NamedTuple

from workshop.comparison.reading import printable
from workshop.comparison.scratch import folder

__all__ = ["Limits", "Outcome", "can_cut_network", "run_cells"]

_UNSHARE = ("--user", "--map-root-user", "--net", "--mount", "--pid", "--fork", "--kill-child")
_PACKAGE = Path(__file__).resolve().parents[1]
_MAX_OUTPUT = 50_000_000
_MAX_LOG = 10_000
_MAX_NOTE = 300
_PASSED_ON = (
    *("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "VIRTUAL_ENV", "CONDA_PREFIX", "LD_LIBRARY_PATH"),
    *("SYSTEMROOT", "WINDIR", "COMSPEC", "PATHEXT"),
    *("LABCOURSE_DATA", "OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "CUDA_VISIBLE_DEVICES"),
)
"""The only variables that students' code sees of the user's environment."""


class Limits(NamedTuple):
    """For one notebook: seconds in all and for one cell, and bytes of memory of all processes together."""

    seconds: float = 900.0
    memory: float = 6e9
    cell_seconds: float = 120.0


class Outcome(NamedTuple):
    """The executed cells as notebook JSON by position, and why it ended early (or an empty text)."""

    cells: dict[int, dict[str, Any]]
    note: str


@functools.cache
def can_cut_network() -> bool:
    """Return whether this machine lets a user make a process without network (Linux with user namespaces)."""
    unshare = shutil.which("unshare") if sys.platform == "linux" else None
    if unshare is None:
        return False
    try:
        return subprocess.run([unshare, *_UNSHARE, "true"], capture_output=True, timeout=20).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def run_cells(sources: list[str], outputs: Path, limits: Limits) -> Outcome:
    """Run code cells one after the other in a fresh kernel.

    Parameters
    ----------
    sources : list of str
        The code of each cell; an empty one is skipped.
    outputs : Path
        Where chapters hand on to each other. All else that the code can write to is new, and gone afterwards.
    limits : Limits
        Where the run is stopped.
    """
    is_cut = can_cut_network()
    prefix = [str(shutil.which("unshare")), *_UNSHARE] if is_cut else []
    # The log has no name: the code cannot put another file, or a pipe, in its place.
    with folder() as scratch, tempfile.TemporaryFile() as log:
        for name in ("work", "home", "tmp", "run"):
            (scratch / name).mkdir()
        order = {
            "sources": sources,
            "work": str(scratch / "work"),
            "writable": [str(scratch), str(outputs)],
            "cell_seconds": limits.cell_seconds,
            "memory": int(limits.memory),
            "is_cut": is_cut,
        }
        process = subprocess.Popen(
            [*prefix, sys.executable, "-m", "workshop.comparison.inside"],
            cwd=_PACKAGE.parent,
            env=_environment(scratch, outputs),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
        received: list[bytes] = []
        reader = threading.Thread(target=_receive, args=(process, received), daemon=True)
        reader.start()
        try:
            with contextlib.suppress(BrokenPipeError):
                assert process.stdin
                process.stdin.write(json.dumps(order).encode())
                process.stdin.close()
            note = _watch(process, limits)
        finally:
            _kill(process)
            reader.join(10)
            if process.stdout:
                process.stdout.close()
        return _outcome(received, note, log)


def _watch(process: subprocess.Popen[bytes], limits: Limits) -> str:
    """Wait until the child ends or has to be ended; return why."""
    import psutil

    deadline = time.monotonic() + limits.seconds
    while process.poll() is None:
        if time.monotonic() > deadline:
            return f"stopped after {limits.seconds:.0f} s"
        used = 0
        for child in _family(process.pid):
            with contextlib.suppress(psutil.Error):
                used += child.memory_info().rss
        if used > limits.memory:
            return f"stopped: more than {limits.memory / 1e9:.1f} GB of memory"
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
    return ""


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the child and all that it started: the kernel leads a session of its own."""
    import psutil

    for child in _family(process.pid):
        with contextlib.suppress(psutil.Error):
            child.kill()
    if sys.platform != "win32":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()


def _family(pid: int) -> list[Any]:
    import psutil

    try:
        parent = psutil.Process(pid)
        return [*parent.children(recursive=True), parent]
    except psutil.Error:
        return []


def _receive(process: subprocess.Popen[bytes], received: list[bytes]) -> None:
    left = _MAX_OUTPUT
    assert process.stdout
    with contextlib.suppress(ValueError, OSError):
        while line := process.stdout.readline(left + 1):
            left -= len(line)
            if left < 0:
                process.kill()
                return
            received.append(line)


def _outcome(received: list[bytes], note: str, log: IO[bytes]) -> Outcome:
    cells: dict[int, dict[str, Any]] = {}
    ended = None
    for line in received:
        try:
            message = json.loads(line)
            if "end" in message:
                ended = str(message["end"])
            else:
                cells[int(message["index"])] = message["cell"]
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            continue  # cut off when the child was stopped
    if not note and ended is None:
        log.seek(max(0, log.seek(0, os.SEEK_END) - _MAX_LOG))
        last = log.read(_MAX_LOG).decode("utf-8", "replace").strip().splitlines()[-1:]
        note = f"it could not be run to its end: {last[0] if last else 'too much output'}"
    return Outcome(cells, printable(note or ended or "", _MAX_NOTE))


def _environment(scratch: Path, outputs: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    home, temporary = str(scratch / "home"), str(scratch / "tmp")
    return kept | {
        "HOME": home,
        "USERPROFILE": home,
        "IPYTHONDIR": f"{home}/ipython",
        "MPLCONFIGDIR": f"{home}/matplotlib",
        "JUPYTER_RUNTIME_DIR": str(scratch / "run"),
        "JUPYTER_PLATFORM_DIRS": "1",
        "TMPDIR": temporary,
        "TEMP": temporary,
        "TMP": temporary,
        "PYTHONPATH": str(_PACKAGE.parent),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "LABCOURSE_OUTPUTS": str(outputs),
        "LABCOURSE_WORKSPACE": "notebooks",
    }
