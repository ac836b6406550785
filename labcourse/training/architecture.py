"""What makes two networks the same program: their architecture, apart from their state.

Weights, seeds, the optimizer's memory and the learning rate are state; names are chance. What is left
decides which compiled program trains a model (see `epoch`).
"""

from __future__ import annotations

import json
import random
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

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


def shapes(model: keras.Model, training: bool) -> list[Any]:
    """Return shape and type of each variable that a training changes, or that a prediction depends on."""
    return [(list(v.shape), str(v.dtype)) for v in (state(model) if training else model.variables)]


def copy_state(source: keras.Model, target: keras.Model, *, training: bool = True) -> None:
    """Make the state of ``target`` that of ``source``, a model of the same architecture.

    ``training=False`` copies only what a prediction depends on.
    """
    if source is target:
        return
    pairs = (
        zip(state(source), state(target), strict=True)
        if training
        else zip(source.variables, target.variables, strict=True)
    )
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
            twin.compile_from_config(model.get_compile_config())
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
            compilation = model.get_compile_config() if training else None
        config = [type(model).__name__, model.get_config(), compilation]
        return json.dumps([_anonymous(config, {}), shapes(model, training)], sort_keys=True)
    except (_Unshareable, TypeError, ValueError, NotImplementedError):
        return None


class _Unshareable(Exception):
    """A configuration that holds code."""


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
