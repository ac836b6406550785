"""Every figure of the course. Each function returns (figure, axes); `show` puts it into the notebook.

Files: `variables` (distributions), `scores` (the network's output), `learning` (losses and folds), `results` (bars,
points, significance), `style` (the looks). The numbers come from `metrics`, `selection` and `significance`.

All raise `BadInput` if a column is missing or there is not one finite number per event, and `EmptySelection` if there
are no events, or none of a class.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__all__ = [
    "axis_title",
    "calibration",
    "compare_many",
    "compare_scans",
    "comparison",
    "cut_flow",
    "data_kind",
    "fold_losses",
    "losses",
    "mass_before_after",
    "new_figure",
    "overtraining",
    "paired_folds",
    "png",
    "roc",
    "score_by_class",
    "score_stacked",
    "show",
    "significance_scan",
    "stamp",
    "use_style",
    "variable",
    "weights",
]

if TYPE_CHECKING:
    from labcourse.plotting.learning import fold_losses, losses, paired_folds
    from labcourse.plotting.results import compare_scans, comparison, cut_flow, significance_scan
    from labcourse.plotting.scores import calibration, overtraining, roc, score_by_class, score_stacked
    from labcourse.plotting.style import axis_title, data_kind, new_figure, png, show, stamp, use_style
    from labcourse.plotting.variables import compare_many, mass_before_after, variable, weights
else:

    def __getattr__(name: str) -> Any:
        """Return a function from the first file that has it: files are read when needed, as a chapter draws a few."""
        for file in ("style", "variables", "results", "scores", "learning") if name in __all__ else ():
            if function := getattr(importlib.import_module(f"{__name__}.{file}"), name, None):
                return function
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        """List all functions, read or not."""
        return __all__
