"""Checks of chapter 7, significance."""

from course.checks.chapter7.best_cut import *
from course.checks.chapter7.counting import *
from course.checks.chapter7.formulas import *
