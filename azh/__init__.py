"""The search for A → Zh → ℓ⁺ℓ⁻ b b̄ with one network for all masses of A.

>>> import azh
>>> events = azh.read()  # doctest: +SKIP
>>> trained = azh.train(azh.split(events), azh.IMPROVED)  # doctest: +SKIP
"""

from azh.events import INPUTS, MASSES, in_first_half, read, read_sealed, split
from azh.methods import IMPROVED, Recipe, cross, train, train_tree
from azh.sensitivity import significances
from azh.templates import Search

__all__ = [
    "IMPROVED",
    "INPUTS",
    "MASSES",
    "Recipe",
    "Search",
    "cross",
    "in_first_half",
    "read",
    "read_sealed",
    "significances",
    "split",
    "train",
    "train_tree",
]
