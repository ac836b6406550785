"""A course tree for nbgrader: one assignment a chapter, from the same sources as the notebooks.

nbgrader itself is not needed here. Its source notebooks are those of the students: in each answer stands an empty
region, which is all that ``nbgrader generate_assignment`` has to cut out. Its tests are the checks of the course: since
those never raise, each is followed by an assertion, which nbgrader hides from students, so that an open exercise
stops nothing in their notebooks. Answers in words are graded by hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from course.outputs import CHAPTERS
from workshop.authoring import build, exercises
from workshop.authoring.build import Built
from workshop.authoring.source import BEGIN, END, Source, read_all

CONFIG = '''\
"""Settings of nbgrader for this course. Yours to change: building again leaves them alone."""

import os
from pathlib import Path

c = get_config()  # noqa: F821
c.CourseDirectory.root = str(Path(__file__).resolve().parent)
c.CourseDirectory.course_id = "labcourse"

c.ClearSolutions.code_stub = {"python": ""}  # the notebooks bring their own stubs
c.OverwriteCells.add_missing_cells = True  # a check that a student deleted counts nevertheless


def seconds(cell):
    """An answer that does not end costs its point and the class two minutes; cells of the course train networks."""
    is_course = cell.id.startswith("chapter") and "nbgrader" not in cell.metadata
    return 900 if is_course else 120


c.Execute.timeout_func = seconds
# nbgrader gives no point for a check during which something is written to standard error, even if it is right.
c.Execute.extra_arguments = [
    "--HistoryManager.hist_file=:memory:",
    "--IPKernelApp.exec_lines=import sys; sys.stderr = sys.stdout",
]

# Each chapter is graded on its own: it reads what earlier chapters make from the instructor's run of the solutions
# (`labcourse run`), and writes where it disturbs neither the instructor's outputs nor any student's.
os.environ.setdefault("LABCOURSE_INPUTS", "solutions")
os.environ.setdefault("LABCOURSE_WORKSPACE", "graded")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # what C++ writes to standard error would cost the point, too
'''

_FIGURE = re.compile(r"\]\(\.\./course/(figures/[^)\s]+|glossary\.md)(?=[)#])")
_TESTS = re.compile(r"^### BEGIN HIDDEN TESTS$.*?^### END HIDDEN TESTS$\n?", re.MULTILINE | re.DOTALL)
_CHAPTER = re.compile(rf"\]\(({'|'.join(CHAPTERS.values())})\.ipynb\)")


def build_tree(home: Path, folder: Path, chapters: Collection[int] = ()) -> list[Built]:
    """Write ``source/<chapter>/<chapter>.ipynb`` with its figures, and ``nbgrader_config.py``, below ``folder``.

    What is there and differs is kept, since points or settings may have been changed by hand.

    Raises
    ------
    BuildError
        If a course source or the table of points breaks the rules; nothing is written then.
    StorageError
        If the folder cannot be written.
    """
    points = exercises.points(home)
    plans = [(source, build.text(source_notebook(source, points))) for source in read_all(home, chapters)]
    built = [_write(folder / "nbgrader_config.py", CONFIG)]
    for source, content in plans:
        assignment = folder / "source" / source.name
        built.append(_write(assignment / f"{source.name}.ipynb", content))
        for figure in sorted({match for cell in source.cells for match in _FIGURE.findall(cell.text)}):
            drawing = (home / "course" / figure).read_text("utf-8")
            built.append(_write(assignment / figure, drawing))
    return built


def source_notebook(source: Source, points: Callable[[str], int]) -> Any:
    """Return a chapter as nbgrader's source notebook: that of the students, with the points of each exercise.

    Raises
    ------
    BuildError
        If an answer cannot be cut.
    """
    source = source.handed_out
    notebook = build.student_notebook(source)
    notebook.metadata.pop("labcourse", None)
    written = {cell.exercise for cell in source.cells if "written" in cell.tags}
    for cell, made in zip(source.cells, notebook.cells, strict=True):
        if cell.kind == "markdown":
            made.source = _relinked(made.source)
        number, is_check = cell.exercise or cell.check, bool(cell.check)
        if not number or (is_check and number in written):
            continue
        has_points = is_check or number in written  # answers in words are graded by hand
        made.metadata["nbgrader"] = {
            "schema_version": 3,
            "grade_id": f"{'check' if is_check else 'exercise'}-{number.replace('.', '-')}",
            "cell_type": "code",
            "grade": has_points,
            "solution": not is_check,
            "locked": is_check,
            "task": False,
            **({"points": points(number)} if has_points else {}),
        }
        if not is_check:
            made.source += f"\n{BEGIN}\n{END}"  # without it nbgrader would cut out the whole cell
        else:
            # Not `checks.is_solved`: that name is in the student's reach without even an import.
            made.source += (
                "\n### BEGIN HIDDEN TESTS\nfrom course.checks.progress import is_solved\n"
                f'assert is_solved("{number}"), "exercise {number} is not solved"\n### END HIDDEN TESTS'
            )
    return notebook


def without_tests(text: str) -> str:
    """Return a graded cell as the student had it: without the tests that nbgrader hides.

    >>> without_tests("check(x)\\n### BEGIN HIDDEN TESTS\\nassert x\\n### END HIDDEN TESTS")
    'check(x)'
    """
    return _TESTS.sub("", text).rstrip() if _TESTS.search(text) else text


def _relinked(text: str) -> str:
    """Let links lead from an assignment's folder to its figures, the glossary and the other assignments."""
    return _CHAPTER.sub(r"](../\1/\1.ipynb)", _FIGURE.sub(r"](\1", text))


def _write(path: Path, content: str) -> Built:
    if path.is_file() and not build.holds(path, content):
        return Built(path, "kept", "it differs; delete it to have it built anew")
    return build.write(path, content)
