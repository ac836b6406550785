"""Train and apply networks fast, with the results of `model.fit` and `model.predict`.

`model.fit` returns to Python after every batch. At the size of the course's networks that costs far more than the
arithmetic, so here all batches of an epoch are one compiled program (XLA), in which each step is the model's own
``train_step``: same batches, same updates, same metrics.

Compiling takes seconds and belongs to an architecture, not to a model. So a program has a copy of the model, and the
state of any model of this architecture is copied in before an epoch and back out after it: a cross-validation compiles
once. What a program cannot do is handed to Keras.
"""

from __future__ import annotations

import functools
import itertools
import json
import logging
import math
import random
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labcourse.errors import BadInput, Interrupted
from labcourse.progress import Line, note_training, seconds

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

VALIDATION_BATCH = 8192
"""Events per batch of validation, at least, where the loss does not depend on it: larger products use all cores."""
_HOOKS = [f"on_{what}_{end}" for what in ("batch", "train_batch", "test_batch", "test") for end in ("begin", "end")]
XLA = True
"""Whether programs are compiled by XLA: without it they begin sooner and run slower."""


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

    Parameters
    ----------
    model : keras.Model
        Compiled with any loss, optimizer and metrics of Keras. A model of other than Keras's own layers, or of several
        inputs or outputs, is handed to ``model.fit``, as is a callback that acts on batches; a printed line says so.
    x : array_like, shape (n_events, n_inputs)
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

    Raises
    ------
    BadInput
        If the model is not compiled, or an array has the wrong shape or holds NaN or infinite values.
    Interrupted
        At Ctrl-C (the stop button). The model is as it was after the last finished epoch, ``model.history`` ends there,
        and its attribute ``interrupted`` is True: `labcourse.outputs` hands on nothing that may come from a part.

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
    note_training(history)
    callbacks = [*([callbacks] if isinstance(callbacks, keras.callbacks.Callback) else callbacks), history]
    program = _program_of(model, train, callbacks)
    try:
        if isinstance(program, str):
            if each_epoch is not None:
                raise BadInput(f"each_epoch is not for this training: {program}.", where="training.fit")
            print(f"This training is handed to model.fit, which takes longer: {program}.")
            model.fit(
                *train[:2],
                sample_weight=train[2] if len(train) > 2 else None,
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
            validating = None if validation is None else _Events(program, validation, large)
            with nullcontext(progress) if isinstance(progress, Line) else Line(visible=progress) as line:
                _train(line, model, program, epochs, events, validating, callbacks)
    except KeyboardInterrupt:
        history.interrupted = True
        raise
    return history


def predict(model: keras.Model, x: ArrayLike, *, batch_size: int = 65536) -> NDArray[np.float32]:
    """Return the model's output for each event.

    Works for any Keras model in which an event's output depends on that event alone, compiled or not.

    Parameters
    ----------
    model : keras.Model
    x : array_like, shape (n_events, n_inputs)
    batch_size : int
        Events that are evaluated at once; less needs less memory.

    Returns
    -------
    ndarray, shape (n_events,)
        For a model with one output; (n_events, n_outputs) for several. No events give an empty array.

    Raises
    ------
    BadInput
        If ``x`` does not fit the model or holds NaN or infinite values.
    """
    program = _program_of(model)
    if isinstance(program, str):
        scores = model.predict(x, batch_size=batch_size, verbose=0)
        return scores[:, 0] if np.shape(scores)[1:] == (1,) else scores
    x = checked_array(x, "x", "training.predict", *_shapes(model, "inputs"))
    parts = []
    for start in range(0, max(len(x), 1), batch_size):
        part = x[start : start + batch_size]
        if len(x) < batch_size:  # few events are not worth compiling for
            scores = program.step("predict_step", [part])
        else:  # the last events are repeated up to the length that is compiled for
            full = np.resize(part, (batch_size, *x.shape[1:]))
            scores = program.call("predict", lambda x: program.model.predict_step((x,)), full)
        parts.append(scores.numpy()[: len(part)])
    scores = np.concatenate(parts)
    return scores[:, 0] if scores.shape[1:] == (1,) else scores


def checked_array(
    values: ArrayLike, name: str, where: str, *shapes: tuple[int | None, ...], n_events: int | None = None
) -> NDArray[Any]:
    """Return finite numbers as an array with one row per event; other than whole numbers as float32.

    A NaN in the input would turn every weight of a network to NaN without a word, and arrays of unfitting shapes would
    be broadcast into nonsense. An event must have one of the ``shapes``, if any are given; a number is a row of one.

    Raises
    ------
    BadInput
        If it is something else; says ``name`` and ``where``.
    """
    import keras

    array, what, next_step = np.asarray(values), "", ""
    event = array.shape[1:] or (1,)
    fits = any(len(s) == len(event) and all(a in (None, b) for a, b in zip(s, event, strict=True)) for s in shapes)
    if array.dtype.kind not in "fiub" or array.ndim == 0:
        what = f"is an array of {array.dtype}, shape {array.shape}. Expected numbers, one row per event."
        next_step = "Convert it with np.asarray(..., dtype=np.float32); leave out columns of text."
    elif shapes and not fits:
        expected = ", ".join(str(size or "any") for size in ("n_events", *shapes[0]))
        what = f"has shape {array.shape}. Expected ({expected})."
        next_step = "Pass as many columns as the network has inputs or outputs, in the order it was trained with."
    elif n_events not in (None, len(array)):
        what = f"holds {len(array)} events, x {n_events}."
        next_step = "Both must come from the same events, in the same order."
    elif array.dtype.kind in "fb":
        given = array
        with np.errstate(over="ignore"):
            array = array.astype(keras.config.floatx(), copy=False)
        bad = np.argwhere(~np.isfinite(array))
        if len(bad):
            place = f"row {bad[0][0]}" + (f", column {bad[0][1]}" if array.ndim > 1 else "")
            n_bad = len(np.unique(bad[:, 0]))
            what = f"holds {given[tuple(bad[0])]} in {place} ({n_bad} of {len(array)} events are affected)."
            next_step = "Drop or repair those events: training on them would make every weight NaN."
    if what:
        raise BadInput(f"{name} {what}", where=where, next_step=next_step)
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
    program: _Program,
    epochs: int,
    all_events: Iterable[_Events],
    validation: _Events | None,
    callbacks: list[keras.callbacks.Callback],
) -> None:
    """Train epoch by epoch, with the callbacks of a model and the line that says how far it is."""
    import keras

    hooks = keras.callbacks.CallbackList(callbacks, model=model, epochs=epochs)
    rates = _rates(model.optimizer)
    begin, finished, saved = time.monotonic(), 0, [np.copy(variable.numpy()) for variable in _state(model)]
    line.show("compiling")
    try:
        model.stop_training = False
        hooks.on_train_begin()
        for number, events in enumerate(all_events):
            hooks.on_epoch_begin(number)
            logs = program.run(model, "train_step", events, rates(events.n_full + 1))
            if validation is not None:
                logs |= {f"val_{name}": value for name, value in program.run(model, "test_step", validation).items()}
            hooks.on_epoch_end(number, logs)
            saved, finished = [np.copy(variable.numpy()) for variable in _state(model)], number + 1
            losses = [f"{name} {logs[name]:.4f}" for name in ("loss", "val_loss") if name in logs]
            report, taken = "  ".join([f"epoch {finished}/{epochs}", *losses]), time.monotonic() - begin
            line.show(f"{report}  at most {seconds(taken / finished * (epochs - finished))} left")
            if model.stop_training:
                break
        model.optimizer.finalize_variable_values(model.trainable_weights)
        hooks.on_train_end(logs)
        line.show(f"{report}  {seconds(time.monotonic() - begin)}")
    except KeyboardInterrupt as error:
        for variable, value in zip(_state(model), saved, strict=True):
            variable.assign(value)
        for values in (model.history.epoch, *model.history.history.values()):
            del values[finished:]
        raise Interrupted(
            f"{line.prefix}interrupted in epoch {finished + 1} of {epochs}: "
            f"the model is as it was after epoch {finished}, and model.history ends there"
        ) from error


