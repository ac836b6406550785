"""Submissions compared: what is found is what their making says, and nothing of theirs can do harm."""

import csv
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st

from labcourse.errors import BadInput
from tests.workshop import synthetic_class as made_up
from tests.workshop.synthetic_class import Maker, save
from workshop.cli.compare import compare
from workshop.comparison import reading, report, states
from workshop.comparison.reading import Unreadable
from workshop.comparison.submissions import find
from workshop.comparison.survey import Student, Survey, survey

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABCOURSE_OUTPUTS", str(tmp_path_factory.mktemp("outputs")))
        yield Maker()


@pytest.fixture
def look(maker: Maker, tmp_path: Path) -> Callable[..., Student]:
    """Return what compares one notebook of chapter 1: given as JSON, bytes or a plan."""

    def compare_one(content: Any) -> Student:
        folder = tmp_path / "class" / "anna"
        folder.mkdir(parents=True)
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        (folder / "chapter1_data_preparation.ipynb").write_bytes(data)
        return survey(find(tmp_path / "class"), {1: maker.reference[1]}).students[0]

    return compare_one


def state_of(student: Student, exercise: str) -> states.Found:
    return next(found for found in student.exercises if found.exercise == exercise)


def test_students_are_found_to_be_what_they_were_made(maker: Maker, tmp_path: Path) -> None:
    plans = made_up.plans(maker, 4)
    made_up.write_class(tmp_path, maker, plans)
    found = survey(find(tmp_path), maker.reference)
    rows = {(row["student"], row["exercise"]): row for row in found.rows()}
    assert len(rows) == 4 * sum(len(chapter.exercises) for chapter in maker.reference.values())
    for student, chapters in plans.items():
        for exercise in (e for number in chapters for e in maker.reference[number].exercises):
            kind = chapters[int(exercise.number.split(".")[0])].get(exercise.number, "untouched")
            state, doubt = made_up.expected(exercise, kind)
            row = rows[student, exercise.number]
            assert row["state"] == state, row
            assert any(doubt in text for text in row["doubts"]) if doubt else not row["doubts"], row
    used = {kind for chapters in plans.values() for plan in chapters.values() for kind in plan.values()}
    assert used == set(made_up.KINDS) - {"untouched"}
    assert not any(student.problems for student in found.students)


