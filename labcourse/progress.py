"""One line that says how far a long computation is.

In a terminal the line is rewritten in place; in a notebook one stored output is updated, so that it keeps the last line
and nothing else. Where nobody watches, nothing is shown.
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

    With ``visible=False`` it is shown nowhere.

    Examples
    --------
    >>> with Line(visible=False) as line:
    ...     line.show("epoch 1/10")
    """

    def __init__(self, *, visible: bool = True) -> None:
        self.prefix = ""
        self._last, self._shown, self._time, self._handle = "", "", 0.0, None
        self._in_notebook = visible and kernel() is not None
        self._in_terminal = visible and not self._in_notebook and sys.stdout is not None and sys.stdout.isatty()

    def show(self, text: str) -> None:
        """Replace the line, after its ``prefix``; too frequent changes are skipped, except for the last."""
        self._last = self.prefix + text
        if time.monotonic() - self._time >= SECONDS_BETWEEN:
            self._write()

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        self._write()
        if self._in_terminal and self._shown:
            print(flush=True)

    def _write(self) -> None:
        if self._last == self._shown:
            return
        if self._in_terminal:
            print(f"\r{self._last}\x1b[K", end="", flush=True)  # clears what a longer line before left behind
        elif self._in_notebook:
            from IPython.display import display

            output = {"text/plain": self._last}
            if self._handle is None:
                self._handle = display(output, raw=True, display_id=True)
            else:
                self._handle.update(output, raw=True)
        self._shown, self._time = self._last, time.monotonic()


def each(items: Collection[Item], text: str = "{}", *, visible: bool = True) -> Iterator[Item]:
    """Go through items of a long loop, and show which one it is at and how long the rest will take.

    ``text`` says what the loop is at, with the item at ``{}``, such as ``"{:g} GeV"``; ``visible`` is that of `Line`.

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
    minutes, left = divmod(round(duration), 60)
    if minutes < 60:
        return f"{minutes} min {left:02d} s" if minutes else f"{left} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def kernel() -> Any:
    """Return the notebook's kernel in which this runs; None outside of notebooks."""
    ipython = sys.modules.get("IPython")  # not imported if nobody has
    return getattr(ipython.get_ipython(), "kernel", None) if ipython is not None else None
