"""The search over settings: Optuna tries networks, gives up hopeless ones early, and keeps all in one SQLite file.

What is maximised is the mean significance at some masses on *validation* events, so that the test events stay
untouched, and so that settings with different weights of the signal can be compared (their losses cannot).
"""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from azh import methods
from azh.events import Parts
from azh.methods import ACTIVATIONS, CONDITIONINGS
from azh.sensitivity import Classifier, significances
from labcourse.errors import BadFile, BadInput
from labcourse.progress import Line

if TYPE_CHECKING:
    import optuna
    import pandas as pd

MASSES = (300.0, 500.0, 800.0, 1400.0)
"""Masses whose mean significance is maximised (GeV)."""
EVERY = 3
"""Epochs between two looks at a trial."""
PATIENCE = 60
"""Seconds that a trial waits for others to write."""
_MADE_WITH = "made_with"

Each = Callable[[Callable[[int], None], Iterable[int]], Iterable[object]]
"""How to call a function with each of some numbers, in any order, and to say when each call is done."""


def run(
    parts: Parts,
    path: Path | str,
    *,
    trials: int,
    epochs: int = 15,
    seed: int = 0,
    masses: Sequence[float] = MASSES,
    each: Each = map,
    progress: bool = True,
) -> optuna.Study:
    """Search until the file holds ``trials`` finished trials; what it holds already counts.

    A kill loses the trials under way and no other. Each trial has a seed of its own; what it tries depends on what is
    finished when it begins, so with several at a time on their order as well.

    Parameters
    ----------
    parts : Parts
        Training and validation events; the test events are not looked at.
    path : path
        The SQLite file; it is made if it does not exist.
    trials, epochs, seed
        How many trials, epochs of each, and the seed of the search.
    masses : sequence of float
        The mean significance at these is maximised.
    each : callable, optional
        How trials are distributed over processes that share this disk (``each`` of the factory's workers, as in
        `labcourse tune`); by default one after the other in this process.
    progress : bool
        Show how many trials are done, and the best value.

    Returns
    -------
    optuna.Study

    Raises
    ------
    BadFile
        As `load`.
    BadInput
        If the number of trials or epochs is not positive, or the file holds a search with other events, epochs or
        masses: their values could not be compared.
    """
    if trials < 1 or epochs < 1:
        raise BadInput(f"{trials} trials of {epochs} epochs.", where="search.run", next_step="Use one or more of both.")
    path = Path(path).absolute()
    study = load(path)
    with (
        _one_error(path, OSError),
        Line(visible=progress) as line,
        tempfile.TemporaryDirectory(prefix=".search-", dir=path.parent) as folder,
    ):
        _same_search(study, {"events": _identity(parts), "epochs": epochs, "masses": list(masses)}, path)
        line.show(_state(study, trials))
        first, missing = seed + len(study.trials), trials - finished(study)
        where: Parts | str = parts
        if each is not map:  # through the disk: events are too many to be sent with every trial
            for name in ("train", "validation"):
                getattr(parts, name).to_parquet(Path(folder) / f"{name}.parquet")
            where = folder
        for _ in each(partial(_one, path, where, epochs, tuple(masses)), range(first, first + missing)):
            line.show(_state(study, trials))
    return study


@lru_cache(maxsize=1)
def _read(folder: str) -> Parts:
    import pandas as pd

    train, validation = (pd.read_parquet(Path(folder) / f"{name}.parquet") for name in ("train", "validation"))
    return Parts(train, validation, validation.iloc[:0])


def load(path: Path | str) -> optuna.Study:
    """Open a study, or begin one.

    Raises
    ------
    BadFile
        If the file is none, or cannot be made, read or written: the disk refuses, or another program holds it.
    """
    import optuna
    import sqlalchemy

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    path = Path(path).absolute()
    # What another version of Optuna wrote, or somebody else, is of the last three kinds.
    with _one_error(path, OSError, RuntimeError, ValueError, LookupError, TypeError):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
        study = optuna.create_study(
            study_name="parameterised",
            storage=optuna.storages.RDBStorage(
                # As plain text, a path would end at its first question mark.
                sqlalchemy.URL.create("sqlite", database=str(path)).render_as_string(),
                engine_kwargs={"connect_args": {"timeout": PATIENCE}},
            ),
            direction="maximize",
            load_if_exists=True,
            pruner=optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=EVERY),
        )
        study.get_trials(deepcopy=False)  # what cannot be read is said now, and not in the middle
    return study


