"""Checks of chapter 8, low-level variables."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from course.checks.compare import alike
from course.checks.report import Report, exercise
from labcourse import kinematics, significance

__all__ = [
    "exercise_8_2",
    "exercise_8_3",
    "exercise_8_4",
    "exercise_8_5",
    "exercise_8_7",
    "exercise_8_8",
    "exercise_8_9",
]


def _align(eta: Any, phi: Any) -> tuple[Any, Any]:
    """The course's own answer to exercise 8.2."""
    sign = np.where(eta[:, :1] < 0, -1.0, 1.0)
    return eta * sign, kinematics.delta_phi(phi, phi[:, :1])


def _first_of(changed: Any, unchanged: Any) -> Any:
    return np.column_stack([changed[:, 0], unchanged[:, 1:]])


@exercise("8.2", fallback=_align)
def exercise_8_2(answer: Any, report: Report) -> None:
    """Rotating and flipping events to a common orientation."""
    rng = np.random.default_rng(82)
    eta, phi = rng.uniform(-2.5, 2.5, (40, 4)), rng.uniform(-np.pi, np.pi, (40, 4))
    right_eta, right_phi = _align(eta, phi)
    turned = phi - phi[:, :1]
    pair = report.parts(answer(eta, phi), "eta, phi")
    if pair is None:
        return
    decides = "flip an event as a whole: the sign of the leading lepton decides"
    if report.recognises(
        pair[0],
        (np.abs(eta), "every lepton lost its own sign", decides),
        (_first_of(np.abs(eta), eta), "only the leading lepton is flipped", "change the sign of all four leptons"),
        (eta, "eta is not flipped", "multiply by −1 where eta[:, 0] < 0"),
        (-eta, "every event is flipped", "multiply by −1 only where eta[:, 0] < 0"),
        (-right_eta, "the events with the other sign are flipped", "the leading lepton is to have eta >= 0"),
        (
            eta * np.where(eta.sum(axis=1, keepdims=True) < 0, -1, 1),
            "the sum of all leptons decides",
            "the sign of the leading lepton, in column 0, is asked for",
        ),
        (
            eta - eta[:, :1],
            "eta is shifted",
            "a boost along the beam is no symmetry of a detector that ends: flip the sign only",
        ),
        (right_eta[:, 1:], "the leading lepton is left out", "keep it: the shape is (n_events, 4)"),
        right=right_eta,
    ) or report.recognises(
        pair[1],
        (turned, "some angles lie outside of −π … π", "kinematics.delta_phi brings them back"),
        (np.abs(right_phi), "the signs of the angles are lost", "keep the direction in which a lepton lies"),
        (-right_phi, "the event is mirrored", "subtract the leading angle from the others, and not the reverse"),
        (np.mod(turned, 2 * np.pi), "the angles lie in 0 … 2π", "bring them to −π … π with kinematics.delta_phi"),
        (_first_of(right_phi, phi), "only the leading lepton is turned", "subtract its angle from all four"),
        (phi, "phi is not turned", "subtract the angle of the leading lepton, phi[:, :1]"),
        (
            kinematics.delta_phi(phi, phi.mean(axis=1, keepdims=True)),
            "the event is turned by the mean angle",
            "the leading lepton, in column 0, is to be at 0",
        ),
        (right_phi[:, 1:], "the leading lepton is left out", "keep it: the shape is (n_events, 4)"),
        (
            np.where(eta[:, :1] < 0, -right_phi, right_phi),
            "in the events that are flipped, the other φ changed sign as well",
            "flip η only",
        ),
        right=right_phi,
    ):
        return
    if not report.holds(
        all(np.shape(part) == (40, 4) for part in pair),
        "both have shape (n_events, 4)",
        hint="eta[:, :1] has the shape (n_events, 1), and goes with every column",
    ):
        return
    new_eta, new_phi = (np.asarray(part, dtype=float) for part in pair)
    report.holds(
        np.allclose(new_eta, right_eta),
        "all leptons of an event are flipped together",
        hint="one sign per event, that of the leading lepton",
    )
    report.also(
        np.allclose(new_phi, right_phi, atol=1e-5),
        "the leading lepton is at φ = 0",
        hint="subtract the angle of the leading lepton from all four",
    )
    at_zero = np.array([[0.0, 1.0, -1.0, 2.0]])
    report.also(
        lambda: np.allclose(answer(at_zero, np.zeros((1, 4)))[0], at_zero),
        "an event with leading η = 0 survives",
        mistake="an event with leading η = 0 is set to zero, or flipped",
        hint="np.sign(0) is 0: use np.where(eta[:, :1] < 0, -1, 1)",
    )


