"""Checks of the project: one network for every mass."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from course.checks.compare import alike
from course.checks.report import Report, exercise
from labcourse import significance

__all__ = ["exercise_9_1", "exercise_9_2", "exercise_9_4", "exercise_9_5", "exercise_9_6"]


def _binned(signal: Any, background: Any) -> float:
    """The course's own answer to exercise 9.5."""
    s, b = np.asarray(signal) / np.sum(signal), np.asarray(background) / np.sum(background)
    return float(np.sqrt(np.sum(2 * ((s + b) * np.log(1 + s / b) - s))))


@exercise("9.5", fallback=_binned)
def exercise_9_5(answer: Any, report: Report) -> None:
    """The significance of a histogram."""
    given = np.array([3.0, 6.0, 1.0]), np.array([30.0, 10.0, 60.0])
    s, b = given[0] / 10, given[1] / 100
    z = significance.asimov(s, b)
    result = report.number(answer(*given), "return one number")
    if result is None:
        return
    if report.recognises(
        result,
        (float(z.sum()), "the bins are added", "independent significances add in quadrature"),
        (float((z**2).sum()), "the root is missing", "take √ of the sum"),
        (float(np.sqrt((s**2 / b).sum())), "this is s/√b in each bin", "use the formula of Asimov"),
        (
            float(np.sqrt((significance.asimov(*given) ** 2).sum())),
            "the yields are not normalised",
            "divide each histogram by its sum first",
        ),
        (float(np.sqrt((z**2).mean())), "this is a mean over the bins", "add the squares, do not average them"),
        (
            float(significance.asimov(1.0, 1.0)),
            "the bins are summed first",
            "one significance a bin, then their squares",
        ),
        (float(np.sqrt((z**2).sum() / 2)), "the factor 2 is missing", "2 [(s + b) ln(1 + s/b) − s]"),
    ):
        return
    report.close(result, _binned(*given), "the squares of the bins are added", hint="√Σ 2 [(s + b) ln(1 + s/b) − s]")
    report.also(
        lambda: alike(answer(given[0] * 0.7, given[1] * 0.37), _binned(*given)),
        "yields do not matter, shapes do",
        hint="divide signal and background by their own sums",
    )
    report.also(
        lambda: alike(answer(np.array([0.0, 1.0]), np.array([3.0, 1.0])), _binned([0.0, 1.0], [3.0, 1.0])),
        "a bin without signal contributes nothing",
        hint="no special case is needed: the formula gives 0 for s = 0",
    )


def _ratio(points: Any) -> float:
    return float(points["parameterised"] / points["single"])


@exercise("9.6", make_fallback=lambda points: _ratio(points))
def exercise_9_6(answer: Any, report: Report, points: Any) -> None:
    """How well the network does at a mass that it has never seen."""
    report.reading(
        answer,
        _ratio(points),
        "the significance at the blind mass, relative to that of a network trained there",
        (points["single"] / points["parameterised"], "this is the inverse", "divide by the network of the single mass"),
        (
            points["parameterised"] - points["single"],
            "this is the difference",
            "divide the one significance by the other",
        ),
        (points["parameterised"], "this is the significance itself", "divide it by that of the single-mass network"),
        (100 * _ratio(points), "this is in per cent", "give a ratio, about 1"),
        tolerance=0.005,
        hint="the two numbers are in the table",
    )


Floats = NDArray[np.float64]


def _accuracy(probabilities: Any, digits: Any) -> float:
    """The course's own answer to exercise 9.1."""
    return float(np.mean(np.argmax(probabilities, axis=1) == digits))


