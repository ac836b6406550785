"""How far a campaign is, how fast, and how long it will take."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from labcourse.progress import seconds as written

SECONDS_BETWEEN_LINES = 60.0
"""In the log of a batch job, where no bar can be drawn."""


class Forecast:
    """A bar in seconds of work, as the finished chunks measure them, so that slow samples count for more.

    It goes to standard error; where that is no terminal, a line a minute says the same.
    """

    def __init__(self, *, visible: bool = True) -> None:
        console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description:<16}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("left:"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[rate]}"),
            # Chunks take many seconds: a rate over the last few only would jump.
            speed_estimate_period=300,
            console=console,
            disable=not (visible and console.is_terminal),
        )
        self._task = self._bar.add_task("starting", total=None, rate="")
        self._begin, self._events, self._worked = time.monotonic(), 0, 0.0
        self._lines = visible and not console.is_terminal
        self._last_line = self._begin

    def show(self, work_left: float, seconds: float, events: int, sample: str) -> None:
        """Take note of a chunk: its seconds of work, its events, and the work that is left after it."""
        self._worked += seconds
        self._events += events
        now = time.monotonic()
        elapsed = max(now - self._begin, 1e-3)
        rate = self._events / elapsed
        self._bar.update(
            self._task,
            total=self._worked + work_left,
            completed=self._worked,
            description=sample,
            rate=f"{rate:,.0f} events/s",
        )
        if self._lines and now - self._last_line >= SECONDS_BETWEEN_LINES:
            self._last_line = now
            share, left = self._worked / (self._worked + work_left), written(elapsed * work_left / self._worked)
            line = f"{sample}: {share:.0%} done after {written(elapsed)}, {left} left, {rate:,.0f} events/s"
            print(line, file=sys.stderr, flush=True)

    def __enter__(self) -> Forecast:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()
