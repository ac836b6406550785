"""How significant is an excess? The formulas (`formulas`), and the scan of a cut on the score (`cuts`)."""

from labcourse.significance.cuts import TRUSTED, BestCut, Scan, best, scan
from labcourse.significance.formulas import Measure, asimov, ideal, observed, p_value, simple, z_value

__all__ = [
    "TRUSTED",
    "BestCut",
    "Measure",
    "Scan",
    "asimov",
    "best",
    "ideal",
    "observed",
    "p_value",
    "scan",
    "simple",
    "z_value",
]
