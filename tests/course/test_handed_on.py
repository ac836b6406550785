"""Each right answer that a check accepts fits what follows: with it the chapter runs to its end without an error.

The cells of a student's notebook run one after the other. Behind the cell of each exercise an answer is put in, and
its check says what the rest of the chapter goes on with. A run takes one answer for every exercise, so that answers
of several kinds meet. Few events, and trainings without steps, keep it short: nothing here asks what a network learns.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import shutil
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest

import azh
from azh import limits, search, study
from course import checks, outputs
from course.checks import cells, crafted, progress, registry
from labcourse import compiled, features, kinematics, network, ntuple, samples, selection, settings, splitting, training
from tests.course.answers import Made, in_form
from tests.course.test_checks_chapter1 import pair
from tests.course.test_checks_exercises import table
from workshop.authoring import cut, source

COURSE = {
    chapter.chapter: chapter.handed_out for chapter in source.read_all(settings.home()) if chapter.chapter is not None
}
EVENTS_OF_SAMPLE = 1500
FORMS: tuple[Callable[[np.ndarray], Any], ...] = (
    np.ndarray.tolist,
    lambda array: tuple(array.tolist()) if array.ndim else array,
    lambda array: pd.Series(array, np.arange(len(array))[::-1] + 3) if array.ndim == 1 else array.astype("f4"),
    lambda array: pd.DataFrame(array) if array.ndim == 2 else array.astype(object),
    lambda array: array.astype(str) if array.ndim else str(array),
    lambda array: (x for x in array) if array.ndim else array,
)


@dataclass
class Answer:
    """An answer that is put in: what to call it in a message, and whether its check must accept it.

    A value need not be accepted: what a network that has learnt nothing shows may have no answer.
    """

    name: str
    value: Any
    is_right: bool = True


def answers(number: str) -> list[Answer]:
    """Return the right answers of an exercise's table; then the first function of them with results in other forms."""
    rows = table(int(number.split(".")[0]))[number].right
    listed = [Answer(f"right answer {i}", row, is_right=callable(row)) for i, row in enumerate(rows)]
    if not callable(rows[0]):
        return listed
    forms = [
        Answer(f"right answer 0 in form {i}", in_form(form, rows[0]), is_right=False) for i, form in enumerate(FORMS)
    ]
    turn = int(number.split(".")[1]) % len(forms)
    return [*listed, *forms[turn:], *forms[:turn]]


def in_types_of(row: Any, own: Any) -> Any:
    """Return the course's value, which is right in this run, in the types of a right value of the table."""
    if isinstance(row, (tuple, list)) and not (len(own) and isinstance(own[0], str)):  # there can be other names
        return type(row)(in_types_of(like, part) for like, part in zip(row, own, strict=True))
    return np.asarray(own) if isinstance(row, np.ndarray) else type(row)(own)


def untrained(chapter: int, train: Callable[..., Any]) -> Callable[..., Any]:
    """Return what does all that a training does but its steps: callbacks are asked, and losses noted.

    Chapter 8 asks where the score of a network has its best cut: its own trainings take three epochs.
    """
    rng = np.random.default_rng(chapter)

    def run(program: Any, model: Any, step: str, *others: Any) -> Any:
        epoch, epochs = len(model.history.epoch), model.history.params["epochs"]
        if chapter == 8 and not any(frame.function == "cross_validate" for frame in inspect.stack(0)):
            model.stop_training = epoch == 2
            return train(program, model, step, *others)
        if epoch == 0 and step == "train_step":
            model.trainable_weights[-1].assign_add([0.1])
        loss = 0.6 + abs(epoch / epochs - 0.7) + rng.normal(0, 0.02)
        return {"loss": loss if step == "train_step" else loss + 0.01}

    return run


