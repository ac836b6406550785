"""Checks of chapter 8, low-level variables."""

from __future__ import annotations

import random
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from course.checks.registry import course_answer
from course.checks.report import Report, exercise
from course.checks.tables import PER_CENT, caught, changed, follows, gives, just_above, parts_follow, with_argument
from labcourse import kinematics, significance

Floats = NDArray[np.float64]


_align = course_answer("8.2")


def _first_of(changed: Any, unchanged: Any) -> Any:
    return np.column_stack([changed[:, 0], unchanged[:, 1:]])


def _turned_by_mean(eta: Any, phi: Any) -> Any:
    return kinematics.delta_phi(phi, phi.mean(axis=1, keepdims=True))


def _mirrored_with_eta(eta: Any, phi: Any) -> Any:
    return _align(eta, phi)[1] * np.where(eta[:, :1] < 0, -1, 1)


def _turn(change: Any) -> Any:
    """Return a function that changes the angles relative to the leading lepton, which may lie outside of −π … π."""
    return lambda eta, phi: change(phi - phi[:, :1])


_DECIDES, _LEADING = (
    "flip an event as a whole: the sign of the leading lepton decides",
    "the leading lepton is left out",
)
_KEEP = "keep it: the shape is (n_events, 4)"
_MISTAKES_ETA = (
    (lambda eta, phi: np.abs(eta), "every lepton lost its own sign", _DECIDES),
    (lambda eta, phi: _first_of(np.abs(eta), eta), "only the leading lepton is flipped", "flip all four leptons"),
    (lambda eta, phi: eta, "eta is not flipped", "multiply by −1 where eta[:, 0] < 0"),
    (lambda eta, phi: -eta, "every event is flipped", "multiply by −1 only where eta[:, 0] < 0"),
    (lambda *g: -_align(*g)[0], "the events with the other sign are flipped", "the leading lepton gets eta >= 0"),
    (lambda eta, _: eta * np.sign(eta.sum(axis=1))[:, None], "the sum of all leptons decides", "column 0 decides"),
    (lambda eta, phi: eta - eta[:, :1], "eta is shifted", "a boost is no symmetry of a detector that ends: flip only"),
    (lambda *g: _align(*g)[0][:, 1:], _LEADING, _KEEP),
)
_MISTAKES_PHI = (
    (_turn(np.array), "some angles lie outside of −π … π", "kinematics.delta_phi brings them back"),
    (lambda *g: np.abs(_align(*g)[1]), "the signs of the angles are lost", "keep the direction in which a lepton lies"),
    (lambda *g: -_align(*g)[1], "the event is mirrored", "subtract the leading angle from the others"),
    (_turn(lambda phi: np.mod(phi, 2 * np.pi)), "the angles lie in 0 … 2π", "kinematics.delta_phi: −π … π"),
    (lambda eta, phi: _first_of(0 * phi, phi), "only the leading lepton is turned", "subtract its angle from all four"),
    (lambda eta, phi: phi, "phi is not turned", "subtract the angle of the leading lepton, phi[:, :1]"),
    (_turned_by_mean, "the event is turned by the mean angle", "the leading lepton, in column 0, is to be at 0"),
    (lambda *g: _align(*g)[1][:, 1:], _LEADING, _KEEP),
    (_mirrored_with_eta, "in the events that are flipped, the other φ changed sign as well", "flip η only"),
)


@exercise("8.2")
def exercise_8_2(answer: Any, report: Report) -> None:
    """Rotating and flipping events to a common orientation."""
    rng = np.random.default_rng(82)
    given = rng.uniform(-2.5, 2.5, (40, 4)), rng.uniform(-np.pi, np.pi, (40, 4))
    eta = _MISTAKES_ETA, "all leptons of an event are flipped together", "one sign per event: eta[:, :1]"
    phi = _MISTAKES_PHI, "the leading lepton is at φ = 0", "subtract its angle, phi[:, :1], from all four"
    if parts_follow(report, answer, _align, given, "eta, phi", eta, phi):
        at_zero = np.array([[0.0, 1.0, -1.0, 2.0]])
        report.also(
            lambda: np.allclose(answer(at_zero, np.zeros((1, 4)))[0], at_zero),
            "an event with leading η = 0 survives",
            mistake="an event with leading η = 0 is set to zero, or flipped",
            hint="np.sign(0) is 0: use np.where(eta[:, :1] < 0, -1, 1)",
        )


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
    others = {name: np.full(n, np.nan) for name in (*masses, "m_llll", "met", "jet_n", "weight")}
    return _with_leptons(pd.DataFrame(others, index=range(3, n + 3)), values)


