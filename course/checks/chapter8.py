"""Checks of chapter 8, low-level variables."""

from __future__ import annotations

import random
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from course.checks.compare import alike
from course.checks.registry import course_answer
from course.checks.report import Report, exercise
from course.checks.tables import caught, follows, gives, with_argument
from course.checks.tables import losses as event_losses
from labcourse import kinematics, significance

_table, _redundant, _importance, _planed = map(course_answer, ("8.1", "8.2", "8.7", "8.8"))


def _sums(values: Any, label: Any, weight: Any, edges: Any) -> Any:
    """Return the sums of the weights of signal and of background in each bin, shape (2, n_bins)."""
    return np.array([np.histogram(values, edges, weights=weight * (label == kind))[0] for kind in (1, 0)])


def _odds(*given: Any) -> Any:
    signal, background = _sums(*given)
    return signal / np.where(background > 0, background, np.nan)


def _of_class(*given: Any) -> Any:
    signal, _ = _sums(*given)
    return signal / signal.sum()


def _empty_bins_hold(value: float) -> Any:
    return lambda *given: np.where(_sums(*given).sum(axis=0) > 0, _table(*given), value)


_SHARE = "the derivative vanishes where p Σw = Σw y: the signal's share of the weights in the bin"
_MISTAKES_8_1 = (
    (with_argument(_table, 2, np.ones_like), "raw events are counted", "add up the weights, not the events"),
    (_odds, "this is signal over background", "a score is a probability: divide by signal and background together"),
    (_of_class, "this is the share of the signal that lies in the bin", "compare signal and background in one bin"),
    (lambda *given: 1 - _table(*given), "this is the share of the background", "label 1 is signal: p goes with y"),
    (lambda *given: np.log(_odds(*given)), "this is a logit", "the score is p itself, between 0 and 1"),
    (_empty_bins_hold(0.0), "an empty bin has the score 0", "it tells nothing, and that is one half"),
    (_empty_bins_hold(np.nan), "an empty bin has the score NaN", "0/0: np.where(total > 0, …, 0.5)"),
    (lambda *given: _sums(*given)[0], "this is the sum of the signal's weights", _SHARE),
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
        (lambda pt, eta, phi, energy: pt**2 * np.cosh(eta) ** 2, "this is E²", "take the root"),
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
    others = {name: np.full(n, np.nan) for name in (*masses, "m_llll", "met", "jet_n", "weight")}
    return _with_leptons(pd.DataFrame(others, index=range(3, n + 3)), values)


def _for_each(events: pd.DataFrame, name: str, change: Any, leptons: tuple[int, ...] = (1, 2, 3, 4)) -> pd.DataFrame:
    """Return the events with a quantity of some of the leptons changed."""
    columns = [f"lep{i}_{name}" for i in leptons]
    return events.assign(**{column: change(events[column]).astype(np.float32) for column in columns})


def _harder(events: pd.DataFrame, i: int) -> pd.DataFrame:
    """Return the events with a tenth more momentum and energy of a lepton."""
    return _for_each(_for_each(events, "pt", lambda pt: 1.1 * pt, (i,)), "e", lambda e: 1.1 * e, (i,))


@exercise("8.4")
def exercise_8_4(answer: Any, report: Report) -> None:
    """The inputs of the student's network: any choice that keeps the rules."""
    events = _crafted_events(200, 83)
    try:
        result = np.asarray(answer(events))
    except KeyError as error:
        if error.args[:1] in (("sample",), ("run",), ("event",)):
            report.wrong(f"uses the column {error.args[0]}", "only what the detector measures may go in")
        raise
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
        (is_unused, "uses masses, met, jets or the weight", "low-level variables of the leptons only"),
        (not np.isfinite(result).all(), "some inputs are NaN or infinite", logarithm),
        (constant.any(), is_constant, "the leading φ is 0 once events are turned: leave it out"),
    )
    report.holds(True, "all inputs are finite, and none is the same for all events")
    if mass := _mass_among(answer, events, result):
        report.wrong(mass, "do not compute a mass: we want to see whether the network finds it")
    turned = _for_each(events, "phi", lambda phi: kinematics.delta_phi(phi, 2.0))
    flipped, unused = _for_each(events, "eta", np.negative), _says_nothing(answer, events, result)
    are_near = partial(np.allclose, atol=1e-3)
    whole, other = "no mean or maximum over the table", "gives other inputs"
    of_turn = "subtract the leading φ by delta_phi; the angles jump at ±π, but their cosine and sine do not"
    of_flip = "flip the event as a whole: the sign of the leading η decides for all four"
    what = "an event that is turned, flipped or alone has the same inputs, and all leptons have a say"
    caught(
        report,
        (
            lambda: not are_near(answer(events[:9]), result[:9]),
            "the inputs of an event depend on the other events",
            whole,
        ),
        (lambda: not are_near(answer(turned), result), f"an event that is turned around the beam {other}", of_turn),
        (lambda: not are_near(answer(flipped), result), f"an event that is flipped along the beam {other}", of_flip),
        (unused, f"{unused} has no say", "the mass depends on momenta and directions of all four leptons"),
    )
    report.holds(True, what)


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


