"""`labcourse compare --execute`: a notebook is run, and cannot do what it should not."""

import contextlib
import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from labcourse import settings
from labcourse.errors import BadInput
from tests.workshop.synthetic_class import verdict
from workshop.comparison import reading, sandbox
from workshop.comparison.reading import Cell
from workshop.comparison.reference import Chapter, read_reference
from workshop.comparison.submissions import find
from workshop.comparison.survey import survey


def _has_sandbox() -> bool:
    with contextlib.suppress(BadInput):
        sandbox.require_bubblewrap()
        return True
    return False


needs_sandbox = pytest.mark.skipif(not _has_sandbox(), reason="bubblewrap is not here, or may not make namespaces")

RIGHT = """def invariant_mass(pt, eta, phi, energy):
    px, py, pz = (pt * np.cos(phi)).sum(1), (pt * np.sin(phi)).sum(1), (pt * np.sinh(eta)).sum(1)
    return np.sqrt(energy.sum(1) ** 2 - px**2 - py**2 - pz**2)"""

SHARE = """from labcourse import samples
def share_seen(events, cross_section, luminosity):
    seen = events["weight"][events["sample"].isin(samples.SIGNAL)].sum()
    return seen / sum(1000 * luminosity * cross_section[name] for name in samples.SIGNAL)"""


@pytest.fixture(scope="module")
def chapter() -> Chapter:
    return read_reference(settings.home())[1]


def code(source: str, tag: str = "", printed: str = "") -> dict[str, Any]:
    outputs = [{"output_type": "stream", "name": "stdout", "text": printed}] if printed else []
    metadata = {"tags": [tag]} if tag else {}
    return {"cell_type": "code", "source": source, "metadata": metadata, "outputs": outputs, "execution_count": 1}


def run_cells(*sources: str) -> tuple[list[str], str]:
    """Run cells; return what each printed, or the name of its error, and why they were not run to the end."""
    cells, note = sandbox.run_cells([sandbox.as_json(Cell("code", source)) for source in sources], [])
    return ["".join(o.get("text", o.get("ename", "")) for o in cell["outputs"]) for cell in cells], note


@needs_sandbox
def test_a_fresh_run_decides_and_an_endless_loop_is_named(
    chapter: Chapter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "CELL_SECONDS", 3)
    claim = "exercise 1.2: solved\n  ✓ gives one weight per event\n"
    constant = "def event_weight(branches, luminosity):\n    return 1.0"
    cells = [
        code("import numpy as np\nfrom course import checks, outputs"),
        code("chapter = outputs.Chapter(1, sources=[])"),
        code(RIGHT, "exercise-1.1"),
        code("print('exercise 1.1: solved')", "check-1.1", "exercise 1.1: solved\n"),
        code(constant, "exercise-1.2"),
        {
            **code(chapter.exercises[1].check, "check-1.2"),
            "outputs": [verdict("1.2", "solved", constant, claim)],
        },
        code(SHARE, "exercise-1.3"),
        code("z_masses = ...\nwhile True: pass", "exercise-1.6"),
    ]
    (tmp_path / "anna").mkdir()
    (tmp_path / "anna" / "chapter1.ipynb").write_text(json.dumps({"cells": cells}))
    reference = {1: chapter}
    stored = survey(find(tmp_path), reference).students[0].exercises
    assert [found.state for found in stored[:3]] == ["unchecked", "solved", "unchecked"]
    student = survey(find(tmp_path), reference, run=True).students[0]
    assert [what for _, what in student.problems] == ["run by --execute: exercise-1.6 was stopped after 3 s"]
    assert [found.state for found in student.exercises[:4]] == ["solved", "wrong", "solved", "missing"]
    assert student.exercises[1].doubts == ["claims solved, but a fresh run says wrong"]


@needs_sandbox
def test_what_students_code_cannot_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setattr(sandbox, "CELL_SECONDS", 2)
    monkeypatch.setattr(sandbox, "MEMORY", 1.5e9)
    monkeypatch.setenv("MY_TOKEN", "secret")
    mine, service = tmp_path / "mine", tmp_path / "service"
    mine.write_text("secret")
    libc = "import ctypes; libc = ctypes.CDLL(None, use_errno=True)"
    attacks = {
        "import glob, os, signal, socket, subprocess": "",
        "socket.create_connection(('192.0.2.1', 80), timeout=5)": "OSError",
        f"socket.socket(socket.AF_UNIX).connect({str(service)!r})": "FileNotFoundError",
        f"open({str(mine)!r})": "FileNotFoundError",
        f"open({str(settings.home() / 'workshop' / 'x')!r}, 'w')": "OSError",
        f"os.listdir({str(settings.home())!r} + '/solutions')": "FileNotFoundError",
        f"print(sum(os.path.getsize(text) for text in glob.glob({str(settings.home())!r} + '/course/c*_*.py')))": "0\n",
        "open('/new', 'w')": "OSError",
        "print('MY_TOKEN' in os.environ, os.listdir(os.environ['HOME'] + '/..')[:1])": "False ['home']\n",
        f"os.kill({os.getpid()}, 0)": "ProcessLookupError",
        "os.kill(1, signal.SIGKILL)  # the one who writes down what is run cannot be killed": "",
        "open('/proc/1/fd/1', 'w').write('{}')  # nor can anybody write in its name": "PermissionError",
        "print([name for name in os.listdir('/dev/pts') if name != 'ptmx'])": "[]\n",
        f"{libc}\nprint(libc.mount(None, b'/', None, 0x1020, None))": "-1\n",
        "print(subprocess.run(['unshare', '--user', '--map-root-user', 'true'], stderr=-1).returncode)": "1\n",
        f"{libc}\nprint(libc.shmget({0x4C434D53}, 0, 0))  # memory shared with the user's programs": "-1\n",
        "open('/tmp/mine', 'w').write('x'); print('written')": "written\n",
        "x = bytearray(5 * 10**9)": "MemoryError",
        "while True: pass": "KeyboardInterrupt",
        "print('goes on')": "goes on\n",
    }
    system = ctypes.CDLL(None)
    segment = system.shmget(0x4C434D53, 4096, 0o1666)
    assert segment >= 0
    request.addfinalizer(lambda: system.shmctl(segment, 0, None))  # removes it
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(service))
        listening.listen()
        printed, note = run_cells(*attacks)
    assert note == ""
    assert dict(zip(attacks, printed, strict=True)) == attacks