def _epochs(
    program: _Program,
    arrays: tuple[NDArray[Any], ...],
    batch_size: int,
    epochs: int,
    seed: int | None,
    each_epoch: Callable[[int], ArrayLike] | None,
) -> Iterator[_Events]:
    """Yield the events of each epoch. Those of the next one are made while one is trained, by another core."""

    def events(number: int) -> _Events:
        x, *others = arrays
        if each_epoch is not None:
            x = checked_array(each_epoch(number), "each_epoch", "training.fit", x.shape[1:], n_events=len(x))
        order = None if seed is None else np.random.default_rng([seed, number]).permutation(len(x))
        return _Events(program, (x, *others), batch_size, order)

    with ThreadPoolExecutor(1) as pool:
        ahead = pool.submit(events, 0)
        for number in range(1, epochs + 1):
            now = ahead.result()
            if number < epochs:
                ahead = pool.submit(events, number)
            yield now


class _Events:
    """Arrays of an epoch or of a validation, in an order.

    A program takes tensors of one fixed length, so they are padded; how many full batches they hold is an argument. The
    last batch, full or partial, is a step of its own.
    """

    def __init__(self, program: _Program, arrays: tuple[NDArray[Any], ...], batch_size: int, order: Any = None) -> None:
        import tensorflow as tf

        n_events = len(arrays[0])
        self.batch_size, self.n_full = batch_size, math.ceil(n_events / batch_size) - 1
        self.capacity = program.capacity(n_events, batch_size)
        # Copies: the caller may fill the arrays anew, for the epoch after this one.
        padded = [np.zeros((self.capacity, *array.shape[1:]), array.dtype) for array in arrays]
        for array, copy in zip(arrays, padded, strict=True):
            if order is None:
                copy[:n_events] = array
            else:
                np.take(array, order, axis=0, out=copy[:n_events], mode="clip")  # "raise" would buffer
        self.last = [copy[self.n_full * batch_size : n_events] for copy in padded]
        self.tensors = [tf.convert_to_tensor(copy) for copy in padded] if self.n_full else []


