"""Starting over and solving: whatever fails or is killed, nothing that a student made is lost."""

import errno
import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from course import outputs, workspaces
from course.checks import progress
from course.outputs import ChapterBusy
from labcourse import settings
from labcourse.errors import LabCourseError, StorageError
from tests.kernel import HOLD, another
from workshop.authoring import build, source, workspace
from workshop.authoring.run import Task
from workshop.authoring.source import BuildError

NAME = outputs.CHAPTERS[1]
COURSE = '''# %% [markdown]
# # Chapter 1
#
# ### Exercise 1.1 – Twice (write code)

# %% tags=["exercise-1.1"]
def double(x):
    """Twice x."""
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION


# %% tags=["check-1.1"]
checks.exercise_1_1(double)
'''


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A course of one chapter, in which a student has worked: notebook, exercises, outputs."""
    home = tmp_path / "home"
    monkeypatch.setattr(settings, "home", lambda: home)
    (home / "course").mkdir(parents=True)
    (home / "course" / f"{NAME}.py").write_text(COURSE)
    build.build(home)
    work(home)
    return home


def work(home: Path) -> None:
    """Do what a student does."""
    notebook = build.load(home / "notebooks" / f"{NAME}.ipynb")
    notebook.cells[1].source = "def double(x):\n    return x + x  # mine"
    (home / "notebooks" / f"{NAME}.ipynb").write_text(build.text(notebook))
    progress.record_state("1.1", "solved")
    progress.record_state("2.1", "wrong")
    with outputs.Chapter(1, sources=()) as chapter:
        chapter.write_numbers({"answer": 42})


def fresh(home: Path) -> bytes:
    return build.text(build.student_notebook(source.read_all(home)[0])).encode()


def contents(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


class Work:
    """What there was, to be found again."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.path = home / "notebooks" / f"{NAME}.ipynb"
        self.notebook = self.path.read_bytes()
        self.numbers = (outputs.folder(1, "notebooks") / "numbers.json").read_bytes()
        self.fresh = fresh(home)

    def assert_findable(self) -> None:
        assert self.notebook in contents(self.home / "notebooks")
        assert not self.path.exists() or self.path.read_bytes() in (self.notebook, self.fresh)
        workspace = workspaces.outputs_folder() / "notebooks"
        assert self.numbers in contents(workspace)
        assert b"solved\n" in contents(workspace / "progress")
        assert progress.read_states("notebooks")["2.1"] == "wrong"

    def is_old(self) -> bool:
        return (
            self.path.read_bytes() == self.notebook
            and progress.read_states("notebooks") == {"1.1": "solved", "2.1": "wrong"}
            and outputs.read_numbers(1, "notebooks") == {"answer": 42}
        )

    def is_new(self) -> bool:
        return self.path.read_bytes() == self.fresh and progress.read_states("notebooks") == {"2.1": "wrong"}


def test_reset_keeps_everything_under_other_names(home: Path) -> None:
    before = Work(home)
    for number in (1, 2):
        _, kept, kept_progress = workspace.reset(home, 1)
        assert before.is_new()
        assert kept is not None
        assert kept.name.startswith(f"{NAME}.mine-20")
        assert kept.name.endswith(f"-{number}.ipynb")
        assert kept.read_bytes() == before.notebook
        assert kept_progress is not None
        assert outputs.read_numbers(1, "notebooks") == {"answer": 42}
        before.assert_findable()
        work(home)


def test_reset_of_an_untouched_chapter_keeps_nothing(home: Path) -> None:
    notebook, *_ = workspace.reset(home, 1)
    notebook.write_bytes(notebook.read_bytes().replace(b"\n", b"\r\n"))  # as Git for Windows has it
    assert workspace.reset(home, 1)[1:] == (None, None)


def test_reset_keeps_a_notebook_that_nobody_can_read_and_mends_a_deleted_one(home: Path) -> None:
    path = home / "notebooks" / f"{NAME}.ipynb"
    path.write_bytes(b"\xff\x00")
    _, kept, _ = workspace.reset(home, 1)
    assert kept is not None
    assert kept.read_bytes() == b"\xff\x00"
    path.unlink()
    assert workspace.reset(home, 1)[0].read_bytes() == fresh(home)
    with pytest.raises(BuildError, match="There is no chapter 2"):
        workspace.reset(home, 2)


SOLVING = """
from workshop.authoring import workspace
workspace.solve([], lambda adopt: print("held", flush=True) or input() or [])
"""


@pytest.mark.parametrize(
    ("code", "error", "says"),
    [(HOLD, ChapterBusy, "Shut that kernel down"), (SOLVING, StorageError, "Another process is at work")],
)
def test_a_running_kernel_or_command_is_told_about_and_nothing_happens(
    home: Path, code: str, error: type[LabCourseError], says: str
) -> None:
    before = Work(home)
    with another(code):
        with pytest.raises(error, match=says):
            workspace.reset(home, 1)
        with pytest.raises(error, match=says):
            workspace.solve([1], made())
        assert before.is_old()
    workspace.reset(home, 1)
    assert before.is_new()


