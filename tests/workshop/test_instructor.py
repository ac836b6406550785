"""What docs/instructor.md says is so: times, files and commands."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from labcourse import settings
from workshop.authoring import expected, source
from workshop.cli import app

HOME = settings.home()
PAGE = (HOME / "docs" / "instructor.md").read_text("utf-8")
CHAPTERS = [chapter for chapter in source.read_all(HOME) if chapter.chapter]


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: str(chapter.name))
def test_minutes_are_those_of_the_chapter(chapter: source.Source) -> None:
    text = "\n".join(cell.text for cell in chapter.cells if cell.kind == "markdown")
    said = re.findall(r"^\| (\d+) minutes \|", text, re.M)
    readme = (HOME / "README.md").read_text("utf-8")
    assert re.findall(rf"^\| {chapter.chapter} [A-Z].*?\| (\d+) \|", PAGE, re.M) == said
    assert re.findall(rf"^\| {chapter.chapter} \[.*\| (\d+) \|$", readme, re.M) == said


def test_seconds_are_those_of_the_progress_bar() -> None:
    rows = re.findall(r"^\| (\d+) [A-Z].*\| (\d+) \|$", PAGE, re.M)
    assert {chapter: int(seconds) for chapter, seconds in rows} == expected.read(HOME)["seconds"]


def test_commands_and_options_exist() -> None:
    import typer

    group = typer.main.get_command(app)
    named = re.findall(r"labcourse ([a-z]+)((?: [^\n`#;]+)?)", PAGE)
    assert len(named) > 10
    for name, rest in named:
        command = group.commands.get(name)  # type: ignore[attr-defined]
        assert command is not None, name
        if hasattr(command, "commands"):
            command = command.commands[rest.split()[0]]
        options = {option for parameter in command.params for option in parameter.opts}
        assert set(re.findall(r"--[a-z][a-z-]*", rest)) <= options, (name, rest)


def test_exercises_exist() -> None:
    known = {cell.exercise for chapter in CHAPTERS for cell in chapter.cells if cell.exercise}
    assert set(re.findall(r"\b\d+\.\d+\b(?= (?:and|are)|\))", PAGE)) <= known


@pytest.mark.skipif(not shutil.which("perl"), reason="perl")
def test_what_is_handed_out_holds_no_answer_in_words(tmp_path: Path) -> None:
    listed = tmp_path / "exercises.json"
    shutil.copy(HOME / "course" / "exercises.json", listed)
    (line,) = re.findall(r"^perl .*(?= course/exercises.json$)", PAGE, re.M)
    subprocess.run(f"{line} {listed}", shell=True, check=True)
    entries = [entry for chapter in json.loads(listed.read_text("utf-8")).values() for entry in chapter["exercises"]]
    assert {entry.get("model") for entry in entries} == {None, "Ask your instructor."}


@pytest.mark.skipif(not shutil.which("make"), reason="make")
def test_make_course_ends_well_where_no_solutions_were_handed_out(tmp_path: Path) -> None:
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(HOME / name, tmp_path)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    for name in ("bin/python", "course.stamp"):  # installed
        (tmp_path / ".venv" / name).touch()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}  # of `make test`
    done = subprocess.run(["make", "course"], cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "There are no solutions here to run. Go on: make lab\n"
