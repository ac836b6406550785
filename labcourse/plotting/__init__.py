"""Every figure of the course. Each function returns (figure, axes); `show` puts it into the notebook.

Files: `variables` (distributions), `scores` (the network's output), `learning` (losses and folds), `results` (bars,
points, significance), `style` (the looks). The numbers come from `metrics`, `selection` and `significance`.

All raise `BadInput` if a column is missing or there is not one finite number per event, and `EmptySelection` if there
are no events, or none of a class.
"""

from labcourse.plotting.learning import fold_losses, losses, paired_folds
from labcourse.plotting.results import compare_scans, comparison, cut_flow, significance_scan
from labcourse.plotting.scores import calibration, overtraining, roc, score_by_class, score_stacked
from labcourse.plotting.style import axis_title, data_kind, new_figure, png, show, stamp, use_style
from labcourse.plotting.variables import compare_many, mass_before_after, variable, weights

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
