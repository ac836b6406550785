"""Are simulated samples like the real ones? Two-sample tests, the Higgs peak, and a page that shows them."""

from factory.validation.page import write
from factory.validation.pairs import THRESHOLD, failing, load, rows
from factory.validation.peak import peaks

__all__ = ["THRESHOLD", "failing", "load", "peaks", "rows", "write"]