def _for_each(events: pd.DataFrame, name: str, change: Any, leptons: tuple[int, ...] = (1, 2, 3, 4)) -> pd.DataFrame:
    """Return the events with a quantity of some of the leptons changed."""
    columns = [f"lep{i}_{name}" for i in leptons]
    return events.assign(**{column: change(events[column]).astype(np.float32) for column in columns})


def _harder(events: pd.DataFrame, i: int) -> pd.DataFrame:
    """Return the events with a tenth more momentum and energy of a lepton."""
    return _for_each(_for_each(events, "pt", lambda pt: 1.1 * pt, (i,)), "e", lambda e: 1.1 * e, (i,))


@exercise("8.3")
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
    n, stack = len(events), "one row per event: np.column_stack puts arrays side by side"
    if caught(report, (result.shape[1:] == (n,) != result.shape[:1], "the input array lies on its side", stack)):
        return
    has_rows = result.ndim == 2 and len(result) == n and result.shape[1] > 0
    if not report.holds(has_rows, "gives one row per event and one column per input", hint=stack):
        return
    kind = f"the type is {result.dtype}"
    report.holds(result.dtype == np.float32, "the type is float32", mistake=kind, hint="end with .astype(np.float32)")
    constant = np.ptp(result, axis=0) == 0
    is_constant = f"column {int(np.argmax(constant))} (from 0) is the same for all events"
    logarithm = "is a logarithm taken of a negative number, such as eta or phi?"
    is_unused = np.isnan(result.astype(float)).all(axis=0).any()
    if caught(
        report,
        (is_unused, "uses masses, met, jets or the weight", "low-level variables of the leptons only"),
        (not np.isfinite(result).all(), "some inputs are NaN or infinite", logarithm),
        (constant.any(), is_constant, "after align the leading φ is always 0: leave it out"),
    ):
        return
    report.holds(True, "all inputs are finite, and none is the same for all events")
    if mass := _mass_among(answer, events, result):
        report.wrong(mass, "do not compute a mass: section 8.6 asks whether the network finds it")
        return
    turned = _for_each(events, "phi", lambda phi: kinematics.delta_phi(phi, 2.0))
    flipped, unused = _for_each(events, "eta", np.negative), _says_nothing(answer, events, result)
    whole, other = "no mean or maximum over the table", "gives other inputs"
    of_align = "use what align returns: the angles jump at ±π, but their cosine and sine do not"
    what = "an event that is turned, flipped or alone has the same inputs, and all leptons have a say"
    if not caught(
        report,
        (
            lambda: not _are_near(answer(events[:9]), result[:9]),
            "the inputs of an event depend on the other events",
            whole,
        ),
        (lambda: not _are_near(answer(turned), result), f"an event that is turned around the beam {other}", of_align),
        (lambda: not _are_near(answer(flipped), result), f"an event that is flipped along the beam {other}", of_align),
        (unused, f"{unused} has no say", "the mass depends on momenta and directions of all four leptons"),
    ):
        report.holds(True, what)


def _are_near(result: Any, expected: Any) -> bool:
    return np.allclose(result, expected, atol=1e-3)


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
    depends = (np.asarray(answer(_harder(events, 1))) != result).any(axis=0)
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
    return _with_leptons(
        events, {"pt": pt, "eta": np.arcsinh(z / pt), "phi": np.arctan2(y, x), "e": gamma * (energy - along)}
    )