#: The mean validation loss of the last epochs that a network has to reach. A coin toss has 0.69, two layers of 60
#: neurons end near 0.62, with dropout near 0.40.
_BAR, _EPOCHS, _LAST = 0.5, 40, 3
_PARAMETERS = 50_000
_LEAVES_RANGE = "the output leaves the range from 0 to 1", "activation='sigmoid' in the last layer"


@exercise("8.5")
def exercise_8_5(answer: Any, report: Report) -> None:
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


def _task(n: int, seed: int, n_inputs: int = 16) -> tuple[NDArray[np.float32], ...]:
    """Return inputs, labels and weights of ``n`` events, of which two inputs tell anything.

    Half of the background's weight is that of few heavy events, which lie on both sides of the signal in the second.
    """
    rng = np.random.default_rng(seed)
    z, signal = rng.normal(size=(n, n_inputs)), rng.random(n) < 0.5
    is_light = rng.random(n) >= 0.05
    light, heavy = ~signal & is_light, ~signal & ~is_light
    z[:, 0] = 0.7 * z[:, 0] + np.where(light, -1, 1)
    z[:, 1] = np.where(light, z[:, 1], 0.5 * z[:, 1] + 1.5 * heavy * rng.choice([-1, 1], n))
    x, weight = (z + 3) * np.resize([0.1, 30], n_inputs), np.select([signal, light], [1.0, 0.5 / 0.95], 0.5 / 0.05)
    return x.astype(np.float32), signal.astype(np.float32), weight.astype(np.float32)


def _examine(answer: Any, report: Report) -> None:
    x, y, weight = _task(2500, 84)
    model, other = answer(x), answer(x[:, :5])
    if not (hasattr(model, "count_params") and hasattr(model, "predict")):
        report.wrong(f"this is no Keras model, but of type {type(model).__name__}", "return the model")
    follows_x = model.input_shape[1:] == (16,) and other.input_shape[1:] == (5,)
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
    caught(
        report,
        (shape != (1,), f"has the output shape {shape}", one_sigmoid),
        (trainable > _PARAMETERS, f"has {trainable} parameters", "at most 50 000: fewer neurons, or fewer layers"),
        (not is_compiled, "the model is not compiled", compile_),
        ("mean" in name or "mse" in name, "the loss is a squared error", entropy),
        ("binary_crossentropy" not in name, f"the loss is {name}", entropy),
        (from_logits, "the loss expects logits", "the output is a probability already: from_logits=False"),
        (output in ("tanh", "softsign"), *_LEAVES_RANGE),
        (output == "softmax", "the output is 1 for every event", "a softmax of one neuron is always 1: use a sigmoid"),
    )
    report.holds(True, "one output, at most 50 000 parameters, compiled with the binary cross-entropy")
    _learns(model, (x, y, weight), report)


