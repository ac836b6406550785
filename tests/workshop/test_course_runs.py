"""The whole course, as a student who has solved nothing yet, on real ATLAS files where they are at hand.

All trainings are cut short: what networks learn is seen in the solutions, which run on the bundle under nbval; on real
files `labcourse run` with LABCOURSE_DATA compares their numbers. One kernel runs all notebooks, each with no names left
of the one before it: to import TensorFlow eleven times would take longer than they do.
"""

import copy
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
import pytest

from course import outputs
from course.checks.progress import MIME_TYPE, read_states
from course.outputs import StaleOutput
from labcourse import settings
from workshop.authoring import expected, run, source
from workshop.comparison.reading import take
from workshop.comparison.reference import read_reference
from workshop.comparison.states import examine

HOME = settings.home()
CHAPTERS = [chapter for chapter in source.read_all(HOME) if chapter.chapter is not None]


FIGURES = """
from course.interactive import frame
from labcourse.plotting import style


def drawn_without_points(fig, *_, **__):
    fig.set_layout_engine("none")
    fig.draw_without_rendering()
    return b""


style.png, frame.Panel._png = drawn_without_points, lambda _: b""
"""
TRAININGS = """
import functools

import keras
from sklearn.ensemble import HistGradientBoostingClassifier as Trees

from labcourse import compiled, training


def with_one_step(run):
    def short(program, model, step, events, *rates):
        events.n_full = 0  # the last batch is left
        return run(program, model, step, events, *rates)

    return short


def in_two_epochs(fit, **few):
    return functools.wraps(fit)(lambda *data, epochs=1, **more: fit(*data, epochs=min(epochs, 2), **few, **more))


compiled.XLA = False  # compiling takes longer
compiled.Program.run = with_one_step(compiled.Program.run)
Trees.fit = lambda trees, *data, fit=Trees.fit, **more: fit(trees.set_params(max_iter=5), *data, **more)
training.fit, keras.Model.fit = in_two_epochs(training.fit), in_two_epochs(keras.Model.fit, steps_per_epoch=2)
"""
PROJECT = """
import functools

import azh
from azh import limits, search, study


def with_few_trials(search):
    return lambda *given, **_: search(*given, trials=2, epochs=1)


def of_one(expected_limit):
    once = functools.cache(lambda: expected_limit(tested, 500, modifiers))
    return lambda *_: once()


def at_one_mass(scan):
    once = functools.cache(lambda: scan(final, data, [500], modifiers)[0])
    return lambda _, __, masses, *___: [once()._replace(mass=float(mass)) for mass in masses]


def of_all(make):
    once = functools.cache(lambda: make(events, trained.classify, scale=5))
    return lambda *_, **__: once()


def with_few_events(read):
    return lambda: read()[::5]


def once(train):
    trained = functools.cache(lambda: train(parts, progress=False))
    return lambda *_, **__: trained()


azh.read = with_few_events(azh.read)
azh.train = once(azh.train)
azh.Search, search.run = of_all(azh.Search), with_few_trials(search.run)
study.expected_limit, study.scan = of_one(study.expected_limit), at_one_mass(study.scan)
study.largest_excesses = lambda *_, **__: __import__("numpy").linspace(0, 3, 20)
limits.by_toys = lambda model, *_, **__: (limits.expected_band(model), float("nan"))
"""
"""Run before the first cell, and before the project: figures are not painted, trainings take few steps, and the project
has one network."""

UNTRAINED = {
    2: {"raw_train", "parameters", "loss_of_knowing_nothing", "loaded_predicts_the_same"},
    3: {"expected_share"},
    4: {"raw_share_rare", "expected_share_rare"},
    6: {"naive_over_true_repeated"},
    7: {"data_preselected", "z_mass_guarded", "z_window_one_factor", "z_window_two_factors"},
    10: {"loss_of_no_idea", "accuracy_nearest_mean", "accuracy_logistic_regression"},
    11: {"data_raw", "candidates", "fake_factor_electrons", "fake_factor_muons", "fakes", "fakes_error", "zz_too_many"},
}
"""Key numbers that no training changes, by chapter; in chapter 1 all."""


class Course(NamedTuple):
    """All notebooks with what came of them, an error that ended them, and where their outputs are."""

    tasks: list[run.Task]
    error: str
    outputs: Path


@pytest.fixture(scope="module")
def course(real_files_or_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Course:
    """All students' notebooks, run once in order, with each check twice: the second meets the course's own answer."""
    folder = tmp_path_factory.mktemp("outputs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABCOURSE_DATA", str(real_files_or_bundle))
        patch.setenv("LABCOURSE_OUTPUTS", str(folder))
        tasks = run.students(HOME)
        cells = [nbformat.v4.new_code_cell(FIGURES + TRAININGS)]
        for task in tasks:
            task.notebook.cells = [one for cell in task.notebook.cells for one in _twice_if_check(cell)]
            begin = "%reset -f\n" + PROJECT * (task.chapter == source.PROJECT)
            cells += [nbformat.v4.new_code_cell(begin), *task.notebook.cells]
        whole = run.Task(1, "the course", nbformat.v4.new_notebook(metadata=tasks[0].notebook.metadata, cells=cells))
        run.run([whole], home=HOME, workspace="trial")
        bounds = expected.read(HOME)[expected.section()]
        for task in tasks if not whole.error else ():
            task.numbers = expected.compare(outputs.read_numbers(task.chapter, "trial"), bounds[str(task.chapter)])
    return Course(tasks, whole.error, folder)


def _twice_if_check(cell: Any) -> list[Any]:
    is_check = any(tag.startswith("check-") for tag in cell.metadata.get("tags", ()))
    return [cell, nbformat.from_dict({**copy.deepcopy(cell), "id": f"{cell.id}-again"})] if is_check else [cell]


def test_student_notebooks_run_to_their_end_with_all_exercises_open(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = read_reference(HOME)
    assert course.error == ""
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
    assert read_states("trial") == {}, "a run by the course is no progress of the student"


def test_open_exercises_change_no_number_of_the_course(course: Course) -> None:
    """The course's own answers stand in for them. On real files, the numbers are those of «official»."""
    for task in course.tasks:
        numbers = {number.name: number for number in task.numbers if number.expected is not None}
        assert numbers, "tests/expected.json says too little"
        same = UNTRAINED.get(task.chapter, set()) if task.chapter > 1 else set(numbers)
        assert [numbers[name] for name in same if not numbers[name].is_right] == []


def test_outputs_of_real_files_are_stale_for_the_bundle(
    course: Course, real_files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABCOURSE_OUTPUTS", str(course.outputs))
    monkeypatch.setenv("LABCOURSE_DATA", str(settings.data_folder()))
    with pytest.raises(StaleOutput):
        outputs.read_numbers(1, "trial")
