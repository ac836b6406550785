"""The tools that keep the code tidy are part of the tests."""

import subprocess
import sys
from pathlib import Path

import pytest

from labcourse import settings

HOME = settings.home()


@pytest.mark.parametrize(
    "command",
    [("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",), ("codespell", "."), ("lint-imports",)],
    ids=lambda command: " ".join(command[:2]),
)
def test_tidy(command: tuple[str, ...]) -> None:
    name, *arguments = command
    path = Path(sys.executable).with_name(name)
    if not path.exists():
        pytest.skip(f"{name} is not installed here")
    done = subprocess.run([str(path), *arguments], capture_output=True, text=True, cwd=HOME)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