def _prepare(events: pd.DataFrame) -> NDArray[np.float32]:
    """The course's own answer to exercise 8.3."""
    pt, eta, phi, energy, charge, code = (
        kinematics.lepton_arrays(events, name) for name in ("pt", "eta", "phi", "e", "charge", "pdgid")
    )
    eta, phi = _align(eta, phi)
    columns = [np.log(pt), np.log(energy), eta, np.cos(phi[:, 1:]), np.sin(phi[:, 1:]), charge, code - 12]
    return np.column_stack(columns).astype(np.float32)


def _crafted_events(n: int, seed: int) -> pd.DataFrame:
    """A table of low-level variables only, and of columns that hold NaN: whoever uses them shows it."""
    rng = np.random.default_rng(seed)
    pt = -np.sort(-rng.exponential(25, (n, 4)), axis=1) + 7
    columns: dict[str, Any] = {}
    for i in range(4):
        eta = rng.uniform(-2.4, 2.4, n)
        columns |= {
            f"lep{i + 1}_pt": pt[:, i],
            f"lep{i + 1}_eta": eta,
            f"lep{i + 1}_phi": rng.uniform(-np.pi, np.pi, n),
            f"lep{i + 1}_e": pt[:, i] * np.cosh(eta),
            f"lep{i + 1}_charge": rng.permutation(np.resize([-1.0, 1.0], n)),
            f"lep{i + 1}_pdgid": rng.permutation(np.resize([11.0, 13.0], n)),
        }
    masses = [f"m_ll_{i}{j}" for i, j in kinematics.PAIRS]
    columns |= {name: np.full(n, np.nan) for name in (*masses, "m_llll", "met", "jet_n", "weight")}
    return pd.DataFrame(columns, index=range(3, n + 3)).astype(np.float32)


