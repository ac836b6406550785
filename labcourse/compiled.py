"""The compiled epoch: all batches of an epoch in one program, over data that lie in memory. Used by `training`.

`model.fit` returns to Python after every batch. At the size of the course's networks that costs far more than the
arithmetic, so here the loop over the batches is part of the compiled program (XLA), in which each step is the model's
own ``train_step``.

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
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

XLA = True
"""Whether programs are compiled by XLA: without it they begin sooner and run slower."""


class Events:
    """Arrays of an epoch or of a validation, in an order.

    A program takes tensors of one fixed length, so they are padded; how many full batches they hold is an argument. The
    last batch, full or partial, is a step of its own. ``memory`` is the ``padded`` of events that are needed no longer:
    to ask the system for fresh memory takes longer than to fill it.
    """

    def __init__(
        self, program: Program, arrays: tuple[NDArray[Any], ...], batch_size: int, order: Any = None, memory: Any = None
    ) -> None:
        import tensorflow as tf

        n_events = len(arrays[0])
        order = np.arange(n_events) if order is None else order
        self.batch_size, self.n_full = batch_size, (n_events - 1) // batch_size
        self.capacity = program.capacity(n_events, batch_size)
        # Copies: the caller may fill the arrays anew, for the epoch after this one.
        self.padded = memory or [np.zeros((self.capacity, *array.shape[1:]), array.dtype) for array in arrays]
        for array, copy in zip(arrays, self.padded, strict=True):
            np.take(array, order, axis=0, out=copy[:n_events], mode="clip")  # "raise" would buffer
        self.last = [copy[self.n_full * batch_size : n_events] for copy in self.padded]
        self.tensors = [tf.convert_to_tensor(copy) for copy in self.padded] if self.n_full else []


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
        import tensorflow as tf

        of_both = [state_of(model) if self.trains else model.variables for model in (source, target)]
        for ours, theirs in zip(*of_both, strict=True):
            # TensorFlow's own operations: what Keras and TensorFlow put around them costs six times as much.
            value = tf.raw_ops.ReadVariableOp(resource=ours.value.handle, dtype=ours.value.dtype)
            tf.raw_ops.AssignVariableOp(resource=theirs.value.handle, value=value)

    def run(self, model: keras.Model, step: str, events: Events, rates: Any = (0.0,)) -> dict[str, float]:
        """Run ``train_step``, with the learning rate of each step, or ``test_step``; return the metrics by name."""
        self.model.reset_metrics()
        if events.n_full:
            rate_of_step = np.resize(np.float32(rates), events.capacity // events.batch_size)
            arguments = (np.int32(events.n_full), events.tensors, rate_of_step, events.batch_size)
            self.call(step, self._loop(getattr(self.model, step)), *arguments)
        self.model.optimizer.learning_rate.assign(rates[-1])
        self.step(step, events.last)
        metrics = self.model.get_metrics_result().values()
        return {name: float(value) for name, value in zip(model.get_metrics_result(), metrics, strict=True)}

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


def rates_of(optimizer: keras.optimizers.Optimizer) -> Callable[[int], NDArray[np.float32]]:
    """Return what gives the learning rates of the next ``n_steps`` steps, shape (n_steps,)."""
    import keras
    import tensorflow as tf

    config = optimizer.get_config()["learning_rate"]
    if not isinstance(config, dict):
        return lambda n_steps: np.full(n_steps, float(optimizer.learning_rate), np.float32)
    schedule = keras.optimizers.schedules.deserialize(config)

    def rates(steps: tf.Tensor) -> tf.Tensor:
        # No functools.partial: tf.function hands on its other defaults, too, one of which TensorFlow warns of.
        return tf.map_fn(schedule, steps, fn_output_signature=tf.float32)

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
