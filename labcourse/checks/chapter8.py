"""Checks of chapter 8, low-level variables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labcourse import kinematics, significance
from labcourse.checks.report import Report, exercise

__all__ = [
    "exercise_8_2",
    "exercise_8_3",
    "exercise_8_4",
    "exercise_8_5",
    "exercise_8_7",
    "exercise_8_8",
    "exercise_8_9",
]

Floats = NDArray[np.float64]
_MOST_PARAMETERS = 100_000


def _align(eta: Any, phi: Any) -> tuple[Any, Any]:
    """The course's own answer to exercise 8.2."""
    sign = np.where(eta[:, :1] < 0, -1.0, 1.0)
    return eta * sign, kinematics.delta_phi(phi, phi[:, :1])


@exercise("8.2", fallback=_align)
def exercise_8_2(answer: Any, report: Report) -> None:
    """Rotating and flipping events to a common orientation."""
    rng = np.random.default_rng(82)
    eta, phi = rng.uniform(-2.5, 2.5, (40, 4)), rng.uniform(-np.pi, np.pi, (40, 4))
    before = eta.copy(), phi.copy()
    right_eta, right_phi = _align(eta, phi)
    result = answer(eta, phi)
    if not report.holds(
        isinstance(result, tuple) and len(result) == 2, "returns two arrays", hint="return eta, phi"
    ) or not report.holds(
        all(np.shape(part) == (40, 4) for part in result),
        "both have shape (n_events, 4)",
        hint="keep the leading lepton; eta[:, :1] has the shape (n_events, 1)",
    ):
        return
    new_eta, new_phi = (np.asarray(part, dtype=float) for part in result)
    if np.allclose(new_eta, np.abs(eta)):
        report.wrong(
            "every lepton lost its own sign", "flip an event as a whole: the sign of the leading lepton decides"
        )
    elif np.allclose(new_eta[:, 1:], eta[:, 1:]) and np.allclose(new_eta[:, 0], np.abs(eta[:, 0])):
        report.wrong("only the leading lepton is flipped", "change the sign of all four leptons of the event")
    elif np.allclose(new_eta, eta):
        report.wrong("eta is not flipped", "multiply by −1 where eta[:, 0] < 0")
    elif np.allclose(new_eta, eta - eta[:, :1]):
        report.wrong(
            "eta is shifted", "a boost along the beam is no symmetry of a detector that ends: flip the sign only"
        )
    else:
        report.holds(
            np.allclose(new_eta, right_eta), "all leptons of an event are flipped together", hint="eta * sign[:, None]"
        )
    turned = phi - phi[:, :1]
    if np.allclose(new_phi, turned) and not np.allclose(turned, right_phi):
        report.wrong("some angles lie outside of −π … π", "kinematics.delta_phi brings them back")
    elif np.allclose(new_phi, np.abs(right_phi)):
        report.wrong("the signs of the angles are lost", "keep the direction in which a lepton lies")
    elif np.allclose(new_phi, -right_phi):
        report.wrong("the event is mirrored", "subtract the leading angle from the others, and not the reverse")
    elif np.allclose(new_phi, np.mod(turned, 2 * np.pi)):
        report.wrong("the angles lie in 0 … 2π", "bring them to −π … π with kinematics.delta_phi")
    elif np.allclose(new_phi[:, 1:], phi[:, 1:]):
        report.wrong("only the leading lepton is turned", "subtract its angle from all four")
    else:
        report.holds(np.allclose(new_phi, right_phi), "the leading lepton is at φ = 0", hint="phi - phi[:, :1]")
    report.holds(
        lambda: (
            np.allclose(answer(np.zeros((1, 4)), np.ones((1, 4)))[0], 0)
            and np.allclose(answer(np.array([[0.0, 1.0, -1.0, 2.0]]), np.zeros((1, 4)))[0], [[0, 1, -1, 2]])
        ),
        "an event with leading η = 0 survives",
        hint="np.sign(0) is 0: use np.where",
    )
    report.holds(
        np.array_equal(eta, before[0]) and np.array_equal(phi, before[1]),
        "leaves its arguments as they were",
        hint="eta *= … changes the array that was handed over: write eta = eta * …",
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
    events = _crafted_events(60, 83)
    try:
        result = np.asarray(answer(events.copy()))
    except KeyError as error:
        if error.args[:1] in (("sample",), ("run",), ("event",)):
            report.wrong(f"uses the column {error.args[0]}", "only what the detector measures may go in")
            return
        raise
    if not report.holds(
        result.ndim == 2 and len(result) == len(events) and result.shape[1] > 0,
        "gives one row an event and one column an input",
        hint="np.column_stack puts arrays side by side",
    ):
        return
    report.holds(result.dtype == np.float32, "the type is float32", hint="end with .astype(np.float32)")
    unused = np.isnan(result.astype(float)).all(axis=0)
    if unused.any():
        report.wrong("uses masses, met, jets or the weight", "low-level variables of the leptons only")
        return
    if not report.holds(np.isfinite(result), "all inputs are finite", hint="a logarithm of a negative number?"):
        return
    constant = np.ptp(result, axis=0) == 0
    report.holds(
        not constant.any(),
        "no input is the same for all events",
        hint=f"column {int(np.argmax(constant))} (from 0) is constant: after align, leave out the leading φ",
    )
    alone = [0, 7, 31]
    report.holds(
        lambda: np.allclose(answer(events.iloc[alone].copy()), result[alone], atol=1e-4),
        "the inputs of an event do not depend on the other events",
        hint="no mean, maximum or normalisation over the table: the network's first layer does that",
    )
    turned = events.copy()
    for i in (1, 2, 3, 4):
        turned[f"lep{i}_phi"] = kinematics.delta_phi(turned[f"lep{i}_phi"], 2.0).astype(np.float32)
    report.holds(
        lambda: np.allclose(answer(turned), result, atol=1e-3),
        "an event that is turned around the beam gives the same inputs",
        hint="use the phi that align returns; it jumps at ±π, but its cosine and sine do not",
    )
    flipped = events.assign(**{f"lep{i}_eta": -events[f"lep{i}_eta"] for i in (1, 2, 3, 4)})
    report.holds(
        lambda: np.allclose(answer(flipped), result, atol=1e-3),
        "an event that is flipped along the beam gives the same inputs",
        hint="use the eta that align returns",
    )
    report.holds(
        lambda: _tells_apart(answer, events),
        "momenta, angles and energies all have a say",
        hint="is a quantity, or a lepton, left out? All four leptons are needed for the mass",
    )


def _tells_apart(answer: Any, events: pd.DataFrame) -> bool:
    """Whether the inputs change when the momentum or an angle of any one lepton does."""
    base = np.asarray(answer(events.copy()))
    for i in (1, 2, 3, 4):
        harder = events.assign(
            **{f"lep{i}_{name}": np.float32(1.1) * events[f"lep{i}_{name}"].to_numpy() for name in ("pt", "e")}
        )
        moved = events.assign(**{f"lep{i}_phi": kinematics.delta_phi(events[f"lep{i}_phi"], 0.4).astype(np.float32)})
        if any(np.allclose(np.asarray(answer(changed)), base) for changed in (harder, moved)):
            return False
    return True


def _build_network(x: NDArray[np.float32]) -> Any:
    """The course's own answer to exercise 8.4."""
    from labcourse import network

    return network.build(x.shape[1], (60, 60), normalise=x, learning_rate=2e-3)


@exercise("8.4", fallback=_build_network)
def exercise_8_4(answer: Any, report: Report) -> None:
    """A network of the student's design: any that can learn."""
    from labcourse import training

    rng = np.random.default_rng(84)
    x = rng.normal(3, 2, (2048, 7)).astype(np.float32)
    y = (x[:, 0] + x[:, 1] > 6).astype(np.float32)
    model, other = answer(x), answer(x[:, :5])
    if not report.holds(
        hasattr(model, "count_params") and hasattr(model, "predict"), "returns a Keras model", hint="return the model"
    ):
        return
    report.holds(
        model.input_shape[1:] == (7,) and other.input_shape[1:] == (5,),
        "the number of inputs follows from x",
        hint="x.shape[1]",
    )
    report.holds(model is not answer(x), "each call makes a new model", hint="build the model inside the function")
    if not report.holds(
        model.output_shape[1:] == (1,), "has one output", hint="the last layer has a single neuron with a sigmoid"
    ):
        return
    trainable = int(sum(np.prod(variable.shape) for variable in model.trainable_variables))
    report.holds(
        trainable < _MOST_PARAMETERS, "has fewer than 100 000 parameters", hint="fewer neurons, or fewer layers"
    )
    if not report.holds(
        getattr(model, "optimizer", None) is not None and getattr(model, "loss", None) is not None,
        "is compiled",
        hint="network.build does that; with Keras: model.compile(optimizer=…, loss='binary_crossentropy')",
    ):
        return
    name = str(getattr(model.loss, "name", None) or getattr(model.loss, "__name__", model.loss)).lower()
    if "mean" in name or "mse" in name:
        report.wrong("the loss is a squared error", "use binary_crossentropy for a score between 0 and 1")
        return
    report.holds(
        "binary_crossentropy" in name, "the loss is the binary cross-entropy", hint="loss='binary_crossentropy'"
    )
    activation = getattr(model.layers[-1], "activation", None) if model.layers else None
    if getattr(activation, "__name__", "") == "softmax":
        report.wrong("the output is 1 for every event", "a softmax of one neuron is always 1: use a sigmoid")
        return
    score = training.predict(model, x)
    if not report.holds(
        np.isfinite(score).all() and score.min() >= 0 and score.max() <= 1 and np.ptp(score) > 0,
        "the output lies between 0 and 1",
        hint="activation='sigmoid' in the last layer",
    ):
        return
    history = training.fit(model, x, y, epochs=25, batch_size=128, progress=False).history["loss"]
    report.holds(
        np.isfinite(history[-1]) and min(history) < 0.55 and history[-1] < history[0],
        "learns a simple task in 25 epochs",
        hint="is the learning rate far from 1e-3, are the inputs normalised, or is there too much dropout?",
    )


@exercise("8.5")
def exercise_8_5(answer: Any, report: Report, *, history: Any) -> None:
    """Reading: the epoch that early stopping keeps."""
    losses = history.history["val_loss"]
    best = int(np.argmin(losses)) + 1
    if isinstance(answer, (int, np.integer)):
        if answer == len(losses) and abs(answer - best) > 2:
            report.wrong("this is the last epoch", "the best one lies earlier, by the patience")
            return
        if answer == int(np.argmin(history.history["loss"])) + 1 and abs(answer - best) > 2:
            report.wrong("this is the lowest training loss", "early stopping looks at the validation loss")
            return
    report.close(
        answer, best, "there the validation loss is lowest", tolerance=2, hint="np.argmin counts from 0, epochs from 1"
    )


def _choose_and_quote(validation: Any, test: Any) -> significance.Scan:
    """The course's own answer to exercise 8.7."""
    best = significance.best(significance.scan(*validation[:3], groups=validation[3]))
    return significance.scan(*test[:3], groups=test[3], cuts=[best.cut])


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
    validation, test = _toy_scores(400, 2.0, 871), _toy_scores(700, 1.5, 872)
    right = _choose_and_quote(validation, test)
    result = answer(validation, test)
    if not report.holds(
        isinstance(result, significance.Scan), "returns a scan", hint="return what significance.scan returns"
    ):
        return
    if len(result.cut) != 1:
        report.wrong("the scan has more than one cut", "hand over cuts=[best.cut]")
        return
    cut = float(result.cut[0])
    own, plain = significance.scan(*validation[:3], groups=validation[3]), significance.scan(*validation[:3])
    mistakes = [
        (
            significance.best(significance.scan(*test[:3], groups=test[3])).cut,
            "on the test events",
            "scan the validation events",
        ),
        (significance.best(significance.scan(*test[:3])).cut, "on the test events", "scan the validation events"),
        (own.cut[np.nanargmax(own.significance)], "without the guard", "use significance.best"),
        (
            significance.best(plain).cut,
            "without the samples",
            "hand over groups=sample when you scan the validation events",
        ),
        (
            significance.best(own._replace(significance=significance.simple(own.signal, own.background))).cut,
            "by s/√b",
            "the default of significance.scan is the Asimov significance",
        ),
    ]
    named = next((m for m in mistakes if np.isclose(cut, m[0]) and not np.isclose(cut, right.cut[0])), None)
    if named:
        report.wrong(f"the cut was chosen {named[1]}", named[2])
    else:
        report.holds(
            np.isclose(cut, right.cut[0]), "the cut is the best of the validation events", hint="significance.best"
        )
    if np.isclose(result.background[0], significance.scan(*validation[:3], cuts=[cut]).background[0]):
        report.wrong("signal and background are those of the validation events", "scan the test events at the cut")
        return
    wanted = significance.scan(*test[:3], groups=test[3], cuts=[cut])
    report.holds(
        np.isclose(result.significance[0], wanted.significance[0]),
        "the significance is that of the test events",
        hint="significance.scan(score, label, weight, groups=sample, cuts=[best.cut]) of the test events, Asimov",
    )
    report.holds(
        np.isclose(result.background_error[0], wanted.background_error[0]),
        "its error counts one more event of each sample",
        hint="hand over groups=sample when you scan the test events",
    )


@exercise("8.8")
def exercise_8_8(answer: Any, report: Report, *, mass: Floats, score: Floats) -> None:
    """Reading: the mass at which background gets the highest mean score."""
    edges = np.arange(80, 251, 5.0)
    number, total = np.histogram(mass, edges)[0], np.histogram(mass, edges, weights=score)[0]
    mean = np.where(number > 5, total / np.maximum(number, 1), 0.0)
    best = float(edges[int(np.argmax(mean))]) + 2.5
    if isinstance(answer, (int, float, np.integer, np.floating)) and 0 <= float(answer) <= 1:
        report.wrong("this is a score", "the mass on the horizontal axis is asked for, in GeV")
        return
    report.close(
        answer, best, "there the mean score is highest", tolerance=6, hint="the position of the maximum, in GeV"
    )


def _share_inside(mass: Any, weight: Any, low: float, high: float) -> float:
    """The course's own answer to exercise 8.9."""
    inside = (mass >= low) & (mass < high)
    return float(weight[inside].sum() / weight.sum())


@exercise("8.9", fallback=_share_inside)
def exercise_8_9(answer: Any, report: Report) -> None:
    """The share of expected events in a mass window."""
    mass = np.array([80.0, 115.0, 120.0, 125.0, 130.0, 200.0, 300.0])
    weight = np.array([1.0, 0.5, 0.75, -0.25, 2.0, 3.0, 1.0])
    right = _share_inside(mass, weight, 115, 130)
    result = float(answer(mass, weight, 115, 130))
    inside = (mass >= 115) & (mass < 130)
    mistakes = [
        (inside.mean(), "this is the share of raw events", "add up the weights"),
        (weight[inside].sum(), "this is the number of events", "divide by the sum over all masses"),
        (weight[inside].sum() / weight[~inside].sum(), "this is inside over outside", "divide by the sum over all"),
        (weight[inside].sum() / len(weight), "this divides by a raw count", "divide by the sum of the weights"),
        (np.abs(weight[inside]).sum() / np.abs(weight).sum(), "negative weights lost their sign", "add w, and not |w|"),
        (weight[(mass >= 115) & (mass <= 130)].sum() / weight.sum(), "the upper edge is included", "mass < high"),
        (weight[(mass > 115) & (mass < 130)].sum() / weight.sum(), "the lower edge is left out", "low <= mass"),
    ]
    for value, mistake, hint in mistakes:
        if np.isclose(result, value) and not np.isclose(value, right):
            report.wrong(mistake, hint)
            return
    report.holds(np.isclose(result, right), "the share is that of the weights inside", hint="weight[inside].sum() / …")
    report.holds(
        lambda: np.isclose(float(answer(mass, weight, 0, 1000)), 1.0),
        "a window around everything holds everything",
        hint="divide by weight.sum()",
    )
