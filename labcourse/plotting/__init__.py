"""Every figure of the course. Each function returns (figure, axes); `show` puts it into the notebook.

The numbers come from `metrics`, `homogeneity` and `significance`. All raise `BadInput` if a column is missing or there
is not one finite number per event, and `EmptySelection` if there are no events, or none of a class.
"""

from __future__ import annotations

import importlib
from typing import Any

_FILES = {
    "style": ("axis_title", "data_kind", "new_figure", "png", "show", "stamp", "use_style"),
    "variables": ("compare_many", "variable"),
    "results": ("calibration", "comparison", "losses", "overtraining", "paired_folds", "roc", "score_by_class"),
}
"""What is where: the looks; distributions and yields; scores, losses, folds, numbers."""


def __getattr__(name: str) -> Any:
    """Return a function from its file: files are read when needed, as a chapter draws a few figures."""
    for file, names in _FILES.items():
        if name in names:
            return getattr(importlib.import_module(f"{__name__}.{file}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List all functions, read or not."""
    return sorted(name for names in _FILES.values() for name in names)
