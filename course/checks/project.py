"""Checks of the project: one network for every mass."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from course.checks.compare import alike
from course.checks.registry import course_answer
from course.checks.report import Report, exercise
from course.checks.tables import PER_CENT, caught, changed, follows, gives, hold, with_argument
from labcourse import significance

Floats = NDArray[np.float64]


_accuracy = course_answer("9.1")


_MEAN = "take their mean"
_MISTAKES_9_1 = (
    (lambda p, d: _accuracy(p, d) * len(d), "the right ones are counted", "divide by the number of pictures"),
    (changed(_accuracy, lambda share: 1 - share), "this is the share of wrong ones", "compare with =="),
    (lambda p, d: (np.argmax(p, axis=1) == d).astype(float), "this is one number per picture", _MEAN),
    (lambda p, d: np.argmax(p, axis=1) == d, "this is one truth value per picture", _MEAN),
    (lambda p, d: p[np.arange(len(d)), d].mean(), "this is the mean probability of the right digit", "compare digits"),
    (changed(_accuracy, lambda share: 100 * share), *PER_CENT),
)


@exercise("9.1")
def exercise_9_1(answer: Any, report: Report) -> None:
    """Share of the digits that a network names right."""
    right_ones = [[0.6, 0.3, 0.1], [0.1, 0.2, 0.7], [0.31, 0.38, 0.31], [0.4, 0.3, 0.3]]
    probabilities = np.array([*right_ones, [0.4, 0.55, 0.05], [0.46, 0.54, 0.0], [0.5, 0.3, 0.2]])
    given = probabilities, np.array([0, 2, 1, 0, 0, 0, 1])
    what = "the most probable digit is compared with the true one"
    follows(report, answer, _accuracy, given, _MISTAKES_9_1, what, "np.argmax(…, axis=1)", relative=1e-5)
    gives(report, answer, ((np.eye(4), np.arange(4)), 1.0, "it is 1 where all are right", "np.mean of =="))


@exercise("9.2")
def exercise_9_2(answer: Any, report: Report) -> None:
    """The input m_A of a training."""
    m_true = np.tile([300.0, 0.0, 700.0, 0.0], 1000)
    masses = np.array([300.0, 500.0, 700.0, 2000.0])
    signal, choose = m_true > 0, "rng.choice(masses, len(m_true))"

    def drawn_with(seed: int) -> Floats:
        return np.asarray(answer(m_true, masses, np.random.default_rng(seed)), float)

    drawn = drawn_with(1)
    report.holds(drawn.shape == m_true.shape, "every event has one mass", hint=choose)
    background = drawn[~signal]
    are_own, are_known = (drawn[signal] == m_true[signal]).all(), np.isin(background, masses).all()
    caught(
        report,
        (not are_own, "signal events get another mass than their own", "np.where(m_true > 0, m_true, …)"),
        (not background.any(), "the background keeps its 0", "0 would give it away: draw one of masses"),
        (np.ptp(background) == 0, "all background events get the same mass", f"draw one for each: {choose}"),
        (not are_known, "some masses are none of those of the signal", f"{choose}, not a range of numbers"),
    )
    again, other = (drawn_with(seed)[~signal] for seed in (1, 2))
    from_rng = np.array_equal(again, background) and not np.array_equal(other, background)
    not_rng = "the masses do not come from the generator that is given"
    decides, equal = "the generator that is given decides", "each mass is as likely as any other"
    report.holds(from_rng, decides, mistake=not_rng, hint="use rng, not np.random: a training has to repeat")
    share = np.array([(background == mass).mean() for mass in masses])
    more = "some masses are drawn more often than others"
    report.holds(np.abs(share - 0.25) < 0.05, equal, mistake=more, hint="rng.choice without probabilities")
    report.holds(
        lambda: abs(np.mean(background[1:] == background[:-1]) - 0.25) < 0.05,
        "each event has a draw of its own",
        mistake="an event's mass depends on that of the event before",
        hint=choose,
    )


def _weights(
    weight: Any,
    m_true: Any,
    k: float,
    *,
    size: Any = np.abs,
    sum_: Any = np.abs,
    each: bool = True,
    share: bool = True,
    k_to: Any = np.greater,
) -> Floats:
    """The course's own answer to exercise 9.4; the options are the variants that students write."""
    made, signal = size(np.asarray(weight, float)) * 1.0, m_true > 0
    background = sum_(np.asarray(weight, float))[~signal].sum()
    groups = [m_true == mass for mass in np.unique(m_true[signal])] if each else [signal]
    for group in groups:
        made[group] *= background / (len(groups) if share else 1) / made[group].sum()
    made[k_to(m_true, 0)] *= k
    return made


_weights_of_positive = with_argument(_weights, 0, lambda w: w.clip(0))
_MISTAKES_9_4 = (
    (partial(_weights, size=np.asarray, sum_=np.asarray), "negative weights are left in", "take np.abs"),
    (_weights_of_positive, "negative weights are set to zero", "np.abs: these events still teach, too"),
    (partial(_weights, each=False), "light masses and heavy ones do not count alike", "scale each mass by itself"),
    (partial(_weights, share=False), "each mass counts k times the background", "divide by their number"),
    (partial(_weights, k_to=np.equal), "k scales the background", "multiply the signal by k"),
    (partial(_weights, sum_=np.asarray), "the background is added up with its signs", "add up the absolute weights"),
    (partial(_weights, sum_=np.ones_like), "the events of the background are counted", "add up its absolute weights"),
    (changed(_weights, lambda w: w / np.mean(w)), "the background is scaled as well", "only the signal is scaled"),
    (
        lambda w, m, k: np.where(m > 0, k, 1.0) * np.abs(w),
        "the sums are not balanced",
        "bring it to the sum of b first",
    ),
)


