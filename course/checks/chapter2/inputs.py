"""Exercises 2.3 to 2.5: what a network gets of the events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from course.checks import crafted
from course.checks.report import Report, exercise
from labcourse import features, samples

__all__ = ["exercise_2_3", "exercise_2_4", "exercise_2_5"]

Array = NDArray[np.float64]


def _arrays(events: pd.DataFrame, columns: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The course's own answer to exercise 2.3."""
    return features.arrays(events, columns)[:2]


@exercise("2.3", fallback=_arrays)
def exercise_2_3(answer: Any, report: Report) -> None:
    """From the event table to the input array and the labels."""
    names = [*samples.SIMULATED, "llll", "ggH125_ZZ4lep"]
    rng = np.random.default_rng(23)
    columns = ["lep3_pt", "lep1_pt", "lep2_pt"]
    values = {name: rng.uniform(-40, 90, len(names)).tolist() for name in [*sorted(columns), "m_llll"]}
    events = crafted.weighted(names, rng.normal(0.0, 1.0, len(names)).tolist(), **values)
    parts = report.parts(answer(events, columns), "x, y")
    if parts is None:
        return
    x, y = parts
    if not report.holds(
        isinstance(x, np.ndarray) and isinstance(y, np.ndarray),
        "both are NumPy arrays",
        hint="end with .to_numpy() of the columns",
    ):
        return
    size = len(events)
    right = np.array([name in samples.SIGNAL for name in names], float)
    wanted = np.column_stack([values[name] for name in columns])
    if y.dtype.kind in "OU":
        report.wrong("y holds names", "a network takes numbers: 1 where the sample is in samples.SIGNAL, else 0")
        return
    if y.dtype == bool:
        report.wrong("y holds True and False", "turn them into the numbers 1 and 0: .astype(np.float32)")
        return
    if report.recognises(
        x,
        (wanted.T, "the input array lies on its side", "one row per event: shape (n_events, n_columns)"),
        (wanted[:, 0], "x holds one variable only", "events[columns] selects several columns at once"),
        (
            wanted[:, [1, 2, 0]],
            "the columns are sorted",
            "take them in the order in which they are listed: events[columns]",
        ),
        (wanted[:, ::-1], "the columns are in reverse order", "take them as listed: events[columns]"),
        ((wanted - wanted.mean(0)) / wanted.std(0), "x is standardised already", "that comes later, in section 2.3"),
        right=wanted,
    ) | report.recognises(
        y,
        (right[:, None], "y has a second dimension", "one number per event: shape (n_events,)"),
        (1 - right, "signal and background are swapped", "1 is signal, 0 is background"),
        (2 * right - 1, "background has the label −1", "1 is signal, 0 is background"),
        (
            (np.array(names) == "ggH125_ZZ4lep").astype(float),
            "only one of the signal samples counts as signal",
            "all samples in samples.SIGNAL are signal",
        ),
        right=right,
    ):
        return
    if not report.holds(
        x.shape == (size, len(columns)),
        "x has one row per event and one column per variable",
        hint="events[columns] selects several columns at once",
    ):
        return
    report.holds(
        np.array_equal(y, right), "y is 1 for the four Higgs samples, else 0", hint="is its name among samples.SIGNAL?"
    )
    report.holds(np.allclose(x, wanted), "x holds the columns asked for, in their order", hint="events[columns]")
    report.also(
        x.dtype == np.float32 and y.dtype == np.float32,
        "both are float32, the type that networks compute with",
        hint=".to_numpy(np.float32), or .astype(np.float32)",
    )
    twice, two = pd.concat([events, events]), ["m_llll", "lep2_pt"]
    report.agrees(answer, _arrays, (twice, two), hint="use the arguments events and columns")


