"""Checks of chapter 1, data preparation."""

from labcourse.checks.chapter1.preselection import *
from labcourse.checks.chapter1.variables import *
from labcourse.checks.chapter1.weighting import *
