"""Notebooks at once: each when what it reads is there, all ended by Ctrl-C."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from course import outputs
from labcourse import settings
from workshop.authoring import build, expected, machine, run, source
from workshop.authoring.display import RunProgress

HOME = settings.home()


@pytest.fixture
def make_tasks(
    tmp_path: Path, make_course: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., list[run.Task]]:
    """Return a maker of chapters, given the chapters that each reads; what they do is written to a log."""
    monkeypatch.setattr(expected, "section", lambda: "bundle")
    note = f"open({str(tmp_path / 'log')!r}, 'a').write"

    def make(reads: dict[int, tuple[int, ...]], body: str) -> list[run.Task]:
        texts = {
            number: "\n".join(
                [
                    "import time",
                    *(f"chapter.read_numbers({n})" for n in needed),
                    f"{note}('begin {number}\\n')",
                    body,
                    f"{note}('end {number}\\n')",
                    f"chapter.write_numbers({{'answer': {number}}})",
                ]
            )
            for number, needed in reads.items()
        }
        home = make_course(texts)
        build.build(home)
        return run.solutions(home)

    return make


def test_each_begins_when_what_it_reads_is_there(
    make_tasks: Callable[..., list[run.Task]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    body = f"while not all(text in open({str(tmp_path / 'log')!r}).read() for text in '19'): time.sleep(0.1)"
    tasks = make_tasks({1: (), 2: (1,), 9: ()}, body)  # the first and the project wait for each other
    shown: list[str] = []
    monkeypatch.setattr(RunProgress, "show", lambda _, text: shown.append(text))
    with RunProgress(tasks, {"1": 3.0}) as progress:
        told = {"on_cell": progress.on_cell, "on_chapter": progress.on_chapter}
        results = run.run(tasks, home=tmp_path / "home", workspace="test", jobs=2, **told)
    assert [(result.chapter, result.error) for result in results] == [(n, "") for n in (1, 2, 9)]
    assert [number.value for result in results for number in result.numbers] == [1, 2, 9]
    assert any(re.search(r"project parameterised network 100%; .* left", text) for text in shown)
    assert [line.split(":")[0] for line in capsys.readouterr().err.splitlines()][-1] == "✓ 2 training"
    log = (tmp_path / "log").read_text().splitlines()
    assert [line for line in log if "9" not in line] == [f"{word} {n}" for n in (1, 2) for word in ("begin", "end")]


def test_after_a_failure_none_begins_and_what_runs_ends(
    make_tasks: Callable[..., list[run.Task]], tmp_path: Path
) -> None:
    tasks = make_tasks({1: (), 2: (1,), 9: ()}, "chapter.number == 1 and 1 / 0\ntime.sleep(1)")
    failed, project = run.run(tasks, home=tmp_path / "home", workspace="test", jobs=2)
    assert "ZeroDivisionError" in failed.error
    assert (project.chapter, project.error) == (9, "")


def test_a_dying_kernel_is_told(make_tasks: Callable[..., list[run.Task]], tmp_path: Path) -> None:
    (task,) = run.run(make_tasks({1: ()}, "import os\nos._exit(9)"), home=tmp_path / "home", workspace="test")
    assert "kernel died in cell 1" in task.error


def test_numbers_of_an_earlier_run_are_not_those_of_this_one(
    make_course: Callable[[dict[int, str]], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expected, "section", lambda: "bundle")
    with outputs.Chapter(1, sources=(), workspace="test") as chapter:
        chapter.write_numbers({"answer": 1})
    build.build(home := make_course({1: "it_writes_none = True"}))
    (task,) = run.run(run.solutions(home), home=home, workspace="test")
    assert (task.error, task.numbers) == ("", [])


def test_what_a_chapter_reads_is_seen_in_its_code() -> None:
    needs = {task.chapter: set(task.inputs) for task in run.solutions(HOME)}
    assert needs[source.PROJECT] == set()
    assert (needs[2], needs[6]) == ({1}, {1})
    assert run.lacking(HOME, [5, 9], "test") == [1, 2, 4]
    assert all(1 in needs[chapter] and max(needs[chapter]) < chapter for chapter in range(2, 9))


COMMAND = """
import pathlib, sys
from labcourse import settings
from workshop import cli
from workshop.authoring import build

home = pathlib.Path(sys.argv.pop(1))
settings.home = lambda: home
build.build(home)
cli.main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no SIGINT for one process")
def test_ctrl_c_ends_all_kernels(tmp_path: Path, make_course: Callable[..., Path]) -> None:
    text = f"import os, time\nopen(f'{tmp_path}/kernel-{{os.getpid()}}', 'w').close()\ntime.sleep(60)"
    command = [sys.executable, "-c", COMMAND, str(make_course({1: text, 2: text})), "run", "--jobs", "2"]
    environment = os.environ | {"LABCOURSE_DATA": str(HOME / "data")}
    with subprocess.Popen(command, cwd=HOME, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            while len(kernels := [int(path.name.split("-")[1]) for path in tmp_path.glob("kernel-*")]) < 2:
                assert process.poll() is None, process.communicate()
                time.sleep(0.1)
            os.kill(process.pid, signal.SIGINT)
            _, err = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 130, err
    assert not any(psutil.pid_exists(kernel) for kernel in kernels)


def test_jobs_are_what_cores_and_free_memory_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "cpu.max": "400000 100000\n",
        "memory.max": "9000000000\n",
        "memory.current": "3000000000\n",
        "memory.stat": "anon 1\ninactive_file 400000000\n",
    }
    monkeypatch.setattr(machine, "_text", lambda path: files.get(path.rpartition("/")[2], ""))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr("psutil.virtual_memory", lambda: type("Memory", (), {"available": 64e9}))
    assert (machine.cores(), machine.free_memory(), machine.jobs()) == (4, 6.4e9, 2)
    monkeypatch.setattr(machine, "free_memory", lambda: 1e9)
    assert machine.jobs() == 1
