"""Train and apply networks fast, with the results of `model.fit` and `model.predict`.

`model.fit` returns to Python after every batch. At the size of the course's networks that costs far more than the
arithmetic, so here the loop over the batches of an epoch is one compiled program (XLA) over data that lie in memory, in
which each step is the model's own ``train_step``: same batches, same updates, same metrics. What a program cannot do is
handed to Keras.

Compiling takes seconds and belongs to an architecture, not to a model. So a program has a copy of the model, and the
state of any model of this architecture is copied in before an epoch and back out after it: a cross-validation compiles
once.
"""

from __future__ import annotations

import functools
import itertools
import json
import math
import random
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labcourse.errors import BadInput, Interrupted
from labcourse.progress import Line, note_training, seconds

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

XLA = True
"""Whether programs are compiled by XLA: without it they begin sooner and run slower."""
VALIDATION_BATCH = 8192
"""Events per batch of validation, at least, where the loss does not depend on it: larger products use all cores."""


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
    ends there, and its attribute ``interrupted`` is True: `labcourse.outputs` hands on nothing that may come from a
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
    note_training(history)
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


def predict(model: keras.Model, x: ArrayLike, *, batch_size: int = 65536) -> NDArray[np.float32]:
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
    rates = _rates_of(model.optimizer)
    begin, finished, saved = time.monotonic(), 0, [np.copy(variable.numpy()) for variable in state_of(model)]
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

    def events(number: int) -> Events:
        x, *others = arrays
        if each_epoch is not None:
            x = checked_array(each_epoch(number), "each_epoch", "training.fit", x.shape[1:], n_events=len(x))
        order = None if seed is None else np.random.default_rng([seed, number]).permutation(len(x))
        return Events(program, (x, *others), batch_size, order)

    with ThreadPoolExecutor(1) as pool:
        ahead = pool.submit(events, 0)
        for number in range(1, epochs + 1):
            now = ahead.result()
            if number < epochs:
                ahead = pool.submit(events, number)
            yield now


class Events:
    """Arrays of an epoch or of a validation, in an order.

    A program takes tensors of one fixed length, so they are padded; how many full batches they hold is an argument. The
    last batch, full or partial, is a step of its own.
    """

    def __init__(self, program: Program, arrays: tuple[NDArray[Any], ...], batch_size: int, order: Any = None) -> None:
        import tensorflow as tf

        n_events = len(arrays[0])
        order = np.arange(n_events) if order is None else order
        self.batch_size, self.n_full = batch_size, (n_events - 1) // batch_size
        self.capacity = program.capacity(n_events, batch_size)
        # Copies: the caller may fill the arrays anew, for the epoch after this one.
        padded = [np.zeros((self.capacity, *array.shape[1:]), array.dtype) for array in arrays]
        for array, copy in zip(arrays, padded, strict=True):
            np.take(array, order, axis=0, out=copy[:n_events], mode="clip")  # "raise" would buffer
        self.last = [copy[self.n_full * batch_size : n_events] for copy in padded]
        self.tensors = [tf.convert_to_tensor(copy) for copy in padded] if self.n_full else []


class Program:
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
        # TensorFlow warns that functions are traced often: each architecture is, once, on purpose.
        tf.get_logger().addFilter(lambda record: "tf.function retracing" not in record.getMessage())

    def capacity(self, n_events: int, batch_size: int) -> int:
        """Return the length of padded arrays: one that is compiled already, or one with some to spare."""
        fitting = [c for c in self._capacities if n_events <= c <= 1.5 * n_events and c % batch_size == 0]
        length = min(fitting, default=math.ceil(1.0625 * n_events / batch_size) * batch_size)
        self._capacities.add(length)
        return length

    def copy(self, source: keras.Model, target: keras.Model) -> None:
        """Give one model of this architecture the state of another, as far as the program needs it."""
        of_both = [state_of(model) if self.trains else model.variables for model in (source, target)]
        for ours, theirs in zip(*of_both, strict=True):
            # The TensorFlow variables themselves: Keras's own assignment costs three times as much.
            theirs.value.assign(ours.value, read_value=False)

    def run(self, model: keras.Model, step: str, events: Events, rates: Any = (0.0,)) -> dict[str, float]:
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
        return {name: float(value) for name, value in model.get_metrics_result().items()}

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
            with _interrupts_wait():
                return self._functions[key](*arguments)
        except tf.errors.OpError:
            if not xla:
                raise
            self.xla = False  # it refuses before anything has run, so nothing has changed yet
            self._functions.clear()
            return self.call(key, function, *arguments)


