"""What chapters hand on: round trips, and every way in which it can go wrong."""

import itertools
import os
import time
import types
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from course import outputs
from course.outputs import ChapterBusy, MissingOutput, StaleOutput
from labcourse import samples, settings
from labcourse.errors import BadInput, DamagedOutput, StorageError
from tests.kernel import HOLD, another


@pytest.fixture
def table() -> pd.DataFrame:
    sample = pd.Categorical(["llll", "Zee", "llll"], categories=["Zee", "llll", "data"])
    pt = np.array([25.5, 30.0, np.nan], np.float32)
    return pd.DataFrame({"sample": sample, "run": [363490, 361106, 363490], "lep1_pt": pt}, index=[4, 7, 9])


@pytest.fixture
def make_samples(tmp_path: Path) -> Callable[..., Path]:
    """Return a maker of folders with the smallest files that pass for samples, marked by ``seed``."""

    def make(seed: int, names: tuple[str, ...] = samples.ALL) -> Path:
        folder = tmp_path / f"samples-{seed}"
        folder.mkdir(exist_ok=True)
        for name in names:
            for file in samples.get(name).files:
                (folder / file).write_bytes(b"root" + (62000).to_bytes(4, "big") + bytes([seed]) * 92)
        return folder

    return make


def test_table_comes_back_as_it_was(table: pd.DataFrame) -> None:
    outputs.Chapter(1, sources=()).write_table("events", table)
    pd.testing.assert_frame_equal(outputs.Chapter(2, sources=()).read_table(1, "events"), table)
    outputs.Chapter(1, sources=()).write_table("events", table.astype({"sample": str}))
    back = outputs.Chapter(2, sources=()).read_table(1, "events")["sample"]
    assert (back.dtype, back.tolist()) == ("category", ["llll", "Zee", "llll"])


def test_numbers_come_back_and_add_up_in_a_kernel() -> None:
    chapter = outputs.Chapter(3, sources=())
    chapter.write_numbers({"auc": np.float32(0.75), "counts": np.arange(3), "nested": {"a": (1, True, "µ")}})
    chapter.write_numbers({"z": np.inf, "auc": 0.5})
    numbers = outputs.Chapter(7, sources=()).read_numbers(3)
    assert numbers == {"auc": 0.5, "counts": [0, 1, 2], "nested": {"a": [1, True, "µ"]}, "z": None}
    assert outputs.read_numbers(3) == numbers
    outputs.Chapter(3, sources=()).write_numbers({"new": 1})  # what an earlier run left does not linger
    assert outputs.read_numbers(3) == {"new": 1}


def test_numbers_travel_in_the_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    import IPython

    shown: list[dict[str, object]] = []
    monkeypatch.setattr(IPython, "get_ipython", lambda: types.SimpleNamespace(kernel=object()))
    monkeypatch.setattr("IPython.display.display", lambda output, raw: shown.append(output))
    monkeypatch.setattr("course.checks.progress.unchecked_here", lambda chapter: [f"{chapter}.5"])
    chapter = outputs.Chapter(1, sources=[])
    chapter.write_numbers({"old": 1})
    chapter.write_numbers({"auc": np.float32(0.123456789), "z": np.nan, "raw": 99594, "table": [1, 2]})
    assert [output["application/vnd.labcourse+json"] for output in shown] == [
        {"chapter": 1, "numbers": {"old": 1}},
        {"chapter": 1, "numbers": {"auc": 0.123457, "raw": 99594}},
    ]
    assert shown[1]["text/plain"] == "2 key numbers of chapter 1 are kept; 1.5 is not checked"


def test_what_cannot_be_handed_on_is_refused() -> None:
    chapter = outputs.Chapter(1, sources=())
    chapter.write_numbers({"good": 1})
    with pytest.raises(TypeError, match="not JSON serializable"):
        chapter.write_numbers({"bad": {2.0}})
    with pytest.raises(ValueError, match="column a"):
        chapter.write_table("bad", pd.DataFrame({"a": [1, "x"]}))
    for number in (0, max(outputs.CHAPTERS) + 1, "3"):
        with pytest.raises(BadInput, match="no chapter"):
            outputs.Chapter(number)  # type: ignore[arg-type]
    assert chapter.read_numbers(1) == {"good": 1}
    assert sorted(path.name for path in chapter.folder.iterdir()) == [outputs.NOTE, "numbers.json"]