def go_through(chapter: int, turn: int) -> None:
    """Run a chapter with one answer for each exercise."""
    course, names, given = COURSE[chapter], {"__name__": "__main__"}, {}
    short_training = untrained(chapter, compiled.Program.run)
    lines = zip(course.cells, cut.student(course), cut.solution(course), strict=True)
    for cell, text, solution in ((cell, *texts) for cell, *texts in lines if cell.kind == "code"):
        written = "written" in cell.tags or "checks.written" in text
        try:
            with pytest.MonkeyPatch.context() as patch:
                if not cell.check:  # some checks look at what a network learns
                    patch.setattr(compiled.Program, "run", short_training)
                    patch.setattr(keras.Model, "fit", lambda *_, **__: None)
                printed = run(text, names)
            if cell.exercise and not written:
                (name,) = registry.exercises()[cell.exercise].names
                answer = given[cell.exercise] = answers(cell.exercise)[turn % len(answers(cell.exercise))]
                value = answer.value.make() if isinstance(answer.value, Made) else answer.value
                if not callable(value) and not isinstance(answer.value, Made):
                    own = dict(names)
                    run(solution, own)
                    value = in_types_of(value, own[name])
                names[name] = value
        except Exception as error:
            with_answers = "\n".join(f"  {number}: {answer.name}" for number, answer in given.items())
            pytest.fail(f"{type(error).__name__}: {error}\nin the cell\n{text}\nbehind the answers\n{with_answers}")
        if cell.check and not written and not printed.startswith(f"exercise {cell.check}: solved"):
            answer = given.pop(cell.check)
            assert not answer.is_right, f"{answer.name} is refused:\n{printed}"


def run(text: str, names: dict[str, Any]) -> str:
    """Run a cell as a notebook does, and return what it prints; warnings are no errors there."""
    cells.begin(text)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(text, "cell", "exec"), names)
    return printed.getvalue()


@pytest.fixture(scope="module")
def few() -> pd.DataFrame:
    """Simulated events, at most some of each sample, with the yields of all."""
    events = ntuple.load(samples.SIMULATED, progress=False)
    groups = events.groupby("sample", observed=True)
    events["weight"] *= np.maximum(groups["weight"].transform("size") / EVENTS_OF_SAMPLE, 1).astype(np.float32)
    return events[groups.cumcount() < EVENTS_OF_SAMPLE].reset_index(drop=True)


