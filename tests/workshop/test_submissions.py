"""Whose notebook is whose: layouts of learning platforms, classrooms and mail, and what is asked where nothing says."""

import json
import re
from pathlib import Path

import pytest

from labcourse.errors import BadInput
from workshop.comparison.submissions import File, find

TITLES = {1: "chapter1_data_preparation", 3: "chapter3_evaluation", 4: "chapter4_early_stopping"}
PROJECT = "project_parameterised_network"


def hand_in(folder: Path, files: list[str]) -> Path:
    """Make a class of these files, each a notebook of the chapter that its name says, if it does."""
    for file in files:
        path = folder / "class" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        tags = [f"exercise-{number}.1" for number in re.findall(r"chapter(\d)", path.name)[-1:]]
        cell = {"cell_type": "code", "source": "", "metadata": {"tags": tags}}
        path.write_text(json.dumps({"cells": [cell]}))
    return folder / "class"


def numbers(found: dict[str, list[File]]) -> dict[str, int]:
    """Students, with the number of their notebooks."""
    return {name: sum(file.is_notebook for file in files) for name, files in found.items()}


MOODLE = "{title}/{name}_{number}_assignsubmission_file_/{title}.ipynb"
BLACKBOARD = "chapter3_{name}_attempt_2026-03-0{number}-10-20-30_{title}.ipynb"
LAYOUTS: list[tuple[list[str], dict[str, int]]] = [
    # a folder for each student
    (["anna/chapter1.ipynb", "bob/week 2/chapter2.ipynb", "cem/x.txt"], {"anna": 1, "bob": 1, "cem": 0}),
    (["anna/chapter3.ipynb", "anna/old/chapter3.ipynb", "bob/chapter3.ipynb"], {"anna": 2, "bob": 1}),
    ([f"week{i}/{name}/chapter{i}.ipynb" for i in (1, 2) for name in "ab"], {"a": 2, "b": 2}),
    (["1234567/chapter3.ipynb", "7654321/chapter3.ipynb"], {"1234567": 1, "7654321": 1}),
    # Moodle (one assignment per chapter), Canvas, Blackboard, Ilias
    (
        [
            MOODLE.format(title=title, name=name, number=f"{number}{i}")
            for number, title in TITLES.items()
            for i, name in enumerate(["Anna Smith", "Bob Lee"])
        ],
        {"Anna Smith": 3, "Bob Lee": 3},
    ),
    (
        [f"smithanna_12345_67890_{TITLES[3]}.ipynb", f"leebob_LATE_12346_67891_{TITLES[3]}-1.ipynb"],
        {"leebob": 1, "smithanna": 1},
    ),
    (
        [BLACKBOARD.format(name=name, number=number, title=TITLES[3]) for number, name in enumerate("abcd", 1)],
        dict.fromkeys("abcd", 1),
    ),
    (
        [f"Anna_Smith_asmith_12345/{TITLES[3]}.ipynb", f"Bob_Lee_blee_12346/{TITLES[3]}.ipynb"],
        {"Anna Smith asmith": 1, "Bob Lee blee": 1},
    ),
    # nbgrader, version control
    (["submitted/anna/ps1/chapter1.ipynb", "submitted/bob/ps1/a.ipynb"], {"anna": 1, "bob": 1}),
    (
        [
            f"lab-{name}/{file}"
            for name in ("anna", "bob")
            for file in (f"notebooks/{TITLES[3]}.ipynb", f"solutions/{TITLES[3]}.ipynb", "test_setup.ipynb")
        ],
        {"lab-anna": 2, "lab-bob": 2},
    ),
    (["chapter3-anna/a.ipynb", "chapter4-anna/a.ipynb", "chapter3-bob/a.ipynb"], {"anna": 2, "bob": 1}),
    # names of files
    (["anna_chapter1.ipynb", "anna_chapter2.ipynb", "bob-chapter1 (1).ipynb"], {"anna": 2, "bob": 1}),
    ([f"Anna - {TITLES[3]}.ipynb", f"Copy of {TITLES[3]} bob.ipynb"], {"Anna": 1, "bob": 1}),
    (["anna_chapter3.ipynb", "anna maria_chapter3.ipynb"], {"anna": 1, "anna maria": 1}),
    (["a'b/chapter3.ipynb", "a+b/chapter3.ipynb"], {"a'b": 1, "a+b": 1}),
    ([f"anna_{PROJECT}.ipynb", f"bob {PROJECT}.ipynb"], {"anna": 1, "bob": 1}),
    # one student
    ([f"{TITLES[1]}_final.ipynb", f"Copy of {TITLES[3]}.ipynb", f"{TITLES[4]} (1).ipynb"], {"class": 3}),
    (["notebooks/chapter1.ipynb", "notebooks/chapter2.ipynb"], {"class": 2}),
    (["anna_chapter3.ipynb", "anna_chapter4.ipynb"], {"anna": 2}),
]
"""Files; students with the number of their notebooks."""


