"""The search for A → Zh → ℓ⁺ℓ⁻ b b̄ with one network for all masses of A.

>>> import azh
>>> events = azh.read()  # doctest: +SKIP
"""

from azh.events import (
    BLIND_MASS,
    INPUTS,
    LUMINOSITY,
    MASSES,
    MEASURED,
    TRAINING_MASSES,
    at_mass,
    draw_masses,
    is_signal,
    read,
    split,
)
from azh.learning import arrays, fit, training_weights
from azh.limits import Limit, expected_limit, for_limit
from azh.methods import IMPROVED, PUBLISHED, Recipe, train, train_tree
from azh.parameterised import build, one_cycle
from azh.sensitivity import Value, binned_significance, histogram, identity

__all__ = [
    "BLIND_MASS",
    "IMPROVED",
    "INPUTS",
    "LUMINOSITY",
    "MASSES",
    "MEASURED",
    "PUBLISHED",
    "TRAINING_MASSES",
    "Limit",
    "Recipe",
    "Value",
    "arrays",
    "at_mass",
    "binned_significance",
    "build",
    "draw_masses",
    "expected_limit",
    "fit",
    "for_limit",
    "histogram",
    "identity",
    "is_signal",
    "one_cycle",
    "read",
    "split",
    "train",
    "train_tree",
    "training_weights",
]
