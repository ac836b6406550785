"""Train and apply networks fast, with the results of `model.fit` and `model.predict`.

`fit` takes the batches and makes the updates of ``model.fit`` on a shuffled, batched dataset, but runs an
epoch as one compiled program. `one_cycle` is a recipe that needs far fewer steps; `predict` evaluates
millions of events in a second. Bad arguments raise `errors.BadInput`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labcourse import inputs
from labcourse.errors import BadInput
from labcourse.progress import Line
from labcourse.training import architecture, epoch, session

if TYPE_CHECKING:
    import keras


def fit(
    model: keras.Model,
    x: ArrayLike,
    y: ArrayLike,
    sample_weight: ArrayLike | None = None,
    *,
    validation_data: tuple[ArrayLike, ...] | None = None,
    epochs: int,
    batch_size: int = 128,
    shuffle: bool = True,
    seed: int = 0,
    callbacks: Iterable[keras.callbacks.Callback] = (),
    each_epoch: session.EachEpoch | None = None,
    progress: bool = True,
) -> keras.callbacks.History:
    """Train a compiled Keras model as ``model.fit`` does, tens of times faster.

    Parameters
    ----------
    model : keras.Model
        Compiled with any loss, optimizer and metrics.
    x : array_like, shape (n_events, n_inputs)
        For a model of several inputs a list, tuple or dict of arrays.
    y : array_like, shape (n_events,) or (n_events, n_outputs)
    sample_weight : array_like, shape (n_events,), optional
        Weights of the loss and of the ``weighted_metrics``.
    validation_data : (x, y) or (x, y, sample_weight), optional
        Evaluated after each epoch; in large batches where the loss is a mean over events, which does not change it.
    epochs, batch_size : int
        The last batch of an epoch holds what is left and may be smaller.
    shuffle : bool
        A new order of the events each epoch; without it the batches are those of
        ``model.fit(..., shuffle=False)``, and losses and weights agree with it to float32 rounding.
    seed : int
        Of the order of the events. Initial weights and dropout have seeds of their own, in the model. The
        same seeds on the same machine give bitwise equal results.
    callbacks : iterable of keras.callbacks.Callback
        As in ``model.fit``. A callback with something to do at every *batch* makes the training run
        batch by batch, still without a dataset, but several times slower.
    each_epoch : callable, optional
        Called with the number of an epoch, in another thread and before the epoch ahead of it has ended; returns ``x``
        for this epoch, of the same shape. For inputs that are drawn anew each time.
    progress : bool
        Show one line an epoch in a terminal or a notebook.

    Returns
    -------
    keras.callbacks.History
        With the keys of ``model.fit``. Its attribute ``interrupted`` says whether Ctrl-C (the stop button)
        ended the training: then model and history are those of the end of the last finished epoch (the model that
        of the best one, with an ``EarlyStopping`` that restores it). An interruption before that restores the
        model and raises ``KeyboardInterrupt``. In a notebook, no further training starts in the same cell.

    Raises
    ------
    BadInput
        If the model is not compiled, an array has the wrong shape or holds NaN or infinite values, or a
        number is out of range.

    Examples
    --------
    >>> from labcourse import network
    >>> x = np.linspace(-1, 1, 200, dtype=np.float32)[:, None]
    >>> history = fit(network.build(1, hidden=(8,), seed=1), x, x[:, 0] > 0, epochs=2)
    >>> sorted(history.history)
    ['accuracy', 'loss']
    """
    with Line(visible=progress) as line:
        return session.fit(
            line,
            model,
            x,
            y,
            sample_weight,
            validation_data=validation_data,
            epochs=epochs,
            batch_size=batch_size,
            shuffle=shuffle,
            seed=seed,
            callbacks=callbacks,
            each_epoch=each_epoch,
        )


def one_cycle(
    model: keras.Model,
    x: ArrayLike,
    y: ArrayLike,
    sample_weight: ArrayLike | None = None,
    *,
    validation_data: tuple[ArrayLike, ...] | None = None,
    epochs: int = 10,
    batch_size: int = 4096,
    peak: float = 0.01,
    seed: int = 0,
    callbacks: Iterable[keras.callbacks.Callback] = (),
    progress: bool = True,
) -> keras.callbacks.History:
    """Train with large batches and one cycle of the learning rate: a good network in seconds.

    Large batches use the processor well, but make few steps, so each must go further. A rate that is high
    all the time would leave the network jumping around the minimum; one that starts low, rises to ``peak``
    and then falls to almost zero goes far and still settles (Smith and Topin, arXiv:1708.07120).

    The recipe was tuned with Adam on 10⁵ to 10⁶ events: batches of 4096, a peak of 0.01, 10 epochs.
    With far fewer events take smaller batches, so that an epoch keeps some 50 steps or more. The rate
    follows a fixed plan to the last epoch, so do not combine it with early stopping. The optimizer's own
    rate is put back at the end.

    Parameters and return value are those of `fit`, and

    peak : float
        The highest learning rate, reached after 30 % of the steps.

    Raises
    ------
    BadInput
        As `fit`, and if the optimizer has a schedule of its own.
    """
    if not 0 < peak < np.inf:
        raise BadInput(f"The peak learning rate is {peak}.", where="training.one_cycle", next_step="Try peak=0.01.")
    inputs.check_model(model, "training.one_cycle")
    try:
        before = float(model.optimizer.learning_rate)
        model.optimizer.learning_rate = before
    except TypeError as error:
        raise BadInput(
            "The optimizer has a learning-rate schedule of its own.",
            where="training.one_cycle",
            next_step="Compile the model with a number as learning rate, or use training.fit.",
        ) from error
    try:
        with Line(visible=progress) as line:
            return session.fit(
                line,
                model,
                x,
                y,
                sample_weight,
                validation_data=validation_data,
                epochs=epochs,
                batch_size=batch_size,
                seed=seed,
                callbacks=callbacks,
                learning_rates=lambda n_steps: cycle(n_steps, peak),
            )
    finally:
        model.optimizer.learning_rate = before


def cycle(n_steps: int, peak: float) -> NDArray[np.float32]:
    """Return the learning rate of each step of `one_cycle`, shape (n_steps,).

    A 25th of ``peak`` at the beginning, ``peak`` after 30 % of the steps, a ten-thousandth of it
    at the end, along half cosine waves.

    Examples
    --------
    >>> cycle(11, 0.01).round(4)
    array([0.0004, 0.0028, 0.0076, 0.01  , 0.0095, 0.0081, 0.0061, 0.0039, 0.0019, 0.0005, 0. ],
          dtype=float32)
    """
    position = np.linspace(0, 1, n_steps) if n_steps > 1 else np.array([0.3])
    top = 0.3
    up = 0.5 * (1 - np.cos(np.pi * np.minimum(position / top, 1)))
    down = 0.5 * (1 + np.cos(np.pi * np.maximum((position - top) / (1 - top), 0)))
    start, end = peak / 25, peak * 1e-4
    rates = np.where(position < top, start + (peak - start) * up, end + (peak - end) * down)
    return rates.astype(np.float32)


def predict(model: keras.Model, x: ArrayLike, *, batch_size: int = 65536) -> NDArray[np.float32]:
    """Return the model's output for each event.

    Works for any Keras model in which an event's output depends on that event alone, compiled or not.

    Parameters
    ----------
    model : keras.Model
    x : array_like, shape (n_events, n_inputs)
        For a model of several inputs a list, tuple or dict of arrays.
    batch_size : int
        Events that are evaluated at once; less needs less memory.

    Returns
    -------
    ndarray, shape (n_events,)
        For a model with one output; (n_events, n_outputs) for several, and what the model returns (a list or
        dict of arrays) for a model with several output layers. No events give an empty array.

    Raises
    ------
    BadInput
        If ``x`` does not fit the model or holds NaN or infinite values.
    """
    import keras
    import tensorflow as tf

    where = "training.predict"
    inputs.check_backend(where)
    inputs.check_count(batch_size, "batch_size", where)
    x = inputs.model_events(model, x, "x", where, allow_empty=True)
    n_events = inputs.length(x, "x", where)
    engine = epoch.engine_for(model)
    architecture.copy_state(model, engine.model, training=False)
    compile_batches = n_events >= batch_size and not model.run_eagerly

    def output(start: int) -> Any:
        part = keras.tree.map_structure(lambda a: a[start : start + batch_size], x)
        size = min(batch_size, n_events - start)
        if compile_batches:
            full = keras.tree.map_structure(lambda a: tf.constant(_lengthen(a, batch_size)), part)
            result = engine.predict_full(full)
        else:
            # A few events are not worth compiling for: this program takes batches of any length.
            result = engine.step("predict_step", (keras.tree.map_structure(tf.constant, part),))
        return keras.tree.map_structure(lambda tensor: tensor.numpy()[:size], result)

    parts = [output(start) for start in range(0, max(n_events, 1), batch_size)]
    whole = keras.tree.map_structure(lambda *arrays: np.concatenate(arrays), *parts)
    if isinstance(whole, np.ndarray) and whole.ndim == 2 and whole.shape[1] == 1:
        return whole[:, 0]
    return whole


def _lengthen(array: NDArray[Any], length: int) -> NDArray[Any]:
    """Repeat the last event, so that the array has ``length`` events."""
    missing = length - len(array)
    return np.concatenate([array, np.repeat(array[-1:], missing, axis=0)]) if missing else array
