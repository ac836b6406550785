"""What a run looks like in the terminal: progress with the time left, then the table of key numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from workshop.authoring.expected import Number
from workshop.authoring.run import ChapterRun, Task

_UNKNOWN_SECONDS = 20.0


class RunProgress(Progress):
    """Progress of several notebooks on standard error: a bar for each that runs, and one for all.

    Its unit is the expected second, spread evenly over the cells of a chapter, since a chapter that
    trains takes longer than its number of cells says. Where the output is no terminal (a log file), one
    line per chapter is printed instead.
    """

    def __init__(self, tasks: Iterable[Task], seconds: Mapping[str, float]) -> None:
        left = TextColumn("{task.percentage:3.0f} %, left")
        columns = (TextColumn("{task.description}"), BarColumn(), left, TimeRemainingColumn(compact=True))
        super().__init__(*columns, console=Console(stderr=True), transient=True)
        self._weight = {task.chapter: float(seconds.get(str(task.chapter), _UNKNOWN_SECONDS)) for task in tasks}
        self._all = self.add_task("all", total=sum(self._weight.values()))
        self._bars = {
            task.chapter: self.add_task(_title(task.name), total=self._weight[task.chapter], visible=False)
            for task in tasks
        }

    def on_cell(self, task: Task) -> None:
        """Advance by one cell."""
        step = self._weight[task.chapter] / max(task.cells, 1)
        self.update(self._bars[task.chapter], advance=step, visible=True)
        self.update(self._all, advance=step)

    def on_chapter(self, result: ChapterRun, task: Task) -> None:
        """Say that a chapter is done."""
        self.update(self._bars[task.chapter], visible=False)
        mark = "[green]✓[/]" if result.is_right else "[red]✗[/]"
        self.console.print(f"{mark} {_title(result.name)}: {result.seconds:.1f} s", highlight=False)


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
