"""The tree of `labcourse build --nbgrader`: what is in it, and that nbgrader itself takes and grades it."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from course.checks import registry
from labcourse import settings
from workshop.authoring import build, exercises, nbgrader, source
from workshop.authoring.source import BuildError
from workshop.comparison.reference import read_reference
from workshop.comparison.submissions import find
from workshop.comparison.survey import survey

HOME = settings.home()
CHAPTERS = [chapter for chapter in source.read_all(HOME) if chapter.chapter]
NAME = "chapter1_data_preparation"

each_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: str(chapter.name))


@each_chapter
def test_source_notebooks_give_each_exercise_its_points(chapter: source.Source) -> None:
    notebook = nbgrader.source_notebook(chapter, lambda number: 3 if number == "1.2" else 1)
    cells = [cell for cell in notebook.cells if "nbgrader" in cell.metadata]
    graded = {cell.metadata.nbgrader["grade_id"]: cell.metadata.nbgrader for cell in cells}
    exercises = [cell for cell in chapter.cells if cell.exercise]
    for cell in exercises:
        exercise, check = (graded.get(f"{kind}-{cell.exercise.replace('.', '-')}") for kind in ("exercise", "check"))
        assert (exercise["solution"], exercise["locked"]) == (True, False)
        worth = 3 if cell.exercise == "1.2" else 1
        if "written" in cell.tags:
            assert (exercise["points"], check) == (worth, None)
        else:
            wanted = (False, worth, True, False)
            assert (exercise["grade"], check["points"], check["locked"], check["solution"]) == wanted
    assert sum(entry.get("points", 0) for entry in graded.values()) == len(exercises) + 2 * (chapter.chapter == 1)


def test_the_table_of_points(tmp_path: Path) -> None:
    points = exercises.points(HOME)
    table = json.loads((HOME / "course" / "points.json").read_text("utf-8"))
    assert table.keys() - {"default"} <= registry.exercises().keys()
    assert all(points(number) == table.get(number, table["default"]) for number in registry.exercises())
    (tmp_path / "course").mkdir()
    for text in ("", "[]", "{}", '{"default": 1, "1.1": "2"}', '{"default": -1}', '{"default": true}'):
        (tmp_path / "course" / "points.json").write_text(text)
        with pytest.raises(BuildError, match="table of points"):
            exercises.points(tmp_path)


def test_what_was_changed_by_hand_is_kept(tmp_path: Path) -> None:
    first = nbgrader.build_tree(HOME, tmp_path, [1])
    assert {built.state for built in first} == {"written"}
    assert {built.state for built in nbgrader.build_tree(HOME, tmp_path, [1])} == {"unchanged"}
    notebook = tmp_path / "source" / NAME / f"{NAME}.ipynb"
    config = tmp_path / "nbgrader_config.py"
    for path in (notebook, config):
        path.write_text(path.read_text("utf-8") + "\n", "utf-8")
    kept = [built.path for built in nbgrader.build_tree(HOME, tmp_path, [1]) if built.state == "kept"]
    assert kept == [config, notebook]
    notebook.unlink()
    assert [built.path for built in nbgrader.build_tree(HOME, tmp_path, [1]) if built.state == "written"] == [notebook]


# With the real nbgrader, on chapter 1: the others train networks. `make test` installs it.


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return a caller of `nbgrader …` in a course tree with chapter 1."""
    installed = Path(sys.prefix) / "nbgrader"
    if not (installed / "nbgrader").is_dir():
        pytest.skip("nbgrader is not in .venv/nbgrader: `make test` installs it")
    tree = tmp_path_factory.mktemp("class")
    nbgrader.build_tree(HOME, tree, [1])
    path = os.pathsep.join([str(HOME), str(installed)])
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LABCOURSE_")} | {
        "PYTHONPATH": path,
        "PYTHONWARNINGS": "",
        "PATH": os.pathsep.join([str(installed / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]),
        "LABCOURSE_OUTPUTS": str(tree / "outputs"),
        "JUPYTER_CONFIG_DIR": str(tree / "no_settings"),
    }

    def call(*arguments: str) -> Path:
        command = [sys.executable, "-m", "nbgrader", *arguments]
        done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, timeout=900)
        assert done.returncode == 0, done.stderr
        return tree

    return call


