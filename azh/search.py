"""The search over settings: Optuna tries networks, gives up hopeless ones early, and keeps all in one SQLite file.

What is maximised is the mean significance at some masses on *validation* events, so that the test events stay
untouched, and so that settings with different weights of the signal can be compared (their losses cannot).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from azh import methods
from azh.events import Parts, at_mass, is_signal
from azh.network import ACTIVATIONS, CONDITIONINGS
from azh.sensitivity import asimov, histogram, identity
from azh.storage import EVERY, load, one_error
from labcourse import outputs
from labcourse.errors import BadInput
from labcourse.progress import Line

if TYPE_CHECKING:
    import optuna
    import pandas as pd

MASSES = (300.0, 500.0, 800.0, 1400.0)
"""Masses whose mean significance is maximised (GeV)."""
PROJECT = 9
"""Number of the project among the chapters."""
_MADE_WITH = "made_with"


def run(
    parts: Parts,
    path: Path | str | None = None,
    *,
    trials: int,
    epochs: int = 15,
    seed: int = 0,
    masses: Sequence[float] = MASSES,
    client: Any = None,
    each: Callable[..., Iterator[tuple[int, Any]]] | None = None,
    progress: bool = True,
) -> optuna.Study:
    """Search until the file holds ``trials`` finished trials; what it holds already counts.

    A kill loses the trials under way and no other: they count as failed once they have given no sign of life for
    `GRACE` seconds. Each trial has a seed of its own; what it tries depends on what is finished when it begins, so with
    several workers on their order as well.

    Parameters
    ----------
    parts : Parts
        Training and validation events; the test events are not looked at.
    path : path, optional
        The SQLite file; it is made if it does not exist. By default `default_file`.
    trials, epochs, seed
        How many trials, epochs of each, and the seed of the search.
    masses : sequence of float
        The mean significance at these is maximised.
    client : distributed.Client, optional
        Trials run on its workers, which need the same disk.
    each : callable, optional
        How to run tasks on the client: ``factory.cluster.each``, as `labcourse tune` does.
    progress : bool
        Show how many trials are done, and the best value.

    Returns
    -------
    optuna.Study

    Raises
    ------
    BadFile, StorageError
        As `load`.
    BadInput
        If the number of trials or epochs is not positive, or the file holds a search with other events, epochs or
        masses: their values could not be compared.
    SimulationError
        If the cluster is lost, or a trial fails on it.
    """
    if trials < 1 or epochs < 1:
        raise BadInput(f"{trials} trials of {epochs} epochs.", where="search.run", next_step="Use one or more of both.")
    path = Path(path) if path is not None else default_file()
    study = load(path)
    with one_error(path):
        _same_search(study, {"events": _identity(parts), "epochs": epochs, "masses": list(masses)}, path)
        first, begun = len(study.trials), count()
    under_way: set[int] = set()

    def next_seed() -> int | None:
        if finished(study) + len(under_way) >= trials:
            return None
        under_way.add(trial := seed + first + next(begun))
        return trial

    with one_error(path), Line(visible=progress) as line:
        line.show(_state(study, trials))
        for trial in (
            _here(path, parts, epochs, masses, next_seed)
            if client is None or each is None
            else _on_cluster(client, each, path, parts, epochs, masses, next_seed)
        ):
            under_way.remove(trial)
            line.show(_state(study, trials))
    return study


def _here(
    path: Path | str, parts: Parts, epochs: int, masses: Sequence[float], next_seed: Callable[[], int | None]
) -> Iterator[int]:
    while (seed := next_seed()) is not None:
        _one(path, parts, epochs, seed, tuple(masses))
        yield seed


def _on_cluster(
    client: Any,
    each: Callable[..., Iterator[tuple[int, Any]]],
    path: Path | str,
    parts: Parts,
    epochs: int,
    masses: Sequence[float],
    next_seed: Callable[[], int | None],
) -> Iterator[int]:
    # Through the disk, not through Dask: what a worker holds is lost with it.
    with tempfile.TemporaryDirectory(prefix=".search-", dir=Path(path).absolute().parent) as folder:
        for name in ("train", "validation"):
            getattr(parts, name).to_parquet(Path(folder) / f"{name}.parquet")

        def submit(seed: int) -> Any:
            return client.submit(_one_of, str(Path(path).absolute()), folder, epochs, seed, tuple(masses), pure=False)

        for seed, _ in each(client, submit, next_seed, lambda seed: f"trial with seed {seed}"):
            yield seed


def _one_of(path: str, folder: str, epochs: int, seed: int, masses: tuple[float, ...]) -> None:
    """Make a trial with the events of a folder; runs on a worker."""
    _one(path, _read(folder), epochs, seed, masses)


@lru_cache(maxsize=1)
def _read(folder: str) -> Parts:
    import pandas as pd

    train, validation = (pd.read_parquet(Path(folder) / f"{name}.parquet") for name in ("train", "validation"))
    return Parts(train, validation, validation.iloc[:0])


def default_file() -> Path:
    """Return the project's own file, beside its other outputs."""
    return outputs.folder(PROJECT) / "search.db"


def _same_search(study: optuna.Study, made_with: dict[str, Any], path: Path) -> None:
    before = study.user_attrs.get(_MADE_WITH)
    if before is None:
        study.set_user_attr(_MADE_WITH, made_with)
    elif before != made_with:
        before = before if isinstance(before, dict) else {}  # another program's
        others = [name for name, value in made_with.items() if before.get(name) != value]
        raise BadInput(
            f"The file holds a search with other {' and '.join(others)}: values could not be compared.",
            where=str(path),
            next_step="Use the same ones, or another file.",
        )


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


def _one(path: Path | str, parts: Parts, epochs: int, seed: int, masses: tuple[float, ...]) -> None:
    import optuna

    study = load(path)
    study.sampler = optuna.samplers.TPESampler(seed=seed)
    looks = [at_mass(parts.validation, mass) for mass in masses]

    def objective(trial: optuna.Trial) -> float:
        trained = methods.train(parts, suggest(trial, epochs), seed=seed, callbacks=(_watch(trial),), progress=False)
        return _mean(trained.classify)

    def _mean(classify: methods.Classifier) -> float:
        values = []
        for events in looks:
            weight = events["weight"].to_numpy(np.float64)
            score = np.nan_to_num(classify(events))  # what diverged says nothing
            values.append(asimov(histogram(score, is_signal(events).astype(float), weight, event=identity(events))))
        return float(np.mean(values))

    def _watch(trial: optuna.Trial) -> Any:
        import keras

        class Watch(keras.callbacks.Callback):
            def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
                if (epoch + 1) % EVERY == 0:
                    trial.report(_mean(methods.of_network(self.model)), epoch)
                    if trial.should_prune():
                        raise optuna.TrialPruned

        return Watch()

    with one_error(Path(path)):  # on a worker, too
        study.optimize(objective, n_trials=1)


def _state(study: optuna.Study, trials: int) -> str:
    values = [trial.value for trial in study.get_trials(deepcopy=False) if trial.state.name == "COMPLETE"]
    best = f", best significance {max(values):.3f}" if values else ""
    return f"{finished(study)}/{trials} trials{best}"
