"""Each right answer fits what follows: a check accepts it, and with it the chapter's later cells run without an error.

The cells of a student's notebook run once, one after the other. Behind the cell of each exercise its first right answer
is put in, with results as lists, as tables or in single precision, and the check says what the chapter goes on with.
Then each other answer is put in the place of the first: its check, and the cells that use what it hands on, or what
became of that, run again. Few events, and trainings without steps, keep it short: nothing here asks what a network
learns.
"""

import contextlib
import functools
import io
import shutil
import traceback
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
from course import outputs
from course.checks import cells, progress, registry
from labcourse import compiled, features, network, ntuple, samples, selection, settings, splitting, training
from tests.course.answers import GOOD_FORMS, ONE_FORM, in_form
from tests.course.test_checks_exercises import table
from workshop.authoring import cut, source

COURSE = {
    chapter.chapter: chapter.handed_out for chapter in source.read_all(settings.home()) if chapter.chapter is not None
}
EVENTS_OF_SAMPLE = 1000


@dataclass
class Step:
    """A cell of code: its texts for students and with the solution, and the names that it has bound when it ran."""

    cell: source.Cell
    text: str
    solution: str
    bound: dict[str, Any]


def answers(number: str) -> list[Any]:
    """Return the right answers of an exercise's table: the first one, if it is a function, with results in a form."""
    chapter, place = map(int, number.split("."))
    first, *others = table(chapter)[number].right
    has_forms = callable(first) and number not in ONE_FORM
    if number == "8.5":  # to what follows one network is like another
        return [first]
    return [in_form(GOOD_FORMS[place % len(GOOD_FORMS)], first) if has_forms else first, *others]


def in_types_of(row: Any, own: Any) -> Any:
    """Return the course's value, which is right in this run, in the types of a right value of the table."""
    if isinstance(row, (tuple, list)) and not (len(own) and isinstance(own[0], str)):  # there can be other names
        return type(row)(in_types_of(like, part) for like, part in zip(row, own, strict=True))
    return np.asarray(own) if isinstance(row, np.ndarray) else type(row)(own)


def untrained(chapter: int, train: Callable[..., Any]) -> Callable[..., Any]:
    """Return what does all that a training does but its steps: callbacks are asked, and losses noted.

    Chapter 8 asks where the score of a network has its best cut: its own trainings take two epochs.
    """
    rng = np.random.default_rng(chapter)

    def run(program: Any, model: Any, step: str, *others: Any) -> Any:
        epoch, epochs = len(model.history.epoch), model.history.params["epochs"]
        callers = (frame.f_code.co_name for frame, _ in traceback.walk_stack(None))
        if chapter == 8 and "cross_validate" not in callers:
            model.stop_training = epoch == 1
            return train(program, model, step, *others)
        if epoch == 0 and step == "train_step":
            model.trainable_weights[-1].assign_add([0.1])
        loss = 0.6 + abs(epoch / epochs - 0.7) + rng.normal(0, 0.02)
        return {"loss": loss if step == "train_step" else loss + 0.01}

    return run


def in_few_epochs(fit: Callable[..., Any]) -> Callable[..., Any]:
    """Return what trains as often as callbacks need to see a best epoch and others after it."""
    return functools.wraps(fit)(lambda *data, epochs=1, **more: fit(*data, epochs=min(epochs, 12), **more))


def run(text: str, names: dict[str, Any]) -> str:
    """Run a cell as a notebook does, and return what it prints; warnings are no errors there."""
    cells.begin(text)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(text, "cell", "exec"), names)
    return printed.getvalue()


def go(chapter: int, step: Step, names: dict[str, Any], said: str) -> None:
    """Run a cell; the check of a function has to accept it: a value may be wrong where no network has learnt."""
    try:
        with pytest.MonkeyPatch.context() as patch:
            if not step.cell.check:  # some checks look at what a network learns
                patch.setattr(compiled.Program, "run", untrained(chapter, compiled.Program.run))
                patch.setattr(training, "fit", in_few_epochs(training.fit))
                patch.setattr(keras.Model, "fit", lambda *_, **__: None)
            printed = run(step.text, names)
    except Exception as error:
        pytest.fail(f"{type(error).__name__}: {error}\nin the cell\n{step.text}\nbehind {said}")
    if step.cell.check and "checks.written" not in step.text and callable(answers(step.cell.check)[0]):
        assert printed.startswith(f"exercise {step.cell.check}: solved"), f"{said}\n{printed}"


