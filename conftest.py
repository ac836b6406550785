"""What nbval needs, also where it is run alone (`pytest --nbval solutions/`), and what goes together in parallel."""

from __future__ import annotations

from typing import Any

import pytest

LONGEST = ("solutions", "students", "real_data", "test_parameterised_search.py", "test_campaign.py")
"""Groups that begin first, so that no long one is left for the end; the others follow in the order of their names."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let nbval compare what cells print, not what libraries log; keep together what one worker of xdist must run.

    Chapters need what earlier chapters wrote, `test_solutions.py` reads it, and a file's tests share fixtures.
    """
    for item in items:
        if type(item).__name__ == "IPyNbCell":
            notebook: Any = item.parent
            if "stderr" not in notebook.skip_compare:
                notebook.skip_compare = (*notebook.skip_compare, "stderr")
        if item.get_closest_marker("xdist_group") is None:
            of_nbval = item.path.suffix == ".ipynb" or item.path.name == "test_solutions.py"
            item.add_marker(pytest.mark.xdist_group("solutions" if of_nbval else item.path.name))
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    marker = item.get_closest_marker("xdist_group")
    group = marker.args[0] if marker else ""
    return LONGEST.index(group) if group in LONGEST else len(LONGEST)
