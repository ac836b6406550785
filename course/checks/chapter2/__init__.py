"""Checks of chapter 2, training."""

from course.checks.chapter2.inputs import *
from course.checks.chapter2.network import *
from course.checks.chapter2.split import *
