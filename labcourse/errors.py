"""What can go wrong, in the user's words.

Every error says *what* is wrong, *where*, and *what to do next*. In a notebook it is shown as that
one message: a traceback through the package would bury it.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path


def as_typed(text: str) -> str:
    """Name the command ``labcourse`` in a text by its path, as it works in any terminal.

    That of JupyterLab often knows the paths of the login only, whatever JupyterLab itself was started with.
    """
    own = Path(sys.executable).with_name("labcourse")
    is_there = own.is_file() or own.with_suffix(".exe").is_file()
    return text.replace("`labcourse ", f"`{shlex.quote(str(own))} ") if is_there else text


class LabCourseError(Exception):
    """Base of all errors that the course raises on purpose.

    Parameters
    ----------
    what : str
        What is wrong, one sentence.
    where, next_step : str
        The file, chapter, sample or argument concerned; what the reader can do about it.

    Examples
    --------
    >>> print(LabCourseError("The file is empty.", where="a.root", next_step="Download it again."))
    The file is empty.
      where: a.root
      next:  Download it again.
    """

    def __init__(self, what: str, where: str = "", next_step: str = "") -> None:
        super().__init__(what, where, next_step)  # what pickling between processes makes it from again
        self.what, self.where, self.next_step = what, where, next_step

    def __str__(self) -> str:
        where = f"\n  where: {self.where}" if self.where else ""
        return self.what + where + (f"\n  next:  {self.next_step}" if self.next_step else "")

    def _render_traceback_(self) -> list[str]:
        """Tell IPython to show the message only."""
        return f"{type(self).__name__}: {as_typed(str(self))}".split("\n")


class UnknownSample(LabCourseError):
    """A sample name that the catalogue does not hold."""


class MissingSample(LabCourseError):
    """A sample of the catalogue whose file is nowhere on the search path."""


class BadFile(LabCourseError):
    """A file that is not what it should be: truncated, foreign, without the tree or a branch."""


class ForeignFile(BadFile):
    """A whole file of something else: without the tree or a branch, or with one of another form."""


class BadEvents(LabCourseError):
    """Events with impossible content: NaN, infinite values, fewer than four leptons, no events."""


class EmptySelection(LabCourseError):
    """A selection that leaves no event."""


class BadInput(LabCourseError, ValueError):
    """An argument of the wrong shape, type or range."""


class DamagedOutput(LabCourseError):
    """An output that cannot be read back."""


class StorageError(LabCourseError):
    """The disk is full, read-only or otherwise refuses."""
