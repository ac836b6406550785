"""What the cells of this notebook have bound, so that a check knows whose answer it has before it.

IPython says before and after each cell what is run and how it ended. For each name the cells that bind it are
kept, but for what the checks bind: that may be the course's own answer. Outside of a notebook nothing
is known, and all questions are answered so.
"""

from __future__ import annotations

import ast
import dis
import functools
import hashlib
import inspect
import re
import sys
import textwrap
import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from types import CodeType
from typing import Any


@dataclass(eq=False)
class Run:
    """One run of a cell: its source, the names that it binds, and the exception it ended in, if any."""

    source: str
    names: frozenset[str] = frozenset()
    error: str = ""


runs: list[Run] = []
"""All runs of cells in order, the present one last; none outside of a notebook."""

_depth = 0
"""How many cells are being run: commands such as ``%%capture`` run one inside another."""


def watch() -> None:
    """Begin to note what cells bind, in a notebook."""
    session = shell()
    if session is None:
        return

    def after(result: Any) -> None:
        error = result.error_before_exec or result.error_in_exec
        end(type(error).__name__ if error else "")

    session.events.register("pre_run_cell", lambda info: begin(info.raw_cell))
    session.events.register("post_run_cell", after)
    for source in session.user_ns.get("In", [])[1:]:
        end("")
        begin(source)  # the last one is the cell that is being run


def shell() -> Any:
    """Return the shell of IPython; None outside of it."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


def begin(source: str) -> None:
    """Note that a cell is being run."""
    global _depth
    if not _depth:
        runs.append(Run(source))
    runs[-1].names |= names_bound(source)
    _depth += 1


def end(error: str) -> None:
    """Note that the cell has ended, in an exception of this name or in none."""
    global _depth
    if _depth:  # an empty cell ends without having begun
        _depth -= 1
        runs[-1].error = error or runs[-1].error


def last_run(*names: str) -> Run | None:
    """Return the last run of a cell that binds one of these names; None if there is none."""
    return next((run for run in reversed(runs) if not run.names.isdisjoint(names)), None)


@functools.lru_cache(500)
def names_bound(source: str) -> frozenset[str]:
    """Return the names that a cell binds at its top level; those bound to the result of a check do not count.

    >>> sorted(names_bound("import numpy as np\\nfor i in y: k = i\\ndef f(): z = 1\\nh = checks.exercise_1_1(h)"))
    ['f', 'i', 'k', 'np']
    >>> sorted(names_bound("def f(:\\n    return 1\\nx = 2\\nf == 3")), sorted(names_bound("%time y = 1"))
    (['f', 'x'], ['y'])
    """
    if code := _compiled(source):
        return frozenset(_operands(code, "STORE_NAME", "STORE_GLOBAL"))
    found = re.findall(r"^(?:def\s+(\w+)|(\w+)\s*=(?!=))", _plain(source), re.MULTILINE)
    return frozenset(function or name for function, name in found)


@functools.lru_cache(500)
def names_used(source: str, *, by_functions: bool = False) -> frozenset[str]:
    """Return the names that a cell, or only its functions, look up outside of themselves; none if it is no Python.

    >>> cell = "x = y\\ndef f(x):\\n    return np.sum(x) + z"
    >>> sorted(names_used(cell)), sorted(names_used(cell, by_functions=True))
    (['np', 'y', 'z'], ['np', 'z'])
    """
    code = _compiled(source)
    codes = [code] if code else []
    for each in codes:  # which grows by the functions inside
        codes += [constant for constant in each.co_consts if isinstance(constant, CodeType)]
    return frozenset(name for each in codes[by_functions:] for name in _operands(each, "LOAD_NAME", "LOAD_GLOBAL"))


def made_of(run: Run | None) -> frozenset[str]:
    """Return the fingerprints of the cells of an answer: its own, and those of what its functions use, in turn."""
    cells = [run] if run else []
    for cell in cells:  # which grows by those whose names it uses
        used = (last_run(name) for name in names_used(cell.source, by_functions=True) if not is_module(name))
        cells += [each for each in used if each and each not in cells]
    return frozenset(fingerprint(cell.source) for cell in cells)


def is_module(name: str) -> bool:
    """Return whether a name of the notebook is a module, which is what it was, whoever has imported it."""
    return inspect.ismodule(getattr(shell(), "user_ns", {}).get(name))


def arguments(source: str, function: str) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Return the names in the answer, and in the other arguments, of a check's call in a cell; None without a call.

    The answer is the last argument without a keyword.

    >>> arguments("x = checks.exercise_1_7((x, y), events=test)", "exercise_1_7")
    (('x', 'y'), ('test',))
    >>> arguments('checks.written("1.5", answer_1_5)', "written")
    (('answer_1_5',), ())
    """
    for node in ast.walk(_parsed(source)):
        if isinstance(node, ast.Call) and function in (getattr(node.func, "attr", ""), getattr(node.func, "id", "")):
            return _names(node.args[-1:]), _names([keyword.value for keyword in node.keywords])
    return None


def fingerprint(source: str) -> str:
    """Return what two cells have in common that differ in blank lines and whole lines of comment at most.

    It is the same for all versions of Python, whose tokenizers differ.

    >>> fingerprint("x = f(1)") == fingerprint("# your code here\\n\\nx = f(1)  ") != fingerprint("x = 2")
    True
    """
    lines = [line.rstrip() for line in source.splitlines() if not re.match(r"\s*(#|$)", line)]
    return hashlib.sha256("\n".join(lines).encode("utf-8", "replace")).hexdigest()[:16]


def lines_of_answer(error: BaseException) -> list[str] | None:
    """Return the lines of the student's code through which an exception came; None if none of it was running."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [i for i, frame in enumerate(frames) if frame.name == "watched"]  # see `watched.Watch`
    if not own:
        return None
    inside = frames[own[0] + 1 :]
    files = {frame.filename for frame in inside[:1]}
    is_cell = re.compile(r"ipykernel_|^<ipython").search
    return [frame.line for frame in inside if frame.line and (frame.filename in files or is_cell(frame.filename))]


def _plain(source: str) -> str:
    """Return a cell as Python has it: IPython takes cells that are indented as a whole, and lines with its commands."""
    return textwrap.dedent(re.sub(r"^(\s*)(?:%%.*|[!?].*|%\w+[ \t]*)", r"\1", source, flags=re.MULTILINE))


def _parsed(source: str) -> ast.Module:
    """Return the syntax tree of a cell; an empty one if it is no Python."""
    try:
        return ast.parse(_plain(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module([], [])


def _compiled(source: str) -> CodeType | None:
    """Return the code of a cell without the statements that call a check; None if it holds nothing or is no Python."""
    body = _parsed(source).body
    try:
        rest = [statement for statement in body if not re.search(r"\bexercise_\d+_\d+\(", ast.unparse(statement))]
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        return compile(ast.Module(rest, []), "cell", "exec", flags, dont_inherit=True) if body else None
    except (SyntaxError, ValueError, RecursionError):
        return None


def _operands(code: CodeType, *names: str) -> Iterable[str]:
    return (step.argval for step in dis.get_instructions(code) if step.opname in names)


def _names(nodes: Iterable[ast.AST]) -> tuple[str, ...]:
    return tuple(part.id for node in nodes for part in ast.walk(node) if isinstance(part, ast.Name))


watch()
