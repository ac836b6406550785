"""The search over settings: Optuna tries networks, gives up hopeless ones early, and keeps all in one SQLite file.

What is maximised is the mean significance at some masses on *validation* events, so that the test events stay
untouched, and so that settings with different weights of the signal can be compared (their losses cannot).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from labcourse.errors import BadFile, BadInput
from labcourse.parameterised import methods
from labcourse.parameterised.events import Parts, at_mass, is_signal
from labcourse.parameterised.network import ACTIVATIONS, CONDITIONINGS
from labcourse.parameterised.sensitivity import asimov, histogram, identity
from labcourse.progress import Line

if TYPE_CHECKING:
    import optuna
    import pandas as pd

MASSES = (300.0, 500.0, 800.0, 1400.0)
"""Masses whose mean significance is maximised (GeV)."""
_EVERY = 3
"""Epochs between two looks at a trial."""


def run(
    parts: Parts,
    path: Path | str,
    *,
    trials: int,
    epochs: int = 15,
    seed: int = 0,
    masses: Sequence[float] = MASSES,
    client: Any = None,
    progress: bool = True,
) -> optuna.Study:
    """Search until the file holds ``trials`` finished trials; what it holds already counts.

    A trial that a kill has ended counts as failed; all finished ones are kept.

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
    client : distributed.Client, optional
        Trials run on its workers, which need the same disk.
    progress : bool
        Show how many trials are done, and the best value.

    Returns
    -------
    optuna.Study

    Raises
    ------
    BadFile
        If the file is no study.
    BadInput
        If the number of trials or epochs is not positive.
    """
    if trials < 1 or epochs < 1:
        raise BadInput(f"{trials} trials of {epochs} epochs.", where="search.run", next_step="Use one or more of both.")
    study = load(path)
    if client is None:
        _fail_those_under_way(study)
    with Line(visible=progress) as line:
        if client is None:
            while (done := finished(study)) < trials:
                line.show(_state(study, done, trials))
                _one(path, parts, epochs, seed + len(study.trials), tuple(masses))
        else:
            from distributed import as_completed

            handed = client.scatter(parts, broadcast=True)
            first, missing = len(study.trials), trials - finished(study)
            futures = [
                client.submit(_one, str(path), handed, epochs, seed + first + i, tuple(masses), pure=False)
                for i in range(missing)
            ]
            for future in as_completed(futures):
                future.result()
                line.show(_state(study, finished(study), trials))
        line.show(_state(study, finished(study), trials))
    return study


def load(path: Path | str) -> optuna.Study:
    """Open a study, or begin one. Raises BadFile if the file is none."""
    import optuna
    import sqlalchemy

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        return optuna.create_study(
            study_name="parameterised",
            storage=f"sqlite:///{Path(path).absolute()}",
            direction="maximize",
            load_if_exists=True,
            pruner=optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=_EVERY),
        )
    except (sqlalchemy.exc.SQLAlchemyError, RuntimeError) as error:
        raise BadFile(
            "The file is not a search that can be continued.",
            where=str(path),
            next_step="Give another name, or delete the file to begin anew.",
        ) from error


def table(study: optuna.Study) -> pd.DataFrame:
    """Return the finished and the pruned trials, the best first: value, state, settings."""
    frame = study.trials_dataframe(attrs=("number", "value", "state", "params"))
    frame = frame[frame["state"].isin(["COMPLETE", "PRUNED"])]
    frame.columns = frame.columns.str.removeprefix("params_")
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
                if (epoch + 1) % _EVERY == 0:
                    trial.report(_mean(methods.of_network(self.model)), epoch)
                    if trial.should_prune():
                        raise optuna.TrialPruned

        return Watch()

    study.optimize(objective, n_trials=1)


def _fail_those_under_way(study: optuna.Study) -> None:
    import optuna

    for trial in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)


def _state(study: optuna.Study, done: int, trials: int) -> str:
    values = [trial.value for trial in study.get_trials(deepcopy=False) if trial.state.name == "COMPLETE"]
    best = f", best significance {max(values):.3f}" if values else ""
    return f"{done}/{trials} trials{best}"
