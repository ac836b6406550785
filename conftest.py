"""What nbval needs, also where it is run alone (`pytest --nbval solutions/`), and how tests share processes."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import pytest

import labcourse  # noqa: F401  (before pandas: on a Mac, TensorFlow has to come before Arrow)

ALONE = ("project_", "appendix_")
"""Notebooks that need no other."""
LONGEST = (
    "solutions",
    "project_",
    "test_course_runs.py",
    "test_handed_on.py",
    "test_jupyterlab.py",
    "test_nbgrader.py",
)
"""Groups that begin first, so that no long one is left for the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let nbval compare what cells print, not what libraries log; put the longest groups first."""
    for item in items:
        if type(item).__name__ == "IPyNbCell":
            notebook: Any = item.parent
            if "stderr" not in notebook.skip_compare:
                notebook.skip_compare = (*notebook.skip_compare, "stderr")
    items.sort(key=lambda item: LONGEST.index(group) if (group := _group(item.nodeid)) in LONGEST else len(LONGEST))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Run in one process what belongs together: see `_group`."""
    from xdist.scheduler import LoadScopeScheduling

    class Groups(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _group(nodeid)

    return Groups(config, log)


def _group(nodeid: str) -> str:
    """A file's tests share fixtures; chapters need what earlier ones wrote, and `test_solutions.py` reads it."""
    path = PurePosixPath(nodeid.split("::")[0])
    if path.suffix == ".ipynb" or path.name == "test_solutions.py":
        return next((name for name in ALONE if name in nodeid), "solutions")
    return path.name