@exercise("9.1", fallback=_accuracy)
def exercise_9_1(answer: Any, report: Report) -> None:
    """Share of the digits that a network names right."""
    right_ones = [[0.6, 0.3, 0.1], [0.1, 0.2, 0.7], [0.31, 0.38, 0.31], [0.4, 0.3, 0.3]]
    given = (
        np.array([*right_ones, [0.4, 0.55, 0.05], [0.46, 0.54, 0.0], [0.5, 0.3, 0.2]]),
        np.array([0, 2, 1, 0, 0, 0, 1]),
    )
    result = answer(*given)
    if report.recognises(
        result,
        (4, "the right ones are counted", "divide by the number of pictures, or take the mean"),
        (3 / 7, "this is the share of wrong ones", "compare with ==, and not with !="),
        (lambda p, d: (np.argmax(p, axis=1) == d).astype(float), "this is one number a picture", "take their mean"),
        (lambda p, d: np.argmax(p, axis=1) == d, "this is one truth value a picture", "take their mean"),
        (
            lambda p, d: p[np.arange(len(d)), d].mean(),
            "this is the mean probability of the right digit",
            "compare the most probable digit with the true one",
        ),
        (100 * 4 / 7, "this is in per cent", "give a share between 0 and 1"),
        given=given,
        right=4 / 7,
    ):
        return
    report.close(result, 4 / 7, "the most probable digit is compared with the true one", hint="np.argmax(…, axis=1)")
    report.also(
        lambda: alike(answer(np.eye(4), np.arange(4)), 1.0), "it is 1 where all are right", hint="np.mean of =="
    )


def _masses(m_true: Any, masses: Any, rng: np.random.Generator) -> Floats:
    """The course's own answer to exercise 9.2."""
    return np.where(m_true > 0, m_true, rng.choice(masses, len(m_true)))


