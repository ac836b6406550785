"""Checks of chapter 8, low-level variables."""

from labcourse.checks.chapter8.inputs import *
from labcourse.checks.chapter8.mass import *
from labcourse.checks.chapter8.network import *
