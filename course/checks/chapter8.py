"""Checks of chapter 8, low-level variables."""

from __future__ import annotations

import random
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from course.checks import design
from course.checks.compare import alike
from course.checks.registry import course_answer
from course.checks.report import Report, exercise
from course.checks.tables import caught, follows, gives, variants, with_argument
from labcourse import kinematics

_table, _redundant, _importance, _planed = map(course_answer, ("8.1", "8.2", "8.7", "8.8"))


_SHARE = "the derivative vanishes where p Σw = Σw y: the signal's share of the weights in the bin"
_RATIO = "signal / np.where(total > 0, total, 1)"
_OF_BACKGROUND = "weights=weight)", "weights=weight * (1 - label))"
_MISTAKES_8_1 = variants(
    "8.1",
    (with_argument(_table, 2, np.ones_like), "raw events are counted", "add up the weights, not the events"),
    (
        *_OF_BACKGROUND,
        "this is signal over background",
        "a score is a probability: divide by signal and background together",
    ),
    (
        _RATIO,
        "signal / signal.sum()",
        "this is the share of the signal that lies in the bin",
        "compare signal and background in one bin",
    ),
    ((_OF_BACKGROUND, (_RATIO, f"np.log({_RATIO})")), "this is a logit", "the score is p itself, between 0 and 1"),
    ("0.5", "0.0", "an empty bin has the score 0", "it tells nothing, and that is one half"),
    ("0.5", "np.nan", "an empty bin has the score NaN", "0/0: np.where(total > 0, …, 0.5)"),
    ((("0.5", "0.0"), (_RATIO, "signal")), "this is the sum of the signal's weights", _SHARE),
)


def _toy_masses(n: int, seed: int) -> tuple[Any, ...]:
    """Masses, labels and weights of ``n`` events, and edges of bins, of which one is empty and two have one class."""
    rng = np.random.default_rng(seed)
    label = (rng.random(n) < 0.4).astype(float)
    mass = np.where(label == 1, rng.normal(124, 3, n), rng.uniform(90, 180, n))
    edges = np.array([80.0, 85.0, 110.0, 121.0, 124.0, 127.0, 150.0, 200.0])
    return mass, label, rng.exponential(np.where(label == 1, 0.5, 2.0)), edges


@exercise("8.1")
def exercise_8_1(answer: Any, report: Report) -> None:
    """The table of one variable that makes the cross-entropy smallest."""
    what = "each bin has its best score"
    follows(report, answer, _table, _toy_masses(300, 81), _MISTAKES_8_1, what, _SHARE)
    values, label = np.array([1.0, 1.0, 1.0, 5.0]), np.array([1.0, 0.0, 0.0, 1.0])
    edge = (values, label, np.ones(4), np.array([0.0, 1.0, 5.0, 6.0]))
    gives(report, answer, (edge, [0.5, 1 / 3, 1.0], "bins include their lower edge", "np.histogram does that"))
    report.agrees(answer, _table, _toy_masses(70, 82), hint="use the edges that are given, and no own numbers")


_QUANTITIES = ("pt", "eta", "phi", "energy")
_TRIANGLE = "pT is one side of a right-angled triangle, the momentum its longest: E ≈ p, and pz = pT sinh η"
_MISTAKES_8_2 = {
    "energy": (
        (lambda pt, eta, phi, energy: pt * np.sinh(eta), "this is pz", _TRIANGLE),
        (lambda pt, eta, phi, energy: pt / np.sin(eta), "η is taken for the polar angle θ", "η = −ln tan(θ/2)"),
        (lambda pt, eta, phi, energy: pt / np.cosh(eta), "the triangle is turned round", "E is larger than pT"),
        (lambda pt, eta, phi, energy: pt * (1 + np.sinh(eta)), "momenta are added as numbers", "p² = pT² + pz²"),
    ),
    "pt": (
        (lambda pt, eta, phi, energy: energy * np.cosh(eta), "the triangle is turned round", "pT is less than E"),
        (lambda pt, eta, phi, energy: energy / np.sinh(eta), "E is taken for pz", _TRIANGLE),
        (lambda pt, eta, phi, energy: energy * np.sin(eta), "η is taken for the polar angle θ", "η = −ln tan(θ/2)"),
    ),
}


