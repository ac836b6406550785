"""Checks of the project: one network for every mass."""

from labcourse.checks.project.results import *
from labcourse.checks.project.training import *
