"""Whose notebook is whose: layouts of learning platforms, classrooms and mail, and what is asked where nothing says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from labcourse.errors import BadInput
from workshop.comparison.submissions import Class, find

TITLES = {1: "chapter1_data_preparation", 3: "chapter3_evaluation", 4: "chapter4_early_stopping"}
PROJECT = "project_parameterised_network"


def hand_in(folder: Path, files: list[str]) -> Path:
    for file in files:
        path = folder / "class" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    return folder / "class"


def held(found: Class) -> dict[str, list[str]]:
    return {name: [file.name for file in files if file.is_notebook] for name, files in found.students.items()}


FOLDERS, FILES, ONE = "a folder for each student", "one folder of files with the students' names", "one student"
MOODLE = "{title}/{name}_{number}_assignsubmission_file_/{title}.ipynb"
BLACKBOARD = "chapter3_{name}_attempt_2026-03-0{number}-10-20-30_{title}.ipynb"
LAYOUTS: list[tuple[list[str], str, dict[str, int]]] = [
    # a folder for each student
    (["anna/chapter1.ipynb", "bob/week 2/chapter2.ipynb", "cem/x.txt"], FOLDERS, {"anna": 1, "bob": 1, "cem": 0}),
    (["anna/chapter3.ipynb", "anna/old/chapter3.ipynb", "bob/chapter3.ipynb"], FOLDERS, {"anna": 2, "bob": 1}),
    ([f"week{i}/{name}/chapter{i}.ipynb" for i in (1, 2) for name in "ab"], FOLDERS, {"a": 2, "b": 2}),
    (["1234567/chapter3.ipynb", "7654321/chapter3.ipynb"], FOLDERS, {"1234567": 1, "7654321": 1}),
    (["a/ann_chapter3.ipynb", "a/bob_chapter3.ipynb", "b/cem_chapter3.ipynb"], FOLDERS, {"ann": 1, "bob": 1, "cem": 1}),
    # Moodle: one assignment per chapter, namesakes
    (
        [
            MOODLE.format(title=title, name=name, number=f"{number}{i}")
            for number, title in TITLES.items()
            for i, name in enumerate(["Anna Smith", "Bob Lee"])
        ],
        FOLDERS,
        {"Anna Smith": 3, "Bob Lee": 3},
    ),
    (
        [MOODLE.format(title=TITLES[3], name="Anna Smith", number=number) for number in (12345, 12346)],
        FOLDERS,
        {"Anna Smith 12345": 1, "Anna Smith 12346": 1},
    ),
    # Canvas, Blackboard, Ilias
    (
        [f"smithanna_12345_67890_{TITLES[3]}.ipynb", f"leebob_LATE_12346_67891_{TITLES[3]}-1.ipynb"],
        FILES,
        {"leebob": 1, "smithanna": 1},
    ),
    (
        [BLACKBOARD.format(name=name, number=number, title=TITLES[3]) for number, name in enumerate("abcd", 1)],
        FILES,
        dict.fromkeys("abcd", 1),
    ),
    (
        [f"Anna_Smith_asmith_12345/{TITLES[3]}.ipynb", f"Bob_Lee_blee_12346/{TITLES[3]}.ipynb"],
        FOLDERS,
        {"Anna Smith asmith": 1, "Bob Lee blee": 1},
    ),
    # nbgrader, version control
    (["submitted/anna/ps1/chapter1.ipynb", "submitted/bob/ps1/a.ipynb"], FOLDERS, {"anna": 1, "bob": 1}),
    (
        [
            f"lab-{name}/{file}"
            for name in ("anna", "bob")
            for file in (f"notebooks/{TITLES[3]}.ipynb", f"solutions/{TITLES[3]}.ipynb", "test_setup.ipynb")
        ],
        FOLDERS,
        {"anna": 2, "bob": 2},
    ),
    (["chapter3-anna/a.ipynb", "chapter4-anna/a.ipynb", "chapter3-bob/a.ipynb"], FOLDERS, {"anna": 2, "bob": 1}),
    # names of files
    (["anna_chapter1.ipynb", "anna_chapter2.ipynb", "bob-chapter1 (1).ipynb"], FILES, {"anna": 2, "bob": 1}),
    ([f"{TITLES[3]}_{name}.ipynb" for name in ("anna", "bob")], FILES, {"anna": 1, "bob": 1}),
    ([f"Anna - {TITLES[3]}.ipynb", f"Copy of {TITLES[3]} bob.ipynb"], FILES, {"Anna": 1, "bob": 1}),
    (["anna_chapter3.ipynb", "anna maria_chapter3.ipynb"], FILES, {"anna": 1, "anna maria": 1}),
    ([f"anna_{PROJECT}.ipynb", f"bob {PROJECT}.ipynb"], FILES, {"anna": 1, "bob": 1}),
    # one student
    ([f"{TITLES[1]}_final.ipynb", f"Copy of {TITLES[3]}.ipynb", f"{TITLES[4]} (1).ipynb"], ONE, {"class": 3}),
    (["chapter1/a.ipynb", "chapter2/b.ipynb"], ONE, {"class": 2}),
    (["anna_chapter3.ipynb", "anna_chapter4.ipynb"], ONE, {"anna": 2}),
    (["Tutorial 2/anna/chapter3.ipynb", "Tutorial 2/anna/chapter4.ipynb"], ONE, {"anna": 2}),
]
"""Files; how they are recognised; students with the number of their notebooks."""


@pytest.mark.parametrize(("files", "layout", "students"), LAYOUTS, ids=lambda value: str(value)[:40])
def test_layouts(tmp_path: Path, files: list[str], layout: str, students: dict[str, int]) -> None:
    found = find(hand_in(tmp_path, files))
    assert {name: len(notebooks) for name, notebooks in held(found).items()} == students
    assert found.layout == layout


QUESTIONS = [
    ["chapter3.ipynb", "chapter3 (1).ipynb", "chapter3 (2).ipynb"],
    [f"{TITLES[3]}.ipynb", f"Copy of {TITLES[3]}.ipynb"],
    [f"{TITLES[3]}.ipynb", f"anna_{TITLES[3]}.ipynb"],
    ["week1/chapter3.ipynb", "week1/chapter3 (1).ipynb", "week1/chapter3-Copy2.ipynb"],
]


@pytest.mark.parametrize("files", QUESTIONS, ids=str)
def test_students_who_cannot_be_told_apart_are_a_question(tmp_path: Path, files: list[str]) -> None:
    folder = hand_in(tmp_path, files)
    with pytest.raises(BadInput, match=f"Whose are these {len(files)} notebooks of chapter 3") as asked:
        find(folder)
    assert "--pattern" in asked.value.next_step
    assert "--students" in asked.value.next_step
    assert {name: len(own) for name, own in held(find(folder, "anna")).items()} == {"anna": len(files)}
    table = tmp_path / "who.csv"
    rows = [f"{file};student {i % 2}" for i, file in enumerate(files)]
    table.write_text("\n".join(["file;student", *rows]), "utf-8-sig")
    assert len(held(find(folder, students=table))) == 2
    table.write_text("\n".join(["file,student", rows[0].replace(";", ",")]))
    with pytest.raises(BadInput, match=r"stand in who\.csv"):
        find(folder, students=table)


def test_renamed_notebooks_are_told_apart_by_their_cells(tmp_path: Path) -> None:
    """`anna.ipynb` is a name if there are two of a chapter; a student's own titles are no students."""
    folder = hand_in(tmp_path, ["anna.ipynb", "bob.ipynb"])

    def holds(name: str, chapter: int) -> None:
        cell = {"cell_type": "code", "source": "", "metadata": {"tags": [f"exercise-{chapter}.1"]}}
        (folder / name).write_text(json.dumps({"cells": [cell]}))

    holds("anna.ipynb", 3)
    holds("bob.ipynb", 3)
    assert list(held(find(folder))) == ["anna", "bob"]
    holds("bob.ipynb", 4)
    assert list(held(find(folder))) == ["class"]
    for name in ("chapter3-anna", "chapter3-bob"):
        hand_in(tmp_path, [f"{name}/chapter3.ipynb"])
        (folder / name / "test_setup.ipynb").write_text('{"cells": []}')  # of no chapter, whatever its folder
    assert [file.chapter for file in find(folder).students["anna"]] == [3, 3, 0]


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
    assert list(held(find(folder, pattern))) == ["anna", "bob"]
    hand_in(tmp_path, ["other/chapter4.ipynb"])
    with pytest.raises(BadInput, match=r"do not fit the pattern .*: other/chapter4\.ipynb"):
        find(folder, pattern)


def test_one_notebook(tmp_path: Path) -> None:
    path = tmp_path / "anna" / "chapter3_evaluation.ipynb"
    path.parent.mkdir()
    path.write_text("{}")
    assert list(find(path).students) == ["anna"]
    path = path.rename(path.with_name("bob_chapter3.ipynb"))
    assert list(find(path).students) == ["bob"]


def test_nothing_to_compare_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="does not exist"):
        find(tmp_path / "nowhere")
    folder = hand_in(tmp_path, ["anna/chapter3.ipynb", "bob/work.zip"])
    (archive,) = find(folder).students["bob"]
    assert (archive.name, archive.notes) == ("bob/work.zip", ("an archive, which is not unpacked",))
    for place in (folder / "bob", folder / "bob" / "work.zip"):
        with pytest.raises(BadInput, match="no notebook here") as empty:
            find(place)
        assert "Unpack" in empty.value.next_step
