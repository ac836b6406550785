"""Checks of the project: one network for every mass."""

from course.checks.project.results import *
from course.checks.project.training import *
