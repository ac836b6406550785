"""What checks, panel and tools know of the exercises: ``course/exercises.json``, taken from the course text.

`course.checks.registry` reads it. Of each chapter it holds the exercises (number, title, kind, the cell of the heading,
the names of the answer, and the course's own answer where somebody is to see it or a notebook goes on with it), and the
fingerprints of its code cells.
"""

from __future__ import annotations

import ast
import builtins
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from course.checks import cells
from labcourse import settings
from labcourse.files import read_json
from workshop.authoring import cut
from workshop.authoring.source import BuildError, Cell, Source


def points(home: Path) -> Callable[[str], int]:
    """Return what an exercise is worth, by its number: ``course/points.json``; raises BuildError if it is no table."""
    path = home / "course" / "points.json"
    try:
        table: dict[str, int] = read_json(path)
        if not all(type(value) is int and value >= 0 for value in (table["default"], *table.values())):
            raise ValueError("a number of points is not a whole number")
    except (OSError, ValueError, LookupError, AttributeError, TypeError) as error:
        how = 'Let it hold whole numbers, such as {"default": 1, "8.5": 2}. ' + settings.get_back("course/points.json")
        raise BuildError("There is no table of points.", where=str(path), next_step=how) from error
    return lambda number: table.get(number, table["default"])


def file_of(home: Path) -> Path:
    """Return where the file is."""
    return home / "course" / "exercises.json"


def as_text(sources: Iterable[Source]) -> str:
    """Return the text of the file for these chapters."""
    listed = {str(source.chapter): of_chapter(source) for source in sources}
    return json.dumps(listed, ensure_ascii=False, indent=1) + "\n"


def of_chapter(source: Source) -> dict[str, Any]:
    """Return what the file says of a chapter.

    Raises
    ------
    BuildError
        If an answer in words is no text.
    """
    solutions = cut.solution(source)
    texts = [*zip(source.cells, solutions, strict=True)]
    texts += zip(source.handed_out.cells, cut.student(source), strict=True)
    code = [text for cell, text in texts if cell.kind == "code"]
    return {
        "exercises": [_exercise(source, cell, solutions) for cell in source.cells if cell.check],
        "cells": sorted(set(map(cells.fingerprint, code))),
    }


def _exercise(source: Source, check: Cell, solutions: list[str]) -> dict[str, Any]:
    number = check.check
    heading, title, kind = source.headings[number]
    entry = {"number": number, "chapter": source.chapter, "title": title, "kind": kind, "cell": heading}
    entry["names"] = check.answer
    (place,) = (i for i, cell in enumerate(source.cells) if cell.exercise == number)
    if "written" in source.cells[place].tags:
        return entry | {"model": _words(source, source.cells[place])}
    hands_on = any(
        isinstance(node, ast.Assign) and check.function in ast.dump(node) for node in ast.parse(check.text).body
    )
    code = _with_what_it_needs(source, solutions, place) if hands_on else ""
    return entry | {"answer": code} if code else entry


def _words(source: Source, cell: Cell) -> str:
    """Return the text that the solution of an exercise in words binds."""
    for node in ast.parse(cell.text).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            return str(node.value.value).strip()
    raise source.error(f"The answer of exercise {cell.exercise} is no text.", cell.line, 'Write: answer = """…"""')


def _with_what_it_needs(source: Source, solutions: list[str], place: int) -> str:
    """Return an answer behind the imports and functions of earlier cells that it needs, and no others.

    An answer that needs a number of its notebook can be made nowhere but there: then the text is empty.
    """
    parts = [solutions[place]]
    needs = _needs(parts[0])
    for text in reversed(
        [text for cell, text in zip(source.cells[:place], solutions, strict=False) if cell.kind == "code"]
    ):
        for statement in reversed(ast.parse(text).body if needs & cells.names_bound(text) else []):
            bound = needs & cells.names_bound(ast.unparse(statement))
            if bound and isinstance(statement, (ast.Import, ast.ImportFrom)):
                statement.names = [name for name in statement.names if (name.asname or name.name) in bound]
            elif bound and not isinstance(statement, ast.FunctionDef):
                return ""
            if bound:
                parts.insert(0, ast.unparse(statement))
                needs = (needs - bound) | _needs(parts[0])
    return "\n\n\n".join(parts)


def _needs(code: str) -> frozenset[str]:
    return cells.names_used(code) - cells.names_bound(code) - set(dir(builtins))