def _says_nothing(answer: Any, events: pd.DataFrame, result: Any) -> str:
    """Return the first quantity that could be another without the inputs being others; empty if there is none."""
    for i in (1, 2, 3, 4):
        moved = _for_each(events, "phi", lambda phi: kinematics.delta_phi(phi, 0.4), (i,))
        flipped = _for_each(events, "eta", np.negative, (i,))
        for change, name in ((_harder(events, i), "momentum"), (moved, "azimuth"), (flipped, "sign of η")):
            if np.allclose(np.asarray(answer(change)), result):
                return f"the {name} of lepton {i}"
    return ""


_MOST_PARAMETERS = 100_000

#: The validation loss that a network has to have reached after so many epochs, and after each of the last ones: a
#: training with steps that are too large may pass by. A constant and a network without hidden layers reach 0.69, a
#: good one 0.25.
_BAR, _EPOCHS, _LAST = 0.5, 28, 3


@exercise("8.4")
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


_LEAVES_RANGE = "the output leaves the range from 0 to 1", "activation='sigmoid' in the last layer"


def _examine(answer: Any, report: Report) -> None:
    x, y = _task(16384, 84)
    model, other = answer(x), answer(x[:, :5])
    if not (hasattr(model, "count_params") and hasattr(model, "predict")):
        report.wrong(f"this is no Keras model, but of type {type(model).__name__}", "return the model")
        return
    follows_x = model.input_shape[1:] == (7,) and other.input_shape[1:] == (5,)
    fixed, same = "the number of inputs is fixed", "each call returns the same model"
    report.holds(follows_x, "the number of inputs follows from x", mistake=fixed, hint="take it from x: x.shape[1]")
    build = "it would remember its last training: build it inside the function"
    report.holds(model is not answer(x), "each call makes a new model", mistake=same, hint=build)
    trainable = int(sum(np.prod(variable.shape) for variable in model.trainable_variables))
    is_compiled = getattr(model, "optimizer", None) is not None and getattr(model, "loss", None) is not None
    loss = getattr(model, "loss", None)
    name = str(getattr(loss, "name", None) or getattr(loss, "__name__", loss)).lower()
    activation = getattr(model.layers[-1], "activation", None) if model.layers else None
    output, from_logits = getattr(activation, "__name__", ""), getattr(loss, "from_logits", False)
    shape, one_sigmoid = model.output_shape[1:], "the last layer has a single neuron with a sigmoid"
    compile_ = "network.build does that; with Keras: model.compile(optimizer=…, loss='binary_crossentropy')"
    entropy = "loss='binary_crossentropy' for one output between 0 and 1"
    if caught(
        report,
        (shape != (1,), f"has the output shape {shape}", one_sigmoid),
        (trainable >= _MOST_PARAMETERS, f"has {trainable} parameters", "below 100 000: fewer neurons, or fewer layers"),
        (not is_compiled, "the model is not compiled", compile_),
        ("mean" in name or "mse" in name, "the loss is a squared error", entropy),
        ("binary_crossentropy" not in name, f"the loss is {name}", entropy),
        (from_logits, "the loss expects logits", "the output is a probability already: from_logits=False"),
        (output in ("tanh", "softsign"), *_LEAVES_RANGE),
        (output == "softmax", "the output is 1 for every event", "a softmax of one neuron is always 1: use a sigmoid"),
    ):
        return
    if report.also(True, "one output, fewer than 100 000 parameters, compiled with the binary cross-entropy"):
        _learns(model, x, y, report)