program_from = functools.lru_cache(maxsize=8)(Program)


def program_of(model: keras.Model, arrays: tuple[Any, ...] = (), callbacks: Iterable[Any] = ()) -> Program | str:
    """Return the program that trains a model with such arrays, or without arrays predicts; or why there is none."""
    import keras

    if keras.backend.backend() != "tensorflow":
        return f"Keras runs on {keras.backend.backend()}"
    if not type(model).__module__.startswith("keras.") or type(model).__name__ not in ("Sequential", "Functional"):
        return "the model is neither Sequential nor Functional"
    if arrays and not model.built:
        model.build((None, *arrays[0].shape[1:]))
    if not model.built or max(len(model.inputs), len(model.outputs)) > 1 or (arrays and model.run_eagerly):
        return "the model has no weights yet, has several inputs or outputs, or runs eagerly"
    hooks = [f"on_{what}_{end}" for what in ("batch", "train_batch", "test_batch", "test") for end in ("begin", "end")]
    for hook, callback in itertools.product(hooks, callbacks):
        if getattr(getattr(callback, hook), "__func__", None) is not getattr(keras.callbacks.Callback, hook):
            return "a callback acts on batches"
    try:
        program = program_from(_description(model, arrays[1] if arrays else None))
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
            compilation["optimizer"] = _anonymous(keras.optimizers.serialize(model.optimizer), {})
            compilation["optimizer"]["config"]["learning_rate"] = 0.0  # a program is given the rate of each step
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
    is_own = not (config.get("module") or "keras").startswith("keras")
    if is_own or config.get("class_name") in ("Lambda", "__lambda__"):
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


def state_of(model: keras.Model) -> list[keras.Variable]:
    """Return what a training changes: weights, seeds, optimizer, metrics; each once, in a fixed order. Not the rate."""
    optimizer = [variable for variable in model.optimizer.variables if variable.name != "learning_rate"]
    metrics = [variable for metric in model.metrics for variable in metric.variables]
    return list({id(variable): variable for variable in [*model.variables, *optimizer, *metrics]}.values())


def _rates_of(optimizer: keras.optimizers.Optimizer) -> Callable[[int], NDArray[np.float32]]:
    """Return what gives the learning rates of the next ``n_steps`` steps, shape (n_steps,)."""
    import keras
    import tensorflow as tf

    config = optimizer.get_config()["learning_rate"]
    if not isinstance(config, dict):
        return lambda n_steps: np.full(n_steps, float(optimizer.learning_rate), np.float32)
    schedule = keras.optimizers.schedules.deserialize(config)
    rates = functools.partial(tf.map_fn, schedule, fn_output_signature=tf.float32)
    of_steps = tf.function(rates, [tf.TensorSpec([None], tf.int32)], autograph=False)
    # Not `optimizer.iterations`, which counts fewer where gradients are accumulated.
    (iteration,) = (variable for variable in optimizer.variables if variable.name == "iteration")
    return lambda n_steps: np.asarray(of_steps(tf.range(n_steps) + tf.cast(iteration.value, tf.int32)))


@contextmanager
def _interrupts_wait() -> Iterator[None]:
    """Let Ctrl-C wait for the end of a program: TensorFlow that is stopped while it traces may end the process."""
    if threading.current_thread() is not threading.main_thread():  # which no signal interrupts
        yield
        return
    came: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler or signal.default_int_handler)
    if came:
        signal.raise_signal(signal.SIGINT)
