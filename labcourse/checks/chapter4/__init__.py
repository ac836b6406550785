"""Checks of chapter 4, early stopping."""

from labcourse.checks.chapter4.backgrounds import *
from labcourse.checks.chapter4.comparing import *
from labcourse.checks.chapter4.stopping import *
