"""Check what is handed to a training before anything is computed with it.

A NaN in the input turns every weight of a network to NaN without a word, and arrays of unfitting shapes
are broadcast into nonsense, so both are refused here, by name.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from labcourse.errors import BadInput

if TYPE_CHECKING:
    import keras

_BATCH_HOOKS = [f"on_{phase}batch_{end}" for phase in ("", "train_", "test_") for end in ("begin", "end")]


def check_backend(where: str) -> None:
    """Raise `BadInput` unless Keras computes with TensorFlow."""
    import keras

    if keras.backend.backend() != "tensorflow":
        raise BadInput(
            f"Keras runs on {keras.backend.backend()}; the course needs TensorFlow.",
            where=where,
            next_step="Unset the environment variable KERAS_BACKEND and restart the kernel.",
        )


def check_model(model: keras.Model, where: str) -> None:
    """Raise `BadInput` unless the model is compiled and has something to train."""
    check_backend(where)
    if not getattr(model, "compiled", False) or getattr(model, "optimizer", None) is None:
        raise BadInput(
            "The model has no loss and optimizer yet.",
            where=where,
            next_step="Call model.compile(...) first, or make the model with network.build.",
        )


def check_count(value: int, name: str, where: str) -> None:
    """Raise `BadInput` unless ``value`` is a whole number of at least one."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise BadInput(f"{name} is {value!r}.", where=where, next_step=f"Use a whole number of at least 1 for {name}.")


def callbacks(given: Any, where: str) -> Iterable[keras.callbacks.Callback]:
    """Return the callbacks one by one; raise `BadInput` for anything else."""
    import keras

    if given is None:
        return
    for callback in [given] if isinstance(given, keras.callbacks.Callback) else given:
        if not isinstance(callback, keras.callbacks.Callback):
            raise BadInput(
                f"{callback!r} is not a Keras callback.",
                where=where,
                next_step="Pass callbacks=[keras.callbacks.EarlyStopping(...)], with brackets after the name.",
            )
        yield callback


def acts_on_batches(callback: keras.callbacks.Callback) -> bool:
    """Whether a callback has something to do before or after each batch."""
    import keras

    if isinstance(callback, (keras.callbacks.ModelCheckpoint, keras.callbacks.BackupAndRestore)):
        return bool(callback.save_freq != "epoch")
    default = keras.callbacks.Callback
    return any(getattr(getattr(callback, h), "__func__", None) is not getattr(default, h) for h in _BATCH_HOOKS)


def training_arrays(model: keras.Model, x: Any, y: Any, weight: Any = None, *, where: str, prefix: str = "") -> Any:
    """Return ``(x, y)`` or ``(x, y, weight)`` as arrays that fit the model and each other.

    ``prefix`` is put before the names of the arrays in messages, for instance ``"validation "``.
    """
    x = model_events(model, x, f"{prefix}x", where)
    n_events = length(x, f"{prefix}x", where)
    y = events(y, f"{prefix}y", where, layers=getattr(model, "outputs", None))
    _check_labels(model, y, f"{prefix}y", where)
    arrays: tuple[Any, ...] = (x, y)
    if weight is not None:
        weight = events(weight, f"{prefix}sample_weight", where)
        for array in _flat(weight):
            if array.ndim != 1:
                raise BadInput(
                    f"{prefix}sample_weight has shape {array.shape}. Expected one number an event, ({n_events},).",
                    where=where,
                    next_step="Pass a one-dimensional array; .ravel() makes one of a column.",
                )
            if not array.any():
                raise BadInput(
                    f"All {prefix}weights are zero.", where=where, next_step="Nothing could be learned: look at them."
                )
        arrays = (x, y, weight)
    for array_name, values in zip(("x", "y", "sample_weight"), arrays, strict=False):
        if length(values, prefix + array_name, where) != n_events:
            raise BadInput(
                f"{prefix}x holds {n_events} events, {prefix}{array_name} {length(values, array_name, where)}.",
                where=where,
                next_step="Both must come from the same events, in the same order.",
            )
    return arrays


