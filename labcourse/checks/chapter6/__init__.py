"""Checks of chapter 6, cross-validation."""

from labcourse.checks.chapter6.folds import *
from labcourse.checks.chapter6.model import *
from labcourse.checks.chapter6.spread import *