@contextmanager
def _one_error(path: Path, *more: type[Exception]) -> Iterator[None]:
    """Raise as BadFile what database and disk refuse, and ``more``."""
    import optuna
    import sqlalchemy

    try:
        yield
    except (sqlalchemy.exc.SQLAlchemyError, optuna.exceptions.StorageInternalError, *more) as error:
        # Optuna wraps an error of SQLAlchemy, which wraps one of SQLite.
        cause = error.__cause__ if isinstance(error, optuna.exceptions.StorageInternalError) else error
        cause = getattr(cause, "orig", None) or getattr(cause, "strerror", None) or cause
        raise BadFile(
            f"The search cannot be kept in {path.name}: {cause}.",
            where=str(path),
            next_step="Give a new name, or a search of this version, on a local disk that you may write to; no other "
            "program may hold the file.",
        ) from error


def _same_search(study: optuna.Study, made_with: dict[str, Any], path: Path) -> None:
    if study.user_attrs.setdefault(_MADE_WITH, made_with) != made_with:
        raise BadInput(
            "The file holds a search with other events, epochs or masses: values could not be compared.",
            where=str(path),
            next_step=f"Use the same ones, or another file; here: {made_with}, there: {study.user_attrs[_MADE_WITH]}.",
        )
    study.set_user_attr(_MADE_WITH, made_with)


def _identity(parts: Parts) -> str:
    """A text that changes with the training and validation events."""
    import pandas as pd

    sums = [int(pd.util.hash_pandas_object(part, index=False).sum()) for part in (parts.train, parts.validation)]
    return "-".join(f"{value:016x}" for value in sums)


def table(study: optuna.Study) -> pd.DataFrame:
    """Return the finished and the pruned trials, the best first: value, state, settings.

    ``rate`` is the learning rate of whichever optimizer; Adam's has no ``decay``.
    """
    frame = study.trials_dataframe(attrs=("number", "value", "state", "params"))
    frame = frame[frame["state"].isin(["COMPLETE", "PRUNED"])]
    frame.columns = frame.columns.str.removeprefix("params_")
    rates = [name for name in frame if name.startswith("rate_")]
    frame["rate"] = frame[rates].bfill(axis=1).iloc[:, 0]
    frame = frame.drop(columns=rates)
    return frame.sort_values(["state", "value"], ascending=[True, False]).reset_index(drop=True)


def finished(study: optuna.Study) -> int:
    """Return the number of trials that came to an end, pruned ones included."""
    return sum(trial.state.name in ("COMPLETE", "PRUNED") for trial in study.get_trials(deepcopy=False))


def suggest(trial: optuna.Trial, epochs: int) -> methods.Recipe:
    """Return the settings of a trial; the ranges are those of the published scan where it has them."""
    layers, width = trial.suggest_int("layers", 1, 6), trial.suggest_int("width", 25, 400, log=True)
    optimizer = trial.suggest_categorical("optimizer", ["adam", "sgd"])
    low, high = (1e-3, 3e-2) if optimizer == "adam" else (0.01, 1.5)
    return methods.Recipe(
        hidden=(width,) * layers,
        activation=trial.suggest_categorical("activation", list(ACTIVATIONS)),
        conditioning=trial.suggest_categorical("conditioning", list(CONDITIONINGS)),
        rate=trial.suggest_float(f"rate_{optimizer}", low, high, log=True),
        decay=trial.suggest_float("decay", 0.9, 0.999) if optimizer == "sgd" else 1.0,
        momentum=0.7 if optimizer == "sgd" else 0.0,
        signal_scale=trial.suggest_float("k", 1e-3, 10, log=True),
        batch_size=1024,
        epochs=epochs,
        patience=0,
    )


def _one(path: Path, parts: Parts | str, epochs: int, masses: tuple[float, ...], seed: int) -> None:
    """Make a trial with these events, or those of a folder; runs in any process."""
    import keras
    import optuna

    study = load(path)
    study.sampler = optuna.samplers.TPESampler(seed=seed)
    if isinstance(parts, str):
        parts = _read(parts)

    def objective(trial: optuna.Trial) -> float:
        def look(epoch: int, _: Any) -> None:
            if (epoch + 1) % EVERY == 0:
                trial.report(mean(methods.of_network(watch.model)), epoch)
                if trial.should_prune():
                    raise optuna.TrialPruned

        watch = keras.callbacks.LambdaCallback(on_epoch_end=look)
        return mean(
            methods.train(parts, suggest(trial, epochs), seed=seed, callbacks=(watch,), progress=False).classify
        )

    def mean(classify: Classifier) -> float:
        # What diverged says nothing.
        found = significances(
            lambda table: np.nan_to_num(classify(table)), parts.validation, masses, scale=10, replicas=0
        )
        return float(np.mean([point.value for point in found]))

    with _one_error(path):  # in another process, too
        study.optimize(objective, n_trials=1)


def _state(study: optuna.Study, trials: int) -> str:
    values = [trial.value for trial in study.get_trials(deepcopy=False) if trial.state.name == "COMPLETE"]
    best = f", best significance {max(values):.3f}" if values else ""
    return f"{finished(study)}/{trials} trials{best}"
