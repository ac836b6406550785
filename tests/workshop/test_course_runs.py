"""The whole course, as a student who has solved nothing yet, on real ATLAS files where they are at hand.

The solutions run on the bundle, under nbval.
"""

from __future__ import annotations

import copy
import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
import numpy as np
import pytest

from course.checks.progress import MIME_TYPE, read_states
from labcourse import outputs, samples, settings
from labcourse.errors import StaleOutput
from workshop.authoring import expected, run, source
from workshop.comparison.reading import take
from workshop.comparison.reference import read_reference
from workshop.comparison.states import examine

HOME = settings.home()
CHAPTERS = [chapter for chapter in source.read_all(HOME) if chapter.chapter is not None]


class Course(NamedTuple):
    """What came of all notebooks, and where their outputs are."""

    tasks: list[run.Task]
    results: list[run.ChapterRun]
    outputs: Path


@pytest.fixture(scope="module")
def course(real_files_or_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Course:
    """All students' notebooks, run once in order, with each check twice: the second meets the course's own answer."""
    outputs = tmp_path_factory.mktemp("outputs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABCOURSE_DATA", str(real_files_or_bundle))
        patch.setenv("LABCOURSE_OUTPUTS", str(outputs))
        tasks = run.students(HOME)
        for task in tasks:
            task.notebook.cells = [one for cell in task.notebook.cells for one in _twice_if_check(cell)]
        return Course(tasks, run.run(tasks, home=HOME, workspace="notebooks"), outputs)


def _twice_if_check(cell: Any) -> list[Any]:
    is_check = any(tag.startswith("check-") for tag in cell.metadata.get("tags", ()))
    return [cell, nbformat.from_dict({**copy.deepcopy(cell), "id": f"{cell.id}-again"})] if is_check else [cell]


def test_student_notebooks_run_to_their_end_with_all_exercises_open(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = read_reference(HOME)
    assert [result.error for result in course.results] == [""] * len(CHAPTERS)
    for task, chapter in zip(course.tasks, CHAPTERS, strict=True):
        said = [
            (output.data[MIME_TYPE]["exercise"], output.data[MIME_TYPE]["state"], output.data["text/plain"])
            for cell in task.notebook.cells
            if any(tag.startswith("check-") for tag in cell.metadata.get("tags", ()))
            for output in cell.outputs
            if MIME_TYPE in output.get("data", {})
        ]
        numbers = [cell.check for cell in chapter.cells if cell.check]
        assert [(number, state) for number, state, _ in said] == [
            (n, "open") for number in numbers for n in [number] * 2
        ]
        assert all(text.startswith(f"○ exercise {number} is still open") for number, _, text in said[::2])
        assert not any("solved" in text for _, _, text in said)
        assert {found.state for found in examine(take(task.notebook), reference[chapter.chapter])} == {"open"}
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
        outputs.read_numbers(1, "notebooks")


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
    (result,) = run.run(run.students(HOME, [1]), home=HOME, workspace="notebooks")
    assert result.error == ""
    assert result.numbers
