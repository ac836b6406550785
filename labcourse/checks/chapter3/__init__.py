"""Checks of chapter 3, evaluation."""

from labcourse.checks.chapter3.curves import *
from labcourse.checks.chapter3.cuts import *
