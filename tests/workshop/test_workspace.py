"""Starting over and solving: whatever fails, whenever it is killed, nothing that a student made is lost."""

from __future__ import annotations

import errno
import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from course.checks import progress
from labcourse import files, outputs, settings
from labcourse.errors import BuildError, ChapterBusy, LabCourseError, StorageError
from workshop.authoring import build, workspace
from workshop.authoring.run import ChapterRun

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
    monkeypatch.setattr(settings, "home", lambda: tmp_path / "home")
    return make_home(tmp_path / "home")


def make_home(home: Path) -> Path:
    (home / "course" / "chapters").mkdir(parents=True)
    (home / "course" / "chapters" / f"{NAME}.py").write_text(COURSE)
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
    from workshop.authoring import source

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
        assert self.path.read_bytes() in (self.notebook, self.fresh)
        workspace = settings.outputs_folder() / "notebooks"
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
        done = workspace.reset(home, 1, with_outputs=True)
        assert before.is_new()
        assert done.kept_notebook is not None
        assert done.kept_notebook.name.startswith(f"{NAME}.mine-20")
        assert done.kept_notebook.name.endswith(f"-{number}.ipynb")
        assert done.kept_notebook.read_bytes() == before.notebook
        assert done.kept_progress is not None
        assert done.kept_outputs is not None
        assert (done.kept_outputs / "numbers.json").read_bytes() == before.numbers
        before.assert_findable()
        work(home)


def test_reset_of_an_untouched_chapter_keeps_nothing(home: Path) -> None:
    workspace.reset(home, 1, with_outputs=True)
    done = workspace.reset(home, 1, with_outputs=True)
    assert (done.kept_notebook, done.kept_progress, done.kept_outputs) == (None, None, None)


def test_line_ends_of_windows_are_no_change(home: Path) -> None:
    notebook = workspace.reset(home, 1).notebook
    notebook.write_bytes(notebook.read_bytes().replace(b"\n", b"\r\n"))
    assert workspace.reset(home, 1).kept_notebook is None


def test_reset_leaves_outputs_unless_asked(home: Path) -> None:
    done = workspace.reset(home, 1)
    assert done.kept_outputs is None
    assert outputs.read_numbers(1, "notebooks") == {"answer": 42}


@pytest.mark.parametrize("damage", [b"{", b"", b"\xff\x00"])
def test_reset_keeps_a_notebook_that_nobody_can_read(home: Path, damage: bytes) -> None:
    path = home / "notebooks" / f"{NAME}.ipynb"
    path.write_bytes(damage)
    done = workspace.reset(home, 1)
    assert done.kept_notebook is not None
    assert done.kept_notebook.read_bytes() == damage
    assert path.read_bytes() == fresh(home)


def test_reset_mends_a_deleted_notebook(home: Path) -> None:
    (home / "notebooks" / f"{NAME}.ipynb").unlink()
    workspace.reset(home, 1)
    assert (home / "notebooks" / f"{NAME}.ipynb").read_bytes() == fresh(home)


def test_reset_of_an_unknown_chapter(home: Path) -> None:
    with pytest.raises(BuildError, match="There is no chapter 2"):
        workspace.reset(home, 2)


HOLD = """
from labcourse import outputs
chapter = outputs.Chapter(1, sources=())
print("held", flush=True)
input()
"""


