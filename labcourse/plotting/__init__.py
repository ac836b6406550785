"""Every figure of the course. Each function returns (figure, axes); `show` puts it into the notebook.

Files: `variables` (distributions), `tables` (bars and points), `learning` (loss curves, folds), `scores`
(the network's output), `cuts` (significance); below them `drawing`, `access` (from tables to arrays),
`statistics` (the numbers) and `style` (the looks).
"""

from labcourse.plotting.access import auc, separation
from labcourse.plotting.cuts import compare_scans, p_value, significance_scan
from labcourse.plotting.learning import fold_losses, learning_rate, losses, paired_folds
from labcourse.plotting.scores import calibration, confusion, overtraining, roc, score_by_class, score_stacked
from labcourse.plotting.statistics import histogram, poisson_interval, roc_curve
from labcourse.plotting.style import axis_title, data_kind, new_figure, png, show, stamp, use_style
from labcourse.plotting.tables import comparison, cut_flow, raw_and_expected
from labcourse.plotting.variables import compare, compare_many, mass, mass_before_after, variable, weights

__all__ = [
    "auc",
    "axis_title",
    "calibration",
    "compare",
    "compare_many",
    "compare_scans",
    "comparison",
    "confusion",
    "cut_flow",
    "data_kind",
    "fold_losses",
    "histogram",
    "learning_rate",
    "losses",
    "mass",
    "mass_before_after",
    "new_figure",
    "overtraining",
    "p_value",
    "paired_folds",
    "png",
    "poisson_interval",
    "raw_and_expected",
    "roc",
    "roc_curve",
    "score_by_class",
    "score_stacked",
    "separation",
    "show",
    "significance_scan",
    "stamp",
    "use_style",
    "variable",
    "weights",
]
