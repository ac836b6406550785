"""Checks of chapter 5, event weights."""

from labcourse.checks.chapter5.balance import *
from labcourse.checks.chapter5.measures import *
