"""The built notebooks: in step with the course, executed, small, right in their numbers.

nbval compares the outputs of ``solutions/`` cell by cell in the same run of pytest (see the Makefile) and
leaves the chapters' numbers in ``LABCOURSE_OUTPUTS``; here they are held against ``tests/expected.json``.
"""

import os
from pathlib import Path

import pytest

from course import outputs
from course.checks import progress
from labcourse import settings
from workshop.authoring import build, cut, expected, source, tidy

HOME = settings.home()
#: Where the kernels of nbval wrote, before the fixtures of the tests set their own folders.
OUTPUTS = os.environ.get("LABCOURSE_OUTPUTS", "")
SOURCES = source.read_all(HOME)
CHAPTERS = [chapter for chapter in SOURCES if chapter.chapter is not None]


def by_name(chapter: source.Source) -> str:
    return chapter.name


each_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=by_name)


def test_the_course_has_the_notebooks_of_its_table() -> None:
    assert [chapter.name for chapter in CHAPTERS] == list(outputs.CHAPTERS.values())


def test_notebooks_are_in_step_and_executed() -> None:
    assert [
        (path.name, note) for path, content, note in build.plan(HOME) if note or not build.holds(path, content)
    ] == []
    solutions = {path.stem for path in (HOME / "solutions").glob("*.ipynb") if ".mine-" not in path.name}
    assert solutions == set(outputs.CHAPTERS.values()), "others have no source in course/: delete them"
    sizes = {name: (HOME / "solutions" / f"{name}.ipynb").stat().st_size for name in solutions}
    assert {name for name, size in sizes.items() if size > tidy.MAX_BYTES} == set(), "draw fewer figures, print less"


@each_chapter
def test_student_notebook_keeps_all_text_and_gives_nothing_away(chapter: source.Source) -> None:
    student = build.load(HOME / "notebooks" / f"{chapter.name}.ipynb")
    assert [cell.source for cell in student.cells if cell.cell_type == "markdown"] == [
        cell.text for cell in chapter.cells if cell.kind == "markdown"
    ]
    assert not any(cell.outputs for cell in student.cells if cell.cell_type == "code")
    given = {cell.source for cell in student.cells}
    for cell, answer in zip(chapter.cells, cut.solution(chapter), strict=True):
        if cell.exercise:
            assert answer not in given
    assert "SOLUTION" not in build.text(student)


@each_chapter
def test_every_exercise_can_be_solved_in_the_solution(chapter: source.Source) -> None:
    """The stored outputs of the check cells say so."""
    solution = build.load(HOME / "solutions" / f"{chapter.name}.ipynb")
    for built, cell in zip(solution.cells, chapter.cells, strict=True):
        if cell.check:
            (verdict,) = [o.data[progress.MIME_TYPE] for o in built.outputs if progress.MIME_TYPE in o.get("data", {})]
            assert (verdict["exercise"], verdict["state"] in ("solved", "answered")) == (cell.check, True)


@each_chapter
def test_numbers_of_the_nbval_run(chapter: source.Source, monkeypatch: pytest.MonkeyPatch) -> None:
    if not OUTPUTS or not (Path(OUTPUTS) / "solutions" / chapter.name / "numbers.json").is_file():
        pytest.skip("nbval did not run the solutions before (it does in `make test`)")
    monkeypatch.setenv("LABCOURSE_OUTPUTS", OUTPUTS)
    monkeypatch.setenv("LABCOURSE_DATA", str(settings.data_folder()))
    bounds = expected.read(HOME)["bundle"].get(str(chapter.chapter), {})
    assert bounds, "tests/expected.json says nothing about this chapter"
    rows = expected.compare(outputs.read_numbers(chapter.chapter or 0, "solutions"), bounds)
    assert [row for row in rows if not row.is_right] == []


def test_every_number_has_room_to_vary_and_no_more() -> None:
    for section in ("bundle", "official"):
        for chapter, numbers in expected.read(HOME)[section].items():
            for name, bounds in numbers.items():
                assert bounds["tolerance"] >= 0, (section, chapter, name)
                if isinstance(bounds["value"], float) and bounds["value"] and name != "z_observed":
                    # Small differences and spreads vary much from seed to seed, but their sign is known. What a few
                    # events of the data show may have any.
                    assert bounds["tolerance"] <= abs(bounds["value"]), (section, chapter, name)