def _batches(n_events: int, batch_size: int) -> tuple[int, int]:
    """The course's own answer to exercise 2.4."""
    n_batches = -(-n_events // batch_size)
    return n_batches, n_events - (n_batches - 1) * batch_size


@exercise("2.4", fallback=_batches)
def exercise_2_4(answer: Any, report: Report) -> None:
    """The number of batches in an epoch, and the size of the last one."""
    cases = (1000, 128), (256, 128), (100, 128), (150, 128)
    if report.parts(answer(*cases[0]), "n_batches, last_size") is None:
        return
    results = [answer(*case) for case in cases]

    def of(wrong: Callable[[int, int], Any]) -> list[Any]:
        return [wrong(*case) for case in cases]

    full = "the last, partial batch is left out", "7 × 128 = 896 events: 104 still have to be trained on"
    if report.recognises(
        [result[0] for result in results],
        (of(lambda n, size: n // size), *full),
        (of(lambda n, size: n / size), "this is a fraction of a batch", "round up to a whole number"),
        (of(lambda n, size: round(n / size)), "the number of batches is rounded", "round up: no event is left out"),
        (
            of(lambda n, size: n // size + 1),
            "there is an empty batch at the end",
            "256 events make exactly two full batches of 128",
        ),
        (of(lambda n, size: _batches(n, size)[1]), "the two numbers are in the wrong order", "the number comes first"),
        right=of(lambda n, size: _batches(n, size)[0]),
    ) or report.recognises(
        [result[1] for result in results],
        (
            of(lambda n, size: n % size),
            "the last batch is empty where all are full",
            "256 events: the remainder is 0, but the last of the two batches holds 128",
        ),
        (of(lambda n, size: size), "the last batch always counts as full", "1000 = 7 × 128 + 104"),
        (of(lambda n, size: size - n % size), "this is what the last batch lacks", "we ask for what is in it"),
        right=of(lambda n, size: _batches(n, size)[1]),
    ):
        return
    for (n, size), result, what in zip(
        cases,
        results,
        (
            "8 batches, the last with 104 events",
            "2 batches, both full",
            "one batch that holds all",
            "2 batches, the last with 22",
        ),
        strict=True,
    ):
        report.also(tuple(result) == _batches(n, size), f"{n} events: {what}", hint=f"in batches of {size}")
    report.also(
        lambda: all(isinstance(number, (int, np.integer)) for result in results for number in result),
        "both are whole numbers",
        hint="int(np.ceil(…)) rounds up to a whole number; // divides and rounds down",
    )
    others = (90, 30), (1000, 300), (7, 1), (5, 8), (10001, 10000)
    report.agrees(answer, _batches, *others, hint="use the argument batch_size", relative=1e-9)


def _standardise(x: Array, reference: Array) -> Array:
    """The course's own answer to exercise 2.5."""
    return (x - reference.mean(axis=0)) / reference.std(axis=0)


@exercise("2.5", fallback=_standardise)
def exercise_2_5(answer: Any, report: Report) -> None:
    """Standardised inputs, with mean and width of the training events."""
    rng = np.random.default_rng(25)
    reference = rng.normal([60.0, 40.0, 5.0], [20.0, 10.0, 0.5], (500, 3))
    x = rng.normal([80.0, 35.0, 6.0], [30.0, 5.0, 1.0], (200, 3))
    given = x, reference
    right = _standardise(*given)
    result = np.asarray(answer(*given), float)
    if report.recognises(
        result,
        (lambda x, r: (x - r.mean()) / r.std(), "all columns share one mean", "take mean and std over axis=0"),
        (
            lambda x, r: (x - r.mean()) / r.std(axis=0),
            "the mean of all columns together is subtracted",
            "each column has a mean of its own: .mean(axis=0)",
        ),
        (
            lambda x, r: (x - r.mean(axis=0)) / r.std(),
            "all columns are divided by one width",
            "each column has a standard deviation of its own: .std(axis=0)",
        ),
        (
            lambda x, r: (x - x.mean(axis=0)) / r.std(axis=0),
            "the mean is that of x itself",
            "take it from `reference`, as the width",
        ),
        (
            lambda x, r: (x - r.mean(axis=0)) / x.std(axis=0),
            "the width is that of x itself",
            "take it from `reference`, as the mean",
        ),
        (lambda x, r: _standardise(x, x), "mean and width are those of x itself", "take both from `reference`"),
        (lambda x, r: _standardise(r, r), "this is the reference, and not x", "move x, with the numbers of reference"),
        (
            lambda x, r: (x - r.mean(axis=0)) / r.var(axis=0),
            "this divides by the variance",
            "the width is the standard deviation, the root of the variance",
        ),
        (lambda x, r: x - r.mean(axis=0), "the widths are left", "divide by the standard deviation"),
        (lambda x, r: x / r.std(axis=0), "the mean is left", "subtract the mean first"),
        (
            lambda x, r: x - r.mean(axis=0) / r.std(axis=0),
            "the division comes before the subtraction",
            "put brackets around the difference",
        ),
        (
            lambda x, r: (x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, keepdims=True),
            "the mean is taken over the columns of each event",
            "each input has a mean of its own, over all events: axis=0",
        ),
        (
            lambda x, r: (x - r.min(axis=0)) / (r.max(axis=0) - r.min(axis=0)),
            "the range is scaled to 0 … 1",
            "one extreme event would squeeze all others: use mean and standard deviation",
        ),
        given=given,
        right=right,
    ):
        return
    if not report.holds(result.shape == x.shape, "keeps the shape", hint="(x − mean) / width, column by column"):
        return
    own = np.asarray(answer(reference, reference), float)
    report.also(
        np.allclose(own.mean(axis=0), 0, atol=1e-3),
        "the reference itself gets mean 0 in every column",
        hint="what is subtracted is to be the mean of that column: reference.mean(axis=0)",
    )
    # n and n − 1 in the denominator of the standard deviation are both in use.
    report.also(
        np.allclose(own.std(axis=0), 1, atol=0.002),
        "the reference itself gets width 1 in every column",
        hint="divide by the standard deviation of that column: reference.std(axis=0)",
    )
    report.also(
        np.allclose(result, right, rtol=0.002, atol=0.002),
        "other events are moved and scaled by the same numbers",
        hint="use x once, and nowhere but in the difference",
    )
    wide, few = rng.normal(3.0, 2.0, (30, 5)), rng.normal(3.0, 2.0, (600, 5))
    hint = "mean and std over axis=0 treat all columns at once, however many there are"
    report.agrees(answer, _standardise, (wide, few), hint=hint, relative=0.002)
