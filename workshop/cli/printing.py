"""What several commands share: their arguments, and how they print, a table for people and JSON for programs."""

from __future__ import annotations

import io
import json
import re
from typing import Annotated, Any

import typer

Chapters = Annotated[list[int] | None, typer.Argument(help="Chapters, such as 1 2 3; all by default.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def make_printable(stream: Any) -> None:
    """Let a stream take every sign: files and pipes get UTF-8; a terminal that lacks a sign shows ``?``."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="replace")


def split_names(text: str) -> tuple[str, ...]:
    """Return the names in an option, which are separated by commas.

    >>> split_names("Zee, Zmumu")
    ('Zee', 'Zmumu')
    """
    return tuple(re.findall(r"[^\s,]+", text))


def print_rows(rows: list[dict[str, Any]], title: str, *, as_json: bool = False) -> None:
    """Print rows with the same keys, also where standard output is no terminal."""
    from rich.console import Console

    from workshop.authoring.display import table

    if as_json:
        print(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    console = Console()
    # In a log file rich assumes 80 columns and would fold the table.
    (console if console.is_terminal else Console(width=120)).print(table(rows, title))
