"""When a student worked on a notebook, as far as the notebook knows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from itertools import pairwise

from workshop.comparison.reading import Notebook

__all__ = ["BREAK", "in_local_time", "working_time"]

BREAK = timedelta(minutes=15)
"""A longer time without running a cell counts as a break."""


def working_time(notebook: Notebook) -> tuple[float | None, str]:
    """Return the seconds spent on a notebook without breaks, and when the last cell was run (local time).

    Known only where JupyterLab recorded the times of execution (Settings, Notebook, "Record timing"), and
    only of the last run of each cell: a lower bound. Otherwise ``(None, "")``.

    >>> from workshop.comparison.reading import Cell
    >>> times = ["2026-03-01T10:00:00Z", "2026-03-01T10:10:00Z", "2026-03-02T09:00:00Z"]
    >>> working_time(Notebook(tuple(Cell("code", "", times=(t,)) for t in times)))[0]
    600.0
    """
    moments = sorted(_moments(time for cell in notebook.cells for time in cell.times))
    if not moments:
        return None, ""
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    seconds = sum((gap.total_seconds() for gap in gaps if gap <= BREAK), 0.0)
    return seconds, in_local_time(moments[-1])


def in_local_time(moment: datetime) -> str:
    """Return a moment to the minute on this machine's clock, with its distance from UTC: ``2026-03-02 10:00+01:00``."""
    return moment.astimezone().isoformat(" ", "minutes")


def _moments(times: Iterable[str]) -> Iterable[datetime]:
    for text in times:
        try:
            moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
            yield moment.astimezone(timezone.utc) if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
        except (ValueError, OverflowError):
            continue
