"""One line that says how far a long computation is.

In a terminal the line is rewritten in place; in a notebook one stored output is updated, so that the
notebook keeps the last line and nothing else. Where nobody watches, nothing is shown.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Collection, Iterator
from typing import Any, TypeVar

Item = TypeVar("Item")

SECONDS_BETWEEN = 0.1
"""A line that changes more often than this cannot be read."""


class Line:
    """A line of progress, to be used as a context: it is finished when the context is left.

    Parameters
    ----------
    visible : bool
        False never shows anything; True shows the line in a terminal or a notebook.

    Examples
    --------
    >>> with Line(visible=False) as line:
    ...     line.show("epoch 1/10")
    """

    def __init__(self, *, visible: bool = True) -> None:
        self._where = _surroundings() if visible else "nowhere"
        self._handle: Any = None
        self._last, self._shown, self._time = "", "", 0.0

    def show(self, text: str) -> None:
        """Replace the line; too frequent changes are skipped, except for the last."""
        self._last = text
        if time.monotonic() - self._time >= SECONDS_BETWEEN:
            self._write()

    def say(self, text: str) -> None:
        """Replace the line by something that the reader must know, even where no progress is shown."""
        self.show(text)
        if self._where == "nowhere":
            print(text)

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        self._write()
        if self._where == "terminal" and self._shown:
            sys.stdout.write("\n")
            sys.stdout.flush()

    def _write(self) -> None:
        if self._where == "nowhere" or self._last == self._shown:
            return
        if self._where == "terminal":
            # \x1b[K clears what a longer line before left behind.
            sys.stdout.write(f"\r{self._last}\x1b[K")
            sys.stdout.flush()
        else:
            self._write_to_notebook()
        self._shown, self._time = self._last, time.monotonic()

    def _write_to_notebook(self) -> None:
        from IPython.display import display

        output = {"text/plain": self._last}
        if self._handle is None:
            self._handle = display(output, raw=True, display_id=True)
        else:
            self._handle.update(output, raw=True)


def each(items: Collection[Item], text: str = "{}", *, visible: bool = True) -> Iterator[Item]:
    """Go through items of a long loop, and show which one it is at and how long the rest will take.

    Parameters
    ----------
    text : str
        What the loop is at, with the item at ``{}``, such as ``"{:g} GeV"``.
    visible : bool
        As in `Line`.

    Examples
    --------
    >>> [mass**2 for mass in each((300, 500), "{:g} GeV", visible=False)]
    [90000, 250000]
    """
    begin = time.monotonic()
    with Line(visible=visible) as line:
        for done, item in enumerate(items):
            left = (time.monotonic() - begin) / done * (len(items) - done) if done else 0.0
            line.show(f"{done + 1}/{len(items)}  {text.format(item)}" + (f", {seconds(left)} left" if left else ""))
            yield item
        if len(items):
            line.show(f"{len(items)}/{len(items)}  {text.format(item)}, {seconds(time.monotonic() - begin)}")


def seconds(duration: float) -> str:
    """Write a duration for a reader.

    Examples
    --------
    >>> seconds(0.123), seconds(75), seconds(4000)
    ('0.1 s', '1 min 15 s', '1 h 06 min')
    """
    if duration < 10:
        return f"{duration:.1f} s"
    whole = round(duration)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


_interrupted_cell = 0


def note_interrupt() -> None:
    """Note that a computation of the notebook cell being run was interrupted, and went on with what it had."""
    global _interrupted_cell
    _interrupted_cell = _cell()


def was_interrupted() -> bool:
    """Return whether a computation of the notebook cell being run was interrupted: what it makes are parts."""
    return _interrupted_cell != 0 and _interrupted_cell == _cell()


def _cell() -> int:
    return int(getattr(_shell(), "execution_count", 0))


def _shell() -> Any:
    """Return the shell of IPython, without importing it if nobody has."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


def _surroundings() -> str:
    """Return ``notebook``, ``terminal`` or ``nowhere``."""
    shell = _shell()
    if shell is not None and hasattr(shell, "kernel"):
        return "notebook"
    return "terminal" if sys.stdout is not None and sys.stdout.isatty() else "nowhere"
