"""What a solution region becomes in the student's notebook: a stub that parses and runs.

=============================  =================================================================
the region stands …            and is replaced by
=============================  =================================================================
in a function                  ``return ...``; signature, docstring and the lines around stay
at the top level of a cell     ``name = ...`` for each name it assigns that the check asks for
in a cell tagged ``written``   ``name`` set to an empty raw text
=============================  =================================================================

The words ``solution=True``, by which `course.outputs.Chapter` knows the solution, are left out as well.

Other names are scaffolding of the answer and are not given away.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from functools import cache

from course.checks.cells import names_bound
from workshop.authoring.source import BEGIN, END, Cell, Source

_SAYS_SOLUTION = ", solution=True)"
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def solution(source: Source) -> list[str]:
    """Return the text of each cell for the solution notebook: the marks are left out."""
    return [
        "\n".join(line for line in cell.text.splitlines() if line.strip() not in (BEGIN, END)) for cell in source.cells
    ]


@cache
def student(source: Source) -> tuple[str, ...]:
    """Return the text of each cell that students get, see `Source.handed_out`: the answers are replaced by stubs.

    Raises
    ------
    BuildError
        If a cell or its stub is not Python, or a region is empty or cuts a statement in two.
    """
    source = source.handed_out
    wanted = {cell.check: cell.answer for cell in source.cells}
    texts = []
    for cell in source.cells:
        tree = _parse(source, cell, cell.text) if cell.kind == "code" else ast.Module([], [])
        lines = cell.text.replace(_SAYS_SOLUTION, ")").splitlines()
        for first, last in reversed(cell.regions):  # from the bottom: lines above keep their numbers
            lines[first - 1 : last] = _stub(source, cell, tree, first, last, wanted[cell.exercise])
        texts.append("\n".join(lines))
        if cell.regions:
            _parse(source, cell, texts[-1], "The student's stub of this cell is not Python")
    return tuple(texts)


def _stub(source: Source, cell: Cell, tree: ast.AST, first: int, last: int, wanted: Collection[str]) -> list[str]:
    lines = cell.text.splitlines()[first - 1 : last]
    indent = lines[0][: -len(lines[0].lstrip())]
    inside = list(_statements(tree, first, last))
    if not inside:
        raise source.error("A solution is empty, or cuts a statement in two.", cell.line + first)
    if inside[0][1]:
        return [f"{indent}# your code here", f"{indent}return ..."]
    answer = "\n".join(lines)
    used = names_bound(answer).intersection(wanted)
    names = dict.fromkeys(name for name in re.findall(r"\w+", answer) if name in used)  # in the order of the text
    if "written" in cell.tags:
        return [line for name in names for line in (f'{indent}{name} = r"""', '"""')]  # formulas have backslashes
    return [f"{indent}# your code here", *(f"{indent}{name} = ..." for name in names)]


def _statements(node: ast.AST, first: int, last: int, in_function: bool = False) -> Iterator[tuple[ast.stmt, bool]]:
    """Yield the outermost statements between two lines, each with whether it stands in a function."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt) and first < child.lineno and (child.end_lineno or 0) < last:
            yield child, in_function
        else:
            yield from _statements(child, first, last, in_function or isinstance(child, _FUNCTIONS))


def _parse(source: Source, cell: Cell, text: str, what: str = "") -> ast.Module:
    try:
        tree = ast.parse(text)
        compile(tree, source.name, "exec")
        return tree
    except SyntaxError as error:
        # Lines of a stub are not lines of the file: the cell's header is the nearest that is.
        line = cell.line if what else cell.line + (error.lineno or 0)
        raise source.error(f"{what or 'This cell is not Python'}: {error.msg}.", line) from error
