"""What runs inside the sandbox: ``python -m workshop.comparison.inside``, with cells and limits on standard input.

Each executed cell goes to standard output as one line of JSON, at once (position, cell, whether it was stopped): what
was done survives whatever the next cell does. The last line says why cells were not run to the end, or is empty.
"""

from __future__ import annotations

import ctypes
import json
import math
import os
import subprocess
import sys
import time
from typing import Any

_PR_SET_DUMPABLE = 4


def main() -> None:
    """Run cells."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellControlSignal, DeadKernelError
    from nbformat import v4

    from workshop.authoring.run import kernel_manager_class

    sources, cell_seconds, left = json.load(sys.stdin)
    # The kernel must not write in our name: it does not inherit the file, and may not look into this process.
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    started = time.monotonic()

    def begin(**_: Any) -> None:
        nonlocal started
        started = time.monotonic()

    def report(cell_index: int, **_: Any) -> None:
        nonlocal left
        line = json.dumps([cell_index, notebook.cells[cell_index], time.monotonic() - started > cell_seconds])
        left -= len(line)
        if left < 0:
            raise RuntimeError("too much output")
        print(line, file=channel, flush=True)

    notebook = v4.new_notebook(cells=[v4.new_code_cell(source) for source in sources])
    client = NotebookClient(
        notebook,
        kernel_manager_class=kernel_manager_class(),
        timeout=math.ceil(cell_seconds),
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
        end = ""
    except DeadKernelError:
        end = "its kernel died, perhaps for want of memory"
    except (CellControlSignal, RuntimeError) as error:
        end = f"it could not be run to its end: {error}"
    print(json.dumps(end), file=channel, flush=True)


if __name__ == "__main__":
    main()
