"""One training from its first epoch to its last: data, callbacks, progress, and what Ctrl-C leaves behind.

`training.fit` and `training.one_cycle` are the doors to it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from labcourse import inputs
from labcourse.errors import BadInput, Interrupted
from labcourse.progress import Line, note_interrupt, seconds, was_interrupted
from labcourse.training import architecture
from labcourse.training.epoch import Data, Engine, engine_for

if TYPE_CHECKING:
    import keras

VALIDATION_BATCH = 8192
"""Events of a batch of validation, at least: larger products use all cores."""
LearningRates = Callable[[int], NDArray[np.float32]]
"""Gives the learning rate of each step, shape (n_steps,), for a number of steps."""
EachEpoch = Callable[[int], Any]
"""Gives the inputs ``x`` of an epoch, in the shape of those before."""


def fit(
    line: Line,
    model: keras.Model,
    x: Any,
    y: Any,
    sample_weight: Any = None,
    *,
    validation_data: Any = None,
    epochs: int,
    batch_size: int = 128,
    shuffle: bool = True,
    seed: int = 0,
    callbacks: Iterable[keras.callbacks.Callback] = (),
    each_epoch: EachEpoch | None = None,
    learning_rates: LearningRates | None = None,
    prefix: str = "",
    more: int = 0,
    keep_parts: bool = True,
) -> keras.callbacks.History:
    """Train as `training.fit` does, reporting on a line that others may use too.

    ``learning_rates`` gives the rate of each step for a number of steps; ``prefix`` opens the line. ``more`` such
    trainings will follow, which the time left includes. Without ``keep_parts`` every interruption is passed on.
    """
    where = "training.fit"
    if was_interrupted():
        # In a loop over trainings the stop button means the loop, not the one training that noticed it.
        raise Interrupted("this cell was interrupted: it starts no other training")
    inputs.check_model(model, where)
    inputs.check_count(epochs, "epochs", where)
    inputs.check_count(batch_size, "batch_size", where)
    train = inputs.training_arrays(model, x, y, sample_weight, where=where)
    validation = None
    if validation_data is not None:
        if not isinstance(validation_data, (tuple, list)) or len(validation_data) not in (2, 3):
            raise BadInput(
                "validation_data is neither (x, y) nor (x, y, sample_weight).",
                where=where,
                next_step="Pass a tuple of two or three arrays.",
            )
        validation = inputs.training_arrays(model, *validation_data, where=where, prefix="validation ")
    run = _Session(model, train, validation, batch_size, epochs, list(inputs.callbacks(callbacks, where)), each_epoch)
    return run.run(line, prefix, seed if shuffle else None, learning_rates, more, keep_parts)


class _Session:
    """One training: the model, its engine and data, the callbacks, and the state to go back to."""

    def __init__(
        self,
        model: keras.Model,
        train: Any,
        validation: Any,
        batch_size: int,
        epochs: int,
        callbacks: list[Any],
        each_epoch: EachEpoch | None,
    ) -> None:
        import keras

        self.model, self.epochs, self.each_epoch = model, epochs, each_epoch
        self.by_batch = any(inputs.acts_on_batches(callback) for callback in callbacks)
        self.engine = _engine(model, train, share=not self.by_batch)
        # An engine of its own follows the schedule by itself.
        self.schedule = architecture.schedule(model) if self.engine.model is not model else None
        self.train, self.batch_size = train, batch_size
        self.n_steps = math.ceil(len(keras.tree.flatten(train)[0]) / batch_size)
        self.validation = Data(validation, self._validation_batch(), self.engine) if validation is not None else None
        self.callbacks = keras.callbacks.CallbackList(
            callbacks,
            add_history=True,
            add_progbar=False,
            model=model,
            verbose=0,
            epochs=epochs,
            steps=self.n_steps,
        )
        self.history = model.history
        self.history.interrupted = False

    def _validation_batch(self) -> int:
        """Return a large batch where the mean loss does not depend on it, and nobody asks for batches."""
        loss, is_shared = self.model.loss, self.engine.model is not self.model
        is_mean = isinstance(loss, str) or getattr(loss, "reduction", "") == "sum_over_batch_size"
        return max(self.batch_size, VALIDATION_BATCH) if is_shared and is_mean else self.batch_size

    def run(
        self,
        line: Line,
        prefix: str,
        seed: int | None,
        learning_rates: LearningRates | None,
        more: int,
        keep_parts: bool,
    ) -> keras.callbacks.History:
        n_steps = self.n_steps
        rates = learning_rates(n_steps * self.epochs).reshape(self.epochs, n_steps) if learning_rates else None
        # BackupAndRestore tells the model where an earlier training ended.
        first = getattr(self.model, "_initial_epoch", None) or 0
        begin, finished, saved = time.monotonic(), first, self._state()
        compiled = begin
        line.show(f"{prefix}compiling")
        try:
            self.model.stop_training = False
            self.callbacks.on_train_begin()
            logs: dict[str, float] = {}
            for number, data in enumerate(self._epochs(first, seed), first):
                self.callbacks.on_epoch_begin(number)
                logs = self._train_epoch(data, rates[number] if rates is not None else None)
                if self.validation is not None:
                    logs |= {f"val_{name}": value for name, value in self._evaluate(self.validation).items()}
                self.callbacks.on_epoch_end(number, logs)
                saved, finished = self._state(), number + 1
                now = time.monotonic()
                # The first epoch of all compiles: it says little about those to come.
                rate = (now - compiled) / (number - first) if number > first else now - begin
                compiled = compiled if number > first else now
                left = rate * (self.epochs * (1 + more) - finished)
                line.show(prefix + _report(finished, self.epochs, logs, f"at most {seconds(left)} left"))
                if self.model.stop_training:
                    break
            self.model.optimizer.finalize_variable_values(self.model.trainable_weights)
            self.callbacks.on_train_end(logs)
            line.show(prefix + _report(finished, self.epochs, logs, seconds(time.monotonic() - begin)))
        except KeyboardInterrupt:
            for variable, value in zip(architecture.state(self.model), saved, strict=True):
                variable.assign(value)
            if finished == first or not keep_parts:
                raise
            self.history.interrupted = finished < self.epochs and not self.model.stop_training
            for values in (self.history.epoch, *self.history.history.values()):
                del values[finished - first :]
            note_interrupt(self.history)
            kept = self._restore_best(finished)
            if self.history.interrupted:
                line.say(
                    f"{prefix}interrupted in epoch {finished + 1} of {self.epochs}: the model is as it was after "
                    f"epoch {kept}" + (", the best one" if kept != finished else "")
                )
        return self.history

    def _epochs(self, first: int, seed: int | None) -> Iterator[Data]:
        """Yield the events of each epoch. Those of the next one are made while one is trained, by another core."""
        if seed is None and self.each_epoch is None:
            yield from repeat(Data(self.train, self.batch_size, self.engine), self.epochs - first)
            return
        with ThreadPoolExecutor(1) as pool:
            ahead = pool.submit(self._epoch, first, seed)
            for number in range(first + 1, self.epochs + 1):
                data = ahead.result()
                if number < self.epochs:
                    ahead = pool.submit(self._epoch, number, seed)
                yield data

    def _epoch(self, number: int, seed: int | None) -> Data:
        import keras

        arrays = self.train
        if self.each_epoch is not None:
            x = inputs.model_events(self.model, self.each_epoch(number), "x", "each_epoch")
            if keras.tree.map_structure(np.shape, x) != keras.tree.map_structure(np.shape, arrays[0]):
                raise BadInput(
                    "each_epoch gives inputs of another shape.",
                    where="training.fit",
                    next_step="Return x with the same number of events and columns.",
                )
            arrays = (x, *arrays[1:])
        order = None
        if seed is not None:
            order = np.random.default_rng([seed, number]).permutation(len(keras.tree.flatten(arrays)[0]))
        return Data(arrays, self.batch_size, self.engine, order)

    def _restore_best(self, finished: int) -> int:
        """Do what early stopping would have done at the end; return the epoch, from 1, that the model is of."""
        import keras

        for callback in self.callbacks.callbacks:
            restores = isinstance(callback, keras.callbacks.EarlyStopping) and callback.restore_best_weights
            if restores and callback.best_weights is not None and callback.best_epoch < finished:
                self.model.set_weights(callback.best_weights)
                return int(callback.best_epoch) + 1
        return finished

    def _train_epoch(self, data: Data, learning_rates: Any) -> dict[str, float]:
        self.model.reset_metrics()
        architecture.copy_state(self.model, self.engine.model)
        if self.schedule is not None:
            learning_rates = self.schedule(data.n_steps)
        if not self.by_batch:
            logs = self.engine.train(data, learning_rates)
        else:
            for i in range(data.n_steps):
                self.callbacks.on_train_batch_begin(i)
                if learning_rates is not None:
                    self.model.optimizer.learning_rate.assign(learning_rates[i])
                logs = self.engine.step("train_step", data.batch(i))
                self.callbacks.on_train_batch_end(i, logs)
                if self.model.stop_training:
                    break
        architecture.copy_state(self.engine.model, self.model)
        return self._logs(logs)

    def _evaluate(self, data: Data) -> dict[str, float]:
        self.callbacks.on_test_begin()
        self.model.reset_metrics()
        architecture.copy_state(self.model, self.engine.model)
        if not self.by_batch:
            logs = self.engine.evaluate(data)
        else:
            for i in range(data.n_steps):
                self.callbacks.on_test_batch_begin(i)
                logs = self.engine.step("test_step", data.batch(i))
                self.callbacks.on_test_batch_end(i, logs)
        architecture.copy_state(self.engine.model, self.model)
        result = self._logs(logs)
        self.callbacks.on_test_end(result)
        return result

    def _logs(self, last: Any) -> dict[str, float]:
        """Return the metrics over all batches; a ``train_step`` of the user's own may give other logs instead."""
        result = self.model.get_metrics_result()
        if self.engine.model is self.model and isinstance(last, dict) and set(last) != set(result):
            result = last
        flat: dict[str, float] = {}
        for name, value in result.items():
            flat |= value if isinstance(value, dict) else {name: value}
        return {name: float(value) for name, value in flat.items()}

    def _state(self) -> list[NDArray[Any]]:
        return [np.copy(variable.numpy()) for variable in architecture.state(self.model)]


def _engine(model: keras.Model, arrays: Any, *, share: bool) -> Engine:
    """Get the model's engine; the first batch through the model shows whether the arrays fit it."""
    import keras
    import tensorflow as tf

    example = keras.tree.map_structure(lambda a: tf.constant(a[:2]), arrays)
    try:
        return engine_for(model, example, share=share)
    except (ValueError, TypeError, tf.errors.InvalidArgumentError) as error:
        raise BadInput(
            f"The model cannot be trained with these arrays: {str(error).strip().partition(chr(10))[0]}",
            where="training.fit",
            next_step="Compare the shapes of x and y with the model's input and output, and with its loss.",
        ) from error


def _report(epoch: int, epochs: int, logs: dict[str, float], duration: str) -> str:
    """Write the line of progress after an epoch."""
    shown = [f"{name} {logs[name]:.4f}" for name in ("loss", "val_loss") if name in logs]
    return "  ".join([f"epoch {epoch}/{epochs}", *shown, duration])
