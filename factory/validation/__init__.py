"""Are simulated samples like the real ones? Two-sample tests, and figures of what they compare."""

from factory.validation.pairs import THRESHOLD, compare, load

__all__ = ["THRESHOLD", "compare", "load"]
