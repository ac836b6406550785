"""Checks of chapter 6, cross-validation."""

from course.checks.chapter6.folds import *
from course.checks.chapter6.model import *
from course.checks.chapter6.spread import *
