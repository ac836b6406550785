"""What the student has solved: kept over restarts, by several kernels at once, on bad disks; and the panel."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from course import checks, workspaces
from course.checks import progress, registry
from labcourse import settings
from workshop.authoring import build, source


def test_states_come_back_in_order_of_the_course() -> None:
    for number, state in (("1.10", "wrong"), ("1.2", "solved"), ("2.1", "answered"), ("1.10", "solved")):
        progress.record_state(number, state)
    assert list(progress.read_states().items()) == [("1.2", "solved"), ("1.10", "solved"), ("2.1", "answered")]
    assert progress.read_states("solutions") == {}


def test_writers_at_once_lose_nothing() -> None:
    def write(chapter: int) -> None:
        for k in range(1, 11):
            for state in ("open", "wrong", "solved"):
                progress.record_state(f"{chapter}.{k}", state)
            progress.record_state("9.1", "solved")

    with ThreadPoolExecutor() as pool:
        writers = [pool.submit(write, chapter) for chapter in (1, 2)]
        while not all(writer.done() for writer in writers):
            assert set(progress.read_states().values()) <= set(progress.STATES)  # a reader never sees half a record
    assert progress.read_states() == {f"{c}.{k}": "solved" for c in "12" for k in range(1, 11)} | {"9.1": "solved"}


@pytest.mark.parametrize("damage", [b"", b"sol", b"\xff\x00", b"solved\nopen\n", b"x" * 100_000])
def test_a_damaged_record_counts_as_none_until_the_next_check(damage: bytes) -> None:
    for number in ("1.2", "1.3"):
        progress.record_state(number, "solved")
    (progress.progress_folder() / "1" / "1.2.txt").write_bytes(damage)
    for name in ("notes.txt", "2.1.txt", "1.2.txt~", ".1.9-abc.txt"):
        (progress.progress_folder() / "1" / name).write_text("solved")  # none of the records
    assert progress.read_states() == {"1.3": "solved"}
    progress.record_state("1.2", "wrong")
    assert progress.read_states() == {"1.2": "wrong", "1.3": "solved"}


@pytest.mark.parametrize("number", ["../1.2", "1.2.3", "", "0.1"])
def test_what_is_no_exercise_is_not_noted(number: str) -> None:
    progress.record_state(number, "solved")
    assert not workspaces.outputs_folder().exists()


def test_runs_that_are_nobodys_work_note_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    progress.record_state("1.1", "wrong")
    monkeypatch.setenv("LABCOURSE_WORKSPACE", "trial")
    progress.record_state("1.1", "solved")
    progress.record_state("1.2", "solved")
    assert progress.states_here(1) == {"1.1": "solved", "1.2": "solved"}  # the run's own panel
    assert (progress.read_states("notebooks"), progress.read_states()) == ({"1.1": "wrong"}, {})


def test_every_chapter_shows_the_panel_at_its_top_and_end() -> None:
    for chapter in source.read_all(settings.home()):
        if chapter.chapter is not None:
            panels = [cell for cell in chapter.cells if "checks.panel(" in cell.text]
            assert [cell.text for cell in panels] == [f"checks.panel({chapter.chapter})"] * 2
            assert all("nbval-ignore-output" in cell.tags for cell in panels)


def test_the_panel_outside_a_notebook_is_text(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    states = {"3.1": "solved", "3.2": "answered", "3.4": "wrong", "3.5": "unchecked", "1.2": "solved"}
    monkeypatch.setattr(progress, "states_here", lambda chapter: states)
    checks.panel(3)
    assert capsys.readouterr().out.splitlines() == [
        "Exercises of chapter 3: 2 of 11 done",
        "✓ solved: 3.1",
        "✎ answered: 3.2",
        "✗ wrong: 3.4",
        "? 3.5: not checked",
        "○ open: 3.3, 3.6, 3.7, 3.8, 3.9, 3.10, 3.11",
    ]


@pytest.mark.parametrize(
    ("chapter", "follows"), [(3, " – go on to chapter 4"), (8, " – go on to the project"), (9, "")]
)
def test_a_finished_chapter_sends_on_to_the_next(chapter: int, follows: str) -> None:
    own = [exercise.number for exercise in registry.exercises().values() if exercise.chapter == chapter]
    for number in own[1:]:
        progress.record_state(number, "solved")
    assert "All done" not in progress._content(chapter)["text/plain"]
    progress.record_state(own[0], "answered")
    content = progress._content(chapter)
    assert content["text/plain"].endswith(f"\nAll done{follows}")
    assert "color" not in content["text/html"]  # states are told by symbol and word
    assert not follows or re.search(r'go on to <a href="[a-z0-9_]+\.ipynb">', content["text/html"])


def test_the_panel_links_to_the_cells_of_the_built_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", "anna/my chapter.ipynb")
    for text in source.read_all(settings.home()):
        built = {cell.id: cell.source for cell in build.student_notebook(text).cells}
        links = re.findall(
            r'href="my%20chapter.ipynb#cell-id=(.+?)".*?>(.+?)</a>', progress._content(text.chapter)["text/html"]
        )
        assert [number for _, number in links] == [cell.exercise for cell in text.cells if cell.exercise]
        assert all(f"### Exercise {number} – " in built[cell] for cell, number in links)