def test_inputs_can_come_from_another_workspace(table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """One chapter is graded alone, with what the instructor's run of the earlier ones made."""
    with outputs.Chapter(1, sources=[], workspace="solutions") as first:
        first.write_table("events", table)
    monkeypatch.setenv("LABCOURSE_WORKSPACE", "graded")
    monkeypatch.setenv("LABCOURSE_INPUTS", "solutions")
    with outputs.Chapter(2, sources=[]) as second:
        pd.testing.assert_frame_equal(second.read_table(1, "events"), table)
        second.write_numbers({"loss": 0.5})
        assert second.read_numbers(2) == {"loss": 0.5}  # its own are read where it writes
    assert second.folder == outputs.folder(2, "graded")
    assert not outputs.folder(2, "solutions").exists()
    with outputs.Chapter(3, sources=[], workspace="notebooks") as named, pytest.raises(MissingOutput):
        named.read_table(1, "events")  # whoever names a workspace means it


def test_a_solution_and_its_checks_stay_out_of_the_students_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from course.checks import progress

    def run(**which: bool) -> Path:
        with outputs.Chapter(1, sources=(), **which) as chapter:
            chapter.write_numbers({"a": 1})
            progress.record_state("1.1", "wrong" if which else "solved")
        return chapter.folder

    for folder in (tmp_path, settings.home() / "solutions", settings.home() / "notebooks"):
        monkeypatch.chdir(folder)
        assert run() == outputs.folder(1, "notebooks")
        assert run(solution=True) == outputs.folder(1, "solutions")
        assert progress.read_states("notebooks") == {"1.1": "solved"}
        assert progress.read_states("solutions") == {}
    monkeypatch.setenv("LABCOURSE_WORKSPACE", "notebooks")
    assert run(solution=True) == outputs.folder(1, "notebooks")  # `labcourse solve` means it


def test_a_chapter_run_too_early_says_what_to_run(table: pd.DataFrame) -> None:
    with pytest.raises(MissingOutput, match=r"notebooks/chapter1_data_preparation.ipynb .* `\S*labcourse solve 1`"):
        outputs.Chapter(2, sources=()).read_table(1, "events")
    outputs.Chapter(1, sources=()).write_table("events", table)
    with pytest.raises(MissingOutput, match=r"not made evnts.parquet yet \(only events.parquet\)"):
        outputs.Chapter(2, sources=()).read_table(1, "evnts")
    with pytest.raises(MissingOutput, match=r"solutions/chapter1.*make course"):
        outputs.Chapter(2, sources=(), workspace="solutions").read_table(1, "events")


def test_switched_samples_make_outputs_stale(
    table: pd.DataFrame, make_samples: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABCOURSE_DATA", str(make_samples(1)))
    outputs.Chapter(1).write_table("events", table)
    second = outputs.Chapter(2)
    second.read_table(1, "events")
    second.write_table("split", table)
    monkeypatch.setenv("LABCOURSE_DATA", str(make_samples(2)))
    with pytest.raises(StaleOutput, match=r"ZZ4lep was .*, now other files of it and 8 more\)(.|\n)*solve 1"):
        outputs.Chapter(2).read_table(1, "events")
    with pytest.raises(StaleOutput, match=r"split.parquet of chapter 2(.|\n)*1.*then.*chapter2.*solve 1.*solve 2"):
        outputs.Chapter(3).read_table(2, "split")
    monkeypatch.setenv("LABCOURSE_DATA", str(make_samples(1)))
    assert len(outputs.Chapter(3).read_table(2, "split")) == 3


def test_official_instead_of_bundle_and_samples_taken_away_are_named(
    table: pd.DataFrame, make_samples: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, real_files: Path
) -> None:
    folder = make_samples(1)
    monkeypatch.setattr(settings, "data_folder", lambda: folder)
    outputs.Chapter(1, sources=["Zee"]).write_table("events", table)
    (folder / samples.get("Zee").files[0]).unlink()
    with pytest.raises(StaleOutput, match=r"Zee was bundle, now missing"):
        outputs.Chapter(2).read_table(1, "events")
    monkeypatch.setenv("LABCOURSE_DATA", str(real_files))
    with pytest.raises(StaleOutput, match=r"Zee was bundle, now official"):
        outputs.Chapter(2).read_table(1, "events")


def test_an_input_made_anew_makes_outputs_stale(table: pd.DataFrame) -> None:
    outputs.Chapter(1, sources=()).write_table("events", table)
    second = outputs.Chapter(2, sources=())
    second.write_table("split", second.read_table(1, "events"))
    third = outputs.Chapter(3, sources=())
    third.write_table("scores", third.read_table(2, "split"))

    outputs.Chapter(1, sources=()).write_table("events", table)  # run again with the same result
    assert len(outputs.Chapter(4, sources=()).read_table(3, "scores")) == 3

    outputs.Chapter(1, sources=()).write_table("events", table[:2])
    with pytest.raises(StaleOutput, match=r"chapter 1 has written events.parquet anew(.|\n)*Run notebooks/chapter2"):
        outputs.Chapter(3, sources=()).read_table(2, "split")
    with pytest.raises(StaleOutput, match=r"`\S*labcourse solve 2` and `\S*labcourse solve 3`"):
        outputs.Chapter(4, sources=()).read_table(3, "scores")
    second = outputs.Chapter(2, sources=())
    second.write_table("split", second.read_table(1, "events"))
    with pytest.raises(StaleOutput, match=r"chapter 2 has written split.parquet anew(.|\n)*Run notebooks/chapter3"):
        outputs.Chapter(4, sources=()).read_table(3, "scores")


def flipped(content: bytes) -> bytes:
    return content[:20] + bytes([content[20] ^ 1]) + content[21:]


@pytest.mark.parametrize("damage", [lambda _: b"", lambda content: content[:-100], flipped])
def test_a_damaged_table_is_named(table: pd.DataFrame, damage: Callable[[bytes], bytes]) -> None:
    chapter = outputs.Chapter(1, sources=())
    chapter.write_table("events", table)
    path = chapter.folder / "events.parquet"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DamagedOutput, match=r"events.parquet of chapter 1 is damaged(.|\n)*labcourse solve 1"):
        outputs.Chapter(2, sources=()).read_table(1, "events")
    chapter.write_table("events", table)
    assert len(outputs.Chapter(2, sources=()).read_table(1, "events")) == 3


OTHER_TYPES = [b'{"numbers.json": %s}' % entry for entry in (b"5", b"{}")]


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", *OTHER_TYPES, b"\xff", None])
def test_a_damaged_note_is_named(damage: bytes | None) -> None:
    chapter = outputs.Chapter(1, sources=())
    chapter.write_numbers({"a": 1})
    note = chapter.folder / outputs.NOTE
    note.unlink() if damage is None else note.write_bytes(damage)
    with pytest.raises(DamagedOutput, match=r"made-from.json beside it is missing or damaged(.|\n)*solve 1"):
        outputs.read_numbers(1)
    chapter.write_numbers({"a": 2})
    assert outputs.read_numbers(1) == {"a": 2}


@pytest.fixture(scope="module")
def models() -> list[object]:
    from labcourse import network

    made = [network.build(2, (3,), seed=seed) for seed in (1, 2)]
    for model in made:
        model.train_on_batch(np.zeros((4, 2), np.float32), np.zeros((4, 1), np.float32))
    return made


def test_a_model_comes_back_and_is_named_when_it_is_damaged(models: list[object]) -> None:
    chapter = outputs.Chapter(2, sources=())
    chapter.write_model("first_model", models[0])
    back = outputs.Chapter(3, sources=()).read_model(2, "first_model")
    x = np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)
    np.testing.assert_array_equal(back(x), models[0](x))
    assert not list(chapter.folder.glob(".first*"))
    path = chapter.folder / "first_model.keras"
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(DamagedOutput, match=r"first_model.keras of chapter 2 is damaged(.|\n)*solve 2"):
        outputs.Chapter(3, sources=()).read_model(2, "first_model")


