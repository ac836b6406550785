"""What a notebook opens: lines behind its import cell, checks and figures; seconds of `import labcourse`."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.made_up import Sizes
from benchmarks.timing import Result

MOST_LINES, MOST_SECONDS = 2000, 0.5
"""What chapter 1 may open of `labcourse`, and how long `import labcourse` may take."""

_OPENED = """
import json, sys
exec(sys.argv[1])
for name in json.loads(sys.argv[2]):
    eval(name)
files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
print(json.dumps([file for file in files if file]))
"""


def run(sizes: Sizes) -> dict[str, Result]:
    """Count the lines in a Python of their own, and time the import of the package alone."""
    from labcourse import settings

    home = settings.home()
    with tempfile.TemporaryDirectory() as scratch:
        environment = os.environ | {"PYTHONPATH": str(home), "LABCOURSE_OUTPUTS": scratch, "TF_CPP_MIN_LOG_LEVEL": "3"}

        def python(*arguments: str) -> str:
            command = [sys.executable, "-c", *arguments]
            done = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, check=True)
            return done.stdout.splitlines()[-1] if done.stdout else ""

        results = {}
        for name, chapter in (("chapter1", 1), ("project", 9)):
            cell, used = _import_cell(home, chapter)
            opened = [Path(file) for file in json.loads(python(_OPENED, cell, json.dumps(used)))]
            lines = {
                folder: sum(_lines(file) for file in opened if file.is_relative_to(home / folder))
                for folder in ("labcourse", "course", "azh", "factory")
            }
            ratio = MOST_LINES / lines["labcourse"] if chapter == 1 else float(lines["factory"] == 0)
            note = ", ".join(f"{number} of {folder}" for folder, number in lines.items())
            results[f"imports_{name}"] = Result(ratio, 0.0, 0.0, 0.0, f"lines: {note}")
        code = "import time; begin = time.perf_counter(); import labcourse; print(time.perf_counter() - begin)"
        taken = [float(python(code)) for _ in range(sizes.rounds)]
    note = "import labcourse; plain: what it may take"
    results["imports_seconds"] = Result.of(taken, [MOST_SECONDS] * len(taken), note)
    return results


def _import_cell(home: Path, chapter: int) -> tuple[str, list[str]]:
    """Return the first code cell of a chapter, and what the chapter uses of its checks and of `plotting`."""
    from workshop.authoring import source

    (text,) = source.read_all(home, [chapter])
    code = [cell.text for cell in text.cells if cell.kind == "code"]
    nodes = (node for cell in code for node in ast.walk(ast.parse(cell)))
    names = {
        f"{node.value.id}.{node.attr}"
        for node in nodes
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in ("checks", "plotting")
    }
    return code[0], sorted(names)


def _lines(file: Path) -> int:
    return len(file.read_text("utf-8").splitlines())
