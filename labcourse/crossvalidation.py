"""k-fold cross-validation: each part of the events once validates a network trained on the others."""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labcourse import training
from labcourse.errors import BadInput
from labcourse.progress import Line

if TYPE_CHECKING:
    import keras


class Folds(NamedTuple):
    """What a cross-validation found: an item for each fold."""

    models: list[keras.Model]
    """The trained networks: fold k's has not seen the events of fold k."""
    histories: list[dict[str, list[float]]]
    """Loss and metrics of each epoch, by name, as in a Keras history."""
    losses: NDArray[np.float64]
    """Validation loss of the network as it was kept, shape (n_folds,)."""

    @property
    def mean(self) -> float:
        """Mean of the validation losses."""
        return float(np.mean(self.losses))

    @property
    def spread(self) -> float:
        """Sample standard deviation of the validation losses; not the error of the mean, as folds share events."""
        return float(np.std(self.losses, ddof=1))


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
    seed: int = 0,
) -> Folds:
    """Train a fresh model for each fold on all other folds, and validate it on that one; one line shows how far it is.

    Raises BadInput if there are fewer than two folds or one is empty, or ``build_model`` returns what was trained
    before, and Interrupted at Ctrl-C (the stop button): a part of the folds is no cross-validation.

    Parameters
    ----------
    build_model : callable
        Returns a new compiled model at each call. It is called without arguments, or, if it demands one, with
        the *training* inputs of the fold, so that a normalisation does not see the validation events::

            cross_validate(lambda x: network.build(4, normalise=x), x, y, fold, epochs=20)

    fold : array_like of int, shape (n_events,)
        The number of each event's fold, 0 … k−1, for instance from `splitting.folds`.
    x, y, sample_weight, epochs, batch_size
        As in `training.fit`; the weights count in training and in validation.
    patience : int, optional
        Stop a fold when its validation loss has not improved for so many epochs, and keep the best epoch's
        weights. By default every fold trains all epochs and keeps the last.
    seed : int
        Each fold has its own seed, made of this one and its number: its initial weights (unless
        ``build_model`` fixes them) and its order of events do not depend on the folds before it.
    """
    import keras

    where = "crossvalidation.cross_validate"
    arrays = [np.asarray(array) for array in (x, y, sample_weight) if array is not None]
    fold = np.asarray(fold)
    sizes = np.bincount(fold) if fold.dtype.kind in "iu" and fold.min(initial=0) >= 0 else np.zeros(0)
    if len(sizes) < 2 or not sizes.all() or any(len(array) != len(fold) for array in arrays):
        raise BadInput(
            f"Folds 0 … k−1 hold {[int(size) for size in sizes]} events; the arrays hold {[len(a) for a in arrays]}.",
            where=where,
            next_step="Use splitting.folds(events, k) on the same events: at least two folds, from 0 upwards.",
        )
    folds = Folds([], [], np.zeros(len(sizes)))
    with Line() as line:
        for number in range(len(sizes)):
            fold_seed = int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
            model = _fresh(build_model, arrays[0][fold != number], fold_seed)
            used = any(model is other or model.optimizer is other.optimizer for other in folds.models)
            if used or (model.compiled and model.optimizer.iterations > 0):
                raise BadInput(
                    "build_model returned a model or an optimizer that was trained before.",
                    where=where,
                    next_step="Make both inside build_model: otherwise the network has seen its validation events.",
                )
            line.prefix = f"fold {number + 1}/{len(sizes)}  "
            stopping = keras.callbacks.EarlyStopping(mode="min", patience=patience or 0, restore_best_weights=True)
            history = training.fit(
                model,
                *(array[fold != number] for array in arrays),
                validation_data=tuple(array[fold == number] for array in arrays),
                epochs=epochs,
                batch_size=batch_size,
                seed=fold_seed,
                callbacks=[] if patience is None else [stopping],
                progress=line,
            ).history
            folds.models.append(model)
            folds.histories.append(history)
            folds.losses[number] = history["val_loss"][-1] if patience is None else np.nanmin(history["val_loss"])
        line.prefix = ""
        line.show(f"{len(sizes)} folds  val_loss: mean {folds.mean:.4f}, spread {folds.spread:.4f}")
    return folds


def _fresh(build_model: Callable[..., Any], x: NDArray[Any], seed: int) -> Any:
    """Build the model of a fold; its unseeded initial weights follow from ``seed``."""
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(build_model).parameters.values()
    takes_inputs = any(p.default is p.empty and p.kind in positional for p in parameters)
    # Keras draws the seeds of unseeded layers from Python's generator; it is put back for whoever uses it.
    state = random.getstate()
    random.seed(seed)
    try:
        return build_model(x) if takes_inputs else build_model()
    finally:
        random.setstate(state)
