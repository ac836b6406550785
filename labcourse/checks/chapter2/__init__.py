"""Checks of chapter 2, training."""

from labcourse.checks.chapter2.inputs import *
from labcourse.checks.chapter2.network import *
from labcourse.checks.chapter2.split import *