@exercise("8.2")
def exercise_8_2(answer: Any, report: Report) -> None:
    """The quantity of a lepton that the other three determine."""
    rng = np.random.default_rng(82)

    def leptons(*shape: int) -> tuple[Any, ...]:
        pt, eta = rng.uniform(7, 90, shape), rng.uniform(-2.4, 2.4, shape)
        return pt, eta, rng.uniform(-3, 3, shape), pt * np.cosh(eta)

    given = leptons(9, 4)
    parts = report.parts(answer(*given), "the name of the quantity, its values")
    what, sign = "the others determine it", "E and pT tell |η| alone: the other two directions are equally good"
    no_phi = "φ is a direction around the beam, of which pT, η and E know nothing"
    mistakes = (("eta", "the sign of η is lost", sign), ("phi", "nothing else tells φ", no_phi))
    names: Any = _QUANTITIES
    report.name(parts[0], names, ("pt", "energy"), what, *mistakes, hint=_TRIANGLE)
    place = names.index(parts[0])
    report.recognises(parts[1], *_MISTAKES_8_2[parts[0]], given=given, right=given[place])
    report.holds(lambda: alike(parts[1], given[place]), "its values are right", hint=_TRIANGLE)
    for shape in ((9, 4), (5,)):
        values = list(leptons(*shape))
        right, values[place] = values[place], np.full(shape, np.nan)
        itself = f"it is computed from the others alone, for arrays of shape {shape}"
        report.holds(lambda v=values, r=right: alike(answer(*v)[1], r), itself, hint=f"do not use {parts[0]} itself")


def _with_leptons(events: pd.DataFrame, values: dict[str, Any]) -> pd.DataFrame:
    """Return the events with these quantities of their leptons, each of shape (n, 4)."""
    columns = {f"lep{i + 1}_{name}": value[:, i] for name, value in values.items() for i in range(4)}
    return events.assign(**columns).astype(np.float32)


def _crafted_events(n: int, seed: int) -> pd.DataFrame:
    """A table of low-level variables only, and of columns that hold NaN: whoever uses them shows it."""
    rng = np.random.default_rng(seed)
    pt, eta = -np.sort(-rng.exponential(25, (n, 4)), axis=1) + 7, rng.uniform(-2.4, 2.4, (n, 4))
    values = {"pt": pt, "eta": eta, "phi": rng.uniform(-np.pi, np.pi, (n, 4)), "e": pt * np.cosh(eta)}
    for name, both in (("charge", [-1.0, 1.0]), ("pdgid", [11.0, 13.0])):
        values[name] = rng.permuted(np.resize(both, (4, n)), axis=1).T
    masses = [f"m_ll_{i}{j}" for i, j in kinematics.PAIRS]
    others = {name: np.full(n, np.nan) for name in (*masses, "m_llll", "met", "jet_n", "weight", "sample", "run")}
    return _with_leptons(pd.DataFrame(others, index=range(3, n + 3)), values)


def _for_each(events: pd.DataFrame, name: str, change: Any, leptons: tuple[int, ...] = (1, 2, 3, 4)) -> pd.DataFrame:
    """Return the events with a quantity of some of the leptons changed."""
    columns = [f"lep{i}_{name}" for i in leptons]
    return events.assign(**{column: change(events[column]).astype(np.float32) for column in columns})


def _harder(events: pd.DataFrame, leptons: tuple[int, ...] = (1, 2, 3, 4)) -> pd.DataFrame:
    """Return the events with a tenth more momentum and energy of some of the leptons."""
    return _for_each(_for_each(events, "pt", lambda pt: 1.1 * pt, leptons), "e", lambda e: 1.1 * e, leptons)


