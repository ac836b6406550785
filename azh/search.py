"""The search over settings: Optuna tries networks, gives up hopeless ones early, and keeps all in one SQLite file.

What is maximised is the mean significance at some masses on *validation* events, so that the test events stay
untouched, and so that settings with different weights of the signal can be compared (their losses cannot).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from azh import methods
from azh.events import FOLDER, Parts
from azh.sensitivity import Classifier, significances
from labcourse import settings
from labcourse.errors import BadFile, BadInput
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
TABLE = "settings.csv"
"""The trials of a long search, beside the events (docs/parameterised.md says how it is made)."""
_FINISHED = ("COMPLETE", "PRUNED")


def ranges() -> dict[str, optuna.distributions.BaseDistribution]:
    """Return what is varied, and between which values.

    ``rate_factor`` multiplies the rate of `methods.IMPROVED`, ``k`` is the weight of the signal. Networks are not
    larger than the project's notebook has the time to train.
    """
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    return {
        "layers": IntDistribution(1, 5),
        "width": IntDistribution(25, 200, log=True),
        "activation": CategoricalDistribution(("relu", "selu", "leaky_relu", "gelu", "swish")),
        "rate_factor": FloatDistribution(0.1, 10, log=True),
        "k": FloatDistribution(1e-3, 10, log=True),
    }


def run(
    parts: Parts,
    path: Path | str,
    number: int = 0,
    *,
    trials: int,
    epochs: int = 15,
    seed: int = 0,
    progress: bool = True,
) -> optuna.Study:
    """Search until the SQLite file ``path`` holds ``trials`` finished trials; what it holds already counts.

    A kill loses the trial under way and no other. Several processes may search in the same file: then each but one may
    add a trial too many, and what is tried depends on who is faster.

    Parameters
    ----------
    parts : Parts
        Training and validation events; the test events are not looked at.
    number : int
        Of this process among several: it has seeds of its own, and only the first one shows how far they are.

    Raises
    ------
    BadFile
        As `load`.
    BadInput
        If the file holds a search with other events or epochs: their values could not be compared.
    """
    import keras
    import optuna

    study = load(path)
    made_with = {"events": [len(part) for part in parts[:2]], "epochs": epochs, "masses": list(MASSES)}
    if (there := study.user_attrs.get("made_with", made_with)) != made_with:
        raise BadInput(
            "The file holds a search with other events, epochs or masses: values could not be compared.",
            where=str(path),
            next_step=f"Use the same ones, or another file; here: {made_with}, there: {there}.",
        )
    study.set_user_attr("made_with", made_with)
    seed += 1000 * number  # far apart, since each trial adds one

    def train(trial: optuna.Trial) -> float:
        def look(epoch: int, _: Any) -> None:
            if (epoch + 1) % EVERY == 0:
                trial.report(value(methods.of_network(watch.model), parts.validation), epoch)
                if trial.should_prune():
                    raise optuna.TrialPruned

        watch = keras.callbacks.LambdaCallback(on_epoch_end=look)
        own = recipe(trial.params, epochs)
        found = methods.train(parts, own, seed=seed + trial.number, callbacks=(watch,), progress=False)
        return value(found.classify, parts.validation)

    with Line(visible=progress and number == 0) as line:
        while finished(study) < trials:
            line.show(_state(study, trials))
            # One for each trial: so a search that was killed goes on like one that was not.
            study.sampler = optuna.samplers.TPESampler(seed=seed + len(study.trials), n_startup_trials=RANDOM_START)
            trial = study.ask(ranges())
            trial.set_user_attr("random", not trial.relative_params)
            try:
                study.tell(trial, train(trial))
            except optuna.TrialPruned:
                study.tell(trial, state=optuna.trial.TrialState.PRUNED)
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
    try:
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
    except Exception as error:  # of the disk, SQLite, SQLAlchemy, Optuna, or of what somebody else has written there
        cause: BaseException = error
        while cause.__cause__:  # they wrap each other's errors
            cause = cause.__cause__
        raise BadFile(
            f"The search cannot be kept in {path.name}: {cause}.",
            where=str(path),
            next_step="Give a new name, or a search of this version, on a local disk that you may write to; no other "
            "program may hold the file.",
        ) from error
    return study


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

    It was made when a trial could also choose SGD, PReLU, and another way for the mass to enter (``conditioning``).
    """
    import pandas as pd

    return pd.read_csv(settings.data_folder() / FOLDER / TABLE)


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

    rank = trials["value"].where(trials["state"] == "COMPLETE").rank(ascending=False, method="min")
    best = rank <= np.ceil(FRACTION * len(trials))
    if best.sum() < FRACTION * max(len(trials), LEAST):
        raise BadInput(
            f"{len(trials)} trials have {best.sum()} that can be the best quarter: too few for a distribution.",
            where="search.importance",
            next_step=f"Go on until there are {LEAST} trials (`labcourse tune`), or take those of search.long_run().",
        )
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    chosen = trials.drop(columns=["number", "value", "state", "seconds", "random"])
    # Choices are those of the table, which an earlier search may have made.
    texts = chosen.select_dtypes(exclude="number")
    choices = {name: optuna.distributions.CategoricalDistribution(sorted(set(texts[name]))) for name in texts}
    study = optuna.create_study(direction="maximize")
    for row, is_best in zip(chosen.to_dict("records"), best, strict=True):
        # Only who is best counts: so pruned trials, too, have a say.
        study.add_trial(optuna.create_trial(value=is_best, params=row, distributions=ranges() | choices))
    judge = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=FRACTION)
    return pd.Series(optuna.importance.get_param_importances(study, evaluator=judge), name="importance")


def finished(study: optuna.Study) -> int:
    """Return the number of trials that came to an end, pruned ones included."""
    return sum(trial.state.name in _FINISHED for trial in study.get_trials(deepcopy=False))


def value(classify: Classifier, validation: pd.DataFrame) -> float:
    """Return what a search maximises: the mean significance at `MASSES`, on validation events."""
    # A score that diverged says nothing. Validation events are a tenth of all.
    found = significances(lambda table: np.nan_to_num(classify(table)), validation, MASSES, scale=10, replicas=0)
    return float(np.mean([point.value for point in found]))


def recipe(chosen: dict[str, Any], epochs: int) -> methods.Recipe:
    """Return `methods.IMPROVED` with the settings of a trial, by their names in `ranges`."""
    return replace(
        methods.IMPROVED,
        hidden=(chosen["width"],) * chosen["layers"],
        activation=chosen["activation"],
        rate=methods.IMPROVED.rate * chosen["rate_factor"],
        signal_scale=chosen["k"],
        epochs=epochs,
    )


def _state(study: optuna.Study, trials: int) -> str:
    values = [trial.value for trial in study.get_trials(deepcopy=False) if trial.state.name == "COMPLETE"]
    best = f", best significance {max(values):.3f}" if values else ""
    return f"{finished(study)}/{trials} trials{best}"
