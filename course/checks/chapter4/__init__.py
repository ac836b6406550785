"""Checks of chapter 4, early stopping."""

from course.checks.chapter4.backgrounds import *
from course.checks.chapter4.comparing import *
from course.checks.chapter4.stopping import *