DAMAGED = {
    "half": (lambda text: text[: len(text) // 2], "not a readable notebook: "),
    "empty": (lambda text: b"", "Expecting value: line 1"),
    "latin": (lambda text: b"\xff\xfe" + text, "'utf-8' codec can't decode"),
    "list": (lambda text: b"[1, 2]", "not a notebook of format 4"),
    "format 3": (lambda text: b'{"worksheets": []}', "not a notebook of format 4"),
    "deep": (lambda text: b"[" * 200_000 + b"]" * 200_000, "recursion"),
    "long number": (lambda text: b'{"cells": ' + b"9" * 10_000 + b"}", "not a readable notebook: Exceeds the limit"),
    "huge": (lambda text: text + b" " * (reading.MAX_BYTES + 1), "too large"),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_notebook_is_reported(maker: Maker, look: Callable[..., Student], kind: str) -> None:
    damage, what = DAMAGED[kind]
    student = look(damage(json.dumps(maker.notebook(1, {"1.1": "right"})).encode()))
    assert len(student.problems) == 1
    assert what in student.problems[0][1]
    assert {found.state for found in student.exercises} == {"missing"}


def test_a_byte_order_mark_does_no_harm(maker: Maker, look: Callable[..., Student]) -> None:
    student = look(b"\xef\xbb\xbf" + json.dumps(maker.notebook(1, {"1.1": "right"})).encode())
    assert state_of(student, "1.1").state == "solved"


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=10)
@given(data=st.data())
def test_whatever_stands_in_a_notebook_it_is_read(maker: Maker, data: st.DataObject) -> None:
    """Any parts of a notebook replaced by anything: each exercise still has a state, and the page can be written."""
    notebook = maker.notebook(1, dict.fromkeys((f"1.{i}" for i in range(1, 12)), "right"))
    for _ in range(data.draw(st.integers(1, 4))):
        here: Any = notebook
        while isinstance(here, (dict, list)) and here:
            key = data.draw(st.sampled_from(list(here) if isinstance(here, dict) else range(len(here))))
            if not isinstance(here[key], (dict, list)) or data.draw(st.integers(0, 5)) == 0:
                here[key] = data.draw(JUNK)
                break
            here = here[key]
    with tempfile.TemporaryDirectory() as folder:
        save(Path(folder) / "chapter1.ipynb", notebook)
        student = survey(find(Path(folder)), {1: maker.reference[1]}).students[0]
    assert not [what for _, what in student.problems if what.startswith("cannot be compared")]
    assert {found.state for found in student.exercises} <= set(states.STATES)
    assert len(student.exercises) == 11
    report.render(Survey({1: maker.reference[1]}, [student])).encode()


def test_a_student_who_cannot_be_compared_does_not_stop_the_others(maker: Maker, tmp_path: Path) -> None:
    made_up.write_class(tmp_path, maker, {name: {1: {"1.1": "right"}} for name in ("anna", "bob")})
    found = find(tmp_path)
    found["anna"][0] = found["anna"][0]._replace(notebook=7)  # type: ignore[arg-type]
    students = survey(found, {1: maker.reference[1]}).students
    assert students[0].problems == [("chapter 1", "cannot be compared: AttributeError")]
    assert state_of(students[1], "1.1").state == "solved"


def test_renamed_copied_and_foreign_notebooks(maker: Maker, tmp_path: Path) -> None:
    folder = tmp_path / "class" / "anna"
    folder.mkdir(parents=True)
    save(folder / "my work.ipynb", maker.notebook(1, {"1.1": "right", "1.2": "right"}))
    save(folder / "chapter1_data_preparation.ipynb", maker.notebook(1, {"1.1": "wrong"}))
    save(folder / "chapter3.ipynb", maker.notebook(2, {"2.1": "right"}))
    save(folder / "recipes.ipynb", {"cells": [{"cell_type": "markdown", "source": "Soup"}]})
    made_up.write_class(tmp_path / "class", maker, {"bob": {1: {}}})
    (folder / ".ipynb_checkpoints").mkdir()
    save(folder / ".ipynb_checkpoints" / "chapter1-checkpoint.ipynb", maker.notebook(1, {}))
    student = survey(find(tmp_path / "class"), maker.reference).students[0]
    assert [state_of(student, number).state for number in ("1.2", "2.1")] == ["solved", "solved"]
    assert dict(student.problems) == {
        "anna/chapter1_data_preparation.ipynb": "a second notebook of chapter 1; "
        "anna/my work.ipynb counts, in which more is done",
        "anna/recipes.ipynb": "it belongs to no chapter; not compared",
    }


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege")
def test_links_and_pipes_are_not_followed(maker: Maker, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    save(secret / "chapter1_data_preparation.ipynb", maker.notebook(1, {"1.1": "right"}))
    anna, bob = tmp_path / "class" / "anna", tmp_path / "class" / "bob"
    bob.mkdir(parents=True)
    anna.mkdir()
    (anna / "chapter1_data_preparation.ipynb").symlink_to(secret / "chapter1_data_preparation.ipynb")
    (anna / "more").symlink_to(secret)
    (tmp_path / "class" / "eve").symlink_to(secret)
    os.mkfifo(bob / "chapter1_data_preparation.ipynb")
    found = survey(find(tmp_path / "class"), {1: maker.reference[1]})
    stands = [(student.name, {found.state for found in student.exercises}) for student in found.students]
    assert stands == [(name, {"missing"}) for name in ("anna", "bob", "eve")]
    assert "no plain file" in dict(found.students[1].problems)["bob/chapter1_data_preparation.ipynb"]
    with pytest.raises(Unreadable, match="a link"):
        reading.read(anna / "chapter1_data_preparation.ipynb")


def test_nothing_of_a_submission_becomes_markup(maker: Maker, tmp_path: Path) -> None:
    # A slash cannot be part of a name, everything else can.
    folder = tmp_path / "class" / EVIL.replace("/", "\\")
    folder.mkdir(parents=True)
    notebook = maker.notebook(1, {"1.1": "wrong", "1.2": "not checked", "1.8": "right"})
    answer = f"x = '''{EVIL}'''"
    evil: dict[str, dict[str, Any]] = {
        "exercise-1.1": {"source": answer},
        "exercise-1.2": {"source": answer},
        "exercise-1.8": {"source": f'answer_1_8 = """four words of {EVIL}"""'},
        "check-1.1": {"outputs": [made_up.verdict("1.1", "wrong", answer, f"exercise 1.1: not yet\n  ✗ {EVIL}\n")]},
        "check-1.2": {"outputs": [{"output_type": "error", "ename": EVIL, "evalue": EVIL, "traceback": []}]},
    }
    picture = {"output_type": "display_data", "data": {"text/html": EVIL, "image/svg+xml": EVIL}}
    for cell in notebook["cells"]:
        tag = next(iter(cell["metadata"].get("tags", ())), "")
        cell |= evil.get(tag, {"source": EVIL} if cell["cell_type"] == "markdown" else {"outputs": [picture]})
    notebook["cells"].append({"cell_type": "code", "source": EVIL, "id": EVIL, "metadata": {"tags": [EVIL]}})
    save(folder / f"{EVIL.replace('/', '')}.ipynb", notebook)
    html = tmp_path / "report.html"
    compare(tmp_path / "class", html=html)
    page = BeautifulSoup(html.read_text("utf-8"), "html.parser")
    assert f"✗ {EVIL}" in page.get_text()
    for element in page.find_all(True):
        forbidden = {"script", "iframe", "object", "embed", "link", "base", "form", "img", "use"}
        assert element.name not in forbidden
        assert not [name for name in element.attrs if name.startswith("on") or name == "style"]
        assert element.name != "a" or re.fullmatch(r"#[\w-]+", str(element["href"]))
    policy = str(page.select("meta[http-equiv]")[0]["content"])
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline';")


def test_terminal_and_json_survive_odd_names(maker: Maker, tmp_path: Path, invoke: Callable[..., Any]) -> None:
    folder = tmp_path / "class" / os.fsdecode(b"\x1b[31m[red]\xff")
    folder.mkdir(parents=True)
    save(folder / "chapter1.ipynb", maker.notebook(1, {"1.1": "right"}))
    table, rows = (invoke("compare", tmp_path / "class", *extra) for extra in ((), ("--json",)))
    for result in (table, rows):
        assert (result.code, "\x1b" in result.out, "�[31m[red]�" in result.out) == (0, False, True)
    first = json.loads(rows.out)[0]
    assert {"student", "chapter", "exercise", "state"} <= set(first)
    assert first["state"] == "solved"


def test_the_report_says_where_everyone_stands(maker: Maker, tmp_path: Path) -> None:
    plans = {
        "anna": {1: dict.fromkeys((f"1.{i}" for i in range(1, 12)), "right")},
        "bob": {1: {"1.1": "right", "1.2": "right", "1.3": "right", "1.4": "wrong", "1.5": "wrong"}},
        "cem": {1: {"1.1": "right", "1.4": "right", "1.5": "wrong", "1.6": "forged"}},
    }
    made_up.write_class(tmp_path, maker, plans)
    found = survey(find(tmp_path), {1: maker.reference[1]})
    first = found.hurdles()[0]
    mistake = f"{maker.reference[1].exercises[4].title} is another (2)"
    assert list(first.values())[1:] == [3, 1, 2, 0, mistake]
    stands = [(row["reached"], row["stuck at"]) for row in found.summary()]
    assert stands == [("1.11", "–"), ("1.5", "1.4"), ("1.5", "1.2")]
    text = report.render(found)
    assert "claims solved, but its cell is as it was handed out" in text
    assert "stuck at 1.4" in text
    elements = BeautifulSoup(text, "html.parser").find_all(True)
    ids = [element["id"] for element in elements if element.has_attr("id")]
    assert len(ids) == len(set(ids))
    levels = [int(element.name[1]) for element in elements if re.fullmatch("h[1-6]", element.name)]
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))


def test_points_for_a_spreadsheet(maker: Maker, tmp_path: Path) -> None:
    plans = {"Zoë": {1: {"1.1": "right", "1.2": "wrong", "1.8": "right"}}, "=cmd()": {1: {"1.10": "right"}}}
    made_up.write_class(tmp_path / "class", maker, plans)
    table = tmp_path / "points.csv"
    compare(tmp_path / "class", csv=table)
    assert table.read_bytes().startswith(b"\xef\xbb\xbfstudent,chapter,exercise,state,points,of\r\n")
    rows = list(csv.DictReader(table.read_text("utf-8-sig").splitlines()))
    assert len(rows) == 2 * 11
    # Nothing is a formula, and 1.10 is not 1.1.
    found = {(row["student"], row["exercise"].split()[0]): (row["state"], row["points"]) for row in rows}
    assert not any(text[:1] in "=+-@" or text == "1.10" for row in rows for text in row.values() if text)
    assert found["Zoë", "1.1"] == found["'=cmd()", "1.10"] == ("solved", "1")
    assert (found["Zoë", "1.2"], found["Zoë", "1.8"]) == (("wrong", "0"), ("answered", ""))
    summary = survey(find(tmp_path / "class"), {1: maker.reference[1]}).summary()
    assert {row["student"]: (row["points"], row["done"]) for row in summary} == {"=cmd()": (1, 1), "Zoë": (1, 2)}


def test_characters_that_hide_or_turn_others_are_shown(maker: Maker, tmp_path: Path) -> None:
    notebook = maker.notebook(1, {"1.2": "not checked"})
    cell = next(c for c in notebook["cells"] if "exercise-1.2" in c["metadata"].get("tags", ()))
    cell["source"] = "is_admin = 'user\u202e \u2066# if admin\u2069 \u2066'\x1b[2K\n\tx = 1\u200b"
    save(tmp_path / "chapter1.ipynb", notebook)
    text = report.render(survey(find(tmp_path), {1: maker.reference[1]}))
    assert "user[U+202E] [U+2066]# if admin[U+2069] [U+2066]" in text
    assert "[U+001B][2K\n\tx = 1[U+200B]" in text
    assert not re.search("[\u200b\u202e\u2066-\u2069\x1b]", text)


def test_copies_are_marked(maker: Maker, tmp_path: Path) -> None:
    made_up.write_class(tmp_path, maker, {name: {1: {"1.8": "right"}} for name in ("anna", "bob", "cem")})
    shutil.copy(tmp_path / "anna" / "chapter1_data_preparation.ipynb", tmp_path / "bob")
    students = survey(find(tmp_path), {1: maker.reference[1]}).students
    doubts = [state_of(student, "1.8").doubts for student in students]
    assert doubts == [[f"letter for letter the answer of {name}"] for name in ("bob", "anna")] + [[]]


def test_a_report_never_replaces_a_notebook(maker: Maker, tmp_path: Path) -> None:
    path = save(tmp_path / "chapter1.ipynb", maker.notebook(1, {"1.1": "right"}))
    before = path.read_bytes()
    with pytest.raises(BadInput, match="no name for a report"):
        compare(tmp_path, html=path)
    assert path.read_bytes() == before
