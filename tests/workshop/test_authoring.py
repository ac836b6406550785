"""Building notebooks from course text and running them."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from matplotlib.figure import Figure
from PIL import Image

from labcourse import samples, settings
from workshop.authoring import build, cut, exercises, expected, nbgrader, source, tidy
from workshop.authoring.source import BuildError

COURSE = '''# %% [markdown]
# # Chapter 1: A course in one page
#
# Text with $x^2$ and a [link](../course/figures/a.svg).

# %%
from labcourse import checks

numbers = [1, 2, 3]

# %% tags=["exercise-1.1"]
def double(values):
    """Twice the values."""
    factor = 2
    ### BEGIN SOLUTION
    return [factor * value for value in values]
    ### END SOLUTION


# %% tags=["check-1.1"]
checks.exercise_1_1(double)

# %% tags=["exercise-1.2"]
### BEGIN SOLUTION
scaffold = 3
for k in range(scaffold):
    total = k
low, high = 1, 2
### END SOLUTION
kept = True

# %% tags=["check-1.2", "nbval-ignore-output"]
checks.exercise_1_2((total, low, high))

# %% tags=["exercise-1.3", "written"]
### BEGIN SOLUTION
answer_1_3 = """Because it is so."""
### END SOLUTION

# %% tags=["check-1.3"]
checks.written("1.3", answer_1_3)

# %% [markdown]
# ### Exercise 1.1 – Twice (write code)
# ### Exercise 1.2 – Numbers (read a plot)
# ### Exercise 1.3 – Why (in your words)
'''


@pytest.fixture
def make_home(tmp_path: Path) -> Any:
    """Return a maker of a project folder with one course source."""

    def make(text: str = COURSE, name: str = "chapter1_data_preparation") -> Path:
        (tmp_path / "course").mkdir(parents=True, exist_ok=True)
        (tmp_path / "course" / f"{name}.py").write_text(text, encoding="utf-8")
        (tmp_path / "solutions").mkdir(exist_ok=True)
        return tmp_path

    return make


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("    factor = 2\n", "    ### BEGIN SOLUTION\n    factor = 2\n", 14, "not nested"),
        ("    ### END SOLUTION\n", "", 15, "marks no solution"),
        ('answer_1_3 = """Because it is so."""\n### END', "### END", 36, "is empty"),
        ("kept = True", "### END SOLUTION", 30, "marks no solution"),
        ("numbers = [1, 2, 3]", "### BEGIN SOLUTON", 9, "marks no solution"),
        ("numbers = [1, 2, 3]", "#### END SOLUTION", 9, "marks no solution"),
        ("# Text with", "### BEGIN SOLUTION\n# Text with", 4, "in a code cell"),
        ("1.1 – Twice (write code)", "1.1 – Twice", 11, r"no heading with a title(.|\n)*### Exercise 1\.1 – Title"),
        ("Exercise 1.3 –", "Exercise 1.3:", 35, "no heading with a title and a kind"),
        ('["exercise-1.1"]', "[]", 11, "no exercise"),
        ('["exercise-1.2"]', '["exercise-1.1"]', 11, "must follow each other"),
        ('["exercise-1.2"]', '["exercise-2.2"]', 23, "stands in chapter 1"),
        ('["check-1.1"]', '["check-1.2"]', 11, "must follow each other"),
        ('["check-1.1"]', '["no-check"]', 11, "must follow each other"),
        ("checks.exercise_1_1(double)", "double(numbers)", 20, "does not check it"),
        ("numbers = [1, 2, 3]", "numbers = [1, 2", 9, "not Python"),
        ("low, high = 1, 2\n### END SOLUTION\n", "low, high = (1,\n### END SOLUTION\n2)\n", 23, "not Python"),
        ('"""Because it is so."""', "str(3)", 35, "is no text"),
    ],
)
def test_mistakes_name_file_and_line(make_home: Any, old: str, new: str, line: int, message: str) -> None:
    assert old in COURSE
    home = make_home(COURSE.replace(old, new, 1))
    with pytest.raises(BuildError, match=message) as caught:
        build.build(home)
    assert f"chapter1_data_preparation.py, line {line}" in str(caught.value)
    assert not (home / "notebooks").exists()


NO_NOTEBOOKS = (
    b"{half a notebook",
    b"\xff\xfe no text",
    b'{"cells": [{"cell_type": "code"}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}',
)


@pytest.mark.parametrize("damage", NO_NOTEBOOKS)
def test_a_damaged_notebook_may_be_somebodys_work_and_a_solution_is_built_anew(make_home: Any, damage: bytes) -> None:
    home = make_home()
    build.build(home)
    path, solution = (home / folder / "chapter1_data_preparation.ipynb" for folder in ("notebooks", "solutions"))
    whole = solution.read_bytes()
    for damaged in (path, solution):
        damaged.write_bytes(damage)
        with pytest.raises(BuildError, match="not a readable notebook"):
            build.load(damaged)
    built = build.build(home)[0]
    assert (built.state, "`labcourse reset 1`" in built.note) == ("kept", True)
    assert (path.read_bytes(), solution.read_bytes()) == (damage, whole)


def test_line_ends_of_a_checkout_are_no_difference(make_home: Any) -> None:
    home = make_home()
    build.build(home)
    for path in home.glob("*/*.ipynb"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert {built.state for built in build.build(home)} == {"unchanged"}


def test_leftovers_of_a_killed_build_are_removed(make_home: Any) -> None:
    home = make_home()
    build.build(home)
    for folder in ("notebooks", "solutions"):
        (home / folder / ".chapter1_data_preparation-abc_1234.ipynb").write_text("half")
    build.build(home)
    assert not list(home.glob("*/.*.ipynb"))


@pytest.mark.parametrize(
    ("changed", "is_executed"),
    [
        (lambda i: {}, True),
        (lambda i: {"outputs": []}, False),  # they were stripped
        (lambda i: {"execution_count": 3 - i}, False),
        (lambda i: {"execution_count": None}, False),
        (lambda i: {"outputs": [{"output_type": "error", "ename": "x", "evalue": "", "traceback": []}]}, False),
    ],
)
def test_spoilt_solutions_are_found(make_home: Any, changed: Any, is_executed: bool) -> None:
    notebook = build.with_outputs(source.read_all(make_home())[0], None)
    printed = [{"output_type": "stream", "name": "stdout", "text": "x"}]
    for i, cell in enumerate(cell for cell in notebook.cells if cell.cell_type == "code"):
        cell.update({"execution_count": i + 1, "outputs": printed} | changed(i))
    assert build.is_executed(nbformat.from_dict(notebook)) == is_executed


@pytest.mark.parametrize(
    ("source", "of_zee", "section"),
    [
        ("bundle", "bundle", "bundle"),
        ("official", "official", "official"),
        ("bundle", "official", "official"),
        # A larger simulation has the bundle's files of the rare backgrounds.
        ("simulated", "bundle", "other"),
        ("foreign", "official", "other"),
    ],
)
def test_what_is_expected_depends_on_the_samples(
    source: str, of_zee: str, section: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    zee = samples.locate("Zee")
    monkeypatch.setattr(samples, "locate", lambda name: zee._replace(source=of_zee if name == "Zee" else source))
    assert expected.section() == section
    assert (expected.read(settings.home())[section] == {}) == (section == "other")


def test_damaged_expectations(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "expected.json").write_text('{"bundle": {')
    with pytest.raises(BuildError, match="expected numbers cannot be read"):
        expected.read(tmp_path)


def test_pictures_get_a_palette_and_the_largest_lose_colours_then_sharpness_where_a_notebook_is_too_large(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    outputs, alts = [], ["10 bins", "30 bins", "20 bins"]
    for alt in alts:
        fig, drawn = Figure((6, 4)), io.BytesIO()
        fig.subplots().hist(range(100), bins=int(alt[:2]), hatch="///", edgecolor="white")
        fig.savefig(drawn)
        data = {"image/png": base64.b64encode(drawn.getvalue()).decode()}
        outputs.append(nbformat.v4.new_output("display_data", data, metadata={"image/png": {"alt": alt}}))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x", outputs=outputs)])
    sizes = []
    for less, colourful, width in ((0, 3, 600), (0, 3, 600), (1, 2, 600), (10**6, 0, 300)):
        monkeypatch.setattr(tidy, "MAX_BYTES", sizes[-1] - less if less else 10**6)
        tidy.tidy(notebook)
        sizes.append(len(build.text(notebook).encode()))
        kept = notebook.cells[0].outputs
        images = [Image.open(io.BytesIO(base64.b64decode(output["data"]["image/png"]))) for output in kept]
        assert [(image.mode, image.size[0]) for image in images] == [("P", width)] * 3
        assert sum(len(image.getcolors()) > 24 for image in images) == colourful
        assert [output["metadata"]["image/png"]["alt"] for output in kept] == alts
    assert sizes[1] == sizes[0], "small pictures stay as they are"


def test_every_solution_of_the_course_says_that_it_is_one() -> None:
    for chapter in source.read_all(settings.home()):
        calls = [cell for cell in cut.solution(chapter) if "outputs.Chapter(" in cell]
        assert [call.count("solution=True") for call in calls] == [1], chapter.name
        for made in (
            build.student_notebook(chapter),
            nbgrader.source_notebook(chapter, exercises.points(settings.home())),
        ):
            assert "solution=True" not in build.text(made), chapter.name


def test_one_chapter_is_built_and_the_exercises_of_all_are_listed(make_home: Any) -> None:
    home = make_home()
    make_home("# %%\nx = 1\n", "chapter2_training")
    assert [built.path.stem for built in build.build(home, [1])] == ["chapter1_data_preparation"] * 2 + ["exercises"]
    listed = json.loads(exercises.file_of(home).read_text(encoding="utf-8"))
    assert [len(chapter["exercises"]) for chapter in listed.values()] == [3, 0]
    with pytest.raises(BuildError, match="no chapter 3"):
        build.build(home, [3])