def test_a_model_saved_again_is_the_same_input(models: list[object]) -> None:
    chapter = outputs.Chapter(2, sources=())
    chapter.write_model("first_model", models[0])
    third = outputs.Chapter(3, sources=())
    third.read_model(2, "first_model")
    third.write_numbers({"auc": 0.7})
    path = chapter.folder / "first_model.keras"
    before = path.read_bytes()
    time.sleep(1.1)  # Keras writes the time of saving, in seconds
    chapter.write_model("first_model", models[0])
    assert path.read_bytes() != before
    assert outputs.read_numbers(3) == {"auc": 0.7}
    chapter.write_model("first_model", models[1])
    with pytest.raises(StaleOutput, match=r"first_model\.keras anew"):
        outputs.read_numbers(3)


def test_the_same_chapter_twice_at_once_is_refused() -> None:
    with another(HOLD):
        with pytest.raises(ChapterBusy, match=r"Chapter 1 \(notebooks\) is already running(.|\n)*Shut that kernel"):
            outputs.Chapter(1, sources=())
        outputs.Chapter(2, sources=())
        outputs.Chapter(1, sources=(), workspace="solutions")
    outputs.Chapter(1, sources=())  # the lock of a killed kernel is gone
    with outputs.Chapter(1, sources=()):  # and the first cell may run again
        pass
    with another(HOLD):  # as may another kernel
        pass