@exercise("8.3", fallback=_prepare)
def exercise_8_3(answer: Any, report: Report) -> None:
    """The inputs of the student's network: any choice that keeps the rules."""
    events = _crafted_events(200, 83)
    try:
        result = np.asarray(answer(events))
    except KeyError as error:
        if error.args[:1] in (("sample",), ("run",), ("event",)):
            report.wrong(f"uses the column {error.args[0]}", "only what the detector measures may go in")
            return
        raise
    if result.ndim == 2 and result.shape[1] == len(events) != result.shape[0]:
        report.wrong("the input array lies on its side", "one row per event: np.column_stack puts arrays side by side")
        return
    if not report.holds(
        result.ndim == 2 and len(result) == len(events) and result.shape[1] > 0,
        "gives one row per event and one column per input",
        hint="np.column_stack puts arrays side by side",
    ):
        return
    report.holds(
        result.dtype == np.float32,
        "the type is float32",
        mistake=f"the type is {result.dtype}",
        hint="end with .astype(np.float32)",
    )
    unused = np.isnan(result.astype(float)).all(axis=0)
    if unused.any():
        report.wrong("uses masses, met, jets or the weight", "low-level variables of the leptons only")
        return
    if not report.holds(
        np.isfinite(result),
        "all inputs are finite",
        mistake="some inputs are NaN or infinite",
        hint="is a logarithm taken of a negative number, such as eta or phi?",
    ):
        return
    constant = np.ptp(result, axis=0) == 0
    if not report.holds(
        not constant.any(),
        "no input is the same for all events",
        mistake=f"column {int(np.argmax(constant))} (from 0) is the same for all events",
        hint="after align the leading φ is always 0: leave it out",
    ):
        return
    if mass := _mass_among(answer, events, result):
        report.wrong(mass, "do not compute a mass: section 8.6 asks whether the network finds it")
        return
    alone = [0, 7, 31]
    report.also(
        lambda: np.allclose(answer(events.iloc[alone]), result[alone], atol=1e-4),
        "the inputs of an event do not depend on the other events",
        mistake="the inputs of an event depend on the other events of the table",
        hint="no mean, maximum or normalisation over the table: the network's first layer does that",
    )
    turned = events.copy()
    for i in (1, 2, 3, 4):
        turned[f"lep{i}_phi"] = kinematics.delta_phi(turned[f"lep{i}_phi"], 2.0).astype(np.float32)
    report.also(
        lambda: np.allclose(answer(turned), result, atol=1e-3),
        "an event that is turned around the beam gives the same inputs",
        mistake="an event that is turned around the beam gives other inputs",
        hint="use the phi that align returns; it jumps at ±π, but its cosine and sine do not",
    )
    flipped = events.assign(**{f"lep{i}_eta": -events[f"lep{i}_eta"] for i in (1, 2, 3, 4)})
    report.also(
        lambda: np.allclose(answer(flipped), result, atol=1e-3),
        "an event that is flipped along the beam gives the same inputs",
        mistake="an event that is flipped along the beam gives other inputs",
        hint="use the eta that align returns",
    )
    without = _says_nothing(answer, events, result)
    report.also(
        not without,
        "momenta and angles of all leptons have a say",
        mistake=f"{without} has no say",
        hint="is a quantity, or a lepton, left out? The mass depends on momenta and directions of all four",
    )


def _mass_among(answer: Any, events: pd.DataFrame, result: Any) -> str:
    """Say that a weighted sum of the inputs is a mass, or that one of them depends on masses alone; empty if not."""
    scale = result.std(axis=0, dtype=float)
    inputs = np.column_stack([(result - result.mean(axis=0, dtype=float)) / scale, np.ones(len(result))])
    for name, mass in kinematics.pair_masses(*_four_vectors(events)).items():
        for target in (mass, mass**2, np.log(np.maximum(mass, 1e-3))):
            target = (target - target.mean()) / target.std()
            if np.std(target - inputs @ np.linalg.lstsq(inputs, target)[0]) < 0.01:
                return f"one of the inputs is a mass, {name}, or several add up to one"
    # Masses, and only they, are what they were when the whole event is boosted.
    differs = np.abs(np.asarray(answer(_boosted(events))) - result).max(axis=0) > 0.01 * scale
    harder = events.assign(**{f"lep1_{name}": 1.1 * events[f"lep1_{name}"] for name in ("pt", "e")})
    depends = (np.asarray(answer(harder)) != result).any(axis=0)
    hidden = np.flatnonzero(depends & ~differs)
    return f"column {hidden[0]} (from 0) depends on masses alone" if hidden.size else ""


def _four_vectors(events: pd.DataFrame) -> list[Any]:
    return [kinematics.lepton_arrays(events, name).astype(float) for name in ("pt", "eta", "phi", "e")]


def _boosted(events: pd.DataFrame) -> pd.DataFrame:
    """Return the events as seen from frames that move with 0.3 c, each into another direction."""
    pt, eta, phi, energy = _four_vectors(events)
    momentum = np.stack([pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)])
    velocity = np.random.default_rng(8).normal(size=(3, len(events), 1))
    velocity *= 0.3 / np.linalg.norm(velocity, axis=0)
    gamma, along = 1 / np.sqrt(1 - 0.3**2), (velocity * momentum).sum(axis=0)
    x, y, z = momentum + velocity * ((gamma - 1) * along / 0.3**2 - gamma * energy)
    pt = np.hypot(x, y)
    columns = {"pt": pt, "eta": np.arcsinh(z / pt), "phi": np.arctan2(y, x), "e": gamma * (energy - along)}
    return events.assign(
        **{f"lep{i + 1}_{name}": value[:, i].astype(np.float32) for name, value in columns.items() for i in range(4)}
    )


