"""An epoch of the search for A → Zh against the plain PyTorch loop of the original, and against its arithmetic."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from benchmarks.made_up import FULL, Sizes
from benchmarks.timing import Result, seconds

BATCH, WIDTHS = 500, (20, 50, 50, 1)
EPOCHS = 10
"""Of a training that is timed: it has many, and what it does once (checks, the first order) belongs to all of them."""
TRAIN, VALIDATION = 1_500_000, 500_000
"""Events at full size: two million in all."""


def run(sizes: Sizes) -> dict[str, Result]:
    """Time an epoch with its validation; the comparison with PyTorch where that is installed."""
    import keras

    from labcourse import training

    share = sizes.train / FULL.train
    train, validation = (events(round(n * share), seed) for seed, n in enumerate((TRAIN, VALIDATION)))
    inputs = keras.Input((WIDTHS[0],))
    hidden = keras.layers.Dense(WIDTHS[1], "relu")(inputs)
    hidden = keras.layers.Dense(WIDTHS[2], "relu")(hidden)
    model = keras.Model(inputs, keras.layers.Dense(1, "sigmoid")(hidden))
    model.compile(optimizer=keras.optimizers.SGD(0.14, momentum=0.7, nesterov=True), loss="binary_crossentropy")
    masses = np.linspace(-1, 1, 13, dtype=np.float32)

    def draw(epoch: int) -> NDArray[np.float32]:
        x, y, _ = train
        x[y == 0, -1] = np.random.default_rng(epoch).choice(masses, int((y == 0).sum()))
        return x

    def ours(epochs: int = 1) -> None:
        training.fit(
            model,
            *train,
            validation_data=validation,
            epochs=epochs,
            batch_size=BATCH,
            each_epoch=draw,
            progress=False,
        )

    def against(epoch: Callable[[], None], what: str) -> Result:
        epoch()
        pairs = [(seconds(lambda: ours(EPOCHS)) / EPOCHS, seconds(epoch)) for _ in range(sizes.rounds)]
        return Result.of(*map(list, zip(*pairs, strict=True)), note=f"one of {EPOCHS} epochs; plain: {what}")

    ours()  # compiles
    found = {}
    if importlib.util.find_spec("torch"):
        found["parameterised"] = against(plain(train, validation), "PyTorch, slices of shuffled arrays")
        found["parameterised_loader"] = against(with_loader(train, validation), "PyTorch, TensorDataset and DataLoader")
    products = partial(matrix_products, len(train[0]), len(validation[0]))
    found["parameterised_products"] = against(products, "its matrix products alone")
    return found


def events(n: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Return 20 standardised inputs, labels and weights."""
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < 0.2).astype(np.float32)
    x = rng.normal(size=(n, WIDTHS[0])).astype(np.float32) + 0.3 * y[:, None]
    return x, y, rng.uniform(0.5, 1.5, n).astype(np.float32)


def plain(train, validation):
    """Return an epoch as the original wrote it: shuffle all arrays, slice batches, evaluate all validation events."""
    import torch

    x, y, w = (torch.from_numpy(array) for array in train)

    def batches():
        order = torch.randperm(len(x))
        shuffled = x[order], y[order], w[order]
        for begin in range(0, len(x), BATCH):
            yield (part[begin : begin + BATCH] for part in shuffled)

    return torch_epoch(batches, validation)


def with_loader(train, validation):
    """Return an epoch as PyTorch's own tutorials write it."""
    from torch import from_numpy
    from torch.utils.data import DataLoader, TensorDataset

    loader = DataLoader(TensorDataset(*map(from_numpy, train)), BATCH, shuffle=True)
    return torch_epoch(lambda: loader, validation)


def torch_epoch(batches, validation):
    """Return one epoch over the batches of a PyTorch network, and its validation in one go."""
    import torch

    layers = [part for i, o in pairwise(WIDTHS) for part in (torch.nn.Linear(i, o), torch.nn.ReLU())]
    network = torch.nn.Sequential(*layers[:-1], torch.nn.Sigmoid())
    optimizer = torch.optim.SGD(network.parameters(), lr=0.14, momentum=0.7, nesterov=True)
    x_val, y_val, w_val = (torch.from_numpy(array) for array in validation)

    def epoch() -> None:
        for a, b, c in batches():
            optimizer.zero_grad()
            torch.nn.BCELoss(weight=c)(network(a)[:, 0], b).backward()
            optimizer.step()
        with torch.no_grad():
            torch.nn.BCELoss(weight=w_val)(network(x_val)[:, 0], y_val).item()

    return epoch


def matrix_products(n_train: int, n_validation: int) -> None:
    """Multiply what an epoch multiplies, and do nothing else."""
    rng = np.random.default_rng(0)
    w = [rng.normal(size=shape).astype(np.float32) for shape in pairwise(WIDTHS)]
    a = [rng.normal(size=(BATCH, n)).astype(np.float32) for n in WIDTHS]
    for step in range(-(-n_train // BATCH) + -(-n_validation // BATCH)):
        for i in range(3):
            np.matmul(a[i], w[i])
        if step * BATCH < n_train:
            for i in (2, 1, 0):
                np.matmul(a[i].T, a[i + 1])
                if i:
                    np.matmul(a[i + 1], w[i].T)
