"""What runs inside the sandbox: ``python -m workshop.comparison.inside``, with its order on standard input.

Each executed cell goes to standard output as one line of JSON, at once: what was done survives whatever
the next cell does.
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import time
from typing import Any

_PR_SET_DUMPABLE = 4


def main() -> None:
    """Obey one order."""
    order = json.load(sys.stdin)
    # The kernel must not write in our name: it does not inherit the pipe, and may not look into this process.
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)

    def send(message: dict[str, Any]) -> None:
        channel.write(json.dumps(message) + "\n")
        channel.flush()

    send({"end": _run(order["sources"], order["cell_seconds"], send)})


def _run(sources: list[str], cell_seconds: float, send: Any) -> str:
    """Run the cells, and return why they were not run to the end, or an empty text."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellControlSignal, DeadKernelError
    from nbformat import v4

    from workshop.authoring.run import kernel_manager_class

    notebook = v4.new_notebook(cells=[v4.new_code_cell(source) for source in sources])
    started = 0.0

    def begin(**_: Any) -> None:
        nonlocal started
        started = time.monotonic()

    def report(cell_index: int, **_: Any) -> None:
        is_stopped = time.monotonic() - started > cell_seconds
        send({"index": cell_index, "cell": notebook.cells[cell_index], "stopped": is_stopped})

    client = NotebookClient(
        notebook,
        kernel_manager_class=kernel_manager_class(),
        timeout=cell_seconds,
        interrupt_on_timeout=True,
        allow_errors=True,
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": os.getcwd()}},
        on_cell_execute=begin,
        on_cell_executed=report,
    )
    try:
        client.execute(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except DeadKernelError:
        return "its kernel died, perhaps for want of memory"
    except (CellControlSignal, RuntimeError) as error:
        return f"it could not be run: {error}"
    return ""


if __name__ == "__main__":
    main()
