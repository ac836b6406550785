"""What makes two networks the same program: their architecture, apart from their state.

Weights, seeds, the optimizer's memory and the learning rate are state; names are chance. What is left
decides which compiled program trains a model (see `epoch`). A schedule of the learning rate is no part of it either:
the program is given the rate of each step.
"""

from __future__ import annotations

import json
import random
import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import keras


def build(model: keras.Model, example: Any) -> None:
    """Create all variables of a compiled model that Keras would create at the first batch."""
    x, y, *weight = example
    prediction = model(x)
    model.compute_loss(x, y, prediction, *weight)
    model.compute_metrics(x, y, prediction, *(weight or [None]))
    model.reset_metrics()
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)


def state(model: keras.Model) -> list[Any]:
    """Return all variables that a training changes: weights, seeds, optimizer, metrics; each once, in a fixed order."""
    optimizer = model.optimizer.variables if model.optimizer is not None else []
    metrics = [variable for metric in model.metrics for variable in metric.variables]
    return list({id(variable): variable for variable in [*model.variables, *optimizer, *metrics]}.values())


def _state_of_program(model: keras.Model, training: bool) -> list[Any]:
    """Return what a program for training, or for predicting, needs of a model; the learning rate stands apart."""
    if not training:
        return list(model.variables)
    rates = set(map(id, _optimizer_variables(model, "learning_rate")))
    return [variable for variable in state(model) if id(variable) not in rates]


def _optimizer_variables(model: keras.Model, name: str) -> list[Any]:
    """Return the optimizer's variable of a name; none where it has none, as a schedule has no learning rate."""
    return [variable for variable in model.optimizer.variables if variable.name == name]


def schedule(model: keras.Model) -> Callable[[int], NDArray[np.float32]] | None:
    """Return what gives the learning rates of the next steps, of which there are ``n_steps``.

    None if the optimizer has no schedule but a number.
    """
    import keras
    import tensorflow as tf

    config = model.optimizer.get_config().get("learning_rate")
    if not isinstance(config, dict):
        return None
    of_step = keras.optimizers.schedules.deserialize(config)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)], autograph=False)
    def of_steps(steps: Any) -> Any:
        return tf.map_fn(lambda step: tf.cast(of_step(step), tf.float32), steps, fn_output_signature=tf.float32)

    # Not `optimizer.iterations`, which counts fewer where gradients are accumulated.
    (iteration,) = _optimizer_variables(model, "iteration")
    return lambda n_steps: np.asarray(of_steps(tf.range(n_steps) + tf.cast(iteration.value, tf.int32)))


def shapes(model: keras.Model, training: bool) -> list[Any]:
    """Return shape and type of each variable that a training changes, or that a prediction depends on."""
    return [(list(v.shape), str(v.dtype)) for v in _state_of_program(model, training)]


def copy_state(source: keras.Model, target: keras.Model, *, training: bool = True) -> None:
    """Make the state of ``target`` that of ``source``, a model of the same architecture.

    ``training=False`` copies only what a prediction depends on.
    """
    if source is target:
        return
    pairs = list(zip(_state_of_program(source, training), _state_of_program(target, training), strict=True))
    if training:
        rates = (_optimizer_variables(end, "learning_rate") for end in (source, target))
        pairs += zip(*rates, strict=False)  # a schedule has none
    for ours, theirs in pairs:
        # The TensorFlow variables themselves: Keras' own assignment costs three times as much.
        theirs.value.assign(ours.value, read_value=False)
    for layer in normalisations(target):
        layer.finalize_state()


def copy(model: keras.Model, training: bool) -> keras.Model | None:
    """Make a model of the same architecture, or return None if that cannot be done."""
    # Unseeded layers of the copy draw from Python's generator, which belongs to the user.
    generator = random.getstate()
    try:
        twin = type(model).from_config(model.get_config())
        if training:
            twin.compile_from_config(_compilation(model))
    except (ValueError, TypeError, KeyError):
        return None
    finally:
        random.setstate(generator)
    return twin