def _learns(model: Any, x: NDArray[np.float32], y: NDArray[np.float32], report: Report) -> None:
    from labcourse import training

    x_validation, y_validation = _task(4096, 85)
    losses: list[float] = []
    for epochs in (0, _EPOCHS - _LAST, *[1] * _LAST):
        if epochs:
            history = training.fit(model, x, y, epochs=epochs, batch_size=128, seed=len(losses), progress=False)
            if getattr(history, "interrupted", False):  # there is nothing to judge
                raise KeyboardInterrupt
        score = training.predict(model, x_validation).astype(float).reshape(-1)
        if np.nanmin(score) < 0 or np.nanmax(score) > 1:
            report.wrong(*_LEAVES_RANGE)
            return
        right = np.where(y_validation == 1, score, 1 - score)
        losses.append(float(-np.log(np.clip(right, 1e-7, 1)).mean()))
    reached = float(np.max(losses[-_LAST:]))
    coin = f"after {_EPOCHS} epochs the validation loss is {reached:.2f}, where 0.69 is a coin toss"
    report.holds(
        reached < _BAR,
        "learns a task that takes a hidden layer",
        mistake=f"does not learn a simple task: {coin}",
        hint="is there a hidden layer, are the inputs normalised, is the learning rate near 1e-3, little dropout?",
    )


@exercise("8.5")
def exercise_8_5(answer: Any, report: Report, *, history: Any) -> None:
    """Reading: the epoch that early stopping keeps."""
    losses, training = history.history["val_loss"], history.history["loss"]
    best, last, lowest = int(np.argmin(losses)) + 1, len(losses), int(np.argmin(training)) + 1
    is_loss = "this is a loss", "we ask for the epoch: the horizontal axis"
    mistakes = (
        (best - 1, "epochs are counted from 0", "np.argmin counts from 0, epochs from 1"),
        (last, "this is the last epoch", "the best one lies earlier, by the patience"),
        (lowest, "there the training loss is lowest", "early stopping looks at the validation loss"),
        (last - best, "this is the patience", "we ask for the epoch after which nothing got better"),
        (min(losses), *is_loss),
        (training[best - 1], *is_loss),
        (int(np.argmax(losses)) + 1, "there the validation loss is highest", "the lowest loss is the best"),
    )
    what = "there the validation loss is lowest"
    hint = "the star of your own network marks it; np.argmin counts from 0, epochs from 1"
    report.reading(answer, best, what, *mistakes, hint=hint)


def _scan(events: Any, *, groups: bool = True, **options: Any) -> significance.Scan:
    return significance.scan(*events[:3], groups=events[3] if groups else None, **options)


def _best(events: Any, **options: Any) -> float:
    return float(significance.best(_scan(events, **options)).cut)


def _unguarded(validation: Any, test: Any) -> float:
    scan = _scan(validation)
    return float(scan.cut[np.nanargmax(scan.significance)])


_TOO_GOOD = "scan the validation events: a cut chosen and quoted on the same events looks too good"
_MISTAKES_8_7 = (
    (lambda validation, test: _best(test), "the cut was chosen on the test events", _TOO_GOOD),
    (lambda validation, test: _best(test, groups=False), "the cut was chosen on the test events", _TOO_GOOD),
    (_unguarded, "the cut was chosen without the guard", "significance.best: it leaves out a background hardly known"),
    (lambda validation, _: _best(validation, groups=False), "the cut was chosen without the samples", "groups=sample"),
    (lambda validation, _: _best(validation, measure=significance.simple), "the cut was chosen by s/√b", "by Asimov"),
    (lambda *_: 0.5, "the cut is 0.5, whatever the events", "significance.best finds that of the validation events"),
)


def _toy_scores(n: int, shift: float, seed: int) -> tuple[Any, ...]:
    """Score, label, weight and sample of signal, of a large light background, and of a small heavy one."""
    rng = np.random.default_rng(seed)
    sizes = {"signal": n, "light": 4 * n, "heavy": 60}
    sample = np.repeat(list(sizes), list(sizes.values()))
    label = (sample == "signal").astype(float)
    score = 1 / (1 + np.exp(-rng.normal(shift * label - 0.5 * (sample == "heavy"), 1.0)))
    weight = np.select([sample == "signal", sample == "light"], [40.0 / n, 50.0 / n], 0.6)
    return score, label, weight, sample


