"""The house as drawn in docs/design.md is the house that stands; who imports whom is kept by import-linter."""

import re
from pathlib import Path

import pytest

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
    assert [name for name, *_ in rows] == [*PACKAGES, "together", "tests"]
    counted = {name: [path for path in MODULES if path.relative_to(HOME).parts[0] == name] for name in PACKAGES}
    counted |= {"together": MODULES, "tests": list((HOME / "tests").rglob("*.py"))}
    for name, said, most in rows:
        lines = sum(len(path.read_text("utf-8").splitlines()) for path in counted[name])
        assert abs(lines - int(said.replace(",", ""))) <= 50, f"{name} has {lines} lines: say so in docs/design.md"
        assert lines <= int(most.replace(",", "")), f"{name} has {lines} lines"


@pytest.mark.parametrize(
    "pattern",
    [
        r"^\s*(import|from) (pickle|joblib|dill|cloudpickle)\b",
        r"^(import|from) (tensorflow|keras)\b",  # takes seconds: inside functions only
    ],
)
def test_what_no_module_imports(pattern: str) -> None:
    found = [identify(path) for path in MODULES if re.search(pattern, path.read_text("utf-8"), re.M)]
    assert not found
