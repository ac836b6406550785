"""`training.fit` against `model.fit` on a shuffled, batched dataset."""

from __future__ import annotations

import numpy as np

from benchmarks.made_up import Sizes, transverse_momenta
from benchmarks.timing import Result, compare, seconds

BATCH = 128
OURS = 4
"""Our epochs are timed in fours, as a part of a training; one of the plain ones is long enough."""


def run(sizes: Sizes) -> dict[str, Result]:
    """Time an epoch with its validation, and the arithmetic in it."""
    import keras
    import tensorflow as tf

    from labcourse import network, training

    x, y, weight = transverse_momenta(sizes.train, seed=1)
    validation = transverse_momenta(sizes.validation, seed=2)

    def model() -> keras.Model:
        return network.build(4, normalise=x, seed=1)

    dataset = tf.data.Dataset.from_tensor_slices((x, y, weight)).shuffle(sizes.train).batch(BATCH)
    validation_dataset = tf.data.Dataset.from_tensor_slices(validation).batch(BATCH)
    theirs, ours = model(), model()

    def plain_epoch() -> None:
        theirs.fit(dataset, validation_data=validation_dataset, epochs=1, shuffle=False, verbose=0)

    def our_epochs(epochs: int = OURS) -> None:
        training.fit(ours, x, y, weight, validation_data=validation, epochs=epochs, batch_size=BATCH, progress=False)

    # Tracing and compiling happen once a session and are not part of an epoch.
    theirs.fit(dataset.take(2), validation_data=validation_dataset.take(2), shuffle=False, verbose=0)
    compiling = seconds(lambda: our_epochs(1))
    epoch = per_epoch(compare(our_epochs, plain_epoch, rounds=sizes.rounds))
    epoch = epoch._replace(note=f"an epoch; compiled once in {max(compiling - epoch.ours_s, 0):.1f} s")
    products = per_epoch(compare(our_epochs, lambda: matrix_products(sizes), rounds=2 * sizes.rounds + 1))
    products = products._replace(note="an epoch; plain: its matrix products alone")
    return {"fit": epoch, "products": products}


def per_epoch(result: Result) -> Result:
    """Divide our time by the number of epochs in it."""
    return result._replace(ratio=result.ratio * OURS, spread=result.spread * OURS, ours_s=result.ours_s / OURS)


def matrix_products(sizes: Sizes) -> None:
    """Multiply what an epoch of a 4-60-60-1 network multiplies, and do nothing else."""
    rng = np.random.default_rng(0)
    shapes = [(4, 60), (60, 60), (60, 1)]
    w = [rng.normal(size=shape).astype(np.float32) for shape in shapes]
    activations = [rng.normal(size=(BATCH, n)).astype(np.float32) for n in (4, 60, 60, 1)]
    for _ in range(-(-sizes.train // BATCH)):
        for i in range(3):
            np.matmul(activations[i], w[i])
        for i in (2, 1, 0):
            np.matmul(activations[i].T, activations[i + 1])
            if i:
                np.matmul(activations[i + 1], w[i].T)
    for _ in range(-(-sizes.validation // BATCH)):
        for i in range(3):
            np.matmul(activations[i], w[i])
