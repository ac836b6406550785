"""Train and apply networks fast, with the results of `model.fit` and `model.predict`.

Outside use goes through the functions named here (`recipes`). Inside, a `session` is one training with its
callbacks, an `epoch` the compiled program that runs all batches, and `architecture` says which models share one.
"""

from labcourse.training.recipes import cycle, fit, one_cycle, predict

__all__ = ["cycle", "fit", "one_cycle", "predict"]
