"""`labcourse compare --execute`: a notebook is run, and cannot do what it should not."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from labcourse import settings
from labcourse.errors import BadInput
from labcourse.outputs import MIME_TYPE
from tests.workshop.synthetic_class import verdict
from workshop.comparison import execution, reading, sandbox
from workshop.comparison.reference import Chapter, read_reference
from workshop.comparison.sandbox import Limits, run_cells
from workshop.comparison.submissions import find
from workshop.comparison.survey import Survey, survey

needs_namespaces = pytest.mark.skipif(not sandbox.can_cut_network(), reason="user namespaces are not allowed here")

RIGHT = """def invariant_mass(pt, eta, phi, energy):
    px, py, pz = (pt * np.cos(phi)).sum(1), (pt * np.sin(phi)).sum(1), (pt * np.sinh(eta)).sum(1)
    return np.sqrt(energy.sum(1) ** 2 - px**2 - py**2 - pz**2)"""


@pytest.fixture(scope="module")
def chapter() -> Chapter:
    return read_reference(settings.home(), [1])[1]


def code(source: str, tag: str = "", printed: str = "") -> dict[str, Any]:
    outputs = [{"output_type": "stream", "name": "stdout", "text": printed}] if printed else []
    metadata = {"tags": [tag]} if tag else {}
    return {"cell_type": "code", "source": source, "metadata": metadata, "outputs": outputs, "execution_count": 1}


@contextlib.contextmanager
def at_most(seconds: int) -> Iterator[None]:
    """Fail rather than wait for ever."""

    def give_up(*_: object) -> None:
        raise TimeoutError(f"blocked for {seconds} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def printed(outcome: sandbox.Outcome, index: int) -> str:
    return "".join(
        output.get("text", output.get("ename", "")) for output in outcome.cells.get(index, {}).get("outputs", ())
    )


@needs_namespaces
def test_a_fresh_run_decides(chapter: Chapter, tmp_path: Path) -> None:
    claim = "exercise 1.2: solved\n  ✓ gives one weight per event\n"
    constant = "def event_weight(branches, luminosity):\n    return 1.0"
    cells = [
        code("import numpy as np\nfrom labcourse import checks, outputs\nchapter = outputs.Chapter(1, sources=[])"),
        code(RIGHT, "exercise-1.1"),
        code("print('exercise 1.1: solved')", "check-1.1", "exercise 1.1: solved\n"),
        code(constant, "exercise-1.2"),
        {**code(chapter.exercises[1].check, "check-1.2"), "outputs": [verdict("1.2", "solved", constant, claim)]},
        code("def count(events):\n    return len(events), events['weight'].sum()", "exercise-1.3"),
        code("chapter.write_numbers({'expected_signal': 9.6995})"),
    ]
    (tmp_path / "anna").mkdir()
    (tmp_path / "anna" / "chapter1.ipynb").write_text(json.dumps({"cells": cells}))
    reference = {1: chapter}
    stored = survey(find(tmp_path), reference).students[0].exercises
    assert [found.state for found in stored[:3]] == ["unchecked", "solved", "unchecked"]
    student = survey(
        find(tmp_path), reference, execute=partial(execution.execution, reference, Limits(120, 4e9, 60))
    ).students[0]
    assert not student.problems
    assert [found.state for found in student.exercises[:4]] == ["solved", "wrong", "solved", "missing"]
    assert student.exercises[1].doubts == ("claims solved, but a fresh run says wrong",)
    assert {n.name: n.value for n in student.chapters[0].numbers}["expected_signal"] == 9.6995


def test_an_endless_cell_leaves_time_for_the_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """That the cells behind it are run is seen in the sandbox: here, that six leave a notebook time."""
    from workshop.cli import app
    from workshop.comparison import display

    given: list[Limits] = []

    def compare(*_: object, limits: Limits, **__: object) -> Survey:
        given.append(limits)
        return Survey("", {}, [])

    monkeypatch.setattr(display, "compare", compare)
    for options in ([], ["--seconds", "1800"]):
        CliRunner().invoke(app, ["compare", str(tmp_path), "--execute", *options], catch_exceptions=False)
    assert [limits.seconds for limits in given] == [900, 1800]
    assert all(100 < limits.cell_seconds < limits.seconds / 6 for limits in (Limits(), *given))


@needs_namespaces
def test_no_network_no_secrets_no_writing_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", "secret")
    outside, outputs = tmp_path / "outside", tmp_path / "outputs"
    outside.mkdir()
    outputs.mkdir()
    cells = [
        "import os, socket",
        "socket.create_connection(('192.0.2.1', 80), timeout=5)",
        "print('MY_TOKEN' in os.environ, os.environ['HOME'] == os.path.abspath('../home'))",
        f"open({str(outside / 'x')!r}, 'w')",
        "open('mine', 'w').write('x'); print('written')",
        "x = bytearray(5 * 10**9)",
        "while True: pass",
        "print('goes on')",
    ]
    outcome = run_cells(cells, outputs, Limits(60, 1.5e9, 2))
    assert outcome.note == ""
    assert [printed(outcome, i) for i in range(1, 8)] == [
        "OSError",
        "False True\n",
        "OSError",
        "written\n",
        "MemoryError",
        "KeyboardInterrupt",
        "goes on\n",
    ]
    assert not list(outside.iterdir())


REMOUNT = """import ctypes, sys
bind_and_remount = 0x1000 | 0x20
ctypes.CDLL(None).mount(None, b"/", None, bind_and_remount, None)
open(sys.argv[1], "w")"""


@needs_namespaces
def test_write_protection_cannot_be_taken_off(tmp_path: Path) -> None:
    outside, outputs = tmp_path / "outside", tmp_path / "outputs"
    outputs.mkdir()
    attack = f"[sys.executable, '-c', {REMOUNT!r}, {str(outside)!r}]"
    cells = [
        f"import subprocess, sys\nprint(subprocess.run({within} + {attack}, stderr=-1, text=True).stderr[-200:])"
        for within in ([], ["unshare", "--user", "--map-root-user", "--mount"])
    ]
    outcome = run_cells(cells, outputs, Limits(60, 4e9, 30))
    assert outcome.note == ""
    assert all("Read-only file system" in printed(outcome, i) for i in range(2))
    assert not outside.exists()


@needs_namespaces
def test_services_of_the_machine_cannot_be_reached(tmp_path: Path) -> None:
    if not os.access("/run", os.W_OK):
        pytest.skip("only the superuser can listen in /run")
    outputs, address = tmp_path / "outputs", f"/run/labcourse-{os.getpid()}.sock"
    outputs.mkdir()
    with socket.socket(socket.AF_UNIX) as service:
        service.bind(address)
        try:
            service.listen()
            attack = f"import os, socket\nprint(os.listdir('/run'))\nsocket.socket(socket.AF_UNIX).connect({address!r})"
            outcome = run_cells([attack], outputs, Limits(60, 4e9, 30))
        finally:
            os.unlink(address)
    assert outcome.note == ""
    assert printed(outcome, 0) == "[]\nFileNotFoundError"


TRAPS = f"""import contextlib, os
from IPython.display import display
outputs = os.environ["LABCOURSE_OUTPUTS"]
chapter = outputs + "/notebooks/chapter1_data_preparation"
def replace(path, make):
    with contextlib.suppress(OSError):
        os.rename(path, path + "_old")
    with contextlib.suppress(OSError):
        make(path)
