"""The search for A → Zh → ℓ⁺ℓ⁻ b b̄ with one network for all masses of A.

>>> import azh
>>> parts = azh.split(azh.read())  # doctest: +SKIP
>>> trained = azh.train(parts, azh.IMPROVED)  # doctest: +SKIP
"""

from azh.events import INPUTS, MASSES, read, split
from azh.methods import IMPROVED, PUBLISHED, Recipe, train, train_tree

__all__ = ["IMPROVED", "INPUTS", "MASSES", "PUBLISHED", "Recipe", "read", "split", "train", "train_tree"]