@exercise("8.4")
def exercise_8_4(answer: Any, report: Report) -> None:
    """The inputs of the student's network: any choice that keeps the rules."""
    events = _crafted_events(200, 83)
    result = np.asarray(answer(events))
    n, stack = len(events), "one row per event: np.column_stack puts arrays side by side"
    caught(report, (result.shape[1:] == (n,) != result.shape[:1], "the input array lies on its side", stack))
    has_rows = result.ndim == 2 and len(result) == n and result.shape[1] > 0
    report.holds(has_rows, "gives one row per event and one column per input", hint=stack)
    kind = f"the type is {result.dtype}"
    report.holds(result.dtype == np.float32, "the type is float32", mistake=kind, hint="end with .astype(np.float32)")
    constant = np.ptp(result, axis=0) == 0
    is_constant = f"column {int(np.argmax(constant))} (from 0) is the same for all events"
    logarithm = "is a logarithm taken of a negative number, such as eta or phi?"
    is_unused = np.isnan(result.astype(float)).all(axis=0).any()
    caught(
        report,
        (is_unused, "uses masses, met, jets, weight, sample or run", "low-level variables of the leptons only"),
        (not np.isfinite(result).all(), "some inputs are NaN or infinite", logarithm),
        (constant.any(), is_constant, "the leading φ is 0 once events are turned: leave it out"),
    )
    report.holds(True, "all inputs are finite, and none is the same for all events")
    if _hides_a_mass(answer, events, result):
        hint = "do not compute a mass: we want to see whether the network finds it"
        report.wrong("one of the inputs depends on masses alone, or several add up to one", hint)
    turned = _for_each(events, "phi", lambda phi: kinematics.delta_phi(phi, 2.0))
    # A mirror image, or a rotation by half a turn about an axis across the beam: either is a way to flip an event.
    mirrored, unused = _for_each(events, "eta", np.negative), _says_nothing(answer, events, result)
    flips = mirrored, _for_each(mirrored, "phi", np.negative)
    are_near = partial(np.allclose, atol=1e-3)
    whole, other = "no mean or maximum over the table", "gives other inputs"
    of_turn = "subtract the leading φ by delta_phi; the angles jump at ±π, but their cosine and sine do not"
    of_flip = "along the beam, and as a whole: the sign of the leading η decides for all four"
    what = "an event that is turned, flipped or alone has the same inputs, and all leptons have a say"
    caught(
        report,
        (
            lambda: not are_near(answer(events[:9]), result[:9]),
            "the inputs of an event depend on the other events",
            whole,
        ),
        (lambda: not are_near(answer(turned), result), f"an event that is turned around the beam {other}", of_turn),
        (
            lambda: not any(are_near(answer(flip), result) for flip in flips),
            f"an event that is flipped {other}",
            of_flip,
        ),
        (unused, f"{unused} has no say", "the mass depends on all momenta and directions; of an angle, cos and sin"),
    )
    report.holds(True, what)


def _hides_a_mass(answer: Any, events: pd.DataFrame, result: Any) -> bool:
    """Return whether a weighted sum of the inputs stays the same in a moving frame, as masses do and momenta do not."""
    of_harder, of_moved = (np.asarray(answer(each), float) for each in (_harder(events), _boosted(events)))
    depends = ((of_harder != result) | (of_moved != result)).any(axis=0)  # charges and flavours do not
    scale = result.std(axis=0, dtype=float)[depends]
    inputs, moved = result[:, depends] / scale, of_moved[:, depends] / scale
    _, sizes, sums = np.linalg.svd(moved - inputs, full_matrices=False)
    stays = sums[sizes < 0.01 * np.sqrt(len(events))]
    return bool(np.any(np.std(inputs @ stays.T, axis=0) > 0.03))  # a sum of inputs that is a constant tells nothing


def _boosted(events: pd.DataFrame) -> pd.DataFrame:
    """Return the events as seen from a frame that moves with 0.3 c across the beam, and along it by 0.3 in η."""
    pt, eta, phi, energy = (kinematics.lepton_arrays(events, name).astype(float) for name in ("pt", "eta", "phi", "e"))
    x, y, z = (pt * np.cos(phi) - 0.3 * energy) / np.sqrt(1 - 0.3**2), pt * np.sin(phi), pt * np.sinh(eta)
    pt = np.hypot(x, y)
    eta = np.arcsinh(z / pt) + 0.3
    return _with_leptons(events, {"pt": pt, "eta": eta, "phi": np.arctan2(y, x), "e": pt * np.cosh(eta)})


def _says_nothing(answer: Any, events: pd.DataFrame, result: Any) -> str:
    """Return the first quantity that could be another without the inputs being others; empty if there is none."""
    for i in (1, 2, 3, 4):
        moved = _for_each(events, "phi", lambda phi: kinematics.delta_phi(phi, 0.4), (i,))
        flipped = _for_each(events, "eta", np.negative, (i,))
        changes = [(_harder(events, (i,)), "momentum"), (moved, "azimuth"), (flipped, "sign of η")]
        if i > 1:
            across = _for_each(events, "phi", lambda phi: kinematics.delta_phi(2 * events["lep1_phi"], phi), (i,))
            changes.append((across, "sign of Δφ to the leading lepton"))
        for change, name in changes:
            if np.allclose(np.asarray(answer(change)), result):
                return f"the {name} of lepton {i}"
    return ""