def _learns(model: Any, events: tuple[Any, ...], report: Report) -> None:
    from labcourse import training

    validation = _task(10_000, 85)
    losses: list[float] = []
    for epochs in (0, _EPOCHS - _LAST, *[1] * _LAST):
        if epochs:
            history = training.fit(model, *events, epochs=epochs, seed=len(losses), progress=False)
            if getattr(history, "interrupted", False):  # there is nothing to judge
                raise KeyboardInterrupt
        score = training.predict(model, validation[0]).astype(float).reshape(-1)
        if np.nanmin(score) < 0 or np.nanmax(score) > 1:
            report.wrong(*_LEAVES_RANGE)
        losses.append(_loss(score, *validation[1:]))
    reached = float(np.mean(losses[-_LAST:]))
    of_training = _loss(training.predict(model, events[0]).astype(float).reshape(-1), *events[1:])
    found = f"after {_EPOCHS} epochs its validation loss is {reached:.2f}"
    by_heart = "fewer neurons, or dropout: chapter 4 has ways to keep a network from learning events by heart"
    hint = "is there a hidden layer, are the inputs normalised, is the learning rate near 2e-3, little dropout?"
    caught(
        report,
        (
            reached >= _BAR > 2 * of_training,
            f"it has learnt its events by heart: {found}, on them it is {of_training:.2f}",
            by_heart,
        ),
        (reached >= 0.58, f"it does not learn the task: {found}, where 0.69 is a coin toss", hint),
        (reached >= _BAR, f"it is slow or too small: {found}", hint),
    )
    report.holds(reached < _BAR, f"learns a few heavy events without learning them by heart: a loss below {_BAR}")


def _loss(score: Any, label: Any, weight: Any) -> float:
    return float(np.average(event_losses(label, score), weights=weight))


def _scan(events: Any, *, groups: bool = True, **options: Any) -> significance.Scan:
    return significance.scan(*events[:3], groups=events[3] if groups else None, **options)


def _best(events: Any, **options: Any) -> float:
    return float(significance.best(_scan(events, **options)).cut)


def _unguarded(validation: Any, test: Any) -> float:
    scan = _scan(validation)
    return float(scan.cut[np.nanargmax(scan.significance)])