@pytest.mark.parametrize(("files", "students"), LAYOUTS, ids=lambda value: str(value)[:40])
def test_layouts(tmp_path: Path, files: list[str], students: dict[str, int]) -> None:
    assert numbers(find(hand_in(tmp_path, files))) == students


QUESTIONS = [
    ["chapter3.ipynb", "chapter3 (1).ipynb", "chapter3 (2).ipynb"],
    [f"{TITLES[3]}.ipynb", f"Copy of {TITLES[3]}.ipynb"],
    ["tutorial/anna_chapter3.ipynb", "tutorial/bob_chapter3.ipynb"],
    [MOODLE.format(title=TITLES[3], name="Anna Smith", number=number) for number in (12345, 12346)],
]


@pytest.mark.parametrize("files", QUESTIONS, ids=str)
def test_students_who_cannot_be_told_apart_are_a_question(tmp_path: Path, files: list[str]) -> None:
    folder = hand_in(tmp_path, files)
    with pytest.raises(BadInput, match=f"Whose are these {len(files)} notebooks of chapter 3") as asked:
        find(folder)
    assert "--pattern" in asked.value.next_step
    assert numbers(find(folder, "anna")) == {"anna": len(files)}


@pytest.mark.parametrize(
    ("files", "pattern"),
    [
        (["x anna y chapter3.ipynb", "x bob y chapter3.ipynb"], "x {student} y*"),
        (["2026 anna/chapter3.ipynb", "2025 bob/z/chapter3.ipynb"], "* {student}"),
        (["A/x/anna_z.ipynb", "B/y/bob_z.ipynb"], "*/*/{student}_*"),
    ],
)
def test_a_pattern_says_where_the_name_stands(tmp_path: Path, files: list[str], pattern: str) -> None:
    folder = hand_in(tmp_path, files)
    assert list(find(folder, pattern)) == ["anna", "bob"]
    hand_in(tmp_path, ["other/chapter4.ipynb"])
    with pytest.raises(BadInput, match=r"other/chapter4\.ipynb does not fit"):
        find(folder, pattern)


def test_one_notebook(tmp_path: Path) -> None:
    path = tmp_path / "anna" / "chapter3_evaluation.ipynb"
    path.parent.mkdir()
    path.write_text("{}")
    assert list(find(path)) == ["anna"]
    path = path.rename(path.with_name("bob_chapter3.ipynb"))
    assert list(find(path)) == ["bob"]


def test_nothing_to_compare_is_said(tmp_path: Path) -> None:
    folder = hand_in(tmp_path, ["anna/chapter3.ipynb", "bob/work.zip"])
    (archive,) = find(folder)["bob"]
    assert (archive.name, archive.notes) == ("bob/work.zip", ("an archive, which is not unpacked",))
    for place in (tmp_path / "nowhere", folder / "bob", folder / "bob" / "work.zip"):
        with pytest.raises(BadInput, match="no notebook here") as empty:
            find(place)
        assert "Unpack" in empty.value.next_step
