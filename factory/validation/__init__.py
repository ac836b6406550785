"""Are simulated samples like the real ones? Two-sample tests, and a page that shows them."""

from factory.validation.page import write
from factory.validation.pairs import THRESHOLD, failing, load, rows

__all__ = ["THRESHOLD", "failing", "load", "rows", "write"]
