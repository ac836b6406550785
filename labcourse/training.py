"""Train and apply networks fast, with the results of `model.fit` and `model.predict`.

All batches of an epoch are one compiled program: same batches, same updates, same metrics (see `labcourse.compiled`).
What a program cannot do is handed to Keras.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labcourse.compiled import Events, Program, program_of, rates_of, state_of
from labcourse.errors import BadInput
from labcourse.progress import Line, kernel, seconds

if TYPE_CHECKING:
    import keras

VALIDATION_BATCH = 8192
"""Events per batch of validation, at least, where the loss does not depend on it: larger products use all cores."""

_trainings: dict[str, Any] = {}
"""The history of the last training of each notebook cell; outside of notebooks of the last one."""


class Interrupted(KeyboardInterrupt):
    """The stop button or Ctrl-C, in a training: the message says how much of it is kept."""

    def _render_traceback_(self) -> list[str]:
        """Tell IPython to show the message only."""
        return [f"KeyboardInterrupt: {self}"]


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
    each_epoch: Callable[[int], ArrayLike] | None = None,
    progress: bool | Line = True,
) -> keras.callbacks.History:
    """Train a compiled Keras model as ``model.fit`` does, tens of times faster.

    Raises BadInput if the model is not compiled, or an array has the wrong shape or holds NaN or infinite values, and
    Interrupted at Ctrl-C (the stop button). The model is as it was after the last finished epoch, ``model.history``
    ends there, and its attribute ``interrupted`` is True: `course.outputs` hands on nothing that may come from a
    part.

    Parameters
    ----------
    model : keras.Model
        Compiled with any loss, optimizer and metrics of Keras. What is no Sequential or Functional model of Keras's own
        layers with one input and one output is handed to ``model.fit``, as is a callback that acts on batches; a
        printed line says so.
    x, y : array_like, shape (n_events, n_inputs), and (n_events,) or (n_events, n_outputs)
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
    callbacks : callback or iterable of callbacks
        As in ``model.fit``.
    each_epoch : callable, optional
        Called with the number of an epoch, in another thread and before the epoch ahead of it has ended; returns ``x``
        for this epoch, of the same shape. For inputs that are drawn anew each time.
    progress : bool or Line
        Show one line that says how far the training is, in a terminal or a notebook; or the line to show it in.

    Returns
    -------
    keras.callbacks.History
        With the keys of ``model.fit``.

    Examples
    --------
    >>> from labcourse import network
    >>> x = np.linspace(-1, 1, 200, dtype=np.float32)[:, None]
    >>> history = fit(network.build(1, hidden=(8,), seed=1), x, x[:, 0] > 0, epochs=2)
    >>> sorted(history.history)
    ['accuracy', 'loss']
    """
    import keras

    if not model.compiled or epochs < 1 or batch_size < 1:
        raise BadInput(
            f"Nothing can be trained: compiled {model.compiled}, epochs {epochs}, batch_size {batch_size}.",
            where="training.fit",
            next_step="Call model.compile(...), or make the model with network.build; train at least one epoch.",
        )
    train = _arrays(model, x, y, sample_weight)
    validation = None if validation_data is None else _arrays(model, *validation_data, prefix="validation ")
    history = keras.callbacks.History()
    history.interrupted = False
    _note(history)
    callbacks = [*([callbacks] if isinstance(callbacks, keras.callbacks.Callback) else callbacks), history]
    program = program_of(model, train, callbacks)
    try:
        if isinstance(program, str):
            if each_epoch is not None:
                raise BadInput(f"each_epoch is not for this training: {program}.", where="training.fit")
            print(f"This training is handed to model.fit, which takes longer: {program}.")
            model.fit(
                **dict(zip(("x", "y", "sample_weight"), train, strict=False)),
                validation_data=validation,
                epochs=epochs,
                batch_size=batch_size,
                shuffle=shuffle,
                callbacks=callbacks,
                verbose=2 if progress is True else 0,
            )
        else:
            events = _epochs(program, train, batch_size, epochs, seed if shuffle else None, each_epoch)
            loss_is_mean = isinstance(model.loss, str) or getattr(model.loss, "reduction", "") == "sum_over_batch_size"
            large = max(batch_size, VALIDATION_BATCH) if loss_is_mean else batch_size
            validating = None if validation is None else Events(program, validation, large)
            with nullcontext(progress) if isinstance(progress, Line) else Line(visible=progress) as line:
                _train(line, model, program, epochs, events, validating, callbacks)
    except KeyboardInterrupt:
        history.interrupted = True
        raise
    return history


def _note(history: Any) -> None:
    """Note the history of a training that begins; its attribute ``interrupted`` says whether it was cut short."""
    request = kernel().get_parent("shell") if hasattr(kernel(), "get_parent") else {}
    _trainings[str(request.get("metadata", {}).get("cellId", ""))] = history  # the same also after the cell was edited


def was_interrupted() -> bool:
    """Return whether a training was interrupted whose cell has not been run to its end since.

    What is computed since may come from a part. Who means to use it sets ``model.history.interrupted`` to False.
    """
    return any(history.interrupted for history in _trainings.values())


def predict(model: keras.Model, x: ArrayLike, *, batch_size: int = 16384) -> NDArray[np.float32]:
    """Return the model's output for each event, shape (n_events,), or (n_events, n_outputs) for several outputs.

    Works for any Keras model in which an event's output depends on that event alone, compiled or not. ``x`` is of shape
    (n_events, n_inputs); ``batch_size`` events are evaluated at once, and less needs less memory.

    Raises BadInput if ``x`` does not fit the model or holds NaN or infinite values.
    """
    program = program_of(model)
    if isinstance(program, str):
        scores = model.predict(x, batch_size=batch_size, verbose=0)
    else:
        x, parts = checked_array(x, "x", "training.predict", *_shapes(model, "inputs")), []
        for start in range(0, max(len(x), 1), batch_size):
            part = x[start : start + batch_size]
            if len(x) < batch_size:  # few events are not worth compiling for
                parts.append(program.step("predict_step", [part]).numpy())
            else:  # the last events are repeated up to the length that is compiled for
                full = np.resize(part, (batch_size, *x.shape[1:]))
                out = program.call("predict", lambda x: program.model.predict_step((x,)), full)
                parts.append(out.numpy()[: len(part)])
        scores = np.concatenate(parts)
    return scores[:, 0] if np.shape(scores)[1:] == (1,) else scores


def checked_array(
    values: ArrayLike, name: str, where: str, *shapes: tuple[int | None, ...], n_events: int | None = None
) -> NDArray[Any]:
    """Return finite numbers as an array with one row per event; other than whole numbers as float32.

    A NaN in the input would turn every weight of a network to NaN without a word, and arrays of unfitting shapes would
    be broadcast into nonsense. An event must have one of the ``shapes``, if any are given; a number is a row of one.

    Raises BadInput if it is something else; says ``name`` and ``where``.
    """
    import keras

    def refuse(what: str, next_step: str) -> NoReturn:
        raise BadInput(f"{name} {what}", where=where, next_step=next_step)

    array = np.asarray(values)
    if array.dtype.kind not in "fiub" or array.ndim == 0:
        refuse(
            f"is an array of {array.dtype}, shape {array.shape}. Expected numbers, one row per event.",
            "Convert it with np.asarray(..., dtype=np.float32); leave out columns of text.",
        )
    event = array.shape[1:] or (1,)
    fits = any(len(s) == len(event) and all(a in (None, b) for a, b in zip(s, event, strict=True)) for s in shapes)
    if shapes and not fits:
        expected = ", ".join(str(size or "any") for size in ("n_events", *shapes[0]))
        refuse(
            f"has shape {array.shape}. Expected ({expected}).",
            "Pass as many columns as the network has inputs or outputs, in the order it was trained with.",
        )
    if n_events not in (None, len(array)):
        refuse(f"holds {len(array)} events, x {n_events}.", "Both must come from the same events, in the same order.")
    if array.dtype.kind in "fb":
        given = array
        with np.errstate(over="ignore"):
            array = array.astype(keras.config.floatx(), copy=False)
        bad = np.argwhere(~np.isfinite(array))
        if len(bad):
            place = f"row {bad[0][0]}" + (f", column {bad[0][1]}" if array.ndim > 1 else "")
            n_bad = len(np.unique(bad[:, 0]))
            refuse(
                f"holds {given[tuple(bad[0])]} in {place} ({n_bad} of {len(array)} events are affected).",
                "Drop or repair those events: training on them would make every weight NaN.",
            )
    return array


def _shapes(model: keras.Model, ends: str) -> list[tuple[int | None, ...]]:
    """Return the shapes of an event in the ``inputs`` or ``outputs``; none where they are unknown."""
    return [tuple(tensor.shape[1:]) for tensor in getattr(model, ends, None) or ()]


def _arrays(model: keras.Model, x: Any, y: Any, weight: Any = None, *, prefix: str = "") -> tuple[Any, ...]:
    """Return ``(x, y)`` or ``(x, y, weight)`` as arrays that fit the model and each other."""
    where, inputs, outputs = "training.fit", _shapes(model, "inputs"), _shapes(model, "outputs")
    if max(len(inputs), len(outputs)) > 1:
        return (x, y) if weight is None else (x, y, weight)  # Keras says what fits such a model
    x = checked_array(x, f"{prefix}x", where, *inputs)
    if not len(x):
        raise BadInput(f"{prefix}x holds no events.", where=where, next_step="Check the selection that made it.")
    # A label may be one number (a class) where the model has several outputs, but not the reverse.
    labels = [shape for output in outputs for shape in (output, output[:-1], (*output[:-1], 1))]
    y = checked_array(y, f"{prefix}y", where, *labels, n_events=len(x))
    if weight is None:
        return x, y
    return x, y, checked_array(weight, f"{prefix}sample_weight", where, (1,), n_events=len(x))


def _train(
    line: Line,
    model: keras.Model,
    program: Program,
    epochs: int,
    all_events: Iterable[Events],
    validation: Events | None,
    callbacks: list[keras.callbacks.Callback],
) -> None:
    """Train epoch by epoch, with the callbacks of a model and the line that says how far it is."""
    import keras

    hooks = keras.callbacks.CallbackList(callbacks, model=model, epochs=epochs)
    rates = rates_of(model.optimizer)
    begin, finished, saved = time.monotonic(), 0, [np.copy(variable.numpy()) for variable in state_of(model)]
    line.show("compiling")
    try:
        model.stop_training = False
        hooks.on_train_begin()
        for number, events in enumerate(all_events):
            hooks.on_epoch_begin(number)
            program.copy(model, program.model)
            logs = program.run(model, "train_step", events, rates(events.n_full + 1))
            program.copy(program.model, model)
            if validation is not None:
                logs |= {f"val_{name}": value for name, value in program.run(model, "test_step", validation).items()}
            hooks.on_epoch_end(number, logs)
            saved, finished = [np.copy(variable.numpy()) for variable in state_of(model)], number + 1
            losses = [f"{name} {logs[name]:.4f}" for name in ("loss", "val_loss") if name in logs]
            report, taken = "  ".join([f"epoch {finished}/{epochs}", *losses]), time.monotonic() - begin
            line.show(f"{report}  at most {seconds(taken / finished * (epochs - finished))} left")
            if model.stop_training:
                break
        model.optimizer.finalize_variable_values(model.trainable_weights)
        hooks.on_train_end(logs)
        line.show(f"{report}  {seconds(time.monotonic() - begin)}")
    except KeyboardInterrupt as error:
        for variable, value in zip(state_of(model), saved, strict=True):
            variable.assign(value)
        for values in (model.history.epoch, *model.history.history.values()):
            del values[finished:]
        raise Interrupted(
            f"{line.prefix}interrupted in epoch {finished + 1} of {epochs}: "
            f"the model is as it was after epoch {finished}, and model.history ends there"
        ) from error


def _epochs(
    program: Program,
    arrays: tuple[NDArray[Any], ...],
    batch_size: int,
    epochs: int,
    seed: int | None,
    each_epoch: Callable[[int], ArrayLike] | None,
) -> Iterator[Events]:
    """Yield the events of each epoch. Those of the next one are made while one is trained, by another core."""

    def events(number: int, memory: Any) -> Events:
        x, *others = arrays
        if each_epoch is not None:
            x = checked_array(each_epoch(number), "each_epoch", "training.fit", x.shape[1:], n_events=len(x))
        order = None if seed is None else np.random.default_rng([seed, number]).permutation(len(x))
        return Events(program, (x, *others), batch_size, order, memory)

    with ThreadPoolExecutor(1) as pool:
        ahead, memory = pool.submit(events, 0, None), None
        for number in range(1, epochs + 1):
            now = ahead.result()
            if number < epochs:
                ahead = pool.submit(events, number, memory)
            yield now
            memory = now.padded
