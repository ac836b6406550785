"""``python -m labcourse.cli``."""

from labcourse.cli import main

main()