@exercise("8.5", silence=30.0)
def exercise_8_5(answer: Any, report: Report) -> None:
    """A network of the student's design: any that can learn."""
    import keras  # noqa: F401  # here, as its import draws random numbers too

    # Keras takes the seeds of initial weights and dropout from here: the verdict is always the same, and the
    # student's next network is the one that it would have been without the check.
    state = random.getstate()
    random.seed(84)
    try:
        design.examine(answer, report)
    finally:
        random.setstate(state)


_TOGETHER = "draw one permutation, and use it for all these columns"
_SHUFFLED = "x[rng.permutation(len(x))][:, columns]"
_RISE = "loss_of(shuffled) - loss_of(x)"
_MISTAKES_8_7 = variants(
    "8.7",
    (
        f"shuffled[:, columns] = {_SHUFFLED}",
        "for i in columns:\n        shuffled[:, i] = x[rng.permutation(len(x)), i]",
        "each column has a permutation of its own",
        _TOGETHER,
    ),
    ("[:, columns]", "[:, :]", "all columns are shuffled", "only those of columns"),
    (_SHUFFLED, "0.0", "the columns are set to zero", "shuffle: zero may never occur"),
    (_SHUFFLED, "x.mean(axis=0)[columns]", "the columns are set to their mean", _TOGETHER),
    (
        lambda loss_of, x, columns, rng: loss_of(np.delete(x, columns, axis=1)) - loss_of(x),
        "the columns are taken out",
        "a network needs all inputs",
    ),
    (_RISE, "loss_of(shuffled)", "this is the loss after shuffling", "subtract that before"),
    ("[:, columns]", "[:, columns[:1]]", "only the first column is shuffled", _TOGETHER),
)


def _afresh(function: Any) -> Any:
    """Return a function that makes its generator from a seed: each call draws the same permutation."""
    return lambda loss_of, x, columns, seed: function(loss_of, x, columns, np.random.default_rng(seed))


def _toy_loss(x: Any) -> float:
    return float(np.mean((x[:, 0] * x[:, 1] + np.sin(x[:, -2]) - x[:, -1] ** 2) ** 2) + 1)


@exercise("8.7")
def exercise_8_7(answer: Any, report: Report) -> None:
    """Permutation importance of some columns together."""
    rng, what = np.random.default_rng(87), "the loss rises by as much as it should"
    given = _toy_loss, rng.normal(1, 1, (80, 5)), [1, 3, 4], 7
    mistakes = [(_afresh(wrong), name, hint) for wrong, name, hint in _MISTAKES_8_7]
    follows(report, _afresh(answer), _afresh(_importance), given, mistakes, what, _TOGETHER)
    cases = [(_toy_loss, rng.normal(2, 1, (33, 6)), [4], 3), (_toy_loss, rng.normal(0, 1, (50, 4)), [0, 1], 1)]
    hint = "use loss_of, columns and rng as they are given"
    report.agrees(_afresh(answer), _afresh(_importance), *cases, hint=hint)


_SAME = "which sum do both classes have to reach, if they are to be equal and add up to what the bin had?"
_LOST = "what the bin had is lost: the sums are to be equal within a bin, and not in all bins"
_HALF = "each class gets half of the bin: (S + B)/2 over the sum of its own class there"
_TARGET = "(signal + background)[place] / 2"
_MISTAKES_8_8 = variants(
    "8.8",
    (_TARGET, "signal[place]", "the sum of a bin has changed: only the background is scaled", _SAME),
    (_TARGET, "background[place]", "the sum of a bin has changed: only the signal is scaled", _SAME),
    (_TARGET, "1.0", "all bins have the same sum", _LOST),
    (" / 2", "", "the sum of a bin has doubled", "two classes share it"),
    ("label == 1", "label == 0", "the sums of the classes are swapped", "divide by the sum of the event's own class"),
    (with_argument(_planed, 2, np.ones_like), "raw events are counted", "add up weights, and scale them"),
)


@exercise("8.8")
def exercise_8_8(answer: Any, report: Report) -> None:
    """Weights with which signal and background have the same mass distribution."""
    given, what = _toy_masses(300, 88), "signal and background have the same sum in each bin, and together the old one"
    follows(report, answer, _planed, given, _MISTAKES_8_8, what, _HALF)
    report.agrees(answer, _planed, _toy_masses(90, 89), hint="use the edges that are given, and no own numbers")
