"""What this machine can give: cores and free memory, within the limits of the container if there is one."""

from __future__ import annotations

import os
import re
from pathlib import Path

MEMORY_OF_A_NOTEBOOK = 2.5e9
"""Bytes that the kernel of a chapter takes at most, with TensorFlow and the bundled samples."""


def jobs() -> int:
    """Return how many notebooks can run at once: one per core, as far as the free memory goes."""
    return max(1, min(cores(), int(free_memory() / MEMORY_OF_A_NOTEBOOK)))


def cores() -> int:
    """Return the number of cores that this process may use."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, _, period = _text("/sys/fs/cgroup/cpu.max").strip().partition(" ")
    return max(1, min(count, int(quota) // int(period))) if quota.isdigit() and period.isdigit() else count


def free_memory() -> float:
    """Return the free memory in bytes."""
    import psutil

    free = float(psutil.virtual_memory().available)
    limit, used = (_text(f"/sys/fs/cgroup/memory.{name}").strip() for name in ("max", "current"))
    if limit.isdigit() and used.isdigit():
        # Files kept in memory count as used, but are given up when something else needs the memory.
        cached = re.search(r"^inactive_file (\d+)", _text("/sys/fs/cgroup/memory.stat"), re.M)
        free = min(free, float(limit) - float(used) + (float(cached[1]) if cached else 0.0))
    return free


def _text(path: str) -> str:
    try:
        return Path(path).read_text("utf-8")
    except OSError:
        return ""