@needs_sandbox
@pytest.mark.parametrize(
    ("cell", "note"),
    [
        (
            "other = [sys.executable, '-c', 'import time; x = b\"x\" * (5 * 10**8); time.sleep(4242)']\n"
            "running = [subprocess.Popen(other) for _ in range(2)]\n"
            "signal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass",
            "stopped: more than 1.0 GB of memory, or than this machine has",
        ),
        (
            "running = [subprocess.Popen(['sleep', '4242']) for _ in range(250)]\ntime.sleep(9)",
            "stopped: more than 200 processes",
        ),
        ("print('x' * 60_000_000)", "it has too much output"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "its kernel died, perhaps for want of memory"),
    ],
)
def test_what_goes_too_far_is_stopped_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch, cell: str, note: str) -> None:
    monkeypatch.setattr(sandbox, "CELL_SECONDS", 8)
    monkeypatch.setattr(sandbox, "MEMORY", 1e9)
    hides = (
        "import os, signal, subprocess, sys, time\ndef start():\n    if os.fork() == 0:\n        os.setsid()\n"
        "        for number in (1, 2, 3, 15):\n            signal.signal(number, signal.SIG_IGN)\n"
        "        time.sleep(4242)\nstart()\nprint('before')"
    )
    before = psutil.Process().children(recursive=True)  # of other tests, such as a tracker of shared memory
    printed, said = run_cells(hides, cell, "print('never')")
    assert said == note
    assert printed in ([], ["before\n", "", ""])
    assert set(psutil.Process().children(recursive=True)) <= set(before)


def test_a_run_that_takes_too_long_is_stopped_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "SECONDS", 0.2)
    with subprocess.Popen(["sleep", "10"]) as process:
        try:
            assert sandbox._watch(process) == "stopped after 0 s"
        finally:
            process.kill()


@needs_sandbox
def test_all_ends_with_whoever_began_it() -> None:
    begin = "from tests.workshop.test_comparison_execution import run_cells\nrun_cells('import time; time.sleep(4242)')"
    parent = psutil.Popen([sys.executable, "-c", begin])
    try:
        deadline = time.monotonic() + 60
        while len(family := parent.children(recursive=True)) < 3 and time.monotonic() < deadline:
            time.sleep(0.2)
        assert len(family) >= 3
    finally:
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
    assert not psutil.wait_procs(family, 10)[1]


@needs_sandbox
def test_a_chapter_reads_what_the_solutions_of_earlier_ones_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from course import outputs

    reference = read_reference(settings.home())
    monkeypatch.setenv("LABCOURSE_OUTPUTS", str(tmp_path))
    for number in (1, 3):
        folder = outputs.folder(number, "solutions")
        folder.mkdir(parents=True)
        (folder / "numbers.json").write_text("{}")
    look = "import os\nfrom course.workspaces import inputs_workspace, outputs_folder\n"
    look += "assert os.listdir(outputs_folder() / inputs_workspace()) == ['chapter1_data_preparation']"
    fresh = sandbox.execute(reading.take({"cells": [code(look)]}), reference[3])
    assert (fresh.cells[0].count, fresh.cells[0].error) == (1, "")
    assert fresh.notes == ("run by --execute without the outputs of chapter 2: run `labcourse run` first",)


@needs_sandbox
def test_a_run_that_cannot_begin_says_why(tmp_path: Path) -> None:
    _, note = sandbox.run_cells([], [tmp_path / "gone"])
    assert note.startswith("it could not be run to its end: bwrap: Can't find source path")


def test_without_bubblewrap_nothing_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BadInput, match="bwrap is not here") as refused:
        sandbox.require_bubblewrap()
    assert "apt install bubblewrap" in refused.value.next_step
    (tmp_path / "bwrap").write_text("#!/bin/sh\necho 'bwrap: no \033[31m permission' >&2; exit 1")
    (tmp_path / "bwrap").chmod(0o755)
    with pytest.raises(BadInput, match=r"bwrap: no �\[31m permission"):
        sandbox.require_bubblewrap()


def test_checks_are_the_course_own(chapter: Chapter) -> None:
    claims = code("print('exercise 1.1: solved')", "check-1.1")
    notebook = reading.take({"cells": [code(RIGHT, "exercise-1.1"), claims, code("x = 1", "exercise-1.2")]})
    cells = sandbox.with_checks(notebook, chapter)
    checks = [exercise.check for exercise in chapter.exercises]
    assert [cell.source for cell in cells] == [RIGHT, checks[0], "x = 1", checks[1]]
