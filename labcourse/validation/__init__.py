"""Are simulated samples like the real ones? Two-sample tests, target figures, and a page that shows them."""

from labcourse.validation.compare import Loaded, Pair, Row, failing, load, rows
from labcourse.validation.page import write
from labcourse.validation.targets import Target, targets
from labcourse.validation.two_sample import chi_square, kolmogorov_smirnov, quantiles

__all__ = [
    "Loaded",
    "Pair",
    "Row",
    "Target",
    "chi_square",
    "failing",
    "kolmogorov_smirnov",
    "load",
    "quantiles",
    "rows",
    "targets",
    "write",
]
