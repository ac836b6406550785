"""`labcourse run`, notebooks at once, against one after another."""

from __future__ import annotations

import os
import tempfile

from benchmarks.made_up import FULL, Sizes
from benchmarks.timing import Result, seconds

FEW = (1, 2, 6)
"""Chapters for a quick look: the last two need only the first."""


def run(sizes: Sizes) -> dict[str, Result]:
    """Run all solutions twice, each time into a folder of its own."""
    from labcourse import settings
    from workshop.authoring import machine
    from workshop.authoring import run as running

    def run_all(jobs: int) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            os.environ["LABCOURSE_OUTPUTS"] = scratch
            tasks = running.solutions(settings.home(), () if sizes == FULL else FEW)
            results = running.run(tasks, home=settings.home(), workspace="solutions", jobs=jobs)
        wrong = [
            (result.name, result.error or "a number is out of its bounds") for result in results if not result.is_right
        ]
        assert not wrong, wrong

    before = os.environ.get("LABCOURSE_OUTPUTS")
    try:
        jobs = machine.jobs()
        ours, plain = seconds(lambda: run_all(jobs)), seconds(lambda: run_all(1))
    finally:
        if before is None:
            del os.environ["LABCOURSE_OUTPUTS"]
        else:
            os.environ["LABCOURSE_OUTPUTS"] = before
    return {"course": Result.of([ours], [plain], f"all solutions, {jobs} notebooks at once; plain: one after another")}