def _says_nothing(answer: Any, events: pd.DataFrame, result: Any) -> str:
    """Return the first quantity that could be another without the inputs being others; empty if there is none."""
    for i in (1, 2, 3, 4):
        harder = {f"lep{i}_{name}": np.float32(1.1) * events[f"lep{i}_{name}"] for name in ("pt", "e")}
        moved = {f"lep{i}_phi": kinematics.delta_phi(events[f"lep{i}_phi"], 0.4).astype(np.float32)}
        turned_back = {f"lep{i}_eta": -events[f"lep{i}_eta"]}
        for change, name in ((harder, "momentum"), (moved, "azimuth"), (turned_back, "sign of η")):
            if np.allclose(np.asarray(answer(events.assign(**change))), result):
                return f"the {name} of lepton {i}"
    return ""


Floats = NDArray[np.float64]


def _scan(events: Any, *, groups: bool = True, **options: Any) -> significance.Scan:
    return significance.scan(*events[:3], groups=events[3] if groups else None, **options)


def _choose_and_quote(validation: Any, test: Any) -> significance.Scan:
    """The course's own answer to exercise 8.7."""
    return _scan(test, cuts=[significance.best(_scan(validation)).cut])


def _unguarded(scan: significance.Scan) -> float:
    return float(scan.cut[np.nanargmax(scan.significance)])


def _toy_scores(n: int, shift: float, seed: int) -> tuple[Any, ...]:
    """Score, label, weight and sample of signal, of a large light background, and of a small heavy one."""
    rng = np.random.default_rng(seed)
    sizes = {"signal": n, "light": 4 * n, "heavy": 60}
    sample = np.repeat(list(sizes), list(sizes.values()))
    label = (sample == "signal").astype(float)
    score = 1 / (1 + np.exp(-rng.normal(shift * label - 0.5 * (sample == "heavy"), 1.0)))
    weight = np.select([sample == "signal", sample == "light"], [40.0 / n, 50.0 / n], 0.6)
    return score, label, weight, sample


@exercise("8.7", fallback=_choose_and_quote)
def exercise_8_7(answer: Any, report: Report) -> None:
    """The best cut of the validation events, quoted on test events."""
    validation, test = given = _toy_scores(400, 2.0, 871), _toy_scores(700, 1.5, 872)
    right = _choose_and_quote(*given)
    result = answer(*given)
    if isinstance(result, significance.BestCut):
        report.wrong("this is the best cut, and not a scan", "scan the test events with cuts=[best.cut]")
        return
    if not isinstance(result, significance.Scan):
        report.wrong(f"this is no scan, but of type {type(result).__name__}", "return what significance.scan returns")
        return
    if len(result.cut) != 1:
        report.wrong("the scan has more than one cut", "hand over cuts=[best.cut]")
        return
    cut = float(result.cut[0])
    named = report.recognises(
        cut,
        (
            lambda validation, test: significance.best(_scan(test)).cut,
            "the cut was chosen on the test events",
            "scan the validation events: a cut chosen and quoted on the same events looks too good",
        ),
        (
            lambda validation, test: significance.best(_scan(test, groups=False)).cut,
            "the cut was chosen on the test events",
            "scan the validation events: a cut chosen and quoted on the same events looks too good",
        ),
        (
            lambda validation, test: _unguarded(_scan(validation)),
            "the cut was chosen without the guard",
            "use significance.best: it leaves out cuts whose background is hardly known",
        ),
        (
            lambda validation, test: significance.best(_scan(validation, groups=False)).cut,
            "the cut was chosen without the samples",
            "hand over groups=sample when you scan the validation events",
        ),
        (
            lambda validation, test: significance.best(_scan(validation, measure=significance.simple)).cut,
            "the cut was chosen by s/√b",
            "the default of significance.scan is the Asimov significance",
        ),
        (0.5, "the cut is 0.5, whatever the events", "significance.best finds the best one of the validation events"),
        given=given,
        right=float(right.cut[0]),
    )
    if not named:
        report.holds(
            np.isclose(cut, right.cut[0]), "the cut is the best of the validation events", hint="significance.best"
        )
    if np.isclose(result.background[0], _scan(validation, cuts=[cut]).background[0]):
        report.wrong("signal and background are those of the validation events", "scan the test events at the cut")
        return
    wanted = _scan(test, cuts=[cut])
    report.holds(
        np.isclose(result.significance[0], wanted.significance[0]),
        "the significance is that of the test events",
        hint="significance.scan(score, label, weight, groups=sample, cuts=[best.cut]) of the test events, Asimov",
    )
    report.holds(
        np.isclose(result.background_error[0], wanted.background_error[0]),
        "its error counts one more event of each sample",
        mistake="its error forgets samples of which nothing is left",
        hint="hand over groups=sample when you scan the test events: each then counts one more event",
    )


