"""k-fold cross-validation: each part of the events once validates a network trained on the others."""

from __future__ import annotations

import inspect
import random
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labcourse import inputs
from labcourse.errors import BadInput, Interrupted
from labcourse.progress import Line, seconds
from labcourse.training import session

if TYPE_CHECKING:
    import keras

WHERE = "crossvalidation.cross_validate"


class Folds(NamedTuple):
    """What a cross-validation found, a fold each."""

    models: list[keras.Model]
    """The trained network of each fold: fold k's has not seen the events of fold k."""
    histories: list[dict[str, list[float]]]
    """Loss and metrics of each epoch, by name, as in a Keras history."""
    losses: NDArray[np.float64]
    """Validation loss of the network as it was kept, shape (n_folds,)."""
    best_epochs: NDArray[np.int64]
    """The epoch, from 1, that the network was kept from, shape (n_folds,)."""

    @property
    def mean(self) -> float:
        """Mean of the validation losses."""
        return float(np.mean(self.losses))

    @property
    def spread(self) -> float:
        """Sample standard deviation of the validation losses.

        It says how much the loss varies from fold to fold. It is not the error of the mean: any two folds
        share most of their training events, so their losses are not independent.
        """
        return float(np.std(self.losses, ddof=1))


kept: Folds | None = None
"""The finished folds of the last cross-validation that was interrupted."""


def cross_validate(
    build_model: Callable[..., keras.Model],
    x: ArrayLike,
    y: ArrayLike,
    fold: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    epochs: int,
    batch_size: int = 128,
    patience: int | None = None,
    callbacks: Callable[[], Iterable[keras.callbacks.Callback]] | None = None,
    seed: int = 0,
    finished: Folds | None = None,
    progress: bool = True,
) -> Folds:
    """Train a fresh model for each fold on all other folds, and validate it on that one.

    Parameters
    ----------
    build_model : callable
        Returns a new compiled model at each call. It is called without arguments, or, if it demands one, with
        the *training* inputs of the fold, so that a normalisation does not see the validation events::

            cross_validate(lambda x: network.build(4, normalise=x), x, y, fold, epochs=20)

    x : array_like, shape (n_events, n_inputs)
    y : array_like, shape (n_events,) or (n_events, n_outputs)
    fold : array_like of int, shape (n_events,)
        The number of each event's fold, 0 … k−1, for instance from `splitting.folds`.
    sample_weight : array_like, shape (n_events,), optional
        Weights of the loss, in training and in validation.
    epochs, batch_size : int
        As in `training.fit`.
    patience : int, optional
        Stop a fold when its validation loss has not improved for so many epochs, and keep the best epoch's
        weights. By default every fold trains all epochs and keeps the last.
    callbacks : callable, optional
        Returns new Keras callbacks for a fold; they have memory, so folds must not share them.
    seed : int
        Each fold has its own seed, made of this one and its number: its initial weights (unless
        ``build_model`` fixes them) and its order of events do not depend on the folds before it.
    finished : Folds, optional
        The folds that an interrupted cross-validation with the same arguments finished (`kept`). They are not
        trained again; the others give what they would have given then.
    progress : bool
        Show one line, with fold, epoch and the time left.

    Returns
    -------
    Folds
        With ``.mean`` and ``.spread`` of the validation losses.

    Raises
    ------
    BadInput
        If a fold is empty or there are fewer than two, if ``build_model`` returns a model or optimizer that
        was used before, or as `training.fit`.
    KeyboardInterrupt
        If stopped by Ctrl-C: a part of the folds is no cross-validation. The finished ones are in
        `crossvalidation.kept`.
    """
    x, y = np.asarray(x), np.asarray(y)
    weight = None if sample_weight is None else np.asarray(sample_weight)
    fold = _check_folds(np.asarray(fold), len(x))
    for name, array in (("y", y), ("sample_weight", weight)):
        if array is not None and len(array) != len(x):
            raise BadInput(
                f"x holds {len(x)} events, {name} {len(array)}.", where=WHERE, next_step="Use the same events in both."
            )
    n_folds = int(fold.max()) + 1
    done = finished or Folds([], [], np.zeros(0), np.zeros(0, np.int64))
    if len(done.models) > n_folds:
        raise BadInput(
            f"{len(done.models)} folds are finished, and there are only {n_folds}.",
            where=WHERE,
            next_step="Give what an interrupted cross-validation of the same folds left in crossvalidation.kept.",
        )
    models, histories = list(done.models), list(done.histories)
    losses, best_epochs = list(done.losses), list(done.best_epochs)
    begin = time.monotonic()
    with Line(visible=progress) as line:
        try:
            for number in range(len(models), n_folds):
                training, validating = fold != number, fold == number
                fold_seed = int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
                model = _fresh(build_model, x[training], fold_seed, models)
                stopping, more = _early_stopping(patience), callbacks() if callbacks is not None else ()
                history = session.fit(
                    line,
                    model,
                    *_part(training, x, y, weight),
                    validation_data=_part(validating, x, y, weight),
                    epochs=epochs,
                    batch_size=batch_size,
                    seed=fold_seed,
                    callbacks=[*stopping, *more],
                    prefix=f"fold {number + 1}/{n_folds}  ",
                    more=n_folds - number - 1,
                    keep_parts=False,
                )
                validation_losses = history.history["val_loss"]
                # The epoch that early stopping kept is the first of the lowest validation loss.
                by_loss = np.nan_to_num(validation_losses, nan=np.inf)
                best = int(np.argmin(by_loss)) if stopping else len(validation_losses) - 1
                models.append(model)
                histories.append(history.history)
                losses.append(validation_losses[best])
                best_epochs.append(best + 1)
        except KeyboardInterrupt as error:
            _keep(line, n_folds, Folds(models, histories, np.array(losses), np.array(best_epochs)))
            raise Interrupted("the cross-validation is not complete") from error
        folds = Folds(models, histories, np.array(losses), np.array(best_epochs))
        line.show(
            f"{n_folds} folds  val_loss {folds.mean:.4f} ± {folds.spread:.4f}  {seconds(time.monotonic() - begin)}"
        )
    return folds