class _Program:
    """A copy of a model, made from its description, and what is compiled for it."""

    def __init__(self, description: str) -> None:
        import keras
        import tensorflow as tf

        kind, config, compilation, labels = json.loads(description)
        # Layers draw seeds from Python's generator, which belongs to the user.
        generator = random.getstate()
        try:
            self.model = {"Sequential": keras.Sequential, "Functional": keras.Model}[kind].from_config(config)
            if compilation:
                self.model.compile_from_config(compilation)
                shape = [size or 1 for size in self.model.inputs[0].shape[1:]]
                _build(self.model, np.zeros((2, *shape), np.float32), np.zeros(*labels))
        finally:
            random.setstate(generator)
        self.xla, self.trains = XLA, bool(compilation)
        self._normalisations = [layer for layer in self.model.layers if hasattr(layer, "finalize_state")]
        self._capacities: set[int] = set()
        self._functions: dict[str, Callable[..., Any]] = {}
        tf.get_logger().addFilter(_is_not_of_tracing)

    def capacity(self, n_events: int, batch_size: int) -> int:
        """Return the length of padded arrays: one that is compiled already, or one with some to spare."""
        fitting = [c for c in self._capacities if n_events <= c <= 1.5 * n_events and c % batch_size == 0]
        length = min(fitting, default=math.ceil(1.0625 * n_events / batch_size) * batch_size)
        self._capacities.add(length)
        return length

    def copy(self, source: keras.Model, target: keras.Model) -> None:
        """Give one model of this architecture the state of another, as far as the program needs it."""
        of_both = [_state(model) if self.trains else model.variables for model in (source, target)]
        for ours, theirs in zip(*of_both, strict=True):
            # The TensorFlow variables themselves: Keras's own assignment costs three times as much.
            theirs.value.assign(ours.value, read_value=False)

    def run(self, model: keras.Model, step: str, events: _Events, rates: Any = (0.0,)) -> dict[str, float]:
        """Run a model's ``train_step``, with the learning rate of each step, or ``test_step``; return the metrics."""
        model.reset_metrics()
        self.copy(model, self.model)
        if events.n_full:
            rate_of_step = np.resize(np.float32(rates), events.capacity // events.batch_size)
            arguments = (np.int32(events.n_full), events.tensors, rate_of_step, events.batch_size)
            self.call(step, self._loop(getattr(self.model, step)), *arguments)
        self.model.optimizer.learning_rate.assign(rates[-1])
        self.step(step, events.last)
        self.copy(self.model, model)
        logs: dict[str, float] = {}
        for name, value in model.get_metrics_result().items():
            logs |= value if isinstance(value, dict) else {name: value}
        return {name: float(value) for name, value in logs.items()}

    def _loop(self, step: Callable[[Any], Any]) -> Callable[..., None]:
        """Make the function that runs a step on full batches 0 … n − 1."""
        import tensorflow as tf

        def loop(n: tf.Tensor, tensors: list[tf.Tensor], rates: tf.Tensor, batch_size: int) -> None:
            def batch_of(tensor: tf.Tensor, i: tf.Tensor) -> tf.Tensor:
                begin = tf.concat([[i * batch_size], tf.zeros(tensor.shape.rank - 1, tf.int32)], 0)
                events = tf.slice(tensor, begin, [batch_size, *tensor.shape[1:]])
                # As in `model.fit` the step must not know the length: Keras averages losses by it if it does.
                return tf.raw_ops.PlaceholderWithDefault(input=events, shape=[None, *tensor.shape[1:]])

            def body(i: tf.Tensor) -> tf.Tensor:
                self.model.optimizer.learning_rate.assign(rates[i])
                step(tuple(batch_of(tensor, i) for tensor in tensors))
                return i + 1

            tf.while_loop(lambda i: i < n, body, [tf.constant(0)])

        return loop

    def step(self, name: str, batch: list[NDArray[Any]]) -> Any:
        """Run ``train_step``, ``test_step`` or ``predict_step`` on one batch of any length."""
        import tensorflow as tf

        specs = [tf.TensorSpec((None, *array.shape[1:]), array.dtype) for array in batch]
        method = getattr(self.model, name)
        return self.call(f"{name} {specs}", lambda *batch: method(batch), *batch, xla=False, input_signature=specs)

    def call(self, key: str, function: Callable[..., Any], *arguments: Any, xla: bool = True, **options: Any) -> Any:
        """Call a function that is compiled at the first call; without XLA if it holds what XLA cannot do."""
        import tensorflow as tf

        def traced(*arguments: Any) -> Any:
            for layer in self._normalisations:
                layer.finalize_state()  # reads mean and variance anew, which are constants of the layer otherwise
            return function(*arguments)

        xla = xla and self.xla
        if key not in self._functions:
            self._functions[key] = tf.function(traced, autograph=False, jit_compile=xla, **options)
        try:
            return self._functions[key](*arguments)
        except tf.errors.OpError:
            if not xla:
                raise
            self.xla = False  # it refuses before anything has run, so nothing has changed yet
            self._functions.clear()
            return self.call(key, function, *arguments)


_program = functools.lru_cache(maxsize=8)(_Program)


def _program_of(model: keras.Model, arrays: tuple[Any, ...] = (), callbacks: Iterable[Any] = ()) -> _Program | str:
    """Return the program that trains a model with such arrays, or without arrays predicts; or why there is none."""
    import keras

    kind, plain = type(model), keras.callbacks.Callback
    if keras.backend.backend() != "tensorflow":
        return f"Keras runs on {keras.backend.backend()}"
    if not kind.__module__.startswith("keras.") or kind.__name__ not in ("Sequential", "Functional"):
        return "the model is neither Sequential nor Functional"
    if arrays and not model.built:
        model.build((None, *arrays[0].shape[1:]))
    if not model.built:
        return "the model has no weights yet"
    if max(len(model.inputs), len(model.outputs)) > 1:
        return "the model has several inputs or outputs"
    if arrays and model.run_eagerly:
        return "the model runs eagerly"
    for hook, callback in itertools.product(_HOOKS, callbacks):
        if getattr(getattr(callback, hook), "__func__", None) is not getattr(plain, hook):
            return "a callback acts on batches"
    try:
        program = _program(_description(model, arrays[1] if arrays else None))
        if arrays:
            _build(model, *(array[:2] for array in arrays[:2]))
        program.copy(model, program.model)
    except (TypeError, ValueError, KeyError, NotImplementedError):
        return "a layer, loss, metric or optimizer is not one that Keras can copy"
    return program


def _description(model: keras.Model, labels: NDArray[Any] | None) -> str:
    """Describe all of a model but its state and chance: names, seeds, initial weights, the learning rate.

    Raises KeyError, TypeError or ValueError where that is impossible.
    """
    import keras

    for layer in model.layers:
        if hasattr(layer, "layers") or (hasattr(layer, "adapt") and not isinstance(layer, keras.layers.Normalization)):
            raise ValueError("a model in the model, or a layer that keeps what it has learned outside of its variables")
    compilation = spec = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras warns of lambdas, which nobody is going to save here
        config = _anonymous(model.get_config(), {})
        if labels is not None:
            compilation = _anonymous(model.get_compile_config(), {})
            optimizer = _anonymous(keras.optimizers.serialize(model.optimizer), {})
            optimizer["config"]["learning_rate"] = 0.0  # a program is given the rate of each step
            compilation["optimizer"] = optimizer
            spec = [2, *labels.shape[1:]], str(labels.dtype)
    return json.dumps([type(model).__name__, config, compilation, spec])


def _anonymous(config: Any, names: dict[str, str], key: str = "") -> Any:
    """Drop from a configuration what is state or chance, and number the names; raises ValueError if it holds code."""
    if isinstance(config, (list, tuple)):
        return [_anonymous(item, names, key) for item in config]
    if isinstance(config, str) and key in ("name", "keras_history", "input_layers", "output_layers"):
        return names.setdefault(config, f"name{len(names)}")
    if not isinstance(config, dict) or config.get("class_name") == "DTypePolicy":
        return config
    if not (config.get("module") or "keras").startswith("keras") or config.get("class_name") in (
        "Lambda",
        "__lambda__",
    ):
        raise ValueError("a configuration that holds code")
    kept = {k: v for k, v in config.items() if k not in ("seed", "build_config") and not k.endswith("initializer")}
    return {k: _anonymous(v, names, k) for k, v in kept.items()}


def _build(model: keras.Model, x: NDArray[Any], y: NDArray[Any]) -> None:
    """Create all variables of a compiled model that Keras would create at the first batch."""
    import tensorflow as tf

    x, y = tf.constant(x), tf.constant(y)
    prediction = model(x)
    model.compute_loss(x, y, prediction)
    model.compute_metrics(x, y, prediction)
    model.reset_metrics()
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)