def link(to):
    return lambda path: os.symlink(to, path)
def claim_numbers():
    display({{{MIME_TYPE!r}: {{"chapter": 1, "numbers": {{"a": 1}}}}}}, raw=True)
"""


@needs_namespaces
@pytest.mark.parametrize(
    "trap",
    [
        "replace('../runner.log', link(notes)); os.makedirs(chapter); os.mkfifo(chapter + '/numbers.json')\n"
        "claim_numbers()",
        "replace('../runner.log', os.mkfifo); os.makedirs(chapter)\n"
        "open(chapter + '/numbers.json', 'w').truncate(10**12)",
        "[replace(path, link(victim)) for path in (outputs, *('../' + name for name in os.listdir('..')))]\n"
        "replace(outputs + '/notebooks', link(victim + '/notebooks'))",
    ],
    ids=["a link for the log", "a pipe for the log", "links for all folders"],
)
def test_what_one_run_leaves_is_no_trap_for_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trap: str
) -> None:
    """Neither where the student's own outputs are used further, nor where the solution's take their place."""
    solution, victim, temporary = tmp_path / "outputs", tmp_path / "victim", tmp_path / "tmp"
    monkeypatch.setenv("LABCOURSE_OUTPUTS", str(solution))
    made = solution / "solutions" / "chapter1_data_preparation"
    for folder in (made, victim / "notebooks" / "chapter1_data_preparation", temporary):
        folder.mkdir(parents=True)
    (made / "numbers.json").write_text("{}")
    kept = [victim / "notes.txt", victim / "notebooks" / "chapter1_data_preparation" / "numbers.json"]
    for file in kept:
        file.write_text("secret")
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    cell = f"{TRAPS}\nvictim, notes = {str(victim)!r}, {str(kept[0])!r}\n{trap}"
    with at_most(100), execution.execution(read_reference(settings.home(), [1, 2]), Limits(40, 4e9, 20)) as run:
        assert not run(reading.take({"cells": [code(cell)]}), 1).cells[0].error
        second = run(reading.take({"cells": [code("print('goes on')")]}), 2)
    assert (second.cells[0].printed, second.notes) == ("goes on\n", ())
    assert sorted(path for path in victim.rglob("*") if path.is_file()) == sorted(kept)
    assert {file.read_text() for file in kept} == {"secret"}
    assert not list(temporary.iterdir())


@needs_namespaces
def test_whatever_a_run_leaves_is_removed(
    chapter: Chapter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    outside, temporary = tmp_path / "outside", tmp_path / "tmp"
    # If this fails, pytest could not remove the nest either.
    request.addfinalizer(lambda: subprocess.run(["rm", "-rf", str(temporary)], check=True))
    temporary.mkdir()
    outside.write_text("mine")
    outside.chmod(0o640)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    cells = [
        code(f"import os; os.mkdir('locked'); os.symlink({str(outside)!r}, 'locked/link'); os.chmod('locked', 0)"),
        code("for _ in range(3000):\n    os.mkdir('deep'); os.chdir('deep')\nprint('deep enough')"),
    ]
    with execution.execution({1: chapter}, Limits(60, 4e9, 30)) as run:
        fresh = run(reading.take({"cells": cells}), 1)
    assert (fresh.cells[1].printed, fresh.notes) == ("deep enough\n", ())
    assert not list(temporary.iterdir())
    assert (outside.read_text(), outside.stat().st_mode & 0o777) == ("mine", 0o640)


def test_a_run_that_cannot_begin_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "can_cut_network", lambda: False)
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\nyes x | head -c 100000 >&2; printf 'no \\033[31m memory\\n' >&2")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    assert run_cells(["1"], tmp_path, Limits(20)).note == "it could not be run to its end: no �[31m memory"


@needs_namespaces
def test_memory_of_all_processes_together_is_watched(tmp_path: Path) -> None:
    hog = "a = b'x' * (9 * 10**8); import time; time.sleep(50)"  # less than the limit, but not with the kernel
    start = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {hog!r}])"
    outcome = run_cells(["print('before')", start], tmp_path, Limits(60, 1e9, 60))
    assert outcome.note == "stopped: more than 1.0 GB of memory"
    assert printed(outcome, 0) == "before\n"


@pytest.mark.parametrize("is_isolated", [pytest.param(True, marks=needs_namespaces), False])
def test_what_does_not_stop_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_isolated: bool) -> None:
    if not is_isolated:
        monkeypatch.setattr(sandbox, "can_cut_network", lambda: False)
    enter = "import os, signal; os.chdir(os.environ['LABCOURSE_OUTPUTS']); open('alive', 'w'); print('before')"
    loop = "signal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: os.utime('alive')"
    cells = [enter, loop, "print('never')"]
    outcome = run_cells(cells, tmp_path, Limits(15, 4e9, 4))
    assert outcome.note == "stopped after 15 s"
    assert (printed(outcome, 0), printed(outcome, 2)) == ("before\n", "")
    touched = os.stat(tmp_path / "alive").st_mtime_ns
    time.sleep(0.3)
    assert os.stat(tmp_path / "alive").st_mtime_ns == touched


def test_without_a_way_to_cut_the_network_nothing_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "can_cut_network", lambda: False)
    with pytest.raises(BadInput, match="--with-network"):
        execution.require_cut_network()


def test_checks_are_the_course_own(chapter: Chapter) -> None:
    notebook = reading.take(
        {
            "cells": [
                code(RIGHT, "exercise-1.1"),
                code("print('exercise 1.1: solved')", "check-1.1"),
                code("x = 1", "exercise-1.2"),
            ]
        }
    )
    cells = execution.with_checks(notebook, chapter)
    assert [cell.source for cell in cells] == [RIGHT, chapter.exercises[0].check, "x = 1", chapter.exercises[1].check]


def test_outputs_after_a_gap_are_the_solutions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from labcourse import outputs

    reference = read_reference(settings.home(), [1, 2, 4])
    monkeypatch.setenv("LABCOURSE_OUTPUTS", str(tmp_path))
    for number in (1, 2, 3):
        folder = outputs.folder(number, "solutions")
        folder.mkdir(parents=True)
        (folder / "numbers.json").write_text(f'{{"of": "solution {number}"}}')
    seen: dict[int, dict[str, str]] = {}

    def run_cells(sources: list[str], folder: Path, limits: Limits) -> sandbox.Outcome:
        workspace = folder / "notebooks"
        number = next(n for n in reference if n not in seen)
        found = sorted(workspace.glob("*/numbers.json"))
        seen[number] = {path.parent.name[:8]: json.loads(path.read_text())["of"] for path in found}
        own = workspace / outputs.CHAPTERS[number]
        own.mkdir(parents=True, exist_ok=True)
        (own / "numbers.json").write_text('{"of": "student"}')
        data = {MIME_TYPE: {"chapter": number, "numbers": {"signal": 1.0}}}
        cell = code("") | {"outputs": [{"output_type": "display_data", "data": data}]}
        return sandbox.Outcome({0: cell}, "")

    monkeypatch.setattr(sandbox, "run_cells", run_cells)
    with execution.execution(reference, Limits()) as run:
        for number in reference:
            run(reading.take({"cells": [code("")]}), number)
    assert seen == {
        1: {},
        2: {"chapter1": "student"},
        4: {f"chapter{n}": f"solution {n}" for n in (1, 2, 3)},
    }