def events(values: Any, name: str, where: str, *, layers: Any = None, allow_empty: bool = False) -> Any:
    """Return an array, or the structure of arrays, of finite numbers; floating-point ones in float32.

    ``layers`` are the inputs or outputs of a model that the arrays belong to, where they are known. If there
    is one, a list is one array, not a list of arrays.
    """
    import keras

    is_structure = isinstance(values, dict) or (
        isinstance(values, (list, tuple)) and len(values) > 0 and np.ndim(values[0]) > 0 and hasattr(values[0], "shape")
    )
    if is_structure and (layers is None or len(layers) > 1 or isinstance(values, dict)):
        arrays = keras.tree.map_structure(lambda a: _array(a, name, where), values)
    else:
        arrays = _array(values, name, where)
    if not allow_empty and length(arrays, name, where) == 0:
        raise BadInput(f"{name} holds no events.", where=where, next_step="Check the selection that made it.")
    return arrays


def model_events(model: keras.Model, x: Any, name: str, where: str, *, allow_empty: bool = False) -> Any:
    """Return the inputs of a model as `events` does, after checking their shapes."""
    layers = getattr(model, "inputs", None)
    arrays = events(x, name, where, layers=layers, allow_empty=allow_empty)
    if layers is not None and not isinstance(arrays, dict):
        for array, expected in zip(_flat(arrays), layers, strict=False):
            _check_input_shape(array, tuple(expected.shape), name, where)
    return arrays


def length(arrays: Any, name: str, where: str) -> int:
    """Return the common number of events of a structure of arrays."""
    lengths = {len(array) for array in _flat(arrays)}
    if len(lengths) != 1:
        raise BadInput(
            f"The arrays of {name} hold {sorted(lengths)} events.", where=where, next_step="Make them equal."
        )
    return lengths.pop()


def _array(values: Any, name: str, where: str) -> NDArray[Any]:
    import keras

    try:
        array = np.asarray(values)
    except ValueError as error:
        raise BadInput(
            f"{name} is no array: {error}.", where=where, next_step="All rows need the same length."
        ) from error
    if array.dtype.kind not in "fiub" or array.ndim == 0:
        raise BadInput(
            f"{name} is an array of {array.dtype}, shape {array.shape}. Expected numbers, one row an event.",
            where=where,
            next_step="Convert it with np.asarray(..., dtype=np.float32); leave out columns of text.",
        )
    if array.dtype.kind in "fb":
        with np.errstate(over="ignore"):
            converted = array.astype(keras.config.floatx(), copy=False)
        if not np.isfinite(converted).all():
            bad = np.argwhere(~np.isfinite(converted))
            value = array[tuple(bad[0])]
            place = f"row {bad[0][0]}" + (f", column {bad[0][1]}" if array.ndim > 1 else "")
            what = str(value) if not np.isfinite(value) else f"{value}, too large for float32,"
            raise BadInput(
                f"{name} holds {what} in {place} ({len(np.unique(bad[:, 0]))} of {len(array)} events are affected).",
                where=where,
                next_step="Drop or repair those events: training on them would make every weight NaN.",
            )
        array = converted
    return array


def _check_input_shape(array: NDArray[Any], expected: tuple[int | None, ...], name: str, where: str) -> None:
    fits = array.ndim == len(expected) and all(
        e in (None, a) for a, e in zip(array.shape[1:], expected[1:], strict=True)
    )
    # Keras itself gives events of one input their second axis.
    if not fits and not (array.ndim == 1 and expected[1:] == (1,)):
        wanted = ", ".join("any" if e is None else str(e) for e in ("n_events", *expected[1:]))
        raise BadInput(
            f"{name} has shape {array.shape}. The model expects ({wanted}).",
            where=where,
            next_step="Pass as many columns as the network has inputs, in the order it was trained with.",
        )


def _check_labels(model: keras.Model, y: Any, name: str, where: str) -> None:
    outputs = getattr(model, "outputs", None)
    if not isinstance(y, np.ndarray) or not outputs or len(outputs) != 1:
        return
    shape = tuple(outputs[0].shape)
    # A label may be one number (a class) where the model has several outputs, but not the reverse.
    if y.ndim == len(shape) and y.ndim > 1 and None not in shape[1:] and y.shape[-1] not in (1, shape[-1]):
        raise BadInput(
            f"{name} has shape {y.shape}. The model gives ({', '.join(['n_events', *map(str, shape[1:])])}).",
            where=where,
            next_step="Pass one label an event and output.",
        )


def _flat(arrays: Any) -> list[NDArray[Any]]:
    import keras

    return list(keras.tree.flatten(arrays))
