"""The command line: what it prints, its exit status, and that it starts quickly."""

import functools
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import typer

import factory
from course import outputs, workspaces
from factory import mini, release_2025
from factory.azh import production
from labcourse import ntuple, samples, settings
from workshop import cli
from workshop.authoring import build, doctor, expected

Invoke = Callable[..., Any]


@pytest.fixture
def tiny_samples(tmp_path: Path, mini_branches: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a file of every sample, 30 events each, as the only place where samples are found."""
    folder = tmp_path / "samples"
    folder.mkdir()
    for name in samples.ALL:
        sample = samples.get(name)
        for number, file in enumerate(sample.files):
            mini.write(folder / file, mini_branches(30, dsid=sample.dsid or 298773, seed=number))
    monkeypatch.setattr(settings, "data_folder", lambda: folder)
    return folder


@pytest.fixture
def project(make_course: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of two short chapters, with an expected number each."""
    home = make_course({number: f'chapter.write_numbers({{"answer": {10 * number}}})' for number in (1, 2)})
    expect(home, {str(n): {"answer": {"value": n * 10, "tolerance": 0.5}} for n in (1, 2)})
    monkeypatch.setattr(settings, "home", lambda: home)
    monkeypatch.setattr(expected, "section", lambda: "bundle")
    return home


def expect(home: Path, bounds: dict[str, Any]) -> None:
    (home / "tests" / "expected.json").write_text(json.dumps({"bundle": bounds, "official": {}}))


def add(home: Path, chapter: int, code: str, header: str = "# %%") -> None:
    """Add a cell to the text of a chapter."""
    with (home / "course" / f"{outputs.CHAPTERS[chapter]}.py").open("a") as text:
        text.write(f"\n{header}\n{code}\n")


def test_help_is_quick_helps_and_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['labcourse', '--help']\n"
        "from workshop import cli\n"
        "try:\n    cli.main()\nexcept SystemExit: pass\n"
        "heavy = {'tensorflow', 'keras', 'pandas', 'numpy', 'uproot', 'matplotlib', 'nbclient', 'factory'}\n"
        "print('heavy:', sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "heavy: []"
    assert "Start with `labcourse doctor`" in done.stdout


def commands(group: Any, *words: str) -> list[tuple[str, ...]]:
    found = [(*words, name) for name, command in group.commands.items() if not hasattr(command, "commands")]
    groups = [(name, command) for name, command in group.commands.items() if hasattr(command, "commands")]
    return found + [path for name, command in groups for path in commands(command, *words, name)]


@pytest.mark.parametrize("words", commands(typer.main.get_command(cli.app)), ids=" ".join)
def test_every_command_has_a_help_with_an_example(invoke: Invoke, words: tuple[str, ...]) -> None:
    result = invoke(*words, "--help")
    assert result.code == 0
    assert f"labcourse {' '.join(words)}" in result.out
    assert "Example" in result.out


def test_a_file_gets_utf8_whatever_the_code_page(monkeypatch: pytest.MonkeyPatch, invoke: Invoke) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    finding = doctor.Finding("η → ∞", True, "✓ 14 TeV")
    monkeypatch.setattr(doctor, "examine", lambda: [finding])
    monkeypatch.setattr(sys, "stdout", stream)
    invoke("doctor")
    stream.flush()
    text = stream.buffer.getvalue().decode()  # type: ignore[attr-defined]
    assert text.startswith("✓ η → ∞  ✓ 14 TeV")


@pytest.mark.skipif(sys.platform == "win32", reason="signals of another kind")
@pytest.mark.parametrize("name", ["SIGHUP", "SIGTERM"])
def test_a_signal_ends_a_command_as_ctrl_c_does_but_under_nohup(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    number = getattr(signal, name)

    def app() -> None:
        os.kill(os.getpid(), number)
        signal.sigtimedwait([], 0.2)

    monkeypatch.setattr(cli, "app", app)
    monkeypatch.setattr(sys, "argv", ["labcourse", "solve", "2"])
    before = signal.signal(number, signal.SIG_DFL)
    try:
        with pytest.raises(KeyboardInterrupt):
            cli.main()
        signal.signal(number, signal.SIG_IGN)
        cli.main()
    finally:
        signal.signal(number, before)


def test_missing_packages_are_one_sentence_and_extras_are_named(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors = [
        ImportError("\n\nIMPORTANT: PLEASE READ THIS\nand much more"),
        ModuleNotFoundError("No module named 'dask'", name="dask"),
    ]

    def broken() -> None:
        raise errors[0]

    monkeypatch.setattr(cli, "app", broken)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    result = invoke("yields")
    assert (result.code, "make course" in result.err) == (1, True)
    assert result.err.startswith("labcourse: ImportError: IMPORTANT: PLEASE READ THIS\n  next:  ")
    errors.pop(0)
    result = invoke("simulate")
    assert result.code == 1
    assert result.err.startswith(
        "labcourse: No module named 'dask'\n  next:  Run `python -m pip install -e \".[simulate]\"`"
    )


def test_foreign_packages_before_the_command_has_begun(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("raise ImportError('of another Python')")
    path = os.pathsep.join([str(tmp_path), str(settings.home())])
    done = subprocess.run(
        [sys.executable, "-m", "workshop.cli", "status"],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("labcourse: ImportError: of another Python\n  next:  Unset PYTHONPATH")


def test_yields_as_json_and_as_table(invoke: Invoke, tiny_samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ntuple, "iterate", functools.partial(ntuple.iterate, step_size=7))  # chunk by chunk
    result = invoke("yields", "--json")
    assert (result.code, result.err) == (0, "")
    rows = json.loads(result.out)
    assert [row["sample"] for row in rows] == list(samples.ALL)
    assert list(rows[0]) == ["sample", "source", "raw", "selected", "expected"]
    by_name = {row["sample"]: row for row in rows}
    assert (by_name["llll"]["raw"], by_name["data"]["raw"], by_name["llll"]["source"]) == (30, 120, "bundle")
    assert by_name["data"]["expected"] == by_name["data"]["selected"]
    table = invoke("yields").out
    assert all(name in table for name in ("sample", "source", "raw", "selected", "expected", "llll"))
    (tiny_samples / samples.get("llll").files[0]).unlink()
    result = invoke("yields")
    assert (result.code, "Traceback" in result.err) == (1, False)
    assert result.err.startswith("labcourse: The sample llll was not found")


def test_data_use(invoke: Invoke, tiny_samples: Path, tmp_path: Path, mini_branches: Callable[..., Any]) -> None:
    folder = tmp_path / "atlas"
    (folder / "MC").mkdir(parents=True)
    mini.write(folder / "MC" / samples.get("Zee").files[0], mini_branches(10, dsid=361106))
    result = invoke("data", "use", folder)
    assert f"looked for in {folder} first" in result.out
    assert "foreign: Zee\n" in result.out
    assert "bundle: ggH125_ZZ4lep, " in result.out
    assert str(folder / "MC") in invoke("data", "use").out
    result = invoke("data", "use", "--forget")
    assert (result.code, str(folder) in result.out) == (0, False)
    assert invoke("data", "use", "/nonexistent").code == 1
    (folder / "MC" / samples.get("ggH").files[0]).touch()
    assert "mixes files" in invoke("data", "use", folder / "MC").err
    assert settings.search_path() == [tiny_samples]
    (tiny_samples / samples.get("Zee").files[0]).unlink()
    assert "missing: Zee\n" in invoke("data", "use").out


def test_run_saves_and_compares_but_saves_nothing_from_other_samples(
    invoke: Invoke, project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    add(project, 2, "import sys\nprint('log line', file=sys.stderr)\n6 * 7")
    result = invoke("run", "--save", "--json")
    assert result.code == 0, result.err
    rows = json.loads(result.out)
    seconds = [row.pop("seconds") for row in rows]
    assert all(0 < each < 60 for each in seconds)
    right = {"quantity": "answer", "tolerance": 0.5, "mark": "✓"}
    assert rows == [{"chapter": n, "value": 10 * n, "expected": 10.0 * n} | right for n in (1, 2)]
    assert "1 data preparation" in result.err  # progress, kept apart from the JSON
    saved = build.load(project / "solutions" / f"{outputs.CHAPTERS[2]}.ipynb")
    assert [output.data["text/plain"] for output in saved.cells[-1].outputs] == ["42"]
    assert "--save" not in invoke("build").out
    add(project, 2, "# Text may change without a new run, code may not.", "# %% [markdown]")
    assert "written   solutions/chapter2" in (said := invoke("build").out)
    assert "--save" not in said
    expect(project, {"1": {"answer": {"value": 99, "tolerance": 0.5}, "other": {"value": 1, "tolerance": 1}}})
    add(project, 2, "1 / 0")
    assert "labcourse run 2 --save" in invoke("build").out
    monkeypatch.setenv("LABCOURSE_DATA", str(tmp_path))
    result = invoke("run", "--jobs", 1, "--save")
    assert "nothing is saved" in result.err
    assert "labcourse run 2 --save" in invoke("build").out
    assert (result.code, "Traceback" in result.err) == (1, False)
    table = [[cell.strip() for cell in line.split("│")[3:-1]] for line in result.out.splitlines()]
    assert ["answer", "10", "99", "0.5", "✗"] in table
    assert ["other", "", "1", "1", "✗"] in table, "it is missing"
    assert "chapter 2 failed: chapter2_training, cell 4 (1 / 0): ZeroDivisionError" in result.err


def test_solve_makes_what_is_missing_in_the_students_workspace(invoke: Invoke, project: Path) -> None:
    from course.checks import progress

    progress.record_state("1.1", "wrong")
    add(project, 1, "from course.checks import progress\nprogress.record_state('1.1', 'solved')")
    add(project, 2, "assert chapter.read_numbers(1) == {'answer': 10}")
    invoke("build")
    before = (project / "notebooks" / f"{outputs.CHAPTERS[2]}.ipynb").read_bytes()
    assert [row["chapter"] for row in json.loads(invoke("solve", 2, "--json").out)] == [1, 2]
    assert [outputs.read_numbers(n, "notebooks") for n in (1, 2)] == [{"answer": 10}, {"answer": 20}]
    assert (project / "notebooks" / f"{outputs.CHAPTERS[2]}.ipynb").read_bytes() == before
    assert [path.name for path in workspaces.outputs_folder().iterdir()] == ["notebooks"]
    assert progress.read_states("notebooks") == {"1.1": "wrong"}, "solving is nobody's progress"
    add(project, 2, "chapter.write_numbers({'answer': 30})\n1 / 0")
    invoke("build")
    result = invoke("solve", 1, 2)
    assert (result.code, "your own outputs of chapter 1 are kept in" in result.err) == (1, True)
    assert [outputs.read_numbers(n, "notebooks") for n in (1, 2)] == [{"answer": 10}, {"answer": 20}]


def test_status_by_chapter(invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from course.checks import progress, registry

    rows = json.loads(invoke("status", "--json").out)
    assert all(row["open"] == row["exercises"] > 0 for row in rows)
    for number, state in (("1.1", "solved"), ("1.2", "wrong"), ("1.8", "answered")):
        progress.record_state(number, state)
    rows = json.loads(invoke("status", "--json").out)
    assert [row["chapter"] for row in rows] == list(outputs.CHAPTERS)
    assert list(rows[0]) == ["chapter", "exercises", "solved", "answered", "wrong", "open"]
    assert (rows[0]["solved"], rows[0]["answered"], rows[0]["wrong"]) == (1, 1, 1)
    assert all(row["exercises"] == sum(row[s] for s in progress.NOTED) for row in rows)
    every = registry.exercises()
    assert len(every) == sum(row["exercises"] for row in rows)
    assert f"2 of {len(every)} exercises are done; next: 1.2, {every['1.2'].title}" in invoke("status").out
    assert [row["chapter"] for row in json.loads(invoke("status", 3, 1, "--json").out)] == [1, 3]
    assert "There is no chapter 12" in invoke("status", 12).err
    monkeypatch.setattr(settings, "home", lambda: tmp_path)
    result = invoke("status")
    assert (result.code, result.out, "pip install --no-deps" in result.err) == (1, "", True)


def test_reset_asks_first_and_says_where_everything_is(
    invoke: Invoke, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoke("build")
    path = project / "notebooks" / f"{outputs.CHAPTERS[1]}.ipynb"
    path.write_text("mine")
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    result = invoke("reset", 1)
    assert (result.code, path.read_text()) == (1, "mine")
    assert "open in JupyterLab: save it" in result.out
    result = invoke("reset", 1, "--yes")
    assert result.code == 0, result.err
    (kept,) = path.parent.glob("*.mine-*")
    assert (kept.read_text(), kept.name in result.out) == ("mine", True)
    assert "Reload Notebook from Disk" in result.out
    result = invoke("reset", 7)
    assert (result.code, "There is no chapter 7" in result.err, "starts over" in result.out) == (1, True, False)


def test_a_students_chapter_goes_on_with_what_the_solutions_made(invoke: Invoke, project: Path) -> None:
    add(project, 2, "assert chapter.read_numbers(1) == {'answer': 10}")
    invoke("build")
    invoke("run", 1)
    result = invoke("run", 2, "--student", "--json")
    assert result.code == 0, result.err
    assert [path.name for path in workspaces.outputs_folder().iterdir()] == ["solutions"]


def test_build_says_what_it_did_and_what_differs(invoke: Invoke, project: Path) -> None:
    result = invoke("build")
    assert "written   notebooks/chapter1_data_preparation.ipynb" in result.out
    assert "labcourse run 1 --save" in result.out
    (project / "course" / f"{outputs.CHAPTERS[1]}.py").write_text("# %%\n### BEGIN SOLUTION\n")
    result = invoke("build")
    assert (result.code, "Traceback" in result.err) == (1, False)
    assert "This marks no solution" in result.err
    assert "line 2" in result.err


def test_simulate_passes_its_options_on(invoke: Invoke, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    calls: list[tuple[Any, dict[str, Any]]] = []
    for module in (factory, production, release_2025):
        fake = functools.wraps(module.simulate)(lambda out, **options: calls.append((out, options)))
        monkeypatch.setattr(module, "simulate", fake)
    command = ("simulate", "--scale", "0.1", "--samples", "llll, Zee", "--out", tmp_path, "--seed", 5, "--workers", 2)
    assert invoke(*command, "--cluster", "tcp://a:1").code == 0
    wanted = {"scale": 0.1, "samples": ("llll", "Zee"), "seed": 5, "workers": 2, "address": "tcp://a:1"}
    assert calls.pop() == (tmp_path, wanted)
    local = {"workers": None, "address": ""}
    for words, folder, options in (
        ([], settings.data_folder(), {"scale": cli.BUNDLE_SCALE, "samples": None} | local),
        (["azh"], settings.data_folder() / "azh", {"scale": 1.0, "independent": False} | local),
        (["azh", "--independent", "--out", tmp_path], tmp_path, {"scale": 1.0, "independent": True} | local),
        (["2025"], settings.bundle_folder("2025"), {}),
    ):
        assert invoke("simulate", *words, "--seed", 7).code == 0
        assert calls.pop() == (folder, {"seed": 7, **options})
    assert invoke("simulate", "--scale", "-1").code == 2
    for wrong, said in (
        (["zh"], "no events zh"),
        (["azh", "--samples", "llll"], "does not know"),
        (["--independent", "--out", tmp_path], "does not know"),
        (["2025", "--workers", 2], "does not know"),
        (["azh", "--independent"], "--out DIR"),
        (["--scale", "0.1"], "--out DIR"),
    ):
        result = invoke("simulate", *wrong)
        assert (result.code, said in result.err, "next:" in result.err, calls) == (1, True, True, [])


def test_tune_shows_the_best_trials(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    import azh
    from azh import search

    trials = pd.DataFrame({"number": [0, 1], "k": [0.00123456, 1.0], "decay": [None, 0.95]})
    for module, name in ((azh, "read"), (azh, "split"), (search, "load")):
        monkeypatch.setattr(module, name, lambda *_, **__: None)
    monkeypatch.setattr(search, "finished", lambda _: 40)
    monkeypatch.setattr(search, "table", lambda study: trials)
    out = invoke("tune").out
    assert ("0.0012" in out, "0.00123" in out, "nan" in out) == (True, False, False)
    assert "The best of 2 trials" in out


@pytest.mark.parametrize("command", [("build",), ("run",), ("run", "--student"), ("solve",)])
def test_every_chapter_asked_for_must_be_there(invoke: Invoke, project: Path, command: tuple[str, ...]) -> None:
    invoke("build")
    result = invoke(*command, 1, 99)
    assert (result.code, result.out) == (1, "")
    assert "There is no chapter 99" in result.err
    assert "The chapters are 1, 2." in result.err
