"""Tools for authors, instructors and machines, and the command ``labcourse``."""
