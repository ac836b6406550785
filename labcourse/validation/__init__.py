"""Are simulated samples like the real ones? Two-sample tests, target figures, and a page that shows them."""

from labcourse.validation.compare import Loaded, Pair, Row, failing, load, rows
from labcourse.validation.page import write
from labcourse.validation.targets import Target, targets

__all__ = [
    "Loaded",
    "Pair",
    "Row",
    "Target",
    "failing",
    "load",
    "rows",
    "targets",
    "write",
]