@exercise("8.7")
def exercise_8_7(answer: Any, report: Report) -> None:
    """The best cut of the validation events, quoted on test events."""
    validation, test = given = _toy_scores(400, 2.0, 871), _toy_scores(700, 1.5, 872)
    result, kind, one = answer(*given), "what significance.scan returns", "scan the test events with cuts=[best.cut]"
    if caught(
        report,
        (
            isinstance(result, significance.Scan) and np.ndim(result.cut) == 0,
            "this is the best cut, and not a scan",
            one,
        ),
        (not isinstance(result, significance.Scan), f"this is no scan, but of type {type(result).__name__}", kind),
        (lambda: len(result.cut) != 1, "the scan has more than one cut", one),
    ):
        return
    cut, best = float(result.cut[0]), _best(validation)
    if not report.recognises(cut, *_MISTAKES_8_7, given=given, right=best):
        report.holds(np.isclose(cut, best), "the cut is the best of the validation events", hint="significance.best")
    if np.isclose(result.background[0], _scan(validation, cuts=[cut]).background[0]):
        report.wrong("signal and background are those of the validation events", one)
        return
    wanted = _scan(test, cuts=[cut])
    is_of_test = np.isclose(result.significance[0], wanted.significance[0])
    report.holds(is_of_test, "the significance is that of the test events", hint=f"{one}, by Asimov")
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
    highest, lowest, most = (float(centres[i]) for i in (best, np.nanargmin(mean), np.argmax(number)))
    is_score = "this is a score", "the mass on the horizontal axis is asked for, in GeV"
    mistakes = (
        (float(mean[best]), *is_score),
        (float(np.max(score)), *is_score),
        (lowest, "there the mean score is lowest", "look for the maximum of the curve"),
        (most, "most events have this mass", "look at the score, not at how many there are"),
        (1000 * highest, "this is in MeV", "give it in GeV"),
        (best, "this is the number of a bin", "read the mass on the horizontal axis"),
    )
    what, hint = "there the mean score is highest", "the position of the maximum, in GeV"
    report.reading(answer, highest, what, *mistakes, tolerance=6, hint=hint)


def _share_inside(mass: Any, weight: Any, low: float, high: float, over: Any = lambda w, inside: w.sum()) -> float:
    """The course's own answer to exercise 8.9; ``over`` is a variant that students write."""
    inside = (mass >= low) & (mass < high)
    return float(weight[inside].sum() / over(weight, inside))


_WHOLE = "divide by the sum of the weights of all masses"
_MISTAKES_8_9 = (
    (with_argument(_share_inside, 1, np.ones_like), "this is the share of raw events", "add up the weights"),
    (with_argument(_share_inside, 1, np.abs), "negative weights lost their sign", "add w, and not |w|"),
    (partial(_share_inside, over=lambda w, inside: 1.0), "this is the number of events", _WHOLE),
    (partial(_share_inside, over=lambda w, inside: w[~inside].sum()), "this is inside over outside", _WHOLE),
    (partial(_share_inside, over=lambda w, inside: len(w)), "this divides by a raw count", _WHOLE),
    (partial(_share_inside, over=lambda w, inside: inside.sum()), "this is the mean weight in the window", _WHOLE),
    (changed(_share_inside, lambda share: 1 - share), "this is the share outside", "keep low <= mass < high"),
    (changed(_share_inside, lambda share: 100 * share), *PER_CENT),
    (with_argument(_share_inside, 3, just_above), "the upper edge is included", "mass < high"),
    (with_argument(_share_inside, 2, just_above), "the lower edge is left out", "low <= mass"),
)


@exercise("8.9")
def exercise_8_9(answer: Any, report: Report) -> None:
    """The share of expected events in a mass window."""
    mass = np.array([200.0, 115.0, 80.0, 129.7, 130.0, 120.0, 300.0])
    weight = np.array([3.5, 0.5, 1.0, -0.25, 2.0, 0.75, 1.0])
    given, what = (mass, weight, 115, 130), "the share is that of the weights inside"
    if follows(report, answer, _share_inside, given, _MISTAKES_8_9, what, "weights inside over all weights"):
        everything = "a window around everything holds everything", "divide by weight.sum()"
        gives(report, answer, ((mass, weight, 0, 1000), 1.0, *everything))
        report.agrees(answer, _share_inside, (mass, weight, 130, 250), hint="use low and high, and no own numbers")
