"""The child process of the sandbox: ``python -m workshop.comparison.inside``, with its order on standard input.

Each executed cell goes to standard output as one line of JSON, at once: what was done survives whatever
the next cell does.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import struct
import subprocess
import sys
from typing import Any

__all__ = ["main"]

_MS_BIND = 0x1000
_SYS_MOUNT_SETATTR = 442
_AT_FDCWD, _AT_RECURSIVE, _READ_ONLY = -100, 0x8000, 1
_PR_CAPBSET_DROP = 24
_SOCKETS = ("/run", "/tmp/.X11-unix")


def main() -> None:
    """Obey one order."""
    order = json.load(sys.stdin)
    # The pipe to the parent must not be the standard output that the kernel inherits.
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    notes = []
    if order["is_cut"]:
        _raise_loopback()
        try:
            _write_protect(order["writable"])
        except OSError as error:
            notes.append(f"it could have changed files of this machine: {error}")
    _limit(order["memory"])
    notes.append(_run(order, channel))
    channel.write(json.dumps({"end": "; ".join(filter(None, notes))}) + "\n")
    channel.flush()


def _run(order: dict[str, Any], channel: Any) -> str:
    from nbclient import NotebookClient
    from nbclient.exceptions import CellControlSignal, DeadKernelError
    from nbformat import v4

    from workshop.authoring.run import kernel_manager_class

    notebook = v4.new_notebook(cells=[v4.new_code_cell(source) for source in order["sources"]])
    sent: dict[int, str] = {}

    def send(index: int) -> None:
        cell = notebook.cells[index]
        line = json.dumps({"index": index, "cell": cell})
        if sent.get(index) != line:
            channel.write(line + "\n")
            channel.flush()
            sent[index] = line

    client = NotebookClient(
        notebook,
        kernel_manager_class=kernel_manager_class(),
        timeout=order["cell_seconds"],
        interrupt_on_timeout=True,
        allow_errors=True,
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": order["work"]}},
        on_cell_executed=lambda cell_index, **_: send(cell_index),
    )
    note = ""
    try:
        client.execute(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except DeadKernelError:
        note = "its kernel died, perhaps for want of memory"
    except (CellControlSignal, RuntimeError) as error:
        note = f"it could not be run: {error}"
    for index, cell in enumerate(notebook.cells):
        if cell.outputs:
            send(index)
    return note


def _limit(memory: int) -> None:
    """Let a process that asks for too much memory get a MemoryError; address space is not limited.

    TensorFlow reserves address space that it never uses; RLIMIT_DATA counts what can be written to.
    """
    if sys.platform == "win32":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard == resource.RLIM_INFINITY or hard > memory:
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _raise_loopback() -> None:
    """Give the empty network its localhost, over which the kernel is spoken to."""
    import fcntl
    import socket

    set_flags, up_and_running = 0x8914, 0x41
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, set_flags, struct.pack("16sh14x", b"lo", up_and_running))


def _is_below(path: str, folder: str) -> bool:
    return os.path.realpath(path).startswith(os.path.realpath(folder) + os.sep)


def _write_protect(writable: list[str]) -> None:
    """Make all files but those in the ``writable`` folders read-only for this process and its children.

    Folders where services and the desktop listen are empty: what is read-only can still be connected to.

    We are alone in a mount namespace, so that nobody else notices. Needs Linux 5.12; raises OSError otherwise.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    paths = [os.fsencode(folder) for folder in writable]

    def checked(result: int, *ignored: int) -> None:
        if result and ctypes.get_errno() not in ignored:
            raise OSError(ctypes.get_errno(), "they cannot be protected")

    def set_read_only(folder: bytes, *, on: bool, recursive: int) -> None:
        # struct mount_attr: attr_set, attr_clr, propagation, userns_fd
        attributes = (ctypes.c_uint64 * 4)(_READ_ONLY * on, _READ_ONLY * (not on), 0, 0)
        checked(libc.syscall(_SYS_MOUNT_SETATTR, _AT_FDCWD, folder, recursive, ctypes.byref(attributes), 32))

    for path in paths:
        checked(libc.mount(path, path, None, _MS_BIND, None))
    for folder in _SOCKETS:
        # What is needed may lie there; then the sockets stay in sight.
        if os.path.isdir(folder) and not any(_is_below(path, folder) for path in (*writable, *sys.path, sys.prefix)):
            checked(libc.mount(b"none", os.fsencode(folder), b"tmpfs", 0, None))
    set_read_only(b"/", on=True, recursive=_AT_RECURSIVE)
    for path in paths:
        set_read_only(path, on=False, recursive=0)
    os.chdir("/")
    # We are root in here. The kernel must not be: root could mount the files anew, and write to them.
    for capability in range(64):
        checked(libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0), errno.EINVAL)  # so many are not known everywhere


if __name__ == "__main__":
    main()