@exercise("8.8")
def exercise_8_8(answer: Any, report: Report, *, mass: Floats, score: Floats) -> None:
    """Reading: the mass at which background gets the highest mean score."""
    edges = np.arange(80, 251, 5.0)
    number, total = np.histogram(mass, edges)[0], np.histogram(mass, edges, weights=score)[0]
    mean = np.where(number > 5, total / np.maximum(number, 1), np.nan)
    centres = edges[:-1] + 2.5
    best = int(np.nanargmax(mean))
    report.reading(
        answer,
        float(centres[best]),
        "there the mean score is highest",
        (float(mean[best]), "this is a score", "the mass on the horizontal axis is asked for, in GeV"),
        (float(np.max(score)), "this is a score", "the mass on the horizontal axis is asked for, in GeV"),
        (float(centres[np.nanargmin(mean)]), "there the mean score is lowest", "look for the maximum of the curve"),
        (
            float(centres[np.argmax(number)]),
            "most events have this mass",
            "look at the score, not at how many there are",
        ),
        (1000 * float(centres[best]), "this is in MeV", "give it in GeV"),
        (best, "this is the number of a bin", "read the mass on the horizontal axis"),
        tolerance=6,
        hint="the position of the maximum, in GeV",
    )


def _share_inside(
    mass: Any,
    weight: Any,
    low: float,
    high: float,
    *,
    from_: Any = np.greater_equal,
    below: Any = np.less,
    over: Any = lambda weight, inside: weight.sum(),
) -> float:
    """The course's own answer to exercise 8.9; the options are the variants that students write."""
    inside = from_(mass, low) & below(mass, high)
    return float(weight[inside].sum() / over(weight, inside))


