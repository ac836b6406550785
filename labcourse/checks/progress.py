"""Which exercises are open, wrong, solved or answered: one small file a workspace."""

from __future__ import annotations

import json
from pathlib import Path

from labcourse import settings
from labcourse.files import atomic_write

__all__ = ["progress_file", "read_states", "record_state"]


def progress_file() -> Path:
    """Return the file that holds the states of the present workspace."""
    return settings.outputs_folder() / settings.workspace() / "progress.json"


def read_states() -> dict[str, str]:
    """Return the last state of each exercise that was checked: ``{"1.2": "solved", …}``.

    A missing or damaged file counts as empty: every check that is run again mends it.
    """
    try:
        states = json.loads(progress_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(k): str(v) for k, v in states.items()} if isinstance(states, dict) else {}


def record_state(number: str, state: str) -> None:
    """Note the state of an exercise: ``open``, ``wrong``, ``solved``, or ``answered`` in words.

    A disk that refuses is no reason for a check to fail: then nothing is noted.
    """
    try:
        states = read_states()
        if states.get(number) != state:
            states[number] = state
            ordered = dict(sorted(states.items(), key=lambda item: [int(p) for p in item[0].split(".") if p.isdigit()]))
            atomic_write(progress_file(), lambda path: path.write_text(json.dumps(ordered, indent=1) + "\n"))
    except Exception:  # noqa: S110, RUF100 - whatever goes wrong here, the student's check goes on
        pass