def test_nbgrader_makes_grades_and_comments_on_an_assignment(call: Any) -> None:
    tree: Path = call("generate_assignment", NAME)
    released = build.load(tree / "release" / NAME / f"{NAME}.ipynb")
    (chapter,) = [chapter for chapter in CHAPTERS if chapter.name == NAME]
    student = build.student_notebook(chapter)
    for ours, theirs in zip(student.cells, released.cells, strict=True):
        if ours.cell_type == "code":
            assert theirs.source.split() == ours.source.split()
    for figure in ("atlas_coordinates", "event_weights", "feynman_higgs_four_leptons"):
        assert (tree / "release" / NAME / "figures" / f"{figure}.svg").is_file()

    submitted = tree / "submitted"

    def hand_in(name: str, notebook: Any) -> None:
        (submitted / name / NAME).mkdir(parents=True)
        (submitted / name / NAME / f"{NAME}.ipynb").write_text(build.text(notebook), "utf-8")

    solution = build.load(HOME / "solutions" / f"{NAME}.ipynb")
    answers = {
        cell.id: cell.source
        for cell in solution.cells
        if any("exercise-" in tag for tag in cell.metadata.get("tags", ()))
    }
    right = build.load(tree / "release" / NAME / f"{NAME}.ipynb")
    for cell in right.cells:
        cell.source = answers.get(cell.id, cell.source)
    hand_in("right", right)
    # Another has left most open, does not see the charge, writes to standard error, has deleted a check, claims to have
    # solved what is open, lets the course's names say so, and has a cell without an end.
    mixed = build.load(tree / "release" / NAME / f"{NAME}.ipynb")
    for cell in mixed.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        if grade_id == "exercise-1-1":
            cell.source = answers[cell.id]
            cell.source += "\nimport logging, sys\nlogging.basicConfig()\nchecks.is_solved = lambda number: True"
        elif grade_id == "exercise-1-2":
            cell.source = answers[cell.id].replace(
                "    return", "    logging.warning('loud')\n    print(file=sys.stderr)\n    return"
            )
        elif grade_id == "exercise-1-4":
            cell.source = answers[cell.id]
        elif grade_id == "exercise-1-5":
            cell.source = "def is_neutral(events):\n    return events['lep1_charge'] == 1"
        elif grade_id == "exercise-1-6":
            cell.source = "def z_masses(events):\n    return ...\n\nwhile True:\n    pass"
        elif grade_id == "check-1-6":
            cell.source = "print('exercise 1.6: solved')"
    mixed.cells = [c for c in mixed.cells if c.metadata.get("nbgrader", {}).get("grade_id") != "check-1-4"]
    hand_in("mixed", mixed)

    # What does not end is stopped sooner, and figures are not painted.
    settings_of_tree = (tree / "nbgrader_config.py").read_text("utf-8").replace("else 120", "else 4")
    begin, unpainted = (
        "sys.stderr = sys.stdout",
        "from labcourse.plotting import style; style.png = lambda *_, **__: b''",
    )
    (tree / "nbgrader_config.py").write_text(settings_of_tree.replace(begin, f"{begin}; {unpainted}"), "utf-8")
    call("autograde", NAME)
    call("generate_feedback", NAME)
    call("export")
    with (tree / "grades.csv").open(encoding="utf-8") as file:
        grades = {row["student_id"]: (float(row["score"]), float(row["max_score"])) for row in csv.DictReader(file)}
    # Two of the eleven exercises are in words, and wait for a person.
    assert grades == {"right": (9, 11), "mixed": (3, 11)}

    for name in grades:
        feedback = (tree / "feedback" / name / NAME / f"{NAME}.html").read_text("utf-8")
        assert all(f"exercise {cell.check}" in feedback for cell in chapter.cells if cell.check)
        graded = build.load(tree / "autograded" / name / NAME / f"{NAME}.ipynb")
        failed = [x for c in graded.cells for x in c.get("outputs", ()) if x.output_type == "error"]
        stopped = {"KeyboardInterrupt", "CellTimeoutError"}
        assert {x.ename for x in failed} - {"AssertionError"} == (stopped if name == "mixed" else set())
        errors = [x.evalue for x in failed if x.ename == "AssertionError"]
        # Whatever is wrong, the rest of the chapter runs: nothing but our assertions fails.
        assert len(errors) == 9 - grades[name][0]
        assert all(error.endswith("is not solved") for error in errors)
    # `labcourse compare` sees the students' notebooks in what nbgrader makes of them.
    for folder in (submitted, tree / "autograded"):
        students = {s.name: s for s in survey(find(folder), read_reference(HOME)).students}
        assert not any(f.doubts for f in students["mixed"].exercises if f.exercise in ("1.3", "1.7", "1.8"))
    assert {found.state for found in students["right"].exercises} == {"solved", "answered"}
    assert not any(found.doubts for found in students["right"].exercises if found.state == "solved")
    # Neither the instructor's outputs nor a student's workspace was written to.
    assert [path.name for path in (tree / "outputs").iterdir()] == ["graded"]
