"""Checks of chapter 5, event weights."""

from course.checks.chapter5.balance import *
from course.checks.chapter5.measures import *