def _state(model: keras.Model) -> list[keras.Variable]:
    """Return what a training changes: weights, seeds, optimizer, metrics; each once, in a fixed order. Not the rate."""
    optimizer = [variable for variable in model.optimizer.variables if variable.name != "learning_rate"]
    metrics = [variable for metric in model.metrics for variable in metric.variables]
    return list({id(variable): variable for variable in [*model.variables, *optimizer, *metrics]}.values())


def _rates(optimizer: keras.optimizers.Optimizer) -> Callable[[int], NDArray[np.float32]]:
    """Return what gives the learning rates of the next ``n_steps`` steps, shape (n_steps,)."""
    import keras
    import tensorflow as tf

    config = optimizer.get_config()["learning_rate"]
    if not isinstance(config, dict):
        return lambda n_steps: np.full(n_steps, float(optimizer.learning_rate), np.float32)
    schedule = keras.optimizers.schedules.deserialize(config)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)], autograph=False)
    def of_steps(steps: tf.Tensor) -> tf.Tensor:
        return tf.map_fn(lambda step: tf.cast(schedule(step), tf.float32), steps, fn_output_signature=tf.float32)

    # Not `optimizer.iterations`, which counts fewer where gradients are accumulated.
    (iteration,) = (variable for variable in optimizer.variables if variable.name == "iteration")
    return lambda n_steps: np.asarray(of_steps(tf.range(n_steps) + tf.cast(iteration.value, tf.int32)))


def _is_not_of_tracing(record: logging.LogRecord) -> bool:
    """Keep TensorFlow from warning that functions are traced often: each architecture is, once, on purpose."""
    return "tf.function retracing" not in record.getMessage()