def _keep(line: Line, n_folds: int, folds: Folds) -> None:
    """Keep the finished folds of an interrupted cross-validation, and say so."""
    global kept
    n = len(folds.best_epochs)  # the last to be noted: the interruption may have come before it
    kept = Folds(folds.models[:n], folds.histories[:n], folds.losses[:n], folds.best_epochs)
    said = f"interrupted in fold {min(n + 1, n_folds)} of {n_folds}: "
    if n:
        said += f"the first {n} are kept, and finished=crossvalidation.kept goes on from there"
    line.say(said + ("" if n else "none is finished"))


def _part(mask: NDArray[np.bool_], *arrays: NDArray[Any] | None) -> tuple[NDArray[Any], ...]:
    return tuple(array[mask] for array in arrays if array is not None)


def _check_folds(fold: NDArray[Any], n_events: int) -> NDArray[np.int64]:
    if fold.shape != (n_events,) or fold.dtype.kind not in "iu":
        raise BadInput(
            f"fold is an array of {fold.dtype}, shape {fold.shape}. Expected whole numbers, shape ({n_events},).",
            where=WHERE,
            next_step="Use splitting.folds(events, k) on the same events.",
        )
    sizes = np.bincount(fold) if n_events and fold.min() >= 0 else np.zeros(0)
    if len(sizes) < 2 or (sizes == 0).any():
        raise BadInput(
            f"The folds 0 … k−1 hold {[int(size) for size in sizes]} events.",
            where=WHERE,
            next_step="Number at least two folds from 0 upwards, each with events.",
        )
    return fold.astype(np.int64)


def _fresh(
    build_model: Callable[..., keras.Model], x: NDArray[Any], seed: int, before: list[keras.Model]
) -> keras.Model:
    """Build the model of a fold; its unseeded initial weights follow from ``seed``."""
    parameters = inspect.signature(build_model).parameters.values()
    takes_inputs = any(
        p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters
    )
    # Keras draws the seeds of unseeded layers from Python's generator; it is put back for whoever uses it.
    state = random.getstate()
    random.seed(seed)
    try:
        model = build_model(x) if takes_inputs else build_model()
    finally:
        random.setstate(state)
    inputs.check_model(model, WHERE)
    used = any(model is other or model.optimizer is other.optimizer for other in before)
    if used or int(model.optimizer.iterations) > 0:
        raise BadInput(
            "build_model returned a model or an optimizer that was trained before.",
            where=WHERE,
            next_step="Make both inside build_model: otherwise the network has seen its validation events.",
        )
    return model


def _early_stopping(patience: int | None) -> list[Any]:
    if patience is None:
        return []
    import keras

    inputs.check_count(patience, "patience", WHERE)
    return [keras.callbacks.EarlyStopping("val_loss", mode="min", patience=patience, restore_best_weights=True)]