def put_in(answer: Any, step: Step, names: dict[str, Any]) -> str:
    """Bind the name of an exercise to an answer, as the student's cell would, and return the name."""
    (name,) = registry.exercises()[step.cell.exercise].names
    if not callable(answer):
        own = dict(names)
        run(step.solution, own)
        answer = in_types_of(answer, own[name])
    names[name] = answer
    return name


def kind(value: Any) -> Any:
    """Return what later cells may take differently: the type; each function is of a kind of its own."""
    return object() if callable(value) else (type(value), getattr(value, "dtype", None))


@pytest.mark.parametrize("chapter", COURSE)
def test_a_chapter_goes_on_with_each_right_answer(chapter: int, short: None) -> None:
    course, names = COURSE[chapter], {"__name__": "__main__"}
    lines = zip(course.cells, cut.student(course), cut.solution(course), strict=True)
    steps = [Step(cell, *texts, {}) for cell, *texts in lines if cell.kind == "code"]
    asked = [step for step in steps if step.cell.exercise and "written" not in step.cell.tags]
    for step in steps:
        before = dict(names)
        go(chapter, step, names, "the first answers")
        if step in asked:
            put_in(answers(step.cell.exercise)[0], step, names)
        step.bound = {name: value for name, value in names.items() if before.get(name, run) is not value}
    for step in asked:
        number, place = step.cell.exercise, steps.index(step)
        for i, answer in enumerate(answers(number)[1:], 1):
            progress.verdicts.clear()
            names = {name: value for earlier in steps[:place] for name, value in earlier.bound.items()}
            others = {put_in(answer, step, names)}
            for later in steps[place + 1 :]:
                if later.cell.check == number or others & cells.names_used(later.text):
                    go(chapter, later, names, f"answer {i} of exercise {number}")
                    others |= {name for name, value in later.bound.items() if kind(names[name]) != kind(value)}
                else:
                    names |= later.bound
                    others -= later.bound.keys()


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
        model = network.build(4, normalise=x, learning_rate=1e-2, seed=2)
        training.fit(model, x, y, epochs=2, seed=2, progress=False)
        for number, name in ((2, "first_model"), (4, "early_stopped_model"), (5, "balanced_model")):
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
    """What the project's long cells call gives: one network in place of all, one limit and one trial."""
    events = azh.read()[::5]
    parts = azh.split(events)
    trained = azh.train(parts, replace(azh.IMPROVED, epochs=2), progress=False)
    made, modifiers = azh.Search(events, trained.classify, scale=5), registry.course_answer("9.7")
    band = study.expected_limit(made, 500, modifiers)
    (point,) = study.scan(made, azh.read_sealed(1), [500], modifiers)
    path = tmp_path_factory.mktemp("search") / "trials.sqlite3"
    trials = search.run(parts, path, trials=1, epochs=1, progress=False)
    return {
        (azh, "read"): events.copy,
        (azh, "train"): lambda *_, **__: trained,
        (azh, "train_tree"): lambda *_, **__: trained.classify,
        (azh, "Search"): lambda *_, **__: made,
        (study, "expected_limit"): lambda *_: band,
        (study, "scan"): lambda _, __, masses, *___: [point._replace(mass=float(mass)) for mass in masses],
        (study, "largest_excesses"): lambda *_, **__: np.linspace(0, 3, 20),
        (limits, "by_toys"): lambda *_, **__: (band, float("nan")),
        (search, "run"): lambda *_, **__: trials,
    }


@pytest.fixture
def short(few: pd.DataFrame, earlier: Path, searched: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let chapters run in seconds, and begin with a new kernel."""
    # A copy: a chapter writes networks that have learnt nothing over those that later ones read.
    monkeypatch.setenv("LABCOURSE_OUTPUTS", str(shutil.copytree(earlier, tmp_path / "copied")))
    load = ntuple.load  # the encore's events are few, and chosen while they are read
    monkeypatch.setattr(ntuple, "load", lambda names, **how: load(names, **how) if how else few.copy())
    for (module, name), function in searched.items():
        monkeypatch.setattr(module, name, function)
