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


_interrupted: Any = None
"""The history of a training that was interrupted in the notebook cell being run."""
_unfinished: dict[str, tuple[int, Any]] = {}
_repeated: tuple[int, Any] | None = None


def note_interrupt(history: Any) -> None:
    """Note that a training of the notebook cell being run was interrupted, and went on with a part of its history.

    The part has an attribute ``interrupted``; who means to use it as it is sets it to False.
    """
    global _interrupted
    shell = _shell()
    if shell is None:
        return
    shell.events.register("pre_run_cell", _before_cell)
    shell.events.register("post_run_cell", _after_cell)
    _interrupted = history


def was_interrupted() -> bool:
    """Return whether a computation of the notebook cell being run was interrupted: what it makes are parts."""
    return _interrupted is not None


def unfinished_cell() -> int:
    """Return the number of a cell with an interrupted training that was not run to its end since; 0 if there is none.

    What later cells compute may come from its parts.
    """
    return next((number for number, history in _unfinished.values() if history.interrupted), 0)


def _before_cell(info: Any) -> None:
    global _repeated
    _repeated = _unfinished.pop(_name(info), None)


def _after_cell(result: Any) -> None:
    global _interrupted
    if _interrupted is not None:
        _unfinished[_name(result.info)] = result.execution_count, _interrupted
        _interrupted = None
    elif _repeated and not result.success:
        _unfinished[_name(result.info)] = _repeated


def _name(info: Any) -> str:
    # A cell that was edited is still the same cell; but not every front end says which one it runs.
    return getattr(info, "cell_id", None) or str(info.raw_cell)


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
