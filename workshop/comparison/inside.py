"""What runs inside the sandbox: ``python -m workshop.comparison.inside``, with cells and a limit on standard input.

The executed cells go to standard output, as JSON, with why they were not run to the end, or an empty text.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys

MAX_OUTPUT = 50_000_000
"""Characters of all cells with their outputs."""
_PR_SET_DUMPABLE = 4


def main() -> None:
    """Run cells."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellControlSignal, DeadKernelError
    from nbformat import from_dict

    cells, cell_seconds = json.load(sys.stdin)
    # The kernel must not write in our name: it does not inherit the file, and may not look into this process. Nor are
    # notes of libraries to stand in it.
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    notebook = from_dict({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    client = NotebookClient(
        notebook,
        timeout=cell_seconds,
        interrupt_on_timeout=True,
        allow_errors=True,
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": os.getcwd()}},
    )
    end = ""
    try:
        client.execute()
    except DeadKernelError:
        end = "its kernel died, perhaps for want of memory"
    except (CellControlSignal, RuntimeError) as error:
        end = f"it could not be run to its end: {error}"
    text = json.dumps([notebook.cells, end])
    channel.write(text if len(text) < MAX_OUTPUT else json.dumps([[], "it has too much output"]))
    channel.close()


if __name__ == "__main__":
    main()