@contextmanager
def a_kernel() -> Iterator[None]:
    kernel = subprocess.Popen(
        [sys.executable, "-c", HOLD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert kernel.stdout is not None
        assert kernel.stdout.readline() == "held\n"
        yield
    finally:
        kernel.kill()
        kernel.communicate()


def test_a_running_kernel_is_told_about_and_nothing_happens(home: Path) -> None:
    before = Work(home)
    with a_kernel():
        with pytest.raises(ChapterBusy, match="Save the notebook and shut its kernel down"):
            workspace.reset(home, 1)
        with pytest.raises(ChapterBusy, match="Save the notebook"):
            workspace.solve([1], list)
        assert before.is_old()
    workspace.reset(home, 1)
    assert before.is_new()


def test_twice_at_once_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = Work(home)
    code = (
        "from workshop.authoring import workspace\n"
        "with workspace._alone():\n    print('held', flush=True)\n    input()\n"
    )
    monkeypatch.setattr(sys.modules[__name__], "HOLD", code)
    with a_kernel():
        with pytest.raises(ChapterBusy, match="running already"):
            workspace.reset(home, 1)
        with pytest.raises(ChapterBusy, match="running already"):
            workspace.solve([1], list)
    assert before.is_old()


# Faults at every call that changes the disk.

CALLS: tuple[tuple[Any, str], ...] = (
    *((os, name) for name in ("replace", "rename", "link", "unlink", "mkdir", "rmdir", "fsync", "open", "chmod")),
    (tempfile, "mkstemp"),
    (io, "open"),  # Path.open, write_text, write_bytes
    (shutil, "copyfile"),
    (shutil, "rmtree"),
)


class Faults:
    """Let the ``at``-th call that changes the disk do ``fault``; with ``onwards`` every later one as well."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int, fault: Callable[[], None], *, onwards: bool) -> None:
        self.count = 0
        for module, name in CALLS:
            monkeypatch.setattr(module, name, self._wrap(getattr(module, name), at, fault, onwards))

    def _wrap(self, real: Callable[..., Any], at: int, fault: Callable[[], None], onwards: bool) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            mode = str(arguments[1] if len(arguments) > 1 else options.get("mode", "r"))
            if real is not io_open or any(letter in mode for letter in "wxa+"):
                self.count += 1
                if self.count == at or (onwards and self.count > at):
                    fault()
            return real(*arguments, **options)

        return call


io_open = io.open


def full() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def interrupt() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("links", [True, False], ids=["links", "no links"])
@pytest.mark.parametrize(("fault", "onwards"), [(full, False), (full, True), (interrupt, False)])
def test_reset_with_a_fault_at_any_call(
    home: Path, monkeypatch: pytest.MonkeyPatch, links: bool, fault: Callable[[], None], onwards: bool
) -> None:
    if not links:
        monkeypatch.setattr(os, "link", no_links)
    undone = 0
    for at in range(1, 100):
        before = Work(home)
        with monkeypatch.context() as patch:
            faults = Faults(patch, at, fault, onwards=onwards)
            raised = False
            try:
                workspace.reset(home, 1, with_outputs=True)
            except (LabCourseError, KeyboardInterrupt):
                raised = True
        if faults.count < at:
            assert not raised
            break
        before.assert_findable()
        if raised and not onwards:
            # One refusal is undone.
            assert before.is_old(), at
            undone += 1
        workspace.reset(home, 1, with_outputs=True)
        assert before.is_new(), at
        before.assert_findable()
        start_over(home)
    else:
        pytest.fail("the faults never ended")
    assert at > 8
    assert undone > 4 or onwards


def no_links(*_: object) -> None:
    raise OSError(errno.EPERM, "Operation not permitted")


def start_over(home: Path) -> None:
    """Remove what was kept, and work again."""
    for path in [*home.rglob("*.mine-*"), *settings.outputs_folder().rglob("*.mine-*")]:
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()
    work(home)


def half_made(error: str = "", fault: Callable[[], None] | None = None) -> Callable[[], list[ChapterRun]]:
    """Return a solution that writes outputs and then ends in some way."""

    def run() -> list[ChapterRun]:
        with outputs.Chapter(1, sources=()) as chapter:
            chapter.write_numbers({"answer": 1})
        if fault:
            fault()
        return [ChapterRun(1, NAME, error=error)]

    return run


def test_solve_keeps_the_outputs_that_it_replaces(home: Path) -> None:
    before = Work(home)
    results, kept = workspace.solve([1], half_made())
    assert [result.chapter for result in results] == [1]
    assert outputs.read_numbers(1, "notebooks") == {"answer": 1}
    assert (kept[1] / "numbers.json").read_bytes() == before.numbers
    assert before.path.read_bytes() == before.notebook
    before.assert_findable()


@pytest.mark.parametrize("run", [half_made("it failed"), half_made(fault=interrupt), half_made(fault=full)])
def test_solve_that_fails_changes_nothing(home: Path, run: Callable[[], list[ChapterRun]]) -> None:
    before = Work(home)
    with suppress(KeyboardInterrupt, OSError):
        workspace.solve([1], run)
    assert before.is_old()
    assert not list(settings.outputs_folder().rglob("*mine*"))


def test_solve_without_earlier_outputs(home: Path) -> None:
    shutil.rmtree(outputs.folder(1, "notebooks"))
    _, kept = workspace.solve([1], half_made())
    assert kept == {}
    assert outputs.read_numbers(1, "notebooks") == {"answer": 1}


def test_solve_whose_chapter_was_begun_meanwhile_says_where_the_outputs_are(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = Work(home)

    def run() -> list[ChapterRun]:
        stack.enter_context(a_kernel())
        return [ChapterRun(1, NAME, error="busy")]

    from contextlib import ExitStack

    with ExitStack() as stack:
        workspace.solve([1], run)
    assert "your outputs of chapter 1 are kept in" in capsys.readouterr().err
    before.assert_findable()


@pytest.mark.parametrize("onwards", [False, True])
def test_solve_with_a_fault_at_any_call(home: Path, monkeypatch: pytest.MonkeyPatch, onwards: bool) -> None:
    for at in range(1, 100):
        before = Work(home)
        with monkeypatch.context() as patch:
            faults = Faults(patch, at, full, onwards=onwards)
            with suppress(LabCourseError):
                workspace.solve([1], half_made("it failed" if at % 2 else ""))
        if faults.count < at:
            break
        before.assert_findable()
        workspace.solve([1], half_made())
        assert outputs.read_numbers(1, "notebooks") == {"answer": 1}
        before.assert_findable()
        shutil.rmtree(outputs.folder(1, "notebooks"))
        start_over(home)
    else:
        pytest.fail("the faults never ended")


# Killed at every call: a child is forked for each, in a process without threads.

KILLED = """
import importlib.util, os, pathlib, signal, sys
import pytest
spec = importlib.util.spec_from_file_location("test_workspace", {file!r})
t = importlib.util.module_from_spec(spec)
sys.modules["test_workspace"] = t
spec.loader.exec_module(t)
home = pathlib.Path({home!r})
t.settings.home = lambda: home
t.make_home(home)
actions = {{
    "reset": lambda: t.workspace.reset(home, 1, with_outputs=True),
    "solve": lambda: t.workspace.solve([1], t.half_made()),
}}
act = actions[{action!r}]
for at in range(1, 100):
    before = t.Work(home)
    child = os.fork()
    if child == 0:
        t.Faults(pytest.MonkeyPatch(), at, lambda: os.kill(os.getpid(), signal.SIGKILL), onwards=False)
        act()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if status == 0:
        break
    assert os.WTERMSIG(status) == signal.SIGKILL
    before.assert_findable()
    act()
    before.assert_findable()
    if {action!r} == "reset":
        assert before.is_new()
    t.shutil.rmtree(t.outputs.folder(1, "notebooks"), ignore_errors=True)
    t.start_over(home)
print("killed", at - 1, "times")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("action", ["reset", "solve"])
def test_killed_at_any_call(tmp_path: Path, action: str) -> None:
    code = KILLED.format(file=__file__, home=str(tmp_path / "home"), action=action)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[1]) > 5


def test_a_read_only_folder_changes_nothing(home: Path) -> None:
    before = Work(home)
    (home / "notebooks").chmod(0o555)
    try:
        if os.access(home / "notebooks", os.W_OK):
            pytest.skip("no folder refuses this user")
        with pytest.raises(StorageError, match="Make room"):
            workspace.reset(home, 1)
    finally:
        (home / "notebooks").chmod(0o755)
    assert before.is_old()


# What is below: names that overwrite nothing.


@pytest.mark.parametrize("links", [True, False])
def test_kept_names_overwrite_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool) -> None:
    if not links:
        monkeypatch.setattr(os, "link", no_links)
    path = tmp_path / "a.ipynb"
    for text in "abc":
        path.write_text(text)
        files.keep(path)
        path.unlink()
    assert sorted(file.read_text() for file in tmp_path.iterdir()) == ["a", "b", "c"]
    for text in "abc":
        (tmp_path / "folder").mkdir()
        (tmp_path / "folder" / text).touch()
        files.set_aside(tmp_path / "folder")
    assert sorted(file.name for file in tmp_path.glob("folder*/*")) == ["a", "b", "c"]


def test_build_keeps_what_was_typed_without_running_it(home: Path) -> None:
    before = Work(home)
    built = build.build(home)[0]
    assert (built.state, "changed" in built.note) == ("kept", True)
    assert before.is_old()
    built = build.build(home, force=True)[0]
    assert built.state == "written"
    assert "kept as" in built.note
    before.assert_findable()
    assert before.path.read_bytes() == before.fresh


def test_build_replaces_a_notebook_that_was_only_opened(home: Path) -> None:
    path = home / "notebooks" / f"{NAME}.ipynb"
    path.write_bytes(fresh(home))
    notebook = build.load(path)
    notebook.metadata["language_info"]["version"] = "3.12.1"  # as JupyterLab does when it saves
    path.write_text(build.text(notebook))
    (home / "course" / "chapters" / f"{NAME}.py").write_text(COURSE.replace("Twice", "Two times"))
    assert build.build(home)[0].state == "written"
    assert not list(path.parent.glob("*mine*"))


def test_build_leaves_a_notebook_that_cannot_be_read(home: Path) -> None:
    path = home / "notebooks" / f"{NAME}.ipynb"
    path.write_text("{half a notebook")
    assert build.build(home)[0].state == "kept"
    assert path.read_text() == "{half a notebook"
