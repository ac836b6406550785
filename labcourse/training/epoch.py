"""The compiled epoch: all batches of an epoch in one program, over data that lie in memory.

`model.fit` returns to Python after every batch. At the size of the course's networks that costs far more
than the arithmetic, so here the loop over the batches is part of the compiled program (XLA), and each step
in it is the model's own `train_step`: same batches, same updates, same metrics.

Compiling takes seconds and belongs to an architecture, not to a model. Models that differ only in their
weights, names, seeds and learning rate, or its schedule, share one `Engine`: their state is copied in before an
epoch and back out after it, so a cross-validation compiles once.

Used by `training`; there is no need to call it directly.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from labcourse.training import architecture

if TYPE_CHECKING:
    import keras

MAX_ENGINES = 8
"""How many architectures stay compiled; the one unused for longest makes room."""

_engines: OrderedDict[object, Engine] = OrderedDict()


class Data:
    """Arrays of an epoch or of a validation: ``(x, y)`` or ``(x, y, weight)``, each leaf of shape (n_events, …).

    The compiled loop takes tensors of one fixed length, so they are padded to the engine's ``capacity``. The
    padding is never looked at: the number of batches is an argument of the loop. ``order`` is that of the events,
    shape (n_events,).
    """

    def __init__(self, arrays: Any, batch_size: int, engine: Engine, order: NDArray[np.integer] | None = None) -> None:
        import keras
        import tensorflow as tf

        self.n_events = len(keras.tree.flatten(arrays)[0])
        self.batch_size = batch_size
        # The last batch, full or partial, is a step of its own: it gives the logs, as in `model.fit`.
        self.n_steps = math.ceil(self.n_events / batch_size)
        self.capacity = engine.capacity(self.n_events, batch_size)
        # Copies: the caller may fill the arrays anew, for the epoch after this one.
        self.arrays = keras.tree.map_structure(lambda a: self.pad(a, order), arrays)
        self.tensors = keras.tree.map_structure(tf.convert_to_tensor, self.arrays) if self.n_steps > 1 else None

    def pad(self, array: NDArray[Any], order: NDArray[np.integer] | None) -> NDArray[Any]:
        """Return an array in an order, lengthened by zeros to the capacity."""
        padded = np.zeros((self.capacity, *array.shape[1:]), array.dtype)
        if order is None:
            padded[: len(array)] = array
        else:
            np.take(array, order, axis=0, out=padded[: len(array)], mode="clip")  # "raise" would buffer
        return padded

    def batch(self, step: int) -> Any:
        """Return batch number ``step`` as tensors."""
        import keras
        import tensorflow as tf

        rows = slice(step * self.batch_size, min((step + 1) * self.batch_size, self.n_events))
        return keras.tree.map_structure(lambda a: tf.constant(a[rows]), self.arrays)


class Engine:
    """A model and its compiled programs.

    ``traces`` counts how often a program was traced: it must not grow when nothing new is asked for.
    """

    def __init__(self, model: keras.Model) -> None:
        self.model = model
        self.parts: list[Any] = []
        self.traces = 0
        self.jit = True
        self._capacities: set[int] = set()
        self._loops: dict[str, Callable[..., Any]] = {}
        self._steps: dict[object, Callable[..., Any]] = {}
        self._normalisations = list(architecture.normalisations(model))

    def capacity(self, n_events: int, batch_size: int) -> int:
        """Length of the padded tensors: one that is compiled already if it fits, else with room for larger folds."""
        fitting = [c for c in self._capacities if n_events <= c <= 1.5 * n_events and c % batch_size == 0]
        if fitting:
            return min(fitting)
        new = math.ceil(1.0625 * n_events / batch_size) * batch_size
        self._capacities.add(new)
        return new

    def train(self, data: Data, learning_rates: NDArray[np.float32] | None = None) -> dict[str, Any]:
        """Train one epoch; ``learning_rates`` gives one for each step. Returns the logs of the last step."""
        last = data.n_steps - 1
        if last:
            self._run_loop("train_step", data, learning_rates)
        if learning_rates is not None:
            self.model.optimizer.learning_rate.assign(learning_rates[last])
        return self.step("train_step", data.batch(last))

    def evaluate(self, data: Data) -> dict[str, Any]:
        """Evaluate all of ``data``; returns the logs of the last step."""
        if data.n_steps > 1:
            self._run_loop("test_step", data, None)
        return self.step("test_step", data.batch(data.n_steps - 1))

    def step(self, name: str, batch: Any) -> Any:
        """Run ``train_step``, ``test_step`` or ``predict_step`` on one batch of any length."""
        import keras
        import tensorflow as tf

        method = getattr(self.model, name)
        if self.model.run_eagerly:
            return method(batch)
        specs = keras.tree.map_structure(lambda t: tf.TensorSpec((None, *t.shape[1:]), t.dtype), batch)
        key = (name, str(specs))
        if key not in self._steps:

            def traced(batch: Any) -> Any:
                self.traces += 1
                with self._state_as_variables():
                    return method(batch)

            self._steps[key] = tf.function(traced, input_signature=[specs], autograph=False)
        with _quiet_tracing():
            return self._steps[key](batch)

    def predict_full(self, x: Any) -> Any:
        """Predict one full batch, compiled for exactly its length."""
        return self._call("predict_step", lambda: lambda x: self.model.predict_step((x,)), x)

    def _run_loop(self, name: str, data: Data, learning_rates: Any) -> None:
        import tensorflow as tf

        last = data.n_steps - 1
        if self.model.run_eagerly:
            for i in range(last):
                if learning_rates is not None:
                    self.model.optimizer.learning_rate.assign(learning_rates[i])
                self.step(name, data.batch(i))
            return
        if learning_rates is not None:
            padded = np.zeros(data.capacity // data.batch_size, np.float32)
            padded[:last] = learning_rates[:last]
            learning_rates = tf.constant(padded)
        self._call(name, lambda: self._loop(name), tf.constant(last), data.tensors, learning_rates, data.batch_size)

    def _loop(self, name: str) -> Callable[..., Any]:
        """Make the function that runs a step on batches 0 … n_steps − 1."""
        import keras
        import tensorflow as tf

        method = getattr(self.model, name)

        def loop(n_steps: Any, tensors: Any, learning_rates: Any, batch_size: int) -> Any:
            def body(i: Any) -> Any:
                def batch_of(tensor: Any) -> Any:
                    begin = tf.concat([[i * batch_size], tf.zeros(tensor.shape.rank - 1, tf.int32)], 0)
                    events = tf.slice(tensor, begin, [batch_size, *tensor.shape[1:]])
                    # As in `model.fit` the step must not know the length: Keras averages losses by it if it does.
                    return tf.raw_ops.PlaceholderWithDefault(input=events, shape=[None, *tensor.shape[1:]])

                batch = keras.tree.map_structure(batch_of, tensors)
                if learning_rates is not None:
                    self.model.optimizer.learning_rate.assign(learning_rates[i])
                method(batch)
                return i + 1

            return tf.while_loop(lambda i: i < n_steps, body, [tf.constant(0)])

        return loop

    def _call(self, name: str, make: Callable[[], Callable[..., Any]], *arguments: Any) -> Any:
        """Call a compiled function, made at the first call; without XLA if the model has what XLA cannot do."""
        import tensorflow as tf

        if name not in self._loops:
            function = make()

            def traced(*arguments: Any) -> Any:
                self.traces += 1
                with self._state_as_variables():
                    return function(*arguments)

            self._loops[name] = tf.function(traced, autograph=False, jit_compile=self.jit)
        try:
            with _quiet_tracing():
                return self._loops[name](*arguments)
        except (
            tf.errors.InvalidArgumentError,
            tf.errors.UnimplementedError,
            tf.errors.NotFoundError,
            tf.errors.InternalError,
        ):
            # Not all that TensorFlow can do, and not on all devices, can XLA compile. It refuses before anything
            # has run, so nothing has changed yet.
            if not self.jit:
                raise
            self.jit = False
            self._loops.clear()
            return self._call(name, make, *arguments)

    @contextmanager
    def _state_as_variables(self) -> Iterator[None]:
        """Let the traced program read the mean and variance of Normalization layers from their variables.

        The layers keep them as constants, which a program would freeze at those of its first model.
        """
        for layer in self._normalisations:
            layer.finalize_state()
        try:
            yield
        finally:
            import tensorflow as tf

            with tf.init_scope():
                for layer in self._normalisations:
                    layer.finalize_state()


@contextmanager
def _quiet_tracing() -> Iterator[None]:
    """Keep TensorFlow from warning that functions are traced often: each architecture is, once, on purpose."""
    import tensorflow as tf

    logger = tf.get_logger()
    level = logger.level
    logger.setLevel("ERROR")
    try:
        yield
    finally:
        logger.setLevel(level)


def engine_for(model: keras.Model, example: Any = None, *, share: bool = True) -> Engine:
    """Return the engine of the model's architecture, made at the first call.

    ``example`` is a small batch to build the model with for training; None asks for an engine that predicts.
    ``share=False`` asks for one that works on the model itself, so that its state is current after each step.

    Models that their configuration does not describe in full (subclasses; own layers, losses or functions;
    several inputs or outputs) get an engine of their own, which works on the model itself.
    """
    training = example is not None
    if training:
        architecture.build(model, example)
    shared = architecture.describe(model, training) if share else None
    # A new compilation of a model brings a new optimizer and new metrics.
    parts = [model, model.optimizer, *model.metrics] if training else [model]
    key: object = shared or tuple(map(id, parts))
    if key not in _engines:
        copy = architecture.copy(model, training) if shared else None
        if copy is None:
            key = tuple(map(id, parts))
        elif training:
            architecture.build(copy, example)
            if architecture.shapes(copy, True) != architecture.shapes(model, True):
                # The model has state that its configuration does not tell of.
                copy, key = None, tuple(map(id, parts))
        if key not in _engines:
            _engines[key] = Engine(copy or model)
            # Held, so that no later object can have the same id.
            _engines[key].parts = parts if copy is None else []
    _engines.move_to_end(key)
    while len(_engines) > MAX_ENGINES:
        _engines.popitem(last=False)
    return _engines[key]
