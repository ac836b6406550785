"""Checks of chapter 8, low-level variables."""

from course.checks.chapter8.inputs import *
from course.checks.chapter8.mass import *
from course.checks.chapter8.network import *
