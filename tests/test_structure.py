"""The house as drawn in docs/design.md is the house that stands; who imports whom is kept by import-linter."""

from __future__ import annotations

import ast
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


def test_what_is_public_is_documented() -> None:
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    missing = []
    for path in MODULES:
        tree = ast.parse(path.read_text("utf-8"))
        public: list[ast.AST] = [tree] if tree.body else []
        public += [node for node in tree.body if isinstance(node, definitions) and not node.name.startswith("_")]
        for kind in [node for node in public if isinstance(node, ast.ClassDef)]:
            if not any("Protocol" in ast.unparse(base) for base in kind.bases):  # attributes, written as properties
                public += [
                    node for node in kind.body if isinstance(node, definitions) and not node.name.startswith("_")
                ]
        missing += [
            f"{identify(path)}:{getattr(node, 'lineno', 1)}"
            for node in public
            if isinstance(node, (ast.Module, *definitions)) and not ast.get_docstring(node)
        ]
    assert not missing


def test_constants_are_defined_once() -> None:
    twice = []
    for path in MODULES:
        seen: set[str] = set()
        for node in ast.parse(path.read_text("utf-8")).body:
            targets = node.targets if isinstance(node, ast.Assign) else []
            bound = [name for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)]
            constants = {name.id for name in bound if name.id.isupper() and isinstance(name.ctx, ast.Store)}
            twice += [f"{identify(path)}:{node.lineno}: {name}" for name in constants & seen]
            seen |= constants
    assert not twice


def test_nothing_is_pickled() -> None:
    pattern = re.compile(r"\b(pickle|joblib|dill|cloudpickle)\b")
    imported = {
        identify(path)
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, (ast.Import, ast.ImportFrom)) and pattern.search(ast.unparse(node))
    }
    assert not imported


def in_fresh_python(code: str) -> str:
    run = subprocess.run([sys.executable, "-c", code], cwd=HOME, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = ["tensorflow", "keras", "pandas", "numpy", "matplotlib", "uproot"]
    assert in_fresh_python(f"import sys, labcourse; print([m for m in {heavy} if m in sys.modules])") == "[]"


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
    assert in_fresh_python(code) == ""
