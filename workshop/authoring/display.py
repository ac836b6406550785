"""What a run looks like in the terminal: progress with the time left, then the key numbers as rows of a table."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Mapping
from typing import Any

from rich.markup import escape
from rich.table import Table

from labcourse.progress import Line, seconds
from workshop.authoring.expected import Number
from workshop.authoring.run import Task

_UNKNOWN_SECONDS = 20.0


class RunProgress(Line):
    """Progress of several notebooks: a line with all that run and the time left; one per finished chapter stays.

    Its unit is the expected second, spread evenly over the cells of a chapter, since a chapter that trains takes longer
    than its number of cells says.
    """

    def __init__(self, tasks: Iterable[Task], expected: Mapping[str, float]) -> None:
        super().__init__()
        self._tasks, self._begin = [*tasks], time.monotonic()
        self._seconds = {task.chapter: float(expected.get(str(task.chapter), _UNKNOWN_SECONDS)) for task in self._tasks}

    def on_cell(self, _: Task) -> None:
        """Say how far all are."""
        done = sum(self._seconds[task.chapter] * task.part for task in self._tasks)
        left = (time.monotonic() - self._begin) * max(sum(self._seconds.values()) / done - 1, 0)
        running = [f"{_title(task.name)} {task.part:.0%}" for task in self._tasks if task.cell and not task.seconds]
        self.show(f"{', '.join(running)}; {seconds(left)} left")

    def on_chapter(self, task: Task) -> None:
        """Say that a chapter is done."""
        said = f"{'✓' if task.is_right else '✗'} {_title(task.name)}: {task.seconds:.1f} s"
        print(f"\r{said}\x1b[K" if sys.stderr.isatty() else said, file=sys.stderr)  # in place of the line


def rows(tasks: Iterable[Task]) -> list[dict[str, Any]]:
    """Return what came of some runs: a row per key number, or one for a chapter that has none or failed.

    Of a chapter from which some numbers are expected, these alone; a value that is missing or NaN is None.
    """
    found = []
    for task in tasks:
        single = [number for number in task.numbers if isinstance(number.value, (int, float))]
        numbers = [number for number in task.numbers if number.expected is not None] or single or [Number("", None)]
        for number in numbers:
            is_judged = number.expected is not None or not number.name
            mark = "✗" if task.error or not number.is_right else "✓" if is_judged else ""
            value = number.value if number.value == number.value else None
            row = {"chapter": task.chapter, "seconds": round(task.seconds, 1), "quantity": number.name, "value": value}
            found.append(row | {"expected": number.expected, "tolerance": number.tolerance, "mark": mark})
    return found


def table(rows: list[dict[str, Any]], title: str = "") -> Table:
    """Return rows with the same keys as a table; numbers stand to the right."""
    made = Table(title=escape(title) or None, title_justify="left")
    for name in rows[0] if rows else ():
        is_number = any(isinstance(row[name], (int, float)) for row in rows)
        made.add_column(name, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        made.add_row(*(escape(_text(value)) for value in row.values()))
    return made


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:.1f}".removesuffix(".0")
    return "" if value is None else str(value)


def _title(name: str) -> str:
    """Turn ``chapter1_data_preparation`` into ``1 data preparation``."""
    return name.removeprefix("chapter").replace("_", " ")
