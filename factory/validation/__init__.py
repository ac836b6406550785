"""Are simulated samples like the real ones? Two-sample tests, target figures, and a page that shows them."""

from factory.validation.compare import Loaded, Pair, Row, failing, load, rows
from factory.validation.page import write
from factory.validation.targets import Target, targets

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