@exercise("8.9", fallback=_share_inside)
def exercise_8_9(answer: Any, report: Report) -> None:
    """The share of expected events in a mass window."""
    mass = np.array([200.0, 115.0, 80.0, 129.7, 130.0, 120.0, 300.0])
    weight = np.array([3.5, 0.5, 1.0, -0.25, 2.0, 0.75, 1.0])
    given = mass, weight, 115, 130
    right = _share_inside(*given)
    result = answer(*given)

    def variant(**options: Any) -> Any:
        return lambda *given: _share_inside(*given, **options)

    if report.recognises(
        result,
        (
            lambda mass, weight, *window: _share_inside(mass, np.ones(len(weight)), *window),
            "this is the share of raw events",
            "add up the weights",
        ),
        (
            lambda mass, weight, *window: _share_inside(mass, np.abs(weight), *window),
            "negative weights lost their sign",
            "add w, and not |w|",
        ),
        (variant(over=lambda weight, inside: 1.0), "this is the number of events", "divide by the sum over all masses"),
        (
            variant(over=lambda weight, inside: weight[~inside].sum()),
            "this is inside over outside",
            "divide by the sum over all masses",
        ),
        (variant(over=lambda weight, inside: len(weight)), "this divides by a raw count", "by the sum of the weights"),
        (
            variant(over=lambda weight, inside: inside.sum()),
            "this is the mean weight in the window",
            "divide by the sum of the weights of all masses",
        ),
        (1 - right, "this is the share outside", "keep low <= mass < high"),
        (100 * right, "this is in per cent", "a share lies between 0 and 1"),
        (variant(below=np.less_equal), "the upper edge is included", "mass < high"),
        (variant(from_=np.greater), "the lower edge is left out", "low <= mass"),
        given=given,
        right=right,
    ):
        return
    if report.number(result, "add up the weights: one number") is None:
        return
    report.holds(
        alike(result, right), "the share is that of the weights inside", hint="weights inside over all weights"
    )
    report.also(
        lambda: alike(answer(mass, weight, 0, 1000), 1.0),
        "a window around everything holds everything",
        hint="divide by weight.sum()",
    )
    report.also(
        lambda: alike(answer(mass, weight, 130, 250), _share_inside(mass, weight, 130, 250)),
        "works for another window",
        hint="use low and high, and no numbers of your own",
    )


_MOST_PARAMETERS = 100_000

#: The validation loss that a network has to have reached after so many epochs, and after each of the last ones: a
#: training with steps that are too large may pass by. A constant and a network without hidden layers reach 0.69, a
#: good one 0.25.
_BAR, _EPOCHS, _LAST = 0.5, 28, 3


def _build_network(x: NDArray[np.float32]) -> Any:
    """The course's own answer to exercise 8.4."""
    from labcourse import network

    return network.build(x.shape[1], (60, 60), normalise=x, learning_rate=2e-3)


@exercise("8.4", fallback=_build_network)
def exercise_8_4(answer: Any, report: Report) -> None:
    """A network of the student's design: any that can learn."""
    import keras  # noqa: F401  # here, as its import draws random numbers too

    # Keras takes the seeds of initial weights and dropout from here: the verdict is always the same, and the
    # student's next network is the one that it would have been without the check.
    state = random.getstate()
    random.seed(84)
    try:
        _examine(answer, report)
    finally:
        random.setstate(state)