@exercise("9.4")
def exercise_9_4(answer: Any, report: Report) -> None:
    """Weights of a training: positive, all masses alike, the signal k times the background."""
    m_true = np.array([700.0, 300.0, 0.0, 700.0, 0.0, 700.0, 300.0, 0.0])
    given = np.array([0.2, 0.1, 4.0, 0.2, -1.0, 0.1, 0.3, 3.0]), m_true, 0.1
    result, right = answer(*given), _weights(*given)
    report.recognises(result, *_MISTAKES_9_4, given=given, right=right)
    result = np.asarray(result, float)
    report.holds(result.shape == m_true.shape, "every event has one weight", hint="return an array")
    light, heavy = (result[m_true == mass].sum() for mass in (300, 700))
    background, own = result[m_true == 0], right[m_true == 0]
    all_masses, k = "the signal counts k times the background", "all masses together: k · Σ|w| of the background"
    hold(
        report,
        (result >= 0, "no weight is negative", "np.abs"),
        (alike(background, own), "the background keeps its absolute weights", "only the signal is scaled"),
        (alike(light, heavy), "each mass counts the same", "scale each mass by itself"),
        (alike(light + heavy, 0.1 * 8.0), all_masses, k),
        (alike(result, right), "within a mass, events keep their proportions", "multiply by one number per mass"),
    )
    other = (np.array([0.5, 2.0, 0.25, 0.1, -3.0, 0.3]), np.array([500.0, 0.0, 300.0, 500.0, 0.0, 900.0]), 2.0)
    report.agrees(answer, _weights, other, hint="np.unique(m_true[m_true > 0]) finds the masses; use k")


def _binned(signal: Any, background: Any, *, total: Any = lambda z: np.sqrt((z**2).sum()), bins: Any = None) -> float:
    """The course's own answer to exercise 9.5; the options are the variants that students write."""
    s, b = np.asarray(signal) / np.sum(signal), np.asarray(background) / np.sum(background)
    z = bins(s, b) if bins else np.sqrt(2 * ((s + b) * np.log(1 + s / b) - s))
    return float(total(z))


def _unscaled(s: Any, b: Any) -> Any:
    return np.sqrt((significance.asimov(s, b) ** 2).sum())


_MISTAKES_9_5 = (
    (partial(_binned, total=np.sum), "the bins are added", "independent significances add in quadrature"),
    (changed(_binned, np.square), "the root is missing", "take √ of the sum"),
    (partial(_binned, bins=lambda s, b: s / np.sqrt(b)), "this is s/√b in each bin", "use the formula of Asimov"),
    (_unscaled, "the yields are not normalised", "divide each histogram by its sum first"),
    (partial(_binned, total=lambda z: np.sqrt((z**2).mean())), "this is a mean over the bins", "add the squares"),
    (lambda s, b: significance.asimov(1.0, 1.0), "the bins are summed first", "one significance per bin"),
    (changed(_binned, lambda z: z / np.sqrt(2)), "the factor 2 is missing", "2 [(s + b) ln(1 + s/b) − s]"),
)


@exercise("9.5")
def exercise_9_5(answer: Any, report: Report) -> None:
    """The significance of a histogram."""
    given = s, b = np.array([3.0, 6.0, 1.0]), np.array([30.0, 10.0, 60.0])
    what, formula = "the squares of the bins are added", "√Σ 2 [(s + b) ln(1 + s/b) − s]"
    follows(report, answer, _binned, given, _MISTAKES_9_5, what, formula, relative=1e-5)
    empty, nothing = (np.array([0.0, 1.0]), np.array([3.0, 1.0])), "a bin without signal contributes nothing"
    other = s * 0.7, b * 0.37
    gives(
        report, answer, (other, _binned(*given), "yields do not matter, shapes do", "divide s and b by their own sums")
    )
    gives(report, answer, (empty, _binned(*empty), nothing, "no special case: the formula gives 0 for s = 0"))


def _ratio(points: Any) -> float:
    return float(points["parameterised"] / points["single"])


@exercise("9.6", make_fallback=lambda points: _ratio(points))
def exercise_9_6(answer: Any, report: Report, points: Any) -> None:
    """How well the network does at a mass that it has never seen."""
    ours, single = points["parameterised"], points["single"]
    mistakes = (
        (single / ours, "this is the inverse", "divide by the network of the single mass"),
        (ours - single, "this is the difference", "divide the one significance by the other"),
        (ours, "this is the significance itself", "divide it by that of the single-mass network"),
        (100 * _ratio(points), "this is in per cent", "give a ratio, about 1"),
    )
    what = "the significance at the blind mass, relative to that of a network trained there"
    hint = "the two numbers are in the table"
    report.reading(answer, _ratio(points), what, *mistakes, tolerance=0.005, hint=hint)