REFUSED = r"could not be written: No space left(.|\n)*Make room on the disk"


@pytest.mark.parametrize(
    ("fault", "says"), [(OSError(28, "No space left on device"), REFUSED), (KeyboardInterrupt(), None)]
)
def test_a_write_that_stops_leaves_the_old_or_what_is_named_as_damaged(
    models: list[object], monkeypatch: pytest.MonkeyPatch, fault: BaseException, says: str | None
) -> None:
    """The disk refuses, or Ctrl-C is pressed, when the first, second, … file is renamed.

    A file and the note are renamed one after the other: between them the chapter is run again.
    """
    chapter, reader = outputs.Chapter(1, sources=()), outputs.Chapter(2, sources=())

    def write(new: int) -> None:
        chapter.write_table("table", pd.DataFrame({"new": [new]}))
        chapter.write_numbers({"new": new})
        chapter.write_model("model", models[new])

    def read_model() -> bool:
        return np.array_equal(reader.read_model(1, "model").get_weights()[0], models[1].get_weights()[0])

    reads = (lambda: reader.read_table(1, "table")["new"][0], lambda: reader.read_numbers(1)["new"], read_model)
    for at in range(6):
        write(0)
        calls = itertools.count()

        def stop(*paths: Any, at: int = at, calls: Iterator[int] = calls, rename: Any = os.replace) -> None:
            if next(calls) == at:
                raise fault
            rename(*paths)

        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", stop)
            with pytest.raises((StorageError, KeyboardInterrupt), match=says):
                write(1)
        for file, read in enumerate(reads):
            is_between = file == at // 2 and at % 2 == 1
            with pytest.raises(DamagedOutput, match="solve 1") if is_between else nullcontext():
                assert read() == (file < at // 2)
        assert not list(chapter.folder.glob(".*"))
    write(1)
    assert all(read() for read in reads)


def test_what_a_killed_kernel_left_is_swept_up() -> None:
    left = outputs.folder(1) / ".events-k3j.parquet"
    left.parent.mkdir(parents=True)
    left.touch()
    outputs.Chapter(1, sources=())
    assert not left.exists()


def test_an_outputs_folder_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LABCOURSE_OUTPUTS", str(tmp_path / "file"))
    with pytest.raises(StorageError, match=r"chapter 1 \(notebooks\) cannot be written(.|\n)*LABCOURSE_OUTPUTS"):
        outputs.Chapter(1, sources=())
