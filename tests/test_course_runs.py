"""The whole course from end to end: as a student who has solved nothing yet, and with real ATLAS files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from labcourse import settings
from labcourse.authoring import run, source
from labcourse.checks.progress import read_states
from labcourse.errors import LabCourseError
from labcourse.outputs import provenance

HOME = settings.home()
CHAPTERS = [chapter for chapter in source.read_all(HOME) if chapter.chapter is not None]


def test_student_notebooks_run_to_their_end_with_all_exercises_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABCOURSE_DATA", str(settings.data_folder()))
    tasks = run.students(HOME)
    results = run.run(tasks, home=HOME, workspace="notebooks", folder="notebooks")
    assert [result.error for result in results] == [""] * len(CHAPTERS)
    for task, chapter in zip(tasks, CHAPTERS, strict=True):
        for cell, built in zip(chapter.cells, task.notebook.cells, strict=True):
            if cell.check:
                printed = "".join(output.get("text", "") for output in built.outputs)
                assert f"○ exercise {cell.check} is still open" in printed
    assert read_states("notebooks") == {}, "a run by the course is no progress of the student"


def test_course_on_real_data(real_files: Path, tmp_path: Path) -> None:
    """The whole course with the real Zee, Zmumu, ttbar and collision data, as `make course LABCOURSE_DATA=…`."""
    environment = {**os.environ, "LABCOURSE_DATA": str(real_files), "LABCOURSE_OUTPUTS": str(tmp_path / "real")}
    done = subprocess.run(
        # The project has events of its own.
        [sys.executable, "-m", "labcourse.cli", "run", *map(str, range(1, 9)), "--json"],
        capture_output=True,
        text=True,
        env=environment,
        cwd=HOME,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    rows = json.loads(done.stdout)
    assert [row["chapter"] for row in rows] == list(range(1, 9))
    assert rows[0]["numbers"], "chapter 1 has no numbers to compare"
    compared = [number for row in rows for number in row["numbers"].values() if number["expected"] is not None]
    assert len(compared) >= len(rows), "tests/expected.json says too little about the official samples"
    # Other samples must be told apart: outputs of this run are stale for the bundle.
    assert _is_stale(tmp_path / "real")


def _is_stale(folder: Path) -> bool:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABCOURSE_OUTPUTS", str(folder))
        patch.setenv("LABCOURSE_DATA", str(settings.data_folder()))
        try:
            provenance.read(1, "numbers.json", "solutions")
        except LabCourseError as error:
            return type(error).__name__ == "StaleOutput"
    return False
