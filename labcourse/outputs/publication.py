"""Key numbers that travel inside the notebook: what an instructor reads off a notebook alone.

A notebook that is handed in comes without its outputs folder. So the numbers of a chapter are stored in the
notebook, too, as an output of the cell that writes them. JupyterLab shows the one line of text beside it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["MIME_TYPE", "publish", "remarks"]

MIME_TYPE = "application/vnd.labcourse+json"
"""Type of the output: ``{"chapter": 1, "numbers": {"expected_signal": 9.7, …}}``."""

remarks: list[Callable[[int], list[str]]] = []
"""Return, for a chapter, what is to be said beside its numbers, such as that an exercise is not checked."""


def publish(chapter: int, numbers: Mapping[str, Any]) -> None:
    """Store the numbers as an output of the cell that is running; outside of a notebook nothing happens.

    Only single numbers are stored, with six digits: the last ones differ between machines, and no tolerance
    is that narrow.
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if not hasattr(shell, "kernel"):
        return
    from IPython.display import display

    kept = {
        name: float(f"{value:.6g}") if isinstance(value, float) else value
        for name, value in numbers.items()
        if isinstance(value, (int, float))
    }
    said = [f"{len(kept)} key numbers of chapter {chapter} are kept"]
    text = "; ".join(said + [text for remark in remarks for text in remark(chapter)])
    display({MIME_TYPE: {"chapter": chapter, "numbers": kept}, "text/plain": text}, raw=True)