def normalisations(model: keras.Model) -> Iterator[Any]:
    """All Normalization layers that were adapted, in nested models too."""
    import keras

    for layer in getattr(model, "layers", ()):
        if isinstance(layer, keras.layers.Normalization) and layer.built and layer.input_mean is None:
            yield layer
        yield from normalisations(layer)


def describe(model: keras.Model, training: bool) -> str | None:
    """Describe all of a model but its state, or return None if its configuration does not tell all."""
    kind = type(model)
    if not kind.__module__.startswith("keras.") or kind.__name__ not in ("Sequential", "Functional") or not model.built:
        return None
    if len(model.inputs) != 1 or len(model.outputs) != 1 or _has_vocabulary(model):
        return None
    try:
        with warnings.catch_warnings():
            # Keras warns of lambdas, which nobody is going to save here.
            warnings.simplefilter("ignore")
            compilation = _compilation(model) if training else None
        config = [type(model).__name__, model.get_config(), compilation]
        return json.dumps([_anonymous(config, {}), shapes(model, training)], sort_keys=True)
    except (_Unshareable, TypeError, ValueError, NotImplementedError):
        return None


class _Unshareable(Exception):
    """A configuration that holds code."""


def _compilation(model: keras.Model) -> dict[str, Any]:
    """Return how a model is compiled, with a number in place of a schedule of the learning rate."""
    config: dict[str, Any] = model.get_compile_config()
    optimizer = config["optimizer"]
    settings = optimizer["config"] if isinstance(optimizer, dict) else {}
    if not isinstance(settings.get("learning_rate"), dict):
        return config
    _anonymous(settings["learning_rate"], {})  # refuses code
    return config | {"optimizer": optimizer | {"config": settings | {"learning_rate": 0.0}}}


def _has_vocabulary(model: keras.Model) -> bool:
    """Whether a layer keeps learned state outside of its variables, as lookup and bucketing layers do."""
    import keras

    return any(
        (hasattr(layer, "adapt") and not isinstance(layer, keras.layers.Normalization)) or _has_vocabulary(layer)
        for layer in getattr(model, "layers", ())
    )


def _anonymous(config: Any, names: dict[str, str]) -> Any:
    """Drop from a configuration what is state or chance: names, seeds, initial weights, the learning rate."""
    if isinstance(config, (list, tuple)):
        return [_anonymous(item, names) for item in config]
    if not isinstance(config, dict):
        return config
    if config.get("class_name") == "DTypePolicy":
        return config
    module, registered = config.get("module"), config.get("registered_name")
    own_code = isinstance(module, str) and not module.startswith("keras")
    if (
        own_code
        or registered not in (None, config.get("class_name"))
        or config.get("class_name") in ("Lambda", "__lambda__")
    ):
        raise _Unshareable
    anonymous = {}
    for key, value in config.items():
        if key == "seed" or key.endswith("initializer"):
            continue
        if key == "name" and isinstance(value, str):
            value = names.setdefault(value, f"name{len(names)}")
        elif key == "keras_history":
            value = [names.setdefault(value[0], f"name{len(names)}"), *value[1:]]
        elif key in ("input_layers", "output_layers"):
            value = _renamed(value, names)
        elif key == "learning_rate" and isinstance(value, float):
            continue
        elif key == "build_config" and isinstance(value, dict) and _is_shape(value.get("input_shape")):
            # A Normalization remembers here with how many events it was adapted.
            value = {**value, "input_shape": [None, *value["input_shape"][1:]]}
        else:
            value = _anonymous(value, names)
        anonymous[key] = value
    return anonymous


def _is_shape(value: Any) -> bool:
    """Whether this is the shape of one array, and not a list of several."""
    return isinstance(value, (list, tuple)) and all(size is None or isinstance(size, int) for size in value)


def _renamed(config: Any, names: dict[str, str]) -> Any:
    """Replace the names in a list of layer references."""
    if isinstance(config, (list, tuple)):
        return [_renamed(item, names) for item in config]
    return names.setdefault(config, f"name{len(names)}") if isinstance(config, str) else config
