"""Checks of chapter 7, significance."""

from labcourse.checks.chapter7.best_cut import *
from labcourse.checks.chapter7.counting import *
from labcourse.checks.chapter7.formulas import *