Run = Callable[[Callable[[Task], None]], list[Task]]


def made(error: str = "", fault: Callable[[], None] | None = None) -> Run:
    """Return a solution that writes outputs and then ends in some way."""

    def run(adopt: Callable[[Task], None]) -> list[Task]:
        with outputs.Chapter(1, sources=(), workspace=workspace.SCRATCH) as chapter:
            chapter.write_numbers({"answer": 1})
        if fault:
            fault()
        adopt(task := Task(1, NAME, None, error=error))
        return [task]

    return run


def full() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def interrupt() -> None:
    raise KeyboardInterrupt


def test_solve_keeps_the_outputs_that_it_replaces(home: Path) -> None:
    before = Work(home)
    tasks, kept = workspace.solve([1], made())
    assert [(task.chapter, task.error) for task in tasks] == [(1, "")]
    assert outputs.read_numbers(1, "notebooks") == {"answer": 1}
    assert (kept[1] / "numbers.json").read_bytes() == before.numbers
    before.assert_findable()
    shutil.rmtree(outputs.folder(1, "notebooks"))
    assert workspace.solve([1], made())[1] == {}, "there were none"
    assert [path.name for path in workspaces.outputs_folder().iterdir()] == ["notebooks"]


@pytest.mark.parametrize("run", [made("it failed"), made(fault=interrupt)])
def test_solve_that_fails_changes_nothing(home: Path, run: Run) -> None:
    before = Work(home)
    with suppress(KeyboardInterrupt):
        workspace.solve([1], run)
    assert before.is_old()
    assert [path.name for path in workspaces.outputs_folder().iterdir()] == ["notebooks"]
    assert not list(workspaces.outputs_folder().rglob("*mine*"))


def test_solve_leaves_a_chapter_alone_that_was_begun_meanwhile(home: Path) -> None:
    before = Work(home)
    with ExitStack() as stack:
        tasks, kept = workspace.solve([1], made(fault=lambda: stack.enter_context(another(HOLD))))
    assert ("already running in another kernel" in tasks[0].error, kept, before.is_old()) == (True, {}, True)


@pytest.mark.parametrize("fault", [full, interrupt])
@pytest.mark.parametrize("action", ["reset", "solve"])
def test_whatever_refuses_nothing_is_lost_and_the_command_completes_it(
    home: Path, monkeypatch: pytest.MonkeyPatch, action: str, fault: Callable[[], None]
) -> None:
    """The disk refuses, or Ctrl-C is pressed, at the first, second, … call that changes names."""

    def act() -> object:
        return workspace.reset(home, 1) if action == "reset" else workspace.solve([1], made())

    for at in range(1, 30):
        before, count = Work(home), itertools.count(1)

        def wrapped(real: Callable[..., Any], at: int = at, count: Iterator[int] = count) -> Callable[..., Any]:
            return lambda *arguments, **options: fault() if next(count) == at else real(*arguments, **options)

        with monkeypatch.context() as patch, suppress(LabCourseError, OSError, KeyboardInterrupt):
            for name in ("replace", "rename", "fsync"):
                patch.setattr(os, name, wrapped(getattr(os, name)))
            act()
        before.assert_findable()
        act()
        before.assert_findable()
        assert action == "solve" or before.is_new()
        for path in [*home.rglob("*.mine-*"), *workspaces.outputs_folder().rglob("*.mine-*")]:
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()
        work(home)
        if next(count) <= at:
            break
    assert at > 3


@pytest.mark.parametrize("what", ["changed", "run"])
def test_build_keeps_what_was_typed_or_run(home: Path, what: str) -> None:
    if what == "run":
        notebook = build.student_notebook(source.read_all(home)[0])
        notebook.cells[1].execution_count = 1
        (home / "notebooks" / f"{NAME}.ipynb").write_text(build.text(notebook))
    before = Work(home)
    built = build.build(home)[0]
    assert (built.state, before.is_old()) == ("kept", True)


def test_build_replaces_a_notebook_that_was_only_opened(home: Path) -> None:
    path = home / "notebooks" / f"{NAME}.ipynb"
    path.write_bytes(fresh(home))
    notebook = build.load(path)
    notebook.metadata["language_info"]["version"] = "3.12.1"  # as JupyterLab does when it saves
    path.write_text(build.text(notebook))
    (home / "course" / f"{NAME}.py").write_text(COURSE.replace("Twice", "Two times"))
    assert build.build(home)[0].state == "written"
    assert not list(path.parent.glob("*mine*"))