def _task(n: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return inputs, shape (n, 7), and labels: 1 outside of a circle in the two inputs of the smallest unit.

    One label in twenty is wrong, so that it does not pay to be sure.
    """
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, 7))
    outside = (z[:, :2] ** 2).sum(axis=1) > 2 * np.log(2)
    x = (z + 3) * [0.1, 0.1, 30, 30, 30, 30, 30]
    return x.astype(np.float32), (outside ^ (rng.random(n) < 0.05)).astype(np.float32)


def _examine(answer: Any, report: Report) -> None:
    x, y = _task(16384, 84)
    model, other = answer(x), answer(x[:, :5])
    if not (hasattr(model, "count_params") and hasattr(model, "predict")):
        report.wrong(f"this is no Keras model, but of type {type(model).__name__}", "return the model")
        return
    report.holds(
        model.input_shape[1:] == (7,) and other.input_shape[1:] == (5,),
        "the number of inputs follows from x",
        mistake="the number of inputs is fixed",
        hint="take it from x: x.shape[1]",
    )
    report.holds(
        model is not answer(x),
        "each call makes a new model",
        mistake="each call returns the same model",
        hint="it would remember its last training: build it inside the function",
    )
    if not report.holds(
        model.output_shape[1:] == (1,),
        "has one output",
        mistake=f"has the output shape {model.output_shape[1:]}",
        hint="the last layer has a single neuron with a sigmoid",
    ):
        return
    trainable = int(sum(np.prod(variable.shape) for variable in model.trainable_variables))
    report.holds(
        trainable < _MOST_PARAMETERS,
        "has fewer than 100 000 parameters",
        mistake=f"has {trainable} parameters",
        hint="below 100 000: fewer neurons, or fewer layers",
    )
    if not report.holds(
        getattr(model, "optimizer", None) is not None and getattr(model, "loss", None) is not None,
        "is compiled",
        mistake="the model is not compiled",
        hint="network.build does that; with Keras: model.compile(optimizer=…, loss='binary_crossentropy')",
    ):
        return
    name = str(getattr(model.loss, "name", None) or getattr(model.loss, "__name__", model.loss)).lower()
    if "mean" in name or "mse" in name:
        report.wrong("the loss is a squared error", "use binary_crossentropy for a score between 0 and 1")
        return
    report.holds(
        "binary_crossentropy" in name,
        "the loss is the binary cross-entropy",
        mistake=f"the loss is {name}",
        hint="loss='binary_crossentropy' for one output between 0 and 1",
    )
    if getattr(model.loss, "from_logits", False):
        report.wrong("the loss expects logits", "the output is a probability already: from_logits=False")
        return
    activation = getattr(model.layers[-1], "activation", None) if model.layers else None
    if getattr(activation, "__name__", "") == "softmax":
        report.wrong("the output is 1 for every event", "a softmax of one neuron is always 1: use a sigmoid")
        return
    if report.is_right:
        _learns(model, x, y, report)


def _learns(model: Any, x: NDArray[np.float32], y: NDArray[np.float32], report: Report) -> None:
    from labcourse import training

    x_validation, y_validation = _task(4096, 85)
    losses: list[float] = []
    for epochs in (0, _EPOCHS - _LAST, *[1] * _LAST):
        if epochs:
            training.fit(model, x, y, epochs=epochs, batch_size=128, seed=len(losses), progress=False)
        score = training.predict(model, x_validation).astype(float).reshape(-1)
        if np.nanmin(score) < 0 or np.nanmax(score) > 1:
            report.wrong("the output leaves the range from 0 to 1", "activation='sigmoid' in the last layer")
            return
        right = np.where(y_validation == 1, score, 1 - score)
        losses.append(float(-np.log(np.clip(right, 1e-7, 1)).mean()))
    reached = float(np.max(losses[-_LAST:]))
    report.holds(
        reached < _BAR,
        "learns a task that takes a hidden layer",
        mistake=f"does not learn a simple task: after {_EPOCHS} epochs the validation loss is {reached:.2f}, "
        "where 0.69 is a coin toss",
        hint="is there a hidden layer, are the inputs normalised, is the learning rate far from 1e-3, or is there too "
        "much dropout?",
    )


@exercise("8.5")
def exercise_8_5(answer: Any, report: Report, *, history: Any) -> None:
    """Reading: the epoch that early stopping keeps."""
    losses, training = history.history["val_loss"], history.history["loss"]
    best = int(np.argmin(losses)) + 1
    loss = "this is a loss", "we ask for the epoch: the horizontal axis"
    report.reading(
        answer,
        best,
        "there the validation loss is lowest",
        (best - 1, "epochs are counted from 0", "np.argmin counts from 0, epochs from 1"),
        (len(losses), "this is the last epoch", "the best one lies earlier, by the patience"),
        (
            int(np.argmin(training)) + 1,
            "there the training loss is lowest",
            "early stopping looks at the validation loss: a network may learn its events by heart",
        ),
        (len(losses) - best, "this is the patience", "we ask for the epoch after which nothing got better"),
        (min(losses), *loss),
        (training[best - 1], *loss),
        (int(np.argmax(losses)) + 1, "there the validation loss is highest", "the lowest loss is the best"),
        hint="the star of your own network marks it; np.argmin counts from 0, epochs from 1",
    )
