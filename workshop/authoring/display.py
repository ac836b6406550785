"""What a run looks like in the terminal: progress with the time left, then the table of key numbers."""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Iterable, Mapping
from typing import Any

from rich.markup import escape
from rich.table import Table

from labcourse.progress import Line, seconds
from workshop.authoring.expected import Number
from workshop.authoring.run import ChapterRun, Task

_UNKNOWN_SECONDS = 20.0


class RunProgress(Line):
    """Progress of several notebooks: a line with all that run and the time left; one per finished chapter stays.

    Its unit is the expected second, spread evenly over the cells of a chapter, since a chapter that trains takes longer
    than its number of cells says.
    """

    def __init__(self, tasks: Iterable[Task], expected: Mapping[str, float]) -> None:
        super().__init__()
        self._expected = {task.chapter: float(expected.get(str(task.chapter), _UNKNOWN_SECONDS)) for task in tasks}
        self._parts, self._running = dict[int, float](), dict[int, str]()
        self._begin = time.monotonic()

    def on_cell(self, task: Task) -> None:
        """Advance by one cell."""
        self._parts[task.chapter] = part = self._parts.get(task.chapter, 0.0) + 1 / max(task.cells, 1)
        self._running[task.chapter] = f"{_title(task.name)} {part:.0%}"
        done = sum(self._expected[chapter] * part for chapter, part in self._parts.items())
        left = (time.monotonic() - self._begin) * max(sum(self._expected.values()) / done - 1, 0)
        self.show(f"{', '.join(self._running.values())}; {seconds(left)} left")

    def on_chapter(self, result: ChapterRun, task: Task) -> None:
        """Say that a chapter is done."""
        self._parts[task.chapter] = 1.0
        self._running.pop(task.chapter, None)
        said = f"{'✓' if result.is_right else '✗'} {_title(result.name)}: {result.seconds:.1f} s"
        print(f"\r{said}\x1b[K" if sys.stderr.isatty() else said, file=sys.stderr)  # in place of the line


def run_table(results: Iterable[ChapterRun]) -> Table:
    """Return the closing table: chapter, seconds, its key numbers beside the expected ones."""
    table = Table(title="Key numbers", title_justify="left")
    for name in ("chapter", "seconds", "quantity", "value", "expected", ""):
        table.add_column(name, justify="right" if name in ("seconds", "value", "expected") else "left")
    for result in results:
        shown = [number for number in result.numbers if number.expected is not None]
        shown = shown or [number for number in result.numbers if isinstance(number.value, (int, float))]
        rows = [_cells(number) for number in shown] or [("–", "", "", "[green]✓[/]")]
        if result.error:
            rows = [("did not run to its end", "", "", "[red]✗[/]")]
        for i, row in enumerate(rows):
            table.add_row(*("", "") if i else (_title(result.name), f"{result.seconds:.1f}"), *row)
        table.add_section()
    return table


def as_rows(results: Iterable[ChapterRun]) -> list[dict[str, Any]]:
    """Return the same as a list that JSON can hold, one entry per chapter."""
    rows = [dataclasses.asdict(result) for result in results]
    for row in rows:
        numbers = {number.name: number._asdict() | {"is_right": number.is_right} for number in row["numbers"]}
        for number in numbers.values():
            number["value"] = number["value"] if number["value"] == number["value"] else None  # NaN is not JSON
        row["numbers"] = numbers
    return rows


def table(rows: list[dict[str, Any]], title: str = "") -> Table:
    """Return rows with the same keys as a table; numbers stand to the right."""
    made = Table(title=escape(title) or None, title_justify="left")
    for name, value in rows[0].items() if rows else ():
        made.add_column(name, justify="right" if isinstance(value, (int, float)) else "left", overflow="fold")
    for row in rows:
        made.add_row(*(escape(_number(value)) for value in row.values()))
    return made


def _cells(number: Number) -> tuple[str, str, str, str]:
    if number.expected is None or number.tolerance is None:
        return number.name, _number(number.value), "", ""
    mark = "[green]✓[/]" if number.is_right else "[red]✗[/]"
    bounds = f"{_number(number.expected)} ± {_number(number.tolerance)}"
    return number.name, "missing" if number.value is None else _number(number.value), bounds, mark


def _number(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:.1f}".removesuffix(".0")
    return str(value)


def _title(name: str) -> str:
    """Turn ``chapter1_data_preparation`` into ``1 data preparation``."""
    return name.removeprefix("chapter").replace("_", " ")
