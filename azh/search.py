"""The search over settings: Optuna tries networks, gives up hopeless ones early, and keeps all in one SQLite file.

What is maximised is the mean significance at some masses on *validation* events, so that the test events stay
untouched, and so that settings with different weights of the signal can be compared (their losses cannot).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from azh import methods
from azh.events import FOLDER, Parts
from azh.methods import ACTIVATIONS, CONDITIONINGS
from azh.sensitivity import Classifier, significances
from labcourse import settings
from labcourse.errors import BadFile, BadInput, MissingSample
from labcourse.progress import Line

if TYPE_CHECKING:
    import optuna
    import pandas as pd

MASSES = (300.0, 500.0, 800.0, 1400.0)
"""Masses whose mean significance is maximised (GeV)."""
EVERY = 3
"""Epochs between two looks at a trial."""
RANDOM_START = 10
"""Trials that have to be finished before the search learns from them; until then it draws at random."""
FRACTION, LEAST = 0.25, 20
"""Of the trials are the best ones; so many trials it takes to say anything of their settings."""
OPTIMIZERS = {"adam": methods.IMPROVED, "sgd": methods.PUBLISHED}
TABLE = "settings.csv"
"""The trials of a long search, beside the events (docs/parameterised.md says how it is made)."""
_FINISHED = ("COMPLETE", "PRUNED")


def run(
    parts: Parts,
    path: Path | str,
    *,
    trials: int,
    epochs: int = 15,
    seed: int = 0,
    each: Callable[[Callable[[int], None], Iterable[int]], Iterable[object]] = map,
    progress: bool = True,
) -> optuna.Study:
    """Search until the SQLite file ``path`` holds ``trials`` finished trials; what it holds already counts.

    A kill loses the trials under way and no other. Each trial has a seed of its own; what it tries depends on what is
    finished when it begins, so with several at a time on their order as well.

    Parameters
    ----------
    parts : Parts
        Training and validation events; the test events are not looked at.
    each : callable, optional
        How trials are distributed over processes that share this disk (``each`` of the factory's workers, as in
        `labcourse tune`); by default one after the other in this process.

    Raises
    ------
    BadFile
        As `load`.
    BadInput
        If the file holds a search with other events or epochs: their values could not be compared.
    """
    import pandas as pd

    path = Path(path).absolute()
    study = load(path)
    sums = [int(pd.util.hash_pandas_object(part, index=False).sum()) for part in parts[:2]]
    made_with = {"events": sums, "epochs": epochs, "masses": list(MASSES)}
    with _one_error(path), Line(visible=progress) as line:
        if (there := study.user_attrs.get("made_with", made_with)) != made_with:
            raise BadInput(
                "The file holds a search with other events, epochs or masses: values could not be compared.",
                where=str(path),
                next_step=f"Use the same ones, or another file; here: {made_with}, there: {there}.",
            )
        study.set_user_attr("made_with", made_with)
        line.show(_state(study, trials))
        first, missing = seed + len(study.trials), trials - finished(study)
        # The events travel with each trial: that takes a fraction of a second, a trial many.
        one = partial(_one, path, parts._replace(test=parts.test.iloc[:0]), epochs)
        for _ in each(one, range(first, first + missing)):
            line.show(_state(study, trials))
    return study


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
        study = optuna.create_study(
            study_name="parameterised",
            storage=optuna.storages.RDBStorage(
                # As plain text, a path would end at its first question mark.
                sqlalchemy.URL.create("sqlite", database=str(path)).render_as_string(),
                engine_kwargs={"connect_args": {"timeout": 60}},  # seconds to wait for others to write
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
        cause: BaseException = error
        while cause.__cause__:  # Optuna wraps an error of SQLAlchemy, which wraps one of SQLite
            cause = cause.__cause__
        raise BadFile(
            f"The search cannot be kept in {path.name}: {cause}.",
            where=str(path),
            next_step="Give a new name, or a search of this version, on a local disk that you may write to; no other "
            "program may hold the file.",
        ) from error


def table(study: optuna.Study) -> pd.DataFrame:
    """Return the finished and the pruned trials, the best first.

    Columns: ``number``, ``value`` (of a pruned trial its last one), ``state``, ``seconds``, ``random`` (whether it was
    drawn at random, as the first ones are), and the settings.
    """
    frame = study.trials_dataframe(attrs=("number", "value", "state", "duration", "user_attrs", "params"))
    frame = frame[frame["state"].isin(_FINISHED)].rename(columns={"duration": "seconds"})
    frame["seconds"] = frame["seconds"].dt.total_seconds()
    frame.columns = frame.columns.str.removeprefix("params_").str.removeprefix("user_attrs_")
    return frame.sort_values(["state", "value"], ascending=[True, False]).reset_index(drop=True)


def long_run() -> pd.DataFrame:
    """Return the table of a long search, which the course ships: columns as in `table`.

    Raises
    ------
    MissingSample
        If the file is not there.
    """
    import pandas as pd

    path = settings.data_folder() / FOLDER / TABLE
    if not path.is_file():
        raise MissingSample(
            "The table of the long search is not there.",
            where=str(path),
            next_step="Restore the file from the repository, or make it anew as docs/parameterised.md says.",
        )
    return pd.read_csv(path)


def are_best(trials: pd.DataFrame) -> pd.Series:
    """Return which trials of a `table` are among the best quarter of all, shape (n_trials,); no pruned one is."""
    rank = trials["value"].where(trials["state"] == "COMPLETE").rank(ascending=False, method="min")
    return rank <= np.ceil(FRACTION * len(trials))


def importance(trials: pd.DataFrame) -> pd.Series:
    """Return how much each setting matters for being among the best trials of a `table`: shares, the largest first.

    A setting matters where the best quarter of the trials has another distribution than all of them: what is compared
    are two smooth densities, by Pearson's χ² divergence (PED-ANOVA, Watanabe et al., arXiv:2304.10255).

    That is a hint, and no measurement. The search chose the trials, and the later ones are better: a setting that it
    settled on late looks important, whether it helps or not; one that it settled on early was hardly varied, and does
    not. And each setting is looked at alone.

    Raises
    ------
    BadInput
        If there are fewer than twenty trials, or fewer than a quarter of them came to their end.
    """
    import optuna
    import pandas as pd

    best = are_best(trials)
    if len(trials) < LEAST or best.sum() < FRACTION * len(trials):
        raise BadInput(
            f"{len(trials)} trials have {best.sum()} that can be the best quarter: too few for a distribution.",
            where="search.importance",
            next_step=f"Go on until there are {LEAST} trials (`labcourse tune`), or take those of search.long_run().",
        )
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize")
    for row, is_best in zip(trials.to_dict("records"), best, strict=True):
        again = optuna.trial.FixedTrial(row)
        suggest(again, epochs=1)  # for the ranges
        # Only who is best counts: so pruned trials, too, have a say.
        study.add_trial(optuna.create_trial(value=is_best, params=again.params, distributions=again.distributions))
    judge = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=FRACTION)
    return pd.Series(optuna.importance.get_param_importances(study, evaluator=judge), name="importance")


def finished(study: optuna.Study) -> int:
    """Return the number of trials that came to an end, pruned ones included."""
    return sum(trial.state.name in _FINISHED for trial in study.get_trials(deepcopy=False))


def value(classify: Classifier, validation: pd.DataFrame) -> float:
    """Return what a search maximises: the mean significance at `MASSES`, on validation events."""

    def finite(events: pd.DataFrame) -> Any:
        return np.nan_to_num(classify(events))  # what diverged says nothing

    # Validation events are a tenth of all.
    found = significances(finite, validation, MASSES, scale=10, replicas=0)
    return float(np.mean([point.value for point in found]))


def suggest(trial: optuna.trial.BaseTrial, epochs: int) -> methods.Recipe:
    """Return the settings of a trial, a change of one of the two recipes.

    ``rate_factor`` multiplies the recipe's own rate, as those of Adam and SGD are no rates of the same kind. Networks
    are not larger than the project's notebook has the time to train.
    """
    layers, width = trial.suggest_int("layers", 1, 5), trial.suggest_int("width", 25, 200, log=True)
    recipe = OPTIMIZERS[trial.suggest_categorical("optimizer", list(OPTIMIZERS))]
    return replace(
        recipe,
        hidden=(width,) * layers,
        activation=trial.suggest_categorical("activation", ACTIVATIONS),
        conditioning=trial.suggest_categorical("conditioning", CONDITIONINGS),
        rate=recipe.rate * trial.suggest_float("rate_factor", 0.1, 10, log=True),
        signal_scale=trial.suggest_float("k", 1e-3, 10, log=True),
        batch_size=methods.IMPROVED.batch_size,
        epochs=epochs,
        patience=0,
    )


def _one(path: Path, parts: Parts, epochs: int, seed: int) -> None:
    """Make one more trial; runs in any process."""
    import keras
    import optuna

    study = load(path)
    study.sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=RANDOM_START)

    def objective(trial: optuna.Trial) -> float:
        def look(epoch: int, _: Any) -> None:
            if (epoch + 1) % EVERY == 0:
                trial.report(value(methods.of_network(watch.model), parts.validation), epoch)
                if trial.should_prune():
                    raise optuna.TrialPruned

        trial.set_user_attr("random", not trial.relative_params)
        watch = keras.callbacks.LambdaCallback(on_epoch_end=look)
        found = methods.train(parts, suggest(trial, epochs), seed=seed, callbacks=(watch,), progress=False)
        return value(found.classify, parts.validation)

    study.optimize(objective, n_trials=1)


def _state(study: optuna.Study, trials: int) -> str:
    values = [trial.value for trial in study.get_trials(deepcopy=False) if trial.state.name == "COMPLETE"]
    best = f", best significance {max(values):.3f}" if values else ""
    return f"{finished(study)}/{trials} trials{best}"
