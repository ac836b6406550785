"""What nbval needs, also where it is run alone: `pytest --nbval solutions/`."""

from __future__ import annotations

from typing import Any

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let nbval compare what cells print, not the log lines that libraries write to standard error."""
    for item in items:
        if type(item).__name__ == "IPyNbCell":
            notebook: Any = item.parent
            if "stderr" not in notebook.skip_compare:
                notebook.skip_compare = (*notebook.skip_compare, "stderr")