@exercise("9.2", fallback=_masses)
def exercise_9_2(answer: Any, report: Report) -> None:
    """The input m_A of a training."""
    n = 4000
    m_true = np.tile([300.0, 0.0, 700.0, 0.0], n // 4)
    masses = np.array([300.0, 500.0, 700.0, 2000.0])
    signal = m_true > 0
    drawn = np.asarray(answer(m_true.copy(), masses.copy(), np.random.default_rng(1)), float)
    if not report.holds(
        drawn.shape == m_true.shape, "every event has one mass", hint="rng.choice(masses, len(m_true))"
    ):
        return
    if not (drawn[signal] == m_true[signal]).all():
        report.wrong("signal events get another mass than their own", "np.where(m_true > 0, m_true, …)")
        return
    background = drawn[~signal]
    if (background == 0).all():
        report.wrong("the background keeps its 0", "a mass of 0 would give the background away: draw one of masses")
        return
    if len(np.unique(background)) == 1:
        report.wrong(
            "all background events get the same mass", "draw one for each event: rng.choice(masses, len(m_true))"
        )
        return
    if not np.isin(background, masses).all():
        report.wrong("some masses are none of those of the signal", "rng.choice(masses, …), not a range of numbers")
        return
    again, other = (
        np.asarray(answer(m_true.copy(), masses.copy(), np.random.default_rng(seed)), float)[~signal] for seed in (1, 2)
    )
    report.holds(
        np.array_equal(again, background) and not np.array_equal(other, background),
        "the generator that is given decides",
        mistake="the masses do not come from the generator that is given",
        hint="use rng, not np.random: a training has to repeat",
    )
    share = np.array([(background == mass).mean() for mass in masses])
    report.holds(
        (np.abs(share - 0.25) < 0.05).all(),
        "each mass is as likely as any other",
        mistake="some masses are drawn more often than others",
        hint="rng.choice without probabilities",
    )
    report.also(
        lambda: abs(np.mean(background[1:] == background[:-1]) - 0.25) < 0.05,
        "each event has a draw of its own",
        mistake="an event's mass depends on that of the event before",
        hint="rng.choice(masses, len(m_true))",
    )


def _weights(weight: Any, m_true: Any, k: float) -> Floats:
    """The course's own answer to exercise 9.4."""
    size = np.abs(np.asarray(weight, float))
    masses = np.unique(m_true[m_true > 0])
    background = size[m_true == 0].sum()
    for mass in masses:
        size[m_true == mass] *= k * background / len(masses) / size[m_true == mass].sum()
    return size


def _spoilt(
    *,
    size: Any = np.abs,
    each: bool = True,
    share: bool = True,
    k_to: str = "signal",
    sum_: Any = lambda made, weight: made,
) -> Any:
    """Return weights made in one of the ways that students make them."""

    def weights(weight: Any, m_true: Any, k: float) -> Floats:
        made = size(np.asarray(weight, float)) * 1.0
        signal = m_true > 0
        masses = np.unique(m_true[signal])
        background = sum_(made, np.asarray(weight))[~signal].sum()
        groups = [m_true == mass for mass in masses] if each else [signal]
        for group in groups:
            made[group] *= background / (len(groups) if share else 1) / made[group].sum()
        made[signal if k_to == "signal" else ~signal] *= k
        return made

    return weights


@exercise("9.4", fallback=_weights)
def exercise_9_4(answer: Any, report: Report) -> None:
    """Weights of a training: positive, all masses alike, the signal k times the background."""
    m_true = np.array([700.0, 300.0, 0.0, 700.0, 0.0, 700.0, 300.0, 0.0])
    given = np.array([0.2, 0.1, 4.0, 0.2, -1.0, 0.1, 0.3, 3.0]), m_true, 0.1
    result = answer(*(np.copy(part) for part in given[:2]), given[2])
    if report.recognises(
        result,
        (_spoilt(size=np.asarray), "negative weights are left in", "a loss cannot be weighed by them: np.abs"),
        (
            _spoilt(size=lambda w: np.maximum(w, 0)),
            "negative weights are set to zero",
            "take the absolute value, so that these events still teach where the background is",
        ),
        (_spoilt(each=False), "light masses and heavy ones do not count alike", "scale each mass by itself"),
        (
            _spoilt(share=False),
            "each mass counts k times the background",
            "all masses together do: divide by their number",
        ),
        (_spoilt(k_to="background"), "k scales the background", "multiply the signal by k"),
        (
            _spoilt(sum_=lambda made, weight: weight),
            "the background is added up with its signs",
            "its weights count by their size: add up the absolute ones",
        ),
        (
            _spoilt(sum_=lambda made, weight: np.ones(len(weight))),
            "the events of the background are counted",
            "add up its absolute weights",
        ),
        (
            lambda w, m, k: _weights(w, m, k) / np.mean(_weights(w, m, k)),
            "the background is scaled as well",
            "leave its absolute weights as they are; only the signal is scaled",
        ),
        (
            lambda w, m, k: np.where(m > 0, k, 1.0) * np.abs(w),
            "the sums are not balanced",
            "bring the signal to the background's sum before k",
        ),
        given=given,
        right=_weights(*given),
    ):
        return
    result = np.asarray(result, float)
    if not report.holds(result.shape == m_true.shape, "every event has one weight", hint="return an array"):
        return
    report.holds(result >= 0, "no weight is negative", hint="np.abs")
    report.also(
        lambda: alike(result[m_true == 0], np.abs(given[0][m_true == 0])),
        "the background keeps its absolute weights",
        hint="only the signal is scaled",
    )
    sums = [result[m_true == mass].sum() for mass in (300, 700)]
    report.also(lambda: alike(sums[0], sums[1]), "each mass counts the same", hint="scale each mass by itself")
    report.also(
        lambda: alike(sum(sums), 0.1 * 8.0),
        "the signal counts k times the background",
        hint="all masses together: k · Σ|w| of the background",
    )
    report.also(
        lambda: alike(result, _weights(*given)),
        "within a mass, events keep their proportions",
        hint="multiply by one number per mass",
    )
    other = (np.array([0.5, 2.0, 0.25, 0.1, -3.0, 0.3]), np.array([500.0, 0.0, 300.0, 500.0, 0.0, 900.0]), 2.0)
    report.also(
        lambda: alike(answer(*other), _weights(*other)),
        "works for other masses and another k",
        hint="np.unique(m_true[m_true > 0]) finds the masses",
    )
