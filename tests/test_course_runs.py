"""The whole course, as a student who has solved nothing yet, on real ATLAS files where they are at hand.

The solutions run on the bundle, under nbval.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from labcourse import samples, settings
from labcourse.authoring import expected, run, source
from labcourse.checks.progress import read_states
from labcourse.errors import StaleOutput
from labcourse.outputs import provenance

HOME = settings.home()
CHAPTERS = [chapter for chapter in source.read_all(HOME) if chapter.chapter is not None]


class Course(NamedTuple):
    """What came of all notebooks, and where their outputs are."""

    tasks: list[run.Task]
    results: list[run.ChapterRun]
    outputs: Path


@pytest.fixture(scope="module")
def course(real_files_or_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Course:
    """All students' notebooks, run once in order."""
    outputs = tmp_path_factory.mktemp("outputs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABCOURSE_DATA", str(real_files_or_bundle))
        patch.setenv("LABCOURSE_OUTPUTS", str(outputs))
        tasks = run.students(HOME)
        return Course(tasks, run.run(tasks, home=HOME, workspace="notebooks", folder="notebooks"), outputs)


def test_student_notebooks_run_to_their_end_with_all_exercises_open(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [result.error for result in course.results] == [""] * len(CHAPTERS)
    for task, chapter in zip(course.tasks, CHAPTERS, strict=True):
        for cell, built in zip(chapter.cells, task.notebook.cells, strict=True):
            if cell.check:
                printed = "".join(output.get("text", "") for output in built.outputs)
                assert f"○ exercise {cell.check} is still open" in printed
    monkeypatch.setenv("LABCOURSE_OUTPUTS", str(course.outputs))
    assert read_states("notebooks") == {}, "a run by the course is no progress of the student"


def test_open_exercises_change_no_number_of_the_course(course: Course) -> None:
    """The course's own answers stand in for them. On real files, the numbers are those of «official»."""
    for result in course.results:
        assert [number for number in result.numbers if not number.is_right] == []
    compared = [number for result in course.results for number in result.numbers if number.expected is not None]
    assert len(compared) >= len(course.results), "tests/expected.json says too little"


SEEN = {
    # Five seeds on one machine, and what others saw with the seed of the course.
    ("8", "observed_above"): [34, 34, 42, 29, 34, 34],
    ("8", "z_observed"): [2.46, 1.25, 2.47, 0.95, 1.25, 1.82, 1.77, 2.51],
}


@pytest.mark.parametrize(("chapter", "name"), SEEN)
def test_bounds_of_counts_are_centred_and_as_wide_as_events_make_them(chapter: str, name: str) -> None:
    bound = expected.read(HOME)["bundle"][chapter][name]
    assert all(abs(value - bound["value"]) <= bound["tolerance"] for value in SEEN[chapter, name])
    assert np.mean(SEEN[chapter, name][:5]) == pytest.approx(bound["value"], abs=0.1 * bound["tolerance"])


def test_outputs_of_real_files_are_stale_for_the_bundle(
    course: Course, real_files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABCOURSE_OUTPUTS", str(course.outputs))
    monkeypatch.setenv("LABCOURSE_DATA", str(settings.data_folder()))
    with pytest.raises(StaleOutput):
        provenance.read(1, "numbers.json", "notebooks")


def test_a_folder_of_simulated_samples_replaces_the_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `labcourse simulate` makes it: files that the manifest beside them lists, and that are not the bundle's."""
    folder = tmp_path / "samples"
    folder.mkdir()
    manifest = json.loads((settings.data_folder() / samples.MANIFEST).read_text("utf-8"))
    for entry in manifest["files"]:
        content = bytearray((settings.data_folder() / entry["file"]).read_bytes())
        content[47:63] = bytes(byte ^ 1 for byte in content[47:63])  # the file's identifier lies here
        (folder / entry["file"]).write_bytes(content)
        entry["sha256"] = hashlib.sha256(content).hexdigest()
    (folder / samples.MANIFEST).write_text(json.dumps(manifest), "utf-8")
    monkeypatch.setenv("LABCOURSE_DATA", str(folder))
    monkeypatch.setenv("LABCOURSE_OUTPUTS", str(tmp_path / "outputs"))
    assert {samples.locate(name).source for name in samples.ALL} == {"simulated"}
    (result,) = run.run(run.students(HOME, [1]), home=HOME, workspace="notebooks", folder="notebooks")
    assert result.error == ""
    assert result.numbers