@pytest.fixture(scope="module")
def earlier(few: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what chapters read of earlier ones."""
    folder = tmp_path_factory.mktemp("outputs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABCOURSE_OUTPUTS", str(folder))
        events = selection.preselect(few)
        with outputs.Chapter(1) as chapter:
            chapter.write_table("events", events)
            chapter.write_table("window", pd.DataFrame({"variable": ["lep3_pt"], "low": [12.5], "high": [29.0]}))
        x, y, _ = features.arrays(events, list(ntuple.LEPTON_PT))
        for number, name in ((2, "first_model"), (4, "early_stopped_model"), (5, "balanced_model")):
            model = network.build(4, normalise=x, learning_rate=1e-2, seed=number)
            training.fit(model, x, y, epochs=2, seed=number, progress=False)
            with outputs.Chapter(number, sources=samples.SIMULATED) as chapter:
                chapter.write_model(name, model)
        # The encore reads the network of chapter 8, which takes 17 inputs in the course's own answer.
        own = network.build(17, normalise=np.random.default_rng(8).normal(size=(50, 17)), seed=8)
        with outputs.Chapter(8, sources=samples.SIMULATED) as chapter:
            chapter.write_model("low_level_model", own)
        train, test = splitting.split(events)
        scored = pd.concat([train.assign(fold=np.arange(len(train)) % 5), test.assign(fold=-1)], ignore_index=True)
        scored["score"] = training.predict(model, features.arrays(scored, list(ntuple.LEPTON_PT))[0])
        with outputs.Chapter(6, sources=samples.SIMULATED) as chapter:
            chapter.write_table("out_of_fold", scored[["sample", "run", "event", "weight", "fold", "score"]])
    return folder


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[Any, str], Callable[..., Any]]:
    """What the project's long cells call gives: one network in place of all, one limit and two trials."""
    events = azh.read()[::5]
    parts = azh.split(events)
    trained = azh.train(parts, replace(azh.IMPROVED, epochs=2), progress=False)
    made = azh.Search(events, trained.classify, scale=5)
    band = study.expected_limit(made, 500)
    (point,) = study.scan(made, azh.read_sealed(1), [500])
    path = tmp_path_factory.mktemp("search") / "trials.sqlite3"
    trials = search.run(parts, path, trials=2, epochs=1, progress=False)
    return {
        (azh, "read"): events.copy,
        (azh, "train"): lambda *_, **__: trained,
        (azh, "train_tree"): lambda *_, **__: trained.classify,
        (azh, "Search"): lambda *_, **__: made,
        (study, "expected_limit"): lambda *_: band,
        (study, "scan"): lambda _, __, masses, *___: [point._replace(mass=float(mass)) for mass in masses],
        (study, "largest_excesses"): lambda *_, **__: np.linspace(0, 3, 20),
        (limits, "toy_band"): lambda *_, **__: band,
        (search, "run"): lambda *_, **__: trials,
    }


@pytest.fixture
def short(few: pd.DataFrame, earlier: Path, searched: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let chapters run in seconds, and begin with a new kernel."""
    # A copy: a chapter writes networks that have learnt nothing over those that later ones read.
    monkeypatch.setenv("LABCOURSE_OUTPUTS", str(shutil.copytree(earlier, tmp_path / "copied")))
    load = ntuple.load  # the encore's events are few, and chosen while they are read
    monkeypatch.setattr(ntuple, "load", lambda names, **how: load(names, **how) if how else few.copy())
    monkeypatch.setattr(compiled, "XLA", False)  # compiling takes longer
    for (module, name), function in searched.items():
        monkeypatch.setattr(module, name, function)


@pytest.mark.parametrize(
    ("chapter", "turn"),
    [(n, turn) for n in COURSE for turn in range(max(len(exercise.right) for exercise in table(n).values()))],
)
def test_a_chapter_goes_on_with_right_answers(chapter: int, turn: int, short: None) -> None:
    go_through(chapter, turn)


def _flavour(events: pd.DataFrame) -> pd.Series:
    return sum(events[f"lep{i}_pdgid"] for i in (1, 2, 3, 4)).isin([44, 48, 52])


WITH_ODD_INDEX = pd.Index(np.arange(50)[::-1] * 2)


@pytest.mark.parametrize(
    "answer",
    [
        lambda events: _flavour(events).tolist(),
        lambda events: tuple(_flavour(events)),
        lambda events: pd.Series(_flavour(events).to_numpy(), WITH_ODD_INDEX[: len(events)]),
    ],
)
def test_lists_tuples_and_other_indices_are_handed_on_as_arrays(answer: Callable[..., Any], capsys: Any) -> None:
    function = checks.exercise_1_4(answer)
    events = crafted.leptons([(11, 11, 11, 11, 11), (11, 13, 13, 13, 13)], [(1,) * 5] * 2)
    assert progress.is_solved("1.4")
    assert (function(events) & np.array([True, True])).tolist() == [True, False]
    assert checks.exercise_1_4(function) is function
    assert "not made again since its last check" in capsys.readouterr().out


def test_an_answer_in_the_form_of_the_course_is_handed_on_as_it_is_and_a_generator_refused() -> None:
    assert checks.exercise_1_4(_flavour) is _flavour
    own = checks.exercise_1_4(lambda events: (mask for mask in _flavour(events)))
    assert own is selection.is_flavour_allowed


def test_lists_and_tables_become_arrays_that_can_be_changed() -> None:
    z_masses = checks.exercise_1_6(lambda events: [list(part) for part in pair(events)])
    masses = {f"m_ll_{i}{j}": [90.0] for i, j in kinematics.PAIRS} | {"m_ll_34": [25.0]}
    m_z1, m_z2 = z_masses(crafted.leptons([(11, 11, 13, 13)], [(1, -1, 1, -1)]).assign(**masses))
    m_z2 /= m_z1
    assert m_z2.tolist() == [25 / 90]
    best_score = checks.exercise_3_1(lambda x, d, share: (1 / (1 + (1 - share) / share * np.exp(-d * x))).tolist())
    score = best_score(np.zeros(2), 1.0, 0.25)
    score[:1] *= 2
    assert score.tolist() == pytest.approx([0.5, 0.25])
    points = {"masses": [300, 500, 700], "network": [1, 3, 1], "m_zh": [2, 1, 2], "own": [2, 3, 2]}
    n = checks.exercise_9_3(np.array(2), points={name: np.array(values) for name, values in points.items()})
    assert f"{n:d}" == "2"
