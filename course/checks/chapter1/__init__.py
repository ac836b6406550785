"""Checks of chapter 1, data preparation."""

from course.checks.chapter1.preselection import *
from course.checks.chapter1.variables import *
from course.checks.chapter1.weighting import *
