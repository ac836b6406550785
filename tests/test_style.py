"""The tools that keep the code tidy are part of the tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from labcourse import settings

HOME = settings.home()


@pytest.mark.parametrize(
    "command",
    [("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",), ("codespell_lib", ".")],
    ids=lambda command: " ".join(command[:2]),
)
def test_tidy(command: tuple[str, ...]) -> None:
    module, *arguments = command
    pytest.importorskip(module)
    if module == "codespell_lib":  # its module is no command
        line = [str(Path(sys.executable).with_name("codespell")), *arguments]
    else:
        line = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(line, capture_output=True, text=True, cwd=HOME)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