_TOO_GOOD = "scan the validation events: a cut chosen and quoted on the same events looks too good"
_MISTAKES_8_9 = (
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


@exercise("8.9")
def exercise_8_9(answer: Any, report: Report) -> None:
    """The best cut of the validation events, quoted on test events."""
    validation, test = given = _toy_scores(400, 2.0, 871), _toy_scores(700, 1.5, 872)
    result, kind, one = answer(*given), "what significance.scan returns", "scan the test events with cuts=[best.cut]"
    caught(
        report,
        (
            isinstance(result, significance.Scan) and np.ndim(result.cut) == 0,
            "this is the best cut, and not a scan",
            one,
        ),
        (not isinstance(result, significance.Scan), f"this is no scan, but of type {type(result).__name__}", kind),
        (lambda: len(result.cut) != 1, "the scan has more than one cut", one),
    )
    cut, best = float(result.cut[0]), _best(validation)
    report.recognises(cut, *_MISTAKES_8_9, given=given, right=best)
    report.holds(np.isclose(cut, best), "the cut is the best of the validation events", hint="significance.best")
    if np.isclose(result.background[0], _scan(validation, cuts=[cut]).background[0]):
        report.wrong("signal and background are those of the validation events", one)
    wanted = _scan(test, cuts=[cut])
    is_of_test = np.isclose(result.significance[0], wanted.significance[0])
    report.holds(is_of_test, "the significance is that of the test events", hint=f"{one}, by Asimov")
    report.holds(
        np.isclose(result.background_error[0], wanted.background_error[0]),
        "its error counts one more event of each sample",
        mistake="its error forgets samples of which nothing is left",
        hint="hand over groups=sample when you scan the test events: each then counts one more event",
    )


def _shuffled(change: Any) -> Any:
    """Return how much the loss rises where ``change(x, columns, rng)`` gives other inputs."""
    return lambda loss_of, x, columns, rng: loss_of(change(x, columns, rng)) - loss_of(x)


def _with(x: Any, columns: Any, values: Any) -> Any:
    changed = x.copy()
    changed[:, columns] = values
    return changed


def _each_alone(x: Any, columns: Any, rng: Any) -> Any:
    return _with(x, columns, np.column_stack([x[rng.permutation(len(x)), i] for i in columns]))


def _loss_after(loss_of: Any, x: Any, columns: Any, rng: Any) -> Any:
    return loss_of(x) + _importance(loss_of, x, columns, rng)


_TOGETHER = "draw one permutation, and use it for all these columns"
_MISTAKES_8_7 = (
    (_shuffled(_each_alone), "each column has a permutation of its own", _TOGETHER),
    (_shuffled(lambda x, c, rng: x[rng.permutation(len(x))]), "all columns are shuffled", "only those of columns"),
    (_shuffled(lambda x, c, rng: _with(x, c, 0.0)), "the columns are set to zero", "shuffle: zero may never occur"),
    (_shuffled(lambda x, c, rng: _with(x, c, x[:, c].mean(axis=0))), "the columns are set to their mean", _TOGETHER),
    (_shuffled(lambda x, c, rng: np.delete(x, c, axis=1)), "the columns are taken out", "a network needs all inputs"),
    (lambda *given: -_importance(*given), "this is how much the loss falls", "after minus before"),
    (_loss_after, "this is the loss after shuffling", "subtract that before"),
    (lambda f, x, c, rng: _importance(f, x, c[:1], rng), "only the first column is shuffled", _TOGETHER),
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


def _planed_by(factor: Any, *, lonely: Any = 0.0) -> Any:
    """Return a function that scales weights by a factor of the sums in the bin, or by ``lonely`` without the other."""

    def weights_of(mass: Any, label: Any, weight: Any, edges: Any) -> Any:
        place, sums = np.digitize(mass, edges) - 1, _sums(mass, label, weight, edges)
        own, other = (np.where(label == kind, sums[0][place], sums[1][place]) for kind in (1, 0))
        return np.where(other > 0, weight * factor(own, other, label), weight * lonely)

    return weights_of


_HALF = "each class gets half of the bin: (S + B)/2 over the sum of its own class there"
_MISTAKES_8_8 = (
    (
        _planed_by(lambda own, other, label: np.where(label == 1, 1.0, other / own)),
        "the sum of a bin has changed: only the background is scaled",
        _HALF,
    ),
    (
        _planed_by(lambda own, other, label: np.where(label == 1, other / own, 1.0)),
        "the sum of a bin has changed: only the signal is scaled",
        _HALF,
    ),
    (_planed_by(lambda own, other, label: 1 / own), "all bins have the same sum", _HALF),
    (_planed_by(lambda own, other, label: (own + other) / own), "the sum of a bin has doubled", _HALF),
    (_planed_by(lambda own, other, label: (own + other) / (2 * other)), "the sums of the classes are swapped", _HALF),
    (
        _planed_by(lambda own, other, label: (own + other) / (2 * own), lonely=1.0),
        "bins without one of the classes are left as they are",
        "there the mass tells the class with certainty: their weights are zero",
    ),
    (
        _planed_by(lambda own, other, label: (own + other) / (2 * own), lonely=0.5),
        "a class alone in its bin has kept half of its weight",
        "there the mass tells the class with certainty: their weights are zero",
    ),
    (with_argument(_planed, 2, np.ones_like), "raw events are counted", "add up weights, and scale them"),
)


@exercise("8.8")
def exercise_8_8(answer: Any, report: Report) -> None:
    """Weights with which signal and background have the same mass distribution."""
    given, what = _toy_masses(300, 88), "signal and background have the same sum in each bin, and together the old one"
    follows(report, answer, _planed, given, _MISTAKES_8_8, what, _HALF)
    report.agrees(answer, _planed, _toy_masses(90, 89), hint="use the edges that are given, and no own numbers")
