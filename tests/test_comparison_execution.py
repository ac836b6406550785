"""`labcourse compare --execute`: a notebook is run, and cannot do what it should not."""

from __future__ import annotations

import json
import os
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from labcourse import settings
from labcourse.comparison import execution, reading, sandbox
from labcourse.comparison.reference import Chapter, read_reference
from labcourse.comparison.sandbox import Limits, run_cells
from labcourse.comparison.submissions import find
from labcourse.comparison.survey import survey
from labcourse.errors import BadInput

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


def printed(outcome: sandbox.Outcome, index: int) -> str:
    return "".join(
        output.get("text", output.get("ename", "")) for output in outcome.cells.get(index, {}).get("outputs", ())
    )


@needs_namespaces
def test_a_fresh_run_decides(chapter: Chapter, tmp_path: Path) -> None:
    claim = "exercise {}: solved\n  ✓ gives one number an event\n"
    cells = [
        code("import numpy as np\nfrom labcourse import checks, outputs\nchapter = outputs.Chapter(1, sources=[])"),
        code(RIGHT, "exercise-1.1"),
        code("print('exercise 1.1: solved')", "check-1.1", claim.format("1.1")),
        code("def event_weight(branches, luminosity):\n    return 1.0", "exercise-1.2"),
        code(chapter.exercises[1].check, "check-1.2", claim.format("1.2") + "  ✓ gives one weight an event\n"),
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


@needs_namespaces
def test_no_network_no_secrets_no_writing_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", "secret")
    outside, scratch = tmp_path / "outside", tmp_path / "scratch"
    outside.mkdir()
    scratch.mkdir()
    cells = [
        "import os, socket",
        "socket.create_connection(('192.0.2.1', 80), timeout=5)",
        "print('MY_TOKEN' in os.environ, os.environ['HOME'])",
        f"open({str(outside / 'x')!r}, 'w')",
        "open('mine', 'w').write('x'); print('written')",
        "x = bytearray(5 * 10**9)",
        "while True: pass",
        "print('goes on')",
    ]
    outcome = run_cells(cells, scratch, Limits(60, 1.5e9, 2))
    assert outcome.note == ""
    assert [printed(outcome, i) for i in range(1, 8)] == [
        "OSError",
        f"False {scratch / 'home'}\n",
        "OSError",
        "written\n",
        "MemoryError",
        "KeyboardInterrupt",
        "goes on\n",
    ]
    assert not list(outside.iterdir())


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
    loop = "import os, signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: os.utime('alive')"
    cells = ["open('alive', 'w'); print('before')", loop, "print('never')"]
    outcome = run_cells(cells, tmp_path, Limits(15, 4e9, 4))
    assert outcome.note == "stopped after 15 s"
    assert (printed(outcome, 0), printed(outcome, 2)) == ("before\n", "")
    touched = os.stat(tmp_path / "work" / "alive").st_mtime_ns
    time.sleep(0.3)
    assert os.stat(tmp_path / "work" / "alive").st_mtime_ns == touched


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

    def run_cells(sources: list[str], scratch: Path, limits: Limits) -> sandbox.Outcome:
        workspace = scratch / "outputs" / "notebooks"
        number = next(n for n in reference if n not in seen)
        found = sorted(workspace.glob("*/numbers.json"))
        seen[number] = {path.parent.name[:8]: json.loads(path.read_text())["of"] for path in found}
        own = workspace / outputs.CHAPTERS[number]
        own.mkdir(parents=True, exist_ok=True)
        (own / "numbers.json").write_text('{"of": "student"}')
        return sandbox.Outcome({}, "")

    monkeypatch.setattr(sandbox, "run_cells", run_cells)
    with execution.execution(reference, Limits()) as run:
        for number in reference:
            run(reading.Notebook(()), number)
    assert seen == {
        1: {},
        2: {"chapter1": "student"},
        4: {f"chapter{n}": f"solution {n}" for n in (1, 2, 3)},
    }
