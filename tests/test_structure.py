"""The house as drawn in docs/design.md is the house that stands; who imports whom is kept by import-linter."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from labcourse import settings
from workshop.authoring import source

HOME = settings.home()
PACKAGES = ("labcourse", "course", "azh", "factory", "workshop")
TEXTS = source.texts(HOME)
MODULES = [path for package in PACKAGES for path in sorted((HOME / package).rglob("*.py")) if path not in TEXTS]
LONGEST = 450
"""Lines of a module."""


def identify(path: Path) -> str:
    return str(path.relative_to(HOME))


def test_modules_are_short() -> None:
    lengths = {identify(path): len(path.read_text("utf-8").splitlines()) for path in MODULES}
    too_long = {name: n for name, n in lengths.items() if n > LONGEST}
    assert not too_long


def test_lines_are_those_of_the_table_in_the_design() -> None:
    """A package that grows needs a reason: the table says how much each holds, and may hold."""
    design = (HOME / "docs" / "design.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \| ([\d,]+) \| ([\d,]+) \|", design, re.M)
    assert [name for name, *_ in rows] == [*PACKAGES, "tests"]
    for name, said, most in rows:
        paths = [path for path in MODULES if path.relative_to(HOME).parts[0] == name]
        paths = paths or list((HOME / name).rglob("*.py"))
        lines = sum(len(path.read_text("utf-8").splitlines()) for path in paths)
        assert abs(lines - int(said.replace(",", ""))) <= 50, f"{name} has {lines} lines: say so in docs/design.md"
        assert lines <= int(most.replace(",", "")), f"{name} has {lines} lines"


def test_nothing_is_pickled() -> None:
    pattern = re.compile(r"^\s*(import|from) (pickle|joblib|dill|cloudpickle)\b", re.M)
    assert not [identify(path) for path in MODULES if pattern.search(path.read_text("utf-8"))]


def test_no_module_loads_tensorflow_when_it_is_imported() -> None:
    names = [".".join(path.relative_to(HOME).with_suffix("").parts) for path in MODULES]
    names = [name.removesuffix(".__init__") for name in names if not name.endswith("__main__")]
    code = f"""
import importlib, sys
for name in {names}:
    importlib.import_module(name)
    if "tensorflow" in sys.modules or "keras" in sys.modules:
        print(name)
        break
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=HOME, capture_output=True, text=True, timeout=120)
    assert (done.stdout, done.returncode) == ("", 0), done.stderr
