"""Checks of chapter 3, evaluation."""

from course.checks.chapter3.curves import *
from course.checks.chapter3.cuts import *
