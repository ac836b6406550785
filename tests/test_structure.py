"""The house as drawn in docs/design.md is the house that stands."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from labcourse import settings

PACKAGE = settings.home() / "labcourse"
MODULES = sorted(PACKAGE.rglob("*.py"))
LONGEST = 330
"""Lines of a module."""


def rooms() -> list[str]:
    return sorted(
        path.stem
        for path in PACKAGE.iterdir()
        if (path.is_dir() and (path / "__init__.py").is_file()) or (path.suffix == ".py" and path.stem != "__init__")
    )


def floors() -> dict[str, int]:
    """Read the table of rooms in docs/design.md: room -> floor."""
    rows = re.findall(r"^\| (\d) \| ([^|]+) \|", (settings.home() / "docs" / "design.md").read_text("utf-8"), re.M)
    return {name.rstrip("/"): int(floor) for floor, names in rows for name in re.findall(r"`([\w/]+)`", names)}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Give each room that a module imports, with the line; also inside functions, but not for type checkers."""
    for node in walk(ast.parse(path.read_text("utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = ["labcourse", *path.relative_to(PACKAGE).parts[: -node.level]]
                base = ".".join([*parts, base] if base else parts)
            names = [f"{base}.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "labcourse" and len(parts) > 1:
                yield parts[1], node.lineno


def walk(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from walk(node)


def identify(path: Path) -> str:
    return str(path.relative_to(PACKAGE.parent))


def test_every_room_is_in_the_table_and_stands() -> None:
    assert sorted(floors()) == rooms()


def test_imports_run_downwards() -> None:
    table = floors()
    upwards = []
    for path in MODULES:
        own = room_of(path)
        for room, line in imports(path):
            # The package itself (its __init__) lies below every room.
            if room != own and table.get(room, -1) >= table.get(own, -1):
                upwards.append(
                    f"{identify(path)}:{line}: {own} is on floor {table.get(own)}, {room} on {table.get(room)}"
                )
    assert not upwards


def test_modules_are_short() -> None:
    lengths = {identify(path): len(path.read_text("utf-8").splitlines()) for path in MODULES}
    too_long = {name: n for name, n in lengths.items() if n > LONGEST}
    assert not too_long


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


def test_tensorflow_is_imported_inside_functions_only() -> None:
    early = []
    for path in MODULES:
        tree = ast.parse(path.read_text("utf-8"))
        inside = {
            id(node)
            for function in ast.walk(tree)
            if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
            for node in ast.walk(function)
        }
        for node in walk(tree):
            is_import = isinstance(node, (ast.Import, ast.ImportFrom)) and id(node) not in inside
            if is_import and re.match(r"(import|from) (tensorflow|keras)\b", ast.unparse(node)):
                early.append(f"{identify(path)}:{getattr(node, 'lineno', 0)}")
    assert not early


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
    run = subprocess.run([sys.executable, "-c", code], cwd=PACKAGE.parent, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = ["tensorflow", "keras", "pandas", "numpy", "matplotlib", "uproot"]
    assert in_fresh_python(f"import sys, labcourse; print([m for m in {heavy} if m in sys.modules])") == "[]"


def test_importing_rooms_does_not_load_tensorflow() -> None:
    code = f"""
import importlib, sys
for room in {rooms()}:
    importlib.import_module("labcourse." + room)
    if "tensorflow" in sys.modules or "keras" in sys.modules:
        print(room)
        break
"""
    assert in_fresh_python(code) == ""


def test_the_command_line_starts_without_heavy_libraries() -> None:
    code = "import sys, labcourse.cli; print([m for m in ('tensorflow', 'keras', 'pandas') if m in sys.modules])"
    assert in_fresh_python(code) == "[]"
